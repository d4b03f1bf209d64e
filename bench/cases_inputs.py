"""Makes the inputs of bench/cases.mjs and measures what became of them: numpy, scipy and nibabel, nothing of the product.

    cases_inputs.py make CASE HEAD LABELS SCRIPTS FOLDER    # FOLDER gets in.nii.gz (or .nii), mask.nii.gz, truth.nii.gz
    cases_inputs.py measure INPUT TRUTH OUTPUT

CASE is a name and its values in one argument ("small_head 0.5"). Inputs that have a script in SCRIPTS (shared/cases) are made by that
script; the others here. `truth.nii.gz` lies on the input's grid and holds what is known of the unspoiled head, put through the same
change of geometry (nearest voxel), as bits: 1 a labelled brain voxel, 2 tissue of the front lower face, 4 tissue further than 5 mm from the brain,
8 what is special to the case (the nose that came back behind the head, the cavity).
Both print one JSON line. Exit status 3: the case cannot be made from this head; stderr says why.
"""

import gzip
import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

BRAIN, FACE, OUTSIDE, SPECIAL = 1, 2, 4, 8
NEAR = 16
"""Within 5 mm of the brain; only on the way to OUTSIDE."""
TISSUE_SHARE = 0.15
FACE_FROM_BRAIN_MM = 15
OUTSIDE_FROM_BRAIN_MM = 5
BROW_TO_CHIN_MM = 120


def distance_mm(mask: np.ndarray, zooms: np.ndarray) -> np.ndarray:
    return ndimage.distance_transform_edt(~mask, sampling=zooms)


def closed_brain(labels: nib.Nifti1Image) -> np.ndarray:
    """Everything labelled, closed by 4 mm, largest piece, holes filled: the mask that is right for this head."""
    zooms = np.array(labels.header.get_zooms()[:3])
    mask = np.pad(labels.get_fdata() > 0, 6)
    mask = distance_mm(~(distance_mm(mask, zooms) <= 4.1), zooms) > 4.1
    pieces, count = ndimage.label(mask)
    if count > 1:
        mask = pieces == 1 + np.argmax(ndimage.sum_labels(mask, pieces, np.arange(1, count + 1)))
    return ndimage.binary_fill_holes(mask)[6:-6, 6:-6, 6:-6]


def tissue_level(head: nib.Nifti1Image, labels: nib.Nifti1Image) -> float:
    return TISSUE_SHARE * float(np.median(head.get_fdata()[labels.get_fdata() > 0]))


def known(head: nib.Nifti1Image, labels: nib.Nifti1Image) -> nib.Nifti1Image:
    """The bits of an unspoiled head, axes to the right, front and up.

    Front lower face: tissue in the front half of the head, below the brow (the underside of the frontal lobes: 5th percentile of height
    among the foremost 24 mm of the brain), to 120 mm below it, further than 15 mm from the brain.
    """
    head, labels = nib.as_closest_canonical(head), nib.as_closest_canonical(labels)
    zooms = np.array(head.header.get_zooms()[:3])
    brain = closed_brain(labels)
    away = distance_mm(brain, zooms)
    tissue = head.get_fdata() > tissue_level(head, labels)
    at = np.argwhere(brain) * zooms
    brow = np.percentile(at[at[:, 1] > at[:, 1].max() - 24, 2], 5)
    rows = np.nonzero(tissue.sum((0, 2)) > 30)[0] * zooms[1]
    front = (np.arange(head.shape[1]) * zooms[1] > (rows.min() + rows.max()) / 2)[None, :, None]
    height = (np.arange(head.shape[2]) * zooms[2])[None, None, :]
    face = tissue & front & (height < brow) & (height > brow - BROW_TO_CHIN_MM) & (away > FACE_FROM_BRAIN_MM)
    bits = BRAIN * (labels.get_fdata() > 0) + FACE * face
    bits += OUTSIDE * (tissue & (away > OUTSIDE_FROM_BRAIN_MM)) + NEAR * (away <= OUTSIDE_FROM_BRAIN_MM)
    return nib.Nifti1Image(bits.astype(np.uint8), head.affine)


