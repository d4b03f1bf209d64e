"""Texture decoder at 1 mm: from a head smoothed inside its tissue to the fine part that the smoothing took away.

Needs heads prepared at 256 (``prosopon prepare --resolution 256``); few are enough, as it learns from patches of 64^3. Without
val heads in ``--data`` the front 12 % of each head (nose, lips, brow) are kept out of training and validated on.
The fine part is taken as Gaussian around the network's mean: the loss is its likelihood. Smoothing is random (1.0 to 2.4 mm), and a
third of the patches are resampled by a smooth field first, as the learned head is.
"""
from __future__ import annotations

import argparse

import numpy as np
import torch
from torch.nn import functional as F

from ..contract import BRAIN, BYTES_PER_LEVEL, COVERED, HEAD
from ..data import HeadRecord, read_index
from ..device import ask
from ..networks.blocks import depth_to_space, space_to_depth
from ..networks.texture import Texture
from ..runs import write_settings
from ..single import Loop, train

HELP = "texture decoder at 1 mm; needs heads prepared at 256"
PATCH = 64
MARGIN = 8
BATCH = 4
LOOP = Loop(validate_every=100)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--learning-rate", type=float, default=3e-3)


def gaussian(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """Separable, [n, c, z, y, x], voxels; edges replicated."""
    radius = max(1, int(np.ceil(3 * sigma)))
    t = torch.arange(-radius, radius + 1, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (t / sigma) ** 2)
    kernel = kernel / kernel.sum()
    n, c = x.shape[:2]
    for axis in range(3):
        shape = [1, 1, 1, 1, 1]
        shape[2 + axis] = -1
        pad = [0, 0, 0, 0, 0, 0]
        pad[2 * (2 - axis)] = pad[2 * (2 - axis) + 1] = radius
        x = F.conv3d(F.pad(x.reshape(n * c, 1, *x.shape[2:]), pad, mode="replicate"), kernel.reshape(shape)).reshape(n, c, *x.shape[2:])
    return x


def smooth_inside(image: torch.Tensor, tissue: torch.Tensor, sigma: float) -> torch.Tensor:
    """Smoothed over tissue alone: skin stays as sharp as in the learned head, 0 outside."""
    return tissue * gaussian(image * tissue, sigma) / gaussian(tissue, sigma).clamp(min=0.05)


class TextureHead:
    """One head at 1 mm: image (brain levels), filled head, where to learn from."""

    def __init__(self, record: HeadRecord):
        flags = record.load("flags")
        self.image = torch.from_numpy(record.load("image").astype(np.float32) / BYTES_PER_LEVEL)
        self.tissue = torch.from_numpy(((flags & HEAD) > 0).astype(np.float32))
        good = (flags & (HEAD | COVERED)) == (HEAD | COVERED)
        good &= (flags & BRAIN) == 0
        self.good = torch.from_numpy(good.astype(np.float32))
        rows = np.nonzero(good.any(axis=(0, 2)))[0]
        # front of the head: y grows to the front
        self.cut = int(rows[-1] - 0.12 * (rows[-1] - rows[0]))
        self.centres = {"train": self._centres(good, slice(None, self.cut - MARGIN)), "val": self._centres(good, slice(self.cut, None))}

    @staticmethod
    def _centres(good: np.ndarray, rows: slice) -> np.ndarray:
        kept = np.zeros_like(good)
        kept[:, rows] = good[:, rows]
        return np.argwhere(kept)[::97]

    def patch(self, rng: np.random.Generator, part: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        centre = self.centres[part][int(rng.integers(len(self.centres[part])))]
        start = [int(np.clip(c - PATCH // 2, 0, n - PATCH)) for c, n in zip(centre, self.image.shape)]
        box = tuple(slice(s, s + PATCH) for s in start)
        good = self.good[box].clone()
        edge = self.cut - start[1]
        if part == "train":
            good[:, max(0, edge - MARGIN):] = 0
        else:
            good[:, : max(0, edge)] = 0
        return self.image[box], self.tissue[box], good


def make_batch(rng: np.random.Generator, heads: list[TextureHead], part: str, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Smooth input, fine part, weight; [n, 1, 64, 64, 64] each."""
    inputs, targets, weights = [], [], []
    for _ in range(count):
        image, tissue, good = heads[int(rng.integers(len(heads)))].patch(rng, part)
        axes = [axis for axis in range(3) if rng.random() < (0.5 if axis == 2 else 0.0)]  # left and right only
        image, tissue, good = (torch.flip(t, axes)[None, None] for t in (image, tissue, good))
        image = image * float(np.exp(rng.normal(0, 0.1)))
        smooth = smooth_inside(image, tissue, rng.uniform(1.0, 2.4))
        inputs.append(smooth)
        targets.append((image - smooth) * tissue)
        weights.append(good)
    return torch.cat(inputs), torch.cat(targets), torch.cat(weights)


def likelihood(model: Texture, smooth: torch.Tensor, fine: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
    """Mean negative log likelihood of the fine part; beside it the share of its variance that the mean explains."""
    mean, log_spread = ask(model, smooth)
    truth, w = space_to_depth(fine), space_to_depth(weight)
    total = w.sum().clamp(min=1)
    error = truth - mean
    # Half of the weight on plain squares: the likelihood alone stops looking at the mean where the spread is large.
    nll = (w * (0.5 * (error / torch.exp(log_spread)) ** 2 + log_spread)).sum() / total
    squares = (w * error**2).sum() / total
    explained = 1 - float(squares.detach()) / float((w * truth**2).sum() / total + 1e-9)
    return nll + 20 * squares, {"nll": float(nll.detach()), "explained": explained}


@torch.no_grad()
def correlation(model: Texture, heads: list[TextureHead], count: int = 24) -> list[float]:
    """Correlation of the standardised fine part with itself 1, 2 and 3 mm on: what the drawn noise should have."""
    rng = np.random.default_rng(5)
    sums = np.zeros(4)
    for _ in range(count):
        smooth, fine, weight = make_batch(rng, heads, "train", 1)
        mean, log_spread = ask(model, smooth)
        r = ((fine - depth_to_space(mean)) / torch.exp(depth_to_space(log_spread)) * weight)[0, 0]
        sums[0] += float((r * r).sum()) * 3
        for lag in (1, 2, 3):
            for axis in range(3):
                sums[lag] += float((r.narrow(axis, lag, PATCH - lag) * r.narrow(axis, 0, PATCH - lag)).sum())
    return [round(float(s / sums[0]), 4) for s in sums[1:]]


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    heads = [TextureHead(record) for record in read_index(args.data, "train")]
    model = Texture(args.width)
    out = write_settings(args.out, width=args.width)
    fixed = [make_batch(np.random.default_rng(77 + i), heads, "val", BATCH) for i in range(6)]
    pool = [make_batch(rng, heads, "train", BATCH) for _ in range(12)]

    def step_loss(step: int) -> tuple[torch.Tensor, dict[str, float]]:
        if step % 2 == 0:
            pool[int(rng.integers(len(pool)))] = make_batch(rng, heads, "train", BATCH)
        return likelihood(model, *pool[int(rng.integers(len(pool)))])

    def validate(ema: Texture) -> dict[str, float]:
        figures = [likelihood(ema, *batch)[1] for batch in fixed]
        return {f"val_{key}": float(np.mean([f[key] for f in figures])) for key in figures[0]}

    ema = train(model, step_loss, validate, out, args, rng, LOOP)
    settings = {"width": args.width, "correlation": correlation(ema, heads)}
    write_settings(out, **settings)
    print(settings, flush=True)
