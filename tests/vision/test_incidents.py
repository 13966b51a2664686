"""Incidents: each kind and its near-misses that must stay silent; broken ids, gaps, rates, no calibration."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.scenes import SIZE, Car, detections_of, follow, frame_times, straight
from vision import GateCounter, Tracks, VehicleClass, VehicleTracker, View, fit_calibration
from vision.density import ApproachInterval
from vision.incidents import Incident, IncidentDetector
from vision.view_parts import Calibration

KERB = [[0.1, 0.6], [0.9, 0.6], [0.9, 0.95], [0.1, 0.95]]
"""A no-stop zone over the lower part of the picture."""

AWAY = {"id": "far", "kind": "approach", "polygon": [[0, 0], [1, 0], [1, 0.1], [0, 0.1]]}
"""An approach's zone that covers none of the others."""


def view_of(*zones, **more) -> View:
    gates = [{"id": "gate", "line": [[0.1, 0.3], [0.9, 0.3]]}]
    return View.model_validate({"gates": gates, "zones": list(zones), **more})


NO_STOP = {"id": "kerb", "kind": "no_stop", "polygon": KERB}
PLAIN = view_of(NO_STOP, AWAY)


def watch(frames, view: View, ground=None) -> list[Incident]:
    """All that is told of some frames, counted as in a run."""
    counter, detector = GateCounter(view, SIZE), IncidentDetector(view, SIZE, ground)
    told = []
    for time, tracks in frames:
        told += detector.update(time, tracks, counter.update(time, tracks))
    return told + detector.finish(counter.finish())


def over(told: list[Incident]) -> list[Incident]:
    """The incidents as told last, after a look at how they were told."""
    opened = {each.number: each for each in told if each.end is None}
    ended = {each.number: each for each in told if each.end is not None}
    assert len(opened) + len(ended) == len(told), "each is told twice, not more"
    assert list(opened) == list(range(1, len(opened) + 1))
    assert set(ended) == set(opened)
    for number, each in ended.items():
        first = opened[number]
        assert (each.kind, each.place, each.start) == (first.kind, first.place, first.start)
        assert each.end >= each.start
    return [ended[number] for number in opened]


def stopping(begin: float, seconds: float, place=(640, 550), speed=120.0) -> Callable:
    """Drives in from the left, stands at ``place`` from ``begin`` on for some seconds, and drives on."""

    def path(time):
        early, late = min(time - begin, 0.0), max(time - begin - seconds, 0.0)
        return place[0] + speed * (early + late), place[1]

    return path


def visible(path, begin=0.0, end=1e9, **more) -> Car:
    return Car(path, begin=begin, end=end, **more)


@dataclass(frozen=True)
class Standing:
    """One vehicle by a no-stop zone, and the seconds that it is told to have stood, if it is."""

    car: Car
    told: float | None
    view: View = PLAIN
    score: float = 0.8


ON_APPROACH = view_of(NO_STOP, {"id": "south", "kind": "approach", "polygon": KERB})
STANDING = {
    "stands in the zone": Standing(Car(stopping(5, 90)), 90),
    "stands there from the first frame on": Standing(Car(straight((640, 550), (0, 0))), 120),
    "is a motorcycle": Standing(Car(stopping(5, 90), 20, 40, VehicleClass.MOTORCYCLE), 90),
    "lets somebody get off": Standing(Car(stopping(5, 45)), None),
    "stands beside the zone": Standing(Car(stopping(5, 90, (640, 400))), None),
    "creeps through the zone": Standing(Car(straight((150, 550), (9, 0))), None),
    "waits for a green light": Standing(Car(stopping(5, 90)), None, ON_APPROACH),
    "waits where approaches are not drawn": Standing(Car(stopping(5, 90)), None, view_of(NO_STOP)),
    "is a sign taken for a car": Standing(Car(straight((640, 550), (0, 0))), None, score=0.2),
}


