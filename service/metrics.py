"""Density, speed and queue beside a count: runs the estimator where a view has approach zones."""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from service.outputs import clock_bins, write_metrics
from vision import Crossing, Detector, Frame, Tracks, View
from vision.calibration import GroundMap, fit_calibration
from vision.density import ApproachInterval, DensityEstimator, light_of, roll_up
from vision.density.estimator import BASE_SECONDS
from vision.density.records import Light
from vision.density.stretches import riders_at_gates
from vision.detection.cards import Card
from vision.errors import CalibrationError

LIGHT_EVERY = 10.0
"""Seconds of video from one look at the light to the next."""


def ground_of(view: View | None, view_path: Path | None) -> GroundMap | None:
    """The mapping to the ground of a view that is calibrated.

    Raises:
        CalibrationError: its calibration gives none; the message names the view's file.
    """
    if view is None or view.calibration is None:
        return None
    try:
        return fit_calibration(view.calibration)
    except CalibrationError as error:
        raise CalibrationError(f"{view_path}: calibration: {error}") from None


def least_rider_of(detector: Detector, size: tuple[int, int]) -> float | None:
    """Height in pixels of the smallest riders that a detector finds in pictures of a size, where known."""
    measured = getattr(detector, "least_rider", None)
    return measured(size) if measured else None


CLOSER = ((640, 352), (896, 512), (1280, 704))
"""Inputs of a network that are worth their cost, by which it looks closer and closer."""


def too_far_to_see(
    view: View | None, ground: GroundMap | None, detector: Detector, size: tuple[int, int]
) -> list[str]:
    """A note where most riders at some gate are too small for the detector, with what sees them."""
    least = least_rider_of(detector, size)
    if view is None or ground is None or least is None:
        return []
    heights = riders_at_gates(view, ground, size)
    gate = min(heights, key=heights.__getitem__, default=None)
    if gate is None or heights[gate] >= least:
        return []
    height, closer = heights[gate], _closer(detector, least / heights[gate])
    if closer is None:
        return [
            f"riders at gate {gate} are {height:.0f} pixels high, and below {least:.0f} most are missed: "
            "place the gate, or the camera, nearer"
        ]
    return [
        f"riders at gate {gate} are {height:.0f} pixels high, and below {least:.0f} most are missed: "
        f"look closer with --model {closer}"
    ]


_LINGERING = 2.0
"""Seconds on a gate's line per vehicle counted there, from which people wait there: in passing, 0.2 to 1."""
_LEAST_LINGERED = 20.0


def waited_on(lingered: dict[str, float], crossings: Iterable[Crossing]) -> list[str]:
    """A note on each gate on whose line vehicles wait: boxes that tremble there are counted badly.

    Args:
        lingered: seconds that vehicles were on each gate's line, by the gate's id.
        crossings: what was counted at the gates.
    """
    counted = Counter(crossing.gate for crossing in crossings)
    return [
        f"vehicles wait on gate {gate} ({seconds:.0f} s on its line, {counted[gate]} counted): "
        "place it where they keep moving, a metre or two on"
        for gate, seconds in lingered.items()
        if seconds >= max(_LEAST_LINGERED, _LINGERING * counted[gate])
    ]


def _closer(detector: Detector, times: float) -> str | None:
    """The detector with the least input that looks so many times closer; None if there is none."""
    card = getattr(detector, "card", None)
    if not isinstance(card, Card) or card.input.multiple_of is None:
        return None
    wide = [
        (width, height)
        for width, height in CLOSER
        if width >= times * card.input.width and width % card.input.multiple_of == 0
    ]
    name = card.name.partition("@")[0]
    return f"{name}@{wide[0][0]}x{wide[0][1]}" if wide else None


class LightWatch:
    """Looks at the light now and then.

    Attributes:
        seen: (time, light) of each look, kept with the tracks, so that a recount knows it too.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[float, Light]] = []

    def look(self, frame: Frame, time: float) -> Light | None:
        """The light of a frame, if it is time to look again."""
        if self.seen and time - self.seen[-1][0] < LIGHT_EVERY:
            return None
        self.seen.append((time, light_of(frame.image)))
        return self.seen[-1][1]


def lit_spans(
    spans: Iterable[tuple[float, float]], looks: Sequence[tuple[float, Light]]
) -> Iterator[tuple[float, float, Light | None]]:
    """Stretches of time with their light: that of the last look before, at the beginning of the first.

    Args:
        spans: what was seen, seconds since the epoch, in order.
        looks: of :class:`LightWatch`.
    """
    times = [time for time, _ in looks]
    for start, end in spans:
        edges = [start, *times[bisect_right(times, start) : bisect_left(times, end)], end]
        for begin, until in pairwise(edges):
            light = looks[max(bisect_right(times, begin) - 1, 0)][1] if looks else None
            yield begin, until, light


class Metrics:
    """The records of a view's approaches, while a source is counted.

    Args:
        view: the view; None, or one without a zone of the kind ``approach``, gives no records.
        size: width and height of the picture in pixels.
        interval: seconds of the rows in metrics.csv.
        ground: of :func:`ground_of`.
        least_rider: see :class:`vision.density.DensityEstimator`.
        learned: how full the zones usually are, see :func:`service.storage.learned.learned_occupancy`.
    """

    def __init__(
        self,
        view: View | None,
        size: tuple[int, int],
        interval: float,
        ground: GroundMap | None,
        least_rider: float | None = None,
        learned: list[list[float]] | None = None,
    ) -> None:
        self.records: list[ApproachInterval] = []
        self._interval = interval
        self._estimator: DensityEstimator | None = None
        if view is None or not any(zone.kind == "approach" for zone in view.zones):
            return
        seconds = math.gcd(BASE_SECONDS, int(interval))
        self._estimator = DensityEstimator(
            view, size, ground, seconds=seconds, learned=learned, least_rider=least_rider
        )

    def add(
        self, time: float, tracks: Tracks, crossings: list[Crossing], light: Light | None
    ) -> list[ApproachInterval]:
        """Take one frame; the intervals it closes, see :meth:`vision.density.DensityEstimator.update`."""
        closed = self._estimator.update(time, tracks, crossings, light) if self._estimator else []
        self.records += closed
        return closed

    def finish(self, crossings: list[Crossing]) -> list[ApproachInterval]:
        """Take the counter's last crossings; the intervals left."""
        closed = self._estimator.finish(crossings) if self._estimator else []
        self.records += closed
        return closed

    def write(self, path: Path, spans: list[tuple[float, float]], tz: str) -> None:
        """Write metrics.csv, in intervals aligned to the clock of a time zone, if the view has zones."""
        if self._estimator:
            bins = [(start, end) for start, end, _ in clock_bins(spans, self._interval, tz)]
            write_metrics(path, roll_up(self.records, bins))
