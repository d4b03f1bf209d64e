"""Where a training starts: a run's ``checkpoint.pt``, or the shipped ``models/NAME/model.onnx``, whose initialisers bear the
names of the parameters (export folds no constants for that reason; ONNX Runtime folds them when it loads).

    load_initial(model, Path("models/brain-extraction/model.onnx"))
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from .contract import PEAK_LEVELS, TRIMMED_2MM
from .runs import read_checkpoint


def onnx_weights(path: Path) -> dict[str, torch.Tensor]:
    """Named initialisers as float32; those stored as halves under their own names. Anonymous constants are left out."""
    import onnx
    from onnx import numpy_helper

    found = {}
    for tensor in onnx.load(str(path)).graph.initializer:
        values = numpy_helper.to_array(tensor)
        name = tensor.name
        if values.dtype == np.float16 and name.endswith("_half"):
            name = name[: -len("_half")]
        if "::" in name or name.startswith("/") or not np.issubdtype(values.dtype, np.floating):
            continue
        # a wrapper that only shapes what goes in and comes out (the segmentation's label map) calls what it wraps so
        found[name.removeprefix("network.")] = torch.from_numpy(values.astype(np.float32))
    return found


def load_initial(model: nn.Module, path: Path) -> list[str]:
    """Loads the weights; returns the names of the model's entries that the file does not hold (they stay as they are).

    An ONNX file may hold a part of the model alone: of the brain's VQ-VAE only the encoder ships, of the complement's
    only the decoder. Exits when the file's entries fit neither the model nor one of its parts. Of a checkpoint, a part of the model
    that is built otherwise now (or whose numbers are not finite) starts afresh as a whole: half an encoder is worth nothing.
    """
    state = model.state_dict()
    if path.suffix != ".onnx":
        return load_parts(model, {key: v.float() if v.is_floating_point() else v for key, v in read_checkpoint(path)["ema"].items()}, path)
    weights = onnx_weights(path)
    prefixes = ["", *(f"{name}." for name, _ in model.named_children())]
    fitting = [prefix for prefix in prefixes
               if weights and all(prefix + k in state and state[prefix + k].shape == v.shape for k, v in weights.items())]
    if not fitting:
        strange = [k for k, v in weights.items()
                   if not any(p + k in state and state[p + k].shape == v.shape for p in prefixes)]
        raise SystemExit(f"{path.name} of {path.parent.name} is not of this network: {', '.join(strange[:3]) or 'no weights'}")
    named = {fitting[0] + k: v for k, v in weights.items()}
    model.load_state_dict(named, strict=False)
    # counters of batch norm are no weights
    return [k for k in state if k not in named and state[k].dtype.is_floating_point]


def load_parts(model: nn.Module, weights: dict[str, torch.Tensor], path: Path) -> list[str]:
    state = model.state_dict()
    bad = {key.partition(".")[0] for key in {*state, *weights}
           if key not in state or key not in weights or state[key].shape != weights[key].shape or not torch.isfinite(weights[key]).all()}
    named = {key: v for key, v in weights.items() if key.partition(".")[0] not in bad}
    if not named:
        raise SystemExit(f"{path.name} of {path.parent.name} is not of this network")
    model.load_state_dict(named, strict=False)
    return [key for key in state if key not in named]


def learned_head(path: Path) -> torch.Tensor:
    """[128, 128, 96], brain levels: the learned head at 2 mm as ``models/head-128/model.onnx`` holds it (bytes)."""
    import onnx
    from onnx import numpy_helper

    for tensor in onnx.load(str(path)).graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.uint8 and values.shape == TRIMMED_2MM:
            return torch.from_numpy(values.astype(np.float32)) * (PEAK_LEVELS / 255)
    raise SystemExit(f"{path.name} of {path.parent.name} holds no learned head of {' x '.join(map(str, TRIMMED_2MM))} bytes")
