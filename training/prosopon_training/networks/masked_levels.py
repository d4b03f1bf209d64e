"""The masked autoencoder of both levels of codes (networks/complement_fine.py): one network for the coarse codes given the brain, one
for the fine codes given the brain and the coarse ones. A token is a 32 mm site in both; in the fine one it holds its eight sites of 16 mm.

    logits = model.coarse(brain_codes, brain_sites, seen, coarse, keep)         # [n, 384, 240]

What few heads teach has been built in. Codes come from whitened channels, so a distribution over a channel's levels is the site's
own frequencies times a Gaussian about a mean: two numbers a channel, not 240 logits (the codes' look-up sums three of them). It starts as
the frequencies, and every site has its own way in and out of the tokens: a head is nearly linear in its codes, and what a
site says of another depends on where both are.
"""
from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from ..contract import BRAIN_LEVELS, COMPLEMENT_LEVELS, SITES
from .blocks import space_to_depth
from .masked import Block

TOKENS = math.prod(SITES)
CONTEXT = len(BRAIN_LEVELS) + 2


def centres(level: int) -> torch.Tensor:
    """Where the levels of a channel lie before they are rounded (whitened units): middles of what rounds to them."""
    half = (level - 1) * (1 - 1e-3) / 2
    offset = 0.5 if level % 2 == 0 else 0.0
    digits = torch.arange(level).float() - level // 2
    return torch.atanh(((digits + offset) / half).clamp(-0.97, 0.97))


def codes_look_up(levels: tuple[int, ...]) -> torch.Tensor:
    """[levels of all channels, codes]: 1 where a code has that level; channel 0 runs fastest."""
    rest, rows = torch.arange(math.prod(levels)), []
    for level in levels:
        rows.append(F.one_hot(rest % level, level).T)
        rest = rest // level
    return torch.cat(rows).float()


def code_loss(by_channel: torch.Tensor, indices: torch.Tensor, weight: torch.Tensor, levels: tuple[int, ...] = COMPLEMENT_LEVELS) -> torch.Tensor:
    """Nats a code over the sites of ``weight`` [n, sites], from log-probabilities by channel [n, sites, levels of all channels]."""
    loss, rest = torch.zeros(indices.shape), indices
    for part, level in zip(by_channel.float().split(levels, -1), levels, strict=True):
        loss = loss + F.cross_entropy(part.transpose(1, 2), rest % level, reduction="none")
        rest = rest // level
    return (loss * weight).sum() / weight.sum().clamp(min=1)


class SiteLinear(nn.Module):
    """A linear map of its own for each token, [n, 384, inside] to [n, 384, outside]."""

    def __init__(self, inside: int, outside: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(TOKENS, inside, outside) / math.sqrt(inside))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.matmul(x.transpose(0, 1), self.weight).transpose(0, 1)


def tokens(x: torch.Tensor) -> torch.Tensor:
    """[n, c, 8, 8, 6], or [n, c, 16, 16, 12] whose eight sites become channels (c slowest), to [n, 384, channels]."""
    return (x if tuple(x.shape[2:]) == SITES else space_to_depth(x)).flatten(2).transpose(1, 2)


def sites_of_tokens(x: torch.Tensor) -> torch.Tensor:
    """[n, 384, 8, d] of the fine level to [n, 3072, d], sites row-major."""
    n, _, _, d = x.shape
    z, y, x_ = SITES
    return x.reshape(n, z, y, x_, 2, 2, 2, d).permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(n, 8 * TOKENS, d)


