"""A junction's counts beside a manual count that somebody sends as CSV; nothing of it is kept."""

import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from service.api.answers import json_bytes
from service.api.documents import given
from service.api.parameters import End, Language, SitePath, Start
from service.api.periods import check_period
from service.api.services import Parts, Services, Viewer, found
from service.api.shapes import Shape
from service.auth.problems import Problem, answers
from service.registry import Site
from service.reports.compare import compare
from service.reports.compare_tables import comparison_json
from service.reports.from_database import load_site
from service.reports.manual import read_manual
from service.reports.words import say
from vision import NgatuError

router = APIRouter(prefix="/reports", tags=["reports"])

LONGEST = timedelta(days=7)
MOST_BYTES, MOST_LINES = 2**20, 20_000
SECONDS = {"5min": 300.0, "15min": 900.0, "1h": 3600.0}

COMPARED: dict[str, Any] = {
    "site": "Ngã tư Hoa Ban – Suối Trong",
    "time_zone": "Asia/Ho_Chi_Minh",
    "start": "2026-03-10T09:30:00+07:00",
    "end": "2026-03-10T10:30:00+07:00",
    "compared_seconds": 3600.0,
    "geh_below_5_share": 0.92,
    "lines": [
        {
            "kind": "all",
            "id": None,
            "direction": None,
            "manual": 812,
            "ours": 795,
            "bias": -0.0209,
            "wape": 0.0431,
            "geh": [0.6],
            "true_per_counted": {"value": 1.0214, "low": 1.0012, "high": 1.0416},
            "events": None,
        }
    ],
    "notes": [],
}
_CSV = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {
                    "type": "string",
                    "description": "a row for each event (time, gate, direction, class), as ngatu tally "
                    "writes them, or for each interval (start, gate or movement, class, count)",
                }
            }
        },
    }
}


class ComparisonOut(Shape):
    """Our counts beside those of a person, within the time that both counted."""

    site: str = Field(description="the junction, in words")
    time_zone: str = Field(description="of its clock")
    start: datetime = Field(description="beginning of what is compared, local with its offset")
    end: datetime = Field(description="end of it")
    compared_seconds: float = Field(description="time that both counted, s")
    geh_below_5_share: float | None = Field(
        description="share of hourly volumes with a GEH below 5; null without a full hour"
    )
    lines: list[dict[str, Any]] = Field(
        description="all, then classes, gates, movements: manual, ours, bias, wape, geh, true_per_counted "
        "(with its 95 % range; null for less than five minutes or intervals), events by window"
    )
    notes: list[str] = Field(description="what the reader must know")


async def csv_body(request: Request) -> bytes:
    """The body of a request that carries a table, read to its limit at most.

    Raises:
        Problem: it is none, or too large.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/csv":
        raise Problem(415, "not a table", "send the manual count with Content-Type: text/csv", "Content-Type")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise Problem(413, "too large", f"a manual count has at most {MOST_BYTES} bytes here")
    if body.count(b"\n") > MOST_LINES:
        raise Problem(413, "too large", f"a manual count has at most {MOST_LINES} lines here")
    return bytes(body)


@router.post(
    "/{site}/compare",
    response_model=ComparisonOut,
    openapi_extra=_CSV,
    responses={**given(COMPARED), **answers(404, 413, 415)},
)
def compare_manual(
    _caller: Viewer,
    services: Parts,
    site: SitePath,
    start: Start,
    end: End,
    table: Annotated[bytes, Depends(csv_body)],
    interval: Annotated[
        Literal["5min", "15min", "1h"],
        Query(description="Length of the intervals, where the table does not say it."),
    ] = "15min",
    language: Language = "en",
) -> Response:
    """Compare what was counted at a junction in a period with a manual count: volumes by bias, WAPE and GEH,
    single events by precision, recall and F1. Times without a date are those of the period's first day."""
    check_period(start, end, LONGEST)
    with services.reading() as connection:
        found(services.city(connection, end.timestamp() - 1e-3), Site, site)
    told = _compared(services, site, (start, end), table, SECONDS[interval], language)
    return Response(json_bytes(told), media_type="application/json", headers={"Cache-Control": "no-store"})


def _compared(
    services: Services,
    site: str,
    period: tuple[datetime, datetime],
    table: bytes,
    seconds: float,
    language: Literal["en", "vi"],
) -> dict[str, Any]:
    begin, until = (each.timestamp() for each in period)
    with tempfile.TemporaryDirectory(prefix="ngatu-compare-") as folder:
        path = Path(folder) / "manual.csv"
        path.write_bytes(table)
        with services.reading() as connection:
            try:
                ours = load_site(connection, site, begin, until, services.settings.tz)
            except NgatuError as error:
                detail = str(error).replace(f"--site {site}: ", "")
                raise Problem(404, "nothing to compare with", detail) from None
        try:
            result = compare(ours, read_manual(path, ours, seconds), seconds)
        except NgatuError as error:
            # The reader knows the file by no other name than that it is theirs.
            detail = str(error).replace(str(path), "manual.csv").replace("--interval", "interval")
            raise Problem(422, "not valid", detail, "body") from None
    data: dict[str, Any] = json.loads(comparison_json(result))
    notes = [say(note, language).replace(str(path), "manual.csv") for note in result.notes]
    return data | {"notes": notes}
