"""A report of coverage as JSON, CSV, GeoJSON and a workbook."""

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from service.coverage.figures import Figures
from service.coverage.gaps import Gap, SiteStatus
from service.coverage.report import CoverageReport
from service.coverage.words import Language, clock, next_step, outlook, say, why
from service.outputs import utc

SHARES = ("installed", "operational", "effective", "time_weighted")

_HEAD = PatternFill("solid", fgColor="DDE3EA")


def as_json(report: CoverageReport, language: Language) -> str:
    """Everything; times in UTC, shares 0 to 1, null where not known."""
    data = {
        "at": utc(report.at),
        "start": None if report.start is None else utc(report.start),
        "time_zone": report.tz,
        "illustrative_sites": sum(each.site.illustrative for each in report.sites),
        "figures": [_figures_fields(each) for each in report.figures],
        "history": [_figures_fields(each) for each in report.history],
        "outlook": {
            kind: {
                "date": None if found.date is None else utc(found.date)[:10],
                "reason": found.obstacle,
                "points_a_day": None if found.pace is None else round(100 * found.pace, 4),
                "days_of_history": found.days,
                "text": outlook(found, language, report.tz),
            }
            for kind, found in report.outlook.items()
        },
        "gaps": [_gap_fields(each, report.tz, language) for each in report.gaps],
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def as_csv(report: CoverageReport, gaps: bool, language: Language) -> str:
    """The figures, those of each part of a period if it is one; or the gaps."""
    if gaps:
        columns = ["kind", "site", "name", "ward", "why", "next_step"]
        rows = [_gap_row(each, report.tz, language) for each in report.gaps]
    else:
        columns = ["kind", "start", "end", "sites", *SHARES, "target", "reached"]
        rows = [list(_figures_fields(each).values()) for each in report.history or report.figures]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows([str(cell).lower() if isinstance(cell, bool) else cell for cell in row] for row in rows)
    return text.getvalue()


def as_geojson(report: CoverageReport, language: Language) -> str:
    """Each key site as a point with its state; a site without a position has no geometry."""
    features = [_feature(each, report.tz, language) for each in report.sites]
    head = f'"at": {json.dumps(utc(report.at))}'
    rows = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    return f'{{"type": "FeatureCollection", {head}, "features": [\n{rows}\n]}}\n'


def write_xlsx(report: CoverageReport, path: Path, language: Language) -> None:
    """A workbook with a sheet of figures, one of gaps, and for a period one of its history.

    Raises:
        OSError: it cannot be written.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    _figures_sheet(book, "figures", report.figures, report, language)
    if report.history:
        _figures_sheet(book, "history", report.history, report, language)
    sheet = book.create_sheet(say("gaps", language))
    names = ("kind", "site", "name", "ward", "reason", "next_step")
    sheet.append([say(name, language) for name in names])
    for gap in report.gaps:
        kind, *rest = _gap_row(gap, report.tz, language)
        sheet.append([say(f"one_{kind}", language), *(_safe(cell) for cell in rest)])
    for each in book.worksheets:
        _finish(each)
    book.save(path)


def _figures_fields(figures: Figures) -> dict[str, Any]:
    shares = {name: _rounded(getattr(figures, name)) for name in SHARES}
    return {
        "kind": figures.kind,
        "start": utc(figures.start),
        "end": utc(figures.end),
        "sites": round(figures.sites, 4),
        **shares,
        "target": figures.target,
        "reached": figures.reached,
    }


def _gap_fields(gap: Gap, tz: str, language: Language) -> dict[str, Any]:
    reasons = []
    for reason in gap.reasons:
        since = None if reason.since is None else utc(reason.since)
        reasons.append(asdict(reason) | {"since": since, "text": why(reason, language, tz)})
    step = {"code": gap.next_step.code, "text": next_step(gap.next_step, language, tz)}
    return {
        "site": gap.site.id,
        "kind": gap.site.kind,
        "name": gap.site.name,
        "ward": gap.site.ward,
        "reasons": reasons,
        "next_step": step,
    }


def _gap_row(gap: Gap, tz: str, language: Language) -> list[str]:
    reasons = "; ".join(why(reason, language, tz) for reason in gap.reasons)
    step = next_step(gap.next_step, language, tz)
    return [gap.site.kind, gap.site.id, gap.site.name, gap.site.ward, reasons, step]


def _feature(status: SiteStatus, tz: str, language: Language) -> dict[str, Any]:
    site = status.site
    point = None if site.lat is None else {"type": "Point", "coordinates": [site.lon, site.lat]}
    fields: dict[str, Any] = {
        "id": site.id,
        "kind": status.kind,
        "name": site.name,
        "ward": site.ward,
        "installed": status.installed,
        "operational": status.operational,
        "effective": status.effective,
        "why": "",
        "next_step": "",
    }
    if status.gap:
        *_, fields["why"], fields["next_step"] = _gap_row(status.gap, tz, language)
    return {"type": "Feature", "id": site.id, "geometry": point, "properties": fields}


def _figures_sheet(
    book: Workbook, title: str, rows: list[Figures], report: CoverageReport, language: Language
) -> None:
    sheet = book.create_sheet(say(title, language))
    names = ("kind", "start", "end", "sites", *SHARES, "target")
    sheet.append([say(name, language) for name in names])
    for each in rows:
        shares = [_rounded(getattr(each, name)) for name in SHARES]
        start, end = clock(each.start, report.tz), clock(each.end, report.tz)
        sheet.append([say(each.kind, language), start, end, round(each.sites, 2), *shares, each.target])
        for cell in sheet[sheet.max_row][4:]:
            cell.number_format = "0.0%"


def _finish(sheet: Any) -> None:
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), _HEAD
    for number, column in enumerate(sheet.columns, 1):
        longest = max(len(str(cell.value or "")) for cell in column)
        sheet.column_dimensions[get_column_letter(number)].width = min(max(longest + 2, 10), 70)
    sheet.freeze_panes = "A2"


def _safe(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 6)
