"""Where vehicles are and how fast, at evenly spaced moments whatever the camera's rate."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.calibration import GroundMap
from vision.types import Tracks

Floats = NDArray[np.float64]

STEP = 0.5
"""Seconds from one moment to the next; each stands for the STEP seconds around it."""

HALF_WINDOW = 0.6
"""Seconds to each side from which positions are smoothed."""

LONGEST_GAP = 1.5
"""Seconds for which a vehicle that comes again is taken to have moved evenly; frames as far apart, too."""

LAG = HALF_WINDOW + LONGEST_GAP
"""Seconds that must have passed after a moment before it is known for good."""

_FILLED = 0.3
"""Gaps in a track longer than this many seconds get positions in between, no farther apart than this."""

_CUT = 1e-3
"""A box whose bottom is this close to the picture's bottom edge, in shares of its height, is cut by it."""

_LEAST_SPAN = 0.15
"""Seconds of a track around a moment from which a speed can be told ..."""

_LEAST_AGE = 0.7
"""... if the track has lasted this many seconds by the end of the window: shorter ones are mostly of boxes
that flicker, and go from one vehicle to the next."""

# Columns of a sighting.
_ID, _TIME, _CLASS, _BOX, _GROUND, _SINCE = 0, 1, 2, slice(3, 7), slice(7, 9), 9
_COLUMNS = 10


@dataclass(frozen=True, slots=True)
class Moment:
    """The vehicles at one moment, as parallel arrays in order of their track ids.

    Attributes:
        time: seconds since the epoch, UTC: the middle of the STEP seconds that it stands for.
        track_id: ``int64[N]``.
        class_id: ``int8[N]``.
        box: ``float64[N, 4]``, left, top, right, bottom in fractions of the picture.
        ground: ``float64[N, 2]``, metres, of the bottom middle; NaN where unknown.
        velocity: ``float64[N, 2]``, m/s; NaN where unknown.
    """

    time: float
    track_id: NDArray[np.int64]
    class_id: NDArray[np.int8]
    box: Floats
    ground: Floats
    velocity: Floats

    def __len__(self) -> int:
        return len(self.track_id)

    @property
    def points(self) -> Floats:
        """``float64[N, 2]``: the bottom middle of each box, in fractions of the picture."""
        return np.stack(((self.box[:, 0] + self.box[:, 2]) / 2, self.box[:, 3]), axis=1)


class TrackSmoother:
    """Turns the tracks of frames into vehicles at moments STEP apart, LAG seconds later.

    A position is the value, a velocity the slope of a straight line fitted by weighted least squares to a
    track's sightings within HALF_WINDOW (local linear regression with Epanechnikov's kernel: Fan and Gijbels,
    "Local Polynomial Modelling and Its Applications", 1996). So jitter of boxes does not add up to distance.
    Moments lie in the middle of cells of STEP seconds since the epoch, so that every interval of whole
    seconds holds whole cells. Those within a gap between frames are left out: there nothing was observed.

    Args:
        size: width and height of the picture in pixels.
        ground: the mapping to the ground, if there is one.
    """

    def __init__(self, size: tuple[int, int], ground: GroundMap | None) -> None:
        self._size = np.array([*size, *size], np.float64)
        self._ground = ground
        self._frames: list[float] = []
        self._seen: list[tuple[float, float, Floats]] = []  # first and last time, and sightings in between
        self._unplaced: list[tuple[float, float, Floats]] = []  # the same, whose ground is not looked up yet
        self._last = np.zeros((0, _COLUMNS))  # last sighting of each track, by id
        self._next_cell: int | None = None

    def update(self, time: float, tracks: Tracks) -> Iterator[Moment]:
        """Take one frame, later than the one before; yields the moments that are known by now."""
        seen = self._sightings(time, tracks)
        self._frames.append(time)
        filled = self._remember(time, seen)
        for rows in (filled, seen):
            if len(rows):
                self._unplaced.append(
                    (float(rows[0, _TIME]) if rows is seen else time - LONGEST_GAP, time, rows)
                )
        yield from self._moments(time - LAG)

    def finish(self) -> Iterator[Moment]:
        """The moments up to the last frame."""
        if self._frames:
            yield from self._moments(self._frames[-1] + 1e-9)

    def _sightings(self, time: float, tracks: Tracks) -> Floats:
        rows = np.empty((len(tracks), _COLUMNS))
        rows[:, _ID], rows[:, _TIME], rows[:, _CLASS] = tracks.track_id, time, tracks.class_id
        rows[:, _BOX], rows[:, _SINCE] = tracks.xyxy / self._size, time
        rows[:, _GROUND] = np.nan
        if np.all(rows[1:, _ID] > rows[:-1, _ID]):
            return rows
        return rows[np.argsort(rows[:, _ID], kind="stable")]

    def _place(self) -> None:
        """Look up the ground of all new sightings at once, which costs least."""
        if self._ground is not None and self._unplaced:
            rows = np.concatenate([rows for _, _, rows in self._unplaced])
            points = np.stack(((rows[:, 3] + rows[:, 5]) / 2, rows[:, 6]), axis=1)
            ground = self._ground.to_ground(points)
            ground[rows[:, 6] >= 1 - _CUT] = np.nan
            ends = np.cumsum([len(rows) for _, _, rows in self._unplaced])
            for (_, _, part), place in zip(self._unplaced, np.split(ground, ends[:-1]), strict=True):
                part[:, _GROUND] = place
        self._seen += self._unplaced
        self._unplaced = []

    def _remember(self, time: float, seen: Floats) -> Floats:
        """Note each track's last sighting; returns sightings to fill the time since the one before."""
        last = self._last
        at = np.minimum(np.searchsorted(last[:, _ID], seen[:, _ID]), len(last) - 1)
        same = last[at, _ID] == seen[:, _ID] if len(last) else np.zeros(len(seen), np.bool_)
        again = np.flatnonzero(same)
        seen[again, _SINCE] = last[at[again], _SINCE]
        filled = _filled(last[at[again]], seen[again])
        kept = time - last[:, _TIME] <= LONGEST_GAP
        kept[at[again]] = False
        if kept.any():
            rows = np.concatenate((last[kept], seen))
            self._last = rows[np.argsort(rows[:, _ID], kind="stable")]
        else:
            self._last = seen
        return filled

    def _moments(self, until: float) -> Iterator[Moment]:
        if self._next_cell is None:
            self._next_cell = math.ceil(self._frames[0] / STEP - 0.5)
        while (time := (self._next_cell + 0.5) * STEP) <= until:
            while len(self._frames) > 1 and self._frames[1] <= time:
                self._frames.pop(0)
            if len(self._frames) > 1 and self._frames[1] - self._frames[0] > LONGEST_GAP:
                self._next_cell = math.ceil(self._frames[1] / STEP - 0.5)
                continue
            yield self._at(time)
            self._next_cell += 1
        oldest = (self._next_cell + 0.5) * STEP - HALF_WINDOW
        if self._seen and self._seen[0][1] <= oldest:
            self._seen = [each for each in self._seen if each[1] > oldest]

    def _at(self, time: float) -> Moment:
        self._place()
        low, high = time - HALF_WINDOW, time + HALF_WINDOW
        parts = [rows for first, last, rows in self._seen if first < high and last > low]
        rows = np.concatenate((np.zeros((0, _COLUMNS)), *parts))
        rows = rows[(rows[:, _TIME] > low) & (rows[:, _TIME] < high)]
        rows = rows[np.argsort(rows[:, _ID], kind="stable")]
        begins = np.flatnonzero(np.diff(rows[:, _ID], prepend=np.nan) != 0)
        ends = np.append(begins[1:], len(rows)) - 1
        if not len(begins):
            none = np.zeros((0, 2))
            return Moment(time, np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros((0, 4)), none, none)
        present = rows[begins, _TIME] <= time + STEP / 2
        present &= rows[ends, _TIME] >= time - STEP / 2
        box, ground, velocity = _fitted(rows, rows[:, _TIME] - time, begins)
        velocity[rows[ends, _TIME] - rows[ends, _SINCE] < _LEAST_AGE] = np.nan
        return Moment(
            time,
            rows[begins[present], _ID].astype(np.int64),
            rows[ends[present], _CLASS].astype(np.int8),
            box[present],
            ground[present],
            velocity[present],
        )


