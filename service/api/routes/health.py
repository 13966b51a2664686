"""The health of cameras through time."""

from typing import Any

from fastapi import APIRouter, Request, Response

from service.api.answers import chosen_format, page
from service.api.cursors import decode_named_row, encode_row
from service.api.documents import given
from service.api.parameters import BulkLimit, CameraQuery, Cursor, End, Start, TableFormat
from service.api.periods import check_period, rows_of_page
from service.api.services import Parts, Viewer
from service.api.shapes import HealthOut, Page
from service.storage.looks import health

router = APIRouter(tags=["health"])

HEALTH = {
    "camera": "hoa-ban-cam1",
    "started_at": "2026-03-10T02:00:00Z",
    "ended_at": None,
    "seen_at": "2026-03-10T02:30:00Z",
    "state": "ok",
    "reason": "",
}


@router.get(
    "/health",
    response_model=Page[HealthOut],
    responses=given({"items": [HEALTH], "next": None}, "csv", "parquet"),
)
def list_health(
    request: Request,
    _caller: Viewer,
    services: Parts,
    start: Start,
    end: End,
    camera: CameraQuery = None,
    limit: BulkLimit = None,
    cursor: Cursor = None,
    format_: TableFormat = None,
) -> Response:
    """The states of cameras that lie somewhere in a period, in order of their beginning.

    A state holds while it is confirmed: behind `seen_at` of an open one nothing is known.
    """
    check_period(start, end)
    chosen = chosen_format(request, format_, ("json", "csv", "parquet"))
    most = rows_of_page(limit, chosen)
    after = decode_named_row(cursor) if cursor else None
    with services.reading() as connection:
        found = health(connection, start, end, camera=camera, after=after, limit=most + 1)
    following = None
    if len(found) > most:
        following = encode_row(found[most - 1].started_at, found[most - 1].camera_id)
    rows = [_row(row) for row in found[:most]]
    return page(request, rows, HealthOut, chosen, name="health", following=following)


def _row(row: Any) -> dict[str, Any]:
    return {
        "camera": row.camera_id,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "seen_at": row.seen_at,
        "state": row.state,
        "reason": row.reason,
    }
