"""A junction from its approaches: what adds up, what is weighted, and what is missing and says why."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.reports.junction import NO_MOVEMENTS, NO_OWNER, ON_IMAGE, JunctionFigures, roll_up
from vision.density.congestion import LEVELS
from vision.density.figures import figures_of
from vision.density.records import ApproachInterval

MINUTE = 60.0


def approach(name: str, **changes: Any) -> ApproachInterval:
    """A minute of a calibrated stretch of 50 m and 500 m², with ten motorcycles and two cars entering."""
    whole = ApproachInterval(
        approach=name,
        start=0.0,
        end=MINUTE,
        expected_seconds=MINUTE,
        observed_seconds=MINUTE,
        gate_seconds=MINUTE,
        entered={"motorcycle": 10, "car": 2},
        zone_seconds=MINUTE,
        ground_seconds=MINUTE,
        road_m_s=50 * MINUTE,
        road_m2_s=500 * MINUTE,
        zone_m2_s=500 * MINUTE,
        covered_m2_s=50 * MINUTE,
        spent_s={"motorcycle": 300.0},
        driven_m={"motorcycle": 1500.0},
        queue_samples=60,
        queue_max_m=12.0,
        queue_max_vehicles=8,
        level_seconds={"free": MINUTE},
    )
    return replace(whole, **changes)


def junction(*records: ApproachInterval, required: tuple[str, ...] = ()) -> JunctionFigures:
    names = required or tuple(record.approach for record in records)
    return roll_up(names, {record.approach: record for record in records}, 0.0, MINUTE)


def test_counts_and_flows_add_up() -> None:
    whole = junction(approach("north"), approach("south", entered={"motorcycle": 4, "bus": 1}))
    assert (whole.count, whole.count_by_class) == (17, {"motorcycle": 14, "car": 2, "bus": 1})
    assert whole.flow_per_h == pytest.approx(17 * 60)
    parts = [figures.flow_pcu_per_h for figures in whole.approaches]
    assert whole.flow_pcu_per_h == pytest.approx(sum(part or 0.0 for part in parts))
    assert (whole.status, whole.observed_share, whole.reasons) == ("observed", 1.0, {})


def test_density_is_weighted_by_length_and_occupancy_by_area() -> None:
    """100 veh/km on 50 m and 20 veh/km on 150 m: ten vehicles... eight on 200 m."""
    short = approach("north")
    long = approach(
        "south",
        road_m_s=150 * MINUTE,
        spent_s={"motorcycle": 180.0},
        zone_m2_s=2000 * MINUTE,
        covered_m2_s=40 * MINUTE,
    )
    whole = junction(short, long)
    assert [figures.density_per_km for figures in whole.approaches] == pytest.approx([100, 20])
    assert whole.density_per_km == pytest.approx(1000 * (5 + 3) / 200)
    assert whole.area_occupancy == pytest.approx((50 + 40) / 2500)


def test_the_longest_queue_and_the_worst_level() -> None:
    whole = junction(
        approach("north", level_seconds={"busy": 40.0, "jammed": 20.0}),
        approach("east", queue_max_m=31.0, queue_max_at_least=False),
        approach("south", queue_max_m=20.0, level_seconds={"slow": MINUTE}),
    )
    assert (whole.queue_max_m, whole.queue_max_approach, whole.queue_max_at_least) == (31.0, "east", False)
    assert (whole.level, whole.level_approach, whole.level_at_least) == ("slow", "south", False)


def test_a_queue_cut_by_the_view_may_be_the_longest() -> None:
    """12 m and more on one approach may exceed the 31 m that were measured on another."""
    whole = junction(approach("north", queue_max_at_least=True), approach("east", queue_max_m=31.0))
    assert (whole.queue_max_m, whole.queue_max_at_least) == (31.0, True)


MISSING = {
    "no camera": ({}, NO_OWNER),
    "not observed": (
        {
            "north": ApproachInterval("north", 0.0, MINUTE, MINUTE),
        },
        "not_observed",
    ),
}


@pytest.mark.parametrize(("records", "code"), MISSING.values(), ids=MISSING)
def test_what_one_approach_lacks_the_junction_lacks(records: dict[str, ApproachInterval], code: str) -> None:
    whole = junction(*records.values(), approach("south"), required=("north", "south"))
    for name in (
        "count",
        "count_by_class",
        "flow_per_h",
        "flow_pcu_per_h",
        "density_per_km",
        "area_occupancy",
    ):
        assert getattr(whole, name) is None, name
        assert whole.reasons[name] == {"north": code}
    assert (whole.status, whole.observed_share) == ("partial", 0.5)
    north, south = whole.approaches
    assert north.count is None
    assert south == figures_of(approach("south")), "what is known of an approach stands"
    assert (whole.queue_max_m, whole.queue_max_at_least) == (12.0, True)
    assert (whole.level, whole.level_at_least) == ("free", True)
    assert whole.reasons["level"] == {"north": code}


def test_the_worst_level_there_is_cannot_be_exceeded() -> None:
    whole = junction(approach("south", level_seconds={"jammed": MINUTE}), required=("north", "south"))
    assert (whole.level, whole.level_at_least) == ("jammed", False)
    assert LEVELS[-1] == "jammed"


def test_without_a_gate_the_flow_is_missing_and_the_density_is_not() -> None:
    whole = junction(approach("north", gate_seconds=0.0, entered={}), approach("south"))
    assert whole.flow_per_h is None
    assert whole.reasons["flow_per_h"] == {"north": "no_gate"}
    assert whole.density_per_km == pytest.approx(100)


def test_shares_of_a_picture_are_not_averaged_with_shares_of_the_ground() -> None:
    blind = approach(
        "north",
        **dict.fromkeys(("ground_seconds", "zone_m2_s", "road_m_s", "road_m2_s"), 0.0),
        image_seconds=MINUTE,
        image_covered_s=MINUTE / 2,
        spent_s={},
    )
    whole = junction(blind, approach("south"))
    assert whole.area_occupancy is None
    assert whole.reasons["area_occupancy"] == {"north": ON_IMAGE}
    assert whole.reasons["density_per_km"] == {"north": "not_calibrated"}
    assert whole.approaches[0].area_occupancy == 0.5


def test_an_approach_seen_in_part_counts_what_was_seen() -> None:
    half = approach("north", observed_seconds=30.0, gate_seconds=30.0, entered={"car": 3})
    whole = junction(half, approach("south"))
    assert (whole.count, whole.status, whole.observed_share) == (15, "partial", 0.75)
    assert whole.flow_per_h == pytest.approx(3 * 120 + 12 * 60)


def test_movements_stand_for_their_approaches() -> None:
    records = {name: approach(name) for name in ("north", "south")}
    made = {"north": {"north-south": {"motorcycle": 7, "car": 1}}}
    whole = roll_up(("north", "south"), records, 0.0, MINUTE, made)
    assert whole.count_by_movement == {"north-south": {"motorcycle": 7, "car": 1}}
    assert whole.reasons == {"count_by_movement": {"south": NO_MOVEMENTS}}


def test_nothing_observed_anywhere() -> None:
    whole = junction(required=("north", "south"))
    assert (whole.status, whole.observed_share, whole.queue_max_m, whole.level) == (
        "not_observed",
        0,
        None,
        None,
    )


def test_records_of_another_interval_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="not of the interval"):
        roll_up(("north",), {"north": approach("north")}, 0.0, 120.0)
    with pytest.raises(ValueError, match="has approaches"):
        roll_up((), {}, 0.0, 60.0)


@settings(deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(("motorcycle", "car", "bus")), st.integers(1, 50)), min_size=1)
)
def test_the_junctions_count_is_that_of_its_approaches(entered: list[dict[str, float]]) -> None:
    records = [approach(f"arm{n}", entered=each) for n, each in enumerate(entered)]
    whole = junction(*records)
    assert whole.count == sum(sum(each.values()) for each in entered)
    assert whole.count_by_class is not None
    assert sum(whole.count_by_class.values()) == whole.count
    assert whole.as_dict()["approaches"][0]["approach"] == "arm0"
