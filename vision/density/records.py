"""What is kept of an approach in an interval: sums and small histograms, so that intervals add up exactly."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self

Status = Literal["observed", "partial", "not_observed"]
Light = Literal["day", "dusk", "night"]
Level = Literal["free", "busy", "slow", "jammed"]
Band = Literal["low", "usual", "high", "very_high"]

SPEED_BIN_KMH = 1.0
"""Width of the bins of ``spot_speeds``: bin 37 holds 37.0 up to 38.0 km/h."""

TIME_BIN_S = 0.5
"""Width of the bins of ``headways`` and ``gaps``: bin 3 holds 1.5 up to 2.0 s."""

QUEUE_BIN_M = 1.0
"""Width of the bins of ``queue_lengths``: bin 12 holds 12.0 up to 13.0 m."""

OBSERVED_SHARE = 0.95
"""An interval of which this share was seen counts as observed; less is partial."""

ByClass = dict[str, float]
"""A sum for each vehicle class by its label (``motorcycle``); a class without any is left out."""

Histogram = dict[int, int]
"""How many fell into each bin, by the bin's number; empty bins are left out."""


@dataclass(frozen=True, slots=True)
class ApproachInterval:
    """The sums of one approach in one half-open interval ``[start, end)``.

    Every field but the first three and the states ``queue_now_*`` and ``queue_max_*`` is a plain sum, so two
    neighbouring intervals merge by adding, across an edited view too; figures are computed from the sums
    (:func:`vision.density.figures_of`). What a sum is out of stands beside it: where ``gate_seconds`` is 0
    no gate was watched, and the counts say nothing. All values are plain numbers, texts and dicts.

    Attributes:
        approach: id of the approach.
        start: beginning, seconds since the Unix epoch, UTC.
        end: end (exclusive), seconds since the Unix epoch, UTC.
        expected_seconds: how long it should have been watched, s.
        observed_seconds: how long frames were seen, s; 0 means that nothing is known.
        light_seconds: observed seconds by light: ``day``, ``dusk``, ``night``; s.
        gate_seconds: observed seconds in which a gate stood for the approach, s.
        entered: vehicles that entered the junction over the approach's gate (direction ``in``), by class.
        left: vehicles that left the junction over it (direction ``out``), by class.
        gate_covered_s: those of ``zone_seconds`` in which a vehicle of the approach stood or drove over the
            gate, s.
        spot_speeds: speeds of entering vehicles at the gate; bins of ``SPEED_BIN_KMH``.
        spot_speed_sum: sum of those speeds, km/h.
        headways: seconds from one entering vehicle's crossing to the next one's; bins of ``TIME_BIN_S``;
            it belongs to the interval in which the second one crosses.
        headway_sum: sum of those headways, s.
        gaps: seconds from the rear of one to the front of the next at the gate; bins of ``TIME_BIN_S``.
        gap_sum: sum of those gaps, s.
        zone_seconds: observed seconds in which a zone stood for the approach, s.
        too_small_s: observed seconds in which it had one, but vehicles in it were too small to be found, s.
        vehicle_seconds: time spent in the zone by all vehicles, vehicle·s; known without calibration.
        image_seconds: seconds for which the picture of the zone was looked at (once a second), s.
        image_covered_s: share of the zone's polygon covered by boxes, summed over those; s.
        ground_seconds: those of ``zone_seconds`` in which the ground was calibrated, s; the fields below are
            of these alone.
        calibration_seconds: the same by version of the calibration (``GroundMap.version``), s.
        road_m_s: length of the stretch × seconds, m·s: the area in Edie's definitions.
        lane_m_s: the same × number of lanes, lane·m·s; 0 where the lanes are not known.
        road_m2_s: the same × width of the road, m²·s.
        spent_s: time spent in the stretch by class, vehicle·s.
        driven_m: distance driven in the stretch by class, vehicle·m; against the traffic counts as negative,
            so that the noise of standing vehicles cancels.
        covered_m2_s: ground covered by the vehicles' footprints × seconds, m²·s.
        zone_m2_s: ground of the zone × seconds, m²·s.
        stopped_s: time that vehicles stood in the stretch, vehicle·s.
        stops: how often a vehicle in the stretch came to a stand.
        free_flow_known_s: those of ``ground_seconds`` in which the approach's free speed was known, s.
        delay_s: time spent beyond what the same distance takes at free speed, vehicle·s; a vehicle faster
            than that makes it less.
        queue_samples: how often the queue was looked at (once a second).
        queue_lengths: length of the queue at each look; bins of ``QUEUE_BIN_M``; no queue is 0 m.
        queue_sum_m: sum of those lengths, m.
        queue_cut_samples: at how many looks the queue reached the end of the view.
        queue_now_m: length at the last look, m; None where there was none.
        queue_now_vehicles: vehicles in it.
        queue_now_at_least: whether it reached the end of the view, so that it may be longer.
        queue_max_m: greatest length, m; None where there was no look.
        queue_max_vehicles: most vehicles in a queue.
        queue_max_at_least: whether the longest reached the end of the view.
        level_seconds: observed seconds by level of congestion: ``free``, ``busy``, ``slow``, ``jammed``; s.
        band_seconds: observed seconds by how full the zone was against what is usual there: ``low``,
            ``usual``, ``high``, ``very_high``; s.
    """

    approach: str
    start: float
    end: float
    expected_seconds: float
    observed_seconds: float = 0.0
    light_seconds: dict[str, float] = field(default_factory=dict)

    gate_seconds: float = 0.0
    entered: ByClass = field(default_factory=dict)
    left: ByClass = field(default_factory=dict)
    gate_covered_s: float = 0.0
    spot_speeds: Histogram = field(default_factory=dict)
    spot_speed_sum: float = 0.0
    headways: Histogram = field(default_factory=dict)
    headway_sum: float = 0.0
    gaps: Histogram = field(default_factory=dict)
    gap_sum: float = 0.0

    zone_seconds: float = 0.0
    too_small_s: float = 0.0
    vehicle_seconds: float = 0.0
    image_seconds: float = 0.0
    image_covered_s: float = 0.0

    ground_seconds: float = 0.0
    calibration_seconds: dict[str, float] = field(default_factory=dict)
    road_m_s: float = 0.0
    lane_m_s: float = 0.0
    road_m2_s: float = 0.0
    spent_s: ByClass = field(default_factory=dict)
    driven_m: ByClass = field(default_factory=dict)
    covered_m2_s: float = 0.0
    zone_m2_s: float = 0.0
    stopped_s: float = 0.0
    stops: int = 0
    free_flow_known_s: float = 0.0
    delay_s: float = 0.0

    queue_samples: int = 0
    queue_lengths: Histogram = field(default_factory=dict)
    queue_sum_m: float = 0.0
    queue_cut_samples: int = 0
    queue_now_m: float | None = None
    queue_now_vehicles: int | None = None
    queue_now_at_least: bool = False
    queue_max_m: float | None = None
    queue_max_vehicles: int | None = None
    queue_max_at_least: bool = False

    level_seconds: dict[str, float] = field(default_factory=dict)
    band_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """Whether it was watched: wholly (``OBSERVED_SHARE`` of it), in part, or not at all."""
        if self.observed_seconds <= 0:
            return "not_observed"
        whole = self.observed_seconds >= OBSERVED_SHARE * self.expected_seconds
        return "observed" if whole else "partial"

    def merge(self, later: "ApproachInterval") -> "ApproachInterval":
        """This interval and the one that follows it, as one.

        Counts and histograms add exactly, sums as exactly as floating point adds.

        Raises:
            ValueError: the other is of another approach or does not begin where this one ends.
        """
        if later.approach != self.approach or later.start != self.end:
            raise ValueError(
                f"{later.approach} from {later.start} does not follow {self.approach} until {self.end}"
            )
        summed = {
            name: _added(getattr(self, name), getattr(later, name))
            for name in (each.name for each in fields(self))
            if name not in _NOT_SUMMED
        }
        now = later if later.queue_now_m is not None else self
        return replace(self, end=later.end, **summed, **_state(now, "now"), **_longer_queue(self, later))

    def as_dict(self) -> dict[str, Any]:
        """All fields and the status as JSON can hold them; the bins of histograms become texts."""
        values: dict[str, Any] = {"status": self.status}
        for each in fields(self):
            value = getattr(self, each.name)
            values[each.name] = {str(k): v for k, v in value.items()} if isinstance(value, dict) else value
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The interval that :meth:`as_dict` wrote."""
        read = {name: value for name, value in values.items() if name != "status"}
        for name in _HISTOGRAMS:
            read[name] = {int(number): count for number, count in read.get(name, {}).items()}
        return cls(**read)


_NOT_SUMMED = {"approach", "start", "end"} | {
    f"queue_{which}_{what}" for which in ("now", "max") for what in ("m", "vehicles", "at_least")
}
_HISTOGRAMS = ("spot_speeds", "headways", "gaps", "queue_lengths")


def merge_all(records: list[ApproachInterval]) -> ApproachInterval:
    """Neighbouring intervals of one approach, in order of time, as one.

    Raises:
        ValueError: there are none, or they do not follow each other.
    """
    if not records:
        raise ValueError("there are no intervals to merge")
    whole = records[0]
    for record in records[1:]:
        whole = whole.merge(record)
    return whole


def not_observed(approach: str, start: float, end: float) -> ApproachInterval:
    """An interval of which nothing was seen."""
    return ApproachInterval(approach, start, end, expected_seconds=end - start)


def roll_up(
    records: Iterable[ApproachInterval], bins: Sequence[tuple[float, float]]
) -> list[ApproachInterval]:
    """Records added up to longer intervals, for each approach in order of its first record, then of time.

    Args:
        records: of any approaches, in any order, apart from each other in time; each lies within one bin.
        bins: (start, end) of the longer intervals, in order. What no record covers is not observed.

    Raises:
        ValueError: a record reaches over the edge of a bin.
    """
    starts = [start for start, _ in bins]
    by_bin: dict[str, dict[int, list[ApproachInterval]]] = {}
    for record in records:
        number = bisect_right(starts, record.start) - 1
        if number < 0 or record.end > bins[number][1]:
            raise ValueError(f"the interval from {record.start} to {record.end} lies in no bin")
        by_bin.setdefault(record.approach, {}).setdefault(number, []).append(record)
    return [
        merge_all(_without_holes(approach, groups.get(number, []), *bins[number]))
        for approach, groups in by_bin.items()
        for number in range(len(bins))
    ]


def _without_holes(
    approach: str, records: list[ApproachInterval], start: float, end: float
) -> list[ApproachInterval]:
    whole: list[ApproachInterval] = []
    for record in sorted(records, key=lambda record: record.start):
        if record.start > start:
            whole.append(not_observed(approach, start, record.start))
        whole.append(record)
        start = record.end
    return whole if start >= end and whole else [*whole, not_observed(approach, start, end)]


def _added(first: Any, second: Any) -> Any:
    if isinstance(first, dict):
        return {key: first.get(key, 0) + second.get(key, 0) for key in sorted(first.keys() | second.keys())}
    return first + second


def _state(record: ApproachInterval, which: str) -> dict[str, Any]:
    names = [f"queue_{which}_{what}" for what in ("m", "vehicles", "at_least")]
    return {name: getattr(record, name) for name in names}


def _longer_queue(first: ApproachInterval, second: ApproachInterval) -> dict[str, Any]:
    if first.queue_max_m is None or second.queue_max_m is None:
        return _state(second if first.queue_max_m is None else first, "max")
    longer = max(first, second, key=lambda record: (record.queue_max_m, record.queue_max_at_least))
    vehicles = max(first.queue_max_vehicles or 0, second.queue_max_vehicles or 0)
    return {**_state(longer, "max"), "queue_max_vehicles": vehicles}
