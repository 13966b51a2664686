"""What state a camera is in, told from its connection and its picture; time is given, never read."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from service.live.messages import CameraState

STALLED_AFTER = 3.0
"""Seconds without a picture after which a camera counts as stalled ..."""

OFFLINE_AFTER = 8.0
"""... and as offline: a dead stream is told within 10 s, looks twice a second included."""

REFRESH_S = 15.0
"""A state that lasts is confirmed this often; coverage trusts it for 90 s."""

_TICK = 1e-6  # the database keeps microseconds, and no two stretches of a camera begin in the same


@dataclass(frozen=True, slots=True)
class Link:
    """What the thread that reads a camera knows of its connection.

    Attributes:
        connected: whether the stream is open.
        last_frame: when the last picture arrived that was fresh enough to use; None before the first.
        failure: why it is not connected or nothing of use arrives, secrets masked; empty while all is well.
        refused: whether the last failure came while connecting, so that nobody is there to wait for.
        note: which of its streams is read and why, once another one was tried; empty before.
    """

    connected: bool = False
    last_frame: float | None = None
    failure: str = ""
    refused: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the last look at the picture said: ``live`` where it is good, else what is wrong."""

    state: CameraState = "live"
    since: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time in one state and with one stream; ``end`` is None while it lasts."""

    state: CameraState
    start: float
    reason: str
    end: float | None = None
    note: str = ""


class CameraMachine:
    """Joins connection and picture into one state, and remembers the stretches.

    Attributes:
        now_in: the stretch that lasts.
    """

    def __init__(self, now: float) -> None:
        self.now_in = Stretch("connecting", now, "")
        self._finished: list[Stretch] = []

    def see(self, now: float, link: Link, picture: Picture) -> CameraState:
        """Take what is known at a moment, seconds since the epoch; the state that follows."""
        before = self.now_in
        state, since, reason = _judge(now, before, link, picture)
        if (state, link.note) == (before.state, before.note):
            self.now_in = replace(before, reason=reason)
        else:
            begun = now if state == before.state else since
            start = max(begun, before.start + _TICK)
            self._finished.append(replace(before, end=start))
            self.now_in = Stretch(state, start, reason, note=link.note)
        return state

    def stop(self, now: float) -> None:
        """Nobody looks any more: the stretch that lasts ends."""
        end = max(now, self.now_in.start + _TICK)
        self._finished.append(replace(self.now_in, end=end))

    def finished(self) -> list[Stretch]:
        """The stretches that ended since the last call."""
        ended, self._finished = self._finished, []
        return ended


def _judge(now: float, before: Stretch, link: Link, picture: Picture) -> tuple[CameraState, float, str]:
    """The state, since when, and why."""
    if link.last_frame is None:
        if link.failure:
            return "offline", now, link.failure
        if before.state == "offline" or now - before.start > OFFLINE_AFTER:
            return "offline", now, "no picture came yet; check that the camera is on and sends one"
        return "connecting", before.start, "connecting for the first time"
    silent = now - link.last_frame
    if link.connected and silent < STALLED_AFTER:
        reason = "; ".join(part for part in (picture.reason, link.note) if part)
        return picture.state, now if picture.state == "live" else picture.since, reason
    why = link.failure or "no picture arrives although the connection is open"
    nobody_there = link.refused and silent >= STALLED_AFTER
    if before.state == "offline" or silent >= OFFLINE_AFTER or nobody_there:
        return "offline", now, why
    return "stalled", link.last_frame, why


class Backoff:
    """How long to wait before the next try to connect: doubling, each a random part of it.

    Args:
        random: gives a number from 0 up to 1.
        first: the first wait, s.
        longest: the longest, s. A camera that returns shall be back within 5 s: this wait, the answer and
            the first picture must fit in.
    """

    def __init__(self, random: Callable[[], float], first: float = 0.5, longest: float = 2.5) -> None:
        self._random = random
        self._first = first
        self._longest = longest
        self._failures = 0

    def failed(self, longest: float | None = None) -> float:
        """Seconds to wait after one more failure, half to all of the doubled time.

        Args:
            longest: another longest wait, as where a login was refused and more tries may lock it.
        """
        wait = min(self._first * 2.0 ** min(self._failures, 20), longest or self._longest)
        self._failures += 1
        return wait * (0.5 + 0.5 * self._random())

    def worked(self) -> None:
        """Pictures came: begin anew after the next failure."""
        self._failures = 0
