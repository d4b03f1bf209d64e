"""cp-gan in the form that moves the learned head: fields and pictures agree, units, a training that resumes, the export."""
from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from test_export import check, shaken

from prosopon_training.__main__ import main
from prosopon_training.data import read_index
from prosopon_training.gan_data import composites
from prosopon_training.gan_moved_data import MovedHead, make_moved_batch, moved_head
from prosopon_training.gan_moving_pair import field_distance
from prosopon_training.gan_start import fit_start, inputs, targets
from prosopon_training.initial import learned_head
from prosopon_training.networks.complement import warp
from prosopon_training.networks.moving import Moving, MovingGenerator, cube_fields, on_cube, rendered
from prosopon_training.stages.vqvae_complement import load_fields

LEARNED = Path(__file__).parents[2] / "models" / "head-128" / "model.onnx"
GAMMAS = (4, 8, 16, 32)


@pytest.fixture(scope="session")
def registered(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("moving")
    data, fields = folder / "data", folder / "fields"
    shutil.copytree(prepared, data)
    for name in ("sub-1", "sub-2"):
        np.save(data / f"{name}_hulls.npy", np.where((np.load(data / f"{name}_flags.npy") & 2) > 0, 255, 0).astype(np.uint8))
    main(["train", "register", "--data", str(data), "--out", str(fields), "--template", str(LEARNED), "--iterations", "3"])
    return data, fields


def heads(registered: tuple[Path, Path], split: str, size: int) -> list[MovedHead]:
    records = read_index([registered[0]], split)
    return [MovedHead(r, f, size) for r, f in zip(records, load_fields(registered[1], records))]


def random_gammas(n: int) -> list[torch.Tensor]:
    return [torch.rand(n, 3, s, s, s).round() for s in GAMMAS]


def test_learned_head_is_symmetric_and_a_template_is_kept(registered: tuple[Path, Path]) -> None:
    head = learned_head(LEARNED)
    assert head.shape == (128, 128, 96) and 1 < float(head.max()) <= 3
    assert float((head - head.flip(2)).abs().max()) < 0.05
    assert not (registered[1] / "template.npy").exists()
    kept = np.load(registered[1] / "template4.npy")[0, 0]
    assert np.allclose(kept, torch.nn.functional.avg_pool3d(head[None], 2)[0])


def test_starts_as_the_learned_head_whatever_the_noise() -> None:
    network = MovingGenerator(64, learned_head(LEARNED))
    images = network(torch.randn(2, 1, 4, 4, 4), random_gammas(2))
    assert [x.shape[2] for x in images] == [4, 8, 16, 32, 64]
    inner = (slice(None), slice(None)) + (slice(1, -1),) * 3
    assert torch.allclose(images[-1][inner], network.template.expand(2, -1, -1, -1, -1)[inner], atol=1e-4)
    with pytest.raises(ValueError, match="found 16"):
        MovingGenerator(16, learned_head(LEARNED))


def test_what_ships_is_in_normalised_coordinates_of_the_trimmed_cube() -> None:
    torch.manual_seed(0)
    network = MovingGenerator(32, learned_head(LEARNED))
    fields = torch.zeros(1, 4, 32, 32, 32)
    # 12 mm to the right, 16 mm forward, 8 mm down on the cube of 256 mm; twice as bright
    fields[0] = torch.tensor([12 / 128, 16 / 128, -8 / 128, np.log(2)]).view(4, 1, 1, 1)
    network.fields = lambda noise, gammas: fields  # noqa: ARG005
    displacement, gain = Moving(network)(torch.zeros(1, 1, 4, 4, 4))
    assert displacement.shape == (1, 3, 64, 64, 48) and gain.shape == (1, 1, 64, 64, 48)
    assert displacement[0, :, 5, 6, 7].tolist() == pytest.approx([12 / 96, 16 / 128, -8 / 128])
    assert float(gain.mean()) == pytest.approx(np.log(2), abs=1e-4)
    # and back
    again = cube_fields(displacement[:, :, ::2, ::2, ::2], gain[:, :, ::2, ::2, ::2])
    assert torch.allclose(again, fields)


def test_a_mirrored_head_is_the_picture_mirrored(registered: tuple[Path, Path]) -> None:
    head = heads(registered, "train", 64)[0]
    template = on_cube(learned_head(LEARNED), 64)
    rng = np.random.default_rng(0)

    class Flip:
        """Mirrors and does nothing else."""

        def random(self) -> float:
            return 0.0

        def normal(self, _mean: float, _spread: float, size: object = None) -> np.ndarray | float:
            return 0.0 if size is None else np.zeros(size)

    plain, fields = moved_head(None, head, 0)
    mirrored, turned = moved_head(Flip(), head, 0)  # type: ignore[arg-type]
    assert torch.allclose(mirrored, plain.flip(3), atol=1e-4)
    assert torch.allclose(rendered(template, turned[None]).flip(4), rendered(template, fields[None]), atol=0.02)
    # turned and stretched: gamma and picture go together, so that the brain stays in the head
    batch = make_moved_batch(rng, [head], template, [4, 8, 16, 32, 64], 2)
    assert batch.fields.shape == (2, 4, 32, 32, 32) and batch.weight.shape == (2, 1, 32, 32, 32)
    assert torch.isfinite(batch.heads[-1]).all()
    again = composites([rendered(template, batch.fields)], type(batch)(
        *([part[-1]] for part in (batch.heads, batch.gammas, batch.brains, batch.shares, batch.covered)), batch.fields, batch.weight))
    assert torch.allclose(again[0], batch.heads[-1], atol=1e-5)


def test_fields_go_with_an_affine_map(registered: tuple[Path, Path]) -> None:
    """The picture of the mapped fields is the mapped picture: u'(p) = u(Ap) + Ap - p."""
    head = heads(registered, "train", 64)[0]
    template = on_cube(learned_head(LEARNED), 64)
    rng = np.random.default_rng(5)
    state = rng.bit_generator.state
    _, fields = moved_head(rng, head, 0)
    rng.bit_generator.state = state
    mirrored = rng.random() < 0.5
    from prosopon_training.augment import rotation_matrix

    matrix = rotation_matrix(rng.normal(0, 0.01, 3)) @ np.diag(np.exp(rng.normal(0, 0.02) + rng.normal(0, 0.01, 3)))
    theta = torch.tensor(np.concatenate([matrix, rng.normal(0, 0.004, (3, 1))], 1), dtype=torch.float32)[None]
    grid = torch.nn.functional.affine_grid(theta, [1, 1, 64, 64, 64], align_corners=False)
    picture = rendered(template, head.fields[None])
    picture = picture.flip(4) if mirrored else picture
    wanted = torch.nn.functional.grid_sample(picture, grid, padding_mode="border", align_corners=False)
    found = rendered(template, torch.cat([fields[:3], head.fields[3:] * 0])[None])
    plain = rendered(template, torch.cat([head.fields[:3], head.fields[3:] * 0])[None])
    plain = torch.nn.functional.grid_sample(plain.flip(4) if mirrored else plain, grid, padding_mode="border", align_corners=False)
    inner = (slice(None), slice(None)) + (slice(6, -6),) * 3
    assert float((found - plain)[inner].abs().mean()) < 0.02 < float((picture - plain)[inner].abs().mean() + (wanted - picture)[inner].abs().mean())


def test_start_finds_what_hull_and_mask_tell(registered: tuple[Path, Path]) -> None:
    """Heads whose fields are a linear function of how far their hulls reach, and a part that nothing tells."""
    torch.manual_seed(3)
    template = heads(registered, "train", 32)[0]
    rng = np.random.default_rng(3)
    z, y, x = np.mgrid[:32, :32, :32] - 15.5
    pool, raw, part = [], [], torch.from_numpy(np.exp(-(x**2 + y**2 + (z - 4) ** 2) / 80)).float()
    for _ in range(40):
        radius, free = rng.uniform(8, 13), rng.normal()
        head = object.__new__(MovedHead)
        hull = torch.from_numpy((x**2 + y**2 + z**2 < radius**2).astype(np.uint8) * 255)
        head.parts, head.hulls, head.id, head.fields = template.parts, [hull] * 8, "drawn", template.fields
        pool.append(head)
        field = torch.zeros(4, 32, 32, 32)
        field[1] = (radius - 10.5) * part  # forward by how large the hull is
        field[2] = 0.5 * free * part  # and up by what nobody knows
        raw.append(torch.nn.functional.avg_pool3d(field[None], 2)[0])
    network = MovingGenerator(32, learned_head(LEARNED))
    row = fit_start(network.start, pool[:30], torch.stack(raw[:30]))
    assert 0.6 < row["start_explained"] < 0.97  # of 2.08 + 0.25 of variance the first part is known
    start = network.start
    gammas = inputs(pool[30:], torch.Generator().manual_seed(1))[:, 0]
    gammas = torch.cat([gammas, torch.zeros(10, 1, 32, 32, 32)], 1)
    still = start(torch.zeros(10, 1, 4, 4, 4), gammas)[:, :, 16:22, 14:18, 14:18].mean((2, 3, 4))
    wanted = torch.stack(raw[30:])[:, :, 8:11, 7:9, 7:9].mean((2, 3, 4))
    assert float((still[:, 1] - wanted[:, 1]).abs().mean()) < 0.25 * float(wanted[:, 1].abs().mean())
    draws = start(torch.randn(200, 1, 4, 4, 4), gammas[:1].expand(200, -1, -1, -1, -1))[:, :, 16:22, 14:18, 14:18].mean((2, 3, 4))
    # what nobody knows is drawn as it spreads
    assert float(draws[:, 2].std()) == pytest.approx(float(torch.stack(raw)[:, 2, 8:11, 7:9, 7:9].mean((1, 2, 3)).std()), rel=0.35)
    assert float(draws[:, 0].std()) < 0.05


def test_start_of_one_head_is_its_mean(registered: tuple[Path, Path]) -> None:
    pool = heads(registered, "train", 32)
    network = MovingGenerator(32, learned_head(LEARNED))
    raw = targets(registered[1], read_index([registered[0]], "train"))
    fit_start(network.start, pool, raw)
    gamma = torch.cat([inputs(pool, torch.Generator().manual_seed(1))[0, :1], torch.zeros(1, 1, 32, 32, 32)], 1)
    found = network.start(torch.randn(1, 1, 4, 4, 4), gamma)
    assert torch.isfinite(found).all()
    # one head and its mirror image: their mean is symmetric, up to what the toss of the hull tells of one or the other
    assert float((found[:, 1:] - found[:, 1:].flip(4)).abs().mean()) <= float(raw.abs().mean())


def test_distance_of_two_draws_is_best_with_the_true_spread() -> None:
    torch.manual_seed(2)
    real, one, other = (torch.randn(1, 4, 32, 32, 32) for _ in range(3))
    # no part for steps between voxels: white noise has nothing else
    weight = torch.full((1, 1, 32, 32, 32), 1.0)
    found = {(m, s): float(field_distance(s * one + m, s * other + m, 0.5 * real + 3, weight, 12**-0.5)
                           - sum(((s * (one + other) / 2 - 0.5 * real) / torch.tensor([0.05, 0.05, 0.05, 0.3]).view(1, 4, 1, 1, 1)).diff(dim=a).abs().mean()
                                 for a in (2, 3, 4)))
             for m in (2.8, 3, 3.2) for s in (0, 0.25, 0.5, 0.75, 1)}
    assert min(found, key=lambda key: found[key]) == (3, 0.5)


def test_training_stops_resumes_and_is_exported(registered: tuple[Path, Path], tmp_path: Path) -> None:
    data, fields = registered
    run, models = tmp_path / "run", tmp_path / "models"
    common = ["train", "cp-gan", "--form", "move", "--data", str(data), "--fields", str(fields), "--template", str(LEARNED),
              "--out", str(run), "--size", "32", "--minutes", "30"]
    main([*common, "--steps", "3", "--imitate", "2"])
    first = torch.load(run / "checkpoint.pt", weights_only=True)
    main([*common, "--steps", "5", "--imitate", "2", "--likeness", "0.5"])
    second = torch.load(run / "checkpoint.pt", weights_only=True)
    assert (first["step"], second["step"], second["updates"]) == (3, 5, 5)
    assert "template" not in second["model"]
    assert (run / "samples" / "000005-last.png").exists()
    main(["export", "cp-gan", "--run", str(run), "--models", str(models), "--template", str(LEARNED)])
    record = json.loads((models / "cp-gan-generator" / "model.json").read_text())
    assert [entry["name"] for entry in record["inputs"]] == ["noise", *(f"gamma_{s}" for s in GAMMAS)]
    assert [entry["name"] for entry in record["outputs"]] == ["displacement", "gain"]
    assert "learned head" in (models / "cp-gan-generator" / "card.md").read_text()
    main([*common, "--steps", "1", "--initial", str(models / "cp-gan-generator" / "model.onnx"), "--out", str(tmp_path / "next")])
    with pytest.raises(SystemExit, match="--fields"):
        main(["train", "cp-gan", "--form", "move", "--data", str(data), "--out", str(tmp_path / "none"), "--steps", "1", "--minutes", "1"])


def test_what_ships_runs_everywhere(tmp_path: Path) -> None:
    import onnx

    torch.manual_seed(0)
    network = Moving(shaken(MovingGenerator(32, torch.rand(128, 128, 96))))
    feeds = {"noise": torch.randn(1, 1, 4, 4, 4)} | {f"gamma_{s}": torch.rand(1, 3, s, s, s) for s in GAMMAS}
    path = check(tmp_path, "cp-gan-generator", network, feeds, ["displacement", "gain"])
    found = {node.op_type for node in onnx.load(str(path)).graph.node}
    assert "ConvTranspose" not in found
    for node in onnx.load(str(path)).graph.node:
        assert all(a.i == 1 for a in node.attribute if a.name == "group")
    assert path.stat().st_size < 6e6


def test_a_displacement_reads_the_head_elsewhere() -> None:
    template = torch.zeros(1, 1, 32, 32, 32)
    template[0, 0, 16, 20, 16] = 1
    moved = warp(template, torch.tensor([0.0, 4 * 2 / 32, 0]).view(1, 3, 1, 1, 1).expand(1, 3, 32, 32, 32))
    assert float(moved[0, 0, 16, 16, 16]) == pytest.approx(1, abs=1e-4)
