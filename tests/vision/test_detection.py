"""Detectors: cards, decoders, suppression, and every detector on a real frame."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import BaseModel

from vision.detection import Card, MotionDetector, OnnxDetector, find_card, list_cards, load_detector
from vision.detection.cards import InputSpec, Thresholds, read_card
from vision.detection.decoders import DECODERS, Wanted, yolox_grid
from vision.detection.onnx import ProviderName
from vision.detection.suppress import suppress
from vision.errors import ModelError
from vision.geometry import box_iou
from vision.sources import open_source
from vision.types import Detections, Detector, VehicleClass

REPO = Path(__file__).resolve().parents[2]
OURS = REPO / "models" / "ngatu-n.toml"
BICYCLE, MOTORCYCLE, CAR, BUS, TRUCK = range(5)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or touches the models of who runs it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("NGATU_MODELS", raising=False)


@pytest.fixture(scope="module")
def ours() -> OnnxDetector:
    detector = load_detector("ngatu-n", threads=1)
    assert isinstance(detector, OnnxDetector)
    return detector


DRAWN = np.array([[115, 170, 225, 246], [395, 200, 505, 276]], np.float32)
"""Where the cars of :func:`drawn_road` are."""


def drawn_road() -> NDArray[np.uint8]:
    """Two plain cars on a grey road, as a network may see them."""
    image = np.full((360, 640, 3), (110, 115, 110), np.uint8)
    cv2.rectangle(image, (0, 0), (640, 90), (200, 180, 160), -1)
    for x, y, colour in ((120, 170, (40, 40, 190)), (400, 200, (190, 190, 190))):
        cv2.rectangle(image, (x - 5, y + 66), (x + 105, y + 76), (60, 60, 60), -1)
        cv2.rectangle(image, (x, y + 25), (x + 100, y + 65), colour, -1)
        cv2.fillPoly(
            image, [np.array([(x + 12, y + 25), (x + 25, y), (x + 75, y), (x + 88, y + 25)])], colour
        )
        cv2.fillPoly(
            image,
            [np.array([(x + 20, y + 22), (x + 29, y + 5), (x + 71, y + 5), (x + 80, y + 22)])],
            (50, 40, 40),
        )
        for wheel in (x + 14, x + 86):
            cv2.circle(image, (wheel, y + 66), 10, (20, 20, 20), -1)
        cv2.rectangle(image, (x + 4, y + 40), (x + 22, y + 50), (230, 240, 240), -1)
        cv2.rectangle(image, (x + 78, y + 40), (x + 96, y + 50), (230, 240, 240), -1)
    return image


# Cards and finding them


SHA256 = hashlib.sha256(OURS.with_suffix(".onnx").read_bytes()).hexdigest()
CARD = f"""\
name = "ngatu-n"
file = "ngatu-n.onnx"
sha256 = "{SHA256}"
licence = "AGPL-3.0-or-later"
source = "this project"
decoder = "ngatu"

[input]
width = 448
height = 256
colour = "rgb"
resize = "plain"
scaling = "uint8"

[classes]
0 = "bicycle"
1 = "motorcycle"
2 = "car"
3 = "bus"
4 = "truck"

