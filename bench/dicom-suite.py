# /// script
# requires-python = ">=3.11"
# dependencies = ["pydicom==3.0.2", "numpy==2.4.6", "nibabel==5.4.2"]
# ///
"""A suite with planted identity: 243 DICOM files of a head that is nobody, and what each of ten kinds of answer should be.

    python3 bench/dicom-suite.py make DIR                          # files to DIR/in, answers to DIR/answers.json
    python3 bench/dicom-suite.py score DIR OUT [MORE ...] [--places]   # MORE: logs and reports, searched too
    python3 bench/dicom-suite.py run DIR                           # make, prosopon dicom, score

The kinds are those of the MIDI-B challenge (text and tags retained, removed or not null; dates, UIDs and IDs; pixels hidden and
retained); the answers are this script's. Every text attribute of pydicom's dictionary is planted once or oftener, every sequence
with items five deep, private elements of eight kinds, file meta, preamble, file and folder names. Seeded: two runs make the same
bytes. With `--places` a result is paired with its original by the slice's place (which is unique), else by the file's name.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import warnings

import nibabel
import numpy as np
import pydicom
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

warnings.filterwarnings("ignore")
pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORD, UID = "QZNEEDLE", "1.2.3.99994711"
#: ID, name, birth date, series: (study, date of it, number, TR)
PEOPLE = [
    ("QZNEEDLEID1", "QZNEEDLE^ANNA^QZMIDDLE", "19480229", [(1, "20240305", 3, "2300"), (2, "20240405", 3, "2300")]),
    ("QZNEEDLEID2", "QZNEEDLE^BERT", "19511224", [(3, "20240305", 3, "2300"), (3, "20240305", 4, "1900")]),
]
SLICES, STEP, AXIAL = 60, 4, [1, 0, 0, 0, 1, 0]
#: What a slice is made of: not planted.
KEPT = dict(
    Modality="MR",
    ImageType=["ORIGINAL", "PRIMARY", "M"],
    ScanningSequence=["GR", "IR"],
    SequenceVariant="SP",
    ScanOptions="",
    MRAcquisitionType="3D",
    EchoTime="2.98",
    InversionTime="900",
    FlipAngle="9",
    EchoTrainLength="1",
    MagneticFieldStrength="3",
    PatientPosition="HFS",
    SliceThickness="4",
    BurnedInAnnotation="NO",
    LossyImageCompression="00",
    WindowCenter="1000",
    WindowWidth="2000",
)
RETAINED = (
    "ScanningSequence SequenceVariant MRAcquisitionType EchoTime InversionTime FlipAngle "
    "MagneticFieldStrength PatientPosition SliceThickness RepetitionTime SeriesNumber InstanceNumber"
).split()
TAGS = (
    RETAINED
    + (
        "SOPClassUID Modality Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation PhotometricInterpretation "
        "PixelSpacing ImagePositionPatient ImageOrientationPatient PixelData StudyDate PatientID PatientName"
    ).split()
)
NOT_NULL = (
    "SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID ImageType Modality PatientID PatientIdentityRemoved DeidentificationMethodCodeSequence".split()
)
UIDS = "SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID".split()
TEXT = {"AE": 16, "CS": 16, "LO": 64, "LT": 64, "PN": 64, "SH": 16, "ST": 64, "UC": 64, "UR": 64, "UT": 64}


def head():
    image = nibabel.load(ROOT / "demo/head.nii.gz")
    values = np.asarray(image.dataobj).astype(np.float32) * 8
    return image, values[::-2, ::-2, ::STEP]


class Planter:
    def __init__(self):
        self.n, self.planted = 0, []

    def value(self, vr, kind):
        """Another one each time, so that each miss has a name."""
        self.n += 1
        made = f"{UID}.7.{self.n}" if vr == "UI" else f"{WORD}{self.n:06d}"
        if vr in ("DA", "DT", "TM", "AS"):
            return {"DA": "20240305", "DT": "20240305223100", "TM": "223100", "AS": "087Y"}[vr]
        self.planted.append((made, kind))
        if vr == "PN":
            return f"Doe^{made}"
        return made if TEXT.get(vr, 64) < 20 or vr == "UI" else f"about {made} é"

    def nested(self, depth, kind):
        item = Dataset()
        item.PatientName = self.value("PN", kind)
        item.add_new(0x00081155, "UI", self.value("UI", kind))
        item.add_new(0x0040A160, "UT", self.value("UT", kind))
        if depth > 1:
            item.add_new(0x0040A730, "SQ", Sequence([self.nested(depth - 1, kind)]))
        return item

    def private(self, d):
        block = d.private_block(0x0029, f"{WORD} MADE IT", create=True)
        for element, vr in enumerate(("PN", "LO", "UI", "SH", "LT"), 1):
            block.add_new(element, vr, self.value(vr, f"private {vr}"))
        self.n += 1
        word = f"{WORD}{self.n:06d}"
        self.planted += [(word, "private UTF-16")]
        data = word.encode("utf-16-le")
        block.add_new(0x10, "OB", data)
        inner = Dataset()
        inner.PatientName = self.value("PN", "private UN")
        block.add_new(0x11, "UN", implicit(inner))
        block.add_new(0x12, "SQ", Sequence([self.nested(5, "private sequence")]))


def implicit(d):
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    out = DicomBytesIO()
    out.is_little_endian = True
    out.is_implicit_VR = True
    write_dataset(out, d)
    return out.getvalue()


def make(folder):
    target = folder / "in"
    _, values = head()
    planter = Planter()
    own = set(KEPT) | set(TAGS) | set(UIDS) | {"PatientBirthDate", "SpecificCharacterSet", "SamplesPerPixel", "SOPClassUID", "NumberOfFrames"}
    texts, sequences = [], []
    for tag, (vr, _vm, _name, _retired, keyword) in sorted(DicomDictionary.items()):
        if tag >> 16 in (0x0000, 0x0002, 0x0004, 0x7FE0, 0xFFFE, 0xFFFA) or keyword in own or not keyword:
            continue
        if vr in TEXT or vr in ("UI", "DA", "DT", "TM", "AS"):
            texts.append((tag, vr))
        elif vr == "SQ":
            sequences.append(tag)
    files, total = [], sum(len(p[3]) for p in PEOPLE) * SLICES
    for p, (patient, name, birth, series) in enumerate(PEOPLE):
        for s, (study, date, number, tr) in enumerate(series):
            for k in range(SLICES):
                i, d = len(files), Dataset()
                d.SpecificCharacterSet = "ISO_IR 192"
                d.SOPClassUID, d.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", f"{UID}.1.{p}.{s}.{k}"
                d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = f"{UID}.2.{study}", f"{UID}.3.{p}.{s}", f"{UID}.4.{study}"
                for keyword, value in KEPT.items():
                    setattr(d, keyword, value)
                d.PatientID, d.PatientName, d.PatientBirthDate, d.StudyDate, d.SeriesNumber, d.InstanceNumber, d.RepetitionTime = (
                    patient,
                    name,
                    birth,
                    date,
                    number,
                    k + 1,
                    tr,
                )
                a = np.clip(values[:, :, k].T, 0, 4095).astype("<u2")
                # Each slice of the suite has a place of its own.
                d.ImagePositionPatient = [str(round(-99.5 + 0.01 * (2 * p + s), 3)), "-149.5", str(-141.5 + STEP * k)]
                d.ImageOrientationPatient, d.PixelSpacing = [str(v) for v in AXIAL], ["2", "2"]
                d.SamplesPerPixel, d.PhotometricInterpretation, d.Rows, d.Columns = 1, "MONOCHROME2", *a.shape
                d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 12, 11, 0
                d.add_new(0x7FE00010, "OW", a.tobytes())
                for tag, vr in texts[i::total]:
                    d.add_new(tag, vr, planter.value(vr, f"text {vr}"))
                for tag in sequences[i::total]:
                    d.add_new(tag, "SQ", Sequence([planter.nested(5, "sequence")]))
                planter.private(d)
                d.add_new(0x60000022, "LO", planter.value("LO", "overlay"))
                d.add_new(0xFFFCFFFC, "OB", planter.value("CS", "trailing padding").encode())
                m = FileMetaDataset()
                m.MediaStorageSOPClassUID, m.MediaStorageSOPInstanceUID, m.TransferSyntaxUID = d.SOPClassUID, d.SOPInstanceUID, ExplicitVRLittleEndian
                m.ImplementationClassUID, m.ImplementationVersionName = f"{UID}.9", "SUITE"
                m.SourceApplicationEntityTitle = planter.value("AE", "file meta")
                d.file_meta, d.preamble = m, planter.value("LO", "preamble").encode().ljust(128, b"\0")
                path = target / f"{WORD}_{p}" / f"{WORD}_{study}" / f"{WORD}_{i:04d}.dcm"
                path.parent.mkdir(parents=True, exist_ok=True)
                d.save_as(path, enforce_file_format=False)
                files.append(str(path.relative_to(target)))
    last = pydicom.dcmread(target / files[-1])
    for n, sop in enumerate(("1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.88.11")):
        last.SOPClassUID = last.file_meta.MediaStorageSOPClassUID = sop
        last.SOPInstanceUID = last.file_meta.MediaStorageSOPInstanceUID = f"{UID}.8.{n}"
        if n == 1:
            last.add_new(0x52009230, "SQ", Sequence([planter.nested(5, "per-frame group") for _ in range(4)]))
        last.save_as(target / f"{WORD}_other_{n}.dcm", enforce_file_format=False)
    (folder / "answers.json").write_text(json.dumps({"files": files, "planted": planter.planted, "attributes": len(texts), "sequences": len(sequences)}))
    print(f"{len(files) + 3} files, {len(planter.planted)} planted values, {len(texts)} text attributes, {len(sequences)} sequences")


def forms(word):
    upper = word.upper()
    return [upper.encode(), upper.encode("utf-16-le"), upper.encode("utf-16-be")]


def masks():
    """Brain without its rim, and what is head and not near the brain, on the suite's slices."""
    image, values = head()
    work = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / "suite-brain.nii.gz"
    if not work.exists():
        subprocess.run(["node", ROOT / "bin/prosopon.mjs", "brain", ROOT / "demo/head.nii.gz", work, "--quiet"], check=True)
    brain = np.asarray(nibabel.load(work).dataobj)[::-2, ::-2, ::STEP] > 0

    def grown(mask, n):
        for _ in range(n):
            mask = mask | np.roll(mask, 1, 0) | np.roll(mask, -1, 0) | np.roll(mask, 1, 1) | np.roll(mask, -1, 1) | np.roll(mask, 1, 2) | np.roll(mask, -1, 2)
        return mask

    return ~grown(~brain, 1), (values > 250) & ~grown(brain, 2)


