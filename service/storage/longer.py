"""Intervals of lengths that are not kept: hours of approaches, and junctions in other than quarters."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from service.storage.base import microseconds, moment
from service.storage.intervals import FIGURES
from service.storage.junctions import LEVELS, SUMMED
from service.storage.reads import approach_intervals
from vision.density import ApproachInterval, figures_of, roll_up

HOUR, QUARTER = 3600, 900
LENGTHS = (10, 60, QUARTER, HOUR)
"""Lengths that can be read, s."""

Values = dict[str, Any]


def approach_figures(
    connection: Connection,
    start: datetime,
    end: datetime,
    length: int,
    *,
    sites: Iterable[str] | None = None,
    camera: str | None = None,
) -> list[Values]:
    """The same as :func:`service.storage.reads.approach_intervals`, of hours too.

    Hours are those of UTC, which are those of any zone that is whole hours from it; each is merged exactly
    from the sums of its quarters.
    """
    if length != HOUR:
        return approach_intervals(connection, start, end, length, sites=sites, camera=camera)
    first, last = floor(start, HOUR, up=True), floor(end, HOUR, up=True)
    rows = approach_intervals(connection, first, last, QUARTER, sites=sites, camera=camera, figures=("sums",))
    parts: dict[tuple[Any, ...], list[Values]] = defaultdict(list)
    for row in rows:
        key = row["site_id"], row["approach_id"], row["camera_id"], floor(row["start"], HOUR)
        parts[key].append(row)
    return [_hour(key[-1], quarters) for key, quarters in parts.items()]


def junction_figures(
    rows: Iterable[Values], required: Callable[[str, datetime], Sequence[str]]
) -> list[Values]:
    """Junctions made of their approaches' rows, of one length; null unless all required are known.

    Args:
        rows: of :func:`approach_figures`.
        required: the approaches of a site that must be seen at a moment.
    """
    by_place: dict[tuple[str, datetime], dict[str, Values]] = defaultdict(dict)
    for row in rows:
        if row["site_id"] is not None:
            by_place[row["site_id"], row["start"]][row["approach_id"]] = row
    return [
        _junction(site, start, found, required(site, start) or sorted(found))
        for (site, start), found in sorted(by_place.items(), key=lambda each: (each[0][1], each[0][0]))
    ]


def floor(when: datetime, length: int, up: bool = False) -> datetime:
    """The start of a moment's interval; with ``up`` the first interval that does not begin before it."""
    unit = length * 10**6
    number = microseconds(when)
    return moment(-(-number // unit) * unit if up else number // unit * unit)


def _hour(start: datetime, quarters: Sequence[Values]) -> Values:
    first = microseconds(start) / 10**6
    records = [
        ApproachInterval.from_dict(
            {
                "approach": row["approach_id"],
                "start": microseconds(row["start"]) / 10**6,
                "end": microseconds(row["start"]) / 10**6 + QUARTER,
                "expected_seconds": row["expected_seconds"],
                "observed_seconds": row["observed_seconds"],
                **row["sums"],
            }
        )
        for row in quarters
    ]
    (record,) = roll_up(records, [(first, first + HOUR)])
    figures = figures_of(record)
    last = quarters[-1]
    return {
        "site_id": last["site_id"],
        "approach_id": last["approach_id"],
        "camera_id": last["camera_id"],
        "start": start,
        "length": HOUR,
        "observed_seconds": record.observed_seconds,
        "expected_seconds": float(HOUR),
        "status": record.status,
        "revision": sum(row["revision"] for row in quarters),
        "final": len(quarters) == HOUR // QUARTER and all(row["final"] for row in quarters),
        **{name: getattr(figures, name) for name in FIGURES},
    }


def _junction(site: str, start: datetime, found: dict[str, Values], required: Sequence[str]) -> Values:
    watched = [found[name] for name in required if name in found and found[name]["observed_seconds"] > 0]
    length = next(iter(found.values()))["length"]
    whole = bool(required) and len(watched) == len(required)
    wholly = whole and all(row["status"] == "observed" for row in watched)
    levels = [row["level"] for row in watched if row["level"]]
    sums = {name: [row[name] for row in watched] for name in SUMMED}
    return {
        "site_id": site,
        "length": length,
        "start": start,
        "observed_seconds": sum(row["observed_seconds"] for row in watched) / max(len(required), 1),
        "expected_seconds": float(length),
        "status": "observed" if wholly else "partial" if watched else "not_observed",
        "revision": sum(row["revision"] for row in watched),
        "final": len(watched) == len(required) and all(row["final"] for row in watched),
        "approaches_required": len(required),
        "approaches_observed": len(watched),
        **{name: sum(each) if whole and None not in each else None for name, each in sums.items()},
        "level": max(levels, key=LEVELS.index) if whole and levels else None,
    }


def span_of_page(start: datetime, length: int, rows: int, places: int) -> datetime:
    """End of the stretch of time whose intervals at so many places fill a page."""
    number = max(1, rows // max(1, places))
    return floor(start, length, up=True) + timedelta(seconds=length * number)
