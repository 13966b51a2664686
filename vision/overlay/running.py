"""Frame after frame of one camera: boxes, trails, gates and running counts over the picture.

Drawing only: what is counted comes in as :class:`Crossing` and is added up, never judged again here.
"""

from bisect import bisect
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.overlay.canvas import (
    BLACK,
    GREY,
    WHITE,
    Canvas,
    Colour,
    Image,
    Pen,
    bgr,
    mix,
    short,
)
from vision.overlay.layout import corner, place_labels
from vision.overlay.view_picture import TURN_SIGNS, draw_gate, draw_panel, draw_zones, gate_names
from vision.types import Crossing, Direction, Tracks, VehicleClass
from vision.views import Movement, View

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

_TRAIL_SECONDS = 1.6
_FLASH_SECONDS = 0.6
_REMEMBERED_VEHICLES = 20_000
_MOST_MOVEMENTS = 12


def class_bgr(vehicle_class: int) -> Colour:
    """The colour of a vehicle class as OpenCV draws it: blue, green, red."""
    return bgr(CLASS_COLOURS[VehicleClass(vehicle_class)])


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
        self._pen = Pen(size)
        self._ground = Canvas(size, self._pen)
        if view:
            draw_zones(self._ground, view)
        gates = view.gates if view else []
        lines = view.gate_lines(size) if view else np.zeros((0, 2, 2))
        self._gates = list(zip(gates, lines, strict=True))
        self._legend_size = self._measure_legend()
        self._legend = corner(size, self._legend_size, lines, self._pen)
        self._names = gate_names(gates)
        boxes = [self._pen.panel((name, gate_label(8888, 8888))) for name in self._names]
        self._labels = place_labels(size, lines, boxes, [self._legend], self._pen)

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
            draw_gate(canvas, line, glow, colour)
            words = self._names[number], self.counts.label(gate.id)
            draw_panel(canvas, words, self._labels[number], (GREY, mix(WHITE, colour, glow)))
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
        began, colour = self._flashes.get(gate, (-np.inf, WHITE))
        glow = 1 - (time - began) / _FLASH_SECONDS
        return (min(glow, 1.0), colour) if glow > 0 else (0.0, WHITE)

    def _draw_trails(self, canvas: Canvas, time: float) -> None:
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

    def _draw_boxes(self, canvas: Canvas, tracks: Tracks) -> None:
        shown = [self._trails[track].sightings > 1 for track in tracks.track_id.tolist()]
        boxes, class_ids = tracks.xyxy[shown], tracks.class_id[shown]
        corners = _box_corners(boxes, self._pen)
        canvas.lines(list(corners.reshape(-1, 3, 2)), BLACK, self._pen.line + 2, 0.45, smooth=False)
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
            rows.append((TURN_SIGNS[movement.turn], short(movement.id), figures))
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

    def _draw_legend(self, canvas: Canvas, time: float) -> None:
        rows, pen = self._legend_rows(), self._pen
        x, y, width, _ = self._legend
        canvas.panel((x, y, width, (len(rows) + 1) * pen.row + pen.margin))
        left, base = x + pen.margin, y + pen.margin // 2 + pen.baseline
        canvas.text(self._clock(time), (left, base), GREY)
        for sign, words, figures in rows:
            base += pen.row
            if isinstance(sign, str):
                canvas.text(sign, (left, base), GREY)
            else:
                canvas.square((left + pen.letter * 0.3, base - pen.letter * 0.36), pen.letter * 0.3, sign)
            canvas.text(words, (left + pen.row, base), GREY)
            canvas.text(figures, (x + width - pen.margin - pen.width(figures), base), WHITE)


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
            for width, colour in ((3, BLACK), (1, WHITE)):
                cv2.line(image, ends[0], ends[1], colour, width, cv2.LINE_AA)
                point = tuple(np.round(middle).astype(int).tolist())
                cv2.line(image, point, tuple(np.round(tick).astype(int).tolist()), colour, width, cv2.LINE_AA)
    corners = np.round(tracks.xyxy * np.tile(np.array(shown) / size, 2)).astype(int)
    for (left, top, right, bottom), kind in zip(corners.tolist(), tracks.class_id.tolist(), strict=True):
        cv2.rectangle(image, (left, top), (right, bottom), class_bgr(kind), 1, cv2.LINE_AA)


def _box_corners(boxes: NDArray[np.float32], pen: Pen) -> NDArray[np.int32]:
    """The four corners of each box as short angles, ``int32[N, 4, 3, 2]``."""
    x1, y1, x2, y2 = boxes.T
    arm = np.clip(0.3 * np.minimum(x2 - x1, y2 - y1), 3, 22 * pen.scale)
    corners = [
        ((x, y + down * arm), (x, y), (x + right * arm, y))
        for x, right in ((x1, 1), (x2, -1))
        for y, down in ((y1, 1), (y2, -1))
    ]
    return np.asarray(corners).transpose(3, 0, 1, 2).round().astype(np.int32)
