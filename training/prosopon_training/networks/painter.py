"""The painter: what a drawn head at 2 mm lacks of a scan (septa, vessels, fibres, marrow, layers of the scalp), as a residual.

    residual = Painter(48)(head, noise)                # all [n, 1, z, y, x], even sizes

The learned head is a mean of 113 registered heads; moved by fields it has their shape and none of their structure. A residual
learnt by squares alone would be as smooth as that mean, so it is learnt against :class:`PatchDiscriminator` (Goodfellow 2014; patches:
Isola 2017). Fully convolutional on blocks of 2^3 voxels, with two 3^3 layers: it sees 24 mm, less than an eye with its lids,
and no place, so it can carry no face.
"""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from .blocks import depth_to_space, space_to_depth

SLOPE = 0.2
NOISE = 2
"""Random numbers of a block, of the eight voxels' own: with all of them the painter drew grain, which the pipeline's noise is, and no lines."""
SOFT = (0.25, 0.5, 0.25)
"""Along each axis over the residual: nothing is left of what changes sign from voxel to voxel. Resampling to a scan's grid takes most of that away, so
the discriminators do not miss it and hardly see it: without this the painter drew pepper and salt, with a fifth left one bright voxel
in every block of eight (a lattice of 4 mm, step 500)."""
MIDDLE, LEVELS, FINE = 0.55, 3.0, 3.0
"""About the mean of the complement in brain levels, and what brings its deviation (0.36) and that of its fine part (0.21) to about one (the mean is 0.67, six
val heads). With the fine part 8 times the painter drew grain first and lines never."""


def softened(x: torch.Tensor) -> torch.Tensor:
    """``SOFT`` along each axis, zeros beyond the ends; [n, 1, z, y, x]."""
    kernel = x.new_tensor(SOFT)
    for axis in range(3):
        shape, pad = [1, 1, 1, 1, 1], [0, 0, 0]
        shape[2 + axis], pad[axis] = 3, 1
        x = F.conv3d(x, kernel.view(shape), padding=tuple(pad))
    return x


def softening_of_blocks() -> torch.Tensor:
    """:func:`softened` on blocks of 2^3 voxels as channels: weights of a 3^3 convolution, [8, 8, 3, 3, 3]."""
    basis = torch.zeros(8, 8, 3, 3, 3)
    basis[range(8), range(8), 1, 1, 1] = 1
    answers = space_to_depth(softened(depth_to_space(basis)))
    return answers.transpose(0, 1).flip(2, 3, 4).contiguous()


class Painter(nn.Module):
    """Head in brain levels and standard normal noise, both [n, 1, z, y, x] of even sizes at 2 mm, to a residual in brain levels."""

    def __init__(self, width: int = 48):
        super().__init__()
        self.first = nn.Conv3d(8 + NOISE, width, 3, padding=1)
        self.second = nn.Conv3d(width, width, 1)
        self.third = nn.Conv3d(width, width, 3, padding=1)
        self.fourth = nn.Conv3d(width, width, 1)
        self.out = nn.Conv3d(width, 8, 1)
        # it begins as next to nothing, so that the discriminator starts on heads as they are drawn, and the same in all voxels of a block
        nn.init.normal_(self.out.weight, std=0.01)
        self.out.weight.data[1:] = self.out.weight.data[:1]
        nn.init.zeros_(self.out.bias)

    def forward(self, head: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        h = torch.cat([space_to_depth(head), space_to_depth(noise)[:, :NOISE]], 1)
        h = F.silu(self.second(F.silu(self.first(h))))
        h = F.silu(self.fourth(F.silu(self.third(h))))
        return softened(depth_to_space(self.out(h).float()))


class PatchDiscriminator(nn.Module):
    """Patches in brain levels and where they are shown, [n, 2, z, y, x], to a score for each 16 mm or so, [n, 1, z/8, y/8, x/8].

    Spectral norm (Miyato 2018) on each layer; without it on the last, scores of real and painted came to lie 12 apart in 250 steps, and nothing
    else that the painter is asked for counted. The first layer keeps all voxels, and sees the fine part apart: from brain levels
    alone, whose mean is most of them, 200 steps taught it little of grain and lines.
    """

    def __init__(self, width: int = 16):
        super().__init__()

        def layer(inside: int, outside: int, size: int, stride: int) -> nn.Module:
            return spectral_norm(nn.Conv3d(inside, outside, size, stride=stride, padding=(size - 1) // 2))

        self.layers = nn.ModuleList([
            layer(3, width, 3, 1), layer(width, 2 * width, 4, 2), layer(2 * width, 4 * width, 4, 2),
            layer(4 * width, 8 * width, 4, 2), layer(8 * width, 1, 1, 1)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        image, shown = x[:, :1], x[:, 1:]
        fine = (image - F.avg_pool3d(image, 3, stride=1, padding=1) / F.avg_pool3d(shown, 3, stride=1, padding=1).clamp(min=1e-2)) * shown
        x = torch.cat([LEVELS * (image - MIDDLE * shown), FINE * fine, shown], 1).contiguous(memory_format=torch.channels_last_3d)
        for each in self.layers[:-1]:
            x = F.leaky_relu(each(x), SLOPE)
        return self.layers[-1](x)


class Judges(nn.Module):
    """One discriminator at 2 mm and one at 4 mm, where patches show what lies 60 mm apart."""

    def __init__(self, width: int = 16):
        super().__init__()
        self.fine, self.coarse = PatchDiscriminator(width), PatchDiscriminator(width)

    def forward(self, patches: torch.Tensor) -> list[torch.Tensor]:
        return [self.fine(patches), self.coarse(F.avg_pool3d(patches, 2))]