class LevelNetwork(nn.Module):
    """Context and masked codes of one level to a distribution for each channel of each of its sites.

    ``per``: sites in a token, 1 or 8. ``context``: channels a token knows beside them. Buffers (:meth:`know`): frequencies, means
    and deviations of the codes at each site over train heads.
    """

    def __init__(self, per: int, context: int, width: int, layers: int, heads: int, dropout: float, rank: int,
                 levels: tuple[int, ...] = COMPLEMENT_LEVELS):
        super().__init__()
        self.levels, self.per = levels, per
        d = len(levels)
        self.register_buffer("log_frequencies", torch.zeros(per * TOKENS, sum(levels)))
        self.register_buffer("mean", torch.zeros(1, d, per * TOKENS))
        self.register_buffer("spread", torch.ones(1, d, per * TOKENS))
        self.register_buffer("look_up", codes_look_up(levels))
        self.register_buffer("centres", torch.cat([centres(level) for level in levels]))
        self.register_buffer("channel", torch.repeat_interleave(torch.arange(d), torch.tensor(levels)))

        self.enter = SiteLinear(context + per * (d + 1), rank)
        self.widen = nn.Linear(rank, width)
        self.place = nn.Parameter(torch.randn(1, TOKENS, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.narrow = nn.Linear(width, rank)
        self.leave = SiteLinear(rank, per * d * 2)
        self.drop = nn.Dropout(dropout)
        with torch.no_grad():
            self.leave.weight.mul_(0.1)

    @torch.no_grad()
    def know(self, values: torch.Tensor, weight: float = 1.0) -> None:
        """Takes frequencies, means and deviations from quantised values [heads, d, z, y, x]; each site's counts get those of all sites as
        ``weight`` samples a level."""
        flat = values.flatten(2)
        self.mean.copy_(flat.mean(0, keepdim=True))
        self.spread.copy_(flat.std(0, keepdim=True).clamp(min=0.1))
        digits = []
        for c, level in enumerate(self.levels):
            half = (level - 1) * (1 - 1e-3) / 2
            digits.append((flat[:, c] * half - (0.5 if level % 2 == 0 else 0) + level // 2).round().long())
        indices = sum(d * math.prod(self.levels[:c]) for c, d in enumerate(digits))
        self.log_frequencies.copy_(self.frequencies(indices, self.levels, weight))

    @staticmethod
    def frequencies(indices: torch.Tensor, levels: tuple[int, ...], weight: float = 1.0) -> torch.Tensor:
        """Logarithms [sites, levels of all channels] from indices [heads, sites]."""
        out, rest = [], indices
        for level in levels:
            digits, rest = rest % level, rest // level
            counts = torch.zeros(indices.shape[1], level).scatter_add_(1, digits.T, torch.ones(digits.T.shape))
            every = counts.sum(0) + 1  # a level that no head has stays possible
            counts = counts + weight * level * every / every.sum()
            out.append((counts / counts.sum(1, keepdim=True)).log())
        return torch.cat(out, 1)

    def by_channel(self, context: torch.Tensor, codes: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        """``context`` [n, 384, channels], codes [n, d, z, y, x], keep [n, 1, z, y, x]; log-probabilities but for a
        constant of each channel's levels, one after another: [n, sites, 8 + 6 + 5]."""
        known = ((codes.flatten(2) - self.mean) / self.spread).reshape(codes.shape) * keep
        x = self.widen(self.enter(torch.cat([context, tokens(torch.cat([known, keep], 1))], 2))) + self.place
        for block in self.blocks:
            x = block(x)
        out = self.leave(self.narrow(self.drop(self.norm(x))))
        n, d = len(out), len(self.levels)
        out = out.float()
        if self.per == 8:
            out = sites_of_tokens(out.reshape(n, TOKENS, 8, 2 * d))
        # the evidence beside the site's own frequencies: a Gaussian about `middle`, whose precision starts near nothing
        middle, precision = out[..., self.channel], torch.exp((out[..., self.channel + d] - 3).clamp(-8, 6))
        return self.log_frequencies - 0.5 * precision * (self.centres - middle) ** 2


class MaskedLevels(nn.Module):
    """``coarse`` and ``fine``; where ``seen`` [n, 1] is 0 the brain is not shown: the codes of people in general."""

    def __init__(self, width: int = 128, layers: int = 4, heads: int = 4, dropout: float = 0.1, rank: int = 64):
        super().__init__()
        d = len(COMPLEMENT_LEVELS)
        self.coarse_network = LevelNetwork(1, CONTEXT + 1, width, layers, heads, dropout, rank)
        self.fine_network = LevelNetwork(8, CONTEXT + 1 + d + 1, width, layers, heads, dropout, rank)

    @staticmethod
    def brain(codes: torch.Tensor, sites: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        one = seen[:, :, None].expand(-1, TOKENS, -1)
        return torch.cat([tokens(torch.cat([codes, sites], 1)) * one, one], 2)

    def coarse(self, brain_codes: torch.Tensor, brain_sites: torch.Tensor, seen: torch.Tensor, codes: torch.Tensor,
               keep: torch.Tensor) -> torch.Tensor:
        """brain_codes [n, 4, 8, 8, 6]; brain_sites [n, 2, 8, 8, 6] (mask fraction, mean intensity); codes [n, 3, 8, 8, 6]. By channel."""
        return self.coarse_network.by_channel(self.brain(brain_codes, brain_sites, seen), codes, keep)

    def fine(self, brain_codes: torch.Tensor, brain_sites: torch.Tensor, seen: torch.Tensor, coarse: torch.Tensor, coarse_keep: torch.Tensor,
             codes: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        """As :meth:`coarse`, with codes [n, 3, 16, 16, 12], and the coarse ones with what of them is known."""
        net = self.coarse_network
        known = ((coarse.flatten(2) - net.mean) / net.spread).reshape(coarse.shape) * coarse_keep
        context = torch.cat([self.brain(brain_codes, brain_sites, seen), tokens(torch.cat([known, coarse_keep], 1))], 2)
        return self.fine_network.by_channel(context, codes, keep)

    def codes(self, by_channel: torch.Tensor) -> torch.Tensor:
        """Logits over the 240 codes."""
        return by_channel @ self.coarse_network.look_up
