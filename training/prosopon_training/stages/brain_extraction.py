"""Brain extraction: DLMUSE masks (closed and filled) of the train split, with random pose, contrast and quality.

Needs ``labels`` beside ``image`` and ``flags``. Half of the batches keep the real contrast, half are recoloured by
labels and complement intensity classes (SynthSeg, Billot 2023), so that other contrasts get a mask too.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from ..augment import degrade, random_elastic, recolour, rotation_matrix, sampling_grid
from ..data import BRAIN, COVERED, HeadRecord, read_index
from ..loop import train
from ..networks.brain_extraction import BrainExtraction

CROP = (96, 112, 96)
# the crop about the brain's centre in the prepared cube (which stands 11 voxels before and 15 below it)
CENTRED = (slice(30, 126), slice(0, 112), slice(16, 112))
HELP = "brain mask network at 2 mm; needs prepared heads with labels (train and val)"
GROUPS = 9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--recolour", type=float, default=0.5, help="share of heads in a random contrast")
    parser.add_argument("--learning-rate", type=float, default=2e-3)


def label_groups(labels: np.ndarray) -> torch.Tensor:
    """DLMUSE indices to a few groups that get a grey value of their own: CSF, deep, lobar grey, white, cerebellum."""
    table = np.full(256, 4, np.int64)
    table[0] = 0
    table[[1, 4, 11, 46, 49, 50, 51, 52]] = 1
    table[[23, 30, 31, 32, 36, 37, 47, 48, 55, 56, 57, 58, 59, 60]] = 2
    table[[35, 61, 62]] = 3
    table[[38, 39, 71, 72, 73]] = 5
    table[[40, 41]] = 6
    table[[44, 45]] = 7
    table[81:96] = 8
    return torch.from_numpy(table[labels])


def percentile_scale(image: torch.Tensor) -> torch.Tensor:
    """Divides by the 99th percentile: the same normalisation as at inference."""
    sample = image.reshape(-1)[:: 7]
    return image / torch.quantile(sample, 0.99).clamp(min=1e-6)


def make_sample(rng: np.random.Generator, head: HeadRecord, crop: tuple[int, int, int] = CROP, recoloured: float = 0.5) -> tuple[torch.Tensor, torch.Tensor]:
    """One augmented image and its mask, both [1, z, y, x]."""
    image = torch.from_numpy(head.load("image")).float() / 100
    flags = torch.from_numpy(head.load("flags"))
    wide = rng.random() < 0.25
    angles = rng.normal(0, 0.5 if wide else 0.2, 3)
    scale = np.exp(rng.normal(0, 0.07)) * np.exp(rng.normal(0, 0.04, 3))
    matrix = rotation_matrix(angles) * scale
    if rng.random() < 0.5:
        matrix = matrix @ np.diag([-1.0, 1, 1])
    # the brain's centre stands 11 voxels behind and 15 above the cube's centre
    shift = np.array([0, -11, 15.0]) + rng.normal(0, 9, 3)
    grid = sampling_grid(crop, matrix, shift, (128, 128, 128), random_elastic(rng, 1.5))
    mask = F.grid_sample((flags & BRAIN).float()[None, None], grid, align_corners=True)[0, 0]
    source = image[None, None]
    out = F.grid_sample(source, grid, align_corners=True)[0, 0]
    if rng.random() < recoloured:
        labels = label_groups(head.load("labels")).float()[None, None]
        groups = F.grid_sample(labels, grid, mode="nearest", align_corners=True)[0, 0].long()
        edges = torch.tensor(np.sort(rng.uniform(0.12, 1.8, 5)), dtype=torch.float32)
        outside = torch.bucketize(out, edges) + GROUPS
        groups = torch.where(groups > 0, groups, outside)
        air = out < 0.12
        level = out.clone()
        out = recolour(rng, out, groups, GROUPS + 6)
        out = torch.where(air & (groups >= GROUPS), level * float(rng.uniform(0, 1)), out)
    out = degrade(rng, out)
    for _ in range(int(rng.random() < 0.4) + int(rng.random() < 0.2)):
        axis, size = int(rng.integers(3)), int(rng.integers(4, 28))
        sides = [slice(None)] * 3
        sides[axis] = slice(0, size) if rng.random() < 0.5 else slice(-size, None)
        out[tuple(sides)] = 0
        mask[tuple(sides)] = 0
    return percentile_scale(out)[None], mask[None]


def dice_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    p = torch.sigmoid(logits)
    return 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)


@torch.no_grad()
def validate_heads(model: torch.nn.Module, heads: list[HeadRecord]) -> dict[str, float]:
    scores = []
    for head in heads:
        image = torch.from_numpy(head.load("image")).float()
        truth = torch.from_numpy(head.load("flags")) & BRAIN
        image, truth = image[CENTRED], truth[CENTRED]
        found = model(percentile_scale(image)[None, None])[0, 0] > 0
        scores.append(float(2 * (found & (truth > 0)).sum() / (found.sum() + truth.sum())))
    return {"val_dice": float(np.mean(scores)), "val_dice_worst": float(np.min(scores))}


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    heads, val = read_index(args.data, "train"), read_index(args.data, "val")
    model = BrainExtraction(args.width).to(memory_format=torch.channels_last_3d)
    (Path(args.out)).mkdir(parents=True, exist_ok=True)
    (Path(args.out) / "settings.json").write_text(json.dumps({"width": args.width}))

    def step_loss(_: int) -> tuple[torch.Tensor, dict[str, float]]:
        image, mask = make_sample(rng, heads[rng.integers(len(heads))], recoloured=args.recolour)
        logits = model(image[None].contiguous(memory_format=torch.channels_last_3d))
        loss = F.binary_cross_entropy_with_logits(logits, mask[None]) + dice_loss(logits, mask[None])
        return loss, {}

    train(model, step_loss, lambda ema: validate_heads(ema, val[:6]), Path(args.out), minutes=args.minutes, steps=args.steps,
          learning_rate=args.learning_rate, validate_every=200, initial=args.initial)
