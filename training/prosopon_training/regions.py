"""The 53 classes of the segmentation network, grouped from the regions of DLMUSE (NiChart): subcortical structures,
ventricles, cerebellum, and the grey and white matter of the lobes, left and right apart. Structures of less than a
few hundred mm^3 on one side (inferior lateral ventricle, fornix) join their neighbour.

Tissue arms are groups of classes: grey, white, ventricular CSF, and total brain (grey, white and brain stem).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# (right, left), by the column `lobe` of the label table; the insula, there with the frontal lobe, is a class of its own
GREY = {
    "frontal": ([104, 112, 118, 120, 124, 136, 140, 142, 146, 150, 152, 162, 164, 174, 178, 182, 186, 190, 192, 204],
                [105, 113, 119, 121, 125, 137, 141, 143, 147, 151, 153, 163, 165, 175, 179, 183, 187, 191, 193, 205]),
    "parietal": ([106, 148, 168, 176, 194, 198], [107, 149, 169, 177, 195, 199]),
    "temporal": ([122, 132, 154, 180, 184, 200, 202, 206], [123, 133, 155, 181, 185, 201, 203, 207]),
    "occipital": ([108, 114, 128, 134, 144, 156, 160, 196], [109, 115, 129, 135, 145, 157, 161, 197]),
    "limbic": ([100, 116, 138, 166, 170], [101, 117, 139, 167, 171]),
    "insular": ([102, 172], [103, 173]),
}
WHITE = {"frontal": ([81], [82]), "occipital": ([83], [84]), "parietal": ([85], [86]), "temporal": ([87], [88]),
         "deep": ([89, 91, 93], [90, 92, 94])}
DEEP = {"accumbens": (23, 30), "amygdala": (31, 32), "caudate": (36, 37), "hippocampus": (47, 48), "pallidum": (55, 56),
        "putamen": (57, 58), "thalamus": (59, 60), "basal-forebrain": (76, 75)}


@dataclass(frozen=True)
class Region:
    """``group``: grey, white, ventricular-csf, stem, csf (around the brain) or none (background)."""

    id: int
    name: str
    group: str
    labels: tuple[int, ...]


def _regions() -> tuple[Region, ...]:
    rows: list[tuple[str, str, list[int]]] = [
        ("background", "none", []), ("csf", "csf", [1, 46, 69]), ("third-ventricle", "ventricular-csf", [4]),
        ("fourth-ventricle", "ventricular-csf", [11]), ("brain-stem", "stem", [35]), ("cerebellar-vermis", "grey", [71, 72, 73]),
        ("corpus-callosum", "white", [95])]

    def pair(name: str, group: str, right: list[int], left: list[int]) -> None:
        rows.extend([(f"right-{name}", group, right), (f"left-{name}", group, left)])

    pair("lateral-ventricle", "ventricular-csf", [51, 49], [52, 50])
    for name, (right, left) in DEEP.items():
        pair(name, "grey", [right], [left])
    pair("ventral-diencephalon", "white", [61], [62])
    pair("cerebellar-cortex", "grey", [38], [39])
    pair("cerebellar-white", "white", [40], [41])
    for name, sides in WHITE.items():
        pair(f"{name}-white", "white", *sides)
    for name, sides in GREY.items():
        pair(f"{name}-grey", "grey", *sides)
    return tuple(Region(i, name, group, tuple(labels)) for i, (name, group, labels) in enumerate(rows))


REGIONS = _regions()
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
