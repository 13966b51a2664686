"""The peak hour and its factor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.reports.bins import QUARTER, Bins


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest hour.

    Attributes:
        start: seconds since the epoch.
        end: an hour later.
        volume: vehicles in it.
        quarters: vehicles in each of its four quarters.
        factor: the peak-hour factor; None where nothing passed.
    """

    start: float
    end: float
    volume: int
    quarters: tuple[int, int, int, int]
    factor: float | None


def peak_hour_factor(quarters: Sequence[int | None]) -> float | None:
    """Volume of an hour over four times that of its busiest quarter: V / (4 · V15).

    Highway Capacity Manual (TRB), definition of the peak-hour factor: from 0.25, all in one quarter, to 1,
    the same in each.

    >>> round(peak_hour_factor([900, 1000, 1200, 850]), 2)
    0.82

    Args:
        quarters: vehicles in each of four quarters; None for one that was not observed.

    Returns:
        None where a quarter is missing or nothing passed.

    Raises:
        ValueError: there are not four quarters.
    """
    if len(quarters) != 4:
        raise ValueError("an hour has four quarters")
    known = [volume for volume in quarters if volume is not None]
    if len(known) < 4 or max(known) == 0:
        return None
    return sum(known) / (4 * max(known))


def peak_hour(volume: NDArray[np.int64], bins: Bins) -> Peak | None:
    """The four consecutive quarters with the most vehicles; the first of several alike.

    Args:
        volume: ``int64[B]`` vehicles in each interval.
        bins: intervals of 15 minutes; one that was not fully observed takes no part.

    Returns:
        None where no four consecutive quarters were fully observed.
    """
    if len(bins) < 4:
        return None
    usable = bins.complete & (bins.expected == QUARTER)
    hours = np.lib.stride_tricks.sliding_window_view(volume, 4).sum(axis=1)
    possible = np.lib.stride_tricks.sliding_window_view(usable, 4).all(axis=1)
    if not possible.any():
        return None
    first = int(np.where(possible, hours, -1).argmax())
    a, b, c, d = (int(each) for each in volume[first : first + 4])
    start, end = float(bins.edges[first]), float(bins.edges[first + 4])
    return Peak(start, end, int(hours[first]), (a, b, c, d), peak_hour_factor((a, b, c, d)))
