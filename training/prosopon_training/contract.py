"""What the program and this package must both believe, from one file that both read: ``src/contract/contract.json``; its twin
in TypeScript is ``src/contract/contract.ts``. Axes of arrays run [z, y, x] here.

    image = torch.rand(1, 1, *FIELD_SHAPE)   # 64 x 64 x 48 at 4 mm
"""
from __future__ import annotations

import json
from pathlib import Path

CONTRACT = json.loads((Path(__file__).resolve().parents[2] / "src" / "contract" / "contract.json").read_text())

CUBE_EDGE_MM: int = CONTRACT["cube"]["edgeMm"]
CUBE_CENTRE_MM: tuple[int, int, int] = tuple(CONTRACT["cube"]["centreMm"])
"""Right, front, up, in the brain frame."""
COARSE, FINE = CONTRACT["cube"]["resolutions"]
"""Voxels along an edge of the cube: 128 at 2 mm, 256 at 1 mm."""
TRIM_MM: int = CONTRACT["lattice"]["trimMm"]
"""Left out of the cube on either side."""


def trimmed(mm: float) -> tuple[int, int, int]:
    """[z, y, x] voxels of ``mm`` in the cube trimmed at both sides."""
    whole, cut = CUBE_EDGE_MM / mm, (CUBE_EDGE_MM - 2 * TRIM_MM) / mm
    if whole != int(whole) or cut != int(cut):
        raise ValueError(f"voxels of {mm} mm do not fill the trimmed cube")
    return int(whole), int(whole), int(cut)


FIELD_MM: int = CONTRACT["lattice"]["fieldMm"]
FIELD_SHAPE = trimmed(FIELD_MM)
"""64 x 64 x 48: displacement, gain and the brain that networks see."""
SITES = trimmed(CONTRACT["lattice"]["siteMm"])
"""8 x 8 x 6: one code each."""
TRIMMED_2MM = trimmed(CUBE_EDGE_MM / COARSE)
"""128 x 128 x 96."""
TRIM = slice(TRIM_MM * COARSE // CUBE_EDGE_MM, (CUBE_EDGE_MM - TRIM_MM) * COARSE // CUBE_EDGE_MM)
"""Of the x axis of a volume of the whole cube at 2 mm."""

BYTES_PER_LEVEL = float(CONTRACT["prepared"]["bytesPerLevel"])
"""Of prepared volumes: 100 = the brain's median."""
MAX_LEVEL = 255 / BYTES_PER_LEVEL
"""The brightest that a prepared volume can hold, in brain levels."""
BRAIN, HEAD, COVERED = (CONTRACT["prepared"]["flags"][name] for name in ("brain", "head", "covered"))
"""Bits of ``flags``: brain, filled head, inside the scan's field of view."""

PEAK_LEVELS = float(CONTRACT["learnedHead"]["peakLevels"])
"""Brain levels of the byte 255 of the learned head."""

COMPLEMENT_LEVELS: tuple[int, ...] = tuple(CONTRACT["codebooks"]["complement"])
BRAIN_LEVELS: tuple[int, ...] = tuple(CONTRACT["codebooks"]["brain"])
"""Values per channel of the two codebooks."""