def onto(image: nib.Nifti1Image, change: np.ndarray, grid: nib.Nifti1Image) -> np.ndarray:
    """Nearest voxels on another grid; `change` takes the image's millimetres to the grid's."""
    matrix = np.linalg.inv(change @ image.affine) @ grid.affine
    return ndimage.affine_transform(
        np.asarray(image.dataobj), matrix[:3, :3], matrix[:3, 3], output_shape=grid.shape, order=0
    )


def turn(name: str, affine: np.ndarray) -> np.ndarray:
    """What header_rotated.py does to millimetres."""
    if name == "identity":
        return np.linalg.inv(affine)
    if name == "flipx":
        return np.diag([-1.0, 1, 1, 1])
    matrix, angle = np.eye(4), np.deg2rad(float(name[1:]))
    i, j = [(1, 2), (2, 0), (0, 1)]["xyz".index(name[0])]
    matrix[[i, i, j, j], [i, j, i, j]] = [np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)]
    return np.round(matrix)


class Maker:
    def __init__(self, head: Path, labels: Path, scripts: Path, folder: Path) -> None:
        self.head_path, self.scripts, self.folder = head, scripts, folder
        self.head, self.labels = nib.load(head), nib.load(labels)
        self.input, self.mask_path = folder / "in.nii.gz", folder / "mask.nii.gz"
        self.change = np.eye(4)
        self.brain = closed_brain(self.labels)
        self.zooms = np.array(self.head.header.get_zooms()[:3])

    def script(self, name: str, *arguments: object) -> None:
        command = [sys.executable, str(self.scripts / f"{name}.py"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            print(f"{name}.py: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            sys.exit(3)

    def from_head(self, name: str, *values: str) -> None:
        """The scripts of the form HEAD OUT values."""
        self.script(name, self.head_path, self.input, *values)

    def save(self, data: np.ndarray, like: nib.Nifti1Image | None = None) -> None:
        nib.save(nib.Nifti1Image(data, (like or self.head).affine), self.input)

    def unchanged(self) -> None:
        shutil.copyfile(self.head_path, self.input)

    def save_mask(self, data: np.ndarray, path: Path | None = None) -> Path:
        nib.save(nib.Nifti1Image(data, self.head.affine), path or self.mask_path)
        return path or self.mask_path

    def good_mask(self) -> Path:
        return self.save_mask(self.brain.astype(np.uint8), self.folder / "good-mask.nii.gz")

    # Inputs by script

    def small_head(self, factor: str) -> None:
        self.from_head("small_head", factor)
        self.change = np.diag([float(factor)] * 3 + [1])

    def header_rotated(self, *turns: str) -> None:
        """Quarter turns one after the other: with two of them every order of axes is reached."""
        source, affine = self.head_path, nib.as_closest_canonical(self.head).affine
        for k, name in enumerate(turns):
            out = self.input if k == len(turns) - 1 else self.folder / f"turn-{k}.nii.gz"
            self.script("header_rotated", source, out, name)
            self.change = turn(name, affine) @ self.change
            source = out

    def slope(self, *values: str) -> None:
        self.input = self.folder / "in.nii"
        self.from_head("slope", *values)

    def lesion(self) -> None:
        self.script("lesion", self.head_path, self.input, self.good_mask())

    def mask_weak_face(self) -> None:
        self.unchanged()
        self.script("mask_weak_face", self.head_path, self.good_mask(), self.mask_path)

    def mask_resampled_cubic(self) -> None:
        self.unchanged()
        self.script("mask_resampled_cubic", self.head_path, self.good_mask(), self.mask_path)
        found = (nib.load(self.mask_path).get_fdata() > 0.5).sum() / self.brain.sum()
        if not 0.9 < found < 1.1:
            sys.stderr.write(f"mask_resampled_cubic.py: its 3 mm grid holds {found:.0%} of this head's brain\n")
            sys.exit(3)

    def mask_flipped(self, axis: str) -> None:
        self.unchanged()
        self.script("mask_flipped", self.good_mask(), self.mask_path, axis)

    # Inputs made here

    def plain(self) -> None:
        self.unchanged()

    def mask_good(self) -> None:
        self.unchanged()
        self.save_mask(self.brain.astype(np.uint8))

    def mask_0_255(self) -> None:
        self.unchanged()
        self.save_mask(self.brain.astype(np.uint8) * 255)

    def mask_probability(self) -> None:
        """As smoothing or a network gives it: 1 inside, half at the border, 0 from 8 mm outside."""
        self.unchanged()
        self.save_mask(ndimage.gaussian_filter(self.brain.astype(np.float32), 2 / self.zooms, truncate=4))

    def signed_distance(self) -> np.ndarray:
        """Millimetres from the border, positive inside."""
        return distance_mm(~self.brain, self.zooms) - distance_mm(self.brain, self.zooms)

    def mask_signed_distance(self, inside: str) -> None:
        self.unchanged()
        self.save_mask((self.signed_distance() * (1 if inside == "positive" else -1)).astype(np.float32))

    def mask_shifted(self, where: str, millimetres: str) -> None:
        self.unchanged()
        step = np.array({"front": [0, 1, 0], "down": [0, 0, -1]}[where]) * float(millimetres)
        steps = np.linalg.inv(self.head.affine[:3, :3]) @ step
        self.save_mask((ndimage.shift(self.brain.astype(np.float32), steps, order=1) >= 0.5).astype(np.uint8))

    def bias_7t(self) -> None:
        """The field falls smoothly to 0.3 at the temples and below; fat (outside the brain, as bright as white matter or brighter) x2.5."""
        head = nib.as_closest_canonical(self.head)
        brain = closed_brain(nib.as_closest_canonical(self.labels))
        zooms, data = np.array(head.header.get_zooms()[:3]), head.get_fdata(dtype=np.float32)
        centre = np.argwhere(brain).mean(0)
        x, _, z = np.meshgrid(*[(np.arange(n) - c) * s for n, c, s in zip(data.shape, centre, zooms)], indexing="ij")
        fall = np.clip(np.hypot(np.clip((np.abs(x) - 20) / 50, 0, None), np.clip((-z - 10) / 70, 0, None)), 0, 1)
        field = 1 - 0.7 * fall * fall * (3 - 2 * fall)
        fat = (data > np.percentile(data[brain], 90)) & (distance_mm(brain, zooms) > 4)
        gain = 1 + 1.5 * np.clip(ndimage.gaussian_filter(fat.astype(np.float32), 0.5) * 1.2, 0, 1)
        self.save(np.round(data * field * gain).astype(np.int16), head)

    def nan_rim(self) -> None:
        """Three voxels of not-a-number at every side of the grid, as resampling leaves them."""
        data = np.full(self.head.shape, np.nan, np.float32)
        data[3:-3, 3:-3, 3:-3] = self.head.get_fdata(dtype=np.float32)[3:-3, 3:-3, 3:-3]
        self.save(data)

    def resampled(self, data: np.ndarray, head: nib.Nifti1Image, step: np.ndarray) -> None:
        """Straight lines between voxel centres; `step` is the new voxel in old ones; the corners of the grid stay."""
        first = (step - 1) / 2
        shape = np.round(np.array(data.shape) / step).astype(int)
        out = ndimage.affine_transform(data, step, first, output_shape=tuple(shape), order=1, mode="nearest")
        affine = head.affine @ np.vstack([np.column_stack([np.diag(step), first]), [0, 0, 0, 1]])
        nib.save(nib.Nifti1Image(np.round(out).astype(np.int16), affine), self.input)

    def thick_slices(self) -> None:
        """1x1 mm in plane, axial slices of 6 mm that are the mean over their thickness."""
        head = nib.as_closest_canonical(self.head)
        data, zooms = head.get_fdata(dtype=np.float32), np.array(head.header.get_zooms()[:3])
        data = ndimage.uniform_filter1d(data, max(1, round(6 / zooms[2])), axis=2)
        self.resampled(data, head, np.array([1, 1, 6]) / zooms)

    def half_mm(self) -> None:
        head = nib.as_closest_canonical(self.head)
        self.resampled(head.get_fdata(dtype=np.float32), head, 0.5 / np.array(head.header.get_zooms()[:3]))

    def truth(self, name: str) -> np.ndarray:
        made = nib.load(self.input)
        bits = onto(known(self.head, self.labels), self.change, made)
        level = tissue_level(self.head, self.labels)
        if name in ("wrap_nose", "neck_shoulders"):
            tissue = made.get_fdata(dtype=np.float32) > level
            bits = np.where(tissue & (bits & NEAR == 0), bits | OUTSIDE, bits & (BRAIN | FACE | NEAR)).astype(np.uint8)
        if name == "wrap_nose":
            bits |= np.where(made.get_fdata(dtype=np.float32) > level, self.folded_face(made), 0).astype(np.uint8)
        if name == "lesion":
            bits |= (SPECIAL * self.cavity(made)).astype(np.uint8)
        return bits & np.uint8(BRAIN | FACE | OUTSIDE | SPECIAL)

    def cavity(self, made: nib.Nifti1Image) -> np.ndarray:
        """The voxels to which lesion.py gave 0.12 x the median of the mask: the largest piece of that value in the brain."""
        values = np.asarray(made.dataobj)
        whole = onto(nib.Nifti1Image(self.brain.astype(np.uint8), self.head.affine), self.change, made) > 0
        dark = 0.12 * np.median(self.head.get_fdata()[self.brain])
        pieces, _ = ndimage.label((np.abs(values - dark) <= 1) & whole)
        return pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])

    def folded_face(self, made: nib.Nifti1Image) -> np.ndarray:
        """The bits of the face that wrap_nose.py put behind the head: face, and special to the case."""
        bits = np.asarray(known(self.head, self.labels).dataobj)
        shift = nib.as_closest_canonical(self.head).affine[:3, 3] - made.affine[:3, 3]
        before = round(float(np.linalg.solve(made.affine[:3, :3], shift)[1]))
        cut = made.shape[1] - before
        front = bits[:, cut:, :]
        out = np.zeros(made.shape, np.uint8)
        out[:, : front.shape[1], :] = np.where(front & FACE, FACE | SPECIAL, 0)
        return out


def make(case: str, head: str, labels: str, scripts: str, folder: str) -> None:
    name, *values = case.split()
    maker = Maker(Path(head), Path(labels), Path(scripts), Path(folder))
    own = getattr(maker, name, None)
    if own:
        own(*values)
    else:
        maker.from_head(name, *values)
    made = nib.load(maker.input)
    bits = np.where(np.isfinite(made.get_fdata(dtype=np.float32)), maker.truth(name), 0).astype(np.uint8)
    truth = maker.folder / "truth.nii.gz"
    nib.save(nib.Nifti1Image(bits, made.affine), truth)
    millilitre = abs(np.linalg.det(made.affine[:3, :3])) / 1000
    mask = str(maker.mask_path) if maker.mask_path.exists() else None
    print(
        json.dumps(
            {
                "input": str(maker.input),
                "mask": mask,
                "truth": str(truth),
                "shape": [int(n) for n in made.shape],
                "brainMl": round(float(((bits & BRAIN) > 0).sum() * millilitre), 1),
                "faceMl": round(float(((bits & FACE) > 0).sum() * millilitre), 1),
                "outsideMl": round(float(((bits & OUTSIDE) > 0).sum() * millilitre), 1),
            }
        )
    )


def scaling(path: str) -> tuple[float, float]:
    """Slope and intercept for a reader that adds the intercept always (ITK): a slope of 0 or of no number is 1."""
    head = (gzip.open if path.endswith(".gz") else open)(path, "rb").read(348)
    order = "<" if struct.unpack("<i", head[:4])[0] == 348 else ">"
    slope, intercept = struct.unpack(f"{order}ff", head[112:120])
    return (slope if np.isfinite(slope) and slope != 0 else 1.0), (intercept if np.isfinite(intercept) else 0.0)


def stored(image: nib.Nifti1Image) -> np.ndarray:
    return np.asarray(image.dataobj.get_unscaled())


def unchanged(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    unsigned = np.dtype(f"u{a.dtype.itemsize}")
    return a.astype(a.dtype.newbyteorder("=")).view(unsigned) == b.astype(b.dtype.newbyteorder("=")).view(unsigned)


def air(values: np.ndarray) -> tuple[float, float]:
    """5th percentile and most frequent value (of 2,000 steps between the 0.5th and 99.5th percentile)."""
    values = values[np.isfinite(values)]
    low, fifth, high = np.percentile(values, [0.5, 5, 99.5])
    step = (high - low) / 2000 or 1.0
    counts = np.bincount(np.clip(np.round((values - low) / step), 0, 2000).astype(np.int32).ravel())
    peak = np.argmax(counts)
    return float(fifth), float(np.median(values[np.abs(values - low - peak * step) <= step]))


def measure(source: str, truth: str, result: str) -> None:
    before, after, known_bits = nib.load(source), nib.load(result), np.asarray(nib.load(truth).dataobj)
    if before.shape != after.shape or not np.array_equal(before.affine, after.affine):
        print(json.dumps({"grid": f"changed: {before.shape} to {after.shape}"}))
        return
    a, b = stored(before), stored(after)
    x, y = before.get_fdata(dtype=np.float32), after.get_fdata(dtype=np.float32)
    same = unchanged(a, b) if a.dtype == b.dtype else x == y
    millilitre = abs(np.linalg.det(before.affine[:3, :3])) / 1000
    brain, face, outside, special = ((known_bits & bit) > 0 for bit in (BRAIN, FACE, OUTSIDE, SPECIAL))

    def ml(mask: np.ndarray) -> float:
        return round(float(mask.sum() * millilitre), 1)

    def share(part: np.ndarray, whole: np.ndarray) -> float | None:
        return round(float(part.sum() / whole.sum()), 4) if whole.any() else None

    fifth_before, mode_before = air(x)
    fifth_after, mode_after = air(y)
    kept = brain & same
    (slope_a, add_a), (slope_b, add_b) = scaling(source), scaling(result)
    seen = [v[kept].astype(np.float64) * s + c for v, s, c in ((a, slope_a, add_a), (b, slope_b, add_b))]
    contrast = float(np.nanmedian(x[brain])) - mode_before
    print(
        json.dumps(
            {
                "brainLostMl": ml(brain & ~same),
                "brainLostShare": share(brain & ~same, brain),
                "faceKeptShare": share(face & same, face),
                "outsideKeptMl": ml(outside & same),
                "outsideKeptShare": share(outside & same, outside),
                "specialMl": ml(special) if special.any() else None,
                "specialKeptShare": share(special & same, special),
                "fifthBefore": round(fifth_before, 3),
                "fifthAfter": round(fifth_after, 3),
                "modeBefore": round(mode_before, 3),
                "modeAfter": round(mode_after, 3),
                "airShift": round((mode_after - mode_before) / contrast, 3) if contrast else None,
                "interceptReaderSame": bool(np.array_equal(*seen, equal_nan=True)) if kept.any() else None,
                "type": a.dtype.name if a.dtype == b.dtype else f"{a.dtype.name} became {b.dtype.name}",
            }
        )
    )


if __name__ == "__main__":
    {"make": make, "measure": measure}[sys.argv[1]](*sys.argv[2:])
