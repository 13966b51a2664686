"""Turning-movement counts, peak hours and what is said of the time that nobody watched."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from service.reports.crossings import CLASSES, Gate, Layout
from service.reports.peak import peak_hour_factor
from service.reports.report import make_report
from service.reports.rows import report_data, report_rows
from service.reports.turning import approach_volumes, site_volume
from service.reports.words import say, word
from service.reports.xlsx import write_xlsx
from tests.service.reports.junctions import ARMS, HALF_PAST_SIX, LAYOUT, Passing, counted, quarters
from vision import NgatuError
from vision.density.factors import load_factors

LABELS = [kind.label for kind in CLASSES]

passings = st.lists(
    st.tuples(
        st.floats(0, 7199), st.sampled_from(ARMS), st.sampled_from(("in", "out")), st.sampled_from(LABELS)
    ).flatmap(
        lambda p: st.sampled_from(["", *(f"{a}-{p[1]}" for a in ARMS)] if p[2] == "out" else [""]).map(
            lambda movement: (*p, movement)
        )
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=40)
@given(
    passings,
    st.sampled_from((600, 900, 3600, 86400)),
    st.sampled_from(("Asia/Ho_Chi_Minh", "Asia/Kathmandu", "Europe/Berlin")),
    st.lists(st.tuples(st.integers(0, 3600), st.integers(3600, 7200)), max_size=2),
)
def test_the_intervals_add_up_to_all_crossings(
    rows: list[Passing], interval: int, tz: str, spans: list[tuple[float, float]]
) -> None:
    """Whatever the interval, the zone and the gaps, and whatever lies in them."""
    if not rows and not any(a < b for a, b in spans):
        return
    report = make_report(counted(rows, spans, tz=tz), interval)
    assert report.counts.gates.sum() == report.hours.gates.sum() == len(rows)
    assert report.counts.movements.sum() == report.matrix.sum() == sum(bool(row[4]) for row in rows)
    told = list(report_rows(report))
    assert sum(row["count"] or 0 for row in told if row["kind"] == "gate") == len(rows)
    assert sum(row["count"] or 0 for row in told if row["kind"] == "movement") == report.matrix.sum()
    assert all(row["count"] is not None for row in told if row["status"] != "not_observed")
    assert not any(row["count"] == 0 for row in told if row["status"] == "not_observed")


@settings(deadline=None, max_examples=40)
@given(passings)
def test_totals_agree_with_each_other(rows: list[Passing]) -> None:
    """What left is what was followed and what was not; approaches add up to the site."""
    counts = make_report(counted(rows, [(0, 7200)])).counts
    approaches = approach_volumes(counts.gates, LAYOUT)
    assert (approaches[:, :, 0].sum(axis=1) == site_volume(counts.gates, LAYOUT)).all()
    for number, arm in enumerate(ARMS):
        to_here = [m for m, movement in enumerate(LAYOUT.movements) if movement.destination == number]
        unknown = sum(row[1] == arm and row[2] == "out" and not row[4] for row in rows)
        assert counts.gates[:, number, 1].sum() == counts.movements[:, to_here].sum() + unknown


@pytest.mark.parametrize(
    ("volumes", "factor"),
    [
        pytest.param([900, 1000, 1200, 850], 0.82, id="the textbook's example"),
        pytest.param([10, 10, 10, 10], 1.0, id="even"),
        pytest.param([0, 0, 40, 0], 0.25, id="all in one quarter"),
        pytest.param([900, None, 1200, 850], None, id="one quarter was not observed"),
        pytest.param([0, 0, 0, 0], None, id="nothing passed"),
    ],
)
def test_the_peak_hour_factor(volumes: list[int | None], factor: float | None) -> None:
    found = peak_hour_factor(volumes)
    assert (None if found is None else round(found, 2)) == factor


def test_the_peak_hour_factor_is_of_four_quarters() -> None:
    with pytest.raises(ValueError, match="four quarters"):
        peak_hour_factor([1, 2, 3])


@pytest.mark.parametrize(
    ("volumes", "spans", "start", "volume"),
    [
        pytest.param([9, 10, 12, 8, 20, 1], [(0, 5400)], "06:45", 50, id="across hours of the clock"),
        pytest.param([5, 5, 5, 5, 5], [(0, 4500)], "06:30", 20, id="the first of several alike"),
        pytest.param([9, 9, 9, 9, 90, 9], [(0, 3600), (4500, 5400)], "06:30", 36, id="not over a gap"),
        pytest.param([9, 9, 9, 9, 90], [(0, 4400)], "06:30", 36, id="not with a quarter seen in part"),
        pytest.param([9, 9, 9], [(0, 2700)], None, None, id="less than an hour"),
        pytest.param([9, 9, 9, 9], [(0, 1700), (1800, 3600)], None, None, id="a quarter is missing"),
    ],
)
def test_the_peak_hour(
    volumes: list[int], spans: list[tuple[float, float]], start: str | None, volume: int | None
) -> None:
    report = make_report(counted(quarters(volumes), spans), 3600)
    if start is None:
        assert report.peak is None
        assert "no_peak" in [note.key for note in report.notes]
        return
    assert report.peak is not None
    assert report.peak.volume == volume == sum(report.peak.quarters)
    local = datetime.fromtimestamp(report.peak.start, ZoneInfo(report.time_zone))
    assert f"{local:%H:%M}" == start
    assert report.peak.end == report.peak.start + 3600


def test_each_approach_has_its_own_peak_hour() -> None:
    rows = quarters([10, 10, 10, 10, 1]) + quarters([1, 2, 2, 2, 2], "south")
    report = make_report(counted(rows, [(0, 4500)]))
    starts = [peak and peak.start - HALF_PAST_SIX for peak in report.approach_peaks]
    assert starts == [0, 0, 900, 0]
    east = report.approach_peaks[1]
    assert east is not None
    assert (east.volume, east.factor) == (0, None)


def test_the_peak_hour_goes_on_where_clocks_change() -> None:
    """02:30 to 02:30: the hour is one hour long, whatever the clock shows."""
    start = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    report = make_report(counted(quarters([5, 6, 7, 8]), [(0, 3600)], tz="Europe/Berlin", start=start))
    assert report.peak is not None
    assert (report.peak.volume, report.peak.end - report.peak.start) == (26, 3600)
    assert report_data(report)["peak_hour"]["start"] == "2026-10-25T02:30:00+02:00"
    assert report_data(report)["peak_hour"]["end"] == "2026-10-25T02:30:00+01:00"


def test_what_was_not_observed_is_null_and_what_was_in_part_says_so() -> None:
    rows = [(10.0, "north", "in", "car", ""), (1000.0, "north", "in", "car", "")]
    data = report_data(make_report(counted(rows, [(0, 900), (1790, 1800), (2700, 3600)])))
    first, second, third, fourth = data["intervals"]
    assert [each["status"] for each in data["intervals"]] == [
        "complete", "partial", "not_observed", "complete",
    ]  # fmt: skip
    assert (first["volume"]["car"], first["volume"]["bus"]) == (1, 0)
    assert (second["observed_seconds"], second["expected_seconds"]) == (10, 900)
    assert second["volume"]["total"] == 1
    assert third["volume"] == dict.fromkeys(("total", *LABELS))
    assert third["gates"]["north"]["in"]["car"] is None
    assert third["movements"]["north-south"]["total"] is None
    assert fourth["volume"]["total"] == 0
    assert data["hours"][0]["status"] == "partial"


def test_a_period_may_reach_beyond_what_was_observed() -> None:
    rows = quarters([3, 4])
    whole = (HALF_PAST_SIX - 900, HALF_PAST_SIX + 900)
    report = make_report(counted(rows, [(0, 1800)]), period=whole)
    assert [row["volume"]["total"] for row in report_data(report)["intervals"]] == [None, 3]


def test_a_period_that_cuts_an_interval_makes_it_partial() -> None:
    """Its other half was observed, but is not told of, and must not pass for empty road."""
    period = (HALF_PAST_SIX + 450, HALF_PAST_SIX + 1800)
    report = make_report(counted(quarters([10, 10]), [(0, 1800)]), period=period)
    first, second = report_data(report)["intervals"]
    assert (first["volume"]["total"], first["observed_seconds"], first["status"]) == (5, 450, "partial")
    assert (second["volume"]["total"], second["status"]) == (10, "complete")


def test_nothing_at_all_is_an_error() -> None:
    with pytest.raises(NgatuError, match="nothing was observed"):
        make_report(counted([], []))


def test_who_went_where() -> None:
    rows = [
        (5.0, "north", "in", "car", ""),
        (9.0, "south", "out", "car", "north-south"),
        (12.0, "north", "in", "bus", ""),
        (19.0, "north", "out", "bus", "north-north"),
        (20.0, "west", "out", "truck", ""),
    ]
    data = report_data(make_report(counted(rows, [(0, 60)])))
    matrix = data["origin_destination"]
    assert matrix["north"]["south"]["car"] == matrix["north"]["north"]["bus"] == 1
    assert sum(cell["total"] for row in matrix.values() for cell in row.values()) == 2
    assert data["intervals"][0]["approaches"]["west"]["left"]["truck"] == 1


def test_without_movements_all_crossings_are_told() -> None:
    layout = Layout((Gate("road", "", "road"),))
    rows = [(1.0, "road", "in", "car", ""), (2.0, "road", "out", "car", "")]
    report = make_report(counted(rows, [(0, 60)], layout))
    data = report_data(report)
    assert (data["volume_is"], data["origin_destination"]) == ("crossings", None)
    assert data["intervals"][0]["volume"]["car"] == 2
    assert "no_movements" in [note.key for note in report.notes]


def test_totals_in_passenger_car_units() -> None:
    factors = load_factors("pcu-tcxdvn-104-2007")
    rows = [(float(n), "north", "in", "motorcycle", "") for n in range(8)] + [(9.0, "east", "in", "bus", "")]
    report = make_report(counted(rows, [(0, 900)]), factors=factors)
    expected = 8 * factors.factors.motorcycle + factors.factors.bus
    assert report_data(report)["intervals"][0]["pcu"] == pytest.approx(expected)
    units = {row["pcu"] for row in report_rows(report) if row["class"] == "motorcycle" and row["count"] == 8}
    assert units == {8 * factors.factors.motorcycle}
    assert any(factors.standard in say(note, "en") for note in report.notes)


def test_every_note_can_be_said_in_both_languages() -> None:
    rows = [*quarters([3, 4, 5, 6]), (4000.0, "north", "in", "unknown", "")]
    for spans in ([(0, 3600), (4000, 4100)], [(0, 100)]):
        report = make_report(counted(rows, spans), factors=load_factors("pcu-tcvn-4054-2005"))
        english, vietnamese = ([say(note, lang) for note in report.notes] for lang in ("en", "vi"))
        assert len(english) >= 3
        assert not set(english) & set(vietnamese)
        assert not any("{" in text for text in [*english, *vietnamese])
    assert word("peak", "vi") == "Giờ cao điểm"


def test_a_name_is_never_a_formula(tmp_path: Path) -> None:
    layout = Layout((Gate("g", "=1+1", "=cmd|' /C calc'!A0"),))
    rows = [(1.0, "g", "in", "car", "")]
    write_xlsx(make_report(counted(rows, [(0, 60)], layout)), tmp_path / "report.xlsx")
    cells = [cell for row in load_workbook(tmp_path / "report.xlsx").worksheets[0] for cell in row]
    assert "=1+1" in [cell.value for cell in cells]
    assert not any(cell.data_type == "f" for cell in cells)


def test_counting_a_day_of_a_busy_junction_keeps_every_crossing() -> None:
    random = np.random.default_rng(1)
    times = np.sort(random.uniform(0, 86400, 20_000))
    rows = [(float(t), ARMS[n % 4], "in", "motorcycle", "") for n, t in enumerate(times)]
    report = make_report(counted(rows, [(0, 86400)]))
    assert report.counts.gates.sum() == 20_000
    assert len(report.counts.bins) == 96
    assert report.peak is not None
