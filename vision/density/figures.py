"""The figures of an interval, computed from its sums: each has a unit, or is None with a reason."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from vision.density.factors import MCU_TABLE, PCU_TABLE, FactorTable, load_factors
from vision.density.records import (
    QUEUE_BIN_M,
    SPEED_BIN_KMH,
    TIME_BIN_S,
    ApproachInterval,
    ByClass,
    Histogram,
    Status,
)

REASONS = {
    "not_observed": "nothing was seen in this interval",
    "no_gate": "the view has no gate for this approach, or several and its zone names no stop_line",
    "no_zone": "the view has no zone for this approach",
    "too_small": "vehicles in its zone are too small in the picture for the detector to find most of them",
    "not_calibrated": "needs a calibration of the ground that holds for the zone",
    "no_vehicles": "no vehicle that it could be measured on",
    "lanes_unknown": "the view does not say how many lanes the approach has",
    "free_speed_unknown": "the view does not say the approach's free speed",
    "class_unknown": "no vehicle's class is known",
    "learning": "not seen for long enough to know what is usual here",
}
"""Why a figure is None, by code."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What can be said of one approach in one interval; None always has its code in ``reasons``.

    Attributes:
        approach: id of the approach.
        start: beginning, seconds since the Unix epoch, UTC.
        end: end (exclusive), seconds since the Unix epoch, UTC.
        status: ``observed``, ``partial`` or ``not_observed``.
        expected_seconds: how long it should have been watched, s.
        observed_seconds: how long it was, s.
        calibration: version of the calibration of the ground that most of the interval had.
        light: ``day``, ``dusk`` or ``night``: what most of it had.
        count: vehicles that entered over the gate; a count of what was seen, not scaled up.
        count_out: vehicles that left over the gate.
        count_by_class: ``count`` by class label; only classes that occurred.
        flow_per_h: entering vehicles per observed hour.
        flow_pcu_per_h: the same in passenger-car units.
        flow_mcu_per_h: the same in motorcycle units.
        edie_flow_per_h: distance driven ÷ space-time area (Edie 1963), vehicles/h; density × space-mean
            speed.
        density_per_km: time spent ÷ space-time area (Edie 1963), vehicles/km.
        density_per_km_lane: the same per lane, vehicles/km/lane.
        density_per_km_10m: the same per 10 m of road width, vehicles/km.
        density_pcu_per_km: in passenger-car units, PCU/km.
        density_mcu_per_km: in motorcycle units, MCU/km.
        density_by_class: ``density_per_km`` by class label.
        vehicles: mean number of vehicles in the zone.
        space_mean_speed_kmh: distance driven ÷ time spent (Edie 1963), km/h.
        space_mean_speed_by_class: the same by class label.
        time_mean_speed_kmh: mean of the speeds at the gate, km/h.
        speed_p85_kmh: 85th percentile of the speeds at the gate, km/h.
        area_occupancy: share of the zone covered by vehicles, 0 to 1.
        area_occupancy_basis: ``ground`` or ``image``.
        time_occupancy: share of time in which the gate is covered, 0 to 1.
        headway_mean_s: mean time between entering vehicles, all lanes together, s.
        headway_p50_s: median of the same, s.
        gap_mean_s: mean time from the rear of one vehicle to the front of the next, s.
        queue_now_m: length of the queue at the end, m from the stop line.
        queue_now_vehicles: vehicles in it.
        queue_now_at_least: whether it may be longer than the view shows.
        queue_max_m: longest queue, m.
        queue_max_vehicles: most vehicles in a queue.
        queue_max_at_least: whether it may have been longer than the view shows.
        queue_p95_m: 95th percentile of the queue's length in time, m.
        queue_p95_at_least: whether it may be longer than the view shows.
        queue_mean_m: mean length in time, m.
        stopped_vehicles: mean number of standing vehicles.
        stops: how often a vehicle came to a stand.
        delay_s: time lost against free flow in the stretch, vehicle·s.
        delay_per_vehicle_s: the same for each entering vehicle, s.
        level: level of congestion that held longest: ``free``, ``busy``, ``slow``, ``jammed``.
        density_band: how full the zone was against what is usual there: ``low``, ``usual``, ``high``,
            ``very_high``.
        reasons: name of a field → code in :data:`REASONS` of why it is None.
    """

    approach: str
    start: float
    end: float
    status: Status
    expected_seconds: float
    observed_seconds: float
    light: str | None = None
    calibration: str | None = None
    count: int | None = None
    count_out: int | None = None
    count_by_class: dict[str, int] | None = None
    flow_per_h: float | None = None
    flow_pcu_per_h: float | None = None
    flow_mcu_per_h: float | None = None
    edie_flow_per_h: float | None = None
    density_per_km: float | None = None
    density_per_km_lane: float | None = None
    density_per_km_10m: float | None = None
    density_pcu_per_km: float | None = None
    density_mcu_per_km: float | None = None
    density_by_class: ByClass | None = None
    vehicles: float | None = None
    space_mean_speed_kmh: float | None = None
    space_mean_speed_by_class: ByClass | None = None
    time_mean_speed_kmh: float | None = None
    speed_p85_kmh: float | None = None
    area_occupancy: float | None = None
    area_occupancy_basis: str | None = None
    time_occupancy: float | None = None
    headway_mean_s: float | None = None
    headway_p50_s: float | None = None
    gap_mean_s: float | None = None
    queue_now_m: float | None = None
    queue_now_vehicles: int | None = None
    queue_now_at_least: bool | None = None
    queue_max_m: float | None = None
    queue_max_vehicles: int | None = None
    queue_max_at_least: bool | None = None
    queue_p95_m: float | None = None
    queue_p95_at_least: bool | None = None
    queue_mean_m: float | None = None
    stopped_vehicles: float | None = None
    stops: int | None = None
    delay_s: float | None = None
    delay_per_vehicle_s: float | None = None
    level: str | None = None
    density_band: str | None = None
    reasons: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """All fields as JSON can hold them."""
        return asdict(self)


def figures_of(
    record: ApproachInterval, pcu: FactorTable | None = None, mcu: FactorTable | None = None
) -> Figures:
    """The figures of one interval.

    Args:
        record: its sums.
        pcu: passenger-car units; None takes ``PCU_TABLE``.
        mcu: motorcycle units; None takes ``MCU_TABLE``.
    """
    tables = (pcu or load_factors(PCU_TABLE), mcu or load_factors(MCU_TABLE))
    values: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for part in (_at_gate(record, tables), _in_zone(record), _on_ground(record, tables), _queue(record)):
        for name, value in part.items():
            if isinstance(value, _Unknown):
                reasons[name] = "not_observed" if record.status == "not_observed" else value.reason
            else:
                values[name] = value
    return Figures(
        approach=record.approach,
        start=record.start,
        end=record.end,
        status=record.status,
        expected_seconds=record.expected_seconds,
        observed_seconds=record.observed_seconds,
        light=max(record.light_seconds, key=record.light_seconds.__getitem__, default=None),
        calibration=max(record.calibration_seconds, key=record.calibration_seconds.__getitem__, default=None),
        **values,
        reasons=reasons,
    )


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A figure that cannot be known, and the code of why."""

    reason: str


