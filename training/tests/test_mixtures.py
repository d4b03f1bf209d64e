"""Heads mixed out of registered ones."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from prosopon_training.contract import TRIM
from prosopon_training.data import read_index
from prosopon_training.mixtures import LabelField, Mixtures, read_label_fields, weights_of_parts
from prosopon_training.networks.complement import blur
from prosopon_training.stages.vqvae_complement import FieldHead
from prosopon_training.stages.vqvae_complement_fine import random_keeps


def velocity(seed: int) -> np.ndarray:
    field = 0.3 * torch.randn(1, 3, 32, 32, 24, generator=torch.Generator().manual_seed(seed))
    for _ in range(6):
        field = blur(field)
    return field[0].numpy()


@pytest.fixture(scope="module")
def heads(prepared: Path) -> list[FieldHead]:
    records = read_index([prepared], "train") + read_index([prepared], "val")
    return [FieldHead(record, velocity(i), 0.1 * velocity(i + 9)[:1]) for i, record in enumerate(records)]


def test_squares_of_weights_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    for patched, shape in ((False, (3, 1, 1, 1, 1)), (True, (3, 1, 32, 32, 24))):
        weights = weights_of_parts(rng, 3, patched)
        assert weights.shape == shape and torch.allclose((weights**2).sum(0), torch.ones(shape[1:]), atol=1e-5)


def test_a_mixture_of_one_head_is_that_head_with_its_brain(heads: list[FieldHead]) -> None:
    (brain, covered, u, gain), own = Mixtures(heads, [], 1.0).mix(np.array([1]), torch.ones(1, 1, 1, 1, 1), np.random.default_rng(0))
    assert own and torch.allclose(u, heads[1].displacement, atol=1e-6)
    assert float((brain - heads[1].brain).abs().mean()) < 0.01 * float(heads[1].brain.mean())
    assert float((gain - heads[1].gain).abs().mean()) < 0.2 * float(heads[1].gain.abs().mean())
    assert float((covered - heads[1].covered).abs().mean()) < 0.01


def test_brain_goes_where_the_mixture_moves_it(heads: list[FieldHead]) -> None:
    """A label head's shape with a scan's brain: the brain stands where the learned head's is moved to."""
    shift = torch.zeros(1, 3, 32, 32, 24)
    shift[:, 1] = 0.125  # 16 mm of the cube's 256, four voxels of the brain at 4 mm
    mixtures = Mixtures(heads[:1], [LabelField(mixed_mean := heads[0].velocity + shift, torch.ones(1, 1, 32, 32, 24))], 1.0)
    (brain, *_), own = mixtures.mix(np.array([1]), torch.ones(1, 1, 1, 1, 1), np.random.default_rng(0))
    assert not own and torch.equal(mixtures.velocities[1], mixed_mean)

    def centre(volume: torch.Tensor) -> float:
        return float((volume[0, 0].sum((0, 2)) * torch.arange(64)).sum() / volume[0, 0].sum())

    assert centre(heads[0].brain) - centre(brain) == pytest.approx(4, abs=0.8)


def test_samples_say_whether_the_brain_is_their_own(heads: list[FieldHead]) -> None:
    rng = np.random.default_rng(0)
    third = LabelField(heads[0].velocity * 0.5, torch.ones(1, 1, 32, 32, 24))
    assert float(Mixtures(heads, [third], 0.0).sample(rng)["own"]) == 1
    assert float(Mixtures(heads, [third], 1.0, patched=1.0).sample(rng)["own"]) == 0
    assert float(Mixtures(heads, [third], 1.0, patched=0.0).sample(rng)["own"]) == 1
    keep, fine = random_keeps(rng, 40, torch.arange(40) % 2)
    assert bool((keep[::2] == 1).all()) and bool((fine[::2] == 1).all()) and bool((fine[1::2] == 0).any())


def test_label_fields_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "fields.npz", ids=["a"], velocity=velocity(1)[None].astype(np.float16), covered=np.ones((1, 1, 32, 32, 24), np.float16))
    (label,) = read_label_fields(tmp_path / "fields.npz")
    assert label.velocity.shape == (1, 3, 32, 32, 24) and label.covered.shape == (1, 1, 32, 32, 24)
    assert read_label_fields(None) == []


def test_where_a_label_head_ends_nothing_is_known(tmp_path: Path) -> None:
    from prosopon_training.painting import LabelHead
    from prosopon_training.tissue_map import write_fields

    classes = np.zeros((256, 256, 256), np.uint8)
    classes[60:220, 40:200, 60:200] = 1  # cut flat in front, as at a nose, and below
    np.save(tmp_path / "x_classes.npy", classes)
    write_fields([LabelHead("x", "train", tmp_path)], [torch.zeros(1, 3, 32, 32, 24)], tmp_path)
    covered = read_label_fields(tmp_path / "fields.npz")[0].covered[0, 0]
    assert covered.shape[2] == (TRIM.stop - TRIM.start) // 4
    assert float(covered[7].max()) == 0 and float(covered[9, :24].min()) == 1 and float(covered[:, 25:].max()) == 0
