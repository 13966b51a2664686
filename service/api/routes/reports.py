"""Reports on a junction: turning movements, hourly profile, peak hours, who went where."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from service.api.answers import chosen_format, json_bytes, respond
from service.api.documents import given
from service.api.parameters import End, Language, SitePath, Start
from service.api.periods import check_period
from service.api.services import Parts, Viewer, found
from service.api.shapes import ReportOut
from service.auth.problems import Problem, answers
from service.registry import Site
from service.reports.from_database import load_site
from service.reports.report import Report, make_report
from service.reports.rows import csv_text, report_data, write_parquet
from service.reports.xlsx import write_xlsx
from vision import NgatuError
from vision.density.factors import PCU_TABLE, load_factors

router = APIRouter(prefix="/reports", tags=["reports"])

LONGEST = timedelta(days=31)
SECONDS = {"5min": 300.0, "15min": 900.0, "1h": 3600.0}

REPORT: dict[str, Any] = {
    "site": "Ngã tư Hoa Ban – Suối Trong",
    "time_zone": "Asia/Ho_Chi_Minh",
    "start": "2026-03-10T06:00:00+07:00",
    "end": "2026-03-10T10:00:00+07:00",
    "volume_is": "entering",
    "pcu_standard": "TCVN 4054:2005",
    "pcu_checked": False,
    "gates": [{"id": "north-line", "name": "", "approach": "north"}],
    "movements": [{"id": "north-south", "from": "north-line", "to": "south-line", "turn": "through"}],
    "intervals": [],
    "hours": [],
    "peak_hour": None,
    "approach_peak_hours": {"north": None},
    "origin_destination": None,
    "notes": [],
}


@router.get(
    "/{site}",
    response_model=ReportOut,
    responses={**given(REPORT, "csv", "parquet", "xlsx"), **answers(404)},
)
def read_report(
    request: Request,
    _caller: Viewer,
    services: Parts,
    site: SitePath,
    start: Start,
    end: End,
    interval: Annotated[Literal["5min", "15min", "1h"], Query(description="Length of the rows.")] = "15min",
    pcu: Annotated[bool, Query(description="Tell volumes in passenger-car units too.")] = True,
    language: Language = "en",
    format_: Annotated[
        Literal["json", "csv", "parquet", "xlsx"] | None,
        Query(alias="format", description="Format, for a browser; else by the header Accept."),
    ] = None,
) -> Response:
    """A junction's turning movements by interval and class, its hourly profile, peak hours with their factor
    (PHF), and origins and destinations: what the owners of its approaches saw, excluded periods left out."""
    check_period(start, end, LONGEST)
    chosen = chosen_format(request, format_, ("json", "csv", "parquet", "xlsx"))
    begin, until = start.timestamp(), end.timestamp()
    with services.reading() as connection:
        found(services.city(connection, until - 1e-3), Site, site)
        try:
            counted = load_site(connection, site, begin, until, services.settings.tz)
        except NgatuError as error:
            detail = str(error).replace(f"--site {site}: ", "")
            raise Problem(404, "nothing to report", detail) from None
    factors = load_factors(PCU_TABLE) if pcu else None
    report = make_report(counted, SECONDS[interval], factors, (begin, until))
    return respond(request, _body(report, chosen, language), chosen, name=f"{site}-report")


def _body(report: Report, format_: str, language: Literal["en", "vi"]) -> bytes:
    if format_ == "json":
        return json_bytes(report_data(report, language))
    if format_ == "csv":
        return csv_text(report).encode()
    with tempfile.TemporaryDirectory(prefix="ngatu-report-") as folder:
        path = Path(folder) / f"report.{format_}"
        if format_ == "xlsx":
            write_xlsx(report, path, language)
        else:
            write_parquet(report, path)
        return path.read_bytes()
