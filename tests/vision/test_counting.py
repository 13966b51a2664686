"""Counting is right in every situation in which line counters are known to go wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.scenes import (
    SIZE,
    Car,
    count_tracks,
    directions,
    follow,
    frame_times,
    gate,
    straight,
    tracks_of,
)
from vision import GateCounter, Tracks, VehicleClass, View

DOWN = Car(straight((640, 100), (0, 150)))  # crosses y = 360 after 1.733 s
BESIDE = Car(straight((200, 100), (0, 150)))  # keeps pace with it, far to the left


def test_a_passing_vehicle_is_counted_once_with_its_interpolated_time_and_place():
    (crossing,) = count_tracks(follow([DOWN], 4, fps=5), gate())
    assert crossing.direction == "in"
    assert crossing.time == pytest.approx(1000 + 260 / 150, abs=1e-3)
    assert crossing.point == pytest.approx((0.5, 0.5), abs=1e-3)
    assert crossing.vehicle_class is VehicleClass.CAR
    assert crossing.confidence == pytest.approx(0.8)


def test_the_other_way_is_out():
    up = Car(straight((640, 700), (0, -150)))
    assert directions(count_tracks(follow([up], 4), gate())) == ["out"]


@pytest.mark.parametrize("fps", [25, 5])
def test_the_track_id_changes_in_the_frame_of_the_crossing(fps):
    first_below = next(n for n, time in enumerate(frame_times(4, fps)) if DOWN.path(time - 1000)[1] > 360)
    changed = follow([DOWN], 4, fps, ids=lambda car, frame: 1 if frame < first_below else 2)
    assert directions(count_tracks(changed, gate())) == ["in"]


def standing_at(y, seconds_before=2.0, seconds_standing=4.0):
    """A path down to ``y``, standing there for a while, then on."""

    def path(time):
        if time < seconds_before:
            return 640, y - 150 * (seconds_before - time)
        return 640, y + 150 * max(0.0, time - seconds_before - seconds_standing)

    return path


def jittered(frames, pixels, seed=1):
    noise = np.random.default_rng(seed)
    for time, tracks in frames:
        shaken = tracks.xyxy + noise.normal(0, pixels, tracks.xyxy.shape).astype(np.float32)
        yield time, Tracks(shaken, tracks.score, tracks.class_id, tracks.track_id)


@pytest.mark.parametrize("y", [350, 358, 360, 362, 370])
def test_a_vehicle_stops_on_the_line_while_its_box_jitters(y):
    frames = jittered(follow([Car(standing_at(y))], 10), pixels=2.0)
    assert directions(count_tracks(frames, gate())) == ["in"]


@pytest.mark.parametrize("y", [350, 360, 370])
@pytest.mark.parametrize("every", [3, 10, 25])
def test_it_stops_on_the_line_and_its_id_is_renewed_again_and_again(y, every):
    frames = follow([Car(standing_at(y))], 10, ids=lambda car, frame: 1 + frame // every)
    assert directions(count_tracks(jittered(frames, 2.0), gate())) == ["in"]


@pytest.mark.parametrize("missed", [2, 5, 10])
@pytest.mark.parametrize("same_id", [True, False])
def test_frames_are_missed_at_the_line(missed, same_id):
    at = 43  # the frame of the crossing at 25 frames/s
    hidden = range(at - missed // 2, at - missed // 2 + missed)
    frames = follow([DOWN], 4, ids=None if same_id else lambda car, frame: 1 if frame < at else 2)
    seen = [(t, f if n not in hidden else Tracks.empty()) for n, (t, f) in enumerate(frames)]
    assert directions(count_tracks(seen, gate())) == ["in"]


def test_a_real_u_turn_is_one_in_and_one_out():
    def path(time):
        angle = np.pi * np.clip((time - 2) / 3, 0, 1)
        y = 100 + 150 * min(time, 2) if time < 5 else 400 - 150 * (time - 5)
        return 640 - 100 * np.cos(angle), y + 100 * np.sin(angle) * (2 <= time <= 5)

    view = gate(movements=[{"id": "turn", "from": "gate", "to": "gate", "turn": "u_turn"}])
    crossings = count_tracks(follow([Car(path)], 8), view)
    assert directions(crossings) == ["in", "out"]
    assert [crossing.movement for crossing in crossings] == [None, "turn"]


@pytest.mark.parametrize(("back_to", "expected"), [(200, ["in", "out"]), (320, ["in"])])
def test_who_comes_in_a_little_and_backs_out_has_left_once_it_is_well_out(back_to, expected):
    """It was 0.8 box sizes inside; 0.6 outside might still be a box that trembles."""

    def path(time):
        inside = min(300 + 60 * time, 415)
        return 640, max(inside - 60 * max(0.0, time - 3), back_to)

    assert directions(count_tracks(follow([Car(path)], 8), gate())) == expected


@pytest.mark.parametrize("angle", range(0, 360, 15))
def test_a_line_at_any_angle_drawn_in_either_direction(angle):
    across = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    along = np.array([-across[1], across[0]])  # to the right of the line, on a screen
    middle = np.array([640, 360])
    line = [((middle + side * 250 * across) / SIZE).tolist() for side in (-1, 1)]
    car = Car(lambda time: tuple(middle + (time - 2) * 120 * along), width=40, height=40)
    assert directions(count_tracks(follow([car], 4), gate(line))) == ["in"]
    assert directions(count_tracks(follow([car], 4), gate(line[::-1]))) == ["out"]


def test_passing_beyond_the_end_of_a_line_is_no_crossing():
    beside = Car(straight((100, 100), (0, 150)))
    assert count_tracks(follow([beside], 4), gate(((0.2, 0.5), (0.9, 0.5)))) == []


def test_going_round_the_end_and_back_over_the_line_counts_the_line_only():
    def path(time):  # down beside the gate, along below it, and up over it
        if time < 3:
            return 60, 200 + 100 * time
        if time < 6:
            return 60 + 150 * (time - 3), 500
        return 510, 500 - 100 * (time - 6)

    assert directions(count_tracks(follow([Car(path)], 9), gate(((0.2, 0.5), (0.9, 0.5))))) == ["out"]


def test_a_box_cut_by_the_edge_of_the_picture_does_not_cross_back():
    """The bottom of a box sticks to the edge while its vehicle drives out; then the box shrinks away."""
    frames = []
    for time, tracks in follow([Car(straight((640, 300), (0, 150)))], 4):
        frames.append((time, Tracks(np.minimum(tracks.xyxy, 720), *_rest(tracks))))
    view = gate(((0.1, 0.93), (0.9, 0.93)))
    assert directions(count_tracks(frames, view)) == ["in"]


def test_the_class_is_that_of_the_track_by_evidence():
    flicker = [VehicleClass.TRUCK, VehicleClass.CAR, VehicleClass.CAR]
    frames = [
        (time, Tracks(tracks.xyxy, tracks.score, np.full(1, flicker[n % 3], np.int8), tracks.track_id))
        for n, (time, tracks) in enumerate(follow([DOWN], 4))
    ]
    (crossing,) = count_tracks(frames, gate())
    assert crossing.vehicle_class is VehicleClass.CAR


def test_a_vehicle_nobody_could_name_stays_unknown():
    (crossing,) = count_tracks(follow([Car(DOWN.path, kind=VehicleClass.UNKNOWN)], 4), gate())
    assert crossing.vehicle_class is VehicleClass.UNKNOWN


def test_one_vehicle_boxed_as_car_and_as_truck_is_one():
    pair = [DOWN, Car(DOWN.path, width=86, height=66, kind=VehicleClass.TRUCK)]
    assert directions(count_tracks(follow(pair, 4), gate())) == ["in"]


def test_a_lorry_whose_box_flips_between_its_cab_and_its_whole_length_is_one():
    """The flip renews the id each time, as trackers do when two boxes hardly overlap."""
    frames = []
    for n, time in enumerate(frame_times(8)):
        x = 100 + 120 * (time - 1000)
        whole, cab = [x - 160, 260, x, 370], [x - 60, 262, x, 369]
        flipped = n // 7 % 2
        box, track_id = (cab, 2 * (n // 7)) if flipped else (whole, 2 * (n // 7))
        frames.append((time, tracks_of([box], [track_id + 1], [VehicleClass.TRUCK])))
    view = gate(((0.5, 0.9), (0.5, 0.2)))  # crossed from left to right
    assert directions(count_tracks(frames, view)) == ["in"]


def test_a_lorry_tracked_as_its_cab_and_its_whole_length_at_once_is_one():
    frames = []
    for time in frame_times(8):
        x = 100 + 120 * (time - 1000)
        boxes = [[x - 160, 260, x, 370], [x - 60, 262, x, 369]]
        frames.append((time, tracks_of(boxes, [1, 2], [VehicleClass.TRUCK, VehicleClass.CAR])))
    view = gate(((0.5, 0.9), (0.5, 0.2)))
    assert directions(count_tracks(frames, view)) == ["in"]


def test_a_car_whose_bumper_is_hidden_now_and_then_is_one():
    """Riders in front hide the lower 40 % of the box, so that its bottom jumps back over the line."""
    frames = []
    for n, (time, tracks) in enumerate(follow([Car(straight((640, 300), (0, 12)), 120, 100)], 14)):
        xyxy = tracks.xyxy.copy()
        if n // 9 % 2:
            xyxy[:, 3] -= 40
        frames.append((time, Tracks(xyxy, *_rest(tracks))))
    assert directions(count_tracks(frames, gate())) == ["in"]


def test_riders_side_by_side_are_two():
    pair = [
        Car(straight((x, 100), (0, 150)), width=30, height=60, kind=VehicleClass.MOTORCYCLE)
        for x in (630, 652)
    ]
    assert directions(count_tracks(follow(pair, 4), gate())) == ["in", "in"]


def test_a_rider_in_front_of_a_bus_is_counted_beside_it():
    bus = Car(straight((640, 100), (0, 100)), width=200, height=220, kind=VehicleClass.BUS)
    rider = Car(straight((650, 90), (0, 100)), width=35, height=70, kind=VehicleClass.MOTORCYCLE)
    crossings = count_tracks(follow([bus, rider], 6), gate())
    assert sorted(crossing.vehicle_class.label for crossing in crossings) == ["bus", "motorcycle"]


def emerging(begin, start=(640, 100), speed=(0.0, 150.0), end=1e9):
    """Like DOWN, but not in sight before `begin` seconds; it passes the gate after 1.733 s."""
    return Car(straight(start, speed), begin=begin, end=end)


@pytest.mark.parametrize("fps", [25, 5])
def test_who_comes_into_sight_just_beyond_a_gate_has_passed_it(fps):
    (crossing,) = count_tracks(follow([BESIDE, emerging(2.1)], 5, fps), gate(((0.4, 0.5), (0.9, 0.5))))
    assert crossing.direction == "in"
    assert crossing.time == pytest.approx(1000 + 260 / 150, abs=1e-3)
    assert crossing.point == pytest.approx((0.5, 0.5), abs=1e-3)


def test_the_movement_of_one_that_entered_unseen_is_known():
    view = View.model_validate(
        {
            "gates": [
                {"id": "north", "line": [[0.3, 0.5], [0.7, 0.5]]},
                {"id": "south", "line": [[0.7, 0.8], [0.3, 0.8]]},
            ],
            "movements": [{"id": "n-s", "from": "north", "to": "south", "turn": "through"}],
        }
    )
    crossings = count_tracks(follow([BESIDE, emerging(1.85)], 6), view)
    assert [(c.gate, c.direction, c.movement) for c in crossings] == [
        ("north", "in", None),
        ("south", "out", "n-s"),
    ]


@pytest.mark.parametrize(
    "car",
    [
        pytest.param(emerging(3.2), id="it came into sight too far beyond"),
        pytest.param(emerging(2.1, end=2.3), id="it was seen for a moment only"),
        pytest.param(Car(straight((640, 400), (0, 0)), begin=2.1), id="it stands"),
        pytest.param(Car(straight((640, 700), (0, -90)), begin=2.5, end=3.7), id="it comes toward the gate"),
        pytest.param(emerging(2.1, start=(1200, 100)), id="it passed beside the end of the gate"),
        pytest.param(Car(straight((640, 415), (150, 0)), begin=2.1), id="it drives along the gate"),
    ],
)
def test_who_did_not_pass_a_gate_before_it_was_seen_is_not_counted(car):
    assert count_tracks(follow([BESIDE, car], 6), gate(((0.4, 0.5), (0.9, 0.5)))) == []


def test_who_passed_before_the_frames_began_or_in_a_break_is_not_counted():
    begun = [(t, tracks) for t, tracks in follow([DOWN], 5) if t >= 1002.1]
    assert count_tracks(begun, gate()) == []
    frames = [(t, tracks) for t, tracks in follow([BESIDE, DOWN], 5) if not 1000.5 < t < 1002.0]
    broken = [(t, tracks if t > 1001 else tracks[tracks.track_id == 1]) for t, tracks in frames]
    assert count_tracks(broken, gate(((0.4, 0.5), (0.9, 0.5)))) == []


def test_doubtful_boxes_that_come_up_beyond_a_gate_are_not_counted():
    frames = follow([BESIDE, emerging(2.1)], 5)
    doubtful = (
        (
            t,
            Tracks(
                k.xyxy, np.where(k.track_id == 2, 0.3, k.score).astype(np.float32), k.class_id, k.track_id
            ),
        )
        for t, k in frames
    )
    assert count_tracks(doubtful, gate(((0.4, 0.5), (0.9, 0.5)))) == []


def weak_box_over_two_that_stand(score, beside=()):
    """Two cars that stand before and beyond the gate, and a box that slides from one to the other."""
    before, beyond = (Car(straight((640, y), (0, 0))) for y in (325, 400))
    cars = [before, beyond, Car(straight((640, 320), (0, 20)), end=5), *beside]
    for time, tracks in follow(cars, 6):
        weak = np.where(tracks.track_id == 3, score, tracks.score).astype(np.float32)
        yield time, Tracks(tracks.xyxy, weak, tracks.class_id, tracks.track_id)


def test_a_weak_box_over_others_does_not_cross_alone():
    assert count_tracks(weak_box_over_two_that_stand(0.3), gate()) == []
    # A sure box is a vehicle, and so is a weak one among others that cross.
    assert directions(count_tracks(weak_box_over_two_that_stand(0.5), gate())) == ["in"]
    assert directions(count_tracks(weak_box_over_two_that_stand(0.3, [BESIDE]), gate())) == ["in", "in"]


def test_the_rest_of_a_broken_track_is_not_another_vehicle():
    # Stitching does not join them: half a second on, the box is twice as high, as when what hid it has gone.
    first = emerging(0.0, end=1.85)
    rest = Car(straight((640, 100), (0, 150)), width=80, height=240, begin=2.0)
    crossings = count_tracks(follow([BESIDE, first, rest], 5), gate(((0.4, 0.5), (0.9, 0.5))))
    assert directions(crossings) == ["in"]


def test_a_car_whose_box_a_pole_cuts_in_two_is_one():
    # The left part comes up beyond the gate, and grows over the whole car.
    frames = []
    for time in frame_times(5):
        t = time - 1000
        y = 100 + 150 * t
        boxes, ids = [[160, y - 60, 240, y]], [1]
        if t < 3.2:
            boxes, ids = [*boxes, [600 if t < 2.0 else 630, y - 60, 680, y]], [*ids, 2]
        if t > 2.1:
            boxes, ids = [*boxes, [600, y - 60, 625 if t < 2.6 else 680, y]], [*ids, 3]
        frames.append((time, tracks_of(boxes, ids, [VehicleClass.CAR] * len(ids))))
    assert directions(count_tracks(frames, gate(((0.4, 0.5), (0.9, 0.5))))) == ["in"]


@pytest.mark.parametrize(("y", "least", "most"), [(360, 3.5, 5.0), (300, 0.0, 0.5)])
def test_the_time_that_vehicles_spend_on_a_line_is_told(y, least, most):
    counter = GateCounter(gate(), SIZE)
    for time, tracks in jittered(follow([Car(standing_at(y)), DOWN], 10), pixels=2.0):
        counter.update(time, tracks)
    (seconds,) = counter.lingered().values()
    assert least <= seconds <= most


def test_parked_vehicles_on_the_line_are_not_counted():
    parked = [Car(straight((300 + 150 * n, 355 + 3 * n), (0, 0))) for n in range(5)]
    assert count_tracks(jittered(follow(parked, 20), pixels=3.0), gate()) == []


def test_reflections_and_burnt_in_text_that_flicker_in_place_are_not_counted():
    noise = np.random.default_rng(3)
    frames = []
    for n, time in enumerate(frame_times(20)):
        lit = [(k, x) for k, x in enumerate((200, 500, 900)) if noise.random() < 0.5]
        boxes = [[x, 330, x + 60, 362 + noise.normal(0, 3)] for _, x in lit]
        ids = [1 + n // 5 * 3 + k for k, _ in lit]
        frames.append((time, tracks_of(boxes, ids, [VehicleClass.CAR] * len(boxes))))
    assert count_tracks(frames, gate()) == []


def test_a_movement_is_an_ordered_pair_of_gates():
    view = View.model_validate(
        {
            "gates": [
                {"id": "north", "line": [[0.3, 0.3], [0.7, 0.3]]},
                {"id": "west", "line": [[0.3, 0.8], [0.3, 0.3]]},
                {"id": "south", "line": [[0.7, 0.8], [0.3, 0.8]]},
            ],
            "movements": [
                {"id": "n-s", "from": "north", "to": "south", "turn": "through"},
                {"id": "n-w", "from": "north", "to": "west", "turn": "right"},
            ],
        }
    )

    def turning(time):
        return (640, 120 + 100 * time) if time < 3 else (640 - 130 * (time - 3), 420)

    through, right = Car(straight((700, 120), (0, 120))), Car(turning)
    crossings = count_tracks(follow([through, right], 8), view)
    assert sorted(c.movement for c in crossings if c.movement) == ["n-s", "n-w"]
    assert [c.origin for c in crossings if c.movement] == ["north", "north"]
    assert sum(c.gate == "north" for c in crossings) == 2


def test_outside_the_region_of_interest_nothing_is_counted():
    zone = {"id": "road", "kind": "roi", "polygon": [[0, 0], [0.4, 0], [0.4, 1], [0, 1]]}
    inside = Car(straight((300, 100), (0, 150)))
    crossings = count_tracks(follow([DOWN, inside], 4), gate(zones=[zone]))
    assert [c.point[0] for c in crossings] == pytest.approx([300 / 1280])


def test_memory_stays_bounded_over_a_long_run():
    counter = GateCounter(gate(), SIZE)
    for n, time in enumerate(frame_times(600, fps=5)):
        box = [600, 100 + 60 * (n % 10), 680, 160 + 60 * (n % 10)]
        counter.update(time, tracks_of([box], [1 + n // 10], [VehicleClass.CAR]))
    assert len(counter._vehicles) < 20
    assert len(counter._stitcher._known) < 20


# Properties. Vehicles cross the middle of the picture at some speed and angle.
speeds = st.floats(60, 400)
angles = st.floats(-50, 50)
offsets = st.floats(-250, 250)
cars = st.lists(st.tuples(speeds, angles, offsets, st.floats(0, 4)), min_size=1, max_size=6)


def scene(parameters, scale=1.0):
    """Vehicles that pass y = 360 well apart from each other in place or time."""
    made = []
    for n, (speed, angle, offset, delay) in enumerate(parameters):
        turn = np.radians(angle)
        velocity = np.array([np.sin(turn), np.cos(turn)]) * speed
        moment = 2.5 + delay + 6 * n  # of the crossing
        start = np.array([640 + offset, 360]) - velocity * moment
        near = 230 / abs(velocity[1])
        made.append(Car(straight(start, velocity), 50, 50, begin=moment - near, end=moment + near))
    return made, 6 * len(parameters) + 8


@settings(max_examples=25, deadline=None)
@given(cars, st.sampled_from([5, 7.5, 10, 12, 15, 30]))
def test_the_count_does_not_change_with_the_frame_rate(parameters, fps):
    vehicles, seconds = scene(parameters)
    counted = count_tracks(follow(vehicles, seconds, fps), gate(((0, 0.5), (1, 0.5))))
    assert directions(counted) == ["in"] * len(vehicles)
    reference = count_tracks(follow(vehicles, seconds, 25), gate(((0, 0.5), (1, 0.5))))
    times = [sorted(c.time for c in each) for each in (counted, reference)]
    assert times[0] == pytest.approx(times[1], abs=0.02)


@settings(max_examples=25, deadline=None)
@given(cars)
def test_a_flipped_picture_swaps_the_directions(parameters):
    vehicles, seconds = scene(parameters)
    flipped = [
        (
            time,
            Tracks(
                tracks.xyxy[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + np.float32([1280, 0, 1280, 0]), *_rest(tracks)
            ),
        )
        for time, tracks in follow(vehicles, seconds, 10)
    ]
    # The same two ends of the line, seen in a mirror: what was its left is its right.
    assert directions(count_tracks(flipped, gate(((1, 0.5), (0, 0.5))))) == ["out"] * len(vehicles)


@settings(max_examples=25, deadline=None)
@given(cars)
def test_swapping_the_ends_of_a_line_swaps_the_direction(parameters):
    vehicles, seconds = scene(parameters)
    assert directions(count_tracks(follow(vehicles, seconds, 10), gate(((1, 0.5), (0, 0.5))))) == [
        "out"
    ] * len(vehicles)


@settings(max_examples=25, deadline=None)
@given(cars, st.sampled_from([0.25, 0.5, 1.5, 3.0]))
def test_the_count_does_not_change_with_the_resolution(parameters, scale):
    vehicles, seconds = scene(parameters)
    frames = list(follow(vehicles, seconds, 10))
    scaled = [(time, Tracks(tracks.xyxy * np.float32(scale), *_rest(tracks))) for time, tracks in frames]
    size = (round(SIZE[0] * scale), round(SIZE[1] * scale))
    view = gate(((0, 0.5), (1, 0.5)))
    assert directions(count_tracks(scaled, view, size)) == directions(count_tracks(frames, view))


@settings(max_examples=25, deadline=None)
@given(cars, st.floats(0, 1), st.floats(0.3, 0.7))
def test_a_static_object_changes_nothing(parameters, x, y):
    vehicles, seconds = scene(parameters)
    static = Car(straight((1280 * x, 720 * y), (0, 0)))
    with_it = count_tracks(follow([*vehicles, static], seconds, 10), gate(((0, 0.5), (1, 0.5))))
    assert directions(with_it) == ["in"] * len(vehicles)


@settings(max_examples=40, deadline=None)
@given(cars, st.randoms(use_true_random=False), st.floats(0, 0.5))
def test_never_more_than_the_vehicles_whatever_the_tracker_does(parameters, random, missing):
    """Ids break at random and frames are missed at random: vehicles may be lost, none is made up."""
    vehicles, seconds = scene(parameters)
    names = {}

    def broken(car, frame):
        if car not in names or random.random() < 0.1:
            names[car] = len(names) + 100 * frame + car + 1
        return names[car]

    frames = [
        (time, tracks if random.random() > missing else Tracks.empty())
        for time, tracks in follow(vehicles, seconds, 15, ids=broken)
    ]
    assert len(count_tracks(frames, gate(((0, 0.5), (1, 0.5))))) <= len(vehicles)


def _rest(tracks):
    return tracks.score, tracks.class_id, tracks.track_id
