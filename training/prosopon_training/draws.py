"""Draws of both levels of codes, and how they compare with real heads: what decides whether a masked autoencoder is any good.

    python -m prosopon_training.draws --data PREPARED --fields RUN_OF_REGISTER --complement RUN --masked RUN --brain models/brain-encoder/model.onnx

On val heads, in mm of displacement outside the brain where scans cover it, whole head and face: how far strangers are from each other, two draws
for one brain from each other, a draw from its owner and from others; how rough a draw is; and how often its owner is the nearest of five.
The TypeScript sampler (``src/methods/cp-mae``) draws in the same order.
"""
from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .code_table import encode
from .contract import CUBE_CENTRE_MM, CUBE_EDGE_MM, SITES, TRIM_MM
from .data import read_index
from .networks.complement_fine import FINE_SITES, TwoLevelVqVae
from .networks.fsq import Fsq
from .networks.masked_levels import MaskedLevels
from .runs import load_run, settings_of
from .stages.masked_levels import load_brain_encoder
from .stages.vqvae_complement import SHAPE_8, FieldHead, load_fields

Predict = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Values and keep of a level so far, to logits [n, sites, codes]."""


@dataclass(frozen=True)
class Sampling:
    steps: int = 12
    temperature: float = 1.0
    choice_noise: float = 4.5


def sample(predict: Predict, fsq: Fsq, values: torch.Tensor, keep: torch.Tensor, wanted: torch.Tensor, options: Sampling,
           rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Draws the sites of ``wanted`` [z, y, x] that are not kept: in each step all of them, of which the surest (with Gumbel noise that falls to
    nothing) stay, by a cosine. Values and keep afterwards."""
    shape = values.shape
    values, keep = values.clone(), keep.clone()
    open_ = (wanted.reshape(-1) > 0)[None] & (keep.flatten(1) == 0)
    total = int(open_[0].sum())
    for t in range(1, options.steps + 1):
        logits = predict(values, keep) / options.temperature
        indices = torch.multinomial(logits.softmax(-1).flatten(0, 1), 1, generator=rng).reshape(logits.shape[:2])
        chance = logits.log_softmax(-1).gather(2, indices[..., None])[..., 0]
        noise = options.choice_noise * (1 - t / options.steps)
        gumbel = -torch.log(-torch.log(torch.rand(chance.shape, generator=rng).clamp(1e-9, 1 - 1e-7)))
        sure = torch.where(open_, chance + noise * gumbel, torch.full_like(chance, -torch.inf))
        masked = 0 if t == options.steps else math.ceil(math.cos(math.pi * t / (2 * options.steps)) * total)
        stay = torch.zeros_like(open_)
        count = int(open_[0].sum()) - masked
        stay.scatter_(1, sure.topk(max(0, count), 1).indices, True)
        drawn = fsq.values(indices).flatten(2)
        values = torch.where(stay[:, None], drawn, values.flatten(2)).reshape(shape)
        keep = torch.where(stay[:, None], torch.ones(()), keep.flatten(2)).reshape(keep.shape)
        open_ = open_ & ~stay
    return values, keep


def sites_of_face(shape: tuple[int, int, int]) -> torch.Tensor:
    """[z, y, x]: 1 where a site's middle lies in what is drawn without the brain: brow to chin, ears, neck. As ``faceSites`` in TypeScript."""
    z, y, x = (torch.arange(n).float() for n in shape)
    edge = CUBE_EDGE_MM / shape[0]
    z, y = (z + 0.5) * edge - CUBE_EDGE_MM / 2 + CUBE_CENTRE_MM[2], (y + 0.5) * edge - CUBE_EDGE_MM / 2 + CUBE_CENTRE_MM[1]
    x = (x + 0.5) * edge - CUBE_EDGE_MM / 2 + TRIM_MM
    z, y, x = torch.meshgrid(z, y, x, indexing="ij")
    return (in_face(x, y, z)).float()


