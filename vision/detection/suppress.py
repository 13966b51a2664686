"""Suppression: one vehicle is one box, whatever classes the network gives it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.types import Detections, VehicleClass

CONTAINED = 0.8
"""A bus or truck with more of its box than this inside another is a part of that one: a cab of its lorry."""


def suppress(detections: Detections, iou: float) -> Detections:
    """One box per vehicle, across all classes; the class kept is that of the best score.

    Of boxes that overlap more than ``iou`` the weaker go. So does a bus or truck that lies almost wholly in
    a better one; nothing smaller does, since riders and cars do stand in front of buses. The result is
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
    return _without_parts(ranked[np.asarray(kept, np.intp)])


def _without_parts(ranked: Detections) -> Detections:
    large = np.flatnonzero(ranked.class_id >= VehicleClass.BUS)
    if len(large) < 2:
        return ranked
    boxes = ranked.xyxy[large]
    shared = _shared(boxes, boxes)
    # Below the diagonal the other box, of the column, is the better one.
    parts = np.tril(shared > CONTAINED * _area(boxes)[:, None], -1).any(axis=1)
    return ranked[np.delete(np.arange(len(ranked)), large[parts])]


def iou_matrix(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of every pair: ``float32[N, 4]``, ``float32[M, 4]`` → ``float32[N, M]``."""
    shared = _shared(a, b)
    union = _area(a)[:, None] + _area(b)[None, :] - shared
    result = np.zeros_like(shared)
    np.divide(shared, union, out=result, where=union > 0)
    return result


def _shared(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    area: NDArray[np.float32] = np.clip(high - low, 0, None).prod(axis=2)
    return area


def _area(xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    area: NDArray[np.float32] = (xyxy[:, 2:] - xyxy[:, :2]).prod(axis=1)
    return area
