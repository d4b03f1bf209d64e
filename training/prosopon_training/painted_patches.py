"""Patches for the painted residual: a real head in the voxels of its own scan, and a head of the same brain as the product makes it.

    heads = [PaintedHead(native, model, fields, draws) ...]
    batch = Patches(heads, template).batch(rng, 8)

A result is drawn on the model grid at 2 mm, resampled to the scan's grid and given the scan's noise. So is the fake here, at the very
positions of the real patch: what resampling smooths the painter has to make up for, and what the pipeline's noise gives it has
not to paint. Both are shown in the same mask (inside both heads, away from air and brain), so no outline tells them apart.

Fakes: the learned head moved by the head's own fields (registered, so layers lie where the real ones do), and cp-mae's own draws.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .contract import BRAIN, BYTES_PER_LEVEL, COVERED, HEAD, TRIM, TRIM_MM, TRIMMED_2MM
from .data import HeadRecord, model_to_brain
from .networks.complement import enlarge, warp
from .stages.vqvae_complement import FieldHead

INSIDE = 48
"""Edge of what the painter is given, voxels of the model grid."""
SHOWN = 40
"""Edge of what is judged, voxels of the scan."""
AIR = 0.08
"""Below this, in brain levels, nothing is painted, nor within a voxel of it."""

AIR_SHARE, TISSUE = 0.05, 0.3
"""Of the noise what air gets, and from what brain level on tissue gets all: as ``src/deidentify/noise.ts``."""


def dilated(mask: torch.Tensor, times: int) -> torch.Tensor:
    """By one voxel in each direction, ``times`` times; uint8 or bool [n, 1, z, y, x]."""
    for _ in range(times):
        for axis in (2, 3, 4):  # shifted views of bytes: ten times faster than max_pool3d
            n = mask.shape[axis]
            out = mask.clone()
            out.narrow(axis, 1, n - 1).bitwise_or_(mask.narrow(axis, 0, n - 1))
            out.narrow(axis, 0, n - 1).bitwise_or_(mask.narrow(axis, 1, n - 1))
            mask = out
    return mask


def paint_gate(head: torch.Tensor, brain: torch.Tensor) -> torch.Tensor:
    """How much of the residual is laid on, 0 to 1: nothing within a voxel (2 to 3.5 mm) of air or brain, all from the third (air) and
    fourth (brain) voxel on. [1, 1, z, y, x], ``brain`` bool."""
    air = dilated(head < AIR, 1)
    near = dilated(brain, 1)
    nearer = dilated(near, 1)
    from_air, from_brain = (sum((~step).to(torch.uint8) for step in steps) for steps in ((air, dilated(air, 1)), (near, nearer, dilated(nearer, 1))))
    return (from_air * from_brain).float() / 6


@dataclass(frozen=True)
class Fake:
    """On the model grid [128, 128, 96]: head (bytes of 1/100 level), gate and where patches are shown (0 to 100); uint8."""

    head: torch.Tensor
    gate: torch.Tensor
    shown: torch.Tensor
    centres: torch.Tensor
    """[n, 3] z, y, x: where a patch may be taken."""
    paired: bool
    """Registered: its layers are those of the real head."""


def noise_level(image: np.ndarray, brain: np.ndarray) -> float:
    """Deviation of the noise inside the brain, in the image's units, as ``src/deidentify/noise.ts`` measures it; image [z, y, x]."""
    levels = []
    for axis in range(3):
        a, m = np.moveaxis(image.astype(np.float32), axis, 0), np.moveaxis(brain, axis, 0)
        kept = m[1:-1] & m[:-2] & m[2:]
        levels.append(1.4826 * float(np.median(np.abs(a[1:-1] - (a[:-2] + a[2:]) / 2)[kept])) / 1.5**0.5)
    return min(levels)


def moved(template: torch.Tensor, fields: FieldHead) -> torch.Tensor:
    """The learned head at 2 mm [1, 1, 128, 128, 96] by a head's own fields."""
    return warp(template, enlarge(enlarge(fields.displacement))) * torch.exp(enlarge(enlarge(fields.gain)))


