"""The estimator of one camera: tracks and crossings in, closed intervals of each approach out."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from vision.calibration import GroundMap
from vision.density.congestion import BandMeter, LevelMeter
from vision.density.passages import Passages
from vision.density.records import ApproachInterval, Light, not_observed
from vision.density.roads import Sight
from vision.density.scene import Scene
from vision.density.smoothing import STEP, Moment, TrackSmoother
from vision.density.stretches import stretches_of
from vision.density.sums import IntervalSums
from vision.types import Crossing, Tracks
from vision.views import View

Floats = NDArray[np.float64]

BASE_SECONDS = 10
"""Length of the intervals, s; longer ones are added up from them."""

SETTLE = 4.0
"""An interval is closed this many seconds after its end: by then the counter has reported its crossings."""

_LOOK = round(1 / STEP)
"""Moments from one look at the queues and levels to the next."""

_LONG_BREAK = 60.0
"""After so many seconds without frames, levels begin anew."""

_FAR_APART = 3600.0
"""Of a longer stretch without frames no empty intervals are made."""


class DensityEstimator:
    """Turns one camera's tracks and crossings into records of its approaches.

    Fed the same tracks, crossings and lights it gives the same records, live and from a file.

    Args:
        view: gates, zones and approaches.
        size: width and height of the picture in pixels.
        ground: the mapping to the ground (:func:`vision.calibration.fit_calibration`); without it, what needs
            metres stays unknown.
        seconds: length of the intervals in whole seconds, a divisor of 900.
        learned: what :meth:`learned` of an earlier estimator of this view gave.
        least_rider: height in pixels of the smallest motorcycles with riders that the detector finds
            (``least_rider`` of a detector). Stretches end where they are smaller; None takes all as seen.

    Raises:
        ViewError: an approach has two zones.
        ValueError: ``seconds`` is no divisor of 900.
    """

    def __init__(
        self,
        view: View,
        size: tuple[int, int],
        ground: GroundMap | None,
        *,
        seconds: int = BASE_SECONDS,
        learned: list[list[float]] | None = None,
        least_rider: float | None = None,
    ) -> None:
        if seconds < 1 or 900 % seconds:
            raise ValueError(f"intervals of {seconds} s do not divide a quarter of an hour")
        self.stretches = stretches_of(view, ground, size, least_rider)
        self._seconds = seconds
        by_gate = {
            stretch.gate.id: number
            for number, stretch in enumerate(self.stretches)
            if stretch.gate is not None
        }
        self._on_ground = np.array([stretch.road is not None for stretch in self.stretches], np.bool_)
        self._road_m2 = np.array(
            [each.road.length * each.road.width if each.road else 1.0 for each in self.stretches]
        )
        self._smoother = TrackSmoother(size, ground)
        self._scene = Scene(self.stretches, size, ground)
        self._levels = LevelMeter(len(self.stretches))
        self._bands = BandMeter(len(self.stretches), learned)
        self._lights: list[tuple[float, Light]] = []
        self._open: dict[int, IntervalSums] = {}
        self._closed_until: int | None = None
        self._passages = Passages(by_gate)
        self._moment: float | None = None

    def update(
        self, time: float, tracks: Tracks, crossings: Iterable[Crossing] = (), light: Light | None = None
    ) -> list[ApproachInterval]:
        """Take one frame.

        Args:
            time: seconds since the epoch, UTC, later than that of the frame before.
            tracks: vehicles in it; an empty frame passes time.
            crossings: those that the counter reported with it.
            light: what :func:`vision.density.light_of` said of it; None where it was not asked.

        Returns:
            The intervals closed by now, one record for each approach.
        """
        if light is not None:
            self._lights.append((time, light))
        self._passages.report(crossings)
        for moment in self._smoother.update(time, tracks):
            self._add(moment)
        return list(self._close(time - SETTLE))

    def finish(self, crossings: Iterable[Crossing] = ()) -> list[ApproachInterval]:
        """The intervals that are still open when the frames end; ``crossings`` are the counter's last."""
        self._passages.report(crossings)
        for moment in self._smoother.finish():
            self._add(moment)
        return list(self._close(math.inf))

    def learned(self) -> list[list[float]]:
        """What is usual in each zone, in plain numbers to keep over a restart (see ``density_band``)."""
        return self._bands.learned()

    def _add(self, moment: Moment) -> None:
        if self._moment is not None and moment.time - self._moment > _LONG_BREAK:
            self._levels = LevelMeter(len(self.stretches))
        self._moment = moment.time
        sight = self._scene.look(moment)
        sums = self._sums(moment.time)
        sums.add_moment(STEP, sight, self._light(moment.time))
        if round(moment.time / STEP - 0.5) % _LOOK == _LOOK // 2:
            self._look(sums, sight)
        self._passages.see(moment, sight.speed)

    def _look(self, sums: IntervalSums, sight: Sight) -> None:
        """Once a second: the queues, and by what was seen in that second the levels and bands."""
        seconds = _LOOK * STEP
        shares = self._scene.image_shares()
        occupancy = np.where(self._on_ground, sight.covered_m2 / self._road_m2, shares)
        levels = self._levels.update(
            seconds, occupancy, sight.vehicles.sum(axis=1), sight.speeds.sum(axis=1), self._on_ground
        )
        bands = self._bands.update(seconds, shares)
        sums.add_look(seconds, self._scene.queues(), shares, levels, bands)

    def _sums(self, time: float) -> IntervalSums:
        """The open interval that holds a moment; what comes too late goes into the earliest that is open."""
        number = math.floor(time / self._seconds)
        if self._closed_until is not None:
            number = max(number, self._closed_until)
        if number not in self._open:
            start = number * self._seconds
            self._open[number] = IntervalSums(self.stretches, float(start), float(start + self._seconds))
        return self._open[number]

    def _light(self, time: float) -> Light | None:
        """The light that was last told by some moment; before the first, that one."""
        while len(self._lights) > 1 and self._lights[1][0] <= time:
            self._lights.pop(0)
        return self._lights[0][1] if self._lights else None

    def _close(self, until: float) -> Iterator[ApproachInterval]:
        """Close the intervals that end by some time."""
        for passage in self._passages.until(until):
            self._sums(passage.crossing.time).add_passage(passage)
        for number in sorted(self._open):
            if (number + 1) * self._seconds > until:
                break
            yield from self._unseen(number)
            yield from self._open.pop(number).records()
            self._closed_until = number + 1

    def _unseen(self, number: int) -> Iterator[ApproachInterval]:
        """Records of the intervals before one in which there was no frame at all."""
        first = number if self._closed_until is None else self._closed_until
        if (number - first) * self._seconds > _FAR_APART:
            return
        for missed in range(first, number):
            for stretch in self.stretches:
                start = missed * self._seconds
                yield not_observed(stretch.approach, float(start), float(start + self._seconds))
