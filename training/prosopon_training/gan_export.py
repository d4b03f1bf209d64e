"""Export of cp-gan: the averaged generator as ``models/cp-gan-generator``. The discriminator, which saw heads, never ships."""
from __future__ import annotations

import argparse
from pathlib import Path

import torch

from .export import write_model
from .initial import learned_head
from .networks.generator import Drawing, Generator
from .networks.moving import Moving, MovingGenerator
from .runs import load_run, settings_of

NAME = "cp-gan-generator"
MODEL_CUBE_MM = 256


def moving_lines(settings: dict) -> list[str]:
    imitated = f"; the first {settings['imitate']} steps on fields alone" if settings.get("imitate") else ""
    kept = "no reconstruction term"
    if settings.get("likeness"):
        kept = f"a term that asks for the registered fields of two draws' mean, weight {settings['likeness']:g}"
    return [
        f"- Against the paper: {settings['heads']} heads, batch {settings['batch']}, CPU here; 2,172 (ADNI) and 2,168 (OASIS-3) scans at 128^3 on four "
        "V100 there, for a time that it does not give.",
        "- Not in the paper: what goes from scale to scale is a velocity and a gain that move and brighten the learned head "
        "(`models/head-128`, `head-256`), not an image, down to 8 mm (docs/decisions/0014); a linear map from hull, mask and noise to fields is found in closed form, "
        f"and the blocks learn what it leaves{imitated}; the discriminator's real heads are registered ones, seen up to {settings['size']}^3; a learned map "
        f"of the grid at each scale; equalised learning rate; plain 3^3 convolutions in place of depthwise ones; {kept}.",
        "- Choices, curves and what went wrong on the way: docs/cp-gan-training.md."]


def describe_limits(folder: Path, settings: dict) -> None:
    """Adds to the card what the general one cannot know: how this training compares with the paper's, and what it changed."""
    lines = moving_lines(settings) if settings.get("form") == "move" else [
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


def export_generator(run: Path, models: Path, args: argparse.Namespace) -> None:
    settings = settings_of(run)
    moves = settings.get("form") == "move"
    size = settings["size"]
    if moves:
        network = load_run(MovingGenerator(size, learned_head(args.template)), run)
        scales, ships, outputs = [int(s) for s in network.blocks], Moving(network), ["displacement", "gain"]
    else:
        network = load_run(Generator(size), run)
        scales, ships, outputs = network.scales, Drawing(network), ["image"]
    generator = torch.Generator().manual_seed(1)
    feeds = {"noise": torch.randn(1, 1, 4, 4, 4, generator=generator)}
    for s in scales:
        gamma = torch.rand(1, 3, s, s, s, generator=generator)
        gamma[:, :2] = gamma[:, :2].round()
        feeds[f"gamma_{s}"] = gamma
    field = "displacement in normalised coordinates (1 = half of the grid: x 96 mm, y and z 128 mm), gain a logarithm, at 4 mm"
    drawn = field if moves else "image: brain levels, >= 0"
    write_model(NAME, ships, feeds, outputs, models, {
        "version": "0.2.0" if moves else "0.1.0", "licence": "CC-BY-SA-3.0",
        "data": f"IXI, Hammersmith subset at 2 mm, train split ({settings['heads']} heads), IXI project (brain-development.org), CC BY-SA 3.0",
        "grid": {"size": 64, "spacing": 4} if moves else
                {"size": size, "spacing": MODEL_CUBE_MM / size if MODEL_CUBE_MM % size else MODEL_CUBE_MM // size},
        "description": ("Moves and brightens the learned head to a complement of a brain" if moves else f"Draws the complement of a brain at {size}^3")
                       + ", from noise, the brain and the convex hull of the head: generator of the conditional multi-scale GAN (C-DeID-GAN)",
        "normalisation": "noise: unit normal; gamma_N: hull and mask (zeros and ones, averaged from 128^3 and tossed), mean of "
                         f"mask * head, 1 = the brain's median; axes z, y, x; {drawn}",
        "settings": {"scales": scales}}, run=run)
    describe_limits(models / NAME, settings)
