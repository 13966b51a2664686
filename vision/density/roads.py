"""Which vehicles are on which approach's ground at one moment, and what they do; all approaches at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.calibration import GroundMap
from vision.density.footprints import FOOTPRINTS, FootprintFinder
from vision.density.queues import BEFORE_LINE, STANDING, Queue, queue_of
from vision.density.smoothing import STEP, Moment
from vision.density.stretches import Stretch
from vision.types import CLASS_COUNT

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]

CLASSES = CLASS_COUNT + 1
"""Columns by class; the last is for the unknown."""

_NEAR_M = 12.0
"""Metres around a stretch within which the bottom of a vehicle's box can be while its middle is inside."""

_BESIDE = 0.5
"""Metres beside the road's edge within which the middle of a vehicle is still on it, for queue and gate."""

_SIDEWAYS = 2.0
"""m/s. What goes sideways faster than this, and faster than along the road, is no vehicle's way: its track
has gone over to another vehicle. Its speed is unknown."""

_PARTS = np.array([-0.4, -0.2, 0.0, 0.2, 0.4]) * STEP
"""s. Times about a moment for which it is asked whether a vehicle is in the stretch, if it drives evenly: at
the moment alone, platoons that a signal releases would be seen at the same few places in every cycle."""

_CRAWL = 0.1
"""m/s. A slower vehicle is taken to drive this fast over the gate."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The approaches at one moment, as arrays over them.

    Attributes:
        present: ``float64[A]``, vehicles in the zone, by image or by ground.
        vehicles: ``float64[A, CLASSES]``, vehicles in the stretch on the ground; one that is there for a part
            of the moment's STEP seconds counts for that part.
        speeds: ``float64[A, CLASSES]``, sum of their speeds along the road, m/s.
        covered_m2: ``float64[A]``, ground that their footprints cover in it.
        stopped: ``float64[A]``, how many stand.
        stops: ``float64[A]``, how many have come to a stand since the moment before.
        gate_covered: ``float64[A]``, share of the moment in which a vehicle of the approach is on the gate.
        speed: ``float64[N]``, m/s of each vehicle of the moment; NaN where unknown.
    """

    present: Floats
    vehicles: Floats
    speeds: Floats
    covered_m2: Floats
    stopped: Floats
    stops: Floats
    gate_covered: Floats
    speed: Floats


