"""Records add up exactly, survive JSON, and give figures with a unit or a reason."""

import json
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.density import ApproachInterval, figures_of, load_factors, merge_all, not_observed, roll_up
from vision.density.factors import DATA, MCU_TABLE, PCU_TABLE
from vision.density.figures import REASONS, percentile
from vision.density.records import Histogram
from vision.errors import FactorError

# Sums in quarters of a power of two add without rounding, so that equality can be asked for.
amounts = st.integers(0, 4000).map(lambda n: n / 4)
by_class = st.dictionaries(st.sampled_from(["motorcycle", "car", "bus", "unknown"]), amounts.filter(bool))
histograms = st.dictionaries(st.integers(0, 90), st.integers(1, 50), max_size=6)
counts = st.integers(0, 300)


WATCHED = ("observed_seconds", "gate_seconds", "zone_seconds", "image_seconds", "ground_seconds")
AREAS = ("road_m_s", "lane_m_s", "road_m2_s", "zone_m2_s")
few = settings(max_examples=20, deadline=None)


@st.composite
def records(draw, start=0.0):
    """Any record of ten seconds that was watched wholly, in part or not at all."""
    watched = draw(st.sampled_from([0.0, 2.5, 10.0]))
    values = {"approach": "north", "start": start, "end": start + 10.0, "expected_seconds": 10.0}
    values |= dict.fromkeys(WATCHED, watched) | dict.fromkeys(AREAS, 64 * watched)
    for each in fields(ApproachInterval) if watched else ():
        if each.name in values or each.name.startswith(("queue_now", "queue_max")):
            continue
        if each.type is float:
            values[each.name] = draw(amounts)
        elif each.type is int:
            values[each.name] = draw(counts)
        else:
            values[each.name] = draw(histograms if each.type == Histogram else by_class)
    if watched and draw(st.booleans()):
        for which in ("now", "max"):
            values[f"queue_{which}_m"] = draw(amounts)
            values[f"queue_{which}_vehicles"] = draw(counts)
            values[f"queue_{which}_at_least"] = draw(st.booleans())
    return ApproachInterval(**values)


@few
@given(records(0.0), records(10.0), records(20.0))
def test_the_order_of_adding_makes_no_difference(first, second, third):
    assert first.merge(second).merge(third) == first.merge(second.merge(third))


@few
@given(records(0.0), records(10.0))
def test_an_unobserved_neighbour_changes_the_expected_time_only(first, second):
    whole = first.merge(second)
    longer = whole.merge(not_observed("north", 20.0, 30.0))
    assert longer.expected_seconds == whole.expected_seconds + 10
    same = {each.name for each in fields(whole)} - {"end", "expected_seconds"}
    assert all(getattr(longer, name) == getattr(whole, name) for name in same)


@few
@given(records())
def test_a_record_survives_json(record):
    assert ApproachInterval.from_dict(json.loads(json.dumps(record.as_dict()))) == record


@few
@given(records())
def test_flow_is_density_times_space_mean_speed(record):
    figures = figures_of(record)
    if figures.density_per_km and figures.space_mean_speed_kmh is not None:
        product = figures.density_per_km * figures.space_mean_speed_kmh
        assert figures.edie_flow_per_h == pytest.approx(product, rel=1e-9)


@few
@given(records())
def test_every_missing_figure_has_a_reason(record):
    figures = figures_of(record)
    for each in fields(figures):
        missing = getattr(figures, each.name) is None
        if each.name not in ("light", "calibration", "queue_now_m", "queue_max_m"):
            known = each.name.startswith(("queue_now", "queue_max"))
            assert missing == (each.name in figures.reasons) or (missing and known), each.name
    assert set(figures.reasons.values()) <= set(REASONS)
    assert json.dumps(figures.as_dict())


def test_intervals_apart_are_not_merged():
    with pytest.raises(ValueError, match="does not follow"):
        not_observed("north", 0, 10).merge(not_observed("north", 20, 30))
    with pytest.raises(ValueError, match="does not follow"):
        not_observed("north", 0, 10).merge(not_observed("south", 10, 20))


@pytest.mark.parametrize(
    ("seconds", "status"), [(0.0, "not_observed"), (3.0, "partial"), (9.6, "observed"), (10.0, "observed")]
)
def test_status(seconds, status):
    assert ApproachInterval("north", 0, 10, 10, observed_seconds=seconds).status == status


