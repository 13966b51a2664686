"""How much detail a picture has, where, and how sharp its edges are."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

_CELL = 40
"""Side of the cells in pixels of a picture of 640 pixels width."""
_FINE, _COARSE = 1.0, 3.0
"""The two smoothings whose edges are compared, in pixels (standard deviation)."""
_FAINT = 1.0
"""Mean squared slope (grey levels a pixel) from which a cell has detail."""
_CLEAR = 2.0
"""The same, from which its sharpness can be compared."""
_LEAST = 12
"""Fewer cells to compare say nothing."""


@dataclass(frozen=True, slots=True)
class Detail:
    """The detail of one picture, cell by cell.

    Attributes:
        coarse: ``float32[M]`` mean squared slope after coarse smoothing: whether there is anything to see.
        ratio: ``float32[M]`` slope after fine over slope after coarse smoothing: high where edges are sharp,
            whatever their contrast; 1 where there is nothing fine.
        tiny: ``float32[16, 28]`` the picture itself, much smaller.
    """

    coarse: NDArray[np.float32]
    ratio: NDArray[np.float32]
    tiny: NDArray[np.float32]

    @classmethod
    def of(cls, grey: NDArray[np.uint8]) -> Self:
        """Measure a grey picture ``uint8[H, W]`` of at most 640 pixels width."""
        fine = np.asarray(cv2.GaussianBlur(grey, (0, 0), _FINE), np.uint8)
        # The coarse one is taken at half the size: it has nothing that needs more.
        half = cv2.resize(fine, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        coarse = np.asarray(cv2.GaussianBlur(half, (0, 0), _COARSE / 2), np.uint8)
        fine_slope = _slope(fine, _CELL)
        coarse_slope = _slope(coarse, _CELL // 2) / 4
        rows = min(fine_slope.shape[0], coarse_slope.shape[0])
        columns = min(fine_slope.shape[1], coarse_slope.shape[1])
        one = fine_slope[:rows, :columns].ravel()
        other = coarse_slope[:rows, :columns].ravel().astype(np.float32)
        tiny = cv2.resize(grey, (28, 16), interpolation=cv2.INTER_AREA).astype(np.float32)
        return cls(other, np.sqrt(one / np.maximum(other, 1e-3)).astype(np.float32), tiny)

    @property
    def share(self) -> float:
        """Share of the picture with detail."""
        return float((self.coarse > _FAINT).mean()) if len(self.coarse) else 0.0

    @property
    def sharpness(self) -> float | None:
        """Sharpness of the sharper quarter of what has detail; None where there is too little."""
        if not len(self.coarse):
            return None
        clear = self.coarse > max(_FAINT, float(np.percentile(self.coarse, 30)))
        return float(np.percentile(self.ratio[clear], 75)) if clear.sum() >= _LEAST // 2 else None

    def left_of(self, before: "Detail") -> float | None:
        """Share of what had detail in ``before`` that has some now; None where that was too little.

        A darker picture has less contrast in proportion: what its light makes too faint is not asked for.
        """
        if len(self.coarse) != len(before.coarse):
            return None
        dimmed = min(1.0, float(self.tiny.mean() + 1) / float(before.tiny.mean() + 1)) ** 2
        had = before.coarse * dimmed > 2 * _CLEAR
        if had.sum() < _LEAST:
            return None
        left = self.coarse[had] > np.maximum(_FAINT, before.coarse[had] * dimmed * 0.05)
        return float(left.mean())

    def sharpness_against(self, before: "Detail") -> float | None:
        """Median ratio of the cells' sharpness to that in ``before``; None where too few compare."""
        if len(self.coarse) != len(before.coarse):
            return None
        both = (self.coarse > _CLEAR) & (before.coarse > _CLEAR)
        if both.sum() < _LEAST:
            return None
        return float(np.median(self.ratio[both] / before.ratio[both]))

    def likeness(self, before: "Detail") -> float:
        """Correlation of the two pictures at the size of a stamp, -1 to 1."""
        one, other = self.tiny - self.tiny.mean(), before.tiny - before.tiny.mean()
        power = float(np.sqrt((one**2).sum() * (other**2).sum()))
        return float((one * other).sum()) / power if power > 0 else 0.0


def _slope(picture: NDArray[np.uint8], cell: int) -> NDArray[np.float32]:
    """Mean squared slope in each cell of ``cell`` pixels."""
    across = cv2.subtract(picture[:-1, 1:], picture[:-1, :-1], dtype=cv2.CV_32F)
    down = cv2.subtract(picture[1:, :-1], picture[:-1, :-1], dtype=cv2.CV_32F)
    squared = cv2.multiply(across, across) + cv2.multiply(down, down)
    rows, columns = max(1, picture.shape[0] // cell), max(1, picture.shape[1] // cell)
    squared = squared[: rows * cell, : columns * cell]
    return np.asarray(cv2.resize(squared, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
