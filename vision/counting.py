"""Counting: tracks in, crossings of gates and movements out; each vehicle once, whatever the tracker does."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.geometry import (
    box_containment,
    box_iou,
    box_sizes,
    points_in_polygon,
    position_along,
    signed_distance,
)
from vision.origins import Appearance, came_by, carried_on
from vision.stitching import Stitcher
from vision.types import (
    CLASS_COUNT,
    Crossing,
    Direction,
    Tracks,
    VehicleClass,
    most_likely_class,
    vehicle_kind,
    with_rows,
)
from vision.views import View

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class CounterSettings:
    """How the counter behaves. Lengths are in box sizes (square root of the area), times in seconds.

    Attributes:
        dead_band: half width of the band around a gate inside which a vehicle is on neither side.
        rearm: how far beyond a gate a vehicle must have been before it can cross back.
        least_path: how far a vehicle must have moved before it can be counted; parked ones do not.
        least_sightings: in how many frames it must have been seen.
        settle: a crossing is reported this long after it happened, with the class known by then.
        memory: a vehicle not seen for this long is forgotten.
        doubtful_score: one with less mean score that shares its place with others is no vehicle of its own if
            it crosses alone.
        doubtful_overlap: mean overlap (IoU) with the box that it shares most with, from which it does.
        alone: nobody else crosses the same way so long before or after, s.
        twin_span: two tracks of one vehicle (cab and whole lorry) cross within this time.
        hidden_span: who is first seen beyond a gate and drives away from it has passed it, hidden by others,
            if at its speed that was no longer ago than this.
        hidden_reach: how far beyond the gate it may first be seen.
        hidden_path: how far it must have moved until that is decided.
        hidden_score: least mean score; what flickers up beside a gate has less.
        lost_memory: one that came in is looked for among those that leave for this long after it was lost.
        origin_span: who leaves without having been seen to come in passed the gate behind it no longer than
            this before it was first seen.
        origin_least: and was seen for this long before it left.
    """

    dead_band: float = 0.1
    rearm: float = 1.2
    least_path: float = 0.5
    least_sightings: int = 3
    settle: float = 0.8
    memory: float = 3.0
    doubtful_score: float = 0.34
    doubtful_overlap: float = 0.17
    alone: float = 1.5
    twin_span: float = 2.0
    hidden_span: float = 0.8
    hidden_reach: float = 2.0
    hidden_path: float = 0.8
    hidden_score: float = 0.4
    lost_memory: float = 8.0
    origin_span: float = 1.2
    origin_least: float = 0.4


_DECIDED = (1.2, 3.0)
"""From when to when after a vehicle was first seen it is decided whether it passed a gate unseen, s."""

_EARLY = 1.0
"""A vehicle's first way is that of so many seconds."""

_WEAK = 0.45
"""The overlap of vehicles with less mean score is followed."""

_PASSED = 4.0
"""How long before a passage others are kept that it is compared with, s."""

_GONE = 0.15
"""One not seen for longer has been lost, s."""

_THERE = 1.5
"""Who is seen within this after the frames began may have been there before, s."""

_BREAK = 1.0
"""After a longer stretch without frames nobody knows who passed in it, s."""


@dataclass(frozen=True, slots=True)
class _Passage:
    """A crossing that has happened and is not yet reported."""

    number: int
    due: float
    time: float
    gate: int
    direction: Direction
    point: tuple[float, float]
    origin: int


