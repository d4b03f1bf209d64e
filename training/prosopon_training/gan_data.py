"""What cp-gan learns from: heads and gamma at every scale of the networks, and the composite that its discriminator sees.

    pool = [GanHead(record, 64) for record in read_index(["prepared/ixi-gan"], "train")]
    batch = make_batch(rng, pool, scales, count=2)
    fakes = composites(generator(noise, batch.gammas), batch)
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from .contract import BRAIN, BYTES_PER_LEVEL, COVERED, HEAD
from .data import HeadRecord

FULL = 128


def average_pool(x: torch.Tensor, factor: int) -> torch.Tensor:
    """[..., z, y, x], means of factor^3 blocks."""
    return x if factor == 1 else F.avg_pool3d(x, factor)


def probabilistic_pool(share: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Zeros and ones, one with the probability ``share``: a binary volume averaged, then tossed (papers' resampling block).

    ``share`` at each scale is the average of the full resolution (an average of averages is one), never of another toss.
    """
    return (torch.rand(share.shape, generator=generator) < share).to(share.dtype)


@dataclass
class Batch:
    """Each a list, coarse scale first, of [n, c, s, s, s]."""

    heads: list[torch.Tensor]
    """The real heads, brain levels; 0 in the air and where the scan did not reach."""
    gammas: list[torch.Tensor]
    """Hull and mask by chance, mean of mask * head; one draw, of which generator and discriminator see the same."""
    brains: list[torch.Tensor]
    """Mean of mask * head."""
    shares: list[torch.Tensor]
    """Share of a voxel that is brain."""
    covered: list[torch.Tensor]
    """Share of a voxel inside the scan's field of view."""


class GanHead:
    """One head at ``size``^3 from 128^3: image without air noise, brain, shares of brain, field of view and of each hull draw."""

    def __init__(self, record: HeadRecord, size: int):
        factor = FULL // size
        flags, bits = record.load("flags"), record.load("hulls")
        image = np.where(flags & HEAD, record.load("image"), 0).astype(np.float32) / BYTES_PER_LEVEL
        brain = (flags & BRAIN) > 0

        def pooled(array: np.ndarray) -> torch.Tensor:
            return average_pool(torch.from_numpy(array.astype(np.float32))[None], factor)[0]

        covered = ((flags & COVERED) > 0) | brain
        # image, brain, share of brain, covered
        self.parts = torch.stack([pooled(image * covered), pooled(image * brain), pooled(brain), pooled(covered)])
        # Bytes of 1 / 255: eight hulls of 64^3 are 2 MB.
        self.hulls = [(255 * pooled((bits >> k) & 1)).round().to(torch.uint8) for k in range(8)]
        self.id = record.id

    def sample(self, hull: int) -> torch.Tensor:
        """[5, z, y, x]: image, brain, share of brain, covered, share of hull."""
        return torch.cat([self.parts, self.hulls[hull][None].float() / 255])


def shifted(x: torch.Tensor, offset: tuple[int, int, int]) -> torch.Tensor:
    """Moved by whole voxels, zeros coming in: [c, z, y, x]."""
    out = torch.zeros_like(x)
    to = tuple(slice(max(0, o), n + min(0, o)) for o, n in zip(offset, x.shape[1:]))
    of = tuple(slice(max(0, -o), n + min(0, -o)) for o, n in zip(offset, x.shape[1:]))
    out[(slice(None), *to)] = x[(slice(None), *of)]
    return out


def augmented(rng: np.random.Generator, x: torch.Tensor) -> torch.Tensor:
    """Left and right exchanged, moved by up to two voxels, contrast: head and gamma together, so that real and fake share it."""
    if rng.random() < 0.5:
        x = torch.flip(x, [3])
    reach = max(1, x.shape[1] // 32)
    x = shifted(x, tuple(int(v) for v in rng.integers(-reach, reach + 1, 3)))
    x[:2] *= float(np.exp(rng.normal(0, 0.04)))
    return x


def pyramid(samples: torch.Tensor, scales: list[int]) -> Batch:
    """[n, 5, S, S, S] at every scale; the tosses of hull and mask are made here, once."""
    size = scales[-1]
    levels = [average_pool(samples, size // s) for s in scales]
    parts = [[level[:, c:c + 1] for level in levels] for c in range(5)]
    heads, brains, shares, covered, hulls = parts
    gammas = [torch.cat([probabilistic_pool(torch.cat([h, m], 1)), b], 1) for h, m, b in zip(hulls, shares, brains)]
    return Batch(heads, gammas, brains, shares, covered)


def make_batch(rng: np.random.Generator, pool: list[GanHead], scales: list[int], count: int) -> Batch:
    chosen = rng.choice(len(pool), count, replace=len(pool) < count)
    return pyramid(torch.stack([augmented(rng, pool[i].sample(int(rng.integers(8)))) for i in chosen]), scales)


def composites(images: list[torch.Tensor], batch: Batch) -> list[torch.Tensor]:
    """Brain and drawn complement by the share of brain; nothing where the real head's scan did not reach, as in the real one.

    At a finest scale of 128 the share is the mask itself: b x + (1 - b) G.
    """
    return [(brain + (1 - share) * image) * seen
            for image, brain, share, seen in zip(images, batch.brains, batch.shares, batch.covered)]
