"""Overlay: draws boxes, trails, gates and running counts over the picture, and a view over one picture.

Drawing only: what is counted comes in as :class:`Crossing` and is added up, never judged again here.
"""

import colorsys
import re
import unicodedata
from bisect import bisect
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.types import Crossing, Direction, Tracks, VehicleClass
from vision.views import Gate, Movement, Turn, View

Image = NDArray[np.uint8]
Points = NDArray[np.float64]
Rect = tuple[int, int, int, int]
"""Left, top, width, height in pixels."""
Colour = tuple[int, int, int]
"""Blue, green, red, as OpenCV draws."""

CLASS_COLOURS: Mapping[VehicleClass, str] = {
    VehicleClass.BICYCLE: "#009E73",
    VehicleClass.MOTORCYCLE: "#FFB000",
    VehicleClass.CAR: "#56B4E9",
    VehicleClass.BUS: "#E8602C",
    VehicleClass.TRUCK: "#8F7BFF",
    VehicleClass.UNKNOWN: "#D9D9D9",
}
"""One colour per class for pictures, pages and plots. Any two stay at least 28 CIELAB units apart for
red- and green-blind eyes (16, bicycle and car, for the much rarer blue-blind ones), and all are light
enough for asphalt at dusk."""

_TURN_COLOURS: Mapping[Turn, str] = {
    "left": "#56B4E9",
    "through": "#009E73",
    "right": "#FFB000",
    "u_turn": "#E8602C",
}
_TURN_SIGNS: Mapping[Turn, str] = {"left": "↰", "through": "↑", "right": "↱", "u_turn": "↶"}
_ZONE_COLOURS: Mapping[str, str] = {"roi": "#FFFFFF", "approach": "#9AD8FF", "no_stop": "#FF6E5A"}

# OpenCV's font draws these two as another letter (ớ, õ); with the accent set apart it draws them right.
_MISDRAWN = str.maketrans({"ờ": "ơ\u0300", "ỡ": "ơ\u0303"})

_WHITE: Colour = (255, 255, 255)
_GREY: Colour = (205, 205, 205)
_BLACK: Colour = (0, 0, 0)

_TRAIL_SECONDS = 1.6
_FLASH_SECONDS = 0.6
_REMEMBERED_VEHICLES = 20_000
_LONGEST_NAME = 30
_MOST_MOVEMENTS = 12


def class_bgr(vehicle_class: int) -> Colour:
    """The colour of a vehicle class as OpenCV draws it: blue, green, red."""
    return _bgr(CLASS_COLOURS[VehicleClass(vehicle_class)])


def gate_label(passed_in: int, passed_out: int) -> str:
    """The counts written at a gate: ``in 12   out 3``."""
    return f"in {passed_in}   out {passed_out}"


@dataclass(slots=True)
class RunningCounts:
    """What has been counted so far, for the figures in the picture (reports are built from the crossings).

    Attributes:
        gates: crossings by gate and direction.
        classes: vehicles by class; one that passes several gates is one.
        movements: completed movements by id.
    """

    gates: Counter[tuple[str, Direction]] = field(default_factory=Counter)
    classes: Counter[VehicleClass] = field(default_factory=Counter)
    movements: Counter[str] = field(default_factory=Counter)
    _class_of: OrderedDict[int, VehicleClass] = field(default_factory=OrderedDict)

    def add(self, crossings: Iterable[Crossing]) -> None:
        """Count some more crossings."""
        for crossing in crossings:
            self.gates[crossing.gate, crossing.direction] += 1
            if crossing.movement is not None:
                self.movements[crossing.movement] += 1
            before = self._class_of.pop(crossing.vehicle, None)
            if before is not None:  # by now its class may be known better
                self.classes[before] -= 1
            self.classes[crossing.vehicle_class] += 1
            self._class_of[crossing.vehicle] = crossing.vehicle_class
            if len(self._class_of) > _REMEMBERED_VEHICLES:
                self._class_of.popitem(last=False)

    def label(self, gate: str) -> str:
        """The counts written at a gate."""
        return gate_label(self.gates[gate, "in"], self.gates[gate, "out"])


@dataclass(slots=True)
class _Trail:
    """Where a track has been and when, and how often it was seen."""

    times: list[float]
    points: list[tuple[int, int]]
    class_id: int
    sightings: int = 0
    seen: float = 0.0


