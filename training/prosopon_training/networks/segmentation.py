"""Whole-head segmentation at 2 mm: a U-Net whose last layer stands on the full grid, where tissue borders are.

Batch norm, not group norm: it is folded into the convolutions in use, and a patch is normalised as the whole head is.
Where a patch stands is told by three more channels, so that left and right need no view of the whole head.
"""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .blocks import Up


class Layer(nn.Module):
    """3x3x3 convolution, batch norm, ReLU."""

    def __init__(self, inside: int, outside: int, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv3d(inside, outside, 3, stride=stride, padding=1, bias=False)
        self.norm = nn.BatchNorm3d(outside)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.norm(self.conv(x)), inplace=True)


class Segmentation(nn.Module):
    """[n, 4, z, y, x] (image, x, y, z position) to [n, classes, z, y, x] logits; sizes divisible by 16."""

    def __init__(self, classes: int, widths: tuple[int, int, int, int] = (8, 32, 64, 96), last: int = 16):
        super().__init__()
        f, h, q, e = widths
        self.stem = Layer(4, f)
        self.down1 = nn.Sequential(Layer(f, h, 2), Layer(h, h))
        self.down2 = nn.Sequential(Layer(h, q, 2), Layer(q, q))
        self.down3 = nn.Sequential(Layer(q + 3, e, 2), Layer(e, e), Layer(e, e))
        self.down4 = nn.Sequential(Layer(e, e, 2), Layer(e, e), Layer(e, e))
        self.up4 = Up(e, e)
        self.join3 = Layer(e, e)
        self.up3 = Up(e, q)
        self.join2 = Layer(q, q)
        self.up2 = Up(q, h)
        self.join1 = Layer(h, h)
        self.up1 = Up(h, f)
        self.join0 = Layer(2 * f, last)
        self.out = nn.Conv3d(last, classes, 1)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        a = self.stem(x)
        b = self.down1(a)
        c = self.down2(b)
        d = self.down3(torch.cat([c, F.avg_pool3d(x[:, 1:], 4)], 1))
        e = self.down4(d)
        d = self.join3(d + self.up4(e))
        c = self.join2(c + self.up3(d))
        b = self.join1(b + self.up2(c))
        return self.join0(torch.cat([a, self.up1(b)], 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.features(x))

    def at(self, features: torch.Tensor, voxels: torch.Tensor) -> torch.Tensor:
        """Logits [voxels, classes] at flat [n * z * y * x] indices alone: 50 classes everywhere cost more than the network."""
        flat = features.permute(0, 2, 3, 4, 1).reshape(-1, features.shape[1])
        return F.linear(flat[voxels], self.out.weight[:, :, 0, 0, 0], self.out.bias)

    def sampled(self, x: torch.Tensor, voxels: torch.Tensor) -> torch.Tensor:
        return self.at(self.features(x), voxels)


class LabelMap(nn.Module):
    """What is exported: labels as bytes. A mirrored look is averaged in, with left and right classes exchanged."""

    def __init__(self, network: Segmentation, mirrored: list[int], both: bool):
        super().__init__()
        self.network = network
        self.both = both
        self.register_buffer("mirrored", torch.tensor(mirrored))

    def forward(self, image: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
        x = torch.cat([image, position], 1)
        features, weight = self.network.features(x), self.network.out.weight
        if self.both:
            turned = torch.flip(x, [4]) * torch.tensor([1.0, -1.0, 1.0, 1.0]).view(1, 4, 1, 1, 1)
            # flipped as 16 features, not as 53 classes, which would be half a gigabyte more
            features = torch.cat([features, torch.flip(self.network.features(turned), [4])], 1)
            weight = torch.cat([weight, weight[self.mirrored]], 1)
        bias = self.network.out.bias + (self.network.out.bias[self.mirrored] if self.both else 0)
        return F.conv3d(features, weight, bias).argmax(1, keepdim=True).to(torch.uint8)
