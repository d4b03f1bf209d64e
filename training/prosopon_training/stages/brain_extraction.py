"""Brain extraction at 2 mm about a brain whose place, turn and size are roughly known (``brain-finder``).

``--data``: heads that ``prosopon prepare --grid native`` wrote, with labels (DLMUSE, closed and filled, is the truth).
``--label-heads``: what ``scripts/prepare-label-heads.mjs`` wrote; painted in random contrasts. The loss is taken at random points
between the crop's voxels against the truth in the head's own voxels, because that is where the product reads it.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .. import device
from ..augment import random_elastic, rotation_matrix
from ..brain_sources import Sample, apply, draw, pick_head, read_linear
from ..contract import BRAIN, BYTES_PER_LEVEL
from ..data import HeadRecord, read_index
from ..device import ask
from ..networks.brain_extraction import BrainExtraction
from ..painting import LabelHead, expected_level, read_label_heads
from ..runs import write_settings
from ..single import Loop, train
from ..spoil import spoil

CROP = (80, 112, 80)
SPACING = 2.0
# Brain frame (x, y, z), mm: where the crop's middle lies. Of 58 IXI brains the lowest reaches 83 mm under the frame's origin and the highest 67 above it.
CENTRE = (0.0, 0.0, -8.0)
LOOP = Loop(validate_every=500)
HELP = "brain mask network at 2 mm; needs native prepared heads with labels (train and val), and label heads"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--label-heads", type=Path, help="folder of scripts/prepare-label-heads.mjs; without it no head is painted")
    parser.add_argument("--painted", type=float, default=0.45, help="share of painted heads")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=2e-3)


def crop_transform(matrix: np.ndarray, shift: np.ndarray, shape: tuple[int, int, int], spacing: float) -> np.ndarray:
    """Crop voxel (x, y, z) to brain frame: about the frame's origin, turned by ``matrix``, moved by ``shift`` (mm)."""
    out = np.eye(4)
    out[:3, :3] = matrix * spacing
    middle = (np.array(shape[::-1]) - 1) / 2
    out[:3, 3] = shift - out[:3, :3] @ middle
    return out


def brain_crop(matrix: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """:func:`crop_transform` of this stage's own crop, about CENTRE."""
    return crop_transform(matrix, shift + matrix @ np.array(CENTRE), CROP, SPACING)


def normalise(image: torch.Tensor, level: float) -> torch.Tensor:
    """Half of the brain's level is 0.25; what is over 4 times it is cut: as at inference."""
    return (image / level).clamp(0, 4) / 2


def make_sample(rng: np.random.Generator, head: HeadRecord | LabelHead) -> tuple[torch.Tensor, Sample]:
    wide = rng.random() < 0.2
    matrix = rotation_matrix(rng.normal(0, 0.35 if wide else 0.1, 3)) * np.exp(rng.normal(0, 0.12 if wide else 0.05)) * np.exp(rng.normal(0, 0.03, 3))
    if rng.random() < 0.5:
        matrix = matrix @ np.diag([-1.0, 1, 1])
    transform = brain_crop(matrix, rng.normal(0, 10 if wide else 4, 3))
    sample = draw(rng, head, CROP, transform, SPACING, random_elastic(rng, rng.uniform(0, 2.0)))
    image, covered = spoil(rng, sample.image, sample.brain, sample.covered, sample.level, SPACING)
    sample.covered = covered
    level = expected_level(image, sample.brain * covered) * float(np.exp(rng.normal(0, 0.12)))
    return normalise(image, level), sample


def point_loss(logits: torch.Tensor, sample: Sample) -> torch.Tensor:
    """Cross-entropy and Dice of logits read at jittered places, inside the field of view. ``logits`` [z, y, x]."""
    size = torch.tensor([logits.shape[2], logits.shape[1], logits.shape[0]], dtype=torch.float32)
    z, y, x = torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in logits.shape], indexing="ij")
    grid = (torch.stack([x, y, z], -1) + sample.jitter) * (2 / (size - 1)) - 1
    read = F.grid_sample(logits[None, None], grid[None], align_corners=True, padding_mode="border")[0, 0]
    inside = sample.covered > 0.5
    read, truth = read[inside], sample.truth[inside].float()
    p = torch.sigmoid(read)
    dice = 1 - (2 * (p * truth).sum() + 1) / (p.sum() + truth.sum() + 1)
    return F.binary_cross_entropy_with_logits(read, truth) + dice


