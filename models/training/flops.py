"""Floating-point operations of an ONNX network, counted from its convolutions and matrix products."""

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from vision.detection.decoders import Size

_COUNTED = {"Conv", "MatMul", "Gemm"}
_DTYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int64)": np.int64}


def gflops(weights: Path, size: Size) -> float:
    """Billions of multiplications and additions for one picture; two for each multiply-add.

    Only convolutions and matrix products are counted: the rest is small. The network runs once on a black
    picture and tells the shapes, since those of a graph with computed sizes cannot be read off it.

    Args:
        weights: the ONNX file.
        size: width and height of the network's input.
    """
    model = onnx.load(str(weights))
    nodes = [node for node in model.graph.node if node.op_type in _COUNTED]
    wanted = {name for node in nodes for name in (node.output[0], *node.input[:2])}
    stored = {each.name: list(each.dims) for each in model.graph.initializer}
    given = {each.name for each in model.graph.input}
    known = {each.name for each in model.graph.output}
    for name in sorted(wanted - stored.keys() - given - known):
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {each.name: _black(each, size) for each in session.get_inputs()}
    names = [each.name for each in session.get_outputs()]
    arrays = zip(names, session.run(names, feed), strict=True)
    shapes = stored | {name: list(each.shape) for name, each in feed.items()}
    shapes |= {name: list(array.shape) for name, array in arrays}
    return sum(2 * _products(node, shapes) for node in nodes) / 1e9


def _black(given: Any, size: Size) -> Any:
    """What an input is fed: a black picture, or the size of one."""
    dtype = _DTYPES[given.type]
    if len(given.shape) == 4:
        return np.zeros((1, 3, size[1], size[0]), dtype)
    return np.array([size], dtype)


def _products(node: Any, shapes: dict[str, list[int]]) -> int:
    """Multiplications of one node."""
    out, left, right = (shapes[name] for name in (node.output[0], *node.input[:2]))
    if node.op_type == "Conv":
        return prod(out) * prod(right[1:])
    transposed = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
    return prod(out) * left[-2 if transposed else -1]
