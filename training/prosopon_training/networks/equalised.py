"""Convolutions of cp-gan: unit-normal weights that are scaled when they are used (equalised learning rate, as in the growing
and multi-scale GANs), so that AdamP's step of 2e-3 is the same share of every weight.

The block is MobileNet v2's inverted residual in its fused form (EfficientNetV2): a plain 3^3 convolution that widens, and a
1^3 convolution back. A depthwise 3^3 convolution would be 3 % of the work, and yet takes as long to train: figures in
docs/cp-gan-training.md, from bench/depthwise.py.
"""
from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

SLOPE = 0.2
LAYOUT = torch.channels_last_3d


class Equalised(nn.Module):
    """Convolution of 1^3 or 3^3, zero-padded; ``gain``: of the standard deviation that it is meant to keep."""

    def __init__(self, inside: int, outside: int, size: int = 3, gain: float = math.sqrt(2)):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outside, inside, size, size, size).contiguous(memory_format=LAYOUT))
        self.bias = nn.Parameter(torch.zeros(outside))
        self.scale = gain / math.sqrt(inside * size**3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.weight * self.scale
        if weight.shape[2] == 1 and not torch.onnx.is_in_onnx_export():
            # channels are last in memory: a matrix product, 2 to 5 times faster than the convolution
            return F.linear(x.permute(0, 2, 3, 4, 1), weight[:, :, 0, 0, 0], self.bias).permute(0, 4, 1, 2, 3)
        return F.conv3d(x, weight, self.bias, padding=weight.shape[2] // 2)


class FusedInverted(nn.Module):
    """x + 1^3(activation(3^3(x))); ``wide`` channels between."""

    def __init__(self, channels: int, wide: int):
        super().__init__()
        self.expand = Equalised(channels, wide)
        self.project = Equalised(wide, channels, 1, gain=0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.project(F.leaky_relu(self.expand(x), SLOPE))


def channels_last(x: torch.Tensor) -> torch.Tensor:
    """The memory layout in which 3^3 convolutions train twice as fast here; the exporter does not know of layouts."""
    return x if torch.onnx.is_in_onnx_export() else x.contiguous(memory_format=LAYOUT)


def pixel_norm(x: torch.Tensor) -> torch.Tensor:
    """Each voxel's channels to a mean square of one."""
    return x * torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-8)


def works_folded(scale: int) -> bool:
    """From 32^3 on a block works on 2^3 voxels as 8 channels: narrow layers on the full grid wait for memory."""
    return scale >= 32
