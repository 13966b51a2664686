"""Counting one source from its first frame to its last, and the files that come of it."""

import hashlib
import math
import platform
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from service.annotated import AnnotatedVideo
from service.figures import Figures
from service.metrics import LightWatch, ground_of, least_rider_of, too_far_to_see, waited_on
from service.outputs import (
    clock_bins,
    observed_spans,
    utc,
    write_counts,
    write_crossings,
    write_json,
)
from vision import (
    Crossing,
    Detector,
    Frame,
    GateCounter,
    NgatuError,
    Pipeline,
    SourceError,
    TrackFile,
    TrackWriter,
    View,
    ViewError,
    load_view,
    open_source,
    save_view,
)
from vision.density import ApproachInterval
from vision.density.records import Light
from vision.detection import OnnxDetector, TiledDetector
from vision.detection.grades import AUTO, AskedProvider, choose_grade
from vision.detection.openvino_session import is_installed
from vision.health import BackgroundMaker
from vision.overlay import draw_view
from vision.sources import OpenedSource

Progress = Callable[[int, int | None], None]
"""Told the number of frames done, and of all if it is known."""


@dataclass(frozen=True, slots=True)
class CountOptions:
    """What ``ngatu count`` was asked to do.

    Attributes:
        source: file, folder of images or RTSP address.
        out: folder for the results.
        view: a view's YAML file; None proposes one.
        model: name of a detector, or ``auto`` for the quicker of our two grades.
        annotate: whether to write an annotated video.
        fps: frames analysed per second; None takes all.
        start: moment of the first frame, if known better than the file knows.
        tz: time zone of clock times in file names and of the bins.
        interval: length of the bins in counts.csv, seconds.
        duration: seconds of video after which to stop; None goes to the end.
        tiles: (columns, rows) of tiles that are looked at besides the whole picture; None for none.
        provider: what runs the network.
        threads: threads of the network; 0 takes every core.
    """

    source: str
    out: Path
    view: Path | None = None
    model: str = AUTO
    annotate: bool = False
    fps: float | None = None
    start: datetime | None = None
    tz: str = "Asia/Ho_Chi_Minh"
    interval: float = 900.0
    duration: float | None = None
    tiles: tuple[int, int] | None = None
    provider: AskedProvider = AUTO
    threads: int = 0


