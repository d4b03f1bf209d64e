"""One network learned by gradient: AdamW, warm-up and cosine decay, moving average. What most stages are.

    model = train(model, step_loss, validate, out, args, rng, LOOP)
"""
from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from . import averaging, device
from .chance import Chance
from .initial import load_initial
from .loop import Best, Budget, Rhythm, run
from .schedule import Rates, cosine

StepLoss = Callable[[int], tuple[torch.Tensor, dict[str, float]]]
"""Step to the loss of one batch, and figures to log."""
Validate = Callable[[nn.Module], dict[str, float]]


@dataclass(frozen=True)
class Loop:
    """A stage's part of the recipe that no option changes; a configuration's ``[loop]`` does."""

    weight_decay: float = 1e-2
    warm_up: int = 100
    validate_every: int = 250
    ema_decay: float = 0.998


USUAL = Loop()


class SingleNetwork:
    """The :class:`loop.Learner` of one network."""

    def __init__(self, model: nn.Module, step_loss: StepLoss, validate: Validate, learning_rate: float, loop: Loop,
                 best: Best | None = None):
        self.best = best
        self.model, self.step_loss, self._validate = model, step_loss, validate
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=loop.weight_decay, betas=(0.9, 0.98))
        self.ema = averaging.averaged(model, loop.ema_decay)
        self.rates = Rates([self.optimiser], cosine(loop.warm_up))

    def at(self, step: int, progress: float) -> None:
        self.rates.to(step, progress)

    def step(self, number: int) -> dict[str, float]:
        self.model.train()
        loss, figures = self.step_loss(number)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if torch.isfinite(norm):
            self.optimiser.step()
            self.ema.update_parameters(self.model)
        return {**figures, "loss": float(loss.detach())}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        return self._validate(self.ema.module)

    def state(self) -> dict[str, object]:
        return {"model": self.model.state_dict(), "ema": self.ema.module.state_dict(), "optimiser": self.optimiser.state_dict(),
                "updates": averaging.updates(self.ema)}

    def load(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        self.ema.module.load_state_dict(state["ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        averaging.set_updates(self.ema, state["updates"])

    def after(self, step: int) -> None:
        pass

    def finish(self, step: int) -> None:
        pass


def train(model: nn.Module, step_loss: StepLoss, validate: Validate, out: Path, args: argparse.Namespace, rng: np.random.Generator | None = None,
          loop: Loop = USUAL, best: Best | None = None) -> nn.Module:
    """Runs until ``args.steps`` or ``args.minutes`` are spent; returns the averaged network. ``best``: by which figure ``best.pt`` is kept.

    ``args.initial``: a checkpoint whose averaged weights, or a shipped ``model.onnx`` whose weights are the start; not where a run is resumed.
    """
    loop = replace(loop, **getattr(args, "loop", {}))
    if args.initial is not None and not (out / "checkpoint.pt").exists():
        fresh = load_initial(model, args.initial)
        print(f"started from {args.initial.name}" + (f"; {len(fresh)} entries start afresh" if fresh else ""), flush=True)
    learner = SingleNetwork(model.to(device.pick()), step_loss, validate, args.learning_rate, loop, best)
    every = loop.validate_every
    run(learner, out, Budget(args.minutes, args.steps), Rhythm(every, every, every), Chance(args.seed, rng))
    return learner.ema.module
