"""Sparing the network: only the part that matters, only some frames, and none while nothing changes."""

import numpy as np
import pytest

from tests.vision.scenes import SIZE, Car, detections_of, directions, frame_times, gate, straight
from vision import Detections, Frame, Pipeline, View
from vision.detection.cards import Thresholds
from vision.sparing import MotionGate, Sparing, region_of

WIDTH, HEIGHT = SIZE
LOW = View.model_validate({"gates": [{"id": "low", "line": [[0.5, 0.7], [0.8, 0.7]]}]})


class Watching:
    """A detector that sees the vehicles of a scene in the part of the picture that it is shown."""

    name = "watching"
    thresholds = Thresholds(keep=0.1, start=0.2, suppress_iou=0.5)

    def __init__(self, cars, corner=(0, 0)):
        self.cars, self.corner = cars, np.array(corner * 2, np.float32)
        self.time = 0.0
        self.looks = []
        self.shapes = set()

    def detect(self, image):
        self.looks.append(self.time)
        self.shapes.add(image.shape)
        found = detections_of(self.cars, self.time)
        return Detections(found.xyxy - self.corner, found.score, found.class_id)


def steps(pipeline, detector, times, picture=None):
    for number, time in enumerate(times):
        detector.time = time
        image = np.zeros((HEIGHT, WIDTH, 3), np.uint8) if picture is None else picture(time)
        yield pipeline.step(Frame(image, time, number))


