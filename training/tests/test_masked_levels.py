"""The masked autoencoder over two levels of codes, and the table of codes that it learns from."""
from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from prosopon_training import code_table
from prosopon_training.__main__ import main
from prosopon_training.contract import COMPLEMENT_LEVELS, SITES
from prosopon_training.data import read_index
from prosopon_training.mixtures import Mixtures
from prosopon_training.networks.brain_codes import BrainVqVae
from prosopon_training.networks.complement_fine import FINE_SITES, TwoLevelVqVae
from prosopon_training.networks.fsq import Fsq
from prosopon_training.networks.masked_levels import MaskedLevels, code_loss, sites_of_tokens, tokens
from prosopon_training.runs import settings_of
from prosopon_training.single import Loop
from prosopon_training.stages.masked_levels import part_seen, side_of_a_plane, visible
from prosopon_training.stages.vqvae_complement import FieldHead

FSQ = Fsq(COMPLEMENT_LEVELS)


def model() -> MaskedLevels:
    torch.manual_seed(0)
    return MaskedLevels(width=16, layers=1, heads=2, rank=8).eval()


def inputs(seed: int) -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return {
        "brain_codes": torch.rand(1, 4, *SITES, generator=g), "brain_sites": torch.rand(1, 2, *SITES, generator=g), "seen": torch.ones(1, 1),
        "coarse": torch.rand(1, 3, *SITES, generator=g) * 2 - 1, "coarse_keep": (torch.rand(1, 1, *SITES, generator=g) < 0.5).float(),
        "codes": torch.rand(1, 3, *FINE_SITES, generator=g) * 2 - 1, "keep": (torch.rand(1, 1, *FINE_SITES, generator=g) < 0.5).float(),
    }


def test_sites_come_out_of_tokens_where_they_went_in() -> None:
    x = torch.rand(2, 3, *FINE_SITES)
    back = sites_of_tokens(tokens(x).reshape(2, math.prod(SITES), 3, 8).transpose(2, 3))
    assert torch.equal(back, x.flatten(2).transpose(1, 2))
    y = torch.rand(2, 3, *SITES)
    assert torch.equal(tokens(y), y.flatten(2).transpose(1, 2))


def test_what_is_not_seen_says_nothing() -> None:
    net, a, b = model(), inputs(1), inputs(2)
    with torch.no_grad():
        usual = net.fine(**a)
        assert usual.shape == (1, 8 * math.prod(SITES), sum(COMPLEMENT_LEVELS))
        for name, keep in (("codes", "keep"), ("coarse", "coarse_keep")):
            other = a | {name: torch.where(a[keep] > 0, a[name], b[name])}
            assert torch.equal(net.fine(**other), usual), name
            assert not torch.equal(net.fine(**(a | {name: b[name]})), usual), name
        blind = {"seen": torch.zeros(1, 1)}
        assert not torch.equal(net.fine(**(a | blind)), usual)
        assert torch.equal(net.fine(**(a | blind)), net.fine(**(b | blind | {k: a[k] for k in ("coarse", "coarse_keep", "codes", "keep")})))
        first = {k: a[k] for k in ("brain_codes", "brain_sites", "seen")}
        codes, keep = a["coarse"], a["coarse_keep"]
        assert torch.equal(net.coarse(**first, codes=codes, keep=keep), net.coarse(**first, codes=codes * keep, keep=keep))
        assert net.codes(net.coarse(**first, codes=codes, keep=keep)).shape == (1, math.prod(SITES), FSQ.size)


def test_it_starts_as_the_frequencies_of_each_site() -> None:
    net = model().coarse_network
    indices = torch.zeros(50, math.prod(SITES), dtype=torch.long)
    indices[:, 7] = torch.arange(50) % 5
    net.know(FSQ.values(indices.reshape(50, *SITES)))
    net.leave.weight.data.zero_()
    with torch.no_grad():
        out = net.by_channel(torch.zeros(1, math.prod(SITES), 7), torch.zeros(1, 3, *SITES), torch.zeros(1, 1, *SITES))
    first = out[0, :, : COMPLEMENT_LEVELS[0]].softmax(-1)
    # one weak look at the mean is there from the start, by exp(-3)
    assert first[3, 0] > 0.8 and first[7, :5].std() < 0.05 and first[7, :5].sum() > 0.8
    mean = FSQ.values(indices).mean(0)[:, 7]
    assert torch.allclose(net.mean[0, :, 7], mean, atol=1e-5)