@pytest.mark.parametrize("case", STANDING.values(), ids=STANDING)
def test_standing_in_a_no_stop_zone(case: Standing) -> None:
    frames = [
        (time, Tracks(tracks.xyxy, np.full(len(tracks), case.score, np.float32), *rest(tracks)))
        for time, tracks in follow([case.car], 120, 5)
    ]
    found = over(watch(frames, case.view))
    if case.told is None:
        assert not found
        return
    (incident,) = found
    assert (incident.kind, incident.place, incident.vehicle) == ("standing", "kerb", 1)
    assert incident.vehicle_class == case.car.kind
    assert incident.evidence["stood_s"] == pytest.approx(case.told, abs=1)
    assert incident.end - incident.start == pytest.approx(case.told, abs=1)
    assert incident.point == pytest.approx((640 / 1280, 550 / 720), abs=0.02)
    assert incident.cut == (case.told == 120)
    assert incident.thresholds["standing_s"] == 60


def rest(tracks: Tracks):
    return tracks.class_id, tracks.track_id


def test_a_queue_that_stands_longer_than_any_red_light_is_told() -> None:
    (incident,) = over(watch(follow([Car(stopping(5, 190))], 210, 5), ON_APPROACH))
    assert incident.thresholds["standing_signal_s"] == 150


def test_the_camera_s_rate_makes_no_difference() -> None:
    slow, fast = (over(watch(follow([Car(stopping(5, 70))], 80, fps), PLAIN)) for fps in (5, 25))
    for incident in (*slow, *fast):
        assert (incident.start - 1000, incident.end - 1000) == pytest.approx((5, 75), abs=1)
    assert len(slow) == len(fast) == 1


def test_it_is_told_as_soon_as_it_is_certain() -> None:
    counter, detector = GateCounter(PLAIN, SIZE), IncidentDetector(PLAIN, SIZE)
    for time, tracks in follow([Car(stopping(5, 90))], 120, 5):
        told = detector.update(time, tracks, counter.update(time, tracks))
        if told:
            break
    assert time - 1000 == pytest.approx(65, abs=1)
    assert told[0].end is None
    assert told[0].start - 1000 == pytest.approx(5, abs=1)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(40, 370), max_size=40), st.booleans())
def test_a_standing_vehicle_whose_id_is_renewed_stands_on(renewals: list[int], missed: bool) -> None:
    """Renewed in any frames, with or without a frame missed each time."""

    def name(_, frame):
        return 1 + sum(renewal <= frame for renewal in renewals)

    frames = [
        (time, Tracks.empty() if missed and number in renewals else tracks)
        for number, (time, tracks) in enumerate(follow([Car(stopping(5, 70))], 80, 5, name))
    ]
    (incident,) = over(watch(frames, PLAIN))
    assert incident.evidence["stood_s"] == pytest.approx(70, abs=2)
    assert incident.vehicle == 1


def hidden(begin: float, end: float, fps=5):
    """A car that stands from 5 to 105 s and cannot be seen in between; afterwards it has another id."""
    whole = follow([Car(stopping(5, 100))], 130, fps, lambda _, frame: 1 if frame / fps < end else 2)
    return [(t, Tracks.empty() if begin <= t - 1000 < end else tracks) for t, tracks in whole]


def test_a_bus_in_front_does_not_end_it_and_is_not_counted_as_standing() -> None:
    (incident,) = over(watch(hidden(40, 52), PLAIN))
    assert incident.evidence["stood_s"] == pytest.approx(88, abs=2)
    assert incident.evidence["unseen_s"] == pytest.approx(12, abs=1)
    assert not incident.cut


def test_lost_from_sight_for_long_is_an_end_that_was_not_seen() -> None:
    incident, *_ = over(watch(hidden(80, 104), PLAIN))
    assert incident.cut
    assert incident.end - 1000 == pytest.approx(80, abs=1)


def test_the_next_vehicle_at_a_hidden_one_s_place_is_another() -> None:
    first = visible(stopping(5, 30), end=35)
    second = visible(stopping(40, 50), begin=36)
    assert not over(watch(follow([first, second], 110, 5), PLAIN))


def gapped(begin: float, end: float):
    frames = follow([Car(stopping(5, 180))], 200, 5)
    return [(time, tracks) for time, tracks in frames if not begin <= time - 1000 < end]


def test_a_short_gap_in_the_video_is_said_in_the_evidence() -> None:
    (incident,) = over(watch(gapped(40, 50), PLAIN))
    assert incident.evidence["unseen_s"] == pytest.approx(10, abs=1)
    assert not incident.cut


def test_no_incident_spans_a_long_gap() -> None:
    before, after = over(watch(gapped(80, 110), PLAIN))
    assert before.cut
    assert before.end - 1000 == pytest.approx(80, abs=1)
    assert not after.cut
    assert after.start - 1000 == pytest.approx(110, abs=1)


