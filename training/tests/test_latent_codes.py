"""The masked autoencoder in closed form."""
from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from prosopon_training import code_table
from prosopon_training.__main__ import main
from prosopon_training.contract import SITES
from prosopon_training.networks.complement_fine import FINE_SITES
from prosopon_training.networks.fsq import Fsq
from prosopon_training.networks.latent_codes import BRAIN, LatentCodes, in_whitened_units
from prosopon_training.networks.masked_levels import code_loss
from prosopon_training.stages.masked_latent import load_latent

FSQ = Fsq()


def people(count: int, seed: int) -> dict[str, torch.Tensor]:
    """Codes and brains that follow three numbers a person."""
    ways = torch.Generator().manual_seed(0)
    g = torch.Generator().manual_seed(seed)
    who = torch.randn(count, 3, generator=g)

    def linear(size: int) -> torch.Tensor:
        return who @ torch.randn(3, size, generator=ways) * 0.6 + 0.15 * torch.randn(count, size, generator=g)

    out = {"brain": linear(BRAIN)}
    for name, shape in (("coarse", SITES), ("fine", FINE_SITES)):
        out[name] = FSQ.indices(FSQ(linear(3 * math.prod(shape)).reshape(count, 3, *shape))).flatten(1)
    return out


@pytest.fixture(scope="module")
def model() -> LatentCodes:
    net = LatentCodes(3)
    assert net.fit(people(150, 1), people(50, 2)) > 0.7
    return net


def asked(model: LatentCodes, person: dict[str, torch.Tensor], seen: float, keep: float, fine_keep: float) -> tuple[torch.Tensor, torch.Tensor]:
    n = len(person["brain"])
    brain = person["brain"].split([4 * math.prod(SITES), 2 * math.prod(SITES)], 1)
    values = [FSQ.values(person[name].reshape(n, *shape)) for name, shape in (("coarse", SITES), ("fine", FINE_SITES))]
    return model.posterior(brain[0].reshape(n, 4, *SITES), brain[1].reshape(n, 2, *SITES), torch.full((n, 1), seen), values[0],
                           torch.full((n, 1, *SITES), keep), values[1], torch.full((n, 1, *FINE_SITES), fine_keep))


def test_what_is_not_seen_says_nothing(model: LatentCodes) -> None:
    precision, evidence = asked(model, people(2, 5), 0, 0, 0)
    assert torch.equal(precision, torch.eye(3).expand(2, 3, 3)) and torch.equal(evidence, torch.zeros(2, 3))
    a, b = people(1, 5), people(1, 6)
    assert torch.equal(asked(model, a, 0, 1, 0)[1], asked(model, a | {"brain": b["brain"], "fine": b["fine"]}, 0, 1, 0)[1])
    assert not torch.equal(asked(model, a, 1, 1, 0)[1], asked(model, a | {"brain": b["brain"]}, 1, 1, 0)[1])


def test_the_posterior_is_that_of_the_linear_model(model: LatentCodes) -> None:
    person = people(1, 7)
    precision, evidence = asked(model, person, 0, 1, 0)
    x = ((in_whitened_units(person["coarse"]).flatten(1) - model.coarse_mean) / model.coarse_spread)[0]
    w = model.coarse_weights / model.noise.coarse**0.5
    assert torch.allclose(precision[0], torch.eye(3) + w.T @ w, rtol=1e-4, atol=1e-3)
    ridge = torch.linalg.lstsq(torch.cat([w, torch.eye(3)]), torch.cat([x / model.noise.coarse**0.5, torch.zeros(3)])[:, None]).solution[:, 0]
    assert torch.allclose(torch.linalg.solve(precision[0], evidence[0]), ridge, atol=1e-3)


def test_half_of_a_person_tells_the_other_half_and_a_brain_tells_some(model: LatentCodes) -> None:
    others = people(8, 9)
    weight = torch.ones(8, math.prod(FINE_SITES))
    nats = {seen: float(code_loss(model.predicted("fine", *asked(model, others, *seen)), others["fine"].long(), weight))
            for seen in ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 0.0))}
    frequencies = float(code_loss(model.fine_frequencies[None].expand(8, -1, -1), others["fine"].long(), weight))
    assert nats[0.0, 0.0, 0.0] == pytest.approx(frequencies, rel=0.05)
    assert nats[1.0, 1.0, 0.0] < nats[1.0, 0.0, 0.0] + 0.1 < 0.9 * frequencies


def test_draws_are_as_various_as_people(model: LatentCodes) -> None:
    torch.manual_seed(3)
    drawn = torch.cat([torch.multinomial((model.logits(torch.randn(1, 3))[0][0] @ model.look_up).softmax(-1), 1).T for _ in range(200)])
    real = people(200, 1)["coarse"]
    a, b = (in_whitened_units(x).std(0).mean() for x in (drawn, real))
    assert float(a / b) == pytest.approx(1, abs=0.08)


def test_stage_end_to_end(prepared: Path, code_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_table, "PART", 4)
    monkeypatch.setattr("prosopon_training.stages.masked_latent.TRIED", {"left_fine": (0.2, 0.3)})
    main(["train", "masked-latent", "--data", str(prepared), "--fields", str(code_runs / "fields"), "--complement", str(code_runs / "vqvae"),
          "--brain", str(code_runs / "brain"), "--out", str(tmp_path / "run"), "--table", "4", "--components", "3"])
    model = load_latent(tmp_path / "run")
    assert model.noise.left_fine in (0.2, 0.3) and model.brain_weights.shape == (BRAIN, 3)
    main(["export", "masked-latent", "--run", str(tmp_path / "run"), "--models", str(tmp_path / "models")])
    assert (tmp_path / "models" / "masked-autoencoder-codes" / "card.md").exists()


def test_a_face_drawn_first_knows_nothing_of_the_brain(model: LatentCodes) -> None:
    from prosopon_training.draws import draw, latent_draw, sites_of_face

    brains = [100 * torch.rand(2, 4, *SITES), 100 * torch.rand(2, 2, *SITES)]
    drawn = [draw(model, *(b[i : i + 1] for b in brains), "face first", torch.Generator().manual_seed(3)) for i in range(2)]
    for level, shape in enumerate((SITES, FINE_SITES)):
        face = sites_of_face(shape).expand(1, 3, *shape) > 0
        assert torch.equal(drawn[0][level][face], drawn[1][level][face])
        assert not torch.equal(drawn[0][level], drawn[1][level])
    precision = torch.tensor([[[4.0, 1.0], [1.0, 2.0]]]).expand(4000, 2, 2)
    z = latent_draw(precision, torch.tensor([[6.0, 5.0]]).expand(4000, 2), torch.Generator().manual_seed(1))
    assert torch.allclose(z.mean(0), torch.tensor([1.0, 2.0]), atol=0.05)
    assert torch.allclose(torch.cov(z.T), torch.linalg.inv(precision[0]), atol=0.05)