def _filled(before: Floats, seen: Floats) -> Floats:
    """Evenly spaced sightings between pairs of sightings that are long apart."""
    gap = seen[:, _TIME] - before[:, _TIME]
    long = np.flatnonzero((gap > _FILLED) & (gap <= LONGEST_GAP))
    if not len(long):
        return np.zeros((0, _COLUMNS))
    parts = np.ceil(gap[long] / _FILLED).astype(np.intp)
    row = np.repeat(long, parts - 1)
    part = np.arange(len(row)) - np.repeat(np.cumsum(parts - 1) - (parts - 1), parts - 1) + 1
    share = (part / np.repeat(parts, parts - 1))[:, None]
    filled = before[row] + share * (seen[row] - before[row])
    filled[:, _CLASS] = seen[row, _CLASS]
    return np.asarray(filled)


def _fitted(rows: Floats, offset: Floats, begins: NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
    """Box ``[G, 4]``, ground point and velocity ``[G, 2]`` of groups of sightings at offset 0.

    Straight lines by weighted least squares; NaN where nothing is known or too little time is spanned.
    """
    known = np.isfinite(rows[:, _GROUND.start])
    values = np.empty((len(rows), 8))  # box, ground, and ones that count: all sightings, those on the ground
    values[:, :4], values[:, 4:6] = rows[:, _BOX], np.where(known[:, None], rows[:, _GROUND], 0.0)
    values[:, 6], values[:, 7] = 1.0, known
    weighted = values * (1 - (offset / HALF_WINDOW) ** 2)[:, None]
    moved = weighted * offset[:, None]
    squared = moved[:, 6:] * offset[:, None]
    sums = np.add.reduceat(np.concatenate((weighted, moved, squared), axis=1), begins)
    v0, v1, s0, s1, s2 = sums[:, :6], sums[:, 8:14], sums[:, 6:8], sums[:, 14:16], sums[:, 16:]
    columns = np.array((0, 0, 0, 0, 1, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (s1 / s0)[:, columns]
        spread = (s2 / s0)[:, columns] - mean**2
        level = v0 / s0[:, columns]
        slope = np.where(
            spread > (_LEAST_SPAN / 2) ** 2, (v1 / s0[:, columns] - mean * level) / spread, np.nan
        )
        value = level - np.where(np.isnan(slope), 0.0, slope) * mean
    return value[:, :4], value[:, 4:], slope[:, 4:]
