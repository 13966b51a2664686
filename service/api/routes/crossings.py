"""Single crossings: the source of truth for all counts."""

from operator import itemgetter
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.api.answers import chosen_format, page
from service.api.cursors import decode_row, encode_row
from service.api.documents import given
from service.api.parameters import (
    ApproachQuery,
    BulkLimit,
    CameraQuery,
    Cursor,
    End,
    SiteQuery,
    Start,
    TableFormat,
)
from service.api.periods import check_period, rows_of_page
from service.api.services import Parts, Viewer
from service.api.shapes import CrossingOut, Page
from service.auth.problems import Problem
from service.storage.reads import crossings
from service.storage.tables import CrossingRow

router = APIRouter(tags=["counts"])

CROSSING = {
    "id": "0195807c-1f2a-8abc-9def-0123456789ab",
    "time": "2026-03-10T02:30:12.345678Z",
    "site": "hoa-ban",
    "camera": "hoa-ban-cam1",
    "approach": "north",
    "gate": "north-line",
    "direction": "in",
    "vehicle_class": "motorcycle",
    "confidence": 0.87,
    "x": 0.41,
    "y": 0.5,
    "movement": "north-south",
    "origin": "north-line",
}
# By place: asking thousands of rows for a dozen columns by name takes longer than the database does.
_FIELDS = tuple(CrossingOut.model_fields)
_NAMED = {"site": "site_id", "camera": "camera_id", "approach": "approach_id"}
_COLUMNS = [column.key for column in CrossingRow.__table__.columns]
_picked = itemgetter(*(_COLUMNS.index(_NAMED.get(field, field)) for field in _FIELDS))


@router.get(
    "/crossings",
    response_model=Page[CrossingOut],
    responses=given({"items": [CROSSING], "next": None}, "csv", "parquet"),
)
def list_crossings(
    request: Request,
    _caller: Viewer,
    services: Parts,
    start: Start,
    end: End,
    site: SiteQuery = None,
    camera: CameraQuery = None,
    approach: ApproachQuery = None,
    movement: Annotated[
        str | None, Query(min_length=1, max_length=64, description="That complete this movement only.")
    ] = None,
    limit: BulkLimit = None,
    cursor: Cursor = None,
    format_: TableFormat = None,
) -> Response:
    """Crossings of a site, as the owners of its approaches saw them, or all of one camera.

    In order of time and id; a page behind a cursor is the same whatever came meanwhile before it. Only
    authoritative segments are read, and excluded periods are left out.
    """
    check_period(start, end)
    if site is None and camera is None:
        raise Problem(422, "not valid", "query.site: name a site or a camera", "query.site")
    chosen = chosen_format(request, format_, ("json", "csv", "parquet"))
    most = rows_of_page(limit, chosen)
    after = decode_row(cursor) if cursor else None
    if after and after[0] > start:
        start = after[0]  # spares the database all rows of the pages before
    with services.reading() as connection:
        found = crossings(
            connection,
            start,
            end,
            site=site,
            camera=camera,
            approach=approach,
            movement=movement,
            after=after,
            limit=most + 1,
        )
    following = encode_row(found[most - 1].time, found[most - 1].id) if len(found) > most else None
    rows = [dict(zip(_FIELDS, _picked(row), strict=True)) for row in found[:most]]
    return page(request, rows, CrossingOut, chosen, name="crossings", following=following)
