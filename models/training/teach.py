"""Label pictures with teachers: what two detectors agree on is a vehicle, what one suspects is left open.

The first teacher is a general detector at high resolution; the second is our own best one, looking at tiles
of the picture as well; both also look at it mirrored, since one look misses what another finds. COCO boxes
riders apart from their motorcycles: a rider is joined to the machine.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.detection.cards import Card
from vision.detection.onnx import OnnxDetector
from vision.detection.suppress import suppress
from vision.detection.tiles import TiledDetector
from vision.geometry import box_iou
from vision.types import Detections, VehicleClass

Boxes = NDArray[np.float32]
"""``float32[N, 6]``: class id, left, top, right, bottom as fractions of the picture, and 1 for a vehicle or 0
for a place where there may be one, from which nothing is to be learnt."""

_PERSON = VehicleClass.UNKNOWN
_SAME = 0.5
_SAME_RIDER = 0.3
"""IoU from which two boxes are one vehicle; lower for two-wheelers, boxed with or without the rider."""


@dataclass(frozen=True, slots=True)
class TeacherScores:
    """From which scores a teacher is believed alone, together with the other, or suspected.

    The general detector's scores and ours are not on one scale; these were set by looking at pictures.
    """

    alone: float
    together: float
    suspected: float


GENERAL = TeacherScores(alone=0.45, together=0.15, suspected=0.12)
OWN = TeacherScores(alone=0.42, together=0.12, suspected=0.1)


def with_people(card: Card) -> Card:
    """The card of a COCO detector, taught to report people (as unknown), with low scores kept.

    Suppression is loose here: a person must not suppress the motorcycle below.
    """
    thresholds = card.thresholds.model_copy(update={"keep": 0.1, "suppress_iou": 0.75})
    classes = {**card.classes, 0: "unknown"}
    taught = card.model_copy(update={"classes": classes, "thresholds": thresholds})
    taught._path = card._path
    return taught


class Teachers:
    """A general detector and our own, which together label a picture."""

    def __init__(self, general: OnnxDetector, own: OnnxDetector) -> None:
        self._general = general
        self._own = TiledDetector(own, 2, 2)

    def label(self, image: NDArray[np.uint8]) -> Boxes:
        """The vehicles of ``image`` (``uint8[H, W, 3]``, BGR)."""
        general = join_riders(_both_ways(self._general.detect, image))
        own = suppress(_both_ways(self._own.detect, image), self._own.thresholds.suppress_iou)
        size = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
        return _fuse(general, own, size)


def _both_ways(detect: Callable[[NDArray[np.uint8]], Detections], image: NDArray[np.uint8]) -> Detections:
    """What is found in a picture and in its mirror image, side by side."""
    plain, mirrored = detect(image), detect(np.ascontiguousarray(image[:, ::-1]))
    turned = mirrored.xyxy.copy()
    turned[:, [0, 2]] = image.shape[1] - mirrored.xyxy[:, [2, 0]]
    return Detections.joined([plain, Detections(turned, mirrored.score, mirrored.class_id)])


def join_riders(found: Detections) -> Detections:
    """Each two-wheeler's box with its rider's, where a person sits above it; people left out."""
    people = found.xyxy[found.class_id == _PERSON]
    vehicles = found[found.class_id != _PERSON]
    two_wheels = np.flatnonzero(vehicles.class_id <= VehicleClass.MOTORCYCLE)
    if len(people) == 0 or len(two_wheels) == 0:
        return suppress(vehicles, _SAME)
    boxes = vehicles.xyxy.copy()
    for row in two_wheels:
        box = boxes[row]
        width = box[2] - box[0]
        overlap = np.minimum(people[:, 2], box[2]) - np.maximum(people[:, 0], box[0])
        aboard = overlap > 0.6 * np.minimum(people[:, 2] - people[:, 0], width)
        height = box[3] - box[1]
        aboard &= (people[:, 3] > box[1]) & (people[:, 3] < box[3] + 0.1 * height)
        aboard &= (people[:, 1] < box[1] + 0.3 * height) & (people[:, 1] > box[1] - 1.5 * height)
        for person in people[aboard]:
            boxes[row] = [*np.minimum(boxes[row][:2], person[:2]), *np.maximum(boxes[row][2:], person[2:])]
    joined = Detections(boxes, vehicles.score, vehicles.class_id)
    return suppress(joined, _SAME)


def _fuse(general: Detections, own: Detections, size: NDArray[np.float32]) -> Boxes:
    """Vehicles both see or one is sure of; what else one suspects is left open."""
    shared = box_iou(general.xyxy, own.xyxy)
    two_wheeler = general.class_id <= VehicleClass.MOTORCYCLE
    same = shared > np.where(two_wheeler, _SAME_RIDER, _SAME)[:, None]
    agreed = same & (general.score > GENERAL.together)[:, None] & (own.score > OWN.together)[None]
    general_sure = (general.score > GENERAL.alone) | agreed.any(axis=1)
    own_sure = (own.score > OWN.alone) | agreed.any(axis=0)
    # Of a pair one box is kept: ours for two-wheelers, whose rider it includes, else the general detector's.
    paired = same.any(axis=0)
    small = own.class_id <= VehicleClass.MOTORCYCLE
    partner_small = (same & two_wheeler[:, None]).any(axis=0)
    keep_own = ~paired | (small & partner_small)
    keep_general = ~(same & keep_own[None]).any(axis=1)
    rows = [
        np.column_stack([part.class_id, part.xyxy / size, sure]).astype(np.float32)[keep]
        for part, sure, keep in ((general, general_sure, keep_general), (own, own_sure, keep_own))
    ]
    suspected = np.concatenate([general.score > GENERAL.suspected, own.score > OWN.suspected])
    kept = np.concatenate([keep_general, keep_own])
    fused = np.concatenate(rows)[suspected[kept]]
    return _without_doubles(fused)


def _without_doubles(boxes: Boxes) -> Boxes:
    """Open places that a vehicle already covers are dropped, and of two vehicles' boxes on one spot one."""
    order = np.argsort(-boxes[:, 5], kind="stable")
    boxes = boxes[order]
    overlap = box_iou(boxes[:, 1:5], boxes[:, 1:5])
    drop = (np.triu(overlap, 1) > 0.65).any(axis=0)
    return np.asarray(boxes[~drop])
