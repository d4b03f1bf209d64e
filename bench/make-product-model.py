"""Writes the network that bench.mjs measures others against: the same matrix product over and over, and nothing else.

    python3 bench/make-product-model.py   (writes bench/models/product)
"""

import hashlib
import json
import pathlib

from onnx import TensorProto, checker, helper

OUT = pathlib.Path(__file__).parent / "models" / "product"
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def main() -> None:
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("MatMul", ["a", "m"], ["product"]), helper.make_node("Identity", ["go"], ["go_on"])],
        "step",
        [value("i", INT64, []), value("go", TensorProto.BOOL, []), value("m", FLOAT, ["n", "n"])],
        [value("go_on", TensorProto.BOOL, []), value("product", FLOAT, ["n", "n"])],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["steps", "", "b"], ["y"], body=body)],
        "product",
        [value("a", FLOAT, ["n", "n"]), value("b", FLOAT, ["n", "n"]), value("steps", INT64, [])],
        [value("y", FLOAT, ["n", "n"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    data = model.SerializeToString()
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "model.onnx").write_bytes(data)
    matrix = {"shape": ["n", "n"], "type": "float32"}
    text = {
        "name": "product",
        "version": "1.0.0",
        "description": "a matrix times another, as often as asked: y = a^steps b",
        "sha256": hashlib.sha256(data).hexdigest(),
        "inputs": [{"name": "a", **matrix}, {"name": "b", **matrix}, {"name": "steps", "shape": [], "type": "int64"}],
        "outputs": [{"name": "y", **matrix}],
        "grid": {"size": 1, "spacing": 1},
        "normalisation": "none",
        "licence": "MIT",
        "data": "none: no weights",
    }
    (OUT / "model.json").write_text(json.dumps(text, indent=2) + "\n")


if __name__ == "__main__":
    main()
