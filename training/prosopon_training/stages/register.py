"""Registers every train and val head to a common template: the fields that the complement's VQ-VAE learns to code.

Each head gets a stationary velocity field at 8 mm (integrated: a diffeomorphism) and a smooth log gain at 8 mm, found by
gradient descent on the image and the brain mask at 4 mm, blurred first; the template is the mean of all heads carried
into its frame, renewed between rounds. Teaching a network to find the fields by itself (VoxelMorph's way) took 3.5 s of
CPU a step and had hardly moved the mean head after 200 steps; this takes seconds a head.

A step of the loop is one head of one round; ``--minutes`` does not bound it, as fields of half of the heads are of no use.
Writes ``fields.npz`` (ids, velocity [n, 3, 32, 32, 24], gain [n, 1, 32, 32, 24], fp16) and ``template.npy`` [128, 128, 96].
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .. import device
from ..chance import Chance
from ..contract import FIELD_SHAPE, TRIMMED_2MM
from ..data import read_index
from ..initial import learned_head
from ..loop import Budget, Rhythm
from ..loop import run as run_loop
from ..networks.complement import MAX_GAIN, blur, enlarge, integrate, push, warp
from .vqvae_complement import VELOCITY_SHAPE, make_sample, smoothness

CHECKPOINT_EVERY = 25
"""Heads."""
HELP = "register all heads to a template; needs prepared heads (train and val)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--iterations", type=int, nargs="+", default=[14, 12, 12], help="per round")
    parser.add_argument("--stiffness", type=float, default=150.0)
    parser.add_argument("--template", type=Path,
                        help="a learned head that stays as it is: models/head-128/model.onnx (cp-gan --form move needs fields of that one)")


def smooth_velocity(p: torch.Tensor) -> torch.Tensor:
    return blur(blur(p))


def weights(s: dict[str, torch.Tensor]) -> torch.Tensor:
    """At 4 mm: brain 0.2, else 1, face doubled, 0 outside the field of view."""
    w = (s["covered4"] > 0.99).float() * (1 - 0.8 * s["hole4"])
    d, h, _ = w.shape[2:]
    w[:, :, d // 5 : (3 * d) // 5, h // 2 :] *= 2
    return w


def local_gain(moved: torch.Tensor, truth: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Log ratio of local means (about 12 mm) where both are tissue, at 8 mm, [1, 1, 32, 32, 24]."""
    both = w.sign() * ((moved > 0.12) & (truth > 0.12)).float()

    def local(x: torch.Tensor) -> torch.Tensor:
        x = F.avg_pool3d(x, 2)
        for _ in range(4):
            x = blur(x)
        return x

    prior = 0.02
    return torch.log((local(truth * both) + prior) / (local(moved * both) + prior)).clamp(-MAX_GAIN, MAX_GAIN)


def register(s: dict[str, torch.Tensor], template: torch.Tensor, start: torch.Tensor, gain: torch.Tensor,
             iterations: int, level: int, stiffness: float) -> tuple[torch.Tensor, torch.Tensor, float]:
    """``template`` [1, 2, 64, 64, 48]: image and brain mask; ``level``: blurs of both images before comparing."""
    truth = torch.cat([F.avg_pool3d(s["image"], 2), s["hole4"]], 1)
    for _ in range(level):
        truth, template = blur(truth), blur(template)
    w = weights(s)
    p = start.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([p], lr=8e-3, betas=(0.8, 0.95))
    factor = torch.exp(enlarge(gain))
    total = w.sum()
    for i in range(iterations):
        optimiser.param_groups[0]["lr"] = 8e-3 * (1 - 0.7 * i / iterations)
        displacement = enlarge(integrate(smooth_velocity(p), 4))
        moved = warp(template, displacement)
        data = (w * (moved[:, :1] * factor - truth[:, :1]) ** 2).sum() / total
        data = data + 0.3 * ((moved[:, 1:] - truth[:, 1:]) ** 2).sum() / total
        loss = data + stiffness * smoothness(displacement)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        displacement = enlarge(integrate(smooth_velocity(p), 4))
        moved = warp(template, displacement)
        gain = local_gain(moved[:, :1], truth[:, :1], w)
    return p.detach(), gain, float(data.detach())


