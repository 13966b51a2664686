"""Reading a manual count: a row for each event, or a row for each interval, gate or movement, and class."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from service.reports.bins import merge_spans
from service.reports.crossings import DIRECTIONS, Counted, Layout, Note
from service.reports.load import one_basis
from service.reports.table_file import ClipClock, Row, TableFile, parse_counted, read_table
from vision import NgatuError

ALL_CLASSES = -2
"""Stands in ``class_id`` for a count of all classes together."""


_ROUNDING = 0.01
"""Seconds by which a stretch that is written with two digits may miss an event."""


class Key(NamedTuple):
    """What a count is of.

    Attributes:
        kind: ``gate`` or ``movement``.
        id: of that gate or movement.
        direction: ``in``, ``out``, or empty: both together, or a movement.
    """

    kind: str
    id: str
    direction: str


@dataclass(frozen=True, slots=True)
class Entries:
    """Counts in time; a crossing weighs 1, an interval's count stands at its start.

    Attributes:
        time: ``float64[N]`` seconds since the epoch.
        key: ``intp[N]`` index of what it is a count of.
        class_id: ``int8[N]`` a VehicleClass, or ALL_CLASSES.
        weight: ``int64[N]`` vehicles.
    """

    time: NDArray[np.float64]
    key: NDArray[np.intp]
    class_id: NDArray[np.int8]
    weight: NDArray[np.int64]

    @classmethod
    def of(cls, items: "Sequence[tuple[float, int, int, int]]") -> "Entries":
        """From (time, key, class, weight) each, in order of time."""
        columns = list(zip(*sorted(items), strict=True)) or [(), (), (), ()]
        return cls(
            np.array(columns[0], np.float64),
            np.array(columns[1], np.intp),
            np.array(columns[2], np.int8),
            np.array(columns[3], np.int64),
        )

    def where(self, chosen: NDArray[np.bool_]) -> "Entries":
        """Those chosen ``bool[N]``."""
        return Entries(self.time[chosen], self.key[chosen], self.class_id[chosen], self.weight[chosen])


@dataclass(frozen=True, slots=True)
class Intervals:
    """The intervals of a manual count.

    Attributes:
        edges: ``float64[B, 2]`` start and end of each, in order.
        counted: ``bool[B, K]`` whether it has a count for a key.
    """

    edges: NDArray[np.float64]
    counted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ManualCount:
    """What a person counted.

    Attributes:
        keys: the K gates and directions, and movements, that were counted.
        entries: the counts.
        spans: ``float64[S, 2]`` the stretch in which events were counted; empty for intervals.
        intervals: None where single events were counted.
        notes: what is to be known of it.
    """

    keys: tuple[Key, ...]
    entries: Entries
    spans: NDArray[np.float64]
    intervals: Intervals | None = None
    notes: tuple[Note, ...] = ()


def read_manual(path: Path, ours: Counted, interval: float) -> ManualCount:
    """Read a manual count of either kind; a column ``count`` makes it one of intervals.

    Times without a date or an offset are those of our count's day and time zone.

    Args:
        path: the CSV file.
        ours: what it is to be compared with.
        interval: seconds that an interval lasts where the file has no column ``end``.

    Raises:
        NgatuError: the file is missing, a column is, or a row cannot be read; it names file, line and column.
    """
    table = read_table(path)
    spans = ours.spans
    start, end = (float(spans[0, 0]), float(spans[-1, 1])) if len(spans) else (None, None)
    clock = ClipClock(start, end, ZoneInfo(ours.time_zone))
    if "count" in table.columns:
        return _read_intervals(table, ours.layout, clock, interval)
    return _read_events(table, ours.layout, clock)


def _read_events(table: TableFile, layout: Layout, clock: ClipClock) -> ManualCount:
    column = next((name for name in ("time", "time_s", "seconds") if name in table.columns), "time")
    table.need(column, "gate", "direction", "class")
    rows, notes = one_basis(table)
    named = list(dict.fromkeys(_gate(row, layout) for row in rows))
    keys = [Key("gate", gate, direction) for gate in named for direction in DIRECTIONS]
    keys += [
        Key("movement", name, "")
        for name in dict.fromkeys(_movement(row, layout) for row in rows if row.cells.get("movement"))
    ]
    index = {key: number for number, key in enumerate(keys)}
    items = []
    for row in rows:
        time, kind = _moment(row, column, clock), row.vehicle_class()
        items.append((time, index[Key("gate", row.cells["gate"], _direction(row))], int(kind), 1))
        if row.cells.get("movement"):
            items.append((time, index[Key("movement", row.cells["movement"], "")], int(kind), 1))
    entries = Entries.of(items)
    try:
        stretch = parse_counted(table.counted, clock) if table.counted else None
    except ValueError as error:
        raise NgatuError(f"{table.path}: # counted: {error}") from None
    if stretch is None:
        if not items:
            raise NgatuError(
                f"{table.path} holds no events and no line '# counted: 0.0-40.0' says what was seen"
            )
        stretch = (float(entries.time[0]), float(entries.time[-1]))
        notes = [*notes, Note("stretch_assumed", {"file": str(table.path)})]
    apart = np.maximum(stretch[0] - entries.time, entries.time - stretch[1])
    outside = int((apart > _ROUNDING).sum())
    if outside:
        raise NgatuError(
            f"{table.path}: {outside} events lie outside of '# counted: {table.counted}'; correct it"
        )
    return ManualCount(tuple(keys), entries, merge_spans([stretch]), notes=tuple(notes))


def _read_intervals(table: TableFile, layout: Layout, clock: ClipClock, length: float) -> ManualCount:
    column = next((name for name in ("start", "interval_start", "time") if name in table.columns), "start")
    table.need(column)
    if not {"gate", "movement"} & set(table.columns) and not {"kind", "id"} <= set(table.columns):
        table.need(column, "gate", "count")
    seen: dict[tuple[float, Key, int], Row] = {}
    ends: dict[float, float] = {}
    items: list[tuple[float, Key, int, int]] = []
    for row in table.rows:
        start = _moment(row, column, clock)
        end = _moment(row, "end", clock) if row.cells.get("end") else start + length
        if end <= start:
            raise row.fault("end: it is not after the start")
        if ends.setdefault(start, end) != end:
            raise row.fault("end: another row with this start has another end")
        key, kind = _key(row, layout), _class_or_all(row)
        if (start, key, kind) in seen:
            raise row.fault(f"the same interval, place and class stand in {seen[start, key, kind].where} too")
        seen[start, key, kind] = row
        if (count := _count(row)) is not None:
            items.append((start, key, kind, count))
    if any(kind == ALL_CLASSES for _, _, kind, _ in items) and any(
        kind != ALL_CLASSES for *_, kind, _ in items
    ):
        raise NgatuError(f"{table.path}: class: holds both 'all' and single classes; keep one of them")
    intervals = np.array(sorted(ends.items()), np.float64).reshape(-1, 2)
    if (intervals[1:, 0] < intervals[:-1, 1]).any():
        raise NgatuError(
            f"{table.path}: intervals overlap; give the right --interval, or a column end for each"
        )
    keys = list(dict.fromkeys(key for _, key, _, _ in items))
    for key in keys:
        if not key.direction and {(key.kind, key.id, each) for each in DIRECTIONS} & set(keys):
            raise NgatuError(
                f"{table.path}: direction: gate {key.id!r} has it in some rows only; write it in all or none"
            )
    counted = np.zeros((len(intervals), len(keys)), np.bool_)
    for start, key, _, _ in items:
        counted[int(np.searchsorted(intervals[:, 0], start)), keys.index(key)] = True
    entries = Entries.of([(start, keys.index(key), kind, count) for start, key, kind, count in items])
    return ManualCount(tuple(keys), entries, np.zeros((0, 2)), Intervals(intervals, counted))


def _moment(row: Row, column: str, clock: ClipClock) -> float:
    try:
        return clock.moment(row.cells[column])
    except ValueError as error:
        raise row.fault(f"{column}: {error}") from None


def _gate(row: Row, layout: Layout) -> str:
    name = row.cells.get("gate", "")
    if name not in [gate.id for gate in layout.gates]:
        ours = ", ".join(gate.id for gate in layout.gates)
        raise row.fault(f"gate: {name!r} is not among ours ({ours}); correct it or give the view with --view")
    return name


def _movement(row: Row, layout: Layout) -> str:
    name = row.cells["movement"]
    if name not in [movement.id for movement in layout.movements]:
        ours = ", ".join(movement.id for movement in layout.movements) or "none"
        raise row.fault(f"movement: {name!r} is not among ours ({ours}); correct it or give --view")
    return name


def _direction(row: Row) -> str:
    if row.cells["direction"] not in DIRECTIONS:
        raise row.fault(f"direction: {row.cells['direction']!r} is neither 'in' nor 'out'")
    return row.cells["direction"]


def _key(row: Row, layout: Layout) -> Key:
    """What a row of an interval counts; our own counts.csv says kind and id."""
    if row.cells.get("kind") in ("gate", "movement") and "id" in row.cells:
        row = Row(row.where, {**row.cells, row.cells["kind"]: row.cells["id"]})
    gate, movement = row.cells.get("gate", ""), row.cells.get("movement", "")
    if bool(gate) == bool(movement):
        raise row.fault("gate, movement: name one of the two")
    if movement:
        return Key("movement", _movement(row, layout), "")
    return Key("gate", _gate(row, layout), _direction(row) if row.cells.get("direction") else "")


def _class_or_all(row: Row) -> int:
    if row.cells.get("class", "").lower() in ("", "all", "total"):
        return ALL_CLASSES
    return int(row.vehicle_class())


def _count(row: Row) -> int | None:
    """Vehicles; None where the cell is empty: that was not counted."""
    text = row.cells["count"]
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise row.fault(f"count: {text!r} is no number of vehicles; leave it empty where nobody counted")
    return int(text)
