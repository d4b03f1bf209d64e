"""The painted residual at 2 mm: what a drawn head lacks of a scan, learnt against patches of the train heads' own scans.

Needs the same heads prepared twice (``--data``: model grid, ``--native``: ``prosopon prepare --grid native``), the run of ``register`` with the
learned head that ships, and cp-mae's draws of the same heads (``node scripts/draw-heads.mjs``; may be left out). A step: the discriminators
at 2 and 4 mm by hinge loss, then the painter by their verdict and by means over 10 mm: the real head's where a head is registered, else the draw's.
``best.pt`` is the state whose val patches lie nearest to val heads' (``painted_figures``). Sheets in the run folder show people.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .. import averaging
from ..chance import Chance
from ..data import read_index
from ..initial import learned_head
from ..loop import Best, Budget, Rhythm
from ..loop import run as run_loop
from ..networks.painter import Judges, Painter
from ..painted_figures import distances
from ..painted_patches import PaintedHead, Patches, as_in_the_scan, laid_on
from ..painted_sheets import write_painted_sheet
from ..runs import write_settings
from ..schedule import Rates, linear_end
from .vqvae_complement import load_fields

HELP = "painted residual at 2 mm, adversarial; needs heads prepared on both grids, the run of register, and draws"
BATCH = 4
MEANS = 5
"""Voxels of the box whose mean is compared with the registered real head's."""
VALIDATE_EVERY = 250
VAL_PATCHES = 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--native", nargs="+", required=True, help="folders that `prosopon prepare --grid native` wrote of the same heads")
    parser.add_argument("--fields", type=Path, help="run folder of register, with --template as below; without it no fake is a registered head")
    parser.add_argument("--draws", type=Path, help="folder of scripts/draw-heads.mjs")
    parser.add_argument("--template", type=Path, default=Path("models/head-128/model.onnx"))
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--judge-width", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--judge-rate", type=float, default=1e-3)
    parser.add_argument("--likeness", type=float, default=10.0, help="weight of the means over 10 mm")
    parser.add_argument("--registered", type=float, default=0.4, help="share of fakes that are registered heads")


def load_painted(args: argparse.Namespace, split: str) -> list[PaintedHead]:
    models = {head.id: head for head in read_index(args.data, split)}
    natives = [head for head in read_index(args.native, split) if head.id in models]
    fields = load_fields(args.fields, [models[head.id] for head in natives]) if args.fields else [None] * len(natives)
    template = learned_head(args.template)[None, None] if args.fields else None
    draws = [sorted(args.draws.glob(f"{head.id}_draw*.npy")) if args.draws else [] for head in natives]
    return [PaintedHead(head, models[head.id], f, d, template) for head, f, d in zip(natives, fields, draws, strict=True)]


def shown_to(judges: Judges, image: torch.Tensor, shown: torch.Tensor) -> list[torch.Tensor]:
    """Scores, each with the weight of what is shown there: [2, n, 1, z, y, x]."""
    with torch.autocast(image.device.type, torch.bfloat16, cache_enabled=False):
        scores = judges(torch.cat([image * shown, shown], 1).contiguous(memory_format=torch.channels_last_3d))
    out = []
    for s in scores:
        weight = F.adaptive_avg_pool3d(shown, s.shape[2:])
        out.append(torch.stack([s.float(), weight * (weight > 0.25)]))
    return out


def weighed(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1e-3)


def likeness(painted: torch.Tensor, real: torch.Tensor, bare: torch.Tensor, shown: torch.Tensor, paired: torch.Tensor) -> torch.Tensor:
    """Mean difference of the means over 10 mm, where all of a box is shown: of registered heads from the real one, of draws, whose layers
    lie elsewhere, from the draw as it was."""
    w = (F.avg_pool3d(shown, MEANS, stride=2) > 0.99).float()
    wanted = torch.where(paired.view(-1, 1, 1, 1, 1) > 0, real, bare)
    far = (F.avg_pool3d(painted, MEANS, stride=2) - F.avg_pool3d(wanted, MEANS, stride=2)).abs()
    return weighed(far, w)


