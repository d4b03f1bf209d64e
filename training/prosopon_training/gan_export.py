"""Export of cp-gan: the averaged generator as ``models/cp-gan-generator``. The discriminator, which saw heads, never ships."""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from .export import write_model
from .networks.generator import Drawing, Generator
from .stages.masked_autoencoder import load_run

NAME = "cp-gan-generator"
MODEL_CUBE_MM = 256


def describe_limits(folder: Path, settings: dict) -> None:
    """Adds to the card what the general one cannot know: how this training compares with the paper's, and what it changed."""
    lines = [
        f"- Against the paper: {settings['heads']} heads at {settings['size']}^3, batch {settings['batch']}, on one CPU core here; 2,172 (ADNI) and 2,168 "
        "(OASIS-3) scans at 128^3 on four V100 there, for a time that it does not give. Not converged: draws still got better "
        "when the time was spent.",
        "- Not in the paper: equalised learning rate; plain 3^3 convolutions in place of depthwise ones; smoothed upsampling and "
        "residuals; a mode-seeking term (two draws of one gamma were alike without it); the discriminator "
        "sees smoothed images with noise; a small R1 penalty and half the rate for the discriminator late in training. "
        + (f"A reconstruction term (of two draws' mean, with the draws' spread granted, at every scale, weight {settings['likeness']:g}), "
           f"alone for the first {settings['imitate']} steps." if settings.get("likeness") else "No reconstruction term."),
        "- Choices, curves and what went wrong on the way: docs/cp-gan-training.md."]
    card = folder / "card.md"
    rows = card.read_text().splitlines()
    last = max(i for i, row in enumerate(rows) if row.startswith("- "))
    card.write_text("\n".join([*rows[:last], *lines, *rows[last:], ""]))


def export_generator(run: Path, models: Path, _: argparse.Namespace) -> None:
    settings = json.loads((run / "settings.json").read_text())
    size = settings["size"]
    network = load_run(Generator(size), run)
    generator = torch.Generator().manual_seed(1)
    feeds = {"noise": torch.randn(1, 1, 4, 4, 4, generator=generator)}
    for s in network.scales:
        gamma = torch.rand(1, 3, s, s, s, generator=generator)
        gamma[:, :2] = gamma[:, :2].round()
        feeds[f"gamma_{s}"] = gamma
    write_model(NAME, Drawing(network), feeds, ["image"], models, {
        "version": "0.1.0", "licence": "CC-BY-SA-3.0",
        "data": f"IXI, Hammersmith subset at 2 mm, train split ({settings['heads']} heads), IXI project (brain-development.org), CC BY-SA 3.0",
        "grid": {"size": size, "spacing": MODEL_CUBE_MM / size if MODEL_CUBE_MM % size else MODEL_CUBE_MM // size},
        "description": f"Draws the complement of a brain at {size}^3 from noise, the brain and the convex hull of the head: "
                       "generator of the conditional multi-scale GAN (C-DeID-GAN)",
        "normalisation": "noise: unit normal; gamma_N: hull and mask (zeros and ones, averaged from 128^3 and tossed), mean of "
                         "mask * head, 1 = the brain's median; axes z, y, x; image: brain levels, >= 0",
        "settings": {"scales": network.scales}}, run=run)
    describe_limits(models / NAME, settings)
