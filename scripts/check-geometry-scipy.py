"""Compares resampling, smoothing, morphology, components, quantiles and the codebook with scipy, numpy and PyTorch.

Writes seeded cases into a temporary folder, lets `scripts/geometry-driver.mjs` run them with the compiled package,
and compares the numbers. Oblique, anisotropic, left-handed grids.

    npm run build && python3 scripts/check-geometry-scipy.py

Exit status: 0 all agree, 1 some do not, 77 scipy is missing. The codebook is compared where PyTorch is installed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    from scipy import ndimage
except ImportError as missing:
    print(f"scipy is not installed: {missing}")
    sys.exit(77)

SEED = 20261122
HERE = Path(__file__).resolve().parent
SHAPE = (13, 17, 15)  # x, y, z
SIZES = np.array([1.1, 0.8, 2.3])
ORDER = ndimage.generate_binary_structure(3, 1)


def affine(rng, sizes):
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    out = np.eye(4)
    out[:3, :3] = turn @ np.diag(sizes)
    out[:3, 3] = rng.uniform(-20, 20, 3)
    return out


def grid(shape, matrix):
    return {"shape": list(map(int, shape)), "affine": [float(v) for v in matrix.ravel()]}


def ball(mm, sizes):
    reach = [int(np.floor(mm / s + 1e-6)) for s in sizes]
    axes = np.meshgrid(*[np.arange(-r, r + 1) * s for r, s in zip(reach, sizes)], indexing="ij")
    return sum(a**2 for a in axes) <= mm * mm + 1e-6


class Cases:
    """Arrays are handled as [x, y, z] here and stored with x fastest, as a Volume's data."""

    def __init__(self, folder):
        self.folder, self.jobs, self.checks = Path(folder), [], []

    def path(self, kind):
        return str(self.folder / f"{len(self.jobs)}.{kind}")

    def store(self, array, kind="in"):
        path = self.path(kind)
        Path(path).write_bytes(array.ravel(order="F").tobytes())
        return path

    def add(self, name, expected, tolerance, dtype, **job):
        job["output"] = self.path("out")
        self.jobs.append(job)
        self.checks.append((name, np.asarray(expected), tolerance, dtype))

    def run(self):
        (self.folder / "jobs.json").write_text(json.dumps(self.jobs))
        command = [os.environ.get("NODE", "node"), str(HERE / "geometry-driver.mjs"), str(self.folder / "jobs.json")]
        subprocess.run(command, check=True)
        wrong = 0
        for job, (name, expected, tolerance, dtype) in zip(self.jobs, self.checks):
            found = np.fromfile(job["output"], dtype)
            worst = np.abs(found.astype(float) - expected.ravel(order="F").astype(float)).max() \
                if found.size == expected.size else np.inf
            if not worst <= tolerance:
                wrong += 1
                print(f"differs: {name}: by {worst:.3g}, at most {tolerance:g} expected")
        print(f"{len(self.jobs)} cases, {wrong} differ")
        return wrong


