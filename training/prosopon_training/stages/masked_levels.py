"""Masked autoencoder over both levels of codes (networks/masked_levels.py): needs the run of vqvae-complement-fine, and the brain's
encoder. Coarse codes from the brain's, fine ones from both. Codes of heads and mixtures are made once (code_table.py, in the run folder).

What is seen of a level in training: 60 % of the samples a random part (MaskGIT's cosine), 25 % one side of a plane, or part of it, the
rest nothing. The brain is not shown where it is not the head's own, nor to another 15 % of the samples; a fine network
without a brain knows the coarse codes of one side of a plane alone in half of the cases: so a face can be drawn from people
in general first, and the rest from that face and the brain.

Reported in nats a code over val heads and their mirror images, on sites that the scan covers: ``val_coarse`` and ``val_fine`` over the cosine's
mask ratios, ``..._all`` all masked, ``..._half`` half; and ``..._frequencies``, by each site's own code frequencies.
"""
from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ..code_table import fill, heads_and_mirrored, joined, read
from ..contract import SITES
from ..data import read_index
from ..device import of
from ..initial import load_initial
from ..loop import Best
from ..mixtures import Mixtures, read_label_fields
from ..networks.brain_codes import BrainEncoder, BrainVqVae
from ..networks.complement_fine import FINE_SITES, TwoLevelVqVae
from ..networks.masked_levels import MaskedLevels, code_loss
from ..runs import load_run, settings_of, write_settings
from ..single import Loop, train
from .vqvae_complement import load_fields

HELP = "masked autoencoder over two levels of codes; needs prepared heads, and the runs of vqvae-complement-fine and vqvae-brain"
LOOP = Loop(weight_decay=0.1, warm_up=100, validate_every=100, ema_decay=0.99)
SHAPES = {"coarse": SITES, "fine": FINE_SITES}
# of the cosine's course, for validation
COURSE = (0.125, 0.375, 0.625, 0.875)


def add_code_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fields", type=Path, required=True, help="run folder of register")
    parser.add_argument("--complement", type=Path, required=True, help="run folder of vqvae-complement-fine")
    parser.add_argument("--brain", type=Path, required=True, help="run folder of vqvae-brain, or models/brain-encoder/model.onnx")
    parser.add_argument("--label-fields", type=Path, help="fields.npz of tissue-map: shapes of label heads, for mixtures")
    parser.add_argument("--mixtures", type=float, default=0.7, help="share of samples that are mixtures of registered heads")
    parser.add_argument("--table", type=int, default=3000, help="samples in the table of codes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_code_arguments(parser)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--dropout", type=float, default=0.1)


def load_brain_encoder(path: Path) -> BrainEncoder:
    if path.suffix != ".onnx":
        return load_run(BrainVqVae(settings_of(path)["width"]), path).encoder
    model = BrainVqVae()
    load_initial(model, path)
    return model.encoder.eval().requires_grad_(False)


class Codes(NamedTuple):
    """What a training over codes reads: of heads and their mirror images (train, val), and of the table of samples."""

    fsq: torch.nn.Module
    known: dict[str, np.ndarray]
    held: dict[str, np.ndarray]
    table: dict[str, np.ndarray]


def read_codes(args: argparse.Namespace, out: Path) -> Codes:
    """By the runs that ``add_code_arguments`` names; the table is filled in ``out`` where it is not there yet."""
    complement = load_run(TwoLevelVqVae(settings_of(args.complement)["width"]), args.complement)
    brain = load_brain_encoder(args.brain)
    heads = load_fields(args.fields, read_index(args.data, "train"))
    val = load_fields(args.fields, read_index(args.data, "val"))
    fill(out / "codes", args.table, Mixtures(heads, read_label_fields(args.label_fields), args.mixtures), complement, brain, args.seed)
    still = np.random.default_rng(0)
    known, held = (heads_and_mirrored(complement, brain, [head.sample(still, 0) for head in group]) for group in (heads, val))
    return Codes(complement.encoder.fsq, known, held, read(out / "codes"))


def side_of_a_plane(rng: np.random.Generator, shape: tuple[int, int, int]) -> torch.Tensor:
    """[z, y, x] of 0 and 1, the same in space on either lattice."""
    axes = [torch.linspace(-1, 1, 2 * n + 1)[1::2] for n in shape]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    a, b, c = (float(v) for v in rng.normal(0, 1, 3))
    # left and right are cut more seldom: what is drawn first is a face
    plane = a * z + b * y + 0.4 * c * x
    return (plane > float(rng.normal(0, 0.5)) * math.hypot(a, b, 0.4 * c)).float()


def visible(rng: np.random.Generator, shape: tuple[int, int, int]) -> torch.Tensor:
    """Which sites are seen, [z, y, x]."""
    r = rng.random()
    if r < 0.15:
        return torch.zeros(shape)
    if r < 0.4:
        share = 1.0 if rng.random() < 0.5 else rng.random()
        return side_of_a_plane(rng, shape) * torch.from_numpy(rng.random(shape) < share).float()
    return part_seen(rng, shape, rng.random())


