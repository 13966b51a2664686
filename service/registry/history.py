"""The registry through time: dated versions of records, and changes that leave the past alone."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from service.registry.records import Record, Ref

City = Mapping[Ref, Record]
"""The registry at one moment."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a record said during [start, end), seconds since the Unix epoch, UTC; the end may be infinite."""

    record: Record
    start: float
    end: float = math.inf


History = Mapping[Ref, tuple[Version, ...]]
"""Every record's versions, in order of time and apart; between two of them it did not exist."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record that becomes another.

    Attributes:
        ref: which record.
        before: what it said until then; None where it did not exist.
        after: what it says from then on; None where it ends.
        until: moment at which a change recorded earlier takes over; infinite where none does.
    """

    ref: Ref
    before: Record | None
    after: Record | None
    until: float = math.inf

    def fields(self) -> list[tuple[str, object, object]]:
        """Name, old and new value of each field that differs; of all that say something for a new record."""
        before = self.before.model_dump() if self.before else {}
        after = self.after.model_dump() if self.after else {}
        names = dict.fromkeys([*before, *after])
        return [
            (name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
        ]


def city_at(history: History, time: float) -> dict[Ref, Record]:
    """What the registry says at one moment."""
    return {
        ref: version.record
        for ref, versions in history.items()
        for version in versions
        if version.start <= time < version.end
    }


def difference(history: History, wanted: City, time: float) -> list[Change]:
    """What must change at a moment for the registry to say what is wanted, in order of the records' names."""
    now = city_at(history, time)
    return [
        Change(ref, now.get(ref), wanted.get(ref), _until(history.get(ref, ()), time))
        for ref in sorted({*now, *wanted})
        if now.get(ref) != wanted.get(ref)
    ]


def apply_changes(history: History, changes: Iterable[Change], time: float) -> dict[Ref, tuple[Version, ...]]:
    """The history in which the changes hold from a moment on.

    Nothing before ``time`` is touched, and neither is what was recorded for after ``Change.until``.
    """
    changed = dict(history)
    for change in changes:
        versions = [
            replace(version, end=time) if version.start < time < version.end else version
            for version in history.get(change.ref, ())
            if version.start != time
        ]
        if change.after is not None:
            versions.append(Version(change.after, time, change.until))
        changed[change.ref] = _joined(sorted(versions, key=lambda version: version.start))
    return changed


def boundaries(history: History, after: float) -> list[float]:
    """The moments later than ``after`` at which anything changes, in order."""
    moments = {
        moment for versions in history.values() for each in versions for moment in (each.start, each.end)
    }
    return sorted(moment for moment in moments if after < moment < math.inf)


def _until(versions: Iterable[Version], time: float) -> float:
    """When what was recorded earlier takes over: the end of the version in force, or the next one's start."""
    return min(
        (each.end if each.start <= time else each.start for each in versions if each.end > time),
        default=math.inf,
    )


def _joined(versions: Iterable[Version]) -> tuple[Version, ...]:
    """One version where two that follow each other say the same."""
    joined: list[Version] = []
    for version in versions:
        last = joined[-1] if joined else None
        if last and last.end == version.start and last.record == version.record:
            joined[-1] = replace(last, end=version.end)
        else:
            joined.append(version)
    return tuple(joined)
