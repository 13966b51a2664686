"""A report as tables on the terminal."""

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from service.reports.bins import Bins
from service.reports.crossings import CLASSES
from service.reports.grid import Column, clock, columns_of, dates, interval_names, total_name
from service.reports.peak import Peak
from service.reports.report import Report, shown
from service.reports.turning import site_volume
from service.reports.words import Language, class_word, say, word


def report_tables(report: Report, language: Language) -> RenderableType:
    """Totals by interval, movements by class, who went where, peak hours and notes."""
    parts: list[RenderableType] = [_by_interval(report, language), _by_class(report, language)]
    if report.layout.entries:
        parts.append(_matrix(report, language))
    parts.append(_peaks(report, language))
    parts += [Text(f"• {say(note, language)}") for note in report.notes]
    return Group(*parts)


def _by_interval(report: Report, language: Language) -> Table:
    bins = report.counts.bins
    table = Table(title=Text(f"{report.site} · {dates(report, language)} · {report.time_zone}"))
    table.add_column(word("interval", language))
    every = columns_of(report.counts, report.layout, language)
    # A screen is not as wide as a sheet: with movements, only what enters by each approach.
    columns = [column for column in every if column.is_total or not report.layout.entries]
    for column in columns:
        last = column is columns[-1]
        heading = column.name if last or not column.is_total else column.group
        heading = f"{column.group} {column.name}" if not column.is_total else heading
        table.add_column(Text(heading), justify="right")
    if report.factors:
        table.add_column(report.factors.unit, justify="right")
    table.add_column(word("observed", language))
    names = interval_names(bins.edges.tolist(), report.time_zone)
    for number, (name, status) in enumerate(zip(names, bins.status, strict=True)):
        total = report.volume[number]
        cells = [_cell(column, number, status) for column in columns]
        if report.factors:
            cells.append(_units(report, total, shown(int(total.sum()), status) is None))
        table.add_row(
            name, *cells, _seen(bins, number, language), style="bold" if _in_peak(report, number) else None
        )
    table.add_section()
    sums = [str(column.values.sum()) for column in columns]
    units = [_units(report, report.volume.sum(axis=0), nothing=False)] if report.factors else []
    table.add_row(word("total", language), *sums, *units, "")
    return table


def _by_class(report: Report, language: Language) -> Table:
    """Entering vehicles by approach and each movement that somebody made, over the whole time, by class."""
    layout, counts = report.layout, report.counts
    table = Table(title=word("class", language))
    table.add_column(word("approach" if layout.entries else "gate", language))
    table.add_column(word("movement", language) if layout.entries else "")
    volume = site_volume(counts.gates, layout).sum(axis=0)
    kinds = [number for number in range(len(CLASSES)) if counts.gates[..., number].any()] or [2]
    for number in kinds:
        table.add_column(class_word(CLASSES[number], language), justify="right")
    table.add_column(word("total", language), justify="right")
    last = ""
    for column in columns_of(counts, layout, language):
        by_class = column.values.sum(axis=0)
        if not by_class.any() and not column.is_total:
            continue
        if column.group != last:
            table.add_section()
        group = Text("" if column.group == last else column.group)
        last = column.group
        numbers = [str(by_class[number]) for number in kinds]
        table.add_row(group, Text(column.name), *numbers, str(by_class.sum()))
    if volume.sum():
        shares = [f"{volume[number] / volume.sum():.0%}" for number in kinds]
        table.add_row("", "%", *shares, "100%")
    return table


def _matrix(report: Report, language: Language) -> Table:
    layout = report.layout
    table = Table(title=word("matrix", language))
    table.add_column(word("entry_exit", language))
    for gate in layout.gates:
        table.add_column(Text(gate.name or gate.id), justify="right")
    table.add_column(word("all_followed", language), justify="right")
    totals = report.matrix.sum(axis=2)
    for number, gate in enumerate(layout.gates):
        table.add_row(
            Text(gate.name or gate.id), *(str(n) for n in totals[number]), str(totals[number].sum())
        )
    table.add_section()
    table.add_row(word("all_followed", language), *(str(n) for n in totals.sum(axis=0)), str(totals.sum()))
    return table


def _peaks(report: Report, language: Language) -> Table:
    table = Table(title=word("peak", language))
    for key in ("approach", "peak", "volume", "phf"):
        table.add_column(word(key, language), justify="right" if key in ("volume", "phf") else "left")

    def add(name: str, peak: Peak | None) -> None:
        if peak is None:
            table.add_row(Text(name), "–", "–", "–")
            return
        hours = f"{clock(peak.start, report.time_zone)}–{clock(peak.end, report.time_zone)}"
        factor = "–" if peak.factor is None else f"{peak.factor:.2f}"
        table.add_row(Text(name), hours, str(peak.volume), factor)

    for approach, peak in zip(report.layout.approaches, report.approach_peaks, strict=True):
        add(report.layout.name_of(approach), peak)
    table.add_section()
    add(total_name(report.layout, language), report.peak)
    return table


def _cell(column: Column, number: int, status: str) -> str:
    count = shown(int(column.values[number].sum()), status)
    return "–" if count is None else str(count)


def _units(report: Report, by_class: NDArray[np.int64], nothing: bool) -> str:
    units = report.units(by_class)
    return "–" if nothing or units is None else f"{units:.1f}"


def _seen(bins: Bins, number: int, language: Language) -> str:
    status = bins.status[number]
    if status != "partial":
        return word(status, language)
    return f"{bins.observed[number]:.0f} / {bins.expected[number]:.0f} s"


def _in_peak(report: Report, number: int) -> bool:
    edges, peak = report.counts.bins.edges, report.peak
    return peak is not None and bool(peak.start <= edges[number] and edges[number + 1] <= peak.end)
