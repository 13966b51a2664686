"""The chain: what one frame brings, proposing a view on the way, and a camera on which nothing moves."""

import numpy as np
import pytest

from tests.vision.scenes import SIZE, Car, detections_of, directions, frame_times, gate, straight
from vision import Detections, Frame, Pipeline, ViewError, count_crossings
from vision.detection.cards import Thresholds

PICTURE = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)


class Staged:
    """A detector that sees the vehicles of a scene, whatever the picture shows."""

    name = "staged"
    thresholds = Thresholds(keep=0.1, start=0.2, suppress_iou=0.5)

    def __init__(self, cars, times):
        self._cars, self._times = cars, iter(times)

    def detect(self, image):
        return detections_of(self._cars, next(self._times))


def frames(times):
    return (Frame(PICTURE, time, number) for number, time in enumerate(times))


def stream(count, every=4.0):
    """Vehicles that come down the picture one after the other."""
    return [
        Car(
            straight((600 + 30 * (n % 3), 60 - 150 * every * n), (0, 150)),
            begin=every * n,
            end=every * n + 4.5,
        )
        for n in range(count)
    ]


def test_crossings_come_within_a_second_of_happening():
    times = frame_times(6, 10)
    pipeline = Pipeline(Staged([Car(straight((640, 100), (0, 150)))], times), SIZE, gate())
    steps = [pipeline.step(frame) for frame in frames(times)]
    (told,) = [step for step in steps if step.crossings]
    assert 0 < told.time - told.crossings[0].time < 1.0
    assert pipeline.finish() == []


def test_the_library_counts_with_one_call():
    times = frame_times(4, 10)
    detector = Staged([Car(straight((640, 100), (0, 150)))], times)
    assert directions(count_crossings(frames(times), detector, SIZE, gate())) == ["in"]


def test_a_proposed_view_counts_the_time_before_it_too():
    cars = stream(20)
    times = frame_times(84, 10)
    pipeline = Pipeline(Staged(cars, times), SIZE, propose_after=30.0)
    crossings = []
    for frame in frames(times):
        crossings += pipeline.step(frame).crossings
        assert (pipeline.view is None) == (frame.time - 1000 < 30)
    crossings += pipeline.finish()
    assert pipeline.view is not None
    assert pipeline.view.proposed
    by_gate = {g.id: sum(c.gate == g.id for c in crossings) for g in pipeline.view.gates}
    assert max(by_gate.values()) == len(cars)


def test_a_camera_on_which_nothing_moves_says_so_and_remembers_little():
    times = frame_times(3 * 3600, 1)
    pipeline = Pipeline(Staged([], times), SIZE)
    for frame in frames(times):
        assert pipeline.step(frame).crossings == []
    assert len(pipeline._unseen) <= 601
    with pytest.raises(ViewError):
        pipeline.finish()


def test_detections_reach_the_caller_as_the_detector_gave_them():
    times = frame_times(1, 5)
    pipeline = Pipeline(Staged([Car(straight((640, 300), (0, 0)))], times), SIZE, gate())
    step = next(pipeline.step(frame) for frame in frames(times))
    assert isinstance(step.detections, Detections)
    assert len(step.detections) == len(step.tracks) == 1
