"""The recipes in ``training/configs``, what a run records of itself, and what of it travels with the weights."""
from __future__ import annotations

import importlib
import json
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from prosopon_training.__main__ import STAGES, main
from prosopon_training.record import digest, ship

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "training" / "configs").glob("*.toml"))


def test_every_stage_has_a_recipe() -> None:
    assert {tomllib.loads(path.read_text())["stage"] for path in CONFIGS} == set(STAGES)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_recipe_is_of_its_stage_and_its_loop_is_the_stages(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every option is known to the real parser; the numbers that no option sets are those that the stage trains with."""
    config = tomllib.loads(path.read_text())
    stage = importlib.import_module(f"prosopon_training.stages.{STAGES[config['stage']]}")
    taken = []
    monkeypatch.setattr(stage, "run", taken.append)
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    needs = {"vqvae-complement": ["fields"], "vqvae-complement-fine": ["fields"], "masked-autoencoder": ["fields", "complement", "brain"],
             "masked-levels": ["fields", "complement", "brain"], "masked-latent": ["fields", "complement", "brain"], "paint": ["native"]}.get(config["stage"], [])
    main(["train", config["stage"], "--data", "none", "--out", str(tmp_path), "--config", str(path), "--seed", "5",
          *[part for name in needs for part in (f"--{name}", "none")]])
    (args,) = taken
    assert args.seed == 5
    for name, value in ({**config["options"], "seed": 5}).items():
        assert getattr(args, name.replace("-", "_")) == value
    assert config.get("loop", {}) == (asdict(stage.LOOP) if hasattr(stage, "LOOP") else {})


def test_shipped_weights_have_a_recipe_and_its_figures() -> None:
    named = {}
    for path in CONFIGS:
        for name, entry in tomllib.loads(path.read_text()).get("models", {}).items():
            named[name] = entry
    shipped = [ROOT / "models", ROOT / "packages" / "ruler" / "models"]
    folders = {path.parent.name: path.parent for home in shipped for path in home.glob("*/model.onnx")}
    assert set(named) == set(folders)
    for name, folder in folders.items():
        assert json.loads((folder / "model.json").read_text())["version"] == named[name]["version"], name
        record = json.loads((folder / "training.json").read_text())
        assert record["stage"] in STAGES and record["parts"]
        for part in record["parts"]:
            assert {"commit", "seed", "inputs"} <= {*part, *part["options"]}


@pytest.mark.parametrize("text, message", [
    ('stage = "sqn"\n', "expected stage 'vqvae-brain', found 'sqn'"),
    ('stage = "vqvae-brain"\n[options]\nwide = 3\n', "has no option 'wide'"),
    ('stage = "vqvae-brain"\n[loop]\nspeed = 3\n', "expected loop settings among"),
    ("stage = ", "expected a configuration"),
])
def test_config_that_does_not_fit_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(SystemExit, match=message):
        main(["train", "vqvae-brain", "--data", "a", "--out", str(tmp_path / "run"), "--config", str(tmp_path / "x.toml")])


def test_recipe_travels_with_the_weights(prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text('stage = "vqvae-brain"\n[options]\nwidth = 8\nsteps = 2\n[loop]\nvalidate_every = 2\nwarm_up = 1\n')
    run, models = tmp_path / "run", tmp_path / "models"
    command = ["train", "vqvae-brain", "--data", str(prepared), "--out", str(run), "--config", str(tmp_path / "recipe.toml")]
    main(command)
    main([*command, "--steps", "4", "--seed", "3"])
    main([*command, "--steps", "4", "--seed", "3"])
    main(["export", "vqvae-brain", "--run", str(run), "--models", str(models)])
    record = json.loads((models / "brain-encoder" / "training.json").read_text())
    assert (record["stage"], record["steps"], record["validatedAtStep"]) == ("vqvae-brain", 4, 4)
    assert record["metrics"].keys() == {"val_loss", "val_psnr", "perplexity"}
    assert [(part["fromStep"], part["options"]["steps"], part["options"]["seed"]) for part in record["parts"]] == [(0, 2, 1), (2, 4, 3)]
    part = record["parts"][0]
    assert part["loop"]["validate_every"] == 2 and part["options"]["width"] == 8
    assert part["inputs"]["data"] == [digest(prepared)] and part["inputs"]["data"][0]["files"] >= 7  # other tests add hulls
    assert len(part["commit"].split()[0]) == 40 or part["commit"] == "not recorded"
    text = (models / "brain-encoder" / "training.json").read_text()
    assert str(tmp_path) not in text and "sub-1" not in text and str(prepared) not in text


def test_digest_changes_with_a_voxel(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{}")
    (tmp_path / "a_image.npy").write_bytes(b"1")
    before = digest(tmp_path)
    (tmp_path / "a_image.npy").write_bytes(b"2")
    assert digest(tmp_path) != before and digest(tmp_path)["files"] == 2
    assert digest(tmp_path / "none") == {"sha256": "not recorded"}


def test_run_older_than_its_record_says_so(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(json.dumps({"step": 5, "seconds": 90.0, "loss": 1.0, "val_dice": 0.9}) + "\n")
    out = tmp_path / "model"
    out.mkdir()
    ship(tmp_path, out)
    record = json.loads((out / "training.json").read_text())
    assert record["parts"] == "not recorded" and record["metrics"] == {"val_dice": 0.9} and record["minutes"] == 1.5


def test_register_resumes_where_it_stopped(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prosopon_training.stages import register

    command = ["train", "register", "--data", str(prepared), "--iterations", "1", "1", "--out"]
    main([*command, str(tmp_path / "whole")])
    done = register.register
    calls = []

    def stops(*args: object) -> tuple:
        calls.append(args)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return done(*args)

    monkeypatch.setattr(register, "register", stops)
    monkeypatch.setattr(register, "CHECKPOINT_EVERY", 1)
    with pytest.raises(KeyboardInterrupt):
        main([*command, str(tmp_path / "parts")])
    monkeypatch.setattr(register, "register", done)
    main([*command, str(tmp_path / "parts")])
    for name in ("template.npy", "template4.npy", "fields.npz"):
        assert (tmp_path / "whole" / name).read_bytes()[-1000:] == (tmp_path / "parts" / name).read_bytes()[-1000:], name
    state = torch.load(tmp_path / "parts" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 4 and state["names"] == ["sub-1", "sub-2"]