@torch.no_grad()
def carry(samples: list[tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]], full: bool) -> torch.Tensor:
    """Mean of heads pushed into the template's frame, [1, 2, z, y, x] at 4 mm (2 mm if ``full``); made symmetric."""
    shape = TRIMMED_2MM if full else FIELD_SHAPE
    n = shape[0] * shape[1] * shape[2]
    total, weight = torch.zeros(2, n), torch.zeros(n)
    for s, p, gain in samples:
        displacement, g = enlarge(integrate(smooth_velocity(p), 4)), enlarge(gain)
        image, brain, covered = s["image"], s["brain"], s["covered"]
        if full:
            displacement, g = enlarge(displacement), enlarge(g)
        else:
            image, brain, covered = F.avg_pool3d(image, 2), s["hole4"], s["covered4"]
        values = torch.stack([(image * torch.exp(-g))[0, 0], brain[0, 0]])
        push(total, weight, shape, values, displacement, covered[0, 0] > 0.99)
    total, weight = total.reshape(1, 2, *shape), weight.reshape(1, 1, *shape)
    total, weight = total + total.flip(4), weight + weight.flip(4)
    return (total + 0.1 * blur(total)) / (weight + 0.1 * blur(weight) + 0.05)


def kept_template(path: Path) -> torch.Tensor:
    """[1, 1, 64, 64, 48]: the shipped learned head at 4 mm."""
    return F.avg_pool3d(learned_head(path)[None, None], 2)


Sample = tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]
"""A head, its velocity before smoothing, and its gain."""


class Registration:
    """The :class:`loop.Learner` of all heads' fields and of the template: on the CPU, where they are read."""

    def __init__(self, samples: list[Sample], names: list[str], train: int, iterations: Sequence[int], stiffness: float,
                 kept: torch.Tensor | None, out: Path):
        self.samples, self.names, self.train, self.iterations = samples, names, train, iterations
        self.stiffness, self.kept, self.out, self.place = stiffness, kept, out, device.pick()
        self.template = self.renewed()
        self.losses: list[float] = []

    def renewed(self) -> torch.Tensor:
        """Made of train heads alone; with a template that is kept, its brain alone is found anew."""
        mean = carry(self.samples[: self.train], False)
        return mean if self.kept is None else torch.cat([self.kept, mean[:, 1:]], 1)

    def at(self, step: int, progress: float) -> None:
        pass

    def step(self, number: int) -> dict[str, float]:
        turn, i = divmod(number, len(self.samples))
        if i == 0:
            self.losses = []
        s, p, gain = self.samples[i]
        on = {key: value.to(self.place) for key, value in s.items()}
        p, gain, data = register(on, self.template.to(self.place), p.to(self.place), gain.to(self.place), self.iterations[turn],
                                 max(0, 2 - 2 * turn), self.stiffness)
        self.samples[i] = (s, p.cpu(), gain.cpu())
        self.losses.append(data)
        if i + 1 == len(self.samples):
            self.template = self.renewed()
            self.write()
        return {"data": data}

    def write(self) -> None:
        np.savez(self.out / "fields.npz", ids=self.names, velocity=torch.cat([smooth_velocity(p) for _, p, _ in self.samples]).half().numpy(),
                 gain=torch.cat([g for _, _, g in self.samples]).half().numpy())
        np.save(self.out / "template4.npy", self.template.numpy())

    def validate(self) -> dict[str, float]:
        """At the end of a round."""
        return {"data_round": float(np.mean(self.losses)), "val_data": float(np.mean(self.losses[self.train:]))}

    def state(self) -> dict[str, object]:
        return {"velocity": torch.cat([p for _, p, _ in self.samples]), "gain": torch.cat([g for _, _, g in self.samples]),
                "template": self.template, "losses": self.losses, "names": self.names}

    def load(self, state: dict) -> None:
        if state["names"] != self.names:
            raise SystemExit("the run folder holds a registration of other heads: expected the same, or an empty folder")
        self.samples = [(s, p[None], g[None]) for (s, _, _), p, g in zip(self.samples, state["velocity"], state["gain"])]
        self.template, self.losses = state["template"], state["losses"]

    def after(self, step: int) -> None:
        pass

    def finish(self, step: int) -> None:
        if self.kept is None:
            np.save(self.out / "template.npy", carry(self.samples[: self.train], True)[0, 0].numpy())


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    train, val = read_index(args.data, "train"), read_index(args.data, "val")
    heads = [*train, *val]
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    zero = torch.zeros(1, 3, *VELOCITY_SHAPE)
    samples = [(make_sample(np.random.default_rng(0), head, 0), zero, torch.zeros(1, 1, *VELOCITY_SHAPE)) for head in heads]
    kept = kept_template(args.template) if args.template else None
    registration = Registration(samples, [head.id for head in heads], len(train), args.iterations, args.stiffness, kept, out)
    run_loop(registration, out, Budget(float("inf"), len(args.iterations) * len(heads)), Rhythm(log=len(heads), validate=len(heads), checkpoint=CHECKPOINT_EVERY),
             Chance(args.seed))
