"""The detector that needs no weights: what moves against a learnt background; classes stay unknown."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detection.cards import Thresholds
from vision.types import Detections, VehicleClass

_WORK_WIDTH = 480
"""Pictures wider than this are shrunk first: blobs need no fine detail."""
_MOVING = 255
"""OpenCV's mark of the foreground; shadows are 127."""


class MotionDetector:
    """Background subtraction for fixed cameras. Learns from each picture it sees: one per camera.

    Args:
        min_area: smallest blob that is reported, as a fraction of the picture.
        warm_up: how many first pictures only teach the background and yield nothing.
        history: how many pictures the background remembers; what stands for a tenth of them joins it.
    """

    name = "motion"
    thresholds = Thresholds(keep=0.0, start=0.0, suppress_iou=1.0)

    def __init__(self, *, min_area: float = 0.0005, warm_up: int = 10, history: int = 500) -> None:
        self._min_area = min_area
        self._warm_up = warm_up
        self._rate = 1 / history
        self._seen = 0
        self._model = cv2.createBackgroundSubtractorMOG2(history=history, varThreshold=25, detectShadows=True)
        self._kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Moving blobs in ``image`` (``uint8[H, W, 3]``, BGR), each with score 1 and class unknown."""
        shrink = max(1.0, image.shape[1] / _WORK_WIDTH)
        size = (round(image.shape[1] / shrink), round(image.shape[0] / shrink))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        # OpenCV's own rate starts high and would learn a long vehicle while it passes; so only in warm-up.
        rate = -1 if self._seen < self._warm_up else self._rate
        moving = (self._model.apply(small, learningRate=rate) == _MOVING).astype(np.uint8)
        self._seen += 1
        if self._seen <= self._warm_up:
            return Detections.empty()
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, self._kernel)
        moving = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, self._kernel, iterations=3)
        _, _, stats, _ = cv2.connectedComponentsWithStats(moving)
        blobs = stats[1:]  # the first is the background
        blobs = blobs[blobs[:, cv2.CC_STAT_AREA] >= self._min_area * moving.size]
        scale = np.array([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]] * 2, np.float32)
        xyxy = np.concatenate((blobs[:, :2], blobs[:, :2] + blobs[:, 2:4]), axis=1).astype(np.float32) * scale
        unknown = np.full(len(xyxy), VehicleClass.UNKNOWN, np.int8)
        return Detections(xyxy, np.ones(len(xyxy), np.float32), unknown)
