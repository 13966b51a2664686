"""A junction's figures from those of its approaches, each as its owner camera saw it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from vision.density.congestion import LEVELS
from vision.density.figures import Figures, figures_of
from vision.density.records import ApproachInterval, Status, not_observed

NO_OWNER = "no_owner"
"""Why a figure is missing: in this interval no camera spoke for the approach."""

ON_IMAGE = "on_image"
"""Why a junction has no occupancy: an approach's is a share of its picture, whose m² are not known."""

NO_MOVEMENTS = "no_movements"
"""Why a figure is missing: the approach's camera does not see where its vehicles leave."""

ByClass = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class JunctionFigures:
    """What can be said of a junction in one interval.

    A sum or a mean over the approaches is None where one approach lacks it; a greatest one is then that of
    the others, and marked ``at_least``. ``reasons`` says which approach and why.

    Attributes:
        start: beginning, seconds since the Unix epoch, UTC.
        end: end (exclusive).
        status: ``observed`` if every approach was, ``not_observed`` if none, else ``partial``.
        expected_seconds: approach-seconds that should have been watched, s.
        observed_seconds: approach-seconds that were, s.
        observed_share: the one over the other, 0 to 1.
        count: vehicles that entered the junction; a count of what was seen, not scaled up.
        count_by_class: the same by class label.
        count_by_movement: movement → class label → vehicles, of those approaches that know them.
        flow_per_h: entering vehicles per observed hour.
        flow_pcu_per_h: the same in passenger-car units.
        flow_mcu_per_h: the same in motorcycle units.
        density_per_km: mean of the approaches' densities, weighted by the length of their stretches.
        area_occupancy: mean of the approaches' occupancies of the ground, weighted by the zones' areas.
        queue_max_m: longest queue of any approach, m from the stop line.
        queue_max_approach: the approach that has it.
        queue_max_at_least: whether it may have been longer, there or on an approach that lacks a queue.
        level: worst level of congestion of any approach.
        level_approach: the first approach that has it.
        level_at_least: whether an approach that lacks a level may have been worse.
        approaches: figures of each approach, which stand whatever the others lack.
        reasons: name of a field → approach → code of why that approach lacks it.
    """

    start: float
    end: float
    status: Status
    expected_seconds: float
    observed_seconds: float
    observed_share: float
    approaches: tuple[Figures, ...]
    count: int | None = None
    count_by_class: dict[str, int] | None = None
    count_by_movement: dict[str, dict[str, int]] = field(default_factory=dict)
    flow_per_h: float | None = None
    flow_pcu_per_h: float | None = None
    flow_mcu_per_h: float | None = None
    density_per_km: float | None = None
    area_occupancy: float | None = None
    queue_max_m: float | None = None
    queue_max_approach: str | None = None
    queue_max_at_least: bool = False
    level: str | None = None
    level_approach: str | None = None
    level_at_least: bool = False
    reasons: dict[str, dict[str, str]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """All fields as JSON can hold them."""
        return asdict(self)


def roll_up(
    required: Sequence[str],
    records: Mapping[str, ApproachInterval],
    start: float,
    end: float,
    movements: Mapping[str, Mapping[str, ByClass]] | None = None,
) -> JunctionFigures:
    """Bring a junction's approaches together.

    Args:
        required: ids of all approaches of the junction.
        records: sums of each approach by its owner camera in this interval; one without an owner is absent.
        start: beginning of the interval, seconds since the Unix epoch, UTC.
        end: its end (exclusive).
        movements: approach → movement → class label → vehicles that made it; an approach whose camera does
            not see the exits is absent.

    Raises:
        ValueError: no approach is required, or a record is of another interval.
    """
    if not required:
        raise ValueError("a junction has approaches")
    if any((record.start, record.end) != (start, end) for record in records.values()):
        raise ValueError(f"a record is not of the interval {start} to {end}")
    whole = {each: records.get(each) or not_observed(each, start, end) for each in required}
    figures = {each: figures_of(record) for each, record in whole.items()}
    reasons = {name: lacking for name in _FIELDS if (lacking := _lacking(name, figures, records))}
    if movements is not None and (unseen := [each for each in required if each not in movements]):
        reasons["count_by_movement"] = dict.fromkeys(unseen, NO_MOVEMENTS)
    if on_image := [each for each, f in figures.items() if f.area_occupancy_basis == "image"]:
        reasons["area_occupancy"] = dict.fromkeys(on_image, ON_IMAGE) | reasons.get("area_occupancy", {})
    values: dict[str, Any] = {
        name: None if name in reasons else _TOTALS[name](whole, figures) for name in _TOTALS
    }
    expected = sum(record.expected_seconds for record in whole.values())
    observed = sum(record.observed_seconds for record in whole.values())
    statuses = {record.status for record in whole.values()}
    return JunctionFigures(
        start=start,
        end=end,
        status=statuses.pop() if len(statuses) == 1 else "partial",
        expected_seconds=expected,
        observed_seconds=observed,
        observed_share=observed / expected if expected else 0.0,
        approaches=tuple(figures.values()),
        count_by_movement={
            name: dict(made) for each in (movements or {}).values() for name, made in each.items()
        },
        **values,
        **_longest_queue(figures, "queue_max_m" in reasons),
        **_worst_level(figures, "level" in reasons),
        reasons=reasons,
    )


Records = Mapping[str, ApproachInterval]
Known = Mapping[str, Figures]


def _lacking(name: str, figures: Known, records: Records) -> dict[str, str]:
    """Approaches that lack a figure, and why."""
    return {
        each: figure.reasons.get(name, "not_observed") if each in records else NO_OWNER
        for each, figure in figures.items()
        if getattr(figure, name) is None
    }


def _sum(name: str) -> Callable[[Records, Known], Any]:
    return lambda _records, figures: sum(getattr(each, name) for each in figures.values())


def _by_class(_records: Records, figures: Known) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in figures.values():
        total.update(each.count_by_class or {})
    return dict(total)


def _density(records: Records, figures: Known) -> float:
    """Weighted by the length of each stretch: all vehicles over all the road that is watched."""
    lengths = {each: record.road_m_s / record.ground_seconds for each, record in records.items()}
    return _weighted({each: f.density_per_km or 0.0 for each, f in figures.items()}, lengths)


def _occupancy(records: Records, figures: Known) -> float:
    """Weighted by the area of each zone: all ground covered over all the ground that is watched."""
    areas = {each: record.zone_m2_s / record.ground_seconds for each, record in records.items()}
    return _weighted({each: f.area_occupancy or 0.0 for each, f in figures.items()}, areas)


def _weighted(values: Mapping[str, float], weights: Mapping[str, float]) -> float:
    return sum(values[each] * weights[each] for each in values) / sum(weights.values())


def _longest_queue(figures: Known, is_incomplete: bool) -> dict[str, Any]:
    queues = {each: f.queue_max_m for each, f in figures.items() if f.queue_max_m is not None}
    if not queues:
        return {}
    longest = max(queues, key=queues.__getitem__)
    cut = any(f.queue_max_at_least for f in figures.values())
    return {
        "queue_max_m": queues[longest],
        "queue_max_approach": longest,
        "queue_max_at_least": cut or is_incomplete,
    }


def _worst_level(figures: Known, is_incomplete: bool) -> dict[str, Any]:
    levels = {each: LEVELS.index(f.level) for each, f in figures.items() if f.level in LEVELS}
    if not levels:
        return {}
    worst = max(levels, key=levels.__getitem__)
    return {
        "level": LEVELS[levels[worst]],
        "level_approach": worst,
        "level_at_least": is_incomplete and LEVELS[levels[worst]] != LEVELS[-1],
    }


_TOTALS: dict[str, Callable[[Records, Known], Any]] = {
    "count": _sum("count"),
    "count_by_class": _by_class,
    "flow_per_h": _sum("flow_per_h"),
    "flow_pcu_per_h": _sum("flow_pcu_per_h"),
    "flow_mcu_per_h": _sum("flow_mcu_per_h"),
    "density_per_km": _density,
    "area_occupancy": _occupancy,
}
"""Figures that need those of every approach."""

_FIELDS = (*_TOTALS, "queue_max_m", "level")
