"""Compares the product's NIfTI and MGH reader and writer with nibabel, both ways.

Writes images with nibabel (every type, byte order, scaling, orientation, version and container; a fixed seed) into a
temporary folder, lets `scripts/formats-driver.mjs` read and rewrite them with the compiled package, and checks what
it read against nibabel's reading of the original, and nibabel's reading of what it wrote against the original.

    npm run build && python3 scripts/check-formats-nibabel.py [--only] [IMAGE ...]

Images named on the command line are checked as well, or alone (--only). Exit status: 0 all agree, 1 some do not, 77 nibabel is missing.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import nibabel as nib
    import numpy as np
except ImportError as missing:
    print(f"nibabel is not installed: {missing}")
    sys.exit(77)

SEED = 20261122
TYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
SCALINGS = [(None, None), (0.37, -12.5), (-2.0, 3.0)]
# Fields that ask for no scaling; other readers than nibabel may apply the intercept all the same.
NOT_IN_FORCE = list(itertools.product([0.0, np.nan, np.inf, -np.inf], [0.0, 5.0, np.nan, np.inf]))
HERE = Path(__file__).resolve().parent


def orientation(rng, number):
    """Identity, all axis orders and signs, oblique ones."""
    if number == 0:
        return np.diag([1.0, 1.0, 1.0, 1.0])
    zooms = rng.uniform(0.4, 3, 3)
    if number % 2:
        turn = np.eye(3)[rng.permutation(3)] * rng.choice([-1, 1], 3)
    else:
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(zooms)
    affine[:3, 3] = rng.uniform(-120, 120, 3)
    return affine


def voxels(rng, name, shape):
    """Random values over the whole range of the type; NaN and infinity among floating-point ones."""
    if name.startswith("float"):
        data = rng.normal(size=shape).astype(name) * 1000
        data.flat[3] = np.nan
        data.flat[7] = np.inf
        return data
    info = np.iinfo(name)
    return rng.integers(info.min, info.max, size=shape, dtype=name, endpoint=True)


def nifti_fixtures(rng, folder):
    shapes = [(8, 9, 10), (9, 8, 11, 2), (10, 9, 8, 1)]
    number = 0
    for version, name, order, (slope, inter) in itertools.product([1, 2], TYPES, "<>", SCALINGS):
        ending = [".nii", ".nii.gz", ".hdr", ".hdr.gz"][number % 4]
        pair = ending.startswith(".hdr")
        image_class = {
            (1, False): nib.Nifti1Image,
            (1, True): nib.Nifti1Pair,
            (2, False): nib.Nifti2Image,
            (2, True): nib.Nifti2Pair,
        }[version, pair]
        header = image_class.header_class(endianness=order)
        header.set_data_dtype(name)
        data = voxels(rng, name, shapes[number % 3])
        affine = orientation(rng, number)
        header.set_data_shape(data.shape)
        codes = [(2, 0), (0, 1), (1, 1), (0, 0), (3, 2), (4, 0)][number % 6]
        header.set_qform(affine, codes[1])
        if number % 5:
            header.set_sform(affine, codes[0])
        else:
            # Two forms that disagree: the sform counts.
            header.set_sform(affine @ np.diag([1.1, 1, 0.9, 1]), codes[0])
        header.set_xyzt_units("mm", "sec" if data.ndim == 4 else "unknown")
        header["descrip"] = b"planted text"
        if number % 3 == 0:
            header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"planted text, longer" * 3))
        path = folder / f"{number:03d}{ending}"
        header.set_slope_inter(slope, inter)
        write_raw(image_class, header, data.astype(data.dtype.newbyteorder(order)), path)
        yield path
        number += 1


def unscaled_fixtures(rng, folder):
    for number, (version, order, (slope, inter)) in enumerate(itertools.product([1, 2], "<>", NOT_IN_FORCE)):
        image_class = nib.Nifti1Image if version == 1 else nib.Nifti2Image
        header = image_class.header_class(endianness=order)
        header.set_data_dtype("int16")
        data = voxels(rng, "int16", (8, 9, 10))
        header.set_data_shape(data.shape)
        header.set_sform(orientation(rng, number), 1)
        # set_slope_inter refuses most of these.
        header["scl_slope"], header["scl_inter"] = slope, inter
        path = folder / f"u{number:02d}{'.nii.gz' if number % 2 else '.nii'}"
        write_raw(image_class, header, data.astype(data.dtype.newbyteorder(order)), path)
        yield path


def write_raw(image_class, header, data, path):
    """The stored values untouched: nibabel's own writing would choose a scaling."""
    file_map = image_class.filespec_to_file_map(str(path))
    single = "header" not in file_map
    if single:
        header["vox_offset"] = header.single_vox_offset + sum(e.get_sizeondisk() for e in header.extensions)
    with file_map["image" if single else "header"].get_prepare_fileobj("wb") as out:
        header.write_to(out)
        if single:
            out.write(b"\0" * (int(header["vox_offset"]) - out.tell()))
            out.write(data.tobytes(order="F"))
    if not single:
        with file_map["image"].get_prepare_fileobj("wb") as out:
            out.write(data.tobytes(order="F"))


