"""A stage's recipe as a file: ``training/configs/STAGE.toml``.

    stage = "vqvae-brain"
    [options]            # as on the command line, without the dashes; what the command line says wins
    width = 24
    [loop]               # what no option says: see single.Loop
    validate_every = 200
    [models.brain-encoder]   # which weights it gave; not read by training

``train STAGE --config FILE`` takes it; without it the options' own defaults hold, which are the recipe's where it does not say otherwise.
"""
from __future__ import annotations

import argparse
import tomllib
from dataclasses import fields
from pathlib import Path

from .single import Loop

LOOP_KEYS = {field.name for field in fields(Loop)}


def read_config(path: Path, stage: str, parser: argparse.ArgumentParser) -> tuple[dict[str, object], dict[str, float]]:
    """The options' values under the parser's names, and the loop's. Exits on what the stage does not know."""
    try:
        config = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SystemExit(f"{path.name}: expected a configuration (TOML), found {error}") from error
    if config.get("stage") != stage:
        raise SystemExit(f"{path.name}: expected stage '{stage}', found '{config.get('stage')}'")
    known = {action.option_strings[-1].removeprefix("--"): action for action in parser._actions if action.option_strings}
    options = {}
    for name, value in config.get("options", {}).items():
        if name not in known:
            raise SystemExit(f"{path.name}: stage '{stage}' has no option '{name}'")
        action = known[name]
        if action.choices is not None and value not in action.choices:
            raise SystemExit(f"{path.name}: {name}: expected one of {', '.join(map(str, action.choices))}, found {value}")
        options[action.dest] = action.type(value) if action.type in (float, Path) and not isinstance(value, list) else value
    loop = config.get("loop", {})
    if strange := set(loop) - LOOP_KEYS:
        raise SystemExit(f"{path.name}: expected loop settings among {', '.join(sorted(LOOP_KEYS))}, found {', '.join(sorted(strange))}")
    return options, loop


def config_named(arguments: list[str]) -> Path | None:
    """``--config FILE`` or ``--config=FILE``, looked at before the rest: it sets defaults that the rest is parsed with."""
    for i, argument in enumerate(arguments):
        if argument == "--config" and i + 1 < len(arguments):
            return Path(arguments[i + 1])
        if argument.startswith("--config="):
            return Path(argument.removeprefix("--config="))
    return None
