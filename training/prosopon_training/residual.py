"""What the few codes leave open, as a Gaussian: principal components of (registered field - decoded field) over train heads.

The squared loss makes the decoder's heads too alike, and a face near the expected one is the best guess of its owner. A
draw adds a random combination of these components, with the deviations they have in real heads, so that drawn faces
differ as strangers do (active appearance models, Cootes 2001, on the decoder's residual). It fades out at the brain,
where the skull must fit.
"""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .contract import SITES
from .networks.complement import ComplementVqVae, blur, encoder_input, enlarge
from .networks.complement_fine import FINE_SITES, TwoLevelVqVae
from .stages.vqvae_complement import VELOCITY_SHAPE, FieldHead


def rebuilt_fields(model: ComplementVqVae | TwoLevelVqVae, head: FieldHead) -> tuple[torch.Tensor, torch.Tensor]:
    """Displacement and gain from a head's own codes."""
    every = torch.ones(1, 1, *SITES)
    if isinstance(model, TwoLevelVqVae):
        coarse, fine = model.codes(head.displacement, head.gain, head.brain)
        return model.decoder.decode(coarse, every, fine, torch.ones(1, 1, *FINE_SITES), head.brain)
    return model.decoder(model.encoder(encoder_input(head.displacement, head.gain)), every, head.brain)


@torch.no_grad()
def residual_components(model: ComplementVqVae | TwoLevelVqVae, heads: list[FieldHead], count: int) -> tuple[torch.Tensor, float]:
    """[count, 4, 32, 32, 24] components scaled by their standard deviations (displacement and log gain), and the share
    of the residual's variance that they hold. Every head counts mirrored too."""
    rows = []
    sign = torch.tensor([-1.0, 1, 1, 1]).view(1, 4, 1, 1, 1)
    for head in heads:
        displacement, gain = rebuilt_fields(model, head)
        residual = torch.cat([head.displacement - displacement, head.gain - gain], 1)
        rows += [residual, residual.flip(4) * sign]
    stack = torch.cat(rows).reshape(len(rows), -1)
    weight = torch.tensor([1.0, 1, 1, 0.15]).repeat_interleave(stack.shape[1] // 4)
    stack = (stack - stack.mean(0)) * weight
    values, vectors = torch.linalg.eigh(stack @ stack.T / len(rows))
    values, vectors = values.flip(0)[:count].clamp(min=1e-12), vectors.flip(1)[:, :count]
    components = (vectors.T @ stack) / (len(rows) * values[:, None]).sqrt()
    share = float(values.sum() * len(rows) / (stack**2).sum())
    return (components * values.sqrt()[:, None] / weight).reshape(count, 4, *VELOCITY_SHAPE), share


class ShapeResidual(nn.Module):
    """Standard normal scores [n, count] and the brain [n, 2, 64, 64, 48] to fields at 4 mm, fading out at the brain."""

    def __init__(self, components: torch.Tensor):
        super().__init__()
        self.components = nn.Parameter(components.reshape(components.shape[0], -1), requires_grad=False)

    def forward(self, scores: torch.Tensor, brain: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fields = (scores @ self.components).reshape(-1, 4, *VELOCITY_SHAPE)
        near = blur(blur(F.avg_pool3d(brain[:, :1], 2)))
        fields = enlarge(fields * (1 - 1.6 * near).clamp(min=0))
        return fields[:, :3], fields[:, 3:]
