"""The detector proper: ONNX weights, run by ONNX Runtime as their card says."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from vision.detection import openvino_session
from vision.detection.cards import MOTION, Card, Thresholds, find_card
from vision.detection.decoders import DECODERS, Outputs, Size, Wanted
from vision.detection.motion import MotionDetector
from vision.detection.suppress import suppress
from vision.errors import ModelError
from vision.types import Detections, VehicleClass

Image = NDArray[np.uint8]
ProviderName = Literal["cpu", "openvino", "cuda", "tensorrt"]

_PROVIDERS: dict[str, tuple[str, str]] = {
    "cpu": ("CPUExecutionProvider", "onnxruntime"),
    "openvino": (openvino_session.PROVIDER, "openvino"),
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu"),
    "tensorrt": ("TensorrtExecutionProvider", "onnxruntime-gpu"),
}
_GREY = 114
"""The padding that letterboxed networks were trained with."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Where a picture lies in the network's input: ``source · scale + offset = input``."""

    width: int
    height: int
    left: int
    top: int
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]


class OnnxDetector:
    """A detector of one card. Holds buffers: use one per thread.

    Attributes:
        card: how it is fed and read.
        sha256: of the weights, as checked.
        provider: what really runs it: ``cpu``, ``openvino``, ``cuda`` or ``tensorrt``.
        input_size: width and height of the network's input.
    """

    def __init__(
        self,
        card: Card,
        *,
        provider: ProviderName = "cpu",
        threads: int = 0,
    ) -> None:
        self.card = card
        self.input_size: Size = (card.input.width, card.input.height)
        weights = card.weights
        self.sha256 = _checked_sha256(weights, card)
        self._session = open_session(weights, provider, threads, self.input_size)
        self.provider = _really_ran(self._session, provider)
        classes = {theirs: int(VehicleClass[ours.upper()]) for theirs, ours in card.classes.items()}
        self._wanted = Wanted.of(classes, card.thresholds.keep, self.input_size)
        self._decode = DECODERS[card.decoder]
        self._last_fit: Fit | None = None
        width, height = self.input_size
        self._canvas = np.full((height, width, 3), _GREY, np.uint8)
        self._planes = np.empty((1, 3, height, width), np.uint8)
        raw = card.input.scaling == "uint8"
        self._blob: NDArray[Any] = self._planes if raw else np.empty((1, 3, height, width), np.float32)
        # Where the channels of the picture (BGR) go: three views of the planes, in the network's order.
        planes = list(self._planes[0])
        self._channels = planes if card.input.colour == "bgr" else planes[::-1]
        self._input_name, self._more_inputs = _match_inputs(self._session, card, self._blob)
        self._output_names = [output.name for output in self._session.get_outputs()]
        self._try_out()

    @property
    def name(self) -> str:
        """The name of its card."""
        return self.card.name

    @property
    def thresholds(self) -> Thresholds:
        """The scores and overlap of its card."""
        return self.card.thresholds

    def least_rider(self, size: Size) -> float | None:
        """Height in pixels from which it finds most riders in pictures of ``size``; None where not known."""
        least = self.card.least_rider_px
        return None if least is None else least / float(self._fit(size).scale[1])

    def detect(self, image: Image) -> Detections:
        """Vehicles in ``image`` (``uint8[H, W, 3]``, BGR), boxes in its pixels, one per vehicle."""
        return self.postprocess(self.infer(self.preprocess(image)), (image.shape[1], image.shape[0]))

    def preprocess(self, image: Image) -> NDArray[Any]:
        """Lay ``image`` (``uint8[H, W, 3]``, BGR) into the network's input and return that buffer.

        The buffer ``[1, 3, h, w]`` is reused by the next call.

        Raises:
            ValueError: ``image`` is of another kind.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"a picture is uint8[H, W, 3], not {image.dtype}{list(image.shape)}")
        fit = self._fit((image.shape[1], image.shape[0]))
        if fit is not self._last_fit:
            self._canvas.fill(_GREY)
            self._last_fit = fit
        inside = self._canvas[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width]
        cv2.resize(image, (fit.width, fit.height), dst=inside, interpolation=cv2.INTER_LINEAR)
        cv2.split(self._canvas, self._channels)
        if self.card.input.scaling == "0-1":
            np.multiply(self._planes, np.float32(1 / 255), out=self._blob)
        elif self.card.input.scaling == "0-255":
            np.copyto(self._blob, self._planes)
        return self._blob

    def infer(self, blob: NDArray[Any]) -> Outputs:
        """Run the network on what :meth:`preprocess` returned; its outputs by name."""
        found = self._session.run(self._output_names, {self._input_name: blob, **self._more_inputs})
        return dict(zip(self._output_names, found, strict=True))

    def postprocess(self, outputs: Outputs, size: Size) -> Detections:
        """Decode, map back to a source of ``size`` (width, height), clip and suppress."""
        found = self._decode(outputs, self._wanted)
        if len(found) == 0:
            return Detections.empty()
        fit = self._fit(size)
        xyxy = (found.xyxy - fit.offset) / fit.scale
        np.clip(xyxy, 0, np.array([*size, *size], np.float32), out=xyxy)
        real = (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
        found = Detections(xyxy, found.score, found.class_id)[real]
        return suppress(found, self.card.thresholds.suppress_iou)

    def _fit(self, size: Size) -> Fit:
        return _make_fit(size, self.input_size, self.card.input.resize)

    def _try_out(self) -> None:
        """Run one grey picture: a card that does not fit its weights fails now, not at the first frame."""
        width, height = self.input_size
        blob = self.preprocess(np.full((height, width, 3), _GREY, np.uint8))
        try:
            outputs = self.infer(blob)
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            reason = _first_line(error)
            raise ModelError(f"{self.card.path}: the network fails at {width}x{height}: {reason}") from error
        try:
            self._decode(outputs, self._wanted)
        except ModelError as error:
            raise ModelError(f"{self.card.path}: {error}.") from error


def load_detector(
    name: str | Path = "ngatu-n",
    *,
    provider: ProviderName = "cpu",
    threads: int = 0,
) -> OnnxDetector | MotionDetector:
    """A detector, ready to run.

    Args:
        name: name of a card, path of a card or of weights with a card beside them, any of them with the size
            of the network's input after it (``ngatu-n@896x512``), or ``motion``.
        provider: ``cpu``, ``openvino``, ``cuda`` or ``tensorrt``.
        threads: threads of the network; 0 takes every core.

    Raises:
        ModelError: the card or the weights are missing, altered or do not fit each other, or the provider
            is not installed.
    """
    if name == MOTION:
        return MotionDetector()
    return OnnxDetector(find_card(name), provider=provider, threads=threads)


def sha256_of(weights: Path) -> str:
    """SHA-256 of a file, in hexadecimal.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        with weights.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{weights}: the weights cannot be read ({error.strerror}).") from error


