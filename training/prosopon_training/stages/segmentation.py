"""Segmentation of the whole head's brain at 2 mm, for the ruler: DLMUSE regions of the train split, grouped to 53 classes.

Needs heads of `prosopon prepare --grid native` with ``labels``: their own voxels, because a label map loses several
hundredths of Dice when it is resampled. The network reads the box about the brain with a margin of 16 mm, skull, eyes and
all: that what changes outside the brain may change the result is what it is there to show.

Patches of 96 x 128 x 128 mm, mirrored at random (left and right classes change places). The loss is taken at a sample of
voxels: two in five at a border of two classes, few of the others, which a network of 50 classes learns at once.
"""
from __future__ import annotations

import argparse

import numpy as np
import torch
from torch.nn import functional as F

from ..augment import random_elastic, rotation_matrix, sampling_grid, smooth_field
from ..contract import BRAIN, BYTES_PER_LEVEL, MAX_LEVEL
from ..data import HeadRecord, read_index
from ..device import ask
from ..networks.segmentation import Segmentation
from ..regions import REGIONS, class_dice, label_table, mirrored, tissue_dice
from ..runs import write_settings
from ..single import Loop, train

HELP = "brain regions in whole heads at 2 mm, for the ruler; needs prepared heads of --grid native with labels"
PATCH = (48, 64, 64)
MARGIN = 8
MULTIPLE = 16
# voxels per unit of the position channels
REACH = 50.0
LOOP = Loop(validate_every=250, ema_decay=0.997)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--widths", type=int, nargs=4, default=[8, 32, 64, 96])
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=3e-3)


