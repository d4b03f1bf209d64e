"""The other form of cp-gan's generator: what goes from scale to scale is no image but how the learned head is moved and
brightened (a velocity and a log gain, four channels), as in the decoder of cp-mae. 113 heads and a CPU do not teach a network to
paint a face at 2 mm; they teach it to move one (docs/decisions/0014).

    generator = MovingGenerator(64, learned_head(Path("models/head-128/model.onnx")))
    images = generator(torch.randn(2, 1, 4, 4, 4), gammas)   # coarse first, as Generator gives them
"""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from ..contract import FIELD_SHAPE
from .complement import DISPLACEMENT_SCALE, MAX_GAIN, blur, enlarge, integrate, warp
from .generator import GeneratorBlock, scales_of

FIELDS = 32
"""Voxels along an edge of the fields: 8 mm, as fine as cp-mae's."""
TRIM = FIELD_SHAPE[2] / FIELD_SHAPE[0]
"""The learned head and everything that ships is 192 mm across; here all is on the cube of 256 mm."""
PARTS = 4
SCORES = NOISES = 64
MAX_SCORE = 2.5
"""Beyond it no training head lies on a component (as in cp-mae)."""


def on_cube(template: torch.Tensor, size: int) -> torch.Tensor:
    """The learned head [128, 128, 96] on the whole cube at ``size``^3, [1, 1, size, size, size]."""
    return F.avg_pool3d(F.pad(template[None, None], (16, 16)), 128 // size)


def cube_fields(displacement: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    """Registered fields on the trimmed grid ([n, 3, 32, 32, 24] and [n, 1, ...]) to [n, 4, 32, 32, 32]; x in the cube's normalised coordinates."""
    scaled = displacement * torch.tensor([TRIM, 1.0, 1.0], device=displacement.device).view(1, 3, 1, 1, 1)
    return F.pad(torch.cat([scaled, gain], 1), (4, 4, 0, 0, 0, 0), mode="replicate")


def rendered(template: torch.Tensor, fields: torch.Tensor) -> torch.Tensor:
    """[n, 1, s, s, s]: ``template`` [1, 1, s, s, s] moved and brightened by fields [n, 4, 32, 32, 32]."""
    while fields.shape[2] < template.shape[2]:
        fields = enlarge(fields)
    return warp(template.expand(fields.shape[0], -1, -1, -1, -1), fields[:, :3]) * torch.exp(fields[:, 3:])


class LinearStart(nn.Module):
    """The part of the fields that hull, mask and noise give by a linear map, found in closed form (``gan_start.py``), not by steps.

    Gamma at 32^3, averaged to 16^3, and the noise to scores; scores to a velocity and a gain at 16 mm, enlarged to 8 mm. Zero until
    it is fitted.
    """

    def __init__(self):
        super().__init__()
        half = FIELDS // 2
        self.register_buffer("weight", torch.zeros(SCORES, 2 * half**3))
        self.register_buffer("bias", torch.zeros(SCORES))
        self.register_buffer("spread", torch.zeros(SCORES, NOISES))
        self.register_buffer("basis", torch.zeros(SCORES, PARTS * half**3))

    @staticmethod
    def inputs(gamma: torch.Tensor) -> torch.Tensor:
        """Hull and mask of gamma at 32^3 [n, 3, ...] to [n, 2 * 16^3]."""
        return F.avg_pool3d(gamma[:, :2], 2).flatten(1)

    def forward(self, noise: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        scores = F.linear(self.inputs(gamma), self.weight, self.bias)
        scores = scores + F.linear(noise.flatten(1).clamp(-MAX_SCORE, MAX_SCORE), self.spread)
        half = FIELDS // 2
        return enlarge((scores @ self.basis).reshape(-1, PARTS, half, half, half))


class MovingGenerator(nn.Module):
    """Noise [n, 1, 4, 4, 4] and gamma at each scale from 4^3 to 32^3 at least to images at ``size``^3 and all coarser scales.

    Brain levels. The coarser images are means of the finest: a head moved at 32 mm is none yet.
    """

    def __init__(self, size: int, template: torch.Tensor):
        super().__init__()
        if size < FIELDS:
            raise ValueError(f"expected a size of {FIELDS} at least, found {size}")
        self.scales = scales_of(size)
        self.start = LinearStart()
        self.blocks = nn.ModuleDict({str(s): GeneratorBlock(s, PARTS, placed=True) for s in scales_of(FIELDS)})
        # not a weight: what ships reads the head from models/head-128
        self.register_buffer("template", on_cube(template, size), persistent=False)
        nn.init.zeros_(self.blocks["4"].out.weight)  # starts as the learned head itself

    def fields(self, noise: torch.Tensor, gammas: list[torch.Tensor]) -> torch.Tensor:
        """[n, 4, 32, 32, 32]: displacement (x, y, z in the cube's normalised coordinates) and log gain."""
        raw = noise
        for block, gamma in zip(self.blocks.values(), gammas):
            raw = block(raw, gamma)
        raw = blur(raw) + self.start(noise, gammas[len(self.blocks) - 1])
        return torch.cat([integrate(DISPLACEMENT_SCALE * raw[:, :3], 4), MAX_GAIN * torch.tanh(raw[:, 3:])], 1)

    def images(self, fields: torch.Tensor) -> list[torch.Tensor]:
        """Of all scales, coarse first."""
        finest = rendered(self.template, fields)
        return [F.avg_pool3d(finest, self.scales[-1] // s) if s < self.scales[-1] else finest for s in self.scales]

    def forward(self, noise: torch.Tensor, gammas: list[torch.Tensor]) -> list[torch.Tensor]:
        return self.images(self.fields(noise, gammas))


class Moving(nn.Module):
    """What ships: displacement and log gain at 4 mm on the trimmed grid, as ``complement-decoder`` gives them."""

    def __init__(self, network: MovingGenerator):
        super().__init__()
        self.network = network

    def forward(self, noise: torch.Tensor, *gammas: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fields = enlarge(self.network.fields(noise, list(gammas)))[:, :, :, :, 8:56]
        x, yz = fields[:, :1] / TRIM, fields[:, 1:3]
        return torch.cat([x, yz], 1), fields[:, 3:]