class Overlay:
    """Draws frame after frame of one camera; keeps trails and running counts between them.

    Args:
        size: width and height of the pictures in pixels.
        view: its gates, zones and movements are drawn; None draws vehicles only.
        tz: time zone of the clock in the picture.
    """

    def __init__(self, size: tuple[int, int], view: View | None, tz: tzinfo = UTC) -> None:
        self.size = size
        self.view = view
        self.tz = tz
        self.counts = RunningCounts()
        self._trails: dict[int, _Trail] = {}
        self._flashes: dict[str, tuple[float, Colour]] = {}
        self._pen = _Pen(size)
        self._ground = _Canvas(size, self._pen)
        if view:
            _draw_zones(self._ground, view)
        gates = view.gates if view else []
        lines = view.gate_lines(size) if view else np.zeros((0, 2, 2))
        self._gates = list(zip(gates, lines, strict=True))
        self._legend_size = self._measure_legend()
        self._legend = _corner(size, self._legend_size, lines, self._pen)
        self._names = _gate_names(gates)
        boxes = [self._pen.panel((name, gate_label(8888, 8888))) for name in self._names]
        self._labels = _place_labels(size, lines, boxes, [self._legend], self._pen)

    def draw(
        self, image: Image, time: float, tracks: Tracks, crossings: Sequence[Crossing] = ()
    ) -> NDArray[np.uint8]:
        """An annotated copy of a picture.

        Args:
            image: ``uint8[H, W, 3]``, BGR, of the size given at the start.
            time: its moment in seconds since the epoch, UTC.
            tracks: the vehicles in it, in its pixels.
            crossings: what was counted since the last call.
        """
        if (image.shape[1], image.shape[0]) != self.size:
            raise ValueError(f"a picture of {image.shape[1]}x{image.shape[0]}, expected {self.size}")
        self._note(time, tracks, crossings)
        canvas = self._ground.copy()
        self._draw_trails(canvas, time)
        self._draw_boxes(canvas, tracks)
        for number, (gate, line) in enumerate(self._gates):
            glow, colour = self._flash(gate.id, time)
            _draw_gate(canvas, line, glow, colour)
            words = self._names[number], self.counts.label(gate.id)
            _draw_panel(canvas, words, self._labels[number], (_GREY, _mix(_WHITE, colour, glow)))
        self._draw_legend(canvas, time)
        return canvas.over(image)

    def _note(self, time: float, tracks: Tracks, crossings: Sequence[Crossing]) -> None:
        self.counts.add(crossings)
        for crossing in crossings:
            self._flashes[crossing.gate] = (time, class_bgr(crossing.vehicle_class))
        step = 8 * self._pen.scale  # below this a standing vehicle's box only trembles
        ground = tracks.ground_points.round().astype(int).tolist()
        for track, class_id, (x, y) in zip(
            tracks.track_id.tolist(), tracks.class_id.tolist(), ground, strict=True
        ):
            trail = self._trails.setdefault(track, _Trail([time], [(x, y)], class_id))
            trail.class_id, trail.seen = class_id, time
            trail.sightings += 1
            last_x, last_y = trail.points[-1]
            if abs(x - last_x) + abs(y - last_y) >= step:
                trail.times.append(time)
                trail.points.append((x, y))
        self._trails = {
            track: trail for track, trail in self._trails.items() if time - trail.seen < _TRAIL_SECONDS
        }

    def _flash(self, gate: str, time: float) -> tuple[float, Colour]:
        """How brightly a gate is lit, 1 at the crossing down to 0, and in which colour."""
        began, colour = self._flashes.get(gate, (-np.inf, _WHITE))
        glow = 1 - (time - began) / _FLASH_SECONDS
        return (min(glow, 1.0), colour) if glow > 0 else (0.0, _WHITE)

    def _draw_trails(self, canvas: "_Canvas", time: float) -> None:
        """Trails from faint to strong, in steps of age."""
        steps = 4
        pieces: dict[tuple[int, int], list[NDArray[np.int32]]] = {}
        for trail in self._trails.values():
            if trail.sightings < 2:
                continue
            ages = [time - _TRAIL_SECONDS * step / steps for step in range(steps, -1, -1)]
            cuts = [bisect(trail.times, moment) for moment in ages]
            for strength, (first, end) in enumerate(pairwise(cuts), start=1):
                first = max(first - 1, 0)
                if end - first > 1:
                    piece = np.array(trail.points[first:end], np.int32)
                    pieces.setdefault((strength, trail.class_id), []).append(piece)
            if cuts[0] > 1:  # what has faded is forgotten, but for the point that the next step starts from
                del trail.times[: cuts[0] - 1], trail.points[: cuts[0] - 1]
        for strength, class_id in sorted(pieces):
            piece_list = pieces[strength, class_id]
            canvas.lines(piece_list, class_bgr(class_id), self._pen.line, 0.8 * strength / steps)

    def _draw_boxes(self, canvas: "_Canvas", tracks: Tracks) -> None:
        shown = [self._trails[track].sightings > 1 for track in tracks.track_id.tolist()]
        boxes, class_ids = tracks.xyxy[shown], tracks.class_id[shown]
        corners = _box_corners(boxes, self._pen)
        canvas.lines(list(corners.reshape(-1, 3, 2)), _BLACK, self._pen.line + 2, 0.45, smooth=False)
        for class_id in np.unique(class_ids):
            mine = corners[class_ids == class_id].reshape(-1, 3, 2)
            canvas.lines(list(mine), class_bgr(class_id), self._pen.line, smooth=False)

    def _legend_rows(self, *, longest: bool = False) -> list[tuple[Colour | str, str, str]]:
        """Rows of the legend below the clock: colour or sign, words, figure; ``longest`` as it may become."""
        rows: list[tuple[Colour | str, str, str]] = []
        for vehicle_class in CLASS_COLOURS:
            figure = self.counts.classes[vehicle_class]
            if vehicle_class is not VehicleClass.UNKNOWN or figure:
                figures = str(figure) if self.view else ""
                rows.append((class_bgr(vehicle_class), vehicle_class.label, figures))
        for movement in self._listed_movements():
            figures = str(self.counts.movements[movement.id])
            if figures == "0" and not longest:
                continue  # a movement is listed once somebody has made it
            rows.append((_TURN_SIGNS[movement.turn], _short(movement.id), figures))
        return rows

    def _clock(self, time: float) -> str:
        return f"{datetime.fromtimestamp(time, self.tz):%Y-%m-%d  %H:%M:%S}"

    def _listed_movements(self) -> list[Movement]:
        """The movements made most often, in the order of the view."""
        movements = self.view.movements if self.view else []
        often = sorted(movements, key=lambda movement: -self.counts.movements[movement.id])
        listed = {movement.id for movement in often[:_MOST_MOVEMENTS]}
        return [movement for movement in movements if movement.id in listed]

    def _measure_legend(self) -> tuple[int, int]:
        rows, pen = self._legend_rows(longest=True), self._pen
        words = max(pen.width(text) for _, text, _ in rows)
        figures = pen.width("888888") if self.view else 0
        width = max(pen.row + words + figures + pen.margin, pen.width(self._clock(0.0)))
        return width + 2 * pen.margin, (len(rows) + 1) * pen.row + pen.margin

    def _draw_legend(self, canvas: "_Canvas", time: float) -> None:
        rows, pen = self._legend_rows(), self._pen
        x, y, width, _ = self._legend
        canvas.panel((x, y, width, (len(rows) + 1) * pen.row + pen.margin))
        left, base = x + pen.margin, y + pen.margin // 2 + pen.baseline
        canvas.text(self._clock(time), (left, base), _GREY)
        for sign, words, figures in rows:
            base += pen.row
            if isinstance(sign, str):
                canvas.text(sign, (left, base), _GREY)
            else:
                canvas.square((left + pen.letter * 0.3, base - pen.letter * 0.36), pen.letter * 0.3, sign)
            canvas.text(words, (left + pen.row, base), _GREY)
            canvas.text(figures, (x + width - pen.margin - pen.width(figures), base), _WHITE)


