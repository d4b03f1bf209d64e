"""Where brain extraction learns: real heads in their own voxels and heads painted from labels, both sampled on a crop that is turned,
scaled and bent at random. The truth is asked for at points, not resampled: the loss then sees what the product does, which reads
logits between voxels onto the scan's own grid.

    sample = draw(rng, head, shape, transform, spacing, elastic)
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from .augment import recolour
from .contract import BRAIN, BYTES_PER_LEVEL
from .data import HeadRecord, model_to_brain
from .painting import LAST_BRAIN, LabelHead, expected_level, paint
from .spoil import brighten_fat

LABEL_TO_BRAIN = model_to_brain(256)
GROUPS = 9


@dataclass
class Sample:
    """All [z, y, x] of the crop but ``positions``."""

    image: torch.Tensor
    brain: torch.Tensor
    """Fraction of brain, 0 to 1."""
    covered: torch.Tensor
    level: float
    millimetres: torch.Tensor
    """[z, y, x, 3]: where each voxel lies in the head's own brain frame (x, y, z)."""
    truth: torch.Tensor
    """1 = brain, at each voxel's place moved by ``jitter``."""
    jitter: torch.Tensor
    """[z, y, x, 3] in voxels (x, y, z)."""


def apply(matrix: np.ndarray, points: torch.Tensor) -> torch.Tensor:
    m = torch.tensor(matrix, dtype=torch.float32)
    return points @ m[:3, :3].T + m[:3, 3]


def voxel_places(shape: tuple[int, int, int], step: float = 1.0) -> torch.Tensor:
    """[z, y, x, 3]: positions in voxels (x, y, z), ``step`` apart, about the same middle."""
    axes = [torch.arange(int(round(n / step)), dtype=torch.float32) * step + (step - 1) / 2 for n in shape]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    return torch.stack([x, y, z], -1)


def bend(places: torch.Tensor, elastic: torch.Tensor) -> torch.Tensor:
    """Adds a coarse displacement [1, 3, c, c, c] that spans the crop."""
    shape = places.shape[:3]
    field = F.interpolate(elastic, size=shape, mode="trilinear", align_corners=True)[0]
    return places + field.permute(1, 2, 3, 0)