def _checked_sha256(weights: Path, card: Card) -> str:
    found = sha256_of(weights)
    if found != card.sha256:
        raise ModelError(f"{weights}: its sha256 is {found}, not the {card.sha256} of {card.path}.")
    return found


def open_session(
    weights: Path, provider: ProviderName = "cpu", threads: int = 0, size: Size | None = None
) -> Any:
    """An ONNX Runtime session, or what is asked like one.

    Args:
        weights: the ONNX file.
        provider: what runs it.
        threads: threads of the network; 0 takes every core.
        size: width and height of the pictures, where known: a network open to any is then quicker.

    Raises:
        ModelError: the provider is not installed, or the file is not a network it can load.
    """
    if provider not in _PROVIDERS:
        raise ModelError(f"No provider is called {provider!r}; known are {', '.join(_PROVIDERS)}.")
    internal, package = _PROVIDERS[provider]
    if provider == "openvino":
        return _open_with_openvino(weights, threads, size)
    if internal not in ort.get_available_providers():
        raise ModelError(f"Provider {provider} is not installed: install {package} in place of onnxruntime.")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    # Waiting threads sleep: a spinning one takes the core that decodes the next frame.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(weights, options, providers=[internal])
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise ModelError(f"{weights}: ONNX Runtime cannot load it: {_first_line(error)}") from error


def package_of(provider: ProviderName) -> str:
    """The package on PyPI that runs a network."""
    return _PROVIDERS[provider][1]


def _open_with_openvino(weights: Path, threads: int, size: Size | None) -> openvino_session.OpenVinoSession:
    if not openvino_session.is_installed():
        raise ModelError("Provider openvino is not installed: pip install openvino.")
    try:
        return openvino_session.OpenVinoSession(weights, threads, size)
    except Exception as error:  # OpenVINO's exceptions have no common base
        raise ModelError(f"{weights}: OpenVINO cannot load it: {_first_line(error)}") from error


def _really_ran(session: Any, asked: ProviderName) -> str:
    first = session.get_providers()[0]
    ran = next((name for name, (internal, _) in _PROVIDERS.items() if internal == first), str(first))
    if ran != asked:
        raise ModelError(
            f"Provider {asked} did not start, {ran} would run instead: check driver and libraries."
        )
    return ran


def _match_inputs(session: Any, card: Card, blob: NDArray[Any]) -> tuple[str, dict[str, NDArray[Any]]]:
    """The name of the picture's input, and what else is fed; both checked against the card."""
    picture, *others = session.get_inputs()
    kind = "tensor(uint8)" if blob.dtype == np.uint8 else "tensor(float)"
    if picture.type != kind:
        scaling = card.input.scaling
        raise ModelError(
            f"{card.path}: input.scaling {scaling!r} feeds {kind}, the network takes {picture.type}."
        )
    if not _fits(picture.shape, blob.shape):
        raise ModelError(
            f"{card.path}: the card's input is {list(blob.shape)}, the network's {picture.shape}."
        )
    more = {}
    if card.decoder == "deimv2":
        # Told the input's own size, it answers in input pixels like every other family.
        more["orig_target_sizes"] = np.array([[blob.shape[3], blob.shape[2]]], np.int64)
    if set(more) != {other.name for other in others}:
        names = [each.name for each in (picture, *others)]
        raise ModelError(f"{card.path}: the inputs {names} are not those of the decoder {card.decoder!r}.")
    return picture.name, more


def _fits(declared: list[int | str | None], given: tuple[int, ...]) -> bool:
    """Whether a shape matches a declared one, in which a name stands for any size."""
    fixed = all(d == g for d, g in zip(declared, given, strict=False) if isinstance(d, int))
    return len(declared) == len(given) and fixed


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


@lru_cache(maxsize=64)
def _make_fit(source: Size, target: Size, resize: str) -> Fit:
    if resize == "plain":
        width, height = target
        left = top = 0
    else:
        ratio = min(target[0] / source[0], target[1] / source[1])
        width, height = max(1, round(source[0] * ratio)), max(1, round(source[1] * ratio))
        centred = resize == "letterbox"
        left, top = ((target[0] - width) // 2, (target[1] - height) // 2) if centred else (0, 0)
    scale = np.array([width / source[0], height / source[1]] * 2, np.float32)
    return Fit(width, height, left, top, scale, np.array([left, top] * 2, np.float32))