def draw_boxes(image: Image, tracks: Tracks, view: View | None, size: tuple[int, int]) -> None:
    """Draw vehicles' boxes by class and a view's gates into a small picture, in place.

    Args:
        image: ``uint8[h, w, 3]``, BGR, a picture of any size.
        tracks: boxes in pixels of the picture that they were found in.
        view: its gates are drawn as lines with a tick towards ``in``; None draws none.
        size: width and height of the picture that the boxes were found in.
    """
    shown = (image.shape[1], image.shape[0])
    if view is not None:
        for first, second in view.gate_lines(shown):
            ends = [tuple(np.round(end).astype(int).tolist()) for end in (first, second)]
            middle = (first + second) / 2
            across = second - first
            # ``in`` is from the line's left to its right, seen from its first point to its second.
            tick = middle + np.array([-across[1], across[0]]) / max(float(np.hypot(*across)), 1e-6) * 10
            for width, colour in ((3, _BLACK), (1, _WHITE)):
                cv2.line(image, ends[0], ends[1], colour, width, cv2.LINE_AA)
                point = tuple(np.round(middle).astype(int).tolist())
                cv2.line(image, point, tuple(np.round(tick).astype(int).tolist()), colour, width, cv2.LINE_AA)
    corners = np.round(tracks.xyxy * np.tile(np.array(shown) / size, 2)).astype(int)
    for (left, top, right, bottom), kind in zip(corners.tolist(), tracks.class_id.tolist(), strict=True):
        cv2.rectangle(image, (left, top), (right, bottom), class_bgr(kind), 1, cv2.LINE_AA)