def part_seen(rng: np.random.Generator, shape: tuple[int, int, int], course: float) -> torch.Tensor:
    count = math.prod(shape)
    row = torch.zeros(count)
    row[torch.from_numpy(rng.permutation(count)[: count - math.ceil(math.cos(math.pi * course / 2) * count)])] = 1
    return row.reshape(shape)


class Batch:
    """Rows of a table as tensors."""

    def __init__(self, table: dict[str, np.ndarray], rows: np.ndarray, model: MaskedLevels, fsq: torch.nn.Module):
        self.model, self.count = model, len(rows)
        self.brain = [torch.from_numpy(table[key][rows]).float() for key in ("brain_codes", "brain_sites")]
        self.indices = {level: torch.from_numpy(table[level][rows]).long() for level in SHAPES}
        self.covered = {level: torch.from_numpy(table[f"{level}_covered"][rows]).float() for level in SHAPES}
        self.values = {level: fsq.values(self.indices[level].reshape(-1, *shape)) for level, shape in SHAPES.items()}

    def loss(self, level: str, seen: torch.Tensor, keep: torch.Tensor, coarse_keep: torch.Tensor) -> torch.Tensor:
        device = of(self.model)
        inputs = [*self.brain, seen]
        if level == "fine":
            inputs += [self.values["coarse"], coarse_keep]
        inputs += [self.values[level], keep]
        found = getattr(self.model, level)(*(x.to(device) for x in inputs)).cpu()
        weight = (1 - keep.flatten(1)) * self.covered[level]
        return code_loss(found, self.indices[level], weight)


@torch.no_grad()
def validate_codes(model: MaskedLevels, held: dict[str, np.ndarray], fsq: torch.nn.Module) -> dict[str, float]:
    model.eval()
    batch = Batch(held, np.arange(len(held["own"])), model, fsq)
    ones = torch.ones(batch.count, 1)
    all_coarse = torch.ones(batch.count, 1, *SITES)
    out: dict[str, float] = {}
    for level, shape in SHAPES.items():
        rng = np.random.default_rng(0)

        def score(keep: torch.Tensor, seen: torch.Tensor = ones, level: str = level) -> float:
            return float(batch.loss(level, seen, keep, all_coarse))

        nothing = torch.zeros(batch.count, 1, *shape)
        out[f"val_{level}"] = float(np.mean([score(torch.stack([part_seen(rng, shape, u)[None] for _ in range(batch.count)])) for u in COURSE]))
        out[f"val_{level}_all"], out[f"val_{level}_all_blind"] = score(nothing), score(nothing, 0 * ones)
        out[f"val_{level}_half"] = score((torch.from_numpy(rng.random(nothing.shape)) < 0.5).float())
        network = getattr(model, f"{level}_network")
        frequencies = network.log_frequencies.cpu()[None].expand(batch.count, -1, -1)
        out[f"val_{level}_frequencies"] = float(code_loss(frequencies, batch.indices[level], batch.covered[level]))
    return out | {"val_loss": out["val_coarse"] + out["val_fine"]}


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    out = write_settings(args.out, width=args.width, layers=args.layers)
    codes = read_codes(args, out)
    fsq, known, held, table = codes.fsq, codes.known, codes.held, codes.table
    # heads as they are, often enough to be a third of the samples
    table = joined([{key: table[key] for key in known}, *[known] * max(1, round(len(table["own"]) / 2 / len(known["own"])))])

    model = MaskedLevels(args.width, args.layers, dropout=args.dropout)
    for level, shape in SHAPES.items():
        getattr(model, f"{level}_network").know(fsq.values(torch.from_numpy(known[level]).long().reshape(-1, *shape)))

    def step_loss(_: int) -> tuple[torch.Tensor, dict[str, float]]:
        rows = rng.integers(len(table["own"]), size=args.batch)
        batch = Batch(table, rows, model, fsq)
        shown = table["own"][rows] & (rng.random(args.batch) > 0.15)
        keeps = {level: torch.stack([visible(rng, shape)[None] for _ in rows]) for level, shape in SHAPES.items()}
        coarse_keep = torch.ones_like(keeps["coarse"])
        for i in np.flatnonzero(~shown):
            if rng.random() < 0.5:
                coarse_keep[i, 0] = side_of_a_plane(rng, SITES)
        seen = torch.from_numpy(shown).float()[:, None]
        with torch.autocast(of(model).type, torch.bfloat16):
            losses = {level: batch.loss(level, seen, keeps[level], coarse_keep) for level in SHAPES}
        return losses["coarse"] + losses["fine"], {level: float(value.detach()) for level, value in losses.items()}

    train(model, step_loss, lambda ema: validate_codes(ema, held, fsq), out, args, rng, LOOP, Best("val_loss", higher=False))
