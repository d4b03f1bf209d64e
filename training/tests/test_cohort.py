"""What `cohort` refuses before it trains."""
import argparse
import json
from pathlib import Path

import pytest

from prosopon_training.cohort import LEAST_TRAIN_HEADS, require_enough, run


def prepared(folder: Path, train: int, val: int) -> str:
    folder.mkdir()
    heads = [{"id": f"sub-{i}", "split": "train" if i < train else "val"} for i in range(train + val)]
    (folder / "index.json").write_text(json.dumps({"version": 1, "heads": heads}))
    return str(folder)


def test_a_cohort_that_is_too_small_is_refused_before_any_stage(tmp_path: Path) -> None:
    few = [prepared(tmp_path / "a", LEAST_TRAIN_HEADS - 5, 30), prepared(tmp_path / "b", 4, 0)]
    trained: list[list[str]] = []
    with pytest.raises(SystemExit, match=f"at least {LEAST_TRAIN_HEADS} .* found {LEAST_TRAIN_HEADS - 1}"):
        run(argparse.Namespace(data=few), trained.append)
    assert trained == []
    require_enough([*few, prepared(tmp_path / "c", 1, 0)])
    require_enough([str(tmp_path / "none")])
