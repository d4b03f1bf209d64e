"""Pictures and figures of draws: for whoever watches a training of cp-gan. Written into the run folder, which git ignores."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

LEVEL = 0.25
"""Brain levels from which a ray stops."""


def front_view(volume: torch.Tensor) -> np.ndarray:
    """Shaded first hits from the front, [2 S, 2 S] of 0 to 1, up is up. ``volume`` [z, y, x], brain levels, y to the front."""
    x = F.interpolate(volume[None, None], scale_factor=2, mode="trilinear", align_corners=False)
    x = F.avg_pool3d(F.pad(x, (1,) * 6), 3, stride=1)[0, 0].flip(1)
    solid = x > LEVEL
    hit = solid.any(1)
    first = solid.float().argmax(1)
    # a fraction of a voxel, by the values on both sides of the surface
    inside = x.gather(1, first[:, None])[:, 0]
    outside = x.gather(1, (first - 1).clamp(min=0)[:, None])[:, 0]
    depth = first - ((inside - LEVEL) / (inside - outside).clamp(min=1e-3)).clamp(0, 1)
    dz, dx = torch.gradient(depth)
    light = (1 + 0.35 * dz - 0.25 * dx) / (1 + dz**2 + dx**2).sqrt() / 1.1
    shade = torch.where(hit, 0.15 + 0.85 * light.clamp(0, 1), torch.zeros(()))
    return shade.flip(0).numpy()


def side_view(volume: torch.Tensor) -> np.ndarray:
    """As :func:`front_view`, from the head's right side."""
    return front_view(volume.transpose(1, 2))


def slices(volume: torch.Tensor) -> list[np.ndarray]:
    """Middle sagittal, axial at the eyes, coronal through the face; [2 S, 2 S] of 0 to 1."""
    n = volume.shape[0]
    # the model cube's centre is 30 mm below and 22 mm in front of the brain's: the eyes lie a little above it
    cuts = [volume[:, :, n // 2].flip(0), volume[n // 2 + n // 32].flip(0), volume[:, n // 2 + n // 8].flip(0)]
    return [(cut / 1.6).clamp(0, 1).numpy().repeat(2, 0).repeat(2, 1) for cut in cuts]


def row(volume: torch.Tensor) -> np.ndarray:
    return np.concatenate([*slices(volume), front_view(volume), side_view(volume)], 1)


def write_sheet(path: Path, rows: list[list[torch.Tensor]]) -> None:
    """Each volume is a strip of five pictures; volumes of a row side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    picture = np.concatenate([np.concatenate([row(volume) for volume in volumes], 1) for volumes in rows], 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    plt.imsave(path, picture, cmap="gray", vmin=0, vmax=1)


def _fineness(volume: torch.Tensor, where: torch.Tensor) -> float:
    steps = sum(torch.diff(volume, dim=axis).abs().mean() for axis in range(3))
    return float(steps / (volume * where).mean().clamp(min=1e-6))


def figures(real: torch.Tensor, draws: list[torch.Tensor], complement: torch.Tensor) -> dict[str, float]:
    """Of composites [z, y, x]: how far draws are from real heads in ways that need no pairing but the outline.

    levels: distance of the complement's intensity distributions (quantiles, brain levels); fineness: ratio of grey steps;
    outline: Dice of what is above a quarter of the brain's level; spread: mean difference of two draws, in brain levels.
    """
    chosen = complement > 0.5
    a, b = draws[0], draws[1]
    quantiles = torch.linspace(0.02, 0.98, 25)

    def spread_of(x: torch.Tensor) -> torch.Tensor:
        values = x[chosen & ((x > 0.05) | (real > 0.05))]
        return torch.quantile(values[:: max(1, values.numel() // 20000)], quantiles) if values.numel() else torch.zeros(25)

    solid, other = real > LEVEL, a > LEVEL
    return {
        "levels": float((spread_of(real) - spread_of(a)).abs().mean()),
        "fineness": _fineness(a, chosen) / max(1e-6, _fineness(real, chosen)),
        "outline": 2 * float((solid & other).sum()) / max(1.0, float(solid.sum() + other.sum())),
        "spread": float((a - b).abs()[chosen & ((a > 0.05) | (b > 0.05))].mean()) if bool((a > 0.05).any()) else 0.0,
    }
