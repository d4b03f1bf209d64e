"""Generator of cp-gan: blocks from 4^3 to S^3; each gives one channel, which is the image of its scale and all that the next
block gets beside gamma at its own scale.

    images = Generator(64)(torch.randn(2, 1, 4, 4, 4), [gamma_4, gamma_8, gamma_16, gamma_32, gamma_64])
"""
from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional as F

from .blocks import PositionMap, depth_to_space, space_to_depth
from .equalised import SLOPE, Equalised, FusedInverted, channels_last, pixel_norm, works_folded

GAMMA = 3
# scale: channels, channels between, blocks
WIDTHS = {4: (64, 64, 1), 8: (64, 96, 2), 16: (48, 64, 2), 32: (32, 48, 2), 64: (16, 16, 2), 128: (8, 8, 1)}


def scales_of(size: int) -> list[int]:
    """4, 8, ... size."""
    scales = [s for s in WIDTHS if s <= size]
    if not scales or scales[-1] != size:
        raise ValueError(f"expected a size of {', '.join(map(str, WIDTHS))}, found {size}")
    return scales


class _Positive(torch.autograd.Function):
    """max(x, 0), exact zeros being what air is; where x < 0 a fifth of the gradient passes, or tissue could not come back."""

    @staticmethod
    def forward(ctx, x: torch.Tensor) -> torch.Tensor:  # noqa: ANN001
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:  # noqa: ANN001
        (x,) = ctx.saved_tensors
        return torch.where(x < 0, SLOPE * gradient, gradient)


def positive(x: torch.Tensor) -> torch.Tensor:
    return F.relu(x) if torch.onnx.is_in_onnx_export() else _Positive.apply(x)


def enlarging() -> torch.Tensor:
    """[8, 1, 3, 3, 3]: each of the eight voxels of a block from the coarse voxels around it; nearest upsampling and [1 2 1] / 4.

    Without the smoothing the coarse voxels' edges stayed visible in all the finer images.
    """
    near = torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.75, 0.25]])
    phases = itertools.product((0, 1), repeat=3)
    return torch.stack([torch.einsum("i,j,k->ijk", near[z], near[y], near[x]) for z, y, x in phases])[:, None]


def enlarged(x: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """[n, c, s, s, s] to [n, 8 c, s, s, s] by :func:`enlarging`, each channel by itself; no groups, which WebGPU refuses."""
    n, c = x.shape[:2]
    return F.conv3d(x.reshape(n * c, 1, *x.shape[2:]), kernel, padding=1).reshape(n, 8 * c, *x.shape[2:])


def smoothed(x: torch.Tensor) -> torch.Tensor:
    """[1 2 1] / 4 along each axis, as shifted sums: a tenth of the time of a convolution of one channel.

    Of the eight voxels of a folded block, which share no weights, the part that changes sign from voxel to voxel goes:
    without it a lattice stood in for texture. The image is cut at 0 only afterwards, so that skin can stay sharp.
    """
    for axis in (2, 3, 4):
        n = x.shape[axis]
        pad = [0] * 6
        pad[2 * (4 - axis)] = pad[2 * (4 - axis) + 1] = 1
        around = F.pad(x, pad)
        x = 0.5 * x + 0.25 * (around.narrow(axis, 0, n) + around.narrow(axis, 2, n))
    return x


class GeneratorBlock(nn.Module):
    """Image of the scale before (noise at the first scale) and gamma_s to the image of scale s.

    ``drawn``: channels of what goes from scale to scale; 1 is the paper's image. ``placed``: a learned map of the grid is added
    to the features, as in the decoder of cp-mae.
    """

    def __init__(self, scale: int, drawn: int = 1, placed: bool = False):
        super().__init__()
        channels, wide, count = WIDTHS[scale]
        self.first = scale == 4
        self.folded = works_folded(scale)
        before = 1 if self.first else drawn
        self.stem = Equalised(before + GAMMA * 8, channels, 1) if self.folded else Equalised(before + GAMMA, channels)
        self.place = PositionMap(channels, (scale // 2 if self.folded else scale,) * 3) if placed else nn.Identity()
        self.body = nn.ModuleList(FusedInverted(channels, wide) for _ in range(count))
        self.out = Equalised(channels, 8 * drawn if self.folded else drawn, 1, gain=0.5)
        if not self.first:
            # starts as the scale before, enlarged: from unit-normal weights the eight voxels of a block took hundreds of
            # steps to lose a chequered pattern
            torch.nn.init.zeros_(self.out.weight)
            self.register_buffer("enlarge", enlarging())

    def forward(self, before: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        # upsampling without a Resize: the eight voxels of a block are eight channels
        up = before if self.first else enlarged(before, self.enlarge)
        if self.folded:
            image, gamma = before, space_to_depth(gamma)
        else:
            image = up = before if self.first else depth_to_space(up)
        x = channels_last(torch.cat([image, gamma], 1))
        x = F.leaky_relu(pixel_norm(self.place(self.stem(x))), SLOPE)
        for block in self.body:
            x = block(x)
        out = self.out(pixel_norm(x))
        if self.folded:
            return smoothed(depth_to_space(out)) + depth_to_space(up)
        return out if self.first else out + up


class Generator(nn.Module):
    """Noise [n, 1, 4, 4, 4] and gamma at each scale [n, 3, s, s, s] (hull, mask, brain) to images [n, 1, s, s, s], coarse first.

    Brain levels (1 = the brain's median), >= 0.
    """

    def __init__(self, size: int = 64):
        super().__init__()
        self.scales = scales_of(size)
        self.blocks = nn.ModuleDict({str(s): GeneratorBlock(s) for s in self.scales})

    def forward(self, noise: torch.Tensor, gammas: list[torch.Tensor]) -> list[torch.Tensor]:
        images, image = [], noise
        for block, gamma in zip(self.blocks.values(), gammas):
            image = positive(block(image, gamma))
            images.append(image)
        return images


class Drawing(nn.Module):
    """What ships: the finest image alone; gamma as separate inputs."""

    def __init__(self, network: Generator):
        super().__init__()
        self.network = network

    def forward(self, noise: torch.Tensor, *gammas: torch.Tensor) -> torch.Tensor:
        return self.network(noise, list(gammas))[-1]
