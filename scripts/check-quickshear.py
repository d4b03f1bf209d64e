"""Compares quickshear's removed region with the package of its authors' community (PyPI `quickshear`).

A drawn mask in several orientations and voxel sizes always; the brain masks of real heads (DLMUSE, val and test split)
where the data is (PROSOPON_DATA, or ../shared/data beside the repository). Prints the Dice of the removed region.

    npm run build && python3 scripts/check-quickshear.py

Exit status: 0 all Dice are at least 0.99, 1 some are not, 77 the package is missing.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
LEAST = 0.99
BUFFER_MM = 10

try:
    import nibabel
    from quickshear import quickshear
    from scipy import ndimage
except ImportError as missing:
    print(f"skipped, not installed: {missing}")
    sys.exit(77)


def drawn():
    """An egg with a cerebellum and a stem, flat below its front, in RAS at 2 mm and turned into other orders."""
    x, y, z = np.meshgrid(*[np.arange(n) * 2.0 - n for n in (100, 120, 110)], indexing="ij")
    egg = (x / 66) ** 2 + (y / 84) ** 2 + ((z - 6) / 62) ** 2 < 1
    egg &= z > -38 - 0.25 * y
    egg |= (x / 50) ** 2 + ((y + 45) / 32) ** 2 + ((z + 38) / 26) ** 2 < 1
    egg |= (x / 13) ** 2 + ((y + 15) / 13) ** 2 + ((z + 50) / 30) ** 2 < 1
    ras = nibabel.Nifti1Image(egg.astype(np.uint8), np.diag([2, 2, 2, 1.0]))
    for codes in ("RAS", "LAS", "PSR", "ILA", "SPL"):
        wanted = nibabel.orientations.axcodes2ornt(codes)
        yield f"drawn {codes}", ras.as_reoriented(nibabel.orientations.ornt_transform(
            nibabel.io_orientation(ras.affine), wanted))
    thick = nibabel.Nifti1Image(egg[:, :, ::2].astype(np.uint8), np.diag([2, 2, 4, 1.0]))
    yield "drawn, thick slices", thick
    turned = np.diag([2, 2, 2, 1.0])
    c, s = np.cos(0.25), np.sin(0.25)
    turned[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ turned[:3, :3]
    yield "drawn, oblique", nibabel.Nifti1Image(egg.astype(np.uint8), turned)


def real():
    data = Path(os.environ.get("PROSOPON_DATA", HERE.parent.parent / "shared" / "data")) / "ixi"
    if not data.exists():
        print("real masks skipped: no data at PROSOPON_DATA or ../shared/data")
        return
    with open(data / "participants.tsv") as table:
        rows = [row for row in csv.DictReader(table, delimiter="\t") if row["split"] in ("val", "test")]
    for number, row in enumerate(rows):
        name = row["participant_id"]
        labels = nibabel.load(data / "derivatives" / "dlmuse" / name / "anat" / f"{name}_desc-dlmuse_dseg.nii.gz")
        mask = ndimage.binary_fill_holes(ndimage.binary_closing(np.asarray(labels.dataobj) > 0, iterations=2))
        yield f"real {number + 1}", nibabel.Nifti1Image(mask.astype(np.uint8), labels.affine)


def removed_by_package(mask):
    ones = nibabel.Nifti1Image(np.ones(mask.shape, np.uint8), mask.affine)
    up = int(np.argmax(np.abs(nibabel.affines.apply_affine(np.linalg.inv(mask.affine), [0, 0, 1.0]) -
                              nibabel.affines.apply_affine(np.linalg.inv(mask.affine), [0, 0, 0.0]))))
    # its buffer is in voxels
    return np.asarray(quickshear(ones, mask, BUFFER_MM / mask.header.get_zooms()[up]).dataobj) == 0


def main():
    cases = [*drawn(), *real()]
    with tempfile.TemporaryDirectory() as folder:
        jobs = []
        for number, (_, mask) in enumerate(cases):
            path = Path(folder) / f"{number}.mask"
            path.write_bytes(np.asarray(mask.dataobj).astype(np.uint8).tobytes(order="F"))
            jobs.append({"mask": str(path), "output": str(Path(folder) / f"{number}.out"),
                         "grid": {"shape": list(mask.shape), "affine": mask.affine.ravel().tolist()}})
        listed = Path(folder) / "jobs.json"
        listed.write_text(json.dumps(jobs))
        lines = subprocess.run(["node", str(HERE / "quickshear-driver.mjs"), str(listed)], check=True,
                               capture_output=True, text=True).stdout.splitlines()
        found = []
        for (name, mask), job, line in zip(cases, jobs, map(json.loads, lines)):
            ours = np.frombuffer(Path(job["output"]).read_bytes(), np.uint8).reshape(mask.shape, order="F") > 0
            theirs = removed_by_package(mask)
            dice = 2 * (ours & theirs).sum() / (ours.sum() + theirs.sum())
            found.append(dice)
            angle = np.degrees(np.arctan(-line["slope"]))
            print(f"{name:22s} Dice {dice:.4f}  removed {theirs.mean():.3f} of the image  "
                  f"first edge {line['edgeMm']:.0f} mm, {angle:.0f} degrees, turn {line['turn']:.0f}, {len(line['warnings'])} warning(s)")
    real_dice = [d for (name, _), d in zip(cases, found) if name.startswith("real")]
    if real_dice:
        print(f"real masks: N = {len(real_dice)}, Dice mean {np.mean(real_dice):.4f}, worst {min(real_dice):.4f}")
    bad = sum(d < LEAST for d in found)
    print(f"{len(found)} masks, {bad} below {LEAST}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
