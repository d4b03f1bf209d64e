"""The training loop that all stages share: AdamW, warm-up and cosine decay over a time or step budget, EMA of
weights, checkpoints that resume, validation curves as JSON lines and as a picture.
"""
from __future__ import annotations

import copy
import json
import math
import time
from pathlib import Path
from typing import Callable

import torch
from torch import nn

from .initial import load_initial


class Ema:
    """Exponential moving average of a module's parameters and buffers, with the usual warm-up of its decay."""

    def __init__(self, model: nn.Module, decay: float):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for kept, new in zip(self.model.state_dict().values(), model.state_dict().values()):
            if kept.dtype.is_floating_point:
                kept.lerp_(new.detach(), 1 - decay)
            else:
                kept.copy_(new)


def save(path: Path, **parts: object) -> None:
    """Writes a checkpoint whole or not at all."""
    partial = path.with_suffix(".part")
    torch.save(parts, partial)
    partial.replace(path)


def draw_curves(folder: Path) -> None:
    """Every numeric field of ``log.jsonl`` over steps, in ``curves.png``."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    keys = sorted({key for row in rows for key in row if key not in ("step", "seconds")})
    figure, axes = plt.subplots(len(keys), 1, figsize=(7, 2 * len(keys)), squeeze=False)
    for axis, key in zip(axes[:, 0], keys):
        points = [(row["step"], row[key]) for row in rows if key in row]
        axis.plot(*zip(*points))
        axis.set_ylabel(key, fontsize=7)
    figure.tight_layout()
    figure.savefig(folder / "curves.png", dpi=70)
    plt.close(figure)


def train(
    model: nn.Module,
    step_loss: Callable[[int], tuple[torch.Tensor, dict[str, float]]],
    validate: Callable[[nn.Module], dict[str, float]],
    out: Path,
    *,
    minutes: float,
    steps: int,
    learning_rate: float,
    groups: list[dict] | None = None,
    weight_decay: float = 1e-2,
    warm_up: int = 100,
    validate_every: int = 250,
    ema_decay: float = 0.998,
    resume: bool = True,
    initial: Path | None = None,
) -> nn.Module:
    """Runs until ``steps`` or ``minutes`` are spent, whichever comes first; the learning rate decays over that budget.

    ``step_loss(step)`` returns the loss of one batch and figures to log. Returns the EMA model.
    ``initial``: a checkpoint whose EMA weights, or a shipped ``model.onnx`` whose weights are the start.
    """
    out.mkdir(parents=True, exist_ok=True)
    if initial is not None:
        fresh = load_initial(model, initial)
        print(f"started from {initial.name}" + (f"; {len(fresh)} entries start afresh" if fresh else ""), flush=True)
    optimiser = torch.optim.AdamW(groups or model.parameters(), lr=learning_rate, weight_decay=weight_decay, betas=(0.9, 0.98))
    bases = [group["lr"] for group in optimiser.param_groups]
    ema = Ema(model, ema_decay)
    step, spent = 0, 0.0
    checkpoint = out / "checkpoint.pt"
    if resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=False)
        model.load_state_dict(state["model"])
        ema.model.load_state_dict(state["ema"])
        optimiser.load_state_dict(state["optimiser"])
        ema.updates, step, spent = state["updates"], state["step"], state["spent"]
        print(f"resumed at step {step}", flush=True)
    start, sums, count = time.time(), {}, 0
    while True:
        elapsed = spent + time.time() - start
        progress = max(step / steps if steps > 0 else 1.0, elapsed / (60 * minutes))
        if progress >= 1:
            break
        factor = min(1.0, (step + 1) / warm_up) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group, base in zip(optimiser.param_groups, bases):
            group["lr"] = base * factor
        model.train()
        loss, figures = step_loss(step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if torch.isfinite(norm):
            optimiser.step()
            ema.update(model)
        step += 1
        for key, value in {**figures, "loss": float(loss.detach())}.items():
            sums[key] = sums.get(key, 0.0) + value
        count += 1
        if step % validate_every == 0:
            with torch.no_grad():
                figures = validate(ema.model)
            row = {"step": step, "seconds": round(spent + time.time() - start, 1)}
            row |= {key: value / count for key, value in sums.items()} | figures
            sums, count = {}, 0
            with (out / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
            print(json.dumps({k: round(v, 5) for k, v in row.items()}), flush=True)
            save(checkpoint, model=model.state_dict(), ema=ema.model.state_dict(), optimiser=optimiser.state_dict(),
                 updates=ema.updates, step=step, spent=spent + time.time() - start)
    save(checkpoint, model=model.state_dict(), ema=ema.model.state_dict(), optimiser=optimiser.state_dict(),
         updates=ema.updates, step=step, spent=spent + time.time() - start)
    if (out / "log.jsonl").exists():
        draw_curves(out)
    return ema.model
