"""VQ-VAE of the complement with two levels of codes, 32 mm and 16 mm (networks/complement_fine.py). In training: both levels null for
15 % of the heads, fine codes null for another 25 %, part of either for the rest of half; so that the decoder knows what a brain
says alone, what the coarse codes add and what the fine ones add. Heads are those of the scans and mixtures of them (mixtures.py).
``best.pt`` is the state whose codes give the fields back best. Not exported yet: the masked autoencoder knows one level.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from ..contract import SITES
from ..data import read_index
from ..device import ask, of
from ..loop import Best
from ..mixtures import Mixtures, read_label_fields
from ..networks.complement import DISPLACEMENT_SCALE
from ..networks.complement_fine import FINE_SITES, TwoLevelVqVae
from ..runs import write_settings
from ..single import Loop, train
from .vqvae_complement import FieldHead, collate, field_loss, load_fields

HELP = "VQ-VAE of the complement with a second, finer level of codes; needs prepared heads (train and val) and the run of register"
BATCH = 4
LOOP = Loop(validate_every=100, warm_up=60, ema_decay=0.99)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fields", type=Path, required=True, help="run folder of register")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--mixtures", type=float, default=0.6, help="share of samples that are mixtures of registered heads")
    parser.add_argument("--label-fields", type=Path, help="fields.npz of tissue-map: shapes of label heads, for mixtures")


def random_keeps(rng: np.random.Generator, count: int, own: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Which codes of either level a head keeps; all of them where the brain is not its ``own``."""
    coarse, fine = torch.ones((count, 1, *SITES)), torch.ones((count, 1, *FINE_SITES))
    for i in range(count):
        r = rng.random()
        if own is not None and own[i] == 0:
            continue
        if r < 0.15:
            coarse[i], fine[i] = 0, 0
        elif r < 0.4:
            fine[i] = 0
        elif r < 0.65:
            share = rng.uniform(0, 1)
            coarse[i] = (torch.rand(coarse[i].shape) > share * rng.uniform(0, 1)).float()
            fine[i] = (torch.rand(fine[i].shape) > share).float()
    return coarse, fine


def perplexity(indices: list[torch.Tensor], size: int) -> tuple[float, float]:
    counts = torch.bincount(torch.cat([i.reshape(-1) for i in indices]), minlength=size).float()
    p = counts / counts.sum()
    return float(torch.exp(-(p * (p + 1e-9).log()).sum())), float((counts > 0).float().mean())


@torch.no_grad()
def validate_heads(model: TwoLevelVqVae, heads: list[FieldHead]) -> dict[str, float]:
    """RMS error of the displacement (mm, about) with both levels, the coarse one, and none; the share of the variance that is left
    open by the brain which either explains; perplexity and share used of both codebooks."""
    errors: dict[str, list[float]] = {"both": [], "coarse": [], "none": []}
    used: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
    for head in heads:
        s = head.sample(np.random.default_rng(0), 0)
        coarse, fine = ask(model.codes, s["displacement"], s["gain"], s["brain4"])
        used[0].append(model.encoder.fsq.indices(coarse))
        used[1].append(model.fine_encoder.fsq.indices(fine))
        for name, a, b in (("both", 1.0, 1.0), ("coarse", 1.0, 0.0), ("none", 0.0, 0.0)):
            keeps = torch.full((1, 1, *SITES), a), torch.full((1, 1, *FINE_SITES), b)
            squared, _ = field_loss(*ask(model.decoder.decode, coarse, keeps[0], fine, keeps[1], s["brain4"]), s)
            errors[name].append(float(squared))
    mean = {name: float(np.mean(values)) for name, values in errors.items()}
    mm = 120 * DISPLACEMENT_SCALE
    out = {f"val_rms_mm_{name}": mm * value**0.5 for name, value in mean.items()}
    out |= {f"explained_{name}": 1 - mean[name] / mean["none"] for name in ("both", "coarse")}
    for name, indices in zip(("coarse", "fine"), used, strict=True):
        out[f"perplexity_{name}"], out[f"codes_used_{name}"] = perplexity(indices, model.encoder.fsq.size)
    return out


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    heads = Mixtures(load_fields(args.fields, read_index(args.data, "train")), read_label_fields(args.label_fields), args.mixtures)
    val = load_fields(args.fields, read_index(args.data, "val"))
    model = TwoLevelVqVae(args.width).to(memory_format=torch.channels_last_3d)
    out = write_settings(args.out, width=args.width)

    def step_loss(_: int) -> tuple[torch.Tensor, dict[str, float]]:
        s = collate([heads.sample(rng) for _ in range(BATCH)])
        keep, fine_keep = random_keeps(rng, BATCH, s["own"])
        # 1.7 times as fast on a CPU; no cache: it would keep the weights that codes() casts without a gradient, and decode() use them
        with torch.autocast(of(model).type, torch.bfloat16, cache_enabled=False):
            coarse, fine = ask(model.codes, s["displacement"], s["gain"], s["brain4"])
            decoded = ask(model.decoder.decode, coarse, keep, fine, fine_keep, s["brain4"])
        squared, loss = field_loss(decoded[0].float(), decoded[1].float(), s)
        return loss, {"squared": float(squared.detach())}

    train(model, step_loss, lambda ema: validate_heads(ema, val), out, args, rng, LOOP,
          Best("val_rms_mm_both", higher=False))
