"""Where a stage computes: on a GPU where there is one, in every stage alike.

    device = pick()
    logits = ask(model, images)        # images and logits on the CPU, the network where it is

The networks and their optimisers lie on the device; samples are made, and losses taken, on the CPU. cp-gan, whose losses are networks
themselves, moves whole batches instead.
"""
from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import nn


def pick() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def of(network: nn.Module) -> torch.device:
    return next((x.device for x in itertools.chain(network.parameters(), network.buffers())), torch.device("cpu"))


def ask(part: Callable, *inputs: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
    """A network, or a method of one: its answer on the CPU, with its gradient."""
    device = of(part if isinstance(part, nn.Module) else part.__self__)
    found = part(*(x.to(device) for x in inputs))
    return found.cpu() if isinstance(found, torch.Tensor) else tuple(x.cpu() for x in found)
