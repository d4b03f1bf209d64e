"""Can a small network tell an original from a result by what lies outside the brain?

For each treated folder a 3-D classifier is trained afresh on the originals and results of the train split and asked on those of the test
split (or, to choose by, of val). It sees the head at 4 mm in a cube about its brain, in units of the brain's median, with the brain and 6 mm round it blanked: nothing
that was kept tells anything. A second classifier sees no place at all, only how often each brightness occurs there (a logistic
regression on 24 bins). AUC over the test heads; 95 % interval from 2,000 resamplings of subjects, pairs kept together. Means of
several trainings from other seeds, as single ones differ.

    python bench/original_or_result.py IXI NAME=FOLDER [NAME=FOLDER ...] [--asked test] [--trainings 3] [--epochs 40]

IXI is the cohort as it comes (participants.tsv with a split, DLMUSE labels); a FOLDER holds SUBJECT*.nii.gz of both splits. Needs numpy,
scipy, nibabel and torch, and reads real people: nothing is written.
"""

import argparse
import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from scipy import ndimage
from torch import nn

SEED = 20261129
MM, EDGE = 4, 56
BINS = np.linspace(0, 3, 25)


def seen(path: Path, labels: Path) -> np.ndarray:
    """float32 (EDGE, EDGE, EDGE), brain's median 1, brain and air beyond the scan 0."""
    image, brain = nib.as_closest_canonical(nib.load(path)), nib.as_closest_canonical(nib.load(labels))
    values = np.asarray(image.dataobj, np.float32)
    if values.ndim == 4:
        values = values[..., 0]
    mask = np.asarray(brain.dataobj) > 0
    values = values / np.median(values[mask])
    size = np.array(image.header.get_zooms()[:3])
    near = ndimage.distance_transform_edt(~mask, sampling=size) <= 6
    values[near] = 0
    sigma = np.maximum(0.01, np.sqrt(np.maximum(0, (0.4 * MM / size) ** 2 - 0.4**2)))
    smooth = ndimage.gaussian_filter(values, sigma)
    centre = np.array(ndimage.center_of_mass(mask)) - np.array([0, 0, 30]) / size
    at = [centre[a] + (np.arange(EDGE) - (EDGE - 1) / 2) * MM / size[a] for a in range(3)]
    grid = np.meshgrid(*at, indexing="ij")
    return ndimage.map_coordinates(smooth, grid, order=1).astype(np.float32)


def auc(scores: np.ndarray, truth: np.ndarray) -> float:
    one, nil = scores[truth == 1], scores[truth == 0]
    return float(np.mean((one[:, None] > nil[None]) + 0.5 * (one[:, None] == nil[None])))


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers, width = [], 1
        for out in (8, 16, 32, 64):
            layers += [nn.Conv3d(width, out, 3, stride=2, padding=1), nn.InstanceNorm3d(out, affine=True), nn.LeakyReLU(0.1)]
            width = out
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(64, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x).mean((2, 3, 4)))[:, 0]


def train(x: torch.Tensor, y: torch.Tensor, epochs: int, seed: int) -> Small:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Small()
    adam = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
    batches = (len(x) + 7) // 8
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 4e-3, total_steps=epochs * batches)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 8):
            some = order[start : start + 8]
            batch = x[some].clone()
            for i in range(len(batch)):
                if rng.random() < 0.5:
                    batch[i] = batch[i].flip(1)
                shift = tuple(int(s) for s in rng.integers(-2, 3, 3))
                batch[i] = torch.roll(batch[i], shift, (1, 2, 3)) * float(np.exp(rng.normal(0, 0.03)))
            loss = nn.functional.binary_cross_entropy_with_logits(net(batch), y[some])
            adam.zero_grad()
            loss.backward()
            adam.step()
            schedule.step()
    return net.eval()


