# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "nibabel==5.4.2", "dcm2niix==1.0.20260724"]
# ///
"""One series by two roads: `prosopon dicom`, then dcm2niix; and dcm2niix, then `prosopon deid` with the same seed.

The brain must be the same voxel by voxel, and the face the same to 5 % of the brain's level: dcm2niix turns and flips the stored order
and rounds the affine, which moves what a head is drawn from in the seventh digit. Of Philips series it takes the scaling from private
elements, which our results do not have, so one factor between the two is allowed and told. Prints figures as JSON; exit 1 where brain,
face or geometry differ, 77 where a tool is missing.

Usage: python3 scripts/check-dicom-twin.py DICOM_FOLDER [RESOLUTION]
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import nibabel
    import numpy as np
except ImportError:
    print("numpy and nibabel are missing")
    sys.exit(77)
if shutil.which("dcm2niix") is None:
    print("dcm2niix is missing")
    sys.exit(77)

series, resolution = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "128"
prosopon = ["node", str(Path(__file__).parents[1] / "bin/prosopon.mjs")]
drawn = ["--seed", "a seed for a check", "--resolution", resolution, "--no-noise", "--quiet"]


def nifti(folder, into):
    into.mkdir()
    subprocess.run(["dcm2niix", "-z", "n", "-b", "n", "-f", "x_%s", "-o", into, folder], check=True, capture_output=True)
    return max(into.glob("*.nii"), key=lambda file: file.stat().st_size)


with tempfile.TemporaryDirectory() as work:
    work = Path(work)
    twin = nifti(series, work / "twin")
    subprocess.run([*prosopon, "deid", twin, work / "twin-new.nii", "--save-brain-mask", work / "brain.nii.gz", *drawn], check=True)
    subprocess.run([*prosopon, "dicom", series, work / "out", "--refusals-ok", *drawn], check=True)
    by_dicom = nibabel.load(nifti(work / "out", work / "back"))
    by_nifti = nibabel.load(work / "twin-new.nii")
    original = nibabel.load(twin)
    mask = np.asarray(nibabel.load(work / "brain.nii.gz").dataobj) > 0
    a, b, o = (image.get_fdata() for image in (by_dicom, by_nifti, original))
    level = float(np.median(o[mask]))
    factor = level / float(np.median(a[mask]))
    a = a * factor
    near = 0 if factor == 1 else 1e-4 * level
    off = np.abs(a - b) / level
    found = {
        "affine differs by": float(np.abs(by_dicom.affine - by_nifti.affine).max()),
        "brain voxels": int(mask.sum()),
        "factor between the scalings": factor,
        "of them not as in the input": int((np.abs(a[mask] - o[mask]) > near).sum() + (b[mask] != o[mask]).sum()),
        "voxels that differ between the two": round(float((off > near / level).mean()), 6),
        "by more than 1 % of the brain": round(float((off > 0.01).mean()), 6),
        "by more than 5 % of the brain": round(float((off > 0.05).mean()), 6),
        "new voxels (for comparison), more than 5 %": round(float((np.abs(a - o) / level > 0.05).mean()), 6),
    }
    print(json.dumps(found, indent=1))
    same = found["affine differs by"] < 1e-3 and found["of them not as in the input"] == 0 and found["by more than 5 % of the brain"] < 1e-3
    sys.exit(0 if same else 1)
