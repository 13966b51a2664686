"""The four figures of coverage, at a moment and over periods."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from service.coverage.facts import KINDS, Evidence, SiteFacts, observed_and_required
from service.coverage.intervals import Floats, contains, lengths
from service.registry import History, SiteKind, Target

Step = Literal["day", "week", "month"]
RECENT = 86_400.0
"""Seconds before a moment over which its time-weighted figure is taken."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Coverage of the key sites of one kind; shares are 0 to 1, and None where there was no key site.

    Attributes:
        kind: junction or public_area.
        start: seconds since the Unix epoch, UTC.
        end: the same as ``start`` for a moment.
        sites: key sites; over a period their mean number in time.
        installed: share with a camera.
        operational: share with fresh frames.
        effective: share seen well, all that must be seen.
        time_weighted: share of required approach-seconds that were observed; of a moment those of the day
            before. It counts approaches where the others count sites, so that it may be larger than they.
        target: what ``effective`` is to reach, in force at the end.
    """

    kind: SiteKind
    start: float
    end: float
    sites: float
    installed: float | None
    operational: float | None
    effective: float | None
    time_weighted: float | None
    target: float

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None where there is no key site."""
        return None if self.effective is None else self.effective >= self.target


def figures_at(
    facts: Sequence[SiteFacts], evidence: Evidence, history: History, time: float
) -> list[Figures]:
    """The figures of each kind of site at one moment."""
    found = []
    for kind in KINDS:
        sites = [each for each in facts if each.kind == kind]
        number = sum(contains(each.key, time) for each in sites)
        installed = sum(contains(each.installed, time) for each in sites)
        operational = sum(contains(each.operational, time) for each in sites)
        effective = sum(contains(each.effective, time) for each in sites)
        edges = np.array([time - RECENT, time])
        found.append(
            Figures(
                kind,
                time,
                time,
                number,
                _share(installed, number),
                _share(operational, number),
                _share(effective, number),
                _time_weighted(sites, evidence, edges)[0],
                target_at(history, kind, time),
            )
        )
    return found


def figures_over(
    facts: Sequence[SiteFacts], evidence: Evidence, history: History, edges: Sequence[float] | Floats
) -> list[Figures]:
    """The figures of each kind of site in each of the periods between ``edges`` (seconds, rising).

    Shares are over time: of the site-seconds in which there was a key site, those in which it had a camera,
    and so on.
    """
    bins = np.asarray(edges, np.float64)
    found = []
    for kind in KINDS:
        sites = [each for each in facts if each.kind == kind]
        zero = np.zeros(len(bins) - 1)
        key = sum((lengths(each.key, bins) for each in sites), zero)
        installed = sum((lengths(each.installed, bins) for each in sites), zero)
        operational = sum((lengths(each.operational, bins) for each in sites), zero)
        effective = sum((lengths(each.effective, bins) for each in sites), zero)
        weighted = _time_weighted(sites, evidence, bins)
        for number, (start, end) in enumerate(zip(bins[:-1].tolist(), bins[1:].tolist(), strict=True)):
            found.append(
                Figures(
                    kind,
                    start,
                    end,
                    float(key[number]) / (end - start),
                    _share(installed[number], key[number]),
                    _share(operational[number], key[number]),
                    _share(effective[number], key[number]),
                    weighted[number],
                    target_at(history, kind, math.nextafter(end, start)),
                )
            )
    return found


def target_at(history: History, kind: SiteKind, time: float) -> float:
    """The target in force at a moment, 1 where none was set."""
    for version in history.get(("targets", kind), ()):
        if isinstance(version.record, Target) and version.start <= time < version.end:
            return version.record.share
    return 1.0


def clock_edges(start: float, end: float, step: Step, tz: str) -> list[float]:
    """Edges of the days, weeks (from Monday) or months of the local clock between two moments, both included.

    The first and the last period are cut at ``start`` and ``end``.
    """
    zone = ZoneInfo(tz)
    day = datetime.fromtimestamp(start, zone).date()
    edges = [start]
    while True:
        if step == "day":
            day += timedelta(days=1)
        elif step == "week":
            day += timedelta(days=7 - day.weekday())
        else:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        edge = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
        if edge >= end:
            return [*edges, end]
        edges.append(edge)


def _time_weighted(sites: Sequence[SiteFacts], evidence: Evidence, edges: Floats) -> list[float | None]:
    parts = [observed_and_required(each, evidence.observed, edges) for each in sites]
    seen = sum((part[0] for part in parts), np.zeros(len(edges) - 1))
    needed = sum((part[1] for part in parts), np.zeros(len(edges) - 1))
    return [_share(some, all_) for some, all_ in zip(seen, needed, strict=True)]


def _share(some: float, all_: float) -> float | None:
    return min(1.0, float(some) / float(all_)) if all_ > 0 else None
