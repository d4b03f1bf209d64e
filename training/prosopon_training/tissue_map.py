"""Which tissue the learned head has at each of its voxels, at 1 mm: the train label heads are registered to it, their classes
are carried into its frame and counted, and its own values decide where the labels have one class for two tissues.

    python -m prosopon_training tissue-map --labels prepared/labels --work runs/tissue-map

Every voxel has a tissue, air too: the nearest one. What is air is said by the head's values alone, so that a drawn surface
never shows a seam where labels and values disagree by a voxel.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import nn
from torch.nn import functional as F

from . import painting as p
from . import record
from .contract import TRIMMED_2MM
from .export import write_model
from .exports import COMMON
from .initial import learned_head
from .networks.complement import integrate
from .stages.register import register, smooth_velocity
from .stages.vqvae_complement import VELOCITY_SHAPE, tensors

TISSUES = ("fat", "marrow", "bone", "muscle", "skin", "mucosa", "gland", "eye", "lens", "fluid", "blood", "nerve")
"""The order of src/methods/learned-head/tissue-names.ts."""
FAT, MARROW, BONE, MUSCLE, SKIN, MUCOSA, GLAND, EYE, LENS, FLUID, BLOOD, NERVE = range(len(TISSUES))
SOFT = len(TISSUES)
"""Fat or muscle: the labels have one class for both."""
_OF = {p.FLUID: FLUID, p.VENTRICLES: FLUID, p.ARTERY: BLOOD, p.VEIN: BLOOD, p.EYE: EYE, p.EYE_MUSCLE: MUSCLE, p.OPTIC: NERVE, p.MUCOSA: MUCOSA,
       p.SKIN: SKIN, p.CORD: NERVE, p.CORTICAL: BONE, p.CANCELLOUS: MARROW, p.OTHER: SOFT}
DATA = ("the learned head (IXI, Hammersmith subset, train split, CC BY-SA 3.0) and 14 whole-head tissue label maps of SynthSeg (BBillot/SynthSeg, "
        "Apache-2.0; who the people are is not said there)")
TRIM = 32
ITERATIONS, STIFFNESS = (20, 20, 20), 100.0
FAT_LEVEL, DEEP_FAT_LEVEL = 0.82, 1.08
"""In brain levels: the learned head's fat has 0.9 to 1.4, its muscle 0.4 to 0.75."""