def geometry(cases, rng):
    for number in range(4):
        matrix = affine(rng, SIZES * rng.choice([-1, 1], 3))
        data = rng.uniform(0, 100, SHAPE).astype(np.float32)
        target_shape, target = (11, 12, 19), affine(rng, [1.7, 1.3, 1.1])
        # about the source's middle, so that some of the target lies inside, some at the rim, some outside
        middle = matrix @ [*(np.array(SHAPE) - 1) / 2, 1]
        target[:3, 3] += (middle - target @ [*(np.array(target_shape) - 1) / 2, 1])[:3]
        index = np.stack(np.meshgrid(*map(np.arange, target_shape), indexing="ij")).reshape(3, -1)
        at = (np.linalg.inv(matrix) @ target @ np.vstack([index, np.ones(index.shape[1])]))[:3]
        expected = ndimage.map_coordinates(data.astype(float), at, order=1, mode="nearest")
        inside = np.all((at > -0.5) & (at < np.array(SHAPE)[:, None] - 0.5), axis=0)
        assert 0.2 < inside.mean() < 0.95, inside.mean()
        expected = np.where(inside, expected, -7).reshape(target_shape)
        cases.add(f"resampling {number}", expected, 2e-4, "<f4", op="resample", input=cases.store(data),
                  grid=grid(SHAPE, matrix), target=grid(target_shape, target), outside=-7)

        for mm in (1.5, 3.7):  # 4 is 15.000 voxels of 0.8: the kernel's radius would hang on rounding
            sigma = mm / SIZES
            radius = [max(1, int(np.ceil(3 * s))) for s in sigma]
            expected = ndimage.gaussian_filter(data.astype(float), sigma, mode="constant", radius=radius)
            cases.add(f"smoothing by {mm} mm", expected, 1e-3, "<f4", op="smooth", input=cases.store(data),
                      grid=grid(SHAPE, matrix), mm=mm)

        mask = (rng.random(SHAPE) < [0.004, 0.05, 0.3, 0.6][number]).astype(np.uint8)
        common = {"grid": grid(SHAPE, matrix)}
        distance = ndimage.distance_transform_edt(mask == 0, sampling=SIZES)
        cases.add("distance", distance**2, 1e-3, "<f4", op="distance", input=cases.store(mask), **common)
        for mm in (1.0, 2.4, 4.1):
            grown = ndimage.binary_dilation(mask, ball(mm, SIZES))
            cases.add(f"dilation by {mm} mm", grown, 0, "u1", op="dilate", input=cases.store(mask), mm=mm, **common)
            # beyond the edge nothing is eroded from: there the dilated mask is taken to go on
            closed = ndimage.binary_erosion(grown, ball(mm, SIZES), border_value=1)
            cases.add(f"closing by {mm} mm", closed, 0, "u1", op="close", input=cases.store(mask), mm=mm, **common)
        filled = ndimage.binary_fill_holes(mask, ORDER)
        cases.add("filling", filled, 0, "u1", op="fill", input=cases.store(mask), **common)
        # scipy numbers in C order: transposed, its last axis is ours that runs fastest
        labels = ndimage.label(mask.T, ORDER)[0].T
        cases.add("components", labels, 0, "<i4", op="label", input=cases.store(mask), **common)
    values = rng.normal(size=1001).astype(np.float32)
    q = [0, 0.01, 0.2, 0.5, 0.77, 0.99, 1]
    cases.add("quantiles", np.quantile(values.astype(float), q), 1e-6, "<f8", op="quantile", q=q,
              input=cases.store(values))


def conditioning(cases, rng):
    """Brain at 4 mm and at the sites, against reshaping and averaging."""
    brain = rng.uniform(0, 4, (128, 128, 128)).astype(np.float32)
    fraction = rng.random((128, 128, 128)).astype(np.float32)
    inside = (fraction > 0.5)[16:112].astype(float)
    value = inside * np.minimum(brain[16:112].astype(float), 2.55)
    mean = lambda a, n: a.reshape(a.shape[0] // n, n, a.shape[1] // n, n, a.shape[2] // n, n).mean((1, 3, 5))  # noqa: E731
    blocks = np.concatenate([mean(a, 2).ravel(order="F") for a in (inside, value)])
    sites = np.concatenate([mean(a, 16).ravel(order="F") for a in (inside, value)])
    expected = np.concatenate([sites, blocks[:1000], blocks[-1000:]])
    cases.add("brain blocks", expected, 1e-5, "<f4", op="blocks", input=cases.store(brain),
              mask=cases.store(fraction, "mask"), grid=grid((128,) * 3, np.eye(4)))


def codebook(cases):
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: the codebook is not compared")
        return
    sys.path.insert(0, str(HERE.parent / "training"))
    from prosopon_training.networks.fsq import Fsq

    for levels in ((8, 6, 5), (8, 5, 5, 5), (2, 3)):
        fsq = Fsq(levels)
        values = fsq.values(torch.arange(fsq.size))
        assert (fsq.indices(values) == torch.arange(fsq.size)).all()
        cases.add(f"codebook {levels}", values.numpy().T, 1e-6, "<f8", op="fsq", levels=list(levels))


def main():
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        cases = Cases(folder)
        geometry(cases, rng)
        conditioning(cases, rng)
        codebook(cases)
        sys.exit(1 if cases.run() else 0)


if __name__ == "__main__":
    main()
