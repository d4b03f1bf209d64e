"""Generator and discriminator of cp-gan as they learn together: losses, one step of both, what is kept of them.

    pair = Pair(args, device)
    row = pair.step(batch, penalise=False)
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from . import averaging
from .adamp import AdamP
from .gan_data import Batch, composites
from .initial import load_initial
from .networks.discriminator import Discriminator
from .networks.equalised import works_folded
from .networks.generator import Generator, smoothed
from .runs import read_checkpoint
from .schedule import Rates, linear_end

NOISE = (1, 4, 4, 4)
DIVERSE_SCALES = (8, 16)
APART = 0.1
"""Mean difference of two draws of one gamma, in brain levels of the complement inside the hull, from which on they are left alone."""
SPREAD = 12**-0.5
"""What the difference of two draws is worth: with it the least of ``unlike``, for normal values, has the draws' spread right."""


def losses(gap: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the discriminator and of the generator, from D(real) - D(fake) of each pair."""
    return 0.5 * ((1 - gap) ** 2).mean(), 0.5 * ((1 + gap) ** 2).mean()


def turned(gap: torch.Tensor) -> torch.Tensor:
    """What makes the discriminator's gradient at a fake the generator's: (gap + 1) / (gap - 1), for each pair.

    dL_D/dD(fake) = 1 - gap and dL_G/dD(fake) = -(1 + gap), each by n; nothing in D mixes heads of a batch.
    """
    slope = 1 - gap
    return -(1 + gap) / torch.where(slope.abs() < 1e-6, torch.full_like(slope, 1e-6), slope)


def too_alike(first: list[torch.Tensor], second: list[torch.Tensor], batch: Batch, scales: list[int]) -> torch.Tensor:
    """How much two draws of each gamma lack of the difference ``APART``, at coarse scales (mode seeking, Mao et al. 2019)."""
    lack = first[0].new_zeros(())
    for s, a, b, gamma, share, seen in zip(scales, first, second, batch.gammas, batch.shares, batch.covered):
        if s in DIVERSE_SCALES:
            weight = gamma[:, :1] * (1 - share) * seen
            apart = ((a - b).abs() * weight).sum((1, 2, 3, 4)) / weight.sum((1, 2, 3, 4)).clamp(min=1)
            lack = lack + (APART - apart).clamp(min=0).mean()
    return lack


def unlike(first: list[torch.Tensor], second: list[torch.Tensor], batch: Batch) -> torch.Tensor:
    """How far the mean of two draws lies from the real heads, less what is granted for the draws' difference; brain levels,
    over what lies in the hull and is no brain, summed over the scales.

    The distance of one draw would be least for one best guess, whatever the noise (two draws differed by 0.011 brain levels). With
    two draws and ``SPREAD`` it is least where draws lie about the mean as real heads do (Bendel et al. 2023, with P = 2).
    What is drawn in the air counts in full: the sum is over all that the scan covered.
    """
    total = first[0].new_zeros(())
    for a, b, head, gamma, share, seen in zip(first, second, batch.heads, batch.gammas, batch.shares, batch.covered):
        weight = (1 - share) * seen
        far = ((a + b) / 2 * seen - head).abs() - SPREAD * (a - b).abs()
        total = total + (far * weight).sum() / (weight * gamma[:, :1]).sum().clamp(min=1)
    return total


class Pair:
    """Both networks, their optimisers and the generator's moving average."""

    def __init__(self, args: argparse.Namespace, device: torch.device):
        self.device, self.noise, self.penalty, self.diversity = device, args.blur_noise, args.penalty, args.diversity
        self.likeness = args.likeness
        self.generator = self.make_generator(args).to(device)
        self.discriminator = Discriminator(args.size).to(device)
        self.ema = averaging.averaged(self.generator, args.ema)
        rate = args.discriminator_rate or args.learning_rate
        self.g_steps = AdamP(self.generator.parameters(), lr=args.learning_rate, betas=(0.0, 0.99))
        self.d_steps = AdamP(self.discriminator.parameters(), lr=rate, betas=(0.0, 0.99))
        # the linear end is for the lattice of late steps to settle
        self.rates = Rates([self.g_steps, self.d_steps], linear_end(warm_up=50))

    def make_generator(self, args: argparse.Namespace) -> torch.nn.Module:
        return Generator(args.size)

    def noise_for(self, batch: Batch) -> torch.Tensor:
        return torch.randn(batch.heads[0].shape[0], *NOISE, device=self.device)

    def seen(self, images: list[torch.Tensor]) -> list[torch.Tensor]:
        """What the discriminator is shown. The generator cannot draw what changes sign from voxel to voxel (its residuals are
        smoothed), so real heads must not show it either: by that alone the discriminator won (gap 0.96, on val heads too)."""
        images = [smoothed(x) if works_folded(x.shape[2]) else x for x in images]
        return [x + self.noise * torch.randn_like(x) for x in images] if self.noise > 0 else images

    def wishes(self, drawn: list[torch.Tensor], batch: Batch) -> tuple[torch.Tensor, dict[str, float]]:
        """What is asked of the generator beside the discriminator's verdict: to change with its noise, and to be like the real head."""
        row, total = {}, drawn[0].new_zeros(()) + 0.0 * drawn[-1].sum()
        if self.diversity == 0 and self.likeness == 0:
            return total, row
        # for diversity the coarse scales alone: an eighth of a generator's work
        scales = self.generator.scales
        count = len(scales) if self.likeness > 0 else 1 + scales.index(min(max(DIVERSE_SCALES), scales[-1]))
        other = self.generator(torch.randn(drawn[0].shape[0], *NOISE, device=self.device), batch.gammas[:count])
        if self.diversity > 0:
            lack = too_alike(drawn, other, batch, scales)
            row["alike"], total = float(lack.detach()), total + self.diversity * lack
        if self.likeness > 0:
            far = unlike(drawn, other, batch)
            row["unlike"], total = float(far.detach()), total + self.likeness * far
        return total, row

    def val_figures(self, batch: Batch, noise: torch.Tensor) -> dict[str, float]:
        """Of one val head and two noises: what only the form at hand can tell."""
        return {}

    def imitate(self, batch: Batch) -> dict[str, float]:
        """A step without the discriminator: half of the work, and a head in some hundred steps."""
        wishes, row = self.wishes(self.generator(self.noise_for(batch), batch.gammas), batch)
        self.g_steps.zero_grad(set_to_none=True)
        wishes.backward()
        if np.isfinite(float(wishes.detach())):
            self.g_steps.step()
            self.ema.update_parameters(self.generator)
        return row

    def step(self, batch: Batch, penalise: bool) -> dict[str, float]:
        n = batch.heads[0].shape[0]
        drawn = self.generator(self.noise_for(batch), batch.gammas)
        fakes = composites(drawn, batch)
        leaves = [x.detach().requires_grad_() for x in fakes]
        reals = [x.clone().requires_grad_() for x in batch.heads] if penalise else batch.heads
        both = [torch.cat(pair) for pair in zip(self.seen(reals), self.seen(leaves))]
        scores = self.discriminator(both, [torch.cat([g, g]) for g in batch.gammas])
        gap = scores[:n] - scores[n:]
        loss_d, loss_g = losses(gap)
        row = {"loss_d": float(loss_d.detach()), "loss_g": float(loss_g.detach()), "gap": float(gap.detach().mean())}
        self.d_steps.zero_grad(set_to_none=True)
        self.g_steps.zero_grad(set_to_none=True)
        loss_d.backward(retain_graph=penalise)
        factor = turned(gap.detach())[:, None, None, None, None]
        gradients = [leaf.grad * factor for leaf in leaves]
        if penalise:
            slopes = torch.autograd.grad(scores[:n].sum(), reals, create_graph=True)
            squared = sum((s**2).sum() for s in slopes) / n
            (8 * 0.5 * self.penalty * squared).backward()
            row["slope"] = float(squared.detach())
        wishes, figures = self.wishes(drawn, batch)
        row |= figures
        if self.likeness > 0:
            (pull,) = torch.autograd.grad(wishes, drawn[-1], retain_graph=True)
            if float(pull.norm()) > 0:  # what asks nothing of the image has no share in it
                row["push"] = float(gradients[-1].norm() / pull.norm())
        torch.autograd.backward([*fakes, wishes], [*gradients, torch.ones_like(wishes)])
        if all(np.isfinite(v) for v in row.values()):
            self.d_steps.step()
            self.g_steps.step()
            self.ema.update_parameters(self.generator)
        else:
            row = {"lost": 1.0}
        return row

    def state(self) -> dict:
        return {"model": self.generator.state_dict(), "discriminator": self.discriminator.state_dict(),
                "ema": self.ema.module.state_dict(), "optimiser": [self.g_steps.state_dict(), self.d_steps.state_dict()],
                "updates": averaging.updates(self.ema)}

    def load(self, state: dict) -> None:
        self.generator.load_state_dict(state["model"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.ema.module.load_state_dict(state["ema"])
        for optimiser, kept in zip((self.g_steps, self.d_steps), state["optimiser"]):
            optimiser.load_state_dict(kept)
        averaging.set_updates(self.ema, state["updates"])

    def start_from(self, path: Path) -> None:
        """Blocks that are there by name and shape: a run of another size gives all the scales that both have."""
        if path.suffix == ".onnx":
            fresh = load_initial(self.generator, path)
        else:
            state = read_checkpoint(path)
            fresh = fitted(self.generator, state["ema"]) + fitted(self.discriminator, state["discriminator"])
        self.ema.module.load_state_dict(self.generator.state_dict())
        print(f"started from {path.name}" + (f"; {len(fresh)} entries start afresh" if fresh else ""), flush=True)


def fitted(network: torch.nn.Module, weights: dict[str, torch.Tensor]) -> list[str]:
    """Loads what fits; returns the names of what does not."""
    own = network.state_dict()
    kept = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict(kept, strict=False)
    return [k for k in own if k not in kept]