Part = Mapping[str, Any]


def _ratio(amount: float, out_of: float, reason: str, scale: float = 1.0) -> float | _Unknown:
    return scale * amount / out_of if out_of > 0 else _Unknown(reason)


def _no_zone(record: ApproachInterval) -> _Unknown:
    return _Unknown("too_small" if record.too_small_s > 0 else "no_zone")


def _no_ground(record: ApproachInterval) -> _Unknown:
    if record.zone_seconds <= 0:
        return _no_zone(record)
    return _Unknown("not_calibrated" if record.gate_seconds > 0 else "no_gate")


def _in_units(table: FactorTable, by_class: ByClass, out_of: float, scale: float) -> float | _Unknown:
    total = table.total(by_class)
    return _Unknown("class_unknown") if total is None else scale * total / out_of


def _at_gate(record: ApproachInterval, tables: Sequence[FactorTable]) -> Part:
    if record.gate_seconds <= 0:
        return dict.fromkeys(_GATE_FIELDS, _Unknown("no_gate"))
    pcu, mcu = (_in_units(table, record.entered, record.gate_seconds, 3600) for table in tables)
    spots, headways, gaps = (
        sum(counts.values()) for counts in (record.spot_speeds, record.headways, record.gaps)
    )
    no_speed = "not_calibrated" if record.entered else "no_vehicles"
    return {
        "count": round(sum(record.entered.values())),
        "count_out": round(sum(record.left.values())),
        "count_by_class": {label: round(number) for label, number in record.entered.items()},
        "flow_per_h": 3600 * sum(record.entered.values()) / record.gate_seconds,
        "flow_pcu_per_h": pcu,
        "flow_mcu_per_h": mcu,
        "time_mean_speed_kmh": _ratio(record.spot_speed_sum, spots, no_speed),
        "speed_p85_kmh": _or_unknown(percentile(record.spot_speeds, 0.85, SPEED_BIN_KMH), no_speed),
        "time_occupancy": _ratio(record.gate_covered_s, record.zone_seconds, _no_zone(record).reason),
        "headway_mean_s": _ratio(record.headway_sum, headways, "no_vehicles"),
        "headway_p50_s": _or_unknown(percentile(record.headways, 0.5, TIME_BIN_S), "no_vehicles"),
        "gap_mean_s": _ratio(record.gap_sum, gaps, no_speed),
    }


