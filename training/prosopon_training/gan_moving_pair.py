"""The pair of networks in the form that moves a learned head: what is asked of the generator is asked of its fields.

    pair = MovingPair(args, device)   # as Pair; batches from make_moved_batch
"""
from __future__ import annotations

import argparse

import numpy as np
import torch

from .gan_moved_data import MovedBatch
from .gan_pair import SPREAD, Pair
from .initial import learned_head
from .networks.complement import DISPLACEMENT_SCALE
from .networks.moving import MovingGenerator

GAIN_SCALE = 0.3
HALF_CUBE_MM = 128


def scaled(fields: torch.Tensor) -> torch.Tensor:
    """Displacement and log gain by what they spread over training heads."""
    return torch.cat([fields[:, :3] / DISPLACEMENT_SCALE, fields[:, 3:] / GAIN_SCALE], 1)


def field_distance(a: torch.Tensor, b: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor, spread: float) -> torch.Tensor:
    """As :func:`gan_pair.unlike`, of fields [n, 4, z, y, x]: the mean of two draws against the registered head, less what is granted
    for their difference; with a part for what changes from voxel to voxel."""
    a, b, truth = scaled(a), scaled(b), scaled(truth)
    far = ((a + b) / 2 - truth).abs() - spread * (a - b).abs()
    bend = sum(((a + b) / 2 - truth).diff(dim=axis).abs().mean() for axis in (2, 3, 4))
    return (far * weight).sum() / weight.sum() / far.shape[1] + bend


class MovingPair(Pair):
    def make_generator(self, args: argparse.Namespace) -> MovingGenerator:
        return MovingGenerator(args.size, learned_head(args.template))

    def seen(self, images: list[torch.Tensor]) -> list[torch.Tensor]:
        """Real and drawn come of one learned head: there is no texture to hide."""
        return [x + self.noise * torch.randn_like(x) for x in images] if self.noise > 0 else images

    def two_fields(self, batch: MovedBatch) -> tuple[torch.Tensor, torch.Tensor]:
        n = batch.fields.shape[0]
        both = self.generator.fields(torch.cat([self.noise_for(batch), self.noise_for(batch)]), [torch.cat([g, g]) for g in batch.gammas])
        return both[:n], both[n:]

    def wishes(self, drawn: list[torch.Tensor], batch: MovedBatch) -> tuple[torch.Tensor, dict[str, float]]:
        row, total = {}, drawn[0].new_zeros(()) + 0.0 * drawn[-1].sum()
        if self.likeness > 0:
            far = field_distance(*self.two_fields(batch), batch.fields, batch.weight, SPREAD)
            row["unlike"], total = float(far.detach()), total + self.likeness * far
        return total, row

    def imitate(self, batch: MovedBatch) -> dict[str, float]:
        """A step on fields alone: a tenth of the work of one with images."""
        far = field_distance(*self.two_fields(batch), batch.fields, batch.weight, SPREAD)
        self.g_steps.zero_grad(set_to_none=True)
        far.backward()
        if np.isfinite(float(far.detach())):
            self.g_steps.step()
            self.ema.update_parameters(self.generator)
        return {"unlike": float(far.detach())}

    @torch.no_grad()
    def val_figures(self, batch: MovedBatch, noise: torch.Tensor) -> dict[str, float]:
        """Millimetres over the face and head: from the registered head, and from each other; of the averaged weights."""
        a, b = (self.ema.module.fields(z[None], batch.gammas)[:, :3] for z in noise)
        weight = batch.weight / batch.weight.sum()

        def rms(x: torch.Tensor) -> float:
            return HALF_CUBE_MM * float((x**2).sum(1, keepdim=True).mul(weight).sum().sqrt())

        return {"mm": rms(a - batch.fields[:, :3]), "mm_mean": rms((a + b) / 2 - batch.fields[:, :3]), "mm_apart": rms(a - b),
                "mm_none": rms(batch.fields[:, :3])}
