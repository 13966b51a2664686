"""The street without its vehicles and people: a median of pictures spread over time."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_LEAST_FREE = 3
"""Pictures in which a place must be seen free of boxes."""
_MOST_HIDDEN = 0.2
"""Share of the picture that may never have been seen free."""


class BackgroundMaker:
    """Keeps a bounded number of pictures, further and further apart, and gives their median.

    What stands for more than half of the time and in no box, such as a parked car or a waiting person,
    stays in the picture.

    Args:
        most: pictures kept at most; at the default width 25 take 70 MB.
        width: larger pictures are shrunk to this width; None keeps them as they are.
        least: pictures before there is a median.
        seconds: time that must lie between the first and the last of them; take more than a red light lasts.
        every: seconds between the first pictures; doubled each time ``most`` are kept.
        memory: seconds after which a picture is forgotten, so that the light is that of the last of them.
    """

    def __init__(
        self,
        *,
        most: int = 25,
        width: int | None = 1280,
        least: int = 9,
        seconds: float = 60.0,
        every: float = 0.2,
        memory: float = 1800.0,
    ) -> None:
        self._most, self._width, self._least, self._seconds = max(2, most), width, least, seconds
        self._every, self._memory = every, memory
        self._kept: list[tuple[float, NDArray[np.uint8], NDArray[np.bool_] | None]] = []

    def add(
        self,
        image: NDArray[np.uint8],
        time: float,
        boxes: NDArray[np.float32] | Sequence[Sequence[float]] | None = None,
    ) -> None:
        """Take one picture; most are passed over at no cost.

        Args:
            image: ``uint8[H, W, 3]``, BGR.
            time: in seconds.
            boxes: ``float[N, 4]`` left, top, right, bottom in pixels of what shall not be in the median;
                None where vehicles were not looked for.
        """
        if self._kept and 0 <= time - self._kept[-1][0] < self._every - 1e-6:
            return
        size = (image.shape[1], image.shape[0])
        if self._width and size[0] > self._width:
            size = (self._width, round(size[1] * self._width / size[0]))
        if self._kept and (self._kept[-1][1].shape[1::-1] != size or time < self._kept[-1][0]):
            self._kept.clear()
        same = size[0] == image.shape[1]
        shrunk = image.copy() if same else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        hidden = None if boxes is None else _hidden(boxes, size, size[0] / image.shape[1])
        self._kept = [each for each in self._kept if time - each[0] <= self._memory]
        self._kept.append((time, np.asarray(shrunk, np.uint8), hidden))
        if len(self._kept) >= self._most:
            self._kept = self._kept[::2]
            self._every = min(2 * self._every, self._memory / self._most * 2)

    def picture(self) -> NDArray[np.uint8] | None:
        """The median ``uint8[H, W, 3]``, or None until enough has been seen. Takes tens to hundreds of ms."""
        kept = self._kept
        if len(kept) < max(1, self._least) or kept[-1][0] - kept[0][0] < self._seconds:
            return None
        hidden = [np.zeros(image.shape[:2], np.bool_) if mask is None else mask for _, image, mask in kept]
        result = np.empty_like(kept[0][1])
        never = np.zeros(result.shape[:2], np.bool_)
        for top in range(0, len(result), 64):
            rows = slice(top, top + 64)
            stack = np.stack([image[rows] for _, image, _ in kept]).astype(np.int16)
            masks = np.stack([mask[rows] for mask in hidden])
            free = (~masks).sum(axis=0)
            never[rows] = free < min(_LEAST_FREE, len(kept))
            # Hidden places sort to the end, so the middle of the free ones is where half of them are passed.
            stack[masks] = 999
            stack.sort(axis=0)
            middle = np.maximum(free - 1, 0)
            low, high = middle // 2, (middle + 1) // 2
            index = np.stack((low, high))[..., None].repeat(3, axis=-1)
            taken = np.take_along_axis(stack, index, axis=0)
            result[rows] = np.clip((taken[0] + taken[1]) // 2, 0, 255).astype(np.uint8)
        if never.mean() > _MOST_HIDDEN:
            return None
        if never.any():
            return np.asarray(cv2.inpaint(result, never.astype(np.uint8), 3, cv2.INPAINT_TELEA), np.uint8)
        return result


def _hidden(
    boxes: NDArray[np.float32] | Sequence[Sequence[float]], size: tuple[int, int], scale: float
) -> NDArray[np.bool_]:
    """Where the boxes are, a little widened for shadows and loose boxes."""
    mask = np.zeros((size[1], size[0]), np.bool_)
    for left, top, right, bottom in np.asarray(boxes, np.float32).reshape(-1, 4) * scale:
        edge = 0.08 * max(right - left, bottom - top)
        x1, y1 = max(0, int(left - edge)), max(0, int(top - edge))
        mask[y1 : max(0, int(bottom + edge) + 1), x1 : max(0, int(right + edge) + 1)] = True
    return mask
