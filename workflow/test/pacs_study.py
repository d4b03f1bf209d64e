# /// script
# requires-python = ">=3.11"
# dependencies = ["pydicom==3.0.2", "numpy==2.4.6", "nibabel==5.4.2"]
# ///
"""Studies of a head that is nobody for workflow/test/pacs.sh, and what must be true of what comes back.

    pacs_study.py make DIR            DIR/one: a T1w of 60 slices; DIR/two: the same of another person, with a secondary capture beside
                                      it; DIR/burned: one whose text is burned in
    pacs_study.py check SENT BACK     every slice of SENT is in BACK once, with other UIDs, no word of the person and another face
"""

import pathlib
import sys

import nibabel
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORD = "QZNEEDLE"
MR, CAPTURE = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.7"


def made(sop_class, person, study, series, number):
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d.SOPClassUID, d.SOPInstanceUID = sop_class, generate_uid(entropy_srcs=[study, series, str(number)])
    d.file_meta.MediaStorageSOPClassUID, d.file_meta.MediaStorageSOPInstanceUID = d.SOPClassUID, d.SOPInstanceUID
    d.StudyInstanceUID, d.SeriesInstanceUID = generate_uid(entropy_srcs=[study]), generate_uid(entropy_srcs=[study, series])
    d.PatientName, d.PatientID, d.PatientBirthDate, d.PatientSex = f"{WORD}^{person}", f"{WORD}ID{person}", "19480229", "O"
    d.StudyDate, d.StudyTime, d.StudyID, d.AccessionNumber = "20240305", "223100", "1", f"{WORD}ACC"
    d.ReferringPhysicianName, d.InstitutionName, d.Manufacturer = f"{WORD}^DOCTOR", f"{WORD} HOSPITAL", "SIEMENS"
    d.SeriesNumber, d.InstanceNumber = 3, number
    d.SamplesPerPixel, d.PhotometricInterpretation = 1, "MONOCHROME2"
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 12, 11, 0
    return d


def picture(d, values):
    d.Rows, d.Columns = values.shape
    d.PixelData = values.astype("<u2").tobytes()


def series(folder, person, study, burned="NO"):
    image = nibabel.load(ROOT / "demo/head.nii.gz")
    # A right-handed head in LPS: rows run to the left, columns to the back.
    values = np.asarray(image.dataobj).astype(np.float32)[::-2, ::-2, ::4]
    values = np.clip(np.round(values * (3000 / values.max())), 0, 4095)
    folder.mkdir(parents=True)
    for k in range(values.shape[2]):
        d = made(MR, person, study, "T1w", k + 1)
        d.Modality, d.ImageType, d.BurnedInAnnotation = "MR", ["ORIGINAL", "PRIMARY", "M"], burned
        d.ScanningSequence, d.SequenceVariant, d.ScanOptions, d.MRAcquisitionType = ["GR", "IR"], "SP", "", "3D"
        d.RepetitionTime, d.EchoTime, d.InversionTime, d.FlipAngle, d.EchoTrainLength = "2300", "2.98", "900", "9", "1"
        d.MagneticFieldStrength, d.PatientPosition, d.SliceThickness = "3", "HFS", "4"
        d.FrameOfReferenceUID, d.PositionReferenceIndicator = generate_uid(entropy_srcs=[study, "frame"]), ""
        d.PixelSpacing, d.ImageOrientationPatient = [2, 2], [1, 0, 0, 0, 1, 0]
        d.ImagePositionPatient = [-100, -128, 4 * k - 120]
        picture(d, values[:, :, k].T)
        d.save_as(folder / f"{WORD}{k:03d}", enforce_file_format=True)


def make(folder):
    series(folder / "one", "ONE", "one")
    series(folder / "two", "TWO", "two")
    d = made(CAPTURE, "TWO", "two", "capture", 1)
    d.Modality, d.ConversionType, d.BurnedInAnnotation = "OT", "WSD", "YES"
    picture(d, np.full((32, 32), 900))
    d.save_as(folder / "two" / "capture", enforce_file_format=True)
    series(folder / "burned", "THREE", "three", "YES")


def read(folder):
    return [pydicom.dcmread(path) for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file()]


def check(sent, back):
    before = {float(d.ImagePositionPatient[2]): d for d in read(sent) if d.SOPClassUID == MR}
    after = {float(d.ImagePositionPatient[2]): d for d in read(back)}
    assert len(read(back)) == len(after) == len(before), (len(read(back)), len(before))
    known = {str(d[name].value) for d in before.values() for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")}
    differ = voxels = 0
    for place, old in before.items():
        new = after[place]
        assert new.RecognizableVisualFeatures == "NO" and new.PatientIdentityRemoved == "YES"
        assert not known & {str(new[name].value) for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")}
        assert new.pixel_array.shape == old.pixel_array.shape
        differ += int(np.sum(new.pixel_array != old.pixel_array))
        voxels += old.pixel_array.size
    assert differ > voxels / 20, (differ, voxels)
    for path in pathlib.Path(back).rglob("*"):
        assert WORD not in path.name and (path.is_dir() or WORD.encode() not in path.read_bytes().upper())
    print(f"{len(after)} of {len(before)} slices back, {100 * differ / voxels:.1f} % of voxels new, {WORD} nowhere")


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"] and len(sys.argv) == 3:
        make(pathlib.Path(sys.argv[2]))
    elif sys.argv[1:2] == ["check"] and len(sys.argv) == 4:
        check(*sys.argv[2:])
    else:
        sys.exit(__doc__)
