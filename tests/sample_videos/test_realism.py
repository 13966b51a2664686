"""Measuring realism: known answers for recall by size and at real sizes, and reading labelled sets."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from sample_videos.generator import bank
from sample_videos.generator.camera import Camera
from sample_videos.generator.compose import LIGHTS, Composer, Plate
from sample_videos.generator.realism import Labelled, Tally, composed_set, measure, yolo_set
from sample_videos.generator.traffic import Trajectories

SPRITES = Path(__file__).parent / "sprites"
MOTORCYCLE, CAR, TRUCK = 1, 2, 4


def square(x, size):
    return [x + 10.0, 100.0, x + 10.0 + size, 100.0 + size]


def frame(boxes, classes, width=1280, clear=None):
    boxes, classes = np.array(boxes, float).reshape(-1, 4), np.array(classes, int)
    clear = np.ones(len(boxes), bool) if clear is None else np.array(clear)
    return Labelled(np.zeros((720, width, 3), np.uint8), boxes, classes, clear)


def tally(*vehicles):
    """A tally of one frame 1280 wide: (class, size in pixels, class it was taken for or None)."""
    t = Tally()
    boxes = np.array([square(210.0 * i, size) for i, (_, size, _) in enumerate(vehicles)])
    seen = [i for i, v in enumerate(vehicles) if v[2] is not None]
    names = np.array([vehicles[i][2] for i in seen], int)
    t.add(frame(boxes, [v[0] for v in vehicles]), boxes[seen].reshape(-1, 4), names)
    return t


def test_counts_by_class_and_size():
    t = tally((MOTORCYCLE, 20, MOTORCYCLE), (MOTORCYCLE, 20, None), (TRUCK, 100, CAR), (CAR, 8, CAR))
    assert t.labelled[MOTORCYCLE].tolist() == [2, 0, 0, 0]
    assert t.found[MOTORCYCLE].tolist() == [1, 0, 0, 0]
    assert t.found[TRUCK].tolist() == [0, 0, 0, 1]
    assert t.named[TRUCK].tolist() == [0, 0, 0, 0]
    assert t.named[MOTORCYCLE].tolist() == [1, 0, 0, 0]
    assert t.labelled[CAR].sum() == 0  # smaller than the smallest size


def test_sizes_are_those_of_a_picture_1280_wide():
    t = Tally()
    t.add(frame([square(0, 20)], [CAR], width=640), np.zeros((0, 4)), np.zeros(0, int))
    assert t.labelled[CAR].tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("class_id", "shift", "found"),
    [
        pytest.param(CAR, 16, 1, id="half a car is a car"),
        pytest.param(CAR, 30, 0, id="a quarter is not"),
        pytest.param(MOTORCYCLE, 22, 1, id="a machine boxed without its rider counts"),
    ],
)
def test_overlap_that_counts_as_found(class_id, shift, found):
    t, box = Tally(), np.array([square(0, 50)])
    t.add(frame(box, [class_id]), box + np.array([shift, 0, shift, 0]), np.array([class_id]))
    assert t.found[class_id].sum() == found
    assert t.extra == 1 - found


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param([1, 100, 41, 140], id="left"),
        pytest.param([100, 1, 140, 41], id="above"),
        pytest.param([1239, 100, 1279, 140], id="right"),
        pytest.param([100, 679, 140, 719], id="below"),
    ],
)
def test_what_the_edge_of_the_picture_cuts_is_left_out(cut):
    t, box = Tally(), np.array([cut])
    t.add(frame(box, [CAR]), box, np.array([CAR]))
    assert (int(t.labelled.sum()), int(t.found.sum()), t.extra) == (0, 0, 0)


def test_a_detection_of_a_hidden_car_is_not_one_of_the_rider_before_it():
    t, rider, car = Tally(), square(20, 40), square(0, 60)
    t.add(frame([rider, car], [MOTORCYCLE, CAR], clear=[True, False]), np.array([car]), np.array([CAR]))
    assert (int(t.labelled[MOTORCYCLE].sum()), int(t.found.sum()), t.extra) == (1, 0, 0)
    assert t.labelled[CAR].sum() == 0


def test_standardised_recall_takes_the_real_sizes_that_both_have():
    ours = tally((CAR, 20, None), (CAR, 20, CAR), (CAR, 30, CAR), (CAR, 200, CAR))
    real = tally((CAR, 20, CAR), (CAR, 20, None), (CAR, 20, None), (CAR, 30, CAR), (CAR, 60, CAR))
    mine, theirs = ours.standardised(real)[CAR]
    assert mine == pytest.approx((3 * 0.5 + 1 * 1.0) / 4)
    assert theirs == pytest.approx(2 / 4)
    assert ours.standardised(real)[TRUCK] is None
    assert "0.62 (0.50)" in ours.text(real)


def test_standardised_names_are_of_those_found():
    ours = tally((TRUCK, 30, CAR), (TRUCK, 30, None), (TRUCK, 200, TRUCK))
    real = tally((TRUCK, 30, CAR), *[(TRUCK, 200, TRUCK)] * 3)
    assert ours.standardised_names(real)[TRUCK] == (0.75, 0.75)


def test_saved_counts_come_back(tmp_path):
    t = tally((MOTORCYCLE, 20, MOTORCYCLE), (TRUCK, 100, CAR)) + tally((CAR, 50, None))
    t.save(tmp_path / "t.json")
    assert Tally.read(tmp_path / "t.json").text() == t.text()
    assert t.frames == 2


@pytest.fixture
def labelled(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for name, grey in (("a_1", 40), ("a_2", 200), ("b_1", 40)):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), np.full((90, 160, 3), grey, np.uint8))
        (tmp_path / "labels" / f"{name}.txt").write_text("1 0.5 0.5 0.25 0.5\n")
    return tmp_path


@pytest.mark.parametrize(
    ("choice", "count"),
    [
        pytest.param({}, 3, id="all"),
        pytest.param({"only": "a_*"}, 2, id="by name"),
        pytest.param({"luma": (0, 88)}, 2, id="dark ones"),
        pytest.param({"only": "a_*", "luma": (88, 256)}, 1, id="bright ones of a name"),
        pytest.param({"every": 2}, 2, id="every other"),
    ],
)
def test_labelled_frames_are_chosen_by_name_and_brightness(labelled, choice, count):
    assert len(list(yolo_set(labelled, **choice))) == count


def test_classes_of_a_set_are_read_by_name(labelled):
    (labelled / "classes.txt").write_text("car\nvan_truck_container\n")
    first = next(iter(yolo_set(labelled)))
    assert first.boxes.tolist() == [[60.0, 22.5, 100.0, 67.5]]
    assert first.classes.tolist() == [TRUCK]


def test_measure_runs_the_detector_over_every_frame(labelled):
    def blind(_):
        return np.zeros((0, 4)), np.zeros(0), np.zeros(0, int)

    t = measure(blind, yolo_set(labelled))
    assert (t.frames, int(t.labelled.sum()), int(t.found.sum())) == (3, 3, 0)


def test_a_long_run_is_composed_anew_with_its_labels():
    camera = Camera((0.0, -20.0, 7.0), yaw=90.0, pitch=-16.0, focal=420.0, width=640, height=360)
    composer = Composer(camera, LIGHTS["day"], Plate.plain(camera), bank.load(SPRITES), 1)
    frames = np.arange(10)
    vehicles = pa.table({"vehicle": [1], "model": ["sedan"], "look": [3]})
    run = Trajectories(
        1.0,
        0.0,
        vehicles,
        frames,
        np.ones(10, int),
        frames * 1.0,
        frames * 0.0,
        frames * 0.0,
        frames * 0.0 + 1.0,
    )
    first, second, third = composed_set(composer, run, every=3, quality=45)  # frames 1, 4 and 7
    assert first.picture.shape == (360, 640, 3)
    assert first.classes.tolist() == [CAR]
    assert first.clear.all()
    assert first.boxes[0, 0] < second.boxes[0, 0] < third.boxes[0, 0]
