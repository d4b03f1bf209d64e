"""Arithmetic of an ONNX graph, in GFLOP (a multiplication and an addition are two): convolutions and matrix products.

    python scripts/count-flops.py models/brain-extraction/model.onnx
"""
from __future__ import annotations

import math
from pathlib import Path

import onnx

COUNTED = ("Conv", "ConvTranspose", "MatMul", "Gemm")


def measured(model: onnx.ModelProto, names: list[str], shapes: dict[str, list[int]]) -> dict[str, list[int]]:
    """Shapes that inference does not find (behind a Reshape whose target is computed), from one run over zeros."""
    if not names:
        return {}
    import numpy as np
    import onnxruntime

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    weights = {t.name for t in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    free = [value.name for value in inputs if value.name not in shapes]
    if free:
        raise ValueError(f"expected the sizes of all axes of the inputs, found free ones in {', '.join(free)}")
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])
    types = {value.name: onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type) for value in inputs}
    feeds = {value.name: np.zeros(shapes[value.name], types[value.name]) for value in inputs}
    return {name: list(array.shape) for name, array in zip(names, session.run(names, feeds))}


def count_gflop(path: Path, free_axes: dict[str, int] | None = None) -> float:
    """Conv, ConvTranspose, Gemm and MatMul. ``free_axes``: sizes of axes that the graph leaves free.

    Raises ValueError when a size is missing: a number that leaves work out would mislead.
    """
    model = onnx.load(str(path))
    for value in model.graph.input:
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param and free_axes and axis.dim_param in free_axes:
                axis.dim_value = free_axes[axis.dim_param]
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {t.name: list(t.dims) for t in graph.initializer}
    for value in [*graph.input, *graph.value_info, *graph.output]:
        axes = value.type.tensor_type.shape.dim
        if value.name not in shapes and all(a.HasField("dim_value") for a in axes):
            shapes[value.name] = [a.dim_value for a in axes]

    nodes = [node for node in graph.node if node.op_type in COUNTED]
    unknown = {name for node in nodes for name in (*node.input[:2], node.output[0])} - shapes.keys()
    shapes |= measured(model, sorted(unknown), shapes)

    def shape(name: str) -> list[int]:
        return shapes[name]

    total = 0
    for node in nodes:
        if node.op_type == "Conv":
            total += 2 * math.prod(shape(node.output[0])) * math.prod(shape(node.input[1])[1:])
        elif node.op_type == "ConvTranspose":
            total += 2 * math.prod(shape(node.input[0])) * math.prod(shape(node.input[1])[1:])
        elif node.op_type == "MatMul":
            total += 2 * math.prod(shape(node.output[0])) * shape(node.input[0])[-1]
        elif node.op_type == "Gemm":
            transposed = next((a.i for a in node.attribute if a.name == "transA"), 0)
            total += 2 * math.prod(shape(node.output[0])) * shape(node.input[0])[0 if transposed else 1]
    return total / 1e9
