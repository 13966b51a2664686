"""Write a trained network as ONNX, in float and in 8 bits, as ngatu's own decoder reads it."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from models.training.correct import Inputs, correct_biases
from models.training.network import MEAN, SCALE, Network, cells, decode, network_of, normalise
from vision.errors import TrainingError

_OPSET = 17


class _Decoded(nn.Module):
    """The network with boxes in pixels and scores, for inputs of any size that its strides divide."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        logits, sides = self.network(pixels)
        centres, strides = cells(*pixels.shape[2:])
        return decode(sides, centres, strides), logits.sigmoid()


def load_average(checkpoint: Path) -> Network:
    """The averaged network of a checkpoint of :mod:`models.training.train`.

    Raises:
        TrainingError: it is missing or no such checkpoint.
    """
    try:
        network = network_of(torch.load(checkpoint, weights_only=True)["average"])
    except FileNotFoundError:
        raise TrainingError(f"{checkpoint} does not exist; give the best.pt of a training run") from None
    except (KeyError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise TrainingError(f"{checkpoint} is no checkpoint of this network: {reason}") from None
    return network.eval()


def write_average(checkpoints: Sequence[Path], path: Path) -> None:
    """Write the mean of the averaged networks of some checkpoints as one (model soup: Wortsman et al. 2022).

    They must be of one line of training, each going on from the one before: else their mean is none of them.

    Raises:
        TrainingError: one is missing or no such checkpoint.
    """
    states = [load_average(checkpoint).state_dict() for checkpoint in checkpoints]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(0)
        if value.dtype.is_floating_point
        else value
        for name, value in states[-1].items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"average": mean}, path)


def export(network: Network, path: Path, size: tuple[int, int]) -> None:
    """Write the network as float ONNX: ``images`` uint8 [1, 3, H, W] RGB to ``boxes`` and ``scores``.

    Args:
        network: to be written.
        path: of the file.
        size: width and height that the graph is traced at; it takes all that its strides divide.
    """
    core = path.with_suffix(".core.onnx")
    _export_core(network, core, size)
    model = onnx.load(core)
    scale, zero = _normalisation(model)
    model.graph.node.insert(0, helper.make_node("DequantizeLinear", ["images", scale, zero], ["pixels"]))
    _take_bytes(model)
    onnx.save(model, path)
    core.unlink()


def quantise(
    network: Network, path: Path, pictures: list[NDArray[np.uint8]], closer: list[NDArray[np.uint8]]
) -> None:
    """Write the network in 8 bits (static, QDQ), calibrated on pictures, with its biases corrected.

    The last convolutions, which give scores and sides, and what follows stay in float. Weights take all 8
    bits: with 7, motorcycles lost 0.04 of AP50, with 8 nothing. On processors without dot products of bytes
    (VNNI) sums may saturate then; :mod:`vision.detection.grades` takes the float grade there.

    Args:
        network: to be written.
        path: of the file.
        pictures: ``uint8[1, 3, H, W]`` RGB, a hundred or more of the kind to be seen, of one size.
        closer: some dozens more, of the size that the network learnt at, on which biases are corrected.
    """
    core, prepared = path.with_suffix(".core.onnx"), path.with_suffix(".prepared.onnx")
    _export_core(network, core, (pictures[0].shape[3], pictures[0].shape[2]))
    quant_pre_process(str(core), str(prepared), skip_symbolic_shape=True)
    # Bytes are what the input is: its scale is exact, and so is the padding with the middle grey.
    exact = {"pixels": [{"scale": np.array(1 / SCALE, np.float32), "zero_point": np.array(MEAN, np.uint8)}]}
    quantize_static(
        str(prepared),
        str(path),
        _Pictures(pictures),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=False,
        calibrate_method=CalibrationMethod.MinMax,
        op_types_to_quantize=["Conv", "Clip", "Add", "MaxPool", "Resize"],
        nodes_to_exclude=_sensitive(onnx.load(prepared)),
        extra_options={"TensorQuantOverrides": exact},
    )
    model = onnx.load(path)
    correct_biases(model, onnx.load(prepared), list(_feeds(closer)))
    reader = next(node for node in model.graph.node if "pixels" in node.input)
    reads = next(node for node in model.graph.node if reader.output[0] in node.input)
    reads.input[0] = "images"
    model.graph.node.remove(reader)
    _take_bytes(model)
    onnx.save(model, path)
    core.unlink()
    prepared.unlink()


def _export_core(network: Network, path: Path, size: tuple[int, int]) -> None:
    """The network from normalised ``pixels``, before it is told that they are bytes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Decoded(network).eval(),
            (torch.zeros(1, 3, size[1], size[0]),),
            str(path),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["pixels"],
            output_names=["boxes", "scores"],
            dynamic_axes={
                "pixels": {2: "height", 3: "width"},
                "boxes": {1: "cells"},
                "scores": {1: "cells"},
            },
        )


def _normalisation(model: onnx.ModelProto) -> tuple[str, str]:
    """Names of the input's scale and zero point, added to the model's constants."""
    values = {"images_scale": np.float32(1 / SCALE), "images_zero": np.uint8(MEAN)}
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), k) for k, v in values.items())
    return "images_scale", "images_zero"


def _take_bytes(model: onnx.ModelProto) -> None:
    """Let the model's input be ``images`` of bytes instead of ``pixels``."""
    pixels = model.graph.input[0]
    pixels.name = "images"
    pixels.type.tensor_type.elem_type = onnx.TensorProto.UINT8


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Hands calibration pictures to the quantiser one by one."""

    def __init__(self, pictures: list[NDArray[np.uint8]]) -> None:
        self._left = _feeds(pictures)

    def get_next(self) -> Inputs | None:
        return next(self._left, None)


def _feeds(pictures: list[NDArray[np.uint8]]) -> Iterator[Inputs]:
    """What the core takes of each picture."""
    for picture in pictures:
        yield {"pixels": normalise(torch.from_numpy(picture)).numpy()}


def _sensitive(model: onnx.ModelProto) -> list[str]:
    """The last convolutions, which give scores and sides, and what is outside the network."""
    return [
        node.name
        for node in model.graph.node
        if "/network/" not in node.name or "/classes" in node.name or "/sides" in node.name
    ]
