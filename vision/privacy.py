"""Pictures that may leave a worker: small, with plates, riders and what else moves made unrecognisable."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.overlay import class_bgr
from vision.types import Tracks, VehicleClass

MOST_WIDTH = 640
"""No picture that leaves a worker is wider."""

_BLOCKS = (8, 16, 32, 64)
"""Sides in pixels of the squares that are averaged, on one grid for the whole picture."""
_RIDDEN = (VehicleClass.MOTORCYCLE, VehicleClass.BICYCLE, VehicleClass.UNKNOWN)
"""Made coarse as a whole; what is of unknown class may be ridden."""
_PLATE_PART = 0.5
"""A plate sits in this lower part of a vehicle's box, front or rear."""
_PLATE_SHARE = 8
"""A square is at least this part of a vehicle's width: a plate then covers two or three."""
_RIDER_SHARE = 4
"""The same for two-wheelers: a head, or a plate, then covers one or two."""
_GROW = 0.12
"""Boxes are widened by this share; boxes of a network are not exact and heads stick out at the top."""
_DIFFERS = 26
"""Difference from the background, in grey levels, from which something stands there that is no background."""


def masked(
    image: NDArray[np.uint8],
    tracks: Tracks,
    width: int = MOST_WIDTH,
    background: NDArray[np.uint8] | None = None,
    looked_at: tuple[int, int, int, int] | None = None,
) -> NDArray[np.uint8]:
    """The picture as it may be shown: at most ``width`` (and 640) wide, coarse where people could be known.

    Averaged over squares, so that nothing can be restored: the lower half of every vehicle, where plates are,
    and two-wheelers as a whole with their riders. A square is at least an eighth of a vehicle's width and a
    quarter of a two-wheeler's. With a background also everything else that differs from it, which is how
    people on foot, cyclists and vehicles that were not detected are covered.

    What this cannot do: without a background, people on foot are **not** covered, as nothing here detects
    them, nor is a vehicle or rider that no track tells of. With one, whoever stands so long that he has
    become part of the background stays as he is, and so does what hardly differs from it in brightness or
    colour. Faces behind a windscreen are only as coarse as 640 pixels make them. Gait and clothing of
    somebody near the camera can still be guessed from coarse squares.

    Args:
        image: ``uint8[H, W, 3]``, BGR; it is not changed.
        tracks: boxes in pixels of ``image``; give also the weak and the briefly unseen ones.
        width: width of the result, at most 640; smaller pictures are not enlarged.
        background: ``uint8[h, w, 3]`` of any size, see :class:`vision.health.BackgroundMaker`.
        looked_at: left, top, right, bottom in pixels of ``image`` where vehicles are looked for; without a
            background everything outside is made coarse, since nothing is known of what is there.
    """
    small, scale = _shrunk(image, width)
    levels = np.zeros(small.shape[:2], np.uint8)  # 0: as it is, else number of the block size
    boxes = tracks.xyxy * scale
    if background is None and looked_at is not None:
        left, top, right, bottom = (round(each * scale) for each in looked_at)
        levels[:] = 2
        levels[max(0, top) : bottom, max(0, left) : right] = 0
    riding = np.isin(tracks.class_id, _RIDDEN)
    if background is not None:
        levels[_differing(small, background)] = 2
        # A vehicle stays recognisable as one: its upper half gets the finest squares.
        for left, top, right, bottom in np.maximum(boxes[~riding], 0).astype(int):
            part = levels[top:bottom, left:right]
            np.minimum(part, np.uint8(1), out=part)
    for (left, top, right, bottom), rider in zip(boxes, riding, strict=True):
        across, down = right - left, bottom - top
        need = across / (_RIDER_SHARE if rider else _PLATE_SHARE)
        level = 1 + sum(need > block for block in _BLOCKS[:-1])
        x1, x2 = int(left - _GROW * across), int(right + _GROW * across) + 1
        y1 = int(top - _GROW * down if rider else bottom - _PLATE_PART * down)
        y2 = int(bottom + _GROW * down) + 1
        part = levels[max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)]
        np.maximum(part, np.uint8(level), out=part)
    for level in np.unique(levels):
        if level:
            cv2.copyTo(_coarse(small, _BLOCKS[level - 1]), (levels == level).astype(np.uint8), small)
    return small


def background_with_boxes(
    background: NDArray[np.uint8], tracks: Tracks, size: tuple[int, int], width: int = MOST_WIDTH
) -> NDArray[np.uint8]:
    """The empty street with a box for each vehicle in the colour of its class: shows nobody at all.

    Args:
        background: ``uint8[h, w, 3]``, BGR, see :class:`vision.health.BackgroundMaker`; it is not changed.
        tracks: boxes in pixels of a picture of ``size``.
        size: width and height of the picture the boxes are of; the background may be smaller.
        width: width of the result, at most 640.
    """
    drawn, _ = _shrunk(background, width)
    scale = np.array([drawn.shape[1] / size[0], drawn.shape[0] / size[1]] * 2, np.float32)
    corners = np.rint(tracks.xyxy * scale).astype(np.int32)
    for (left, top, right, bottom), kind in zip(corners.tolist(), tracks.class_id.tolist(), strict=True):
        cv2.rectangle(drawn, (left, top), (right, bottom), (0, 0, 0), 3, cv2.LINE_AA)
        cv2.rectangle(drawn, (left, top), (right, bottom), class_bgr(kind), 1, cv2.LINE_AA)
    return drawn


def _shrunk(image: NDArray[np.uint8], width: int) -> tuple[NDArray[np.uint8], float]:
    """A copy of at most ``width`` pixels width, and its scale."""
    scale = min(1.0, min(width, MOST_WIDTH) / image.shape[1])
    if scale == 1.0:
        return image.copy(), 1.0
    size = (max(1, int(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _differing(small: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where something stands that the background does not have, in whole squares and one more around."""
    height, width = small.shape[:2]
    behind = cv2.resize(background, (width, height), interpolation=cv2.INTER_AREA)
    blue, green, red = cv2.split(cv2.absdiff(small, behind))
    most = cv2.max(cv2.max(blue, green), red)
    differs = cv2.threshold(most, _DIFFERS, 255, cv2.THRESH_BINARY)[1]
    side = _BLOCKS[0]
    rows, columns = -(-height // side), -(-width // side)
    padded = cv2.copyMakeBorder(
        differs, 0, rows * side - height, 0, columns * side - width, cv2.BORDER_CONSTANT, value=0
    )
    share = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA)
    cells = cv2.dilate((share > 20).astype(np.uint8), np.ones((3, 3), np.uint8))
    where = cells.repeat(side, axis=0).repeat(side, axis=1)[:height, :width]
    return np.asarray(where > 0)


def _coarse(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture in squares of ``side`` pixels, each of its mean colour."""
    height, width = picture.shape[:2]
    rows, columns = -(-height // side), -(-width // side)
    padded = cv2.copyMakeBorder(
        picture, 0, rows * side - height, 0, columns * side - width, cv2.BORDER_REPLICATE
    )
    means = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA)
    squares = cv2.resize(means, (columns * side, rows * side), interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(squares[:height, :width], np.uint8)
