"""Brain extraction at 2 mm: a U-Net over 4 mm features (space-to-depth at the entrance, depth-to-space at the exit)."""
from __future__ import annotations

import torch
from torch import nn

from .blocks import Conv, Residual, Up, depth_to_space, space_to_depth


class BrainExtraction(nn.Module):
    """[n, 1, z, y, x] image to [n, 1, z, y, x] logits; sizes divisible by 16."""

    def __init__(self, width: int = 16):
        super().__init__()
        w = width
        self.stem = nn.Sequential(Conv(8, w), Conv(w, w))
        self.down1 = nn.Sequential(Conv(w, 2 * w, 2), Residual(2 * w))
        self.down2 = nn.Sequential(Conv(2 * w, 4 * w, 2), Residual(4 * w))
        self.down3 = nn.Sequential(Conv(4 * w, 6 * w, 2), Residual(6 * w), Residual(6 * w))
        self.up3 = Up(6 * w, 4 * w)
        self.join2 = nn.Sequential(Conv(8 * w, 4 * w), Residual(4 * w))
        self.up2 = Up(4 * w, 2 * w)
        self.join1 = Conv(4 * w, 2 * w)
        self.up1 = Up(2 * w, w)
        self.join0 = nn.Sequential(Conv(2 * w, w), Conv(w, w))
        self.out = nn.Conv3d(w, 8, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        a = self.stem(space_to_depth(image))
        b = self.down1(a)
        c = self.down2(b)
        d = self.down3(c)
        c = self.join2(torch.cat([self.up3(d), c], 1))
        b = self.join1(torch.cat([self.up2(c), b], 1))
        a = self.join0(torch.cat([self.up1(b), a], 1))
        return depth_to_space(self.out(a))