def draw_view(
    image: Image, view: View, trails: Sequence[NDArray[np.floating[Any]]] = ()
) -> NDArray[np.uint8]:
    """A copy of a picture with a view's gates, zones and movements drawn large, to check them by eye.

    Args:
        image: ``uint8[H, W, 3]``, BGR.
        view: what to draw.
        trails: paths that vehicles took, each ``[N, 2]`` in pixels; coloured by where they head,
            fading in from their start, with a point at their end.
    """
    size = (image.shape[1], image.shape[0])
    pen = _Pen(size)
    canvas = _Canvas(size, pen)
    _draw_zones(canvas, view)
    _draw_paths(canvas, trails)
    lines = view.gate_lines(size)
    taken = [_draw_title(canvas, view, lines)]
    curves = _movement_curves(view, lines)
    for movement, curve in zip(view.movements, curves, strict=True):
        _draw_movement(canvas, movement, curve)
    for line in lines:
        _draw_gate(canvas, line, 0.0, _WHITE)
        taken += _draw_directions(canvas, line)
    texts = [_gate_words(gate) for gate in view.gates]
    places = _place_labels(size, lines, [pen.panel(words) for words in texts], taken, pen)
    taken += places
    for rows, place in zip(texts, places, strict=True):
        _draw_panel(canvas, rows, place, (_WHITE, _GREY))
    for movement, curve in zip(view.movements, curves, strict=True):
        words = f"{_TURN_SIGNS[movement.turn]} {movement.id}"
        _draw_free_panel(
            canvas, words, curve[[20, 15, 25, 11, 29]], _pale(_TURN_COLOURS[movement.turn]), taken
        )
    for zone in view.zones:
        corners = np.asarray(zone.polygon, np.float64) * size
        middle = corners.mean(axis=0)
        words = f"{zone.id} ({zone.kind.replace('_', ' ')})"
        wished = np.vstack((middle, (corners + middle) / 2))
        _draw_free_panel(canvas, words, wished, _pale(_ZONE_COLOURS[zone.kind]), taken)
    return canvas.over(image)


# --- Parts of a view ------------------------------------------------------------------------------------


def _draw_zones(canvas: "_Canvas", view: View) -> None:
    scale = np.asarray(canvas.size, np.float64)
    for zone in view.zones:
        polygon = np.asarray(zone.polygon, np.float64) * scale
        colour = _bgr(_ZONE_COLOURS[zone.kind])
        if zone.kind != "roi":  # it covers nearly everything: its edge says enough
            canvas.fill([polygon], colour, 0.14)
        canvas.lines([polygon], colour, canvas.pen.thin, 0.5, closed=True)


