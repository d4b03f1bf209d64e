"""Label heads painted as scans with their brain masks, for bench/any-head.mjs: NIfTI at 1 mm, 1 x 1 x 2 mm or 2 mm, turned by up to
25 degrees, with bias field and noise. People that no training saw (val and test) unless --split says otherwise.

The painter is the one that training uses (training/prosopon_training/painting.py); the people are not.
Results show real people's anatomy: OUT must lie outside the repository.

Usage: PYTHONPATH=training python3 bench/painted_heads.py PREPARED_LABELS OUT [--split val,test] [--contrasts t1w,t2w,...] [--draws 4]
"""

import argparse
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from prosopon_training.brain_sources import LABEL_TO_BRAIN
from prosopon_training.painting import noise_field, paint, read_label_heads

SPACINGS = [(1, 1, 1), (1, 1, 2), (2, 2, 2)]

parser = argparse.ArgumentParser()
parser.add_argument("prepared", type=Path)
parser.add_argument("out", type=Path)
parser.add_argument("--split", default="val,test")
parser.add_argument("--contrasts", default="t1w")
parser.add_argument("--draws", type=int, default=4)
args = parser.parse_args()
args.out.mkdir(parents=True, exist_ok=True)
torch.set_num_threads(1)


def means(volume: np.ndarray, by: tuple[int, int, int]) -> np.ndarray:
    """Block means of [z, y, x] by (x, y, z)."""
    kz, ky, kx = reversed(by)
    z, y, x = (n // k * k for n, k in zip(volume.shape, (kz, ky, kx), strict=True))
    blocks = volume[:z, :y, :x].reshape(z // kz, kz, y // ky, ky, x // kx, kx)
    return blocks.mean((1, 3, 5))


number = 0
for split in args.split.split(","):
    for head in read_label_heads(args.prepared, split):
        cropped, depth, brain, low = head.cropped()
        for contrast in args.contrasts.split(","):
            for draw in range(args.draws):
                rng = np.random.default_rng([number, draw])
                number += 1
                image = paint(rng, cropped, depth, 1.0, contrast)
                bias = torch.exp(rng.uniform(0, 0.35) * noise_field(rng, tuple(image.shape), rng.uniform(60, 120)))
                by = SPACINGS[draw % 3]
                values = means((image * bias).numpy(), by)
                noise = rng.uniform(0.01, 0.06)
                real, imaginary = rng.normal(0, noise, (2, *values.shape))
                values = np.hypot(values + real, imaginary)
                mask = means(brain, by) > 0.5
                start = np.eye(4)
                start[:3, 3] = low[::-1]
                step = np.diag([*by, 1.0])
                step[:3, 3] = (np.array(by) - 1) / 2
                turn = np.eye(4)
                turn[:3, :3] = Rotation.from_rotvec(rng.uniform(-0.25, 0.25, 3)).as_matrix()
                turn[:3, 3] = rng.uniform(-30, 30, 3)
                affine = turn @ LABEL_TO_BRAIN @ start @ step
                name = f"{contrast}_{split}_{head.id}_{draw}"
                scan = nib.Nifti1Image(np.round(values.transpose(2, 1, 0) * 700).astype(np.int16), affine)
                nib.save(scan, args.out / f"{name}.nii.gz")
                nib.save(nib.Nifti1Image(mask.transpose(2, 1, 0).astype(np.uint8), affine), args.out / f"{name}_mask.nii.gz")
                print(name, "x".join(map(str, by)), flush=True)