@dataclass(slots=True)
class CountResult:
    """What came of it.

    Attributes:
        view: what was counted with; None where none was given and nothing moved to propose one.
        crossings: what was counted.
        records: the intervals of its approaches, where the view has zones.
        spans: stretches of time that were seen, seconds since the epoch.
        lights: (time, light) of each look at the light, in order.
        summary: the content of summary.json.
        stopped: whether Ctrl-C or SIGTERM ended it.
        notes: what the user should know.
        failure: why it ended before its end, or without a view; what was counted until then is written.
    """

    view: View | None
    crossings: list[Crossing] = field(default_factory=list)
    records: list[ApproachInterval] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)
    lights: list[tuple[float, Light]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    stopped: bool = False
    notes: list[str] = field(default_factory=list)
    failure: NgatuError | None = None


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Turns the first Ctrl-C or SIGTERM into a polite request to stop; the second works as usual."""
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        for each, handler in before.items():
            signal.signal(each, handler)

    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each in before:
        signal.signal(each, ask)
    try:
        yield lambda: asked
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def count_source(options: CountOptions, progress: Progress | None = None) -> CountResult:
    """Count one source and write crossings.csv, counts.csv, tracks.parquet, summary.json and the rest.

    A view gives incidents.csv too, and one with approach zones metrics.csv: density, speed, queue.

    A source that fails on the way (a camera falls silent) is the result's ``failure``, not raised.

    Raises:
        NgatuError: the source, the model, the view or the output folder is not usable.
    """
    view = load_view(options.view) if options.view else None
    detector, why = _detector(options)
    with open_source(options.source, fps=options.fps, start=options.start, tz=options.tz) as source:
        if options.annotate and view is None and source.kind == "rtsp":
            raise NgatuError(
                "--annotate on a live stream needs --view: what has passed cannot be drawn afterwards"
            )
        run = _Run(options, source, view, detector, why)
        make_folder(options.out)
        run.watch(progress)
        run.write()
    return run.result


class _Run:
    """One count of a source: looked at from its first frame to its last, then written."""

    def __init__(
        self,
        options: CountOptions,
        source: OpenedSource,
        view: View | None,
        detector: Detector,
        notes: list[str],
    ) -> None:
        ground = ground_of(view, options.view)
        self._options, self._source, self._view, self._detector = options, source, view, detector
        self._least_rider = least_rider_of(detector, source.size)
        self._figures = Figures(view, source.size, options.interval, ground, self._least_rider)
        self._lights = LightWatch()
        self._pipeline = Pipeline(detector, source.size, view)
        # The street without its vehicles, for a proposed view to be drawn on.
        self._background = BackgroundMaker(width=None, least=1, seconds=0.0, memory=math.inf)
        self._began = time.perf_counter()
        self._first = self._last = source.start
        self.result = CountResult(view, notes=notes + too_far_to_see(view, ground, detector, source.size))

    def watch(self, progress: Progress | None) -> None:
        """Look at every frame, or until asked to stop; tracks and annotated video are written meanwhile."""
        options, source, result = self._options, self._source, self.result
        about = {
            "source": source.name,
            "model": self._detector.name,
            "start": source.start,
            "time_zone": options.tz,
        }
        with (
            stop_on_signal() as stopping,
            TrackWriter(options.out / "tracks.parquet", source.size, about) as tracks,
            _annotated(options, source, self._view if options.annotate else None) as annotated,
        ):
            try:
                for done, frame in enumerate(source, 1):
                    self._look(frame, tracks, annotated)
                    if done == 1:
                        self._first = self._last
                    if progress:
                        progress(done, source.expected_frames)
                    result.stopped = stopping()
                    if result.stopped or (options.duration and self._last - self._first >= options.duration):
                        break
            except SourceError as error:
                result.failure = error
            result.lights = self._lights.seen
            tracks.about |= {
                "gaps": source.tally.gaps,
                "lights": result.lights,
                "least_rider": self._least_rider,
            }
            self._finish()

    def _look(self, frame: Frame, tracks: TrackWriter, annotated: AnnotatedVideo) -> None:
        step = self._pipeline.step(frame)
        self._last = step.time
        tracks.append(frame.index, step.time, step.tracks)
        self.result.crossings += step.crossings
        self._figures.add(step.time, step.tracks, step.crossings, self._lights.look(frame, step.time))
        if self._view is None:
            self._background.add(frame.image, frame.time)
        annotated.write(frame, step.time, step.tracks, step.crossings)

    def _finish(self) -> None:
        """Count what is still under way; without a view one is proposed here."""
        result = self.result
        try:
            late = self._pipeline.finish()
            result.crossings += late
            self._figures.finish(late)
        except ViewError as error:
            if result.stopped:
                result.notes.append(str(error))
            else:
                result.failure = result.failure or error
        result.view = self._pipeline.view
        result.notes += waited_on(self._pipeline.lingered(), result.crossings)

    def write(self) -> None:
        """Write all but the tracks."""
        options, source, result = self._options, self._source, self.result
        elapsed = time.perf_counter() - self._began
        result.spans = observed_spans(self._first, self._last, source.tally.gaps)
        write_results(options.out, result, clock_bins(result.spans, options.interval, options.tz))
        self._figures.write(options.out, result.spans, options.tz)
        result.records = self._figures.metrics.records
        view_file = options.view or self._proposed()
        if options.annotate and self._view is None:
            if result.view and not result.stopped:
                result.stopped = _annotate_again(options, result.view)
            if result.stopped or not result.view:
                result.notes.append("annotated.mp4 is not complete: it is drawn once counting is through")
        result.summary = _summary(
            options, source, self._detector, result, view_file, elapsed, self._first, self._last
        )
        write_json(options.out / "summary.json", result.summary)

    def _proposed(self) -> Path | None:
        """The file of the view that was proposed, if one could be, with its picture beside it."""
        view = self.result.view
        if view is None:
            return None
        file = _save_proposal(self._options.out, view, self._background.picture(), self._source.name)
        picture = file.with_suffix(".png").name
        self.result.notes.append(f"no --view was given: proposed one, see {file} and {picture} beside it")
        return file


def _detector(options: CountOptions) -> tuple[Detector, list[str]]:
    """The detector asked for, and a note where it was chosen here."""
    choice = choose_grade(options.model, options.provider, options.threads)
    why = [f"detector: {choice}"] if options.model.startswith(AUTO) or choice.milliseconds else []
    detector = choice.load(options.threads)
    if options.tiles is None:
        return detector, why
    if not isinstance(detector, OnnxDetector):
        raise NgatuError("--tiles looks closer with a network; the motion detector needs none: leave it out")
    return TiledDetector(detector, *options.tiles), why


def make_folder(out: Path) -> None:
    """Make the folder for results.

    Raises:
        NgatuError: it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NgatuError(f"cannot make the folder {out}: {error.strerror}; choose another --out") from None


def file_sha256(path: Path) -> str:
    """Checksum of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _annotated(options: CountOptions, source: OpenedSource, view: View | None) -> AnnotatedVideo:
    fps = options.fps or source.nominal_fps or 25.0
    return AnnotatedVideo(options.out / "annotated.mp4", source.size, view, fps, options.tz)


def _annotate_again(options: CountOptions, view: View) -> bool:
    """Draw the video in a second pass, for a view only known after the first; True if it was stopped."""
    stored = TrackFile(options.out / "tracks.parquet")
    counter = GateCounter(view, stored.size)
    source = open_source(options.source, fps=options.fps, start=options.start, tz=options.tz)
    with source, _annotated(options, source, view) as annotated, stop_on_signal() as stopping:
        for frame, (_, moment, tracks) in zip(source, stored, strict=False):
            annotated.write(frame, moment, tracks, counter.update(moment, tracks))
            if stopping():
                return True
    return False


def _save_proposal(out: Path, view: View, background: NDArray[np.uint8] | None, name: str) -> Path:
    """Save a proposed view and its picture; a view that is there already may have been edited and stays.

    Returns:
        The view's file.
    """
    heading = f"Proposed from what moves in {Path(name).name}. Edit it, then: ngatu recount TRACKS VIEW"
    path, number = out / "view.yaml", 1
    while path.exists() and not _holds(path, view):
        number += 1
        path = out / f"view-{number}.yaml"
    save_view(view, path, heading)
    if background is not None:
        cv2.imwrite(str(path.with_suffix(".png")), draw_view(background, view))
    return path


def _holds(path: Path, view: View) -> bool:
    try:
        return load_view(path) == view
    except ViewError:
        return False


def write_results(out: Path, result: CountResult, bins: list[tuple[float, float, float]]) -> None:
    """Write crossings.csv, and counts.csv where there is a view."""
    write_crossings(out / "crossings.csv", result.crossings)
    if result.view:
        write_counts(out / "counts.csv", result.crossings, result.view, bins)


def _summary(
    options: CountOptions,
    source: OpenedSource,
    detector: Any,
    result: CountResult,
    view_file: Path | None,
    elapsed: float,
    first: float,
    last: float,
) -> dict[str, Any]:
    tally = asdict(source.tally)
    tally["gaps"] = [[utc(begin), utc(end)] for begin, end in source.tally.gaps]
    path = Path(options.source)
    frames = source.tally.delivered
    return {
        "source": source.name,
        "source_sha256": file_sha256(path) if path.is_file() else None,
        "kind": source.kind,
        "codec": source.codec,
        "size": source.size,
        "start": utc(first),
        "start_epoch": first,
        "end": utc(last),
        "start_from": source.start_origin,
        "time_zone": options.tz,
        "model": detector.name,
        "model_sha256": getattr(detector, "sha256", None),
        "provider": getattr(detector, "provider", None),
        "view": _about_view(view_file, result.view),
        "crossings": len(result.crossings),
        "frames": tally,
        "stopped_early": result.stopped,
        "error": str(result.failure) if result.failure else None,
        "elapsed_s": round(elapsed, 3),
        "frames_per_s": round(frames / elapsed, 2) if elapsed else None,
        "versions": versions(),
    }


def _about_view(file: Path | None, view: View | None) -> dict[str, Any] | None:
    if view is None:
        return None
    return {"file": str(file), "version": view.version, "name": view.name, "proposed": view.proposed}


def versions() -> dict[str, str]:
    """What a count was made with, for its summary."""
    names = ["ngatu", "numpy", "onnxruntime", "opencv-python-headless", "av"]
    names += ["openvino"] if is_installed() else []
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
