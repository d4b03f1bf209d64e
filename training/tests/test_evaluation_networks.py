"""The ruler's networks: regions, patches, loss, attackers' scores, and each stage from data to an exported file."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from prosopon_training.__main__ import main
from prosopon_training.data import read_index
from prosopon_training.initial import load_initial
from prosopon_training.networks.segmentation import LabelMap, Segmentation
from prosopon_training.regions import REGIONS, class_dice, label_table, mirrored, tissue_dice
from prosopon_training.stages import brain_age, segmentation, sqn


def test_regions_are_whole_and_mirror_each_other() -> None:
    labels = [label for region in REGIONS for label in region.labels]
    assert len(labels) == len(set(labels)) == 148 and len(REGIONS) == 53
    other = mirrored()
    assert [other[i] for i in other] == list(range(53))
    for region in REGIONS:
        twin = REGIONS[other[region.id]]
        assert twin.group == region.group
        assert (twin.id == region.id) == (not region.name.startswith(("left-", "right-")))
    table = label_table()
    assert REGIONS[table[47]].name == "right-hippocampus" and REGIONS[table[203]].name == "left-temporal-grey"


def test_dice_by_hand() -> None:
    truth = np.array([0, 1, 1, 2, 2, 2, 4, 4])
    found = np.array([0, 1, 2, 2, 2, 0, 4, 4])
    dice = class_dice(found, truth)
    assert dice[1] == pytest.approx(2 / 3) and dice[2] == pytest.approx(2 * 2 / 6) and dice[4] == 1 and np.isnan(dice[3])
    ids = {r.name: r.id for r in REGIONS}
    a = np.array([ids["left-frontal-grey"], ids["right-frontal-grey"], ids["csf"]])
    b = np.array([ids["right-frontal-grey"], ids["right-frontal-grey"], ids["corpus-callosum"]])
    assert tissue_dice(a, b)["grey"] == 1 and tissue_dice(a, b)["white"] == 0
    assert tissue_dice(a, b)["total-brain"] == pytest.approx(4 / 5)


def test_boxes_hold_the_brain_and_may_leave_the_scan() -> None:
    brain = np.zeros((30, 40, 20), bool)
    brain[3:14, 10:30, 5:16] = True
    box = segmentation.brain_box(brain)
    assert all((b - a) % 16 == 0 for a, b in box)
    assert all(a <= low - 8 and b >= high + 8 for (a, b), (low, high) in zip(box, ((3, 14), (10, 30), (5, 16))))
    inner = segmentation.cut(brain, box)
    assert inner.shape == tuple(b - a for a, b in box) and inner.sum() == brain.sum()


def test_samples_keep_classes_where_the_image_says_and_mirror_sides(prepared: Path) -> None:
    crop = segmentation.Crop(read_index([prepared], "train")[0])
    ids = {r.name: r.id for r in REGIONS}
    rng = np.random.default_rng(0)
    # right of the middle (greater x) is the right pallidum, left of it the left one, nothing else
    inside = crop.image > 80
    x = torch.arange(crop.classes.shape[2]).expand(crop.classes.shape)
    sides = torch.where(x > crop.centre[2], ids["right-pallidum"], ids["left-pallidum"])
    crop.classes = torch.where(inside, sides, 0).to(torch.uint8)
    crop.image = torch.where(inside, 100, 0).to(torch.uint8)
    for _ in range(12):
        picture, classes = segmentation.make_sample(rng, crop)
        assert picture.shape == (4, *segmentation.PATCH) and classes.shape == segmentation.PATCH
        assert float(((picture[0] > 0.5) == (classes > 0)).float().mean()) > 0.97
        right = picture[1] > 0.1
        assert not (classes[right] == ids["left-pallidum"]).any()
        assert not (classes[picture[1] < -0.1] == ids["right-pallidum"]).any()


def test_border_voxels_and_loss() -> None:
    classes = torch.zeros(4, 4, 4, dtype=torch.long)
    classes[2:] = 1
    assert segmentation.borders(classes).sum() == 32
    flat = classes.reshape(-1)
    right = torch.nn.functional.one_hot(flat, 3).float() * 20
    assert float(segmentation.loss_at(right, flat)[0]) < 0.01 < float(segmentation.loss_at(-right, flat)[0])


def test_a_mirrored_look_answers_for_the_mirrored_head() -> None:
    torch.manual_seed(0)
    model = LabelMap(Segmentation(53, (4, 8, 8, 8)).eval(), mirrored(), both=True)
    image, place = torch.rand(1, 1, 16, 16, 16), torch.randn(1, 3, 16, 16, 16)
    found = model(image, place)
    turned = torch.flip(place, [4]) * torch.tensor([-1.0, 1, 1]).view(1, 3, 1, 1, 1)
    again = model(torch.flip(image, [4]), turned)
    expected = torch.tensor(mirrored())[torch.flip(found, [4]).long()]
    assert float((again == expected).float().mean()) > 0.99


def test_segmentation_end_to_end(prepared: Path, tmp_path: Path) -> None:
    main(["train", "segmentation", "--data", str(prepared), "--out", str(tmp_path / "run"), "--steps", "1", "--widths", "4", "8",
          "8", "8"])
    main(["export", "segmentation", "--run", str(tmp_path / "run"), "--models", str(tmp_path)])
    record = json.loads((tmp_path / "segmentation" / "model.json").read_text())
    assert len(record["settings"]["classes"]) == 53 and record["outputs"][0]["type"] == "uint8"
    other = Segmentation(53, (4, 8, 8, 8))
    assert load_initial(other, tmp_path / "segmentation" / "model.onnx") == []
    crop = segmentation.Crop(read_index([prepared], "val")[0])
    crop.image, crop.classes = crop.image[:32, :48, :32], crop.classes[:32, :48, :32]
    figures = segmentation.validate_crops(Segmentation(53, (4, 8, 8, 8)).eval(), [crop])
    assert {"val_classes", "val_grey", "val_total-brain"} <= figures.keys()


def test_brain_age_end_to_end(prepared: Path, tmp_path: Path) -> None:
    index = json.loads((prepared / "index.json").read_text())
    for row, age in zip(index["heads"], (40.5, 61.0)):
        row["age"] = age
    (tmp_path / "index.json").write_text(json.dumps(index))
    for path in prepared.glob("*.npy"):
        (tmp_path / path.name).symlink_to(path)
    main(["train", "brain-age", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--steps", "1", "--width", "4", "--batch",
          "2"])
    heads = read_index([tmp_path], "val")
    model = brain_age.BrainAge(4, 50, 10).eval()
    torch.nn.init.zeros_(model.out.weight)
    torch.nn.init.zeros_(model.out.bias)
    assert brain_age.errors(model, heads, 50.0) == pytest.approx({"val_mae": 11, "val_bias": -11, "val_mae_of_mean_age": 11})
    main(["export", "brain-age", "--run", str(tmp_path / "run"), "--models", str(tmp_path / "models")])
    with pytest.raises(SystemExit, match="has an age"):
        brain_age.with_age(read_index([prepared], "val"))


def test_attackers_rates_by_hand() -> None:
    n = 6
    assert sqn.rates(np.eye(n)) == {"val_five_way": 1.0, "val_rank1": 1.0}
    similarity = np.eye(n)
    similarity[0, 1] = 2  # one stranger is more alike: he is among the four of five with 4 of 5 chances
    assert sqn.rates(similarity) == pytest.approx({"val_five_way": (5 + 0.2) / 6, "val_rank1": 5 / 6})


def write_renderings(folder: Path, seed: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(seed)
    heads = [{"id": f"sub-{i}", "split": "train" if i < 4 else "val"} for i in range(9)]
    for head in heads:
        np.save(folder / f"{head['id']}_views.npy", rng.integers(0, 255, (3, 3, 128, 128)).astype(np.uint8))
    (folder / "index.json").write_text(json.dumps({"version": 1, "heads": heads}))
    return folder


def test_sqn_end_to_end_transfer_then_adaptive(tmp_path: Path) -> None:
    originals, treated = write_renderings(tmp_path / "a", 0), write_renderings(tmp_path / "b", 1)
    common = ["--width", "8", "--batch", "3", "--steps", "1"]
    main(["train", "sqn", "--data", str(originals), "--out", str(tmp_path / "run"), *common])
    main(["export", "sqn", "--run", str(tmp_path / "run"), "--models", str(tmp_path / "models")])
    main(["train", "sqn", "--data", str(originals), "--candidates", str(treated), "--out", str(tmp_path / "adaptive"),
          "--initial", str(tmp_path / "models" / "sqn" / "model.onnx"), *common])
    main(["export", "sqn", "--run", str(tmp_path / "adaptive"), "--models", str(tmp_path / "models"), "--name", "sqn-other"])
    assert "adaptive" in json.loads((tmp_path / "models" / "sqn-other" / "model.json").read_text())["description"]
    with pytest.raises(SystemExit, match="no head of split 'test'"):
        sqn.read_renderings([originals], "test")


def test_embeddings_are_unit_and_sides_are_alike() -> None:
    model = sqn.Sqn(8).eval()
    pictures = torch.rand(2, 3, 128, 128)
    vectors = model(pictures)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-5)
    # left and right exchanged in a mirrored head: the same sides, exchanged
    turned = torch.stack([pictures[:, 0], torch.flip(pictures[:, 2], [2]), torch.flip(pictures[:, 1], [2])], 1)
    third = vectors.shape[1] // 3
    assert torch.allclose(model(turned)[:, third: 2 * third], vectors[:, 2 * third:], atol=1e-5)
