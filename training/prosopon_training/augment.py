"""Random changes of heads: geometry (joint for image and masks) and appearance (SynthSeg-style recolouring, bias,
noise, resolution, cropping). All randomness comes from the generator given.
"""
from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional as F


def rotation_matrix(angles: np.ndarray) -> np.ndarray:
    """Rotation by x, y, z angles (radians), applied in that order, in (x, y, z) coordinates."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return rz @ ry @ rx


def sampling_grid(
    shape: tuple[int, int, int], matrix: np.ndarray, shift: np.ndarray, source: tuple[int, int, int],
    elastic: torch.Tensor | None = None,
) -> torch.Tensor:
    """Coordinates for ``grid_sample`` (align_corners): output voxel o (about the output's centre) reads
    matrix @ o + shift (voxels, about the source's centre). Shapes are [z, y, x]; matrix and shift are in x, y, z order.
    ``elastic``: [1, 3, z, y, x] voxel displacements added, any coarse size.
    """
    axes = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in shape]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    m = torch.tensor(matrix, dtype=torch.float32)
    s = torch.tensor(shift, dtype=torch.float32)
    coordinates = [m[r, 0] * x + m[r, 1] * y + m[r, 2] * z + s[r] for r in range(3)]
    if elastic is not None:
        field = F.interpolate(elastic, size=shape, mode="trilinear", align_corners=True)[0]
        coordinates = [c + field[r] for r, c in enumerate(coordinates)]
    sizes = (source[2], source[1], source[0])
    return torch.stack([c * (2 / (n - 1)) for c, n in zip(coordinates, sizes)], -1)[None]


def random_elastic(rng: np.random.Generator, strength: float, cells: int = 5) -> torch.Tensor:
    """Smooth displacement: ``cells``^3 control points of standard deviation ``strength`` voxels."""
    coarse = torch.tensor(rng.normal(0, strength, (1, 3, cells, cells, cells)), dtype=torch.float32)
    return F.interpolate(coarse, size=(17, 17, 17), mode="trilinear", align_corners=True)


def smooth_field(rng: np.random.Generator, shape: tuple[int, int, int], cells: int, strength: float) -> torch.Tensor:
    """exp of a smooth random field, [z, y, x]: a bias field."""
    coarse = torch.tensor(rng.normal(0, strength, (1, 1, cells, cells, cells)), dtype=torch.float32)
    return torch.exp(F.interpolate(coarse, size=shape, mode="trilinear", align_corners=True)[0, 0])


def recolour(rng: np.random.Generator, image: torch.Tensor, classes: torch.Tensor, count: int) -> torch.Tensor:
    """SynthSeg-style: each class gets a random mean and keeps (or inverts) part of its own texture.

    ``image`` and ``classes`` are [z, y, x]; classes are 0..count-1. Values come out around 0..1.
    """
    flat = classes.reshape(-1)
    ones = torch.ones(flat.shape[0])
    n = torch.zeros(count).index_add_(0, flat, ones).clamp(min=1)
    mean = torch.zeros(count).index_add_(0, flat, image.reshape(-1)) / n
    target = torch.tensor(rng.uniform(0.02, 1.0, count), dtype=torch.float32)
    gain = torch.tensor(rng.uniform(-0.6, 1.0, count), dtype=torch.float32)
    out = target[flat] + (image.reshape(-1) - mean[flat]) * gain[flat]
    noise = torch.tensor(rng.uniform(0.0, 0.08, count), dtype=torch.float32)
    out = out + noise[flat] * torch.randn(out.shape[0])
    return out.clamp(min=0).reshape(image.shape)


def degrade(rng: np.random.Generator, image: torch.Tensor) -> torch.Tensor:
    """Thick slices, blur, gain, gamma, bias, noise. ``image`` is [z, y, x], about 0..1; the result too."""
    shape = tuple(image.shape)
    if rng.random() < 0.35:
        axis = int(rng.integers(3))
        factor = rng.uniform(1.3, 3.5)
        low = list(shape)
        low[axis] = max(8, int(shape[axis] / factor))
        volume = F.interpolate(image[None, None], size=tuple(low), mode="area" if rng.random() < 0.5 else "trilinear")
        image = F.interpolate(volume, size=shape, mode="trilinear")[0, 0]
    if rng.random() < 0.5:
        image = image * smooth_field(rng, shape, int(rng.integers(2, 5)), rng.uniform(0.05, 0.35))
    if rng.random() < 0.5:
        peak = image.max().clamp(min=1e-3)
        image = (image / peak) ** math.exp(rng.normal(0, 0.25)) * peak
    if rng.random() < 0.6:
        sigma = rng.uniform(0.005, 0.06)
        a, b = torch.randn(shape) * sigma, torch.randn(shape) * sigma
        image = torch.sqrt((image + a) ** 2 + b**2)
    return image
