"""How far a batch is: numbers by camera that the run keeps and the terminal shows."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class CameraProgress:
    """One camera's recordings.

    Attributes:
        recordings: how many there are to do.
        frames: frames to detect in them.
        ready: frames that are detected, before or now.
        streams: stretches to count.
        counted: stretches counted.
        crossings: crossings found.
        failures: recordings or stretches that failed.
    """

    recordings: int = 0
    frames: int = 0
    ready: int = 0
    streams: int = 0
    counted: int = 0
    crossings: int = 0
    failures: int = 0


@dataclass(slots=True)
class Progress:
    """A whole batch.

    Attributes:
        doing: what is done now, in words.
        cameras: by id.
        detected: frames detected since it began.
    """

    clock: Callable[[], float] = time.monotonic
    doing: str = "looking for recordings"
    cameras: dict[str, CameraProgress] = field(default_factory=dict)
    detected: int = 0
    _marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=60))

    def of(self, camera: str) -> CameraProgress:
        """That of one camera."""
        return self.cameras.setdefault(camera, CameraProgress())

    def add(self, camera: str, frames: int) -> None:
        """Frames of a camera were detected now."""
        self.of(camera).ready += frames
        self.detected += frames
        self._marks.append((self.clock(), self.detected))

    @property
    def speed(self) -> float | None:
        """Frames a second over the last stretches; None before two are through."""
        if len(self._marks) < 2:
            return None
        (begin, before), (end, after) = self._marks[0], self._marks[-1]
        return (after - before) / (end - begin) if end > begin else None

    @property
    def left(self) -> int:
        """Frames still to detect."""
        return sum(max(0, each.frames - each.ready) for each in self.cameras.values())

    @property
    def remaining(self) -> float | None:
        """Seconds until all is detected, as it goes now; None where that cannot be said."""
        return self.left / self.speed if self.speed else None
