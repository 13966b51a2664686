"""From tracks to records: closed forms, frame rates, gaps, and what stays unknown without calibration."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.density.roadside import (
    SIZE,
    START,
    STRETCH,
    WIDE,
    Vehicle,
    drive,
    frames,
    image,
    measure,
    road_view,
    stand,
)
from tests.vision.scenes import tracks_of
from vision import Crossing, Tracks, VehicleClass, ViewError
from vision.density import DensityEstimator, figures_of, merge_all

CAR, MOTORCYCLE, BUS = VehicleClass.CAR, VehicleClass.MOTORCYCLE, VehicleClass.BUS


def two_streams(seconds):
    """Every four seconds one at 10 m/s and one at 20 m/s: 12 of each pass in 48 s."""
    slow = [Vehicle(drive(t, 10), 28, MOTORCYCLE) for t in np.arange(-20.0, seconds, 4)]
    fast = [Vehicle(drive(t + 1.3, 20), 32, CAR) for t in np.arange(-20.0, seconds, 4)]
    return slow + fast


def steady(records):
    """The middle of a run: 48 s in which nothing begins or ends."""
    return merge_all([r for r in records if r.start >= START + 12 and r.end <= START + 60])


@pytest.fixture(scope="module")
def streams():
    return steady(measure(frames(two_streams(70), 70, 8), road_view(lanes=2), seconds=4))


def test_time_mean_and_space_mean_speed(streams):
    figures = figures_of(streams)
    assert figures.count == 24
    assert figures.count_by_class == {"motorcycle": 12, "car": 12}
    assert figures.time_mean_speed_kmh == pytest.approx(3.6 * 15.0, rel=0.002)
    assert figures.space_mean_speed_kmh == pytest.approx(3.6 * 2 / (1 / 10 + 1 / 20), rel=0.005)
    assert figures.speed_p85_kmh == pytest.approx(3.6 * 20, abs=1.0)


def test_flow_density_and_their_product(streams):
    figures = figures_of(streams)
    assert figures.flow_per_h == pytest.approx(1800)
    assert figures.density_per_km == pytest.approx(1000 * (1 / 40 + 1 / 80), rel=0.005)
    assert figures.density_per_km_lane == pytest.approx(figures.density_per_km / 2)
    assert figures.density_per_km_10m == pytest.approx(figures.density_per_km, rel=0.01)  # it is 10 m wide
    assert figures.edie_flow_per_h == pytest.approx(
        figures.density_per_km * figures.space_mean_speed_kmh, rel=1e-9
    )
    assert sum(figures.density_by_class.values()) == pytest.approx(figures.density_per_km)


def test_headways_gaps_and_occupancies(streams):
    figures = figures_of(streams)
    assert figures.headway_mean_s == pytest.approx(2.0, rel=0.01)
    # From rear to front: less by the time that the leader takes to pass.
    passing = (1.9 / 10 + 4.4 / 20) / 2
    assert figures.gap_mean_s == pytest.approx(2.0 - passing, rel=0.02)
    assert figures.time_occupancy == pytest.approx(passing / 2.0, rel=0.02)
    vehicles = STRETCH * np.array([1 / 40, 1 / 80])
    covered = vehicles @ [1.9 * 0.75, 4.4 * 1.75]
    assert figures.area_occupancy_basis == "ground"
    assert figures.area_occupancy == pytest.approx(covered / (STRETCH * 10), rel=0.03)


def at_rate(fps, jitter):
    scene = [*two_streams(18), *(Vehicle(stand(x), 34, MOTORCYCLE) for x in (40, 50, 60))]
    return figures_of(merge_all(measure(frames(scene, 18, fps, jitter))))


@pytest.fixture(scope="module")
def at_25_frames():
    return at_rate(25.0, 0.0)


@pytest.mark.parametrize(("fps", "jitter"), [(3.0, 0.0), (5.0, 0.0), (5.0, 2.0)])
def test_the_camera_rate_makes_no_difference(at_25_frames, fps, jitter):
    other = at_rate(fps, jitter)
    for name, most in {
        "density_per_km": 0.02,
        "space_mean_speed_kmh": 0.02,
        "area_occupancy": 0.02,
        "stopped_vehicles": 0.05,
    }.items():
        assert getattr(other, name) == pytest.approx(getattr(at_25_frames, name), rel=most), name


def test_jitter_of_standing_vehicles_is_no_distance():
    still = [Vehicle(stand(x), y, MOTORCYCLE) for x in range(20, 90, 5) for y in (27, 30, 33)]
    figures = figures_of(merge_all(measure(frames(still, 10, 10, jitter=2.0))))
    assert figures.density_per_km == pytest.approx(1000 * len(still) / STRETCH, rel=0.02)
    assert figures.space_mean_speed_kmh < 0.1


def test_intervals_add_up_to_the_whole():
    scene = two_streams(30)
    parts, whole = measure(frames(scene, 30, 5), seconds=10), measure(frames(scene, 30, 5), seconds=30)
    assert len(whole) == 1
    added = merge_all(parts)
    for field in fields(added):
        one, other = getattr(added, field.name), getattr(whole[0], field.name)
        assert one == (other if isinstance(other, str) else pytest.approx(other, rel=1e-9, abs=1e-9)), field


def test_intervals_are_aligned_to_the_clock():
    records = measure(((time + 3.7, tracks) for time, tracks in frames([Vehicle(stand(50))], 25)))
    assert [record.start % 10 for record in records] == [0, 0, 0]
    assert [record.status for record in records] == ["partial", "observed", "partial"]
    assert [record.observed_seconds for record in records] == pytest.approx([6.3, 10, 8.7], abs=0.3)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 39.9), st.sampled_from(["in", "out"])), max_size=30))
def test_every_crossing_is_in_exactly_one_interval(events):
    """However late they are reported, and in whatever order."""
    estimator = DensityEstimator(road_view(), SIZE, None)
    records, reported = [], {}
    for at, way in events:
        crossing = Crossing(START + at, "stop", way, CAR, 0.9, (0.9, 0.5), 1)
        reported.setdefault(int((at + 0.8) * 2) + 1, []).append(crossing)
    for number in range(80):
        t = number / 2
        records += estimator.update(START + t, Tracks.empty(), reported.pop(number, []))
    records += estimator.finish([crossing for late in reported.values() for crossing in late])
    for way, field in (("in", "entered"), ("out", "left")):
        expected = {n: sum(w == way and at // 10 == n for at, w in events) for n in range(4)}
        found = {round((r.start - START) // 10): sum(getattr(r, field).values()) for r in records}
        assert {n: c for n, c in found.items() if c} == {n: c for n, c in expected.items() if c}


def test_what_was_not_observed_is_null_not_zero():
    shown = [f for f in frames([Vehicle(stand(50))], 60) if not 20 <= f[0] - START < 40]
    records = measure(shown)
    assert [r.status for r in records] == ["observed"] * 2 + ["not_observed"] * 2 + ["observed"] * 2
    unseen = figures_of(records[2])
    values = {f.name: getattr(unseen, f.name) for f in fields(unseen)}
    told = {"approach", "start", "end", "status", "expected_seconds", "observed_seconds", "reasons"}
    assert {name for name, value in values.items() if value is not None} == told
    assert set(unseen.reasons.values()) == {"not_observed"}
    whole = merge_all(records)
    assert whole.observed_seconds == pytest.approx(40, abs=0.5)
    assert figures_of(whole).density_per_km == pytest.approx(1000 / STRETCH, rel=0.01)


def test_a_headway_does_not_reach_over_a_time_without_frames():
    scene = [Vehicle(drive(t, 15)) for t in (2, 5, 40)]
    whole = merge_all(measure(f for f in frames(scene, 60) if not 20 <= f[0] - START < 38))
    assert sum(whole.entered.values()) == 3
    assert sum(whole.headways.values()) == 1


def test_a_vehicle_hidden_for_a_second_goes_on():
    def figures(hidden):
        shown = frames([Vehicle(drive(1, 8))], 14)
        return figures_of(
            merge_all(measure((t, Tracks.empty() if t - START in hidden else tracks) for t, tracks in shown))
        )

    whole, broken = figures(()), figures(np.arange(50, 60) / 10)
    assert broken.density_per_km == pytest.approx(whole.density_per_km, rel=0.005)
    assert broken.space_mean_speed_kmh == pytest.approx(whole.space_mean_speed_kmh, rel=0.005)


def test_without_calibration_only_what_can_be_known():
    figures = figures_of(merge_all(measure(frames(two_streams(40), 40), road_view(calibrated=False))))
    known = {name: getattr(figures, name) for name in ("count", "flow_per_h", "vehicles", "area_occupancy")}
    assert all(value > 0 for value in known.values())
    assert figures.area_occupancy_basis == "image"
    assert figures.headway_mean_s == pytest.approx(2.0, rel=0.1)
    metric = [f.name for f in fields(figures) if "kmh" in f.name or "per_km" in f.name or f.name[-2:] == "_m"]
    assert len(metric) > 8
    for name in [*metric, "density_by_class", "edie_flow_per_h", "gap_mean_s", "stopped_vehicles", "delay_s"]:
        assert getattr(figures, name) is None, name
        assert figures.reasons[name] == "not_calibrated", name


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({"gate": False}, {"count": "no_gate", "queue_max_m": "no_gate", "density_per_km": "no_gate"}),
        ({"zone": False}, {"area_occupancy": "no_zone", "density_per_km": "no_zone", "level": "no_zone"}),
        ({}, {"density_per_km_lane": "lanes_unknown", "delay_s": "free_speed_unknown"}),
    ],
    ids=["no gate", "no zone", "nothing known of the approach"],
)
def test_why_a_figure_is_missing(changes, unknown):
    figures = figures_of(merge_all(measure(frames(two_streams(20), 20), road_view(**changes))))
    for name, reason in unknown.items():
        assert getattr(figures, name) is None
        assert figures.reasons[name] == reason


def test_a_stop_counts_its_time_and_its_delay():
    """It drives 50 m at 10 m/s, stands for 20 s, and drives on."""

    def x(t):
        return 10 * t if t < 5 else 50 if t < 25 else 50 + 10 * (t - 25)

    view = road_view(free_speed_kmh=36)
    record = merge_all(measure(frames([Vehicle(x)], 40), view))
    figures = figures_of(record)
    assert record.stopped_s == pytest.approx(20, abs=1.0)
    assert figures.stops == 1
    assert figures.delay_s == pytest.approx(20, abs=0.5)
    assert figures.delay_per_vehicle_s == figures.delay_s
    assert sum(record.driven_m.values()) == pytest.approx(STRETCH, abs=0.5)


def test_a_queue_grows_from_the_stop_line():
    """Cars stand with their fronts 1, 7 and 13 m before the line; the one at 30 m is not of the queue."""
    queue = [
        Vehicle(stand(90 - front - 2.2), begin=begin) for front, begin in ((1, 0), (7, 5), (13, 8), (30, 0))
    ]
    records = measure(frames(queue, 20))
    first, second = map(figures_of, records)
    assert first.queue_max_vehicles == 3
    assert second.queue_now_m == pytest.approx(13 + 4.4, abs=0.1)
    assert second.queue_now_vehicles == 3
    assert second.queue_now_at_least is False
    assert second.queue_p95_m == pytest.approx(second.queue_max_m, abs=1.0)
    assert sum(records[0].queue_lengths.values()) == 10  # one look a second


def test_a_queue_to_the_end_of_the_view_is_at_least_so_long():
    queue = [Vehicle(stand(x)) for x in np.arange(12, 89, 6)]
    figures = figures_of(merge_all(measure(frames(queue, 10))))
    assert figures.queue_now_at_least is True
    assert figures.queue_max_at_least is True
    assert figures.queue_p95_at_least is True
    assert figures.queue_now_m == pytest.approx(STRETCH, abs=3)


def test_light_is_added_up_by_time():
    estimator = DensityEstimator(road_view(), SIZE, None)
    records = []
    for time, tracks in frames([], 30):
        light = {0.0: "day", 12.0: "dusk"}.get(round(time - START, 3))
        records += estimator.update(time, tracks, light=light)
    whole = merge_all(records + estimator.finish())
    assert whole.light_seconds == pytest.approx({"day": 12, "dusk": 18}, abs=0.3)
    assert figures_of(whole).light == "dusk"


def test_two_zones_of_one_approach_are_refused():
    view = road_view()
    twice = view.model_copy(update={"zones": [*view.zones, view.zones[0].model_copy(update={"id": "b"})]})
    with pytest.raises(ViewError, match="'stretch' and 'b' are both of the approach 'west'; keep one"):
        DensityEstimator(twice, SIZE, None)


@pytest.mark.parametrize("phase", [0.0, 0.1, 0.2, 0.3, 0.4])
def test_a_signal_that_releases_at_the_same_moment_of_every_cycle_makes_no_difference(phase):
    """6 m at 4 m/s take 1.5 s, and at 20 m/s 0.3 s, wherever the moments fall that are looked at."""
    view = road_view()
    short = view.zones[0].model_copy(
        update={"polygon": [image(84, 25), image(90, 25), image(90, 35), image(84, 35)]}
    )
    slow = [Vehicle(drive(t + phase, 4), 28, MOTORCYCLE) for t in np.arange(-30.0, 70, 6)]
    fast = [Vehicle(drive(t + phase, 20), 32, MOTORCYCLE) for t in np.arange(-30.0, 70, 6)]
    records = measure(frames(slow + fast, 70, 20), view.model_copy(update={"zones": [short]}), seconds=6)
    figures = figures_of(steady(records))
    assert figures.density_per_km == pytest.approx(1000 / 6 * (1.5 + 0.3) / 6, rel=0.04)
    assert figures.space_mean_speed_kmh == pytest.approx(3.6 * 12 / 1.8, rel=0.04)


def test_who_drives_away_is_not_of_the_approach():
    """A box from the opposite lane leans into the zone: it is neither dense there nor slow."""
    ours = [Vehicle(drive(t, 10)) for t in np.arange(-10.0, 30, 4)]
    others = [Vehicle(lambda t, begin=begin: WIDE - 8 * (t - begin), 26) for begin in np.arange(-10.0, 30, 3)]
    alone, both = (figures_of(merge_all(measure(frames(scene, 30)))) for scene in (ours, ours + others))
    for name in ("density_per_km", "space_mean_speed_kmh", "area_occupancy", "count"):
        assert getattr(both, name) == pytest.approx(getattr(alone, name), rel=0.01), name


def test_tracks_that_leap_between_vehicles_have_no_speed():
    """Boxes that flicker over a moving queue make short tracks from one vehicle to the next."""
    queue = [Vehicle(lambda t, x=x: x + 1.0 * t, y, MOTORCYCLE) for x in range(-40, 60, 4) for y in (27, 33)]
    leaps = [
        Vehicle(lambda t, x=x, begin=begin: x + 9 * (t - begin), 30, MOTORCYCLE, begin, begin + 0.5)
        for begin, x in zip(np.arange(0.0, 29, 0.25), np.tile(np.arange(20, 60, 8.0), 30), strict=False)
    ]
    figures = figures_of(merge_all(measure(frames(queue + leaps, 30))))
    assert figures.space_mean_speed_kmh == pytest.approx(3.6, rel=0.03)


def test_a_track_that_goes_sideways_has_no_speed():
    moving = [Vehicle(lambda t, x=x: x + 2.0 * t, 28, MOTORCYCLE) for x in range(-60, 60, 5)]
    shown = []
    for time, tracks in frames(moving, 20):
        # One more, that wanders over the lane from one rider to another and back, at 4 m/s.
        y = 26 + abs((time - START) * 4 % 16 - 8)
        box = Vehicle(stand(50), y, MOTORCYCLE).box(0)
        xyxy = np.concatenate((tracks.xyxy, np.array([box], np.float32)))
        kinds = np.append(tracks.class_id, np.int8(MOTORCYCLE))
        shown.append((time, tracks_of(xyxy, [*tracks.track_id.tolist(), 999], kinds)))
    figures = figures_of(merge_all(measure(iter(shown))))
    assert figures.space_mean_speed_kmh == pytest.approx(7.2, rel=0.02)
