"""What is said about a camera's picture, and the thresholds that decide it."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

HealthState = Literal["ok", "frozen", "dark", "blinded", "blocked", "blurred", "moved"]


@dataclass(frozen=True, slots=True)
class Health:
    """How a camera's picture is.

    Attributes:
        state: ``ok`` or the worst that was found.
        since: when this state was decided, in the time of the frames.
        reason: a sentence with the figures that decided.
        measures: the figures, see ``docs/health.md``; one that could not be measured is not in it.
            ``position_checked`` is 1 where the place of the camera could be compared just now, else 0.
        transform: ``float64[2, 3]``, takes a point of the reference picture (fractions of width and height)
            to where it is now; None where that is not known.
    """

    state: HealthState
    since: float
    reason: str
    measures: dict[str, float] = field(default_factory=dict)
    transform: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """Thresholds; how they were chosen is in ``docs/health.md``.

    Attributes:
        look_every: seconds between two looks; pictures that come sooner are passed over.
        check_every: seconds between two checks of focus, cover and position while all is well.
        frozen_seconds: how long a picture must stand still.
        frozen_share: share of the looks in that time that repeat an earlier one (a running clock apart).
        frozen_pixels: pixels of the small copy that may differ (by 2 grey levels) in a repeated picture.
        dark_level: the picture is dark where nine tenths of it are below this grey level (0 to 255).
        blinded_share: share of the picture that is overexposed (245 or more).
        blocked_share: blocked where less than this share of the detail seen before is left.
        blank_share: blocked too where less than this share of the picture has any detail.
        blurred_ratio: sharpness of edges relative to the reference.
        blurred_level: absolute sharpness; 1 is no fine detail at all, sharp pictures have 2 to 4.
        moved_shift: largest shift within the middle four fifths of the picture, as a fraction of its width.
        moved_back: shift below which a camera that had moved is back in its place.
        match: share of the reference's patches that must agree for a position to be believed.
        enter_seconds: how long a fault other than ``frozen`` and ``blocked`` must last before it is told.
        blocked_seconds: the same for ``blocked``, longer: a bus may stand in front of the camera.
        leave_seconds: how long a picture must be light enough again.
        anchor_seconds: age at which the last good picture, for comparison, is renewed.
    """

    look_every: float = 0.5
    check_every: float = 4.0
    frozen_seconds: float = 20.0
    frozen_share: float = 0.8
    frozen_pixels: int = 3
    dark_level: float = 20.0
    blinded_share: float = 0.45
    blocked_share: float = 0.4
    blank_share: float = 0.05
    blurred_ratio: float = 0.62
    blurred_level: float = 1.4
    moved_shift: float = 0.02
    moved_back: float = 0.015
    match: float = 0.35
    enter_seconds: float = 6.0
    blocked_seconds: float = 14.0
    leave_seconds: float = 2.0
    anchor_seconds: float = 600.0
