"""Queues that leave the view and sudden falls of speed, from the records of approaches."""

import itertools
from collections.abc import Iterator

import numpy as np

from vision.density.records import ApproachInterval
from vision.incidents.records import Incident
from vision.incidents.settings import IncidentSettings

Records = list[ApproachInterval]
Point = tuple[float, float]

_WATCHED = 0.8
"""A window of which a smaller share was observed says nothing."""


class QueueWatch:
    """Whether one approach's queue goes on beyond the view, during green too.

    Args:
        point: where to show it, as fractions of the picture.
        settings: thresholds.
        numbers: gives each incident its number.
    """

    def __init__(self, point: Point, settings: IncidentSettings, numbers: Iterator[int]) -> None:
        self._point = point
        self._settings = settings
        self._numbers = numbers
        self._records: Records = []
        self._end = 0.0  # of the last interval in which it reached the end of the view
        self._open: Incident | None = None

    def update(self, record: ApproachInterval) -> list[Incident]:
        """Take the next interval."""
        settings = self._settings
        if not record.queue_samples:
            last = self._records[-1].end if self._records else record.start
            return self.close() if record.end - last > settings.unobserved_s else []
        self._records.append(record)
        if _queue_share([record]) >= settings.queue_back_share:
            self._end = record.end
        while _looks(self._records[1:]) >= settings.queue_s:
            del self._records[0]
        if self._open is not None:
            latest = _latest(self._records, settings.queue_back_s)
            over = _queue_share(latest) < settings.queue_back_share
            return self.close(cut=False) if over else []
        share, longest = _queue_share(self._records), _longest(self._records)
        if _looks(self._records) < settings.queue_s or longest < settings.queue_least_m:
            return []
        if share < settings.queue_share:
            return []
        self._open = self._incident(share, longest)
        return [self._open]

    def close(self, *, cut: bool = True) -> list[Incident]:
        """End it, if there is one, and begin anew."""
        ended = [self._open.closed(self._end, cut=cut)] if self._open is not None else []
        self._open, self._records = None, []
        return ended

    def _incident(self, share: float, longest: float) -> Incident:
        first = next(record for record in self._records if record.queue_cut_samples)
        vehicles = [record.queue_max_vehicles or 0 for record in self._records]
        return Incident(
            number=next(self._numbers),
            kind="queue_beyond_view",
            start=first.start,
            end=None,
            cut=False,
            place=first.approach,
            point=self._point,
            evidence={
                "cut_share": share,
                "looked_s": float(_looks(self._records)),
                "seen_m": longest,
                "seen_vehicles": float(max(vehicles)),
            },
            thresholds=self._settings.of(
                "queue_s", "queue_share", "queue_least_m", "queue_back_s", "queue_back_share"
            ),
        )


