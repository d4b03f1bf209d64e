"""Finite scalar quantisation (Mentzer 2023): each of d channels is bounded and rounded to L_i levels.

No codebook to learn and none to collapse. Half-integer offsets for even L as in the paper's appendix.
"""
from __future__ import annotations

import torch
from torch import nn

from ..contract import COMPLEMENT_LEVELS


class Fsq(nn.Module):
    """[n, d, ...] to quantised values in [-1, 1] of the same shape, with a straight-through gradient."""

    def __init__(self, levels: tuple[int, ...] = COMPLEMENT_LEVELS):
        super().__init__()
        self.levels = levels
        self.size = 1
        for level in levels:
            self.size *= level

    def _bounds(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        shape = (1, -1) + (1,) * (x.dim() - 2)
        levels = torch.tensor(self.levels, dtype=x.dtype, device=x.device).view(shape)
        half = (levels - 1) * (1 - 1e-3) / 2
        offset = torch.where(levels % 2 == 0, 0.5, 0.0)
        return levels, half, offset

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        levels, half, offset = self._bounds(x)
        bounded = torch.tanh(x + torch.atanh(offset / half)) * half - offset
        rounded = bounded + (bounded.round() - bounded).detach()
        return (rounded + offset) / half

    def indices(self, quantised: torch.Tensor) -> torch.Tensor:
        """[n, d, ...] quantised values to [n, ...] integers below ``size``; channel 0 runs fastest."""
        levels, half, offset = self._bounds(quantised)
        digits = (quantised * half - offset + levels // 2).round().long()
        out = torch.zeros_like(digits[:, 0])
        place = 1
        for i, level in enumerate(self.levels):
            out = out + digits[:, i] * place
            place *= level
        return out

    def values(self, indices: torch.Tensor) -> torch.Tensor:
        """The inverse of :meth:`indices`: [n, ...] integers to [n, d, ...] values."""
        digits = []
        rest = indices
        for level in self.levels:
            digits.append(rest % level)
            rest = rest // level
        digit = torch.stack(digits, 1).float()
        levels, half, offset = self._bounds(digit)
        return (digit - levels // 2 + offset) / half


class SiteNorm(nn.Module):
    """Standardises every channel of every site by running statistics over heads (no gradient through them).

    Without it all heads fell into one code within 200 steps: what differs between heads at a site is small beside what
    differs between sites, and rounding swallowed it. The floor keeps sites where nothing differs (air) at one code.
    """

    def __init__(self, channels: int, shape: tuple[int, int, int], momentum: float = 0.03, floor: float = 0.05):
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, *shape))
        self.register_buffer("variance", torch.ones(1, channels, *shape) * 0.1)
        self.momentum = momentum
        self.floor = floor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(x.mean(0, keepdim=True), self.momentum)
                self.variance.lerp_(((x - self.mean) ** 2).mean(0, keepdim=True), self.momentum)
        return (x - self.mean) / (self.variance.sqrt() + self.floor)


class SiteWhitening(nn.Module):
    """As :class:`SiteNorm`, and makes the channels of a site independent of each other (Cholesky's factor of their running covariance).

    This is what the reset of dead codes is in a learned codebook: FSQ has no code to reset, its codes die when its channels
    say the same. Nothing in the loss keeps them apart: each is pulled to the direction in which heads differ most, and as the statistics
    follow without a gradient, the spread before them grew to hundreds. So the gradient that turns channels to each other or makes
    them larger, over all sites, is taken away; the values are not touched by that.
    """

    def __init__(self, channels: int, shape: tuple[int, int, int], momentum: float = 0.03, floor: float = 0.05):
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, *shape))
        self.register_buffer("covariance", torch.eye(channels).repeat(shape[0] * shape[1] * shape[2], 1, 1))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))
        self.momentum = momentum
        self.floor = floor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return self.whitened(x.float())

    def whitened(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.follow(x.detach())
        apart = (x - self.mean).flatten(2).permute(2, 1, 0)
        # of the mean spread over sites, not of this one's: where nothing differs (air) noise stays at one code
        eye = torch.eye(x.shape[1], device=x.device)
        floor = self.floor**2 * self.covariance.diagonal(dim1=1, dim2=2).mean() + 1e-12
        white = torch.linalg.solve_triangular(torch.linalg.cholesky(self.covariance + floor * eye), apart, upper=False)
        if self.training:
            flat = white.permute(1, 0, 2).flatten(1)
            factor = torch.linalg.cholesky(flat @ flat.T / flat.shape[1] + 1e-3 * eye)
            flat = factor.detach() @ torch.linalg.solve_triangular(factor, flat, upper=False)
            white = flat.reshape(x.shape[1], -1, x.shape[0]).permute(1, 0, 2)
        return white.permute(2, 1, 0).reshape(x.shape)

    @torch.no_grad()
    def follow(self, x: torch.Tensor) -> None:
        self.seen += 1
        share = max(self.momentum, 1 / (int(self.seen) + 1))
        self.mean.lerp_(x.mean(0, keepdim=True), 1.0 if self.seen == 1 else share)
        apart = (x - self.mean).flatten(2)
        self.covariance.lerp_(torch.einsum("nis,njs->sij", apart, apart) / len(x), 1.0 if self.seen == 1 else share)
