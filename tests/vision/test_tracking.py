"""Tracking: vehicles keep one id through noise, misses, occlusion and any frame rate."""

import numpy as np
import pytest

from tests.vision.scenes import SIZE, Car, detections_of, frame_times, gate, straight
from vision import Detections, GateCounter, TrackerSettings, Tracks, VehicleClass, VehicleTracker


def run(cars, seconds, fps=25.0, noise=0.0, miss=0.0, score=0.8):
    """The tracks that the tracker makes of what a (noisy) detector sees, frame by frame."""
    tracker, random = VehicleTracker(SIZE), np.random.default_rng(7) if noise or miss else None
    return [
        (time, tracker.update(time, detections_of(cars, time, random, miss, score)))
        for time in frame_times(seconds, fps)
    ]


def ids(frames):
    return {int(track) for _, tracks in frames for track in tracks.track_id}


STREAM = [
    Car(straight((200 + 90 * n, -40 - 60 * n), (0, 140)), 34, 64, VehicleClass.MOTORCYCLE) for n in range(10)
]


@pytest.mark.parametrize("fps", [6, 10, 25])
def test_a_stream_of_riders_keeps_one_id_each_through_noise_and_misses(fps):
    frames = run(STREAM, 8, fps, noise=1, miss=0.1)
    assert len(ids(frames)) <= len(STREAM) + 1


def test_weak_scores_still_follow_a_rider_whose_score_dips_at_the_line():
    """A start threshold of 0.7 would never count it; ours follows a score of 0.12 for as long as needed."""
    tracker, counter = VehicleTracker(SIZE), GateCounter(gate(), SIZE)
    rider = Car(straight((640, 100), (0, 150)), 34, 64, VehicleClass.MOTORCYCLE)
    crossings = []
    for time in frame_times(4, 10):
        weak = 1.2 < time - 1000 < 2.4
        found = detections_of([rider], time, score=0.12 if weak else 0.35)
        crossings += counter.update(time, tracker.update(time, found))
    assert [c.direction for c in crossings + counter.finish()] == ["in"]


def test_a_weak_box_alone_begins_no_track():
    car = Car(straight((640, 100), (0, 150)))
    assert ids(run([car], 4, score=0.15)) == set()


def test_a_vehicle_hidden_for_a_while_keeps_its_id():
    car = Car(straight((100, 400), (160, 0)))
    tracker, seen = VehicleTracker(SIZE), set()
    for time in frame_times(6):
        hidden = 2.0 < time - 1000 < 2.4
        found = Detections.empty() if hidden else detections_of([car], time)
        seen |= set(tracker.update(time, found).track_id.tolist())
    assert seen == {1}


def test_the_ground_point_does_not_jump_when_the_lower_part_is_hidden():
    """Riders in front hide the lower 40 % of a slow car for a third of a second."""
    car = Car(straight((640, 300), (0, 30)), 120, 100)
    tracker, lowest = VehicleTracker(SIZE), []
    for time in frame_times(4):
        found = detections_of([car], time)
        if 2.0 < time - 1000 < 2.35:
            found.xyxy[:, 3] -= 40
        lowest.append((tracker.update(time, found).xyxy[0, 3], 300 + 30 * (time - 1000)))
    error = np.abs(np.array([seen - true for seen, true in lowest]))
    assert error.max() < 16


def test_two_boxes_on_one_lorry_begin_one_track():
    lorry = Car(straight((100, 400), (100, 0)), 220, 110, VehicleClass.TRUCK)
    tracker, seen = VehicleTracker(SIZE), set()
    for n, time in enumerate(frame_times(5)):
        found = detections_of([lorry], time)
        if n > 5:  # its cab is boxed as well
            x1, y1, x2, y2 = found.xyxy[0]
            cab = np.float32([[x2 - 0.4 * (x2 - x1), y1, x2, y2]])
            found = Detections(np.concatenate((found.xyxy, cab)), np.float32([0.8, 0.7]), np.int8([4, 2]))
        seen |= set(tracker.update(time, found).track_id.tolist())
    assert seen == {1}


def test_class_by_evidence_over_the_track():
    car = Car(straight((100, 400), (100, 0)), kind=VehicleClass.CAR)
    tracker = VehicleTracker(SIZE)
    for n, time in enumerate(frame_times(3)):
        found = detections_of([car], time)
        if n % 3 == 2:
            found.class_id[:] = VehicleClass.TRUCK
        tracks = tracker.update(time, found)
        assert n < 1 or tracks.class_id.tolist() == [VehicleClass.CAR]