[thresholds]
keep = 0.1
start = 0.25
suppress_iou = 0.55
"""


def card_text(**changes: str) -> str:
    """A card of our weights with some lines changed: ``field="replacement line"``."""
    lines = CARD.splitlines()
    for field, line in changes.items():
        lines = [line if each.startswith(f"{field} =") else each for each in lines]
    return "\n".join(lines) + "\n"


def write_card(folder: Path, text: str, name: str = "ngatu-n") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_our_card_is_found_by_name_and_lists_its_classes() -> None:
    card = find_card("ngatu-n")
    assert card.path == OURS
    assert card.weights == OURS.with_suffix(".onnx")
    assert card.class_names == ["bicycle", "motorcycle", "car", "bus", "truck"]
    assert card.name in [each.name for each in list_cards()]


@pytest.mark.parametrize("model", [Card, InputSpec, Thresholds])
def test_every_field_of_a_card_is_described(model: type[BaseModel]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_a_card_is_found_by_its_path_and_by_that_of_its_weights() -> None:
    assert find_card(OURS).name == "ngatu-n"
    assert find_card(str(OURS.with_suffix(".onnx"))).path == OURS


@pytest.mark.parametrize("where", ["user", "named"])
def test_folders_of_the_search(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data" / "ngatu" / "models" if where == "user" else tmp_path / "second"
    folder.mkdir(parents=True)
    monkeypatch.setenv("NGATU_MODELS", os.pathsep.join([str(tmp_path / "absent"), str(tmp_path / "second")]))
    write_card(folder, card_text(name='name = "mine"'), "mine")
    assert find_card("mine").path == folder / "mine.toml"
    # Weights that do not lie beside the card are taken from another folder of the search.
    assert find_card("mine").weights == OURS.with_suffix(".onnx")


def test_ours_comes_before_another_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGATU_MODELS", str(tmp_path))
    write_card(tmp_path, card_text())
    assert find_card("ngatu-n").path == OURS


def test_unknown_name_lists_the_known_ones_closest_first() -> None:
    with pytest.raises(ModelError, match=r"'ngatu_n'; known are ngatu-n, .*motion"):
        load_detector("ngatu_n")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"licence": 'license = "MIT"'}, r"line 4: license: is not a field", id="unknown field"),
        pytest.param({"width": 'width = "wide"'}, r"line 9: input.width: .*integer", id="wrong type"),
        pytest.param({"resize": 'resize = "crop"'}, r"line 12: input.resize: .*'letterbox'", id="wrong word"),
        pytest.param({"sha256": ""}, r"toml: sha256: field required", id="missing field"),
        pytest.param({"keep": ""}, r"line 22: thresholds.keep: field required", id="missing in table"),
        pytest.param(
            {"keep": "keep = 0.9"}, r"line 22: thresholds: keep \(0.9\) must not", id="keep > start"
        ),
        pytest.param({"2": '2 = "tram"'}, r"line 18: classes.2: .*'motorcycle'", id="unknown class"),
        pytest.param({"2": 'two = "car"'}, r"line 18: classes.two: .*integer", id="class no number"),
        pytest.param({"file": 'file = "ngatu.pt"'}, r"line 2: file: .*onnx", id="pickled weights"),
        pytest.param({"decoder": 'decoder = "ssd"'}, r"line 6: decoder: .*'yolox'", id="unknown family"),
        pytest.param({"name": 'name = "other"'}, r"field name is 'other' but", id="name is not the file's"),
        pytest.param({"source": 'source = "'}, r"not valid TOML: .*line 5", id="not TOML"),
    ],
)
def test_malformed_card_is_one_sentence(change: dict[str, str], message: str, tmp_path: Path) -> None:
    path = write_card(tmp_path, card_text(**change))
    with pytest.raises(ModelError, match=message) as caught:
        read_card(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_loaded_says_so(tmp_path: Path) -> None:
    bare, pickled = tmp_path / "bare.onnx", tmp_path / "best.pt"
    for path in (bare, pickled):
        path.write_bytes(b"x")
    for path, message in (
        (bare, "has no card beside it"),
        (tmp_path / "absent.onnx", "no such file"),
        (tmp_path / "absent.toml", "cannot be read"),
        (pickled, "only ONNX weights"),
    ):
        with pytest.raises(ModelError, match=message):
            load_detector(path)


# Loading


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"sha256": f'sha256 = "{"0" * 64}"'}, f"its sha256 is {SHA256[:8]}", id="checksum"),
        pytest.param({"file": 'file = "absent.onnx"'}, "weights absent.onnx are missing", id="no weights"),
        pytest.param({"width": "width = 650"}, "the network fails at 650x256", id="input size"),
        pytest.param({"scaling": 'scaling = "0-1"'}, r"takes tensor\(uint8\)", id="input type"),
        pytest.param({"decoder": 'decoder = "yolo"'}, r"outputs .* not those of .*'yolo'", id="outputs"),
        pytest.param({"decoder": 'decoder = "deimv2"'}, r"inputs .* not those of .*'deimv2'", id="inputs"),
        pytest.param({"4": '40 = "truck"'}, "names class 40 but it has 5 classes", id="class map"),
    ],
)
def test_card_that_does_not_fit_its_weights_fails_at_load(
    change: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=message):
        load_detector(write_card(tmp_path, card_text(**change)))


def test_card_of_another_size_than_its_network(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(OURS.with_suffix(".onnx"))
    for dimension, length in zip(
        model.graph.input[0].type.tensor_type.shape.dim, (1, 3, 256, 448), strict=True
    ):
        dimension.dim_value = length
    onnx.save(model, tmp_path / "fixed.onnx")
    sha256 = hashlib.sha256((tmp_path / "fixed.onnx").read_bytes()).hexdigest()
    text = card_text(
        name='name = "fixed"', file='file = "fixed.onnx"', sha256=f'sha256 = "{sha256}"', width="width = 640"
    )
    with pytest.raises(ModelError, match=r"card's input is \[1, 3, 256, 640\]"):
        load_detector(write_card(tmp_path, text, "fixed"))


def test_file_that_is_no_network(tmp_path: Path) -> None:
    (tmp_path / "noise.onnx").write_bytes(b"not a network")
    sha256 = hashlib.sha256(b"not a network").hexdigest()
    text = card_text(name='name = "noise"', file='file = "noise.onnx"', sha256=f'sha256 = "{sha256}"')
    with pytest.raises(ModelError, match="ONNX Runtime cannot load it"):
        load_detector(write_card(tmp_path, text, "noise"))


def test_provider_that_is_not_installed_names_the_package() -> None:
    with pytest.raises(ModelError, match="install onnxruntime-gpu"):
        load_detector(provider="cuda")


def test_openvino_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vision.detection.openvino_session.is_installed", lambda: False)
    with pytest.raises(ModelError, match="pip install openvino"):
        load_detector(provider="openvino")


# Sums of bytes are rounded otherwise: now and then another of two boxes on one vehicle is the surer.
@pytest.mark.parametrize(("name", "there", "alike"), [("ngatu-n", 1.0, 1.0), ("ngatu-n-int8", 0.97, 0.95)])
def test_openvino_finds_what_onnx_runtime_finds(name: str, there: float, alike: float) -> None:
    pytest.importorskip("openvino")
    clip = next((REPO / "sample_videos").glob("*cam1_day*.mp4"))
    detectors = [load_detector(name, threads=1), load_detector(name, provider="openvino", threads=1)]
    best = []
    with open_source(clip) as source:
        for frame in islice(source, 0, 200, 20):
            ours, theirs = (detector.detect(frame.image) for detector in detectors)
            sure = ours.xyxy[ours.score > 0.3].astype(float)
            best += box_iou(sure, theirs.xyxy.astype(float)).max(axis=1).tolist()
    assert len(best) > 100
    assert (np.array(best) > 0.6).mean() >= there
    assert (np.array(best) > 0.8).mean() >= alike


def test_openvino_does_not_report_to_its_maker() -> None:
    pytest.importorskip("openvino")
    program = (
        "import socket, sys\n"
        "socket.getaddrinfo = socket.socket.connect = lambda *_: sys.exit('it wants the network')\n"
        "from vision.detection import load_detector\n"
        "load_detector('ngatu-n-int8', provider='openvino', threads=1)\n"
        "sys.exit(any('telemetry' in name for name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


def test_size_of_a_fixed_network_cannot_be_changed(tmp_path: Path) -> None:
    folder = tmp_path / "an@camera"
    folder.mkdir()
    card = write_card(folder, CARD)
    assert find_card(card).input.width == 448
    assert find_card(f"{card}@448x256").input.width == 448
    with pytest.raises(ModelError, match="takes 448x256 only, not 896x512"):
        find_card(f"{card}@896x512")


@pytest.mark.parametrize("size", ["0x32", "640", "640x", "axb", "640x352x3", ""])
def test_a_size_that_is_none_is_told(size: str) -> None:
    with pytest.raises(ModelError, match="written as 640x384"):
        find_card(f"ngatu-n@{size}")


@pytest.mark.parametrize("provider", ["cpu", "openvino"])
@pytest.mark.parametrize("name", ["ngatu-n", "ngatu-n-int8"])
def test_ours_takes_pictures_of_any_size(name: str, provider: ProviderName) -> None:
    if provider == "openvino":
        pytest.importorskip("openvino")
    closer = load_detector(f"{name}@896x512", provider=provider, threads=1)
    assert isinstance(closer, OnnxDetector)
    assert closer.input_size == (896, 512)
    assert closer.name == f"{name}@896x512"
    found = closer.detect(drawn_road())
    assert (box_iou(DRAWN, found.xyxy).max(axis=1) > 0.5).all()
    with pytest.raises(ModelError, match="takes multiples of 32 only, not 650x352"):
        load_detector(f"{name}@650x352")


# Ours on a picture


def test_ours_finds_drawn_cars(ours: OnnxDetector) -> None:
    detector: Detector = ours
    found = detector.detect(drawn_road())
    assert kinds(found) == [np.float32, np.float32, np.int8]
    assert (box_iou(DRAWN, found.xyxy).max(axis=1) > 0.5).all()


def test_ours_says_what_it_is(ours: OnnxDetector) -> None:
    assert ours.name == ours.card.name == "ngatu-n"
    assert ours.sha256 == ours.card.sha256
    assert ours.provider == "cpu"
    assert ours.input_size == (448, 256)
    assert ours.thresholds is ours.card.thresholds


def test_same_picture_same_boxes_whatever_came_between(ours: OnnxDetector) -> None:
    image = drawn_road()
    first = ours.detect(image)
    ours.detect(np.zeros((720, 404, 3), np.uint8))
    again = ours.detect(image)
    np.testing.assert_array_equal(first.xyxy, again.xyxy)
    np.testing.assert_array_equal(first.score, again.score)


def test_boxes_scale_with_the_picture_and_stay_inside(ours: OnnxDetector) -> None:
    small = ours.detect(drawn_road())
    large = ours.detect(np.repeat(np.repeat(drawn_road(), 2, axis=0), 2, axis=1))
    assert (box_iou(small.xyxy[:2] * 2, large.xyxy).max(axis=1) > 0.8).all()
    cut = ours.detect(np.ascontiguousarray(drawn_road()[:250, 150:]))
    assert (cut.xyxy >= 0).all()
    assert (cut.xyxy[:, 2] <= 490).all()
    assert (cut.xyxy[:, 3] <= 250).all()


@pytest.mark.parametrize(
    "image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.float32)]
)
def test_only_colour_pictures_of_bytes_are_taken(ours: OnnxDetector, image: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"uint8\[H, W, 3\]"):
        ours.detect(image)


def test_empty_road_has_no_vehicles(ours: OnnxDetector) -> None:
    found = ours.detect(np.full((360, 640, 3), 114, np.uint8))
    assert len(found) == 0
    assert found.xyxy.shape == (0, 4)


@pytest.mark.parametrize("resize", ["letterbox", "letterbox_top_left"])
def test_letterboxed_boxes_come_back_to_the_source(resize: str, tmp_path: Path) -> None:
    detector = load_detector(write_card(tmp_path, card_text(resize=f'resize = "{resize}"')), threads=1)
    square = np.full((640, 640, 3), 114, np.uint8)
    square[140:500] = drawn_road()
    found = detector.detect(square)
    drawn = np.array([[115, 310, 225, 386], [395, 340, 505, 416]], np.float32)
    assert (box_iou(drawn, found.xyxy).max(axis=1) > 0.4).all()
    # The grey margins of the last picture must not linger in one of another shape.
    np.testing.assert_array_equal(detector.detect(square).xyxy, found.xyxy)
    detector.detect(drawn_road())
    np.testing.assert_array_equal(detector.detect(square).xyxy, found.xyxy)


# Decoders

COCO = {1: BICYCLE, 2: CAR, 3: MOTORCYCLE, 5: BUS, 7: TRUCK}
SIZE = (128, 128)
SCENE = [
    # left, top, right, bottom, {network's class: score}, our class or None
    pytest.param((8, 10, 40, 30), {2: 0.9}, CAR, id="car"),
    pytest.param((50, 20, 60, 44), {3: 0.6, 1: 0.3}, MOTORCYCLE, id="better of two vehicles"),
    pytest.param((5, 5, 25, 45), {0: 0.95}, None, id="outside the map"),
    pytest.param((5, 5, 25, 45), {2: 0.2}, None, id="below the threshold"),
]
ROW = 37  # an anchor of the finest grid of YOLOX: column 5, row 2


def kinds(found: Detections) -> list[np.dtype[Any]]:
    return [found.xyxy.dtype, found.score.dtype, found.class_id.dtype]


def scores_of(classes: dict[int, float], count: int = 80) -> NDArray[np.float32]:
    scores = np.zeros(count, np.float32)
    scores[list(classes)] = list(classes.values())
    return scores


def encode(family: str, box: tuple[float, ...], classes: dict[int, float]) -> dict[str, NDArray[Any]]:
    """The outputs of a network of ``family`` that sees one object."""
    x1, y1, x2, y2 = box
    centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], np.float32)
    best = max(classes, key=lambda c: classes[c])
    n = len(yolox_grid(SIZE))
    if family == "ngatu":
        out: dict[str, NDArray[Any]] = {
            "boxes": np.zeros((1, n, 4), np.float32),
            "scores": np.zeros((1, n, 80), np.float32),
        }
        out["boxes"][0, ROW], out["scores"][0, ROW] = box, scores_of(classes)
        return out
    if family == "yolo":
        raw = np.zeros((1, 84, 100), np.float32)
        raw[0, :, ROW] = np.concatenate((centre, scores_of(classes)))
        return {"output0": raw}
    if family == "yolo_end2end":
        raw = np.zeros((1, 300, 6), np.float32)
        raw[0, ROW] = (*box, classes[best], best)
        return {"output0": raw}
    if family == "yolox":
        raw = np.zeros((1, n, 85), np.float32)
        column, row, stride = yolox_grid(SIZE)[ROW]
        offset = (centre[0] / stride - column, centre[1] / stride - row, *np.log(centre[2:] / stride))
        # The score is objectness times class; 0.98 of it lies in the first.
        raw[0, ROW] = np.concatenate((offset, [0.98], scores_of(classes) / 0.98))
        return {"output": raw}
    labels, boxes, scores = np.zeros((1, 100), np.int64), np.zeros((1, 100, 4)), np.zeros((1, 100))
    labels[0, ROW], boxes[0, ROW], scores[0, ROW] = best, box, classes[best]
    return {"labels": labels, "boxes": boxes.astype(np.float32), "scores": scores.astype(np.float32)}


@pytest.mark.parametrize("family", DECODERS)
@pytest.mark.parametrize(("box", "classes", "ours"), SCENE)
def test_decoder(family: str, box: tuple[float, ...], classes: dict[int, float], ours: int | None) -> None:
    found = DECODERS[family](encode(family, box, classes), Wanted.of(COCO, 0.25, SIZE))
    if ours is None:
        assert len(found) == 0
        return
    np.testing.assert_allclose(found.xyxy, [box], atol=1e-4)
    np.testing.assert_allclose(found.score, [max(classes.values())], atol=1e-6)
    assert found.class_id.tolist() == [ours]
    assert kinds(found) == [np.float32, np.float32, np.int8]


@pytest.mark.parametrize("family", ["ngatu", "yolo", "yolox"])
def test_decoder_takes_the_best_vehicle_behind_a_better_other_class(family: str) -> None:
    outputs = encode(family, (8, 10, 40, 30), {0: 0.9, 1: 0.4})
    found = DECODERS[family](outputs, Wanted.of(COCO, 0.25, SIZE))
    assert found.class_id.tolist() == [BICYCLE]
    np.testing.assert_allclose(found.score, [0.4], atol=1e-6)


@pytest.mark.parametrize("family", DECODERS)
def test_decoder_refuses_the_outputs_of_others(family: str) -> None:
    wanted = Wanted.of(COCO, 0.25, SIZE)
    for other in set(DECODERS) - {family}:
        with pytest.raises(ModelError, match=f"not those of the decoder '{family}'"):
            DECODERS[family](encode(other, (8, 10, 40, 30), {2: 0.9}), wanted)


# Suppression


def boxes(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4].copy(), table[:, 4].copy(), table[:, 5].astype(np.int8))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param(boxes(), [], id="nothing"),
        pytest.param(boxes((0, 0, 100, 50, 0.5, CAR), (2, 1, 101, 50, 0.6, TRUCK)), [1], id="car and truck"),
        pytest.param(boxes((0, 0, 100, 50, 0.6, CAR), (60, 0, 160, 50, 0.5, CAR)), [0, 1], id="queue"),
        pytest.param(boxes((0, 0, 100, 80, 0.9, BUS), (40, 50, 60, 80, 0.3, MOTORCYCLE)), [0, 1], id="rider"),
        pytest.param(boxes((0, 0, 100, 80, 0.9, BUS), (10, 10, 40, 40, 0.3, CAR)), [0, 1], id="car at a bus"),
        pytest.param(
            boxes((0, 0, 100, 80, 0.9, TRUCK), (0, 20, 35, 80, 0.3, TRUCK)), [0], id="cab of a lorry"
        ),
        pytest.param(
            boxes((0, 0, 100, 80, 0.3, TRUCK), (0, 20, 35, 80, 0.9, TRUCK)), [1, 0], id="truck at a bad truck"
        ),
        pytest.param(
            boxes((0, 0, 100, 80, 0.9, BUS), (50, 0, 150, 80, 0.8, BUS)), [0, 1], id="buses in a queue"
        ),
        pytest.param(boxes((0, 0, 10, 10, 0.5, CAR), (0, 0, 10, 10, 0.5, CAR)), [0], id="twice the same"),
        pytest.param(boxes((0, 0, 10, 10, 0.0, CAR)), [0], id="score of 0"),
        pytest.param(
            boxes((0, 0, 20, 40, 0.9, 1), (18, 0, 38, 40, 0.8, 1), (9, 2, 29, 40, 0.4, 1)),
            [0, 1],
            id="halves",
        ),
        pytest.param(
            boxes((0, 0, 20, 40, 0.9, 1), (18, 0, 38, 40, 0.8, 1), (9, 20, 29, 60, 0.4, 1)),
            [0, 1, 2],
            id="rider in front of two",
        ),
        pytest.param(
            boxes((0, 0, 20, 40, 0.4, 1), (18, 0, 38, 40, 0.5, 1), (9, 2, 29, 40, 0.9, 1)),
            [2, 1, 0],
            id="riders beside a surer one",
        ),
        pytest.param(
            boxes((0, 0, 20, 40, 0.9, CAR), (18, 0, 38, 40, 0.8, CAR), (9, 2, 29, 40, 0.4, 1)),
            [0, 1, 2],
            id="rider before cars",
        ),
        pytest.param(
            # The middle one goes to the first, and so must not take the last with it.
            boxes((0, 0, 10, 10, 0.9, CAR), (2, 0, 12, 10, 0.8, CAR), (4, 0, 14, 10, 0.7, CAR)),
            [0, 2],
            id="chain",
        ),
    ],
)
def test_suppress(given: Detections, kept: list[int]) -> None:
    found = suppress(given, 0.5)
    wanted = given[np.array(kept, np.intp)]
    np.testing.assert_array_equal(found.xyxy, wanted.xyxy)
    np.testing.assert_array_equal(found.class_id, wanted.class_id)


a_box = st.tuples(
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 9),
    st.integers(0, 4),
).map(lambda v: (v[0], v[1], v[0] + v[2], v[1] + v[3], v[4] / 10, v[5]))
many_boxes = st.lists(a_box, max_size=40).map(lambda rows: boxes(*rows))
overlap = st.sampled_from([0.3, 0.5, 0.65, 0.9])


@given(many_boxes, overlap)
def test_suppressed_boxes_do_not_overlap_and_every_other_had_a_better_one(
    given: Detections, iou: float
) -> None:
    found = suppress(given, iou)
    among = box_iou(found.xyxy, found.xyxy)
    np.fill_diagonal(among, 0)
    assert (among <= iou + 1e-5).all()
    assert (np.diff(found.score) <= 0).all()
    # Each smaller vehicle given is kept or overlaps one that was, of at least its score.
    small = given[given.class_id == CAR]
    before = suppress(Detections(given.xyxy, given.score, np.full_like(given.class_id, CAR)), iou)
    covered = (box_iou(small.xyxy, before.xyxy) >= iou - 1e-5) & (before.score >= small.score[:, None])
    assert covered.any(axis=1).all()


@given(many_boxes, overlap, st.randoms(use_true_random=False))
def test_suppression_does_not_depend_on_the_order(given: Detections, iou: float, random: Random) -> None:
    order = list(range(len(given)))
    random.shuffle(order)
    first, second = suppress(given, iou), suppress(given[np.array(order, np.intp)], iou)
    np.testing.assert_array_equal(first.xyxy, second.xyxy)
    np.testing.assert_array_equal(first.class_id, second.class_id)


@given(many_boxes, overlap)
def test_suppressing_twice_changes_nothing(given: Detections, iou: float) -> None:
    once = suppress(given, iou)
    twice = suppress(once, iou)
    np.testing.assert_array_equal(once.xyxy, twice.xyxy)
    np.testing.assert_array_equal(once.score, twice.score)


# Motion


def moving_scene(count: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """A noisy road on which a dark and a light block drive, each with a soft shadow; and where they are."""
    noise = np.random.default_rng(7)
    road = np.full((360, 640, 3), 120, np.uint8)
    road[:100] = 180
    for i in range(count):
        image = road.copy()
        places = []
        if i >= 20:
            for x, y, colour in ((10 + 6 * (i - 20), 150, 20), (600 - 6 * (i - 20), 270, 230)):
                image[y + 30 : y + 42, x : x + 60] = (image[y + 30 : y + 42, x : x + 60] * 0.7).astype(
                    np.uint8
                )
                image[y : y + 30, x : x + 60] = colour
                places.append((x, y, min(x + 60, 640), y + 30))
        noisy = image + noise.normal(0, 2, image.shape)
        yield np.clip(noisy, 0, 255).astype(np.uint8), np.array(places, np.float32).reshape(-1, 4)


def test_motion_boxes_what_moves_without_its_shadow() -> None:
    detector = load_detector("motion")
    assert isinstance(detector, MotionDetector)
    for image, places in moving_scene(80):
        found = detector.detect(image)
        assert len(found) == len(places)
        if len(places):
            assert (box_iou(places, found.xyxy).max(axis=1) > 0.8).all()
            assert set(found.class_id.tolist()) == {VehicleClass.UNKNOWN}


def test_motion_leaves_out_the_warm_up_and_what_is_small() -> None:
    detector = MotionDetector(warm_up=5, min_area=0.01)
    for i in range(8):
        image = np.full((360, 640, 3), 120, np.uint8)
        if i >= 4:
            image[100:160, 90 * i - 300 : 90 * i - 220] = 250  # 2 % of the picture
            image[300:310, 90 * i - 300 : 90 * i - 280] = 250  # less than 0.1 %
        assert len(detector.detect(image)) == (0 if i < 5 else 1)


# Every detector on real frames


@pytest.fixture(scope="module")
def frames(testdata: Path) -> list[NDArray[np.uint8]]:
    """One frame each of a Hà Nội junction, a Việt Nam stop line, a Delhi road and a German crossing."""
    clips = {
        "hanoi-giang-vo-lang-ha": 50,
        "vn-ptz-signal-approach": 100,
        "delhi-divided-road-cam04": 60,
        "de-ottestvideo-cars-truck": 30,
    }
    found = []
    for clip, number in clips.items():
        video = cv2.VideoCapture(str(testdata / "videos" / f"{clip}.mp4"))
        for _ in range(number):
            video.grab()
        found.append(np.asarray(video.read()[1], np.uint8))
    return found


@pytest.fixture(scope="module")
def reference(frames: list[NDArray[np.uint8]]) -> list[Detections]:
    """What a much larger network is sure of in these frames."""
    teacher = load_detector("yolov8s_736x1280")
    found = [teacher.detect(frame) for frame in frames]
    sure = [each[each.score > 0.5] for each in found]
    assert [len(each) >= 4 for each in sure] == [True] * len(frames)
    assert {CAR, MOTORCYCLE, TRUCK} <= set(np.concatenate([each.class_id for each in sure]).tolist())
    return sure


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "recall", "right_class"),
    [
        ("yolo11n_dyn", 0.85, 0.9),
        ("yolo26n", 0.65, 0.9),
        ("deimv2_femto", 0.8, 0.85),
        ("deimv2_atto", 0.65, 0.75),
        ("yolox_nano", 0.65, 0.9),
        ("ngatu-n", 0.8, 0.9),
    ],
)
def test_detector_sees_what_a_larger_one_sees(
    name: str,
    recall: float,
    right_class: float,
    frames: list[NDArray[np.uint8]],
    reference: list[Detections],
) -> None:
    detector = load_detector(name)
    seen = right = sure = total = 0
    for frame, wanted in zip(frames, reference, strict=True):
        found = detector.detect(frame)
        found = found[found.score > 0.2]
        overlaps = box_iou(wanted.xyxy, found.xyxy)
        hit = overlaps.max(axis=1) > 0.5
        seen += int(hit.sum())
        right += int((found.class_id[overlaps.argmax(axis=1)] == wanted.class_id)[hit].sum())
        total += len(wanted)
        sure += int((found.score > 0.5).sum())
        assert (box_iou(found.xyxy, found.xyxy) > 0.6).sum() == len(found)
    assert seen / total >= recall
    assert right / seen >= right_class
    assert sure <= 1.5 * total


@pytest.mark.data
def test_free_size_of_a_dynamic_network(testdata: Path, frames: list[NDArray[np.uint8]]) -> None:
    detector = load_detector("yolo11n_dyn@320x192")
    assert isinstance(detector, OnnxDetector)
    assert detector.input_size == (320, 192)
    assert len(detector.detect(frames[1])) > 3
    with pytest.raises(ModelError, match="takes multiples of 32 only, not 330x192"):
        load_detector("yolo11n_dyn@330x192")
