"""The junction on the ground: arms, stop lines, gates, zones and signals, in metres (x east, y north)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LANE = 3.5
KERB_RADIUS = 6.0
ARM_LENGTH = 300.0
ARMS = ("N", "E", "S", "W")
STREETS = {"N": "Hoa Ban", "S": "Hoa Ban", "E": "Suối Trong", "W": "Suối Trong"}
GATE = {"N": "north", "E": "east", "S": "south", "W": "west"}  # as written in views and tables
NAMES_VI = {"N": "Hoa Ban (bắc)", "E": "Suối Trong (đông)", "S": "Hoa Ban (nam)", "W": "Suối Trong (tây)"}


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: unit vector away from the centre, lanes each way, distances from the centre."""

    id: str
    outward: tuple[float, float]
    lanes: int
    stop: float  # of the stop line
    gate: float  # of the counting line
    reach: float  # half length of the counting line
    crossing: tuple[float, float]  # of the zebra crossing

    @property
    def half(self) -> float:
        """Half the width of the carriageway."""
        return self.lanes * LANE

    @property
    def entry_side(self) -> tuple[float, float]:
        """Unit vector from the centre line to the lanes that enter (traffic keeps right)."""
        x, y = self.outward
        return (-y, x)

    def point(self, distance: float, offset: float) -> tuple[float, float]:
        """A ground point at a distance from the centre, `offset` toward the entering lanes."""
        (x, y), (sx, sy) = self.outward, self.entry_side
        return (x * distance + sx * offset, y * distance + sy * offset)

    def along(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Distance from the centre and offset toward the entering lanes of ground points."""
        return points @ np.asarray(self.outward), points @ np.asarray(self.entry_side)


# Counting lines lie just inside the junction: riders wait on the zebra crossing and at its inner edge, and
# who stands on a line is counted badly. They reach beyond the kerbs, since who turns right cuts the corner.
ARM = {
    "N": Arm("N", (0.0, 1.0), 2, 18.0, 12.0, 10.0, (13.2, 16.6)),
    "E": Arm("E", (1.0, 0.0), 3, 14.6, 8.6, 13.2, (9.8, 13.2)),
    "S": Arm("S", (0.0, -1.0), 2, 18.0, 12.0, 10.0, (13.2, 16.6)),
    "W": Arm("W", (-1.0, 0.0), 3, 14.6, 8.6, 13.2, (9.8, 13.2)),
}

TURNS = ("right", "through", "left", "u_turn")

# signal plan: seconds green for the two streets, then yellow and all red after each
GREEN_EW, GREEN_NS, YELLOW, ALL_RED = 28, 24, 3, 2
CYCLE = GREEN_EW + GREEN_NS + 2 * (YELLOW + ALL_RED)


def destination(arm: str, turn: str) -> str:
    """The arm on which a vehicle that entered from `arm` leaves."""
    step = {"right": 3, "through": 2, "left": 1, "u_turn": 0}[turn]
    # entering from N one drives south: right is west, which is three steps clockwise (N, E, S, W)
    return ARMS[(ARMS.index(arm) + step) % 4]


def turn(origin: str, target: str) -> str:
    """The turn between two arms."""
    return next(t for t in TURNS if destination(origin, t) == target)


def signal(arm: str, seconds: float) -> str:
    """Colour of the signal for an arm at a time of the plan: green, yellow or red."""
    t = seconds % CYCLE
    green = GREEN_EW if arm in "EW" else GREEN_NS
    start = 0 if arm in "EW" else GREEN_EW + YELLOW + ALL_RED
    if start <= t < start + green:
        return "green"
    return "yellow" if start + green <= t < start + green + YELLOW else "red"


def remaining(arm: str, seconds: float) -> int:
    """Seconds that the signal still shows its colour (the countdown beside it)."""
    t = seconds % CYCLE
    colour = signal(arm, t)
    for k in range(1, CYCLE + 1):
        if signal(arm, t + k) != colour:
            return k
    return 0


def gate_line(arm: str) -> NDArray[np.float64]:
    """The counting line on the ground; looking from its first point to the second, in is left to right."""
    a = ARM[arm]
    # entering traffic moves along -outward; its left hand is the side away from the entry lanes' right kerb
    return np.array([a.point(a.gate, a.reach), a.point(a.gate, -a.reach)])[_gate_order(a)]


def _gate_order(a: Arm) -> list[int]:
    first, second = np.asarray(a.point(a.gate, a.reach)), np.asarray(a.point(a.gate, -a.reach))
    d = second - first
    left = np.array([-d[1], d[0]])
    # left of the line must be the outside of the junction (seen from above, x east, y north)
    return [0, 1] if float(left @ np.asarray(a.outward)) > 0 else [1, 0]


def zone(arm: str, length: float) -> NDArray[np.float64]:
    """The entering lanes from the stop line back over `length`, as four corners."""
    a = ARM[arm]
    far = a.stop + length
    return np.array([a.point(a.stop, 0), a.point(a.stop, a.half), a.point(far, a.half), a.point(far, 0)])
