"""The complement's VQ-VAE: from everything that is not brain to a few codes, and from codes and a brain to a head.

Low rate and a strong decoder: one FSQ code for each 32 mm site. The decoder does not paint voxels. It moves and
brightens a learned head: an integrated velocity field at 8 mm (a diffeomorphism: no holes, no loose pieces), a fine
displacement at 4 mm, and a smooth gain at 8 mm act on a template of 2 mm that is learned with the rest. So a draw is a
head with eyes, nose and ears whatever the codes say, and the sharpness of the result is the template's, at any grid.

Model grid trimmed from 128^3 to 96 voxels in x: [n, c, 128, 128, 96] at 2 mm, 64 x 64 x 48 at 4 mm.
"""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .blocks import Conv, PositionMap, Residual, Up, space_to_depth
from .fsq import Fsq, SiteNorm

SITES = (8, 8, 6)
MAX_GAIN = 0.9


class ComplementEncoder(nn.Module):
    """e2: complement at 2 mm (air and brain zeroed) and its brain hole to codes. Never called when de-identifying."""

    def __init__(self, width: int = 32, levels: tuple[int, ...] = (8, 6, 5)):
        super().__init__()
        w = width
        self.fsq = Fsq(levels)
        self.net = nn.Sequential(
            Conv(10, w, 2), Conv(w, w), Conv(w, 2 * w, 2), Residual(2 * w), Conv(2 * w, 3 * w, 2), Residual(3 * w),
            nn.Conv3d(3 * w, len(levels), 1), SiteNorm(len(levels), SITES),
        )

    def forward(self, complement: torch.Tensor, brain: torch.Tensor, covered: torch.Tensor) -> torch.Tensor:
        """Complement [n, 1, 128, 128, 96]; brain and covered fractions [n, 1, 64, 64, 48]; values [n, d, 8, 8, 6]."""
        return self.fsq(self.net(torch.cat([space_to_depth(complement), brain, covered], 1)))


def warp(volume: torch.Tensor, displacement: torch.Tensor) -> torch.Tensor:
    """Samples ``volume`` [n, c, z, y, x] at identity + displacement [n, 3, z, y, x] (x, y, z; units of half the grid)."""
    n = displacement.shape[0]
    theta = torch.eye(3, 4, dtype=displacement.dtype)[None].expand(n, -1, -1)
    identity = F.affine_grid(theta, [n, 1, *displacement.shape[2:]], align_corners=False)
    grid = identity + displacement.permute(0, 2, 3, 4, 1)
    return F.grid_sample(volume, grid, padding_mode="border", align_corners=False)


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


class ComplementDecoder(nn.Module):
    """d2: codes and the brain (at 4 mm: mask fraction and mean intensity) to a displacement and a gain at 4 mm."""

    def __init__(self, width: int = 32, code_channels: int = 3):
        super().__init__()
        w = width
        self.brain8 = nn.Sequential(Conv(2, 24, 2), Conv(24, 24))
        self.brain16 = nn.Sequential(Conv(24, 48, 2), Residual(48))
        self.brain32 = nn.Sequential(Conv(48, 96, 2), Residual(96))
        self.code = nn.Conv3d(code_channels + 1, 96, 1)
        self.place32 = PositionMap(96, SITES)
        self.start = nn.Sequential(Conv(192, 4 * w), Residual(4 * w))
        self.up16 = Up(4 * w, 2 * w)
        self.place16 = PositionMap(2 * w, (16, 16, 12))
        self.join16 = nn.Sequential(Conv(2 * w + 48, 2 * w), Residual(2 * w), Residual(2 * w))
        self.up8 = Up(2 * w, w)
        self.place8 = PositionMap(w, (32, 32, 24))
        self.join8 = nn.Sequential(Conv(w + 24, w), Residual(w))
        self.out8 = nn.Conv3d(w, 4, 3, padding=1)
        self.up4 = Up(w, 12)
        self.join4 = Conv(14, 12)
        self.out4 = nn.Conv3d(12, 3, 3, padding=1)
        for head in (self.out8, self.out4):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, codes: torch.Tensor, keep: torch.Tensor, brain: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Codes [n, d, 8, 8, 6] and keep [n, 1, 8, 8, 6] (0 = the null code); brain [n, 2, 64, 64, 48].

        Returns displacement [n, 3, 64, 64, 48] (x, y, z in half grids, i.e. 96, 128, 128 mm) and log gain [n, 1, ...].
        """
        b8 = self.brain8(brain)
        b16 = self.brain16(b8)
        b32 = self.brain32(b16)
        h = self.place32(self.code(torch.cat([codes * keep, keep], 1)))
        h = self.start(torch.cat([h, b32], 1))
        h = self.join16(torch.cat([self.place16(self.up16(h)), b16], 1))
        h = self.join8(torch.cat([self.place8(self.up8(h)), b8], 1))
        coarse = self.out8(h)
        velocity = blur(0.1 * coarse[:, :3])
        gain = MAX_GAIN * torch.tanh(blur(coarse[:, 3:]))
        fine = self.join4(torch.cat([self.up4(h), brain], 1))
        fine = 0.03 * torch.tanh(blur(self.out4(fine)))
        displacement = enlarge(integrate(velocity)) + fine
        return displacement, enlarge(gain)


class Template(nn.Module):
    """The learned head at 2 mm, [1, 1, 128, 128, 96], at least 0 (air)."""

    def __init__(self) -> None:
        super().__init__()
        self.volume = nn.Parameter(torch.zeros(1, 1, 128, 128, 96))

    def forward(self) -> torch.Tensor:
        return self.volume.clamp(min=0)


class ComplementVqVae(nn.Module):
    def __init__(self, width: int = 32, levels: tuple[int, ...] = (8, 6, 5)):
        super().__init__()
        self.encoder = ComplementEncoder(width, levels)
        self.decoder = ComplementDecoder(width, len(levels))
        self.template = Template()

    def render(self, displacement: torch.Tensor, gain: torch.Tensor, full: bool) -> torch.Tensor:
        """The head at 2 mm (``full``) or 4 mm."""
        template = self.template().expand(displacement.shape[0], -1, -1, -1, -1)
        if not full:
            return warp(F.avg_pool3d(template, 2), displacement) * torch.exp(gain)
        return warp(template, enlarge(displacement)) * torch.exp(enlarge(gain))
