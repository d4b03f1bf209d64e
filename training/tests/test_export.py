"""What is exported is what was trained, can be counted, and can be started from again."""
from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from prosopon_training.contract import SITES
from prosopon_training.export import write_model
from prosopon_training.exports import LearnedHead
from prosopon_training.flops import count_gflop
from prosopon_training.initial import load_initial
from prosopon_training.networks.brain_codes import BrainVqVae
from prosopon_training.networks.brain_extraction import BrainExtraction
from prosopon_training.networks.complement import ComplementDecoder, enlarge
from prosopon_training.networks.masked import MaskedAutoencoder

ABOUT = {"version": "0.1.0", "licence": "MIT", "data": "none", "grid": {"size": 8, "spacing": 2}, "description": "a test",
         "normalisation": "none"}
CODES = {"codes": torch.rand(1, 3, *SITES), "keep": torch.ones(1, 1, *SITES)}


def shaken(model: nn.Module, seed: int = 0) -> nn.Module:
    """Random weights everywhere, also where training starts from zeros: else a parity check compares zeros."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.dtype.is_floating_point:
                value.add_(0.05 * torch.rand(value.shape, generator=generator))
    return model.eval()


def check(folder: Path, name: str, module: nn.Module, feeds: dict[str, torch.Tensor], outputs: list[str], **options) -> Path:
    """Exports (which compares with ONNX Runtime and exits on a difference), and checks what was written."""
    write_model(name, module, feeds, outputs, folder, dict(ABOUT), **options)
    path = folder / name / "model.onnx"
    record = json.loads((folder / name / "model.json").read_text())
    assert record["name"] == name
    assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [entry["name"] for entry in record["inputs"]] == list(feeds)
    assert [entry["name"] for entry in record["outputs"]] == outputs
    # the fused attention of the CPU is not counted by PyTorch: the plain one is
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*feeds.values())
    assert record["settings"]["gflop"] == pytest.approx(counter.get_total_flops() / 1e9, rel=0.02, abs=2e-3)
    return path


def expect_equal(model: nn.Module, other: nn.Module, tolerance: float = 2e-3) -> None:
    state = other.state_dict()
    for name, value in model.state_dict().items():
        assert torch.allclose(value.float(), state[name].float(), rtol=tolerance, atol=tolerance), name


def test_brain_extraction(tmp_path: Path) -> None:
    model = shaken(BrainExtraction(8))
    axes = {name: {2: "z", 3: "y", 4: "x"} for name in ("image", "logits")}
    path = check(tmp_path, "brain", model, {"image": torch.rand(1, 1, 32, 16, 48)}, ["logits"], free_axes=axes)
    other = shaken(BrainExtraction(8), seed=1)
    assert load_initial(other, path) == []
    expect_equal(model, other)


def test_masked_autoencoder(tmp_path: Path) -> None:
    model = shaken(MaskedAutoencoder(codes=24, width=20, layers=2, heads=2))
    feeds = {"brain_codes": torch.rand(1, 4, *SITES), "brain_sites": torch.rand(1, 2, *SITES), **CODES}
    path = check(tmp_path, "masked", model, feeds, ["logits"])
    other = MaskedAutoencoder(codes=24, width=20, layers=2, heads=2)
    assert load_initial(other, path) == []
    expect_equal(model, other)


def test_decoder_alone_starts_its_part(tmp_path: Path) -> None:
    decoder = shaken(ComplementDecoder(8))
    feeds = {**CODES, "brain": torch.rand(1, 2, 64, 64, 48)}
    path = check(tmp_path, "decoder", decoder, feeds, ["displacement", "gain"])
    whole = nn.ModuleDict({"encoder": nn.Conv3d(1, 2, 3), "decoder": ComplementDecoder(8)})
    assert load_initial(whole, path) == ["encoder.weight", "encoder.bias"]
    expect_equal(decoder, whole["decoder"])


def test_encoder_alone_starts_its_part_with_its_statistics(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = shaken(BrainVqVae(8))
    path = check(tmp_path, "encoder", model.encoder, {"brain": torch.rand(1, 2, 64, 64, 48)}, ["codes"], half=False)
    other = BrainVqVae(8)
    fresh = load_initial(other, path)
    assert fresh and all(name.startswith("decoder.") for name in fresh)
    expect_equal(model.encoder, other.encoder)


def test_another_network_is_not_a_start(tmp_path: Path) -> None:
    torch.manual_seed(0)
    # whole floats, as it ships: a rounding in fp16 can cross an edge of the quantiser
    path = check(tmp_path, "encoder", shaken(BrainVqVae(8)).encoder, {"brain": torch.rand(1, 2, 64, 64, 48)}, ["codes"], half=False)
    with pytest.raises(SystemExit, match="is not of this network"):
        load_initial(BrainExtraction(8), path)
    with pytest.raises(SystemExit, match="is not of this network"):
        load_initial(BrainVqVae(16), path)


def test_learned_head_is_read_where_it_stands_when_nothing_moves(tmp_path: Path) -> None:
    torch.manual_seed(0)
    template = torch.rand(16, 16, 12) * 2
    module = LearnedHead(template, 3.0, (8, 8, 6))
    still = {"displacement": torch.zeros(1, 3, 8, 8, 6), "gain": torch.zeros(1, 1, 8, 8, 6)}
    fields, stored = module(*still.values())
    drawn = F.grid_sample(stored.float()[None, None], enlarge(fields[:, :3]).permute(0, 2, 3, 4, 1), padding_mode="border",
                          align_corners=False) * enlarge(fields[:, 3:])
    # positions are enlarged, which bends them within three voxels of the border (air, or the neck's cut)
    inner = (slice(4, -4),) * 3
    assert torch.allclose(drawn[0, 0][inner], template[inner], atol=3 / 255)
    feeds = {"displacement": 0.1 * torch.rand(1, 3, 8, 8, 6), "gain": torch.rand(1, 1, 8, 8, 6)}
    check(tmp_path, "head", module, feeds, ["fields", "template"], half=False)


def test_a_shape_that_is_free_cannot_be_counted(tmp_path: Path) -> None:
    model = nn.Conv3d(1, 2, 3)
    torch.onnx.export(model, (torch.rand(1, 1, 5, 5, 5),), str(tmp_path / "a.onnx"), input_names=["x"], dynamo=False,
                      dynamic_axes={"x": {2: "z"}})
    with pytest.raises(ValueError, match="free ones in x"):
        count_gflop(tmp_path / "a.onnx")
    assert count_gflop(tmp_path / "a.onnx", {"z": 5}) == pytest.approx(2 * 27 * 2 * 27 / 1e9)


def test_latent_masked_autoencoder(tmp_path: Path) -> None:
    from prosopon_training.contract import SITES
    from prosopon_training.exports import LatentLogits, LatentPosterior
    from prosopon_training.networks.complement_fine import FINE_SITES
    from prosopon_training.networks.latent_codes import LatentCodes

    torch.manual_seed(0)
    model = LatentCodes(7)
    for name in ("brain", "coarse", "fine"):
        getattr(model, f"{name}_weights").normal_(0, 0.1)
    feeds = {"brain_codes": torch.rand(1, 4, *SITES), "brain_sites": torch.rand(1, 2, *SITES), "seen": torch.ones(1, 1)}
    for name, shape in (("coarse", SITES), ("fine", FINE_SITES)):
        feeds |= {name: torch.rand(1, 3, *shape), f"{name}_keep": (torch.rand(1, 1, *shape) > 0.5).float()}
    check(tmp_path, "posterior", LatentPosterior(model), feeds, ["precision", "evidence"])
    check(tmp_path, "logits", LatentLogits(model), {"z": torch.randn(1, 7)}, ["coarse", "fine"])


def test_decoder_of_two_levels(tmp_path: Path) -> None:
    from prosopon_training.contract import SITES
    from prosopon_training.exports import FineDecoder
    from prosopon_training.networks.complement_fine import FINE_SITES, TwoLevelVqVae

    torch.manual_seed(0)
    model = TwoLevelVqVae(8)
    torch.nn.init.normal_(model.decoder.out8.weight, std=0.1)
    check(tmp_path, "decoder", FineDecoder(model.decoder), {
        "codes": torch.rand(1, 3, *SITES), "keep": torch.ones(1, 1, *SITES), "fine": torch.rand(1, 3, *FINE_SITES), "fine_keep": torch.ones(1, 1, *FINE_SITES),
        "brain": torch.rand(1, 2, 64, 64, 48)}, ["displacement", "gain"])
