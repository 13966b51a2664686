"""Reading what ``ngatu count`` left behind: crossings.csv, and beside it the summary and the view."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from service.outputs import observed_spans
from service.reports.bins import merge_spans
from service.reports.crossings import DIRECTIONS, Counted, Crossings, Gate, Layout, Movement, Note
from service.reports.table_file import ClipClock, Row, TableFile, read_table
from vision import NgatuError, View, ViewError, load_view

MOST_OVERLAP = 10.0
"""Seconds by which a recorder may let a file begin before the last one ends; more is another camera's."""

NO_ZONE = "Asia/Ho_Chi_Minh"
"""The time zone where none is said."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One crossings.csv and what is known of it."""

    path: Path
    rows: tuple[Row, ...]
    moments: NDArray[np.float64]
    spans: NDArray[np.float64]
    view: View | None
    about: dict[str, Any]
    notes: tuple[Note, ...]


def load_counted(paths: Sequence[Path], view_path: Path | None = None, tz: str | None = None) -> Counted:
    """Read the counts of one camera: one recording, or several one after the other.

    Args:
        paths: folders of ``ngatu count``, or their crossings.csv.
        view_path: the view that was counted with; None takes the one that the summary names.
        tz: time zone of the site; None takes the one counted with.

    Raises:
        NgatuError: a file is missing or cannot be read; or two recordings overlap in time.
    """
    given = load_view(view_path) if view_path else None
    parts = _in_order([_read(path, given, tz) for path in paths])
    layout = _layout(parts)
    views = [part.view for part in parts if part.view]
    return Counted(
        site=(views[0].name if views else "") or _place(parts[0].path),
        time_zone=tz or parts[0].about.get("time_zone") or NO_ZONE,
        layout=layout,
        crossings=Crossings.join([_crossings(part, layout) for part in parts]),
        spans=merge_spans((float(a), float(b)) for part in parts for a, b in part.spans),
        notes=tuple(note for part in parts for note in part.notes),
    )


def _place(path: Path) -> str:
    """What to call a count whose view has no name."""
    return path.parent.resolve().name if path.name == "crossings.csv" else path.name.removesuffix(".csv")


def _read(path: Path, given: View | None, tz: str | None) -> _Part:
    path = path / "crossings.csv" if path.is_dir() else path
    table = read_table(path)
    table.need("time", "gate", "direction", "class")
    about, spans = _summary(path)
    rows, notes = one_basis(table)
    clock = ClipClock(None, None, ZoneInfo(tz or about.get("time_zone") or NO_ZONE))
    moments = np.array([_moment(row, clock) for row in rows], np.float64)
    if spans is None:
        notes.append(Note("span_assumed", {"file": str(path)}))
        ends = [(float(moments.min()), float(moments.max()))] if len(moments) else []
        spans = merge_spans(ends)
    view = given
    if view is None:
        view, told = _view_of(path, about)
        notes += told if any(row.cells.get("movement") for row in rows) or view else []
    return _Part(path, rows, moments, spans, view, about, tuple(notes))


def one_basis(table: TableFile) -> tuple[tuple[Row, ...], list[Note]]:
    """Rows of one basis: the truth of our sample clips tells each crossing on the ground and by the box."""
    if len({row.cells.get("basis") for row in table.rows}) < 2:
        return table.rows, []
    boxes = tuple(row for row in table.rows if row.cells["basis"] == "box")
    return boxes, [Note("basis", {"file": str(table.path)})]


def _moment(row: Row, clock: ClipClock) -> float:
    try:
        return clock.moment(row.cells["time"])
    except ValueError as error:
        raise row.fault(f"time: {error}") from None


def _summary(crossings: Path) -> tuple[dict[str, Any], NDArray[np.float64] | None]:
    """The summary beside a crossings.csv and the spans observed by it; None where it does not tell them."""
    path = crossings.with_name("summary.json")
    if crossings.name != "crossings.csv" or not path.exists():
        return {}, None
    try:
        about = dict(json.loads(path.read_text(encoding="utf-8")))
        ZoneInfo(about.get("time_zone") or NO_ZONE)
        return about, _observed(about)
    except (OSError, LookupError, ValueError, TypeError, AttributeError):
        raise NgatuError(f"{path} cannot be read as a summary; count again, or take it away") from None


