"""The brain's VQ-VAE (e1, d1): the brain at 4 mm (mask fraction, mean intensity) to 8 x 8 x 6 codes of 32 mm and back.

e1 gives the masked autoencoder what it sees of the subject; d1 only teaches e1.
"""
from __future__ import annotations

import torch
from torch import nn

from ..contract import BRAIN_LEVELS, SITES
from .blocks import Conv, PositionMap, Residual, Up
from .fsq import Fsq, SiteNorm


class BrainEncoder(nn.Module):
    """[n, 2, 64, 64, 48] to quantised values [n, d, 8, 8, 6]."""

    def __init__(self, width: int = 24, levels: tuple[int, ...] = BRAIN_LEVELS):
        super().__init__()
        w = width
        self.fsq = Fsq(levels)
        self.net = nn.Sequential(
            Conv(2, w, 2), Conv(w, 2 * w, 2), Residual(2 * w), Conv(2 * w, 4 * w, 2), Residual(4 * w),
            nn.Conv3d(4 * w, len(levels), 1), SiteNorm(len(levels), SITES),
        )

    def forward(self, brain: torch.Tensor) -> torch.Tensor:
        return self.fsq(self.net(brain))


class BrainDecoder(nn.Module):
    """Codes back to mask logits and intensity at 4 mm, [n, 2, 64, 64, 48]."""

    def __init__(self, width: int = 24, code_channels: int = len(BRAIN_LEVELS)):
        super().__init__()
        w = width
        self.enter = nn.Conv3d(code_channels, 4 * w, 1)
        self.place = PositionMap(4 * w, SITES)
        self.net = nn.Sequential(
            Residual(4 * w), Up(4 * w, 2 * w), Conv(2 * w, 2 * w), Residual(2 * w), Up(2 * w, w), Conv(w, w), Up(w, 2),
        )

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        return self.net(self.place(self.enter(codes)))


class BrainVqVae(nn.Module):
    def __init__(self, width: int = 24, levels: tuple[int, ...] = BRAIN_LEVELS):
        super().__init__()
        self.encoder = BrainEncoder(width, levels)
        self.decoder = BrainDecoder(width, len(levels))
