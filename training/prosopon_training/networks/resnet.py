"""Residual networks of 18 layers (He 2016), two- and three-dimensional, with widths that suit a hundred heads and a CPU.

A fifth (3-D) or a third (2-D) of the published widths: the weights must ship, and there are 113 heads to learn from.
"""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two 3-wide convolutions with batch norm, and a way around them."""

    def __init__(self, dimensions: int, inside: int, outside: int, stride: int):
        super().__init__()
        conv, norm = (nn.Conv2d, nn.BatchNorm2d) if dimensions == 2 else (nn.Conv3d, nn.BatchNorm3d)
        self.conv1 = conv(inside, outside, 3, stride=stride, padding=1, bias=False)
        self.norm1 = norm(outside)
        self.conv2 = conv(outside, outside, 3, padding=1, bias=False)
        self.norm2 = norm(outside)
        # a block that starts as its own way around trains at once, without pretraining
        nn.init.zeros_(self.norm2.weight)
        self.around = nn.Identity() if inside == outside and stride == 1 else nn.Sequential(
            conv(inside, outside, 1, stride=stride, bias=False), norm(outside))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.around(x))


class Trunk(nn.Module):
    """The eight blocks after the entrance, and the mean over what is left of the grid: [n, width, ...] to [n, 8 * width]."""

    def __init__(self, dimensions: int, width: int):
        super().__init__()
        layers, inside = [], width
        for stage in range(4):
            outside = width * 2**stage
            layers += [Block(dimensions, inside, outside, 1 if stage == 0 else 2), Block(dimensions, outside, outside, 1)]
            inside = outside
        self.blocks = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.blocks(x).flatten(2).mean(2)


class BrainAge(nn.Module):
    """[n, 1, 64, 64, 64] posed head at 4 mm (1 = the brain's median) to [n, 1] years."""

    def __init__(self, width: int = 12, mean: float = 0.0, deviation: float = 1.0):
        super().__init__()
        self.entrance = nn.Conv3d(1, width, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm3d(width)
        self.trunk = Trunk(3, width)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(8 * width, 1)
        self.register_buffer("mean", torch.tensor(float(mean)))
        self.register_buffer("deviation", torch.tensor(float(deviation)))

    def standardised(self, head: torch.Tensor) -> torch.Tensor:
        return self.out(self.drop(self.trunk(F.relu(self.norm(self.entrance(head))))))

    def forward(self, head: torch.Tensor) -> torch.Tensor:
        return self.mean + self.deviation * self.standardised(head)


class Sqn(nn.Module):
    """Who a head is: [n, 3, 128, 128] renderings (front, left, right; 0 to 1) to unit vectors [n, size].

    Front and sides have entrances and exits of their own and one trunk in between. The right side is mirrored, so that both
    sides look alike.
    """

    def __init__(self, width: int = 20, size: int = 192):
        super().__init__()
        self.front = nn.Sequential(nn.Conv2d(1, width, 7, stride=4, padding=3, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.side = nn.Sequential(nn.Conv2d(1, width, 7, stride=4, padding=3, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.trunk = Trunk(2, width)
        self.out_front = nn.Linear(8 * width, size // 3)
        self.out_side = nn.Linear(8 * width, size // 3)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        front, left = pictures[:, 0:1], pictures[:, 1:2]
        right = torch.flip(pictures[:, 2:3], [3])
        n = pictures.shape[0]
        x = self.trunk(torch.cat([self.front(front), self.side(torch.cat([left, right]))]))
        parts = [self.out_front(x[:n]), self.out_side(x[n: 2 * n]), self.out_side(x[2 * n:])]
        # each view speaks as loud as the others
        return torch.cat([F.normalize(p, dim=1) for p in parts], 1) / 3**0.5
