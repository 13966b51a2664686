"""Times how long the network takes for each picture, in buckets that a histogram needs."""

import bisect
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.live.messages import InferenceLive
from vision import Detections, Detector

BOUNDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Upper bounds of the buckets, s."""


class Timing:
    """What all detectors of a worker took; one thread looks, another may read."""

    def __init__(self) -> None:
        self._within = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    def around(self, detector: Callable[[], Detector]) -> Callable[[], Detector]:
        """The same source of detectors, each of which is timed."""
        return lambda: Timed(detector(), self)

    def note(self, seconds: float) -> None:
        """Add one picture."""
        self._within[bisect.bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds

    def so_far(self) -> InferenceLive:
        """As it is told to the service."""
        return InferenceLive(bounds=list(BOUNDS), counts=list(self._within), seconds=self._seconds)


class Timed:
    """A detector whose looks are timed; all else of it is as it was."""

    def __init__(self, detector: Detector, timing: Timing) -> None:
        self._detector, self._timing = detector, timing

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Look, and note how long it took."""
        began = time.perf_counter()
        found = self._detector.detect(image)
        self._timing.note(time.perf_counter() - began)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._detector, name)
