"""Queue, standing, levels, bands, covered pictures, stretches and light, each on its own."""

import numpy as np
import pytest

from tests.vision.density.roadside import image, road_view
from vision.calibration import fit_calibration
from vision.density import light_of
from vision.density.congestion import EASE, GROUND_OCCUPANCY, LEARNING, LEVELS, BandMeter, LevelMeter
from vision.density.coverage import ImageCoverage
from vision.density.queues import Queue, queue_of, standing
from vision.density.stretches import stretches_of


@pytest.mark.parametrize(
    ("middles", "queue"),
    [
        ([], Queue(0.0, 0, False)),
        ([3.0], Queue(5.0, 1, False)),
        ([9.9], Queue(11.9, 1, False)),  # its front 7.9 m from the line
        ([10.1], Queue(0.0, 0, False)),  # 8.1 m
        ([3.0, 9.0, 15.0], Queue(17.0, 3, False)),
        ([15.0, 3.0, 9.0], Queue(17.0, 3, False)),
        ([3.0, 9.0, 21.1], Queue(11.0, 2, False)),  # 8.1 m between the last two
        ([3.0, 3.5, 14.9], Queue(16.9, 3, False)),  # side by side
        ([-1.0, 5.0], Queue(7.0, 2, False)),  # the first beyond the line
        ([3.0 + 6 * n for n in range(16)], Queue(95.0, 16, True)),
        ([3.0 + 6 * n for n in range(15)], Queue(89.0, 15, False)),
    ],
)
def test_the_chain_from_the_stop_line(middles, queue):
    """Vehicles of 4 m in a stretch of 100 m."""
    found = queue_of(np.array(middles), np.full(len(middles), 4.0), 100.0)
    assert (found.vehicles, found.at_least) == (queue.vehicles, queue.at_least)
    assert found.length == pytest.approx(queue.length)


def test_standing_has_hysteresis():
    speeds = np.array([7, 6, 4.9, 6.5, 7.1, 6.5, np.nan, 4, np.nan]) / 3.6
    stood, seen = np.array([False]), []
    for speed in speeds:
        stood = standing(np.array([speed]), stood)
        seen.append(bool(stood[0]))
    assert seen == [False, False, True, True, False, False, False, True, True]


def level_after(meter, occupancy, kmh, seconds=600):
    for _ in range(seconds):
        ground = np.array([True])
        level = meter.update(
            1.0, np.array([occupancy]), np.array([10.0]), np.array([10.0 * kmh / 3.6]), ground
        )
    return LEVELS[level[0]]


@pytest.mark.parametrize(
    ("occupancy", "kmh", "level"),
    [
        (0.02, 3, "free"),
        (0.02, 40, "free"),
        (0.10, 5, "busy"),
        (0.30, 35, "busy"),
        (0.15, 12, "slow"),
        (0.30, 12, "slow"),
        (0.30, 4, "jammed"),
    ],
)
def test_levels(occupancy, kmh, level):
    assert level_after(LevelMeter(1), occupancy, kmh) == level


def test_a_level_is_left_only_when_clearly_below():
    meter = LevelMeter(1)
    threshold = GROUND_OCCUPANCY[0]
    assert level_after(meter, 0.99 * threshold, 30) == "free"
    assert level_after(meter, 1.01 * threshold, 30) == "busy"
    assert level_after(meter, 0.99 * threshold, 30) == "busy"
    assert level_after(meter, 0.99 * EASE * threshold, 30) == "free"


def test_one_red_light_is_no_jam():
    meter = LevelMeter(1)
    level_after(meter, 0.03, 30)
    assert level_after(meter, 0.15, 0, seconds=25) == "free"


def test_what_is_usual_is_learned_and_kept():
    meter = BandMeter(1)
    bands = [int(meter.update(60.0, np.array([0.10 + 0.001 * (n % 60)]))[0]) for n in range(300)]
    assert set(bands[: int(LEARNING / 60) - 1]) == {-1}
    assert bands[-1] >= 0
    again = BandMeter(1, meter.learned())
    for _ in range(5):
        full = again.update(60.0, np.array([0.6]))
    assert full[0] == 3
    for _ in range(10):
        empty = again.update(60.0, np.array([0.0]))
    assert empty[0] == 0


def test_boxes_that_overlap_cover_once():
    coverage = ImageCoverage([np.array([(0.25, 0.2), (0.75, 0.2), (0.75, 0.8), (0.25, 0.8)])])
    one = np.array([[0.25, 0.2, 0.5, 0.8]])
    assert coverage.shares(one)[0] == pytest.approx(0.5, abs=0.02)
    assert coverage.shares(np.concatenate((one, one)))[0] == pytest.approx(0.5, abs=0.02)
    assert coverage.shares(np.array([[-1.0, -1.0, 2.0, 2.0]]))[0] == pytest.approx(1.0)
    assert coverage.shares(np.zeros((0, 4)))[0] == 0.0


def road(view):
    (stretch,) = stretches_of(view, fit_calibration(view.calibration))
    return stretch.road


def test_a_stretch_begins_where_its_zone_ends_toward_the_gate():
    known = road(road_view())
    assert (known.length, known.width) == (pytest.approx(80, abs=0.1), pytest.approx(10, abs=0.1))
    assert known.gate_s == pytest.approx(0, abs=0.1)
    view = road_view()
    farther = view.gates[0].model_copy(update={"line": (image(94, 24), image(94, 36))})
    assert road(view.model_copy(update={"gates": [farther]})).gate_s == pytest.approx(-4, abs=0.1)
    inside = view.gates[0].model_copy(update={"line": (image(60, 24), image(60, 36))})
    assert road(view.model_copy(update={"gates": [inside]})).length == pytest.approx(50, abs=0.1)


def test_a_stretch_ends_where_the_calibration_does():
    view = road_view()
    valid = [image(50, 0), image(100, 0), image(100, 56), image(50, 56)]
    shorter = view.calibration.model_copy(update={"valid": valid})
    assert road(view.model_copy(update={"calibration": shorter})).length == pytest.approx(40, abs=0.1)
    nothing = view.calibration.model_copy(
        update={"valid": [image(88, 0), image(100, 0), image(100, 56), image(88, 56)]}
    )
    assert road(view.model_copy(update={"calibration": nothing})) is None


@pytest.mark.parametrize(
    ("bgr", "light"),
    [((140, 140, 140), "day"), ((55, 60, 60), "dusk"), ((20, 50, 60), "night"), ((30, 90, 120), "night")],
    ids=["bright", "dim", "dark", "under yellow lamps"],
)
def test_light(bgr, light):
    picture = np.full((360, 640, 3), bgr, np.uint8)
    picture[:20] = 255  # a burnt-in text
    assert light_of(picture) == light
