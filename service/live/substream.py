"""When a camera is read by its substream: while its worker has too little time, and not a moment sooner."""

from collections.abc import Collection
from typing import Protocol

from service.live.frames import AdaptiveRate
from service.live.messages import Stream

MEAN_S = 5.0
"""Seconds over which the share of time that is spent is averaged: a busy second is nothing."""

BEHIND_S = 30.0
"""So many seconds more with too little time than with enough, and a camera is read by its substream ..."""

NEXT_S = 10.0
"""... and after so many more the next one."""

AMPLE_S = 600.0
"""Seconds of ample time since there was last too little, after which one camera goes back."""

AMPLE = 0.5
"""Time is ample while less than this share of it is spent analysing, and all is analysed that is wanted."""

RELAPSE_S = 3600.0
"""Where there is too little time so soon after a camera went back, the next one waits twice as long ..."""

LONGEST_S = 4 * 3600.0
"""... up to this."""

AGAIN_AFTER_S = 3600.0
"""A substream that was of no use is not tried again for so long."""

PROBATION_S = 60.0
"""A substream whose picture turns out bad within this time is of no use, though it opens."""

SAME_SHAPE = 0.02
"""Largest difference of width by height between two streams of the same picture."""


class TwoStreams(Protocol):
    """A camera that may have a substream."""

    @property
    def followed(self) -> bool:
        """Whether its vehicles are followed, not only its health watched."""
        ...

    @property
    def load(self) -> float:
        """Pixels a second of its main stream."""
        ...

    def may_read(self, stream: Stream) -> bool:
        """Whether it reads its other stream now, and this one could be read instead."""
        ...

    def read_by(self, stream: Stream, why: str) -> None:
        """Read it by this stream from now on."""
        ...


class Relief:
    """Lets cameras of one worker be read by their substreams, one after another, and go back one by one.

    First those of which only the health is watched, then those with most to decode; back the other way round.

    Args:
        wanted: frames a second that are to be analysed.
    """

    def __init__(self, wanted: float) -> None:
        self._wanted = wanted
        self._looked: float | None = None
        self._busy = self._behind = self._ample = 0.0
        self._patience = AMPLE_S
        self._returned: float | None = None

    def look(self, now: float, fps: float, busy: float, cameras: Collection[TwoStreams]) -> None:
        """Take how it stands; at most one camera is changed.

        Args:
            now: monotonic, s.
            fps: frames a second that are analysed now, see :class:`service.live.frames.AdaptiveRate`.
            busy: share of the time since the last look that was spent analysing.
            cameras: those of the worker.
        """
        elapsed = 0.0 if self._looked is None else min(now - self._looked, 2.0)
        self._looked = now
        self._busy += (busy - self._busy) * elapsed / MEAN_S
        # A rate that fell for frames that came late over the network is no lack of time.
        fewer = fps < 0.95 * self._wanted
        short = self._busy > (AdaptiveRate.ROOM if fewer else AdaptiveRate.BUSY)
        self._behind = min(BEHIND_S, max(0.0, self._behind + (elapsed if short else -elapsed)))
        if short:
            self._ample = 0.0
        elif fps >= self._wanted and self._busy < AMPLE:
            self._ample += elapsed
        if self._behind >= BEHIND_S:
            self._relieve(now, fps, [each for each in cameras if each.may_read("sub")])
        elif self._ample >= self._patience:
            self._return(now, [each for each in cameras if each.may_read("main")])

    def _relieve(self, now: float, fps: float, able: list[TwoStreams]) -> None:
        if not able:
            return
        self._behind = BEHIND_S - NEXT_S
        if self._returned is not None:
            soon = now - self._returned < RELAPSE_S
            self._patience = min(2 * self._patience, LONGEST_S) if soon else AMPLE_S
            self._returned = None
        why = f"there was time for {fps:.1f} of {self._wanted:g} frames a second only"
        min(able, key=_order).read_by("sub", f"its substream is read: {why}")

    def _return(self, now: float, able: list[TwoStreams]) -> None:
        self._ample = 0.0
        if able:
            self._returned = now
            why = f"there was ample time for {self._patience / 60:.0f} minutes"
            max(able, key=_order).read_by("main", f"its main stream is read again: {why}")


def _order(camera: TwoStreams) -> tuple[bool, float]:
    return camera.followed, -camera.load


def misfit(main: tuple[int, int], sub: tuple[int, int]) -> str:
    """Why a substream cannot stand in for a main stream, both as width and height; empty where it can.

    Example:
        >>> misfit((1920, 1080), (640, 360))
        ''
    """
    of_sub, of_main = ("{}x{}".format(*size) for size in (sub, main))
    if abs(main[0] * sub[1] / (main[1] * sub[0]) - 1) > SAME_SHAPE:
        return (
            f"its pictures are {of_sub}, of another shape than the main stream's {of_main}, so that gates "
            "might lie beside the road; set both to the same shape in the camera"
        )
    if sub[0] * sub[1] >= main[0] * main[1]:
        return f"its pictures are {of_sub}, no smaller than the main stream's {of_main}; set it smaller"
    return ""
