"""Sets of half-open intervals of time as arrays: union, intersection, difference, and lengths within bins.

A set is ``float64[N, 2]``, [start, end) in seconds, in order, none empty, none touching the next. Starts are
finite; an end may be infinite.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

NOTHING: Floats = np.zeros((0, 2))
NOTHING.flags.writeable = False


def make_set(pairs: Iterable[tuple[float, float]] | Floats) -> Floats:
    """The set of moments that lie in any of some (start, end) pairs, in any order, overlapping or empty."""
    return _where([_array(pairs)], 1)


def union(sets: Sequence[Floats]) -> Floats:
    """The moments that lie in at least one set."""
    return _where(sets, 1)


def intersection(first: Floats, second: Floats) -> Floats:
    """The moments that lie in both sets."""
    return _where([first, second], 2)


def difference(first: Floats, second: Floats) -> Floats:
    """The moments of the first set that do not lie in the second."""
    # Outside is counted as one: where `second` begins the sum falls, where it ends it rises again.
    return _where([first, second[:, ::-1]], 1)


def contains(intervals: Floats, time: float) -> bool:
    """Whether a moment lies in a set."""
    number = int(np.searchsorted(intervals[:, 0], time, side="right")) - 1
    return number >= 0 and bool(time < intervals[number, 1])


def lengths(intervals: Floats, edges: ArrayLike) -> Floats:
    """How much of each bin a set covers.

    Args:
        intervals: a set.
        edges: float64[B + 1], rising and finite.

    Returns:
        float64[B], seconds.
    """
    edges = np.asarray(edges, np.float64)
    starts, ends = np.clip(intervals, edges[0], edges[-1]).T
    return _integral(starts, ends, np.ones(len(starts)), edges)


def observed_lengths(parts: Sequence[tuple[Floats, Floats]], edges: ArrayLike) -> Floats:
    """Seconds of each bin that were observed by any of several observers; what two saw counts once.

    Args:
        parts: for each observer the set of moments at which it may count, and its records
            ``float64[N, 3]``: start, end and the share of that time that it observed, in order, apart from
            each other. Where several have different shares at a moment, the largest counts.
        edges: float64[B + 1], rising and finite.

    Returns:
        float64[B], seconds.
    """
    edges = np.asarray(edges, np.float64)
    moments = [np.clip(part[:, :2], edges[0], edges[-1]).ravel() for pair in parts for part in pair]
    grid = np.unique(np.concatenate([edges[[0, -1]], *moments]))
    best = np.zeros(len(grid) - 1)
    for allowed, records in parts:
        inside = _value(allowed[:, 0], allowed[:, 1], np.ones(len(allowed)), grid[:-1])
        best = np.maximum(best, inside * _value(records[:, 0], records[:, 1], records[:, 2], grid[:-1]))
    return _integral(grid[:-1], grid[1:], best, edges)


def _array(pairs: Iterable[tuple[float, float]] | Floats) -> Floats:
    array = np.asarray(pairs if isinstance(pairs, np.ndarray) else list(pairs), np.float64).reshape(-1, 2)
    return array[array[:, 0] < array[:, 1]]


def _where(sets: Sequence[Floats], needed: int) -> Floats:
    """Where at least ``needed`` of the intervals of all sets overlap."""
    pairs = np.concatenate([NOTHING, *sets])
    moments, place = np.unique(pairs, return_inverse=True)
    steps = np.tile([1.0, -1.0], len(pairs))
    depth = np.cumsum(np.bincount(place.ravel(), weights=steps, minlength=len(moments)))
    covered = np.concatenate([[False], depth >= needed])
    rises = np.flatnonzero(covered[1:] & ~covered[:-1])
    falls = np.flatnonzero(~covered[1:] & covered[:-1])
    return np.stack([moments[rises], moments[falls]], axis=1)


def _value(starts: Floats, ends: Floats, values: Floats, moments: Floats) -> Floats:
    """Value at each moment of a function that is constant within intervals and 0 outside."""
    if len(starts) == 0:
        return np.zeros(len(moments))
    number = np.maximum(np.searchsorted(starts, moments, side="right") - 1, 0)
    inside = (starts[number] <= moments) & (moments < ends[number])
    return np.where(inside, values[number], 0.0)


def _integral(starts: Floats, ends: Floats, values: Floats, edges: Floats) -> Floats:
    """Integral over each bin of a function that is constant within finite intervals and 0 outside."""
    if len(starts) == 0:
        return np.zeros(len(edges) - 1)
    before = np.concatenate([[0.0], np.cumsum(values * (ends - starts))])
    number = np.maximum(np.searchsorted(starts, edges, side="right") - 1, 0)
    part = np.clip(edges, starts[number], ends[number]) - starts[number]
    return np.diff(before[number] + values[number] * part)