class GateCounter:
    """Counts the vehicles of one camera at the gates of one view.

    Args:
        view: gates and movements.
        size: width and height of the picture in pixels.
        settings: bands and limits.
    """

    def __init__(self, view: View, size: tuple[int, int], settings: CounterSettings | None = None) -> None:
        self.view = view
        self.size = size
        self.settings = settings or CounterSettings()
        self._lines = view.gate_lines(size)
        self._roi = view.polygons("roi", size)
        self._movements = {(m.origin, m.destination): m.id for m in view.movements}
        names = [each.id for each in view.gates]
        self._origins = [  # of each gate: by which others one may come that leaves by it
            np.array([n for n, other in enumerate(names) if (other, name) in self._movements], np.intp)
            for name in names
        ]
        self._ways_in = np.array([each.one_way != "out" for each in view.gates], np.bool_)
        self._stitcher = Stitcher(size)
        self._passages: list[_Passage] = []
        self._recent: dict[tuple[int, Direction], list[_Passage]] = defaultdict(list)
        gates = (len(self._lines),)
        self._lingered = np.zeros(gates)  # seconds of vehicles on each line
        self._watched = (np.inf, -np.inf)  # first and last frame since there was a break
        # One row a vehicle, ordered by its number; lengths in pixels.
        self._vehicles = np.zeros(
            0,
            [
                ("number", np.int64),
                ("seen", np.float64),
                ("first_seen", np.float64),
                ("box", np.float64, 4),
                ("ground", np.float64, 2),
                ("first_ground", np.float64, 2),
                ("early_seen", np.float64),  # the end of its first second
                ("early_ground", np.float64, 2),
                ("path", np.float64),  # greatest distance from the first point, in box sizes
                ("sightings", np.int64),
                ("score", np.float64),  # sum over sightings
                ("overlap", np.float64),  # the same of the greatest with another's box
                ("evidence", np.float64, CLASS_COUNT),
                ("decided", np.bool_),  # whether it passed a gate before it was first seen
                ("entered", np.int64),  # gate by which it came in, -1 for none
                ("left", np.bool_),  # whether it has left by some gate
                ("distance", np.float64, gates),  # signed, from each gate's infinite line
                ("side", np.int8, gates),  # -1 or 1 once it was clear of the dead band
                ("armed", np.bool_, gates),  # whether it may cross back
                ("passed_at", np.float64, gates),  # last change of sign of the distance
                ("passed_point", np.float64, (*gates, 2)),
                ("passed_within", np.bool_, gates),
            ],
        )

    def update(self, time: float, tracks: Tracks) -> list[Crossing]:
        """Take the tracks of one frame and return the crossings that are certain by now.

        Args:
            time: seconds since the epoch, later than that of the frame before.
            tracks: what the tracker saw in this frame, in pixels; an empty frame passes time.
        """
        first, last = self._watched
        self._watched = (time if time - last > _BREAK else first, time)
        if self._roi and len(tracks):
            points = tracks.ground_points
            tracks = tracks[np.any([points_in_polygon(points, polygon) for polygon in self._roi], axis=0)]
        if len(tracks):
            self._observe(time, tracks)
        done = self._report(time)
        inside = self._vehicles["entered"] >= 0
        memory = np.where(inside, self.settings.lost_memory, self.settings.memory)
        old = time - self._vehicles["seen"] > memory
        if old.any():
            self._vehicles = self._vehicles[~old]
        return done

    def finish(self) -> list[Crossing]:
        """Report what is still unsettled, at the end of the frames."""
        return self._report(np.inf)

    def lingered(self) -> dict[str, float]:
        """Seconds that vehicles have spent on the line of each gate: many where they wait on it."""
        return {gate.id: float(s) for gate, s in zip(self.view.gates, self._lingered, strict=True)}

    def _observe(self, time: float, tracks: Tracks) -> None:
        number = self._stitcher.update(time, tracks)
        boxes = tracks.xyxy.astype(np.float64)
        ground = tracks.ground_points.astype(np.float64)
        distance = signed_distance(ground, self._lines)
        row = self._rows_for(number, time, ground, distance)
        self._note_line_passing(row, time, ground, distance)

        vehicles, size = self._vehicles, box_sizes(boxes)
        self._note_lingering(time - vehicles["seen"][row], ground, distance / size[:, None])
        vehicles["box"][row], vehicles["seen"][row] = boxes, time
        vehicles["ground"][row], vehicles["distance"][row] = ground, distance
        young = time - vehicles["first_seen"][row] <= _EARLY
        vehicles["early_seen"][row[young]], vehicles["early_ground"][row[young]] = time, ground[young]
        vehicles["sightings"][row] += 1
        vehicles["score"][row] += tracks.score
        self._note_overlap(row, boxes)
        known = tracks.class_id >= 0
        vehicles["evidence"][row[known], tracks.class_id[known]] += tracks.score[known]
        path = np.hypot(*(ground - vehicles["first_ground"][row]).T) / size
        vehicles["path"][row] = np.maximum(vehicles["path"][row], path)
        self._judge(row, time, distance / size[:, None])
        self._judge_hidden(row, time, size)

    def _rows_for(self, number: NDArray[np.int64], time: float, ground: Floats, distance: Floats) -> Indices:
        """Rows of the vehicles, with new rows for new numbers (which only grow, so the order holds)."""
        newest = self._vehicles["number"][-1] if len(self._vehicles) else 0
        new = np.flatnonzero(number > newest)
        if len(new):
            new = new[np.argsort(number[new])]
            vehicles = with_rows(self._vehicles, len(new))
            added = vehicles[len(self._vehicles) :]
            added["number"], added["seen"], added["first_seen"] = number[new], time, time
            added["ground"] = added["first_ground"] = ground[new]
            added["distance"] = distance[new]
            added["entered"], added["armed"] = -1, True
            self._vehicles = vehicles
        return np.searchsorted(self._vehicles["number"], number)

    def _note_line_passing(self, row: Indices, time: float, ground: Floats, distance: Floats) -> None:
        """Remember when and where each vehicle last passed each infinite line, between two frames."""
        vehicles = self._vehicles
        before = vehicles["distance"][row]
        i, gate = np.nonzero((before >= 0) != (distance >= 0))
        if not len(i):
            return
        at = row[i]
        share = before[i, gate] / (before[i, gate] - distance[i, gate])
        start, seen = vehicles["ground"][at], vehicles["seen"][at]
        place = start + share[:, None] * (ground[i] - start)
        along = position_along(place, self._lines[gate])
        vehicles["passed_at"][at, gate] = seen + share * (time - seen)
        vehicles["passed_point"][at, gate] = place
        vehicles["passed_within"][at, gate] = (along >= 0) & (along <= 1)

    def _note_lingering(self, elapsed: Floats, ground: Floats, relative: Floats) -> None:
        """Add up the seconds of vehicles ``[N]`` that are on a line, ``relative[N, G]`` in box sizes."""
        i, gate = np.nonzero(np.abs(relative) < 2 * self.settings.dead_band)
        along = position_along(ground[i], self._lines[gate])
        within = (along >= 0) & (along <= 1)
        # One that was lost for a while may have been anywhere.
        np.add.at(self._lingered, gate[within], np.minimum(elapsed[i[within]], 0.5))

    def _note_overlap(self, row: Indices, boxes: Floats) -> None:
        """Add up how far boxes ``[N, 4]`` of weak vehicles lie over others'; of the rest nobody asks."""
        vehicles = self._vehicles
        weak = np.flatnonzero(vehicles["score"][row] < _WEAK * vehicles["sightings"][row])
        if len(weak):
            shared = box_iou(boxes[weak], boxes)
            shared[np.arange(len(weak)), weak] = 0
            vehicles["overlap"][row[weak]] += shared.max(axis=1)

    def _judge(self, row: Indices, time: float, relative: Floats) -> None:
        """Move each vehicle's side of each gate on; where it changed for certain, note a passage.

        Args:
            row: rows of the vehicles.
            time: seconds.
            relative: distance from each gate in box sizes, ``[N, G]``.
        """
        vehicles, settings = self._vehicles, self.settings
        beyond = np.abs(relative)
        clear = np.where(beyond > settings.dead_band, np.sign(relative), 0).astype(np.int8)
        side = vehicles["side"][row]
        armed = vehicles["armed"][row] | ((clear == side) & (beyond >= settings.rearm))
        mature = vehicles["path"][row] >= settings.least_path
        mature &= vehicles["sightings"][row] >= settings.least_sightings
        # Who was not far enough away to cross back has done so once it is as far on the other side.
        sure = armed | (beyond >= settings.rearm)
        turned = (clear * side < 0) & sure & mature[:, None]
        vehicles["armed"][row] = armed & ~turned
        vehicles["side"][row] = np.where((side == 0) | turned, clear, side)
        for i, gate in np.argwhere(turned):
            if vehicles["passed_within"][row[i], gate]:
                self._pass(int(row[i]), int(gate), "in" if clear[i, gate] > 0 else "out", time)

    def _judge_hidden(self, row: Indices, time: float, size: Floats) -> None:
        """Note the passages of those who passed a gate behind others and came into sight beyond it.

        Nobody comes out of the road: who is first seen just beyond a gate and drives away from it has passed
        it, unless it carries on the track of another that was counted there and has vanished.

        Args:
            row: rows of the vehicles seen in this frame.
            time: seconds.
            size: of their boxes, ``[N]`` px.
        """
        vehicles, settings = self._vehicles, self.settings
        age = time - vehicles["first_seen"][row]
        due = ~vehicles["decided"][row] & (age >= _DECIDED[0]) & (age <= _DECIDED[1])
        due &= vehicles["path"][row] >= settings.hidden_path
        due &= vehicles["sightings"][row] >= settings.least_sightings
        if not due.any() or not len(self._lines):
            return
        row, age, size = row[due], age[due], size[due]
        vehicles["decided"][row] = True
        sure = vehicles["score"][row] >= settings.hidden_score * vehicles["sightings"][row]
        row, age, size = row[sure], age[sure], size[sure]
        start = vehicles["first_ground"][row]
        velocity = (vehicles["ground"][row] - start) / age[:, None]
        beyond = signed_distance(start, self._lines)
        rate = (vehicles["distance"][row] - beyond) / age[:, None]
        leaving = (beyond * rate > 0) & (np.abs(beyond) <= settings.hidden_reach * size[:, None])
        ago = np.where(leaving, beyond / np.where(leaving, rate, 1.0), np.inf)
        for i, gate in enumerate(ago.argmin(axis=1).tolist()):
            moment = float(vehicles["first_seen"][row[i]] - ago[i, gate])
            if ago[i, gate] > settings.hidden_span or moment < self._watched[0]:
                continue
            place = start[i] - velocity[i] * ago[i, gate]
            along = float(position_along(place[None], self._lines[[gate]])[0])
            direction: Direction = "in" if rate[i, gate] > 0 else "out"
            if not 0 <= along <= 1 or self._carries_on(int(row[i]), gate, direction, moment):
                continue
            vehicles["passed_at"][row[i], gate], vehicles["passed_point"][row[i], gate] = moment, place
            vehicles["armed"][row[i], gate] = False
            self._pass(int(row[i]), gate, direction, time)

    def _carries_on(self, row: int, gate: int, direction: Direction, moment: float) -> bool:
        """Whether it is the rest of one counted a moment before: that vanished where it was first seen, or is
        now in one place with it, as when a pole had cut a car's box in two."""
        vehicles = self._vehicles
        vehicle = vehicles[row]
        numbers = [
            other.number
            for other in self._recent[gate, direction]
            if moment - 1.0 < other.time <= vehicle["first_seen"]
        ]
        others = np.flatnonzero(np.isin(vehicles["number"], numbers))
        there = others[vehicle["seen"] - vehicles["seen"][others] < 0.3]
        if (box_containment(vehicle["box"][None], vehicles["box"][there]) > 0.5).any():
            return True
        lost = others[vehicles["seen"][others] <= vehicle["first_seen"]]
        return self._which_carries_on(row, lost, np.full(len(lost), gate)) is not None

    def _which_carries_on(self, row: int, lost: Indices, entry: Indices) -> int | None:
        """Which of the rows ``lost[N]``, who passed the gates ``entry[N]``, carries on in that of a row."""
        other, place = self._vehicles[lost], (np.arange(len(lost)), entry)
        since = np.maximum(other["seen"] - other["passed_at"][place], 0.2)
        pace = (other["ground"] - other["passed_point"][place]) / since[:, None]
        new = self._appearance(row)
        found = carried_on(new, other["seen"], other["ground"], pace, box_sizes(other["box"]))
        return None if found is None else int(lost[found])

    def _appearance(self, row: int) -> Appearance:
        vehicle = self._vehicles[row]
        return Appearance(
            np.array([vehicle["first_seen"], vehicle["early_seen"], vehicle["seen"]]),
            np.array([vehicle["first_ground"], vehicle["early_ground"], vehicle["ground"]]),
            float(box_sizes(vehicle["box"][None])[0]),
        )

    def _pass(self, row: int, gate: int, direction: Direction, time: float) -> None:
        vehicle = self._vehicles[row]  # a view: writing to it writes to the table
        moment = float(vehicle["passed_at"][gate])
        recent = [other for other in self._recent[gate, direction] if other.time >= moment - _PASSED]
        self._recent[gate, direction] = recent
        since = moment - self.settings.twin_span
        if any(other.time >= since and self._is_twin(row, other.number, time) for other in recent):
            return
        origin = -1
        if direction == "in":
            vehicle["entered"] = gate
        else:
            if vehicle["entered"] < 0 and not vehicle["left"]:
                self._find_origin(row, gate)
            origin, vehicle["entered"], vehicle["left"] = int(vehicle["entered"]), -1, True
        recent.append(self._note(row, gate, direction, moment, vehicle["passed_point"][gate], origin))

    def _note(
        self, row: int, gate: int, direction: Direction, moment: float, place: Floats, origin: int = -1
    ) -> _Passage:
        """Keep a crossing until it is due; `place` is in pixels."""
        number, due = int(self._vehicles["number"][row]), moment + self.settings.settle
        x, y = place / self.size
        passage = _Passage(number, due, moment, gate, direction, (float(x), float(y)), origin)
        self._passages.append(passage)
        return passage

    def _find_origin(self, row: int, gate: int) -> None:
        """Find by which gate one came in that leaves and was not seen to enter, and count it there.

        It is not counted again where it carries on another that was counted and lost. Only where the view has
        movements: they say by which gates one may have come that leaves by this one.

        Args:
            row: of the vehicle.
            gate: by which it leaves.
        """
        vehicles, settings = self._vehicles, self.settings
        vehicle = vehicles[row]
        gates, first = self._origins[gate], float(vehicle["first_seen"])
        seen_for = float(vehicle["passed_at"][gate]) - first
        if not len(gates) or seen_for < settings.origin_least or first < self._watched[0] + _THERE:
            return
        # Lost by now, or one with it by now: then both were boxes of one vehicle.
        gone = vehicles["seen"] < vehicle["seen"] - _GONE
        gone |= box_containment(vehicle["box"][None], vehicles["box"])[0] > 0.5
        gone &= np.isin(vehicles["entered"], gates) & (vehicles["number"] != vehicle["number"])
        lost = np.flatnonzero(gone)
        rest = self._which_carries_on(row, lost, vehicles["entered"][lost])
        if rest is not None:
            vehicle["entered"], vehicles["entered"][rest] = vehicles["entered"][rest], -1
            return
        new = self._appearance(row)
        found = came_by(new, self._lines, gates[self._ways_in[gates]], settings.origin_span)
        if found is None or first - found[1] < self._watched[0]:
            return
        vehicle["entered"], moment = found[0], first - found[1]
        self._note(row, found[0], "in", moment, new.places[0] - new.velocity * found[1])

    def _is_twin(self, row: int, number: int, time: float) -> bool:
        """Whether another vehicle's number stands for the same vehicle as a row does: boxes in one place."""
        vehicles = self._vehicles
        other = int(np.searchsorted(vehicles["number"], number))
        if other == row or other >= len(vehicles) or vehicles["number"][other] != number:
            return False
        if time - vehicles["seen"][other] > 0.3:
            return False
        mine, its = vehicles["box"][row].tolist(), vehicles["box"][other].tolist()
        width = min(mine[2], its[2]) - max(mine[0], its[0])
        height = min(mine[3], its[3]) - max(mine[1], its[1])
        if width <= 0 or height <= 0:
            return False
        shared = width * height
        areas = [(right - left) * (bottom - top) for left, top, right, bottom in (mine, its)]
        if shared > 0.7 * (sum(areas) - shared):
            return True
        large = vehicle_kind(most_likely_class(vehicles["evidence"][[row, other]])) == 0
        return bool(shared > 0.8 * min(areas) and large.all())

    def _report(self, time: float) -> list[Crossing]:
        ready = [passage for passage in self._passages if passage.due <= time]
        if ready:
            self._passages = [passage for passage in self._passages if passage.due > time]
        return [self._crossing(passage) for passage in ready if not self._is_doubtful(passage)]

    def _is_doubtful(self, passage: _Passage) -> bool:
        """Whether what crossed was but a weak box over others that did not cross."""
        vehicle = self._vehicles[np.searchsorted(self._vehicles["number"], passage.number)]
        weak = vehicle["score"] < self.settings.doubtful_score * vehicle["sightings"]
        over = vehicle["overlap"] > self.settings.doubtful_overlap * vehicle["sightings"]
        if not (weak and over):
            return False
        near = self._recent[passage.gate, passage.direction]
        others = (other for other in near if other is not passage)
        return not any(abs(other.time - passage.time) < self.settings.alone for other in others)

    def _crossing(self, passage: _Passage) -> Crossing:
        row = int(np.searchsorted(self._vehicles["number"], passage.number))
        vehicle = self._vehicles[row]
        gate = self.view.gates[passage.gate].id
        origin = self.view.gates[passage.origin].id if passage.origin >= 0 else None
        return Crossing(
            time=passage.time,
            gate=gate,
            direction=passage.direction,
            vehicle_class=VehicleClass(int(most_likely_class(vehicle["evidence"][None])[0])),
            confidence=float(vehicle["score"] / vehicle["sightings"]),
            point=passage.point,
            vehicle=passage.number,
            movement=self._movements.get((origin, gate)) if origin else None,
            origin=origin,
        )