def read_linear(volume: torch.Tensor, voxels: torch.Tensor) -> torch.Tensor:
    """``volume`` [z, y, x] at ``voxels`` [..., 3] (x, y, z); 0 outside."""
    size = torch.tensor([volume.shape[2], volume.shape[1], volume.shape[0]], dtype=torch.float32)
    grid = voxels * (2 / (size - 1)) - 1
    return F.grid_sample(volume[None, None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=True)[0, 0]


def nearest_index(shape: tuple[int, int, int], voxels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Flat index into an array of ``shape`` [z, y, x] of the voxel nearest to each of ``voxels`` [..., 3], and whether it lies inside."""
    flat, inside = None, None
    for axis, stride in ((0, 1), (1, shape[2]), (2, shape[2] * shape[1])):
        last = shape[2 - axis] - 1
        place = voxels[..., axis].round()
        here = (place >= 0) & (place <= last)
        step = place.clamp_(0, last).to(torch.int32).mul_(stride)
        flat = step if flat is None else flat.add_(step)
        inside = here if inside is None else inside.logical_and_(here)
    return flat, inside


def take(volume: torch.Tensor, index: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """``volume`` at :func:`nearest_index`; 0 outside."""
    flat, inside = index
    return volume.reshape(-1).index_select(0, flat.reshape(-1)).reshape(flat.shape) * inside.to(volume.dtype)


def read_nearest(volume: torch.Tensor, voxels: torch.Tensor) -> torch.Tensor:
    """As :func:`read_linear`, nearest neighbour and any type."""
    return take(volume, nearest_index(tuple(volume.shape), voxels))


def pick_head(rng: np.random.Generator, heads: list[HeadRecord], labels: list[LabelHead], painted: float) -> HeadRecord | LabelHead:
    """A real head, or, in a share ``painted`` of the draws where there are any, one to be painted."""
    pool = labels if labels and rng.random() < painted else heads
    return pool[rng.integers(len(pool))]


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


def real_image(rng: np.random.Generator, head: HeadRecord, voxels: torch.Tensor, brain: torch.Tensor, recoloured: float) -> torch.Tensor:
    """Of a head in its own voxels, in its own contrast, with other fat, or recoloured by its labels."""
    image = read_linear(torch.from_numpy(head.load("image")).float() / BYTES_PER_LEVEL, voxels)
    chance = rng.random()
    if chance < recoloured:
        groups = read_nearest(label_groups(head.load("labels")), voxels)
        edges = torch.tensor(np.sort(rng.uniform(0.12, 1.8, 5)), dtype=torch.float32)
        groups = torch.where(groups > 0, groups, torch.bucketize(image, edges) + GROUPS)
        air = (image < 0.12) & (groups >= GROUPS)
        out = recolour(rng, image, groups, GROUPS + 6)
        return torch.where(air, image * float(rng.uniform(0, 1)), out)
    if chance < recoloured + 0.55 * (1 - recoloured):
        return brighten_fat(rng, image, brain, 1.0)
    return image


def draw(rng: np.random.Generator, head: HeadRecord | LabelHead, shape: tuple[int, int, int], transform: np.ndarray, spacing: float,
         elastic: torch.Tensor, recoloured: float = 0.35, fine: float = 0.5, contrast: str | None = None) -> Sample:
    """``transform``: crop voxel (x, y, z) to the brain frame (mm). ``fine``: painted heads (and, below 2 mm of ``spacing`` times it,
    real ones) are drawn on a grid so much finer and averaged, which is what a scanner does."""
    places = bend(voxel_places(shape), elastic)
    jitter = (torch.rand((*shape, 3)) - 0.5) * 0.98
    linear = torch.tensor(transform[:3, :3], dtype=torch.float32)
    millimetres = apply(transform, places)
    moved = millimetres + jitter @ linear.T
    if isinstance(head, LabelHead) and spacing < 3 and rng.random() < 0.5:
        fine = 1.0  # eight times cheaper, and edges are as hard as thin slices make them
    factor = int(round(1 / fine))
    if isinstance(head, LabelHead):
        inverse = np.linalg.inv(LABEL_TO_BRAIN)
        voxels = apply(inverse @ transform, bend(voxel_places(shape, fine), elastic))
        index = nearest_index((256, 256, 256), voxels)
        classes = take(torch.from_numpy(head.load("classes")), index).to(torch.int32)
        depth = take(torch.from_numpy(head.load("depth")), index).float()
        mask = torch.from_numpy(head.load("brain"))
        image = F.avg_pool3d(paint(rng, classes, depth, spacing * fine, contrast)[None, None], factor)[0, 0]
        truth = read_nearest(mask, apply(inverse, moved))
        brain = F.avg_pool3d(((classes > 0) & (classes <= LAST_BRAIN)).float()[None, None], factor)[0, 0]
        brain = torch.maximum(brain, read_nearest(mask, apply(inverse, millimetres)).float())
        covered = torch.ones(shape)
    else:
        inverse = np.linalg.inv(head.to_brain)
        flags = torch.from_numpy(head.load("flags"))
        mask = (flags & BRAIN).float()
        brain = read_linear(mask, apply(inverse, millimetres))
        if spacing > 3:
            voxels = apply(inverse @ transform, bend(voxel_places(shape, fine), elastic))
            soft = F.interpolate(brain[None, None], scale_factor=factor)[0, 0]
            image = F.avg_pool3d(real_image(rng, head, voxels, soft, recoloured)[None, None], factor)[0, 0]
        else:
            image = real_image(rng, head, apply(inverse, millimetres), brain, recoloured)
        truth = read_nearest(mask, apply(inverse, moved)).to(torch.uint8)
        covered = read_nearest(torch.ones_like(mask), apply(inverse, millimetres))
    return Sample(image, brain, covered, expected_level(image, brain), millimetres, truth, jitter)
