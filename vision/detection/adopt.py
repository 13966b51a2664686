"""Taking in somebody's ONNX weights: guess the family, write the card, try it, keep both for the user."""

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from vision.detection.cards import MOTION, NAME, Card, card_files, find_card, to_toml, user_folder
from vision.detection.decoders import DECODERS, Size, yolox_grid
from vision.detection.onnx import OnnxDetector, open_session, sha256_of
from vision.errors import ModelError
from vision.types import VehicleClass

Shape = list[int | str | None]

COCO = {1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}
"""The vehicles among the 80 COCO classes."""
COCO_COUNT = 80

_FED = {
    "ngatu": {"colour": "rgb", "resize": "plain", "scaling": "uint8"},
    "yolo": {"colour": "rgb", "resize": "letterbox", "scaling": "0-1"},
    "yolo_end2end": {"colour": "rgb", "resize": "letterbox", "scaling": "0-1"},
    "yolox": {"colour": "bgr", "resize": "letterbox_top_left", "scaling": "0-255"},
    "deimv2": {"colour": "rgb", "resize": "plain", "scaling": "0-1"},
}
"""How each family is fed by its authors."""


def adopt(
    weights: Path,
    *,
    name: str | None = None,
    decoder: str | None = None,
    classes: Mapping[int, str] | None = None,
    size: Size | None = None,
    licence: str = "not stated",
    source: str = "not stated",
) -> Card:
    """Write a card for ``weights``, run them once, and copy both to the user's folder.

    Args:
        weights: the ONNX file; it is only read.
        name: what to call it; its file's name by default.
        decoder: family of the output; guessed from the shapes by default.
        classes: the network's class → ours; for a network of 80 classes COCO's by default.
        size: width and height of the input, where the network leaves them open.
        licence: of the weights.
        source: where they come from.

    Raises:
        ModelError: the file is not ONNX or does not run, or what is not given cannot be guessed.
    """
    if weights.suffix != ".onnx":
        raise ModelError(f"{weights}: only ONNX weights (.onnx) can be added; export others to ONNX first.")
    if not weights.is_file():
        raise ModelError(f"{weights}: there is no such file.")
    session = open_session(weights)
    size, multiple_of = _input_size(weights, session.get_inputs()[0].shape, size)
    outputs: dict[str, Shape] = {output.name: output.shape for output in session.get_outputs()}
    decoder = decoder or guess_decoder(weights, outputs, size)
    if decoder not in DECODERS:
        raise ModelError(f"No decoder is called {decoder!r}; known are {', '.join(DECODERS)}.")
    name = name or weights.stem
    if not re.fullmatch(NAME, name):
        raise ModelError(
            f"{name!r} is no name for a detector: use letters, digits, dot, dash and underscore."
        )
    if name in {MOTION, *card_files()}:
        raise ModelError(f"There is already a detector called {name!r}; choose another name.")
    card = {
        "name": name,
        "file": f"{name}.onnx",
        "sha256": sha256_of(weights),
        "licence": licence,
        "source": source,
        "decoder": decoder,
        "input": {"width": size[0], "height": size[1], "multiple_of": multiple_of, **_FED[decoder]},
        "classes": classes or _usual_classes(weights, decoder, outputs),
        "thresholds": {"keep": 0.1, "start": 0.25, "suppress_iou": 0.55},
    }
    return _install(weights, name, to_toml(card))


def guess_decoder(weights: Path, outputs: Mapping[str, Shape], size: Size) -> str:
    """The family that alone has outputs of these shapes.

    Raises:
        ModelError: none has, or the shapes are left open.
    """
    if set(outputs) == {"labels", "boxes", "scores"}:
        return "deimv2"
    if set(outputs) == {"boxes", "scores"}:
        return "ngatu"
    shape = next(iter(outputs.values()))
    if len(outputs) == 1 and len(shape) == 3:
        rows, columns = shape[1], shape[2]
        if columns == 6:
            return "yolo_end2end"
        if rows == len(yolox_grid(size)) and isinstance(columns, int) and columns > 5:
            return "yolox"
        if isinstance(rows, int) and rows > 4 and (not isinstance(columns, int) or columns > rows):
            return "yolo"
    raise ModelError(f"{weights}: its outputs {dict(outputs)} are of no family known here; name the decoder.")


def parse_classes(text: str) -> dict[int, str]:
    """A class map from ``coco`` or ``0=car,1=motorcycle``.

    Raises:
        ModelError: it is not of that form, or a class is not one of ours.
    """
    if text == "coco":
        return COCO
    classes = {}
    known = [c.label for c in VehicleClass if c is not VehicleClass.UNKNOWN]
    for pair in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*=\s*(\w+)\s*", pair)
        if not match:
            raise ModelError(
                f"Classes are written as 0=car,1=motorcycle or coco; {pair!r} is not understood."
            )
        if match[2] not in known:
            raise ModelError(f"No class is called {match[2]!r}; known are {', '.join(known)}.")
        classes[int(match[1])] = match[2]
    return classes


def _input_size(weights: Path, shape: Shape, asked: Size | None) -> tuple[Size, int | None]:
    """Size of the input, and 32 (the largest stride of every family) where the network leaves it open."""
    height, width = shape[2:] if len(shape) == 4 else (None, None)
    if isinstance(width, int) and isinstance(height, int):
        if asked not in (None, (width, height)):
            raise ModelError(f"{weights}: its input is {width}x{height} and cannot be changed.")
        return (width, height), None
    if asked is None:
        raise ModelError(f"{weights}: its input {shape} leaves the size open; give one, such as 640x384.")
    return asked, 32


def _usual_classes(weights: Path, decoder: str, outputs: Mapping[str, Shape]) -> Mapping[int, str]:
    """COCO's vehicles, where the network's own output says that it has COCO's 80 classes."""
    shape = next(iter(outputs.values()))
    if (decoder == "yolo" and shape[1] == 4 + COCO_COUNT) or (
        decoder == "yolox" and shape[2] == 5 + COCO_COUNT
    ):
        return COCO
    raise ModelError(f"{weights}: say which of its classes are which of ours, as 0=car,1=motorcycle or coco.")


def _install(weights: Path, name: str, card: str) -> Card:
    """Try card and weights in a folder of their own; only what runs is moved to the user's."""
    folder = user_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".adding-") as made:
        trial = Path(made)
        shutil.copyfile(weights, trial / f"{name}.onnx")
        (trial / f"{name}.toml").write_text(card, encoding="utf-8")
        OnnxDetector(find_card(trial / f"{name}.toml"))
        # The card last: a card without its weights would be an error to everybody who lists.
        for suffix in (".onnx", ".toml"):
            (trial / f"{name}{suffix}").replace(folder / f"{name}{suffix}")
    return find_card(folder / f"{name}.toml")
