"""VQ-VAE of the complement (e2, d2 and the learned template): everything that is not brain, into 8 x 8 x 6 codes.

15 % of the heads lose all their codes in training and 40 % some of them (a null code), so that the decoder knows what
a brain alone says and any part of the codes can come from a draw. Loss: L1 + 2 L2 + gradients, inside the scan's field
of view, the brain's own voxels weighing little; the face weighs double.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from ..augment import random_elastic, rotation_matrix, sampling_grid
from ..data import BRAIN, COVERED, HEAD, HeadRecord, read_index
from ..loop import train
from ..networks.complement import SITES, ComplementVqVae

HELP = "VQ-VAE of the complement; needs prepared heads (train and val)"
# two heads: PyTorch runs small convolutions of a batch of one without oneDNN, at a third of the speed
BATCH = 2
TRIM = slice(16, 112)
SHAPE = (128, 128, 96)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--full-share", type=float, default=0.25, help="share of steps whose loss is at 2 mm")


def load_head(head: HeadRecord) -> tuple[torch.Tensor, torch.Tensor]:
    """Image (brain = 1, air zeroed) and flags, [128, 128, 96]."""
    flags = torch.from_numpy(np.ascontiguousarray(head.load("flags")[:, :, TRIM]))
    image = torch.from_numpy(np.ascontiguousarray(head.load("image")[:, :, TRIM])).float() / 100
    return image * ((flags & HEAD) > 0), flags


def make_sample(rng: np.random.Generator, head: HeadRecord, strength: float = 1.0) -> dict[str, torch.Tensor]:
    """One head, mirrored and deformed with its brain, as the tensors of the networks (batch of one)."""
    image, flags = load_head(head)
    if strength > 0:
        matrix = rotation_matrix(rng.normal(0, 0.03 * strength, 3)) * np.exp(rng.normal(0, 0.03 * strength, 3))
        if rng.random() < 0.5:
            matrix = matrix @ np.diag([-1.0, 1, 1])
        grid = sampling_grid(SHAPE, matrix, rng.normal(0, 0.7 * strength, 3), SHAPE, random_elastic(rng, 1.2 * strength, 6))
        stack = torch.stack([image, ((flags & BRAIN) > 0).float(), ((flags & COVERED) > 0).float()])[None]
        image, brain, covered = F.grid_sample(stack, grid, align_corners=True)[0]
        brain, covered = (brain > 0.5).float(), (covered > 0.95).float()
        image = image * float(np.exp(rng.normal(0, 0.03)))
    else:
        brain, covered = ((flags & BRAIN) > 0).float(), ((flags & COVERED) > 0).float()
    return tensors(image, brain, covered)


def tensors(image: torch.Tensor, brain: torch.Tensor, covered: torch.Tensor) -> dict[str, torch.Tensor]:
    image, brain, covered = (v[None, None] for v in (image, brain, covered))
    pooled = F.avg_pool3d(brain, 2)
    return {
        "image": image, "brain": brain, "covered": covered,
        "complement": image * (1 - brain) * covered,
        "brain4": torch.cat([pooled, F.avg_pool3d(image * brain, 2)], 1),
        "hole4": pooled, "covered4": F.avg_pool3d(covered, 2),
    }


def random_keep(rng: np.random.Generator, count: int) -> torch.Tensor:
    rows = []
    for _ in range(count):
        r = rng.random()
        shape = (1, 1, *SITES)
        rows.append(torch.zeros(shape) if r < 0.15 else torch.ones(shape) if r > 0.55
                    else (torch.rand(shape) > rng.uniform(0, 1)).float())
    return torch.cat(rows)


def loss_weight(brain: torch.Tensor, covered: torch.Tensor) -> torch.Tensor:
    """Brain 0.15, else 1, the face (front, below the brow) doubled, nothing outside the field of view."""
    weight = covered * (1 - 0.85 * brain)
    d, h, _ = brain.shape[2:]
    weight = weight.clone()
    weight[:, :, d // 5 : (3 * d) // 5, h // 2 :] *= 2
    return weight


def head_loss(found: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    difference = found - truth
    loss = (weight * (difference.abs() + 2 * difference**2)).sum()
    for axis in (2, 3, 4):
        size = found.shape[axis] - 1
        slope = (difference.narrow(axis, 1, size) - difference.narrow(axis, 0, size)).abs()
        loss = loss + 0.4 * (slope * weight.narrow(axis, 0, size)).sum()
    return loss / weight.sum()


def smoothness(field: torch.Tensor) -> torch.Tensor:
    return sum((field.diff(dim=axis) ** 2).mean() for axis in (2, 3, 4))


@torch.no_grad()
def validate_heads(model: ComplementVqVae, heads: list[HeadRecord]) -> dict[str, float]:
    own, none, codes = [], [], []
    for head in heads:
        s = make_sample(np.random.default_rng(0), head, 0)
        q = model.encoder(s["complement"], s["hole4"], s["covered4"])
        codes.append(model.encoder.fsq.indices(q))
        inside = ((s["image"] > 0) & (s["brain"] == 0) & (s["covered"] > 0)).float()
        for keep, scores in ((1.0, own), (0.0, none)):
            found = model.render(*model.decoder(q, torch.full((1, 1, *SITES), keep), s["brain4"]), True)
            error = (inside * (found - s["image"]) ** 2).sum() / inside.sum()
            scores.append(float(10 * torch.log10(4 / error)))
    counts = torch.bincount(torch.cat(codes).reshape(-1), minlength=model.encoder.fsq.size).float()
    p = counts / counts.sum()
    return {"val_psnr": float(np.mean(own)), "val_psnr_null": float(np.mean(none)),
            "perplexity": float(torch.exp(-(p * (p + 1e-9).log()).sum()))}


def initial_template(heads: list[HeadRecord]) -> torch.Tensor:
    total, count = torch.zeros(SHAPE), torch.full(SHAPE, 1e-3)
    for head in heads:
        image, flags = load_head(head)
        seen = ((flags & COVERED) > 0).float()
        total += (image + image.flip(2)) * seen / 2
        count += seen
    return (total / count)[None, None]


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    heads, val = read_index(args.data, "train"), read_index(args.data, "val")
    model = ComplementVqVae(args.width)
    model.template.volume.data.copy_(initial_template(heads))
    model = model.to(memory_format=torch.channels_last_3d)
    Path(args.out).mkdir(parents=True, exist_ok=True)
    (Path(args.out) / "settings.json").write_text(json.dumps({"width": args.width}))

    def step_loss(step: int) -> tuple[torch.Tensor, dict[str, float]]:
        samples = [make_sample(rng, heads[rng.integers(len(heads))]) for _ in range(BATCH)]
        s = {key: torch.cat([sample[key] for sample in samples]) for key in samples[0]}
        q = model.encoder(s["complement"], s["hole4"], s["covered4"])
        displacement, gain = model.decoder(q, random_keep(rng, BATCH), s["brain4"])
        full = rng.random() < args.full_share and step > 100
        found = model.render(displacement, gain, full)
        if full:
            truth, brain, covered = s["image"], s["brain"], s["covered"]
        else:
            truth, brain, covered = (F.avg_pool3d(s[k], 2) for k in ("image", "brain", "covered"))
            covered = (covered > 0.99).float()
        data = head_loss(found, truth, loss_weight(brain, covered))
        rough = smoothness(displacement)
        rough_gain = smoothness(gain)
        return data + 60 * rough + 0.5 * rough_gain, {"data_full" if full else "data": float(data.detach()), "rough": float(rough.detach())}

    groups = [
        {"params": [p for n, p in model.named_parameters() if not n.startswith("template")], "lr": args.learning_rate},
        {"params": [model.template.volume], "lr": 4e-3, "weight_decay": 0.0},
    ]
    train(model, step_loss, lambda ema: validate_heads(ema, val[:6]), Path(args.out), minutes=args.minutes, steps=args.steps,
          learning_rate=args.learning_rate, groups=groups, validate_every=100, warm_up=60, initial=args.initial)
