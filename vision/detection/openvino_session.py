"""OpenVINO in the place of an ONNX Runtime session: the same weights, asked the same way."""

import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PROVIDER = "OpenVINO"
_KINDS = {"u8": "tensor(uint8)", "f32": "tensor(float)", "i64": "tensor(int64)"}


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output, described as ONNX Runtime does: a size that is open is a name."""

    name: str
    type: str
    shape: list[int | str | None]


def is_installed() -> bool:
    """Whether OpenVINO can be imported; not every machine has a build of it."""
    return find_spec("openvino") is not None


class OpenVinoSession:
    """A network, loaded. One picture at a time: use one per thread.

    Args:
        weights: the ONNX file.
        threads: threads of the network; 0 takes every core.
        size: width and height of the pictures; a network open to any is compiled for these alone.
    """

    def __init__(self, weights: Path, threads: int, size: tuple[int, int] | None = None) -> None:
        core = _openvino().Core()
        # Several processes share the cores: pinned threads would all sit on the first.
        settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "ENABLE_CPU_PINNING": False}
        # It may round floats to bfloat16 by itself; what was measured on the card is float.
        settings |= {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
        model = core.read_model(str(weights))
        # Once compiled, an output has other names as well.
        self._inputs = [_port(each) for each in model.inputs]
        self._outputs = [_port(each) for each in model.outputs]
        if size and model.is_dynamic():
            model.reshape({0: [1, 3, size[1], size[0]]})
        self._request = core.compile_model(model, "CPU", settings).create_infer_request()

    def get_inputs(self) -> list[Port]:
        """What is fed."""
        return self._inputs

    def get_outputs(self) -> list[Port]:
        """What comes out."""
        return self._outputs

    def get_providers(self) -> list[str]:
        """What runs it."""
        return [PROVIDER]

    def run(self, names: list[str], feeds: dict[str, Any]) -> list[Any]:
        """The outputs of those names, copies."""
        found = self._request.infer(feeds)
        places = {port.name: place for place, port in enumerate(self._outputs)}
        return [found[places[name]] for name in names]


def _openvino() -> Any:
    """The package without its conversion tools, which report to their maker when they are imported."""
    sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]
    return import_module("openvino")


def _port(port: Any) -> Port:
    kind = str(port.element_type.get_type_name())
    shape: list[int | str | None] = [
        int(size.get_length()) if size.is_static else f"d{place}"
        for place, size in enumerate(port.get_partial_shape())
    ]
    return Port(port.get_any_name(), _KINDS.get(kind, f"tensor({kind})"), shape)
