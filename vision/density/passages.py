"""Crossings in order of time, with what the smoothed tracks add to them: speed, headway and gap."""

import heapq
import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.density.footprints import FOOTPRINTS
from vision.density.smoothing import STEP, Moment
from vision.types import Crossing

Floats = NDArray[np.float64]

_NEAR = 0.05
"""A vehicle this close to where a crossing happened, in shares of the picture, is the one that crossed."""

_KEPT = round(10 / STEP)
"""How many moments are kept to find the speeds of crossings reported late."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A crossing of an approach's gate.

    Attributes:
        approach: number of the approach.
        crossing: what the counter said.
        speed: m/s at the gate; None where unknown.
        headway: seconds since the entering crossing before; None for a leaving one, for the first, and
            across a time without frames; 0 for one that was told after a later one, so that the mean holds.
        gap: seconds from the rear of that one to the front of this; None where its speed is unknown.
    """

    approach: int
    crossing: Crossing
    speed: float | None
    headway: float | None
    gap: float | None


class Passages:
    """Takes crossings as they are reported and gives them back in order of time.

    Args:
        gates: number of the approach by the id of its gate; crossings of other gates are left out.
    """

    def __init__(self, gates: Mapping[str, int]) -> None:
        self._gates = gates
        self._waiting: list[tuple[float, int, Crossing]] = []
        self._reported = 0
        self._seen: dict[int, tuple[Floats, Floats]] = {}  # by number of the moment
        self._moment: float | None = None
        self._breaks: deque[float] = deque(maxlen=100)  # when frames came again after a time without
        self._leaders: dict[int, tuple[float, float | None]] = {}  # time, and seconds it took to pass

    def report(self, crossings: Iterable[Crossing]) -> None:
        """Take crossings in the order in which the counter reports them."""
        for crossing in crossings:
            if crossing.gate in self._gates:
                self._reported += 1
                heapq.heappush(self._waiting, (crossing.time, self._reported, crossing))

    def see(self, moment: Moment, speed: Floats) -> None:
        """Take a moment and the speeds of its vehicles, ``[N]`` m/s."""
        if self._moment is not None and moment.time - self._moment > 1.5 * STEP:
            self._breaks.append(moment.time)
        self._moment = moment.time
        self._seen[_number(moment.time)] = moment.points, speed
        for old in [number for number in self._seen if number < _number(moment.time) - _KEPT]:
            del self._seen[old]

    def until(self, time: float) -> Iterator[Passage]:
        """The passages before some time, in order; what is reported later comes with a later call."""
        while self._waiting and self._waiting[0][0] < time:
            yield self._passage(heapq.heappop(self._waiting)[2])

    def _passage(self, crossing: Crossing) -> Passage:
        number = self._gates[crossing.gate]
        speed = self._speed_of(crossing)
        if crossing.direction == "out":
            return Passage(number, crossing, speed, None, None)
        headway = gap = None
        if (leader := self._leaders.get(number)) is not None:
            before, passing = leader
            headway = max(crossing.time - before, 0.0)
            if any(before < again <= crossing.time for again in self._breaks):
                headway = None
            elif passing is not None:
                gap = max(headway - passing, 0.0)
        if leader is None or crossing.time >= leader[0]:
            length = float(FOOTPRINTS[crossing.vehicle_class, 0])
            self._leaders[number] = (crossing.time, length / speed if speed else None)
        return Passage(number, crossing, speed, headway, gap)

    def _speed_of(self, crossing: Crossing) -> float | None:
        """The speed of the vehicle that was nearest to where the crossing happened, when it did."""
        points, speed = self._seen.get(_number(crossing.time), (np.zeros((0, 2)), np.zeros(0)))
        if not len(points):
            return None
        apart = np.hypot(*(points - crossing.point).T)
        nearest = int(np.argmin(apart))
        known = apart[nearest] <= _NEAR and np.isfinite(speed[nearest])
        return float(speed[nearest]) if known else None


def _number(time: float) -> int:
    """Number of the moment whose STEP seconds hold a time."""
    return math.floor(time / STEP)
