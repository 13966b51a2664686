"""Take out of a network in 8 bits what rounding adds to each channel on average."""

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper

Inputs = dict[str, NDArray[np.float32]]


def correct_biases(rounded: onnx.ModelProto, exact: onnx.ModelProto, inputs: Sequence[Inputs]) -> None:
    """Shift the biases of a quantised model so that each convolution's channels keep their means.

    One convolution after the other, in order, so that each is corrected behind those before it (empirical
    bias correction: Nagel et al. 2019, "Data-Free Quantization through Weight Equalization and Bias
    Correction", section 4.2 and appendix D).

    Args:
        rounded: the model in 8 bits (QDQ), changed in place.
        exact: the same in float; convolutions have the same names.
        inputs: what both models take, some dozens of typical ones.
    """
    outputs = {node.name: node.output[0] for node in exact.graph.node if node.op_type == "Conv"}
    convolutions = [node for node in rounded.graph.node if node.op_type == "Conv" and node.name in outputs]
    wanted = _channel_means(exact, [outputs[node.name] for node in convolutions], inputs)
    constants = {constant.name: constant for constant in rounded.graph.initializer}
    made_by = {output: node for node in rounded.graph.node for output in node.output}
    for node, means in zip(convolutions, wanted, strict=True):
        shift = means - _channel_means(rounded, [node.output[0]], inputs)[0]
        if node.input[2] in constants:  # one that was left in float
            constant, scale = constants[node.input[2]], np.ones(1, np.float32)
        else:
            source = made_by[node.input[2]]
            constant = constants[source.input[0]]
            scale = numpy_helper.to_array(constants[source.input[1]])
        bias = numpy_helper.to_array(constant)
        shifted = bias + (np.round(shift / scale) if bias.dtype == np.int32 else shift)
        constant.CopyFrom(numpy_helper.from_array(shifted.astype(bias.dtype), constant.name))


def _channel_means(
    model: onnx.ModelProto, names: Sequence[str], inputs: Sequence[Inputs]
) -> list[NDArray[np.float64]]:
    """Mean of each channel of some tensors ``[1, C, H, W]`` over all inputs and places."""
    told = onnx.ModelProto()
    told.CopyFrom(model)
    del told.graph.output[:]
    told.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    session = onnxruntime.InferenceSession(told.SerializeToString(), providers=["CPUExecutionProvider"])
    sums = [np.zeros(1)] * len(names)
    for each in inputs:
        found = session.run(list(names), each)
        sums = [total + np.mean(one, axis=(0, 2, 3)) for total, one in zip(sums, found, strict=True)]
    return [total / len(inputs) for total in sums]
