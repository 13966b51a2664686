"""Made-up counts for the tests of reports, in memory and as the files of ``ngatu count``."""

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from service.reports.bins import merge_spans
from service.reports.crossings import DIRECTIONS, Counted, Crossings, Layout
from vision import VehicleClass, View, save_view

ZONE = "Asia/Ho_Chi_Minh"
HALF_PAST_SIX = datetime(2026, 3, 9, 23, 30, tzinfo=UTC).timestamp()
"""06:30 on 10 March 2026 in Hà Nội."""

ARMS = ("north", "east", "south", "west")
_TURNS = ("u_turn", "left", "through", "right")
VIEW = View.model_validate(
    {
        "name": "Ngã tư thử",
        "gates": [
            {"id": arm, "name": f"nhánh {arm}", "approach": arm, "line": [[0.1, n / 10], [0.9, n / 10]]}
            for n, arm in enumerate(ARMS, 1)
        ],
        "movements": [
            {"id": f"{a}-{b}", "from": a, "to": b, "turn": _TURNS[(j - i) % 4]}
            for i, a in enumerate(ARMS)
            for j, b in enumerate(ARMS)
        ],
    }
)
LAYOUT = Layout.of(VIEW)

Passing = tuple[float, str, str, str, str]
"""Seconds after half past six, gate, direction, class label, movement (or empty)."""


def counted(
    passings: Iterable[Passing],
    spans: Sequence[tuple[float, float]],
    layout: Layout = LAYOUT,
    tz: str = ZONE,
    start: float = HALF_PAST_SIX,
) -> Counted:
    """A count; times and spans in seconds after ``start``."""
    rows = list(passings)
    gates = [gate.id for gate in layout.gates]
    movements = [movement.id for movement in layout.movements]
    return Counted(
        site="Ngã tư thử",
        time_zone=tz,
        layout=layout,
        crossings=Crossings(
            np.array([start + row[0] for row in rows], np.float64),
            np.array([gates.index(row[1]) for row in rows], np.intp),
            np.array([DIRECTIONS.index(row[2]) for row in rows], np.int8),
            np.array([VehicleClass[row[3].upper()] for row in rows], np.int8),
            np.array([movements.index(row[4]) if row[4] else -1 for row in rows], np.intp),
        ),
        spans=merge_spans((start + a, start + b) for a, b in spans),
    )


def quarters(volumes: Sequence[int], gate: str = "north") -> list[Passing]:
    """So many motorcycles entering by one gate in each quarter of an hour, evenly."""
    return [
        (900 * number + 900 * (n + 0.5) / volume, gate, "in", "motorcycle", "")
        for number, volume in enumerate(volumes)
        for n in range(volume)
    ]


def stamp(seconds: float, start: float = HALF_PAST_SIX) -> str:
    text = datetime.fromtimestamp(start + seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def write_folder(
    folder: Path,
    passings: Sequence[Passing],
    end: float,
    begin: float = 0.0,
    gaps: Sequence[tuple[float, float]] = (),
    view: View | None = VIEW,
) -> Path:
    """The files that ``ngatu count`` leaves; each passing is a vehicle of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "crossings.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("time", "gate", "direction", "movement", "class", "confidence", "x", "y", "vehicle"))
        for number, (time, gate, direction, kind, movement) in enumerate(passings):
            table.writerow((stamp(time), gate, direction, movement, kind, "0.9", "0.5", "0.5", number))
    summary = {
        "start": stamp(begin),
        "end": stamp(end),
        "time_zone": ZONE,
        "frames": {"gaps": [[stamp(a), stamp(b)] for a, b in gaps]},
    }
    if view:
        save_view(view, folder / "drawn.view.yaml")
        summary["view"] = {"file": "elsewhere/drawn.view.yaml", "version": view.version}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return folder