def in_face(x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """Brain frame, mm from the brain's centre: right, front, up."""
    front = (y > 45) & (z < -8)
    sides = (x.abs() > 62) & (z < -20) & (y > -40)
    return front | sides | (z < -75)


@dataclass(frozen=True)
class Order:
    """``blind``: the face is drawn first, without the brain, and the rest given it and the brain."""

    blind: bool
    coarse: Sampling
    fine: Sampling


@torch.no_grad()
def draw(model: MaskedLevels, fsq: Fsq, brain_codes: torch.Tensor, brain_sites: torch.Tensor, order: Order,
         rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Values of both levels."""
    n = len(brain_codes)
    ones, nothing = torch.ones(n, 1), torch.zeros(n, 1)
    face = {shape: sites_of_face(shape) for shape in (SITES, FINE_SITES)}
    coarse, keep = torch.zeros(n, 3, *SITES), torch.zeros(n, 1, *SITES)
    fine, fine_keep = torch.zeros(n, 3, *FINE_SITES), torch.zeros(n, 1, *FINE_SITES)

    def of_coarse(seen: torch.Tensor) -> Predict:
        return lambda values, kept: model.codes(model.coarse(brain_codes, brain_sites, seen, values, kept))

    def of_fine(seen: torch.Tensor) -> Predict:
        return lambda values, kept: model.codes(model.fine(brain_codes, brain_sites, seen, coarse, keep, values, kept))

    if order.blind:
        coarse, keep = sample(of_coarse(nothing), fsq, coarse, keep, face[SITES], order.coarse, rng)
        fine, fine_keep = sample(of_fine(nothing), fsq, fine, fine_keep, face[FINE_SITES], order.fine, rng)
    coarse, keep = sample(of_coarse(ones), fsq, coarse, keep, torch.ones(SITES), order.coarse, rng)
    fine, _ = sample(of_fine(ones), fsq, fine, fine_keep, torch.ones(FINE_SITES), order.fine, rng)
    return coarse, fine


class Measure:
    """Distances of fields at 8 mm, RMS mm over what two heads both cover, outside the brain."""

    def __init__(self, heads: list[FieldHead]):
        self.heads = heads
        z, y, x = (torch.arange(n).float() for n in SHAPE_8)
        place = [(v + 0.5) * 8 - 8 * n / 2 + c for v, n, c in zip((z, y, x), SHAPE_8, (CUBE_CENTRE_MM[2], CUBE_CENTRE_MM[1], 0), strict=True)]
        z, y, x = torch.meshgrid(*place, indexing="ij")
        # near the head's surface or in it: the learned head's, about
        near = ((x / 95) ** 2 + ((y - 15) / 115) ** 2 + ((z + 25) / 115) ** 2 < 1).float()
        self.regions = {"head": near, "face": near * in_face(x, y, z).float()}
        self.scale = torch.tensor([96.0, 128, 128]).view(1, 3, 1, 1, 1)

    def weight(self, region: str, *heads: FieldHead) -> torch.Tensor:
        w = self.regions[region]
        for head in heads:
            w = w * (head.covered[0, 0] > 0.9) * (F.avg_pool3d(head.brain[:, :1], 2)[0, 0] < 0.5)
        return w

    def distance(self, a: torch.Tensor, b: torch.Tensor, w: torch.Tensor) -> float:
        return float(((((a - b) * self.scale) ** 2).sum(1)[0] * w).sum() / w.sum()) ** 0.5


def roughness(u: torch.Tensor) -> float:
    """RMS of second differences, mm."""
    mm = u * torch.tensor([96.0, 128, 128]).view(1, 3, 1, 1, 1)
    return float(sum((mm.diff(n=2, dim=axis) ** 2).mean() for axis in (2, 3, 4))) ** 0.5


@torch.no_grad()
def compare(heads: list[FieldHead], fields: list[list[torch.Tensor]]) -> dict[str, float]:
    """``fields``: some draws [1, 3, 32, 32, 24] for each head."""
    m = Measure(heads)
    out: dict[str, float] = {}
    n = len(heads)
    for region in m.regions:
        strangers = [[m.distance(heads[i].displacement, heads[j].displacement, m.weight(region, heads[i], heads[j])) if i != j else 0.0
                      for j in range(n)] for i in range(n)]
        to = [[[m.distance(u, heads[j].displacement, m.weight(region, heads[i], heads[j])) for j in range(n)] for u in fields[i]] for i in range(n)]
        seeds = [m.distance(a, b, m.weight(region, heads[i])) for i in range(n) for k, a in enumerate(fields[i]) for b in fields[i][k + 1 :]]
        cross = [m.distance(fields[i][0], fields[j][0], m.weight(region, heads[i], heads[j])) for i in range(n) for j in range(i)]
        found = [float(np.mean([row[i] < min(o) for o in fours(row, i)])) for i in range(n) for row in to[i]]
        out |= {
            f"{region}_strangers": float(np.mean([strangers[i][j] for i in range(n) for j in range(i)])),
            f"{region}_seeds": float(np.mean(seeds)), f"{region}_draws_of_others": float(np.mean(cross)),
            f"{region}_owner": float(np.mean([row[i] for i in range(n) for row in to[i]])),
            f"{region}_others": float(np.mean([row[j] for i in range(n) for row in to[i] for j in range(n) if j != i])),
            f"{region}_of_five": float(np.mean(found)),
        }
    out["rough_real"] = float(np.mean([roughness(head.displacement) for head in heads]))
    out["rough_drawn"] = float(np.mean([roughness(u) for row in fields for u in row]))
    return out


def fours(row: list[float], i: int) -> list[list[float]]:
    rng = np.random.default_rng(i)
    rest = [j for j in range(len(row)) if j != i]
    return [[row[j] for j in rng.choice(rest, 4, replace=False)] for _ in range(50)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", required=True)
    for name in ("fields", "complement", "masked", "brain"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--choice-noise", type=float, default=4.5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    heads = load_fields(args.fields, read_index(args.data, "val"))
    complement = load_run(TwoLevelVqVae(settings_of(args.complement)["width"]), args.complement)
    settings = settings_of(args.masked)
    model = load_run(MaskedLevels(settings["width"], settings["layers"]), args.masked)
    brain = load_brain_encoder(args.brain)
    fsq = complement.encoder.fsq
    of = Sampling(args.steps, args.temperature, args.choice_noise)
    codes = [encode(complement, brain, head.sample(np.random.default_rng(0), 0)) for head in heads]
    brain_codes, brain_sites = (torch.from_numpy(np.concatenate([c[key] for c in codes])).float() for key in ("brain_codes", "brain_sites"))
    for blind in (False, True):
        fields: list[list[torch.Tensor]] = [[] for _ in heads]
        rng = torch.Generator().manual_seed(1)
        for _ in range(args.seeds):
            coarse, fine = draw(model, fsq, brain_codes, brain_sites, Order(blind, of, of), rng)
            for i, head in enumerate(heads):
                fields[i].append(decoded(complement, head, coarse[i : i + 1], fine[i : i + 1])[0])
        print(json.dumps({"blind": blind} | {k: round(v, 3) for k, v in compare(heads, fields).items()}), flush=True)


def decoded(complement: TwoLevelVqVae, head: FieldHead, coarse: torch.Tensor, fine: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.no_grad():
        return complement.decoder.decode(coarse, torch.ones_like(coarse[:, :1]), fine, torch.ones_like(fine[:, :1]), head.brain)


if __name__ == "__main__":
    main()
