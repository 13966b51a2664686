"""Where frames come from: video files, folders of images, cameras and replays behind one function."""

import re
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self

from vision.errors import SourceError
from vision.sources._address import mask_address
from vision.sources._clip import Clip, VideoClip, open_clip
from vision.sources._images import ImageFolder
from vision.sources._loop import LoopStream
from vision.sources._rtsp import LoginRefusedError, RtspStream, SystemClock
from vision.sources._start import StartOrigin, start_from_name
from vision.sources._tally import SourceTally
from vision.sources._video import VideoFile
from vision.types import Clock, FrameSource

__all__ = [
    "Clip",
    "ImageFolder",
    "LoginRefusedError",
    "LoopStream",
    "OpenedSource",
    "RtspStream",
    "SourceTally",
    "StartOrigin",
    "SystemClock",
    "VideoClip",
    "VideoFile",
    "mask_address",
    "open_clip",
    "open_source",
    "start_from_name",
]


class OpenedSource(FrameSource, Protocol):
    """What :func:`open_source` returns: a ``FrameSource`` that also says what it is and how reading went.

    It is read once, from its first frame to its last; a second loop goes on where the first stopped.
    """

    @property
    def kind(self) -> str:
        """``video``, ``images``, ``rtsp`` or ``loop``."""
        ...

    @property
    def name(self) -> str:
        """The file, folder or (masked) address, as shown to people."""
        ...

    @property
    def start(self) -> float:
        """Moment of the first frame, seconds since the Unix epoch, UTC."""
        ...

    @property
    def start_origin(self) -> StartOrigin:
        """How the start is known."""
        ...

    @property
    def nominal_fps(self) -> float | None:
        """Frames per second that the source claims, None when it does not say."""
        ...

    @property
    def duration(self) -> float | None:
        """Length in seconds that the source claims, None for a live stream."""
        ...

    @property
    def expected_frames(self) -> int | None:
        """Estimate of how many frames will be delivered, for a progress bar; None for a live stream."""
        ...

    @property
    def codec(self) -> str | None:
        """Name of the video codec (``h264``); the file type for images."""
        ...

    @property
    def tally(self) -> SourceTally:
        """Counts of what was read, delivered and lost so far."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...


def open_source(
    address: str | Path,
    *,
    fps: float | None = None,
    start: datetime | None = None,
    tz: str = "Asia/Ho_Chi_Minh",
    threads: int = 0,
    open_timeout: float = 10.0,
    read_timeout: float = 10.0,
    clock: Clock | None = None,
) -> OpenedSource:
    """Open a video file, a folder of images or an ``rtsp(s)://`` camera and decode its first picture.

    Args:
        address: path of a file or folder, an RTSP address (played over TCP), or ``loop:/path/clip.mp4``: a
            recording replayed for ever at its own pace, as a live camera.
        fps: frames to analyse per second, chosen by presentation time; None takes all. For a folder of
            images, which has no times of its own, the rate at which they were taken (None: 1 per second).
        start: moment of the first frame; without a time zone it is local time in ``tz``. None: taken from
            the file name, the container or the file's time, in this order; live from ``clock``.
        tz: time zone of clock times in file names.
        threads: decoder threads; 0 is every core for a file and one for a live stream.
        open_timeout: seconds allowed for connecting to an RTSP camera and describing its stream.
        read_timeout: seconds an RTSP camera may stay without a frame.
        clock: anchors live frames; None is the system's clock.

    Raises:
        SourceError: it cannot be opened or holds no readable picture; while iterating, an image cannot be
            read or a camera falls silent. The message is one sentence, with secrets masked.
    """
    if fps is not None and not 0 < fps <= 1000:
        raise SourceError(f"Frames per second must lie between 0 and 1000, not {fps:g}.")
    text = str(address)
    if text.lstrip().startswith("loop:"):
        recording = Path(text.strip().removeprefix("loop:"))
        clock = clock or SystemClock()
        return LoopStream(recording, fps=fps, start=start, tz=tz, threads=threads or 1, clock=clock)
    scheme = re.match(r"\s*([A-Za-z][A-Za-z0-9+.-]*):/", text)  # Path() turns :// into :/
    if scheme and not Path(text).exists():
        if scheme[1].lower() not in ("rtsp", "rtsps") or not re.match(r"\w+://\S+$", text.strip()):
            shown = "The address" if re.search(r"\s", text.strip()) else mask_address(text)
            raise SourceError(
                f"{shown} cannot be opened: give a video file, a folder of images or an address of the "
                "form rtsp://user:password@host:554/path, with spaces written as %20."
            )
        return RtspStream(
            text.strip(),
            fps=fps,
            start=start,
            tz=tz,
            threads=threads or 1,
            open_timeout=open_timeout,
            read_timeout=read_timeout,
            clock=clock or SystemClock(),
        )
    path = Path(address)
    if path.is_dir():
        return ImageFolder(path, fps=fps or 1.0, start=start, tz=tz)
    return VideoFile(path, fps=fps, start=start, tz=tz, threads=threads)
