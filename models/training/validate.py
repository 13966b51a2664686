"""Score a network while it trains: mean AP50 over the classes, on cameras of the training data set aside."""

import contextlib
import io
from typing import Any

import cv2
import numpy as np
import torch
from faster_coco_eval import COCO, COCOeval_faster
from numpy.typing import NDArray
from torch import nn
from torchvision.ops import batched_nms

from models.training.network import cells, decode, normalise
from models.training.pool import Pool
from vision.types import CLASS_COUNT

_LEAST_BOXES = 20
"""A class with fewer boxes than this says nothing and is left out of the mean."""


class Validation:
    """Scores networks on some examples.

    Args:
        pool: examples set aside.
        size: width and height of the network's input.
    """

    def __init__(self, pool: Pool, size: tuple[int, int]) -> None:
        self._images = [cv2.resize(example.image, size) for example in pool.examples]
        self._truth = _truth(pool, size)
        self._size = size
        self.by_class: dict[int, float] = {}

    def __call__(self, network: nn.Module) -> float:
        """Mean AP50 in 0..1; :attr:`by_class` has that of each class."""
        found = [
            row for number, image in enumerate(self._images, 1) for row in self._find(network, number, image)
        ]
        counts = np.bincount(
            [row["category_id"] for row in self._truth["annotations"]], minlength=CLASS_COUNT
        )
        self.by_class = {
            each: _ap50(self._truth, found, each)
            for each in range(CLASS_COUNT)
            if counts[each] >= _LEAST_BOXES
        }
        return float(np.mean(list(self.by_class.values())))

    @torch.no_grad()
    def _find(self, network: nn.Module, number: int, image: NDArray[np.uint8]) -> list[dict[str, Any]]:
        planes = torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)))[None]
        logits, sides = network(normalise(planes).to(memory_format=torch.channels_last))
        centres, strides = cells(self._size[1], self._size[0])
        boxes = decode(sides.float(), centres, strides)[0]
        scores, classes = logits.float().sigmoid()[0].max(1)
        keep = scores > 0.01
        boxes, scores, classes = boxes[keep], scores[keep], classes[keep]
        best = batched_nms(boxes, scores, torch.zeros_like(classes), 0.6)[:300]
        return [
            {
                "image_id": number,
                "category_id": int(classes[row]),
                "bbox": [*boxes[row, :2].tolist(), *(boxes[row, 2:] - boxes[row, :2]).tolist()],
                "score": float(scores[row]),
            }
            for row in best
        ]


def _truth(pool: Pool, size: tuple[int, int]) -> dict[str, list[dict[str, Any]]]:
    annotations: list[dict[str, Any]] = []
    for number, example in enumerate(pool.examples, 1):
        for class_id, left, top, right, bottom, sure in example.boxes:
            width, height = (right - left) * size[0], (bottom - top) * size[1]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": int(class_id),
                    "bbox": [left * size[0], top * size[1], width, height],
                    "area": width * height,
                    "iscrowd": int(sure == 0 or min(width, height) < 4),
                }
            )
    return {
        "images": [{"id": number} for number in range(1, len(pool.examples) + 1)],
        "annotations": annotations,
        "categories": [{"id": each} for each in range(CLASS_COUNT)],
    }


def _ap50(truth: dict[str, list[dict[str, Any]]], found: list[dict[str, Any]], class_id: int) -> float:
    if not any(row["category_id"] == class_id for row in found):
        return 0.0
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(truth)
        evaluation = COCOeval_faster(
            reference, reference.loadRes(found), "bbox", print_function=lambda *_: None
        )
        evaluation.params.catIds = [class_id]
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.params.maxDets = [300, 300, 300]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][0, :, 0, 0, -1]
    return float(np.mean(precision[precision > -1])) if (precision > -1).any() else 0.0
