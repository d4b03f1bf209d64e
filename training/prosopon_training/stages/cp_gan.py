"""C-DeID-GAN (cp-gan): generator and discriminator of all scales from 4^3 to --size, conditioned on brain, mask and convex hull.

Needs heads prepared with ``--hulls 8``. Non-averaging relativistic least squares: each real head is paired with the fake of its
own gamma; the discriminator sees composites (the real brain with the drawn complement). AdamP, batch 2. Both networks learn
from one pass of the discriminator: its gradient for the fake, which serves the discriminator, is the generator's up to one
factor a head. Air is set to 0 outside the head (the pipeline adds the scan's noise itself), and both heads are 0 where the real
one's scan did not reach. ``samples/`` gets a sheet of val draws: real, and two draws; it shows people: never share it.
"""
from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from pathlib import Path

import numpy as np
import torch

from .. import device
from ..chance import Chance
from ..data import read_index
from ..gan_data import Batch, GanHead, composites, make_batch, pyramid
from ..gan_moved_data import MovedBatch, MovedHead, make_moved_batch, moved_batch, moved_head
from ..gan_moving_pair import MovingPair
from ..gan_pair import NOISE, Pair
from ..gan_sheets import figures, write_sheet
from ..gan_start import fit_start, targets
from ..loop import Budget, Rhythm
from ..loop import run as run_loop
from ..runs import draw_curves, write_settings
from .vqvae_complement import load_fields

HELP = "conditional multi-scale GAN; needs hulls (prepare --hulls 8)"
RHYTHM = Rhythm(log=50, validate=200, checkpoint=100)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=int, default=64, choices=(16, 32, 64, 128), help="voxels along an edge of what is drawn")
    parser.add_argument("--form", choices=("paint", "move"), default="paint",
                        help="paint: the paper's, an image from scale to scale; move: what moves and brightens the learned head (--fields)")
    parser.add_argument("--fields", type=Path, help="run folder of register --template (form move)")
    parser.add_argument("--template", type=Path, default=Path("models/head-128/model.onnx"), help="the learned head (form move)")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--discriminator-rate", type=float, help="where it is to differ")
    parser.add_argument("--blur-noise", type=float, default=0.02,
                        help="noise on what the discriminator sees, real and fake (brain levels)")
    parser.add_argument("--penalty", type=float, default=0.0, help="weight of the squared gradient at real heads (R1), every 8th step")
    parser.add_argument("--diversity", type=float, default=3.0,
                        help="weight of the mode-seeking term: without it the noise came to change nothing")
    parser.add_argument("--likeness", type=float, default=0.0,
                        help="weight of the distance of two draws' mean from the real head at every scale; 0 is the paper's loss alone")
    parser.add_argument("--imitate", type=int, default=0, help="so many steps first by likeness and diversity alone, no discriminator")
    parser.add_argument("--ema", type=float, default=0.999)
    parser.add_argument("--sheet-every", type=int, default=200)


def moved(batch: Batch, place: torch.device) -> Batch:
    return replace(batch, **{
        field.name: value.to(place) if isinstance(value, torch.Tensor) else [x.to(place) for x in value]
        for field in dataclass_fields(batch) for value in [getattr(batch, field.name)]})


class Judge:
    """Val heads with fixed tosses and noise: figures and sheets are of the same gamma each time."""

    def __init__(self, batches: Callable[[], list[Batch]], place: torch.device):
        state = torch.get_rng_state()
        torch.manual_seed(7)
        self.pairs = [(moved(batch, place), torch.randn(2, *NOISE).to(place)) for batch in batches()]
        torch.set_rng_state(state)

    @torch.no_grad()
    def draws(self, generator: torch.nn.Module, index: int) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
        batch, noise = self.pairs[index]
        drawn = [composites(generator(z[None], batch.gammas), batch)[-1][0, 0].cpu() for z in noise]
        return batch.heads[-1][0, 0].cpu(), drawn, (batch.covered[-1] * (1 - batch.shares[-1]))[0, 0].cpu()

    @torch.no_grad()
    def figures(self, pair: Pair, count: int = 5) -> dict[str, float]:
        rows = []
        for index in range(min(count, len(self.pairs))):
            batch, noise = self.pairs[index]
            row = figures(*self.draws(pair.ema.module, index))
            fake = composites(pair.generator(noise[:1], batch.gammas), batch)
            row |= pair.val_figures(batch, noise)
            d = pair.discriminator
            row["gap"] = float(d(pair.seen(batch.heads), batch.gammas) - d(pair.seen(fake), batch.gammas))
            rows.append(row)
        return {f"val_{key}": float(np.mean([row[key] for row in rows])) for key in rows[0]}

    def sheet(self, pair: Pair, path: Path, count: int = 3) -> None:
        """Each row a head: real, and two draws of the averaged weights."""
        rows = []
        for index in range(min(count, len(self.pairs))):
            real, drawn, _ = self.draws(pair.ema.module, index)
            rows.append([real, *drawn])
        write_sheet(path, rows)


