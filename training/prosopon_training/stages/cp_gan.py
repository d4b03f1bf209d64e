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
import time
from dataclasses import dataclass, fields as dataclass_fields, replace
from pathlib import Path
from typing import Callable

import numpy as np
import torch

from ..data import read_index
from ..gan_data import Batch, GanHead, composites, make_batch, pyramid
from ..gan_moved_data import MovedBatch, MovedHead, make_moved_batch, moved_batch, moved_head
from ..gan_moving_pair import MovingPair
from ..gan_pair import NOISE, Pair
from ..gan_start import fit_start, targets
from ..gan_sheets import figures, write_sheet
from ..loop import draw_curves, save
from .vqvae_complement import load_fields

HELP = "conditional multi-scale GAN; needs hulls (prepare --hulls 8)"
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


def moved(batch: Batch, device: torch.device) -> Batch:
    return replace(batch, **{
        field.name: value.to(device) if isinstance(value, torch.Tensor) else [x.to(device) for x in value]
        for field in dataclass_fields(batch) for value in [getattr(batch, field.name)]})


class Judge:
    """Val heads with fixed tosses and noise: figures and sheets are of the same gamma each time."""

    def __init__(self, batches: Callable[[], list[Batch]], device: torch.device):
        state = torch.get_rng_state()
        torch.manual_seed(7)
        self.pairs = [(moved(batch, device), torch.randn(2, *NOISE).to(device)) for batch in batches()]
        torch.set_rng_state(state)

    @torch.no_grad()
    def draws(self, generator: Generator, index: int) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
        batch, noise = self.pairs[index]
        drawn = [composites(generator(z[None], batch.gammas), batch)[-1][0, 0].cpu() for z in noise]
        return batch.heads[-1][0, 0].cpu(), drawn, (batch.covered[-1] * (1 - batch.shares[-1]))[0, 0].cpu()

    @torch.no_grad()
    def figures(self, pair: Pair, count: int = 5) -> dict[str, float]:
        rows = []
        for index in range(min(count, len(self.pairs))):
            batch, noise = self.pairs[index]
            row = figures(*self.draws(pair.ema.model, index))
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
            real, drawn, _ = self.draws(pair.ema.model, index)
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
    pair.ema.model.load_state_dict(pair.generator.state_dict())
    print(json.dumps(row), flush=True)

    def shown_batches() -> list[Batch]:
        return [moved_batch([moved_head(None, head, 0)], template, scales) for head in shown]

    def draw(rng: np.random.Generator) -> MovedBatch:
        return make_moved_batch(rng, pool, template, scales, args.batch)

    return Lessons(len(pool), draw, shown_batches)


def run(args: argparse.Namespace) -> None:
    if args.form == "move" and args.fields is None:
        raise SystemExit("--form move needs --fields, the run folder of register --template")
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    pair = (MovingPair if args.form == "move" else Pair)(args, device)
    taught = lessons(args, pair)
    judge = Judge(taught.val, device)
    bases = (args.learning_rate, args.discriminator_rate or args.learning_rate)
    step, spent, checkpoint = 0, 0.0, out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=False)
        pair.load(state)
        step, spent = state["step"], state["spent"]
        print(f"resumed at step {step}", flush=True)
    elif args.initial is not None:
        pair.start_from(args.initial)
    settings = {"size": args.size, "form": args.form, "heads": taught.count, "batch": args.batch, "rates": bases, "blur_noise": args.blur_noise,
                "penalty": args.penalty, "diversity": args.diversity, "likeness": args.likeness, "imitate": args.imitate, "ema": args.ema, "device": device.type}
    (out / "settings.json").write_text(json.dumps(settings))
    rng = np.random.default_rng(args.seed + step)
    torch.manual_seed(args.seed + step)
    start, sums, counts = time.time(), {}, {}

    def keep() -> None:
        save(checkpoint, **pair.state(), step=step, spent=spent + time.time() - start)

    while True:
        progress = max(step / args.steps if args.steps > 0 else 1.0, (spent + time.time() - start) / (60 * args.minutes))
        if progress >= 1:
            break
        # full steps, then a linear end to a tenth over the last two fifths, for the lattice of late steps to settle
        pair.set_rates(min(1.0, (step + 1) / 50, 0.1 + 2.25 * (1 - progress)), bases)
        batch = moved(taught.batch(rng), device)
        alone = step < args.imitate
        row = pair.imitate(batch) if alone else pair.step(batch, args.penalty > 0 and step % 8 == 0)
        for key, value in row.items():
            sums[key], counts[key] = sums.get(key, 0.0) + value, counts.get(key, 0) + 1
        step += 1
        if step % 50 == 0:
            row = {"step": step, "seconds": round(spent + time.time() - start, 1)}
            row |= {key: value / counts[key] for key, value in sums.items()} | (judge.figures(pair) if step % 200 == 0 else {})
            sums, counts = {}, {}
            with (out / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
            print(json.dumps({k: round(v, 4) for k, v in row.items()}), flush=True)
        if step % 100 == 0:
            keep()
        if step % args.sheet_every == 0:
            judge.sheet(pair, out / "samples" / f"{step:06d}.png")
            draw_curves(out)
    keep()
    if (out / "log.jsonl").exists():
        draw_curves(out)
    judge.sheet(pair, out / "samples" / f"{step:06d}-last.png", count=8)
