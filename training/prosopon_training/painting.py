"""Heads drawn from tissue labels in any contrast (SynthSeg's way, Billot 2023): a mean and a texture a class, fat and muscle
told apart by depth and noise where the labels have one class for both. Input: what ``scripts/prepare-label-heads.mjs`` wrote.

    image = paint(rng, classes, depth)      # about 0 (air) to 1 (white matter) or more
"""
from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .data import _cached

# The order of scripts/prepare-label-heads.mjs, then the classes that are drawn out of its last three.
(AIR, WHITE, CORTEX, VENTRICLES, CEREBELLAR_WHITE, CEREBELLAR_CORTEX, THALAMUS, STRIATUM, PALLIDUM, STEM, HIPPOCAMPUS, RESTS, FLUID, ARTERY,
 VEIN, EYE, EYE_MUSCLE, OPTIC, MUCOSA, SKIN, CORD, CORTICAL, CANCELLOUS, OTHER, SKULL, HEAD, FAT, MUSCLE, GLAND) = range(29)
COUNT = 29
LAST_BRAIN = RESTS

# Share of white matter's signal, by what is published for T1, T2 and proton density of tissues at 3 T; +- 15 % and more is drawn about it.
_NAMES = [WHITE, CORTEX, VENTRICLES, THALAMUS, STRIATUM, PALLIDUM, FLUID, ARTERY, VEIN, EYE, MUCOSA, SKIN, CORTICAL, CANCELLOUS, FAT, MUSCLE, GLAND]
CONTRASTS = {
    "t1w": [1.0, 0.68, 0.25, 0.82, 0.75, 0.92, 0.25, 0.35, 0.4, 0.25, 0.7, 0.8, 0.1, 1.1, 1.6, 0.62, 0.75],
    "t2w": [0.45, 0.7, 1.6, 0.55, 0.5, 0.35, 1.5, 0.2, 0.3, 1.6, 1.0, 0.5, 0.1, 0.7, 0.9, 0.25, 0.8],
    "flair": [0.7, 0.95, 0.2, 0.75, 0.75, 0.6, 0.22, 0.25, 0.3, 0.2, 0.9, 0.6, 0.1, 0.9, 1.2, 0.35, 0.8],
    "pdw": [0.75, 0.9, 1.0, 0.8, 0.82, 0.75, 1.0, 0.6, 0.6, 1.0, 0.9, 0.7, 0.15, 0.8, 1.0, 0.6, 0.85],
}
_LIKE = {CEREBELLAR_WHITE: WHITE, CEREBELLAR_CORTEX: CORTEX, STEM: WHITE, HIPPOCAMPUS: CORTEX, RESTS: CORTEX, EYE_MUSCLE: MUSCLE, OPTIC: WHITE,
         CORD: WHITE, OTHER: MUSCLE, SKULL: CORTICAL, HEAD: MUSCLE}


@dataclass(frozen=True)
class LabelHead:
    """One label head on the model grid at 1 mm: classes, brain mask and depth under the skin (mm), uint8 [z, y, x]."""

    id: str
    split: str
    folder: Path

    def load(self, kind: str) -> np.ndarray:
        if kind == "depth":
            path = self.folder / f"{self.id}_depth.npy"
            if not path.exists():
                np.save(path, depth_under_skin(self.load("classes")))
        return _cached(self.folder / f"{self.id}_{kind}.npy")

    def cropped(self) -> tuple[torch.Tensor, torch.Tensor, np.ndarray, np.ndarray]:
        """Classes (long), depth (float, mm) and brain mask of the head's box, 12 voxels wider and of even size, and the box's first corner [z, y, x]."""
        classes = self.load("classes")
        inside = np.argwhere(classes > 0)
        low = np.maximum(inside.min(0) - 12, 0) // 2 * 2
        high = np.minimum(inside.max(0) + 13, classes.shape) // 2 * 2
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        depth = torch.from_numpy(self.load("depth")[box].astype(np.float32))
        return torch.from_numpy(classes[box].astype(np.int64)), depth, self.load("brain")[box].astype(np.float32), low


def depth_under_skin(classes: np.ndarray) -> np.ndarray:
    """Millimetres from the outside air (that which reaches the border of the cube), at 2 mm, clamped to 255."""
    from scipy import ndimage

    coarse = classes[::2, ::2, ::2] == AIR
    outside, _ = ndimage.label(coarse)
    air = outside == outside[-1, 0, 0]
    depth = 2 * ndimage.distance_transform_edt(~air)
    return np.repeat(np.repeat(np.repeat(np.minimum(depth, 255).astype(np.uint8), 2, 0), 2, 1), 2, 2)


