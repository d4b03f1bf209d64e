#!/usr/bin/env python3
# /// script
# requires-python = ">=3.10"
# dependencies = ["pydicom==3.0.2", "numpy"]
# ///
"""Reads what `prosopon dicom` wrote with pydicom, a reader that is nobody's here, and holds it against the input.

    check-dicom-pydicom.py IN OUT

Of every file in OUT: a slice of IN has its place; rows, columns, spacing, orientation, scaling and the way voxels are stored are the
same; meta and data set name one object; no private element (but with the code that says so), no sequence but that of the method;
codes are of CID 7050 in its words; what a code says is retained has the value that it had, and what no code says is not there; voxels
are read. Prints one line of JSON: how many files, how many differ in any of this (and in what), and SHA-256 of all voxels by position. Exits with 77 where
pydicom is missing.
"""

import hashlib
import json
import pathlib
import sys

try:
    import numpy as np
    import pydicom
    from pydicom.sr.codedict import codes
except ImportError as error:
    print(error)
    sys.exit(77)

SAME = (
    "Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation PhotometricInterpretation PixelSpacing "
    "ImagePositionPatient ImageOrientationPatient RescaleSlope RescaleIntercept SliceThickness EchoTime InstanceNumber"
).split()
# Code of the option, elements that it keeps.
RETAINED = {
    "113106": "StudyDate StudyTime SeriesDate AcquisitionDate",
    "113108": "PatientSex PatientAge PatientSize PatientWeight EthnicGroup SmokingStatus PregnancyStatus",
    "113109": "StationName DeviceSerialNumber DeviceUID ManufacturerModelName SoftwareVersions",
    "113110": "SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID",
}
CID_7050 = {code.value: code.meaning for code in (getattr(codes.cid7050, name) for name in codes.cid7050.dir())}



def slices(folder: str) -> dict:
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if not path.is_file():
            continue
        try:
            data = pydicom.dcmread(path)
            place = tuple(round(float(v), 3) for v in (*data.ImagePositionPatient, *data.ImageOrientationPatient))
        except (pydicom.errors.InvalidDicomError, AttributeError):
            continue
        found[place, str(data.get("EchoNumbers", "")), str(data.get("SeriesNumber", ""))] = data
    return found


def problems(before, after) -> list:
    wrong = [name for name in SAME if before is None or before.get(name) != after.get(name)]
    if after.file_meta.MediaStorageSOPInstanceUID != after.SOPInstanceUID:
        wrong.append("meta")
    if after.preamble != b"\0" * 128:
        wrong.append("preamble")
    said = {item.CodeValue: item.CodeMeaning for item in after.DeidentificationMethodCodeSequence}
    wrong += [code for code in said if CID_7050.get(code) != said[code]]
    for code, names in RETAINED.items():
        for name in names.split():
            now, then = after.get(name), before.get(name) if before is not None else None
            if code in said and now != then:
                wrong.append(name)
            # With --dates shift times and other dates stand there.
            if code not in said and now not in (None, "") and now == then and "113107" not in said:
                wrong.append(name)
    for element in after.iterall():
        if (element.tag.is_private and "113111" not in said) or (element.VR == "SQ" and element.keyword != "DeidentificationMethodCodeSequence"):
            wrong.append(str(element.tag))
    if after.PatientIdentityRemoved != "YES" or after.RecognizableVisualFeatures != "NO":
        wrong.append("markers")
    return wrong


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    before, after = slices(sys.argv[1]), slices(sys.argv[2])
    differ = {}
    digest = hashlib.sha256()
    for place in sorted(after):
        wrong = problems(before.get(place), after[place])
        for name in wrong:
            differ[name] = differ.get(name, 0) + 1
        digest.update(np.ascontiguousarray(after[place].pixel_array.astype("<i4")).tobytes())
    print(json.dumps({"files": len(after), "differ": differ, "voxels": digest.hexdigest()}))


if __name__ == "__main__":
    main()
