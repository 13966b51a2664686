"""Incidents that cameras saw: standing vehicles, wrong way, blocked junction, falls of speed."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service.api.answers import chosen_format, page
from service.api.cursors import decode_row, encode_row
from service.api.documents import given
from service.api.parameters import (
    IDENTIFIER,
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
from service.api.shapes import IncidentOut, Page
from service.storage.looks import incidents

router = APIRouter(tags=["incidents"])

INCIDENT = {
    "id": "0195807c-1f2a-8abc-9def-0123456789ab",
    "site": "hoa-ban",
    "approach": "north",
    "camera": "hoa-ban-cam1",
    "kind": "wrong_way",
    "severity": "warning",
    "started_at": "2026-03-10T02:30:12Z",
    "ended_at": "2026-03-10T02:30:19Z",
    "details": {"metres": 14.2},
}


@router.get(
    "/incidents",
    response_model=Page[IncidentOut],
    responses=given({"items": [INCIDENT], "next": None}, "csv", "parquet"),
)
def list_incidents(
    request: Request,
    _caller: Viewer,
    services: Parts,
    start: Start,
    end: End,
    site: SiteQuery = None,
    camera: CameraQuery = None,
    kind: Annotated[
        str | None, Query(min_length=1, max_length=64, pattern=IDENTIFIER, description="Of this kind only.")
    ] = None,
    limit: BulkLimit = None,
    cursor: Cursor = None,
    format_: TableFormat = None,
) -> Response:
    """Incidents that began in a period, with their evidence in numbers."""
    check_period(start, end)
    chosen = chosen_format(request, format_, ("json", "csv", "parquet"))
    most = rows_of_page(limit, chosen)
    after = decode_row(cursor) if cursor else None
    with services.reading() as connection:
        found = incidents(
            connection, start, end, site=site, camera=camera, kind=kind, after=after, limit=most + 1
        )
    following = encode_row(found[most - 1].started_at, found[most - 1].id) if len(found) > most else None
    rows = [_row(row) for row in found[:most]]
    return page(request, rows, IncidentOut, chosen, name="incidents", following=following)


def _row(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "site": row.site_id,
        "approach": row.approach_id,
        "camera": row.camera_id,
        "kind": row.kind,
        "severity": row.severity,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "details": row.details,
    }
