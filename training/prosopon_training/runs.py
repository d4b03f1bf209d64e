"""Run folders: what is read of one, and how a checkpoint is written.

    network = load_run(BrainExtraction(settings_of(run)["width"]), run)
"""
from __future__ import annotations

import json
from pathlib import Path

import torch

BEST = "best.pt"
"""Beside ``checkpoint.pt`` in the run folder of a learner that names a figure to be judged by."""


def read_checkpoint(path: Path) -> dict:
    """Tensors, numbers and text alone: a checkpoint from elsewhere runs no code."""
    return torch.load(path, map_location="cpu", weights_only=True)


def save(path: Path, **parts: object) -> None:
    """Writes a checkpoint whole or not at all."""
    partial = path.with_suffix(".part")
    torch.save(parts, partial)
    partial.replace(path)


def settings_of(run: Path) -> dict:
    return json.loads((run / "settings.json").read_text())


def write_settings(run: str | Path, **settings: object) -> Path:
    """Makes the folder, and writes what export has to know to build the network again."""
    out = Path(run)
    out.mkdir(parents=True, exist_ok=True)
    (out / "settings.json").write_text(json.dumps(settings))
    return out


def chosen(folder: Path) -> Path:
    """The checkpoint of a run that is used and exported."""
    return folder / BEST if (folder / BEST).exists() else folder / "checkpoint.pt"


def write_weights(run: Path, path: Path) -> None:
    """The averaged weights of a run alone, as halves (a few MB): a start for ``--initial``. What halves cannot hold stays as it is:
    the running variances of a training that ran away became infinite, and with them one code was all that was left."""
    ema = read_checkpoint(chosen(run))["ema"]
    halves = {key: v.half() if v.is_floating_point() else v for key, v in ema.items()}
    save(path, ema={key: v if torch.isfinite(v).all() else ema[key] for key, v in halves.items()})


def load_run(model: torch.nn.Module, folder: Path) -> torch.nn.Module:
    """The averaged weights of a run: the best ones where they were kept, else the last."""
    model.load_state_dict(read_checkpoint(chosen(folder))["ema"])
    return model.eval().requires_grad_(False)


def log_rows(run: Path) -> list[dict[str, float]]:
    log = run / "log.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def draw_curves(folder: Path) -> None:
    """Every numeric field of ``log.jsonl`` over steps, in ``curves.png``."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = log_rows(folder)
    keys = sorted({key for row in rows for key in row if key not in ("step", "seconds")})
    if not keys:
        return
    figure, axes = plt.subplots(len(keys), 1, figsize=(7, 2 * len(keys)), squeeze=False)
    for axis, key in zip(axes[:, 0], keys):
        points = [(row["step"], row[key]) for row in rows if key in row]
        axis.plot(*zip(*points))
        axis.set_ylabel(key, fontsize=7)
    figure.tight_layout()
    figure.savefig(folder / "curves.png", dpi=70)
    plt.close(figure)