def histogram(volume: np.ndarray) -> np.ndarray:
    inside = volume[volume > 0.12]
    counts = np.histogram(np.minimum(inside, 2.999), BINS)[0]
    return np.sqrt(counts / max(1, counts.sum()))


def logistic(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mean, spread = x.mean(0), x.std(0) + 1e-6
    a = torch.tensor(np.c_[(x - mean) / spread, np.ones(len(x))], dtype=torch.float64)
    w = torch.zeros(a.shape[1], dtype=torch.float64, requires_grad=True)
    t = torch.tensor(y, dtype=torch.float64)
    lbfgs = torch.optim.LBFGS([w], max_iter=200)

    def closure() -> torch.Tensor:
        lbfgs.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(a @ w, t) + 0.02 * (w[:-1] ** 2).sum()
        loss.backward()
        return loss

    lbfgs.step(closure)
    return w.detach().numpy(), mean, spread


def interval(scores: np.ndarray, truth: np.ndarray) -> str:
    """Pairs: the first half of the scores are originals, the second their results."""
    rng = np.random.default_rng(SEED)
    n = len(scores) // 2
    draws = []
    for _ in range(2000):
        some = rng.integers(0, n, n)
        both = np.r_[some, some + n]
        draws.append(auc(scores[both], truth[both]))
    low, high = np.percentile(draws, [2.5, 97.5])
    return f"{auc(scores, truth):.3f} [{low:.2f}, {high:.2f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ixi", type=Path)
    parser.add_argument("treated", nargs="+", help="NAME=FOLDER")
    parser.add_argument("--asked", default="test", choices=("val", "test"), help="the split that is asked")
    parser.add_argument("--trainings", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=40)
    options = parser.parse_args()
    with open(options.ixi / "participants.tsv") as file:
        split = {row["participant_id"]: row["split"] for row in csv.DictReader(file, delimiter="\t")}
    folders = dict(each.split("=", 1) for each in options.treated)
    files = {name: {s: next(iter(sorted(Path(f).rglob(f"{s}*.nii.gz"))), None) for s in split} for name, f in folders.items()}
    subjects = [s for s in split if split[s] in ("train", options.asked) and all(files[name][s] for name in folders)]
    labels = {s: next((options.ixi / "derivatives").rglob(f"{s}*.nii.gz")) for s in subjects}
    originals = {s: seen(next((options.ixi / s).rglob("*T1w.nii.gz")), labels[s]) for s in subjects}
    sides = {side: [s for s in subjects if split[s] == side] for side in ("train", options.asked)}
    print(f"train {len(sides['train'])}, {options.asked} {len(sides[options.asked])} heads; {options.trainings} trainings of {options.epochs} epochs")
    for name in folders:
        results = {s: seen(files[name][s], labels[s]) for s in subjects}
        x = {side: np.stack([originals[s] for s in of] + [results[s] for s in of]) for side, of in sides.items()}
        y = {side: np.r_[np.zeros(len(of)), np.ones(len(of))] for side, of in sides.items()}
        w, mean, spread = logistic(np.stack([histogram(v) for v in x["train"]]), y["train"])
        counted = np.stack([histogram(v) for v in x[options.asked]])
        bins = np.c_[(counted - mean) / spread, np.ones(len(counted))] @ w
        scores = []
        for seed in range(options.trainings):
            net = train(torch.tensor(x["train"])[:, None], torch.tensor(y["train"], dtype=torch.float32), options.epochs, seed)
            with torch.no_grad():
                scores.append(net(torch.tensor(x[options.asked])[:, None]).numpy())
        each = [auc(s, y[options.asked]) for s in scores]
        ranks = np.mean([np.argsort(np.argsort(s)) for s in scores], 0)
        truth = y[options.asked]
        print(f"{name}: network {interval(ranks, truth)} (each {', '.join(f'{a:.3f}' for a in each)}); brightness alone {interval(bins, truth)}", flush=True)


if __name__ == "__main__":
    main()
