"""Frames on their way from the cameras to the analysis: few wait, the oldest give way, none comes late."""

from collections import deque
from collections.abc import Callable, Iterable
from threading import Condition

from vision import Frame

MAX_AGE = 1.0
"""No frame is analysed that is older than this when its analysis is through, s."""

START_AGE = 0.8
"""So none is begun with that is older than this, s; on a machine where an analysis takes long, earlier."""

WAITING = 4
"""Frames of one camera that wait at most."""


class WaitingFrames:
    """Frames of several cameras that wait for one analysis.

    All have the same time to be through. The camera that was looked at longest ago is next, with its oldest
    frame: where all can be analysed that is about the one whose deadline comes first, and where more come
    than can be, each camera gets its share, and its oldest frames give way.

    Args:
        now: gives the present, seconds since the epoch.
        most: frames of one camera that wait at most.
    """

    def __init__(self, now: Callable[[], float], most: int = WAITING) -> None:
        self._now = now
        self._most = most
        self._ready = Condition()
        self._frames: dict[str, deque[Frame]] = {}
        self._dropped: dict[str, int] = {}
        self._taken: dict[str, float] = {}
        self._takes = 0.0

    def put(self, camera: str, frame: Frame) -> None:
        """Add a camera's next frame; if too many wait, its oldest is dropped."""
        with self._ready:
            frames = self._frames.setdefault(camera, deque())
            frames.append(frame)
            if len(frames) > self._most:
                frames.popleft()
                self._count(camera)
            self._ready.notify()

    def take(self, timeout: float) -> tuple[str, Frame] | None:
        """The frame to analyse next, waiting for one if need be; those too late are dropped."""
        with self._ready:
            taken = self._next()
            if taken is None and timeout > 0:
                self._ready.wait(timeout)
                taken = self._next()
            return taken

    def took(self, seconds: float) -> None:
        """Take how long a frame's analysis took: as much time must be left for the next."""
        self._takes = max(min(seconds, MAX_AGE), 0.97 * self._takes)

    def drop(self, camera: str, frames: int = 1) -> None:
        """Count frames that were dropped before they came here."""
        with self._ready:
            self._count(camera, frames)

    def forget(self, camera: str) -> None:
        """Throw away what waits of a camera that is watched no more."""
        with self._ready:
            self._frames.pop(camera, None)
            self._dropped.pop(camera, None)
            self._taken.pop(camera, None)

    def dropped(self, camera: str) -> int:
        """How many of a camera's frames were dropped."""
        return self._dropped.get(camera, 0)

    def _next(self) -> tuple[str, Frame] | None:
        latest = self._now() - max(0.3, min(START_AGE, MAX_AGE - 1.2 * self._takes))
        for camera, frames in self._frames.items():
            while frames and frames[0].time < latest:
                frames.popleft()
                self._count(camera)
        waiting = [
            (self._taken.get(camera, 0.0), frames[0].time, camera)
            for camera, frames in self._frames.items()
            if frames
        ]
        if not waiting:
            return None
        camera = min(waiting)[2]
        frame = self._frames[camera].popleft()
        self._taken[camera] = frame.time
        return camera, frame

    def _count(self, camera: str, frames: int = 1) -> None:
        self._dropped[camera] = self._dropped.get(camera, 0) + frames


class AdaptiveRate:
    """How many frames a second to analyse: fewer before anything comes late, more when there is room.

    Args:
        most: what is wanted, frames a second.
        least: below this counting suffers; what still cannot be done is dropped, and told.
    """

    BUSY, ROOM = 0.93, 0.8
    """Shares of the time spent analysing: above the first the rate falls, below the second it rises."""
    PATIENCE = 5
    """Looks (of a second each) of which the mean decides: one busy second is nothing, two full ones are."""
    FULL = 0.98

    def __init__(self, most: float, least: float = 5.0) -> None:
        self.fps = most
        self._most = most
        self._least = min(least, most)
        self._busy: list[float] = []

    def look(self, busy: float, dropped: int) -> float:
        """Take the share of the last second spent analysing and the frames dropped in it; the new rate."""
        self._busy.append(busy)
        factor = self._factor(dropped)
        if factor is not None:
            self._busy.clear()
            self.fps = min(self._most, max(self._least, self.fps * factor))
        return self.fps

    def _factor(self, dropped: int) -> float | None:
        """By how much the rate changes; None while the looks so far do not tell."""
        if dropped > 0:
            # What was dropped was not analysed: the share of time alone would say too little.
            return 0.7 if dropped > 5 else 0.9
        if len(self._busy) > 1 and min(self._busy[-2:]) > self.FULL:
            return 0.9
        if len(self._busy) < self.PATIENCE:
            return None
        mean = sum(self._busy) / len(self._busy)
        return 0.9 if mean > self.BUSY else 1.1 if mean < self.ROOM else 1.0


class Anchor:
    """Holds a stream's times to this computer's clock, though both drift apart over months.

    A stream is timed from its first picture on, by its own clock. Pictures that came in a burst while the
    connection was made are then dated later than they are, which shows as soon as one comes before its time.
    A camera's clock may also be wrong by some seconds a day, which shows slowly; a network that falls behind
    shows quickly, and is no matter of clocks: it is left alone, and makes pictures late.
    """

    FASTEST = 200e-6
    """Clocks drift apart by less than this, s per s."""
    LOOKED_BACK = 60.0
    """Seconds of which the least delay is taken for the drift."""

    def __init__(self) -> None:
        self._shift = 0.0
        self._since: float | None = None
        self._least = float("inf")

    def place(self, time: float, now: float) -> float:
        """The time of a picture that arrives now."""
        late = now - (time + self._shift)
        if late < 0:
            self._shift += late
            late = 0.0
        self._least = min(self._least, late)
        if self._since is None:
            self._since = now
        elif now - self._since >= self.LOOKED_BACK:
            self._shift += min(self._least, self.FASTEST * (now - self._since))
            self._since, self._least = now, float("inf")
        return time + self._shift


def rate_of(times: Iterable[float], now: float, seconds: float = 5.0) -> float | None:
    """Events a second in the last seconds; None where there was none."""
    recent = sum(1 for time in times if time > now - seconds)
    return recent / seconds if recent else None