@dataclass
class Lessons:
    """What the form that is trained learns from."""

    count: int
    batch: Callable[[np.random.Generator], Batch]
    val: Callable[[], list[Batch]]


def lessons(args: argparse.Namespace, pair: Pair) -> Lessons:
    scales = pair.generator.scales
    train, val = read_index(args.data, "train"), read_index(args.data, "val")
    if args.form == "paint":
        pool = [GanHead(record, args.size) for record in train]
        shown = [GanHead(record, args.size) for record in val]
        return Lessons(len(pool), lambda rng: make_batch(rng, pool, scales, args.batch),
                       lambda: [pyramid(head.sample(0)[None], scales) for head in shown])
    template = pair.generator.template.cpu()
    pool, shown = ([MovedHead(record, field, args.size) for record, field in zip(records, load_fields(args.fields, records))]
                   for records in (train, val))

    row = fit_start(pair.generator.start, pool, targets(args.fields, train))
    pair.ema.module.load_state_dict(pair.generator.state_dict())
    print(json.dumps(row), flush=True)

    def shown_batches() -> list[Batch]:
        return [moved_batch([moved_head(None, head, 0)], template, scales) for head in shown]

    def draw(rng: np.random.Generator) -> MovedBatch:
        return make_moved_batch(rng, pool, template, scales, args.batch)

    return Lessons(len(pool), draw, shown_batches)


class Contest:
    """The :class:`loop.Learner` of both networks."""

    def __init__(self, args: argparse.Namespace, pair: Pair, taught: Lessons, rng: np.random.Generator, out: Path):
        self.args, self.pair, self.taught, self.rng, self.out = args, pair, taught, rng, out
        self.judge = Judge(taught.val, pair.device)

    def at(self, step: int, progress: float) -> None:
        self.pair.rates.to(step, progress)

    def step(self, number: int) -> dict[str, float]:
        batch = moved(self.taught.batch(self.rng), self.pair.device)
        if number < self.args.imitate:
            return self.pair.imitate(batch)
        return self.pair.step(batch, self.args.penalty > 0 and number % 8 == 0)

    def validate(self) -> dict[str, float]:
        return self.judge.figures(self.pair)

    def state(self) -> dict[str, object]:
        return self.pair.state()

    def load(self, state: dict) -> None:
        self.pair.load(state)

    def after(self, step: int) -> None:
        if step % self.args.sheet_every == 0:
            self.judge.sheet(self.pair, self.out / "samples" / f"{step:06d}.png")
            draw_curves(self.out)

    def finish(self, step: int) -> None:
        self.judge.sheet(self.pair, self.out / "samples" / f"{step:06d}-last.png", count=8)


def run(args: argparse.Namespace) -> None:
    if args.form == "move" and args.fields is None:
        raise SystemExit("--form move needs --fields, the run folder of register --template")
    torch.manual_seed(args.seed)
    place = device.pick()
    pair = (MovingPair if args.form == "move" else Pair)(args, place)
    taught = lessons(args, pair)
    rng = np.random.default_rng(args.seed)
    out = write_settings(
        args.out, size=args.size, form=args.form, heads=taught.count, batch=args.batch,
        rates=(args.learning_rate, args.discriminator_rate or args.learning_rate), blur_noise=args.blur_noise, penalty=args.penalty,
        diversity=args.diversity, likeness=args.likeness, imitate=args.imitate, ema=args.ema, device=place.type)
    contest = Contest(args, pair, taught, rng, out)
    if args.initial is not None and not (out / "checkpoint.pt").exists():
        pair.start_from(args.initial)
    torch.manual_seed(args.seed)
    run_loop(contest, out, Budget(args.minutes, args.steps), RHYTHM, Chance(args.seed, rng))
