"""A picture as it may leave a worker: small, with plates and riders' heads masked, as a JPEG."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from service.live.messages import PICTURE_WIDTH
from vision import Tracks
from vision.privacy import masked

QUALITY = 75


def jpeg_of(image: NDArray[np.uint8], tracks: Tracks) -> bytes:
    """A JPEG of a picture ``uint8[H, W, 3]`` and the vehicles in it."""
    shown = masked(image, tracks, PICTURE_WIDTH)
    encoded: Any = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return bytes(encoded.tobytes())
