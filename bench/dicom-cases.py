#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "nibabel==5.4.2", "pydicom==3.0.2", "dcm2niix==1.0.20260724", "python-gdcm==3.2.6", "SimpleITK==2.5.7"]
# ///
"""The DICOM acceptance cases made from a head (make_dicom_cases.py), each treated and held against what is asked of it.

    dicom-cases.py CASES OUT [PROSOPON]      # PROSOPON: the program, else that of this clone

Each case is run by itself at --resolution 128; `twice` in two runs with one key and one without, `two-dates` with --dates shift,
`dicomdir` once more without its DICOMDIR. Of every treated case: exit code; no word of needles.txt in any byte or name of the output
(8 bit and UTF-16); as many slices as the input has that are treated, each in its place; the brain's stored values (a mask made by
`prosopon brain` from the axial case, worn off by one voxel, laid on by the world) the same; smallest and largest value true; enhanced
objects with all frames in their order. gdcm and SimpleITK read every new file, and their voxels are those that pydicom reads.
Writes OUT/cases.json and prints a line a case; exit 1 where one is not as it should be.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import gdcm
import nibabel
import numpy as np
import pydicom
import SimpleITK

cases, out = Path(sys.argv[1]), Path(sys.argv[2])
program = ["node", sys.argv[3] if len(sys.argv) > 3 else str(Path(__file__).parents[1] / "bin/prosopon.mjs")]
NEEDLES = (cases / "needles.txt").read_text().split("\n")[:-1]
MORE = {"two-dates": ["--dates", "shift"]}
KEY = out / "site.key"


def run(case, target, *more):
    done = subprocess.run(
        [*program, "dicom", case, target, "--resolution", "128", "--seed", "7", "--quiet", *more], capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def slices(folder):
    """(place, kind) -> (values as stored, data set, frame)"""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        try:
            data = pydicom.dcmread(path)
            array = data.pixel_array
        except Exception:
            continue
        if data.Modality != "MR":
            continue
        groups = data.get("PerFrameFunctionalGroupsSequence")
        if groups is None:
            place = (*data.ImagePositionPatient, *data.ImageOrientationPatient)
            key = tuple(round(float(v), 2) for v in place), str(data.get("EchoTime", "")), str(data.SeriesNumber)
            found[key, data.get("StudyDate", "") if folder.name == "two-dates" else ""] = array, data, None
            continue
        shared = data.SharedFunctionalGroupsSequence[0]
        for i, group in enumerate(groups):
            place = (*group.PlanePositionSequence[0].ImagePositionPatient, *shared.PlaneOrientationSequence[0].ImageOrientationPatient)
            found[(tuple(round(float(v), 2) for v in place), "", "frame"), ""] = array[i], data, i
    return found


def brain_of(axial, work):
    subprocess.run(["dcm2niix", "-z", "n", "-b", "n", "-f", "x", "-o", work, axial], check=True, capture_output=True)
    subprocess.run([*program, "brain", work / "x.nii", work / "brain.nii", "--quiet"], check=True)
    image = nibabel.load(work / "brain.nii")
    mask = np.asarray(image.dataobj) > 0
    worn = mask.copy()
    for axis in range(3):
        worn &= np.roll(mask, 1, axis) & np.roll(mask, -1, axis)
    return worn, np.linalg.inv(image.affine)


def brain_voxels(place, spacing, shape, mask, inverse):
    ipp, row, column = np.array(place[:3]), np.array(place[3:6]), np.array(place[6:])
    y, x = np.mgrid[: shape[0], : shape[1]]
    lps = ipp + x[..., None] * spacing[1] * row + y[..., None] * spacing[0] * column
    at = np.rint((lps * [-1, -1, 1]) @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    inside = ((at >= 0) & (at < mask.shape)).all(-1)
    at = np.where(inside[..., None], at, 0)
    return inside & mask[at[..., 0], at[..., 1], at[..., 2]]


def needles_in(folder, log):
    hay = [log.encode(), *(str(p.relative_to(folder)).encode() for p in folder.rglob("*"))]
    hay += [p.read_bytes() for p in folder.rglob("*") if p.is_file()]
    # Shifted dates may be any; the pieces of a study's own are still looked for where dates are removed.
    words = [w for w in NEEDLES if not (folder.name == "two-dates" and w.startswith("2024"))]
    return sum(any(form in one for one in hay) for w in words for form in (w.encode(), w.encode("utf-16-le"), w.encode("utf-16-be")))


def read_alike(path, data):
    wanted = data.pixel_array.astype(np.int64)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    by_gdcm = False
    if reader.Read():
        kind = ("<" if data.is_little_endian else ">") + ("i" if data.PixelRepresentation else "u") + str(data.BitsAllocated // 8)
        raw = reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape")
        # gdcm gives words in the order of this machine.
        by_gdcm = np.array_equal(np.frombuffer(raw, kind.replace(">", "<")).reshape(wanted.shape), wanted)
    image = SimpleITK.ReadImage(str(path))
    values = SimpleITK.GetArrayFromImage(image).reshape(wanted.shape).astype(float)
    groups = data.get("PerFrameFunctionalGroupsSequence")
    if groups is None:
        slope, intercept = float(data.get("RescaleSlope", 1)), float(data.get("RescaleIntercept", 0))
        by_itk = np.allclose(values, wanted * slope + intercept, atol=1e-2)
        # ITK turns MONOCHROME1 round within the bits that are stored.
        if data.PhotometricInterpretation == "MONOCHROME1":
            by_itk = np.array_equal(values + wanted, np.full(wanted.shape, 2.0**data.BitsStored - 1))
    else:
        # ITK scales all frames by the first one's slope.
        first = groups[0].PixelValueTransformationSequence[0]
        by_itk = np.allclose(values, wanted * float(first.RescaleSlope) + float(first.RescaleIntercept), atol=1e-2)
    return by_gdcm, bool(by_itk)


def measured(before, after, mask, inverse):
    wrong = {"places": 0, "brain": 0, "voxels": 0, "new": 0, "extremes": 0, "frames": 0}
    for key, (array, data, frame) in after.items():
        old = before.get(key)
        if old is None:
            wrong["places"] += 1
            continue
        spacing = data.get("PixelSpacing") or data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing
        brain = brain_voxels(key[0][0], [float(v) for v in spacing], array.shape, mask, inverse)
        wrong["voxels"] += int(brain.sum())
        wrong["brain"] += int((array[brain] != old[0][brain]).sum())
        wrong["new"] += int((array != old[0]).sum())
        if frame != old[2]:
            wrong["frames"] += 1
        if "SmallestImagePixelValue" in data and frame is None:
            wrong["extremes"] += int((data.SmallestImagePixelValue, data.LargestImagePixelValue) != (array.min(), array.max()))
    return wrong


def main():
    out.mkdir(parents=True)
    KEY.write_text("a key of a site for the cases")
    rows = [line.split("\t") for line in (cases / "cases.tsv").read_text().splitlines()[1:]]
    found = []
    with tempfile.TemporaryDirectory() as work:
        mask, inverse = brain_of(cases / "axial", Path(work))
        runs = []
        for name, _, verdict, *_ in rows:
            if name == "twice":
                runs += [(f"{name}-{n}", cases / name / folder, verdict, more) for n, folder, more in (
                    ("1", "run1", ["--key-file", KEY]), ("2", "run2", ["--key-file", KEY]), ("3", "run1", []))]
                continue
            runs.append((name, cases / name, verdict, MORE.get(name, [])))
            if name == "dicomdir":
                bare = Path(work) / "bare"
                shutil.copytree(cases / name, bare)
                (bare / "DICOMDIR").unlink()
                runs.append(("dicomdir-without", bare, verdict, []))
        for name, source, verdict, more in runs:
            target = out / name
            code, log = run(source, target, *more)
            entry = {"case": name, "asked": verdict, "exit": code, "said": log.strip().splitlines()[-1:]}
            if target.exists():
                files = sorted(target.rglob("*.dcm"))
                read = [read_alike(path, pydicom.dcmread(path)) for path in files]
                if name == "zip":
                    unpacked = Path(work) / "zip"
                    for archive in source.glob("*.zip"):
                        shutil.unpack_archive(archive, unpacked)
                    source = unpacked
                entry |= {"files": len(files), "needles": needles_in(target, log), "gdcm": sum(g for g, _ in read), "itk": sum(i for _, i in read)}
                if name != "two-dates":
                    entry |= measured(slices(source), slices(target), mask, inverse)
                ok = entry["needles"] == 0 and entry["gdcm"] == entry["itk"] == len(files) > 0
                ok = ok and all(entry.get(part, 0) == 0 for part in ("places", "brain", "extremes", "frames"))
                entry["as asked"] = ok and verdict != "refused by name"
            else:
                entry["as asked"] = verdict == "refused by name" and code == 1
            found.append(entry)
            print(json.dumps(entry), flush=True)
    (out / "cases.json").write_text(json.dumps(found, indent=1) + "\n")
    right = sum(entry["as asked"] for entry in found)
    print(f"{right} of {len(found)} runs as asked")
    sys.exit(0 if right == len(found) else 1)


main()
