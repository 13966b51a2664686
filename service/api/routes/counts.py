"""Counts of gates and movements by quarter of an hour, and what is usual on a weekday."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from service.api.answers import chosen_format, json_bytes, page, respond
from service.api.cursors import decode, encode
from service.api.documents import given
from service.api.parameters import (
    BulkLimit,
    CameraQuery,
    Cursor,
    End,
    SitePath,
    SiteQuery,
    Start,
    TableFormat,
)
from service.api.periods import check_period, rows_of_page
from service.api.services import Parts, Viewer, found
from service.api.shapes import CountOut, Page, UsualOut
from service.auth.problems import Problem, answers
from service.registry import Site
from service.storage.base import microseconds, moment
from service.storage.conditions import CLASSES
from service.storage.counts import counts, usual_day

router = APIRouter(prefix="/counts", tags=["counts"])

LONGEST = timedelta(days=400)
SHORTEST_SLICE, LONGEST_SLICE = timedelta(days=1), timedelta(days=31)
"""Time that is read at once: a day first, more where that does not fill the page."""

COUNT = {
    "start": "2026-03-10T02:30:00Z",
    "site": "hoa-ban",
    "camera": "hoa-ban-cam1",
    "approach": "north",
    "kind": "gate",
    "item": "north-line",
    "direction": "in",
    "status": "observed",
    "observed_seconds": 900.0,
    "total": 214,
    "bicycle": 3,
    "motorcycle": 160,
    "car": 45,
    "bus": 2,
    "truck": 4,
    "unknown": 0,
}
USUAL = {"start": "2026-03-10T02:30:00Z", "approach": "north", "entering": 208.5, "days": 8}


@router.get(
    "",
    response_model=Page[CountOut],
    responses=given({"items": [COUNT], "next": None}, "csv", "parquet"),
)
def list_counts(
    request: Request,
    _caller: Viewer,
    services: Parts,
    start: Start,
    end: End,
    kind: Annotated[Literal["gate", "movement"], Query(description="Gates or movements.")] = "gate",
    site: SiteQuery = None,
    camera: CameraQuery = None,
    item: Annotated[
        str | None, Query(min_length=1, max_length=64, description="Of this gate or movement only.")
    ] = None,
    limit: BulkLimit = None,
    cursor: Cursor = None,
    format_: TableFormat = None,
) -> Response:
    """Counts by class in the quarters of an hour that begin in a period; their sum is that of the crossings.

    For each gate and direction, or movement, that occurs in the part of the period that a page covers, every
    quarter of it is told; where nobody looked, counts are null. A page ends with a whole quarter, so that it
    has somewhat fewer rows than `limit`, or those of one quarter.
    """
    check_period(start, end, LONGEST)
    if site is None and camera is None:
        raise Problem(422, "not valid", "query.site: name a site or a camera", "query.site")
    chosen = chosen_format(request, format_, ("json", "csv", "parquet"))
    most = rows_of_page(limit, chosen)
    if cursor:
        (at,) = decode(cursor, int)
        start = max(start, moment(min(max(at, 0), microseconds(end))))
    rows: list[dict[str, Any]] = []
    begin, slice_ = start, SHORTEST_SLICE
    with services.reading() as connection:
        while begin < end and len(rows) <= most:
            until = min(begin + slice_, end)
            bins = counts(connection, begin, until, kind=kind, site=site, camera=camera, item=item)
            rows += [_row(each, site, kind) for each in bins]
            begin, slice_ = until, min(2 * slice_, LONGEST_SLICE)
    rows, following = _whole_quarters(rows, most)
    return page(request, rows, CountOut, chosen, name="counts", following=following)


@router.get(
    "/usual/{site}/{day}",
    response_model=Page[UsualOut],
    responses={**given({"items": [USUAL], "next": None}), **answers(404)},
)
def read_usual_day(
    request: Request,
    _caller: Viewer,
    services: Parts,
    site: SitePath,
    day: Annotated[date, Path(description="A day of the site's clock.", examples=["2026-03-10"])],
    weeks: Annotated[int, Query(ge=1, le=26, description="Days that the median is of.")] = 8,
) -> Response:
    """What is usual at a junction on that weekday: the median of the same weekday in the weeks before."""
    if not date(1971, 1, 1) <= day < date(2200, 1, 1):
        raise Problem(422, "not valid", "path.day: give a day between 1971 and 2200", "path.day")
    with services.reading() as connection:
        found(services.city(connection), Site, site)
        bins = usual_day(connection, site, day, services.settings.tz, weeks)
    rows = [
        {"start": each.start, "approach": each.approach, "entering": each.entering, "days": each.days}
        for each in bins
    ]
    return respond(request, json_bytes({"items": rows, "next": None}))


def _row(each: Any, site: str | None, kind: str) -> dict[str, Any]:
    known = each.by_class
    return {
        "start": each.start,
        "site": site,
        "camera": each.camera,
        "approach": each.approach,
        "kind": kind,
        "item": each.item,
        "direction": each.direction,
        "status": each.status,
        "observed_seconds": each.observed_seconds,
        "total": None if known is None else sum(known.values()),
        **{label: None if known is None else known.get(label, 0) for label in CLASSES},
    }


def _whole_quarters(rows: list[dict[str, Any]], most: int) -> tuple[list[dict[str, Any]], str | None]:
    """A page that ends with a whole quarter of an hour, at least one, and the cursor of the next."""
    if len(rows) <= most:
        return rows, None
    quarter = rows[most]["start"]
    kept = [row for row in rows if row["start"] < quarter]
    if not kept:
        kept = [row for row in rows if row["start"] == quarter]
        if len(kept) == len(rows):
            return rows, None
        quarter = rows[len(kept)]["start"]
    return kept, encode(microseconds(quarter))
