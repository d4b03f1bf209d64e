"""A painter looked at from outside: draws of both splits, bare and painted, in the voxels of their scans, and whether it repeats what it was shown.

    python -m prosopon_training.painted --data PREPARED --native PREPARED_NATIVE --draws DRAWS --run RUN --scans BIDS --out DIR

writes ``DIR/bare`` and ``DIR/painted`` (NIfTI at 2 mm with the brain and the scan's noise: what the pipeline makes of a draw at 128^3)
for ``bench/original_or_result.py`` and ``bench/patch_original_or_result.py``, and prints how near neighbourhoods of 14 mm of painted val draws
lie to those of train heads and, for comparison, of val heads that they were not made for. DIR is to be ignored by git.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .contract import BRAIN, BYTES_PER_LEVEL, TRIMMED_2MM
from .data import read_index
from .networks.painter import Painter
from .painted_figures import nearest, neighbourhoods
from .painted_patches import PaintedHead, as_in_the_scan
from .painted_sheets import painted_whole
from .runs import load_run, settings_of


def in_scan(head: PaintedHead, volume: torch.Tensor, shown: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A volume of the model grid [128, 128, 96] in the scan's voxels with its noise, and what is shown there; [z, y, x]."""
    d, h, w = head.real.shape
    z, y, x = np.meshgrid(np.arange(d), np.arange(h), np.arange(w), indexing="ij")
    at = np.stack([x, y, z], -1) @ head.to_model[:3, :3].T + head.to_model[:3, 3]
    grid = torch.from_numpy((2 * at + 1) / np.array(TRIMMED_2MM[::-1]) - 1).float()[None]
    image, seen = as_in_the_scan({"grid": grid, "shown": shown[None, None], "sigma": torch.tensor([[head.sigma]])}, volume[None, None])
    return image[0, 0], seen[0, 0]


def write_nifti(path: Path, values: torch.Tensor, scan: Path) -> None:
    import nibabel as nib

    affine = nib.as_closest_canonical(nib.load(scan)).affine
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(values.numpy().transpose(2, 1, 0), affine), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("data", "native"):
        parser.add_argument(f"--{name}", nargs="+", required=True)
    for name in ("draws", "run", "scans", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--splits", nargs="+", default=["train", "val"])
    parser.add_argument("--heads", type=int, default=1000, help="of each split at most")
    args = parser.parse_args()
    torch.manual_seed(0)
    painter = load_run(Painter(settings_of(args.run)["width"]), args.run)
    rows: dict[str, list[torch.Tensor]] = {}
    for split in args.splits:
        models = {head.id: head for head in read_index(args.data, split)}
        for native in read_index(args.native, split)[: args.heads]:
            draws = sorted(args.draws.glob(f"{native.id}_draw*.npy"))[:1]
            if native.id not in models or not draws:
                continue
            head = PaintedHead(native, models[native.id], None, draws, None)
            fake = head.fakes[0]
            shown = fake.shown.float() / 100
            scan = next((args.scans / native.id).rglob("*T1w.nii.gz"))
            real = head.real.float() / BYTES_PER_LEVEL
            brain = torch.from_numpy((native.load("flags") & BRAIN) > 0)
            for name, volume in zip(("bare", "painted"), painted_whole(painter, fake, seed=len(rows)), strict=True):
                image, seen = in_scan(head, volume, shown)
                write_nifti(args.out / name / f"{native.id}.nii.gz", torch.where(brain, real, image), scan)
            seen = F.pad(seen[None, None], (0,) * 6)
            rows.setdefault(f"{split} real", []).append(neighbourhoods(real[None, None], seen, 1))
            rows.setdefault(f"{split} painted", []).append(neighbourhoods(image[None, None], seen, 2))
            print(native.id, flush=True)
    print(json.dumps(repeated(rows)))


def repeated(rows: dict[str, list[torch.Tensor]]) -> dict[str, float]:
    """Medians, and the nearest hundredth, of the distance from painted val neighbourhoods to as many of train heads and of other val heads."""
    val, train, painted = rows["val real"], rows["train real"], rows["val painted"]
    out: dict[str, list[torch.Tensor]] = {"to_train": [], "to_val": []}
    generator = torch.Generator().manual_seed(0)
    for i, own in enumerate(painted):
        others = torch.cat([v for j, v in enumerate(val) if j != i])
        pool = torch.cat(train)
        pool = pool[torch.randperm(len(pool), generator=generator)[: len(others)]]
        out["to_train"].append(nearest(own, pool))
        out["to_val"].append(nearest(own, others))
    return {f"{name}_{part}": float(torch.quantile(torch.cat(values), q)) for name, values in out.items() for part, q in (("median", 0.5), ("hundredth", 0.01))}


if __name__ == "__main__":
    with torch.no_grad():
        main()
