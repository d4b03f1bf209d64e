"""Inputs of bench/golden.mjs, made with nibabel from the bundled head: the head, an MGZ, a scaled int16, a 4-D file, a pair.

Usage: python3 bench/golden_inputs.py DIR   (after `prosopon brain demo/head.nii.gz DIR/mask.nii.gz`)
"""

import sys
from pathlib import Path

import nibabel as nib
import numpy as np

out = Path(sys.argv[1])
head = nib.load("demo/head.nii.gz")
mask = nib.load(out / "mask.nii.gz")
values = np.asarray(head.dataobj).astype(np.float32)
brain = np.asarray(mask.dataobj) > 0
level = float(np.median(values[brain]))


def mask_like(name, image):
    cls = nib.MGHImage if name.endswith("mgz") else nib.Nifti1Image
    nib.save(cls(brain.astype(np.uint8), image.affine), out / name)


nib.save(nib.MGHImage(values, head.affine), out / "head.mgz")
mask_like("mask.mgz", head)

scaled = nib.Nifti1Image(np.round(values / level * 900 - 200).astype(np.int16), head.affine)
scaled.header.set_slope_inter(1, 0)
data = scaled.to_bytes()
header = bytearray(data)
header[112:116] = np.float32(0.25).tobytes()
header[116:120] = np.float32(50).tobytes()
(out / "scaled.nii").write_bytes(bytes(header))

four = np.stack([values, values * 0.7], axis=-1)
image = nib.Nifti1Image(np.round(four / level * 400).astype(np.uint16), head.affine)
nib.save(image, out / "four.nii.gz")

pair = nib.Nifti1Pair(np.round(values / level * 400).astype(np.uint16), head.affine)
nib.save(pair, out / "pair.hdr")
