"""Masked autoencoder over codes: needs the finished runs of both VQ-VAEs.

Cosine mask ratio (MaskGIT) in 60 % of the steps, everything masked in 40 %: that is what the first sampling step
sees. Label smoothing 0.1. Sites that never change (air, inside of the brain) weigh 0.1. Reported beside the
cross-entropy: that of code frequencies by position, which it must beat, though only the draws decide.
"""
from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from ..contract import SITES
from ..data import read_index
from ..device import ask
from ..networks.brain_codes import BrainVqVae
from ..networks.complement import ComplementVqVae, encoder_input
from ..networks.masked import MaskedAutoencoder
from ..runs import load_run, settings_of, write_settings
from ..single import Loop, train
from .vqvae_complement import FieldHead, load_fields

HELP = "masked autoencoder over the codes; needs prepared heads and the runs of both VQ-VAEs"
LOOP = Loop(weight_decay=0.05, validate_every=100, ema_decay=0.995)
COUNT = SITES[0] * SITES[1] * SITES[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fields", type=Path, required=True, help="run folder of register")
    parser.add_argument("--complement", type=Path, required=True, help="run folder of vqvae-complement")
    parser.add_argument("--brain", type=Path, required=True, help="run folder of vqvae-brain")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=8)


class Codes:
    """Codes of one (deformed) head: brain values, brain at the sites, complement indices, share of the site seen."""

    def __init__(self, complement: ComplementVqVae, brain: BrainVqVae, sample: dict[str, torch.Tensor]):
        with torch.no_grad():
            self.brain = brain.encoder(sample["brain4"])
            q = complement.encoder(encoder_input(sample["displacement"], sample["gain"]))
        self.indices = complement.encoder.fsq.indices(q).reshape(1, COUNT)
        self.sites = F.avg_pool3d(sample["brain4"], 8)
        self.seen = F.avg_pool3d(sample["covered"], 4).reshape(1, COUNT)


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    heads = load_fields(args.fields, read_index(args.data, "train"))
    val = load_fields(args.fields, read_index(args.data, "val"))
    complement = load_run(ComplementVqVae(settings_of(args.complement)["width"]), args.complement)
    brain = load_run(BrainVqVae(settings_of(args.brain)["width"]), args.brain)
    fsq = complement.encoder.fsq
    model = MaskedAutoencoder(codes=fsq.size)

    def encode(head: FieldHead, strength: float) -> Codes:
        return Codes(complement, brain, head.sample(rng, strength))

    pool = [encode(head, 0) for head in heads]
    held = [encode(head, 0) for head in val]
    counts = torch.full((COUNT, fsq.size), 0.05)
    for codes in pool:
        counts[torch.arange(COUNT), codes.indices[0]] += 1
    frequencies = (counts / counts.sum(1, keepdim=True)).log()
    entropy = -(frequencies.exp() * frequencies).sum(1)
    weight = torch.where(entropy > entropy.max() * 0.25, 1.0, 0.1)[None]
    extra: list[Codes] = []

    def loss_of(net: torch.nn.Module, batch: list[Codes], keep: torch.Tensor, smoothing: float) -> torch.Tensor:
        indices = torch.cat([c.indices for c in batch])
        values = fsq.values(indices.reshape(-1, *SITES))
        logits = ask(net, torch.cat([c.brain for c in batch]), torch.cat([c.sites for c in batch]), values,
                     keep.reshape(-1, 1, *SITES))
        loss = F.cross_entropy(logits.transpose(1, 2), indices, reduction="none", label_smoothing=smoothing)
        w = weight * (1 - keep) * (torch.cat([c.seen for c in batch]) > 0.5)
        return (loss * w).sum() / w.sum().clamp(min=1)

    def step_loss(step: int) -> tuple[torch.Tensor, dict[str, float]]:
        if step % 2 == 0:
            fresh = encode(heads[int(rng.integers(len(heads)))], 1)
            if len(extra) < 600:
                extra.append(fresh)
            else:
                extra[int(rng.integers(len(extra)))] = fresh
        source = [*pool, *extra]
        batch = [source[int(rng.integers(len(source)))] for _ in range(args.batch)]
        keep = torch.zeros(args.batch, COUNT)
        for row in keep:
            if rng.random() < 0.6:
                visible = COUNT - math.ceil(math.cos(math.pi * rng.random() / 2) * COUNT)
                row[torch.randperm(COUNT)[:visible]] = 1
        return loss_of(model, batch, keep, 0.1), {}

    def validate(net: torch.nn.Module) -> dict[str, float]:
        zero, half = [], []
        baseline = []
        generator = torch.Generator().manual_seed(0)
        for codes in held:
            zero.append(float(loss_of(net, [codes], torch.zeros(1, COUNT), 0)))
            half.append(float(loss_of(net, [codes], (torch.rand(1, COUNT, generator=generator) < 0.5).float(), 0)))
            w = weight[0] * (codes.seen[0] > 0.5)
            baseline.append(float(-(frequencies[torch.arange(COUNT), codes.indices[0]] * w).sum() / w.sum()))
        return {"val_nll": float(np.mean(zero)), "val_nll_half_masked": float(np.mean(half)),
                "val_nll_position_frequencies": float(np.mean(baseline))}

    out = write_settings(args.out, codes=fsq.size)
    train(model, step_loss, validate, out, args, rng, LOOP)
