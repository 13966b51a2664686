"""The chain for one camera: detect, track and count each frame as it comes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vision.counting import CounterSettings, GateCounter
from vision.errors import ViewError
from vision.proposal import propose_view
from vision.sparing import Box, MotionGate, Sparing, region_of
from vision.track_store import tick
from vision.tracking import TrackerSettings, VehicleTracker
from vision.types import Crossing, Detections, Detector, Frame, Tracker, Tracks
from vision.views import View

_LONGEST_LOOK = 600.0
"""Seconds of tracks from which a view is proposed at most."""


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one frame.

    Attributes:
        frame: the picture.
        time: its time in whole microseconds, as tracks are stored; seconds since the epoch, UTC.
        detections: vehicles found in it; none where the network did not look.
        tracks: vehicles followed into it; where the network did not look, predicted or standing still.
        crossings: crossings that became certain with it; they happened up to a second before, of
            vehicles that were hidden up to four.
        detected: whether the network looked at it.
        counted: whether its tracks were counted; only those are to be kept for counting again.
    """

    frame: Frame
    time: float
    detections: Detections
    tracks: Tracks
    crossings: list[Crossing]
    detected: bool = True
    counted: bool = True


class Pipeline:
    """Counts one camera's vehicles.

    Args:
        detector: finds vehicles in a picture.
        size: width and height of the pictures in pixels.
        view: gates and movements; None proposes a view from what moves in the first minute, and then
            counts that minute too.
        tracker: another tracker than our own.
        propose_after: seconds of tracks from which a view is proposed.
        sparing: what the network is spared; None looks at every frame and all of it.

    Attributes:
        view: the view that is counted with, None until one is proposed.
        region: left, top, right, bottom of the part that the network looks at; None is the whole picture.

    Raises:
        ValueError: frames are to be spared with a tracker that is not our own.
    """

    def __init__(
        self,
        detector: Detector,
        size: tuple[int, int],
        view: View | None = None,
        *,
        tracker: Tracker | None = None,
        settings: CounterSettings | None = None,
        propose_after: float = 60.0,
        sparing: Sparing | None = None,
    ) -> None:
        self.size = size
        self.view = view
        self._detector = detector
        thresholds = detector.thresholds
        self.region = region_for(detector, size, view, sparing)
        own = VehicleTracker(
            size,
            replace(TrackerSettings(), start_score=thresholds.start, keep_score=thresholds.keep),
            self.region,
        )
        self._tracker = tracker or own
        self._between = own
        self._every = sparing.every if sparing else 1
        self._gate = MotionGate() if sparing and sparing.motion_gate else None
        if tracker and (self._every > 1 or self._gate):
            raise ValueError("only our own tracker goes on without detections: leave out tracker or sparing")
        self._number = 0  # of frames so far
        self._still = False  # whether nothing moved in the last frame that was looked at
        self._settings = settings
        self._counter = GateCounter(view, size, settings) if view else None
        self._unseen: list[tuple[float, Tracks]] = []  # frames that wait for a view
        self._propose_after = propose_after

    def step(self, frame: Frame) -> Step:
        """Take the next frame."""
        time = tick(frame.time)
        due = self._number % self._every == 0
        self._number += 1
        image = frame.image
        if self.region:
            left, top, right, bottom = self.region
            image = image[top:bottom, left:right]
        if due and self._gate:
            self._still = not self._gate.wants(image, time)
        if due and not self._still:
            detections = self._detect(image)
            tracks = self._tracker.update(time, detections)
            return Step(frame, time, detections, tracks, self._count(time, tracks))
        if self._still:
            tracks = self._between.held(time)
            return Step(frame, time, Detections.empty(), tracks, self._count(time, tracks), detected=False)
        # What is predicted is shown and not counted: counted, it costs a point of F1.
        crossings, tracks = self._count(time, Tracks.empty()), self._between.predicted(time)
        return Step(frame, time, Detections.empty(), tracks, crossings, detected=False, counted=False)

    def _detect(self, image: NDArray[np.uint8]) -> Detections:
        """What the network finds in the part that it looks at, in pixels of the whole picture."""
        found = self._detector.detect(image)
        if self._gate:
            self._gate.learn(found.xyxy)
        if not self.region:
            return found
        corner = np.array(self.region[:2] * 2, np.float32)
        return Detections(found.xyxy + corner, found.score, found.class_id)

    def finish(self) -> list[Crossing]:
        """The crossings still open when the frames end.

        Raises:
            ViewError: there was no view and too little moved to propose one.
        """
        crossings = self._propose(self._unseen) if self._counter is None else []
        return crossings + (self._counter.finish() if self._counter else [])

    def lingered(self) -> dict[str, float]:
        """Seconds that vehicles have spent on the line of each gate, by its id."""
        return self._counter.lingered() if self._counter else {}

    def _count(self, time: float, tracks: Tracks) -> list[Crossing]:
        if self._counter:
            return self._counter.update(time, tracks)
        self._unseen.append((time, tracks))
        if time - self._unseen[0][0] < self._propose_after:
            return []
        try:
            return self._propose(self._unseen)
        except ViewError:
            # Too little moved yet, as at night: look again later, and remember no more than some minutes.
            self._propose_after = min(2 * self._propose_after, _LONGEST_LOOK)
            if time - self._unseen[0][0] >= _LONGEST_LOOK:
                self._unseen = [seen for seen in self._unseen if time - seen[0] < _LONGEST_LOOK / 2]
            return []

    def _propose(self, frames: list[tuple[float, Tracks]]) -> list[Crossing]:
        self.view = propose_view(frames, self.size)
        self._counter = GateCounter(self.view, self.size, self._settings)
        self._unseen = []
        return [crossing for time, tracks in frames for crossing in self._counter.update(time, tracks)]


def region_for(
    detector: Detector, size: tuple[int, int], view: View | None, sparing: Sparing | None
) -> Box | None:
    """The part of the picture that a network need look at, of its input's aspect; None is all of it."""
    if view is None or sparing is None or not sparing.region:
        return None
    width, height = getattr(detector, "input_size", size)
    return region_of(view, size, width / height, sparing.margin)


def count_crossings(
    frames: Iterable[Frame], detector: Detector, size: tuple[int, int], view: View | None = None
) -> Iterator[Crossing]:
    """The crossings in some frames, as they become certain.

    Args:
        frames: in order of time, for instance a source of :func:`vision.open_source`.
        detector: finds vehicles in a picture.
        size: width and height of the pictures.
        view: gates and movements; None proposes a view.

    Raises:
        ViewError: there is no view and too little moves to propose one.
    """
    pipeline = Pipeline(detector, size, view)
    for frame in frames:
        yield from pipeline.step(frame).crossings
    yield from pipeline.finish()