def noise_field(rng: np.random.Generator, shape: tuple[int, ...], cell: float) -> torch.Tensor:
    """Smooth noise of standard deviation about 0.6, its grains about ``cell`` voxels."""
    small = [max(2, int(round(n / cell))) for n in shape]
    half = [(n + 1) // 2 for n in shape]
    seed = torch.Generator().manual_seed(int(rng.integers(2**31)))
    field = F.interpolate(torch.randn((1, 1, *small), generator=seed), size=half, mode="trilinear", align_corners=True)
    # doubled by repetition: six times faster than interpolating all of it
    return F.interpolate(field, scale_factor=2)[0, 0, : shape[0], : shape[1], : shape[2]]


def split_tissues(rng: np.random.Generator, classes: torch.Tensor, depth: torch.Tensor, spacing: float) -> torch.Tensor:
    """Fat, muscle and gland out of OTHER and HEAD; marrow out of SKULL; a skin where the labels have none. ``depth`` in mm."""
    soft = (classes == OTHER) | (classes == HEAD)
    shape = tuple(classes.shape)
    coarse = noise_field(rng, shape, rng.uniform(8, 24) / spacing)
    fine = noise_field(rng, shape, rng.uniform(3, 7) / spacing)
    score = (rng.uniform(3, 11) - depth) / rng.uniform(3, 9) + rng.uniform(0.5, 2.0) * coarse + rng.uniform(0, 1.2) * fine
    out = classes.clone()
    out[soft] = MUSCLE
    out[soft & (score > 0)] = FAT
    out[soft & (score < -rng.uniform(2.0, 4.0)) & (fine > 0.3)] = GLAND
    out[(classes == HEAD) & (depth <= rng.uniform(1.5, 4.0))] = SKIN
    out[(classes == SKULL)] = CORTICAL
    out[(classes == SKULL) & (fine + coarse > rng.uniform(-0.4, 0.6))] = CANCELLOUS
    return out


def class_means(rng: np.random.Generator, contrast: str) -> np.ndarray:
    """A mean a class. ``random``: anything for anything; else about the contrast's own, fat between suppressed and very bright."""
    if contrast == "random":
        means = rng.uniform(0.02, 1.3, COUNT)
        if rng.random() < 0.5:  # what is bound to be alike mostly is
            for a, b in _LIKE.items():
                means[a] = means[b] * np.exp(rng.normal(0, 0.1))
        means[AIR] = 0 if rng.random() < 0.6 else rng.uniform(0, 0.3)
        return means
    means = np.zeros(COUNT)
    means[_NAMES] = CONTRASTS[contrast]
    for a, b in _LIKE.items():
        means[a] = means[b]
    means *= np.exp(rng.normal(0, 0.12, COUNT))
    for tissue in (FAT, CANCELLOUS):  # 0.3: suppressed; IXI 1.6; another study's 2.6 times the brain's median
        means[tissue] *= rng.uniform(0.7, 1.9) if rng.random() < 0.8 else rng.uniform(0.1, 0.6)
    if rng.random() < 0.2:  # a contrast agent, or blood that flows in
        bright = rng.uniform(1.0, 2.5)
        means[[ARTERY, VEIN]] = bright
        means[MUCOSA] = bright * rng.uniform(0.6, 1)
    if contrast == "t1w" and rng.random() < 0.3:  # the flatter grey to white of the old and of gradient echoes
        means[[CORTEX, CEREBELLAR_CORTEX, HIPPOCAMPUS]] = rng.uniform(0.72, 0.92)
    means[AIR] = rng.uniform(0, 0.05)
    return means


def draw_contrast(rng: np.random.Generator) -> str:
    return str(rng.choice(["t1w", "t2w", "flair", "pdw", "random"], p=[0.42, 0.1, 0.1, 0.08, 0.3]))


def paint(rng: np.random.Generator, classes: torch.Tensor, depth: torch.Tensor, spacing: float, contrast: str | None = None) -> torch.Tensor:
    """``classes`` (long) and ``depth`` (float, mm) are [z, y, x] of ``spacing`` mm. Air comes out about 0."""
    tissues = split_tissues(rng, classes, depth, spacing)
    means = torch.tensor(class_means(rng, contrast or draw_contrast(rng)), dtype=torch.float32)
    flat = tissues.reshape(-1)

    def of(table: torch.Tensor) -> torch.Tensor:  # four times faster than indexing
        return table.index_select(0, flat).reshape(tissues.shape)

    image = of(means)
    fine = torch.tensor(rng.uniform(0.0, 0.14, COUNT), dtype=torch.float32)
    fine[AIR] = 0
    coarse = torch.tensor(rng.uniform(0.0, 0.2, COUNT), dtype=torch.float32)
    coarse[AIR] = 0
    seed = torch.Generator().manual_seed(int(rng.integers(2**31)))
    grain = torch.randn(image.shape, generator=seed)
    lumps = noise_field(rng, tuple(image.shape), rng.uniform(4, 16) / spacing)
    image = image * (1 + of(fine) * grain + of(coarse) * lumps)
    return image.clamp(min=0)


def read_label_heads(folder: Path | None, split: str) -> list[LabelHead]:
    """Label heads of one split in order of name; none where there is no folder."""
    if folder is None:
        return []
    rows = json.loads((folder / "index.json").read_text())["heads"]
    return [LabelHead(row["id"], row["split"], folder) for row in rows if row["split"] == split]


def expected_level(image: torch.Tensor, mask: torch.Tensor) -> float:
    """Median of the brain's voxels (a sample of them), never under 0.02."""
    values = image[mask > 0.5]
    if values.numel() == 0:
        return 1.0
    return max(0.02, float(values[:: max(1, values.numel() // 20000)].median()))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))