def _draw_gate(canvas: "_Canvas", line: Points, glow: float, colour: Colour) -> None:
    """A gate with an arrow on its `in` side; lit in a colour while ``glow`` is above 0."""
    pen = canvas.pen
    along, towards_in = _axes(line)
    middle = line.mean(axis=0)
    tip, half = 15 * pen.scale, 7 * pen.scale
    base = middle + towards_in * 4 * pen.scale
    arrow = np.stack((base + along * half, base + towards_in * tip, base - along * half))
    if glow:
        canvas.lines([line], colour, pen.line + round(9 * pen.scale), 0.5 * glow)
    canvas.lines([line], _BLACK, pen.line + 2, 0.5)
    canvas.lines([arrow], _BLACK, 3, 0.5, closed=True)
    shade = _mix(_WHITE, colour, glow)
    canvas.lines([line], shade, pen.line, 0.95)
    canvas.fill([arrow], shade)
    for end in line:
        canvas.dot(end, 3.5 * pen.scale, shade)


def _draw_panel(canvas: "_Canvas", rows: Sequence[str], place: Rect, colours: Sequence[Colour]) -> None:
    pen = canvas.pen
    x, y, width, _ = place
    canvas.panel((x, y, width, pen.panel(rows)[1]))
    for number, (words, colour) in enumerate(zip(rows, colours, strict=False)):
        base = y + pen.margin // 2 + number * pen.row + pen.baseline
        canvas.text(words, (x + pen.margin, base), colour)


def _gate_names(gates: Sequence[Gate]) -> list[str]:
    """Names short enough for labels; where two would read alike, the gates' ids."""
    names = [_short(gate.name or gate.id) for gate in gates]
    return [name if names.count(name) == 1 else gate.id for name, gate in zip(names, gates, strict=True)]


def _gate_words(gate: Gate) -> tuple[str, ...]:
    return (gate.id, _short(gate.name)) if gate.name and gate.name != gate.id else (gate.id,)


def _draw_free_panel(
    canvas: "_Canvas", words: str, wished: Points, colour: Colour, taken: list[Rect]
) -> None:
    """A panel around the first of some points where it covers no other; its place joins those taken."""
    width, height = canvas.pen.panel((words,))
    places = [
        _inside(canvas.size, (round(x - width / 2), round(y - height / 2), width, height), canvas.pen.margin)
        for x, y in wished
    ]
    best = min(places, key=lambda place: sum(_overlap(place, other) for other in taken))
    _draw_panel(canvas, (words,), best, (colour,))
    taken.append(best)


def _draw_directions(canvas: "_Canvas", line: Points) -> list[Rect]:
    """The words `in` and `out` on the two sides of a gate; returns where they stand."""
    pen = canvas.pen
    _, towards_in = _axes(line)
    places = []
    for words, away, side in (("in", 22.0, towards_in), ("out", 8.0, -towards_in)):
        width, height = pen.panel((words,))
        reach = (width * abs(side[0]) + height * abs(side[1])) / 2
        x, y = line.mean(axis=0) + side * (away * pen.scale + reach)
        place = (round(x - width / 2), round(y - height / 2), width, height)
        _draw_panel(canvas, (words,), place, (_WHITE,))
        places.append(place)
    return places


def _draw_movement(canvas: "_Canvas", movement: Movement, curve: Points) -> None:
    """A curved arrow from the gate of entry to the gate of exit."""
    pen = canvas.pen
    colour = _bgr(_TURN_COLOURS[movement.turn])
    heading = curve[-1] - curve[-4]
    heading /= np.hypot(*heading) or 1.0
    across = np.asarray((-heading[1], heading[0])) * 7 * pen.scale
    foot = curve[-1] - heading * 16 * pen.scale
    canvas.lines([curve], _BLACK, pen.line + 3, 0.4)
    canvas.lines([curve[:-1]], colour, pen.line + 1, 0.9)
    canvas.fill([np.stack((foot + across, curve[-1], foot - across))], colour)


def _movement_curves(view: View, lines: Points) -> list[Points]:
    """A path of 41 points for each movement, from a place on its first gate to one on its second.

    The ends at a gate are spread along it in the order of where they come from or go to, so that paths
    cross little and leave the gate's arrow free.
    """
    number = {gate.id: i for i, gate in enumerate(view.gates)}
    ends: dict[int, list[tuple[float, int, int]]] = {}
    for i, movement in enumerate(view.movements):
        pair = number[movement.origin], number[movement.destination]
        for end, (here, there) in enumerate((pair, pair[::-1])):
            along, _ = _axes(lines[here])
            order = float(along @ (lines[there].mean(axis=0) - lines[here].mean(axis=0)))
            ends.setdefault(here, []).append((order, i, end))
    places: dict[tuple[int, int], Points] = {}
    for here, group in ends.items():
        for slot, (_, i, end) in enumerate(sorted(group)):
            share = (slot + 1) / (len(group) + 1)
            if abs(share - 0.5) < 0.15:
                share = 0.35 if slot < len(group) / 2 else 0.65
            places[i, end] = lines[here][0] * (1 - share) + lines[here][1] * share
    return [
        _curve(
            places[i, 0],
            _axes(lines[number[movement.origin]])[1],
            places[i, 1],
            _axes(lines[number[movement.destination]])[1],
        )
        for i, movement in enumerate(view.movements)
    ]


