"""The painted residual: fakes shown as the pipeline shows them, a painter that learns from its judges, and what ships of it."""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from test_export import check, shaken
from torch.nn import functional as F

from prosopon_training.chance import Chance
from prosopon_training.contract import BRAIN, TRIM
from prosopon_training.data import model_to_brain, read_index
from prosopon_training.loop import Budget, Rhythm
from prosopon_training.loop import run as run_loop
from prosopon_training.networks.painter import Painter
from prosopon_training.painted_export import PaintResidual
from prosopon_training.painted_figures import distances, nearest, sliced
from prosopon_training.painted_patches import PaintedHead, Patches, as_in_the_scan, dilated, laid_on, mirrored, noise_level, paint_gate
from prosopon_training.stages import paint


@pytest.fixture(scope="module")
def native(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared heads as scans: the same voxels less eight at each end of z, half a voxel off in y."""
    folder = tmp_path_factory.mktemp("native")
    index = json.loads((prepared / "index.json").read_text())
    to_brain = model_to_brain(128)
    to_brain[2, 3] += 8 * 2
    to_brain[1, 3] += 1
    for row in index["heads"]:
        for kind in ("image", "flags", "labels"):
            np.save(folder / f"{row['id']}_{kind}.npy", np.load(prepared / f"{row['id']}_{kind}.npy")[8:-8])
        row["toBrain"] = to_brain.ravel().tolist()
    (folder / "index.json").write_text(json.dumps({"version": 1, "grid": "native", "heads": index["heads"]}))
    return folder


@pytest.fixture(scope="module")
def draws(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As if drawn: the heads themselves, flat inside."""
    folder = tmp_path_factory.mktemp("draws")
    for split in ("train", "val"):
        for head in read_index([prepared], split):
            np.save(folder / f"{head.id}_draw0.npy", np.where(head.load("flags")[:, :, TRIM] & 2, 60, 0).astype(np.uint8))
    return folder


@pytest.fixture
def head(prepared: Path, native: Path, draws: Path) -> PaintedHead:
    record = read_index([prepared], "train")[0]
    return PaintedHead(read_index([native], "train")[0], record, None, [draws / f"{record.id}_draw0.npy"], None)


def test_dilation_is_that_of_a_cube() -> None:
    mask = torch.rand(1, 1, 12, 13, 14, generator=torch.Generator().manual_seed(0)) > 0.97
    assert torch.equal(dilated(mask, 2).float(), F.max_pool3d(mask.float(), 5, stride=1, padding=2))


def test_gate_opens_away_from_air_and_brain() -> None:
    slab = torch.zeros(1, 1, 20, 18, 16)
    slab[:, :, 6:] = 0.5
    brain = torch.zeros(slab.shape, dtype=torch.bool)
    brain[..., 15, 9, 8] = True
    gate = paint_gate(slab, brain)[0, 0]
    assert gate[5:10, 2, 2].tolist() == [0, 0, 0.5, 1, 1]
    assert gate[11:16, 9, 8].flip(0).tolist() == pytest.approx([0, 0, 1 / 3, 2 / 3, 1])


def test_noise_is_measured_in_the_brain() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(50, 4, (40, 40, 40))
    brain = np.zeros(image.shape, bool)
    brain[8:32, 8:32, 8:32] = True
    assert noise_level(image, brain) == pytest.approx(4, rel=0.05)


def test_a_patch_shows_the_fake_where_the_scan_stands(head: PaintedHead) -> None:
    s = Patches([head]).batch(np.random.default_rng(1), 6)
    image, shown = as_in_the_scan(s, s["head"], noise=False)
    whole = shown > 0.999
    assert whole.float().mean() > 0.05
    # flat inside: half a voxel off or not, 0.6 everywhere that is shown, as the real head is but for its noise
    assert float((image[whole] / 0.6 - 1).abs().max()) < 0.2
    assert float((s["real"] - image)[whole].abs().mean()) < 0.06
    assert s["head"].shape == (6, 1, 48, 48, 48) and s["real"].shape == (6, 1, 40, 40, 40)


def test_nothing_of_brain_or_air_is_shown(head: PaintedHead, prepared: Path) -> None:
    flags = torch.from_numpy(np.load(prepared / f"{head.id}_flags.npy"))
    fake = head.fakes[0]
    brain = dilated(((flags & BRAIN) > 0)[None, None][..., TRIM], 3)[0, 0]
    assert bool((fake.shown[brain] == 0).all())
    assert bool((fake.head[fake.shown > 0] > 0).all())
    assert fake.shown.max() == 100


def test_mirrored_patches_stay_together(head: PaintedHead) -> None:
    s = head.patch(np.random.default_rng(2), 0)
    s["head"] = s["head"] + torch.rand(s["head"].shape, generator=torch.Generator().manual_seed(0))
    one = {key: value[None] for key, value in s.items()}
    other = {key: value[None] for key, value in mirrored(s).items()}
    a, b = (as_in_the_scan(x, x["head"], noise=False)[0] for x in (one, other))
    assert torch.allclose(a.flip(4), b, atol=1e-4)


def test_laid_on_is_never_below_air() -> None:
    s = {"head": torch.full((1, 1, 4, 4, 4), 0.3), "gate": torch.ones(1, 1, 4, 4, 4)}
    assert float(laid_on(s, torch.full((1, 1, 4, 4, 4), -1.0)).max()) == 0


def test_distances_see_structure_and_repetition() -> None:
    generator = torch.Generator().manual_seed(0)
    grain = [torch.rand(4, 1, 24, 24, 24, generator=generator) for _ in range(2)]
    shown = torch.ones(4, 1, 24, 24, 24)
    alike, smooth = distances(grain[0], grain[1], shown), distances(grain[0], F.avg_pool3d(grain[1], 3, stride=1, padding=1), shown)
    assert smooth["grain"] > 4 * alike["grain"] and smooth["levels"] > 2 * alike["levels"]
    rows = torch.rand(50, 343, generator=generator)
    assert sliced(rows, rows) == 0
    assert float(nearest(2 * rows[:5] + 3, rows).max()) < 0.01
    assert float(nearest(torch.rand(5, 343, generator=generator), rows).min()) > 0.8


def arguments(prepared: Path, native: Path, draws: Path, out: Path) -> argparse.Namespace:
    return argparse.Namespace(data=[prepared], native=[native], draws=draws, fields=None, template=None, width=8, judge_width=4, learning_rate=1e-2,
                              judge_rate=2e-3, likeness=0.0, registered=0.0, out=out, seed=1, initial=None)


def test_learns_goes_on_where_it_stopped_and_ships(prepared: Path, native: Path, draws: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paint, "VAL_PATCHES", 4)
    args = arguments(prepared, native, draws, tmp_path)
    patches = [Patches(paint.load_painted(args, split), 0.0) for split in ("train", "val")]

    def learn(steps: int) -> paint.Painting:
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        learner = paint.Painting(args, *patches, rng)
        run_loop(learner, tmp_path, Budget(60, steps), Rhythm(2, 2, 2), Chance(1, rng))
        return learner

    first = learn(2)
    begun = [p.clone() for p in first.painter.parameters()]
    learner = learn(4)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4]
    assert all(np.isfinite(row["val_distance"]) and row["bare_distance"] > 0 for row in rows)
    assert any(not torch.equal(a, b) for a, b in zip(begun, learner.painter.parameters(), strict=True))
    assert (tmp_path / "best.pt").exists()
    head, noise = torch.rand(1, 1, 12, 10, 8), torch.randn(1, 1, 12, 10, 8)
    with torch.no_grad():
        assert torch.allclose(PaintResidual(learner.painter)(head, noise), learner.painter(head, noise), atol=1e-5)