def test_boxes_that_jitter_and_flicker_through_the_tracker() -> None:
    tracker, noise = VehicleTracker(SIZE), np.random.default_rng(5)
    car = Car(stopping(5, 90))
    times = frame_times(120, 5)
    frames = [(t, tracker.update(t, detections_of([car], t, noise, miss=0.3))) for t in times]
    (incident,) = over(watch(frames, PLAIN))
    assert incident.end - incident.start == pytest.approx(90, abs=3)


def ground_of(height_m: float):
    """A flat mapping: the picture shows 64 m of width and some metres of height."""
    corners = [(x, y) for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0)]
    points = [{"image": (x, y), "ground": (64 * x, -height_m * y)} for x, y in corners]
    return fit_calibration(Calibration.model_validate({"points": points}))


@pytest.mark.parametrize(("calibrated", "count"), [(True, 0), (False, 1)])
def test_a_queue_that_creeps_far_away_moves_in_metres(calibrated: bool, count: int) -> None:
    """A pixel and a half in ten seconds is three metres there: half a box size in 150 s."""
    creeping = Car(straight((640, 550), (0, 0.15)))
    found = over(watch(follow([creeping], 140, 5), PLAIN, ground_of(1440) if calibrated else None))
    assert len(found) == count


def test_a_vehicle_half_hidden_by_riders_has_not_moved() -> None:
    """The lower half of its box is missing every now and then: six metres on the ground."""

    def frames():
        for number, (time, tracks) in enumerate(follow([Car(stopping(5, 90))], 120, 5)):
            boxes = tracks.xyxy.copy()
            if number % 40 > 20 and 8 < time - 1000 < 90:
                boxes[:, 3] -= 30
            yield time, Tracks(boxes, tracks.score, tracks.class_id, tracks.track_id)

    (incident,) = over(watch(frames(), PLAIN, ground_of(144)))
    assert incident.evidence["stood_s"] == pytest.approx(90, abs=2)


# Wrong way: the gate lies at y = 216 and is passed `in` by moving down.


def back_and_forth(*legs):
    """A path along x = 640 through (time, y) points."""
    times, places = zip(*legs, strict=True)
    return lambda time: (640.0, float(np.interp(time, times, places)))


def one_way(direction: str | None) -> View:
    gates = [{"id": "gate", "line": [[0.1, 0.3], [0.9, 0.3]], "one_way": direction}]
    return View.model_validate({"gates": gates})


def u_turn(time):
    """Down through the gate at x = 500, round, and up through it again at x = 700."""
    angle = np.pi * np.clip((time - 4) / 4, 0, 1)
    down = 80 * min(time, 4) - 80 * max(time - 8, 0)
    return 600 - 100 * np.cos(angle), 100 + down + 100 * np.sin(angle)


AGAINST = back_and_forth((0, 600), (6, 20))
WRONG_WAY = {
    "drives against it": (AGAINST, "in", 1),
    "goes the right way": (AGAINST, "out", 0),
    "passes a gate that is not one-way": (AGAINST, None, 0),
    "reverses a metre over the line": (
        back_and_forth((0, 260), (2, 260), (4, 180), (6, 180), (9, 600)),
        "in",
        0,
    ),
    "rolls back over the line and stays": (back_and_forth((0, 300), (3, 300), (5, 185), (12, 185)), "in", 0),
    "passes it, and reverses over it": (back_and_forth((0, 60), (4, 400), (6, 400), (9, 60)), "in", 0),
    "turns round beyond it": (u_turn, "in", 0),
    "appears beyond it": (back_and_forth((0, 190), (5, 20)), "in", 0),
}


@pytest.mark.parametrize("fps", [8, 25])
@pytest.mark.parametrize(("path", "allowed", "count"), WRONG_WAY.values(), ids=WRONG_WAY)
def test_the_wrong_way_through_a_gate(path, allowed: str | None, count: int, fps: int) -> None:
    found = over(watch(follow([Car(path, end=12)], 18, fps), one_way(allowed)))
    assert len(found) == count
    for incident in found:
        assert (incident.kind, incident.place, incident.vehicle) == ("wrong_way", "gate", 1)
        assert incident.start - 1000 == pytest.approx(6 * 384 / 580, abs=0.3)
        assert incident.evidence["beyond_boxes"] >= 1.2
        assert not incident.cut


