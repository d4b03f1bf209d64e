"""What a run was: ``training.json`` beside its checkpoint, and at export beside the weights in ``models/NAME``.

    begin(args, LOOP)                  # when a run starts or goes on
    ship(run, Path("models/NAME"))     # with the metrics of its last validation

It holds the recipe, commit, seed, versions and digests of what was read: no path, and no name of a person's scan.
"""
from __future__ import annotations

import argparse
import hashlib
import json
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import torch

from . import device
from .runs import BEST, log_rows, read_checkpoint

VERSION = 1
NOT_RECORDED = "not recorded"
PLACES = ("out", "run", "command", "stage", "config", "loop")
"""Arguments that are no part of the recipe."""
FOLDERS = ("data", "candidates")
INPUTS = ("index.json", "fields.npz", "checkpoint.pt")
"""By one of these a folder is known; its arrays are those that its index names."""


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(path: Path) -> dict[str, object]:
    """SHA-256 of a file, or of a folder's list of names and SHA-256s (index and arrays; of a run, its checkpoint or fields)."""
    if path.is_file():
        return {"sha256": file_digest(path)}
    if not path.exists():  # the stage says so in its own words
        return {"sha256": NOT_RECORDED}
    files = sorted(file for file in path.iterdir() if file.name in INPUTS or file.suffix == ".npy")
    if not files:
        return {"sha256": NOT_RECORDED}
    listed = "".join(f"{file_digest(file)}  {file.name}\n" for file in files)
    return {"sha256": hashlib.sha256(listed.encode()).hexdigest(), "files": len(files)}


def commit() -> str:
    """Of this package's clone; marked where tracked files differ from it."""
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + (" with changes" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return NOT_RECORDED


def describe(args: argparse.Namespace, loop: dict[str, object], place: torch.device) -> dict[str, object]:
    options, inputs = {}, {}
    for key, value in sorted(vars(args).items()):
        if key in PLACES or callable(value) or value is None:
            continue
        name, values = key.replace("_", "-"), value if isinstance(value, list) else [value]
        if key in FOLDERS or isinstance(values[0], Path):
            inputs[name] = [digest(Path(path)) for path in values]
        else:
            options[name] = value
    return {
        "commit": commit(), "options": options, "loop": loop, "inputs": inputs, "device": place.type,
        "python": platform.python_version(), "torch": torch.__version__, "numpy": metadata.version("numpy"),
    }


def begin(args: argparse.Namespace, loop: dict[str, object]) -> None:
    """Writes ``training.json``; a run that goes on under another recipe, commit or data gets an entry more."""
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "training.json"
    old = json.loads(path.read_text()) if path.exists() else {"version": VERSION, "stage": args.stage, "parts": []}
    if not old["parts"] and (out / "checkpoint.pt").exists():
        old["parts"].append(NOT_RECORDED)  # the run is older than its record
    rows = log_rows(out)
    part = {"fromStep": rows[-1]["step"] if rows else 0, **describe(args, loop, device.pick())}
    if not old["parts"] or {**part, "fromStep": 0} != {**as_dict(old["parts"][-1]), "fromStep": 0}:
        old["parts"].append(part)
    path.write_text(json.dumps(old, indent=2) + "\n")


def as_dict(part: object) -> dict:
    return part if isinstance(part, dict) else {}


def is_figure_of_val(key: str) -> bool:
    return key.startswith(("val", "perplexity", "codes_used", "painted", "t1w", "random"))


def ship(run: Path, folder: Path) -> None:
    """``training.json`` of the run, with how far it got. A run older than its record says so."""
    path = run / "training.json"
    record = json.loads(path.read_text()) if path.exists() else {"version": VERSION, "stage": NOT_RECORDED, "parts": NOT_RECORDED}
    if rows := log_rows(run):
        last = read_checkpoint(run / BEST)["step"] if (run / BEST).exists() else rows[-1]["step"]
        judged = next((row for row in rows[::-1] if row["step"] <= last and any(is_figure_of_val(key) for key in row)), rows[-1])
        record |= {"steps": rows[-1]["step"], "minutes": round(rows[-1]["seconds"] / 60, 1), "validatedAtStep": judged["step"],
                   "metrics": {key: float(f"{value:.4g}") for key, value in judged.items() if is_figure_of_val(key)}}
    (folder / "training.json").write_text(json.dumps(record, indent=2) + "\n")


def machine(run: Path) -> str:
    """In the words of a card. Runs older than their record were all on CPUs."""
    path = run / "training.json"
    parts = [as_dict(part) for part in json.loads(path.read_text())["parts"]] if path.exists() else []
    if any(part.get("device") == "cuda" for part in parts):
        return "a GPU"
    threads = max([part.get("options", {}).get("threads", 1) for part in parts], default=1)
    return "one core of a CPU" if threads == 1 else f"{threads} cores of a CPU"
