#!/usr/bin/env bash
# Condition: an Enhanced MR Image whose Image Type and Frame Types say DERIVED, and which still says how it was acquired (MR Acquisition
# Type, Echo Pulse Sequence and the other elements of the MR Pulse Sequence Module).
# A guess: no error line. PS3.3 C.8.13.4 (2020a and 2024e alike) asks for these where Image Type Value 1 is ORIGINAL or MIXED, and goes
# on: "May be present otherwise".
# Seen with dciodvfy of dicom3tools 1.00~20220618 (Debian 12): "Attribute present when condition unsatisfied (which may not be present
# otherwise)" for each of them; the same object with ORIGINAL has no such line. So "no new line of dciodvfy" cannot be asked of a tool
# that marks a changed enhanced object as derived, as it must.
# Needs dciodvfy on the path; exits with 77 where it is missing.
set -euo pipefail
command -v dciodvfy >/dev/null || { echo "dciodvfy is missing"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet pydicom==3.0.2 2>/dev/null
cd "$dir"
cat >make.py <<'PY'
import sys
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

for kind in ("ORIGINAL", "DERIVED"):
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = EnhancedMRImageStorage, generate_uid()
    data.ImageType = [kind, "PRIMARY", "T1", "NONE"]
    data.Modality = "MR"
    data.MRAcquisitionType = "3D"
    data.EchoPulseSequence = "GRADIENT"
    data.CoverageOfKSpace = "FULL"
    meta = data.file_meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data.SOPClassUID, data.SOPInstanceUID
    data.save_as(f"{kind}.dcm", enforce_file_format=True)
PY
venv/bin/python make.py
count() { dciodvfy "$1.dcm" 2>&1 | grep -c "may not be present otherwise.*Module=<MRPulseSequence>" || true; }
original=$(count ORIGINAL) derived=$(count DERIVED)
echo "lines that say 'may not be present otherwise': ORIGINAL $original, DERIVED $derived"
[ "$original" = 0 ] && [ "$derived" = 3 ] || { echo "behaviour changed"; exit 1; }
