"""Levels of congestion in words, with hysteresis, and how full a zone is against what is usual there."""

import math
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from vision.density.records import Band, Level

Floats = NDArray[np.float64]

LEVELS: tuple[Level, ...] = get_args(Level)
BANDS: tuple[Band, ...] = get_args(Band)

GROUND_OCCUPANCY = (0.08, 0.13, 0.20)
"""Share of the road's ground covered from which traffic is busy, slow, jammed. Motorcycles and cars that
stand close together cover 0.30 to 0.40."""

IMAGE_OCCUPANCY = (0.20, 0.40, 0.60)
"""The same for boxes on the picture, which cover more than their vehicles do, most from a low camera."""

SPEED = (math.inf, 15 / 3.6, 7 / 3.6)
"""m/s. Busy at any speed; slow and jammed only below these space-mean speeds."""

MEMORY = 60.0
"""Seconds over which occupancy and speed are averaged, about a signal's cycle: red alone is no jam."""

EASE = 0.8
"""A level is left for a lower one only where the threshold times this is no longer reached."""

LEARNING = 3600.0
"""Seconds that a zone must have been seen before it is said what is usual there."""

FORGETTING = 14 * 86400.0
"""Seconds over which what was usual fades."""

BAND_SHARES = (0.25, 0.75, 0.95)
"""Shares of the time below which a zone is less full than now, that part low, usual, high and very_high."""

BAND_BINS = 100
"""Bins of the share of a zone that is covered, from none to all."""


class LevelMeter:
    """The level of each of ``count`` approaches, followed through time.

    Without speeds (no calibration) the occupancy of the picture decides alone.
    """

    def __init__(self, count: int) -> None:
        self._occupancy = np.zeros(count)
        self._spent = np.zeros(count)
        self._driven = np.zeros(count)
        self._watched = 0.0
        self.level = np.zeros(count, np.intp)

    def update(
        self, seconds: float, occupancy: Floats, spent: Floats, driven: Floats, on_ground: NDArray[np.bool_]
    ) -> NDArray[np.intp]:
        """Take what was seen in some seconds.

        Args:
            seconds: how long.
            occupancy: ``[A]``, share of each zone that was covered, on the ground or on the picture.
            spent: ``[A]`` vehicle·s in the stretch.
            driven: ``[A]`` m driven in it.
            on_ground: ``[A]``, whether the occupancy is of the ground, and speeds are known.

        Returns:
            ``[A]``, indices into LEVELS.
        """
        fade = math.exp(-seconds / MEMORY)
        self._watched = fade * self._watched + seconds
        self._occupancy = fade * self._occupancy + seconds * occupancy
        self._spent = fade * self._spent + spent
        self._driven = fade * self._driven + driven
        mean = self._occupancy / self._watched
        with np.errstate(invalid="ignore", divide="ignore"):
            speed = np.where(on_ground & (self._spent > 0), self._driven / self._spent, 0.0)
        rise = _severity(mean, speed, on_ground, 1.0)
        hold = _severity(mean, speed, on_ground, EASE)
        self.level = np.clip(self.level, rise, hold)
        return self.level


def _severity(
    occupancy: Floats, speed: Floats, on_ground: NDArray[np.bool_], ease: float
) -> NDArray[np.intp]:
    limits = np.where(on_ground[:, None], GROUND_OCCUPANCY, IMAGE_OCCUPANCY) * ease
    reached = (occupancy[:, None] >= limits) & (speed[:, None] < np.array(SPEED) / ease)
    return np.asarray(reached.sum(axis=1), np.intp)


class BandMeter:
    """How full each zone is against its own past, in words; it needs no calibration.

    Args:
        count: number of zones.
        learned: what an earlier meter's :meth:`learned` gave, to go on from there.
    """

    def __init__(self, count: int, learned: list[list[float]] | None = None) -> None:
        self._seconds = np.zeros((count, BAND_BINS))
        if learned is not None and np.shape(learned) == self._seconds.shape:
            self._seconds = np.array(learned, np.float64)
        self._now = np.zeros(count)
        self._watched = 0.0

    def learned(self) -> list[list[float]]:
        """Seconds that each zone had each share covered, plain numbers."""
        return [[float(each) for each in row] for row in self._seconds]

    def update(self, seconds: float, occupancy: Floats) -> NDArray[np.intp]:
        """Take the share of each zone's picture that was covered, ``[A]``, for some seconds.

        Returns:
            ``[A]``, indices into BANDS; -1 where too little was seen yet to tell.
        """
        fade = math.exp(-seconds / MEMORY)
        self._watched = fade * self._watched + seconds
        self._now = fade * self._now + seconds * occupancy
        number = np.clip((self._now / self._watched * BAND_BINS).astype(np.intp), 0, BAND_BINS - 1)
        rows = np.arange(len(number))
        self._seconds *= math.exp(-seconds / FORGETTING)
        self._seconds[rows, number] += seconds
        total = self._seconds.sum(axis=1)
        below = np.cumsum(self._seconds, axis=1)[rows, number] - self._seconds[rows, number] / 2
        band = np.searchsorted(BAND_SHARES, below / total, side="right")
        return np.where(total >= LEARNING, band, -1)