def _in_zone(record: ApproachInterval) -> Part:
    if record.zone_seconds <= 0:
        return dict.fromkeys(_ZONE_FIELDS, _no_zone(record))
    calibrated = record.zone_m2_s > 0
    image = _ratio(record.image_covered_s, record.image_seconds, "not_observed")
    occupancy = record.covered_m2_s / record.zone_m2_s if calibrated else image
    return {
        "vehicles": record.vehicle_seconds / record.zone_seconds,
        "area_occupancy": occupancy if isinstance(occupancy, _Unknown) else min(occupancy, 1.0),
        "area_occupancy_basis": "ground" if calibrated else "image",
        "level": _most(record.level_seconds, "learning"),
        "density_band": _most(record.band_seconds, "learning"),
    }


def _on_ground(record: ApproachInterval, tables: Sequence[FactorTable]) -> Part:
    if record.ground_seconds <= 0:
        return dict.fromkeys(_GROUND_FIELDS, _no_ground(record))
    spent = sum(record.spent_s.values())
    # Sums keep their sign, so that the noise of standing vehicles cancels; a figure is never below 0.
    driven = max(sum(record.driven_m.values()), 0.0)
    road = record.road_m_s
    pcu, mcu = (_in_units(table, record.spent_s, road, 1000) for table in tables)
    entered = sum(record.entered.values())
    delay = max(record.delay_s, 0.0) if record.free_flow_known_s else _Unknown("free_speed_unknown")
    return {
        "edie_flow_per_h": 3600 * driven / road,
        "density_per_km": 1000 * spent / road,
        "density_per_km_lane": _ratio(spent, record.lane_m_s, "lanes_unknown", 1000),
        "density_per_km_10m": 10_000 * spent / record.road_m2_s,
        "density_pcu_per_km": pcu,
        "density_mcu_per_km": mcu,
        "density_by_class": {label: 1000 * time / road for label, time in record.spent_s.items()},
        "space_mean_speed_kmh": _ratio(driven, spent, "no_vehicles", 3.6),
        "space_mean_speed_by_class": {
            label: 3.6 * max(record.driven_m.get(label, 0.0), 0.0) / time
            for label, time in record.spent_s.items()
            if time > 0
        },
        "stopped_vehicles": record.stopped_s / record.ground_seconds,
        "stops": record.stops,
        "delay_s": delay,
        "delay_per_vehicle_s": (
            delay if isinstance(delay, _Unknown) else _ratio(delay, entered, "no_vehicles")
        ),
    }


def _queue(record: ApproachInterval) -> Part:
    if record.queue_samples == 0:
        return dict.fromkeys(_QUEUE_FIELDS, _no_ground(record))
    cut_share = record.queue_cut_samples / record.queue_samples
    top = percentile(record.queue_lengths, 0.95, QUEUE_BIN_M) or 0.0
    return {
        "queue_now_m": record.queue_now_m,
        "queue_now_vehicles": record.queue_now_vehicles,
        "queue_now_at_least": record.queue_now_at_least,
        "queue_max_m": record.queue_max_m,
        "queue_max_vehicles": record.queue_max_vehicles,
        "queue_max_at_least": record.queue_max_at_least,
        "queue_p95_m": min(top, record.queue_max_m or 0.0),
        # A queue cut by the view is among the longest that can be seen.
        "queue_p95_at_least": cut_share > 0.05,
        "queue_mean_m": record.queue_sum_m / record.queue_samples,
    }


def percentile(histogram: Histogram, share: float, width: float) -> float | None:
    """The value below which a share of a histogram lies, even within each bin; None where it is empty.

    It is off by at most the width of a bin.
    """
    wanted = share * sum(histogram.values())
    below = 0.0
    for number in sorted(histogram):
        if below + histogram[number] >= wanted and histogram[number]:
            return width * (number + (wanted - below) / histogram[number])
        below += histogram[number]
    return None


def _or_unknown(value: float | None, reason: str) -> float | _Unknown:
    return _Unknown(reason) if value is None else value


def _most(seconds: Mapping[str, float], reason: str) -> str | _Unknown:
    return max(seconds, key=seconds.__getitem__) if seconds else _Unknown(reason)


_GATE_FIELDS = (
    "count",
    "count_out",
    "count_by_class",
    "flow_per_h",
    "flow_pcu_per_h",
    "flow_mcu_per_h",
    "time_mean_speed_kmh",
    "speed_p85_kmh",
    "time_occupancy",
    "headway_mean_s",
    "headway_p50_s",
    "gap_mean_s",
)
_ZONE_FIELDS = ("vehicles", "area_occupancy", "area_occupancy_basis", "level", "density_band")
_GROUND_FIELDS = (
    "edie_flow_per_h",
    "density_per_km",
    "density_per_km_lane",
    "density_per_km_10m",
    "density_pcu_per_km",
    "density_mcu_per_km",
    "density_by_class",
    "space_mean_speed_kmh",
    "space_mean_speed_by_class",
    "stopped_vehicles",
    "stops",
    "delay_s",
    "delay_per_vehicle_s",
)
_QUEUE_FIELDS = tuple(
    f"queue_{name}"
    for name in (
        *("now_m", "now_vehicles", "now_at_least"),
        *("max_m", "max_vehicles", "max_at_least"),
        *("p95_m", "p95_at_least", "mean_m"),
    )
)
