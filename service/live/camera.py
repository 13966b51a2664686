"""One camera of a worker: its reader, its guard, its analysis, its state and its history."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from service.live.analysis import Analysis
from service.live.frames import WaitingFrames, rate_of
from service.live.guard import Guard, Verdict
from service.live.history import History
from service.live.keeping import Following, Keeper
from service.live.messages import CameraReport, Stream
from service.live.pictures import Newest
from service.live.plan import Entry, Reference
from service.live.reader import Address, Choice, Open, Reader
from service.live.state import CameraMachine
from service.live.substream import PROBATION_S
from service.live.tally import Tally
from service.metrics import least_rider_of
from service.storage.outbox import Outbox
from vision import Detector, Frame, Tracks, open_source
from vision.sparing import Sparing

HEALTH_FPS = 2.0
"""Frames a second of a camera of which only the health is watched."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the cameras of a worker share.

    Attributes:
        waiting: frames that wait for analysis.
        detector: gives what finds vehicles for one camera; cameras may share it.
        outbox: where what is measured goes.
        zone: time zone of midnight.
        save: keeps reference pictures.
        fps: frames a second that are wanted.
        sparing: what the network is spared.
        archive: folder in which tracks are kept for a while, and for how many hours; None keeps none.
        usual: how full the zones of a camera's view usually are, where that is known.
        opens: what opens an address.
        now: gives the present.
    """

    waiting: WaitingFrames
    detector: Callable[[], Detector]
    outbox: Outbox
    zone: ZoneInfo
    save: Callable[[Reference], None]
    fps: float = 10.0
    sparing: Sparing | None = None
    archive: tuple[Path, float] | None = None
    usual: Callable[[str, str], list[list[float]] | None] = lambda _camera, _view: None
    opens: Open = open_source
    now: Callable[[], float] = time.time


class LiveCamera:
    """One camera, driven by the thread that analyses.

    Args:
        entry: what is asked of it.
        address: gives the address of each of its streams.
        around: what the worker's cameras share.

    Attributes:
        newest: the newest picture and the vehicles in it, while somebody watches.
        tally: its running counts.
    """

    def __init__(self, entry: Entry, address: Address, around: Around) -> None:
        now = around.now()
        self.entry = entry
        self.tally = Tally(now, around.zone)
        self.newest: Newest | None = None
        self._around = around
        self._machine = CameraMachine(now)
        self._history = History(entry.camera)
        self._guard = Guard(entry, around.save)
        self._analysis: Analysis | None = None
        self._following: Following | None = None
        self._figures = True
        self._last = 0.0
        self._age: float | None = None
        self._analysed: deque[float] = deque(maxlen=200)
        self._size: tuple[int, int] | None = None
        self._address = address
        self._reader = self._read()

    @property
    def counted(self) -> bool:
        """Whether its vehicles are counted, not only its health watched."""
        return self.entry.view is not None

    @property
    def followed(self) -> bool:
        """Whether its vehicles are followed, to be counted or to propose a view from them."""
        return self.counted or (self.entry.follow and self._around.archive is not None)

    @property
    def readers_alive(self) -> bool:
        """Whether the thread that reads it lives."""
        return self._reader.is_alive()

    def change(self, entry: Entry) -> None:
        """Follow the registry: another address is connected to, another view begins a new segment."""
        followed = self.followed
        before, self.entry = self.entry, entry
        if (before.view_sha256, before.site, before.why) != (entry.view_sha256, entry.site, entry.why):
            self._end_analysis()
            self._guard = Guard(entry, self._around.save)
        moved = (before.address, before.substream) != (entry.address, entry.substream)
        if moved or self.followed != followed:
            self.reconnect()

    def reconnect(self) -> None:
        """Read it by a new thread."""
        self._reader.stop()
        self._reader = self._read()

    def choose_rate(self, fps: float) -> None:
        """Analyse so many frames a second, where vehicles are followed."""
        if self.followed:
            self._reader.fps = fps

    @property
    def load(self) -> float:
        """Pixels a second of its main stream, as far as they are known."""
        width, height = self._reader.main_size or (0, 0)
        return width * height * (self._reader.source_fps(self._around.now()) or 0.0)

    def may_read(self, stream: Stream) -> bool:
        """Whether it reads its other stream now, and this one could be read instead."""
        if stream == self._reader.wanted.stream:
            return False
        good = self._machine.now_in.state == "live"
        return stream == "main" or (bool(self.entry.substream) and good and self._reader.may_try)

    def read_by(self, stream: Stream, why: str) -> None:
        """Read it by this stream from now on; where the substream is of no use, it goes back by itself."""
        self._reader.wanted = Choice(stream, why)

    def refer(self, reference: Reference) -> None:
        """Take the picture of its view."""
        if reference.view_sha256 == self.entry.view_sha256:
            self._guard.refer(reference)

    def take(self, frame: Frame, *, recording: bool, watched: bool) -> None:
        """Analyse a frame.

        Args:
            frame: the picture.
            recording: whether the outbox takes anything; if not, nothing is counted, and nothing observed.
            watched: whether somebody watches the picture.
        """
        if frame.time <= self._last:
            return
        self._last = frame.time
        self._size = frame.size
        seen = self._seen
        verdict = self._guard.look(frame.image, frame.time, seen)
        if not verdict.count and self._analysis is not None:
            self._analysis.spoilt(verdict.spoilt_since)
        if self.counted and verdict.count and recording:
            self._analyse(frame, verdict)
        elif self.followed and not self.counted and verdict.count:
            self._follow(frame)
        now = self._around.now()
        self._age = now - frame.time
        self._analysed.append(now)
        tracks = self._seen if verdict.count else Tracks.empty()
        if watched:
            region = self._analysis.region if self._analysis else None
            self.newest = Newest(frame.image, tracks, self.entry.view, self._guard.background, region)
        else:
            self.newest = None

    def tick(self, now: float, *, recording: bool) -> None:
        """Look at the state, and write what became of it."""
        reader, picture = self._reader, self._guard.picture
        self._machine.see(now, reader.link, picture)
        if picture.state != "live" and reader.reads_substream_since(now - PROBATION_S):
            reader.leave_substream(f"its picture is {picture.state}: {picture.reason}")
        if recording and (rows := self._history.rows(self._machine, now, self._detail(now))):
            self._around.outbox.put([("rows", {"table": "camera_health", "rows": rows})])

    def flush(self, now: float) -> None:
        """Record what has gathered."""
        if self._analysis is not None:
            self._analysis.flush(now)

    def close(self) -> None:
        """Stop reading, record the rest, end segment and state. The thread that reads ends by itself."""
        self._reader.stop()
        self._end_analysis()
        self._around.waiting.forget(self.entry.camera)
        now = self._around.now()
        self._machine.stop(now)
        if rows := self._history.last_rows(self._machine, self._detail(now)):
            self._around.outbox.put([("rows", {"table": "camera_health", "rows": rows})])

    def join(self, timeout: float) -> None:
        """Wait for the thread that reads."""
        self._reader.join(max(0.0, timeout))

    def report(self, now: float) -> CameraReport:
        """What is told of it; crossings are added by whoever sends it."""
        current = self._machine.now_in
        width, height = self._size or (None, None)
        note = self._analysis.note if self._analysis else ""
        counted = self.tally.report(now) if self.counted else {}
        return CameraReport.model_validate(
            {
                "camera": self.entry.camera,
                "site": self.entry.site,
                "state": current.state,
                "since": current.start,
                "reason": "; ".join(part for part in (current.reason, note) if part),
                "stream": self._reader.stream,
                "frame_time": self._last or None,
                "age_s": self._age,
                "source_fps": self._reader.source_fps(now),
                "analysed_fps": rate_of(self._analysed, now),
                "received": self._reader.received,
                "dropped": self._around.waiting.dropped(self.entry.camera),
                "width": width,
                "height": height,
                **counted,
            }
        )

    def _analyse(self, frame: Frame, verdict: Verdict) -> None:
        if self._analysis is not None and self._analysis.size != frame.size:
            self._end_analysis()
        if self._analysis is None:
            self._analysis = Analysis(
                self.entry,
                self._around.detector(),
                frame.size,
                self._around.outbox,
                frame.time,
                self._reader.name_shown,
                self.tally,
                self._around.fps,
                self._around.sparing,
                self._around.archive,
                self._around.usual(self.entry.camera, self.entry.view_sha256),
            )
        if self._figures and not verdict.figures:
            self.tally.forget_approaches()
        self._figures = verdict.figures
        self._analysis.add(frame, figures=verdict.figures)

    def _follow(self, frame: Frame) -> None:
        if self._following is not None and self._following.size != frame.size:
            self._end_analysis()
        if self._following is None:
            detector = self._around.detector()
            about = {
                "model": detector.name,
                "model_sha256": getattr(detector, "sha256", ""),
                "least_rider": least_rider_of(detector, frame.size),
            }
            keeper = Keeper(self._around.archive, self.entry.camera, frame.size, about)
            self._following = Following(keeper, detector, frame.size)
        self._following.add(frame)

    @property
    def _seen(self) -> Tracks:
        """Vehicles in the newest frame that was analysed."""
        by = self._analysis or self._following
        return by.tracks if by else Tracks.empty()

    def _end_analysis(self) -> None:
        if self._analysis is not None:
            self._analysis.close(figures=self._figures)
            self._analysis = None
        if self._following is not None:
            self._following.close()
            self._following = None

    def _read(self) -> Reader:
        around = self._around
        fps = around.fps if self.followed else HEALTH_FPS
        reader = Reader(self.entry.camera, self._address, around.waiting, fps, around.opens, around.now)
        reader.start()
        return reader

    def _detail(self, now: float) -> dict[str, Any]:
        """What the next start needs to share cameras out evenly."""
        if (size := self._reader.main_size or self._size) is None:
            return {}
        fps = self._reader.source_fps(now)
        return {"width": size[0], "height": size[1], "fps": round(fps, 1) if fps else None}
