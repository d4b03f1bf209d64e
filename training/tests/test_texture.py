"""The texture decoder: what it learns from, what it draws, and where it must not draw."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from test_export import check, shaken

from prosopon_training.contract import BRAIN, COVERED, HEAD
from prosopon_training.data import read_index
from prosopon_training.exports import DrawTexture
from prosopon_training.networks.texture import Texture
from prosopon_training.slices import slices_of_blocks, voxels_of_slices
from prosopon_training.stages import texture


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A ball of 96^3 with a brain in it: alternating layers of bright and dark, four voxels each."""
    rng = np.random.default_rng(0)
    z, y, x = np.mgrid[:96, :96, :96] - 47.5
    radius = np.sqrt(x**2 + y**2 + z**2)
    head = radius < 44
    image = np.where(head, 80 + 40 * ((z.astype(int) // 4) % 2) + rng.normal(0, 3, radius.shape), 0)
    np.save(tmp_path / "sub-A_image.npy", image.clip(0, 255).astype(np.uint8))
    np.save(tmp_path / "sub-A_flags.npy", (head * HEAD + (radius < 20) * BRAIN + COVERED).astype(np.uint8))
    (tmp_path / "index.json").write_text(json.dumps({"resolution": 256, "heads": [
        {"id": "sub-A", "split": "train", "age": None, "sex": "n/a", "level": 1}]}))
    return tmp_path


def test_train_and_val_patches_do_not_meet(prepared: Path) -> None:
    head = texture.TextureHead(read_index([prepared], "train")[0])
    assert head.centres["train"][:, 1].max() < head.cut - texture.MARGIN + 1
    assert head.centres["val"][:, 1].min() >= head.cut
    rng = np.random.default_rng(1)
    for part in ("train", "val"):
        _, tissue, good = head.patch(rng, part)
        assert good.sum() > 0 and bool((tissue[good > 0] > 0).all())


def test_smoothing_inside_keeps_a_flat_level_to_the_skin() -> None:
    tissue = torch.zeros(1, 1, 24, 24, 24)
    tissue[..., 6:18, 6:18, 6:18] = 1
    out = texture.smooth_inside(0.7 * tissue, tissue, 2.0)
    assert torch.allclose(out, 0.7 * tissue, atol=1e-4)


def test_learns_what_a_neighbourhood_can_tell(prepared: Path) -> None:
    torch.manual_seed(0)
    heads = [texture.TextureHead(read_index([prepared], "train")[0])]
    rng = np.random.default_rng(2)
    model = Texture(8)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    batch = texture.make_batch(rng, heads, "train", 2)
    first = None
    for _ in range(60):
        loss, figures = texture.likelihood(model, *batch)
        first = first or figures
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert figures["explained"] > first["explained"] + 0.05
    assert figures["nll"] < first["nll"]


def test_draws_with_the_noise_given_and_never_in_air(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = DrawTexture(shaken(Texture(8)))
    head = torch.zeros(1, 1, 24, 24, 24)
    head[..., 4:20, 4:20, 4:20] = 0.8
    layers = slices_of_blocks(head)
    noise = torch.randint(0, 255, (10, 8, 12, 12), dtype=torch.uint8)
    still = torch.full_like(noise, 128)
    a, b = (voxels_of_slices(module(layers, n)) for n in (noise, still))
    head = head[:, :, 2:-2]
    assert bool((a[head == 0] == 0).all())
    inside = (slice(None), slice(None), slice(8, 12), slice(10, 14), slice(10, 14))
    assert float((a - b)[inside].abs().max()) > 0
    # the 2-D form that ships is the 3-D network that was trained
    for shipped, trained in zip(module.features(layers), module.model(voxels_of_slices(layers))):
        assert torch.allclose(shipped, trained[0].transpose(0, 1)[1:-1], atol=1e-5)
    # within two voxels of the air the noise changes nothing
    assert torch.equal(a[..., 2:4, :, :], b[..., 2:4, :, :])
    feeds = {"layers": layers, "noise": noise}
    check(tmp_path, "texture", module, feeds, ["textured"])
