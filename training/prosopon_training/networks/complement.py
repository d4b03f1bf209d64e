"""The complement's VQ-VAE: from everything that is not brain to a few codes, and from codes and a brain to a head.

A head is coded as what makes it from a learned head, the template: an integrated velocity field at 8 mm (a diffeomorphism:
no holes, no loose pieces) and a smooth gain. ``stages/register.py`` finds both for every training head; here they are
coded, one FSQ code for each 32 mm site, and decoded again, the decoder seeing the brain. So a draw is a head with eyes,
nose and ears whatever the codes say, and the sharpness of the result is the template's, at any grid.

Model grid trimmed from 128 to 96 voxels in x: [n, c, 128, 128, 96] at 2 mm, 64 x 64 x 48 at 4 mm, 32 x 32 x 24 at 8 mm.
"""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from ..contract import COMPLEMENT_LEVELS, SITES
from .blocks import Conv, PositionMap, Residual, Up
from .fsq import Fsq, SiteNorm, SiteWhitening

MAX_GAIN = 0.9
# normalised coordinates; about 5 mm, the deviation of a training head's displacement
DISPLACEMENT_SCALE = 0.05


def warp(volume: torch.Tensor, displacement: torch.Tensor) -> torch.Tensor:
    """Samples ``volume`` [n, c, z, y, x] at identity + displacement [n, 3, z, y, x] (x, y, z; units of half the grid)."""
    n = displacement.shape[0]
    theta = torch.eye(3, 4, dtype=displacement.dtype, device=displacement.device)[None].expand(n, -1, -1)
    identity = F.affine_grid(theta, [n, 1, *displacement.shape[2:]], align_corners=False)
    grid = identity + displacement.permute(0, 2, 3, 4, 1)
    return F.grid_sample(volume, grid, padding_mode="border", align_corners=False)


def push(total: torch.Tensor, weight: torch.Tensor, shape: tuple[int, int, int], values: torch.Tensor,
         displacement: torch.Tensor, seen: torch.Tensor) -> None:
    """Adds a head to a template grid of ``shape`` [z, y, x], in place: the transpose of :func:`warp`'s sampling.

    ``values`` [c, z, y, x] and ``displacement`` [1, 3, z, y, x] on the head's grid, ``seen`` [z, y, x] bool; ``total`` [c, n] and
    ``weight`` [n] over the template's flattened grid.
    """
    d, h, w = values.shape[1:]
    z, y, x = torch.meshgrid(torch.arange(d), torch.arange(h), torch.arange(w), indexing="ij")
    chosen = seen.reshape(-1)
    kept = values.reshape(values.shape[0], -1)[:, chosen]
    position = []
    for axis, (index, k, m) in enumerate(((x, w, shape[2]), (y, h, shape[1]), (z, d, shape[0]))):
        # grid_sample's coordinates, align_corners False: voxel i of n stands at (2 i + 1) / n - 1
        u = (2 * index + 1) / k - 1 + displacement[0, axis]
        position.append((((u + 1) * m - 1) / 2).reshape(-1)[chosen].clamp(0, m - 1.001))
    low = [q.long() for q in position]
    part = [q - i for q, i in zip(position, low)]
    for corner in range(8):
        bits = [(corner >> k) & 1 for k in range(3)]
        share = torch.ones_like(part[0])
        for bit, f in zip(bits, part):
            share = share * (f if bit else 1 - f)
        index = (low[0] + bits[0]) + shape[2] * ((low[1] + bits[1]) + shape[1] * (low[2] + bits[2]))
        total.index_add_(1, index, share * kept)
        weight.index_add_(0, index, share)


