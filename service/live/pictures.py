"""A picture as it may leave a worker: small, plates and people masked, boxes drawn over it, as a JPEG."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from service.live.messages import PICTURE_WIDTH
from vision import Tracks, View
from vision.overlay import draw_boxes
from vision.privacy import masked

QUALITY = 75


@dataclass(frozen=True, slots=True, eq=False)
class Newest:
    """A camera's newest picture.

    Attributes:
        image: ``uint8[H, W, 3]``, BGR, as it came.
        tracks: vehicles in it.
        view: its gates are drawn; None while nothing is.
        background: the empty street, by which people on foot are found; None where it is not known yet.
        looked_at: left, top, right, bottom of where vehicles are looked for; None is everywhere.
    """

    image: NDArray[np.uint8]
    tracks: Tracks
    view: View | None = None
    background: NDArray[np.uint8] | None = None
    looked_at: tuple[int, int, int, int] | None = None


def jpeg_of(newest: Newest) -> bytes:
    """The picture as it may be shown: masked first, then drawn over."""
    height, width = newest.image.shape[:2]
    shown = masked(newest.image, newest.tracks, PICTURE_WIDTH, newest.background, newest.looked_at)
    draw_boxes(shown, newest.tracks, newest.view, (width, height))
    encoded: Any = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return bytes(encoded.tobytes())
