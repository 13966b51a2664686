"""Counts what has passed a live camera once more with another view, in the database too."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Engine

from service.drawing.archive import archived, archived_frames
from service.metrics import Metrics, ground_of
from service.outputs import clock_bins, observed_spans
from service.registry.writing import view_data
from service.storage.drain import drain
from service.storage.ids import content_sha256
from service.storage.intervals import LENGTHS
from service.storage.messages import SegmentInfo
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from vision import Crossing, GateCounter, TrackFile, View, propose_view
from vision.density import roll_up
from vision.errors import TracksError

GAP_S = 1.0
"""Longer without a frame was not observed, s: as when it was counted live."""


@dataclass(frozen=True, slots=True)
class Again:
    """What counting again gave.

    Attributes:
        crossings: in order of becoming certain.
        observed_s: how much of the time asked for was kept, s; what was not seen is not in it.
    """

    crossings: list[Crossing]
    observed_s: float


def propose_from_archive(folder: Path, camera: str, start: float, end: float, name: str = "") -> View:
    """Propose gates and movements from what has passed a camera.

    Raises:
        TracksError: nothing of that time is kept.
        ViewError: too little moved.
    """
    files = _files(folder, camera, start, end)
    frames = [(time, tracks) for _, time, tracks in archived_frames(files, start, end)]
    return propose_view(frames, TrackFile(files[-1]).size, name)


def count_archive(folder: Path, camera: str, start: float, end: float, view: View) -> Again:
    """The crossings a view gives on what has passed, without keeping them.

    Raises:
        TracksError: nothing of that time is kept, or a file is damaged.
    """
    files = _files(folder, camera, start, end)
    counter = GateCounter(view, TrackFile(files[-1]).size)
    crossings: list[Crossing] = []
    times: list[float] = []
    for _, time, tracks in archived_frames(files, start, end):
        crossings += counter.update(time, tracks)
        times.append(time)
    return Again(crossings + counter.finish(), _observed_s(times))


def record_archive(
    engine: Engine, folder: Path, camera: str, site: str | None, start: float, end: float, view: View
) -> Again:
    """Count what has passed with a view, which speaks for that stretch from now on.

    Counted again with the same view, nothing changes: rows are written once.

    Raises:
        TracksError: nothing of that time is kept, or a file is damaged.
        StorageError: the database cannot be used; then nothing has changed there.
    """
    files = _files(folder, camera, start, end)
    stored = TrackFile(files[-1])
    counter = GateCounter(view, stored.size)
    metrics = Metrics(
        view, stored.size, LENGTHS[0], ground_of(view, None), least_rider=stored.about.get("least_rider")
    )
    crossings: list[Crossing] = []
    times: list[float] = []
    for _, time, tracks in archived_frames(files, start, end):
        passed = counter.update(time, tracks)
        metrics.add(time, tracks, passed, None)
        crossings += passed
        times.append(time)
    if not times:
        raise _nothing(camera)
    late = counter.finish()
    crossings += late
    metrics.finish(late)
    segment = SegmentInfo(
        camera=camera,
        site=site,
        kind="recording",
        started_at=times[0],
        source=f"tracks of {camera}",
        model=str(stored.about.get("model", "")),
        model_sha256=str(stored.about.get("model_sha256", "")),
        view_version=view.version,
        view_sha256=content_sha256(view_data(view)),
        settings={"again": True, "until": times[-1]},
    )
    spans = observed_spans(times[0], times[-1], _gaps(times))
    with Outbox(folder / camera / f"again-{segment.id.hex}.db") as outbox:
        recorder = Recorder(outbox, segment, {gate.id: gate.approach for gate in view.gates})
        recorder.crossings(crossings)
        for begin, until in spans:
            recorder.observe(begin, until)
        bins = [(begin, until) for begin, until, _ in clock_bins(spans, LENGTHS[0], "UTC")]
        recorder.intervals(roll_up(metrics.records, bins))
        recorder.close(times[-1])
        drain(outbox, engine)
        path = outbox.path
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink(missing_ok=True)
    return Again(crossings, _observed_s(times))


def _observed_s(times: Sequence[float]) -> float:
    return sum(after - before for before, after in pairwise(times) if after - before <= GAP_S)


def _gaps(times: Sequence[float]) -> list[tuple[float, float]]:
    return [(before, after) for before, after in pairwise(times) if after - before > GAP_S]


def _files(folder: Path, camera: str, start: float, end: float) -> list[Path]:
    files = archived(folder, camera, start, end)
    if not files:
        raise _nothing(camera)
    return files


def _nothing(camera: str) -> TracksError:
    return TracksError(
        f"no tracks of camera {camera} are kept from that time; let it run for some minutes and try again"
    )
