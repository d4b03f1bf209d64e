"""The learned head at 2 mm and at 1 mm: every training head is carried into the template's frame by its own fields and
averaged there. The heads have 2 mm voxels in as many positions as there are heads, so their mean at 1 mm holds finer
detail than any of them; a mild sharpening undoes part of the blur of averaging.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from .contract import TRIMMED_2MM, trimmed
from .data import read_index
from .networks.complement import blur, enlarge, push
from .stages.vqvae_complement import FieldHead, load_fields, make_sample

AIR = 0.05


@torch.no_grad()
def carried_mean(heads: list[FieldHead], samples: list[dict[str, torch.Tensor]], shape: tuple[int, int, int]) -> torch.Tensor:
    """Weighted mean of 2 mm heads pushed into a template grid of ``shape`` [z, y, x], made symmetric; 0 where none reaches."""
    n = shape[0] * shape[1] * shape[2]
    total, weight = torch.zeros(1, n), torch.zeros(n)
    for head, s in zip(heads, samples):
        values = (s["image"] * torch.exp(-enlarge(enlarge(head.gain))))[0]
        push(total, weight, shape, values, enlarge(enlarge(head.displacement)), s["covered"][0, 0] > 0.5)
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
    return sharpen(carried(fields, data, TRIMMED_2MM), amount), sharpen(carried(fields, data, trimmed(1)), 1.5 * amount)
