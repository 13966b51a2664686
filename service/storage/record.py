"""Puts what the analysis of one segment measures into the outbox."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from service.storage.messages import Kind, SegmentInfo, bin_start, seconds_to_us
from service.storage.outbox import Outbox
from vision import Crossing
from vision.density import ApproachInterval
from vision.density.records import Light

OBSERVED_LENGTHS = (60, 900)
"""Lengths of the intervals for which observed time is kept, s."""

LATE_S = 5.0
"""A crossing is known within this time after it happened; then its intervals are final, s."""


class Recorder:
    """Records one segment: crossings, observed time and the intervals of its approaches.

    Nothing is in the outbox before :meth:`flush`; live analysis flushes every second, a recording whenever
    much has gathered. A recording speaks for its camera once it is closed, live analysis from its start.

    Args:
        outbox: where it goes.
        segment: what is being analysed.
        approaches: the approach of each gate of the view that has one.
    """

    def __init__(
        self, outbox: Outbox, segment: SegmentInfo, approaches: Mapping[str, str | None] | None = None
    ) -> None:
        self._outbox = outbox
        self._segment = segment
        self._approaches = dict(approaches or {})
        self._head = {"segment": segment.id.hex, "camera": segment.camera, "site": segment.site}
        self._crossings: list[list[Any]] = []
        self._intervals: list[dict[str, Any]] = []
        self._bins: dict[tuple[int, int], int] = defaultdict(int)
        self._lights: dict[tuple[int, int], Counter[Light]] = defaultdict(Counter)
        self._changed: set[tuple[int, int]] = set()
        self._ordinals: dict[tuple[int, str, str], int] = {}
        self._total = 0
        self._last_us = 0
        self._seen_until = 0
        messages: list[tuple[Kind, Mapping[str, Any]]] = [("segment", segment.content())]
        if segment.kind == "live":
            messages.append(("authority", {"segment": segment.id.hex}))
        outbox.put(messages)

    @property
    def waiting(self) -> int:
        """Rows gathered since the last flush."""
        return len(self._crossings) + len(self._intervals)

    def crossings(self, crossings: Iterable[Crossing]) -> None:
        """Add crossings; of several in one microsecond the place on the image decides which is first."""
        for crossing in sorted(crossings, key=lambda c: (c.time, c.gate, c.direction, c.point)):
            time_us = seconds_to_us(crossing.time)
            self._crossings.append(
                [
                    time_us,
                    crossing.gate,
                    self._approaches.get(crossing.gate),
                    crossing.direction,
                    self._ordinal(time_us, crossing.gate, crossing.direction),
                    crossing.vehicle_class.label,
                    round(crossing.confidence, 4),
                    round(crossing.point[0], 5),
                    round(crossing.point[1], 5),
                    crossing.movement,
                    crossing.origin,
                ]
            )
            self._total += 1
            self._last_us = max(self._last_us, time_us + 1)

    def observe(self, start: float, end: float, light: Light | None = None) -> None:
        """Say that the camera was watched from ``start`` to ``end``, seconds since the epoch, in order.

        An interval gets the light that most of it had; ``light`` is None where nobody looked.
        """
        begin_us, end_us = seconds_to_us(start), seconds_to_us(end)
        self._seen_until = end_us
        for length in OBSERVED_LENGTHS:
            at = begin_us
            while at < end_us:
                first = bin_start(at, length)
                until = min(end_us, first + length * 1_000_000)
                self._bins[first, length] += until - at
                if light is not None:
                    self._lights[first, length][light] += until - at
                self._changed.add((first, length))
                at = until

    def intervals(self, records: Iterable[ApproachInterval], *, final: bool = True) -> None:
        """Add intervals of approaches; one that comes again replaces the earlier."""
        self._intervals += [{"sums": record.as_dict(), "final": final} for record in records]

    def flush(self) -> None:
        """Put all that has gathered into the outbox.

        Raises:
            OutboxFullError: it cannot take it; what has gathered is kept, flush again.
        """
        self._put(closing=False)

    def close(self, ended_at: float, *, authoritative: bool = True) -> None:
        """Put the rest into the outbox and end the segment, seconds since the epoch.

        Args:
            ended_at: end of the last frame.
            authoritative: whether a recording speaks for its camera from now on, in the stretch it covers.
        """
        # A crossing in the very last frame belongs to the segment too.
        ended_us = max(seconds_to_us(ended_at), self._last_us)
        self._put(closing=True, ended_us=ended_us, authoritative=authoritative)

    def _put(self, *, closing: bool, ended_us: int = 0, authoritative: bool = False) -> None:
        messages: list[tuple[Kind, Mapping[str, Any]]] = []
        if self._crossings:
            messages.append(("crossings", {**self._head, "rows": self._crossings}))
        if self._intervals:
            messages.append(("intervals", {**self._head, "rows": self._intervals}))
        if rows := self._observed_rows(closing):
            messages.append(("observed", {**self._head, "rows": rows}))
        if closing:
            end = {"segment": self._head["segment"], "ended_us": ended_us, "crossings": self._total}
            messages.append(("end", end))
            if authoritative and self._segment.kind == "recording":
                messages.append(("authority", {"segment": self._head["segment"]}))
        self._outbox.put(messages)
        self._crossings, self._intervals = [], []
        self._changed.clear()
        self._forget_final()

    def _observed_rows(self, closing: bool) -> list[list[Any]]:
        rows: list[list[Any]] = []
        known = self._known_until()
        for first, length in sorted(self._bins):
            final = closing or first + length * 1_000_000 <= known
            if final or (first, length) in self._changed:
                lights = self._lights.get((first, length))
                light = lights.most_common(1)[0][0] if lights else None
                rows.append([first, length, self._bins[first, length], final, light])
        return rows

    def _known_until(self) -> int:
        return self._seen_until - seconds_to_us(LATE_S)

    def _forget_final(self) -> None:
        known = self._known_until()
        self._bins = defaultdict(
            int, {key: seen for key, seen in self._bins.items() if key[0] + key[1] * 1_000_000 > known}
        )
        self._lights = defaultdict(
            Counter, {key: each for key, each in self._lights.items() if key in self._bins}
        )

    def _ordinal(self, time_us: int, gate: str, direction: str) -> int:
        key = (time_us, gate, direction)
        if len(self._ordinals) > 10_000:  # only crossings of the same microsecond matter
            newest = max(time for time, _, _ in self._ordinals)
            kept = {k: n for k, n in self._ordinals.items() if k[0] > newest - 60_000_000}
            self._ordinals = kept
        self._ordinals[key] = self._ordinals.get(key, -1) + 1
        return self._ordinals[key]