class PaintedHead:
    """One person: the scan's voxels, the way from them to the model grid, and the fakes of the same brain."""

    def __init__(self, native: HeadRecord, model: HeadRecord, fields: FieldHead | None, draws: list[Path],
                 template: torch.Tensor | None):
        """Without fields and the learned head (at 2 mm [1, 1, 128, 128, 96]) there is no registered fake."""
        self.id = native.id
        flags = native.load("flags")
        self.real = torch.from_numpy(native.load("image"))
        self.sigma = noise_level(native.load("image"), (flags & BRAIN) > 0) / BYTES_PER_LEVEL
        cropped = model_to_brain(128)
        cropped[0, 3] += cropped[0, 0] * (TRIM_MM / 2)
        self.to_model = np.linalg.inv(cropped) @ native.to_brain
        of_model = torch.from_numpy(np.ascontiguousarray(model.load("flags")[:, :, TRIM]))
        brain = ((of_model & BRAIN) > 0)[None, None]
        outside = (of_model & (HEAD | COVERED)) != (HEAD | COVERED)
        self.inside = ~(dilated(outside[None, None], 1) | dilated(brain, 3))
        with torch.no_grad():
            self.fakes = [] if fields is None or template is None else [self._fake(moved(template, fields), brain, True)]
            for path in draws:
                drawn = torch.from_numpy(np.load(path)).float()[None, None] / BYTES_PER_LEVEL
                self.fakes.append(self._fake(drawn, brain, False))

    def _fake(self, head: torch.Tensor, brain: torch.Tensor, paired: bool) -> Fake:
        gate = paint_gate(head, brain)
        shown = self.inside & (gate >= 0.5)
        where = shown[0, 0].nonzero()
        return Fake((head[0, 0] * BYTES_PER_LEVEL).round().clamp(0, 255).to(torch.uint8), (100 * gate[0, 0]).round().to(torch.uint8),
                    100 * shown[0, 0].to(torch.uint8), where[:: max(1, len(where) // 4000)].to(torch.int16), paired)

    def patch(self, rng: np.random.Generator, which: int) -> dict[str, torch.Tensor]:
        """See :meth:`Patches.batch`."""
        fake = self.fakes[which]
        centre = fake.centres[int(rng.integers(len(fake.centres)))].numpy()[::-1].astype(float)
        middle = np.linalg.inv(self.to_model) @ [*centre, 1]
        start = np.round(middle[:3]).astype(int) - SHOWN // 2
        axes = [np.arange(s, s + SHOWN) for s in start]
        z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
        at = np.stack([x, y, z], -1) @ self.to_model[:3, :3].T + self.to_model[:3, 3]
        corner = [int(np.clip(round(c) - INSIDE // 2, 0, n - INSIDE)) // 2 * 2 for c, n in zip(centre, TRIMMED_2MM[::-1], strict=True)]
        grid = torch.from_numpy((2 * (at - corner) + 1) / INSIDE - 1).float()
        box = tuple(slice(c, c + INSIDE) for c in corner[::-1])
        real = torch.zeros(SHOWN, SHOWN, SHOWN)
        low = [max(0, s) for s in start]
        high = [min(n, s + SHOWN) for s, n in zip(start, self.real.shape[::-1], strict=True)]
        if all(b > a for a, b in zip(low, high, strict=True)):
            to = tuple(slice(a - s, b - s) for a, b, s in zip(low[::-1], high[::-1], start[::-1], strict=True))
            real[to] = self.real[tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1], strict=True))].float() / BYTES_PER_LEVEL
        return {"real": real[None], "head": fake.head[box].float()[None] / BYTES_PER_LEVEL, "gate": fake.gate[box].float()[None] / 100,
                "shown": fake.shown[box].float()[None] / 100, "grid": grid, "sigma": torch.tensor([self.sigma]).float(),
                "paired": torch.tensor([float(fake.paired)])}


def mirrored(s: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Left and right exchanged, of the real patch and of the fake alike."""
    out = dict(s)
    out["real"] = s["real"].flip(3)
    out["head"], out["gate"], out["shown"] = (s[key].flip(3) for key in ("head", "gate", "shown"))
    grid = s["grid"].flip(2)
    out["grid"] = torch.cat([-grid[..., :1], grid[..., 1:]], -1)
    return out


class Patches:
    def __init__(self, heads: list[PaintedHead], registered: float = 0.4):
        """``registered``: the share of fakes that are; the others are draws (where there are any)."""
        self.heads, self.registered = heads, registered

    def batch(self, rng: np.random.Generator, count: int) -> dict[str, torch.Tensor]:
        """real [n, 1, 40, 40, 40] in brain levels; head, gate, shown [n, 1, 48, 48, 48]; grid [n, 40, 40, 40, 3] of grid_sample
        (align_corners False) into those; sigma, paired [n, 1]."""
        out = []
        for _ in range(count):
            head = self.heads[int(rng.integers(len(self.heads)))]
            registered = rng.random() < self.registered
            kinds = [i for i, fake in enumerate(head.fakes) if fake.paired == registered] or [*range(len(head.fakes))]
            s = head.patch(rng, kinds[int(rng.integers(len(kinds)))])
            s = mirrored(s) if rng.random() < 0.5 else s
            factor = float(np.exp(rng.normal(0, 0.03)))
            out.append(s | {key: s[key] * factor for key in ("real", "head", "sigma")})
        return {key: torch.stack([s[key] for s in out]) for key in out[0]}


def laid_on(s: dict[str, torch.Tensor], residual: torch.Tensor) -> torch.Tensor:
    """The painted head, never below air; [n, 1, 48, 48, 48]."""
    return (s["head"] + s["gate"] * residual).clamp(min=0)


def as_in_the_scan(s: dict[str, torch.Tensor], painted: torch.Tensor, noise: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """What the pipeline makes of a painted head: the scan's voxels and its (Rician) noise; and where it is shown. [n, 1, 40, 40, 40] each."""
    both = F.grid_sample(torch.cat([painted, s["shown"]], 1), s["grid"], align_corners=False)
    image, shown = both[:, :1], both[:, 1:]
    if noise:
        sigma = s["sigma"].view(-1, 1, 1, 1, 1) * (AIR_SHARE + (1 - AIR_SHARE) * (image / TISSUE).clamp(0, 1))
        image = ((image + sigma * torch.randn_like(image)) ** 2 + (sigma * torch.randn_like(image)) ** 2 + 1e-8).sqrt()
    return image, shown
