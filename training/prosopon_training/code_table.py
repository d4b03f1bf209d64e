"""Codes of many heads, made once: what a training over codes reads, so that its step is cheap.

    fill(folder, 3000, mixtures, complement, brain, seed=1)      # parts of 250 samples; goes on where it stopped
    table = read(folder)                                         # {"coarse": [n, 384] ..., "fine": [n, 3072], ...}

A sample is a head, or a mixture of heads (mixtures.py), deformed by ``STRENGTH`` of what the VQ-VAE's training does: there deformations
teach a decoder what can be; here they would teach that people differ more than they do.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .mixtures import Mixtures
from .networks.brain_codes import BrainEncoder
from .networks.complement_fine import TwoLevelVqVae

STRENGTH = 0.3
PART = 250
BATCH = 4


@torch.no_grad()
def encode(complement: TwoLevelVqVae, brain: BrainEncoder, sample: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Of a batch of samples: indices of both levels, brain codes and brain at the sites, what of either level's sites the scan covers."""
    coarse, fine = complement.codes(sample["displacement"], sample["gain"], sample["brain4"])
    fsq, n = complement.encoder.fsq, len(coarse)
    covered = sample["covered"]
    return {
        "coarse": fsq.indices(coarse).reshape(n, -1).numpy().astype(np.uint8),
        "fine": fsq.indices(fine).reshape(n, -1).numpy().astype(np.uint8),
        "brain_codes": brain(sample["brain4"]).numpy().astype(np.float16),
        "brain_sites": F.avg_pool3d(sample["brain4"], 8).numpy().astype(np.float16),
        "coarse_covered": (F.avg_pool3d(covered, 4) > 0.5).reshape(n, -1).numpy(),
        "fine_covered": (F.avg_pool3d(covered, 2) > 0.5).reshape(n, -1).numpy(),
        "own": sample.get("own", torch.ones(n, 1)).reshape(n).numpy() > 0,
    }


def joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def mirrored(sample: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    out = {key: value.flip(4) if value.dim() == 5 else value for key, value in sample.items()}
    return out | {"displacement": out["displacement"] * torch.tensor([-1.0, 1, 1]).view(1, 3, 1, 1, 1)}


def heads_and_mirrored(complement: TwoLevelVqVae, brain: BrainEncoder, samples: list[dict[str, torch.Tensor]]) -> dict[str, np.ndarray]:
    """Each head as it is, then mirrored."""
    return joined([encode(complement, brain, {key: torch.cat([sample[key], mirrored(sample)[key]]) for key in sample}) for sample in samples])


def fill(folder: Path, count: int, heads: Mixtures, complement: TwoLevelVqVae, brain: BrainEncoder, seed: int) -> None:
    """Writes the parts that are missing of ``count`` samples. A part depends on the seed and its number alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(-(-count // PART)):
        path = folder / f"part-{number:03d}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng([seed, number])
        batches = []
        for _ in range(0, min(PART, count - number * PART), BATCH):
            samples = [heads.sample(rng, STRENGTH) for _ in range(BATCH)]
            batches.append(encode(complement, brain, {key: torch.cat([s[key] for s in samples]) for key in samples[0]}))
        partial = path.with_suffix(".part.npz")
        np.savez(partial, **joined(batches))
        partial.replace(path)
        print(f"codes of {(number + 1) * PART} samples", flush=True)


def read(folder: Path) -> dict[str, np.ndarray]:
    """All parts that are there."""
    return joined([dict(np.load(path)) for path in sorted(folder.glob("part-???.npz"))])
