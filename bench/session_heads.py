"""One label head painted as a session: T1w at 1 mm, T2w at 0.5 x 0.5 x 3 mm, FLAIR at 1 x 1 x 6 mm, PD at 2 mm, and a second T1w at
1 mm, each on its own grid, the person moved between them by a known rigid motion (truth.json: world of each image to that of the T1w).

The painter is the one that training uses. Results show real people's anatomy: OUT must lie outside the repository.

Usage: PYTHONPATH=training python3 bench/session_heads.py PREPARED_LABELS OUT [--split val,test] [--degrees 6] [--mm 8]
"""

import argparse
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from scipy.ndimage import affine_transform, gaussian_filter
from scipy.spatial.transform import Rotation

from prosopon_training.brain_sources import LABEL_TO_BRAIN
from prosopon_training.painting import noise_field, paint, read_label_heads

# name, contrast, voxel (mm), thickest axis of the voxel is which axis of the head, order of axes
SERIES = [
    ("T1w", "t1w", (1.0, 1.0, 1.0)),
    ("T2w", "t2w", (0.5, 0.5, 3.0)),
    ("FLAIR", "flair", (1.0, 1.0, 6.0)),
    ("PD", "pdw", (2.0, 2.0, 2.0)),
    ("T1again", "t1w", (1.0, 1.0, 1.0)),
]

parser = argparse.ArgumentParser()
parser.add_argument("prepared", type=Path)
parser.add_argument("out", type=Path)
parser.add_argument("--split", default="val,test")
parser.add_argument("--degrees", type=float, default=6)
parser.add_argument("--mm", type=float, default=8)
parser.add_argument("--limit", type=int, default=100)
args = parser.parse_args()
args.out.mkdir(parents=True, exist_ok=True)
torch.set_num_threads(1)


def motion(rng: np.random.Generator, degrees: float, mm: float) -> np.ndarray:
    m = np.eye(4)
    turn = rng.normal(size=3)
    m[:3, :3] = Rotation.from_rotvec(turn / np.linalg.norm(turn) * np.deg2rad(rng.uniform(0, degrees))).as_matrix()
    m[:3, 3] = rng.uniform(-mm, mm, 3)
    return m


def sample(volume: np.ndarray, to_volume: np.ndarray, shape: tuple[int, ...], spacing: tuple[float, ...]) -> np.ndarray:
    """Means over the thickness of a voxel, [x, y, z]."""
    total = np.zeros(shape, np.float32)
    thick = int(round(spacing[2]))
    for s in range(thick):
        shift = np.eye(4)
        shift[2, 3] = (s + 0.5) / thick - 0.5
        m = to_volume @ shift
        total += affine_transform(volume, m[:3, :3], m[:3, 3], output_shape=shape, order=1, output=np.float32)
    return total / thick


truth = {}
heads = [(split, head) for split in args.split.split(",") for head in read_label_heads(args.prepared, split)]
for number, (_, head) in enumerate(heads[: args.limit]):
    cropped, depth, brain, low = head.cropped()
    start = np.eye(4)
    start[:3, 3] = low[::-1]
    own = LABEL_TO_BRAIN @ start
    size = np.array(cropped.shape[::-1])
    middle = (own @ [*((size - 1) / 2), 1])[:3]
    first = None
    for series, (name, contrast, spacing) in enumerate(SERIES):
        rng = np.random.default_rng([number, series, 22])
        image = paint(rng, cropped, depth, 1.0, contrast)
        bias = torch.exp(rng.uniform(0, 0.35) * noise_field(rng, tuple(image.shape), rng.uniform(60, 120)))
        volume = gaussian_filter((image * bias).numpy().transpose(2, 1, 0), 0.4)
        moved = motion(rng, args.degrees, args.mm)
        if first is None:
            first = moved
        # The scanner's own axes: a little oblique, as planned slices are.
        grid = np.eye(4)
        grid[:3, :3] = Rotation.from_rotvec(rng.uniform(-0.1, 0.1, 3)).as_matrix() @ np.diag(spacing)
        shape = tuple(int(np.ceil(n / s)) for n, s in zip(size, spacing, strict=True))
        grid[:3, 3] = (moved @ [*middle, 1])[:3] - grid[:3, :3] @ ((np.array(shape) - 1) / 2)
        to_volume = np.linalg.inv(own) @ np.linalg.inv(moved) @ grid
        values = sample(volume, to_volume, shape, spacing)
        noise = rng.uniform(0.01, 0.05)
        values = np.hypot(values + rng.normal(0, noise, shape), rng.normal(0, noise, shape))
        mask = sample(brain.transpose(2, 1, 0), to_volume, shape, spacing) > 0.5
        base = f"{head.id}_{name}"
        nib.save(nib.Nifti1Image(np.round(values * 700).astype(np.int16), grid), args.out / f"{base}.nii.gz")
        nib.save(nib.Nifti1Image(mask.astype(np.uint8), grid), args.out / f"{base}_mask.nii.gz")
        truth[base] = (first @ np.linalg.inv(moved)).reshape(-1).tolist()
        print(base, shape, flush=True)
(args.out / "truth.json").write_text(json.dumps(truth))
