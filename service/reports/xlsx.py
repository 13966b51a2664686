"""A report as a workbook, laid out as a traffic office expects: one sheet for all vehicles, one a class."""

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from service.reports.bins import Status
from service.reports.crossings import CLASSES
from service.reports.grid import Column, clock, columns_of, dates, interval_names, total_name
from service.reports.report import Report
from service.reports.turning import Counts
from service.reports.words import Language, class_word, say, word

Value = Callable[[NDArray[np.int64]], float | None]
"""What a cell shows of its counts by class ``[C]``."""

_HEAD = PatternFill("solid", fgColor="DDE3EA")
_TOTAL = PatternFill("solid", fgColor="F2F4F7")
_PEAK = PatternFill("solid", fgColor="BDD7EE")
_PARTIAL = PatternFill("solid", fgColor="FFF2CC")
_MISSING = PatternFill("solid", fgColor="BFBFBF")
_LINE = Side(style="thin", color="9AA5B1")
_BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_MIDDLE = Alignment(horizontal="center", vertical="center", wrap_text=True)


def write_xlsx(report: Report, path: Path, language: Language = "en") -> None:
    """Write the workbook; what was not observed is an empty grey cell.

    Raises:
        OSError: it cannot be written.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    counts = report.counts
    sheets: list[tuple[str, Counts, Value]] = [(word("all", language), counts, _every_class)]
    for number, kind in enumerate(CLASSES):
        if counts.gates[..., number].any():
            sheets.append((class_word(kind, language), counts, _one_class(number)))
    if report.factors:
        sheets.append((report.factors.unit, counts, report.units))
    sheets.append((word("profile", language), report.hours, _every_class))
    for number, (name, counts, value) in enumerate(sheets):
        sheet = book.create_sheet(name[:31])
        row, width = _grid(sheet, name, report, counts, language, value)
        told = [word("legend", language)]
        if number == 0:
            row = _peaks(sheet, row + 1, report, language)
            told = [*(say(note, language) for note in report.notes), *told]
        _lines(sheet, row + 1, word("notes", language), told, width)
    if report.layout.entries:
        _matrix(book.create_sheet(word("matrix", language)[:31]), report, language)
    book.save(path)


def _every_class(counted: NDArray[np.int64]) -> int:
    return int(counted.sum())


def _one_class(number: int) -> Value:
    return lambda counted: int(counted[number])


def _grid(
    sheet: Worksheet, name: str, report: Report, counts: Counts, language: Language, value: Value
) -> tuple[int, int]:
    """Title, headings of two lines, a row an interval, totals; returns the row after and the width."""
    columns = columns_of(counts, report.layout, language)
    width = len(columns) + 4
    top = _title(sheet, report, language, name, width)
    _headings(sheet, top, columns, language)
    names = interval_names(counts.bins.edges.tolist(), report.time_zone)
    row = top + 2
    for number, status in enumerate(counts.bins.status):
        start, _, end = names[number].partition("–")
        fill = _fill(report, counts, number, status)
        _put(sheet, row, 1, start, fill=fill)
        _put(sheet, row, 2, end, fill=fill)
        for place, column in enumerate(columns, 3):
            figure = value(column.values[number])
            figure = None if status == "not_observed" and not figure else figure
            cell = _put(sheet, row, place, figure, fill=fill or _shade(column))
            cell.font = Font(bold=column.is_total)
        _put(sheet, row, width - 1, round(float(counts.bins.observed[number]), 1), fill=fill)
        _put(sheet, row, width, word(status, language), fill=fill)
        row += 1
    _put(sheet, row, 1, word("total", language), fill=_TOTAL).font = Font(bold=True)
    _put(sheet, row, 2, None, fill=_TOTAL)
    for place, column in enumerate(columns, 3):
        _put(sheet, row, place, value(column.values.sum(axis=0)), fill=_TOTAL).font = Font(bold=True)
    _put(sheet, row, width - 1, round(float(counts.bins.observed.sum()), 1), fill=_TOTAL)
    _put(sheet, row, width, None, fill=_TOTAL)
    _set_page(sheet, top, width)
    return row + 1, width


def _title(sheet: Worksheet, report: Report, language: Language, name: str, width: int) -> int:
    """Title, site, date, time zone; returns the first row of the headings."""
    title = word("title" if report.layout.entries else "gate_title", language)
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)
    _text(sheet, 1, 1, f"{title} – {name}").font = Font(bold=True, size=14)
    about = (("site", report.site), ("date", dates(report, language)), ("time_zone", report.time_zone))
    for row, (key, told) in enumerate(about, 2):
        _text(sheet, row, 1, word(key, language)).font = Font(bold=True)
        _text(sheet, row, 3, told)
    return 6


def _headings(sheet: Worksheet, top: int, columns: Sequence[Column], language: Language) -> None:
    """Two lines: the group over its columns; interval, observed seconds and status over both lines."""
    width = len(columns) + 4
    seconds = f"{word('observed', language)} (s)"
    upper = [word("from", language), word("to", language), *(column.group for column in columns)]
    upper += [seconds, word("status", language)]
    lower = ["", "", *(column.name for column in columns), "", ""]
    for row, headings in ((top, upper), (top + 1, lower)):
        for place, heading in enumerate(headings, 1):
            cell = _put(sheet, row, place, heading, fill=_HEAD)
            cell.font, cell.alignment = Font(bold=True), _MIDDLE
    for place in (1, 2, width - 1, width):
        sheet.merge_cells(start_row=top, start_column=place, end_row=top + 1, end_column=place)
    place = 3
    for _, group in groupby(columns, key=lambda column: column.group):
        many = len(list(group))
        if many > 1:
            sheet.merge_cells(start_row=top, start_column=place, end_row=top, end_column=place + many - 1)
        place += many


def _peaks(sheet: Worksheet, row: int, report: Report, language: Language) -> int:
    """Each approach's peak hour and the site's; returns the row after."""
    headings = ("approach", "peak", "volume", "phf")
    for place, key in zip((1, 3, 5, 6), headings, strict=True):
        _text(sheet, row, place, word(key, language)).font = Font(bold=True)
    names = [report.layout.name_of(approach) for approach in report.layout.approaches]
    for name, peak in zip(
        [*names, total_name(report.layout, language)], [*report.approach_peaks, report.peak], strict=True
    ):
        row += 1
        _text(sheet, row, 1, name)
        if peak is None:
            _text(sheet, row, 3, "–")
            continue
        hours = f"{clock(peak.start, report.time_zone)}–{clock(peak.end, report.time_zone)}"
        _text(sheet, row, 3, hours).fill = _PEAK
        sheet.cell(row, 5, peak.volume)
        cell = sheet.cell(row, 6, None if peak.factor is None else round(peak.factor, 4))
        cell.number_format = "0.00"
    return row + 1


def _lines(sheet: Worksheet, row: int, heading: str, lines: Sequence[str], width: int) -> None:
    """Sentences below a table, each over its whole width."""
    _text(sheet, row, 1, heading).font = Font(bold=True)
    for place, told in enumerate(lines, row + 1):
        sheet.merge_cells(start_row=place, start_column=1, end_row=place, end_column=width)
        _text(sheet, place, 1, told).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[place].height = 15 * (1 + len(told) // (9 * width))


def _matrix(sheet: Worksheet, report: Report, language: Language) -> None:
    layout, totals = report.layout, report.matrix.sum(axis=2)
    top = _title(sheet, report, language, word("matrix", language), len(layout.gates) + 2)
    names = [gate.name or gate.id for gate in layout.gates]
    headings = [word("entry_exit", language), *names, word("all_followed", language)]
    for place, heading in enumerate(headings, 1):
        cell = _put(sheet, top, place, heading, fill=_HEAD)
        cell.font, cell.alignment = Font(bold=True), _MIDDLE
    for number, name in enumerate(names):
        for place, told in enumerate([name, *totals[number].tolist(), int(totals[number].sum())], 1):
            _put(sheet, top + 1 + number, place, told, fill=_HEAD if place == 1 else None)
    last = [word("all_followed", language), *totals.sum(axis=0).tolist(), int(totals.sum())]
    for place, told in enumerate(last, 1):
        _put(sheet, top + 1 + len(names), place, told, fill=_TOTAL).font = Font(bold=True)
    _set_page(sheet, top - 1, len(headings), wide=18)


def _set_page(sheet: Worksheet, top: int, width: int, wide: int = 11) -> None:
    """Widths, frozen headings, and printing: landscape, as wide as the page, headings on every page."""
    for place in range(1, width + 1):
        sheet.column_dimensions[get_column_letter(place)].width = wide
    sheet.column_dimensions["A"].width = sheet.column_dimensions["B"].width = 17
    sheet.freeze_panes = f"{'C' if width > 8 else 'A'}{top + 2}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9  # A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = f"{top}:{top + 1}"


def _fill(report: Report, counts: Counts, number: int, status: Status) -> PatternFill | None:
    if status == "not_observed":
        return _MISSING
    if status == "partial":
        return _PARTIAL
    edges, peak = counts.bins.edges, report.peak
    in_peak = peak is not None and peak.start <= edges[number] and edges[number + 1] <= peak.end
    return _PEAK if in_peak else None


def _shade(column: Column) -> PatternFill | None:
    return _TOTAL if column.is_total else None


def _put(
    sheet: Worksheet, row: int, column: int, value: str | float | None, fill: PatternFill | None = None
) -> Cell:
    """A cell of a table, with its frame."""
    cell = _text(sheet, row, column, value) if isinstance(value, str) else _cell(sheet, row, column, value)
    cell.border = _BOX
    if isinstance(value, float):
        cell.value, cell.number_format = round(value, 4), "0.0"
    if fill:
        cell.fill = fill
    return cell


def _text(sheet: Worksheet, row: int, column: int, text: str) -> Cell:
    """A cell that holds text: a name that begins with ``=`` is no formula."""
    cell = _cell(sheet, row, column, ILLEGAL_CHARACTERS_RE.sub("", text))
    cell.data_type = "s"
    return cell


def _cell(sheet: Worksheet, row: int, column: int, value: str | float | None) -> Cell:
    cell = cast(Cell, sheet.cell(row, column))  # none is written after it was merged away
    cell.value = value
    return cell
