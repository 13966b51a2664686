"""The measures of the benchmarks say what their definitions say."""

import math

import pytest

from benchmarks.compare import regressions
from benchmarks.metrics import geh, nwrmse, nwrmse_score, share_below_geh, wape_of
from benchmarks.records import middle
from vision.accuracy import Event
from vision.types import VehicleClass

CAR, TRUCK = VehicleClass.CAR, VehicleClass.TRUCK


def event(time, gate="g", direction="in", kind=CAR):
    return Event(time, gate, direction, kind)


def test_a_perfect_count_scores_one():
    times = [0.5, 10.0, 39.9]
    assert nwrmse_score(times, times, (0, 40)) == 1


def test_nwrmse_weighs_late_segments_more_with_the_first_index_one():
    # Two segments weigh 1/3 and 2/3; one vehicle of two is lost in the second: √(2/3 · 1) / 2.
    assert nwrmse_score([5, 15], [5], (0, 20), segments=2) == pytest.approx(1 - math.sqrt(2 / 3) / 2)
    # Lost in the first, it is missing in both: 1 / 2.
    assert nwrmse_score([5, 15], [15], (0, 20), segments=2) == pytest.approx(1 - 1 / 2)


def test_nwrmse_is_never_below_nought():
    assert nwrmse_score([1.0], [1.0] * 30, (0, 20)) == 0


def test_a_difference_in_time_costs_nwrmse_little_and_what_passes_at_the_end_counts():
    assert nwrmse_score([4.9, 20.0], [5.1, 20.0], (0, 20), segments=2) == 1
    assert 0.9 < nwrmse_score([0.9, 20.0], [1.1, 20.0], (0, 20)) < 1


def test_nwrmse_of_several_streams_is_weighted_by_their_vehicles():
    truth = [event(t) for t in (1, 2, 3)] + [event(4, kind=TRUCK)]
    assert nwrmse(truth, truth[:3], (0, 10)) == pytest.approx((3 * 1 + nwrmse_score([4], [], (0, 10))) / 4)
    assert nwrmse([], truth, (0, 10)) is None


def test_geh_is_of_hourly_flows():
    assert geh(100, 100, 1) == 0
    assert geh(100, 121, 1) == pytest.approx(math.sqrt(2 * 21**2 / 221))
    assert geh(25, 30, 0.25) == pytest.approx(math.sqrt(2 * 20**2 / 220))
    assert geh(0, 0, 1) == 0


def test_share_of_streams_below_geh_counts_streams_that_only_one_side_has():
    truth = [event(t) for t in range(10)]
    counted = [*truth, *(event(t, direction="out") for t in range(10))]
    assert share_below_geh(truth, truth, (0, 60)) == 1
    assert share_below_geh(truth, counted, (0, 60)) == 0.5


def test_wape_sees_a_wrong_class_unless_classes_are_put_together():
    truth, counted = [event(1), event(2)], [event(1), event(2, kind=TRUCK)]
    assert wape_of(truth, counted) == 1.0  # one car too few, one truck too many, of two
    assert wape_of(truth, counted, lambda each: each.gate) == 0
    assert wape_of([], counted) is None


def test_the_middle_of_some_repetitions():
    assert middle([3.0]) == (3.0, 0.0)
    assert middle([1, 2, 3, 4, 100]) == (3, 1)


def report(cpu="one", quick=True, parts=("race",), **figures):
    made = {
        name: {"value": value, "better": "higher", "spread": spread, "floor": 0.01, "portable": portable}
        for name, (value, spread, portable) in figures.items()
    }
    return {"machine": {"cpu": cpu}, "quick": quick, "data": False, "parts": list(parts), "figures": made}


def test_a_change_within_noise_is_no_regression_and_one_beyond_it_is():
    old = report(f1=(0.85, 0.0, True))
    assert regressions(old, report(f1=(0.842, 0.0, True))) == []
    (change,) = regressions(old, report(f1=(0.80, 0.0, True)))
    assert "f1: 0.85 → 0.8" in str(change)
    assert regressions(old, report(f1=(0.80, 0.02, True))) == []
    assert regressions(old, report(f1=(0.95, 0.0, True))) == []


def test_lower_may_be_better():
    old, new = report(ms=(10.0, 0.1, True)), report(ms=(12.0, 0.1, True))
    for each in (old, new):
        each["figures"]["ms"]["better"] = "lower"
    assert len(regressions(old, new)) == 1
    assert regressions(new, old) == []


def test_times_are_not_compared_across_machines_and_a_figure_that_vanished_is_told():
    old = report(ms=(10.0, 0.0, False), f1=(0.8, 0.0, True))
    assert regressions(old, report(cpu="two", ms=(1.0, 0.0, False), f1=(0.8, 0.0, True))) == []
    (gone,) = regressions(old, report(ms=(10.0, 0.0, False)))
    assert "not measured now" in str(gone)
    assert regressions(old, report(quick=False, ms=(10.0, 0.0, False))) == []
    assert regressions(old, report(parts=("stages",), ms=(10.0, 0.0, False))) == []