class Painting:
    """The :class:`loop.Learner` of painter and discriminators, on the CPU."""

    best = Best("val_distance", higher=False)

    def __init__(self, args: argparse.Namespace, patches: Patches, val: Patches, rng: np.random.Generator):
        self.out, self.patches, self.rng, self.weight = Path(args.out), patches, rng, args.likeness
        self.painter = Painter(args.width).to(memory_format=torch.channels_last_3d)
        self.judges = Judges(args.judge_width).to(memory_format=torch.channels_last_3d)
        self.g_steps = torch.optim.Adam(self.painter.parameters(), lr=args.learning_rate, betas=(0.5, 0.99))
        self.d_steps = torch.optim.Adam(self.judges.parameters(), lr=args.judge_rate, betas=(0.5, 0.99))
        self.ema = averaging.averaged(self.painter, 0.995)
        self.rates = Rates([self.g_steps, self.d_steps], linear_end(warm_up=50))
        self.val = val.batch(np.random.default_rng(3), VAL_PATCHES)
        self.sheet = val.heads[:2]

    def at(self, step: int, progress: float) -> None:
        self.rates.to(step, progress)

    def paint(self, painter: torch.nn.Module, s: dict[str, torch.Tensor]) -> torch.Tensor:
        with torch.autocast(s["head"].device.type, torch.bfloat16, cache_enabled=False):
            residual = painter(s["head"], torch.randn_like(s["head"]))
        return laid_on(s, residual.float())

    def step(self, number: int) -> dict[str, float]:
        s = self.patches.batch(self.rng, BATCH)
        fake, shown = as_in_the_scan(s, self.paint(self.painter, s))
        # the scan is kept in steps of 1/100: the fake is not
        real = s["real"] + (torch.rand_like(s["real"]) - 0.5) / 100
        self.d_steps.zero_grad(set_to_none=True)
        loss_d, row = torch.zeros(()), {}
        scores = [shown_to(self.judges, x, shown.detach()) for x in (real, fake.detach())]
        for name, (a, w), (b, _) in zip(("fine", "coarse"), *scores, strict=True):
            loss_d = loss_d + weighed((1 - a).clamp(min=0), w) + weighed((1 + b).clamp(min=0), w)
            row[f"gap_{name}"] = float((weighed(a, w) - weighed(b, w)).detach())
        loss_d.backward()
        self.d_steps.step()
        self.g_steps.zero_grad(set_to_none=True)
        self.judges.requires_grad_(False)
        loss_g = sum(-weighed(b, w) for b, w in shown_to(self.judges, fake, shown.detach()))
        bare, _ = as_in_the_scan(s, s["head"])
        far = likeness(fake, real, bare, shown.detach(), s["paired"])
        (loss_g + self.weight * far).backward()
        self.judges.requires_grad_(True)
        if torch.isfinite(torch.nn.utils.clip_grad_norm_(self.painter.parameters(), 10.0)):
            self.g_steps.step()
            self.ema.update_parameters(self.painter)
        return row | {"loss_d": float(loss_d.detach()), "loss_g": float(loss_g.detach()), "far": float(far.detach())}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        torch_state = torch.get_rng_state()
        torch.manual_seed(11)
        figures: dict[str, float] = {}
        for name, painted in (("val", self.paint(self.ema.module, self.val)), ("bare", self.val["head"])):
            fake, shown = as_in_the_scan(self.val, painted)
            found = distances(self.val["real"], fake, shown)
            figures |= {f"{name}_{key}": value for key, value in found.items()}
            figures[f"{name}_distance"] = sum(found.values())
            figures[f"{name}_far"] = float(likeness(fake, self.val["real"], fake, shown, self.val["paired"]))
        torch.set_rng_state(torch_state)
        return figures

    def state(self) -> dict[str, object]:
        return {"model": self.painter.state_dict(), "judges": self.judges.state_dict(), "ema": self.ema.module.state_dict(),
                "optimiser": [self.g_steps.state_dict(), self.d_steps.state_dict()], "updates": averaging.updates(self.ema)}

    def load(self, state: dict) -> None:
        self.painter.load_state_dict(state["model"])
        self.judges.load_state_dict(state["judges"])
        self.ema.module.load_state_dict(state["ema"])
        for optimiser, kept in zip((self.g_steps, self.d_steps), state["optimiser"], strict=True):
            optimiser.load_state_dict(kept)
        averaging.set_updates(self.ema, state["updates"])

    def after(self, step: int) -> None:
        if step % VALIDATE_EVERY == 0:
            write_painted_sheet(self.out / "samples" / f"{step:06d}.png", self.ema.module, self.sheet)

    def finish(self, step: int) -> None:
        pass


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    out = write_settings(args.out, width=args.width)
    learner = Painting(args, Patches(load_painted(args, "train"), args.registered), Patches(load_painted(args, "val"), args.registered), rng)
    if args.initial is not None and not (out / "checkpoint.pt").exists():
        raise SystemExit("paint starts afresh: without its discriminators a painter's weights go astray at once")
    run_loop(learner, out, Budget(args.minutes, args.steps), Rhythm(50, VALIDATE_EVERY, VALIDATE_EVERY), Chance(args.seed, rng))
