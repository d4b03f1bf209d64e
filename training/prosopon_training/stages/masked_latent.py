"""Masked autoencoder over both levels of codes with a Gaussian latent (networks/latent_codes.py): needs the run of vqvae-complement-fine, and
the brain's encoder. In closed form: minutes for the table of codes (code_table.py, in the run folder), seconds for the rest. Its noise
levels are chosen on val, one after the other, by the nats of a code.

Reported in nats a code over val heads and their mirror images, on sites that the scan covers: ``val_coarse`` given the brain and ``val_fine`` given
the brain and the coarse codes, over the cosine's mask ratios (MaskGIT), ``..._all`` all masked, ``..._half`` half; and ``..._frequencies``,
by each site's own code frequencies.
"""
from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from ..contract import SITES
from ..networks.complement_fine import FINE_SITES
from ..networks.fsq import Fsq
from ..networks.latent_codes import LatentCodes, Noise
from ..networks.masked_levels import code_loss
from ..runs import read_checkpoint, save, settings_of, write_settings
from .masked_levels import COURSE, SHAPES, add_code_arguments, part_seen, read_codes

HELP = "masked autoencoder over two levels of codes, in closed form; needs prepared heads, and the runs of vqvae-complement-fine and vqvae-brain"
TRIED = {"brain": (3.0, 10.0, 30.0), "coarse": (0.03, 0.1, 0.3), "fine": (0.1, 0.25, 0.5), "left_coarse": (0.05, 0.1, 0.2), "left_fine": (0.1, 0.2, 0.3)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_code_arguments(parser)
    parser.add_argument("--components", type=int, default=200)


def features(table: dict[str, np.ndarray], rows: np.ndarray | slice = slice(None)) -> dict[str, torch.Tensor]:
    brain = [torch.from_numpy(table[key][rows]).float().flatten(1) for key in ("brain_codes", "brain_sites")]
    return {"brain": torch.cat(brain, 1), **{level: torch.from_numpy(table[level][rows]) for level in SHAPES}}


class Held:
    """Val heads, and what is seen of them: the same in every evaluation."""

    def __init__(self, table: dict[str, np.ndarray]):
        n, rng, fsq = len(table["own"]), np.random.default_rng(0), Fsq()
        self.brain = [torch.from_numpy(table[key]).float() for key in ("brain_codes", "brain_sites")]
        self.indices = {level: torch.from_numpy(table[level]).long() for level in SHAPES}
        self.covered = {level: torch.from_numpy(table[f"{level}_covered"]).float() for level in SHAPES}
        self.values = {level: fsq.values(self.indices[level].reshape(-1, *shape)) for level, shape in SHAPES.items()}
        self.keeps: dict[str, dict[str, list[torch.Tensor]]] = {}
        for level, shape in SHAPES.items():
            course = [torch.stack([part_seen(rng, shape, u)[None] for _ in range(n)]) for u in COURSE]
            half = (torch.from_numpy(rng.random((n, 1, *shape))) < 0.5).float()
            self.keeps[level] = {"": course, "_all": [torch.zeros(n, 1, *shape)], "_half": [half]}

    @torch.no_grad()
    def nats(self, model: LatentCodes, level: str, keep: torch.Tensor) -> float:
        n, loss = len(keep), []
        nothing = {"coarse": torch.zeros(1, 1, *SITES), "fine": torch.zeros(1, 1, *FINE_SITES)}
        for i in range(n):
            one = slice(i, i + 1)
            keeps = {"coarse": keep[one], "fine": nothing["fine"]} if level == "coarse" else {"coarse": 1 - nothing["coarse"], "fine": keep[one]}
            posterior = model.posterior(*(b[one] for b in self.brain), torch.ones(1, 1), self.values["coarse"][one], keeps["coarse"],
                                        self.values["fine"][one], keeps["fine"])
            loss.append(float(code_loss(model.predicted(level, *posterior), self.indices[level][one], (1 - keep[one].flatten(1)) * self.covered[level][one])))
        return float(np.mean(loss))

    def figures(self, model: LatentCodes, levels: tuple[str, ...] = ("coarse", "fine"), names: tuple[str, ...] = ("", "_all", "_half")) -> dict[str, float]:
        return {f"val_{level}{name}": float(np.mean([self.nats(model, level, keep) for keep in self.keeps[level][name]])) for level in levels for name in names}

    def frequencies(self, model: LatentCodes) -> dict[str, float]:
        return {f"val_{level}_frequencies": float(code_loss(getattr(model, f"{level}_frequencies")[None].expand(len(self.indices[level]), -1, -1),
                                                            self.indices[level], self.covered[level])) for level in SHAPES}


def choose(model: LatentCodes, held: Held) -> Noise:
    """One level of noise after the other, by all that is asked of the levels that it concerns."""
    for name, values in TRIED.items():
        levels = ("coarse",) if name == "left_coarse" else ("fine",) if "fine" in name else ("coarse", "fine")
        judged = {}
        for value in values:
            model.noise = replace(model.noise, **{name: value})
            judged[value] = sum(held.figures(model, levels, ("_all", "_half")).values())
        model.noise = replace(model.noise, **{name: min(judged, key=judged.__getitem__)})
        print(json.dumps({"chosen": name, **{str(k): round(v, 4) for k, v in judged.items()}}), flush=True)
    return model.noise


def load_latent(run: Path) -> LatentCodes:
    settings = settings_of(run)
    model = LatentCodes(settings["components"], Noise(**settings["noise"]))
    model.load_state_dict(read_checkpoint(run / "checkpoint.pt")["ema"])
    return model.eval()


def run(args: argparse.Namespace) -> None:
    start, out = time.time(), Path(args.out)
    codes = read_codes(args, out)
    model = LatentCodes(args.components)
    # a brain that is not the head's own would teach that brains say nothing
    share = model.fit(features(codes.known), features(codes.table, np.flatnonzero(codes.table["own"])))
    judge = Held(codes.held)
    noise = choose(model, judge)
    figures = {"step": 0, "seconds": round(time.time() - start, 1), "variance_share": share, **judge.figures(model), **judge.frequencies(model)}
    write_settings(out, components=args.components, noise=asdict(noise))
    save(out / "checkpoint.pt", ema=model.state_dict(), step=0)
    with (out / "log.jsonl").open("a") as log:
        log.write(json.dumps(figures) + "\n")
    print(json.dumps(figures), flush=True)
