"""``python -m prosopon_training train STAGE --data PREPARED ... --out RUN``: see ``train --help`` for the stages."""
from __future__ import annotations

import argparse
import importlib
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
    "texture": "texture",
    "segmentation": "segmentation",
    "brain-age": "brain_age",
    "sqn": "sqn",
    "cp-gan": "cp_gan",
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="prosopon_training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    trainer = commands.add_parser("train", help="train one stage").add_subparsers(dest="stage", required=True)
    for name, module in STAGES.items():
        stage = importlib.import_module(f".stages.{module}", __package__)
        sub = trainer.add_parser(name, help=stage.HELP, description=stage.__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
        sub.add_argument("--data", nargs="+", required=True, help="folders that `prosopon prepare` wrote")
        sub.add_argument("--out", required=True, help="run folder: checkpoint.pt, log.jsonl, curves.png")
        sub.add_argument("--minutes", type=float, default=60)
        sub.add_argument("--steps", type=int, default=10**9)
        sub.add_argument("--seed", type=int, default=1)
        sub.add_argument("--threads", type=int, default=1)
        sub.add_argument("--initial", type=Path, help="start from this checkpoint.pt or shipped models/NAME/model.onnx (a new site's cohort)")
        stage.add_arguments(sub)
        sub.set_defaults(run=stage.run)
    from . import cohort, exports

    exporter = commands.add_parser("export", help="write models/NAME from a run", description=exports.__doc__)
    exports.add_arguments(exporter)
    cohort.add_arguments(commands.add_parser(
        "cohort", help="continue from the shipped weights on a new site's cohort", description=cohort.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter))
    args = parser.parse_args(arguments)
    if args.command == "cohort":
        cohort.run(args, main)
        return
    if args.command == "export":
        with torch.no_grad():
            exports.EXPORTS[args.stage](args.run, args.models, args)
        return
    torch.set_num_threads(args.threads)
    args.run(args)


if __name__ == "__main__":
    main()
