"""``ngatu count --db``: puts a finished count into the database."""

import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from service.count import CountOptions, CountResult
from service.metrics import lit_spans
from service.outputs import clock_bins
from service.storage.connect import open_database, shown
from service.storage.drain import drain
from service.storage.ids import content_sha256
from service.storage.intervals import LENGTHS
from service.storage.messages import SegmentInfo, to_us
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from vision import NgatuError, View
from vision.density import roll_up


def record_count(
    result: CountResult, options: CountOptions, db: str | None, camera: str, site: str | None = None
) -> str:
    """Write crossings, observed time and intervals of approaches; returns a sentence on what was done.

    From then on this count speaks for the camera in the stretch that it covers. Counted again with the same
    view and model, nothing changes.

    Raises:
        NgatuError: the count was stopped or had no view, or the database cannot be used; then all waits in
            ``outbox.db`` beside the results, for ``ngatu db drain``.
    """
    with Outbox(options.out / "outbox.db") as outbox:
        put_count(result, options, outbox, camera, site)
        engine = open_database(db)
        drain(outbox, engine)
        refused = outbox.state().rejected
    if refused:
        file = options.out / "outbox.db"
        raise NgatuError(f"{shown(engine)} refused {refused} messages; see the table 'rejected' in {file}")
    return f"{len(result.crossings)} crossings of camera {camera} are in {shown(engine)}"


def put_count(
    result: CountResult, options: CountOptions, outbox: Outbox, camera: str, site: str | None = None
) -> None:
    """Put all that a count measured into an outbox, to be drained into a database.

    Raises:
        NgatuError: the count was stopped or had no view.
    """
    if result.view is None or result.stopped:
        raise NgatuError(
            "the count did not reach its end, so nothing was written to the database; count again"
        )
    segment = _segment(result, result.view, options, camera, site)
    recorder = Recorder(outbox, segment, {gate.id: gate.approach for gate in result.view.gates})
    recorder.crossings(result.crossings)
    for start, end, light in lit_spans(result.spans, result.lights):
        recorder.observe(start, end, light)
    bins = [(start, end) for start, end, _ in clock_bins(result.spans, LENGTHS[0], "UTC")]
    recorder.intervals(roll_up(result.records, bins))
    recorder.close(result.spans[-1][1] if result.spans else segment.started_at)
    outbox.put([("rows", {"table": "runs", "rows": [_run(result, segment)]})])


def _segment(
    result: CountResult, view: View, options: CountOptions, camera: str, site: str | None
) -> SegmentInfo:
    summary = result.summary
    return SegmentInfo(
        camera=camera,
        site=site,
        kind="recording",
        started_at=summary["start_epoch"],
        source=Path(summary["source"]).name if summary["source_sha256"] else summary["source"],
        source_sha256=summary["source_sha256"] or "",
        model=summary["model"],
        model_sha256=summary["model_sha256"] or "",
        view_version=view.version,
        view_sha256=content_sha256(view.model_dump(mode="json", by_alias=True)),
        settings={
            "fps": options.fps,
            "duration": options.duration,
            "tiles": options.tiles,
            "versions": summary["versions"],
        },
    )


def _run(result: CountResult, segment: SegmentInfo) -> dict[str, object]:
    ended = time.time()
    return {
        "id": uuid4().hex,
        "segment_id": segment.id.hex,
        "camera_id": segment.camera,
        "source": segment.source,
        "source_sha256": segment.source_sha256,
        "model": segment.model,
        "model_sha256": segment.model_sha256,
        "versions": result.summary["versions"],
        "summary": result.summary,
        "started_at_us": to_us(datetime.fromtimestamp(ended - result.summary["elapsed_s"], UTC)),
        "ended_at_us": to_us(datetime.fromtimestamp(ended, UTC)),
        "state": "finished",
    }
