"""The loop, where it starts from, what it reads, and the command."""
from __future__ import annotations

import argparse
import json
import math
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from prosopon_training import averaging
from prosopon_training.__main__ import STAGES, main
from prosopon_training.contract import BRAIN
from prosopon_training.data import read_index
from prosopon_training.initial import load_initial
from prosopon_training.loop import Best
from prosopon_training.record import ship
from prosopon_training.runs import load_run, write_weights
from prosopon_training.schedule import Rates, cosine, linear_end
from prosopon_training.single import Loop, train


def arguments(steps: int, learning_rate: float = 0.05, initial: Path | None = None) -> argparse.Namespace:
    return argparse.Namespace(minutes=10, steps=steps, learning_rate=learning_rate, seed=0, initial=initial)


def fit(out: Path, steps: int, seen: list[int], initial: Path | None = None, drawn: list[float] | None = None) -> nn.Module:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = nn.Linear(3, 1)

    def step_loss(step: int) -> tuple[torch.Tensor, dict[str, float]]:
        seen.append(step)
        x = torch.randn(16, 3)
        if drawn is not None:
            drawn.append(float(x[0, 0]) + rng.random())
        loss = ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()
        return loss, {"twice": 2 * float(loss.detach())}

    return train(model, step_loss, lambda ema: {"val": float(ema.weight.detach().sum())}, out, arguments(steps, initial=initial), rng,
                 Loop(warm_up=1, validate_every=4))


def test_loop_learns_writes_and_resumes(tmp_path: Path) -> None:
    seen: list[int] = []
    fit(tmp_path, 10, seen)
    assert seen == list(range(10))
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["step"] == 10 and not list(tmp_path.glob("*.part"))
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [4, 8]
    assert all(math.isclose(row["twice"], 2 * row["loss"], rel_tol=1e-6) and "val" in row for row in rows)
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"

    seen.clear()
    fit(tmp_path, 10, seen)
    assert seen == [], "a finished run does nothing more"
    fit(tmp_path, 25, seen)
    assert seen == list(range(10, 25))
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 25

    ema = fit(tmp_path / "long", 200, [])
    assert torch.allclose(ema.weight, torch.ones(1, 3), atol=0.1)


def test_resumed_run_draws_what_it_would_have_drawn(tmp_path: Path) -> None:
    whole: list[float] = []
    straight = fit(tmp_path / "a", 20, [], drawn=whole)
    parts: list[float] = []
    fit(tmp_path / "b", 12, [], drawn=parts)
    resumed = fit(tmp_path / "b", 20, [], drawn=parts)
    assert parts == whole
    # the rates are those of another budget for the first steps, so the weights are near, not the same
    assert torch.allclose(resumed.weight, straight.weight, atol=0.5)


def test_checkpoint_without_random_state_goes_on_with_other_draws(tmp_path: Path) -> None:
    first: list[float] = []
    fit(tmp_path, 5, [], drawn=first)
    path = tmp_path / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    del state["chance"]
    torch.save(state, path)
    later: list[float] = []
    fit(tmp_path, 10, [], drawn=later)
    assert len(later) == 5 and not set(first) & set(later)


def test_checkpoint_that_runs_code_is_not_loaded(tmp_path: Path) -> None:
    torch.save({"ema": {}, "step": 0, "spent": 0.0, "trap": argparse.Namespace()}, tmp_path / "checkpoint.pt")
    with pytest.raises(pickle.UnpicklingError):
        fit(tmp_path, 1, [])


def test_average_is_the_warmed_up_exponential_one() -> None:
    torch.manual_seed(1)
    model = nn.BatchNorm1d(3)
    kept = averaging.averaged(model, 0.4)
    wanted = {k: v.clone() for k, v in model.state_dict().items()}
    for updates in range(1, 8):
        with torch.no_grad():
            model.weight.normal_()
        model(torch.randn(5, 3))
        decay = min(0.4, (1 + updates) / (10 + updates))
        for key, value in model.state_dict().items():
            wanted[key] = torch.lerp(wanted[key], value, 1 - decay) if value.dtype.is_floating_point else value.clone()
        kept.update_parameters(model)
        assert averaging.updates(kept) == updates
        assert all(torch.equal(v, wanted[k]) for k, v in kept.module.state_dict().items())
    assert not kept.module.training and not any(p.requires_grad for p in kept.module.parameters())


