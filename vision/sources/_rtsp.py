"""A live camera over RTSP as a source of frames."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vision.errors import SourceError
from vision.sources._address import mask_address
from vision.sources._decoder import Decoder
from vision.sources._start import StartOrigin, start_from_argument
from vision.sources._tally import Pace
from vision.types import Clock


class LoginRefusedError(SourceError):
    """A camera refuses the user name or password: trying again soon may lock the account."""


class SystemClock:
    """The computer's clock."""

    def now(self) -> float:
        """Seconds since the Unix epoch, UTC."""
        return time.time()


class RtspStream(Decoder):
    """A live camera over RTSP and TCP; ends when the camera says so, raises when it falls silent."""

    kind: Literal["rtsp"] = "rtsp"
    duration: float | None = None
    expected_frames: int | None = None

    def __init__(
        self,
        address: str,
        *,
        fps: float | None,
        start: datetime | None,
        tz: str,
        threads: int,
        open_timeout: float,
        read_timeout: float,
        clock: Clock,
    ) -> None:
        """Connect and wait for the first picture; see :func:`vision.sources.open_source`.

        Raises:
            SourceError: the camera cannot be reached, refuses, or sends no picture in time.
        """
        self._read_timeout = read_timeout
        container = _open_rtsp(address, open_timeout, read_timeout)
        try:
            super().__init__(
                mask_address(address), container, fps=fps, threads=threads, max_step=2 * read_timeout
            )
        except BaseException:
            container.close()
            raise
        self.start_origin: StartOrigin = "clock" if start is None else "argument"
        self.start = clock.now() if start is None else start_from_argument(start, tz)

    def choose_rate(self, fps: float | None) -> None:
        """From the next frame on, deliver so many a second; call it from the thread that iterates."""
        if fps != self._fps:
            self._fps = fps
            self._pace = Pace(fps)

    def _packets(self) -> "Iterator[Packet[VideoStream] | None]":
        packets = self._container.demux(self._stream)
        waiting_since, seen = time.monotonic(), self.tally.read
        while True:
            problem = None
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                problem = _reason(error, self._read_timeout)
            # Raised out here, since an exception keeps the one it replaces, and that one quotes the address.
            if problem:
                raise SourceError(f"{self.name} stopped: {problem}.")
            if packet is None:
                return
            yield packet
            # The consumer's own time does not count: the wait starts when it comes back for more.
            if self.tally.read != seen:
                waiting_since, seen = time.monotonic(), self.tally.read
            elif time.monotonic() - waiting_since > self._read_timeout:
                raise SourceError(f"{self.name} stopped: it sends data but no picture; restart the camera.")


def _open_rtsp(address: str, open_timeout: float, read_timeout: float) -> InputContainer:
    """Connect to a camera.

    Raises:
        SourceError: it cannot be reached or refuses; the address is masked.
    """
    begun = time.monotonic()
    kind = SourceError
    try:
        return av.open(
            address,
            options={
                "rtsp_transport": "tcp",
                "allowed_media_types": "video",
                "timeout": str(int(max(open_timeout, read_timeout) * 1e6)),
                # Probing holds frames back, and by as much is the clock's anchor late: measure no frame rate.
                "fpsprobesize": "0",
                "analyzeduration": "2000000",
            },
            # The first limit holds for connecting and then for probing; the second runs twice as well,
            # since FFmpeg hands out the last frame it held back before it admits to the silence.
            timeout=(open_timeout / 2, read_timeout / 2),
            metadata_errors="replace",
        )
    except av.FFmpegError as error:
        late = time.monotonic() - begun >= 0.45 * open_timeout  # FFmpeg's own word for it varies
        problem = _no_answer(open_timeout) if late else _reason(error, open_timeout)
        if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
            kind = LoginRefusedError
    except (OSError, ValueError):
        problem = "the address is not understood; write it as rtsp://user:password@host:554/path"
    # Raised out here, since an exception keeps the one it replaces, and that one quotes the address.
    raise kind(f"{mask_address(address)} cannot be opened: {problem}.")


def _reason(error: av.FFmpegError, limit: float) -> str:
    """What went wrong with a camera and what to do, without the address that ``error`` quotes."""
    match error:
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            return "the camera refuses this user name or password; correct them in the address"
        case av.error.HTTPNotFoundError():
            return "the camera has no such stream; check the path of the address"
        case av.error.ConnectionRefusedError():
            return "nothing answers at this host and port; check both, and that RTSP is switched on"
        case av.error.ExitError() | av.error.TimeoutError():
            return _no_answer(limit)
        case av.error.ConnectionResetError() | av.error.BrokenPipeError():
            return "the camera closed the connection; check that it allows one more viewer"
        case _:
            return "it cannot be found or does not speak RTSP; check host, port and network"


def _no_answer(limit: float) -> str:
    return f"no answer within {limit:g} s; check that the camera is on and its network reachable"
