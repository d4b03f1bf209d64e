"""How far painted heads are from real ones, in ways that need no pairing; and whether they repeat what was trained on.

Sliced Wasserstein distance of neighbourhoods (Rabin 2011; of image patches, Karras 2018): neighbourhoods of 7^3 voxels as vectors, their sorted projections on random
directions compared. ``grain``: at 2 mm, each less its own mean; ``levels``: at 2 mm as they are; ``layers``: at 4 mm as they are. 0 where the two
sets are alike; two halves of real heads show what chance leaves.
"""
from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

EDGE = 7
EACH = 160
"""Neighbourhoods of one patch."""


def neighbourhoods(images: torch.Tensor, shown: torch.Tensor, seed: int) -> torch.Tensor:
    """[m, 343] of those that are shown as a whole; images and shown [n, 1, z, y, x]."""
    rng = np.random.default_rng(seed)
    whole = F.avg_pool3d((shown > 0.99).float(), EDGE, stride=1) > 0.999
    rows = []
    for image, here in zip(images, whole, strict=True):
        where = here[0].nonzero()
        if len(where) == 0:
            continue
        for z, y, x in where[rng.integers(len(where), size=EACH)].tolist():
            rows.append(image[0, z : z + EDGE, y : y + EDGE, x : x + EDGE].reshape(-1))
    return torch.stack(rows) if rows else torch.zeros(0, EDGE**3)


def sliced(a: torch.Tensor, b: torch.Tensor, directions: int = 128) -> float:
    """Mean distance of quantiles of projections, in the vectors' units; the sets may differ in number."""
    d = torch.randn(a.shape[1], directions, generator=torch.Generator().manual_seed(7))
    d = d / d.norm(dim=0)
    q = torch.linspace(0.01, 0.99, 99)
    return float((torch.quantile(a @ d, q, dim=0) - torch.quantile(b @ d, q, dim=0)).abs().mean())


def distances(real: torch.Tensor, fake: torch.Tensor, shown: torch.Tensor) -> dict[str, float]:
    """``grain``, ``levels`` and ``layers``, times 100."""
    coarse = [F.avg_pool3d(x * shown, 2) for x in (real, fake)]
    shown2 = F.avg_pool3d(shown, 2)
    a, b = neighbourhoods(real, shown, 1), neighbourhoods(fake, shown, 2)
    out = {"levels": sliced(a, b), "grain": sliced(a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)),
           "layers": sliced(neighbourhoods(coarse[0], shown2, 1), neighbourhoods(coarse[1], shown2, 2))}
    return {key: 100 * value for key, value in out.items()}


def nearest(fakes: torch.Tensor, reals: torch.Tensor) -> torch.Tensor:
    """Of each row the distance to the nearest real row, each less its mean and scaled to length one: 0 the same, 1.41 unrelated."""
    def scaled(x: torch.Tensor) -> torch.Tensor:
        x = x - x.mean(1, keepdim=True)
        return x / x.norm(dim=1, keepdim=True).clamp(min=1e-6)

    a, b = scaled(fakes), scaled(reals)
    best = torch.cat([(rows @ b.T).amax(1) for rows in a.split(512)])
    return (2 - 2 * best.clamp(max=1)).sqrt()
