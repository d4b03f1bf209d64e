# /// script
# requires-python = ">=3.10"
# dependencies = ["onnx==1.23.2", "numpy"]
# ///
"""Writes the tiny networks that the tests of src/networks run: no training, no data, fixed seed.

Usage: python3 scripts/make-test-models.py   (writes src/networks/testing/models)
"""

import hashlib
import json
import pathlib

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

OUT = pathlib.Path(__file__).parent.parent / "src" / "networks" / "testing" / "models"
FLOAT, INT64, INT32, UINT8 = (TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32, TensorProto.UINT8)
TYPES = {FLOAT: "float32", INT64: "int64", INT32: "int32", UINT8: "uint8"}


def save(name: str, description: str, nodes: list, inputs: list, outputs: list, weights: dict | None = None) -> None:
    """inputs and outputs: (name, type, shape)."""
    values = [[helper.make_tensor_value_info(*entry) for entry in side] for side in (inputs, outputs)]
    initial = [numpy_helper.from_array(array, key) for key, array in (weights or {}).items()]
    graph = helper.make_graph(nodes, name, values[0], values[1], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    data = model.SerializeToString()
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(data)
    entries = [[{"name": n, "shape": s, "type": TYPES[t]} for n, t, s in side] for side in (inputs, outputs)]
    text = {
        "name": name,
        "version": "1.0.0",
        "description": description,
        "sha256": hashlib.sha256(data).hexdigest(),
        "inputs": entries[0],
        "outputs": entries[1],
        "grid": {"size": 8, "spacing": 2},
        "normalisation": "none",
        "licence": "MIT",
        "data": "none: random weights",
        "settings": {"answer": 42},
    }
    (folder / "model.json").write_text(json.dumps(text, indent=2) + "\n")


def main() -> None:
    rng = np.random.default_rng(7)
    save(
        "affine-plus",
        "y = 2 x + 1",
        [helper.make_node("Mul", ["x", "two"], ["t"]), helper.make_node("Add", ["t", "one"], ["y"])],
        [("x", FLOAT, ["n"])],
        [("y", FLOAT, ["n"])],
        {"two": np.array([2], np.float32), "one": np.array([1], np.float32)},
    )
    save(
        "every-type",
        "adds one to an int64 and an int32 input, passes a uint8 one",
        [
            helper.make_node("Add", ["long", "one64"], ["long_out"]),
            helper.make_node("Add", ["int", "one32"], ["int_out"]),
            helper.make_node("Identity", ["byte"], ["byte_out"]),
        ],
        [("long", INT64, ["n"]), ("int", INT32, ["n"]), ("byte", UINT8, ["n"])],
        [("long_out", INT64, ["n"]), ("int_out", INT32, ["n"]), ("byte_out", UINT8, ["n"])],
        {"one64": np.array([1], np.int64), "one32": np.array([1], np.int32)},
    )
    w = lambda o, i: (rng.standard_normal((o, i, 3, 3, 3)) * 0.3).astype(np.float32)  # noqa: E731
    conv = {"pads": [1] * 6, "kernel_shape": [3] * 3}
    save(
        "small-conv",
        "two 3-D convolutions with a mean: enough work to be split over threads",
        [
            helper.make_node("Conv", ["x", "w1"], ["a"], **conv),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Conv", ["b", "w2"], ["y"], **conv),
            helper.make_node("ReduceMean", ["y"], ["mean"], keepdims=0),
        ],
        [("x", FLOAT, [1, 1, "d", "h", "w"])],
        [("y", FLOAT, [1, 4, "d", "h", "w"]), ("mean", FLOAT, [])],
        {"w1": w(8, 1), "w2": w(4, 8)},
    )
    # Each step multiplies a matrix by itself: with enough steps asked for, a run that lasts minutes.
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["m", "m"], ["p"]),
            helper.make_node("Tanh", ["p"], ["q"]),
            helper.make_node("Identity", ["go"], ["go_on"]),
        ],
        "step",
        [
            helper.make_tensor_value_info("i", INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("m", FLOAT, ["n", "n"]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("q", FLOAT, ["n", "n"]),
        ],
    )
    save(
        "endless",
        "multiplies a matrix by itself as often as asked",
        [helper.make_node("Loop", ["steps", "", "x"], ["y"], body=body)],
        [("x", FLOAT, ["n", "n"]), ("steps", INT64, [])],
        [("y", FLOAT, ["n", "n"])],
    )


if __name__ == "__main__":
    main()
