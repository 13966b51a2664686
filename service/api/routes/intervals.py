"""Figures of approaches and junctions by interval: 10 s, a minute, a quarter of an hour, an hour."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from service.api.answers import chosen_format, page
from service.api.cursors import decode, encode
from service.api.documents import given
from service.api.parameters import BulkLimit, CameraQuery, Cursor, End, SiteQuery, Start, TableFormat
from service.api.periods import check_period, rows_of_page
from service.api.services import Parts, Viewer
from service.api.shapes import IntervalOut, JunctionIntervalOut, Page
from service.registry import Approach, History
from service.storage.base import microseconds, moment
from service.storage.longer import HOUR, QUARTER, approach_figures, junction_figures, span_of_page
from service.storage.reads import junction_intervals

router = APIRouter(prefix="/intervals", tags=["figures"])

Length = Annotated[
    Literal["10s", "1min", "15min", "1h"], Query(description="Length of the intervals.", examples=["15min"])
]
SECONDS = {"10s": 10, "1min": 60, "15min": QUARTER, "1h": HOUR}

APPROACH = {
    "site": "hoa-ban",
    "approach": "north",
    "camera": "hoa-ban-cam1",
    "start": "2026-03-10T02:30:00Z",
    "length": 900,
    "observed_seconds": 900.0,
    "expected_seconds": 900.0,
    "status": "observed",
    "revision": 1,
    "final": True,
    "light": "day",
    "count": 214,
    "count_out": 0,
    "flow_per_h": 856.0,
    "flow_pcu_per_h": 402.5,
    "density_per_km": 41.2,
    "space_mean_speed_kmh": 20.8,
    "speed_p85_kmh": 31.0,
    "area_occupancy": 0.07,
    "area_occupancy_basis": "ground",
    "time_occupancy": 0.11,
    "queue_max_m": 38.0,
    "queue_max_at_least": False,
    "queue_p95_m": 31.0,
    "stopped_vehicles": 4.2,
    "delay_s": 3120.0,
    "level": "busy",
    "density_band": "C",
}
JUNCTION = {
    "site": "hoa-ban",
    "start": "2026-03-10T02:30:00Z",
    "length": 900,
    "observed_seconds": 900.0,
    "expected_seconds": 900.0,
    "status": "observed",
    "revision": 1,
    "final": True,
    "approaches_required": 4,
    "approaches_observed": 4,
    "count": 820,
    "flow_per_h": 3280.0,
    "flow_pcu_per_h": 1610.0,
    "delay_s": 11800.0,
    "level": "busy",
}


@router.get(
    "/approaches",
    response_model=Page[IntervalOut],
    responses=given({"items": [APPROACH], "next": None}, "csv", "parquet"),
)
def list_approach_intervals(
    request: Request,
    _caller: Viewer,
    services: Parts,
    start: Start,
    end: End,
    length: Length = "15min",
    site: SiteQuery = None,
    camera: CameraQuery = None,
    limit: BulkLimit = None,
    cursor: Cursor = None,
    format_: TableFormat = None,
) -> Response:
    """Figures of approaches in the intervals that begin in a period, in order of time.

    Of a site or the city those of the owners, of one camera all its own. An interval that is not here was
    not observed, or is excluded. A page is a stretch of time: it may have fewer rows than `limit`, or none,
    and `next` nevertheless.
    """
    chosen, begin, until = _stretch(request, services, start, end, length, site, limit, cursor, format_)
    with services.reading() as connection:
        sites = None if site is None else [site]
        found = approach_figures(connection, begin, until, SECONDS[length], sites=sites, camera=camera)
    rows = [_approach_row(row) for row in found]
    rows.sort(key=lambda row: (row["start"], str(row["site"]), row["approach"], str(row["camera"])))
    following = encode(microseconds(until)) if until < end else None
    return page(request, rows, IntervalOut, chosen, name="approaches", following=following)


@router.get(
    "/junctions",
    response_model=Page[JunctionIntervalOut],
    responses=given({"items": [JUNCTION], "next": None}, "csv", "parquet"),
)
def list_junction_intervals(
    request: Request,
    _caller: Viewer,
    services: Parts,
    start: Start,
    end: End,
    length: Length = "15min",
    site: SiteQuery = None,
    limit: BulkLimit = None,
    cursor: Cursor = None,
    format_: TableFormat = None,
) -> Response:
    """Figures of junctions in the intervals of a period; null unless all its approaches are known."""
    chosen, begin, until = _stretch(request, services, start, end, length, site, limit, cursor, format_)
    sites = None if site is None else [site]
    with services.reading() as connection:
        if length == "15min":
            found = [dict(row._mapping) for row in junction_intervals(connection, begin, until, sites=sites)]
        else:
            history = services.registry(connection)[1]
            parts = approach_figures(connection, begin, until, SECONDS[length], sites=sites)
            found = junction_figures(parts, _required(history))
    rows = [{"site": row["site_id"], **{n: row[n] for n in _JUNCTION_FIELDS}} for row in found]
    following = encode(microseconds(until)) if until < end else None
    return page(request, rows, JunctionIntervalOut, chosen, name="junctions", following=following)


_APPROACH_FIELDS = [name for name in IntervalOut.model_fields if name not in ("site", "approach", "camera")]
_JUNCTION_FIELDS = [name for name in JunctionIntervalOut.model_fields if name != "site"]
_ROWS_A_SITE = 5
"""Approaches that a junction has, with one to spare: pages of a city are cut by it."""


def _approach_row(row: dict[str, Any]) -> dict[str, Any]:
    head = {"site": row["site_id"], "approach": row["approach_id"], "camera": row["camera_id"]}
    return head | {name: row[name] for name in _APPROACH_FIELDS}


def _stretch(
    request: Request,
    services: Parts,
    start: datetime,
    end: datetime,
    length: str,
    site: str | None,
    limit: int | None,
    cursor: str | None,
    format_: str | None,
) -> tuple[str, datetime, datetime]:
    """The format, and the stretch of time of this page."""
    check_period(start, end)
    chosen = chosen_format(request, format_, ("json", "csv", "parquet"))
    seconds = SECONDS[length]
    if cursor:
        (at,) = decode(cursor, int)
        start = max(start, moment(min(max(at, 0), microseconds(end))))
    with services.reading() as connection:
        city = services.city(connection)
    places = _ROWS_A_SITE * (1 if site else max(1, sum(ref[0] == "sites" for ref in city)))
    until = span_of_page(start, seconds, rows_of_page(limit, chosen), places)
    return chosen, start, min(until, end)


def _required(history: History) -> Callable[[str, datetime], Sequence[str]]:
    """The approaches of a site that must be seen at a moment."""
    arms: dict[str, list[tuple[str, float, float]]] = {}
    for versions in history.values():
        for each in versions:
            if isinstance(each.record, Approach) and each.record.required:
                arms.setdefault(each.record.site, []).append((each.record.id, each.start, each.end))

    def required(site: str, when: datetime) -> Sequence[str]:
        time = when.timestamp()
        return sorted({name for name, since, to in arms.get(site, ()) if since <= time < to})

    return required
