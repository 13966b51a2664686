"""Suppression: one vehicle is one box, whatever classes the network gives it."""

import cv2
import numpy as np

from vision.geometry import box_areas, box_intersections
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
    shared = box_intersections(boxes, boxes)
    # Below the diagonal the other box, of the column, is the better one.
    parts = np.tril(shared > CONTAINED * box_areas(boxes)[:, None], -1).any(axis=1)
    return ranked[np.delete(np.arange(len(ranked)), large[parts])]