class Roads:
    """The ground of all approaches of a view, as parallel arrays.

    Args:
        stretches: the approaches; those without a known ground are left out.
        ground: the mapping to the ground.
    """

    def __init__(self, stretches: list[Stretch], ground: GroundMap) -> None:
        known = [(number, each.road) for number, each in enumerate(stretches) if each.road is not None]
        roads = [road for _, road in known]
        self.approach = np.array([number for number, _ in known], np.intp)
        self.origin = np.array([road.origin for road in roads]).reshape(-1, 2)
        self.upstream = np.array([road.upstream for road in roads]).reshape(-1, 2)
        self.low = np.array([(0.0, road.left) for road in roads]).reshape(-1, 2)
        self.high = np.array([(road.length, road.right) for road in roads]).reshape(-1, 2)
        self.gate_s = np.array([road.gate_s for road in roads])
        # Polygons as edges; shorter ones repeat their last corner, which adds edges without length.
        most = max((len(road.polygon) for road in roads), default=1)
        corners = [road.polygon[np.minimum(np.arange(most), len(road.polygon) - 1)] for road in roads]
        self._start = np.array(corners).reshape(-1, most, 2)
        self._end = np.roll(self._start, -1, axis=1)
        self._footprints = FootprintFinder(ground)

    def near(self, moment: Moment, points: Floats, stands: Flags, zone: Indices) -> "NearRoad":
        """The vehicles of a moment that are in or near each stretch.

        Args:
            moment: the vehicles.
            points: ``[N, 2]``, bottom middles of their boxes.
            stands: ``[N]``, which of them stand.
            zone: ``[N]``, number of the approach each was last in; -1 for none.
        """
        bottom = moment.ground - self.origin[:, None]
        s = (bottom * self.upstream[:, None]).sum(axis=2)
        across = bottom[..., 1] * self.upstream[:, None, 0] - bottom[..., 0] * self.upstream[:, None, 1]
        with np.errstate(invalid="ignore"):
            close = (s > self.gate_s[:, None] - _NEAR_M) & (s < self.high[:, :1] + _NEAR_M)
            close &= (across > self.low[:, 1:] - _NEAR_M) & (across < self.high[:, 1:] + _NEAR_M)
        road, vehicle = np.nonzero(close)
        forward = self._forward(moment.velocity[vehicle], road)
        # Who drives away from the stop line is not of the approach: its box leans over from the other side.
        stays = ~(forward < -STANDING)
        road, vehicle, forward = road[stays], vehicle[stays], forward[stays]
        kind = moment.class_id[vehicle]
        shift = self._footprints.shifts(points[vehicle], self.upstream[road], kind)
        along, aside = self.upstream[road].T
        place = np.stack((s[road, vehicle], across[road, vehicle]), axis=1)
        place[:, 0] += shift[:, 0] * along + shift[:, 1] * aside
        place[:, 1] += shift[:, 1] * along - shift[:, 0] * aside
        inside = self._inside(road, place)
        forward = _completed(forward, road, inside)
        approach = self.approach[road]
        return NearRoad(
            roads=self,
            road=road,
            vehicle=vehicle,
            approach=approach,
            kind=kind,
            place=place,
            forward=forward,
            stands=stands[vehicle],
            inside=inside,
            share=self._share(road, place, forward),
            came_from_here=zone[vehicle] == approach,
        )

    def _forward(self, velocity: Floats, road: Indices) -> Floats:
        """Speeds ``[P]`` toward the stop line of velocities ``[P, 2]``; NaN where unknown."""
        along, aside = self.upstream[road].T
        forward = -(velocity[:, 0] * along + velocity[:, 1] * aside)
        sideways = np.abs(velocity[:, 1] * along - velocity[:, 0] * aside)
        return np.where(sideways > np.maximum(np.abs(forward), _SIDEWAYS), np.nan, forward)

    def _share(self, road: Indices, place: Floats, forward: Floats) -> Floats:
        """Part of the moment's STEP seconds ``[P]`` that each vehicle is in its stretch."""
        moved = np.repeat(place[None], len(_PARTS), axis=0)
        moved[..., 0] -= _PARTS[:, None] * forward
        inside = self._inside(np.tile(road, len(_PARTS)), moved.reshape(-1, 2))
        return np.asarray(inside.reshape(len(_PARTS), -1).mean(axis=0))

    def _inside(self, road: Indices, place: Floats) -> Flags:
        """Which places lie inside their road's polygon (even-odd rule)."""
        x, y = place[:, :1], place[:, 1:]
        x1, y1, x2, y2 = (
            self._start[road, :, 0],
            self._start[road, :, 1],
            self._end[road, :, 0],
            self._end[road, :, 1],
        )
        spans = (y1 > y) != (y2 > y)
        rise = np.where(y2 == y1, 1.0, y2 - y1)
        left_of_edge = x < (x2 - x1) * (y - y1) / rise + x1
        return np.asarray((spans & left_of_edge).sum(axis=1) % 2 == 1)


