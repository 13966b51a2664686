"""Whether a picture was taken by day, at dusk or at night, from the picture alone."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.density.records import Light

DAY = 68.0
"""Median of the blue channel (0 to 255) from which it is day. Skylight is blue, lamps are yellow: this tells
lit streets at night from dim days better than brightness does."""

NIGHT = 45.0
"""Below this it is night; in between dusk, or as dim as dusk, such as heavy rain."""


def light_of(image: NDArray[np.uint8]) -> Light:
    """The light of a picture ``uint8[H, W, 3]``, BGR; its top and bottom tenth, often texts, are left out.

    A camera that exposes long makes a brightly lit street look like dusk or day; ``docs/methods.md`` says how
    often.
    """
    height = image.shape[0]
    middle = image[height // 10 : height - height // 10]
    blue = float(np.median(cv2.resize(middle, (80, 40), interpolation=cv2.INTER_AREA)[:, :, 0]))
    if blue >= DAY:
        return "day"
    return "dusk" if blue >= NIGHT else "night"
