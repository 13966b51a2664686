"""Evaluation of detectors: what scores mean, what is held out, and what a second run remembers."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

pytest.importorskip("faster_coco_eval", reason="evaluation needs faster-coco-eval")
pytest.importorskip("onnx", reason="evaluation needs onnx")

import onnx
import typer

from models.training.evaluate import main, score_parts
from models.training.examine import Memory, open_detector
from models.training.flops import gflops
from models.training.gather import SETS
from models.training.scores import Score, score
from models.training.splits import load_split
from models.training.testset import OWN_LABELS, HeldOutPicture, held_out_pictures
from vision.errors import ModelError, TrainingError
from vision.types import Detections, VehicleClass

CAR, TRUCK = VehicleClass.CAR, VehicleClass.TRUCK
SIZE = (640, 360)
TWO = [[100, 100, 200, 200], [300, 100, 400, 200]]


def picture(
    boxes: Sequence[Sequence[float]],
    *,
    camera: str = "a",
    ignored: Sequence[Sequence[float]] = (),
    part: str = "sea",
    light: str = "day",
) -> HeldOutPicture:
    """A picture with cars in it; boxes in pixels."""
    scale = np.array([*SIZE, *SIZE], np.float64)
    return HeldOutPicture(
        f"set/{camera}__0001",
        part,
        light,  # type: ignore[arg-type]
        Path("none.jpg"),
        SIZE,
        np.array(boxes, np.float64).reshape(-1, 4) / scale,
        np.full(len(boxes), CAR, np.int8),
        np.array(ignored, np.float64).reshape(-1, 4) / scale,
    )


def cars(boxes: Sequence[Sequence[float]], scores: Sequence[float] | None = None) -> Detections:
    """Cars found, boxes in pixels."""
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    given = np.full(len(xyxy), 0.9) if scores is None else np.array(scores)
    return Detections(xyxy, given.astype(np.float32), np.full(len(xyxy), CAR, np.int8))


def only(truth: Sequence[HeldOutPicture], found: Sequence[Detections]) -> Score:
    [one] = score(truth, found, [CAR, TRUCK], replicates=20)
    return one


SHIFTED = [[170, 100, 270, 200], [370, 100, 470, 200]]
TINY = [500, 300, 504, 304]


@pytest.mark.parametrize(
    ("boxes", "scores", "ap50", "recall"),
    [
        pytest.param(TWO, None, 1.0, 1.0, id="all found, nothing else"),
        pytest.param(SHIFTED, None, 0.0, 0.0, id="found beside where they are"),
        pytest.param([], None, 0.0, 0.0, id="nothing found"),
        pytest.param(TWO[:1], None, 0.5, 0.5, id="one of two found"),
        pytest.param([*TWO, TWO[0]], [0.9, 0.8, 0.7], 1.0, 1.0, id="one boxed twice, the second less likely"),
        pytest.param(
            [*TWO, [500, 10, 600, 90]], [0.9, 0.8, 0.95], 2 / 3, 0.0, id="a false one, most likely of all"
        ),
        pytest.param(
            [*TWO, [500, 10, 600, 90]], [0.9, 0.8, 0.1], 1.0, 1.0, id="a false one, least likely of all"
        ),
        pytest.param([*TWO, TINY], [0.9, 0.8, 0.95], 1.0, 1.0, id="a tiny false one is left out"),
    ],
)
def test_scores(boxes: list[list[float]], scores: list[float] | None, ap50: float, recall: float) -> None:
    found = only([picture(TWO)], [cars(boxes, scores)])
    assert found.boxes == 2
    assert found.ap50 == pytest.approx(ap50, abs=2e-3)
    assert found.recall == pytest.approx(recall, abs=2e-3)


def test_a_tiny_true_box_is_left_out() -> None:
    found = only([picture([*TWO, TINY])], [cars(TWO)])
    assert (found.boxes, found.ap50) == (2, pytest.approx(1.0))


def test_near_boxes_are_scored_on_their_own_too() -> None:
    far = [500, 100, 510, 110]  # 20 px of 1280
    found = only([picture([*TWO, far])], [cars(TWO)])
    assert (found.boxes, found.near_boxes) == (3, 2)
    assert found.ap50 == pytest.approx(2 / 3, abs=2e-3)
    assert found.ap50_near == pytest.approx(1.0)


def test_what_lies_in_an_ignored_region_is_neither_right_nor_wrong() -> None:
    crowd = [450, 0, 640, 360]
    several = cars([*TWO, [460, 10, 500, 60], [520, 10, 600, 90]], [0.5, 0.5, 0.9, 0.9])
    assert only([picture(TWO, ignored=[crowd])], [several]).ap50 == pytest.approx(1.0)
    assert only([picture(TWO)], [several]).ap50 == pytest.approx(0.5, abs=2e-3)


def test_a_box_of_another_class_is_not_found() -> None:
    trucks = Detections(*(getattr(cars(TWO), name) for name in ("xyxy", "score")), np.full(2, TRUCK, np.int8))
    assert only([picture(TWO)], [trucks]).ap50 == 0


def test_a_box_without_the_rider_counts_at_the_lower_overlap_only() -> None:
    found = only([picture([[100, 100, 200, 200]])], [cars([[100, 60, 200, 140]])])
    assert found.ap50 == 0
    lower_half = only([picture([[100, 100, 200, 200]])], [cars([[100, 158, 200, 200]])])
    assert (lower_half.ap50, lower_half.ap30) == (0, pytest.approx(1.0))


def test_intervals_are_over_cameras() -> None:
    cameras = "abcdef"
    truth = [picture(TWO, camera=name) for name in cameras for _ in range(20)]
    found = [cars([] if name in "ab" else TWO) for name in cameras for _ in range(20)]
    one = only(truth, found)
    low, high = one.recall_range
    assert one.recall == pytest.approx(4 / 6, abs=2e-3)
    assert low <= 0.5
    assert high >= 5 / 6 - 2e-3


def test_each_light_is_scored_apart_and_together() -> None:
    truth = [picture(TWO), picture(TWO, light="night")]
    rows = list(score_parts("x", truth, [cars(TWO), cars([])], load_split()))
    assert {row.light: round(row.score.recall, 2) for row in rows} == {"all": 0.5, "day": 1.0, "night": 0.0}
    assert {row.part for row in rows} == {"sea"}


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("cameras-sea/vn_ql__0000", "sea"),
        ("cameras-sea/vn_ql51__0000", None),
        ("cameras-world/co-medellin-cam15__0003", "world"),
        ("cameras-world/co-medellin-cam05__0003", None),
        ("vn-id-motorbike-traffic/7", "footbridge"),
        ("vn-id-motorbike-traffic/200", "footbridge"),
        ("vn-id-motorbike-traffic/202", None),
        ("vn-id-motorbike-traffic/1060", None),
        ("clips/hanoi-giang-vo-lang-ha__000012", "counted"),
        ("clips/vn-boulevard-motorbikes__000012", None),
        ("hanoi-riders-giang-vo/001a9f4b-16h15.25.9.22_0035", "queue"),
    ],
)
def test_what_is_held_out(key: str, part: str | None) -> None:
    found = load_split().test_of(key)
    assert (found.name if found else None) == part


def test_light() -> None:
    split = load_split()
    assert split.light_of("cameras-world/co-medellin-cam15__0016") == "night"
    assert split.light_of("cameras-world/co-medellin-cam15__0017") == "day"
    assert split.light_of("cameras-world/fog-dawn-mist-016__0001") == "fog"
    assert split.light_of("cameras-sea/vn_hcm_nguyenoanh__0001") == "day"


def test_a_faulty_split_names_the_field(tmp_path: Path) -> None:
    path = tmp_path / "split.toml"
    path.write_text(
        '[light]\nnight = []\nfog = []\n[[held_out]]\nname = "x"\ntitle = "x"\npictures = []\nlabelled = []\n'
    )
    with pytest.raises(TrainingError, match=r"split\.toml: held_out\.0\.pictures"):
        load_split(path)


def labelled(
    folder: Path, image: NDArray[np.uint8], box: str, sha256: str | None = None
) -> tuple[Path, Path]:
    """Test data with one picture, and the folder of its boxes."""
    path = "datasets/cameras-sea/images/vn_boo_a__0000.jpg"
    (folder / path).parent.mkdir(parents=True)
    cv2.imwrite(str(folder / path), image)
    own = folder / "own"
    own.mkdir()
    height, width = image.shape[:2]
    digest = sha256 or hashlib.sha256((folder / path).read_bytes()).hexdigest()
    (own / "pictures.csv").write_text(f"path,sha256,width,height\n{path},{digest},{width},{height}\n")
    (own / "boxes.csv").write_text(
        f"path,class,left,top,right,bottom\n{path},{box}\n{path},ignore,0,0,64,64\n"
    )
    return folder, own


def test_a_squeezed_picture_is_shown_wide_and_its_boxes_follow(tmp_path: Path) -> None:
    data, own = labelled(tmp_path, np.zeros((64, 64, 3), np.uint8), "car,16,32,32,64")
    [one] = held_out_pictures(data, load_split(), own)
    assert one.image().shape == (36, 64, 3)
    assert one.boxes.tolist() == [[0.25, 0.5, 0.5, 1.0]]
    assert one.class_id.tolist() == [CAR]
    assert one.ignored.tolist() == [[0, 0, 1, 1]]


def test_another_picture_than_was_labelled_is_refused(tmp_path: Path) -> None:
    data, own = labelled(tmp_path, np.zeros((64, 64, 3), np.uint8), "car,16,32,32,64", sha256="0" * 64)
    with pytest.raises(TrainingError, match="sha256 differs"):
        held_out_pictures(data, load_split(), own)


def test_what_was_found_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    data, own = labelled(tmp_path, image, "car,16,32,32,64")
    [one] = held_out_pictures(data, load_split(), own)
    detector = open_detector("ngatu-n", 1)
    memory = Memory(tmp_path / "cache")
    first = memory.detect(detector, one)
    assert first.score.min(initial=1) < 0.1, "unlikely boxes are looked at too"
    monkeypatch.setattr(HeldOutPicture, "image", lambda _: pytest.fail("it looked again"))
    again = memory.detect(detector, one)
    assert again.xyxy.tolist() == first.xyxy.tolist()
    assert again.class_id.tolist() == first.class_id.tolist()


@pytest.mark.parametrize("size", ["640", "640x", "x384", "a x b"])
def test_a_size_that_is_none(size: str) -> None:
    with pytest.raises(ModelError, match="640x384"):
        open_detector(f"ngatu-n@{size}", 1)


def test_operations_of_a_convolution(tmp_path: Path) -> None:
    weight = onnx.numpy_helper.from_array(np.zeros((8, 3, 3, 3), np.float32), "w")
    node = onnx.helper.make_node("Conv", ["images", "w"], ["out"], strides=[2, 2], pads=[1, 1, 1, 1])
    shape = onnx.helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [1, 3, "h", "w_"])
    out = onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph([node], "one", [shape], [out], [weight])
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "one.onnx")
    expected = 2 * (32 * 16 * 8) * (3 * 3 * 3) / 1e9
    assert gflops(tmp_path / "one.onnx", (64, 32)) == pytest.approx(expected)


def test_a_folder_without_pictures_is_told_in_one_sentence(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, ["ngatu-n", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "no held-out picture" in result.output
    assert "Traceback" not in result.output


@pytest.mark.data
def test_no_camera_is_on_both_sides(testdata: Path) -> None:
    split = load_split()
    sides: dict[str, set[str | None]] = {}
    for layout in SETS:
        for path in (testdata / "datasets" / layout.name / "images").glob("*__*.jpg"):
            part = split.test_of(f"{layout.name}/{path.stem}")
            sides.setdefault(path.stem.split("__")[0], set()).add(part.name if part else None)
    assert sides
    assert [camera for camera, parts in sides.items() if len(parts) > 1] == []


@pytest.mark.data
def test_the_boxes_drawn_here_fit_their_pictures(testdata: Path) -> None:
    pictures = held_out_pictures(testdata, load_split(), OWN_LABELS)
    ours = [one for one in pictures if one.part in ("queue", "night")]
    assert len(ours) == len((OWN_LABELS / "pictures.csv").read_text().splitlines()) - 1
    for one in ours:
        inside = (one.boxes >= 0).all() and (one.boxes <= 1).all()
        assert inside, one.key
        assert (one.boxes[:, 2:] > one.boxes[:, :2]).all(), one.key
