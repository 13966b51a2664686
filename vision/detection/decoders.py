"""Decoders: one plain function per family of networks, from its outputs to boxes in input pixels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.errors import ModelError
from vision.types import Detections

Outputs = Mapping[str, NDArray[Any]]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a decoder is to look for.

    Attributes:
        columns: ``intp[K]``, the network's class numbers that are vehicles.
        class_ids: ``int8[K]``, our class of each.
        lookup: ``int8[C + 1]``, our class by the network's class number; -1 for those outside the map and
            in the last place, where all higher numbers are clipped to.
        keep: lowest score kept.
        size: width and height of the network's input.
    """

    columns: NDArray[np.intp]
    class_ids: NDArray[np.int8]
    lookup: NDArray[np.int8]
    keep: float
    size: Size

    @classmethod
    def of(cls, classes: Mapping[int, int], keep: float, size: Size) -> "Wanted":
        """From the class map of a card: the network's class number → ours."""
        columns = sorted(classes)
        lookup = np.full(columns[-1] + 2, -1, np.int8)
        class_ids = np.array([classes[c] for c in columns], np.int8)
        lookup[columns] = class_ids
        return cls(np.array(columns, np.intp), class_ids, lookup, keep, size)


Decoder = Callable[[Outputs, Wanted], Detections]
"""Boxes (in pixels of the network's input), scores and our classes; nothing suppressed yet.

Raises ModelError where the outputs are not of the family.
"""


def ngatu(outputs: Outputs, wanted: Wanted) -> Detections:
    """Ours: ``boxes [1, N, 4]`` as corners and ``scores [1, N, C]``."""
    boxes, scores = _named(outputs, "ngatu", "boxes", "scores")
    n = boxes.shape[1] if boxes.ndim == 3 else -1
    _check("ngatu", boxes.shape == (1, n, 4) and scores.ndim == 3 and scores.shape[:2] == (1, n), outputs)
    _check_classes(wanted, scores.shape[2])
    return _best_class(boxes[0], scores[0].T, wanted)


def yolo(outputs: Outputs, wanted: Wanted) -> Detections:
    """YOLOv8 and YOLO11 raw heads: ``[1, 4 + C, N]``, centre and size, then class scores."""
    out = _single(outputs, "yolo")
    _check("yolo", out.ndim == 3 and out.shape[0] == 1 and 5 <= out.shape[1] < out.shape[2], outputs)
    _check_classes(wanted, out.shape[1] - 4)
    found = _best_class(out[0, :4].T, out[0, 4:], wanted)
    return Detections(_corners(found.xyxy), found.score, found.class_id)


def yolo_end2end(outputs: Outputs, wanted: Wanted) -> Detections:
    """YOLO26: ``[1, N, 6]``, corners, score, class; one row per object."""
    out = _single(outputs, "yolo_end2end")
    _check("yolo_end2end", out.ndim == 3 and out.shape[0] == 1 and out.shape[2] == 6, outputs)
    rows = out[0][out[0, :, 4] >= wanted.keep]
    return _mapped(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.intp), wanted)


def yolox(outputs: Outputs, wanted: Wanted) -> Detections:
    """YOLOX: ``[1, N, 5 + C]``, offsets on the grids of strides 8, 16, 32, objectness, class scores."""
    out = _single(outputs, "yolox")
    grid = yolox_grid(wanted.size)
    _check("yolox", out.ndim == 3 and out.shape[:2] == (1, len(grid)) and out.shape[2] > 5, outputs)
    _check_classes(wanted, out.shape[2] - 5)
    # Class scores are at most 1, so objectness alone already bounds the product.
    likely = np.flatnonzero(out[0, :, 4] >= wanted.keep)
    rows, place = out[0, likely], grid[likely]
    boxes = np.empty((len(rows), 4), np.float32)
    boxes[:, :2] = (rows[:, :2] + place[:, :2]) * place[:, 2:]
    boxes[:, 2:] = np.exp(rows[:, 2:4]) * place[:, 2:]
    found = _best_class(boxes, (rows[:, 5:] * rows[:, 4:5]).T, wanted)
    return Detections(_corners(found.xyxy), found.score, found.class_id)


def deimv2(outputs: Outputs, wanted: Wanted) -> Detections:
    """DEIMv2: ``labels [1, N]``, ``boxes [1, N, 4]`` as corners, ``scores [1, N]``."""
    labels, boxes, scores = _named(outputs, "deimv2", "labels", "boxes", "scores")
    n = scores.shape[-1]
    right = scores.shape == (1, n) and labels.shape == (1, n) and boxes.shape == (1, n, 4)
    _check("deimv2", right, outputs)
    likely = np.flatnonzero(scores[0] >= wanted.keep)
    return _mapped(boxes[0, likely], scores[0, likely], labels[0, likely], wanted)


DECODERS: dict[str, Decoder] = {
    "ngatu": ngatu,
    "yolo": yolo,
    "yolo_end2end": yolo_end2end,
    "yolox": yolox,
    "deimv2": deimv2,
}


@lru_cache(maxsize=8)
def yolox_grid(size: Size) -> NDArray[np.float32]:
    """``float32[N, 3]``: column, row and stride of every anchor of a YOLOX input of this size."""
    width, height = size
    levels = []
    for stride in (8, 16, 32):
        rows, columns = np.mgrid[: height // stride, : width // stride]
        levels.append(np.stack((columns.ravel(), rows.ravel(), np.full(rows.size, stride)), axis=1))
    return np.concatenate(levels).astype(np.float32)


def _best_class(boxes: NDArray[Any], scores: NDArray[Any], wanted: Wanted) -> Detections:
    """Best mapped class of each box (``[N, 4]``; ``scores [C, N]``) that reaches the threshold."""
    ours = scores[wanted.columns]
    best = ours.max(axis=0)
    kept = np.flatnonzero(best >= wanted.keep)
    return Detections(
        boxes[kept].astype(np.float32, copy=False),
        best[kept].astype(np.float32, copy=False),
        wanted.class_ids[ours[:, kept].argmax(axis=0)],
    )


def _mapped(boxes: NDArray[Any], scores: NDArray[Any], labels: NDArray[Any], wanted: Wanted) -> Detections:
    """One known class a box: keep those in the class map."""
    class_id = wanted.lookup[np.clip(labels, 0, len(wanted.lookup) - 1)]
    kept = class_id >= 0
    return Detections(
        boxes[kept].astype(np.float32, copy=False),
        scores[kept].astype(np.float32, copy=False),
        class_id[kept],
    )


def _corners(cxcywh: NDArray[np.float32]) -> NDArray[np.float32]:
    half = cxcywh[:, 2:] / 2
    return np.concatenate((cxcywh[:, :2] - half, cxcywh[:, :2] + half), axis=1)


def _named(outputs: Outputs, family: str, *names: str) -> list[NDArray[Any]]:
    _check(family, all(name in outputs for name in names), outputs)
    return [outputs[name] for name in names]


def _single(outputs: Outputs, family: str) -> NDArray[Any]:
    _check(family, len(outputs) == 1, outputs)
    return next(iter(outputs.values()))


def _check(family: str, right: bool, outputs: Outputs) -> None:
    if not right:
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in outputs.items())
        raise ModelError(f"its outputs ({shapes}) are not those of the decoder {family!r}")


def _check_classes(wanted: Wanted, count: int) -> None:
    if wanted.columns[-1] >= count:
        raise ModelError(f"its class map names class {wanted.columns[-1]} but it has {count} classes")
