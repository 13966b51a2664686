"""How much of the city is really watched: now, over a period, by area, on a map, and what was reported."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from service.api.answers import chosen_format, page, respond
from service.api.documents import given
from service.api.parameters import At, Language, Moment, TableFormat
from service.api.periods import check_period
from service.api.services import Parts, Services, Viewer
from service.api.shapes import AreaOut, CoverageOut, FeatureCollection, FiguresOut, Page
from service.auth.problems import Problem
from service.coverage import CoverageReport, Figures, figures_at, figures_over, make_report, site_facts
from service.coverage.formats import as_csv, as_geojson, as_json, write_xlsx
from service.coverage.history import snapshots
from service.coverage.store import load_evidence
from service.registry import Site, city_at

router = APIRouter(prefix="/coverage", tags=["coverage"])

LONGEST = timedelta(days=800)
FIGURES = {
    "kind": "junction",
    "start": "2026-03-10T02:30:00Z",
    "end": "2026-03-10T02:30:00Z",
    "sites": 40.0,
    "installed": 0.9,
    "operational": 0.85,
    "effective": 0.7,
    "time_weighted": 0.62,
    "target": 1.0,
    "reached": False,
}
COVERAGE: dict[str, Any] = {
    "at": "2026-03-10T02:30:00Z",
    "start": None,
    "time_zone": "Asia/Ho_Chi_Minh",
    "illustrative_sites": 0,
    "figures": [FIGURES],
    "history": [],
    "outlook": {},
    "gaps": [],
}
POINTS: dict[str, Any] = {"type": "FeatureCollection", "features": []}

From = Annotated[Moment | None, Query(description="Beginning of a period; a moment is told if left out.")]
Until = Annotated[Moment | None, Query(description="End of the period; now if left out.")]


@router.get("", response_model=CoverageOut, responses=given(COVERAGE, "csv", "geojson", "xlsx"))
def read_coverage(
    request: Request,
    _caller: Viewer,
    services: Parts,
    at: At = None,
    start: From = None,
    end: Until = None,
    by: Annotated[Literal["day", "week", "month"], Query(description="Parts of a period.")] = "day",
    gaps: Annotated[bool, Query(description="As CSV: the gaps instead of the figures.")] = False,
    language: Language = "en",
    format_: Annotated[
        Literal["json", "csv", "geojson", "xlsx"] | None,
        Query(alias="format", description="Format, for a browser; else by the header Accept."),
    ] = None,
) -> Response:
    """The four figures of coverage against their target, history, outlook, and gaps with their next step.

    At a moment (`at`), or over a period (`start`, `end`). As GeoJSON it is each key site with its state.
    """
    chosen = chosen_format(request, format_, ("json", "csv", "geojson", "xlsx"))
    until, begin = _moments(services, at, start, end)
    with services.reading() as connection:
        history = services.registry(connection)[1]
        report = make_report(history, _loader(connection), until, begin, by, services.settings.tz)
    return respond(request, _body(report, chosen, gaps, language), chosen, name="coverage")


@router.get("/sites", response_model=FeatureCollection, responses=given(POINTS))
def map_coverage(
    request: Request, _caller: Viewer, services: Parts, at: At = None, language: Language = "en"
) -> Response:
    """Each key site at a moment as a point of GeoJSON, with what stands in its way; an address for a map."""
    until, _ = _moments(services, at, None, None)
    with services.reading() as connection:
        history = services.registry(connection)[1]
        report = make_report(history, _loader(connection), until, tz=services.settings.tz)
    return respond(request, as_geojson(report, language).encode())


@router.get(
    "/areas",
    response_model=Page[AreaOut],
    responses=given({"items": [{**FIGURES, "area": "Phường Bắc Giang"}], "next": None}, "csv", "parquet"),
)
def list_area_coverage(
    request: Request,
    _caller: Viewer,
    services: Parts,
    level: Annotated[
        Literal["ward", "district", "province"], Query(description="Level of administration.")
    ] = "ward",
    at: At = None,
    start: From = None,
    end: Until = None,
    format_: TableFormat = None,
) -> Response:
    """The same figures by ward, district or province, as the registry named them at the moment."""
    chosen = chosen_format(request, format_, ("json", "csv", "parquet"))
    until, begin = _moments(services, at, start, end)
    with services.reading() as connection:
        history = services.registry(connection)[1]
        evidence = load_evidence(connection, min(begin or until, until - 86_400.0), until + 1e-3)
    facts = site_facts(history, evidence.health)
    areas = {
        each.id: getattr(each, level) for each in city_at(history, until).values() if isinstance(each, Site)
    }
    rows: list[dict[str, Any]] = []
    for area in sorted({areas.get(each.id, "") for each in facts}):
        these = [each for each in facts if areas.get(each.id, "") == area]
        if begin is None:
            figures = figures_at(these, evidence, history, until)
        else:
            figures = figures_over(these, evidence, history, [begin, until])
        rows += [_figures_row(each) | {"area": area} for each in figures if each.sites]
    return page(request, rows, AreaOut, chosen, name=f"coverage-{level}")


@router.get(
    "/history",
    response_model=Page[FiguresOut],
    responses=given({"items": [FIGURES], "next": None}, "csv", "parquet"),
)
def list_reported_coverage(
    request: Request,
    _caller: Viewer,
    services: Parts,
    start: From = None,
    end: Until = None,
    format_: TableFormat = None,
) -> Response:
    """Figures as they were reported, one a day: a later change of the past does not alter them."""
    chosen = chosen_format(request, format_, ("json", "csv", "parquet"))
    until, begin = _moments(services, None, start, end)
    since = until - LONGEST.total_seconds() if begin is None else begin
    with services.reading() as connection:
        found = snapshots(connection, since, until + 1e-3)
    return page(request, [_figures_row(each) for each in found], FiguresOut, chosen, name="coverage-history")


def _moments(
    services: Services, at: datetime | None, start: datetime | None, end: datetime | None
) -> tuple[float, float | None]:
    """The moment or end of the period, and its beginning if it is one."""
    now = services.clock()
    if at is not None and (start is not None or end is not None):
        raise Problem(422, "not valid", "query.at: give a moment (at) or a period (start, end)", "query.at")
    if end is not None and start is None:
        raise Problem(422, "not valid", "query.start: end needs start", "query.start")
    asked, field = (at, "query.at") if at is not None else (end, "query.end")
    until = now if asked is None else asked.timestamp()
    if until > now:
        raise Problem(422, "not valid", f"{field}: what cameras will see is not known", field)
    if start is None:
        return until, None
    check_period(start, datetime.fromtimestamp(until, UTC), LONGEST)
    return until, start.timestamp()


def _loader(connection: Connection) -> Callable[[float, float], Any]:
    return lambda begin, until: load_evidence(connection, begin, until)


def _body(report: CoverageReport, format_: str, gaps: bool, language: Literal["en", "vi"]) -> bytes:
    if format_ == "json":
        return as_json(report, language).encode()
    if format_ == "csv":
        return as_csv(report, gaps, language).encode()
    if format_ == "geojson":
        return as_geojson(report, language).encode()
    with tempfile.TemporaryDirectory(prefix="ngatu-coverage-") as folder:
        path = Path(folder) / "coverage.xlsx"
        write_xlsx(report, path, language)
        return path.read_bytes()


def _figures_row(each: Figures) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "start": datetime.fromtimestamp(each.start, UTC),
        "end": datetime.fromtimestamp(each.end, UTC),
        "sites": each.sites,
        "installed": each.installed,
        "operational": each.operational,
        "effective": each.effective,
        "time_weighted": each.time_weighted,
        "target": each.target,
        "reached": each.reached,
    }
