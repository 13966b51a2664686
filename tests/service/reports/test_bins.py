"""Intervals by the local clock, in zones with odd offsets and on days when clocks change."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.reports.bins import clock_edges, common_spans, is_within, make_bins, merge_spans, observed_before
from service.reports.grid import interval_names

ZONES = ("Asia/Ho_Chi_Minh", "Asia/Kathmandu", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "UTC")
LENGTHS = (60, 300, 900, 1800, 3600, 6 * 3600, 86400)


def at(text: str, tz: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz), fold=fold).timestamp()


@pytest.mark.parametrize(
    ("tz", "begin", "end", "length", "expected"),
    [
        pytest.param(
            "Asia/Ho_Chi_Minh", "2026-03-10T07:31", "2026-03-10T07:46", 900,
            ["07:30–07:45", "07:45–08:00"], id="quarters",
        ),
        pytest.param(
            "Asia/Ho_Chi_Minh", "2026-03-10T07:30", "2026-03-10T07:45", 900, ["07:30–07:45"], id="exact ends",
        ),
        pytest.param(
            "Asia/Kathmandu", "2026-03-10T07:31", "2026-03-10T08:10", 3600,
            ["07:00–08:00", "08:00–09:00"], id="hours where UTC is 45 minutes off",
        ),
        pytest.param(
            "Europe/Berlin", "2026-03-29T01:30", "2026-03-29T03:30", 3600,
            ["01:00–03:00", "03:00–04:00"], id="an hour that does not exist",
        ),
        pytest.param(
            "Europe/Berlin", "2026-10-25T01:30", "2026-10-25T03:30", 3600,
            ["01:00–02:00", "02:00–02:00", "02:00–03:00", "03:00–04:00"], id="an hour that comes twice",
        ),
        pytest.param(
            "Australia/Lord_Howe", "2026-10-04T01:00", "2026-10-04T03:30", 3600,
            ["01:00–02:30", "02:30–03:00", "03:00–04:00"], id="clocks that jump half an hour",
        ),
        pytest.param(
            "Asia/Ho_Chi_Minh", "2026-03-10T23:50", "2026-03-11T00:05", 900,
            ["2026-03-10 23:45–00:00", "2026-03-11 00:00–00:15"], id="over midnight",
        ),
    ],
)  # fmt: skip
def test_intervals_stand_by_the_clock(
    tz: str, begin: str, end: str, length: int, expected: list[str]
) -> None:
    edges = clock_edges(at(begin, tz), at(end, tz), length, tz)
    assert interval_names(edges.tolist(), tz) == expected


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    tz = "Europe/Berlin"
    edges = clock_edges(at("2026-10-25T02:00", tz), at("2026-10-25T02:30", tz, fold=1), 900, tz)
    names = interval_names(edges.tolist(), tz)
    assert names[0] == "02:00–02:15 (+0200)"
    assert names[4] == "02:00–02:15 (+0100)"
    assert len(set(names)) == len(names) == 6


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_lasts_as_long_as_it_does(day: str, hours: int) -> None:
    noon = at(f"{day}T12:00", "Europe/Berlin")
    edges = clock_edges(noon, noon + 60, 86400, "Europe/Berlin")
    assert np.diff(edges).tolist() == [hours * 3600]


@settings(deadline=None, max_examples=60)
@given(
    tz=st.sampled_from(ZONES),
    length=st.sampled_from(LENGTHS),
    start=st.floats(1.70e9, 1.83e9),
    seconds=st.floats(0.1, 3 * 86400),
)
def test_intervals_cover_the_time_and_begin_at_even_clock_times(
    tz: str, length: int, start: float, seconds: float
) -> None:
    length = length if seconds < 20_000 else max(length, 900)
    edges = clock_edges(start, start + seconds, length, tz)
    assert edges[0] <= start < edges[1]
    assert edges[-2] < start + seconds <= edges[-1]
    lengths = np.diff(edges)
    assert (lengths > 0).all()
    assert np.isin(lengths, [length, length - 3600, length + 3600, length - 1800, length + 1800]).all()
    odd = 0
    for edge in edges.tolist():
        local = datetime.fromtimestamp(edge, ZoneInfo(tz))
        odd += (local.hour * 3600 + local.minute * 60 + local.second) % length != 0
    assert odd <= 1, "only where a clock jumps over an edge"


spans = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 400)).map(lambda pair: (min(pair), max(pair))), max_size=8
)


@settings(deadline=None)
@given(spans)
def test_overlapping_spans_are_observed_once(pairs: list[tuple[int, int]]) -> None:
    seen = {second for a, b in pairs for second in range(a, b)}
    merged = merge_spans(pairs)
    assert np.diff(merged, axis=1).sum() == len(seen)
    bins = make_bins(np.arange(0.0, 401.0, 50.0), merged)
    assert bins.observed.tolist() == [
        sum(start <= second < start + 50 for second in seen) for start in range(0, 400, 50)
    ]


@settings(deadline=None)
@given(spans, spans)
def test_common_spans_are_what_lies_in_both(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    both = common_spans(merge_spans(first), merge_spans(second))
    middles = np.arange(400) + 0.5
    expected = is_within(merge_spans(first), middles) & is_within(merge_spans(second), middles)
    assert is_within(both, middles).tolist() == expected.tolist()


def test_nothing_observed() -> None:
    bins = make_bins(np.array([0.0, 900.0, 1800.0]), merge_spans([]))
    assert bins.status == ["not_observed", "not_observed"]
    assert observed_before(merge_spans([]), np.array([5.0])).tolist() == [0.0]


@pytest.mark.parametrize(
    ("length", "missing", "status"),
    [
        pytest.param(900, 0.0, "complete", id="all"),
        pytest.param(900, 0.04, "complete", id="a frame between two recordings"),
        pytest.param(900, 1.0, "complete", id="a second"),
        pytest.param(900, 1.1, "partial", id="more than a second"),
        pytest.param(60, 0.59, "complete", id="one per cent of a minute"),
        pytest.param(60, 0.7, "partial", id="more than one per cent"),
        pytest.param(60, 60, "not_observed", id="none"),
    ],
)
def test_how_much_of_an_interval_makes_it_complete(length: float, missing: float, status: str) -> None:
    bins = make_bins(np.array([0.0, length]), merge_spans([(0.0, length - missing)]))
    assert bins.status == [status]
