"""Blocks, quantiser, warps and shapes."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from prosopon_training.augment import rotation_matrix, sampling_grid
from prosopon_training.contract import SITES
from prosopon_training.networks.blocks import depth_to_space, space_to_depth
from prosopon_training.networks.brain_codes import BrainVqVae
from prosopon_training.networks.brain_extraction import BrainExtraction
from prosopon_training.networks.complement import ComplementDecoder, blur, integrate, warp
from prosopon_training.networks.fsq import Fsq, SiteNorm
from prosopon_training.networks.masked import MaskedAutoencoder


@pytest.mark.parametrize("levels", [(8, 6, 5), (8, 5, 5, 5), (2,), (3, 4)])
def test_fsq_round_trip(levels: tuple[int, ...]) -> None:
    fsq = Fsq(levels)
    codes = torch.arange(fsq.size).reshape(1, -1)
    values = fsq.values(codes)
    assert values.shape == (1, len(levels), fsq.size)
    assert torch.equal(fsq.indices(values), codes)
    assert len(torch.unique(values, dim=2)[0, 0]) == fsq.size
    assert values.abs().max() < 1.0011


def test_fsq_quantises_to_its_codes_and_reaches_the_ends() -> None:
    fsq = Fsq((8, 6, 5))
    x = torch.randn(2, 3, 4, 4, 4, generator=torch.Generator().manual_seed(0)) * 3
    q = fsq(x)
    assert torch.allclose(fsq.values(fsq.indices(q)), q, atol=1e-5)
    ends = fsq.indices(fsq(torch.tensor([[-9.0, -9, -9], [9, 9, 9]])[..., None]))
    assert ends.flatten().tolist() == [0, fsq.size - 1]


def test_fsq_gradient_goes_straight_through() -> None:
    fsq = Fsq((8, 6, 5))
    x = (torch.rand(1, 3, 5) - 0.5).requires_grad_()
    fsq(x).sum().backward()
    levels, half, offset = fsq._bounds(x)
    y = x.detach().requires_grad_()
    torch.tanh(y + torch.atanh(offset / half)).sum().backward()
    assert torch.allclose(x.grad, y.grad, atol=1e-6)
    assert (x.grad > 0.1).all()


def test_site_norm_standardises_each_site() -> None:
    torch.manual_seed(0)
    norm = SiteNorm(2, (3, 2, 2), momentum=0.1, floor=0.0)
    place = torch.arange(24.0).reshape(1, 2, 3, 2, 2)
    for _ in range(300):
        norm(place + 0.3 * torch.randn(16, 2, 3, 2, 2))
    norm.eval()
    out = norm(place + 0.3 * torch.randn(512, 2, 3, 2, 2))
    assert out.mean(0).abs().max() < 0.3
    assert (out.std(0) - 1).abs().max() < 0.3
    before = norm.mean.clone()
    norm(place + 50)
    assert torch.equal(norm.mean, before), "statistics must not move in use"


def test_site_norm_leaves_constant_sites_at_one_code() -> None:
    norm = SiteNorm(1, (1, 1, 1))
    norm.variance.zero_()
    assert norm.eval()(torch.full((1, 1, 1, 1, 1), 0.01)).item() == pytest.approx(0.2)


@pytest.mark.parametrize("r", [2, 4])
def test_space_to_depth_is_undone(r: int) -> None:
    x = torch.randn(2, 3, 8, 4, 12)
    y = space_to_depth(x, r)
    assert y.shape == (2, 3 * r**3, 8 // r, 4 // r, 12 // r)
    assert torch.equal(depth_to_space(y, r), x)
    assert torch.equal(y[0, : r**3, 0, 0, 0], x[0, 0, :r, :r, :r].flatten())


def test_warp_by_nothing_and_by_a_voxel() -> None:
    v = torch.randn(1, 2, 6, 5, 8)
    assert torch.allclose(warp(v, torch.zeros(1, 3, 6, 5, 8)), v, atol=1e-5)
    shift = torch.zeros(1, 3, 6, 5, 8)
    shift[:, 0] = 2 / 8
    assert torch.allclose(warp(v, shift)[..., :-1], v[..., 1:], atol=1e-4)
    assert torch.allclose(warp(v, shift)[..., -1], v[..., -1], atol=1e-4), "the edge goes on"


def test_integral_of_a_constant_velocity_is_the_constant() -> None:
    velocity = torch.tensor([0.1, -0.05, 0.2]).reshape(1, 3, 1, 1, 1).expand(1, 3, 6, 8, 7)
    assert torch.allclose(integrate(velocity), velocity, atol=1e-5)


def test_integral_is_undone_by_the_opposite_velocity() -> None:
    torch.manual_seed(1)
    v = 0.2 * torch.randn(1, 3, 4, 4, 4)
    for _ in range(3):
        v = blur(v)
    v = torch.nn.functional.interpolate(v, size=(24, 24, 24), mode="trilinear")
    there, back = integrate(v, 6), integrate(-v, 6)
    rest = there + warp(back, there)
    inner = rest[..., 4:-4, 4:-4, 4:-4].abs().max()
    assert inner < 0.15 * there.abs().max()


def test_blur_keeps_constants_and_ramps() -> None:
    assert torch.allclose(blur(torch.ones(1, 1, 4, 4, 4)), torch.ones(1, 1, 4, 4, 4))
    ramp = torch.arange(8.0).expand(1, 1, 8, 8, 8)
    assert torch.allclose(blur(ramp)[..., 1:-1], ramp[..., 1:-1], atol=1e-5)


def test_sampling_grid_of_the_identity() -> None:
    v = torch.randn(1, 1, 5, 6, 7)
    grid = sampling_grid((5, 6, 7), np.eye(3), np.zeros(3), (5, 6, 7))
    assert torch.allclose(torch.nn.functional.grid_sample(v, grid, align_corners=True), v, atol=1e-5)
    moved = sampling_grid((5, 6, 7), np.eye(3), np.array([1.0, 0, 0]), (5, 6, 7))
    found = torch.nn.functional.grid_sample(v, moved, align_corners=True)
    assert torch.allclose(found[..., :-1], v[..., 1:], atol=1e-4)


def test_rotation_matrix_turns_x_to_y() -> None:
    assert np.allclose(rotation_matrix(np.array([0, 0, np.pi / 2])) @ [1, 0, 0], [0, 1, 0])
    m = rotation_matrix(np.array([0.3, -0.2, 0.5]))
    assert np.allclose(m @ m.T, np.eye(3)) and np.isclose(np.linalg.det(m), 1)


def test_masked_autoencoder_is_blind_to_what_is_masked() -> None:
    model = MaskedAutoencoder(codes=24, width=20, layers=1, heads=2).eval()
    brain, sites = torch.rand(2, 4, *SITES), torch.rand(2, 2, *SITES)
    codes, keep = torch.rand(2, 3, *SITES), (torch.rand(2, 1, *SITES) > 0.5).float()
    with torch.no_grad():
        logits = model(brain, sites, codes, keep)
        other = model(brain, sites, codes + 5 * (1 - keep), keep)
        seen = model(brain, sites, codes + 5 * keep, keep)
    assert logits.shape == (2, SITES[0] * SITES[1] * SITES[2], 24)
    assert torch.equal(logits, other)
    assert not torch.allclose(logits, seen)


def test_shapes() -> None:
    with torch.no_grad():
        assert BrainExtraction(8)(torch.rand(1, 1, 32, 48, 16)).shape == (1, 1, 32, 48, 16)
        model = BrainVqVae(8)
        codes = model.encoder(torch.rand(1, 2, 64, 64, 48))
        assert codes.shape == (1, 4, *SITES)
        assert model.decoder(codes).shape == (1, 2, 64, 64, 48)
        displacement, gain = ComplementDecoder(8)(
            torch.rand(2, 3, *SITES), torch.ones(2, 1, *SITES), torch.rand(2, 2, 64, 64, 48))
    assert displacement.shape[:2] == (2, 3) and gain.shape[:2] == (2, 1)
    assert displacement.shape[2:] == gain.shape[2:]
    assert displacement.abs().max() == 0, "an untrained decoder moves nothing"


def test_two_level_codes_have_their_sites_and_each_level_tells():
    from prosopon_training.networks.complement_fine import FINE_SITES, TwoLevelVqVae
    from prosopon_training.stages.vqvae_complement_fine import random_keeps

    torch.manual_seed(0)
    model = TwoLevelVqVae(8).eval()
    nn = torch.nn
    nn.init.normal_(model.decoder.out8.weight, std=0.1)
    displacement, gain = 0.05 * torch.randn(2, 3, 32, 32, 24), 0.1 * torch.randn(2, 1, 32, 32, 24)
    brain = torch.rand(2, 2, 64, 64, 48)
    coarse, fine = model.codes(displacement, gain, brain)
    assert coarse.shape == (2, 3, 8, 8, 6) and fine.shape == (2, 3, *FINE_SITES)
    ones = torch.ones(2, 1, 8, 8, 6), torch.ones(2, 1, *FINE_SITES)
    with torch.no_grad():
        both, _ = model.decoder.decode(coarse, ones[0], fine, ones[1], brain)
        no_fine, _ = model.decoder.decode(coarse, ones[0], fine, 0 * ones[1], brain)
        none, _ = model.decoder.decode(coarse, 0 * ones[0], fine, 0 * ones[1], brain)
        again, _ = model.decoder.decode(-coarse, 0 * ones[0], -fine, 0 * ones[1], brain)
    assert both.shape == (2, 3, 32, 32, 24)
    assert not torch.equal(both, no_fine) and not torch.equal(no_fine, none)
    assert torch.equal(none, again), "null codes still tell"
    keep, fine_keep = random_keeps(np.random.default_rng(1), 200)
    whole = (keep.mean((1, 2, 3, 4)) == 1) & (fine_keep.mean((1, 2, 3, 4)) == 1)
    assert 0.25 < float(whole.float().mean()) < 0.45


def test_whitened_channels_are_independent_and_leave_the_spread_alone():
    from prosopon_training.networks.fsq import Fsq, SiteWhitening

    torch.manual_seed(0)
    site = (2, 2, 2)
    alike = torch.tensor([[1.0, 0.9, 0.9], [0.0, 0.2, 0.0], [0.0, 0.0, 0.2]])

    def heads(n: int) -> torch.Tensor:
        """Three channels that say nearly the same, at a spread of hundreds."""
        return torch.einsum("nizyx,ij->njzyx", torch.randn(n, 3, *site), 300 * alike) + 1000

    layer = SiteWhitening(3, site)
    for _ in range(300):
        layer(heads(4))
    layer.eval()
    out = layer(heads(2000)).flatten(2).permute(1, 0, 2).flatten(1)
    assert torch.allclose(torch.cov(out), torch.eye(3), atol=0.25)
    fsq = Fsq()
    assert (torch.bincount(fsq.indices(fsq(layer(heads(2000)))).flatten(), minlength=fsq.size) > 0).float().mean() > 0.9

    layer.train()
    x = heads(4).requires_grad_(True)
    (torch.randn(4, 3, *site) * layer(x)).sum().backward()
    apart = (x - layer.mean).detach()
    flat = apart.permute(1, 0, 2, 3, 4).flatten(1)
    pull = flat @ x.grad.permute(1, 0, 2, 3, 4).flatten(1).T / (flat.norm() * x.grad.norm())
    assert pull.abs().max() < 0.05, "the loss can make channels larger, or alike"


def test_whitening_is_the_same_function_in_use_and_in_training():
    from prosopon_training.networks.fsq import SiteWhitening

    torch.manual_seed(0)
    layer = SiteWhitening(3, (2, 3, 2))
    x = torch.randn(4, 3, 2, 3, 2)
    trained = layer(x)
    assert torch.allclose(trained, layer.eval()(x), atol=1e-4)