def integrate(velocity: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Scaling and squaring: the displacement of a stationary velocity field (Arsigny 2006)."""
    u = velocity / 2**steps
    for _ in range(steps):
        u = u + warp(u, u)
    return u


def blur(x: torch.Tensor) -> torch.Tensor:
    """[1 2 1]/4 along each axis: makes a linearly enlarged field smooth enough for skin."""
    n, c, d, h, w = x.shape
    y = F.pad(x.reshape(n * c, 1, d, h, w), (1, 1, 1, 1, 1, 1), mode="replicate")
    y = (y[..., :-2] + 2 * y[..., 1:-1] + y[..., 2:]) / 4
    y = (y[..., :-2, :] + 2 * y[..., 1:-1, :] + y[..., 2:, :]) / 4
    y = (y[..., :-2, :, :] + 2 * y[..., 1:-1, :, :] + y[..., 2:, :, :]) / 4
    return y.reshape(n, c, d, h, w)


def enlarge(x: torch.Tensor) -> torch.Tensor:
    return blur(F.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False))


class ComplementEncoder(nn.Module):
    """e2: displacement (x, y, z over ``DISPLACEMENT_SCALE``) and log gain at 8 mm, [n, 4, 32, 32, 24], to quantised values
    [n, d, 8, 8, 6]. Never called when de-identifying, and never exported."""

    def __init__(self, width: int = 32, levels: tuple[int, ...] = COMPLEMENT_LEVELS, norm: type[SiteNorm] | type[SiteWhitening] = SiteNorm):
        super().__init__()
        w = width
        self.fsq = Fsq(levels)
        self.net = nn.Sequential(
            Conv(4, 2 * w, 2), Residual(2 * w), Conv(2 * w, 3 * w, 2), Residual(3 * w),
            nn.Conv3d(3 * w, len(levels), 1), norm(len(levels), SITES),
        )

    def forward(self, fields: torch.Tensor) -> torch.Tensor:
        return self.fsq(self.net(fields))


class ComplementDecoder(nn.Module):
    """d2: codes and the brain (at 4 mm: mask fraction and mean intensity) to a velocity and a log gain at 8 mm."""

    def __init__(self, width: int = 32, code_channels: int = len(COMPLEMENT_LEVELS)):
        super().__init__()
        w = width
        self.brain8 = Conv(2, 24, 2)
        self.brain16 = nn.Sequential(Conv(24, 48, 2), Residual(48))
        self.brain32 = nn.Sequential(Conv(48, 96, 2), Residual(96))
        self.code = nn.Conv3d(code_channels + 1, 96, 1)
        self.place32 = PositionMap(96, SITES)
        self.start = nn.Sequential(Conv(192, 4 * w), Residual(4 * w))
        self.up16 = Up(4 * w, 2 * w)
        self.place16 = PositionMap(2 * w, tuple(2 * n for n in SITES))
        self.join16 = nn.Sequential(Conv(2 * w + 48, 2 * w), Residual(2 * w), Residual(2 * w))
        self.up8 = Up(2 * w, 24)
        self.join8 = Conv(48, 24)
        self.out8 = nn.Conv3d(24, 4, 3, padding=1)
        nn.init.zeros_(self.out8.weight)
        nn.init.zeros_(self.out8.bias)

    def forward(self, codes: torch.Tensor, keep: torch.Tensor, brain: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Codes [n, d, 8, 8, 6] and keep [n, 1, 8, 8, 6] (0 = the null code); brain [n, 2, 64, 64, 48].

        Returns displacement [n, 3, 32, 32, 24] (x, y, z in normalised coordinates, i.e. 96, 128, 128 mm) and log gain [n, 1, ...].
        """
        b8 = self.brain8(brain)
        b16 = self.brain16(b8)
        b32 = self.brain32(b16)
        h = self.place32(self.code(torch.cat([codes * keep, keep], 1)))
        h = self.start(torch.cat([h, b32], 1))
        h = self.join16(torch.cat([self.place16(self.up16(h)), b16], 1))
        h = self.join8(torch.cat([self.up8(h), b8], 1))
        out = self.out8(h)
        velocity = blur(DISPLACEMENT_SCALE * out[:, :3])
        return integrate(velocity, 4), MAX_GAIN * torch.tanh(blur(out[:, 3:]))


class ComplementVqVae(nn.Module):
    def __init__(self, width: int = 32, levels: tuple[int, ...] = COMPLEMENT_LEVELS):
        super().__init__()
        self.encoder = ComplementEncoder(width, levels)
        self.decoder = ComplementDecoder(width, len(levels))


def encoder_input(displacement: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    return torch.cat([displacement / DISPLACEMENT_SCALE, gain / 0.3], 1)
