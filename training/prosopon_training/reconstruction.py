"""PSNR of val heads' complements, as far as the codes carry them: the paper's measure of its VQ-VAE.

    python -m prosopon_training.reconstruction --data PREPARED --fields RUN_OF_REGISTER --complement RUN_OF_VQVAE

Three rows: the registration's own fields (what moving and brightening one learned head can reach), the head's own codes
through d2, and no codes (what the brain alone says). In the complement inside the scan's field of view at 2 mm, head and 4 mm
round it; peak 2 x the brain's median, as for the brain's VQ-VAE.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .contract import HEAD, SITES
from .data import read_index
from .networks.complement import ComplementVqVae, encoder_input, enlarge, warp
from .runs import load_run, settings_of
from .stages.vqvae_complement import load_fields, load_head, make_sample
from .template import templates

PEAK = 2.0
# what the shipped template was made with
SHARPEN = 0.8


@torch.no_grad()
def rebuilt(template: torch.Tensor, displacement: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    """The learned head under fields at 8 mm; [1, 1, 128, 128, 96]."""
    return warp(template[None, None], enlarge(enlarge(displacement))) * torch.exp(enlarge(enlarge(gain)))


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--fields", type=Path, required=True)
    parser.add_argument("--complement", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    records = read_index(args.data, "val")
    heads = load_fields(args.fields, records)
    model = load_run(ComplementVqVae(settings_of(args.complement)["width"]), args.complement)
    template, _ = templates(args.fields, args.data, SHARPEN)
    rows: dict[str, list[float]] = {"registration": [], "own codes": [], "no codes": []}
    for record, head in zip(records, heads):
        s = make_sample(np.random.default_rng(0), record, 0)
        _, flags = load_head(record)
        near = F.max_pool3d(((flags & HEAD) > 0).float()[None, None], 5, 1, 2)
        w = near * (1 - s["brain"]) * s["covered"]
        f = head.sample(np.random.default_rng(0), 0)
        q = model.encoder(encoder_input(f["displacement"], f["gain"]))
        fields = {"registration": (f["displacement"], f["gain"])}
        for name, keep in (("own codes", 1.0), ("no codes", 0.0)):
            fields[name] = model.decoder(q, torch.full((1, 1, *SITES), keep), f["brain4"])
        for name, (u, g) in fields.items():
            error = float((w * (rebuilt(template, u, g) - s["image"]) ** 2).sum() / w.sum())
            rows[name].append(10 * np.log10(PEAK**2 / error))
    for name, values in rows.items():
        print(f"{name}: PSNR {np.mean(values):.1f} dB ({min(values):.1f} to {max(values):.1f}), N = {len(values)}")


if __name__ == "__main__":
    main()
