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
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

from service.incident_output import IncidentLog
from service.metrics import LightWatch, Metrics, ground_of, least_rider_of, too_far_to_see, waited_on
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
    Tracks,
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
from vision.overlay import Overlay, draw_view
from vision.sources import OpenedSource
from vision.video_writer import VideoWriter

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
        ground = ground_of(view, options.view)
        least_rider = least_rider_of(detector, source.size)
        metrics, lights = Metrics(view, source.size, options.interval, ground, least_rider), LightWatch()
        incidents = IncidentLog(view, source.size, ground)
        make_folder(options.out)
        pipeline = Pipeline(detector, source.size, view)
        result = CountResult(view, notes=why + too_far_to_see(view, ground, detector, source.size))
        began = time.perf_counter()
        # The street without its vehicles, for a proposed view to be drawn on.
        background = BackgroundMaker(width=None, least=1, seconds=0.0, memory=math.inf)
        first = last = source.start
        about = {
            "source": source.name,
            "model": detector.name,
            "start": source.start,
            "time_zone": options.tz,
        }
        inline = options.annotate and view is not None
        with (
            stop_on_signal() as stopping,
            TrackWriter(options.out / "tracks.parquet", source.size, about) as tracks,
            _Annotated(options, source, view if inline else None) as annotated,
        ):
            try:
                for done, frame in enumerate(source, 1):
                    step = pipeline.step(frame)
                    tracks.append(frame.index, step.time, step.tracks)
                    result.crossings += step.crossings
                    closed = metrics.add(
                        step.time, step.tracks, step.crossings, lights.look(frame, step.time)
                    )
                    incidents.add(step.time, step.tracks, step.crossings, closed)
                    if view is None:
                        background.add(frame.image, frame.time)
                    annotated.write(frame, step.time, step.tracks, step.crossings)
                    first, last = (step.time if done == 1 else first), step.time
                    if progress:
                        progress(done, source.expected_frames)
                    result.stopped = stopping()
                    if result.stopped or (options.duration and last - first >= options.duration):
                        break
            except SourceError as error:
                result.failure = error
            tracks.about |= {"gaps": source.tally.gaps, "lights": lights.seen, "least_rider": least_rider}
            result.lights = lights.seen
            try:
                late = pipeline.finish()
                result.crossings += late
                incidents.finish(late, metrics.finish(late))
            except ViewError as error:
                if result.stopped:
                    result.notes.append(str(error))
                else:
                    result.failure = result.failure or error
        result.view = pipeline.view
        result.notes += waited_on(pipeline.lingered(), result.crossings)
        elapsed = time.perf_counter() - began
        spans = observed_spans(first, last, source.tally.gaps)
        _write_results(options.out, result, clock_bins(spans, options.interval, options.tz))
        metrics.write(options.out / "metrics.csv", spans, options.tz)
        incidents.write(options.out / "incidents.csv")
        result.records, result.spans = metrics.records, spans
        view_file = options.view
        if view is None and result.view:
            view_file = _save_proposal(options.out, result.view, background.picture(), source.name)
            picture = view_file.with_suffix(".png").name
            result.notes.append(f"no --view was given: proposed one, see {view_file} and {picture} beside it")
        if options.annotate and not inline:
            if result.view and not result.stopped:
                result.stopped = _annotate_again(options, result.view)
            if result.stopped or not result.view:
                result.notes.append("annotated.mp4 is not complete: it is drawn once counting is through")
        result.summary = _summary(options, source, detector, result, view_file, elapsed, first, last)
        write_json(options.out / "summary.json", result.summary)
    return result


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


def recount(tracks: Path, view_path: Path, out: Path, interval: float, tz: str | None = None) -> CountResult:
    """Apply a view to stored tracks: what a full run with that view would have counted.

    Args:
        tracks: tracks.parquet of an earlier count.
        view_path: the view's YAML file.
        out: folder for the results.
        interval: length of the bins in counts.csv, seconds.
        tz: time zone of the bins; None takes that of the earlier count.

    Raises:
        NgatuError: the tracks, the view or the output folder is not usable.
    """
    stored, view = TrackFile(tracks), load_view(view_path)
    ground = ground_of(view, view_path)
    metrics = Metrics(view, stored.size, interval, ground, stored.about.get("least_rider"))
    incidents = IncidentLog(view, stored.size, ground)
    make_folder(out)
    counter = GateCounter(view, stored.size)
    result = CountResult(view)
    lights = dict(stored.about.get("lights", []))
    times = []
    for _, moment, seen in stored:
        crossings = counter.update(moment, seen)
        result.crossings += crossings
        closed = metrics.add(moment, seen, crossings, lights.get(moment))
        incidents.add(moment, seen, crossings, closed)
        times.append(moment)
    late = counter.finish()
    result.crossings += late
    result.notes += waited_on(counter.lingered(), result.crossings)
    incidents.finish(late, metrics.finish(late))
    gaps = [tuple(gap) for gap in stored.about.get("gaps", [])]
    spans = observed_spans(times[0], times[-1], gaps) if times else []
    tz = tz or stored.about.get("time_zone", "Asia/Ho_Chi_Minh")
    _write_results(out, result, clock_bins(spans, interval, tz))
    metrics.write(out / "metrics.csv", spans, tz)
    incidents.write(out / "incidents.csv")
    result.summary = {
        "tracks": str(tracks),
        "tracks_sha256": file_sha256(tracks),
        "about_tracks": stored.about,
        "view": {"file": str(view_path), "version": view.version, "name": view.name},
        "start": utc(times[0]) if times else None,
        "end": utc(times[-1]) if times else None,
        "time_zone": tz,
        "frames": {"delivered": len(times), "gaps": [[utc(begin), utc(end)] for begin, end in gaps]},
        "crossings": len(result.crossings),
        "versions": _versions(),
    }
    write_json(out / "summary.json", result.summary)
    return result


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


class _Annotated:
    """The annotated video, where one is wanted and the view is known; else it does nothing."""

    def __init__(self, options: CountOptions, source: OpenedSource, view: View | None) -> None:
        self._writer: VideoWriter | None = None
        if view:
            fps = options.fps or source.nominal_fps or 25.0
            self._overlay = Overlay(source.size, view, tz=ZoneInfo(options.tz))
            self._writer = VideoWriter(options.out / "annotated.mp4", source.size, fps)

    def write(self, frame: Frame, time: float, tracks: Tracks, crossings: list[Crossing]) -> None:
        if self._writer:
            self._writer.write(self._overlay.draw(frame.image, time, tracks, crossings), time)

    def __enter__(self) -> "_Annotated":
        return self

    def __exit__(self, *exc: object) -> None:
        if self._writer:
            self._writer.close()


def _annotate_again(options: CountOptions, view: View) -> bool:
    """Draw the video in a second pass, for a view only known after the first; True if it was stopped."""
    stored = TrackFile(options.out / "tracks.parquet")
    counter = GateCounter(view, stored.size)
    source = open_source(options.source, fps=options.fps, start=options.start, tz=options.tz)
    with source, _Annotated(options, source, view) as annotated, stop_on_signal() as stopping:
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


def _write_results(out: Path, result: CountResult, bins: list[tuple[float, float, float]]) -> None:
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
        "versions": _versions(),
    }


def _about_view(file: Path | None, view: View | None) -> dict[str, Any] | None:
    if view is None:
        return None
    return {"file": str(file), "version": view.version, "name": view.name, "proposed": view.proposed}


def _versions() -> dict[str, str]:
    names = ["ngatu", "numpy", "onnxruntime", "opencv-python-headless", "av"]
    names += ["openvino"] if is_installed() else []
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
