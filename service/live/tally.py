"""What a camera counted lately, for those who watch: since midnight, in the last minute, and what is new."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from service.live.messages import ApproachLive, CrossingLive
from vision import Crossing
from vision.density import ApproachInterval, figures_of

KEPT = 500
"""Crossings that wait to be reported at most; a service that was away misses the oldest."""


class Tally:
    """The running counts of one camera; they begin anew at local midnight.

    Args:
        started: when counting began, seconds since the epoch.
        zone: time zone of midnight.

    Attributes:
        since: since when it counts.
        fresh: crossings that were not reported yet; whoever reports them takes them from the left.
        approaches: the newest interval of each approach.
    """

    def __init__(self, started: float, zone: ZoneInfo) -> None:
        self._zone = zone
        self._begin(started)
        self.fresh: deque[CrossingLive] = deque(maxlen=KEPT)
        self.approaches: dict[str, ApproachLive] = {}
        self._recent: deque[tuple[float, str]] = deque()

    def add(self, crossings: Iterable[Crossing]) -> None:
        """Take new crossings."""
        for each in crossings:
            label = each.vehicle_class.label
            self._roll(each.time)
            if each.time >= self.since:
                self._counts[each.gate, each.direction][label] += 1
                if each.movement:
                    self._movements[each.movement][label] += 1
            self._recent.append((each.time, label))
            self.fresh.append(
                CrossingLive.model_validate(
                    {
                        "time": each.time,
                        "gate": each.gate,
                        "direction": each.direction,
                        "vehicle_class": label,
                        "movement": each.movement,
                    }
                )
            )

    def intervals(self, records: Sequence[ApproachInterval]) -> None:
        """Take closed intervals of approaches."""
        for record in records:
            figures = figures_of(record)
            self.approaches[record.approach] = ApproachLive(
                approach=record.approach,
                level=figures.level,
                density_per_km=figures.density_per_km,
                space_mean_speed_kmh=figures.space_mean_speed_kmh,
                queue_m=figures.queue_max_m,
                area_occupancy=figures.area_occupancy,
                flow_per_h=figures.flow_per_h,
                start=record.start,
                end=record.end,
            )

    def forget_approaches(self) -> None:
        """Their figures hold no more, as after the camera has moved."""
        self.approaches = {name: ApproachLive(approach=name) for name in self.approaches}

    def report(self, now: float) -> dict[str, Any]:
        """The fields of a :class:`service.live.messages.CameraReport` that it knows."""
        self._roll(now)
        while self._recent and self._recent[0][0] <= now - 60:
            self._recent.popleft()
        counts: dict[str, dict[str, dict[str, int]]] = defaultdict(dict)
        for (gate, way), by_class in self._counts.items():
            counts[gate][way] = dict(by_class)
        return {
            "counts": dict(counts),
            "counts_since": self.since,
            "last_minute": dict(Counter(label for _, label in self._recent)),
            "movements": {name: dict(by_class) for name, by_class in self._movements.items()},
            "approaches": list(self.approaches.values()),
        }

    def _begin(self, since: float) -> None:
        self.since = since
        day = datetime.fromtimestamp(since, self._zone).date() + timedelta(days=1)
        self._midnight = datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp()
        self._counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._movements: dict[str, Counter[str]] = defaultdict(Counter)

    def _roll(self, now: float) -> None:
        if now >= self._midnight:
            start = datetime.fromtimestamp(now, self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
            self._begin(start.timestamp())
