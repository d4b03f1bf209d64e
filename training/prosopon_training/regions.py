"""The 53 classes of the segmentation network, grouped from the regions of DLMUSE (NiChart): subcortical structures,
ventricles, cerebellum, and the grey and white matter of the lobes, left and right apart. Structures of less than a
few hundred mm^3 on one side (inferior lateral ventricle, fornix) join their neighbour. The table is the contract's
(``src/contract/contract.json``); its column of lobes, the insula apart, is the label table's.

Tissue arms are groups of classes: grey, white, ventricular CSF, and total brain (grey, white and brain stem).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .contract import CONTRACT


@dataclass(frozen=True)
class Region:
    """``group``: grey, white, ventricular-csf, stem, csf (around the brain) or none (background)."""

    id: int
    name: str
    group: str
    labels: tuple[int, ...]


REGIONS = tuple(Region(row["id"], row["name"], row["group"], tuple(row["dlmuse"])) for row in CONTRACT["segmentationClasses"])
TISSUES = {"grey": ("grey",), "white": ("white",), "ventricular-csf": ("ventricular-csf",), "total-brain": ("grey", "white", "stem")}


def label_table() -> np.ndarray:
    """DLMUSE index to class, 256 entries."""
    table = np.zeros(256, np.uint8)
    for region in REGIONS:
        table[list(region.labels)] = region.id
    return table


def mirrored() -> list[int]:
    """The class on the other side, for each class."""
    ids = {region.name: region.id for region in REGIONS}

    def other(name: str) -> str:
        side, _, rest = name.partition("-")
        return {"left": f"right-{rest}", "right": f"left-{rest}"}.get(side, name)

    return [ids[other(region.name)] for region in REGIONS]


def class_dice(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Dice per class (background first); NaN where a class is in neither."""
    n = len(REGIONS)
    both = np.bincount(truth[found == truth].ravel(), minlength=n)
    total = np.bincount(found.ravel(), minlength=n) + np.bincount(truth.ravel(), minlength=n)
    with np.errstate(invalid="ignore"):
        return np.where(total > 0, 2 * both / np.maximum(total, 1), np.nan)


def tissue_dice(found: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Dice of each tissue arm."""
    out = {}
    for tissue, groups in TISSUES.items():
        inside = np.array([region.group in groups for region in REGIONS])
        a, b = inside[found], inside[truth]
        out[tissue] = float(2 * (a & b).sum() / max(1, a.sum() + b.sum()))
    return out
