"""VQ-VAE of the complement (e2, d2): the fields that make each head from the template, into 8 x 8 x 6 codes.

Needs the run of ``register``. 15 % of the heads lose all their codes in training and 40 % some of them (a null code), so
that the decoder knows what a brain alone says and any part of the codes can come from a draw. Every head is deformed
together with its brain: the fields are composed with the deformation. Loss: on displacement and gain at 8 mm, the face
weighing three times, nothing outside the scan's field of view.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from ..augment import random_elastic, rotation_matrix, sampling_grid
from ..contract import BRAIN, BYTES_PER_LEVEL, COVERED, HEAD, SITES, TRIM, TRIMMED_2MM, trimmed
from ..data import HeadRecord, read_index
from ..device import ask
from ..networks.complement import DISPLACEMENT_SCALE, ComplementVqVae, encoder_input, integrate, warp
from ..runs import write_settings
from ..single import Loop, train

HELP = "VQ-VAE of the complement; needs prepared heads (train and val) and the run of register"
# more than one head: PyTorch runs small convolutions of a batch of one without oneDNN, at a third of the speed
BATCH = 2
SHAPE = TRIMMED_2MM
VELOCITY_SHAPE = trimmed(8)
LOOP = Loop(validate_every=50, warm_up=40, ema_decay=0.99)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fields", type=Path, required=True, help="run folder of register")
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--learning-rate", type=float, default=2e-3)


def load_head(head: HeadRecord) -> tuple[torch.Tensor, torch.Tensor]:
    """Image (brain = 1, air zeroed) and flags, [128, 128, 96]."""
    flags = torch.from_numpy(np.ascontiguousarray(head.load("flags")[:, :, TRIM]))
    image = torch.from_numpy(np.ascontiguousarray(head.load("image")[:, :, TRIM])).float() / BYTES_PER_LEVEL
    return image * ((flags & HEAD) > 0), flags


def make_sample(rng: np.random.Generator, head: HeadRecord, strength: float = 1.0) -> dict[str, torch.Tensor]:
    """One head, mirrored and deformed with its brain, as the tensors of the networks (batch of one)."""
    image, flags = load_head(head)
    if strength > 0:
        matrix = rotation_matrix(rng.normal(0, 0.03 * strength, 3)) * np.exp(rng.normal(0, 0.03 * strength, 3))
        if rng.random() < 0.5:
            matrix = matrix @ np.diag([-1.0, 1, 1])
        grid = sampling_grid(SHAPE, matrix, rng.normal(0, 0.7 * strength, 3), SHAPE, random_elastic(rng, 1.2 * strength, 6))
        stack = torch.stack([image, ((flags & BRAIN) > 0).float(), ((flags & COVERED) > 0).float()])[None]
        image, brain, covered = F.grid_sample(stack, grid, align_corners=True)[0]
        brain, covered = (brain > 0.5).float(), (covered > 0.95).float()
        image = image * float(np.exp(rng.normal(0, 0.03)))
    else:
        brain, covered = ((flags & BRAIN) > 0).float(), ((flags & COVERED) > 0).float()
    return tensors(image, brain, covered)


def tensors(image: torch.Tensor, brain: torch.Tensor, covered: torch.Tensor) -> dict[str, torch.Tensor]:
    image, brain, covered = (v[None, None] for v in (image, brain, covered))
    pooled = F.avg_pool3d(brain, 2)
    return {
        "image": image, "brain": brain, "covered": covered,
        "complement": image * (1 - brain) * covered,
        "brain4": torch.cat([pooled, F.avg_pool3d(image * brain, 2)], 1),
        "hole4": pooled, "covered4": F.avg_pool3d(covered, 2),
    }


def random_keep(rng: np.random.Generator, count: int) -> torch.Tensor:
    rows = []
    for _ in range(count):
        r = rng.random()
        shape = (1, 1, *SITES)
        rows.append(torch.zeros(shape) if r < 0.15 else torch.ones(shape) if r > 0.55
                    else (torch.rand(shape) > rng.uniform(0, 1)).float())
    return torch.cat(rows)


def smoothness(field: torch.Tensor) -> torch.Tensor:
    return sum((field.diff(dim=axis) ** 2).mean() for axis in (2, 3, 4))


class FieldHead:
    """One registered head: brain at 4 mm, displacement and gain at 8 mm, coverage at 8 mm; kept in memory (2 MB)."""

    def __init__(self, head: HeadRecord, velocity: np.ndarray, gain: np.ndarray):
        s = make_sample(np.random.default_rng(0), head, 0)
        self.brain = s["brain4"]
        self.covered = F.avg_pool3d(s["covered4"], 2)
        self.velocity = torch.from_numpy(velocity).float()[None]
        self.displacement = integrate(self.velocity, 4)
        self.gain = torch.from_numpy(gain).float()[None]

    def sample(self, rng: np.random.Generator, strength: float = 1.0) -> dict[str, torch.Tensor]:
        """Mirrored and deformed together with its brain; ``strength`` 0: as it is."""
        return deformed(rng, self.brain, self.covered, self.displacement, self.gain, strength)


def deformed(rng: np.random.Generator, brain: torch.Tensor, covered: torch.Tensor, u: torch.Tensor, g: torch.Tensor,
             strength: float = 1.0) -> dict[str, torch.Tensor]:
    """A head's fields and brain, mirrored and deformed together."""
    if strength > 0:
        if rng.random() < 0.5:
            brain, covered, u, g = (v.flip(4) for v in (brain, covered, u, g))
            u = u * torch.tensor([-1.0, 1, 1]).view(1, 3, 1, 1, 1)
        matrix = rotation_matrix(rng.normal(0, 0.02 * strength, 3)) * np.exp(rng.normal(0, 0.03 * strength, 3))
        grid = sampling_grid(SHAPE_8, matrix, rng.normal(0, 0.2 * strength, 3), SHAPE_8, random_elastic(rng, 0.35 * strength, 6))
        # to displacement in normalised coordinates, align_corners False
        position = [(grid[..., i] * (n - 1) / 2 + (n - 1) / 2 + 0.5) * 2 / n - 1 for i, n in enumerate((24, 32, 32))]
        identity = F.affine_grid(torch.eye(3, 4)[None], [1, 1, *SHAPE_8], align_corners=False)
        delta = (torch.stack(position, -1) - identity).permute(0, 4, 1, 2, 3)
        u = warp(u, delta) + delta
        g, covered = warp(g, delta), warp(covered, delta)
        brain = warp(brain, F.interpolate(delta, scale_factor=2, mode="trilinear", align_corners=False))
        brain = torch.cat([brain[:, :1], brain[:, 1:] * float(np.exp(rng.normal(0, 0.03)))], 1)
    return {"brain4": brain, "covered": covered, "displacement": u, "gain": g}


