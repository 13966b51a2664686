"""One camera's analysis with one view: frames in; crossings, figures and incidents recorded."""

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from service.live.keeping import Keeper
from service.live.plan import Entry
from service.live.tally import Tally
from service.metrics import LightWatch, least_rider_of
from service.storage.ids import derived_id
from service.storage.messages import SegmentInfo, seconds_to_us
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from vision import Crossing, Detector, Frame, Pipeline, Tracks, View, fit_calibration
from vision.calibration import GroundMap
from vision.density import ApproachInterval, DensityEstimator
from vision.density.records import Light
from vision.errors import CalibrationError
from vision.incidents import Incident, IncidentDetector
from vision.sparing import Sparing

TOLERANCE = 1.0
"""Frames farther apart than this leave a stretch that was not observed, s."""

HELD_BACK = 25.0
"""What was observed is told so many seconds later: by then it is known if the picture was of no use, s."""

SEVERITY = {
    "wrong_way": "major",
    "blocked_junction": "major",
    "standing": "minor",
    "queue_beyond_view": "minor",
    "speed_drop": "minor",
}


class Analysis:
    """Counts one camera with one view, and records it as one segment.

    Args:
        entry: the camera and its view.
        detector: finds vehicles.
        size: width and height of the pictures in pixels.
        outbox: where what is measured goes.
        first: time of the first frame, seconds since the epoch.
        source: where the frames come from, as it may be shown.
        tally: running counts of the camera, for those who watch.
        fps: frames a second that are wanted.
        sparing: what the network is spared.
        archive: folder in which tracks are kept for a while, and for how many hours; None keeps none.
        usual: how full the zones usually are, see :func:`service.storage.learned.learned_occupancy`.

    Attributes:
        last: time of the newest frame.
        tracks: vehicles in it.
    """

    def __init__(
        self,
        entry: Entry,
        detector: Detector,
        size: tuple[int, int],
        outbox: Outbox,
        first: float,
        source: str,
        tally: Tally,
        fps: float,
        sparing: Sparing | None = None,
        archive: tuple[Path, float] | None = None,
        usual: list[list[float]] | None = None,
    ) -> None:
        if entry.view is None:
            raise ValueError(f"{entry.camera} has no view to count with")
        view = entry.view
        self.size = size
        self.view_sha256 = entry.view_sha256
        self.last: float | None = None
        self.tracks = Tracks.empty()
        self._entry = entry
        self._outbox = outbox
        self._tally = tally
        ground, self._ground_problem = _ground(view)
        self._pipeline = Pipeline(detector, size, view, sparing=sparing)
        least_rider = least_rider_of(detector, size)
        self._estimator = (
            DensityEstimator(view, size, ground, learned=usual, least_rider=least_rider)
            if any(zone.kind == "approach" for zone in view.zones)
            else None
        )
        self._incidents = IncidentDetector(view, size, ground)
        self._lights = LightWatch()
        self._seen: deque[tuple[float, float, Light | None]] = deque()
        segment = SegmentInfo(
            camera=entry.camera,
            site=entry.site,
            kind="live",
            started_at=first,
            source=source,
            model=detector.name,
            model_sha256=getattr(detector, "sha256", ""),
            view_version=view.version,
            view_sha256=entry.view_sha256,
            settings={
                "fps": fps,
                "size": list(size),
                "sparing": asdict(sparing) if sparing else None,
                "ngatu": version("ngatu"),
            },
        )
        self._segment = segment.id.hex
        approaches = {gate.id: gate.approach for gate in view.gates if gate.approach}
        approaches |= {zone.id: zone.approach for zone in view.zones if zone.approach}
        self._approaches = approaches | {name: name for name in approaches.values()}
        about = {
            "model": segment.model,
            "model_sha256": segment.model_sha256,
            "least_rider": least_rider,
        }
        self._keeper = Keeper(archive, entry.camera, size, about)
        self._recorder = Recorder(outbox, segment, {gate.id: gate.approach for gate in view.gates})

    @property
    def region(self) -> tuple[int, int, int, int] | None:
        """The part of the picture where vehicles are looked for; None is all of it."""
        return self._pipeline.region

    @property
    def note(self) -> str:
        """What whoever watches should know."""
        return self._ground_problem

    def add(self, frame: Frame, *, figures: bool = True) -> list[Crossing]:
        """Take the next frame, later than the one before.

        Args:
            frame: the picture.
            figures: whether speeds, densities and incidents may be trusted; counts are in any case.
        """
        light = self._lights.look(frame, frame.time)
        del self._lights.seen[:-1]
        step = self._pipeline.step(frame)
        self.tracks = step.tracks
        if step.counted:
            self._keeper.add(step.time, step.tracks)
        if self.last is not None and step.time - self.last <= TOLERANCE:
            self._seen.append((self.last, step.time, self._lights.seen[-1][1]))
        self.last = step.time
        self._record(step.crossings)
        closed = (
            self._estimator.update(step.time, step.tracks, step.crossings, light) if self._estimator else []
        )
        told = self._incidents.update(step.time, step.tracks, step.crossings)
        if figures:
            told += self._trust(closed)
            self._tell(told)
        return step.crossings

    def spoilt(self, since: float) -> None:
        """What was seen from a moment on is of no use: it was not observed, seconds since the epoch."""
        kept = [(start, min(end, since), light) for start, end, light in self._seen if start < since]
        self._seen = deque(each for each in kept if each[0] < each[1])

    def flush(self, now: float) -> None:
        """Record what has gathered."""
        self._observe(now - HELD_BACK)
        self._recorder.flush()

    def close(self, *, figures: bool = True) -> None:
        """Record the rest and end the segment."""
        self._keeper.close()
        late = self._pipeline.finish()
        self._record(late)
        closed = self._estimator.finish(late) if self._estimator else []
        told = self._incidents.finish(late)
        if figures:
            self._tell(self._trust(closed) + told)
        self._observe(float("inf"))
        self._recorder.close(self.last or 0.0)

    def _record(self, crossings: list[Crossing]) -> None:
        self._recorder.crossings(crossings)
        self._tally.add(crossings)

    def _trust(self, closed: list[ApproachInterval]) -> list[Incident]:
        """Record figures, and what they tell of incidents."""
        self._recorder.intervals(closed)
        self._tally.intervals(closed)
        return [told for record in closed for told in self._incidents.interval(record)]

    def _observe(self, until: float) -> None:
        while self._seen and self._seen[0][1] <= until:
            start, end, light = self._seen.popleft()
            while self._seen and self._seen[0][0] == end and self._seen[0][2] == light:
                if self._seen[0][1] > until:
                    break
                end = self._seen.popleft()[1]
            self._recorder.observe(start, end, light)

    def _tell(self, told: Iterable[Incident]) -> None:
        rows = [self._incident_row(each) for each in told]
        if rows:
            self._outbox.put([("rows", {"table": "incidents", "rows": rows})])

    def _incident_row(self, told: Incident) -> dict[str, Any]:
        started = seconds_to_us(told.start)
        key = derived_id(started, self._segment, told.kind, told.place, told.number)
        return {
            "id": key.hex,
            "site_id": self._entry.site,
            "approach_id": self._approaches.get(told.place),
            "camera_id": self._entry.camera,
            "kind": told.kind,
            "severity": SEVERITY[told.kind],
            "started_at_us": started,
            "ended_at_us": None if told.end is None else seconds_to_us(told.end),
            "details": {
                "place": told.place,
                "point": [round(share, 4) for share in told.point],
                "class": told.vehicle_class.label if told.vehicle_class is not None else None,
                "cut": told.cut,
                "evidence": {name: round(value, 3) for name, value in told.evidence.items()},
                "thresholds": {name: round(value, 3) for name, value in told.thresholds.items()},
            },
        }


def _ground(view: View) -> tuple[GroundMap | None, str]:
    """The mapping to the ground, or why there is none although the view has points for it."""
    if view.calibration is None:
        return None, ""
    try:
        return fit_calibration(view.calibration), ""
    except CalibrationError as error:
        return None, f"no speeds and densities: {error}"
