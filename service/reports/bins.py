"""Intervals by the clock of the site's time zone, and how much of each was observed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Status = Literal["complete", "partial", "not_observed"]

QUARTER = 900.0
HOUR = 3600.0

SEAM = 1.0
"""Seconds that may be missing: the last frame of a recording has no duration of its own."""

_CLOCK_STEP = 900
"""Clocks change at whole quarters of an hour of UTC, and zones differ from it by whole quarters."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Half-open intervals that follow each other without a gap.

    Attributes:
        edges: ``float64[B + 1]`` seconds since the epoch.
        observed: ``float64[B]`` observed seconds of each.
    """

    edges: NDArray[np.float64]
    observed: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.observed)

    @property
    def expected(self) -> NDArray[np.float64]:
        """``float64[B]`` seconds that each lasts; at a change of the clock not all last the same."""
        return np.diff(self.edges)

    @property
    def complete(self) -> NDArray[np.bool_]:
        """``bool[B]`` whether each was observed to the end: SEAM may be missing, and no more than 1 %."""
        return self.expected - self.observed <= np.minimum(SEAM, 0.01 * self.expected)

    @property
    def status(self) -> list[Status]:
        """Of each, in words."""
        return [
            "complete" if complete else "partial" if observed > 0 else "not_observed"
            for complete, observed in zip(self.complete, self.observed, strict=True)
        ]

    def index(self, time: NDArray[np.float64]) -> NDArray[np.intp]:
        """``intp[N]`` the bin of each moment.

        Raises:
            ValueError: a moment lies in none.
        """
        number = np.searchsorted(self.edges, time, side="right") - 1
        if len(time) and not (number.min() >= 0 and number.max() < len(self)):
            raise ValueError("a crossing lies in none of the bins")
        return number


def clock_edges(start: float, end: float, length: float, tz: str) -> NDArray[np.float64]:
    """Edges ``float64[B + 1]`` of the intervals by the local clock that cover ``start`` to ``end``.

    An edge is where the clock stands at a multiple of ``length`` since midnight, or jumps over one. So where
    clocks go back an hour, that hour's intervals come twice, and a day lasts 25 hours.

    Args:
        start: first moment to cover, seconds since the epoch.
        end: moment up to which to cover, later than ``start``.
        length: of an interval by the clock, whole seconds; it divides a day.
        tz: time zone of the clock.
    """
    zone = ZoneInfo(tz)
    step = math.gcd(int(length), _CLOCK_STEP)
    margin = int(length) + 2 * 3600
    first, last = math.floor((start - margin) / step) * step, math.ceil((end + margin) / step) * step
    edges, before = [], None
    for moment in range(first, last + step, step):
        local = datetime.fromtimestamp(moment, zone)
        clock = local.toordinal() * 86400 + local.hour * 3600 + local.minute * 60 + local.second
        if clock % int(length) == 0 or (before is not None and clock // int(length) != before):
            edges.append(float(moment))
        before = clock // int(length)
    found = np.array(edges)
    begin = int(np.searchsorted(found, start, side="right")) - 1
    return found[begin : int(np.searchsorted(found, end, side="left")) + 1]


def merge_spans(spans: Iterable[tuple[float, float]], seam: float = 0.0) -> NDArray[np.float64]:
    """``float64[S, 2]`` the same stretches in order, those no more than ``seam`` seconds apart as one."""
    merged: list[list[float]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1] + seam:
            merged[-1][1] = max(merged[-1][1], end)
        elif end > begin:
            merged.append([begin, end])
    return np.array(merged, np.float64).reshape(-1, 2)


def observed_before(spans: NDArray[np.float64], time: NDArray[np.float64]) -> NDArray[np.float64]:
    """``float64[N]`` how many seconds of the spans ``[S, 2]`` lie before each moment ``[N]``."""
    if not len(spans):
        return np.zeros(len(time))
    lengths = np.diff(spans, axis=1).ravel()
    before = np.concatenate([[0.0], np.cumsum(lengths)])
    number = np.searchsorted(spans[:, 0], time, side="right") - 1
    within = np.minimum(time - spans[number, 0], lengths[number])
    return np.where(number < 0, 0.0, before[number] + within)


def make_bins(edges: NDArray[np.float64], spans: NDArray[np.float64]) -> Bins:
    """Intervals between ``edges`` and how much of each lies in the observed spans."""
    return Bins(edges, np.diff(observed_before(spans, edges)))


def is_within(spans: NDArray[np.float64], time: NDArray[np.float64]) -> NDArray[np.bool_]:
    """``bool[N]`` whether each moment lies in one of the spans, ends included."""
    if not len(spans):
        return np.zeros(len(time), np.bool_)
    number = np.searchsorted(spans[:, 0], time, side="right") - 1
    within: NDArray[np.bool_] = (number >= 0) & (time <= spans[number, 1])
    return within


def common_spans(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """``float64[S, 2]`` what lies in both of two lists of spans."""
    return merge_spans(
        (max(x[0], y[0]), min(x[1], y[1]))
        for x in a.tolist()
        for y in b.tolist()
        if min(x[1], y[1]) > max(x[0], y[0])
    )
