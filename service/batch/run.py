"""A batch from its folder to its report: plan, detect what is missing, count what is complete."""

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from service.batch.detect import ChunkResult, ChunkTask, DetectorChoice, detect_chunk, detection_settings
from service.batch.executors import Executor, LocalExecutor, Lost, local_cores
from service.batch.find import Found, Placed
from service.batch.inspect import CHUNK_S, InspectTask, Plan, inspect_recording
from service.batch.progress import Progress
from service.batch.streams import Part, Stream, make_streams
from service.batch.track import TrackPart, TrackResult, TrackTask, track_stream
from service.batch.work import WorkFolder, save
from service.storage.connect import open_database, reading
from service.storage.ids import content_sha256
from service.storage.messages import SegmentInfo, seconds_to_us
from service.storage.tables import Segment


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What decides a batch besides its recordings.

    Attributes:
        db: URL of the database.
        detector: what finds the vehicles.
        fps: frames to analyse per second; None takes all.
        tz: time zone in which a day begins.
        chunk: seconds of a recording that are detected in one go.
        again: analyse also what is in the database already.
        forget: remove what was detected once it is counted.
    """

    db: str | None
    detector: DetectorChoice
    fps: float | None = None
    tz: str = "Asia/Ho_Chi_Minh"
    chunk: float = CHUNK_S
    again: bool = False
    forget: bool = False


@dataclass(slots=True)
class BatchReport:
    """What came of a batch.

    Attributes:
        recordings: how many were placed.
        skipped: of these, how many were in the database already.
        counted: how many were counted now.
        frames: frames detected now.
        crossings: crossings counted now.
        failures: (what, why) of all that failed.
        stopped: whether it was asked to stop before its end.
        seconds: how long it took.
    """

    recordings: int = 0
    skipped: int = 0
    counted: int = 0
    frames: int = 0
    crossings: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    stopped: bool = False
    seconds: float = 0.0


class Batch:
    """Runs a batch; see :func:`run_batch`."""

    def __init__(
        self,
        options: BatchOptions,
        work: WorkFolder,
        executor: Executor,
        progress: Progress,
        stopping: Callable[[], bool],
        counters: LocalExecutor | None,
    ) -> None:
        self.report = BatchReport()
        self._options = options
        self._work = work
        self._executor = executor
        self._progress = progress
        self._stopping = stopping
        self._settings = detection_settings(options.detector, options.fps)
        # Counting takes a tenth of what detection takes, and in order.
        self._counters = counters or LocalExecutor(max(1, min(executor.workers, local_cores()) // 4))
        self._counting: dict[Future[TrackResult], tuple[Stream, int]] = {}
        self._broken: dict[Path, str] = {}
        self._whole: dict[Path, Plan] = {}

    def run(self, found: Found) -> BatchReport:
        """Do it all."""
        began = time.monotonic()
        self.report.recordings = len(found.placed)
        try:
            streams = self._unfinished(make_streams(self._plans(found.placed), self._options.tz))
            if not self._stopping():
                self._detect_and_count(streams)
        finally:
            self.report.stopped = self._stopping()
            if self.report.stopped:
                self._counters.abandon()  # what they had is counted again, and written once
            self._counters.close()
            self.report.seconds = time.monotonic() - began
        return self.report

    def _plans(self, recordings: tuple[Placed, ...]) -> list[tuple[Placed, Plan]]:
        """The plan of each recording that can be read."""
        self._progress.doing = "looking recordings over"
        plans: dict[Path, Plan] = {}
        options = self._options

        def unknown() -> Iterator[InspectTask]:
            for placed in recordings:
                kept = self._work.load_plan(placed.path, self._plan_key(placed.path))
                if kept is not None:
                    plans[placed.path] = Plan.from_dict(kept)
                elif self._stopping():
                    return
                else:
                    yield InspectTask(placed.path, options.fps, options.chunk, options.detector.learns)

        for task, plan in self._executor.map_unordered(inspect_recording, unknown()):
            if isinstance(plan, Plan):
                plans[task.path] = plan
                self._work.save_plan(task.path, self._plan_key(task.path), plan.to_dict())
            else:
                self._fail(task.path, plan.reason if isinstance(plan, Lost) else plan)
        return [(placed, plans[placed.path]) for placed in recordings if placed.path in plans]

    def _plan_key(self, path: Path) -> dict[str, Any]:
        try:
            about = path.stat()
            changed = [about.st_size, about.st_mtime_ns]
        except OSError:
            changed = []
        chunk = [self._options.chunk, self._options.detector.learns]
        return {"file": changed, "fps": self._options.fps, "chunk": chunk, "av": version("av")}

    def _unfinished(self, streams: list[Stream]) -> list[Stream]:
        """The streams that are not in the database yet."""
        done = set() if self._options.again else self._done(streams)
        left = []
        for stream in streams:
            progress = self._progress.of(stream.camera)
            if self._key(self._segment(stream)) in done:
                self.report.skipped += len(stream.parts)
                continue
            left.append(stream)
            progress.recordings += len(stream.parts)
            progress.streams += 1
            progress.frames += sum(part.plan.frames for part in stream.parts)
        return left

    def _done(self, streams: list[Stream]) -> set[tuple[Any, ...]]:
        if not streams:
            return set()
        engine: Engine = open_database(self._options.db)
        columns = (Segment.camera_id, Segment.source_sha256, Segment.model_sha256, Segment.view_sha256)
        query = select(*columns, Segment.model, Segment.settings, Segment.started_at)
        found: set[tuple[Any, ...]] = set()
        try:
            with reading(engine) as connection:
                for camera in {stream.camera for stream in streams}:
                    rows = connection.execute(
                        query.where(Segment.camera_id == camera, Segment.ended_at.is_not(None))
                    )
                    for row in rows:
                        at = seconds_to_us(row.started_at.timestamp())
                        model = row.model_sha256 or row.model
                        asked = _asked(row.settings)
                        found.add((camera, at, row.source_sha256, model, row.view_sha256, *asked))
        finally:
            engine.dispose()
        return found

    def _key(self, segment: SegmentInfo) -> tuple[Any, ...]:
        """What makes an analysis the same one, whatever version of ngatu did it."""
        at = seconds_to_us(segment.started_at)
        model = segment.model_sha256 or segment.model
        asked = _asked(segment.settings)
        return (segment.camera, at, segment.source_sha256, model, segment.view_sha256, *asked)

    def _segment(self, stream: Stream) -> SegmentInfo:
        detector, view = self._options.detector, stream.view
        names = [part.placed.path.name for part in stream.parts]
        versions = {name: version(name) for name in ("ngatu", "numpy", "scipy")}
        tiles = list(detector.tiles) if detector.tiles else None  # as JSON gives it back
        return SegmentInfo(
            camera=stream.camera,
            site=stream.site,
            kind="recording",
            started_at=stream.parts[0].start,
            source=names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)})",
            source_sha256=stream.content,
            model=detector.name,
            model_sha256=detector.sha256,
            view_version=view.version,
            view_sha256=content_sha256(view.model_dump(mode="json", by_alias=True)),
            settings={
                "fps": self._options.fps,
                "tiles": tiles,
                "card": detector.card,
                "versions": {**versions, **self._settings["libraries"]},
            },
        )

    def _detect_and_count(self, streams: list[Stream]) -> None:
        self._progress.doing = "detecting and counting"
        missing: dict[int, int] = {}  # of each stream: stretches that are still to be detected
        where: dict[Path, int] = {
            part.placed.path: number for number, stream in enumerate(streams) for part in stream.parts
        }
        damaged: deque[ChunkTask] = deque()

        def settle(number: int) -> None:
            missing[number] -= 1
            if missing[number] == 0:
                self._count(streams[number])

        def tasks() -> Iterator[ChunkTask]:
            for number, stream in enumerate(streams):
                wanted = []
                for part in stream.parts:
                    for task in self._tasks(part):
                        if task.target.exists():
                            frames = len(task.chunk.numbers) or part.plan.frames
                            self._progress.of(stream.camera).ready += frames
                        else:
                            wanted.append(task)
                missing[number] = len(wanted)
                if not wanted:
                    self._count(stream)
                for task in wanted:
                    if self._stopping():
                        return
                    if task.path not in self._whole and task.path not in self._broken:
                        yield task
                    else:
                        settle(number)

        upcoming: Iterator[ChunkTask] = tasks()
        while True:
            for task, result in self._executor.map_unordered(detect_chunk, upcoming):
                number = where[task.path]
                if again := self._take(task, result, streams[number].camera):
                    damaged.append(again)
                else:
                    settle(number)
                self._collect()
            if not damaged or self._stopping():
                break
            upcoming, damaged = iter(list(damaged)), deque()
        while self._counting and not self._stopping():
            self._collect(wait=True)

    def _tasks(self, part: Part) -> list[ChunkTask]:
        placed = part.placed
        plan = self._whole.get(placed.path, part.plan)
        return [
            ChunkTask(
                path=placed.path,
                size_bytes=placed.path.stat().st_size if placed.path.exists() else -1,
                chunk=chunk,
                fps=self._options.fps,
                detector=self._options.detector,
                target=self._work.detections(plan.sha256, self._settings, chunk.first, chunk.last),
            )
            for chunk in plan.parts()
        ]

    def _take(self, task: ChunkTask, result: ChunkResult | Lost, camera: str) -> ChunkTask | None:
        """Keep what a stretch gave; a recording that proves damaged is to be detected again as a whole."""
        if isinstance(result, Lost):
            self._fail(task.path, result.reason, camera)
        elif result.failure:
            self._fail(task.path, result.failure, camera)
        elif result.damaged:
            return self._read_whole(task)
        elif task.path not in self._whole or not task.chunk.numbers:
            save(task.target, result.content)
            self.report.frames += result.frames
            self._progress.add(camera, result.frames)
        return None

    def _read_whole(self, task: ChunkTask) -> ChunkTask | None:
        if task.path in self._whole:
            return None
        kept = self._work.load_plan(task.path, self._plan_key(task.path))
        if kept is None:
            self._fail(task.path, f"{task.path} has changed meanwhile: run the batch again")
            return None
        plan = replace(Plan.from_dict(kept), chunks=(), gaps=(), stride=(), looks=(), whole="damaged")
        self._whole[task.path] = plan
        self._work.save_plan(task.path, self._plan_key(task.path), plan.to_dict())
        chunk = plan.parts()[0]
        target = self._work.detections(plan.sha256, self._settings, chunk.first, chunk.last)
        return replace(task, chunk=chunk, target=target)

    def _count(self, stream: Stream) -> None:
        """Begin to count a stream of which all is detected; what is broken in it parts it."""
        parts = [part for part in stream.parts if part.placed.path not in self._broken]
        if len(parts) < len(stream.parts):
            for rest in make_streams([(part.placed, part.plan) for part in parts], self._options.tz):
                self._progress.of(stream.camera).streams += 1
                self._begin_counting(rest)
            self._progress.of(stream.camera).streams -= 1
        else:
            self._begin_counting(stream)

    def _begin_counting(self, stream: Stream, tries: int = 2) -> None:
        segment = self._segment(stream)
        parts = []
        for part in stream.parts:
            plan = self._whole.get(part.placed.path, part.plan)
            files = tuple(task.target for task in self._tasks(part))
            parts.append(TrackPart(part.placed.path, part.start, files, plan.gaps))
        task = TrackTask(
            segment=segment,
            parts=tuple(parts),
            size=stream.parts[0].plan.size,
            view=stream.view,
            thresholds=self._options.detector.thresholds,
            least_rider=self._options.detector.least_rider(stream.parts[0].plan.size),
            outbox=self._work.outbox(segment.id.hex),
            db=self._options.db,
        )
        self._counting[self._counters.submit(track_stream, task)] = (stream, tries)

    def _collect(self, *, wait: bool = False) -> None:
        """Take what was counted meanwhile."""
        for future in list(self._counting):
            if wait and not self._stopping():
                try:
                    future.exception(timeout=0.2)
                except TimeoutError:
                    continue
            if not future.done():
                continue
            stream, tries = self._counting.pop(future)
            try:
                result = future.result()
            except BrokenProcessPool:
                if tries > 1:
                    self._begin_counting(stream, tries - 1)
                    continue
                result = TrackResult(failure="the process that counted it died twice: too little memory?")
            progress = self._progress.of(stream.camera)
            if result.failure:
                progress.failures += 1
                names = [part.placed.path.name for part in (stream.parts[0], stream.parts[-1])]
                told = names[0] if len(stream.parts) == 1 else " … ".join(names)
                self.report.failures.append((told, result.failure))
                continue
            progress.counted += 1
            progress.crossings += result.crossings
            self.report.counted += len(stream.parts)
            self.report.crossings += result.crossings
            if self._options.forget:
                for part in stream.parts:
                    kept = self._work.detections_of(part.plan.sha256, self._settings)
                    shutil.rmtree(kept, ignore_errors=True)

    def _fail(self, path: Path, reason: str, camera: str | None = None) -> None:
        if path not in self._broken:
            self._broken[path] = reason
            self.report.failures.append((path.name, reason))
            if camera:
                self._progress.of(camera).failures += 1


def _asked(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """What of a segment's settings decides the result, whatever version of ngatu made it."""
    return tuple(str(settings.get(name)) for name in ("fps", "tiles", "card"))


def run_batch(
    found: Found,
    options: BatchOptions,
    work: WorkFolder,
    executor: Executor,
    progress: Progress | None = None,
    stopping: Callable[[], bool] = lambda: False,
    counters: LocalExecutor | None = None,
) -> BatchReport:
    """Analyse recordings: detect what is missing, then count each stream in order, into the database.

    Killed at any moment and run again, it goes on where it was; the rows are the same as without. What is in
    the database already is skipped. A recording or a stream that fails is in the report and stops no other.

    Args:
        found: the recordings.
        options: what decides the result.
        work: keeps what is done.
        executor: where stretches are detected.
        progress: is told how far it is.
        stopping: says whether to stop; what is being detected then is finished and kept.
        counters: where streams are counted, on this machine; closed at the end. None takes a few processes.

    Raises:
        NgatuError: the database cannot be used, or the work folder cannot be written to.
    """
    return Batch(options, work, executor, progress or Progress(), stopping, counters).run(found)
