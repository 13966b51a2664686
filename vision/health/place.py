"""Whether a camera still looks where its reference picture was taken, followed through day and night."""

import numpy as np
from numpy.typing import NDArray

from vision.health.position import (
    Placement,
    Scene,
    in_fractions,
    place_anywhere,
    place_nearby,
    refined,
    shift_of,
)
from vision.health.records import HealthSettings

_PATIENCE = (6.0, 60.0)
"""Shortest and longest time in seconds between two searches of the whole picture."""
_GONE_SECONDS = 12.0
"""How long nothing must be recognised before the camera is said to look elsewhere: a lorry may hide it."""
_ALIKE_LIGHT = 2.5
"""Ratio of mean brightness within which a picture must be recognisable by its predecessor."""
_STILL = 0.008
"""Shift against the last good picture that is taken for none."""
_WELL = 0.5
"""Match below which the picture to compare with is renewed early."""


class PlaceWatch:
    """Compares the picture with the reference, and where light forbids that, with the last good one.

    Args:
        reference: the small grey reference.
        settings: thresholds.

    Attributes:
        transform: ``float64[2, 3]`` from the reference to now, in fractions; None where not known.
        measures: what was measured last.
    """

    def __init__(self, reference: NDArray[np.uint8], settings: HealthSettings) -> None:
        self._reference = Scene(reference)
        self._settings = settings
        self._anchor: Scene | None = None
        self._anchor_matrix = np.eye(3)
        self._anchor_share = 0.0
        self._anchor_time = -np.inf
        self._known = True  # whether the anchor's own place was ever compared with the reference
        self._searched = -np.inf
        self._patience = _PATIENCE[0]
        self._lost: float | None = None
        self.transform: NDArray[np.float64] | None = None
        self.measures: dict[str, float] = {}

    def check(
        self, small: NDArray[np.uint8], share: float, time: float, active: bool, pending: bool
    ) -> bool | None:
        """Whether the camera has moved; None where that cannot be told.

        Args:
            small: grey median of the last seconds.
            share: share of the picture with detail.
            time: of the last picture.
            active: whether it is said to have moved already.
            pending: whether that was found, but not yet for long enough.
        """
        now = Scene(small)
        placed = self._near(now)
        if placed and not self._known:
            return self._since_start(placed, now, share, time, active)
        if placed is None and time - self._searched >= (_PATIENCE[1] if active else self._patience) - 1e-3:
            self._searched = time
            placed = self._far(now)
            self._patience = _PATIENCE[0] if placed or pending else min(2 * self._patience, _PATIENCE[1])
        elif placed is None:
            # Not searched again yet: what was measured last still stands.
            self.measures = (
                {**self.measures, "position_checked": 0.0} if active else {"position_checked": 0.0}
            )
            return self._gone(now, share, time, active or pending)
        if placed is None:
            self.measures, self.transform = {"position_checked": 0.0}, None
            return self._gone(now, share, time, active or pending)
        return self._judge(placed, now, share, time, active)

    def _since_start(
        self, placed: Placement, now: Scene, share: float, time: float, active: bool
    ) -> bool | None:
        """What can be said where only the first picture, not the reference, could be compared."""
        if time - self._searched >= self._patience - 1e-3:
            self._searched = time
            self._patience = min(2 * self._patience, _PATIENCE[1])
            found = place_anywhere(self._reference, now)
            if found:
                self._known, self._anchor, self._anchor_time = True, None, -np.inf
                return self._judge(refined(found, self._reference, now), now, share, time, active)
        moved = self._judge(placed, now, share, time, active)
        self.transform = None
        if not moved:
            self.measures = {"position_checked": 0.0}
        return moved

    def _judge(self, placed: Placement, now: Scene, share: float, time: float, active: bool) -> bool:
        """Whether a place is too far from the reference's; remembers the picture where it is not."""
        of = self._settings
        self._lost = None
        shift = shift_of(placed.matrix, now.size)
        self.transform = in_fractions(placed.matrix, now.size)
        turned = placed.matrix[:2, :2]
        self.measures = {
            "position_checked": 1.0,
            "shift": shift,
            "match": placed.match,
            "rotation_deg": float(np.degrees(np.arctan2(turned[1, 0], turned[0, 0]))),
            "zoom": float(np.hypot(turned[0, 0], turned[1, 0])),
        }
        moved = shift > (of.moved_back if active else of.moved_shift)
        if not moved:
            self._patience = _PATIENCE[0]
            age = time - self._anchor_time
            if age >= of.anchor_seconds or (placed.match < _WELL and age >= of.anchor_seconds / 10):
                self._anchor, self._anchor_matrix = now, placed.matrix
                self._anchor_share, self._anchor_time = share, time
        return moved

    def _near(self, now: Scene) -> Placement | None:
        """Little or no motion against the reference, else against the last good picture."""
        placed = place_nearby(self._reference, now)
        if placed and placed.match >= self._settings.match:
            if not self._known:
                self._known, self._anchor, self._anchor_time = True, None, -np.inf
            if shift_of(placed.matrix, now.size) > self._settings.moved_shift:
                return refined(placed, self._reference, now)
            return placed
        placed = place_nearby(self._anchor, now) if self._anchor else None
        if placed and placed.match >= self._settings.match:
            # Errors of a fraction of a pixel must not add up through a night of renewed pictures.
            still = shift_of(placed.matrix, now.size) < _STILL
            return Placement(
                self._anchor_matrix if still else placed.matrix @ self._anchor_matrix, placed.match
            )
        return None

    def _far(self, now: Scene) -> Placement | None:
        """Any motion, found by features."""
        placed = place_anywhere(self._reference, now)
        if placed:
            return refined(placed, self._reference, now)
        if self._anchor:
            placed = place_anywhere(self._anchor, now)
            placed = placed and Placement(placed.matrix @ self._anchor_matrix, placed.match)
        return placed

    def _gone(self, now: Scene, share: float, time: float, doubtful: bool) -> bool | None:
        """Whether nothing is recognised that should be: the same light, as much detail, yet another scene."""
        if self._anchor is None:
            # The first picture of a camera whose reference cannot be compared, such as at night.
            if doubtful:
                return None
            self._lost = time if self._lost is None else self._lost
            if time - self._lost >= _GONE_SECONDS:
                self._anchor, self._anchor_matrix, self._lost = now, np.eye(3), None
                self._known = False
                self._anchor_share, self._anchor_time = share, time
            return None
        ratio = (float(now.grey.mean()) + 1) / (float(self._anchor.grey.mean()) + 1)
        if not 1 / _ALIKE_LIGHT < ratio < _ALIKE_LIGHT or share < 0.5 * self._anchor_share:
            self._lost = None
            return None
        if self._lost is None:
            self._lost = time
        return True if time - self._lost >= _GONE_SECONDS - 1e-6 else None
