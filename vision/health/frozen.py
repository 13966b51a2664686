"""Whether pictures repeat although frames arrive, also beneath a clock that runs on."""

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.health.records import HealthSettings

_CELL = 10
"""Side in pixels of the small copy of the cells in which changes are noted."""
_CHANGED = 1
"""Differences up to this many grey levels are rounding."""
_EARLIER = 12
"""Earlier pictures a look is compared with, 6 s: an encoder fed with one picture comes back to the same ones
with each key frame, which cameras send every 1 to 5 s."""
_BAND = 0.25
"""A clock is looked for in this share of the height at the top and at the bottom."""
_RECENT = 6
"""If less than half of so many looks repeat, the picture lives again."""
_CLOCK_ROWS, _CLOCK_WIDTH, _CLOCK_BEAT = 3, 0.6, 0.25
"""Largest height in cells and width in shares of a clock; share of the looks in which its seconds change."""


class FreezeWatch:
    """Compares each look with earlier ones.

    A sensor's noise, or traffic, changes some pixel from one look to the next in any live picture; a repeated
    picture changes nowhere, but for its clock and the pulses of an encoder's key frames, which repeat too.
    """

    def __init__(self, settings: HealthSettings) -> None:
        self._settings = settings
        self._frozen = False
        self._kept: deque[NDArray[np.uint8]] = deque(maxlen=_EARLIER)
        # (time, cells that changed; None where the look equals an earlier one)
        self._looks: deque[tuple[float, NDArray[np.bool_] | None]] = deque()

    def look(self, small: NDArray[np.uint8], time: float) -> tuple[bool, float | None]:
        """Whether the picture is frozen, and the share of the last looks that repeat.

        The share is None until ``frozen_seconds`` have been seen.
        """
        if self._kept and self._kept[-1].shape != small.shape:
            self.forget()
        if self._kept:
            # Most pictures differ from the last one; only then are those before it asked.
            cells = self._cells(small, self._kept[-1])
            if cells.any():
                others = (self._cells(small, each) for each in list(self._kept)[:-1])
                cells = min((cells, *others), key=lambda each: int(each.sum()))
            self._looks.append((time, cells if cells.any() else None))
        self._kept.append(small)
        length = self._settings.frozen_seconds
        while self._looks and self._looks[0][0] <= time - length - 1e-6:
            self._looks.popleft()
        if not self._frozen and len(self._looks) < 0.8 * length / self._settings.look_every:
            return False, None
        repeats = self._repeats()
        share = float(repeats.mean())
        if self._frozen and repeats[-_RECENT:].mean() < 0.5:
            self.forget()
        elif not self._frozen:
            self._frozen = share >= self._settings.frozen_share
        return self._frozen, share

    def forget(self) -> None:
        """Begin anew."""
        self._frozen = False
        self._kept.clear()
        self._looks.clear()

    def _cells(self, one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which cells differ; none where so few pixels do that it is no change."""
        differs = cv2.threshold(cv2.absdiff(one, other), _CHANGED, 1, cv2.THRESH_BINARY)[1]
        rows, columns = one.shape[0] // _CELL, one.shape[1] // _CELL
        if cv2.countNonZero(differs) <= self._settings.frozen_pixels:
            return np.zeros((rows, columns), np.bool_)
        cut = differs[: rows * _CELL, : columns * _CELL].reshape(rows, _CELL, columns, _CELL)
        return np.asarray(cut.any(axis=(1, 3)))

    def _repeats(self) -> NDArray[np.bool_]:
        """Which looks repeat, a clock's changes not counted."""
        still = np.array([cells is None for _, cells in self._looks])
        changed = [cells for _, cells in self._looks if cells is not None]
        if changed and still.mean() < self._settings.frozen_share:
            still[~still] = self._only_clock(np.stack(changed))
        return still

    def _only_clock(self, masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of the changed looks ``bool[N, rows, columns]`` changed in nothing but a running clock."""
        rows, columns = masks.shape[1:]
        band = max(1, round(rows * _BAND))
        inner = np.asarray(masks[:, band : rows - band].any(axis=(1, 2)))
        candidates = masks[~inner]
        if not len(candidates):
            return ~inner
        for part in (candidates[:, :band], candidates[:, rows - band :]):
            beats = part.sum(axis=0)
            if not beats.any():
                continue
            down, across = np.flatnonzero(beats.any(axis=1)), np.flatnonzero(beats.any(axis=0))
            if (
                np.ptp(down) >= _CLOCK_ROWS
                or np.ptp(across) >= _CLOCK_WIDTH * columns
                or beats.max() < _CLOCK_BEAT * len(self._looks)
            ):
                return np.zeros(len(masks), np.bool_)
        return ~inner
