"""What cp-gan learns from in the form that moves a learned head: registered heads, drawn from the same learned head, so that the
discriminator judges shapes and levels and cannot tell real from drawn by what the learned head never shows (fibres, noise).

    pool = [MovedHead(record, field_head, 64) for record, field_head in zip(records, load_fields(folder, records))]
    batch = make_moved_batch(rng, pool, generator.template, scales, count=2)
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from .augment import rotation_matrix
from .data import HeadRecord
from .gan_data import Batch, GanHead, pyramid
from .networks.complement import warp
from .networks.moving import cube_fields, rendered
from .stages.vqvae_complement import FieldHead


@dataclass
class MovedBatch(Batch):
    fields: torch.Tensor
    """[n, 4, 32, 32, 32]: what makes the registered heads of the learned one."""
    weight: torch.Tensor
    """[n, 1, 32, 32, 32]: how much a voxel's field counts: inside the hull and the field of view, the face three times."""


class MovedHead(GanHead):
    def __init__(self, record: HeadRecord, fields: FieldHead, size: int):
        super().__init__(record, size)
        self.fields = cube_fields(fields.displacement, fields.gain)[0]


def identity(n: int, size: int) -> torch.Tensor:
    return F.affine_grid(torch.eye(3, 4)[None].expand(n, -1, -1), [n, 1, size, size, size], align_corners=False)


def moved_head(rng: np.random.Generator | None, head: MovedHead, hull: int) -> tuple[torch.Tensor, torch.Tensor]:
    """[5, s, s, s] as :meth:`GanHead.sample` and the fields [4, 32, 32, 32]; by ``rng`` mirrored, turned, stretched, brightened.

    By an affine map, gamma and head together: a hull stays convex.
    """
    x, fields = head.sample(hull), head.fields
    if rng is None:
        return x, fields
    if rng.random() < 0.5:
        x = torch.flip(x, [3])
        fields = torch.flip(fields, [3]) * torch.tensor([-1.0, 1, 1, 1]).view(4, 1, 1, 1)
    # half a degree, 2 % and 1 % more for each axis, 0.5 mm: heads are posed by their brains already, and with three times as much the
    # network spent its steps on finding the map again
    matrix = rotation_matrix(rng.normal(0, 0.01, 3)) @ np.diag(np.exp(rng.normal(0, 0.02) + rng.normal(0, 0.01, 3)))
    theta = torch.tensor(np.concatenate([matrix, rng.normal(0, 0.004, (3, 1))], 1), dtype=torch.float32)[None]
    size = x.shape[1]
    x = F.grid_sample(x[None], F.affine_grid(theta, [1, 1, size, size, size], align_corners=False), align_corners=False)[0]
    n = fields.shape[1]
    delta = (F.affine_grid(theta, [1, 1, n, n, n], align_corners=False) - identity(1, n)).permute(0, 4, 1, 2, 3)
    fields = warp(fields[None], delta)[0]
    brighter = float(rng.normal(0, 0.04))
    fields = fields + torch.cat([delta[0], torch.full_like(delta[0, :1], brighter)])
    x[1] *= float(np.exp(brighter))
    return x, fields


def field_weight(covered: torch.Tensor, hull: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """How much a voxel's field counts, all [n, 1, z, y, x]: inside hull and field of view, less in the brain, the face three times."""
    weight = (covered > 0.9).float() * (0.05 + hull) * (1 - 0.8 * share)
    n = weight.shape[2]
    weight[:, :, n // 5 : (3 * n) // 5, n // 2 :] *= 3
    return weight


def moved_batch(samples: list[tuple[torch.Tensor, torch.Tensor]], template: torch.Tensor, scales: list[int]) -> MovedBatch:
    parts = torch.stack([x for x, _ in samples])
    fields = torch.stack([f for _, f in samples])
    # the registered head where the subject's stood; its brain is the real one, by the share of brain
    covered, share = parts[:, 3:4], parts[:, 2:3]
    head = (parts[:, 1:2] + (1 - share) * rendered(template, fields)) * covered
    batch = pyramid(torch.cat([head, parts[:, 1:]], 1), scales)
    level = scales.index(fields.shape[2])
    weight = field_weight(batch.covered[level], batch.gammas[level][:, :1], batch.shares[level])
    return MovedBatch(batch.heads, batch.gammas, batch.brains, batch.shares, batch.covered, fields, weight)


def make_moved_batch(rng: np.random.Generator, pool: list[MovedHead], template: torch.Tensor, scales: list[int], count: int) -> MovedBatch:
    chosen = rng.choice(len(pool), count, replace=len(pool) < count)
    return moved_batch([moved_head(rng, pool[i], int(rng.integers(8))) for i in chosen], template, scales)