def test_rates_follow_the_budget_from_the_own_rate_even_after_a_load() -> None:
    weight = nn.Parameter(torch.zeros(1))
    weight.grad = torch.ones(1)
    optimiser = torch.optim.AdamW([weight], lr=0.5)
    rates = Rates([optimiser], cosine(warm_up=2))
    optimiser.load_state_dict({**optimiser.state_dict(), "param_groups": [{**optimiser.state_dict()["param_groups"][0], "lr": 0.001}]})
    seen = []
    for step, progress in ((0, 0.0), (1, 0.0), (5, 0.5), (9, 1.0)):
        rates.to(step, progress)
        seen.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
    assert seen == pytest.approx([0.25, 0.5, 0.5 * 0.515, 0.5 * 0.03])
    assert [linear_end(50)(100, p) for p in (0, 0.5, 0.8, 1.0)] == pytest.approx([1, 1, 0.55, 0.1])


def test_loop_skips_a_step_that_is_not_finite(tmp_path: Path) -> None:
    model = nn.Linear(1, 1)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    train(model, lambda step: (model.weight.sum() * float("nan"), {}), lambda _: {}, tmp_path, arguments(3, learning_rate=1.0))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_initial_checkpoint_is_the_start(tmp_path: Path) -> None:
    ema = fit(tmp_path / "a", 50, [])
    started = fit(tmp_path / "b", 0, [], initial=tmp_path / "a" / "checkpoint.pt")
    assert torch.equal(started.weight, ema.weight)


@pytest.mark.parametrize("higher, wanted", [(True, 8), (False, 12)])
def test_best_checkpoint_is_kept_and_used(tmp_path: Path, higher: bool, wanted: int) -> None:
    figures = iter([0.2, 0.7, 0.1, float("nan"), 0.5, 0.3])

    def go(steps: int) -> None:
        model = nn.Linear(3, 1)
        train(model, lambda step: ((model(torch.randn(16, 3)) ** 2).mean(), {}), lambda ema: {"val_share": next(figures)}, tmp_path, arguments(steps),
              loop=Loop(warm_up=1, validate_every=4), best=Best("val_share", higher))

    go(16)
    go(24)  # resumed: what was kept before is beaten by nothing that comes
    best, last = (torch.load(tmp_path / name, weights_only=True) for name in ("best.pt", "checkpoint.pt"))
    assert (best["step"], best["value"], last["step"]) == (wanted, {8: 0.7, 12: 0.1}[wanted], 24)
    assert torch.equal(load_run(nn.Linear(3, 1), tmp_path).weight, best["ema"]["weight"])
    started = nn.Linear(3, 1)
    assert load_initial(started, tmp_path / "best.pt") == [] and torch.equal(started.weight, best["ema"]["weight"])
    (tmp_path / "shipped").mkdir()
    ship(tmp_path, tmp_path / "shipped")
    shipped = json.loads((tmp_path / "shipped" / "training.json").read_text())
    assert shipped["validatedAtStep"] == wanted and shipped["metrics"]["val_share"] == best["value"]


def test_weights_kept_as_halves_hold_what_halves_cannot(tmp_path: Path) -> None:
    torch.save({"ema": {"weight": torch.full((2,), 0.5), "variance": torch.full((2,), 3e5), "seen": torch.tensor(7)}}, tmp_path / "checkpoint.pt")
    write_weights(tmp_path, tmp_path / "small.pt")
    kept = torch.load(tmp_path / "small.pt", weights_only=True)["ema"]
    assert [kept[k].dtype for k in ("weight", "variance", "seen")] == [torch.float16, torch.float32, torch.int64]
    assert float(kept["variance"][0]) == 3e5


def test_part_that_is_built_otherwise_starts_afresh(tmp_path: Path) -> None:
    old, new = (nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, n)}) for n in (2, 3))
    torch.save({"ema": old.state_dict()}, tmp_path / "old.pt")
    assert sorted(load_initial(new, tmp_path / "old.pt")) == ["b.bias", "b.weight"]
    assert torch.equal(new["a"].weight, old["a"].weight)
    with pytest.raises(SystemExit, match="is not of this network"):
        load_initial(nn.ModuleDict({"c": nn.Linear(2, 2)}), tmp_path / "old.pt")


