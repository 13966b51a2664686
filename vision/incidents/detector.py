"""The detector of one camera: frames and records in, incidents out when certain and when over."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from vision.calibration import GroundMap
from vision.density.records import ApproachInterval
from vision.incidents.followed import Followed
from vision.incidents.places import places_of
from vision.incidents.records import Incident
from vision.incidents.settings import IncidentSettings
from vision.incidents.slow import QueueWatch, SpeedWatch
from vision.incidents.standing import JunctionWatch, StandingWatch
from vision.incidents.wrong_way import WrongWayWatch
from vision.types import Crossing, Tracks
from vision.view_parts import Point
from vision.views import View


class IncidentDetector:
    """Tells the incidents that one camera sees.

    Every incident comes twice: with ``end=None`` as soon as it is certain, and again with its end. Fed the
    same frames, crossings and records in the same order, it tells the same.

    Args:
        view: no-stop zones, one-way gates, and what tells the junction and the approaches.
        size: width and height of the picture in pixels.
        ground: the mapping to the ground; without it standing is judged in box sizes, and queues and speeds,
            which need metres, are not looked at.
        settings: thresholds.
    """

    def __init__(
        self,
        view: View,
        size: tuple[int, int],
        ground: GroundMap | None = None,
        settings: IncidentSettings | None = None,
    ) -> None:
        self._settings = settings = settings or IncidentSettings()
        numbers = itertools.count(1)
        places = places_of(view, size, settings.junction_share)
        self._followed = Followed(view, size, ground, settings)
        self._junction = (
            JunctionWatch(self._followed, places.junction, size, settings, numbers)
            if places.junction
            else None
        )
        self._standing = StandingWatch(self._followed, places, size, settings, numbers)
        self._wrong_way = WrongWayWatch(self._followed, view, size, settings, numbers)
        self._numbers = numbers
        self._points = _approach_points(view)
        self._slow: dict[str, tuple[QueueWatch, SpeedWatch]] = {}
        self._time: float | None = None
        self._crossings: list[Crossing] = []  # since the vehicles were last looked at

    def update(self, time: float, tracks: Tracks, crossings: Iterable[Crossing] = ()) -> list[Incident]:
        """Take one frame.

        Args:
            time: seconds since the epoch, UTC, later than that of the frame before.
            tracks: the vehicles in it, in pixels; an empty frame passes time.
            crossings: those that the counter reported with it.
        """
        told = []
        if self._time is not None and time - self._time > self._settings.hidden_s:
            told = self._cut(self._time)
        self._time = time
        self._crossings += crossings
        row = self._followed.update(time, tracks)
        if row is None:
            return told
        blocked = None
        if self._junction is not None:
            told += self._junction.update(time, row)
            blocked = self._junction.blocked
        told += self._standing.update(row, blocked)
        told += self._wrong_way.update(time, self._crossings)
        self._crossings = []
        return told

    def interval(self, record: ApproachInterval) -> list[Incident]:
        """Take one approach's next interval (:class:`vision.density.DensityEstimator`)."""
        if record.approach not in self._slow:
            point = self._points.get(record.approach, (0.5, 0.5))
            self._slow[record.approach] = (
                QueueWatch(point, self._settings, self._numbers),
                SpeedWatch(point, self._settings, self._numbers),
            )
        return [told for watch in self._slow[record.approach] for told in watch.update(record)]

    def finish(self, crossings: Iterable[Crossing] = ()) -> list[Incident]:
        """End what is still open when the frames end, marked as cut; ``crossings`` are the counter's last."""
        told = []
        if self._time is not None:
            told = self._wrong_way.update(self._time, [*self._crossings, *crossings]) + self._cut(self._time)
        return told + [ended for pair in self._slow.values() for watch in pair for ended in watch.close()]

    def _cut(self, time: float) -> list[Incident]:
        """End all that frames tell, at the last frame."""
        told = self._junction.close() if self._junction is not None else []
        told += self._standing.close() + self._wrong_way.close(time)
        self._followed.forget()
        return told


def _approach_points(view: View) -> dict[str, tuple[float, float]]:
    """Where an approach is shown: the middle of its zone's corners, else of its gate."""
    points = {}
    parts: list[tuple[str | None, Sequence[Point]]] = [(gate.approach, gate.line) for gate in view.gates]
    parts += [(zone.approach or zone.id, zone.polygon) for zone in view.zones if zone.kind == "approach"]
    for approach, corners in parts:
        if approach is not None:
            x, y = np.asarray(corners, np.float64).mean(axis=0).tolist()
            points[approach] = (x, y)
    return points
