"""Suppression: one vehicle is one box, whatever classes the network gives it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.geometry import box_areas, box_intersections
from vision.types import Detections, VehicleClass

CONTAINED = 0.8
"""A bus or truck with more of its box than this inside another is a part of that one: a cab of its lorry."""

EXPLAINED = 0.85
"""A two-wheeler with more of its box than this inside two or more surer ones is made of halves of them."""

Boxes = NDArray[np.float32]

_GRID = (np.arange(8) + 0.5) / 8


def suppress(detections: Detections, iou: float) -> Detections:
    """One box per vehicle, across all classes; the class kept is that of the best score.

    Of boxes that overlap more than ``iou`` the weaker go. So does a bus or truck that lies almost wholly in
    a better one; nothing smaller does, since riders and cars do stand in front of buses. A two-wheeler goes
    that two or more better ones cover between them: riders side by side are seen as a third. The result is
    sorted by falling score and does not depend on the order of the input. Boxes must have an area.
    """
    if len(detections) == 0:
        return detections
    # Ties are broken by place and class, so that the order of the input has no say.
    x1, y1, x2, y2 = detections.xyxy.T
    ranked = detections[np.lexsort((detections.class_id, y2, x2, y1, x1, -detections.score))]
    xywh = ranked.xyxy.copy()
    xywh[:, 2:] -= xywh[:, :2]
    # OpenCV gets ranks for scores: it drops a score of 0 and must not break the ties anew. Its binding
    # takes lists in half the time that arrays need.
    ranks = [float(rank) for rank in range(len(ranked), 0, -1)]
    kept = cv2.dnn.NMSBoxes(xywh.tolist(), ranks, 0.0, iou)
    return _without_halves(_without_parts(ranked[np.asarray(kept, np.intp)]))


def _without_parts(ranked: Detections) -> Detections:
    large = np.flatnonzero(ranked.class_id >= VehicleClass.BUS)
    if len(large) < 2:
        return ranked
    boxes = ranked.xyxy[large]
    shared = box_intersections(boxes, boxes)
    # Below the diagonal the other box, of the column, is the better one.
    parts = np.tril(shared > CONTAINED * box_areas(boxes)[:, None], -1).any(axis=1)
    return ranked[np.delete(np.arange(len(ranked)), large[parts])]


def _without_halves(ranked: Detections) -> Detections:
    riders = np.flatnonzero(
        (ranked.class_id == VehicleClass.BICYCLE) | (ranked.class_id == VehicleClass.MOTORCYCLE)
    )
    if len(riders) < 3:
        return ranked
    boxes = ranked.xyxy[riders]
    # Below the diagonal the other box, of the column, is the better one. No union is more than the sum.
    shared = np.tril(box_intersections(boxes, boxes), -1)
    doubtful = (shared.sum(axis=1) > EXPLAINED * box_areas(boxes)) & ((shared > 0).sum(axis=1) > 1)
    rows = np.flatnonzero(doubtful)
    halves = rows[_covered(boxes[rows], boxes, shared[rows] > 0) > EXPLAINED]
    return ranked[np.delete(np.arange(len(ranked)), riders[halves])] if len(halves) else ranked


def _covered(boxes: Boxes, others: Boxes, by: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share ``[N]``, to 1/64, of boxes ``[N, 4]`` that those of ``[M, 4]`` cover that ``by[N, M]`` names."""
    x, y = (boxes[:, side, None] + (boxes[:, side + 2] - boxes[:, side])[:, None] * _GRID for side in (0, 1))
    left, top, right, bottom = others.T[:, None, :, None]
    across = (x[:, None] > left) & (x[:, None] < right) & by[..., None]
    down = (y[:, None] > top) & (y[:, None] < bottom)
    return np.asarray((across[..., None] & down[:, :, None]).any(axis=1).mean(axis=(1, 2)), np.float64)