def test_likeness_is_to_the_real_head_where_registered_else_to_the_draw() -> None:
    painted, shown = torch.zeros(2, 1, 12, 12, 12), torch.ones(2, 1, 12, 12, 12)
    real, bare = painted + 1, painted + 3
    assert float(paint.likeness(painted, real, bare, shown, torch.tensor([[1.0], [1.0]]))) == pytest.approx(1)
    assert float(paint.likeness(painted, real, bare, shown, torch.tensor([[1.0], [0.0]]))) == pytest.approx(2)
    assert float(paint.likeness(painted, real, bare, 0 * shown, torch.tensor([[1.0], [0.0]]))) == 0


def test_what_ships_is_what_was_trained(tmp_path: Path) -> None:
    module = PaintResidual(shaken(Painter(8)))
    shape = (1, 1, 12, 10, 8)
    check(tmp_path, "painted-residual", module, {"head": torch.rand(shape), "noise": torch.randn(shape)}, ["residual"])


def test_sees_no_more_than_24_millimetres() -> None:
    painter = shaken(Painter(8))
    head, noise = torch.rand(1, 1, 32, 32, 32), torch.randn(1, 1, 32, 32, 32)
    other = head.clone()
    other[..., 16, 16, 16] += 1
    changed = ((painter(head, noise) - painter(other, noise)).abs()[0, 0] > 1e-7).nonzero()
    extent = changed.amax(0) - changed.amin(0) + 1
    # two voxels more than five blocks, by the softening
    assert bool((2 * extent <= 24).all())
