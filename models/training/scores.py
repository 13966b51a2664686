"""How well detections agree with true boxes: average precision, recall at a fixed precision, intervals."""

import contextlib
import copy
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from numpy.typing import NDArray

from models.training.testset import SCALE_WIDTH, HeldOutPicture
from vision.geometry import box_areas
from vision.types import Detections, VehicleClass

SMALLEST = 12.0
"""Boxes smaller than this (root of the area, in a picture 1280 wide) are partly unlabelled: left out."""
NEAR = 24.0
"""Boxes of at least this size are near: scored on their own too, since the smallest need a larger input."""
PRECISION = 0.8
"""The precision at which recall is told."""
REPLICATES = 100

_IOU = (0.3, 0.5)
_RECALLS = np.linspace(0, 1, 501)
_MOST = 300
"""More detections in a picture than this are not looked at."""
_FEW_CAMERAS = 5
"""With fewer cameras than this, the pictures are drawn anew for the intervals, not the cameras."""


@dataclass(frozen=True, slots=True)
class Score:
    """One detector on one class of some pictures.

    Attributes:
        vehicle_class: which class.
        boxes: true boxes that count.
        ap50: average precision at IoU 0.5.
        ap50_range: its 95 % interval.
        ap30: average precision at IoU 0.3, which forgives a box without the rider.
        near_boxes: true boxes of at least :data:`NEAR`.
        ap50_near: average precision at IoU 0.5 of these.
        recall: share of the true boxes found, at the lowest score that keeps precision at 0.8, IoU 0.5.
        recall_range: its 95 % interval.
    """

    vehicle_class: VehicleClass
    boxes: int
    ap50: float
    ap50_range: tuple[float, float]
    ap30: float
    near_boxes: int
    ap50_near: float
    recall: float
    recall_range: tuple[float, float]


def score(
    pictures: Sequence[HeldOutPicture],
    found: Sequence[Detections],
    classes: Sequence[VehicleClass],
    seed: int = 0,
    replicates: int = REPLICATES,
) -> list[Score]:
    """Score detections class by class, as COCO does (Lin et al., 2014).

    A detection in an ignored region, and one smaller than :data:`SMALLEST` that meets no true box, is neither
    right nor wrong. Intervals are percentiles over cameras drawn anew with replacement (pictures, where there
    are fewer than five cameras): frames of one camera are alike and say little more than one.

    Args:
        pictures: with their true boxes.
        found: detections of each, in pixels of the picture as :meth:`HeldOutPicture.image` gives it.
        classes: those to score; classes with no true box are left out.
        seed: for the intervals.
        replicates: how often cameras are drawn anew.
    """
    sizes = [_scaled_size(picture) for picture in pictures]
    truth = [_true_boxes(picture, size) for picture, size in zip(pictures, sizes, strict=True)]
    present = [c for c in classes if any((t.class_id == c).any() for t in truth)]
    if not present:
        return []
    evaluation = _evaluate(
        truth, [_scaled(f, p) for f, p in zip(found, pictures, strict=True)], sizes, present
    )
    ap, near, recall = _figures(evaluation, len(pictures))
    rng = np.random.default_rng(seed)
    drawn = [_figures(evaluation, len(pictures), _redraw(rng, pictures)) for _ in range(replicates)]
    aps = np.array([again[1] for again, _, _ in drawn]).reshape(-1, len(present))
    recalls = np.array([again for _, _, again in drawn]).reshape(-1, len(present))
    return [
        Score(
            vehicle_class=c,
            boxes=_count(truth, c, SMALLEST),
            ap50=float(ap[1, k]),
            ap50_range=_interval(aps[:, k]),
            ap30=float(ap[0, k]),
            near_boxes=_count(truth, c, NEAR),
            ap50_near=float(near[k]),
            recall=float(recall[k]),
            recall_range=_interval(recalls[:, k]),
        )
        for k, c in enumerate(present)
    ]


@dataclass(frozen=True, slots=True)
class _Truth:
    """True boxes and ignored regions of one picture, in pixels of a picture 1280 wide."""

    xyxy: NDArray[np.float64]
    class_id: NDArray[np.int8]
    ignored: NDArray[np.float64]


def _scaled_size(picture: HeldOutPicture) -> tuple[int, int]:
    width, height = picture.size
    return SCALE_WIDTH, round(height * SCALE_WIDTH / width)


def _true_boxes(picture: HeldOutPicture, size: tuple[int, int]) -> _Truth:
    scale = np.array([*size, *size], np.float64)
    xyxy = np.clip(picture.boxes, 0, 1) * scale
    return _Truth(xyxy, picture.class_id, np.clip(picture.ignored, 0, 1) * scale)


def _count(truth: Sequence[_Truth], c: VehicleClass, side: float) -> int:
    """True boxes of a class that are at least so large."""
    return sum(int((box_areas(each.xyxy[each.class_id == c]) >= side**2).sum()) for each in truth)


