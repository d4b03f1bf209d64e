"""The texture decoder: what a smooth head lacks at 1 mm, as a mean and a spread for each voxel.

The learned head is the mean of 113 registered heads: right in shape, but without the marrow, the fat septa and the fibres of
muscle that a single head has. From a smooth neighbourhood the network says what the fine part should be (borders of skull and
fat come out sharp again) and how strongly it varies; the caller fills the spread with noise drawn from the seed. Fully
convolutional with one 3^3 layer (a second one explained as much of the held-out fine part and took twice the time), on blocks
of 2^3 voxels: it sees 6 mm, and a head at 1 mm costs what its 2 mm grid does.
"""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .blocks import space_to_depth

MIN_LOG_SPREAD, MAX_LOG_SPREAD = -4.5, -0.5


class Texture(nn.Module):
    """[n, 1, z, y, x] in brain levels (even sizes) to mean and log spread of the fine part, both [n, 8, z/2, y/2, x/2]."""

    def __init__(self, width: int = 24):
        super().__init__()
        self.first = nn.Conv3d(8, width, 3, padding=1)
        self.second = nn.Conv3d(width, 32, 1)
        self.out = nn.Conv3d(32, 16, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, smooth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = F.silu(self.first(space_to_depth(smooth)))
        out = self.out(F.silu(self.second(h)))
        return out[:, :8], (out[:, 8:] - 2.5).clamp(MIN_LOG_SPREAD, MAX_LOG_SPREAD)
