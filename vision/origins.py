"""Origins: by which gate a vehicle came in that was first seen when it was already inside the junction.

Nobody comes out of the road. Who leaves by a gate and was never seen to enter is either the rest of one that
entered and was lost from sight, or it entered behind others. The first is looked for among the lost ones;
failing that, its first way is followed back to the gates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.geometry import position_along, signed_distance

Floats = NDArray[np.float64]

_NEAR = 1.5
"""A vehicle may come into sight again this many box sizes from where its speed would have brought it."""
_OVERLAP = 0.2
"""One that is lost so soon after the new one came up was not yet seen beside it, s."""
_BESIDE_EACH_OTHER = 1.0
"""Two boxes of one vehicle are no farther apart, in sizes."""
_FASTER = 1.2
"""And having driven so much faster than before or after."""
_OUTSIDE = 0.2
"""How many box sizes before a gate it may have been when it was first seen: it was not clear of the line."""
_BESIDE = 0.1
"""Share of a gate's length by which the way back may miss its ends."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """How a vehicle came into sight, and where it went.

    Attributes:
        times: ``[3]`` when it was first seen, at the end of its first second, and now, s.
        places: ``[3, 2]`` its ground points then, px.
        size: of its box now, px.
    """

    times: Floats
    places: Floats
    size: float

    @property
    def velocity(self) -> Floats:
        """``[2]`` of its first second, px/s."""
        return np.asarray((self.places[1] - self.places[0]) / max(float(self.times[1] - self.times[0]), 1e-3))

    def at(self, time: Floats) -> Floats:
        """``[N, 2]`` where it was at moments; before it was seen, where it was seen first."""
        return np.column_stack([np.interp(time, self.times, side) for side in self.places.T])


def carried_on(new: Appearance, seen: Floats, place: Floats, velocity: Floats, size: Floats) -> int | None:
    """Which of some lost vehicles carries on in a new one.

    It can have come there in the time, lies ahead of where the lost one was, and drives on in about its
    direction (less than a right angle away, since it may be turning). One that was lost only after the new
    one came into sight was at its side then: both were boxes of one vehicle.

    Args:
        new: the new one.
        seen: ``[N]`` when each was last seen, s.
        place: ``[N, 2]`` where, px.
        velocity: ``[N, 2]`` since it entered, px/s.
        size: ``[N]`` of its box then, px.

    Returns:
        Its index; None if there is none.
    """
    way, first = new.velocity, float(new.times[0])
    speed = float(np.hypot(*way))
    step = new.at(seen) - place
    apart, pace = np.hypot(*step.T), np.hypot(*velocity.T)
    gap = np.maximum(first - seen, 0.0)
    both = seen > first + _OVERLAP
    size = np.maximum(size, new.size)
    near = np.where(both, _BESIDE_EACH_OTHER, _NEAR) * size
    fits = apart <= near + _FASTER * np.maximum(speed, pace) * gap
    fits &= both | (step @ way > -0.5 * size * speed)
    fits &= velocity @ way > 0
    if not fits.any():
        return None
    off = np.hypot(*(step - velocity * gap[:, None]).T)
    return int(np.where(fits, off + 0.5 * apart, np.inf).argmin())


def came_by(new: Appearance, lines: Floats, gates: NDArray[np.intp], span: float) -> tuple[int, float] | None:
    """Through which gate, inwards, a vehicle came if it drove before as it did after it was first seen.

    Args:
        new: the vehicle.
        lines: ``[G, 2, 2]`` all gates, px.
        gates: numbers of those by which it may have come.
        span: it was there no longer before it was first seen, s.

    Returns:
        The nearest such gate, and how long ago that was, s; None if its way leads back to none.
    """
    if not len(gates):
        return None
    place = new.places[0]
    beyond = signed_distance(place[None], lines[gates])[0]
    rate = signed_distance((place + new.velocity)[None], lines[gates])[0] - beyond
    inward = (beyond > -_OUTSIDE * new.size) & (rate > 0)
    ago = np.where(inward, beyond / np.where(inward, rate, 1.0), np.inf)
    back = place - new.velocity * np.where(inward, ago, 0.0)[:, None]
    along = position_along(back, lines[gates])
    ago[(along < -_BESIDE) | (along > 1 + _BESIDE)] = np.inf
    nearest = int(ago.argmin())
    return (int(gates[nearest]), float(ago[nearest])) if ago[nearest] <= span else None
