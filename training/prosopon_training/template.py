"""The learned head at 1 mm: every training head is carried into the template's frame by the decoder's own fields and
averaged there. The heads have 2 mm voxels in as many positions as there are heads, so their mean holds finer detail
than any of them; a mild sharpening undoes part of the interpolation's blur.
"""
from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from .data import COVERED, HeadRecord
from .networks.complement import SITES, ComplementVqVae, blur, enlarge
from .stages.vqvae_complement import make_sample

FINE = (256, 256, 192)


@torch.no_grad()
def splat(model: ComplementVqVae, heads: list[HeadRecord]) -> torch.Tensor:
    """Mean over heads, every other one mirrored, on the 1 mm grid, [256, 256, 192]; 0 where no head reaches."""
    total = torch.zeros(FINE[0] * FINE[1] * FINE[2])
    weight = torch.zeros_like(total)
    for number, head in enumerate(heads):
        s = make_sample(np.random.default_rng(0), head, 0)
        for t in [{k: v.flip(4) for k, v in s.items()} if number % 2 else s]:
            q = model.encoder(t["complement"], t["hole4"], t["covered4"])
            displacement, gain = model.decoder(q, torch.ones(1, 1, *SITES), t["brain4"])
            displacement, gain = enlarge(displacement)[0], enlarge(gain)[0, 0]
            seen = (t["covered"][0, 0] > 0.5).reshape(-1)
            values = (t["image"][0, 0] * torch.exp(-gain)).reshape(-1)[seen]
            d, h, w = t["image"].shape[2:]
            z, y, x = torch.meshgrid(torch.arange(d), torch.arange(h), torch.arange(w), indexing="ij")
            # grid_sample's coordinates, align_corners False: voxel i of n stands at (2 i + 1) / n - 1
            position = []
            for axis, (index, n, fine) in enumerate(((x, w, FINE[2]), (y, h, FINE[1]), (z, d, FINE[0]))):
                u = (2 * index + 1) / n - 1 + displacement[axis]
                position.append((((u + 1) * fine - 1) / 2).reshape(-1)[seen].clamp(0, fine - 1.001))
            px, py, pz = position
            ix, iy, iz = px.long(), py.long(), pz.long()
            fx, fy, fz = px - ix, py - iy, pz - iz
            for a in (0, 1):
                for b in (0, 1):
                    for c in (0, 1):
                        share = (fx if a else 1 - fx) * (fy if b else 1 - fy) * (fz if c else 1 - fz)
                        index = (ix + a) + FINE[2] * ((iy + b) + FINE[1] * (iz + c))
                        total.index_add_(0, index, share * values)
                        weight.index_add_(0, index, share)
    # where few samples fall, borrow from the neighbourhood
    total, weight = total.reshape(1, 1, *FINE), weight.reshape(1, 1, *FINE)
    wide_total, wide_weight = blur(blur(total)), blur(blur(weight))
    mean = (total + 0.2 * wide_total) / (weight + 0.2 * wide_weight + 1e-3)
    mean[wide_weight < 0.3] = 0
    return mean[0, 0]


def sharpen(volume: torch.Tensor, amount: float = 0.8) -> torch.Tensor:
    """Unsharp masking with a 2 mm kernel, never below air."""
    v = volume[None, None]
    return (v + amount * (v - blur(blur(v))))[0, 0].clamp(min=0)


def fine_template(model: ComplementVqVae, heads: list[HeadRecord], mix: float = 0.5) -> torch.Tensor:
    """[256, 256, 192]: ``mix`` of the carried mean and of the learned template enlarged, sharpened, faint air zeroed."""
    learned = F.interpolate(model.template().detach(), scale_factor=2, mode="trilinear", align_corners=False)[0, 0]
    carried = splat(model, heads)
    out = sharpen(mix * carried + (1 - mix) * learned)
    return torch.where(out < 0.05, torch.zeros_like(out), out)
