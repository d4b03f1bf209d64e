"""Where the generator that moves a learned head starts: a linear map from hull and mask to fields, and the spread of what it leaves.

Principal components of the registered velocities and gains of the train heads; ridge regression of their scores on gamma; the
covariance of what heads that were held out are missed by becomes the part of the noise. A conditional active appearance model
(Cootes 2001), in a minute; by gradient steps the generator had not learned in 500 what this gets on val heads (6.2 mm from the registered
heads with none of it, 3.6 mm with it; docs/cp-gan-training.md).

    row = fit_start(generator.start, pool, fields)
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .data import HeadRecord
from .gan_data import average_pool, probabilistic_pool
from .gan_moved_data import MovedHead, field_weight
from .networks.complement import DISPLACEMENT_SCALE, MAX_GAIN
from .networks.moving import FIELDS, SCORES, LinearStart, cube_fields

DRAWS = 4
"""Hulls and tosses of each head, each mirrored too."""
FOLDS = 8
PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
GAIN_WEIGHT = 0.3
"""Of a unit of the gain's raw value beside one of the velocity's (6.4 mm)."""


def targets(folder: Path, records: list[HeadRecord]) -> torch.Tensor:
    """Registered velocity and gain as the generator's raw values at 16 mm, [heads, 4, 16, 16, 16]."""
    data = np.load(folder / "fields.npz")
    row = {name: i for i, name in enumerate(data["ids"])}
    chosen = [row[record.id] for record in records]
    velocity, gain = (torch.from_numpy(data[key][chosen]).float() for key in ("velocity", "gain"))
    raw = cube_fields(velocity / DISPLACEMENT_SCALE, torch.atanh((gain / MAX_GAIN).clamp(-0.99, 0.99)))
    return F.avg_pool3d(raw, 2)


def inputs(pool: list[MovedHead], generator: torch.Generator) -> torch.Tensor:
    """[heads, DRAWS, 2, 32, 32, 32], of hulls and masks that are tossed as the generator sees them."""
    rows = []
    for head in pool:
        size = head.parts.shape[1]
        draws = []
        for k in range(DRAWS):
            sample = average_pool(head.sample(k)[None], size // FIELDS)
            draws.append(probabilistic_pool(torch.cat([sample[:, 4:5], sample[:, 2:3]], 1), generator))
        rows.append(torch.cat(draws))
    return torch.stack(rows)


def mirrored(x: torch.Tensor, fields: bool) -> torch.Tensor:
    sign = torch.tensor([-1.0, 1, 1, 1] if fields else [1.0] * x.shape[-4]).view(-1, 1, 1, 1)
    return x.flip(-1) * sign


def weights(pool: list[MovedHead]) -> torch.Tensor:
    """[1, 4, 16, 16, 16]: where and how much fields count, the mean of the heads' own."""
    total = torch.zeros(1, 1, FIELDS // 2, FIELDS // 2, FIELDS // 2)
    for head in pool:
        sample = average_pool(head.sample(0)[None], head.parts.shape[1] // (FIELDS // 2))
        total += field_weight(sample[:, 3:4], sample[:, 4:5], sample[:, 2:3]) / len(pool)
    return torch.cat([total, total, total, GAIN_WEIGHT**2 * total], 1)


def ridge(x: torch.Tensor, y: torch.Tensor, penalty: float) -> torch.Tensor:
    """Dual weights: predictions for rows z are z @ x.T @ result. ``x`` and ``y`` centred."""
    return torch.linalg.solve(x @ x.T + penalty * torch.eye(len(x), dtype=x.dtype), y)


@torch.no_grad()
def fit_start(start: LinearStart, pool: list[MovedHead], raw: torch.Tensor) -> dict[str, float]:
    """Fits in place; ``raw`` of :func:`targets`, in the order of ``pool``. Returns the penalty and the share of variance explained held out."""
    generator = torch.Generator().manual_seed(11)
    gammas = inputs(pool, generator)
    n = len(pool)
    both = torch.cat([gammas, mirrored(gammas, False)], 1)
    x = start.inputs(both.flatten(0, 1)).double()
    y = torch.stack([raw, mirrored(raw, True)], 1)
    y = y.repeat_interleave(DRAWS, 1).reshape(n * 2 * DRAWS, -1).double()
    owner = torch.arange(n).repeat_interleave(2 * DRAWS)
    heads = torch.stack([raw, mirrored(raw, True)], 1).reshape(2 * n, -1).double()

    middle = heads.mean(0)
    scale = weights(pool).sqrt().flatten().double()
    u, s, _ = torch.linalg.svd((heads - middle) * scale, full_matrices=False)
    count = min(SCORES, int((s > 1e-6 * s[0]).sum())) if float(s[0]) > 0 else 0
    u, s = u[:, :count], s[:count]
    basis = (u / s).T @ (heads - middle)
    scores = (u * s).reshape(n, 2, count).repeat_interleave(DRAWS, 1).reshape(-1, count)

    folds = min(FOLDS, n)
    missed = {}
    for penalty in PENALTIES:
        rest = torch.zeros_like(scores)
        for fold in range(folds if folds > 1 else 0):
            held = owner % folds == fold
            mx, my = x[~held].mean(0), scores[~held].mean(0)
            dual = ridge(x[~held] - mx, scores[~held] - my, penalty)
            rest[held] = scores[held] - my - (x[held] - mx) @ (x[~held] - mx).T @ dual
        missed[penalty] = rest
    penalty = min(PENALTIES, key=lambda p: float(missed[p].square().sum()))
    rest = missed[penalty]
    mx, my = x.mean(0), scores.mean(0)
    weight = ridge(x - mx, scores - my, penalty).T @ (x - mx)
    values, vectors = torch.linalg.eigh(rest.T @ rest / len(rest))

    start.weight[:count], start.bias[:count] = weight.float(), (my - weight @ mx).float()
    # the mean of all heads rides on one score that is always 1
    start.basis[:count] = basis.float()
    start.spread[:count, :count] = (vectors * values.clamp(min=0).sqrt()).float()
    if count < SCORES:
        start.basis[count], start.bias[count] = middle.float(), 1.0
    elif float(middle.norm()) > 0:
        # no score is left: the least component makes room
        start.basis[-1], start.bias[-1] = middle.float(), 1.0
        start.weight[-1], start.spread[-1] = 0, 0
    explained = 1 - float(rest.square().sum() / scores.square().sum().clamp(min=1e-12)) if folds > 1 else float("nan")
    return {"start_penalty": penalty, "start_explained": explained}
