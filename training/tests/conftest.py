"""Synthetic prepared heads: an ellipsoid with a brain in it, as ``prosopon prepare`` would write them."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from prosopon_training.data import read_index
from prosopon_training.networks.brain_codes import BrainVqVae
from prosopon_training.networks.complement_fine import TwoLevelVqVae
from prosopon_training.runs import save, write_settings

torch.set_num_threads(1)


def write_head(folder: Path, name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*[np.arange(128) - 63.5] * 3, indexing="ij")
    # x right, y front, z up; the brain 11 voxels behind and 15 above the middle
    brain = (x / 33) ** 2 + ((y + 11) / 42) ** 2 + ((z - 15) / 31) ** 2 < 1
    head = (x / 40) ** 2 + ((y + 6) / 52) ** 2 + ((z - 5) / 50) ** 2 < 1 + 0.02 * seed
    image = np.where(brain, 100, np.where(head, 60, 2)) + rng.normal(0, 3, brain.shape)
    flags = brain * 1 + head * 2 + (z > -60) * 4
    labels = brain * rng.integers(1, 100, brain.shape)
    for kind, array in (("image", image.clip(0, 255)), ("flags", flags), ("labels", labels)):
        np.save(folder / f"{name}_{kind}.npy", array.astype(np.uint8))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    rows = []
    for seed, (name, split) in enumerate((("sub-1", "train"), ("sub-2", "val"))):
        write_head(folder, name, seed)
        rows.append({"id": name, "split": split, "age": None if seed else 40.5, "sex": "F", "level": 500.0})
    (folder / "index.json").write_text(json.dumps({"version": 1, "resolution": 128, "heads": rows}))
    return folder


@pytest.fixture
def code_runs(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of register (fields), vqvae-complement-fine (vqvae) and vqvae-brain (brain) that nothing was trained in: what a training over codes needs."""
    folder = tmp_path_factory.mktemp("code-runs")
    rng = np.random.default_rng(0)
    ids = [record.id for split in ("train", "val") for record in read_index([prepared], split)]
    (folder / "fields").mkdir()
    np.savez(folder / "fields" / "fields.npz", ids=ids, velocity=rng.normal(0, 0.01, (2, 3, 32, 32, 24)), gain=np.zeros((2, 1, 32, 32, 24)))
    for name, network in (("vqvae", TwoLevelVqVae(8)), ("brain", BrainVqVae(8))):
        write_settings(folder / name, width=8)
        save(folder / name / "checkpoint.pt", ema=network.state_dict())
    return folder