def _curve(start: Points, from_start: Points, end: Points, from_end: Points) -> Points:
    """A smooth path that leaves its start in one direction and reaches its end from another."""
    reach = 0.45 * np.hypot(*(end - start))
    corners = np.stack((start, start + from_start * reach, end + from_end * reach, end))
    t = np.linspace(0, 1, 41)[:, None]
    weights = np.hstack(((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3))
    return np.asarray(weights @ corners, np.float64)


def _draw_paths(canvas: "_Canvas", paths: Sequence[NDArray[np.floating[Any]]]) -> None:
    """Paths of vehicles, coloured by heading and fading in, so that streams and their direction show."""
    for path in paths:
        points = np.asarray(path, np.float64)
        if len(points) < 2:
            continue
        x, y = points[-1] - points[0]
        colour = _heading_colour(float(np.arctan2(y, x)))
        cuts = np.linspace(0, len(points) - 1, 4).round().astype(int)
        for opacity, first, last in zip((0.25, 0.5, 0.75), cuts, cuts[1:], strict=False):
            canvas.lines([points[first : last + 1]], colour, canvas.pen.thin, opacity)
        canvas.dot(points[-1], 3 * canvas.pen.scale, colour)


def _heading_colour(angle: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(angle / (2 * np.pi) % 1, 0.65, 1.0)
    return round(blue * 255), round(green * 255), round(red * 255)


def _draw_title(canvas: "_Canvas", view: View, lines: Points) -> Rect:
    """Name and version of a view, and how to read its gates."""
    title = f"{_short(view.name, 60)}   version {view.version}".strip()
    rows = (title + ("   proposed, not yet confirmed" if view.proposed else ""), "arrow: counted as in")
    place = _corner(canvas.size, canvas.pen.panel(rows), lines, canvas.pen)
    _draw_panel(canvas, rows, place, (_WHITE, _GREY))
    return place


# --- Geometry of the drawing ----------------------------------------------------------------------------


def _axes(line: Points) -> tuple[Points, Points]:
    """Unit vectors along a gate and towards its `in` side (its right, seen from its first end)."""
    vector = line[1] - line[0]
    x, y = vector / np.hypot(*vector)
    return np.asarray((x, y)), np.asarray((-y, x))


def _box_corners(boxes: NDArray[np.float32], pen: "_Pen") -> NDArray[np.int32]:
    """The four corners of each box as short angles, ``int32[N, 4, 3, 2]``."""
    x1, y1, x2, y2 = boxes.T
    arm = np.clip(0.3 * np.minimum(x2 - x1, y2 - y1), 3, 22 * pen.scale)
    corners = [
        ((x, y + down * arm), (x, y), (x + right * arm, y))
        for x, right in ((x1, 1), (x2, -1))
        for y, down in ((y1, 1), (y2, -1))
    ]
    return np.asarray(corners).transpose(3, 0, 1, 2).round().astype(np.int32)


def _place_labels(
    size: tuple[int, int], lines: Points, boxes: Sequence[tuple[int, int]], taken: list[Rect], pen: "_Pen"
) -> list[Rect]:
    """Where the labels of the gates stand: by an end of each, off the road if there is room.

    Tried are places beyond either end and beside it, with a cost for covering other labels and gates.
    """
    taken = list(taken)
    samples = _sample(lines)
    places = []
    for line, (width, height) in zip(lines, boxes, strict=True):
        along, towards_in = _axes(line)
        half = np.asarray((width, height)) / 2
        wished = []
        for end, outwards in ((line[0], -along), (line[1], along)):
            reach = outwards * (half @ np.abs(outwards))
            wished.append(end + reach + outwards * pen.margin)
            for side in (-towards_in, towards_in):
                wished.append(end - reach + side * (half @ np.abs(side) + pen.margin))
        best, least = (0, 0, width, height), np.inf
        for number, (x, y) in enumerate(wished):
            rect = _inside(size, (round(x - half[0]), round(y - half[1]), width, height), pen.margin)
            moved = abs(rect[0] + half[0] - x) + abs(rect[1] + half[1] - y)
            # Among equals the place beyond an end wins, and one that lay within the picture as it was.
            cost = _covered(rect, samples) + 0.002 * moved / pen.scale + 0.02 * (number % 3)
            cost += sum(_overlap(rect, other) for other in taken)
            if cost < least:
                best, least = rect, cost
        places.append(best)
        taken.append(best)
    return places


def _corner(size: tuple[int, int], box: tuple[int, int], lines: Points, pen: "_Pen") -> Rect:
    """The corner of the picture in which a panel covers least of the gates; top left if equal."""
    width, height = box
    right, bottom = size[0] - width - pen.margin, size[1] - height - pen.margin
    samples = _sample(lines)
    corners = [(x, y, width, height) for y in (pen.margin, bottom) for x in (pen.margin, right)]
    return min(corners, key=lambda rect: _covered(rect, samples))


def _inside(size: tuple[int, int], rect: Rect, margin: int) -> Rect:
    """A rectangle moved so that it lies within the picture."""
    x, y, width, height = rect
    x = max(margin, min(x, size[0] - width - margin))
    return x, max(margin, min(y, size[1] - height - margin)), width, height


def _overlap(one: Rect, other: Rect) -> float:
    """Share of the smaller rectangle covered by the other."""
    x = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    y = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    smaller = min(one[2] * one[3], other[2] * other[3])
    return max(x, 0) * max(y, 0) / smaller if smaller and x > 0 and y > 0 else 0.0


def _sample(lines: Points) -> Points:
    """Forty points on each gate, ``float64[40 G, 2]``."""
    share = np.linspace(0, 1, 40)[:, None, None]
    return np.asarray((lines[:, 0] * (1 - share) + lines[:, 1] * share).reshape(-1, 2), np.float64)


def _covered(rect: Rect, samples: Points) -> float:
    """How much of the gates a rectangle covers, 1 for the length of one."""
    x, y, width, height = rect
    inside = (samples >= (x, y)) & (samples <= (x + width, y + height))
    return float(inside.all(axis=1).sum()) / 40


# --- Pen and canvas -------------------------------------------------------------------------------------


class _Pen:
    """Widths of lines and letters for one size of picture, and the font.

    OpenCV 5 brings a font with Vietnamese letters; no file of ours, no other library.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.scale = min(max(min(size) / 720, 0.6), 3.0)
        self.thin = max(1, round(1.2 * self.scale))
        self.line = max(2, round(2 * self.scale))
        self.letter = max(12, round(15 * self.scale))
        self.row = round(1.4 * self.letter)
        self.baseline = round(1.06 * self.letter)
        self.margin = round(0.6 * self.letter)
        self.font = cv2.FontFace("uni")

    def width(self, text: str) -> int:
        """Width of a text in pixels."""
        if not text:
            return 0
        return int(cv2.getTextSize((0, 0), _drawable(text), (0, 0), self.font, self.letter)[2])

    def panel(self, rows: Sequence[str]) -> tuple[int, int]:
        """Size of a panel around rows of text."""
        return max(map(self.width, rows)) + 2 * self.margin, len(rows) * self.row + self.margin


class _Canvas:
    """A translucent layer, put over a picture in one step.

    It holds colour already weighted by its opacity, and as fourth channel how much of the picture stays:
    any number of faint and solid shapes costs one multiplication and one addition. Text is solid and
    drawn last.
    """

    def __init__(self, size: tuple[int, int], pen: _Pen, pixels: Image | None = None) -> None:
        self.size = size
        self.pen = pen
        if pixels is None:
            pixels = np.zeros((size[1], size[0], 4), np.uint8)
            pixels[..., 3] = 255
        self._pixels = pixels
        self._texts: list[tuple[str, tuple[int, int], Colour]] = []

    def copy(self) -> "_Canvas":
        """Another canvas with the same content."""
        twin = _Canvas(self.size, self.pen, self._pixels.copy())
        twin._texts = list(self._texts)
        return twin

    def lines(
        self,
        paths: Sequence[NDArray[Any]],
        colour: Colour,
        width: int,
        opacity: float = 1.0,
        *,
        closed: bool = False,
        smooth: bool = True,
    ) -> None:
        """Lines through the points of each path; upright and level ones need no smoothing."""
        kind = cv2.LINE_AA if smooth else cv2.LINE_8
        cv2.polylines(self._pixels, _whole(paths), closed, _paint(colour, opacity), width, kind)

    def fill(self, polygons: Sequence[NDArray[Any]], colour: Colour, opacity: float = 1.0) -> None:
        """Filled polygons."""
        cv2.fillPoly(self._pixels, _whole(polygons), _paint(colour, opacity), cv2.LINE_AA)

    def dot(self, centre: NDArray[Any], radius: float, colour: Colour) -> None:
        """A filled circle."""
        x, y = centre.round().astype(int).tolist()
        cv2.circle(self._pixels, (x, y), max(2, round(radius)), _paint(colour, 1.0), -1, cv2.LINE_AA)

    def square(self, centre: tuple[float, float], half: float, colour: Colour) -> None:
        """A filled square."""
        corners = np.asarray(((-1, -1), (1, -1), (1, 1), (-1, 1))) * half
        self.fill([corners + centre], colour)

    def panel(self, rect: Rect) -> None:
        """A soft dark ground for text, with round corners."""
        self.fill([_rounded(rect, self.pen.margin // 2)], (24, 20, 16), 0.66)

    def text(self, text: str, base: tuple[int, int], colour: Colour) -> None:
        """A text from the left end of its base line."""
        if text:
            self._texts.append((_drawable(text), base, colour))

    def over(self, image: Image) -> NDArray[np.uint8]:
        """A copy of a picture under this canvas."""
        stays = cv2.cvtColor(cv2.extractChannel(self._pixels, 3), cv2.COLOR_GRAY2BGR)
        picture = cv2.multiply(image, stays, scale=1 / 255)
        cv2.add(picture, cv2.cvtColor(self._pixels, cv2.COLOR_BGRA2BGR), dst=picture)
        for text, base, colour in self._texts:
            cv2.putText(picture, text, base, colour, self.pen.font, self.pen.letter)
        return np.asarray(picture, np.uint8)


@lru_cache(maxsize=256)
def _rounded(rect: Rect, radius: int) -> NDArray[np.int32]:
    """Outline of a rectangle with round corners."""
    x, y, width, height = rect
    right, bottom = x + width - 1 - radius, y + height - 1 - radius
    turn = np.linspace(0, np.pi / 2, 5)
    outline = [
        np.stack((cx + radius * np.cos(turn + start), cy + radius * np.sin(turn + start)), axis=1)
        for cx, cy, start in (
            (right, bottom, 0.0),
            (x + radius, bottom, np.pi / 2),
            (x + radius, y + radius, np.pi),
            (right, y + radius, 1.5 * np.pi),
        )
    ]
    return np.concatenate(outline).round().astype(np.int32)


def _whole(paths: Sequence[NDArray[Any]]) -> list[NDArray[np.int32]]:
    return [path if path.dtype == np.int32 else path.round().astype(np.int32) for path in paths]


def _paint(colour: Colour, opacity: float) -> tuple[float, ...]:
    return (*(part * opacity for part in colour), 255 * (1 - opacity))


def _bgr(colour: str) -> Colour:
    red, green, blue = bytes.fromhex(colour[1:])
    return blue, green, red


def _pale(colour: str) -> Colour:
    """A colour light enough for letters on a dark ground."""
    return _mix(_bgr(colour), _WHITE, 0.4)


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    blue, green, red = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return blue, green, red


def _drawable(text: str) -> str:
    """A text as the font draws it right: composed letters, but for those it has wrong."""
    return unicodedata.normalize("NFC", text).translate(_MISDRAWN)


def _short(text: str, longest: int = _LONGEST_NAME) -> str:
    """A name short enough for a label: its first clause, or cut at a word."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if len(text) <= longest:
        return text
    clause = re.split(r"[,;:(]| - | – ", text)[0].strip()
    if 3 <= len(clause) <= longest:
        return clause
    return text[: longest - 3].rsplit(" ", 1)[0].rstrip(" ,;:-") + "..."