class Street:
    """Pictures of a street at night: noise of the sensor, a burnt-in clock, and the vehicles."""

    def __init__(self, cars, noise=2.0):
        self.cars = cars
        self._random = np.random.default_rng(4)
        self._pictures = []
        for _ in range(4):
            small = 40 + self._random.normal(0, noise, (HEIGHT // 4, WIDTH // 4, 3))
            self._pictures.append(np.clip(small, 0, 255).astype(np.uint8).repeat(4, 0).repeat(4, 1))

    def __call__(self, time):
        image = self._pictures[int(self._random.integers(4))].copy()
        for car in self.cars:
            if car.begin <= time - 1000.0 <= car.end:
                left, top, right, bottom = (max(0, round(side)) for side in car.box(time - 1000.0))
                image[top:bottom, left:right] = 130
        image[10:40, 10 : 60 + 20 * (int(time) % 5)] = 200
        return image


def shares(region):
    return np.array(region) / [WIDTH, HEIGHT, WIDTH, HEIGHT]


def test_the_region_holds_what_is_drawn_with_a_margin_in_the_networks_aspect():
    region = region_of(LOW, SIZE, 1.75, 0.1)
    left, top, right, bottom = shares(region)
    assert left <= 0.4
    assert right >= 0.9
    assert top <= 0.6
    assert bottom >= 0.8
    assert (region[2] - region[0]) / (region[3] - region[1]) == pytest.approx(1.75, rel=0.01)


@pytest.mark.parametrize(
    "line", [((0.0, 0.02), (0.3, 0.02)), ((0.9, 0.5), (1.3, 1.4)), ((0.6, 0.0), (0.6, 1.0))]
)
def test_a_region_at_the_edge_stays_in_the_picture(line):
    view = View.model_validate({"gates": [{"id": "edge", "line": line}]})
    region = region_of(view, SIZE, 1.75, 0.12)
    if region is not None:
        assert 0 <= region[0] < region[2] <= WIDTH
        assert 0 <= region[1] < region[3] <= HEIGHT


def test_zones_belong_to_the_region_and_a_view_that_fills_the_picture_has_none():
    zone = {"id": "arm", "kind": "approach", "polygon": [[0.05, 0.05], [0.95, 0.05], [0.95, 0.95]]}
    wide = View.model_validate({"gates": [{"id": "low", "line": [[0.5, 0.7], [0.8, 0.7]]}], "zones": [zone]})
    assert region_of(LOW, SIZE, 1.75, 0.1) is not None
    assert region_of(wide, SIZE, 1.75, 0.1) is None


def test_the_network_sees_the_region_only_and_its_boxes_lie_in_the_whole_picture():
    cars = [Car(straight((830, 380), (0, 100)))]
    spared = Sparing(motion_gate=False)
    corner = Pipeline(Watching([]), SIZE, LOW, sparing=spared).region[:2]
    detector = Watching(cars, corner)
    pipeline = Pipeline(detector, SIZE, LOW, sparing=spared)
    seen = list(steps(pipeline, detector, frame_times(3, 10)))
    left, top, right, bottom = pipeline.region
    assert detector.shapes == {(bottom - top, right - left, 3)}
    assert np.allclose(seen[10].detections.xyxy, [[790, 420, 870, 480]])
    crossings = [crossing for step in seen for crossing in step.crossings] + pipeline.finish()
    assert directions(crossings) == ["in"]
    assert crossings[0].point == pytest.approx((830 / WIDTH, 0.7), abs=0.01)


@pytest.mark.parametrize("every", [2, 3])
def test_between_looks_vehicles_are_predicted_and_crossings_keep_their_time(every):
    cars = [Car(straight((640, 60), (0, 110)))]
    detector = Watching(cars)
    pipeline = Pipeline(detector, SIZE, gate(), sparing=Sparing(every=every, region=False, motion_gate=False))
    seen = list(steps(pipeline, detector, frame_times(5, 12)))
    assert [step.detected for step in seen[: 2 * every]] == ([True] + [False] * (every - 1)) * 2
    assert len(detector.looks) == len(seen) / every
    assert all(step.counted == step.detected for step in seen)
    for step in seen[8:-8]:
        assert step.tracks.ground_points[0] == pytest.approx(cars[0].path(step.time - 1000.0), abs=6)
    (crossing,) = [crossing for step in seen for crossing in step.crossings] + pipeline.finish()
    assert crossing.time == pytest.approx(1000 + 300 / 110, abs=0.05)


def test_a_vehicle_that_stands_for_three_minutes_while_nothing_moves_stays_the_same_vehicle():
    def path(time):
        moved = 130 * (min(time, 4.0) + max(0.0, time - 190.0))
        return 640, 40 + moved

    cars = [Car(path, width=120, height=90)]
    view = View.model_validate(
        {
            "gates": [
                {"id": "north", "line": [[0.1, 0.4], [0.9, 0.4]]},
                {"id": "south", "line": [[0.9, 0.9], [0.1, 0.9]]},
            ],
            "movements": [{"id": "through", "from": "north", "to": "south", "turn": "through"}],
        }
    )
    detector, street = Watching(cars), Street(cars)
    pipeline = Pipeline(detector, SIZE, view, sparing=Sparing(region=False))
    crossings, ids, waiting = [], set(), 0
    for step in steps(pipeline, detector, frame_times(195, 5), street):
        crossings += step.crossings
        ids |= set(step.tracks.track_id.tolist())
        if 20 < step.time - 1000 < 189:
            waiting += 1
            assert len(step.tracks) == 1
    crossings += pipeline.finish()
    looked = sum(20 < time - 1000 < 189 for time in detector.looks)
    assert looked < 0.1 * waiting
    assert len(ids) == 1
    assert [(each.gate, each.direction, each.movement) for each in crossings] == [
        ("north", "in", None),
        ("south", "out", "through"),
    ]
    assert len({each.vehicle for each in crossings}) == 1
    assert crossings[1].time == pytest.approx(1190 + (0.9 * HEIGHT - 560) / 130, abs=0.2)


def test_a_car_that_comes_while_the_gate_is_closed_is_counted_at_its_time():
    cars = [Car(straight((640, 60 - 130 * 40), (0, 130)), begin=40, end=45)]
    detector, street = Watching(cars), Street(cars)
    pipeline = Pipeline(detector, SIZE, gate(), sparing=Sparing(region=False))
    crossings = [
        crossing
        for step in steps(pipeline, detector, frame_times(50, 10), street)
        for crossing in step.crossings
    ]
    assert sum(10 < time - 1000 < 39 for time in detector.looks) < 60
    assert [each.time for each in crossings] == [pytest.approx(1040 + 300 / 130, abs=0.1)]


def cells(value=60):
    return np.full((360, 640, 3), value, np.uint8)


def asked(motion, pictures, fps=10.0, begin=0.0):
    return [motion.wants(picture, begin + n / fps) for n, picture in enumerate(pictures)]


def test_the_gate_closes_while_nothing_changes_and_looks_now_and_then():
    motion = MotionGate(linger=1.0, heartbeat=5.0)
    answers = asked(motion, [cells()] * 200)
    assert all(answers[:9])
    assert sum(answers[15:]) == pytest.approx(4, abs=1)


def test_light_that_changes_everywhere_is_no_motion():
    motion = MotionGate(heartbeat=1e9)
    answers = asked(motion, [cells(60 + n // 4) for n in range(200)])
    assert not any(answers[15:])


def test_what_creeps_is_noticed():
    motion = MotionGate(heartbeat=1e9)
    pictures = []
    for n in range(200):
        picture = cells()
        picture[100:130, 200 + n // 10 : 240 + n // 10] = 120
        pictures.append(picture)
    assert any(asked(motion, pictures)[15:])


def test_what_flickers_without_a_vehicle_is_learnt_and_a_vehicle_there_is_still_seen():
    motion = MotionGate(heartbeat=1e9)
    answers = []
    for n in range(300):
        picture = cells()
        picture[5:20, 5:60] = 60 + 20 * (n // 5 % 3)
        answers.append(motion.wants(picture, n / 10))
        if answers[-1]:
            motion.learn(np.zeros((0, 4), np.float32))
    assert sum(answers[100:]) < 20
    picture[5:40, 5:80] = 220
    assert motion.wants(picture, 30.0)


def test_other_trackers_cannot_go_on_without_detections():
    class Other:
        def update(self, time, detections):
            raise NotImplementedError

    with pytest.raises(ValueError, match="our own tracker"):
        Pipeline(Watching([]), SIZE, gate(), tracker=Other(), sparing=Sparing(every=2))
    Pipeline(Watching([]), SIZE, gate(), tracker=Other(), sparing=Sparing(motion_gate=False))


def test_sparing_is_checked():
    with pytest.raises(ValueError, match="from 1 on, not 0"):
        Sparing(every=0)
