"""Where labels and panels go so that they cover little of the gates and nothing of each other."""

from collections.abc import Sequence

import numpy as np

from vision.overlay.canvas import Pen, Points, Rect


def axes(line: Points) -> tuple[Points, Points]:
    """Unit vectors along a gate and towards its `in` side (its right, seen from its first end)."""
    vector = line[1] - line[0]
    x, y = vector / np.hypot(*vector)
    return np.asarray((x, y)), np.asarray((-y, x))


def place_labels(
    size: tuple[int, int], lines: Points, boxes: Sequence[tuple[int, int]], taken: list[Rect], pen: Pen
) -> list[Rect]:
    """Where the labels of the gates stand: by an end of each, off the road if there is room.

    Tried are places beyond either end and beside it, with a cost for covering other labels and gates.
    """
    taken = list(taken)
    samples = _sample(lines)
    places = []
    for line, (width, height) in zip(lines, boxes, strict=True):
        along, towards_in = axes(line)
        half = np.asarray((width, height)) / 2
        wished = []
        for end, outwards in ((line[0], -along), (line[1], along)):
            reach = outwards * (half @ np.abs(outwards))
            wished.append(end + reach + outwards * pen.margin)
            for side in (-towards_in, towards_in):
                wished.append(end - reach + side * (half @ np.abs(side) + pen.margin))
        best, least = (0, 0, width, height), np.inf
        for number, (x, y) in enumerate(wished):
            rect = inside(size, (round(x - half[0]), round(y - half[1]), width, height), pen.margin)
            moved = abs(rect[0] + half[0] - x) + abs(rect[1] + half[1] - y)
            # Among equals the place beyond an end wins, and one that lay within the picture as it was.
            cost = _covered(rect, samples) + 0.002 * moved / pen.scale + 0.02 * (number % 3)
            cost += sum(overlap(rect, other) for other in taken)
            if cost < least:
                best, least = rect, cost
        places.append(best)
        taken.append(best)
    return places


def corner(size: tuple[int, int], box: tuple[int, int], lines: Points, pen: Pen) -> Rect:
    """The corner of the picture in which a panel covers least of the gates; top left if equal."""
    width, height = box
    right, bottom = size[0] - width - pen.margin, size[1] - height - pen.margin
    samples = _sample(lines)
    corners = [(x, y, width, height) for y in (pen.margin, bottom) for x in (pen.margin, right)]
    return min(corners, key=lambda rect: _covered(rect, samples))


def inside(size: tuple[int, int], rect: Rect, margin: int) -> Rect:
    """A rectangle moved so that it lies within the picture."""
    x, y, width, height = rect
    x = max(margin, min(x, size[0] - width - margin))
    return x, max(margin, min(y, size[1] - height - margin)), width, height


def overlap(one: Rect, other: Rect) -> float:
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
