"""AdamP (Heo et al., ICLR 2021): Adam whose step loses its radial part where the weights are scale-invariant.

    optimiser = AdamP(generator.parameters(), lr=2e-3, betas=(0.0, 0.99))

A weight that a normalisation follows has a gradient orthogonal to it; momentum then only makes it longer, and its effective
step shorter. For each tensor of two axes or more, seen first as one row for each output channel and then as one row, the step is
projected when the gradient's cosine with the weight stays below ``delta / sqrt(length of a row)`` in every row.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch


def _rows(x: torch.Tensor) -> torch.Tensor:
    return x.reshape(x.shape[0], -1)


def _one_row(x: torch.Tensor) -> torch.Tensor:
    return x.reshape(1, -1)


def project(weight: torch.Tensor, gradient: torch.Tensor, step: torch.Tensor, delta: float, ratio: float,
            eps: float) -> tuple[torch.Tensor, float]:
    """The step without its part along ``weight`` where the test fires, and the factor of weight decay."""
    for view in (_rows, _one_row):
        w, g = view(weight), view(gradient)
        cosine = torch.nn.functional.cosine_similarity(g, w, dim=1, eps=eps).abs()
        if float(cosine.max()) < delta / math.sqrt(w.shape[1]):
            unit = w / (w.norm(dim=1, keepdim=True) + eps)
            p = view(step)
            return (p - unit * (unit * p).sum(dim=1, keepdim=True)).reshape(step.shape), ratio
    return step, 1.0


class AdamP(torch.optim.Optimizer):
    """``lr``, ``betas``, ``eps``, ``weight_decay`` as in Adam; ``delta`` and ``wd_ratio`` as in the paper; no Nesterov."""

    def __init__(self, parameters: Iterable, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0.0, delta: float = 0.1, wd_ratio: float = 0.1):
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "delta": delta,
                                      "wd_ratio": wd_ratio})

    @torch.no_grad()
    def step(self, closure: Callable | None = None) -> float | None:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            first, second = group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                gradient, state = weight.grad, self.state[weight]
                if not state:
                    state |= {"step": 0, "mean": torch.zeros_like(weight), "square": torch.zeros_like(weight)}
                state["step"] += 1
                state["mean"].mul_(first).add_(gradient, alpha=1 - first)
                state["square"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
                spread = state["square"].sqrt().div_(math.sqrt(1 - second ** state["step"])).add_(group["eps"])
                step, factor = state["mean"] / spread, 1.0
                if weight.dim() > 1:
                    step, factor = project(weight, gradient, step, group["delta"], group["wd_ratio"], group["eps"])
                if group["weight_decay"] > 0:
                    weight.mul_(1 - group["lr"] * group["weight_decay"] * factor)
                weight.add_(step, alpha=-group["lr"] / (1 - first ** state["step"]))
        return loss
