"""Registers every train and val head to a common template: the fields that the complement's VQ-VAE learns to code.

Each head gets a stationary velocity field at 8 mm (integrated: a diffeomorphism) and a smooth log gain at 8 mm, found by
gradient descent on the image and the brain mask at 4 mm, blurred first; the template is the mean of all heads carried
into its frame, renewed between rounds. Teaching a network to find the fields by itself (VoxelMorph's way) took 3.5 s of
CPU a step and had hardly moved the mean head after 200 steps; this takes seconds a head.

Writes ``fields.npz`` (ids, velocity [n, 3, 32, 32, 24], gain [n, 1, 32, 32, 24], fp16) and ``template.npy`` [128, 128, 96].
"""
from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from ..data import read_index
from ..initial import learned_head
from ..networks.complement import MAX_GAIN, blur, enlarge, integrate, push, warp
from .vqvae_complement import VELOCITY_SHAPE, make_sample, smoothness

HELP = "register all heads to a template; needs prepared heads (train and val)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--iterations", type=int, nargs="+", default=[14, 12, 12], help="per round")
    parser.add_argument("--stiffness", type=float, default=150.0)
    parser.add_argument("--template", type=Path,
                        help="a learned head that stays as it is: models/head-128/model.onnx (cp-gan --form move needs fields of that one)")


def smooth_velocity(p: torch.Tensor) -> torch.Tensor:
    return blur(blur(p))


def weights(s: dict[str, torch.Tensor]) -> torch.Tensor:
    """At 4 mm: brain 0.2, else 1, face doubled, 0 outside the field of view."""
    w = (s["covered4"] > 0.99).float() * (1 - 0.8 * s["hole4"])
    d, h, _ = w.shape[2:]
    w[:, :, d // 5 : (3 * d) // 5, h // 2 :] *= 2
    return w


def local_gain(moved: torch.Tensor, truth: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Log ratio of local means (about 12 mm) where both are tissue, at 8 mm, [1, 1, 32, 32, 24]."""
    both = w.sign() * ((moved > 0.12) & (truth > 0.12)).float()

    def local(x: torch.Tensor) -> torch.Tensor:
        x = F.avg_pool3d(x, 2)
        for _ in range(4):
            x = blur(x)
        return x

    prior = 0.02
    return torch.log((local(truth * both) + prior) / (local(moved * both) + prior)).clamp(-MAX_GAIN, MAX_GAIN)


def register(s: dict[str, torch.Tensor], template: torch.Tensor, start: torch.Tensor, gain: torch.Tensor,
             iterations: int, level: int, stiffness: float) -> tuple[torch.Tensor, torch.Tensor, float]:
    """``template`` [1, 2, 64, 64, 48]: image and brain mask; ``level``: blurs of both images before comparing."""
    truth = torch.cat([F.avg_pool3d(s["image"], 2), s["hole4"]], 1)
    for _ in range(level):
        truth, template = blur(truth), blur(template)
    w = weights(s)
    p = start.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([p], lr=8e-3, betas=(0.8, 0.95))
    factor = torch.exp(enlarge(gain))
    total = w.sum()
    for i in range(iterations):
        optimiser.param_groups[0]["lr"] = 8e-3 * (1 - 0.7 * i / iterations)
        displacement = enlarge(integrate(smooth_velocity(p), 4))
        moved = warp(template, displacement)
        data = (w * (moved[:, :1] * factor - truth[:, :1]) ** 2).sum() / total
        data = data + 0.3 * ((moved[:, 1:] - truth[:, 1:]) ** 2).sum() / total
        loss = data + stiffness * smoothness(displacement)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        displacement = enlarge(integrate(smooth_velocity(p), 4))
        moved = warp(template, displacement)
        gain = local_gain(moved[:, :1], truth[:, :1], w)
    return p.detach(), gain, float(data.detach())


@torch.no_grad()
def carry(samples: list[tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]], full: bool) -> torch.Tensor:
    """Mean of heads pushed into the template's frame, [1, 2, z, y, x] at 4 mm (2 mm if ``full``); made symmetric."""
    shape = (128, 128, 96) if full else (64, 64, 48)
    n = shape[0] * shape[1] * shape[2]
    total, weight = torch.zeros(2, n), torch.zeros(n)
    for s, p, gain in samples:
        displacement, g = enlarge(integrate(smooth_velocity(p), 4)), enlarge(gain)
        image, brain, covered = s["image"], s["brain"], s["covered"]
        if full:
            displacement, g = enlarge(displacement), enlarge(g)
        else:
            image, brain, covered = F.avg_pool3d(image, 2), s["hole4"], s["covered4"]
        values = torch.stack([(image * torch.exp(-g))[0, 0], brain[0, 0]])
        push(total, weight, shape, values, displacement, covered[0, 0] > 0.99)
    total, weight = total.reshape(1, 2, *shape), weight.reshape(1, 1, *shape)
    total, weight = total + total.flip(4), weight + weight.flip(4)
    return (total + 0.1 * blur(total)) / (weight + 0.1 * blur(weight) + 0.05)


def kept_template(path: Path) -> torch.Tensor:
    """[1, 1, 64, 64, 48]: the shipped learned head at 4 mm."""
    return F.avg_pool3d(learned_head(path)[None, None], 2)


def run(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    heads = read_index(args.data, "train")
    val = read_index(args.data, "val")
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    zero = torch.zeros(1, 3, *VELOCITY_SHAPE)
    samples = [(make_sample(np.random.default_rng(0), head, 0), zero, torch.zeros(1, 1, *VELOCITY_SHAPE)) for head in [*heads, *val]]
    count = len(heads)  # the template is made of train heads alone
    start = time.time()
    kept = kept_template(args.template) if args.template else None

    def renewed() -> torch.Tensor:
        """With a template that is kept, its brain alone is found anew."""
        mean = carry(samples[:count], False)
        return mean if kept is None else torch.cat([kept, mean[:, 1:]], 1)

    template = renewed()
    for number, iterations in enumerate(args.iterations):
        losses = []
        for i, (s, p, gain) in enumerate(samples):
            p, gain, data = register(s, template, p, gain, iterations, max(0, 2 - 2 * number), args.stiffness)
            samples[i] = (s, p, gain)
            losses.append(data)
            if i % 25 == 0:
                print(f"round {number} head {i} data {data:.4f} {time.time() - start:.0f} s", flush=True)
        template = renewed()
        print(f"round {number}: mean {np.mean(losses):.4f} val {np.mean(losses[count:]):.4f} {time.time() - start:.0f} s", flush=True)
        np.savez(out / "fields.npz", ids=[h.id for h in [*heads, *val]],
                 velocity=torch.cat([smooth_velocity(p) for _, p, _ in samples]).half().numpy(),
                 gain=torch.cat([g for _, _, g in samples]).half().numpy())
        np.save(out / "template4.npy", template.numpy())
    if kept is None:
        np.save(out / "template.npy", carry(samples[:count], True)[0, 0].numpy())
    print(f"done {time.time() - start:.0f} s", flush=True)
