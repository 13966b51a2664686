"""A report as a traffic office lays it out: a row an interval, movements as columns, grouped by approach."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from service.reports.crossings import Layout, Movement
from service.reports.report import Report
from service.reports.turning import Counts, approach_volumes, site_volume
from service.reports.words import Language, word


@dataclass(frozen=True, slots=True)
class Column:
    """One column of numbers under a heading.

    Attributes:
        group: the heading above several columns: an approach.
        name: what is counted: a turn, or entering vehicles.
        values: ``int64[B, C]`` by interval and class.
        is_total: whether it sums up its group or all.
    """

    group: str
    name: str
    values: NDArray[np.int64]
    is_total: bool = False


def columns_of(counts: Counts, layout: Layout, language: Language) -> list[Column]:
    """Movements of each approach and its entering vehicles, then the leaving ones, then the site's volume.

    Without movements: each gate, in and out, then all crossings.
    """
    total = Column(
        word("total", language), total_name(layout, language), site_volume(counts.gates, layout), True
    )
    if not layout.entries:
        gates = [
            Column(gate.name or gate.id, word(direction, language), counts.gates[:, number, side])
            for number, gate in enumerate(layout.gates)
            for side, direction in enumerate(("in", "out"))
        ]
        return [*gates, total]
    volumes = approach_volumes(counts.gates, layout)
    columns = []
    for number, approach in enumerate(layout.approaches):
        name, gates_here = layout.name_of(approach), layout.gates_of(approach)
        for index, movement in enumerate(layout.movements):
            if movement.origin in gates_here:
                heading = movement_name(movement, layout, language)
                columns.append(Column(name, heading, counts.movements[:, index]))
        if set(gates_here) & set(layout.entries):
            columns.append(Column(name, word("entering", language), volumes[:, number, 0], True))
    for number, approach in enumerate(layout.approaches):
        columns.append(Column(word("leaving", language), layout.name_of(approach), volumes[:, number, 1]))
    return [*columns, total]


def total_name(layout: Layout, language: Language) -> str:
    """What the site's volume is called: entering vehicles, or crossings where there are no movements."""
    return word("all_entering" if layout.entries else "all_crossings", language)


def movement_name(movement: Movement, layout: Layout, language: Language) -> str:
    """A movement below its approach: its turn, or where it leads if the turn is not known."""
    if movement.turn:
        return word(movement.turn, language)
    return "→ " + layout.name_of(layout.gates[movement.destination].approach)


def clock(time: float, tz: str, pattern: str = "%H:%M") -> str:
    """A moment by the clock of a time zone."""
    return datetime.fromtimestamp(time, ZoneInfo(tz)).strftime(pattern)


def interval_names(edges: Sequence[float], tz: str) -> list[str]:
    """``07:30–07:45`` for each interval; with the date where there are several days."""
    days = {clock(edge, tz, "%Y-%m-%d") for edge in edges[:-1]}
    seconds = ":%S" if any(edge % 60 for edge in edges) else ""
    names = []
    for start, end in pairwise(edges):
        day = clock(start, tz, "%Y-%m-%d ") if len(days) > 1 else ""
        names.append(f"{day}{clock(start, tz, f'%H:%M{seconds}')}–{clock(end, tz, f'%H:%M{seconds}')}")
    often = Counter(names)  # twice where clocks go back
    return [
        f"{name} ({clock(start, tz, '%z')})" if often[name] > 1 else name
        for name, start in zip(names, edges[:-1], strict=True)
    ]


def dates(report: Report, language: Language) -> str:
    """The day or days of a report, as the language writes them."""
    pattern = "%d/%m/%Y" if language == "vi" else "%Y-%m-%d"
    edges = report.counts.bins.edges
    first, last = (clock(edge, report.time_zone, pattern) for edge in (edges[0], edges[-1] - 1))
    return first if first == last else f"{first} – {last}"
