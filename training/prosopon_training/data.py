"""Reads what ``prosopon prepare`` wrote: ``index.json`` and one ``.npy`` per head and kind.

Arrays are uint8, row-major [z, y, x] on the model grid (RAS frame of the brain, 2 mm at 128).
``image`` in ``BYTES_PER_LEVEL``, ``flags`` of the bits of :mod:`contract`: brain, filled head, inside the scan's field of view.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .contract import CUBE_CENTRE_MM, CUBE_EDGE_MM


@dataclass(frozen=True)
class HeadRecord:
    """One prepared head; arrays are loaded at first use and kept (2 MB each)."""

    id: str
    split: str
    folder: Path
    age: float
    sex: str
    to_brain: np.ndarray | None = None
    """Voxel (x, y, z) to millimetres in the brain frame, 4 x 4; None in what was prepared natively before it was written."""

    def load(self, kind: str) -> np.ndarray:
        return _cached(self.folder / f"{self.id}_{kind}.npy")


_CACHE: dict[Path, np.ndarray] = {}


def _cached(path: Path) -> np.ndarray:
    if path not in _CACHE:
        _CACHE[path] = np.load(path)
    return _CACHE[path]


def model_to_brain(resolution: int) -> np.ndarray:
    """Voxel (x, y, z) of the model grid to the brain frame (mm), as src/brain/model-grid.ts."""
    spacing = CUBE_EDGE_MM / resolution
    out = np.diag([spacing, spacing, spacing, 1.0])
    out[:3, 3] = np.array(CUBE_CENTRE_MM) - spacing * (resolution - 1) / 2
    return out


def read_index(folders: list[str] | list[Path], split: str) -> list[HeadRecord]:
    """Heads of one split over all prepared folders, in order of name. Raises if there is none."""
    heads = []
    for folder in map(Path, folders):
        index = json.loads((folder / "index.json").read_text())
        model = None if index.get("grid") == "native" else model_to_brain(index.get("resolution", 128))
        for row in index["heads"]:
            if row["split"] == split:
                heads.append(HeadRecord(row["id"], split, folder, row.get("age") or float("nan"), row.get("sex") or "n/a",
                                        np.array(row["toBrain"]).reshape(4, 4) if "toBrain" in row else model))
    if not heads:
        raise SystemExit(f"no head of split '{split}' in {', '.join(map(str, folders))}")
    return sorted(heads, key=lambda head: head.id)