SHAPE_8 = VELOCITY_SHAPE


def load_fields(folder: Path, heads: list[HeadRecord]) -> list[FieldHead]:
    """In the order of ``heads``; raises for a head that was not registered."""
    data = np.load(folder / "fields.npz")
    row = {name: i for i, name in enumerate(data["ids"])}
    velocity, gain = data["velocity"], data["gain"]
    return [FieldHead(head, velocity[row[head.id]], gain[row[head.id]]) for head in heads]


def collate(samples: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {key: torch.cat([sample[key] for sample in samples]) for key in samples[0]}


def field_loss(displacement: torch.Tensor, gain: torch.Tensor, s: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean squared error of displacement (mm^2, up to the axes' scales) and the training loss."""
    w = (s["covered"] > 0.9).float()
    d, h, _ = w.shape[2:]
    w[:, :, d // 5 : (3 * d) // 5, h // 2 :] *= 3
    error = (displacement - s["displacement"]) / DISPLACEMENT_SCALE
    bend = sum((error.diff(dim=axis) ** 2).mean() for axis in (2, 3, 4))
    squared = (w * error**2).sum() / w.sum() / 3
    gains = (w * ((gain - s["gain"]) / 0.3) ** 2).sum() / w.sum()
    return squared, squared + bend + 0.3 * gains


@torch.no_grad()
def validate_heads(model: ComplementVqVae, heads: list[FieldHead]) -> dict[str, float]:
    """RMS error of the displacement with the own codes and with none (mm, about), and the codes' perplexity."""
    own, none, codes = [], [], []
    for head in heads:
        s = head.sample(np.random.default_rng(0), 0)
        q = ask(model.encoder, encoder_input(s["displacement"], s["gain"]))
        codes.append(model.encoder.fsq.indices(q))
        for keep, scores in ((1.0, own), (0.0, none)):
            squared, _ = field_loss(*ask(model.decoder, q, torch.full((1, 1, *SITES), keep), s["brain4"]), s)
            scores.append(float(squared))
    counts = torch.bincount(torch.cat(codes).reshape(-1), minlength=model.encoder.fsq.size).float()
    p = counts / counts.sum()
    mm = 120 * DISPLACEMENT_SCALE
    return {"val_rms_mm": mm * float(np.mean(own)) ** 0.5, "val_rms_mm_null": mm * float(np.mean(none)) ** 0.5,
            "perplexity": float(torch.exp(-(p * (p + 1e-9).log()).sum())), "codes_used": float((counts > 0).float().mean())}


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    heads = load_fields(args.fields, read_index(args.data, "train"))
    val = load_fields(args.fields, read_index(args.data, "val"))
    model = ComplementVqVae(args.width).to(memory_format=torch.channels_last_3d)
    out = write_settings(args.out, width=args.width)

    def step_loss(_: int) -> tuple[torch.Tensor, dict[str, float]]:
        s = collate([heads[rng.integers(len(heads))].sample(rng) for _ in range(BATCH)])
        q = ask(model.encoder, encoder_input(s["displacement"], s["gain"]))
        squared, loss = field_loss(*ask(model.decoder, q, random_keep(rng, BATCH), s["brain4"]), s)
        return loss, {"squared": float(squared.detach())}

    train(model, step_loss, lambda ema: validate_heads(ema, val), out, args, rng, LOOP)
