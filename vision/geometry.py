"""Plane geometry on image points and boxes, vectorised. Image axes: x to the right, y down."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[Any]
Boxes = NDArray[Any]


def signed_distance(points: Points, line: Points) -> NDArray[np.float64]:
    """Perpendicular distance of points to the infinite lines through given segments.

    Args:
        points: ``[N, 2]``.
        line: ``[G, 2, 2]``, each a first and a second end.

    Returns:
        ``[N, G]`` in the unit of the points; positive on the right of a line, seen from its first
        end to its second (on screen, with y down: below a line drawn from left to right).
    """
    start, vector = line[:, 0], line[:, 1] - line[:, 0]
    length = np.hypot(vector[:, 0], vector[:, 1])
    offset = points[:, None, :] - start
    cross = vector[:, 0] * offset[..., 1] - vector[:, 1] * offset[..., 0]
    return np.asarray(cross / length, np.float64)


def position_along(points: Points, line: Points) -> NDArray[np.float64]:
    """Where points project on segments: 0 at the first end, 1 at the second, beyond them outside.

    Args:
        points: ``[K, 2]``.
        line: ``[K, 2, 2]``, a segment for each point.

    Returns:
        ``[K]``.
    """
    start, vector = line[:, 0], line[:, 1] - line[:, 0]
    squared = (vector**2).sum(axis=1)
    return np.asarray(((points - start) * vector).sum(axis=1) / squared, np.float64)


def points_in_polygon(points: Points, polygon: Points) -> NDArray[np.bool_]:
    """Which points lie inside a polygon (even-odd rule).

    Args:
        points: ``[N, 2]``.
        polygon: ``[K, 2]``, open (the last corner joins the first).

    Returns:
        ``bool[N]``.
    """
    x, y = points[:, 0, None], points[:, 1, None]
    x1, y1 = polygon.T
    x2, y2 = np.roll(polygon, -1, axis=0).T
    spans = (y1 > y) != (y2 > y)
    rise = np.where(y2 == y1, 1.0, y2 - y1)
    left_of_edge = x < (x2 - x1) * (y - y1) / rise + x1
    return np.asarray((spans & left_of_edge).sum(axis=1) % 2 == 1, np.bool_)


def segments_cross(a: Points, b: Points) -> bool:
    """Whether two segments ``[2, 2]`` properly cross (sharing an end does not count)."""

    def side(p: Points, q: Points, r: Points) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return (
        side(a[0], a[1], b[0]) * side(a[0], a[1], b[1]) < 0
        and side(b[0], b[1], a[0]) * side(b[0], b[1], a[1]) < 0
    )


def is_simple_polygon(polygon: Points) -> bool:
    """Whether no two edges of an open polygon ``[K, 2]`` cross, and it has an area."""
    edges = np.stack((polygon, np.roll(polygon, -1, axis=0)), axis=1)
    count = len(edges)
    for i in range(count):
        for j in range(i + 1, count):
            if segments_cross(edges[i], edges[j]):
                return False
    return polygon_area(polygon) > 0


def polygon_area(polygon: Points) -> float:
    """Area of an open polygon ``[K, 2]``, never negative (shoelace formula)."""
    x, y = polygon.T
    return float(abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2)


def clip_polygon(polygon: Points, line: Points) -> NDArray[np.float64]:
    """The part of a polygon where ``a·x + b·y + c`` is not negative (Sutherland and Hodgman, 1974).

    Args:
        polygon: ``[K, 2]``, open.
        line: ``[3]``, the numbers a, b and c.

    Returns:
        ``[M, 2]``, open; empty where nothing is left.
    """
    side = polygon @ line[:2] + line[2]
    kept: list[NDArray[np.float64]] = []
    for number in range(len(polygon)):
        before, here = side[number - 1], side[number]
        if (before < 0) != (here < 0):
            share = before / (before - here)
            kept.append(polygon[number - 1] + share * (polygon[number] - polygon[number - 1]))
        if here >= 0:
            kept.append(polygon[number])
    return np.asarray(kept, np.float64).reshape(-1, 2)


def box_middles(boxes: Boxes) -> Boxes:
    """Middle points ``[N, 2]`` of boxes ``[N, 4]``."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def box_areas(boxes: Boxes) -> Boxes:
    """Areas ``[N]`` of boxes ``[N, 4]`` given as left, top, right, bottom."""
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


def box_sizes(boxes: Boxes) -> Boxes:
    """Square root of the area of each box, ``[N]``, at least one pixel a side."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    return np.asarray(np.sqrt(sides[:, 0] * sides[:, 1]))


def box_intersections(a: Boxes, b: Boxes) -> Boxes:
    """Areas ``[N, M]`` that boxes ``a[N, 4]`` and ``b[M, 4]`` share."""
    width = np.minimum(a[:, None, 2], b[:, 2]) - np.maximum(a[:, None, 0], b[:, 0])
    height = np.minimum(a[:, None, 3], b[:, 3]) - np.maximum(a[:, None, 1], b[:, 1])
    return np.asarray(np.maximum(width, 0) * np.maximum(height, 0))


def box_iou(a: Boxes, b: Boxes) -> Boxes:
    """Intersection over union ``[N, M]`` of boxes ``a[N, 4]`` and ``b[M, 4]``."""
    shared = box_intersections(a, b)
    union = box_areas(a)[:, None] + box_areas(b) - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


def box_containment(a: Boxes, b: Boxes) -> Boxes:
    """Shared area over the smaller box's area, ``[N, M]``: 1 where one box lies within the other."""
    smaller = np.minimum(box_areas(a)[:, None], box_areas(b))
    return np.asarray(box_intersections(a, b) / np.maximum(smaller, 1e-9))


def pair_iou(a: Boxes, b: Boxes) -> Boxes:
    """Intersection over union ``[N]`` of boxes ``a[N, 4]`` and ``b[N, 4]``, row by row."""
    width = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    height = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    return np.asarray(shared / np.maximum(box_areas(a) + box_areas(b) - shared, 1e-9))
