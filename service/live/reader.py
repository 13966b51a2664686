"""The thread that reads one camera: connects, hands frames on, and connects again for as long as it lasts."""

import logging
import random
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import Any

from service.live.frames import MAX_AGE, Anchor, WaitingFrames, rate_of
from service.live.messages import Stream
from service.live.state import STALLED_AFTER, Backoff, Link
from service.live.substream import AGAIN_AFTER_S, misfit
from vision import Frame, NgatuError, SourceError, open_source
from vision.sources import LoginRefusedError, OpenedSource, mask_address

OPEN_TIMEOUT = 6.0
"""Seconds for connecting, half of them for the first answer."""

READ_TIMEOUT = 5.0
"""Seconds without a picture after which the connection is given up."""

LOGIN_WAIT = 60.0
"""Longest wait after a refused login, s: cameras lock an account after some wrong passwords."""

SETTLE = 0.3
"""Seconds after connecting in which pictures that were held back come in a burst; they are not handed on."""

STEADY = 5.0
"""After so many seconds with pictures a connection has worked."""

log = logging.getLogger(__name__)

Open = Callable[..., OpenedSource]
Address = Callable[[Stream], str]
"""Gives the address of one of a camera's streams, secrets filled in."""

_NAMES: Mapping[Stream, str] = {"main": "main stream", "sub": "substream"}


@dataclass(frozen=True, slots=True)
class Choice:
    """The stream to read, and why that one."""

    stream: Stream = "main"
    why: str = ""


class Reader(Thread):
    """Reads one camera until it is told to stop: its main stream, but where told to by its substream.

    Args:
        camera: its id.
        address: gives the address of each stream.
        waiting: where frames go.
        fps: frames a second to hand on.
        opens: what opens an address; :func:`vision.open_source` but in tests.
        now: gives the present, seconds since the epoch.

    Attributes:
        link: how the connection is.
        received: pictures that arrived.
        name_shown: the address as it may be shown.
        wanted: the stream to read.
        stream: the stream that was opened last ...
        opened: ... and when.
        main_size: width and height of the main stream's pictures; None until it was opened.
        tried: when the substream was last of no use; None for never.
    """

    def __init__(
        self,
        camera: str,
        address: Address,
        waiting: WaitingFrames,
        fps: float,
        opens: Open = open_source,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name=f"read {camera}", daemon=True)
        self.camera = camera
        self.link = Link()
        self.received = 0
        self.name_shown = ""
        self.fps = fps
        self.wanted = Choice()
        self.stream: Stream = "main"
        self.opened = 0.0
        self.main_size: tuple[int, int] | None = None
        self.tried: float | None = None
        self._note = ""
        self._address = address
        self._waiting = waiting
        self._opens = opens
        self._now = now
        self._stop_asked = Event()
        self._backoff = Backoff(random.random)
        self._arrivals: deque[float] = deque(maxlen=300)

    def stop(self) -> None:
        """Ask it to end; it does so within ``READ_TIMEOUT``, at once where frames arrive."""
        self._stop_asked.set()

    @property
    def may_try(self) -> bool:
        """Whether it is not too soon to try the substream once more."""
        return self.tried is None or self._now() - self.tried >= AGAIN_AFTER_S

    def reads_substream_since(self, moment: float) -> bool:
        """Whether it reads the substream, and does since no earlier than a moment."""
        return self.wanted.stream == self.stream == "sub" and self.opened >= moment

    def leave_substream(self, why: str) -> None:
        """Go back to the main stream, since the substream is of no use."""
        self.tried = self._now()
        self.wanted = Choice("main", f"its substream was tried and is not read: {mask_address(why)}")

    def source_fps(self, now: float) -> float | None:
        """Pictures a second that arrived lately."""
        return rate_of(list(self._arrivals), now)

    def run(self) -> None:
        """Connect, read, and do it again."""
        while not self._stop_asked.is_set():
            longest, refused = None, True
            chosen = self.wanted
            try:
                with self._open(chosen.stream) as source:
                    refused = False
                    self._take_up(chosen, source)
                    failure = self._read(source)
            except LoginRefusedError as error:
                failure, longest = str(error), LOGIN_WAIT
            except NgatuError as error:
                failure = str(error)
            if self._stop_asked.is_set():
                return
            if chosen.stream == self.wanted.stream == "sub":
                self.leave_substream(failure)
            if chosen.stream != self.wanted.stream:
                log.info("%s: %s", self.camera, self.wanted.why)
                opening = f"its {_NAMES[self.wanted.stream]} is being opened"
                self.link = replace(self.link, failure=opening)
                continue
            self.link = replace(self.link, connected=False, failure=mask_address(failure), refused=refused)
            self._stop_asked.wait(self._backoff.failed(longest))

    def _open(self, stream: Stream) -> OpenedSource:
        address = self._address(stream)
        if not re.match(r"\s*(rtsps?://|loop:)", address, re.IGNORECASE):
            # A recording would be over in a minute, dated now: it is no camera.
            raise NgatuError(
                "its address is no live stream; give rtsp://..., or count recordings with: ngatu batch"
                if address.strip()
                else "it has no address; give it one in the registry"
            )
        return self._opens(
            address, fps=self.fps, threads=1, open_timeout=OPEN_TIMEOUT, read_timeout=READ_TIMEOUT
        )

    def _take_up(self, chosen: Choice, source: OpenedSource) -> None:
        if chosen.stream == "main":
            self.main_size = source.size
        elif problem := misfit(self.main_size or source.size, source.size):
            raise SourceError(problem)
        self.stream, self.opened, self._note = chosen.stream, self._now(), chosen.why
        self.name_shown = source.name

    def _read(self, source: OpenedSource) -> str:
        """Hand on frames until the stream ends or the other one is wanted; why it ended."""
        opened, last, read = self._now(), 0.0, 0
        anchor = Anchor()
        choose_rate: Any = getattr(source, "choose_rate", None)
        fresh_at = opened
        for frame in source:
            now = self._now()
            if self._stop_asked.is_set() or self.wanted.stream != self.stream:
                return ""
            if choose_rate is not None:
                choose_rate(self.fps)
            arrived = max(1, source.tally.read - read)
            read = source.tally.read
            self.received += arrived
            self._arrivals.extend([now] * min(arrived, 25))
            placed = anchor.place(frame.time, now)
            if now - placed > MAX_AGE:
                self._waiting.drop(self.camera)
                if now - fresh_at > STALLED_AFTER:
                    return f"pictures arrive {now - placed:.0f} s late; check the camera's network"
                continue
            fresh_at = now
            self.link = Link(connected=True, last_frame=now, note=self._note)
            if now - opened > STEADY:
                self._backoff.worked()
            if placed > last and now - opened >= SETTLE:
                last = placed
                self._waiting.put(self.camera, Frame(frame.image, placed, frame.index))
        return f"{source.name} ended: the camera closed the stream"
