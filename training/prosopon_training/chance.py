"""The random numbers of a run, kept in its checkpoint: a run that is resumed draws what it would have drawn next.

    chance = Chance(seed, rng)         # rng: the stage's numpy generator; torch's own is the process's
    state = chance.state()             # loads with weights_only=True
"""
from __future__ import annotations

import json

import numpy as np
import torch


class Chance:
    def __init__(self, seed: int, rng: np.random.Generator | None = None):
        self.seed, self.rng = seed, rng

    def state(self) -> dict[str, object]:
        return {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "numpy": json.dumps(self.rng.bit_generator.state) if self.rng is not None else "",
        }

    def restore(self, state: dict | None, step: int) -> None:
        """``None``: a checkpoint written before it held this. Its run goes on with numbers of its own, not with the first ones again."""
        if state is None:
            torch.manual_seed(self.seed + step)
            if self.rng is not None:
                self.rng.bit_generator.state = np.random.default_rng(self.seed + step).bit_generator.state
            return
        torch.set_rng_state(state["torch"])
        if state["cuda"] and torch.cuda.device_count() == len(state["cuda"]):
            torch.cuda.set_rng_state_all(state["cuda"])
        if self.rng is not None and state["numpy"]:
            self.rng.bit_generator.state = json.loads(state["numpy"])
