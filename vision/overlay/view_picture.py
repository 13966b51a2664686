"""A view drawn over a picture: zones, gates and movements, large, to be checked by eye."""

import colorsys
from collections.abc import Mapping, Sequence
from typing import Any

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
    Points,
    Rect,
    bgr,
    mix,
    pale,
    short,
)
from vision.overlay.layout import axes, corner, inside, overlap, place_labels
from vision.views import Gate, Movement, Turn, View

_TURN_COLOURS: Mapping[Turn, str] = {
    "left": "#56B4E9",
    "through": "#009E73",
    "right": "#FFB000",
    "u_turn": "#E8602C",
}
TURN_SIGNS: Mapping[Turn, str] = {"left": "↰", "through": "↑", "right": "↱", "u_turn": "↶"}
_ZONE_COLOURS: Mapping[str, str] = {"roi": "#FFFFFF", "approach": "#9AD8FF", "no_stop": "#FF6E5A"}


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
    pen = Pen(size)
    canvas = Canvas(size, pen)
    draw_zones(canvas, view)
    _draw_paths(canvas, trails)
    lines = view.gate_lines(size)
    taken = [_draw_title(canvas, view, lines)]
    curves = _movement_curves(view, lines)
    for movement, curve in zip(view.movements, curves, strict=True):
        _draw_movement(canvas, movement, curve)
    for line in lines:
        draw_gate(canvas, line, 0.0, WHITE)
        taken += _draw_directions(canvas, line)
    texts = [_gate_words(gate) for gate in view.gates]
    places = place_labels(size, lines, [pen.panel(words) for words in texts], taken, pen)
    taken += places
    for rows, place in zip(texts, places, strict=True):
        draw_panel(canvas, rows, place, (WHITE, GREY))
    for movement, curve in zip(view.movements, curves, strict=True):
        words = f"{TURN_SIGNS[movement.turn]} {movement.id}"
        _draw_free_panel(
            canvas, words, curve[[20, 15, 25, 11, 29]], pale(_TURN_COLOURS[movement.turn]), taken
        )
    for zone in view.zones:
        corners = np.asarray(zone.polygon, np.float64) * size
        middle = corners.mean(axis=0)
        words = f"{zone.id} ({zone.kind.replace('_', ' ')})"
        wished = np.vstack((middle, (corners + middle) / 2))
        _draw_free_panel(canvas, words, wished, pale(_ZONE_COLOURS[zone.kind]), taken)
    return canvas.over(image)


def draw_zones(canvas: Canvas, view: View) -> None:
    """The zones' edges, and a faint tint over those that do not cover nearly everything."""
    scale = np.asarray(canvas.size, np.float64)
    for zone in view.zones:
        polygon = np.asarray(zone.polygon, np.float64) * scale
        colour = bgr(_ZONE_COLOURS[zone.kind])
        if zone.kind != "roi":  # it covers nearly everything: its edge says enough
            canvas.fill([polygon], colour, 0.14)
        canvas.lines([polygon], colour, canvas.pen.thin, 0.5, closed=True)


def draw_gate(canvas: Canvas, line: Points, glow: float, colour: Colour) -> None:
    """A gate with an arrow on its `in` side; lit in a colour while ``glow`` is above 0."""
    pen = canvas.pen
    along, towards_in = axes(line)
    middle = line.mean(axis=0)
    tip, half = 15 * pen.scale, 7 * pen.scale
    base = middle + towards_in * 4 * pen.scale
    arrow = np.stack((base + along * half, base + towards_in * tip, base - along * half))
    if glow:
        canvas.lines([line], colour, pen.line + round(9 * pen.scale), 0.5 * glow)
    canvas.lines([line], BLACK, pen.line + 2, 0.5)
    canvas.lines([arrow], BLACK, 3, 0.5, closed=True)
    shade = mix(WHITE, colour, glow)
    canvas.lines([line], shade, pen.line, 0.95)
    canvas.fill([arrow], shade)
    for end in line:
        canvas.dot(end, 3.5 * pen.scale, shade)


def draw_panel(canvas: Canvas, rows: Sequence[str], place: Rect, colours: Sequence[Colour]) -> None:
    """Rows of text on a panel, each in its colour."""
    pen = canvas.pen
    x, y, width, _ = place
    canvas.panel((x, y, width, pen.panel(rows)[1]))
    for number, (words, colour) in enumerate(zip(rows, colours, strict=False)):
        base = y + pen.margin // 2 + number * pen.row + pen.baseline
        canvas.text(words, (x + pen.margin, base), colour)


def gate_names(gates: Sequence[Gate]) -> list[str]:
    """Names short enough for labels; where two would read alike, the gates' ids."""
    names = [short(gate.name or gate.id) for gate in gates]
    return [name if names.count(name) == 1 else gate.id for name, gate in zip(names, gates, strict=True)]


def _gate_words(gate: Gate) -> tuple[str, ...]:
    return (gate.id, short(gate.name)) if gate.name and gate.name != gate.id else (gate.id,)


def _draw_free_panel(canvas: Canvas, words: str, wished: Points, colour: Colour, taken: list[Rect]) -> None:
    """A panel around the first of some points where it covers no other; its place joins those taken."""
    width, height = canvas.pen.panel((words,))
    places = [
        inside(canvas.size, (round(x - width / 2), round(y - height / 2), width, height), canvas.pen.margin)
        for x, y in wished
    ]
    best = min(places, key=lambda place: sum(overlap(place, other) for other in taken))
    draw_panel(canvas, (words,), best, (colour,))
    taken.append(best)


def _draw_directions(canvas: Canvas, line: Points) -> list[Rect]:
    """The words `in` and `out` on the two sides of a gate; returns where they stand."""
    pen = canvas.pen
    _, towards_in = axes(line)
    places = []
    for words, away, side in (("in", 22.0, towards_in), ("out", 8.0, -towards_in)):
        width, height = pen.panel((words,))
        reach = (width * abs(side[0]) + height * abs(side[1])) / 2
        x, y = line.mean(axis=0) + side * (away * pen.scale + reach)
        place = (round(x - width / 2), round(y - height / 2), width, height)
        draw_panel(canvas, (words,), place, (WHITE,))
        places.append(place)
    return places


def _draw_movement(canvas: Canvas, movement: Movement, curve: Points) -> None:
    """A curved arrow from the gate of entry to the gate of exit."""
    pen = canvas.pen
    colour = bgr(_TURN_COLOURS[movement.turn])
    heading = curve[-1] - curve[-4]
    heading /= np.hypot(*heading) or 1.0
    across = np.asarray((-heading[1], heading[0])) * 7 * pen.scale
    foot = curve[-1] - heading * 16 * pen.scale
    canvas.lines([curve], BLACK, pen.line + 3, 0.4)
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
            along, _ = axes(lines[here])
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
            axes(lines[number[movement.origin]])[1],
            places[i, 1],
            axes(lines[number[movement.destination]])[1],
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


def _draw_paths(canvas: Canvas, paths: Sequence[NDArray[np.floating[Any]]]) -> None:
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


def _draw_title(canvas: Canvas, view: View, lines: Points) -> Rect:
    """Name and version of a view, and how to read its gates."""
    title = f"{short(view.name, 60)}   version {view.version}".strip()
    rows = (title + ("   proposed, not yet confirmed" if view.proposed else ""), "arrow: counted as in")
    place = corner(canvas.size, canvas.pen.panel(rows), lines, canvas.pen)
    draw_panel(canvas, rows, place, (WHITE, GREY))
    return place
