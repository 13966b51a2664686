"""Accuracy: how well counted crossings agree with crossings counted by a person."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vision.errors import NgatuError
from vision.types import Direction, VehicleClass


@dataclass(frozen=True, slots=True)
class Event:
    """One crossing, counted by whomever.

    Attributes:
        time: seconds from the start of the clip.
        gate: id of the gate.
        direction: ``in`` or ``out``.
        vehicle_class: what it was.
    """

    time: float
    gate: str
    direction: Direction
    vehicle_class: VehicleClass


@dataclass(frozen=True, slots=True)
class Agreement:
    """Events matched one to one within a window.

    Attributes:
        pairs: index of the truth and of the count, for each match.
        truth: number of true events.
        counted: number of counted events.
    """

    pairs: list[tuple[int, int]]
    truth: int
    counted: int

    @property
    def precision(self) -> float:
        """Share of the counted events that are true."""
        return len(self.pairs) / self.counted if self.counted else 1.0

    @property
    def recall(self) -> float:
        """Share of the true events that were counted."""
        return len(self.pairs) / self.truth if self.truth else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.truth + self.counted
        return 2 * len(self.pairs) / both if both else 1.0


def match_events(truth: Sequence[Event], counted: Sequence[Event], window: float = 0.5) -> Agreement:
    """Match events of the same gate and direction, one to one, not more than ``window`` seconds apart.

    As many as possible are matched, and among those ways the one with the least difference in time.
    """
    offset = np.full((len(truth), len(counted)), np.inf)
    for i, true in enumerate(truth):
        for j, event in enumerate(counted):
            if (true.gate, true.direction) == (event.gate, event.direction):
                offset[i, j] = abs(true.time - event.time)
    possible: NDArray[np.bool_] = offset <= window
    rows, columns = linear_sum_assignment(np.where(possible, offset, 1e4))
    pairs = [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if possible[i, j]]
    return Agreement(pairs, len(truth), len(counted))


def read_events(path: str | Path) -> list[Event]:
    """Read a hand count: CSV with ``time_s, gate, direction, class`` (more columns are ignored).

    Lines that begin with ``#`` are notes.

    Raises:
        NgatuError: a row cannot be read; the message names file, line and column.
    """
    events = []
    with Path(path).open(encoding="utf-8", newline="") as file:
        numbered = ((number, line) for number, line in enumerate(file, 1) if not line.startswith("#"))
        numbers, lines = zip(*numbered, strict=True)
    for number, row in zip(numbers[1:], csv.DictReader(lines), strict=True):
        try:
            direction = row["direction"]
            if direction not in ("in", "out"):
                raise ValueError(f"direction {direction!r} is neither 'in' nor 'out'")
            kind = VehicleClass[row["class"].upper()]
            events.append(Event(float(row["time_s"]), row["gate"], direction, kind))  # type: ignore[arg-type]
        except (KeyError, ValueError) as error:
            raise NgatuError(f"{path}: line {number}: {error}; correct that row of the hand count") from None
    return events
