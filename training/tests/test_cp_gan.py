"""cp-gan: the optimiser against worked values, the law of the tosses, what the networks see, a training that resumes, the export."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from test_export import check, shaken

from prosopon_training import gan_pair
from prosopon_training.__main__ import main
from prosopon_training.adamp import AdamP
from prosopon_training.data import read_index
from prosopon_training.gan_data import Batch, GanHead, composites, make_batch, probabilistic_pool, pyramid, shifted
from prosopon_training.networks.blocks import depth_to_space
from prosopon_training.networks.discriminator import Discriminator
from prosopon_training.networks.generator import Drawing, Generator, enlarging, positive, smoothed
from prosopon_training.stages import cp_gan


def adamp_by_hand(w: np.ndarray, gradients: list[np.ndarray], lr: float, betas: tuple[float, float], decay: float = 0.0,
                  eps: float = 1e-8, delta: float = 0.1, ratio: float = 0.1) -> tuple[np.ndarray, list[str]]:
    """From the formulas alone (section 2.7 of the notes): loops over rows; returns the weight and which test fired."""
    b1, b2 = betas
    m, v, fired = np.zeros_like(w), np.zeros_like(w), []
    for t, g in enumerate(gradients, 1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        p = m / (np.sqrt(v) / np.sqrt(1 - b2**t) + eps)
        factor, which = 1.0, "none"
        if w.ndim >= 2:
            for name, rows in (("channel", w.shape[0]), ("layer", 1)):
                ws, gs, ps = (a.reshape(rows, -1).copy() for a in (w, g, p))
                cosines = [abs(float(a @ b)) / (np.sqrt(a @ a) * np.sqrt(b @ b)) for a, b in zip(gs, ws)]
                if max(cosines) < delta / np.sqrt(ws.shape[1]):
                    for i in range(rows):
                        unit = ws[i] / (np.sqrt(ws[i] @ ws[i]) + eps)
                        ps[i] = ps[i] - unit * float(unit @ ps[i])
                    p, factor, which = ps.reshape(w.shape), ratio, name
                    break
        fired.append(which)
        w = w * (1 - lr * decay * factor) - lr / (1 - b1**t) * p
    return w, fired


def stepped(w: np.ndarray, gradients: list[np.ndarray], **options) -> np.ndarray:
    weight = torch.nn.Parameter(torch.from_numpy(w.copy()))
    optimiser = AdamP([weight], **options)
    for g in gradients:
        weight.grad = torch.from_numpy(g.copy())
        optimiser.step()
    return weight.detach().numpy()


def orthogonal(g: np.ndarray, w: np.ndarray, rows: int) -> np.ndarray:
    a, b = g.reshape(rows, -1), w.reshape(rows, -1)
    return (a - b * (a * b).sum(1, keepdims=True) / (b * b).sum(1, keepdims=True)).reshape(g.shape)


def test_adamp_one_step_worked_on_paper() -> None:
    # w = (3, 4), g = (-4, 3): orthogonal. First step: p = m / |g| = (-1, 1); along w^ = (0.6, 0.8) it is 0.2,
    # so p = (-1.12, 0.84); decay 0.5 by a tenth; w = (3, 4)(1 - 0.1 * 0.5 * 0.1) - 0.1 p = (3.097, 3.896)
    found = stepped(np.array([[3.0, 4.0]]), [np.array([[-4.0, 3.0]])], lr=0.1, betas=(0.0, 0.99), weight_decay=0.5)
    assert np.allclose(found, [[3.097, 3.896]], atol=1e-7)
    # g = w: nothing fires, p = (1, 1), the decay is whole: (3, 4)(1 - 0.05) - 0.1
    found = stepped(np.array([[3.0, 4.0]]), [np.array([[3.0, 4.0]])], lr=0.1, betas=(0.0, 0.99), weight_decay=0.5)
    assert np.allclose(found, [[2.75, 3.7]], atol=1e-7)


@pytest.mark.parametrize("betas", [(0.0, 0.99), (0.9, 0.999)])
@pytest.mark.parametrize(("kind", "fires"), [("channel", "channel"), ("layer", "layer"), ("free", "none"), ("bias", "none")])
def test_adamp_agrees_with_an_independent_derivation(kind: str, fires: str, betas: tuple[float, float]) -> None:
    rng = np.random.default_rng(3)
    w = rng.normal(size=(6,) if kind == "bias" else (4, 3, 3, 3, 3))
    current, gradients, seen = w, [], []
    for _ in range(3):
        g = rng.normal(size=w.shape)
        if kind == "channel":
            g = orthogonal(g, current, 4)
        elif kind == "layer":
            # along the rows, but so that the rows cancel
            g = orthogonal(current * np.array([1.0, -1.0, 2.0, -2.0]).reshape(4, 1, 1, 1, 1), current, 1)
        elif kind == "free":
            g = g + current
        gradients.append(g)
        current, seen = adamp_by_hand(w, gradients, 2e-3, betas, decay=0.1)
    assert seen == [fires] * 3
    found = stepped(w, gradients, lr=2e-3, betas=betas, weight_decay=0.1)
    assert np.allclose(found, current, atol=1e-10)
    # what was projected lies across the weight: to first order its length does not change
    if kind == "channel" and betas[0] == 0.0:
        still = stepped(w, gradients[:1], lr=2e-3, betas=betas)
        assert np.abs(((still - w) * w).reshape(4, -1).sum(1)).max() < 1e-6


def test_tosses_keep_the_proportion() -> None:
    rng = np.random.default_rng(0)
    for trial in range(5):
        binary = torch.from_numpy((rng.random((1, 2, 32, 32, 32)) < rng.uniform(0.1, 0.9)).astype(np.float32))
        for factor in (2, 4, 8):
            share = torch.nn.functional.avg_pool3d(binary, factor)
            draws = torch.stack([probabilistic_pool(share, torch.Generator().manual_seed(100 * trial + k)) for k in range(200)])
            assert set(draws.unique().tolist()) <= {0.0, 1.0}
            # each voxel's mean is its share, the volume's mean the proportion: within five standard errors
            error = (share * (1 - share) / 200).sqrt()
            assert bool(((draws.mean(0) - share).abs() <= 5 * error + 1e-6).all())
            n = share.numel() * 200
            assert abs(float(draws.mean()) - float(binary.mean())) < 5 * (0.25 / n) ** 0.5
    assert torch.equal(probabilistic_pool(binary), binary)


@pytest.fixture(scope="session")
def with_hulls(prepared: Path) -> Path:
    for name in ("sub-1", "sub-2"):
        head = (np.load(prepared / f"{name}_flags.npy") & 2) > 0
        np.save(prepared / f"{name}_hulls.npy", np.where(head, 255, 0).astype(np.uint8))
    return prepared


def test_scales_are_of_one_head(with_hulls: Path) -> None:
    scales = [4, 8, 16, 32]
    pool = [GanHead(read_index([with_hulls], "train")[0], 32)]
    batch = make_batch(np.random.default_rng(0), pool, scales, 2)
    assert [tuple(x.shape) for x in batch.gammas] == [(2, 3, s, s, s) for s in scales]
    for head, gamma, brain in zip(batch.heads, batch.gammas, batch.brains):
        assert torch.allclose(head.mean((1, 2, 3, 4)), batch.heads[-1].mean((1, 2, 3, 4)), atol=1e-5)
        assert set(gamma[:, :2].unique().tolist()) <= {0.0, 1.0}
        assert torch.equal(gamma[:, 2:], brain)
    # air was noise of some bytes: it is 0
    sample = pool[0].sample(3)
    assert float(sample[0][sample[4] == 0].max()) == 0
    # a composite of the head itself is the head: brain and complement add up, where the scan reached
    whole = pyramid(pool[0].sample(0)[None], scales)
    share, brain = whole.shares[-1], whole.brains[-1]
    complement = torch.where(share < 1, (whole.heads[-1] - brain) / (1 - share).clamp(min=1e-6), torch.zeros(()))
    assert torch.allclose(composites([complement], Batch_of_finest(whole))[0], whole.heads[-1] * whole.covered[-1], atol=1e-5)
    # and the brain is not the network's to change
    other = composites([complement + 1], Batch_of_finest(whole))[0]
    assert torch.equal(other[share == 1], brain[share == 1])


def Batch_of_finest(batch: cp_gan.Batch) -> cp_gan.Batch:
    return cp_gan.Batch(*([part[-1]] for part in (batch.heads, batch.gammas, batch.brains, batch.shares, batch.covered)))


def test_moving_loses_only_what_leaves() -> None:
    x = torch.arange(2 * 4**3, dtype=torch.float32).reshape(2, 4, 4, 4) + 1
    out = shifted(x, (1, 0, -2))
    assert torch.equal(out[:, 1:, :, :2], x[:, :3, :, 2:])
    assert float(out[:, 0].abs().sum()) == 0 and float(out[..., 2:].abs().sum()) == 0


def test_positive_is_zero_below_and_lets_gradient_back() -> None:
    x = torch.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    y = positive(x)
    y.sum().backward()
    assert y.tolist() == [0, 0, 2] and x.grad is not None
    assert x.grad.tolist() == pytest.approx([0.2, 1, 1])


def test_upsampling_is_nearest_and_then_smoothed() -> None:
    x = torch.rand(1, 1, 6, 6, 6)
    up = depth_to_space(torch.nn.functional.conv3d(x, enlarging(), padding=1))
    nearest = smoothed(x.repeat_interleave(2, 2).repeat_interleave(2, 3).repeat_interleave(2, 4))
    # alike up to the border, where the one is padded by a coarse voxel and the other by a fine one
    inner = (slice(None), slice(None)) + (slice(2, -2),) * 3
    assert torch.allclose(up[inner], nearest[inner], atol=1e-6)


def test_smoothing_takes_a_lattice_away_and_leaves_what_is_flat() -> None:
    z, y, x = np.mgrid[:8, :8, :8]
    inner = (0, 0) + (slice(1, -1),) * 3
    for lattice in ((-1.0) ** x, (-1.0) ** (y + z), (-1.0) ** (x + y + z)):
        assert float(smoothed(torch.from_numpy(lattice)[None, None])[inner].abs().max()) == 0
    assert float((smoothed(torch.ones(1, 1, 8, 8, 8))[inner] - 1).abs().max()) == 0


def test_draws_are_asked_to_differ_up_to_a_bound(with_hulls: Path) -> None:
    scales = [4, 8, 16]
    batch = pyramid(GanHead(read_index([with_hulls], "train")[0], 16).sample(0)[None], scales)
    one = [torch.zeros_like(x) for x in batch.heads]
    for apart, lack in ((0.0, 2 * gan_pair.APART), (0.04, 2 * (gan_pair.APART - 0.04)), (0.5, 0.0)):
        other = [x + apart for x in one]
        assert float(gan_pair.too_alike(one, other, batch, scales)) == pytest.approx(lack, abs=1e-5)


def test_likeness_of_two_draws_is_best_with_the_spread_of_real_values() -> None:
    """Bendel et al. 2023: for normal values the least lies at the true mean and the true spread; one draw alone would ask for none."""
    torch.manual_seed(2)
    real, one, other = (torch.randn(1, 1, 64, 64, 64) for _ in range(3))
    full, none = torch.ones(1, 1, 64, 64, 64), torch.zeros(1, 1, 64, 64, 64)
    batch = Batch([0.5 * real + 3], [torch.cat([full, none, none], 1)], [none], [none], [full])
    figures = {(m, s): float(gan_pair.unlike([s * one + m], [s * other + m], batch)) for m in (2.8, 3, 3.2) for s in (0, 0.25, 0.5, 0.75, 1)}
    assert min(figures, key=lambda key: figures[key]) == (3, 0.5)


def test_one_pass_gives_both_gradients() -> None:
    """The discriminator's gradient at the fakes, turned, is the generator's of its own loss."""
    torch.manual_seed(0)
    network = Discriminator(8)
    real, fake = torch.rand(2, 1, 4, 4, 4), torch.rand(2, 1, 4, 4, 4, requires_grad=True)
    real8, fake8 = torch.rand(2, 1, 8, 8, 8), torch.rand(2, 1, 8, 8, 8, requires_grad=True)
    gammas = [torch.rand(2, 3, 4, 4, 4), torch.rand(2, 3, 8, 8, 8)]
    gap = network([real, real8], gammas) - network([fake, fake8], gammas)
    loss_d, loss_g = gan_pair.losses(gap)
    wanted = torch.autograd.grad(loss_g, (fake, fake8), retain_graph=True)
    given = torch.autograd.grad(loss_d, (fake, fake8))
    for a, b in zip(wanted, given):
        assert torch.allclose(a, b * gan_pair.turned(gap.detach())[:, None, None, None, None], rtol=1e-3, atol=1e-5 * float(a.abs().max()))


def test_networks_of_one_size_fit_into_the_next() -> None:
    for kind in (Generator, Discriminator):
        small, large = kind(16), kind(32)
        fresh = gan_pair.fitted(large, small.state_dict())
        assert fresh and all(".32." in name or "blocks.16.before" in name for name in fresh)
    with pytest.raises(ValueError, match="found 24"):
        Generator(24)


def test_scores_belong_to_a_head_alone() -> None:
    torch.manual_seed(1)
    network = Discriminator(16)
    images = [torch.rand(3, 1, s, s, s) for s in (4, 8, 16)]
    gammas = [torch.rand(3, 3, s, s, s) for s in (4, 8, 16)]
    together = network(images, gammas)
    alone = torch.cat([network([x[i:i + 1] for x in images], [x[i:i + 1] for x in gammas]) for i in range(3)])
    assert together.shape == (3,)
    assert torch.allclose(together, alone, atol=1e-4)


def test_training_stops_resumes_and_is_exported(with_hulls: Path, tmp_path: Path) -> None:
    run, models = tmp_path / "run", tmp_path / "models"
    common = ["train", "cp-gan", "--data", str(with_hulls), "--out", str(run), "--size", "16", "--minutes", "30"]
    main([*common, "--steps", "3"])
    first = torch.load(run / "checkpoint.pt", weights_only=True)
    main([*common, "--steps", "5", "--penalty", "0.1"])
    second = torch.load(run / "checkpoint.pt", weights_only=True)
    assert (first["step"], second["step"], second["updates"]) == (3, 5, 5)
    assert any(not torch.equal(a, b) for a, b in zip(first["ema"].values(), second["ema"].values()))
    assert (run / "samples" / "000005-last.png").exists()
    main(["export", "cp-gan", "--run", str(run), "--models", str(models)])
    record = json.loads((models / "cp-gan-generator" / "model.json").read_text())
    assert [entry["name"] for entry in record["inputs"]] == ["noise", "gamma_4", "gamma_8", "gamma_16"]
    assert record["grid"] == {"size": 16, "spacing": 16}
    main([*common, "--steps", "1", "--initial", str(models / "cp-gan-generator" / "model.onnx"), "--out", str(tmp_path / "next")])


def test_what_ships_runs_everywhere(tmp_path: Path) -> None:
    import onnx

    torch.manual_seed(0)
    network = Drawing(shaken(Generator(64)))
    feeds = {"noise": torch.randn(1, 1, 4, 4, 4)} | {f"gamma_{s}": torch.rand(1, 3, s, s, s) for s in (4, 8, 16, 32, 64)}
    path = check(tmp_path, "cp-gan-generator", network, feeds, ["image"])
    found = {node.op_type: node for node in onnx.load(str(path)).graph.node}
    assert not {"ConvTranspose", "Resize", "GridSample"} & found.keys()
    for node in onnx.load(str(path)).graph.node:
        assert all(a.i == 1 for a in node.attribute if a.name == "group")
    assert path.stat().st_size < 4e6
    image = network(*feeds.values())
    assert image.shape == (1, 1, 64, 64, 64) and float(image.min()) >= 0
