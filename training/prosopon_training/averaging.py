"""The moving average of a network's weights and buffers: what is validated and exported.

    kept = averaged(model, 0.998)
    kept.update_parameters(model)      # after each step
    kept.module                        # the averaged network, in eval mode

PyTorch's :class:`AveragedModel` with the usual warm-up of its decay. Its count starts at 1: at 0 it would copy the first step's weights,
which the runs before it did not do.
"""
from __future__ import annotations

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    @torch.no_grad()
    def blend(kept: list[torch.Tensor], new: list[torch.Tensor], updates: torch.Tensor | int) -> None:
        """All tensors of one type; counters (of batch norm) are taken over."""
        warmed = min(decay, (1 + float(updates)) / (10 + float(updates)))
        if kept[0].dtype.is_floating_point:
            torch._foreach_lerp_(kept, new, 1 - warmed)
        else:
            torch._foreach_copy_(kept, new)

    kept = AveragedModel(model, multi_avg_fn=blend, use_buffers=True)
    kept.eval().requires_grad_(False)
    set_updates(kept, 0)
    return kept


def updates(kept: AveragedModel) -> int:
    """Steps that went into the average: what a checkpoint holds."""
    return int(kept.n_averaged) - 1


def set_updates(kept: AveragedModel, count: int) -> None:
    kept.n_averaged.fill_(count + 1)
