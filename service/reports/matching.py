"""Counted events beside true ones: how many agree in gate, direction and time, how many would by chance."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vision.accuracy import Event, match_events

DRAWS = 20
"""How often counts at random times are drawn for the score of chance."""

Line = tuple[str, str]
"""Gate and direction."""


@dataclass(frozen=True, slots=True)
class EventScore:
    """How well counted events agree with true ones.

    Attributes:
        window: largest difference in time, seconds.
        manual: number of true events.
        ours: number of counted events.
        matched: pairs, one to one.
        by_chance: pairs that as many counts at random times would make, on average.
        classed: pairs of which the person knew the class.
        class_right: those of them with the same class.
    """

    window: float
    manual: int
    ours: int
    matched: int
    by_chance: float
    classed: int
    class_right: int

    @property
    def precision(self) -> float | None:
        """Share of the counted events that are true; None where nothing was counted."""
        return self.matched / self.ours if self.ours else None

    @property
    def recall(self) -> float | None:
        """Share of the true events that were counted; None where there was none."""
        return self.matched / self.manual if self.manual else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of the two; None where there was no event at all."""
        return self._f1(self.matched)

    @property
    def chance(self) -> float | None:
        """The F1 of as many counts per gate and direction at random times."""
        return self._f1(self.by_chance)

    def _f1(self, pairs: float) -> float | None:
        both = self.manual + self.ours
        return 2 * pairs / both if both else None


def match(truth: Sequence[Event], counted: Sequence[Event], window: float) -> list[tuple[int, int]]:
    """Index pairs as :func:`vision.accuracy.match_events` finds them, in time near linear in their number.

    Events further apart than the window cannot be matched, so that each cluster is solved on its own.
    """
    lines: dict[Line, list[tuple[float, int, int]]] = defaultdict(list)
    for side, events in enumerate((truth, counted)):
        for number, event in enumerate(events):
            lines[event.gate, event.direction].append((event.time, side, number))
    pairs = []
    for line in lines.values():
        line.sort()
        cuts = [n for n, (a, b) in enumerate(pairwise(line), 1) if b[0] - a[0] > window]
        for begin, end in pairwise([0, *cuts, len(line)]):
            ours = [number for _, side, number in line[begin:end] if side == 1]
            true = [number for _, side, number in line[begin:end] if side == 0]
            found = match_events([truth[n] for n in true], [counted[n] for n in ours], window)
            pairs += [(true[i], ours[j]) for i, j in found.pairs]
    return sorted(pairs)


def score(
    truth: Sequence[Event], counted: Sequence[Event], window: float, spans: NDArray[np.float64]
) -> EventScore:
    """Match events and draw as many at random in the compared spans ``[S, 2]``."""
    pairs = match(truth, counted, window)
    known = [(i, j) for i, j in pairs if truth[i].vehicle_class >= 0]
    return EventScore(
        window=window,
        manual=len(truth),
        ours=len(counted),
        matched=len(pairs),
        by_chance=_pairs_by_chance(truth, counted, window, spans),
        classed=len(known),
        class_right=sum(truth[i].vehicle_class == counted[j].vehicle_class for i, j in known),
    )


def most_pairs(truth: NDArray[np.float64], counted: NDArray[np.float64], window: float) -> int:
    """The greatest number of pairs of two sorted lists of moments, one to one, at most ``window`` apart."""
    pairs = i = j = 0
    while i < len(truth) and j < len(counted):
        if abs(truth[i] - counted[j]) <= window:
            pairs, i, j = pairs + 1, i + 1, j + 1
        elif truth[i] < counted[j]:
            i += 1
        else:
            j += 1
    return pairs


def _pairs_by_chance(
    truth: Sequence[Event], counted: Sequence[Event], window: float, spans: NDArray[np.float64]
) -> float:
    random = np.random.default_rng(0)
    lengths = np.diff(spans, axis=1).ravel()
    ends = np.cumsum(lengths)
    total = 0
    for line in sorted({(event.gate, event.direction) for event in counted}):
        true = np.sort([event.time for event in truth if (event.gate, event.direction) == line])
        number = sum((event.gate, event.direction) == line for event in counted)
        for _ in range(DRAWS):
            moment = random.uniform(0, ends[-1], number)
            span = np.searchsorted(ends, moment, side="right")
            span = np.minimum(span, len(ends) - 1)
            total += most_pairs(true, np.sort(spans[span, 1] - (ends[span] - moment)), window)
    return total / DRAWS
