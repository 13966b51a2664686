"""The queue: the chain of standing vehicles from the stop line upstream."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STANDING = 5 / 3.6
"""m/s. A vehicle slower than this stands ..."""

MOVING = 7 / 3.6
"""... and goes on standing until it is faster than this."""

CHAIN_GAP = 8.0
"""Metres. A longer gap between two standing vehicles, or before the first one, ends the queue."""

BEFORE_LINE = 3.0
"""Metres beyond the stop line within which the middle of a standing vehicle still belongs to its queue."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue at one moment.

    Attributes:
        length: metres from the stop line to the rear of the last vehicle; 0 without a queue.
        vehicles: how many stand in it.
        at_least: whether the view ends too near its end to see whether it goes on.
    """

    length: float
    vehicles: int
    at_least: bool


def queue_of(s: Floats, length: Floats, end: float) -> Queue:
    """The queue that some standing vehicles make.

    Args:
        s: ``[N]`` metres from the stop line upstream to the vehicles' middles.
        length: ``[N]`` metres, of the vehicles.
        end: metres from the stop line to the end of the stretch that is seen.
    """
    order = np.argsort(s - length / 2)
    front, rear = (s - length / 2)[order], (s + length / 2)[order]
    reached = np.maximum.accumulate(np.concatenate(([0.0], rear)))
    broken = np.flatnonzero(front > reached[:-1] + CHAIN_GAP)
    vehicles = int(broken[0]) if len(broken) else len(front)
    tail = float(reached[vehicles]) if vehicles else 0.0
    return Queue(tail, vehicles, vehicles > 0 and tail + CHAIN_GAP > end)


def standing(speed: Floats, stood: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which vehicles stand now; one that stood goes on standing until it is clearly moving.

    Args:
        speed: ``[N]`` m/s; NaN keeps what was.
        stood: ``[N]``, whether they stood the moment before.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray((speed < STANDING) | (stood & ~(speed > MOVING)))