def test_read_index(prepared: Path) -> None:
    (head,) = read_index([prepared], "train")
    assert (head.id, head.age, head.sex) == ("sub-1", 40.5, "F")
    assert math.isnan(read_index([prepared], "val")[0].age)
    image, flags = head.load("image"), head.load("flags")
    assert image.shape == flags.shape == (128, 128, 128)
    assert abs(float(image[(flags & BRAIN) > 0].mean()) - 100) < 2
    with pytest.raises(SystemExit, match="no head of split 'test'"):
        read_index([prepared], "test")


STAGES_THERE = [name for name, module in STAGES.items()
                if (Path(__file__).parents[1] / "prosopon_training" / "stages" / f"{module}.py").exists()]


@pytest.mark.parametrize("stage", STAGES_THERE)
def test_help_of_every_stage(stage: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", stage, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "--data" in text and "--initial" in text and "--out" in text


def test_runs_as_a_module(prepared: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "prosopon_training", "train", "--help"], text=True, capture_output=True,
                          cwd=Path(__file__).parents[1], check=True)
    assert all(stage in done.stdout for stage in STAGES_THERE)


def test_brain_extraction_end_to_end(prepared: Path, tmp_path: Path) -> None:
    run = ["train", "brain-extraction", "--data", str(prepared), "--width", "8", "--minutes", "5", "--out"]
    main([*run, str(tmp_path / "run"), "--steps", "2"])
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 2
    assert all(torch.isfinite(v).all() for v in state["ema"].values() if v.dtype.is_floating_point)
    assert json.loads((tmp_path / "run" / "settings.json").read_text()) == {"width": 8}


def test_cohort_stands_for_commands_that_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line is parsed by the real parser; the stages and exports themselves are replaced."""
    import prosopon_training.exports as exports
    import prosopon_training.stages as stages  # noqa: F401

    done: list[tuple] = []
    for name, module in STAGES.items():
        if name not in STAGES_THERE:
            continue
        stage = __import__(f"prosopon_training.stages.{module}", fromlist=["run"])
        monkeypatch.setattr(stage, "run", lambda args: done.append(("train", args.stage, args.initial, args.minutes)))
    monkeypatch.setattr(exports, "EXPORTS", {k: lambda run, models, args: done.append(("export", args.stage, models))
                                             for k in exports.EXPORTS})
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    for name in ("brain-finder", "brain-encoder"):
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "model.onnx").touch()
    (tmp_path / "new" / "brain-encoder").mkdir(parents=True)
    main(["cohort", "--data", "a", "b", "--shipped", str(tmp_path / "models"), "--runs", str(tmp_path), "--out",
          str(tmp_path / "new"), "--minutes", "6"])
    trained = [entry for entry in done if entry[0] == "train"]
    assert [entry[1] for entry in trained] == [
        "register", "vqvae-brain", "vqvae-complement-fine", "masked-latent"]
    assert trained[0][2] is None and trained[1][3] == 3
    assert trained[1][2] == tmp_path / "models" / "brain-encoder" / "model.onnx"
    assert (tmp_path / "new" / "brain-finder" / "model.onnx").exists(), "what no stage makes is copied"
    assert not (tmp_path / "new" / "brain-encoder" / "model.onnx").exists(), "what is there stays"
    # The ruler's networks and the texture's are learnt from other data than a site's 2 mm cohort; cp-gan needs hulls as well,
    # and the painter, which does not ship, draws.
    other = {"brain-finder", "brain-extraction", "segmentation", "brain-age", "sqn", "texture", "cp-gan", "paint"}
    assert {entry[1] for entry in done if entry[0] == "export"} == set(exports.EXPORTS) - other


def test_brain_extraction_continues_from_what_ships(prepared: Path, tmp_path: Path) -> None:
    run = ["train", "brain-extraction", "--data", str(prepared), "--width", "8", "--minutes", "5", "--steps", "0", "--out"]
    main([*run, str(tmp_path / "a")])
    main(["export", "brain-extraction", "--run", str(tmp_path / "a"), "--models", str(tmp_path / "models")])
    main([*run, str(tmp_path / "b"), "--initial", str(tmp_path / "models" / "brain-extraction" / "model.onnx")])
    a, b = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)["ema"] for name in "ab")
    assert all(torch.allclose(a[key], b[key], atol=2e-3) for key in a)
    assert any(not torch.equal(a[key], b[key]) for key in a), "halves in the file: not the very same bits"
