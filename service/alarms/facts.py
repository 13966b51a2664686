"""What alarms are told from, and what is told: plain values, which tests make without a service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.alarms.rules import AlarmKind, Rules
from service.api.hub import Snapshot
from service.api.live_state import LATE_S, CameraNow


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of one subject.

    Attributes:
        key: names the subject; of several conditions with one key a true one counts most, then a false one.
        kind: of the alarm.
        holds: None where it is not known.
        since: since when at least, seconds since the epoch, UTC; None where only now is known.
        site, approach, camera: where.
        details: what was measured, for people; with ``cameras`` for a worker.
    """

    key: str
    kind: AlarmKind
    holds: bool | None
    since: float | None = None
    site: str | None = None
    approach: str | None = None
    camera: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """What of the table ``incidents`` matters here; moments in seconds since the epoch, UTC."""

    kind: str
    camera: str | None
    site: str | None
    approach: str | None
    started: float
    ended: float | None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    """What of an alarm that is open matters here."""

    key: str
    kind: AlarmKind
    site: str | None
    approach: str | None
    camera: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk that the service writes to, bytes."""

    host: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that conditions are told from, at one moment.

    Attributes:
        snapshot: of the live hub.
        incidents: those that are open or recent.
        owners: the camera that speaks for each (site, approach).
        rules: thresholds.
        open: alarms that are open.
        disks: the service's own.
    """

    snapshot: Snapshot
    incidents: Sequence[IncidentRow] = ()
    owners: Mapping[tuple[str, str], str] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    open: Sequence[OpenAlarm] = ()
    disks: Sequence[Disk] = ()


def key_of(kind: AlarmKind, *parts: str | None) -> str:
    """A subject in one text."""
    return ":".join((kind, *(part or "" for part in parts)))


def is_heard(camera: CameraNow, now: float) -> bool:
    """Whether its worker speaks; else all that is known of it is old."""
    return camera.heard_at is not None and now - camera.heard_at <= LATE_S
