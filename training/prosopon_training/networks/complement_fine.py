"""The complement's VQ-VAE with two levels of codes (VQ-VAE-2's way): 8 x 8 x 6 sites of 32 mm say what a head is like, 16 x 16 x 12
sites of 16 mm say what the first left open. The fine encoder sees the fields beside what the coarse codes make of them, so it
codes the difference; the decoder works with the coarse codes alone too (fine codes null).

The channels of a code are made independent of each other before they are rounded (:class:`SiteWhitening`). Standardised one by one
(``SiteNorm``), all three came to say the same thing: correlated at 0.999, they left 17 to 19 of 240 codes in use.
"""
from __future__ import annotations

import torch
from torch import nn

from ..contract import COMPLEMENT_LEVELS
from .blocks import Conv, Residual
from .complement import DISPLACEMENT_SCALE, MAX_GAIN, ComplementDecoder, ComplementEncoder, blur, encoder_input, integrate
from .fsq import Fsq, SiteWhitening

FINE_SITES = (16, 16, 12)


class FineEncoder(nn.Module):
    """Fields and the coarse codes' decoding of them at 8 mm, [n, 8, 32, 32, 24], to quantised values [n, d, 16, 16, 12]."""

    def __init__(self, width: int, levels: tuple[int, ...]):
        super().__init__()
        self.fsq = Fsq(levels)
        self.net = nn.Sequential(
            Conv(8, 2 * width, 2), Residual(2 * width), Residual(2 * width),
            nn.Conv3d(2 * width, len(levels), 1), SiteWhitening(len(levels), FINE_SITES),
        )

    def forward(self, fields: torch.Tensor) -> torch.Tensor:
        return self.fsq(self.net(fields))


class TwoLevelDecoder(ComplementDecoder):
    """d2 with a second set of codes where its features have 16 mm."""

    def __init__(self, width: int, levels: tuple[int, ...]):
        super().__init__(width, len(levels))
        self.fine = nn.Sequential(nn.Conv3d(len(levels) + 1, 2 * width, 1), Residual(2 * width))

    def decode(self, codes: torch.Tensor, keep: torch.Tensor, fine: torch.Tensor, fine_keep: torch.Tensor,
               brain: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As ``forward`` of the one-level decoder, with fine codes [n, d, 16, 16, 12] and which of them to keep [n, 1, ...]."""
        b8 = self.brain8(brain)
        b16 = self.brain16(b8)
        h = self.place32(self.code(torch.cat([codes * keep, keep], 1)))
        h = self.start(torch.cat([h, self.brain32(b16)], 1))
        h = self.place16(self.up16(h)) + self.fine(torch.cat([fine * fine_keep, fine_keep], 1))
        h = self.join16(torch.cat([h, b16], 1))
        out = self.out8(self.join8(torch.cat([self.up8(h), b8], 1))).float()
        return integrate(blur(DISPLACEMENT_SCALE * out[:, :3]), 4), MAX_GAIN * torch.tanh(blur(out[:, 3:]))


class TwoLevelVqVae(nn.Module):
    def __init__(self, width: int = 32, levels: tuple[int, ...] = COMPLEMENT_LEVELS):
        super().__init__()
        self.encoder = ComplementEncoder(width, levels, SiteWhitening)
        self.fine_encoder = FineEncoder(width, levels)
        self.decoder = TwoLevelDecoder(width, levels)

    def codes(self, displacement: torch.Tensor, gain: torch.Tensor, brain: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Quantised values of both levels of a registered head."""
        fields = encoder_input(displacement, gain)
        coarse = self.encoder(fields)
        with torch.no_grad():
            ones, none = torch.ones_like(coarse[:, :1]), coarse.new_zeros((len(coarse), coarse.shape[1] + 1, *FINE_SITES))
            first = encoder_input(*self.decoder.decode(coarse, ones, none[:, 1:], none[:, :1], brain))
        return coarse, self.fine_encoder(torch.cat([fields, first], 1))
