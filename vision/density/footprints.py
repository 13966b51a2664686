"""How much ground a vehicle takes, by class, and where its middle is when its box is seen from one side."""

import tomllib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.calibration import GroundMap
from vision.types import VehicleClass

Floats = NDArray[np.float64]

_COLUMNS, _ROWS = 64, 72
"""The grid of directions; finer downwards, where they change faster."""


def _load(table: str) -> Floats:
    text = (Path(__file__).with_name("data") / "footprints.toml").read_text(encoding="utf-8")
    sizes = tomllib.loads(text)[table]
    known = [kind for kind in VehicleClass if kind >= 0]
    return np.array([sizes[kind.label] for kind in (*known, VehicleClass.UNKNOWN)], np.float64)


FOOTPRINTS = _load("footprint")
"""``[CLASS_COUNT + 1, 2]``, metres of length and width by class id; the last row, index -1, is unknown."""

CONTACTS = _load("contact")
"""The same of the part near the ground, which the bottom edge of a box touches."""


class FootprintFinder:
    """Finds the middle of each vehicle on the ground, from the bottom middle of its box.

    The bottom edge of a box touches that corner of the vehicle's contact with the ground that is lowest in
    the picture. So the middle lies farther from the camera: by the half extent of the contact square to the
    ground line that the bottom edge maps to. It is taken straight above the bottom middle in the picture. The
    two directions are looked up on a grid over the picture, since they change slowly.

    Args:
        ground: the mapping to the ground.
    """

    def __init__(self, ground: GroundMap) -> None:
        x, y = np.meshgrid((np.arange(_COLUMNS) + 0.5) / _COLUMNS, (np.arange(_ROWS) + 0.5) / _ROWS)
        grid = ground.scale_at(np.stack((x.ravel(), y.ravel()), axis=1)).reshape(_ROWS, _COLUMNS, 2, 2)
        # Cells that only reach into the valid region with their lower part take the directions from below.
        for row in range(_ROWS - 2, -1, -1):
            grid[row] = np.where(np.isnan(grid[row]), grid[row + 1], grid[row])
        scale = grid.reshape(-1, 2, 2)
        up = -scale[:, :, 1]
        away = np.stack((-scale[:, 1, 0], scale[:, 0, 0]), axis=1)
        away /= np.hypot(away[:, 0], away[:, 1])[:, None]
        self._away = away
        self._per_extent = up / np.abs((up * away).sum(axis=1))[:, None]

    def shifts(self, points: Floats, heading: Floats, class_id: NDArray[np.int8]) -> Floats:
        """From the ground points of some vehicles' bottom middles to their middles.

        Args:
            points: ``[N, 2]``, bottom middles of the boxes in fractions of the picture.
            heading: ``[N, 2]``, unit vectors along the vehicles.
            class_id: ``int8[N]``.

        Returns:
            ``[N, 2]`` metres; NaN where the mapping does not hold.
        """
        cell = np.minimum((points * (_COLUMNS, _ROWS)).astype(np.intp), (_COLUMNS - 1, _ROWS - 1))
        cell = np.maximum(cell, 0) @ (1, _COLUMNS)
        away, size = self._away[cell], CONTACTS[class_id]
        along = np.abs(heading[:, 0] * away[:, 0] + heading[:, 1] * away[:, 1])
        across = np.abs(heading[:, 0] * away[:, 1] - heading[:, 1] * away[:, 0])
        extent = (size[:, 0] * along + size[:, 1] * across) / 2
        return np.asarray(self._per_extent[cell] * extent[:, None])
