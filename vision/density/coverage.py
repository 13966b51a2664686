"""How much of each zone is covered by boxes on the picture: their union, drawn on a coarse raster."""

import numpy as np
from numpy.typing import NDArray

from vision.geometry import points_in_polygon

Floats = NDArray[np.float64]

_COLUMNS, _ROWS = 160, 90


class ImageCoverage:
    """The share of polygons that is covered by the union of boxes.

    Args:
        polygons: each ``[K, 2]`` in fractions of the picture.
    """

    def __init__(self, polygons: list[Floats]) -> None:
        x, y = np.meshgrid((np.arange(_COLUMNS) + 0.5) / _COLUMNS, (np.arange(_ROWS) + 0.5) / _ROWS)
        cells = np.stack((x.ravel(), y.ravel()), axis=1)
        inside = np.array([points_in_polygon(cells, polygon) for polygon in polygons], np.float64)
        inside = inside.reshape(len(polygons), _ROWS, _COLUMNS)
        # Only the part of the picture with zones is drawn.
        rows, columns = (np.flatnonzero(inside.any(axis=axes)) for axes in ((0, 2), (0, 1)))
        self._top, self._bottom = _ends(rows)
        self._left, self._right = _ends(columns)
        cut = inside[:, self._top : self._bottom, self._left : self._right]
        cut = cut.reshape(len(polygons), cut.shape[1] * cut.shape[2])
        self._share = cut / np.maximum(cut.sum(axis=1), 1)[:, None]

    def shares(self, boxes: Floats) -> Floats:
        """``[P]``, 0 to 1, for boxes ``[N, 4]`` in fractions; the raster's cells are 1/160 by 1/90."""
        wide, high = self._right - self._left, self._bottom - self._top
        if not wide:
            return np.zeros(len(self._share))
        edges = np.rint(boxes * [_COLUMNS, _ROWS, _COLUMNS, _ROWS]).astype(np.intp)
        left, right = np.clip(edges[:, [0, 2]] - self._left, 0, wide).T
        top, bottom = np.clip(edges[:, [1, 3]] - self._top, 0, high).T
        # Each box is +1 at two of its corners and -1 at the others: summed over both axes it is 1 inside.
        step = wide + 1
        above, below = top * step, bottom * step
        corners = np.concatenate((above + left, below + right, above + right, below + left))
        signs = np.repeat((1.0, -1.0), 2 * len(boxes))
        raster = np.bincount(corners, signs, step * (high + 1)).reshape(high + 1, step)
        covered = raster.cumsum(axis=0).cumsum(axis=1)[:high, :wide] > 0.5
        return np.asarray(self._share @ covered.ravel())


def _ends(numbers: NDArray[np.intp]) -> tuple[int, int]:
    """First and one past the last of some ascending numbers; nothing where there are none."""
    return (int(numbers[0]), int(numbers[-1]) + 1) if len(numbers) else (0, 0)
