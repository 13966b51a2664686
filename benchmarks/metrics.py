"""Measures of counts that traffic engineers and contests use: nwRMSE, GEH, WAPE, each with its definition."""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from vision.accuracy import Event

SEGMENTS = 20
"""Into how many parts a clip is cut for nwRMSE."""


def stream_of(event: Event) -> Hashable:
    """What is counted together: gate, direction and class."""
    return event.gate, event.direction, int(event.vehicle_class)


def nwrmse_score(
    truth: Sequence[float], counted: Sequence[float], covered: tuple[float, float], segments: int = SEGMENTS
) -> float:
    """The score of AI City's counting track for one movement and class, from 0 to 1; 1 is perfect.

    The time is cut into ``segments`` equal parts; x_i and x̂_i are the true and counted totals from the
    start to the end of part i, i from 1 to k, with weights w_i = i / (1 + … + k) = 2i / (k(k + 1)), so that
    small differences in time weigh little. wRMSE = √Σ w_i (x̂_i - x_i)², over the true total; the score is
    one minus that, and 0 where it is more than one.

    Args:
        truth: times of the true vehicles, at least one.
        counted: times of the counted ones.
        covered: start and end of the time that was counted, in the same seconds.
        segments: k.
    """
    start, end = covered
    ends = start + (end - start) * np.arange(1, segments + 1) / segments
    # The last end is closed, so that what passes with the last frame counts.
    ends[-1] = np.inf
    true = np.searchsorted(np.sort(np.asarray(truth, np.float64)), ends)
    ours = np.searchsorted(np.sort(np.asarray(counted, np.float64)), ends)
    index = np.arange(1, segments + 1)
    weight = 2 * index / (segments * (segments + 1))
    wrmse = math.sqrt(float((weight * (ours - true) ** 2).sum()))
    return max(0.0, 1 - wrmse / len(truth))


def nwrmse(
    truth: Sequence[Event],
    counted: Sequence[Event],
    covered: tuple[float, float],
    key: Callable[[Event], Hashable] = stream_of,
) -> float | None:
    """The mean of :func:`nwrmse_score` over streams, weighted by their true vehicles; None without any.

    As in the contest, what is counted in a stream that has no true vehicle does not enter.
    """
    streams = Counter(key(event) for event in truth)
    if not streams:
        return None
    total = 0.0
    for stream, vehicles in streams.items():
        times = [[each.time for each in events if key(each) == stream] for events in (truth, counted)]
        total += vehicles * nwrmse_score(times[0], times[1], covered)
    return total / sum(streams.values())


def geh(truth: float, counted: float, hours: float) -> float:
    """GEH of two hourly flows, √(2 (m - c)² / (m + c)), from counts within ``hours``; below 5 is accepted."""
    m, c = counted / hours, truth / hours
    return math.sqrt(2 * (m - c) ** 2 / (m + c)) if m + c else 0.0


def share_below_geh(
    truth: Sequence[Event], counted: Sequence[Event], covered: tuple[float, float], limit: float = 5.0
) -> float | None:
    """Share of gates and directions whose GEH is below ``limit``; None where nothing passed."""
    hours = (covered[1] - covered[0]) / 3600
    true, ours = (Counter((each.gate, each.direction) for each in events) for events in (truth, counted))
    streams = true.keys() | ours.keys()
    if not streams:
        return None
    return sum(geh(true[stream], ours[stream], hours) < limit for stream in streams) / len(streams)


def wape(truth: Counter[Hashable], counted: Counter[Hashable]) -> float | None:
    """Σ |counted - true| over Σ true, over whatever the counters are kept by; None without a true vehicle."""
    total = sum(truth.values())
    if not total:
        return None
    return sum(abs(counted[key] - truth[key]) for key in truth.keys() | counted.keys()) / total


def wape_of(
    truth: Sequence[Event], counted: Sequence[Event], key: Callable[[Event], Hashable] = stream_of
) -> float | None:
    """:func:`wape` of events, by gate, direction and class, or by another key."""
    return wape(Counter(map(key, truth)), Counter(map(key, counted)))
