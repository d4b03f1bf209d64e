"""``python -m prosopon_training train STAGE --data PREPARED ... --out RUN``: see ``train --help`` for the stages."""
from __future__ import annotations

import argparse
import importlib
import sys
from dataclasses import asdict, replace
from pathlib import Path

import torch

STAGES = {
    "brain-finder": "brain_finder",
    "brain-extraction": "brain_extraction",
    "register": "register",
    "vqvae-complement": "vqvae_complement",
    "vqvae-complement-fine": "vqvae_complement_fine",
    "vqvae-brain": "vqvae_brain",
    "masked-autoencoder": "masked_autoencoder",
    "masked-levels": "masked_levels",
    "masked-latent": "masked_latent",
    "texture": "texture",
    "paint": "paint",
    "segmentation": "segmentation",
    "brain-age": "brain_age",
    "sqn": "sqn",
    "cp-gan": "cp_gan",
}


def add_stage(trainer: argparse._SubParsersAction, name: str) -> argparse.ArgumentParser:
    stage = importlib.import_module(f".stages.{STAGES[name]}", __package__)
    sub = trainer.add_parser(name, help=stage.HELP, description=stage.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub.add_argument("--data", nargs="+", required=True, help="folders that `prosopon prepare` wrote")
    sub.add_argument("--out", required=True, help="run folder: checkpoint.pt, log.jsonl, curves.png, training.json")
    sub.add_argument("--minutes", type=float, default=60)
    sub.add_argument("--steps", type=int, default=10**9)
    sub.add_argument("--seed", type=int, default=1)
    sub.add_argument("--threads", type=int, default=1)
    sub.add_argument("--initial", type=Path, help="start from this checkpoint.pt or shipped models/NAME/model.onnx (a new site's cohort)")
    sub.add_argument("--config", type=Path, help="a recipe, training/configs/STAGE.toml; options given here win over it")
    stage.add_arguments(sub)
    sub.set_defaults(run=stage.run, loop={})
    return sub


def train(args: argparse.Namespace) -> None:
    from . import record

    stage = importlib.import_module(f".stages.{STAGES[args.stage]}", __package__)
    torch.set_num_threads(args.threads)
    loop = getattr(stage, "LOOP", None)
    record.begin(args, asdict(replace(loop, **args.loop)) if loop is not None else {})
    args.run(args)


def main(arguments: list[str] | None = None) -> None:
    from . import cohort, config, exports, tissue_map

    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="prosopon_training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    trainer = commands.add_parser("train", help="train one stage").add_subparsers(dest="stage", required=True)
    stages = {name: add_stage(trainer, name) for name in STAGES}
    exporter = commands.add_parser("export", help="write models/NAME from a run", description=exports.__doc__)
    exports.add_arguments(exporter)
    cohort.add_arguments(commands.add_parser(
        "cohort", help="continue from the shipped weights on a new site's cohort", description=cohort.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter))
    tissue_map.add_arguments(commands.add_parser("tissue-map", help="find the tissues of the learned head", description=tissue_map.__doc__,
                                                 formatter_class=argparse.RawDescriptionHelpFormatter))
    recipe = config.config_named(arguments)
    if recipe is not None and arguments[0] == "train" and arguments[1] in stages:
        options, loop = config.read_config(recipe, arguments[1], stages[arguments[1]])
        stages[arguments[1]].set_defaults(**options, loop=loop)
    args = parser.parse_args(arguments)
    if args.command == "cohort":
        cohort.run(args, main)
        return
    if args.command == "tissue-map":
        tissue_map.run(args)
        return
    if args.command == "export":
        with torch.no_grad():
            exports.EXPORTS[args.stage](args.run, args.models, args)
        return
    train(args)


if __name__ == "__main__":
    main()
