"""Fill what teachers missed in a frame with what they saw just before and just after it."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from models.training.teach import Boxes
from vision.geometry import box_iou

_REACH = 1.0
"""How many of its own sizes a vehicle may move from the frame before to the frame after."""
_GROWTH = 1.3
_SEEN = 0.3
"""IoU with a vehicle of the frame itself from which nothing is to be filled."""
_SUSPECTED = 0.5


def fill(boxes: Boxes, before: Boxes, after: Boxes, size: tuple[int, int], *, unseen: bool) -> Boxes:
    """The boxes of a frame, with vehicles missed or only suspected in it that are sure before and after.

    Where one is expected half-way between both, an open place becomes a vehicle; nothing at all becomes one
    where ``unseen`` is set, which only holds for frames so close that half-way is where it is.

    Args:
        boxes: of the frame.
        before: of a frame shortly before.
        after: of the frame as long after.
        size: width and height of the frame in pixels.
        unseen: fill places where nothing was suspected.
    """
    expected = _expected(before[before[:, 5] == 1], after[after[:, 5] == 1], size)
    sure = boxes[:, 5] == 1
    expected = expected[(_overlap(expected, boxes[sure]) < _SEEN).all(axis=1)]
    overlap = _overlap(boxes, expected)
    filled = boxes.copy()
    filled[~sure & (overlap > _SUSPECTED).any(axis=1), 5] = 1
    if not unseen:
        return filled
    return np.concatenate([filled, expected[(overlap < _SEEN).all(axis=0)]])


def _expected(before: Boxes, after: Boxes, size: tuple[int, int]) -> Boxes:
    """Vehicles half-way between their places before and after."""
    pixels = np.array([*size, *size], np.float32)
    (centre, side), (later, later_side) = (_measured(boxes, pixels) for boxes in (before, after))
    apart = np.linalg.norm(centre[:, None] - later[None], axis=2)
    moved = apart / np.minimum(side[:, None], later_side[None])
    growth = np.abs(np.log(side[:, None] / later_side[None]))
    possible = (before[:, None, 0] == after[None, :, 0]) & (moved < _REACH) & (growth < np.log(_GROWTH))
    row, column = linear_sum_assignment(np.where(possible, moved, 1e3))
    paired = possible[row, column]
    return np.asarray((before[row[paired]] + after[column[paired]]) / 2, np.float32)


def _measured(boxes: Boxes, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centres and sizes of boxes, in pixels."""
    corners = boxes[:, 1:5] * pixels
    side = np.sqrt(np.prod(corners[:, 2:] - corners[:, :2], axis=1)).clip(min=1e-3)
    return np.asarray((corners[:, :2] + corners[:, 2:]) / 2, np.float32), np.asarray(side, np.float32)


def _overlap(boxes: Boxes, others: Boxes) -> NDArray[np.float32]:
    return box_iou(boxes[:, 1:5], others[:, 1:5])
