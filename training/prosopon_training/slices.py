"""Volumes as batches of pictures, for networks that ship: blocks of 2^3 voxels as channels, their layers as a batch."""
from __future__ import annotations

import torch


def slices_of_blocks(x: torch.Tensor) -> torch.Tensor:
    """[1, 1, z, y, x] to [z/2, 8, y/2, x/2]: blocks of 2^3 voxels as channels, their layers as a batch of pictures."""
    _, _, d, h, w = x.shape
    return x.reshape(d // 2, 2, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(d // 2, 8, h // 2, w // 2)


def voxels_of_slices(x: torch.Tensor) -> torch.Tensor:
    """The inverse of :func:`slices_of_blocks`."""
    d, _, h, w = x.shape
    return x.reshape(d, 2, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(1, 1, 2 * d, 2 * h, 2 * w)


def neighbours(x: torch.Tensor) -> list[torch.Tensor]:
    """The layer below, the layer, the layer above; zeros beyond the ends."""
    nothing = torch.zeros_like(x[:1])
    return [torch.cat([nothing, x[:-1]]), x, torch.cat([x[1:], nothing])]