def mgh_fixtures(rng, folder):
    for number, (name, volumes) in enumerate(itertools.product(["uint8", "int16", "int32", "float32"], [1, 3])):
        shape = (8, 9, 10) if volumes == 1 else (8, 9, 10, volumes)
        image = nib.MGHImage(voxels(rng, name, shape), orientation(rng, number + 1))
        image.header["tr"] = 2300
        path = folder / f"m{number:02d}{'.mgz' if number % 2 else '.mgh'}"
        nib.save(image, path)
        yield path


def stored(image):
    return np.asanyarray(image.dataobj.get_unscaled())


def scaling_bytes(image):
    """scl_slope and scl_inter as the file has them: nibabel hides them in a header that it has loaded."""
    file_map = image.file_map
    with file_map["header" if "header" in file_map else "image"].get_prepare_fileobj("rb") as file:
        header = file.read(540)
    return header[176:192] if isinstance(image, (nib.Nifti2Image, nib.Nifti2Pair)) else header[112:120]


def check(job):
    """Differences as a list of words; empty when all is equal."""
    wrong = []

    def expect(what, condition):
        if not condition:
            wrong.append(what)

    original = nib.load(job["input"])
    raw = stored(original)
    about = json.loads(Path(f"{job['dump']}.json").read_text())
    volumes = raw.shape[3] if raw.ndim > 3 else 1
    shape = (*about["grid"]["shape"], about["volumes"])
    affine = np.reshape(about["grid"]["affine"], (4, 4))
    expect("shape", shape == (*raw.shape[:3], volumes))
    expect("type", about["datatype"] == raw.dtype.name)
    expect("affine", np.allclose(affine, original.affine, rtol=1e-5, atol=1e-4))
    ours = np.fromfile(f"{job['dump']}.stored", raw.dtype.newbyteorder("=")).reshape(shape, order="F")
    native = np.reshape(raw, shape, order="F").astype(raw.dtype.newbyteorder("="))
    expect("stored", ours.tobytes() == native.tobytes())
    values = np.fromfile(f"{job['dump']}.values", "<f4").reshape(shape, order="F")
    with np.errstate(over="ignore"):
        theirs = np.reshape(original.get_fdata(), shape, order="F").astype("f4")
    expect("values", np.allclose(values, theirs, rtol=1e-6, atol=1e-6, equal_nan=True))

    result = nib.load(job["output"])
    again = stored(result)
    expect("written stored", again.dtype == raw.dtype and again.tobytes() == raw.tobytes())
    with np.errstate(over="ignore"):
        expect("written values", np.array_equal(original.get_fdata(), result.get_fdata(), equal_nan=True))
    expect("written class", type(result) is type(original))
    expect("written shape", result.shape == original.shape)
    expect("written affine", np.array_equal(result.affine, original.affine))
    a, b = original.header, result.header
    expect("written zooms", np.array_equal(a.get_zooms()[:3], b.get_zooms()[:3]))
    if not isinstance(original, nib.MGHImage):
        expect("byte order", a.endianness == b.endianness)
        for field in ("qform_code", "sform_code", "xyzt_units", "dim", "bitpix"):
            expect(f"written {field}", np.array_equal(a[field], b[field]))
        expect("written scaling", scaling_bytes(original) == scaling_bytes(result))
        if a["qform_code"] > 0:
            expect("written qform", np.array_equal(a.get_qform(), b.get_qform()))
        if a["sform_code"] > 0:
            expect("written sform", np.array_equal(a.get_sform(), b.get_sform()))
        expect("text dropped", b["descrip"].item() == b"" and len(b.extensions) == 0)
    elif "tr" in b:
        expect("footer dropped", b["tr"] == 0)
    return wrong


def main():
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [Path(argument) for argument in sys.argv[1:] if argument != "--only"]
        if "--only" not in sys.argv:
            paths = [*nifti_fixtures(rng, folder), *mgh_fixtures(rng, folder), *unscaled_fixtures(rng, folder), *paths]
        jobs = []
        for i, path in enumerate(paths):
            ending = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
            jobs.append({"input": str(path), "dump": f"{folder}/dump{i}", "output": f"{folder}/out{i}{ending}"})
        (folder / "jobs.json").write_text(json.dumps(jobs))
        node = os.environ.get("NODE", "node")
        subprocess.run([node, HERE / "formats-driver.mjs", folder / "jobs.json"], check=True)
        failed = 0
        for job in jobs:
            wrong = check(job)
            if wrong:
                failed += 1
                print(f"{Path(job['input']).name}: {', '.join(wrong)}")
    print(f"{len(jobs)} images, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