def test_logits_of_codes_and_of_channels_are_the_same_distribution() -> None:
    net = model()
    by_channel = torch.randn(2, 5, sum(COMPLEMENT_LEVELS))
    indices = torch.randint(FSQ.size, (2, 5))
    joint = F.cross_entropy(net.codes(by_channel).transpose(1, 2), indices, reduction="none")
    weight = (torch.rand(2, 5) < 0.7).float()
    assert float(code_loss(by_channel, indices, weight)) == pytest.approx(float((joint * weight).sum() / weight.sum()), rel=1e-5)


def test_masks_are_those_of_the_course_and_both_lattices_are_cut_alike() -> None:
    rng = np.random.default_rng(0)
    assert part_seen(rng, SITES, 0).sum() == 0
    assert part_seen(rng, SITES, 0.99999).sum() == math.prod(SITES) - 1, "something is always asked"
    shares = [float(visible(rng, SITES).mean()) for _ in range(400)]
    assert 0.1 < np.mean(np.array(shares) == 0) < 0.25 and max(shares) > 0.9
    for seed in range(20):
        coarse, fine = (side_of_a_plane(np.random.default_rng(seed), shape) for shape in (SITES, FINE_SITES))
        pooled = F.avg_pool3d(fine[None, None], 2)[0, 0]
        # a site on one side with all its eight; the others are cut by the plane
        assert torch.equal(coarse[(pooled == 0) | (pooled == 1)], pooled[(pooled == 0) | (pooled == 1)])


@pytest.fixture(scope="module")
def heads(prepared: Path) -> list[FieldHead]:
    rng = np.random.default_rng(3)
    field = F.interpolate(torch.from_numpy(rng.normal(0, 0.05, (2, 3, 4, 4, 4))), size=(32, 32, 24), mode="trilinear").float().numpy()
    records = read_index([prepared], "train") + read_index([prepared], "val")
    return [FieldHead(record, v, 0.5 * v[:1]) for record, v in zip(records, field, strict=True)]


def test_table_goes_on_where_it_stopped(heads: list[FieldHead], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_table, "PART", 4)
    torch.manual_seed(0)
    networks = TwoLevelVqVae(8).eval().requires_grad_(False), BrainVqVae(8).eval().requires_grad_(False).encoder
    code_table.fill(tmp_path / "whole", 8, Mixtures(heads, [], 0.5), *networks, seed=1)
    code_table.fill(tmp_path / "parts", 4, Mixtures(heads, [], 0.5), *networks, seed=1)
    code_table.fill(tmp_path / "parts", 8, Mixtures(heads, [], 0.5), *networks, seed=1)
    a, b = code_table.read(tmp_path / "whole"), code_table.read(tmp_path / "parts")
    assert all(np.array_equal(a[key], b[key]) for key in a)
    assert a["coarse"].shape == (8, math.prod(SITES)) and a["fine"].shape == (8, math.prod(FINE_SITES))
    both = code_table.heads_and_mirrored(*networks, [heads[0].sample(np.random.default_rng(0), 0)])
    assert len(both["own"]) == 2
    assert np.array_equal(both["brain_sites"][0], both["brain_sites"][1][..., ::-1])


def test_stage_end_to_end(prepared: Path, code_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_table, "PART", 4)
    monkeypatch.setattr("prosopon_training.stages.masked_levels.LOOP", Loop(validate_every=2, warm_up=1))
    main(["train", "masked-levels", "--data", str(prepared), "--fields", str(code_runs / "fields"), "--complement", str(code_runs / "vqvae"),
          "--brain", str(code_runs / "brain"), "--out", str(tmp_path / "run"), "--steps", "2", "--minutes", "5", "--table", "4", "--batch", "2",
          "--width", "16", "--layers", "1"])
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 2 and settings_of(tmp_path / "run") == {"width": 16, "layers": 1}
    assert torch.isfinite(state["ema"]["coarse_network.log_frequencies"]).all()
    best = torch.load(tmp_path / "run" / "best.pt", weights_only=True)
    assert best["figure"] == "val_loss" and math.isfinite(best["value"])