def trimmed(volume: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(volume[:, :, TRIM:-TRIM])


def expected(classes: np.ndarray, depth: np.ndarray) -> torch.Tensor:
    """The head's usual T1-weighted values without noise, [z, y, x] at 1 mm, brain levels (1 = the brain's median)."""
    table = np.zeros(p.COUNT, np.float32)
    table[p._NAMES] = p.CONTRASTS["t1w"]
    for a, b in p._LIKE.items():
        table[a] = table[b]
    table[[p.FAT, p.CANCELLOUS]] = 1.45, 0.7
    values = (table / 0.85)[classes]
    soft = classes == p.OTHER
    values[soft] = np.where(depth[soft] < 7, 1.2, 0.75)
    return torch.from_numpy(values)


def covered_of(classes: np.ndarray) -> torch.Tensor:
    """[128, 128, 96]: a scan ends where its labels end; below the neck and beyond a cut nose nothing is known."""
    rows = np.flatnonzero((classes > 0).any((1, 2)))
    columns = np.flatnonzero((classes > 0).any((0, 2)))
    covered = torch.ones(TRIMMED_2MM)
    covered[: rows[0] // 2 + 2] = 0
    if classes[:, columns[-1]].astype(bool).sum() > 400:
        covered[:, columns[-1] // 2 - 1 :] = 0
    return covered


def fields_of(head: p.LabelHead, template4: torch.Tensor, work: Path) -> torch.Tensor:
    """Velocity [1, 3, 32, 32, 24] that carries the learned head onto this one; kept in ``work``."""
    kept = work / f"{head.id}_velocity.npy"
    if kept.exists():
        return torch.from_numpy(np.load(kept))
    classes, depth = trimmed(head.load("classes")), trimmed(head.load("depth"))
    image = F.avg_pool3d(expected(classes.astype(np.int64), depth)[None, None], 2)[0, 0]
    brain = (F.avg_pool3d(torch.from_numpy(trimmed(head.load("brain")).astype(np.float32))[None, None], 2)[0, 0] > 0.5).float()
    sample = tensors(image, brain, covered_of(classes))
    velocity, gain = torch.zeros(1, 3, *VELOCITY_SHAPE), torch.zeros(1, 1, *VELOCITY_SHAPE)
    for level, iterations in zip((2, 1, 0), ITERATIONS, strict=True):
        with torch.enable_grad():
            velocity, gain, data = register(sample, template4, velocity, gain, iterations, level, STIFFNESS)
    print(f"{head.id}: {data:.4f}", flush=True)
    np.save(kept, smooth_velocity(velocity).numpy())
    return smooth_velocity(velocity)


def write_fields(heads: list[p.LabelHead], velocities: list[torch.Tensor], work: Path) -> None:
    """``fields.npz``: shapes for ``train vqvae-complement-fine --label-fields``."""
    covered = torch.stack([F.avg_pool3d(covered_of(trimmed(head.load("classes")))[None], 4) for head in heads])
    np.savez(work / "fields.npz", ids=[head.id for head in heads], velocity=torch.cat(velocities).half().numpy(), covered=covered.half().numpy())


def carried_votes(heads: list[p.LabelHead], velocities: list[torch.Tensor]) -> np.ndarray:
    """[SOFT + 2, z, y, x] votes on the template's grid; the last is air."""
    votes = np.zeros((SOFT + 2, 256, 256, 192), np.uint8)
    table = np.full(p.COUNT, 255, np.uint8)
    table[p.AIR] = SOFT + 1
    for source, tissue in _OF.items():
        table[source] = tissue
    for head, velocity in zip(heads, velocities, strict=True):
        # the inverse of a stationary velocity's displacement is that of its negative
        back = F.interpolate(integrate(-velocity, 5), size=(256, 256, 192), mode="trilinear", align_corners=False)
        theta = torch.eye(3, 4)[None]
        grid = F.affine_grid(theta, [1, 1, 256, 256, 192], align_corners=False) + back.permute(0, 2, 3, 4, 1)
        classes = torch.from_numpy(trimmed(head.load("classes")).astype(np.float32))[None, None]
        rows = np.flatnonzero((classes[0, 0] > 0).any(2).any(1).numpy())
        columns = np.flatnonzero((classes[0, 0] > 0).any(2).any(0).numpy())
        seen = torch.zeros_like(classes)
        seen[0, 0, rows[0] + 3 :, : columns[-1] - 2] = 1
        carried = F.grid_sample(classes, grid, mode="nearest", align_corners=False)[0, 0].numpy().astype(np.int64)
        seen = F.grid_sample(seen, grid, mode="nearest", align_corners=False)[0, 0].numpy() > 0
        tissue = table[carried]
        for t in range(SOFT + 2):
            votes[t] += (tissue == t) & seen
    return votes


def finished(votes: np.ndarray, template: np.ndarray) -> np.ndarray:
    """One tissue a voxel, [z, y, x] uint8, from the votes and the learned head's values (brain levels) on the same grid."""
    shares = np.empty((SOFT + 1, *votes.shape[1:]), np.float32)
    for t in range(SOFT + 1):
        both = (votes[t] + votes[t][:, :, ::-1]).astype(np.float32)
        shares[t] = ndimage.gaussian_filter(both, 0.8)
    air = votes[SOFT + 1].astype(np.float32)
    air = ndimage.gaussian_filter(air + air[:, :, ::-1], 0.8)
    best = shares.argmax(0).astype(np.uint8)
    known = (shares.max(0) > 0.5) & (shares.max(0) > 0.35 * air)
    # the thin skin and the mucosa lose against air by a voxel or two of misfit: what has signal is the nearest tissue anyway
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    best = best[tuple(nearest)]
    smooth = ndimage.gaussian_filter((template + template[:, :, ::-1]) / 2, 0.7)
    z, y, x = np.indices(best.shape, sparse=True)
    outside, _ = ndimage.label(smooth < 0.12)
    depth = ndimage.distance_transform_edt(outside != outside[-1, 0, 0])
    soft = best == SOFT
    # Under the skin fat is thin, and skin and muscle are blurred into it; deep down only what is bright is fat. Between
    # skin and skull, where both are near, there is nothing but fat: the scalp.
    to_bone = ndimage.distance_transform_edt(~((best == BONE) & (depth > 3)))
    # The muscles of jaw and throat reach 0.95 there, near the coil's centre: at 0.9 whole pterygoids came out white.
    level = np.where(depth < 6, 0.5, np.where(depth < 12, FAT_LEVEL - 0.12, np.where(depth < 20, FAT_LEVEL + 0.08, DEEP_FAT_LEVEL)))
    scalp = (depth + to_bone < 11) & (z > 120)
    best[soft] = np.where((smooth >= level) | scalp, FAT, MUSCLE)[soft]
    orbit = ndimage.binary_dilation(best == EYE, iterations=9)
    orbit |= np.roll(orbit, -9, 1)
    best[soft & orbit & (best == MUSCLE) & (smooth > 0.55)] = FAT
    # the parotid: behind the jaw's ramus, between fat and muscle in brightness
    side, front, up = np.abs(x - 95.5), y - 127.5, z - 127.5
    parotid = ((side - 52) / 15) ** 2 + ((front - 2) / 17) ** 2 + ((up + 66) / 19) ** 2 < 1
    best[soft & parotid & (smooth > 0.68) & (smooth < 0.95)] = GLAND
    for eye in (x < 96, x >= 96):
        inside = (best == EYE) & eye
        cz, cy, cx = (float(index.mean()) for index in np.nonzero(inside))
        lens = ((x - cx) / 4.5) ** 2 + ((y - (cy + 6.5)) / 2.2) ** 2 + ((z - cz) / 4.5) ** 2 < 1
        best[inside & lens] = LENS
    return best


_MIXED_DOWN = (FAT, MARROW, SKIN, MUCOSA)
"""Thin, and blurred with darker neighbours in an average of heads: the upper quartile is nearer to what they are."""


def levels(tissues: np.ndarray, template: np.ndarray, brain: np.ndarray) -> list[float]:
    """What :data:`TISSUES` look like in the contrast learnt, brain levels (1 = the brain's median): quantiles of the learned head."""
    rim = ~brain & (template > 0.05)
    found = []
    for t in range(len(TISSUES)):
        # fluid lies between brain and skull; where it is brightest it is brain
        share = 0.75 if t in _MIXED_DOWN else 0.25 if t == FLUID else 0.5
        found.append(round(float(np.quantile(template[(tissues == t) & rim], share)), 3))
    return found


class LearnedTissues(nn.Module):
    """Where to read (positions in normalised coordinates at 4 mm, as of ``head-256``) and what stands there: bytes, :data:`TISSUES`."""

    def __init__(self, tissues: np.ndarray):
        super().__init__()
        self.register_buffer("tissues", torch.from_numpy(tissues))
        identity = F.affine_grid(torch.eye(3, 4)[None], [1, 1, 64, 64, 48], align_corners=False)
        self.register_buffer("identity", identity.permute(0, 4, 1, 2, 3).contiguous())

    def forward(self, displacement: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return displacement + self.identity, self.tissues


def learned_bytes(path: Path) -> np.ndarray:
    """[256, 256, 192], brain levels: what ``models/head-256/model.onnx`` holds."""
    import onnx
    from onnx import numpy_helper

    for tensor in onnx.load(str(path)).graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.uint8 and values.size == 256 * 256 * 192:
            return values.reshape(256, 256, 192).astype(np.float32) * (3.0 / 255)
    raise SystemExit(f"{path.name} of {path.parent.name} holds no learned head of 256 x 256 x 192 bytes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--labels", type=Path, required=True, help="what scripts/prepare-label-heads.mjs wrote")
    parser.add_argument("--models", type=Path, default=Path("models"), help="holds head-128 and head-256; head-tissues is written there")
    parser.add_argument("--work", type=Path, required=True, help="each head's fields are kept here")


def run(args: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    args.work.mkdir(parents=True, exist_ok=True)
    coarse = learned_head(args.models / "head-128" / "model.onnx")
    heads = [h for h in p.read_label_heads(args.labels, "train") if h.id.startswith("training")]
    share = sum(trimmed(h.load("brain")).astype(np.float32) for h in heads) / len(heads)
    brain4 = F.avg_pool3d(torch.from_numpy(share)[None, None], 4)
    template4 = torch.cat([F.avg_pool3d(coarse[None, None], 2), (brain4 + brain4.flip(4)) / 2], 1)
    template = learned_bytes(args.models / "head-256" / "model.onnx")
    with torch.no_grad():
        velocities = [fields_of(h, template4, args.work) for h in heads]
    write_fields(heads, velocities, args.work)
    tissues = finished(carried_votes(heads, velocities), template)
    brain = ndimage.binary_dilation((share + share[:, :, ::-1]) > 0.6, iterations=2)
    write_model(
        "head-tissues", LearnedTissues(tissues), {"displacement": torch.rand(1, 3, 64, 64, 48) * 0.05}, ["positions", "tissues"], args.models,
        {**COMMON, "grid": {"size": 256, "spacing": 1}, "data": DATA,
         "description": "The tissue of each voxel of the learned head at 1 mm, and where to read it: positions in normalised coordinates at 4 mm",
         "normalisation": "none", "settings": {"tissues": list(TISSUES), "levels": levels(tissues, template, brain), "heads": len(heads)}}, half=False)
    # no run folder of the loop's: the heads are registered and counted in one go
    recipe = argparse.Namespace(labels=args.labels, head=args.models / "head-256" / "model.onnx", iterations=list(ITERATIONS),
                                stiffness=STIFFNESS, seed="without effect")
    part = {"fromStep": 0, **record.describe(recipe, {}, torch.device("cpu"))}
    text = json.dumps({"version": 1, "stage": "register", "note": "python -m prosopon_training tissue-map", "parts": [part]}, indent=2)
    (args.models / "head-tissues" / "training.json").write_text(text + "\n")
