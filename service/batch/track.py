"""The second stage: one stream tracked and counted in order, and its rows in the database."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from service.batch.replay import ReplayDetector
from service.incident_output import IncidentLog
from service.metrics import ground_of
from service.outputs import observed_spans
from service.storage.connect import StorageError, open_database
from service.storage.drain import drain
from service.storage.ids import derived_id
from service.storage.messages import SegmentInfo, seconds_to_us, to_us
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from vision import Pipeline, View
from vision.density import DensityEstimator
from vision.density.estimator import BASE_SECONDS
from vision.detection.cards import Thresholds
from vision.errors import NgatuError
from vision.incidents import Incident

FLUSH_ROWS = 5000
"""So many rows are gathered before they go into the outbox."""

HOLE_S = 1.0
"""A pause between two recordings longer than this was not observed, s."""


@dataclass(frozen=True, slots=True)
class TrackPart:
    """A recording of the stream.

    Attributes:
        path: as shown to people.
        start: moment of its first frame, seconds since the epoch, UTC.
        chunks: files of what was detected in it, in order.
        gaps: (from, to) of holes, seconds since its first frame.
    """

    path: Path
    start: float
    chunks: tuple[Path, ...]
    gaps: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TrackTask:
    """A stream to count.

    Attributes:
        segment: what its rows belong to.
        parts: its recordings, in order.
        size: width and height of the picture in pixels.
        view: what is drawn on it.
        thresholds: of the detector.
        least_rider: height in pixels of the smallest riders that it finds; None where not known.
        outbox: file in which rows wait for the database.
        db: URL of the database.
    """

    segment: SegmentInfo
    parts: tuple[TrackPart, ...]
    size: tuple[int, int]
    view: View
    thresholds: Thresholds
    least_rider: float | None
    outbox: Path
    db: str | None


@dataclass(frozen=True, slots=True)
class TrackResult:
    """What came of it: how much, or in a sentence why not.

    Attributes:
        frames: frames counted.
        crossings: crossings found.
        seconds: how long it took.
        failure: empty where all is in the database.
    """

    frames: int = 0
    crossings: int = 0
    seconds: float = 0.0
    failure: str = ""


def track_stream(task: TrackTask) -> TrackResult:
    """Count a stream and write its rows; done again, it writes the same."""
    try:
        return _track(task)
    except NgatuError as error:
        return TrackResult(failure=str(error))
    except Exception as error:
        return TrackResult(failure=f"{task.segment.camera}: {type(error).__name__}: {error}")


def _track(task: TrackTask) -> TrackResult:
    began = time.time()
    segment, view = task.segment, task.view
    ground = ground_of(view, Path(f"view of camera {segment.camera}"))
    detector = ReplayDetector(segment.model, task.thresholds)
    pipeline = Pipeline(detector, task.size, view)
    estimator = None
    if any(zone.kind == "approach" for zone in view.zones):
        estimator = DensityEstimator(
            view, task.size, ground, seconds=BASE_SECONDS, least_rider=task.least_rider
        )
    incidents = IncidentLog(view, task.size, ground)
    frames = crossings = 0
    last, pace = segment.started_at, 0.0
    gaps: list[tuple[float, float]] = []
    with Outbox(task.outbox) as outbox:
        recorder = Recorder(outbox, segment, {gate.id: gate.approach for gate in view.gates})
        for part in task.parts:
            opened = False
            gaps += [(part.start + begin, part.start + end) for begin, end in part.gaps]
            for frame, light, stretch in _frames(detector, part):
                if frames and frame.time <= last:
                    continue  # recordings overlap by a second or two
                step = pipeline.step(frame)
                if not opened:
                    if frames and step.time - last > max(HOLE_S, 2 * pace):
                        gaps.append((last, step.time))
                    gaps += [(part.start + begin, part.start + end) for begin, end in stretch.gaps]
                pace, last, opened = step.time - last, step.time, True
                frames += 1
                crossings += len(step.crossings)
                recorder.crossings(step.crossings)
                closed = estimator.update(step.time, step.tracks, step.crossings, light) if estimator else []
                recorder.intervals(closed)
                incidents.add(step.time, step.tracks, step.crossings, closed)
                if recorder.waiting >= FLUSH_ROWS:
                    recorder.flush()
        late = pipeline.finish()
        crossings += len(late)
        recorder.crossings(late)
        closed = estimator.finish(late) if estimator else []
        recorder.intervals(closed)
        incidents.finish(late, closed)
        spans = observed_spans(segment.started_at, last, gaps)
        for start, end in spans:
            recorder.observe(start, end)
        recorder.close(spans[-1][1] if spans else last)
        outbox.put([("rows", {"table": "incidents", "rows": list(_incident_rows(incidents.told, task))})])
        run = _run(task, began, {"frames": frames, "crossings": crossings, "parts": _told(task.parts)})
        outbox.put([("rows", {"table": "runs", "rows": [run]})])
        engine = open_database(task.db)
        try:
            drain(outbox, engine)
        finally:
            engine.dispose()
        refused = outbox.state().rejected
    if refused:
        raise StorageError(
            f"the database refused {refused} messages; see the table 'rejected' in {task.outbox}"
        )
    for file in task.outbox.parent.glob(f"{task.outbox.name}*"):
        file.unlink(missing_ok=True)
    return TrackResult(frames, crossings, time.time() - began)


def _frames(detector: ReplayDetector, part: TrackPart) -> Iterator[Any]:
    """The frames of a recording as they were detected.

    Raises:
        NgatuError: what was kept of it cannot be read; then it is removed, to be detected again.
    """
    for chunk in part.chunks:
        try:
            yield from detector.frames([chunk], part.start)
        except (OSError, ValueError, KeyError, EOFError):
            chunk.unlink(missing_ok=True)
            raise NgatuError(f"what was kept of {part.path} is damaged: run the batch again") from None


def _incident_rows(told: Iterable[Incident], task: TrackTask) -> Iterator[dict[str, Any]]:
    """Each incident as it was told last; the same incident has the same id, however often it is analysed."""
    latest = {incident.number: incident for incident in told}
    approaches = {gate.id: gate.approach for gate in task.view.gates}
    approaches |= {zone.id: zone.approach for zone in task.view.zones}
    known = {approach for approach in approaches.values() if approach}
    ordinals: dict[tuple[int, str, str], int] = {}
    for each in latest.values():
        key = (seconds_to_us(each.start), each.kind, each.place)
        ordinals[key] = ordinals.get(key, -1) + 1
        start_us, kind, place = key
        yield {
            "id": derived_id(start_us, task.segment.camera, kind, place, ordinals[key]).hex,
            "site_id": task.segment.site,
            "approach_id": place if place in known else approaches.get(place),
            "camera_id": task.segment.camera,
            "kind": kind,
            "severity": "warning",
            "started_at_us": start_us,
            "ended_at_us": None if each.end is None else seconds_to_us(each.end),
            "details": {
                "place": place,
                "point": [round(share, 4) for share in each.point],
                "cut": each.cut,
                "class": each.vehicle_class.label if each.vehicle_class is not None else None,
                "evidence": dict(each.evidence),
                "thresholds": dict(each.thresholds),
                "segment": task.segment.id.hex,
            },
        }


def _told(parts: Iterable[TrackPart]) -> list[dict[str, Any]]:
    return [{"file": part.path.name, "start_epoch": part.start, "gaps": len(part.gaps)} for part in parts]


def _run(task: TrackTask, began: float, summary: dict[str, Any]) -> dict[str, object]:
    segment = task.segment
    return {
        "id": uuid4().hex,
        "segment_id": segment.id.hex,
        "camera_id": segment.camera,
        "source": segment.source,
        "source_sha256": segment.source_sha256,
        "model": segment.model,
        "model_sha256": segment.model_sha256,
        "versions": dict(segment.settings.get("versions", {})),
        "summary": summary,
        "started_at_us": to_us(datetime.fromtimestamp(began, UTC)),
        "ended_at_us": to_us(datetime.now(UTC)),
        "state": "finished",
    }