def scores(found: torch.Tensor, truth: torch.Tensor) -> tuple[float, float]:
    """Dice, and the share of the truth that was missed."""
    both = float((found & truth).sum())
    return 2 * both / max(1.0, float(found.sum() + truth.sum())), 1 - both / max(1.0, float(truth.sum()))


THRESHOLDS = (0.0, -1.0, -1.8, -2.0)


@torch.no_grad()
def validate_heads(model: torch.nn.Module, heads: list[HeadRecord], painted: list[LabelHead]) -> dict[str, float]:
    """On val heads: Dice and share missed in the scan's own voxels at three thresholds; on painted val heads likewise, a fixed draw each."""
    found: dict[str, list[tuple[float, float]]] = {}
    for number, head in enumerate(heads):
        rng = np.random.default_rng(number)
        transform = brain_crop(rotation_matrix(rng.normal(0, 0.03, 3)), rng.normal(0, 2, 3))
        flags = torch.from_numpy(head.load("flags"))
        truth = (flags & BRAIN) > 0
        to_brain = head.to_brain
        places = torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in CROP], indexing="ij")[::-1], -1)
        image = read_linear(torch.from_numpy(head.load("image")).float() / BYTES_PER_LEVEL, apply(np.linalg.inv(to_brain) @ transform, places))
        logits = ask(model, normalise(image, 1.0)[None, None])[0, 0].float()
        native = torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in truth.shape], indexing="ij")[::-1], -1)
        back = read_linear(logits + 20, apply(np.linalg.inv(transform) @ to_brain, native)) - 20
        for threshold in THRESHOLDS:
            found.setdefault(f"val{threshold:g}", []).append(scores(back > threshold, truth))
    for number, head in enumerate(painted):
        for contrast in ("t1w", "random"):
            torch.manual_seed(number)
            rng = np.random.default_rng(100 + number)
            sample = draw(rng, head, CROP, brain_crop(rotation_matrix(rng.normal(0, 0.05, 3)), rng.normal(0, 3, 3)), SPACING,
                          random_elastic(rng, 0.5), contrast=contrast)
            logits = ask(model, normalise(sample.image, sample.level)[None, None])[0, 0].float()
            found.setdefault(contrast, []).append(scores(logits > -1, sample.brain > 0.5))
    out: dict[str, float] = {}
    for name, rows in found.items():
        out |= {f"{name}_dice": float(np.mean([r[0] for r in rows])), f"{name}_worst": float(np.min([r[0] for r in rows])),
                f"{name}_missed": float(np.mean([r[1] for r in rows]))}
    return out


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    heads, val = read_index(args.data, "train"), read_index(args.data, "val")
    labels, painted = (read_label_heads(args.label_heads, split) for split in ("train", "val"))
    model = BrainExtraction(args.width)
    place = device.pick()
    out = write_settings(args.out, width=args.width)

    def step_loss(_: int) -> tuple[torch.Tensor, dict[str, float]]:
        rows = [make_sample(rng, pick_head(rng, heads, labels, args.painted))
                for _ in range(args.batch)]
        with torch.autocast(place.type, torch.bfloat16):
            logits = ask(model, torch.stack([image for image, _ in rows])[:, None])
        return torch.stack([point_loss(found[0].float(), sample) for found, (_, sample) in zip(logits, rows)]).mean(), {}

    train(model, step_loss, lambda ema: validate_heads(ema, val, painted), out, args, rng, LOOP)