class SpeedWatch:
    """Whether one approach's space-mean speed has fallen suddenly.

    The speed of the latest window is held against the windows before it, as a share and in standard
    deviations, and must stay low for some time: the standard normal deviate with a second critical value
    (Dudek, Messer and Nuckles, "Incident detection on urban freeways", Transportation Research Record 495,
    1974), here of the speed, with windows that hold a signal's whole cycle.

    Args:
        point: where to show it, as fractions of the picture.
        settings: thresholds.
        numbers: gives each incident its number.
    """

    def __init__(self, point: Point, settings: IncidentSettings, numbers: Iterator[int]) -> None:
        self._point = point
        self._settings = settings
        self._numbers = numbers
        self._records: Records = []
        self._low_since: float | None = None
        self._usual = 0.0  # km/h before the fall
        self._deviation = 0.0
        self._end = 0.0
        self._open: Incident | None = None

    def update(self, record: ApproachInterval) -> list[Incident]:
        """Take the next interval."""
        settings = self._settings
        if record.ground_seconds <= 0:
            last = self._records[-1].end if self._records else record.start
            return self.close() if record.end - last > settings.unobserved_s else []
        self._records.append(record)
        oldest = record.end - settings.speed_window_s * (settings.speed_before_windows + 1)
        oldest -= settings.speed_lasting_s
        self._records = [each for each in self._records if each.end > oldest]
        now = self._speed(self._between(record.end - settings.speed_window_s, record.end))
        if self._open is not None:
            return self._go_on(now, record.end)
        if now is None or not self._is_low(now, record.end):
            self._low_since = None
            return []
        if self._low_since is None:
            self._low_since = record.end
        if record.end - self._low_since < settings.speed_lasting_s:
            return []
        self._open = self._incident(now, record)
        self._end = record.end
        return [self._open]

    def close(self, *, cut: bool = True) -> list[Incident]:
        """End it, if there is one, and begin anew."""
        ended = [self._open.closed(self._end, cut=cut)] if self._open is not None else []
        self._open, self._low_since, self._records = None, None, []
        return ended

    def _go_on(self, now: float | None, end: float) -> list[Incident]:
        if now is not None and now >= self._settings.speed_back_share * self._usual:
            return self.close(cut=False)
        self._end = end
        return []

    def _is_low(self, now: float, end: float) -> bool:
        """Whether a speed is far below what was usual; that is kept from the beginning of the fall."""
        settings, window = self._settings, self._settings.speed_window_s
        if self._low_since is None:
            ends = [end - window * number for number in range(1, settings.speed_before_windows + 1)]
            windows = [self._between(each - window, each) for each in ends]
            speeds = [speed for each in windows if (speed := self._speed(each)) is not None]
            if len(speeds) < settings.speed_before_windows:
                return False
            self._usual, self._deviation = float(np.mean(speeds)), float(np.std(speeds, ddof=1))
        fall = self._usual - now
        return (
            self._usual >= settings.speed_least_kmh
            and now < settings.speed_share * self._usual
            and fall > settings.speed_deviations * self._deviation
        )

    def _between(self, start: float, end: float) -> Records:
        return [record for record in self._records if record.start >= start and record.end <= end]

    def _speed(self, records: Records) -> float | None:
        """Space-mean speed, km/h; None where too little was observed or too few vehicles were there."""
        seconds = sum(record.ground_seconds for record in records)
        spent = _spent(records)
        if seconds < _WATCHED * self._settings.speed_window_s:
            return None
        return _kmh(records) if spent >= self._settings.speed_vehicles * seconds else None

    def _fell_at(self) -> float:
        """Beginning of the longest stretch up to now whose speed is low throughout."""
        limit = self._settings.speed_share * self._usual
        low = itertools.takewhile(lambda record: _kmh([record]) < limit, reversed(self._records))
        return min((record.start for record in low), default=self._records[-1].start)

    def _incident(self, now: float, record: ApproachInterval) -> Incident:
        latest = self._between(record.end - self._settings.speed_window_s, record.end)
        seconds = sum(each.ground_seconds for each in latest)
        return Incident(
            number=next(self._numbers),
            kind="speed_drop",
            start=self._fell_at(),
            end=None,
            cut=False,
            place=record.approach,
            point=self._point,
            evidence={
                "before_kmh": self._usual,
                "now_kmh": now,
                "deviation_kmh": self._deviation,
                "vehicles": _spent(latest) / seconds,
            },
            thresholds=self._settings.of(
                "speed_window_s",
                "speed_before_windows",
                "speed_share",
                "speed_deviations",
                "speed_lasting_s",
                "speed_back_share",
                "speed_vehicles",
                "speed_least_kmh",
            ),
        )


def _looks(records: Records) -> int:
    """How often the queue was looked at, which is once a second."""
    return sum(record.queue_samples for record in records)


def _queue_share(records: Records) -> float:
    """At which share of the looks the queue reached the end of the view."""
    return sum(record.queue_cut_samples for record in records) / max(_looks(records), 1)


def _longest(records: Records) -> float:
    """The longest queue that was seen, m."""
    return max((record.queue_max_m or 0.0 for record in records), default=0.0)


def _latest(records: Records, looks: float) -> Records:
    """The last records that make up so many looks."""
    chosen: Records = []
    for record in reversed(records):
        if _looks(chosen) >= looks:
            break
        chosen.append(record)
    return chosen


def _spent(records: Records) -> float:
    return sum(sum(record.spent_s.values()) for record in records)


def _kmh(records: Records) -> float:
    """Space-mean speed by Edie: distance ÷ time, km/h; 0 where nobody was there."""
    spent = _spent(records)
    return 3.6 * sum(sum(record.driven_m.values()) for record in records) / spent if spent > 0 else 0.0
