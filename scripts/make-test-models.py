# /// script
# requires-python = ">=3.10"
# dependencies = ["onnx==1.23.2", "numpy"]
# ///
"""Writes the tiny networks that the tests run: no training, no data, fixed seed.

Usage: python3 scripts/make-test-models.py   (writes src/networks/testing/models and src/methods/testing/models)
"""

import hashlib
import json
import pathlib

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

SRC = pathlib.Path(__file__).parent.parent / "src"
OUT = SRC / "networks" / "testing" / "models"
# Stand-ins for networks of methods, under the names that the methods ask for.
METHODS = SRC / "methods" / "testing" / "models"
FLOAT, INT64, INT32, UINT8 = (TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32, TensorProto.UINT8)
TYPES = {FLOAT: "float32", INT64: "int64", INT32: "int32", UINT8: "uint8"}


def save(
    name: str, description: str, nodes: list, inputs: list, outputs: list, weights: dict | None = None, out=OUT, settings: dict | None = None
) -> None:
    """inputs and outputs: (name, type, shape)."""
    values = [[helper.make_tensor_value_info(*entry) for entry in side] for side in (inputs, outputs)]
    initial = [numpy_helper.from_array(array, key) for key, array in (weights or {}).items()]
    graph = helper.make_graph(nodes, name, values[0], values[1], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    data = model.SerializeToString()
    folder = out / name
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
        "settings": {"answer": 42, **(settings or {})},
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
    generator()
    other_codes()


def other_codes() -> None:
    """The five networks of cp-mae's codes with other lattices (64 and 32 mm), codebook (4 x 3), brain codes (2) and components (5)."""
    rng = np.random.default_rng(11)
    z, y, x = 4, 4, 3
    fine_axes = [2 * z, 2 * y, 2 * x]
    doubled = np.array([1, 1, 2, 2, 2], np.float32)
    brain = ("brain", FLOAT, [1, 2, 64, 64, 48])
    keep = ("keep", FLOAT, [1, 1, z, y, x])
    codes = ("codes", FLOAT, [1, 2, z, y, x])
    fields = [("displacement", FLOAT, [1, 3, 64, 64, 48]), ("gain", FLOAT, [1, 1, 64, 64, 48])]
    levels = {"levels": [4, 3]}

    def conv(outputs: int, inputs: int, size: float) -> np.ndarray:
        return (rng.standard_normal((outputs, inputs, 1, 1, 1)) * size).astype(np.float32)

    save(
        "brain-encoder",
        "means of the brain in blocks of 64 mm, for tests",
        [helper.make_node("AveragePool", ["brain"], ["codes"], kernel_shape=[16] * 3, strides=[16] * 3)],
        [brain],
        [("codes", FLOAT, [1, 2, z, y, x])],
        out=METHODS,
    )
    # precision: 1 + what is known, squared; evidence: what is known; of four numbers
    latent = 4
    level = {"coarse": [z, y, x], "fine": fine_axes}
    masked = [("brain_codes", FLOAT, [1, 2, z, y, x]), ("brain_sites", FLOAT, [1, 2, z, y, x]), ("seen", FLOAT, [1, 1])]
    for name, axes in level.items():
        masked += [(name, FLOAT, [1, 2, *axes]), (f"{name}_keep", FLOAT, [1, 1, *axes])]
    parts = ["brain_codes", "brain_sites", "coarse", "coarse_keep", "fine", "fine_keep"]
    known = sum(int(np.prod(shape)) for name, _, shape in masked if name in parts)
    save(
        "masked-autoencoder",
        "random sums of what is known, for tests",
        [
            *[helper.make_node("Reshape", [name, "row"], [f"{name}_row"]) for name in parts],
            helper.make_node("Concat", [f"{name}_row" for name in parts], ["all"], axis=1),
            helper.make_node("MatMul", ["all", "w"], ["sum"]),
            helper.make_node("Mul", ["sum", "seen"], ["evidence"]),
            helper.make_node("Reshape", ["evidence", "column"], ["upright"]),
            helper.make_node("MatMul", ["upright", "evidence"], ["square"]),
            helper.make_node("Add", ["square", "identity"], ["one"]),
            helper.make_node("Reshape", ["one", "batch"], ["precision"]),
        ],
        masked,
        [("precision", FLOAT, [1, latent, latent]), ("evidence", FLOAT, [1, latent])],
        {
            "w": (rng.standard_normal((known, latent)) * 0.02).astype(np.float32),
            "row": np.array([1, -1], np.int64),
            "column": np.array([latent, 1], np.int64),
            "batch": np.array([1, latent, latent], np.int64),
            "identity": np.eye(latent, dtype=np.float32),
        },
        METHODS,
        levels,
    )
    save(
        "masked-autoencoder-codes",
        "random logits of a latent, for tests",
        [
            node
            for name, axes in level.items()
            for node in (
                helper.make_node("MatMul", ["z", f"w_{name}"], [f"{name}_flat"]),
                helper.make_node("Reshape", [f"{name}_flat", f"{name}_shape"], [name]),
            )
        ],
        [("z", FLOAT, [1, latent])],
        [(name, FLOAT, [1, int(np.prod(axes)), 12]) for name, axes in level.items()],
        {
            **{f"w_{name}": (rng.standard_normal((latent, 12 * int(np.prod(axes)))) * 0.5).astype(np.float32) for name, axes in level.items()},
            **{f"{name}_shape": np.array([1, int(np.prod(axes)), 12], np.int64) for name, axes in level.items()},
        },
        METHODS,
        levels,
    )
    split = [helper.make_node("Split", ["all", "parts"], ["displacement", "gain"], axis=1)]
    parts = {"parts": np.array([3, 1], np.int64)}
    save(
        "complement-decoder",
        "moves the learned head by up to some millimetres, as codes say, for tests",
        [
            helper.make_node("Concat", ["codes", "keep"], ["known"], axis=1),
            helper.make_node("Resize", ["known", "", "twice"], ["above"], mode="linear"),
            helper.make_node("Concat", ["above", "fine", "fine_keep"], ["both"], axis=1),
            helper.make_node("Conv", ["both", "w"], ["a"]),
            helper.make_node("Resize", ["a", "", "by"], ["all"], mode="linear"),
            *split,
        ],
        [codes, keep, ("fine", FLOAT, [1, 2, *fine_axes]), ("fine_keep", FLOAT, [1, 1, *fine_axes]), brain],
        fields,
        {"w": conv(4, 6, 0.007), "twice": doubled, "by": np.array([1, 1, 8, 8, 8], np.float32), **parts},
        METHODS,
        levels,
    )
    save(
        "shape-residual",
        "moves the learned head as a whole, for tests",
        [
            helper.make_node("MatMul", ["scores", "w"], ["a"]),
            helper.make_node("Reshape", ["a", "one"], ["b"]),
            helper.make_node("Expand", ["b", "shape"], ["all"]),
            *split,
        ],
        [("scores", FLOAT, [1, 5]), brain],
        fields,
        {
            "w": conv(5, 4, 0.003).reshape(5, 4),
            "one": np.array([1, 4, 1, 1, 1], np.int64),
            "shape": np.array([1, 4, 64, 64, 48], np.int64),
            **parts,
        },
        METHODS,
    )


def generator() -> None:
    """cp-gan-generator with 4^3 to 16^3: half a hull, the brain, a tenth of each coarser hull and of the noise."""
    scales = [4, 8, 16]
    inputs = [("noise", FLOAT, [1, 1, 4, 4, 4])] + [(f"gamma_{n}", FLOAT, [1, 3, n, n, n]) for n in scales]
    weights = {"axes": np.array([1], np.int64), "tenth": np.array([0.1], np.float32), "half": np.array([0.5], np.float32)}
    for c in range(4):
        weights[f"c{c}"] = np.array([c], np.int64)
    nodes = []
    terms = []
    for n in scales:
        scale = f"x{16 // n}"
        weights[scale] = np.array([1, 1] + [16 // n] * 3, np.float32)
        nodes += [
            helper.make_node("Slice", [f"gamma_{n}", "c0", "c1", "axes"], [f"hull_{n}"]),
            helper.make_node("Resize", [f"hull_{n}", "", scale], [f"up_{n}"], mode="nearest"),
            helper.make_node("Mul", [f"up_{n}", "half" if n == 16 else "tenth"], [f"term_{n}"]),
        ]
        terms.append(f"term_{n}")
    nodes += [
        helper.make_node("Slice", ["gamma_16", "c2", "c3", "axes"], ["brain"]),
        helper.make_node("Resize", ["noise", "", "x4"], ["up_noise"], mode="nearest"),
        helper.make_node("Mul", ["up_noise", "tenth"], ["term_noise"]),
        helper.make_node("Sum", [*terms, "term_noise", "brain"], ["image"]),
    ]
    save(
        "cp-gan-generator",
        "a hull with a brain in it and noise, for tests",
        nodes,
        inputs,
        [("image", FLOAT, [1, 1, 16, 16, 16])],
        weights,
        METHODS,
    )


if __name__ == "__main__":
    main()
