"""Building blocks shared by the networks."""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def space_to_depth(x: torch.Tensor, r: int = 2) -> torch.Tensor:
    """[n, c, z, y, x] to [n, c*r^3, z/r, y/r, x/r]."""
    n, c, d, h, w = x.shape
    x = x.reshape(n, c, d // r, r, h // r, r, w // r, r)
    return x.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(n, c * r**3, d // r, h // r, w // r)


def depth_to_space(x: torch.Tensor, r: int = 2) -> torch.Tensor:
    """The inverse of :func:`space_to_depth`."""
    n, c, d, h, w = x.shape
    x = x.reshape(n, c // r**3, r, r, r, d, h, w)
    return x.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(n, c // r**3, d * r, h * r, w * r)


class Conv(nn.Module):
    """3x3x3 convolution, group norm, SiLU."""

    def __init__(self, inside: int, outside: int, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv3d(inside, outside, 3, stride=stride, padding=1, bias=False)
        self.norm = nn.GroupNorm(max(1, outside // 8), outside)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.silu(self.norm(self.conv(x)))


class Residual(nn.Module):
    """x + conv(conv(x)), the last convolution starting at zero."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = Conv(channels, channels)
        self.second = nn.Conv3d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.second(self.first(x))


class Up(nn.Module):
    """Doubles the grid by a 1x1x1 convolution and depth-to-space (faster than transposed convolution, and WebGPU runs it)."""

    def __init__(self, inside: int, outside: int):
        super().__init__()
        self.conv = nn.Conv3d(inside, outside * 8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return depth_to_space(self.conv(x))


class PositionMap(nn.Module):
    """A learned map of the grid, added to the features: what stands where in a posed head."""

    def __init__(self, channels: int, shape: tuple[int, int, int]):
        super().__init__()
        self.map = nn.Parameter(torch.randn(1, channels, *shape) * 0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.map
