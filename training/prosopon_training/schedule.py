"""Learning rates over a budget of steps or minutes: ``LambdaLR`` told how far the run is.

    rates = Rates([optimiser], cosine(warm_up=100))
    rates.to(step, progress)           # before each step; progress from 0 to 1
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch.optim.lr_scheduler import LambdaLR

Factor = Callable[[int, float], float]
"""Step and progress to the share of the optimiser's own rate."""


def cosine(warm_up: int) -> Factor:
    """Up over ``warm_up`` steps, then down to 3 % at the end of the budget."""
    return lambda step, progress: min(1.0, (step + 1) / warm_up) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * progress)))


def linear_end(warm_up: int) -> Factor:
    """Full, then a linear end to a tenth over the last two fifths."""
    return lambda step, progress: min(1.0, (step + 1) / warm_up, 0.1 + 2.25 * (1 - progress))


class Rates:
    """The rates that the optimisers were made with are the ones that count: a loaded state brings others."""

    def __init__(self, optimisers: Sequence[torch.optim.Optimizer], factor: Factor):
        self.optimisers, self.factor = optimisers, factor
        self.bases = [[group["lr"] for group in optimiser.param_groups] for optimiser in optimisers]
        self.schedulers: list[LambdaLR] = []
        self.point = (0, 0.0)

    def to(self, step: int, progress: float) -> None:
        self.point = (step, progress)
        if self.schedulers:
            for scheduler in self.schedulers:
                scheduler.step()
            return
        for optimiser, bases in zip(self.optimisers, self.bases):
            for group, base in zip(optimiser.param_groups, bases):
                group["lr"] = group["initial_lr"] = base
        self.schedulers = [LambdaLR(optimiser, lambda _: self.factor(*self.point)) for optimiser in self.optimisers]
