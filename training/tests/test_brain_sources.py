"""Where brain extraction learns: geometry of samples, painted heads, spoiled scans, and both stages from end to end."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from prosopon_training.__main__ import main
from prosopon_training.brain_sources import draw, read_nearest
from prosopon_training.contract import BRAIN
from prosopon_training.data import model_to_brain, read_index
from prosopon_training.painting import CONTRASTS, COUNT, SKIN, class_means, paint, read_label_heads
from prosopon_training.spoil import spoil
from prosopon_training.stages.brain_extraction import crop_transform, point_loss

SHAPE = (48, 64, 48)


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Balls in balls at 1 mm: brain, fluid, skull, other tissue, skin."""
    folder = tmp_path_factory.mktemp("labels")
    z, y, x = np.meshgrid(*[np.arange(256) - 127.5] * 3, indexing="ij")
    r = np.sqrt((x / 0.9) ** 2 + ((y + 22) / 1.1) ** 2 + (z - 30) ** 2)
    classes = np.select([r < 60, r < 66, r < 72, r < 82, r < 85], [2, 12, 21, 23, SKIN], 0).astype(np.uint8)
    for name in ("a", "b"):
        np.save(folder / f"{name}_classes.npy", classes)
        np.save(folder / f"{name}_brain.npy", (r < 60).astype(np.uint8))
    (folder / "index.json").write_text(json.dumps({"heads": [{"id": "a", "split": "train"}, {"id": "b", "split": "val"}]}))
    return folder


def test_truth_lies_where_the_image_is(prepared: Path) -> None:
    head = read_index([prepared], "train")[0]
    torch.manual_seed(0)
    transform = crop_transform(np.eye(3), np.array([3.0, -5.0, 8.0]), SHAPE, 2.0)
    sample = draw(np.random.default_rng(0), head, SHAPE, transform, 2.0, torch.zeros(1, 3, 5, 5, 5), recoloured=0.0)
    # bright is brain in these heads, in the image and at the jittered points of the truth
    assert float(((sample.image > 0.8) == (sample.brain > 0.5)).float().mean()) > 0.98
    assert float((sample.truth.float() - (sample.brain > 0.5).float()).abs().mean()) < 0.03
    # a perfect answer costs next to nothing, its opposite much
    logits = 12 * (sample.brain - 0.5)
    assert float(point_loss(logits, sample)) < 0.25
    assert float(point_loss(-logits, sample)) > 2


def test_places_follow_the_transform(prepared: Path) -> None:
    head = read_index([prepared], "train")[0]
    assert np.allclose(head.to_brain, model_to_brain(128))
    transform = crop_transform(np.eye(3), np.zeros(3), SHAPE, 2.0)
    sample = draw(np.random.default_rng(0), head, SHAPE, transform, 2.0, torch.zeros(1, 3, 5, 5, 5))
    assert torch.allclose(sample.millimetres[0, 0, 0], torch.tensor([-47.0, -63.0, -47.0]))
    mask = torch.from_numpy((head.load("flags") & BRAIN).astype(np.uint8))
    voxels = (sample.millimetres - torch.tensor(head.to_brain[:3, 3], dtype=torch.float32)) / 2
    assert torch.equal(read_nearest(mask, voxels) > 0, sample.brain > 0.5) or float(sample.brain.mean()) > 0


@pytest.mark.parametrize("contrast", [*CONTRASTS, "random"])
def test_painted_heads_have_means_for_all_classes(labelled: Path, contrast: str) -> None:
    rng = np.random.default_rng(4)
    assert class_means(rng, contrast).shape == (COUNT,)
    head = read_label_heads(labelled, "train")[0]
    transform = crop_transform(np.eye(3), np.zeros(3), SHAPE, 4.0)
    sample = draw(rng, head, SHAPE, transform, 4.0, torch.zeros(1, 3, 5, 5, 5), contrast=contrast)
    assert torch.isfinite(sample.image).all() and float(sample.image.min()) >= 0
    assert 0.02 <= sample.level and 0.02 < float(sample.brain.mean()) < 0.6
    image = paint(rng, torch.full((8, 8, 8), SKIN, dtype=torch.int32), torch.zeros(8, 8, 8), 2.0, contrast)
    assert image.shape == (8, 8, 8)


def test_spoiled_scans_are_finite_and_empty_where_not_covered(labelled: Path) -> None:
    head = read_label_heads(labelled, "train")[0]
    transform = crop_transform(np.eye(3), np.zeros(3), SHAPE, 4.0)
    for seed in range(25):
        rng = np.random.default_rng(seed)
        sample = draw(rng, head, SHAPE, transform, 4.0, torch.zeros(1, 3, 5, 5, 5))
        image, covered = spoil(rng, sample.image, sample.brain, sample.covered, sample.level, 4.0)
        assert torch.isfinite(image).all()
        assert float(image[covered < 0.5].abs().sum()) == 0


@pytest.mark.parametrize("stage", ["brain-finder", "brain-extraction"])
def test_stage_with_label_heads(stage: str, prepared: Path, labelled: Path, tmp_path: Path) -> None:
    main(["train", stage, "--data", str(prepared), "--label-heads", str(labelled), "--width", "8", "--minutes", "5", "--steps", "2",
          "--painted", "0.5", "--out", str(tmp_path / "run")])
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 2
    main(["export", stage, "--run", str(tmp_path / "run"), "--models", str(tmp_path / "models")])
    assert json.loads((tmp_path / "models" / stage / "model.json").read_text())["outputs"][0]["name"] == "logits"
