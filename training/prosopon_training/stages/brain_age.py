"""Brain age for the ruler: a 3-D ResNet-18 of a fifth of the usual width on whole posed heads at 4 mm, squared error.

Trained on originals of the train split; `prosopon prepare` gave their pose and scale. Its own error is logged beside that of
saying the mean age of the train split to everybody: a network that says the same of each head finds no change either.
"""
from __future__ import annotations

import argparse
import math

import numpy as np
import torch
from torch.nn import functional as F

from ..augment import random_elastic, rotation_matrix, sampling_grid, smooth_field
from ..contract import BYTES_PER_LEVEL, MAX_LEVEL
from ..data import HeadRecord, read_index
from ..device import ask
from ..networks.resnet import BrainAge
from ..runs import write_settings
from ..single import Loop, train

HELP = "age of a whole posed head at 4 mm, for the ruler; needs ages (train and val)"
SIZE = 64
LOOP = Loop(weight_decay=5e-2, validate_every=50, ema_decay=0.98)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--width", type=int, default=12)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=1e-3)


def with_age(heads: list[HeadRecord]) -> list[HeadRecord]:
    kept = [head for head in heads if math.isfinite(head.age)]
    if not kept:
        raise SystemExit("no head of the split has an age")
    return kept


def reduced(head: HeadRecord) -> torch.Tensor:
    """[64, 64, 64] at 4 mm, 1 = the brain's median."""
    image = torch.from_numpy(head.load("image")).float()[None, None] / BYTES_PER_LEVEL
    return F.avg_pool3d(image, 2)[0, 0]


def make_sample(rng: np.random.Generator, image: torch.Tensor) -> torch.Tensor:
    """One augmented head, [1, z, y, x]: pose errors, sides exchanged, contrast, bias, noise, a lower cut of the scan.

    Each change is left out in about half of the heads. With noise and interpolation in all of them, untouched heads
    were judged 15 years too old.
    """
    shape = tuple(image.shape)
    out = torch.flip(image, [2]) if rng.random() < 0.5 else image
    if rng.random() < 0.5:
        matrix = rotation_matrix(rng.normal(0, 0.07, 3)) * np.exp(rng.normal(0, 0.03))
        grid = sampling_grid(shape, matrix, rng.normal(0, 0.8, 3), shape, random_elastic(rng, 0.4))
        out = F.grid_sample(out[None, None], grid, align_corners=True)[0, 0]
    else:
        out = torch.roll(out, tuple(int(v) for v in rng.integers(-1, 2, 3)), (0, 1, 2))
    if rng.random() < 0.4:
        out = out * smooth_field(rng, shape, 3, 0.06)
    if rng.random() < 0.5:
        out = MAX_LEVEL * (out / MAX_LEVEL).clamp(0, 1) ** float(np.exp(rng.normal(0, 0.06)))
    if rng.random() < 0.4:
        out = out + torch.randn(shape) * float(rng.uniform(0, 0.04))
    if rng.random() < 0.3:
        cut = int(rng.integers(1, 12))
        out = torch.cat([torch.zeros_like(out[:cut]), out[cut:]])
    return out[None]


@torch.no_grad()
def errors(model: BrainAge, heads: list[HeadRecord], mean: float) -> dict[str, float]:
    """Mean absolute error in years, plain and mirrored looks averaged, and that of the mean age."""
    ages = np.array([head.age for head in heads])
    found = []
    for head in heads:
        image = reduced(head)[None, None]
        found.append(float((ask(model, image) + ask(model, torch.flip(image, [4]))) / 2))
    return {"val_mae": float(np.abs(np.array(found) - ages).mean()), "val_bias": float((np.array(found) - ages).mean()),
            "val_mae_of_mean_age": float(np.abs(mean - ages).mean())}


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    heads, val = with_age(read_index(args.data, "train")), with_age(read_index(args.data, "val"))
    ages = np.array([head.age for head in heads])
    mean, deviation = float(ages.mean()), float(ages.std()) or 1.0
    images = [reduced(head) for head in heads]
    model = BrainAge(args.width, mean, deviation).to(memory_format=torch.channels_last_3d)
    out = write_settings(args.out, width=args.width, heads=len(heads))

    def step_loss(_: int) -> tuple[torch.Tensor, dict[str, float]]:
        chosen = rng.permutation(len(heads))[: args.batch]
        x = torch.stack([make_sample(rng, images[i]) for i in chosen]).contiguous(memory_format=torch.channels_last_3d)
        wanted = torch.tensor((ages[chosen] - mean) / deviation, dtype=torch.float32)
        loss = F.mse_loss(ask(model.standardised, x)[:, 0], wanted)
        return loss, {"rmse_years": float(loss.detach()) ** 0.5 * deviation}

    train(model, step_loss, lambda ema: errors(ema, val, mean), out, args, rng, LOOP)