def _scaled(found: Detections, picture: HeldOutPicture) -> Detections:
    factor = np.float32(SCALE_WIDTH / picture.size[0])
    return Detections(found.xyxy * factor, found.score, found.class_id)


def _evaluate(
    truth: Sequence[_Truth],
    found: Sequence[Detections],
    sizes: Sequence[tuple[int, int]],
    classes: Sequence[VehicleClass],
) -> Any:
    """COCO's matching of every picture and class, kept apart so that pictures can be drawn anew."""
    images = [
        {"id": number, "width": width, "height": height} for number, (width, height) in enumerate(sizes, 1)
    ]
    annotations = [
        annotation
        for number, each in enumerate(truth, 1)
        for annotation in _annotations(number, each, classes)
    ]
    for number, annotation in enumerate(annotations, 1):
        annotation["id"] = number
    categories = [{"id": int(c) + 1, "name": c.label} for c in classes]
    results = [
        {"image_id": number, "category_id": int(c) + 1, "bbox": _xywh(box), "score": float(s)}
        for number, each in enumerate(found, 1)
        for box, s, c in zip(each.xyxy, each.score, each.class_id, strict=True)
        if c in classes
    ]
    dataset = {"images": images, "annotations": annotations, "categories": categories}
    with contextlib.redirect_stdout(io.StringIO()):
        true = COCO(dataset)
        evaluation = COCOeval_faster(
            true, true.loadRes(results), "bbox", print_function=_silent, separate_eval=True
        )
        evaluation.params.iouThrs = np.array(_IOU)
        evaluation.params.recThrs = _RECALLS
        evaluation.params.maxDets = [_MOST]
        evaluation.params.areaRng = [[SMALLEST**2, 1e10], [NEAR**2, 1e10]]
        evaluation.params.areaRngLbl = ["all", "near"]
        evaluation.evaluate()
    return evaluation


def _annotations(number: int, truth: _Truth, classes: Sequence[VehicleClass]) -> Iterator[dict[str, Any]]:
    for box, c in zip(truth.xyxy, truth.class_id, strict=True):
        if c in classes:
            yield _annotation(number, int(c) + 1, box, crowd=False)
    for box in truth.ignored:
        for c in classes:
            yield _annotation(number, int(c) + 1, box, crowd=True)


def _annotation(number: int, category: int, box: NDArray[Any], crowd: bool) -> dict[str, Any]:
    x, y, width, height = _xywh(box)
    return {
        "image_id": number,
        "category_id": category,
        "bbox": [x, y, width, height],
        "area": width * height,
        "iscrowd": int(crowd),
    }


def _figures(
    evaluation: Any, count: int, drawn: NDArray[np.intp] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """AP ``[IoU, class]``, AP50 of near boxes ``[class]``, recall at the fixed precision ``[class]``.

    Args:
        evaluation: COCO's, of ``count`` pictures.
        count: how many pictures it has.
        drawn: numbers of those to take, some more than once; all by default.
    """
    again = copy.copy(evaluation)
    again._paramsEval = copy.copy(evaluation._paramsEval)
    if drawn is not None:
        # The matches lie in order of class, then size, then picture.
        blocks = range(0, len(evaluation._evalImgs_cpp), count)
        again._evalImgs_cpp = [evaluation._evalImgs_cpp[block + i] for block in blocks for i in drawn]
        again._paramsEval.imgIds = list(range(len(drawn)))
    with contextlib.redirect_stdout(io.StringIO()):
        again.accumulate()
    precision = np.asarray(again.eval["precision"])[..., 0]  # [IoU, recall, class, size]; -1 without boxes
    ap = np.where(precision[:, 0] < 0, np.nan, precision.mean(axis=1))
    enough = precision[1, :, :, 0] >= PRECISION
    recall = _RECALLS[np.maximum(0, enough.sum(axis=0) - 1)]
    return ap[..., 0], ap[1, :, 1], np.where(precision[1, 0, :, 0] < 0, np.nan, recall)


def _redraw(rng: np.random.Generator, pictures: Sequence[HeldOutPicture]) -> NDArray[np.intp]:
    """Numbers of pictures, of cameras drawn with replacement."""
    cameras = np.array([picture.camera for picture in pictures])
    names = np.unique(cameras)
    if len(names) < _FEW_CAMERAS:
        return rng.integers(0, len(pictures), len(pictures))
    return np.concatenate([np.flatnonzero(cameras == name) for name in rng.choice(names, len(names))])


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return (float("nan"), float("nan"))
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)


def _xywh(box: NDArray[Any]) -> list[float]:
    left, top, right, bottom = (float(value) for value in box)
    return [left, top, right - left, bottom - top]


def _silent(*_: object) -> None:
    pass
