"""Sparing: looking no more often, and at no more of the picture, than counting needs."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.geometry import box_sizes
from vision.views import View

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels of the picture."""

_WORTH_IT = 0.9
"""A region of more than this share of the picture gains nothing: the whole picture is looked at."""


@dataclass(frozen=True, slots=True)
class Sparing:
    """What of a camera's frames the network is spared; docs/performance.md has what each gains and costs.

    Attributes:
        every: the network looks at every n-th frame; on those between vehicles are predicted, not counted.
        region: it looks only at the part of the picture around gates and zones.
        motion_gate: it does not look while nothing changes there.
        margin: how much around gates and zones belongs to the region, as a share of the picture.
    """

    every: int = 1
    region: bool = True
    motion_gate: bool = True
    margin: float = 0.12

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"every is a whole number from 1 on, not {self.every}")


def region_of(view: View, size: tuple[int, int], aspect: float, margin: float) -> Box | None:
    """The part of a picture that matters: what is drawn in the view, with a margin; None where it is all.

    Args:
        view: gates and zones.
        size: width and height of the picture in pixels.
        aspect: width by height that the region is widened to, as far as the picture goes.
        margin: share of the picture's width and height that is added on each side.
    """
    drawn = [gate.line for gate in view.gates] + [zone.polygon for zone in view.zones]
    points = np.concatenate([np.asarray(each, np.float64) for each in drawn])
    whole = np.asarray(size, np.float64)
    low = np.clip(points.min(axis=0) - margin, 0, 1) * whole
    high = np.clip(points.max(axis=0) + margin, 0, 1) * whole
    wide, high_ = high - low
    extent = np.minimum([max(wide, high_ * aspect), max(high_, wide / aspect)], whole)
    corner = np.clip((low + high - extent) / 2, 0, whole - extent)
    left, top = (int(value) for value in np.floor(corner))
    right, bottom = (int(value) for value in np.minimum(np.ceil(corner + extent), whole))
    if (right - left) * (bottom - top) > _WORTH_IT * whole.prod():
        return None
    return left, top, right, bottom


class MotionGate:
    """Says whether anything has changed since the network last had reason to look; for one camera.

    The picture is compared in cells of some pixels with the one in which something last changed, so that
    what creeps is noticed as soon as it has come far enough. Cells that flicker where no vehicle is found
    (leaves, a clock burnt into the picture) learn to expect it.

    Args:
        threshold: grey levels by which a cell must change.
        linger: seconds that are looked at after the last change.
        heartbeat: seconds after which the network looks in any case.
        forget: seconds in which a cell that no longer flickers becomes as watchful as before.
    """

    def __init__(
        self, threshold: float = 6.0, linger: float = 1.0, heartbeat: float = 5.0, forget: float = 60.0
    ) -> None:
        self._threshold, self._linger, self._heartbeat, self._forget = threshold, linger, heartbeat, forget
        self._reference: NDArray[np.float32] | None = None
        # The greatest change of late in each cell while there was no vehicle.
        self._flicker = np.zeros((0, 0), np.float32)
        self._change = self._flicker
        self._time = self._changed = self._looked = -np.inf
        self._cell = np.ones(2, np.float64)

    def wants(self, image: NDArray[np.uint8], time: float) -> bool:
        """Whether the network should look at ``image`` (``uint8[H, W, 3]``); times in seconds, increasing."""
        cells = self._cells(image)
        if self._reference is None or self._reference.shape != cells.shape:
            self._reference, self._flicker = cells, np.zeros_like(cells)
            self._changed = time
        change = cells - self._reference
        # The light or the exposure changes everywhere at once; a vehicle never does.
        self._change = np.abs(change - change.mean())
        self._flicker *= np.float32(np.exp(-max(0.0, min(time - self._time, self._forget)) / self._forget))
        self._time = time
        if (self._change > np.maximum(self._threshold, 1.5 * self._flicker)).any():
            self._changed, self._reference = time, cells
        wanted = time - self._changed < self._linger or time - self._looked >= self._heartbeat
        if wanted:
            self._looked = time
        return wanted

    def learn(self, boxes: NDArray[np.float32]) -> None:
        """Take what was found in the picture last wanted: what changed elsewhere only flickers.

        Args:
            boxes: ``float32[N, 4]`` in pixels of that picture.
        """
        empty = np.ones(self._change.shape, np.bool_)
        reach = 0.5 * box_sizes(boxes.astype(np.float64))[:, None]
        low = np.floor((boxes[:, :2] - reach) / self._cell).astype(np.intp)
        high = np.ceil((boxes[:, 2:] + reach) / self._cell).astype(np.intp)
        for (left, top), (right, bottom) in zip(np.maximum(low, 0).tolist(), high.tolist(), strict=True):
            empty[top:bottom, left:right] = False
        self._flicker = np.where(empty, np.maximum(self._flicker, self._change), self._flicker)

    def _cells(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Mean green of each cell; about 80 cells across, of every second pixel or fewer."""
        height, width = image.shape[:2]
        stride = max(1, width // 320)
        thinned = np.ascontiguousarray(image[::stride, ::stride, 1])
        across, down = max(1, thinned.shape[1] // 4), max(1, thinned.shape[0] // 4)
        self._cell = np.array([width / across, height / down])
        mean = cv2.resize(thinned[: down * 4, : across * 4], (across, down), interpolation=cv2.INTER_AREA)
        return mean.astype(np.float32)
