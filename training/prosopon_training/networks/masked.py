"""The masked autoencoder over codes: brain codes seen, complement codes masked and predicted (CP-MAE section on the
"masked autoencoder"; bidirectional transformer as in MaskGIT, one token for each 32 mm site, both codes fused in it).
"""
from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from ..contract import BRAIN_LEVELS, COMPLEMENT_LEVELS, SITES


class Block(nn.Module):
    """Pre-norm self-attention and MLP; attention dropout stays 0, or the fused kernel is lost."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, t, w = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, t, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, w)
        x = x + self.drop(self.out(y))
        return x + self.drop(self.mlp(self.norm2(x)))


class MaskedAutoencoder(nn.Module):
    """Brain codes, brain at the sites, complement codes with a keep mask, to logits over the complement's codes."""

    def __init__(self, codes: int = math.prod(COMPLEMENT_LEVELS), complement_channels: int = len(COMPLEMENT_LEVELS),
                 brain_channels: int = len(BRAIN_LEVELS), width: int = 160, layers: int = 5, heads: int = 5, dropout: float = 0.1):
        super().__init__()
        self.brain = nn.Linear(brain_channels + 2, width)
        self.complement = nn.Linear(complement_channels + 1, width)
        self.place = nn.Parameter(torch.randn(1, SITES[0] * SITES[1] * SITES[2], width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.logits = nn.Linear(width, codes)

    def forward(self, brain_codes: torch.Tensor, brain_sites: torch.Tensor, codes: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        """brain_codes [n, 4, 8, 8, 6]; brain_sites [n, 2, 8, 8, 6] (mask fraction, mean intensity of the site);
        codes [n, 3, 8, 8, 6] values and keep [n, 1, 8, 8, 6] (1 = visible). Returns [n, 384, codes], sites row-major.
        """
        def tokens(x: torch.Tensor) -> torch.Tensor:
            return x.flatten(2).transpose(1, 2)

        x = self.brain(tokens(torch.cat([brain_codes, brain_sites], 1)))
        x = x + self.complement(tokens(torch.cat([codes * keep, keep], 1))) + self.place
        for block in self.blocks:
            x = block(x)
        return self.logits(self.norm(x))
