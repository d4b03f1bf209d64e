"""New heads out of registered ones: their velocities mixed, and the brain of one of them carried along.

    heads = Mixtures(load_fields(run, read_index(data, "train")), read_label_fields(file), share=0.6)
    sample = heads.sample(rng)         # as FieldHead.sample, and `own`: whether brain and head belong together

A head is the learned one moved by its field, and so is its brain. A mixture of velocities therefore moves a brain too, and the
network must see the one that belongs to it: that of one of the parts, taken back to the learned head by its own field and on by
the mixture's, in one interpolation.

A mean of heads is nearer to the mean head than heads are. So the parts' differences from the mean are added with weights whose squares
sum to one: mixtures differ from the mean, and from each other, as much as heads do.

Two kinds: one weight a head (what a brain tells of a head stays as it is, all being linear), and weights that change over the head,
smoothly: the nose of one and the neck of another. There brain and head do not belong together, so codes must not be left out in
training, lest the decoder learn that a brain says nothing of its head.

Label heads (``--label-fields``) lend their shape alone: grey values painted from classes have no gain to learn and no brain as scans have it.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .networks.complement import integrate, warp
from .stages.vqvae_complement import SHAPE_8, FieldHead, deformed


@dataclass(frozen=True)
class LabelField:
    """[1, 3, 32, 32, 24] and [1, 1, 32, 32, 24]."""

    velocity: torch.Tensor
    covered: torch.Tensor


def read_label_fields(path: Path | None) -> list[LabelField]:
    """What ``tissue-map`` wrote beside its maps: ``fields.npz``, train label heads alone."""
    if path is None:
        return []
    data = np.load(path)
    return [LabelField(torch.from_numpy(v).float()[None], torch.from_numpy(c).float()[None]) for v, c in zip(data["velocity"], data["covered"], strict=True)]


def weights_of_parts(rng: np.random.Generator, count: int, patched: bool) -> torch.Tensor:
    """[count, 1, 1, 1, 1], or [count, 1, z, y, x] where they change over the head; squares sum to one."""
    if not patched:
        shares = torch.tensor(rng.dirichlet(np.full(count, 1.5)), dtype=torch.float32).view(count, 1, 1, 1, 1)
    else:
        cells = tuple(int(n) for n in rng.integers(3, 6, 3))
        logits = torch.tensor(rng.normal(0, 2.5, (count, 1, *cells)), dtype=torch.float32)
        shares = F.interpolate(logits, size=SHAPE_8, mode="trilinear", align_corners=True).softmax(0)
    return shares / (shares**2).sum(0, keepdim=True).sqrt()


class Mixtures:
    def __init__(self, heads: list[FieldHead], labels: list[LabelField], share: float, patched: float = 0.4):
        """``share`` of samples are mixtures (the others heads as they are), ``patched`` of those have weights that change over the head."""
        self.heads, self.share, self.patched = heads, share, patched
        self.velocities = [head.velocity for head in heads] + [label.velocity for label in labels]
        self.covered = [head.covered for head in heads] + [label.covered for label in labels]
        # of the scans alone: label heads were registered otherwise, and fewer of them are whole
        self.mean = torch.cat(self.velocities[: len(heads)]).mean(0, keepdim=True)
        # a stationary velocity's inverse displacement is that of its negative
        self.back = [integrate(-velocity, 4) for velocity in self.velocities]

    def sample(self, rng: np.random.Generator, strength: float = 1.0) -> dict[str, torch.Tensor]:
        """``strength`` of the deformation that comes on top."""
        if rng.random() >= self.share:
            return self.heads[rng.integers(len(self.heads))].sample(rng, strength) | {"own": torch.ones(1)}
        patched = bool(rng.random() < self.patched)
        parts = rng.choice(len(self.velocities), min(len(self.velocities), int(rng.integers(2, 4))), replace=False)
        mixed, donor = self.mix(parts, weights_of_parts(rng, len(parts), patched) * float(np.exp(rng.normal(0, 0.1))), rng)
        return deformed(rng, *mixed, strength) | {"own": torch.full((1,), float(not patched and donor))}

    def mix(self, parts: np.ndarray, weights: torch.Tensor, rng: np.random.Generator) -> tuple[tuple[torch.Tensor, ...], bool]:
        """Brain, coverage, displacement and gain; and whether the brain is that of a part."""
        velocity = self.mean + sum(w * (self.velocities[i] - self.mean) for i, w in zip(parts, weights, strict=True))
        u = integrate(velocity, 4)
        scans = [(float(w.mean()), int(i)) for i, w in zip(parts, weights, strict=True) if i < len(self.heads)]
        donor = max(scans)[1] if scans else int(rng.integers(len(self.heads)))
        lender = scans[rng.integers(len(scans))][1] if scans else donor
        to = {i: u + warp(self.back[i], u) for i in {*map(int, parts), donor, lender}}
        brain = warp(self.heads[donor].brain, F.interpolate(to[donor], scale_factor=2, mode="trilinear", align_corners=False))
        gain = warp(self.heads[lender].gain, to[lender])
        covered = torch.stack([warp(self.covered[int(i)], to[int(i)]) for i in parts]).amin(0)
        return (brain, covered, u, gain), bool(scans)
