"""Looking closer: a detector run on overlapping tiles of the picture as well, for small far vehicles."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from vision.detection.cards import Thresholds
from vision.detection.onnx import OnnxDetector
from vision.detection.suppress import suppress
from vision.geometry import box_containment
from vision.types import Detections, vehicle_kind

_OVERLAP = 0.2
"""Share of a tile that it has in common with the next: a vehicle cut by one lies whole in the other."""
_LARGEST = 0.4
"""Boxes wider or higher than this share of a tile are left to the whole picture, which sees them well."""
_SAME = 0.75
"""Share of a box inside a better one of another look above which both are one vehicle."""
_EDGE = 2.0
"""A box this near to an inner border of a tile, in pixels, is cut by it."""


class TiledDetector:
    """A detector that sees the whole picture and a grid of overlapping tiles of it.

    It costs one run of the network more for each tile. Boxes cut by a tile's border are left to the tile
    beside it, or to the whole picture.

    Args:
        detector: what finds the vehicles.
        columns: tiles side by side.
        rows: tiles one above the other.
    """

    def __init__(self, detector: OnnxDetector, columns: int, rows: int) -> None:
        self._detector = detector
        self._columns, self._rows = columns, rows
        self.sha256, self.provider = detector.sha256, detector.provider

    @property
    def name(self) -> str:
        """The name of the detector's card, and the grid."""
        return f"{self._detector.name} {self._columns}x{self._rows}"

    @property
    def thresholds(self) -> Thresholds:
        """Those of the detector."""
        return self._detector.thresholds

    def least_rider(self, size: tuple[int, int]) -> float | None:
        """Height in pixels from which it finds most riders, in a tile, where they are largest."""
        (width, *_), (height, *_) = (
            [end - begin for begin, end in _spans(length, count)]
            for length, count in zip(size, (self._columns, self._rows), strict=True)
        )
        return self._detector.least_rider((width, height))

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Vehicles in ``image`` (``uint8[H, W, 3]``, BGR), boxes in its pixels, one per vehicle."""
        height, width = image.shape[:2]
        found = [self._detector.detect(image)]
        spans = product(_spans(height, self._rows), _spans(width, self._columns))
        for (top, bottom), (left, right) in spans:
            part = self._detector.detect(np.ascontiguousarray(image[top:bottom, left:right]))
            xyxy = part.xyxy + np.array([left, top, left, top], np.float32)
            whole = _clear_of(xyxy[:, 0], left, 0, 1) & _clear_of(xyxy[:, 1], top, 0, 1)
            whole &= _clear_of(xyxy[:, 2], right, width, -1) & _clear_of(xyxy[:, 3], bottom, height, -1)
            small = (xyxy[:, 2:] - xyxy[:, :2]) < _LARGEST * np.array([right - left, bottom - top])
            whole &= small.all(axis=1)
            found.append(Detections(xyxy, part.score, part.class_id)[whole])
        look = np.repeat(np.arange(len(found)), [len(part) for part in found])
        everything = Detections.joined(found)
        return suppress(everything[_best_of_looks(everything, look)], self.thresholds.suppress_iou)


def _best_of_looks(found: Detections, look: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which boxes to keep where two looks at one vehicle differ: one box lies in the other, ``bool[N]``.

    Two riders seen in one look stay two, however near; a rider before a bus is another kind.
    """
    kind = vehicle_kind(found.class_id)
    other = (look[:, None] != look) & (kind[:, None] == kind)
    better = found.score > found.score[:, None]
    doubled = other & better & (box_containment(found.xyxy, found.xyxy) > _SAME)
    return np.asarray(~doubled.any(axis=1))


def _spans(length: int, count: int) -> list[tuple[int, int]]:
    """``count`` overlapping stretches (from, to) that cover ``length`` pixels."""
    tile = length / (count - (count - 1) * _OVERLAP)
    step = tile * (1 - _OVERLAP)
    return [(round(i * step), min(length, round(i * step + tile))) for i in range(count)]


def _clear_of(edge: NDArray[np.float32], border: int, outer: int, inward: int) -> NDArray[np.bool_]:
    """Which edges are not cut by a tile's border, ``bool[N]``; the picture's own border cuts nothing off."""
    if border == outer:
        return np.ones(len(edge), np.bool_)
    return (edge - border) * inward > _EDGE