@dataclass(frozen=True, slots=True, eq=False)
class NearRoad:
    """Vehicles in and near stretches, as parallel arrays; one near to two stretches is there twice.

    Those that drive away from the stop line are left out.

    Attributes:
        roads: the stretches.
        road: ``intp[P]``, row of the stretch in ``roads``.
        vehicle: ``intp[P]``, row of the vehicle in the moment.
        approach: ``intp[P]``, number of the approach.
        kind: ``int8[P]``, class ids.
        place: ``float64[P, 2]`` metres, (s, across) of the vehicle's middle.
        forward: ``float64[P]`` m/s toward the stop line; where unknown the mean of the others in the stretch.
        stands: ``bool[P]``.
        inside: ``bool[P]``, whether it is in the stretch.
        share: ``float64[P]``, for which part of the moment's STEP seconds it is.
        came_from_here: ``bool[P]``, whether the approach is the one it was in last.
    """

    roads: Roads
    road: Indices
    vehicle: Indices
    approach: Indices
    kind: NDArray[np.int8]
    place: Floats
    forward: Floats
    stands: Flags
    inside: Flags
    share: Floats
    came_from_here: Flags

    def sight(self, count: int, present: Floats, gate_covered: Floats, stood: Flags, speed: Floats) -> Sight:
        """What they do in each of ``count`` approaches, beside what the picture alone says of the others."""
        roads, inside = self.roads, self.inside
        half = FOOTPRINTS[self.kind] / 2
        overlap = np.minimum(self.place + half, roads.high[self.road])
        overlap -= np.maximum(self.place - half, roads.low[self.road])
        covered = np.maximum(overlap[:, 0], 0.0) * np.maximum(overlap[:, 1], 0.0)
        cell = self.approach * CLASSES + self.kind % CLASSES
        vehicles = _total(cell, self.share, count * CLASSES).reshape(count, CLASSES)
        speeds = _total(cell, self.share * self.forward, count * CLASSES).reshape(count, CLASSES)
        standing_here = inside & self.stands
        own = self._on_width() & (inside | self.came_from_here)
        over = _total(self.approach[own], self._over_gate(half[:, 0])[own], count)
        return Sight(
            present=present + vehicles.sum(axis=1),
            vehicles=vehicles,
            speeds=speeds,
            covered_m2=_total(self.approach, covered, count),
            stopped=_total(self.approach, standing_here, count),
            stops=_total(self.approach, standing_here & ~stood[self.vehicle], count),
            gate_covered=np.minimum(gate_covered + over, 1.0),
            speed=speed,
        )

    def _over_gate(self, half_length: Floats) -> Floats:
        """Share of the moment's STEP seconds in which each vehicle is over the gate, if it drives evenly."""
        to_go = self.place[:, 0] - self.roads.gate_s[self.road]
        speed = np.maximum(np.abs(self.forward), _CRAWL)
        begin = np.maximum((to_go - half_length) / speed, -STEP / 2)
        end = np.minimum((to_go + half_length) / speed, STEP / 2)
        return np.asarray(np.maximum(end - begin, 0.0) / STEP)

    def queues(self, count: int) -> list[Queue | None]:
        """The queue of each approach; None where its ground is not known."""
        s, length = self.place[:, 0], FOOTPRINTS[self.kind, 0]
        chained = self.stands & self._on_width() & (s > -BEFORE_LINE)
        chained &= s < self.roads.high[self.road, 0] + length / 2
        found: list[Queue | None] = [None] * count
        for row, number in enumerate(self.roads.approach):
            own = chained & (self.road == row)
            found[number] = queue_of(s[own], length[own], float(self.roads.high[row, 0]))
        return found

    def _on_width(self) -> Flags:
        across = self.place[:, 1]
        low, high = self.roads.low[self.road, 1], self.roads.high[self.road, 1]
        return np.asarray((across > low - _BESIDE) & (across < high + _BESIDE))


def _completed(forward: Floats, road: Indices, inside: Flags) -> Floats:
    """Speeds with the mean of those known inside the same stretch for the unknown; 0 where none is known."""
    unknown = np.isnan(forward)
    if not unknown.any():
        return forward
    known = inside & ~unknown
    count = int(road.max()) + 1
    means = _total(road[known], forward[known], count) / np.maximum(np.bincount(road[known], None, count), 1)
    return np.where(unknown, means[road], forward)


def _total(group: Indices, amount: Floats | Flags, count: int) -> Floats:
    """Sum of the amounts of each of ``count`` groups."""
    return np.bincount(group, amount, count).astype(np.float64)