def brain_box(brain: np.ndarray) -> list[tuple[int, int]]:
    """Per axis [first, end) about the brain with MARGIN voxels, a multiple of MULTIPLE long; may leave the scan."""
    box = []
    for axis in range(3):
        inside = np.flatnonzero(brain.any(tuple(a for a in range(3) if a != axis)))
        low, high = int(inside[0]) - MARGIN, int(inside[-1]) + 1 + MARGIN
        extra = -(high - low) % MULTIPLE
        box.append((low - extra // 2, high + extra - extra // 2))
    return box


def cut(array: np.ndarray, box: list[tuple[int, int]]) -> np.ndarray:
    """The box; zero where it leaves the array."""
    inner = tuple(slice(max(0, a), min(n, b)) for (a, b), n in zip(box, array.shape))
    padding = [(max(0, -a), max(0, b - n)) for (a, b), n in zip(box, array.shape)]
    return np.pad(array[inner], padding)


class Crop:
    """A head cut to its brain box: image (brain level 1), classes, and the brain's centroid in it (z, y, x)."""

    def __init__(self, head: HeadRecord):
        brain = (head.load("flags") & BRAIN) > 0
        box = brain_box(brain)
        self.image = torch.from_numpy(cut(head.load("image"), box))
        self.classes = torch.from_numpy(label_table()[cut(head.load("labels"), box)])
        self.centre = np.array([index.mean() for index in np.nonzero(cut(brain, box))])


def position(shape: tuple[int, int, int], centre: np.ndarray) -> torch.Tensor:
    """[3, z, y, x]: x, y, z from the brain's centroid over REACH."""
    axes = [(torch.arange(n, dtype=torch.float32) - float(c)) / REACH for n, c in zip(shape, centre)]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    return torch.stack([x, y, z])


def borders(classes: torch.Tensor) -> torch.Tensor:
    """True where a neighbour along an axis is of another class; [z, y, x]."""
    out = torch.zeros_like(classes, dtype=torch.bool)
    for axis in range(3):
        n = classes.shape[axis]
        changed = classes.narrow(axis, 1, n - 1) != classes.narrow(axis, 0, n - 1)
        out.narrow(axis, 1, n - 1).logical_or_(changed)
        out.narrow(axis, 0, n - 1).logical_or_(changed)
    return out


MIRRORED = torch.tensor(mirrored())


def make_sample(rng: np.random.Generator, crop: Crop, patch: tuple[int, int, int] = PATCH) -> tuple[torch.Tensor, torch.Tensor]:
    """[4, z, y, x] input and [z, y, x] classes of one augmented patch."""
    start = np.array([rng.integers(0, max(0, n - p) + 1) for n, p in zip(crop.image.shape, patch)])
    centre = crop.centre - start
    if rng.random() < 0.2:
        # another grid than the scan's own: interpolated values, small turns and scales
        matrix = rotation_matrix(rng.normal(0, 0.06, 3)) * np.exp(rng.normal(0, 0.03, 3))
        middle = start + (np.array(patch) - 1) / 2 - (np.array(crop.image.shape) - 1) / 2
        grid = sampling_grid(patch, matrix, middle[::-1].copy() + rng.uniform(-0.5, 0.5, 3), tuple(crop.image.shape),
                             random_elastic(rng, 0.5))
        image = F.grid_sample(crop.image.float()[None, None], grid, align_corners=True)[0, 0]
        classes = F.grid_sample(crop.classes.float()[None, None], grid, mode="nearest", align_corners=True)[0, 0].long()
    else:
        inner = tuple(slice(s, s + p) for s, p in zip(start, patch))
        image, classes = crop.image[inner].float(), crop.classes[inner].long()
        image = F.pad(image, [v for n, p in zip(image.shape[::-1], patch[::-1]) for v in (0, p - n)])
        classes = F.pad(classes, [v for n, p in zip(classes.shape[::-1], patch[::-1]) for v in (0, p - n)])
    image = image / BYTES_PER_LEVEL
    if rng.random() < 0.4:
        image = image * smooth_field(rng, patch, int(rng.integers(2, 4)), rng.uniform(0.02, 0.12))
    if rng.random() < 0.4:
        image = MAX_LEVEL * (image / MAX_LEVEL).clamp(0, 1) ** float(np.exp(rng.normal(0, 0.08)))
    if rng.random() < 0.4:
        image = image + torch.randn(patch) * float(rng.uniform(0.005, 0.05))
    image = image * float(np.exp(rng.normal(0, 0.03)))
    x = torch.cat([image[None], position(patch, centre + rng.normal(0, 1.5, 3))])
    if rng.random() < 0.5:
        x = torch.flip(x, [3])
        x[1] = -x[1]
        classes = MIRRORED[torch.flip(classes, [2])]
    return x, classes


def loss_at(logits: torch.Tensor, classes: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
    """Cross-entropy and soft Dice of the classes that occur; [voxels, classes] and [voxels]."""
    entropy = F.cross_entropy(logits, classes)
    p = torch.softmax(logits, 1)
    truth = F.one_hot(classes, logits.shape[1]).to(p.dtype)
    present = truth.sum(0) > 0
    dice = (2 * (p * truth).sum(0) + 1) / (p.sum(0) + truth.sum(0) + 1)
    return entropy + 1 - dice[present].mean(), {"entropy": float(entropy.detach())}


@torch.no_grad()
def label_crop(model: Segmentation, crop: Crop, both: bool = False) -> np.ndarray:
    x = torch.cat([crop.image.float()[None] / BYTES_PER_LEVEL, position(tuple(crop.image.shape), crop.centre)])[None]
    x = x.contiguous(memory_format=torch.channels_last_3d)
    logits = ask(model, x)
    if both:
        turned = torch.flip(x, [4])
        turned[:, 1] = -turned[:, 1]
        logits = logits + torch.flip(ask(model, turned), [4])[:, MIRRORED]
    return logits.argmax(1)[0].numpy()


def validate_crops(model: Segmentation, crops: list[Crop], both: bool = False) -> dict[str, float]:
    """Mean Dice over heads: of the classes (background left out) and of each tissue arm."""
    found = [(label_crop(model, crop, both), crop.classes.numpy()) for crop in crops]
    classes = np.nanmean([class_dice(a, b)[1:] for a, b in found], 0)
    tissues = [tissue_dice(a, b) for a, b in found]
    return {"val_classes": float(classes.mean()), "val_classes_worst": float(classes.min())} | {
        f"val_{name}": float(np.mean([t[name] for t in tissues])) for name in tissues[0]}


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    crops = [Crop(head) for head in read_index(args.data, "train")]
    val = [Crop(head) for head in read_index(args.data, "val")]
    model = Segmentation(len(REGIONS), tuple(args.widths)).to(memory_format=torch.channels_last_3d)
    out = write_settings(args.out, widths=args.widths)

    def step_loss(_: int) -> tuple[torch.Tensor, dict[str, float]]:
        pairs = [make_sample(rng, crops[rng.integers(len(crops))]) for _ in range(args.batch)]
        x = torch.stack([x for x, _ in pairs]).contiguous(memory_format=torch.channels_last_3d)
        chance = torch.cat([torch.where(borders(c), 0.4, 0.06).reshape(-1) for _, c in pairs])
        voxels = torch.nonzero(torch.rand(chance.shape) < chance)[:, 0]
        classes = torch.cat([c.reshape(-1) for _, c in pairs])[voxels]
        return loss_at(ask(model.sampled, x, voxels), classes)

    train(model, step_loss, lambda ema: validate_crops(ema, val[:6]), out, args, rng, LOOP)
