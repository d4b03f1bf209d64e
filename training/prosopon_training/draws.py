"""Draws of both levels of codes, and how they compare with real heads: what decides whether a masked autoencoder is any good.

    python -m prosopon_training.draws --data PREPARED --fields RUN_OF_REGISTER --complement RUN --masked RUN --brain models/brain-encoder/model.onnx

On val heads, in mm of displacement outside the brain where scans cover it, whole head and face: how far strangers are from each other, two draws
for one brain from each other, a draw from its owner and from others; how rough a draw is; and how often its owner is the nearest of five.
The TypeScript sampler (``src/methods/cp-mae``) draws in the same order.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .code_table import encode
from .contract import CUBE_CENTRE_MM, CUBE_EDGE_MM, SITES, TRIM_MM
from .data import read_index
from .networks.complement_fine import FINE_SITES, TwoLevelVqVae
from .networks.fsq import Fsq
from .networks.latent_codes import LatentCodes
from .runs import load_run, settings_of
from .stages.masked_latent import load_latent
from .stages.masked_levels import load_brain_encoder
from .stages.vqvae_complement import SHAPE_8, FieldHead, load_fields


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


def latent_draw(precision: torch.Tensor, evidence: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Of the Gaussians with these precisions and the means precision^-1 evidence."""
    factor = torch.linalg.cholesky(precision.double())
    mean = torch.cholesky_solve(evidence.double()[:, :, None], factor)
    noise = torch.randn(mean.shape, generator=rng, dtype=torch.float64)
    return (mean + torch.linalg.solve_triangular(factor.transpose(1, 2), noise, upper=True))[..., 0].float()


ORDERS = ("brain", "face first", "blind")


@torch.no_grad()
def draw(model: LatentCodes, brain_codes: torch.Tensor, brain_sites: torch.Tensor, order: str, rng: torch.Generator) -> list[torch.Tensor]:
    """Values of both levels. ``brain``: all given the brain; ``face first``, as the product does: the face without it, the rest given both;
    ``blind``: all without it."""
    n, shapes, fsq = len(brain_codes), (SITES, FINE_SITES), Fsq()
    nothing = [(torch.zeros(n, 3, *shape), torch.zeros(n, 1, *shape)) for shape in shapes]

    def codes(z: torch.Tensor) -> list[torch.Tensor]:
        out = []
        for by_channel, shape in zip(model.logits(z), shapes, strict=True):
            likely = (by_channel @ model.look_up).softmax(-1).flatten(0, 1)
            out.append(fsq.values(torch.multinomial(likely, 1, generator=rng).reshape(n, *shape)))
        return out

    def agreeing(known: list[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
        return latent_draw(*model.posterior(brain_codes, brain_sites, torch.ones(n, 1), *known[0], *known[1]), rng)

    if order == "brain":
        return codes(agreeing(nothing))
    somebody = codes(torch.randn(n, model.brain_weights.shape[1], generator=rng))
    if order == "blind":
        return somebody
    face = [sites_of_face(shape) for shape in shapes]
    known = [(values * mask, mask.expand(n, 1, *mask.shape)) for values, mask in zip(somebody, face, strict=True)]
    coarse = torch.where(face[0] > 0, somebody[0], codes(agreeing(known))[0])
    fine = codes(agreeing([(coarse, torch.ones(n, 1, *SITES)), known[1]]))[1]
    return [coarse, torch.where(face[1] > 0, somebody[1], fine)]


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
        strangers = [
            [m.distance(heads[i].displacement, heads[j].displacement, m.weight(region, heads[i], heads[j])) if i != j else 0.0 for j in range(n)] for i in range(n)
        ]
        to = [[[m.distance(u, heads[j].displacement, m.weight(region, heads[i], heads[j])) for j in range(n)] for u in fields[i]] for i in range(n)]
        seeds = [m.distance(a, b, m.weight(region, heads[i])) for i in range(n) for k, a in enumerate(fields[i]) for b in fields[i][k + 1 :]]
        cross = [m.distance(fields[i][0], fields[j][0], m.weight(region, heads[i], heads[j])) for i in range(n) for j in range(i)]
        found = [float(np.mean([row[i] < min(o) for o in fours(row, i)])) for i in range(n) for row in to[i]]
        out |= {
            f"{region}_strangers": float(np.mean([strangers[i][j] for i in range(n) for j in range(i)])),
            f"{region}_seeds": float(np.mean(seeds)),
            f"{region}_draws_of_others": float(np.mean(cross)),
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
    args = parser.parse_args()
    torch.set_num_threads(1)
    heads = load_fields(args.fields, read_index(args.data, "val"))
    complement = load_run(TwoLevelVqVae(settings_of(args.complement)["width"]), args.complement)
    model = load_latent(args.masked)
    brain = load_brain_encoder(args.brain)
    codes = [encode(complement, brain, head.sample(np.random.default_rng(0), 0)) for head in heads]
    brain_codes, brain_sites = (torch.from_numpy(np.concatenate([c[key] for c in codes])).float() for key in ("brain_codes", "brain_sites"))
    own = [torch.from_numpy(np.concatenate([c[key] for c in codes])).long() for key in ("coarse", "fine")]
    rebuilt = [complement.encoder.fsq.values(i.reshape(-1, *shape)) for i, shape in zip(own, (SITES, FINE_SITES), strict=True)]
    fields = [[decoded(complement, head, *(level[i : i + 1] for level in rebuilt))[0]] * 2 for i, head in enumerate(heads)]
    print(json.dumps({"order": "own codes"} | {k: round(v, 3) for k, v in compare(heads, fields).items()}), flush=True)
    for order in ORDERS:
        fields = [[] for _ in heads]
        rng = torch.Generator().manual_seed(1)
        for _ in range(args.seeds):
            coarse, fine = draw(model, brain_codes, brain_sites, order, rng)
            for i, head in enumerate(heads):
                fields[i].append(decoded(complement, head, coarse[i : i + 1], fine[i : i + 1])[0])
        print(json.dumps({"order": order} | {k: round(v, 3) for k, v in compare(heads, fields).items()}), flush=True)


def decoded(complement: TwoLevelVqVae, head: FieldHead, coarse: torch.Tensor, fine: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.no_grad():
        return complement.decoder.decode(coarse, torch.ones_like(coarse[:, :1]), fine, torch.ones_like(fine[:, :1]), head.brain)


if __name__ == "__main__":
    main()
