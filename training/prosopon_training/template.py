"""The learned head at 2 mm and at 1 mm: every training head is carried into the template's frame by its own fields and
averaged there. The heads have 2 mm voxels in as many positions as there are heads, so their mean at 1 mm holds finer
detail than any of them; a mild sharpening undoes part of the blur of averaging.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .data import read_index
from .networks.complement import blur, enlarge
from .stages.vqvae_complement import FieldHead, load_fields, make_sample

COARSE = (128, 128, 96)
FINE = (256, 256, 192)
AIR = 0.05


@torch.no_grad()
def carried_mean(heads: list[FieldHead], samples: list[dict[str, torch.Tensor]], shape: tuple[int, int, int]) -> torch.Tensor:
    """Weighted mean of 2 mm heads pushed into a template grid of ``shape`` [z, y, x], made symmetric; 0 where none reaches."""
    n = shape[0] * shape[1] * shape[2]
    total, weight = torch.zeros(n), torch.zeros(n)
    d, h, w = COARSE
    z, y, x = torch.meshgrid(torch.arange(d), torch.arange(h), torch.arange(w), indexing="ij")
    for head, s in zip(heads, samples):
        displacement = enlarge(enlarge(head.displacement))
        gain = enlarge(enlarge(head.gain))
        seen = (s["covered"][0, 0] > 0.5).reshape(-1)
        values = (s["image"] * torch.exp(-gain))[0, 0].reshape(-1)[seen]
        position = []
        for axis, (index, k, m) in enumerate(((x, w, shape[2]), (y, h, shape[1]), (z, d, shape[0]))):
            # grid_sample's coordinates, align_corners False: voxel i of n stands at (2 i + 1) / n - 1
            u = (2 * index + 1) / k - 1 + displacement[0, axis]
            position.append((((u + 1) * m - 1) / 2).reshape(-1)[seen].clamp(0, m - 1.001))
        low = [q.long() for q in position]
        part = [q - i for q, i in zip(position, low)]
        for corner in range(8):
            bits = [(corner >> k) & 1 for k in range(3)]
            share = torch.ones_like(part[0])
            for bit, f in zip(bits, part):
                share = share * (f if bit else 1 - f)
            index = (low[0] + bits[0]) + shape[2] * ((low[1] + bits[1]) + shape[1] * (low[2] + bits[2]))
            total.index_add_(0, index, share * values)
            weight.index_add_(0, index, share)
    total, weight = total.reshape(1, 1, *shape), weight.reshape(1, 1, *shape)
    total, weight = total + total.flip(4), weight + weight.flip(4)
    wide_total, wide_weight = blur(blur(total)), blur(blur(weight))
    mean = (total + 0.2 * wide_total) / (weight + 0.2 * wide_weight + 1e-3)
    return torch.where(wide_weight < 0.3, torch.zeros_like(mean), mean)[0, 0]


def sharpen(volume: torch.Tensor, amount: float) -> torch.Tensor:
    """Unsharp masking, never below air; what is fainter than ``AIR`` becomes 0."""
    v = volume[None, None]
    out = (v + amount * (v - blur(blur(v))))[0, 0]
    return torch.where(out < AIR, torch.zeros_like(out), out)


def carried(fields: Path, data: list[str], shape: tuple[int, int, int]) -> torch.Tensor:
    """:func:`carried_mean` of the train split, kept beside the fields it was made from."""
    kept = fields / f"carried{shape[0]}.npy"
    if not kept.exists():
        records = read_index(data, "train")
        heads = load_fields(fields, records)
        samples = [make_sample(np.random.default_rng(0), record, 0) for record in records]
        np.save(kept, carried_mean(heads, samples, shape).numpy())
    return torch.from_numpy(np.load(kept))


def templates(fields: Path, data: list[str], amount: float) -> tuple[torch.Tensor, torch.Tensor]:
    """At 2 mm and at 1 mm, from the train split."""
    return sharpen(carried(fields, data, COARSE), amount), sharpen(carried(fields, data, FINE), 1.5 * amount)