def place(d):
    return tuple(round(float(v), 3) for v in d.ImagePositionPatient)


def score(folder, out, more, by_place):
    answers = json.loads((folder / "answers.json").read_text())
    originals = {name: pydicom.dcmread(folder / "in" / name) for name in answers["files"]}
    results, raw = {}, []
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        data = path.read_bytes()
        raw.append(str(path.relative_to(out)).encode() + b"\n" + data)
        if data[128:132] == b"DICM" and not path.name.startswith(f"{WORD}_other"):
            d = pydicom.dcmread(path)
            results[place(d) if by_place else path.name] = d
    raw += [pathlib.Path(p).read_bytes() for p in more]
    pairs = [(o, results.get(place(o) if by_place else pathlib.PurePath(name).name)) for name, o in originals.items()]
    verbs = {}

    def count(verb, fine, what=""):
        good, bad, misses = verbs.get(verb, (0, 0, {}))
        if not fine:
            misses[what] = misses.get(what, 0) + 1
        verbs[verb] = (good + fine, bad + (not fine), misses)

    hay = b"\n".join(raw).upper()
    # One pass for thousands of words; in UTF-16 a zero stands before or behind each letter.
    there = {m.group().replace(b"\0", b"").decode() for m in re.finditer(b"Q\0?Z\0?N\0?E\0?E\0?D\0?L\0?E(\0?[0-9]){6}|" + re.escape(UID.encode()) + rb"\.7\.[0-9]+", hay)}
    for word, kind in answers["planted"]:
        count("text_removed", word not in there, kind)
    for word, kind in (
        (WORD, "any planted word"),
        (UID, "any planted UID"),
        *((p[1].split("^")[1], "name") for p in PEOPLE),
        *((p[2], "birth date") for p in PEOPLE),
        ("20240305", "study date"),
        ("20240405", "study date"),
    ):
        count("text_removed", not any(form in hay for form in forms(word)), kind)
    brain, face = masks()
    maps, ids, shifts = {}, {}, {}
    for o, r in pairs:
        if r is None:
            count("tag_retained", False, "a whole file")
            continue
        k = o.InstanceNumber - 1
        for keyword in TAGS:
            count("tag_retained", keyword in r, keyword)
        for keyword in NOT_NULL:
            count("text_notnull", keyword in r and r[keyword].value not in (None, "") and len(str(r[keyword].value)) > 0, keyword)
        for keyword in RETAINED:
            count("text_retained", keyword in r and r.get(keyword) == o.get(keyword), keyword)
        for keyword in UIDS:
            now = r.get(keyword)
            count("uid_changed", now is not None and now != "" and now != o.get(keyword), keyword)
            maps.setdefault((keyword, o.get(keyword)), set()).add(now)
        ids.setdefault(o.PatientID, set()).add(str(r.get("PatientID")))
        now = str(r.get("StudyDate") or "")
        if now:
            try:
                shifts.setdefault(o.PatientID, set()).add(
                    (np.datetime64(f"{now[:4]}-{now[4:6]}-{now[6:]}") - np.datetime64(f"{o.StudyDate[:4]}-{o.StudyDate[4:6]}-{o.StudyDate[6:]}")).astype(int)
                )
            except ValueError:
                count("date_shifted", False, "no date")
        count("date_shifted", now != o.StudyDate, "as it was")
        a, b = o.pixel_array, r.pixel_array if "PixelData" in r else None
        same = b is not None and a.shape == b.shape
        bm, fm = brain[:, :, k].T, face[:, :, k].T
        count("pixels_retained", same and bool((a[bm] == b[bm]).all()), "brain")
        if fm.sum() > 50:
            count("pixels_hidden", same and bool((a[fm] != b[fm]).mean() > 0.9), "head outside of the brain")
    for (keyword, _), found in maps.items():
        count("uid_consistent", len(found) == 1, keyword)
    for keyword in UIDS:
        count(
            "uid_consistent",
            len(set().union(*(f for (k2, _), f in maps.items() if k2 == keyword))) == sum(k2 == keyword for k2, _ in maps),
            f"{keyword} of two become one",
        )
    for found in ids.values():
        count("patid_consistent", len(found) == 1 and found != {"None"} and found != {""}, "one ID a person")
    count("patid_consistent", len(set().union(*ids.values())) == len(PEOPLE) if ids else False, "another for another")
    for found in shifts.values():
        count("date_shifted", len(found) == 1, "one shift a person")
    right = wrong = 0
    for verb in "tag_retained text_notnull text_retained text_removed date_shifted uid_changed uid_consistent patid_consistent pixels_hidden pixels_retained".split():
        good, bad, misses = verbs.get(verb, (0, 0, {}))
        right, wrong = right + good, wrong + bad
        named = ", ".join(f"{what} x {n}" for what, n in sorted(misses.items(), key=lambda m: -m[1])[:6])
        print(f"{verb:17} {good:6} of {good + bad:6}  {named}")
    print(f"{'all':17} {right:6} of {right + wrong:6}  {100 * right / max(1, right + wrong):.2f} %")
    return wrong


def run(folder):
    make(folder)
    out, log = folder / "out", folder / "log.txt"
    key = folder / "key"
    key.write_text("a key that is long enough")
    command = ["node", ROOT / "bin/prosopon.mjs", "dicom", folder / "in", out, "--resolution", "128", "--dates", "shift", "--key-file", key, "--json", "--refusals-ok"]
    with log.open("wb") as said:
        subprocess.run(command, stdout=said, stderr=subprocess.STDOUT, check=True)
    # The log names the output's own folder, which is this run's.
    log.write_bytes(log.read_bytes().replace(str(folder).encode(), b""))
    return score(folder, out, [log], True)


if __name__ == "__main__":
    verb, folder, *rest = sys.argv[1:]
    folder = pathlib.Path(folder).resolve()
    if verb == "make":
        make(folder)
    elif verb == "score":
        sys.exit(1 if score(folder, pathlib.Path(rest[0]), [p for p in rest[1:] if p != "--places"], "--places" in rest) else 0)
    elif verb == "run":
        sys.exit(1 if run(folder) else 0)
    else:
        sys.exit(__doc__)
