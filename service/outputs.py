"""What a count leaves behind: crossings.csv, counts.csv, summary.json, and the table on the terminal."""

import csv
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from rich.table import Table

from service.reports.bins import clock_edges, make_bins
from vision import Crossing, NgatuError, VehicleClass, View
from vision.density import ApproachInterval, Figures, figures_of

Span = tuple[float, float]

CROSSING_FIELDS = ("time", "gate", "direction", "movement", "class", "confidence", "x", "y", "vehicle")
_BY_CLASS = {
    "count_by_class": "count",
    "density_by_class": "density_per_km",
    "space_mean_speed_by_class": "space_mean_speed_kmh",
}
"""Figures by class, and how their columns in metrics.csv begin."""

COUNT_FIELDS = ("start", "end", "kind", "id", "direction", "class", "count", "observed_seconds")


def utc(time: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_crossings(path: Path, crossings: Iterable[Crossing]) -> None:
    """One row a crossing, in order of time; x and y are fractions of the picture's width and height."""
    with _create(path) as file:
        rows = csv.writer(file)
        rows.writerow(CROSSING_FIELDS)
        for c in sorted(crossings, key=lambda c: (c.time, c.gate, c.vehicle)):
            x, y = c.point
            label, sure = c.vehicle_class.label, f"{c.confidence:.3f}"
            rows.writerow(
                (
                    utc(c.time),
                    c.gate,
                    c.direction,
                    c.movement or "",
                    label,
                    sure,
                    f"{x:.4f}",
                    f"{y:.4f}",
                    c.vehicle,
                )
            )


def clock_bins(spans: Sequence[Span], length: float, tz: str) -> list[tuple[float, float, float]]:
    """Intervals aligned to the local clock that cover some spans of observed time.

    Args:
        spans: observed (from, to) in seconds since the epoch, in order, apart from each other.
        length: of an interval in seconds; it divides a day.
        tz: time zone of the clock.

    Returns:
        (start, end, observed seconds) of each half-open interval from the first to the last observed.
    """
    if not spans:
        return []
    bins = make_bins(clock_edges(spans[0][0], spans[-1][1], length, tz), np.array(spans, np.float64))
    return list(zip(bins.edges[:-1].tolist(), bins.edges[1:].tolist(), bins.observed.tolist(), strict=True))


def observed_spans(start: float, end: float, gaps: Iterable[Span]) -> list[Span]:
    """The stretches of ``start`` to ``end`` that lie in none of the gaps."""
    spans, at = [], start
    for begin, to in sorted(gaps):
        if begin > at:
            spans.append((at, min(begin, end)))
        at = max(at, to)
    if at < end:
        spans.append((at, end))
    return spans


def write_counts(
    path: Path, crossings: Sequence[Crossing], view: View, bins: Sequence[tuple[float, float, float]]
) -> None:
    """Counts by interval, gate or movement, and class; a bin that was not observed has no count, not 0.

    The rows of kind ``gate`` of all bins add up to the number of crossings: one that was interpolated into
    a gap between two frames counts there.
    """
    starts = [start for start, _, _ in bins]
    tally: Counter[tuple[float, str, str, str, VehicleClass]] = Counter()
    for c in crossings:
        number = bisect_right(starts, c.time) - 1
        if number < 0 or c.time >= bins[number][1]:
            raise ValueError(f"a crossing at {c.time} lies in none of the bins")
        start = starts[number]
        tally[start, "gate", c.gate, c.direction, c.vehicle_class] += 1
        if c.movement:
            tally[start, "movement", c.movement, "", c.vehicle_class] += 1
    classes = [kind for kind in VehicleClass if kind >= 0 or any(c.vehicle_class == kind for c in crossings)]
    keys = [("gate", gate.id, direction) for gate in view.gates for direction in ("in", "out")]
    keys += [("movement", movement.id, "") for movement in view.movements]
    with _create(path) as file:
        rows = csv.writer(file)
        rows.writerow(COUNT_FIELDS)
        for start, end, observed in bins:
            for kind, name, direction in keys:
                for vehicle_class in classes:
                    number = tally[start, kind, name, direction, vehicle_class]
                    count = number if observed > 0 or number else ""
                    label = vehicle_class.label
                    rows.writerow(
                        (utc(start), utc(end), kind, name, direction, label, count, f"{observed:.2f}")
                    )


def write_metrics(path: Path, records: Iterable[ApproachInterval]) -> None:
    """One row an approach and interval, with all figures; what is not known is empty, with why at the end.

    Figures by class have a column for each class, empty where there was no vehicle of it.
    """
    plain = [each.name for each in fields(Figures) if each.name not in (*_BY_CLASS, "reasons")]
    labels = [kind.label for kind in VehicleClass]
    with _create(path) as file:
        rows = csv.writer(file)
        by_class = [f"{short}_{label}" for short in _BY_CLASS.values() for label in labels]
        rows.writerow((*plain, *by_class, "reasons"))
        for record in records:
            figures = figures_of(record)
            told = {name: getattr(figures, name) for name in plain}
            told |= {"start": utc(figures.start), "end": utc(figures.end)}
            amounts = [(getattr(figures, name) or {}).get(label) for name in _BY_CLASS for label in labels]
            values = [_cell(value) for value in (*told.values(), *amounts)]
            rows.writerow((*values, _reasons(figures.reasons)))


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Readable JSON."""
    with _create(path) as file:
        json.dump(data, file, indent=2, ensure_ascii=False)
        file.write("\n")


def result_table(crossings: Sequence[Crossing], view: View) -> Table:
    """Gates, then movements, by class, with totals."""
    classes = sorted({c.vehicle_class for c in crossings}) or [VehicleClass.CAR]
    table = Table(title=f"{len(crossings)} crossings")
    table.add_column("gate / movement")
    table.add_column("direction")
    for name in [*(kind.label for kind in classes), "total"]:
        table.add_column(name, justify="right")

    def add(name: str, direction: str, chosen: list[Crossing]) -> None:
        by_class = Counter(c.vehicle_class for c in chosen)
        table.add_row(name, direction, *(str(by_class[kind]) for kind in classes), str(len(chosen)))

    for gate in view.gates:
        for direction in ("in", "out"):
            chosen = [c for c in crossings if c.gate == gate.id and c.direction == direction]
            add(gate.id, direction, chosen)
    table.add_section()
    for movement in view.movements:
        chosen = [c for c in crossings if c.movement == movement.id]
        if chosen:
            add(f"{movement.origin} → {movement.destination}", movement.turn.replace("_", "-"), chosen)
    return table


def parse_interval(text: str) -> float:
    """Seconds of an interval written as ``90s``, ``15min`` or ``1h``; it must divide a day.

    Raises:
        NgatuError: it is none of these.
    """
    units = {"min": 60.0, "s": 1.0, "h": 3600.0}
    for unit, seconds in units.items():
        number = text.strip().removesuffix(unit)
        if text.strip().endswith(unit) and number.isascii() and number.isdigit() and int(number) > 0:
            length = int(number) * seconds
            if timedelta(days=1).total_seconds() % length == 0:
                return length
    raise NgatuError(
        f"--interval {text!r}: write a length that divides a day, such as 60s, 5min, 15min or 1h"
    )


def parse_grid(text: str) -> tuple[int, int]:
    """Columns and rows of a grid written as ``2x2``.

    Raises:
        NgatuError: it is none, or has more than 36 tiles.
    """
    columns, _, rows = text.partition("x")
    if columns.isdigit() and rows.isdigit() and 1 < int(columns) * int(rows) <= 36:
        return int(columns), int(rows)
    raise NgatuError(f"--tiles {text!r}: write columns x rows, such as 2x2 or 3x2")


def _create(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise NgatuError(f"cannot write {path}: {error.strerror}; choose another --out folder") from None


def _cell(value: object) -> object:
    """A value as it stands in a table: four digits after the point, nothing where it is unknown."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return "" if value is None else value


def _reasons(reasons: dict[str, str]) -> str:
    """Why figures are missing: ``not_calibrated: density_per_km stops; no_vehicles: headway_mean_s``."""
    codes = dict.fromkeys(reasons.values())
    return "; ".join(
        f"{code}: {' '.join(name for name, why in reasons.items() if why == code)}" for code in codes
    )
