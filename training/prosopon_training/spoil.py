"""What real scans have and clean ones lack: cavities, bright or suppressed fat, salt-and-pepper air, folded-over noses, ghosts, steep bias,
sides that are cut. Everything takes and gives [z, y, x] of any level with air at about 0; the mask of the brain is never changed but by a cut.

    image, covered = spoil(rng, image, brain, spacing)
"""
from __future__ import annotations

import numpy as np
import torch

from .augment import degrade, smooth_field
from .painting import noise_field


def ellipsoid(rng: np.random.Generator, shape: tuple[int, ...], centre: np.ndarray, radii: np.ndarray) -> torch.Tensor:
    """1 inside, a ragged edge. ``centre`` and ``radii`` in voxels, z, y, x."""
    axes = [torch.arange(n, dtype=torch.float32) for n in shape]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    r = ((z - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 + ((x - centre[2]) / radii[2]) ** 2
    return (r + 0.25 * noise_field(rng, shape, 8)) < 1


def lesion(rng: np.random.Generator, image: torch.Tensor, brain: torch.Tensor, level: float, spacing: float) -> torch.Tensor:
    """A cavity as dark as air, or a bright tumour, somewhere in the brain; a large one in one of three."""
    inside = torch.nonzero(brain > 0.5)
    if len(inside) == 0:
        return image
    centre = inside[int(rng.integers(len(inside)))].numpy().astype(float)
    big = rng.random() < 0.35
    radii = rng.uniform(15, 40, 3) / spacing if big else rng.uniform(4, 15, 3) / spacing
    where = ellipsoid(rng, tuple(image.shape), centre, radii) & (brain > 0.5)
    value = level * (rng.uniform(0, 0.3) if rng.random() < 0.6 else rng.uniform(0.3, 2.5))
    out = image.clone()
    out[where] = value * (1 + 0.05 * torch.randn(int(where.sum())))
    return out


def brighten_fat(rng: np.random.Generator, image: torch.Tensor, brain: torch.Tensor, level: float) -> torch.Tensor:
    """Tissue outside the brain that is brighter than muscle gets up to 3 times as bright, or is suppressed."""
    threshold = level * rng.uniform(0.6, 1.0)
    factor = rng.uniform(1.2, 3.2) if rng.random() < 0.75 else rng.uniform(0.1, 0.7)
    above = (image - threshold).clamp(min=0)
    changed = torch.minimum(image, torch.tensor(threshold)) + above * factor * rng.uniform(1.0, 1.8)
    if factor < 1:
        changed = image * (1 - (1 - factor) * (above > 0).float())
    return torch.where(brain > 0.3, image, changed)


def noisy_air(rng: np.random.Generator, image: torch.Tensor, level: float) -> torch.Tensor:
    """MP2RAGE's salt and pepper: where there is no signal, anything."""
    seed = torch.Generator().manual_seed(int(rng.integers(2**31)))
    noise = torch.rand(image.shape, generator=seed) * level * rng.uniform(0.8, 3.0)
    if rng.random() < 0.5:
        noise = torch.maximum(noise, torch.rand(image.shape, generator=seed) * level)
    return torch.where(image < rng.uniform(0.08, 0.2) * level, noise, image)


def fold_over(rng: np.random.Generator, image: torch.Tensor) -> torch.Tensor:
    axis = int(rng.integers(3))
    shift = int(rng.uniform(0.55, 0.95) * image.shape[axis]) * (1 if rng.random() < 0.5 else -1)
    copy = torch.roll(image, shift, axis)
    return torch.maximum(image, copy * rng.uniform(0.3, 1)) if rng.random() < 0.5 else image + copy * rng.uniform(0.05, 0.3)


def steep_bias(rng: np.random.Generator, image: torch.Tensor) -> torch.Tensor:
    return image * smooth_field(rng, tuple(image.shape), int(rng.integers(2, 4)), rng.uniform(0.3, 0.6))


def cut_sides(rng: np.random.Generator, covered: torch.Tensor, spacing: float, deepest: float) -> torch.Tensor:
    for _ in range(int(rng.random() < 0.45) + int(rng.random() < 0.25)):
        axis, size = int(rng.integers(3)), max(1, int(rng.uniform(4, deepest) / spacing))
        sides = [slice(None)] * 3
        sides[axis] = slice(0, size) if rng.random() < 0.5 else slice(-size, None)
        covered[tuple(sides)] = 0
    return covered


def spoil(rng: np.random.Generator, image: torch.Tensor, brain: torch.Tensor, covered: torch.Tensor, level: float, spacing: float,
          deepest_cut: float = 56) -> tuple[torch.Tensor, torch.Tensor]:
    """Some of all that. ``level``: of the brain; ``covered``: 1 inside the scan. Returns the image (0 where not covered) and ``covered``."""
    if rng.random() < 0.2:
        image = lesion(rng, image, brain, level, spacing)
    image = degrade(rng, image / max(level, 1e-3)) * level
    if rng.random() < 0.15:
        image = steep_bias(rng, image)
    if rng.random() < 0.08:
        image = fold_over(rng, image)
    if rng.random() < 0.08:
        image = noisy_air(rng, image, level)
    covered = cut_sides(rng, covered.clone(), spacing, deepest_cut)
    return image * covered, covered
