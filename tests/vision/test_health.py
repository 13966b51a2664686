"""What the watch says of a picture: faults found in time, and nothing said of good pictures."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.vision import faults
from vision import BackgroundMaker, HealthWatch

SAMPLES = Path(__file__).parents[2] / "sample_videos"
RNG = np.random.default_rng(5)


@cache
def sample(name: str) -> list[np.ndarray]:
    return faults.pictures(next(SAMPLES.glob(f"{name}*.mp4")))


@cache
def reference() -> np.ndarray:
    return faults.median_of(sample("hoa-ban_cam1_day"))


@cache
def noise(number: int) -> np.ndarray:
    return np.rint(np.random.default_rng(number).normal(0, 1.3, (360, 640, 3))).astype(np.int16)


def noisy(picture: np.ndarray, number: int) -> np.ndarray:
    """With a sensor's noise; it comes back only after longer than the watch remembers."""
    return np.clip(picture + noise(number % 17), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", ["hoa-ban_cam1_day", "hoa-ban_cam1_dusk", "hoa-ban_cam1_rain"])
def test_nothing_is_wrong_by_day_at_dusk_and_in_rain(name):
    told = faults.watch(faults.endless(sample(name), 90), reference())
    assert {health.state for health in told} == {"ok"}
    assert told[-1].measures["position_checked"] == 1
    assert told[-1].measures["shift"] < 0.005
    assert "in its place" in told[-1].reason


@pytest.mark.parametrize("name", ["frozen", "frozen-with-clock", *faults.FAULTS])
def test_a_fault_is_found_and_forgotten_in_time(name):
    faults.check_fault(sample("hoa-ban_cam1_day"), reference(), name)


@pytest.mark.parametrize("name", ["dark", "overexposed", "covered", "defocused", "frozen"])
def test_most_faults_need_no_reference(name):
    faults.check_fault(sample("hoa-ban_cam1_dusk"), None, name)


@pytest.mark.parametrize(
    ("name", "state"), [("covered", "blocked"), ("defocused", "blurred"), ("dark", "dark")]
)
def test_a_fault_that_was_there_from_the_start(name, state):
    spoil = faults.FAULTS[name][1]
    good = faults.endless(sample("hoa-ban_cam1_day"), 60)
    run = [noisy(spoil(picture), number) for number, picture in enumerate(good)]
    assert faults.watch(run)[-1].state == state


def test_a_camera_that_looks_elsewhere():
    run = faults.endless(sample("hoa-ban_cam1_day"), 24) + faults.endless(sample("hoa-ban_cam2_day"), 60)
    told = faults.watch(run, reference())
    assert told[-1].state == "moved"
    assert "elsewhere" in told[-1].reason
    assert "shift" not in told[-1].measures


def test_without_a_reference_nothing_has_moved_and_that_is_said():
    shift = faults.warped(dx=0.1)
    run = faults.endless(sample("hoa-ban_cam1_day"), 24)
    told = faults.watch([*run, *map(shift, faults.endless(run, 60))])
    assert {health.state for health in told} == {"ok"}
    assert told[-1].measures["position_checked"] == 0
    assert told[-1].transform is None
    assert "could not be checked" in told[-1].reason


def test_the_motion_is_measured_in_fractions():
    warp = faults.warped(dx=0.05, dy=-0.04, angle=2)
    run = [warp(picture) for picture in faults.endless(sample("hoa-ban_cam1_day"), 50)]
    told = faults.watch(run, reference())[-1]
    assert told.state == "moved"
    assert told.transform is not None
    height, width = run[0].shape[:2]
    exact = cv2.getRotationMatrix2D((width / 2, height / 2), 2, 1)
    exact[:, 2] += (0.05 * width, -0.04 * height)
    for x, y in ((0.2, 0.3), (0.5, 0.5), (0.8, 0.7)):
        now = told.transform @ (x, y, 1)
        true = exact @ (x * width, y * height, 1) / (width, height)
        assert now == pytest.approx(true, abs=0.006)


def test_a_camera_that_had_moved_before_the_start_stays_moved_until_it_is_turned_back():
    taken = sample("hoa-ban_cam1_day")
    shift = faults.warped(dx=0.1)
    told = faults.watch([*map(shift, faults.endless(taken, 240)), *faults.endless(taken, 12)], reference())
    assert {health.state for health in told[40:240]} == {"moved"}
    assert told[239].measures["shift"] == pytest.approx(0.1, abs=0.01)
    assert told[-1].state == "ok"


def test_a_reference_that_cannot_be_compared_accuses_nobody_and_says_so():
    """As at night: the reference shows nothing of what the camera sees, from the start."""
    told = faults.watch(faults.endless(sample("hoa-ban_cam2_day"), 90), reference())
    assert {health.state for health in told} == {"ok"}
    assert told[-1].measures["position_checked"] == 0
    assert told[-1].transform is None
    assert "could not be checked" in told[-1].reason


def test_wind_that_shakes_the_pole_is_no_move():
    run = [
        faults.warped(dx=RNG.uniform(-0.006, 0.006), dy=RNG.uniform(-0.006, 0.006))(picture)
        for picture in faults.endless(sample("hoa-ban_cam1_day"), 80)
    ]
    assert {health.state for health in faults.watch(run, reference())} == {"ok"}


def test_burnt_in_text_does_not_hold_a_moved_camera_in_place():
    shift = faults.warped(dx=0.06, dy=0.03)
    run = [
        faults.with_clock(shift(picture), number)
        for number, picture in enumerate(faults.endless(sample("hoa-ban_cam1_day"), 40))
    ]
    told = faults.watch(run, faults.with_clock(reference(), 0))
    assert told[-1].state == "moved"


def test_a_lit_empty_street_at_night_is_not_frozen():
    empty = (faults.median_of(sample("hoa-ban_cam1_dusk")) * 0.6).astype(np.uint8)
    told = faults.watch([noisy(empty, number) for number in range(80)])
    assert {health.state for health in told} == {"ok"}
    assert told[-1].measures["repeated"] < 0.3


@pytest.mark.parametrize("light", ["day", "dusk", "rain"])
@pytest.mark.parametrize("key_frames", [8, 16])
def test_an_encoder_that_repeats_one_picture_is_frozen(make_clip, tmp_path, light, key_frames):
    still = sample(f"hoa-ban_cam1_{light}")[7]
    options = {"preset": "veryfast", "g": str(key_frames), "crf": "26"}
    path = make_clip(tmp_path / "still.mp4", [still] * 280, 4, options=options)
    assert faults.watch(faults.pictures(path, 140))[-1].state == "frozen"


def test_traffic_after_a_freeze_is_seen_though_the_clock_never_stopped():
    still = sample("hoa-ban_cam1_day")[0]
    run = [still] * 60 + faults.endless(sample("hoa-ban_cam1_day"), 20)
    told = faults.watch([faults.with_clock(each, number / 2) for number, each in enumerate(run)])
    assert told[59].state == "frozen"
    assert told[59].since == pytest.approx(18, abs=3)
    assert told[70].state == "ok"


def test_pictures_that_come_faster_than_the_looks_cost_nothing():
    watching = HealthWatch()
    first = watching.look(sample("hoa-ban_cam1_day")[0], 100.0)
    assert watching.look(sample("hoa-ban_cam1_day")[1], 100.1) is first
    assert watching.look(sample("hoa-ban_cam1_day")[2], 100.5) is not first


def test_another_size_or_a_long_gap_starts_anew():
    watching = HealthWatch(reference())
    for number, picture in enumerate(faults.endless(sample("hoa-ban_cam1_day"), 30)):
        watching.look(picture, number * 0.5)
    small = [
        cv2.resize(each, (480, 270), interpolation=cv2.INTER_AREA) for each in sample("hoa-ban_cam1_day")
    ]
    for number, picture in enumerate(faults.endless(small, 30)):
        told = watching.look(picture, 200 + number * 0.5)
        assert told.state == "ok"
    assert told.measures["position_checked"] == 1


def test_a_softer_substream_of_the_camera_is_no_blur():
    """Its pictures are as large as those that are looked at of the main stream, and softer."""
    large = [
        cv2.resize(each, (1280, 720), interpolation=cv2.INTER_CUBIC) for each in sample("hoa-ban_cam1_day")
    ]
    soft = [cv2.GaussianBlur(each, (0, 0), 2.5) for each in sample("hoa-ban_cam1_day")]
    watching = HealthWatch(cv2.resize(reference(), (1280, 720), interpolation=cv2.INTER_CUBIC))
    told = [watching.look(each, number * 0.5) for number, each in enumerate(faults.endless(large, 60))]
    told += [watching.look(each, 30 + number * 0.5) for number, each in enumerate(faults.endless(soft, 60))]
    assert {each.state for each in told} == {"ok"}
    assert told[-1].measures["position_checked"] == 1
    assert told[-1].measures["sharpness"] < 0.62 * told[59].measures["sharpness"]  # it would count as blurred


@pytest.mark.parametrize("shape", [(90, 120), (288, 352), (720, 404)])
def test_pictures_of_any_size(shape):
    run = [RNG.integers(0, 255, (*shape, 3), np.uint8) for _ in range(30)]
    assert faults.watch(run, run[0])[-1].state in {"ok", "moved"}


def test_the_background_is_none_until_enough_time_has_passed():
    maker = BackgroundMaker(seconds=30)
    run = faults.endless(sample("hoa-ban_cam1_day"), 80)
    had = []
    for number, picture in enumerate(run):
        maker.add(picture, number * 0.5)
        had.append(number % 10 == 0 and maker.picture() is not None)
    assert not any(had[:60])
    assert any(had[60:])


def test_a_background_shows_no_moving_vehicle_and_keeps_few_pictures():
    street = np.full((90, 160, 3), 120, np.uint8)
    maker = BackgroundMaker(most=25, seconds=30)
    for number in range(600):
        picture = street.copy()
        x = number * 7 % 160
        picture[40:60, x : x + 30] = (0, 0, 255)
        maker.add(picture, number * 0.2)
    result = maker.picture()
    assert result is not None
    assert np.abs(result.astype(int) - 120).max() == 0
    assert len(maker._kept) < 25


def test_a_standing_vehicle_is_left_out_by_its_box():
    street = np.full((90, 160, 3), 120, np.uint8)
    queue = street.copy()
    queue[40:60, 50:90] = (0, 0, 255)
    plain, boxed = BackgroundMaker(seconds=30), BackgroundMaker(seconds=30)
    for number in range(60):
        red = number % 10 < 7  # stands most of the time
        plain.add(queue if red else street, number)
        boxed.add(queue if red else street, number, [[50, 40, 90, 60]] if red else [])
    assert (plain.picture()[50, 70] == (0, 0, 255)).all()
    assert (boxed.picture()[50, 70] == 120).all()


def test_a_place_that_was_never_free_is_filled_from_around_and_too_many_give_none():
    street = np.full((90, 160, 3), 120, np.uint8)
    few, most = BackgroundMaker(seconds=3), BackgroundMaker(seconds=3)
    for number in range(20):
        few.add(street, number, [[50, 40, 70, 60]])
        most.add(street, number, [[0, 0, 160, 60]])
    assert np.abs(few.picture().astype(int) - 120).max() <= 4
    assert most.picture() is None
