"""The loop that every stage goes through: a budget of steps or minutes, means of figures, validation, checkpoints that resume.

    run(learner, out, Budget(minutes=60, steps=10**9), Rhythm(log=250, validate=250, checkpoint=250), Chance(seed, rng))

What is learned is the :class:`Learner`'s: one network by gradient (``single.py``), two against each other (``stages/cp_gan.py``), a field for
each head (``stages/register.py``).
"""
from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .chance import Chance
from .runs import BEST, draw_curves, read_checkpoint, save


@dataclass(frozen=True)
class Best:
    """The figure of val heads by which ``best.pt`` is kept beside ``checkpoint.pt``: a run that goes on too long loses nothing."""

    figure: str
    higher: bool = True

    def beaten(self, value: float, by: float) -> bool:
        """Never by what is not a number."""
        return by > value if self.higher else by < value


class Learner(Protocol):
    best: Best | None = None
    """The last checkpoint is the only one where none is named."""

    def at(self, step: int, progress: float) -> None:
        """Before each step: how far the run is, from 0 to 1."""

    def step(self, number: int) -> dict[str, float]:
        """One step; figures whose means are logged."""

    def validate(self) -> dict[str, float]:
        """Figures of val heads."""

    def state(self) -> dict[str, object]:
        """What a checkpoint holds: tensors, numbers and text in dicts and lists."""

    def load(self, state: dict) -> None: ...

    def after(self, step: int) -> None:
        """After a step has been logged: pictures."""

    def finish(self, step: int) -> None:
        """When the budget is spent."""


@dataclass(frozen=True)
class Budget:
    """Whichever comes first."""

    minutes: float
    steps: int


@dataclass(frozen=True)
class Rhythm:
    """In steps. What is validated is logged, so ``validate`` is a multiple of ``log``."""

    log: int
    validate: int
    checkpoint: int


class Means:
    """Means of figures, each over the steps that gave it."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.counts: dict[str, int] = {}

    def add(self, figures: dict[str, float]) -> None:
        for key, value in figures.items():
            self.sums[key], self.counts[key] = self.sums.get(key, 0.0) + value, self.counts.get(key, 0) + 1

    def taken(self) -> dict[str, float]:
        means = {key: value / self.counts[key] for key, value in self.sums.items()}
        self.sums, self.counts = {}, {}
        return means


def best_of(out: Path, best: Best) -> float:
    """The figure of the ``best.pt`` that is there; as bad as can be where there is none, or one kept by another figure."""
    kept = read_checkpoint(out / BEST) if (out / BEST).exists() else {}
    return kept["value"] if kept.get("figure") == best.figure else float("-inf") if best.higher else float("inf")


def run(learner: Learner, out: Path, budget: Budget, rhythm: Rhythm, chance: Chance) -> None:
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    step, spent, start = 0, 0.0, time.time()
    if checkpoint.exists():
        state = read_checkpoint(checkpoint)
        learner.load(state)
        step, spent = state["step"], state["spent"]
        chance.restore(state.get("chance"), step)
        print(f"resumed at step {step}", flush=True)

    def elapsed() -> float:
        return spent + time.time() - start

    def keep(path: Path = checkpoint, **more: object) -> None:
        save(path, **learner.state(), step=step, spent=elapsed(), chance=chance.state(), **more)

    best = getattr(learner, "best", None)
    kept = best_of(out, best) if best else 0.0

    means = Means()
    while True:
        progress = max(step / budget.steps if budget.steps > 0 else 1.0, elapsed() / (60 * budget.minutes))
        if progress >= 1:
            break
        learner.at(step, progress)
        means.add(learner.step(step))
        step += 1
        if step % rhythm.log == 0:
            judged = learner.validate() if step % rhythm.validate == 0 else {}
            row = {"step": step, "seconds": round(elapsed(), 1)} | means.taken() | judged
            with (out / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
            print(json.dumps({k: round(v, 5) for k, v in row.items()}), flush=True)
            if best and best.figure in judged and best.beaten(kept, judged[best.figure]):
                kept = float(judged[best.figure])
                keep(out / BEST, figure=best.figure, value=kept)
        if step % rhythm.checkpoint == 0:
            keep()
        learner.after(step)
    keep()
    draw_curves(out)
    learner.finish(step)
