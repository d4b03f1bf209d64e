"""The masked autoencoder that ships: both levels of codes and the brain share a Gaussian latent. What is seen gives the latent's
posterior (:class:`LatentEncoder`), a latent gives a distribution for every site of both levels (:class:`LatentDecoder`).

    precision, evidence = model.posterior(brain_codes, brain_sites, seen, coarse, coarse_keep, fine, fine_keep)
    z = mean_of(precision, evidence)           # or a draw: codes of distant sites then belong together
    coarse, fine = model.logits(z)             # by channel, [n, 384, 19], [n, 3072, 19]

A head is nearly linear in its whitened codes, and there are 113 heads: half of a val head's coarse codes tell the other half with an
explained variance of 0.89 by ridge regression. So the weights are principal components of codes and brain over heads and mixtures,
in closed form, and a handful of noise levels are chosen on val. The transformer beside it (masked_levels.py) has to learn that by gradient.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from ..contract import BRAIN_LEVELS, COMPLEMENT_LEVELS, SITES
from .complement_fine import FINE_SITES
from .masked_levels import LevelNetwork, centres, codes_look_up

LEVELS = {"coarse": SITES, "fine": FINE_SITES}
BRAIN = (len(BRAIN_LEVELS) + 2) * math.prod(SITES)


@dataclass(frozen=True)
class Noise:
    """Variances in units of a feature's own variance. ``brain``, ``coarse``, ``fine``: what a seen feature is worth (more than its own where
    many are wrong together); ``left_coarse``, ``left_fine``: what a drawn code has beside the latent."""

    brain: float = 10.0
    coarse: float = 0.3
    fine: float = 0.5
    left_coarse: float = 0.1
    left_fine: float = 0.2


def in_whitened_units(digits: torch.Tensor, levels: tuple[int, ...] = COMPLEMENT_LEVELS) -> torch.Tensor:
    """Indices [n, sites] to middles of their steps [n, channels, sites]."""
    out, rest = [], digits.long()
    for level in levels:
        out.append(centres(level)[rest % level])
        rest = rest // level
    return torch.stack(out, 1)


class LatentCodes(nn.Module):
    def __init__(self, components: int, noise: Noise = Noise()):
        super().__init__()
        self.noise = noise
        d = len(COMPLEMENT_LEVELS)
        self.sizes = {"brain": BRAIN, "coarse": d * math.prod(SITES), "fine": d * math.prod(FINE_SITES)}
        for name, size in self.sizes.items():
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_spread", torch.ones(size))
            self.register_buffer(f"{name}_weights", torch.zeros(size, components))
        for name, shape in LEVELS.items():
            self.register_buffer(f"{name}_frequencies", torch.zeros(math.prod(shape), sum(COMPLEMENT_LEVELS)))
        self.register_buffer("centres", torch.cat([centres(level) for level in COMPLEMENT_LEVELS]))
        self.register_buffer("channel", torch.repeat_interleave(torch.arange(d), torch.tensor(COMPLEMENT_LEVELS)))
        self.register_buffer("look_up", codes_look_up(COMPLEMENT_LEVELS))

    @torch.no_grad()
    def fit(self, heads: dict[str, torch.Tensor], more: dict[str, torch.Tensor], brain_share: float = 0.5) -> float:
        """``heads`` and ``more`` (mixtures): ``brain`` [n, features] and quantised indices ``coarse``, ``fine`` [n, sites]. Means, spreads and
        frequencies are those of heads. Returns the share of the variance that the components hold."""
        parts = {"brain": torch.cat([heads["brain"], more["brain"]])}
        for level in LEVELS:
            parts[level] = torch.cat([in_whitened_units(x[level]).flatten(1) for x in (heads, more)])
            counts = LevelNetwork.frequencies(heads[level].long(), COMPLEMENT_LEVELS)
            getattr(self, f"{level}_frequencies").copy_(counts)
        n, rows = len(heads["brain"]), []
        for name, x in parts.items():
            mean, spread = x[:n].mean(0), x[:n].std(0).clamp(min=0.05)
            getattr(self, f"{name}_mean").copy_(mean)
            getattr(self, f"{name}_spread").copy_(spread)
            rows.append((x - mean) / spread * (brain_share if name == "brain" else 1))
        stack = torch.cat(rows, 1)
        values, vectors = torch.linalg.eigh(stack @ stack.T / len(stack))
        k = self.brain_weights.shape[1]
        weights = (stack.T @ vectors.flip(1)[:, :k]) / math.sqrt(len(stack))
        start = 0
        for name, size in self.sizes.items():
            getattr(self, f"{name}_weights").copy_(weights[start : start + size] / (brain_share if name == "brain" else 1))
            start += size
        return float(values.flip(0)[:k].sum() / values.sum())

    def seen(self, name: str, features: torch.Tensor, share: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What features [n, size] of which ``share`` [n, size] is seen add to the precision and to the evidence."""
        weights = getattr(self, f"{name}_weights")
        worth = share / getattr(self.noise, name)
        known = (features - getattr(self, f"{name}_mean")) / getattr(self, f"{name}_spread")
        return torch.matmul((weights * worth[:, :, None]).transpose(1, 2), weights), (known * worth) @ weights

    def posterior(self, brain_codes: torch.Tensor, brain_sites: torch.Tensor, seen: torch.Tensor, coarse: torch.Tensor, coarse_keep: torch.Tensor,
                  fine: torch.Tensor, fine_keep: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Precision [n, k, k] and evidence [n, k] of the latent: its mean is their quotient. Codes are quantised values [n, 3, z, y, x]."""
        brain = torch.cat([brain_codes.flatten(1), brain_sites.flatten(1)], 1)
        parts = [self.seen("brain", brain, seen.expand(-1, BRAIN))]
        for name, codes, keep in (("coarse", coarse, coarse_keep), ("fine", fine, fine_keep)):
            bounded = codes.clamp(-0.97, 0.97).flatten(1)
            known = 0.5 * torch.log((1 + bounded) / (1 - bounded))  # atanh, which the exporter does not know
            parts.append(self.seen(name, known, keep.expand_as(codes).flatten(1)))
        k = self.brain_weights.shape[1]
        return torch.eye(k) + sum(p for p, _ in parts), sum(e for _, e in parts)

    def by_channel(self, level: str, mean: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
        """Of codes whose features have ``mean`` and ``variance`` [n, size], spreads being 1: the site's frequencies, with the Gaussian of all heads
        changed for that one."""
        n, d = len(mean), len(COMPLEMENT_LEVELS)

        def by_level(x: torch.Tensor) -> torch.Tensor:
            return x.reshape(-1, d, x.shape[-1] // d).transpose(1, 2)[..., self.channel]

        where = (self.centres - by_level(getattr(self, f"{level}_mean"))) / by_level(getattr(self, f"{level}_spread"))
        return (getattr(self, f"{level}_frequencies") + by_level(mean / variance) * where - 0.5 * (by_level(1 / variance) - 1) * where**2).reshape(
            n, -1, len(self.centres))

    def logits(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """By channel, given a latent [n, k]."""
        return tuple(self.by_channel(level, z @ getattr(self, f"{level}_weights").T, torch.full((1, self.sizes[level]), getattr(self.noise, f"left_{level}")))
                     for level in LEVELS)

    def predicted(self, level: str, precision: torch.Tensor, evidence: torch.Tensor) -> torch.Tensor:
        """By channel, given what was seen: the latent's own uncertainty counts."""
        weights = getattr(self, f"{level}_weights")
        covariance = torch.linalg.inv(precision)
        mean = (covariance @ evidence[:, :, None])[..., 0] @ weights.T
        variance = torch.stack([((weights @ c) * weights).sum(1) for c in covariance])
        return self.by_channel(level, mean, (variance + getattr(self.noise, f"left_{level}")).clamp(max=1))