def test_no_detections_and_no_tracks():
    tracker = VehicleTracker(SIZE)
    assert len(tracker.update(1.0, Detections.empty())) == 0
    with pytest.raises(ValueError, match="advance"):
        tracker.update(1.0, Detections.empty())


def test_state_stays_bounded_over_a_long_run():
    tracker, noise = VehicleTracker(SIZE, TrackerSettings()), np.random.default_rng(5)
    for time in frame_times(400, 10):
        corner = noise.uniform(0, 1, (20, 2)) * [1200, 650]
        boxes = np.concatenate((corner, corner + 50), axis=1).astype(np.float32)
        tracker.update(time, Detections(boxes, np.full(20, 0.5, np.float32), np.full(20, 2, np.int8)))
    assert len(tracker._tracks) < 500


def test_the_same_frames_give_the_same_tracks():
    def flat(frames):
        return [(t, x.track_id.tolist(), x.xyxy.tolist()) for t, x in frames]

    assert flat(run(STREAM, 4, 10, noise=1)) == flat(run(STREAM, 4, 10, noise=1))


def test_coordinates_are_whole_eighths_of_a_pixel():
    _, tracks = run([Car(straight((640, 100), (0, 151.3)))], 1, 10, noise=1)[-1]
    assert isinstance(tracks, Tracks)
    assert (tracks.xyxy * 8 == np.round(tracks.xyxy * 8)).all()


@pytest.mark.parametrize("fps", [5, 8, 12.5, 25, 30])
@pytest.mark.parametrize("seed", range(3))
def test_detect_track_count_at_any_frame_rate(fps, seed):
    """The whole chain on noisy boxes: each vehicle once, none twice."""
    tracker, counter = VehicleTracker(SIZE), GateCounter(gate(((0, 0.5), (1, 0.5))), SIZE)
    random = np.random.default_rng(seed)
    crossings = []
    for time in frame_times(12, fps):
        found = detections_of(STREAM, time, random, miss=0.1)
        crossings += counter.update(time, tracker.update(time, found))
    crossings += counter.finish()
    assert [c.direction for c in crossings] == ["in"] * len(STREAM)
    assert {c.vehicle_class for c in crossings} == {VehicleClass.MOTORCYCLE}


def test_predicting_changes_nothing_and_says_where_vehicles_are_by_now():
    cars, tracker, untouched = (
        [Car(straight((640, 100), (0, 150)))],
        VehicleTracker(SIZE),
        VehicleTracker(SIZE),
    )
    for time in frame_times(3, 10):
        found = detections_of(cars, time)
        tracks = tracker.update(time, found)
        ahead = tracker.predicted(time + 0.1)
        same = untouched.update(time, found)
        assert (tracks.xyxy == same.xyxy).all()
        if time > 1001:
            assert ahead.track_id.tolist() == tracks.track_id.tolist()
            assert ahead.ground_points[0] == pytest.approx(cars[0].path(time - 999.9), abs=4)


def test_what_stands_is_held_for_as_long_as_nothing_changes_and_what_passed_by_is_not():
    tracker = VehicleTracker(SIZE)
    standing, passing = Car(straight((300, 400), (0, 0))), Car(straight((700, 100), (0, 200)), end=2.5)
    for time in frame_times(4, 10):
        before = tracker.update(time, detections_of([standing, passing], time))
    assert len(before) == 1
    for second in range(600):
        held = tracker.held(1004 + second)
        assert held.track_id.tolist() == before.track_id.tolist()
        assert (held.xyxy == before.xyxy).all()
    after = tracker.update(1604.0, detections_of([standing], 1000.0))
    assert after.track_id.tolist() == before.track_id.tolist()


def test_boxes_that_jump_about_never_turn_a_track_inside_out():
    """As in a crowd, where a box is now one rider, now the next, now both."""
    rng = np.random.default_rng(3)
    tracker = VehicleTracker(SIZE)
    for n in range(4000):
        left, top = 200 + rng.normal(0, 14, (2, 6)) + 26 * np.arange(6)
        width, height = rng.uniform(8, 60, (2, 6))
        boxes = np.stack((left, top, left + width, top + height), axis=1).astype(np.float32)
        found = Detections(boxes, np.full(6, 0.5, np.float32), np.ones(6, np.int8))
        seen = tracker.update(n / 10, found).xyxy
        assert (seen[:, 2:] > seen[:, :2]).all()
