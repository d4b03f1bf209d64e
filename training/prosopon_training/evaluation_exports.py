"""Exports of the ruler's networks: ``segmentation``, ``brain-age``, ``sqn``. They never touch a scan that is treated."""
from __future__ import annotations

import argparse
from pathlib import Path

import torch

from .export import write_model
from .networks.resnet import BrainAge, Sqn
from .networks.segmentation import LabelMap, Segmentation
from .regions import REGIONS, mirrored
from .runs import load_run, settings_of
from .stages.segmentation import MARGIN, MULTIPLE, REACH

DATA = "IXI, Hammersmith subset at 2 mm, train split (113 heads), IXI project (brain-development.org), CC BY-SA 3.0"
COMMON = {"version": "0.1.0", "licence": "CC-BY-SA-3.0", "data": DATA}


def export_segmentation(run: Path, models: Path, args: argparse.Namespace) -> None:
    network = load_run(Segmentation(len(REGIONS), tuple(settings_of(run)["widths"])), run)
    axes = {name: {2: "z", 3: "y", 4: "x"} for name in ("image", "position", "labels")}
    feeds = {"image": torch.rand(1, 1, 32, 48, 32), "position": torch.randn(1, 3, 32, 48, 32).clamp(-1, 1)}
    write_model("segmentation", LabelMap(network, mirrored(), args.mirrored), feeds, ["labels"], models, {
        **COMMON, "data": DATA + "; brain labels DLMUSE by the authors of NiChart",
        "grid": {"size": 128, "spacing": 2},
        "description": f"Brain regions ({len(REGIONS) - 1} classes) in a whole head at 2 mm, U-Net: the ruler's segmentation",
        "normalisation": "RAS axes at 2 mm; 1 = the brain's median; position: mm/100 from the brain's centroid, x, y, z",
        "settings": {"classes": [{"id": r.id, "name": r.name, "group": r.group} for r in REGIONS],
                     "margin": MARGIN, "multiple": MULTIPLE, "reach": REACH}}, free_axes=axes, run=run)


def export_brain_age(run: Path, models: Path, _: argparse.Namespace) -> None:
    settings = settings_of(run)
    network = load_run(BrainAge(settings["width"]), run)
    write_model("brain-age", network, {"head": torch.rand(1, 1, 64, 64, 64)}, ["years"], models, {
        **COMMON, "data": f"{DATA}; {settings['heads']} of them have an age", "grid": {"size": 64, "spacing": 4},
        "description": "Age in years from a whole posed head at 4 mm, 3-D ResNet-18 of a fifth of the usual width (12 to 96 channels): the ruler's brain age",
        "normalisation": "1 = the brain's median; model cube averaged to 4 mm"}, run=run)


def export_sqn(run: Path, models: Path, args: argparse.Namespace) -> None:
    network = load_run(Sqn(settings_of(run)["width"]), run)
    write_model(args.name or "sqn", network, {"pictures": torch.rand(1, 3, 128, 128)}, ["embedding"], models, {
        **COMMON, "grid": {"size": 128, "spacing": 2},
        "description": "Who a head is, from renderings of front, left and right: siamese ResNet-18 of a third of the usual width (20 to 160 channels), the "
                       "ruler's learned attacker" + (" (adaptive)" if settings_of(run)["adaptive"] else " (transfer)"),
        "normalisation": "grey relief renderings of 256 mm, 0 to 1"},
        free_axes={"pictures": {0: "n"}, "embedding": {0: "n"}}, run=run)


EVALUATION_EXPORTS = {"segmentation": export_segmentation, "brain-age": export_brain_age, "sqn": export_sqn}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mirrored", action="store_true", help="segmentation: average in a mirrored look (twice the time)")
    parser.add_argument("--name", help="sqn: name of the model written (an adaptive one is not the one that ships)")