def test_roll_up_fills_what_no_record_covers():
    seen = [ApproachInterval("north", at, at + 10, 10, observed_seconds=10.0) for at in (10.0, 30.0, 60.0)]
    minutes = roll_up(seen, [(0.0, 60.0), (60.0, 120.0), (120.0, 180.0)])
    assert [(m.start, m.end) for m in minutes] == [(0, 60), (60, 120), (120, 180)]
    assert [m.expected_seconds for m in minutes] == [60, 60, 60]
    assert [m.observed_seconds for m in minutes] == [20, 10, 0]
    assert [m.status for m in minutes] == ["partial", "partial", "not_observed"]
    with pytest.raises(ValueError, match="lies in no bin"):
        roll_up(seen, [(0.0, 35.0), (35.0, 70.0)])


def test_the_last_queue_is_the_present_one():
    def queue(start, now, longest, at_least):
        return ApproachInterval(
            "north",
            start,
            start + 10,
            10,
            queue_now_m=now,
            queue_now_vehicles=1,
            queue_max_m=longest,
            queue_max_vehicles=round(longest),
            queue_max_at_least=at_least,
        )

    whole = merge_all(
        [queue(0.0, 4.0, 30.0, True), queue(10.0, 9.0, 12.0, False), not_observed("north", 20, 30)]
    )
    assert (whole.queue_now_m, whole.queue_max_m, whole.queue_max_vehicles) == (9.0, 30.0, 30)
    assert whole.queue_max_at_least is True


@pytest.mark.parametrize(
    ("histogram", "share", "value"),
    [
        ({}, 0.5, None),
        ({4: 10}, 0.5, 4.5),
        ({0: 1, 9: 1}, 0.5, 1.0),
        ({10: 85, 20: 15}, 0.85, 11.0),
        ({10: 50, 30: 50}, 0.85, 30.7),
    ],
)
def test_percentiles_of_histograms(histogram, share, value):
    assert percentile(histogram, share, 1.0) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize("name", [path.stem for path in DATA.glob("[pm]cu-*.toml")])
def test_tables_of_equivalents_say_where_they_come_from(name):
    table = load_factors(name)
    assert table.standard
    base = "car" if table.unit == "PCU" else "motorcycle"
    assert getattr(table.factors, base) == 1.0
    assert table.factors.bus > table.factors.car > table.factors.motorcycle


def test_flows_in_units():
    record = ApproachInterval(
        "north", 0, 3600, 3600, gate_seconds=3600.0, entered={"motorcycle": 100, "car": 20, "bus": 2}
    )
    figures = figures_of(record)
    pcu, mcu = (load_factors(name).factors for name in (PCU_TABLE, MCU_TABLE))
    assert figures.flow_pcu_per_h == pytest.approx(100 * pcu.motorcycle + 20 + 2 * pcu.bus)
    assert figures.flow_mcu_per_h == pytest.approx(100 + 20 * mcu.car + 2 * mcu.bus)
    other = figures_of(record, pcu=load_factors("pcu-tcvn-4054-2005"))
    assert other.flow_pcu_per_h == pytest.approx(100 * 0.3 + 20 + 2 * 2.5)


def test_unknown_vehicles_count_as_the_mean_of_the_known():
    table = load_factors(PCU_TABLE)
    assert table.total({"car": 3, "unknown": 1}) == pytest.approx(4)
    assert table.total({"unknown": 2}) is None
    assert table.total({}) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unit = 'PCU'\nstandard = 's'\nchecked = false\n[factors]\ncar = 1", "factors.bicycle"),
        ("unit = 'PCU'\nstandard = 's'\nchecked = false\n[factors]\ncar = -1", "greater than 0"),
        ("unit = ", "correct the TOML there"),
    ],
)
def test_a_faulty_table_is_told_with_its_field(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(FactorError) as error:
        load_factors(path)
    assert "mine.toml" in str(error.value)
    if message != "greater than 0":
        assert message in str(error.value)


def test_a_missing_table_names_those_there_are():
    with pytest.raises(FactorError, match="pcu-tcxdvn-104-2007"):
        load_factors("pcu-none")
