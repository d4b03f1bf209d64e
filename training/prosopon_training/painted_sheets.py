"""Pictures of painted heads for whoever watches the training: slices of the real head, the fake as it is and painted. They show
people and lie in the run folder, which git ignores.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from .contract import BYTES_PER_LEVEL, TRIMMED_2MM
from .painted_patches import Fake, PaintedHead

ENLARGED = 2


@torch.no_grad()
def painted_whole(painter: torch.nn.Module, fake: Fake, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The fake as it is and painted, [128, 128, 96] in brain levels."""
    head = fake.head.float()[None, None] / BYTES_PER_LEVEL
    noise = torch.randn(head.shape, generator=torch.Generator().manual_seed(seed))
    return head[0, 0], (head + fake.gate.float() / 100 * painter(head, noise)).clamp(min=0)[0, 0]


def real_on_model_grid(head: PaintedHead) -> torch.Tensor:
    """The scan's nearest voxels on the model grid, [128, 128, 96]."""
    from scipy import ndimage

    back = np.linalg.inv(head.to_model)
    d, h, w = TRIMMED_2MM
    z, y, x = np.meshgrid(np.arange(d), np.arange(h), np.arange(w), indexing="ij")
    at = np.stack([x, y, z], -1) @ back[:3, :3].T + back[:3, 3]
    values = ndimage.map_coordinates(head.real.numpy().astype(np.float32), [at[..., 2], at[..., 1], at[..., 0]], order=1)
    return torch.from_numpy(values) / BYTES_PER_LEVEL


def slices(volume: torch.Tensor) -> list[np.ndarray]:
    """Beside the middle sagittal, axial through the cheeks, coronal through the face: where structure is."""
    d, h, w = volume.shape
    cuts = [volume[:, :, w // 2 + 4].flip(0), volume[d // 2 - 8].flip(0), volume[:, h // 2 + 14].flip(0)]
    return [(cut / 1.7).clamp(0, 1).numpy().repeat(ENLARGED, 0).repeat(ENLARGED, 1) for cut in cuts]


def write_painted_sheet(path: Path, painter: torch.nn.Module, heads: list[PaintedHead]) -> None:
    """A row for the real head and for each of its first two fakes, as it is and painted."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = []
    for head in heads:
        rows = [real_on_model_grid(head)]
        for fake in head.fakes[:2]:
            rows += painted_whole(painter, fake)
        columns.append(np.concatenate([np.concatenate(slices(row), 1) for row in rows], 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    plt.imsave(path, np.concatenate(columns, 1), cmap="gray", vmin=0, vmax=1)
