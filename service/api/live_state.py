"""One camera or worker as it is known now: what it last said, and how old that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from service.live.messages import CameraReport, CrossingLive, WorkerReport
from service.sentences import in_vietnamese

LATE_S = 3.0
"""A report or frame older than this is late: figures of the present are not told from it."""
SILENT_S = 10.0
"""After so long without a report the worker counts as gone, and its cameras as offline."""


@dataclass(frozen=True, slots=True)
class CameraNow:
    """A camera at one moment.

    Attributes:
        camera: its id.
        site: its site.
        state: as its worker says; ``offline`` where nobody says anything.
        since: since when, seconds since the epoch, UTC; None where that is not known.
        reason: why, in a sentence.
        age_s: age of the newest analysed frame now, on our clock; None where there was none.
        stale: whether what is known is late: then figures of the present are None.
        heard_at: when its worker last spoke; None for never.
        worker: who speaks for it.
        report: what it last said, if it is still heard; whole, also when it is late.
    """

    camera: str
    site: str | None
    state: str
    since: float | None
    reason: str
    age_s: float | None
    stale: bool
    heard_at: float | None
    worker: str | None
    report: CameraReport | None

    def as_dict(self, crossings: Sequence[CrossingLive] = ()) -> dict[str, Any]:
        """As it is sent, moments in RFC 3339; ``crossings`` are those to tell with it."""
        report, fresh = self.report, self.report if not self.stale else None
        age = None if self.age_s is None else round(self.age_s, 3)
        return {
            "camera": self.camera,
            "site": self.site,
            "state": self.state,
            "since": moment(self.since),
            "reason": self.reason,
            "reason_vi": in_vietnamese(self.reason),
            "stream": report.stream if report else None,
            "stale": self.stale,
            "age_s": age,
            "frame_time": moment(report.frame_time) if report else None,
            "heard_at": moment(self.heard_at),
            "worker": self.worker,
            "source_fps": fresh.source_fps if fresh else None,
            "analysed_fps": fresh.analysed_fps if fresh else None,
            "received": report.received if report else None,
            "dropped": report.dropped if report else None,
            "width": report.width if report else None,
            "height": report.height if report else None,
            "counts": report.counts if report else None,
            "counts_since": moment(report.counts_since) if report else None,
            "movements": report.movements if report else None,
            "last_minute": fresh.last_minute if fresh else None,
            "approaches": [
                each.model_dump() | {"start": moment(each.start), "end": moment(each.end)}
                for each in (fresh.approaches if fresh else ())
            ],
            "crossings": [each.model_dump() | {"time": moment(each.time)} for each in crossings],
        }


@dataclass(frozen=True, slots=True)
class WorkerNow:
    """A worker at one moment; ``state`` is ``live``, ``late`` or ``silent``."""

    state: str
    heard_at: float
    report: WorkerReport

    def as_dict(self) -> dict[str, Any]:
        """As it is sent."""
        report = self.report
        return {
            "worker": report.worker,
            "state": self.state,
            "host": report.host,
            "pid": report.pid,
            "started": moment(report.started),
            "heard_at": moment(self.heard_at),
            "revision": report.revision,
            "cameras": [each.camera for each in report.cameras],
            "outbox": report.outbox.model_dump(),
        }


def camera_now(
    camera: str,
    site: str | None,
    told: CameraReport | None,
    source: tuple[WorkerReport, float] | None,
    now: float,
) -> CameraNow:
    """What is known of a camera from what its worker last said and when that came.

    Ages are taken on the worker's own clock and added to the time since it spoke on ours, so that two
    clocks that differ change nothing.
    """
    if told is None or source is None:
        reason = "no worker reports this camera"
        return CameraNow(camera, site, "offline", None, reason, None, True, None, None, None)
    report, heard = source
    silent_for = max(0.0, now - heard)
    age = None if told.frame_time is None else max(0.0, report.time - told.frame_time) + silent_for
    state, since, reason = str(told.state), told.since, told.reason
    if silent_for > SILENT_S:
        state, since = "offline", heard
        reason = f"nothing has been heard from worker {report.worker}"
    stale = silent_for > LATE_S or age is None or age > LATE_S
    return CameraNow(camera, site, state, since, reason, age, stale, heard, report.worker, told)


def worker_now(report: WorkerReport, heard: float, now: float) -> WorkerNow:
    """What is known of a worker that was last heard at a moment."""
    silent_for = now - heard
    state = "silent" if silent_for > SILENT_S else "late" if silent_for > LATE_S else "live"
    return WorkerNow(state, heard, report)


def moment(time: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339 in UTC, to the millisecond."""
    if time is None:
        return None
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
