"""What one moment says of each approach: who is in its zone, how fast, what is covered, who stands."""

import numpy as np
from numpy.typing import NDArray

from vision.calibration import GroundMap
from vision.density.coverage import ImageCoverage
from vision.density.queues import Queue, standing
from vision.density.roads import CLASSES, NearRoad, Roads, Sight
from vision.density.smoothing import Moment
from vision.density.stretches import Stretch
from vision.geometry import box_sizes, points_in_polygon, position_along, signed_distance

Floats = NDArray[np.float64]


class Scene:
    """Looks at moments of one camera, in order of time.

    Args:
        stretches: the approaches.
        size: width and height of the picture in pixels.
        ground: the mapping to the ground, if there is one.
    """

    def __init__(self, stretches: list[Stretch], size: tuple[int, int], ground: GroundMap | None) -> None:
        self._count = len(stretches)
        self._zones = [
            (number, stretch.polygon, _gate_line(stretch, size))
            for number, stretch in enumerate(stretches)
            if stretch.polygon is not None
        ]
        self._scale = np.array([*size, *size], np.float64)
        self._coverage = ImageCoverage([polygon for _, polygon, _ in self._zones])
        self._roads = Roads(stretches, ground) if ground is not None else None
        self._blind = [zone for zone in self._zones if stretches[zone[0]].road is None]
        # What is remembered of each vehicle, by its track id: the zone it was last in, and whether it stands.
        self._known = np.zeros(0, np.int64)
        self._zone = np.zeros(0, np.intp)
        self._stood = np.zeros(0, np.bool_)
        self._near: NearRoad | None = None
        self._boxes = np.zeros((0, 4))

    def look(self, moment: Moment) -> Sight:
        """What a moment says."""
        zone, stood = self._remembered(moment.track_id)
        speed = np.hypot(moment.velocity[:, 0], moment.velocity[:, 1])
        stands = standing(speed, stood)
        points = moment.points
        present, covered = np.zeros(self._count), np.zeros(self._count)
        self._near = near = self._roads.near(moment, points, stands, zone) if self._roads else None
        for number, polygon, line in self._blind:
            inside = np.flatnonzero(points_in_polygon(points, polygon))
            present[number] = len(inside)
            own = np.union1d(inside, np.flatnonzero(zone == number))
            covered[number] = line is not None and self._on_gate(line, points[own], moment.box[own])
            zone[inside] = number
        if near is None:
            by_class, none = np.zeros((self._count, CLASSES)), np.zeros(self._count)
            sight = Sight(present, by_class, by_class, none, none, none, covered, speed)
        else:
            sight = near.sight(self._count, present, covered, stood, speed)
            zone[near.vehicle[near.inside]] = near.approach[near.inside]
        self._known, self._zone, self._stood = moment.track_id, zone, stands
        self._boxes = moment.box
        return sight

    def image_shares(self) -> Floats:
        """``[A]``, share of each zone's picture that boxes cover at the moment last looked at."""
        shares = np.zeros(self._count)
        shares[[number for number, _, _ in self._zones]] = self._coverage.shares(self._boxes)
        return shares

    def queues(self) -> list[Queue | None]:
        """The queue of each approach at the moment last looked at; None where the ground is not known."""
        return self._near.queues(self._count) if self._near is not None else [None] * self._count

    def _remembered(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Last zone (-1 for none) and whether it stood, of each track."""
        if not len(self._known):
            return np.full(len(ids), -1, np.intp), np.zeros(len(ids), np.bool_)
        at = np.minimum(np.searchsorted(self._known, ids), len(self._known) - 1)
        same = self._known[at] == ids
        return np.where(same, self._zone[at], -1), same & self._stood[at]

    def _on_gate(self, line: Floats, points: Floats, boxes: Floats) -> bool:
        """Whether one of some vehicles is within half its box's size of a gate ``[1, 2, 2]`` in pixels."""
        points = points * self._scale[:2]
        near = np.abs(signed_distance(points, line)[:, 0]) <= box_sizes(boxes * self._scale) / 2
        along = position_along(points, np.repeat(line, len(points), axis=0))
        return bool((near & (along >= 0) & (along <= 1)).any())


def _gate_line(stretch: Stretch, size: tuple[int, int]) -> Floats | None:
    return None if stretch.gate is None else np.asarray(stretch.gate.line, np.float64)[None] * np.array(size)
