"""VQ-VAE of the brain (e1, d1) at 4 mm: its codes are what the masked autoencoder sees of a subject."""
from __future__ import annotations

import argparse

import numpy as np
import torch
from torch.nn import functional as F

from ..data import HeadRecord, read_index
from ..device import ask
from ..networks.brain_codes import BrainVqVae
from ..runs import write_settings
from ..single import Loop, train
from .vqvae_complement import make_sample

HELP = "VQ-VAE of the brain; needs prepared heads (train and val)"
BATCH = 2
LOOP = Loop(validate_every=200)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--learning-rate", type=float, default=2e-3)


def brain_loss(found: torch.Tensor, brain: torch.Tensor) -> torch.Tensor:
    mask = brain[:, :1]
    shape = F.binary_cross_entropy_with_logits(found[:, :1], mask)
    return shape + 2 * (mask * (found[:, 1:] - brain[:, 1:]).abs()).sum() / mask.sum()


@torch.no_grad()
def validate_heads(model: BrainVqVae, heads: list[HeadRecord]) -> dict[str, float]:
    losses, psnr, codes = [], [], []
    for head in heads:
        brain = make_sample(np.random.default_rng(0), head, 0)["brain4"]
        q = ask(model.encoder, brain)
        codes.append(model.encoder.fsq.indices(q))
        found = ask(model.decoder, q)
        losses.append(float(brain_loss(found, brain)))
        inside = brain[:, :1] > 0.5
        error = ((found[:, 1:] - brain[:, 1:])[inside] ** 2).mean()
        psnr.append(float(10 * torch.log10(4 / error)))
    counts = torch.bincount(torch.cat(codes).reshape(-1), minlength=model.encoder.fsq.size).float()
    p = counts / counts.sum()
    return {"val_loss": float(np.mean(losses)), "val_psnr": float(np.mean(psnr)),
            "perplexity": float(torch.exp(-(p * (p + 1e-9).log()).sum()))}


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    heads, val = read_index(args.data, "train"), read_index(args.data, "val")
    model = BrainVqVae(args.width)
    out = write_settings(args.out, width=args.width)
    pool = [make_sample(rng, head)["brain4"] for head in heads]

    def step_loss(step: int) -> tuple[torch.Tensor, dict[str, float]]:
        if step % 4 == 0:  # a slowly changing pool of deformed brains: the network is faster than the augmentation
            i = int(rng.integers(len(heads)))
            pool[i] = make_sample(rng, heads[i])["brain4"]
        brain = torch.cat([pool[int(rng.integers(len(pool)))] for _ in range(BATCH)])
        brain = torch.cat([brain[:, :1], brain[:, 1:] * float(np.exp(rng.normal(0, 0.05)))], 1)
        return brain_loss(ask(model.decoder, ask(model.encoder, brain)), brain), {}

    train(model, step_loss, lambda ema: validate_heads(ema, val), out, args, rng, LOOP)
