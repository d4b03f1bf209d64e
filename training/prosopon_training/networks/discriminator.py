"""Discriminator of cp-gan: sees the composite and gamma at all scales, finest first, and says one number for each head.

    scores = Discriminator(64)(images, gammas)   # both coarse first, as the generator gives them; [n]
"""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .blocks import space_to_depth
from .equalised import SLOPE, Equalised, FusedInverted, channels_last, works_folded
from .generator import GAMMA, scales_of

# scale: channels, channels between
WIDTHS = {4: (96, 96), 8: (64, 96), 16: (48, 48), 32: (32, 48), 64: (16, 16), 128: (8, 8)}


class DiscriminatorBlock(nn.Module):
    """Image and gamma of a scale, and what the finer block found, to channels on the scale's grid (on half of it from 32^3 on)."""

    def __init__(self, scale: int, finer: int | None):
        super().__init__()
        channels, wide = WIDTHS[scale]
        self.folded = works_folded(scale)
        self.entry = Equalised((1 + GAMMA) * 8, channels, 1) if self.folded else Equalised(1 + GAMMA, channels)
        # one convolution of both, concatenated, written as a sum: a network of 64^3 then fits into one of 128^3
        self.before = Equalised(WIDTHS[finer][0], channels, 1) if finer else None
        self.body = FusedInverted(channels, wide)

    def forward(self, finer: torch.Tensor | None, image: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        x = torch.cat([image, gamma], 1)
        x = self.entry(channels_last(space_to_depth(x) if self.folded else x))
        if self.before is not None and finer is not None:
            x = x + self.before(finer if finer.shape[2] == x.shape[2] else halved(finer))
        return F.leaky_relu(self.body(F.leaky_relu(x, SLOPE)), SLOPE)


def halved(x: torch.Tensor) -> torch.Tensor:
    """Means of 2^3 voxels."""
    return F.avg_pool3d(x, 2)


class Discriminator(nn.Module):
    def __init__(self, size: int = 64):
        super().__init__()
        self.scales = scales_of(size)
        finest_first = self.scales[::-1]
        self.blocks = nn.ModuleDict({str(s): DiscriminatorBlock(s, finer) for finer, s in zip([None, *finest_first], finest_first)})
        channels = WIDTHS[4][0]
        self.gather = Equalised(channels, channels)
        self.score = Equalised(channels * 4**3, 1, 1, gain=1.0)

    def forward(self, images: list[torch.Tensor], gammas: list[torch.Tensor]) -> torch.Tensor:
        """Images and gammas coarse first; [n] scores without bounds."""
        x = None
        for block, image, gamma in zip(self.blocks.values(), images[::-1], gammas[::-1]):
            x = block(x, image, gamma)
        x = F.leaky_relu(self.gather(x), SLOPE)
        return self.score(x.reshape(x.shape[0], -1, 1, 1, 1)).flatten()
