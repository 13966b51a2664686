"""A recording that is replayed for ever at its own pace, as if it were a live camera."""

import threading
import time
from collections.abc import Generator
from datetime import datetime
from pathlib import Path
from typing import Literal

from vision.sources._decoder import _presented
from vision.sources._start import StartOrigin, start_from_argument
from vision.sources._stream import Stream
from vision.sources._tally import Pace, SourceTally, Timeline
from vision.sources._video import VideoFile
from vision.types import Clock, Frame

LATEST = 1.0
"""Seconds by which a frame may be overdue and still be delivered; a camera does not wait either."""

_LOST = 5.0
"""Seconds overdue from which on the replay leaves time out, as after a suspended computer, to catch up."""


class LoopStream(Stream):
    """A recording as a live camera; it ends only when it is closed, from whatever thread.

    Times are those of the recording from the moment it was opened on; the first frame of a round follows the
    last of the round before by one frame interval. A frame that is overdue by more than ``LATEST`` is left
    out and counted as skipped.
    """

    kind: Literal["loop"] = "loop"
    duration: float | None = None
    expected_frames: int | None = None

    def __init__(
        self,
        path: Path,
        *,
        fps: float | None,
        start: datetime | None,
        tz: str,
        threads: int,
        clock: Clock,
    ) -> None:
        """Open it and decode its first picture; see :func:`vision.sources.open_source`.

        Raises:
            SourceError: it is missing, empty, no video, or nothing in it can be decoded.
        """
        self._path, self._tz, self._threads = path, tz, threads
        self._file = self._open()
        self.name = f"loop:{path}"
        self.size, self.codec = self._file.size, self._file.codec
        self.nominal_fps = self._file.nominal_fps
        self.tally = SourceTally()
        self.start_origin: StartOrigin = "clock" if start is None else "argument"
        self.start = clock.now() if start is None else start_from_argument(start, tz)
        self._begun = time.monotonic()
        self._fps, self._pace = fps, Pace(fps)
        self._closing = threading.Event()
        self._frames = self._run()

    def close(self) -> None:
        """End the replay; a thread that waits for a frame gets no more."""
        self._closing.set()
        try:
            self._frames.close()
        except ValueError:  # another thread is in it, and releases the decoder itself
            return
        self._file.close()

    def choose_rate(self, fps: float | None) -> None:
        """From the next frame on, deliver so many a second; call it from the thread that iterates."""
        if fps != self._fps:
            self._fps, self._pace = fps, Pace(fps)

    def _open(self) -> VideoFile:
        return VideoFile(self._path, fps=None, start=None, tz=self._tz, threads=self._threads)

    def _run(self) -> Generator[Frame]:
        tally, previous, begins = self.tally, 0.0, 0.0  # seconds since it was opened
        try:
            while not self._closing.is_set():
                file = self._file
                interval = file._usual_step
                timeline = Timeline(interval)
                for picture in file._pictures:
                    index = tally.read
                    tally.read += 1
                    placed = timeline.place(_presented(picture, file._stream))
                    if placed is None:
                        tally.out_of_order += 1
                        continue
                    moment = begins + placed
                    step, previous = moment - previous, moment
                    if not self._pace.wants(moment, step):
                        tally.skipped += 1
                        continue
                    late = self._wait(moment)
                    if late is None:
                        return
                    if late > _LOST:
                        tally.jumps += 1
                        tally.gaps.append((self.start + moment, self.start + moment + late))
                        begins, previous, moment = begins + late, moment + late, moment + late
                    elif late > LATEST:
                        tally.skipped += 1
                        continue
                    tally.delivered += 1
                    yield Frame(file._bgr(picture), self.start + moment, index)
                begins = previous + interval
                tally.undecodable += file.tally.undecodable
                tally.damaged += file.tally.damaged
                file.close()
                self._file = self._open()
        finally:
            self._file.close()

    def _wait(self, moment: float) -> float | None:
        """Wait until a frame is due; returns by how many seconds it is late, None once closed."""
        due = self._begun + moment
        if self._closing.wait(max(0.0, due - time.monotonic())):
            return None
        return time.monotonic() - due