def test_a_wrong_way_driver_with_another_id_at_the_gate() -> None:
    frames = follow([Car(AGAINST, end=6)], 12, 25, lambda _, frame: 1 + frame // 33)
    (incident,) = over(watch(frames, one_way("in")))
    assert incident.vehicle == 1


# Blocked junction: four gates around the middle of the picture.


def junction(*zones) -> View:
    corners = {"n": (0.2, 0.2), "e": (0.8, 0.2), "s": (0.8, 0.9), "w": (0.2, 0.9)}
    ends = list(corners.values())
    gates = [
        {"id": name, "approach": name, "line": [ends[number], ends[(number + 1) % 4]]}
        for number, name in enumerate(corners)
    ]
    return View.model_validate({"gates": gates, "zones": list(zones)})


def jam(count: int, seconds: float, begin=5.0, row=400) -> list[Car]:
    """Vehicles that come to a stand beside each other in the middle."""
    return [
        Car(stopping(begin, seconds, (400 + 90 * number, row + 40 * (number % 2))), begin=begin - 3)
        for number in range(count)
    ]


def stream(seconds: float, every: float = 1.0) -> list[Car]:
    """Vehicles that cross the middle downwards, one after the other."""
    return [
        Car(straight((900, 100 - 150 * begin), (0, 150)), begin=begin, end=begin + 4)
        for begin in np.arange(0, seconds, every)
    ]


BOX = {"id": "box", "kind": "no_stop", "polygon": [[0.25, 0.3], [0.75, 0.3], [0.75, 0.8], [0.25, 0.8]]}
JAMS = {
    "six stand in the middle": (jam(6, 80), junction(), "junction"),
    "six stand in the zone that is the junction": (jam(6, 80), junction(BOX), "box"),
    "they go on before long": (jam(6, 35), junction(), None),
    "three wait to turn left": (jam(3, 80), junction(), None),
    "five wait while others drive through": (jam(5, 80) + stream(90, 0.5), junction(), None),
    "they wait at the edge": (jam(6, 80, row=170), junction(), None),
    "there is no junction in the view": (jam(6, 80), one_way(None), None),
}


@pytest.mark.parametrize(("cars", "view", "place"), JAMS.values(), ids=JAMS)
def test_a_blocked_junction(cars: list[Car], view: View, place: str | None) -> None:
    found = over(watch(follow(cars, 100, 5), view))
    assert [(each.kind, each.place) for each in found] == ([("blocked_junction", place)] if place else [])
    for incident in found:
        assert incident.start - 1000 == pytest.approx(10, abs=2)
        assert incident.end - 1000 == pytest.approx(85, abs=3)
        assert incident.evidence["most_standing"] == 6
        assert incident.vehicle is None


def test_the_same_frames_tell_the_same() -> None:
    frames = list(follow([*jam(6, 80), Car(stopping(10, 80, (640, 640)))], 120, 5))
    first, second = (watch(frames, junction(BOX, NO_STOP, AWAY)) for _ in range(2))
    assert {each.kind for each in first} == {"standing", "blocked_junction"}
    assert first == second


# Queues and speeds: records of ten seconds.


def records(**fields) -> list[ApproachInterval]:
    """Consecutive records; each field is a list of its values."""
    rows = [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=True)]
    return [
        ApproachInterval("south", 1000.0 + 10 * n, 1010.0 + 10 * n, 10.0, 10.0, **row)
        for n, row in enumerate(rows)
    ]


def reported(intervals: list[ApproachInterval]) -> list[Incident]:
    detector = IncidentDetector(PLAIN, SIZE)
    told = [incident for record in intervals for incident in detector.interval(record)]
    return over(told + detector.finish())


def queue(shares: list[float | None], seen_m: float = 60.0) -> list[ApproachInterval]:
    """Records by the share of looks at which the queue reached the end of the view; None: no look."""
    return records(
        queue_samples=[0 if share is None else 10 for share in shares],
        queue_cut_samples=[round(10 * (share or 0)) for share in shares],
        queue_max_m=[None if share is None else seen_m for share in shares],
        queue_max_vehicles=[None if share is None else 14 for share in shares],
    )


