"""``python -m prosopon_training export NAME --run RUN --models MODELS``: a run's EMA weights to ``models/NAME``.

Every export runs PyTorch and ONNX Runtime on the same random input and refuses to write if they differ by more than
1e-3 of the output's range. Weights are stored as fp16 and cast in the graph (folded at load).
"""
from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from . import record as training_record
from .flops import count_gflop
from .runs import log_rows

OPSET = 20


def halve_weights(path: Path) -> None:
    """Stores float initialisers as fp16 followed by a Cast: half the file, the same arithmetic."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < 256 or np.abs(values).max() > 6e4:
            continue
        name = tensor.name
        small = numpy_helper.from_array(values.astype(np.float16), name + "_half")
        graph.initializer.remove(tensor)
        graph.initializer.append(small)
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        graph.node.insert(0, node)
    onnx.save(model, str(path))


def pack_bytes(path: Path, scale: float, at_least: int = 1_000_000) -> None:
    """Stores the large non-negative initialisers (templates) as bytes of ``scale``, with Cast and Mul in the graph.

    The exporter folds such a cast into floats, four times the file; ONNX Runtime folds it back at load.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    graph = model.graph
    factor = numpy_helper.from_array(np.float32(scale), "byte_scale")
    graph.initializer.append(factor)
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < at_least or values.min() < 0:
            continue
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array((values / scale).round().clip(0, 255).astype(np.uint8), name + "_bytes"))
        graph.node.insert(0, helper.make_node("Mul", [name + "_float", "byte_scale"], [name]))
        graph.node.insert(0, helper.make_node("Cast", [name + "_bytes"], [name + "_float"], to=TensorProto.FLOAT))
    onnx.save(model, str(path))


def write_card(folder: Path, record: dict, run: Path | None) -> None:
    """``card.md``: what the network is, its data and licence, how far its training got, where it must not be trusted."""
    lines = [f"# {record['name']} {record['version']}", "", record["description"] + ".", "", f"- Data: {record['data']}.",
             f"- Licence of the weights: {record['licence']}.", f"- Input: {record['normalisation']}.",
             f"- SHA-256: {record['sha256']}.", f"- {record['settings']['gflop']} GFLOP a pass."]
    if run is not None and (rows := log_rows(run)):
        row = rows[-1]
        # not every row of cp-gan is a validation
        judged = next((r for r in rows[::-1] if any(key.startswith("val") for key in r)), row)
        figures = ", ".join(f"{key} {value:.4g}" for key, value in judged.items() if key.startswith(("val", "perplexity", "codes_used")))
        lines.append(f"- Training: {row['step']} steps, {row['seconds'] / 60:.0f} minutes on {training_record.machine(run)}; last validation "
                     f"(val split, 18 heads or fewer): {figures}.")
    lines += ["- Not covered: children, other scanners than one 3 T Philips, other contrasts than T1-weighted, pathology. "
              "Test figures: docs/results.md.", ""]
    (folder / "card.md").write_text("\n".join(lines))


def write_model(
    name: str, module: nn.Module, feeds: dict[str, torch.Tensor], outputs: list[str], models: Path,
    description: dict, half: bool = True, free_axes: dict | None = None, byte_scale: float | None = None, run: Path | None = None,
    derived_from: Path | None = None,
) -> None:
    """Exports, checks parity, writes ``model.onnx``, ``model.json``, ``card.md`` and the run's ``training.json``.

    ``derived_from``: the run of another network, of which this one is computed in closed form.
    """
    import onnxruntime

    folder = models / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    module = module.eval()
    with torch.no_grad():
        expected = module(*feeds.values())
        torch.onnx.export(module, tuple(feeds.values()), str(path), input_names=list(feeds), output_names=outputs,
                          opset_version=OPSET, dynamo=False, dynamic_axes=free_axes,
                          # weights keep their parameters' names, so that training can start from the file (initial.py)
                          do_constant_folding=byte_scale is not None)
    expected = [expected] if isinstance(expected, torch.Tensor) else list(expected)
    if byte_scale is not None:
        pack_bytes(path, byte_scale)
    if half:
        halve_weights(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(outputs, {key: value.numpy() for key, value in feeds.items()})
    worst = 0.0
    for a, b in zip(expected, found):
        a = a.numpy()
        if not np.issubdtype(a.dtype, np.floating):
            # labels: the share of voxels that got another one
            worst = max(worst, float((a != b).mean()))
            continue
        scale = np.abs(a).max() + 1e-6
        worst = max(worst, float(np.abs(a - b).max() / scale))
    limit = 2e-2 if half else 1e-3
    if worst > limit:
        raise SystemExit(f"{name}: ONNX Runtime differs from PyTorch by {worst:.2e} of the range")
    types = {torch.float32: "float32", torch.uint8: "uint8", torch.int64: "int64"}
    sizes = {axis: feeds[k].shape[i] for k, names in (free_axes or {}).items() if k in feeds for i, axis in names.items()}
    settings = {"gflop": round(count_gflop(path, sizes), 3), **description.get("settings", {})}
    record = {
        "name": name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "inputs": [{"name": k, "shape": list(v.shape), "type": types[v.dtype]} for k, v in feeds.items()],
        "outputs": [{"name": k, "shape": list(v.shape), "type": types[v.dtype]} for k, v in zip(outputs, expected)],
        **description,
        "settings": settings,
    }
    (folder / "model.json").write_text(json.dumps(record, indent=2) + "\n")
    write_card(folder, record, run)
    if (recipe := run or derived_from) is not None:
        training_record.ship(recipe, folder)
    print(f"{name}: {path.stat().st_size / 1e6:.2f} MB, parity {worst:.1e}")