def _observed(about: dict[str, Any]) -> NDArray[np.float64] | None:
    if not about.get("start") or not about.get("end"):
        return None
    start, end = (_epoch(about[key]) for key in ("start", "end"))
    gaps = [(_epoch(begin), _epoch(to)) for begin, to in about.get("frames", {}).get("gaps", [])]
    return merge_spans(observed_spans(start, end, gaps))


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _view_of(path: Path, about: dict[str, Any]) -> tuple[View | None, list[Note]]:
    """The view that the summary names, looked for from here and from the folder; else view.yaml in it."""
    said = about.get("view") or {}
    name = str(said.get("file", ""))
    places = [Path(name), path.parent / Path(name).name] if name else []
    for place in [*places, path.parent / "view.yaml"]:
        try:
            view = load_view(place) if place.is_file() else None
        except ViewError:
            view = None
        if view and said.get("version", view.version) != view.version:
            values = {"file": str(path), "counted": said["version"], "read": view.version}
            return view, [Note("view_changed", values)]
        if view:
            return view, []
    return None, [Note("no_view", {"file": str(path)})]


def _in_order(parts: list[_Part]) -> list[_Part]:
    """Recordings one after the other; what two of them saw is left to the first."""
    parts = sorted(parts, key=lambda part: float(part.spans[0, 0]) if len(part.spans) else 0.0)
    kept = parts[:1]
    for part in parts[1:]:
        before = max((float(each.spans[-1, 1]) for each in kept if len(each.spans)), default=-np.inf)
        if not len(part.spans) or part.spans[0, 0] >= before:
            kept.append(part)
            continue
        seconds = float(min(before, part.spans[-1, 1]) - part.spans[0, 0])
        if seconds > MOST_OVERLAP:
            raise NgatuError(
                f"{kept[-1].path} and {part.path} saw the same {seconds:.0f} s, and would be counted twice; "
                "give recordings of one camera, each moment once"
            )
        new = part.moments >= before
        rows = tuple(row for row, later in zip(part.rows, new, strict=True) if later)
        spans = merge_spans((max(float(a), before), float(b)) for a, b in part.spans if b > before)
        values = {"file": str(part.path), "seconds": round(seconds, 2), "count": int((~new).sum())}
        notes = (*part.notes, Note("overlap", values))
        kept.append(replace(part, rows=rows, moments=part.moments[new], spans=spans, notes=notes))
    return kept


def _layout(parts: Sequence[_Part]) -> Layout:
    """The gates and movements of all parts: by their view, else by what occurs in the crossings."""
    drawn = [part for part in parts if part.view]
    layouts = [Layout.of(part.view) for part in drawn if part.view]
    for part, layout in zip(drawn, layouts, strict=True):
        if [gate.id for gate in layout.gates] != [gate.id for gate in layouts[0].gates]:
            raise NgatuError(
                f"{drawn[0].path} and {part.path} were counted at different gates; report on them one by one"
            )
    return layouts[0] if layouts else _layout_by_rows(parts)


def _layout_by_rows(parts: Sequence[_Part]) -> Layout:
    names = sorted({row.cells["gate"] for part in parts for row in part.rows})
    index = {name: number for number, name in enumerate(names)}
    movements: dict[str, Movement] = {}
    for part in parts:
        entered: dict[str, str] = {}
        for number in np.argsort(part.moments, kind="stable"):
            cells = part.rows[number].cells
            vehicle, name = cells.get("vehicle", ""), cells.get("movement", "")
            if name and name not in movements:
                origin = index.get(entered.get(vehicle, ""), -1)
                movements[name] = Movement(name, origin, index[cells["gate"]], "")
            if vehicle and cells["direction"] == "in":
                entered[vehicle] = cells["gate"]
    return Layout(
        tuple(Gate(name, "", name) for name in names),
        tuple(sorted(movements.values(), key=lambda m: (m.origin, m.destination))),
    )


def _crossings(part: _Part, layout: Layout) -> Crossings:
    gates = {gate.id: number for number, gate in enumerate(layout.gates)}
    movements = {movement.id: number for number, movement in enumerate(layout.movements)} | {"": -1}

    def number_of(row: Row, column: str, among: dict[str, int]) -> int:
        name = row.cells.get(column, "")
        if name not in among:
            known = ", ".join(each for each in among if each)
            raise row.fault(
                f"{column}: {name!r} is not in the view (it has {known}); give the view with --view"
            )
        return among[name]

    for row in part.rows:
        if row.cells["direction"] not in DIRECTIONS:
            raise row.fault(f"direction: {row.cells['direction']!r} is neither 'in' nor 'out'")
    return Crossings(
        part.moments,
        np.array([number_of(row, "gate", gates) for row in part.rows], np.intp),
        np.array([DIRECTIONS.index(row.cells["direction"]) for row in part.rows], np.int8),
        np.array([row.vehicle_class() for row in part.rows], np.int8),
        np.array([number_of(row, "movement", movements) for row in part.rows], np.intp),
    )
