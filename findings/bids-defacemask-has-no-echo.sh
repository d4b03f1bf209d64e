#!/usr/bin/env bash
# Condition: a multi-echo (or MP2RAGE) image of a valid BIDS data set, and the mask of its defacing beside it.
# A guess: the mask of `sub-01_echo-1_MEGRE` may be called `sub-01_mod-MEGRE_echo-1_defacemask`, as other files about one echo are.
# Seen with bids-validator-deno 3.0.2 (schema 1.2.7): an error for every entity that tells parts of one acquisition apart
# (echo, inv, part), also without `mod`; the same name without it is accepted. So one mask has to stand for all echoes, and
# masks that differ from echo to echo have no name.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check bids-validator-deno==3.0.2 nibabel==5.4.2 numpy==2.4.6
PATH="$dir/venv/bin:$PATH"
python3 - "$dir" <<'PY'
import json, sys
from pathlib import Path
import nibabel as nib
import numpy as np

root = Path(sys.argv[1]) / "ds"
anat = root / "sub-01" / "anat"
anat.mkdir(parents=True)
(root / "dataset_description.json").write_text(json.dumps({"Name": "x", "BIDSVersion": "1.10.0"}))
(root / "README").write_text("A data set of noise, made to ask a validator about names of files, and for nothing else.\n" * 4)
noise = np.random.default_rng(1).integers(0, 900, (8, 8, 8)).astype(np.int16)
image = nib.Nifti1Image(noise, np.eye(4))
image.header.set_xyzt_units("mm", "sec")
mask = nib.Nifti1Image((noise > 400).astype(np.uint8), np.eye(4))
mask.header.set_xyzt_units("mm", "sec")
for echo in (1, 2):
    nib.save(image, anat / f"sub-01_echo-{echo}_MEGRE.nii.gz")
    (anat / f"sub-01_echo-{echo}_MEGRE.json").write_text(json.dumps({"EchoTime": 0.005 * echo, "MagneticFieldStrength": 3}))
for name in ("mod-MEGRE_echo-1", "echo-1", "mod-MP2RAGE_inv-1", "mod-MEGRE_part-mag", "mod-MEGRE"):
    nib.save(mask, anat / f"sub-01_{name}_defacemask.nii.gz")
PY
bids-validator-deno "$dir/ds" --format json >"$dir/out.json" 2>/dev/null || true
python3 - "$dir/out.json" <<'PY'
import json, sys

issues = json.load(open(sys.argv[1]))["issues"]["issues"]
errors = sorted({(i["location"].split("/")[-1], i["code"]) for i in issues if i["severity"] == "error"})
for location, code in errors:
    print(code, location)
refused = [location for location, _ in errors]
expected = ["sub-01_echo-1_defacemask.nii.gz", "sub-01_mod-MEGRE_echo-1_defacemask.nii.gz",
            "sub-01_mod-MEGRE_part-mag_defacemask.nii.gz", "sub-01_mod-MP2RAGE_inv-1_defacemask.nii.gz"]
assert sorted(set(refused)) == expected, refused
print("as seen: no defacemask of one echo, inversion or part has a name; sub-01_mod-MEGRE_defacemask.nii.gz is accepted")
PY
