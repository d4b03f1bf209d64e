"""The painter as it ships: ``models/painted-residual``. The same sums as :class:`networks.painter.Painter`, as 2-D convolutions over three layers of
blocks as channels: ONNX Runtime has blocked kernels for 2-D convolutions alone, and WebGPU runs them.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from .export import write_model
from .networks.painter import NOISE, Painter, softening_of_blocks
from .runs import load_run, settings_of
from .slices import neighbours, slices_of_blocks, voxels_of_slices


def layered(x: torch.Tensor, conv: nn.Conv3d) -> torch.Tensor:
    """A 3^3 convolution on layers as a batch of pictures."""
    return F.conv2d(torch.cat(neighbours(x), 1), conv.weight.permute(0, 2, 1, 3, 4).flatten(1, 2), conv.bias, padding=1)


def flat(x: torch.Tensor, conv: nn.Conv3d) -> torch.Tensor:
    """A 1^3 convolution."""
    return F.conv2d(x, conv.weight[..., 0], conv.bias)


class PaintResidual(nn.Module):
    """Head in brain levels and standard normal noise to the residual, all [1, 1, z, y, x] of even sizes at 2 mm."""

    def __init__(self, painter: Painter):
        super().__init__()
        self.painter = painter
        self.register_buffer("softening", softening_of_blocks().permute(0, 2, 1, 3, 4).flatten(1, 2))

    def forward(self, head: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        net = self.painter
        x = torch.cat([slices_of_blocks(head), slices_of_blocks(noise)[:, :NOISE]], 1)
        h = F.silu(flat(F.silu(layered(x, net.first)), net.second))
        h = F.silu(flat(F.silu(layered(h, net.third)), net.fourth))
        h = torch.cat(neighbours(flat(h, net.out)), 1)
        return voxels_of_slices(F.conv2d(h, self.softening, padding=1))


def export_painter(run: Path, models: Path, _: argparse.Namespace) -> None:
    from .exports import COMMON

    net = load_run(Painter(settings_of(run)["width"]), run)
    shape = [1, 1, 64, 48, 32]
    write_model("painted-residual", PaintResidual(net), {"head": torch.rand(shape), "noise": torch.randn(shape)}, ["residual"], models, {
        **COMMON, "version": "0.1.0",
        "description": "What a drawn head at 2 mm lacks of a scan (septa, vessels, fibres, marrow), as a residual learnt adversarially; sees 24 mm",
        "normalisation": "1 = the brain's median; noise: standard normal", "settings": {"arena": True}},
        free_axes={name: {2: "z", 3: "y", 4: "x"} for name in ("head", "noise", "residual")}, run=run)
