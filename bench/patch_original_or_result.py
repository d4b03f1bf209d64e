"""Can a network tell an original from a result by patches of tissue at 2 mm?

Beside original_or_result.py, which sees whole heads at 4 mm and so also where a neck ends: here the outline tells nothing. Original and
result are shown in one mask, 6 mm or more inside both heads and 6 mm or more from the brain, in units of the brain's median. The network
(3^3 convolutions, 32^3 voxels at a time) is trained afresh on the heads of the train split for each folder; a head's score is the mean
over its patches. A second figure is that of single patches. AUC, 95 % interval from 2,000 resamplings of subjects, pairs kept together;
several trainings, as single ones differ.

    python bench/patch_original_or_result.py IXI NAME=FOLDER [NAME=FOLDER ...] [--asked val] [--trainings 3] [--steps 600]

IXI and the folders as in original_or_result.py; scans of 2 mm. Needs numpy, scipy, nibabel and torch; nothing is written.
"""

import argparse
import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from original_or_result import auc, interval
from scipy import ndimage
from torch import nn

EDGE, BATCH, ASKED = 32, 16, 24
AIR = 0.15


def read(path: Path) -> np.ndarray:
    values = np.asarray(nib.as_closest_canonical(nib.load(path)).dataobj, np.float32)
    return values[..., 0] if values.ndim == 4 else values


def inside(values: np.ndarray) -> np.ndarray:
    """6 mm or more under the surface: what air cannot reach from the rim of the scan, the scan's own ends counting as air."""
    tissue = ndimage.binary_closing(ndimage.gaussian_filter(values, 1) > AIR, iterations=3)
    filled = np.stack([ndimage.binary_fill_holes(layer) for layer in tissue], 0)
    return ndimage.binary_erosion(filled, iterations=3)


class Pair:
    """Original and result, their common mask, and where patches may be taken."""

    def __init__(self, original: Path, result: Path, labels: Path) -> None:
        brain = read(labels) > 0
        a, b = read(original), read(result)
        a, b = a / np.median(a[brain]), b / np.median(b[brain])
        mask = inside(a) & inside(b) & (ndimage.distance_transform_edt(~brain) > 3)
        self.images = [torch.from_numpy(np.pad(v * mask, EDGE // 2)) for v in (a, b)]
        self.centres = np.argwhere(mask)

    def patches(self, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """[2 count, 1, 32, 32, 32], originals first; mirrored at random; and whose they are."""
        chosen = self.centres[rng.integers(len(self.centres), size=count)]
        out = []
        for image in self.images:
            for x, y, z in chosen:
                patch = image[x : x + EDGE, y : y + EDGE, z : z + EDGE]
                out.append(patch.flip(0) if rng.random() < 0.5 else patch)
        return torch.stack(out)[:, None], torch.cat([torch.zeros(count), torch.ones(count)])


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers, width = [], 1
        for out, stride in ((12, 1), (24, 2), (48, 2), (64, 2)):
            layers += [nn.Conv3d(width, out, 3, stride=stride, padding=1, bias=False), nn.BatchNorm3d(out), nn.LeakyReLU(0.1)]
            width = out
        self.body, self.head = nn.Sequential(*layers), nn.Linear(64, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x.contiguous(memory_format=torch.channels_last_3d)).mean((2, 3, 4)))[:, 0]


def train(pairs: list[Pair], steps: int, seed: int) -> Small:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Small().to(memory_format=torch.channels_last_3d)
    adam = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 4e-3, total_steps=steps)
    for _ in range(steps):
        some = [pairs[i].patches(rng, 1) for i in rng.integers(len(pairs), size=BATCH // 2)]
        x, y = torch.cat([s[0] for s in some]), torch.cat([s[1] for s in some])
        x = x * torch.exp(0.03 * torch.randn(len(x), 1, 1, 1, 1))
        loss = nn.functional.binary_cross_entropy_with_logits(net(x), y)
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
    return net.eval()


@torch.no_grad()
def scores_of(net: Small, pairs: list[Pair]) -> np.ndarray:
    """[2, heads, patches]: of originals and results."""
    rng = np.random.default_rng(5)
    return np.stack([net(pair.patches(rng, ASKED)[0]).numpy().reshape(2, ASKED) for pair in pairs], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ixi", type=Path)
    parser.add_argument("treated", nargs="+", help="NAME=FOLDER")
    parser.add_argument("--asked", default="test", choices=("val", "test"))
    parser.add_argument("--trainings", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    with open(options.ixi / "participants.tsv") as file:
        split = {row["participant_id"]: row["split"] for row in csv.DictReader(file, delimiter="\t")}
    for name, folder in (each.split("=", 1) for each in options.treated):
        found = {s: next(iter(sorted(Path(folder).rglob(f"{s}*.nii.gz"))), None) for s in split}
        pairs = {side: [Pair(next((options.ixi / s).rglob("*T1w.nii.gz")), found[s], next((options.ixi / "derivatives").rglob(f"{s}*.nii.gz")))
                        for s in split if split[s] == side and found[s]] for side in ("train", options.asked)}
        asked = pairs[options.asked]
        truth = np.r_[np.zeros(len(asked)), np.ones(len(asked))]
        each = [scores_of(train(pairs["train"], options.steps, seed), asked) for seed in range(options.trainings)]
        heads = [auc(s.mean(2).ravel(), truth) for s in each]
        single = np.mean([auc(s.ravel(), np.repeat([0, 1], s[0].size)) for s in each])
        ranks = np.mean([np.argsort(np.argsort(s.mean(2).ravel())) for s in each], 0)
        print(f"{name}: train {len(pairs['train'])}, {options.asked} {len(asked)} heads; heads {interval(ranks, truth)} "
              f"(each {', '.join(f'{a:.3f}' for a in heads)}); single patches {single:.3f}", flush=True)


if __name__ == "__main__":
    main()
