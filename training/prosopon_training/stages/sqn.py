"""SQN, the learned attacker: a siamese ResNet-18 of a third of the usual width on renderings from the front and both sides.

Reads what `scripts/render-for-sqn.mjs` wrote: several renderings of each head under other cameras, lamps, surface levels,
noise and voxel grids. The loss is contrastive: of the other heads in a batch, which one is the same subject (InfoNCE).
The papers start from ImageNet weights; none can be had here, and these random renderings stand in their place.

Transfer attacker: ``--data RENDERINGS`` of originals. Adaptive attacker of one method: ``--data RENDERINGS_OF_ORIGINALS
--candidates RENDERINGS_OF_ITS_OUTPUT --initial packages/ruler/models/sqn/model.onnx``; the query is always an original.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from ..device import ask
from ..networks.resnet import Sqn
from ..runs import write_settings
from ..single import Loop, train

HELP = "who a head is from renderings (transfer, or adaptive with --candidates), for the ruler"
SIZE = 128
# distractors of the five-way question
OTHERS = 4
LOOP = Loop(weight_decay=5e-2, validate_every=50, ema_decay=0.98)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--candidates", nargs="+", help="renderings of the same subjects as a method left them (adaptive)")
    parser.add_argument("--width", type=int, default=20)
    parser.add_argument("--batch", type=int, default=20, help="subjects in a batch")
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--learning-rate", type=float, default=1e-3)


def read_renderings(folders: list[str] | list[Path], split: str) -> dict[str, np.ndarray]:
    """Subject to renderings [draws, 3, 128, 128] bytes; draw 0 is the candidates' camera, draw 1 the queries'."""
    out = {}
    for folder in map(Path, folders):
        for row in json.loads((folder / "index.json").read_text())["heads"]:
            if row["split"] == split:
                out[row["id"]] = np.load(folder / f"{row['id']}_views.npy")
    if not out:
        raise SystemExit(f"no head of split '{split}' in {', '.join(map(str, folders))}")
    return out


def augment(rng: np.random.Generator, pictures: np.ndarray) -> torch.Tensor:
    """[3, 128, 128] bytes to 0..1: shifts, scale and turns in the plane, light, noise, blur, a patch left out."""
    x = torch.from_numpy(pictures).float()[:, None] / 255
    angle, scale = rng.normal(0, 0.05), np.exp(rng.normal(0, 0.03))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    theta = torch.tensor(np.concatenate([turn, rng.normal(0, 0.03, (2, 1))], 1), dtype=torch.float32)
    x = F.grid_sample(x, F.affine_grid(theta[None].expand(3, -1, -1), [3, 1, SIZE, SIZE], align_corners=False), align_corners=False)
    if rng.random() < 0.2:
        x = F.interpolate(F.avg_pool2d(x, 2), size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    x = (x * float(np.exp(rng.normal(0, 0.15)))).clamp(0, 1) ** float(np.exp(rng.normal(0, 0.15)))
    x = x + torch.randn_like(x) * float(rng.uniform(0, 0.06))
    if rng.random() < 0.3:
        h, w = rng.integers(12, 44, 2)
        top, left = rng.integers(0, SIZE - h), rng.integers(0, SIZE - w)
        x[:, :, top: top + h, left: left + w] = 0
    return x[:, 0]


@torch.no_grad()
def embed(model: Sqn, pictures: np.ndarray) -> torch.Tensor:
    return torch.cat([ask(model, torch.from_numpy(part).float() / 255) for part in np.array_split(pictures, max(1, len(pictures) // 8))])


def rates(similarity: np.ndarray) -> dict[str, float]:
    """Rank-1 and the exact expectation of the five-way choice over all choices of four distractors."""
    n = len(similarity)
    worse = (similarity < np.diag(similarity)[:, None]).sum(1)
    five = [np.prod([(w - k) / (n - 1 - k) for k in range(OTHERS)]) if w >= OTHERS else 0.0 for w in worse]
    return {"val_five_way": float(np.mean(five)) if n > OTHERS else float("nan"), "val_rank1": float((worse == n - 1).mean())}


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    sets = {}
    for split in ("train", "val"):
        queries = read_renderings(args.data, split)
        candidates = read_renderings(args.candidates, split) if args.candidates else queries
        ids = sorted(queries.keys() & candidates.keys())
        if len(ids) < 2:
            raise SystemExit(f"expected renderings of at least two {split} heads in both folders, found {len(ids)}")
        sets[split] = ([queries[i] for i in ids], [candidates[i] for i in ids])
    queries, candidates = sets["train"]
    val_queries, val_candidates = sets["val"]
    model = Sqn(args.width).to(memory_format=torch.channels_last)
    out = write_settings(args.out, width=args.width, adaptive=bool(args.candidates))

    def step_loss(_: int) -> tuple[torch.Tensor, dict[str, float]]:
        chosen = rng.permutation(len(queries))[: args.batch]
        pictures = [augment(rng, heads[i][rng.integers(len(heads[i]))]) for heads in (queries, candidates) for i in chosen]
        vectors = ask(model, torch.stack(pictures).contiguous(memory_format=torch.channels_last))
        scores = vectors[: len(chosen)] @ vectors[len(chosen):].T / args.temperature
        truth = torch.arange(len(chosen))
        loss = (F.cross_entropy(scores, truth) + F.cross_entropy(scores.T, truth)) / 2
        return loss, {"right": float((scores.argmax(1) == truth).float().mean())}

    def validate(ema: Sqn) -> dict[str, float]:
        a = embed(ema, np.stack([pictures[1] for pictures in val_queries]))
        b = embed(ema, np.stack([pictures[0] for pictures in val_candidates]))
        return rates((a @ b.T).numpy())

    train(model, step_loss, validate, out, args, rng, LOOP)
