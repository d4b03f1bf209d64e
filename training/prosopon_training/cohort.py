"""Continues from the shipped weights on a new site's cohort, all stages in order, and exports the result.

    python -m prosopon_training cohort --data PREPARED --shipped MODELS --runs RUNS --out NEW_MODELS --minutes 20

Each stage starts from its shipped ``model.onnx``. What does not ship starts afresh: the complement's encoders (P1: the
subject's complement is never encoded when a head is treated), the decoder of the brain's VQ-VAE, and the fields and
template of ``register``, which are the cohort's own. The codes of the complement therefore change their meaning a
little, and so the masked autoencoder, which is in closed form, comes last. A run that was interrupted goes on where it stopped. The networks that find
brains hold on other scanners and are not a cohort's to train: they are copied, as is all that no stage makes.
"""
from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path

# stage, the shipped model it starts from, share of a stage's minutes, runs of other stages that it reads, by option
PLAN: tuple[tuple[str, str | None, float, dict[str, str]], ...] = (
    ("register", None, 1.0, {}),
    ("vqvae-brain", "brain-encoder", 0.5, {}),
    ("vqvae-complement-fine", "complement-decoder", 1.0, {"fields": "register"}),
    ("masked-latent", None, 1.0, {"complement": "vqvae-complement-fine", "brain": "vqvae-brain", "fields": "register"}),
)
# `export vqvae-complement-fine` draws 40 components; each head counts twice.
LEAST_TRAIN_HEADS = 20
EXPORTED = {"vqvae-brain": {}, "masked-latent": {}, "vqvae-complement-fine": {"fields": "register"}}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", nargs="+", required=True, help="folders that `prosopon prepare` wrote")
    parser.add_argument("--shipped", type=Path, required=True, help="the models folder to start from")
    parser.add_argument("--runs", type=Path, required=True, help="a run folder for each stage is made here")
    parser.add_argument("--out", type=Path, required=True, help="the models folder to write")
    parser.add_argument("--minutes", type=float, default=20, help="for each of the longer stages")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip", nargs="*", default=[], choices=[stage for stage, *_ in PLAN],
                        help="stages not to train")


def commands(args: argparse.Namespace) -> list[list[str]]:
    """The command lines that this stands for, in order."""
    lines = []
    for stage, shipped, share, needs in PLAN:
        if stage in args.skip:
            continue
        line = ["train", stage, "--data", *args.data, "--out", str(args.runs / stage), "--minutes", f"{share * args.minutes:g}",
                "--threads", str(args.threads), "--seed", str(args.seed)]
        for option, other in needs.items():
            line += [f"--{option}", str(args.runs / other)]
        if shipped is not None:
            line += ["--initial", str(args.shipped / shipped / "model.onnx")]
        lines.append(line)
    for stage, needs in EXPORTED.items():
        if stage in args.skip:
            continue
        line = ["export", stage, "--run", str(args.runs / stage), "--models", str(args.out), "--data", *args.data]
        for option, other in needs.items():
            line += [f"--{option}", str(args.runs / other)]
        lines.append(line)
    return lines


def require_enough(folders: list[str]) -> None:
    """Refuses a cohort that the export could not make models of, before hours of training. A folder without an index is the first
    stage's to complain of."""
    indexes = [Path(folder) / "index.json" for folder in folders]
    if not all(path.exists() for path in indexes):
        return
    heads = sum(row["split"] == "train" for path in indexes for row in json.loads(path.read_text())["heads"])
    if heads < LEAST_TRAIN_HEADS:
        raise SystemExit(f"expected at least {LEAST_TRAIN_HEADS} heads of the split 'train' (40 components of the shape are drawn "
                         f"from heads and their mirror images), found {heads}")


def run(args: argparse.Namespace, main: Callable[[list[str]], None]) -> None:
    require_enough(args.data)
    for line in commands(args):
        print("python -m prosopon_training", " ".join(line), flush=True)
        main(line)
    for folder in sorted(args.shipped.iterdir()):
        if (folder / "model.onnx").exists() and not (args.out / folder.name).exists():
            shutil.copytree(folder, args.out / folder.name)
            print(f"copied {folder.name}", flush=True)