NO_QUEUE = [0.0] * 6
RED_AND_GREEN = [0.0, 0.5, *[1.0] * 7, 0.5, 0.0, 0.0]
QUEUES = {
    "stays over green": (NO_QUEUE + [1.0] * 24 + [0.0] * 12, (60, 300), False),
    "stays to the last record": (NO_QUEUE + [1.0] * 24, (60, 300), True),
    "is lost from sight": (NO_QUEUE + [1.0] * 24 + [None] * 7 + [0.0] * 9, (60, 300), True),
    "goes on through a short gap": (
        NO_QUEUE + [1.0] * 12 + [None] * 3 + [1.0] * 12 + NO_QUEUE * 2,
        (60, 330),
        False,
    ),
    "grows with every red light": (RED_AND_GREEN * 4, None, False),
    "is there for one long red light": (NO_QUEUE + [1.0] * 15 + NO_QUEUE * 3, None, False),
    "is not known without calibration": ([None] * 60, None, False),
    "is gone for long in between": (NO_QUEUE + [1.0] * 12 + [None] * 8 + [1.0] * 12, None, False),
}


@pytest.mark.parametrize(("shares", "span", "cut"), QUEUES.values(), ids=QUEUES)
def test_a_queue_beyond_the_view(shares, span, cut: bool) -> None:
    found = reported(queue(shares))
    assert len(found) == (span is not None)
    for incident in found:
        assert (incident.kind, incident.place) == ("queue_beyond_view", "south")
        assert (incident.start - 1000, incident.end - 1000) == span
        assert incident.cut == cut
        assert incident.evidence["cut_share"] >= 0.9
        assert (incident.evidence["seen_m"], incident.evidence["seen_vehicles"]) == (60, 14)


def test_a_view_of_a_few_metres_says_nothing_of_queues() -> None:
    assert not reported(queue([1.0] * 30, seen_m=8.0))


def driving(speeds: list[float | None], vehicles: float = 6.0) -> list[ApproachInterval]:
    """Records by space-mean speed in km/h; None: not observed."""
    return records(
        ground_seconds=[0.0 if speed is None else 10.0 for speed in speeds],
        spent_s=[{} if speed is None else {"car": 10 * vehicles} for speed in speeds],
        driven_m=[{} if speed is None else {"car": 10 * vehicles * speed / 3.6} for speed in speeds],
    )


def signal(speed: float, seconds: float) -> list[float]:
    """Speeds of ten seconds each under a signal: 60 s of red, 30 s of green."""
    return [2.0 if n % 9 < 6 else speed for n in range(round(seconds / 10))]


USUAL = signal(40, 1260)
SPEEDS = {
    "falls at once": (USUAL + [2.0] * 30 + USUAL, 6.0, (1260, 1560), False),
    "falls and stays low": (USUAL + [2.0] * 40, 6.0, (1260, 1660), True),
    "has red and green": (USUAL * 2, 6.0, None, False),
    "has one long red light": (USUAL + [2.0] * 12 + USUAL, 6.0, None, False),
    "falls little by little": ([40 * 0.985**n for n in range(240)], 6.0, None, False),
    "falls by a third": ([30.0] * 126 + [20.0] * 60, 6.0, None, False),
    "is that of one parked car at night": (USUAL + [2.0] * 60, 1.0, None, False),
    "is low anyway": ([8.0] * 126 + [2.0] * 60, 6.0, None, False),
    "is not known without calibration": ([None] * 200, 6.0, None, False),
    "is not known from long enough before": (USUAL[:60] + [2.0] * 40, 6.0, None, False),
    "is held against nothing before a gap": (USUAL + [None] * 8 + [2.0] * 60, 6.0, None, False),
}


@pytest.mark.parametrize(("speeds", "vehicles", "span", "cut"), SPEEDS.values(), ids=SPEEDS)
def test_a_sudden_fall_of_speed(speeds, vehicles: float, span, cut: bool) -> None:
    found = reported(driving(speeds, vehicles))
    assert len(found) == (span is not None)
    for incident in found:
        assert (incident.kind, incident.place) == ("speed_drop", "south")
        assert incident.start - 1000 == pytest.approx(span[0], abs=60)
        assert incident.end - 1000 == pytest.approx(span[1], abs=180)
        assert incident.cut == cut
        assert incident.evidence["now_kmh"] < 0.5 * incident.evidence["before_kmh"]
