"""The sums of an interval while it is open: moments and passages go in, a record per approach comes out."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.density.congestion import BANDS, LEVELS
from vision.density.passages import Passage
from vision.density.queues import Queue
from vision.density.records import (
    QUEUE_BIN_M,
    SPEED_BIN_KMH,
    TIME_BIN_S,
    ApproachInterval,
    ByClass,
    Light,
)
from vision.density.roads import CLASSES, Sight
from vision.density.stretches import Road, Stretch
from vision.types import VehicleClass

Floats = NDArray[np.float64]

LABELS = (*(kind.label for kind in VehicleClass if kind >= 0), VehicleClass.UNKNOWN.label)
"""Names of the columns by class."""


class IntervalSums:
    """One open interval ``[start, end)`` of all approaches."""

    def __init__(self, stretches: Sequence[Stretch], start: float, end: float) -> None:
        count = len(stretches)
        self.start, self.end = start, end
        self._stretches = stretches
        self._observed = self._looked = 0.0
        self._light: dict[str, float] = {}
        self._present, self._image = np.zeros(count), np.zeros(count)
        self._spent, self._driven = np.zeros((count, CLASSES)), np.zeros((count, CLASSES))
        self._covered, self._stopped, self._gate_covered = np.zeros(count), np.zeros(count), np.zeros(count)
        self._stops = np.zeros(count)
        self._levels, self._bands = np.zeros((count, len(LEVELS))), np.zeros((count, len(BANDS)))
        self._queues: list[list[Queue]] = [[] for _ in stretches]
        self._passages: list[list[Passage]] = [[] for _ in stretches]

    def add_moment(self, seconds: float, sight: Sight, light: Light | None) -> None:
        """Add what was seen in some seconds, and their light."""
        self._observed += seconds
        if light is not None:
            self._light[light] = self._light.get(light, 0.0) + seconds
        self._present += seconds * sight.present
        self._spent += seconds * sight.vehicles
        self._driven += seconds * sight.speeds
        self._covered += seconds * sight.covered_m2
        self._stopped += seconds * sight.stopped
        self._gate_covered += seconds * sight.gate_covered
        self._stops += sight.stops

    def add_look(
        self,
        seconds: float,
        queues: Sequence[Queue | None],
        image_shares: Floats,
        levels: NDArray[np.intp],
        bands: NDArray[np.intp],
    ) -> None:
        """Add one look at queues, covered shares of the zones' pictures, levels and bands."""
        self._looked += seconds
        self._image += seconds * image_shares
        for kept, queue in zip(self._queues, queues, strict=True):
            if queue is not None:
                kept.append(queue)
        rows = np.arange(len(levels))
        self._levels[rows, levels] += seconds
        known = bands >= 0
        self._bands[rows[known], bands[known]] += seconds

    def add_passage(self, passage: Passage) -> None:
        """Add a crossing of an approach's gate."""
        self._passages[passage.approach].append(passage)

    def records(self) -> list[ApproachInterval]:
        """The record of each approach."""
        return [self._record(number, stretch) for number, stretch in enumerate(self._stretches)]

    def _record(self, number: int, stretch: Stretch) -> ApproachInterval:
        return ApproachInterval(
            approach=stretch.approach,
            start=self.start,
            end=self.end,
            expected_seconds=self.end - self.start,
            observed_seconds=self._observed,
            light_seconds={name: float(seconds) for name, seconds in sorted(self._light.items())},
            **(self._at_gate(number) if stretch.gate is not None else {}),
            too_small_s=self._observed if stretch.too_small else 0.0,
            **(self._in_zone(number) if stretch.polygon is not None else {}),
            **(self._on_ground(number, stretch.road) if stretch.road is not None else {}),
        )

    def _at_gate(self, number: int) -> dict[str, Any]:
        passages = self._passages[number]
        entering = [each for each in passages if each.crossing.direction == "in"]
        leaving = [each for each in passages if each.crossing.direction == "out"]
        speeds = [3.6 * each.speed for each in entering if each.speed is not None]
        headways = [each.headway for each in entering if each.headway is not None]
        gaps = [each.gap for each in entering if each.gap is not None]
        return {
            "gate_seconds": self._observed,
            "entered": _tally(entering),
            "left": _tally(leaving),
            "gate_covered_s": float(self._gate_covered[number]),
            "spot_speeds": _histogram(speeds, SPEED_BIN_KMH),
            "spot_speed_sum": sum(speeds),
            "headways": _histogram(headways, TIME_BIN_S),
            "headway_sum": sum(headways),
            "gaps": _histogram(gaps, TIME_BIN_S),
            "gap_sum": sum(gaps),
        }

    def _in_zone(self, number: int) -> dict[str, Any]:
        return {
            "zone_seconds": self._observed,
            "vehicle_seconds": float(self._present[number]),
            "image_seconds": self._looked,
            "image_covered_s": float(self._image[number]),
            "level_seconds": _named(self._levels[number], LEVELS),
            "band_seconds": _named(self._bands[number], BANDS),
        }

    def _on_ground(self, number: int, road: Road) -> dict[str, Any]:
        stretch = self._stretches[number]
        seconds = self._observed
        spent, driven = float(self._spent[number].sum()), float(self._driven[number].sum())
        free = stretch.free_speed
        return {
            "ground_seconds": seconds,
            "calibration_seconds": {road.calibration: seconds} if seconds else {},
            "road_m_s": road.length * seconds,
            "lane_m_s": road.length * (stretch.lanes or 0) * seconds,
            "road_m2_s": road.length * (stretch.width_m or road.width) * seconds,
            "spent_s": _named(self._spent[number], LABELS),
            "driven_m": _named(self._driven[number], LABELS),
            "covered_m2_s": float(self._covered[number]),
            "zone_m2_s": road.length * road.width * seconds,
            "stopped_s": float(self._stopped[number]),
            "stops": int(self._stops[number]),
            "free_flow_known_s": seconds if free else 0.0,
            "delay_s": spent - driven / free if free else 0.0,
            **_queue_fields(self._queues[number]),
        }


def _queue_fields(queues: Sequence[Queue]) -> dict[str, Any]:
    if not queues:
        return {}
    now, longest = queues[-1], max(queues, key=lambda queue: (queue.length, queue.at_least))
    return {
        "queue_samples": len(queues),
        "queue_lengths": _histogram([queue.length for queue in queues], QUEUE_BIN_M),
        "queue_sum_m": sum(queue.length for queue in queues),
        "queue_cut_samples": sum(queue.at_least for queue in queues),
        "queue_now_m": now.length,
        "queue_now_vehicles": now.vehicles,
        "queue_now_at_least": now.at_least,
        "queue_max_m": longest.length,
        "queue_max_vehicles": max(queue.vehicles for queue in queues),
        "queue_max_at_least": longest.at_least,
    }


def _tally(passages: Sequence[Passage]) -> ByClass:
    counts = Counter(passage.crossing.vehicle_class.label for passage in passages)
    return {label: counts[label] for label in LABELS if counts[label]}


def _histogram(values: Sequence[float], width: float) -> dict[int, int]:
    return dict(sorted(Counter(int(value // width) for value in values).items()))


def _named(values: Floats, names: Sequence[str]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True) if value}
