"""What rounding to 8 bits adds to a channel on average is taken out again."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="correction needs onnx")

from models.training.correct import _channel_means, correct_biases  # noqa: E402

RNG = np.random.default_rng(5)
WEIGHTS = [
    RNG.normal(0, 0.5, (6, 3, 3, 3)).astype(np.float32),
    RNG.normal(0, 0.3, (4, 6, 3, 3)).astype(np.float32),
]
INPUTS = [{"pixels": RNG.uniform(0, 1, (1, 3, 16, 16)).astype(np.float32)} for _ in range(4)]


def network(weights, biases, scale=None):
    """Two convolutions with a ReLU between; with ``scale`` their biases are whole multiples of it."""
    make, values = onnx.helper, []

    def constant(name, value):
        values.append(onnx.numpy_helper.from_array(value, name))
        return name

    nodes = []
    for number, (source, weight, bias) in enumerate(zip(("pixels", "r0"), weights, biases, strict=True)):
        name = constant(f"b{number}", bias)
        if scale:
            values[-1] = onnx.numpy_helper.from_array(np.round(bias / scale).astype(np.int32), name)
            exact = [name, constant(f"s{number}", np.float32(scale))]
            nodes.append(make.make_node("DequantizeLinear", exact, [f"d{number}"]))
            name = f"d{number}"
        taken = [source, constant(f"w{number}", weight), name]
        nodes.append(make.make_node("Conv", taken, [f"c{number}"], name=f"conv{number}"))
        nodes.append(make.make_node("Relu", [f"c{number}"], [f"r{number}"]))
    float_value = onnx.TensorProto.FLOAT
    graph = make.make_graph(
        nodes,
        "two",
        [make.make_tensor_value_info("pixels", float_value, (1, 3, 16, 16))],
        [make.make_tensor_value_info("r1", float_value, None)],
        values,
    )
    return make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("scale", [None, 1e-4], ids=["in float", "in 32 bits"])
def test_channels_keep_their_means(scale):
    biases = [np.zeros(6, np.float32), np.zeros(4, np.float32)]
    exact = network(WEIGHTS, biases)
    coarse = network([np.round(weight * 4) / 4 for weight in WEIGHTS], biases, scale)
    wanted = _channel_means(exact, ["c0", "c1"], INPUTS)
    before = _channel_means(coarse, ["c0", "c1"], INPUTS)
    correct_biases(coarse, exact, INPUTS)
    after = _channel_means(coarse, ["c0", "c1"], INPUTS)
    for want, were, are in zip(wanted, before, after, strict=True):
        assert np.abs(want - were).max() > 0.05
        assert are == pytest.approx(want, abs=2e-4)
