"""Raises and clears alarms: once, with hysteresis, over restarts of the service."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, text

from service.alarms import store
from service.alarms.conditions import conditions
from service.alarms.facts import Condition, Disk, Facts, OpenAlarm
from service.alarms.rules import Rule, RuleSettings
from service.api.hub import Snapshot

LONGEST_STEP_S = 30.0
"""Between two looks further apart than this nobody knows what was, s: that time counts for nothing."""

FORGET_S = 86400.0
"""An alarm of which nothing has been known for so long is cleared, s."""

Happened = Literal["raised", "reopened", "cleared"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a step did to an alarm."""

    happened: Happened
    alarm: dict[str, Any]


@dataclass(slots=True)
class _Timer:
    """How long a subject's condition has been as it is, seconds; unknown time adds nothing."""

    holds: bool | None = None
    lasted: float = 0.0
    unknown: float = 0.0
    was_known: bool = False

    def advance(self, condition: Condition | None, now: float, elapsed: float) -> None:
        holds = condition.holds if condition is not None else None
        was_known, self.was_known = self.was_known, holds is not None
        if holds is None:
            self.unknown += elapsed
            return
        self.unknown = 0.0
        if holds is not self.holds:
            self.holds, self.lasted = holds, 0.0
        elif was_known:
            self.lasted += elapsed
        if condition is not None and condition.since is not None:
            self.lasted = max(self.lasted, now - condition.since)


@dataclass(slots=True)
class AlarmEngine:
    """Follows every subject; what is open stands in the table, so that a restart raises nothing twice.

    Only the timers are in memory: after a restart what had held for a while is raised a little later.
    """

    _timers: dict[str, _Timer] = field(default_factory=dict)
    _stepped: float | None = None

    def step(
        self, now: float, snapshot: Snapshot, connection: Connection, disks: Sequence[Disk] = ()
    ) -> list[Change]:
        """Look once, every second or few.

        Args:
            now: seconds since the Unix epoch, UTC, no earlier than in the step before.
            snapshot: of the live hub.
            connection: within a transaction that writes.
            disks: the service's own.

        Returns:
            What was raised, re-opened or cleared.
        """
        if connection.dialect.name == "postgresql":  # SQLite lets in one writer anyway
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('ngatu alarms'))"))
        opened = {row["subject"]: row for row in store.open_rows(connection)}
        rules = store.rules(connection)
        facts = Facts(
            snapshot=snapshot,
            incidents=store.recent_incidents(connection, now, {each.site for each in snapshot.cameras}),
            owners=store.owners(connection, now),
            rules=rules,
            open=[_open_alarm(row) for row in opened.values()],
            disks=disks,
        )
        elapsed = now - self._stepped if self._stepped is not None else 0.0
        if not 0 <= elapsed <= LONGEST_STEP_S:
            elapsed = 0.0
        self._stepped = now
        known = conditions(facts)
        excluded = store.excluded_now(connection, now)
        changes = []
        for key in {**opened, **known, **self._timers}:
            condition, row = known.get(key), opened.get(key)
            timer = self._timers.setdefault(key, _Timer())
            timer.advance(condition, now, elapsed)
            kind, site = (condition.kind, condition.site) if condition else _about(row)
            if kind is None:
                if timer.unknown > FORGET_S:
                    del self._timers[key]
                continue
            rule = rules.of(kind, site)
            place = (site, *_place(condition, row))
            suppressed = any(store.covers(each, *place) for each in excluded)
            if row is not None:
                why = _why_clear(rule, timer, suppressed=suppressed)
                if why:
                    changes.append(Change("cleared", store.clear(connection, row, now, why)))
                    self._timers.pop(key)
            elif condition is not None and condition.holds and rule.enabled:
                if suppressed:
                    timer.lasted = 0.0
                elif timer.lasted >= rule.settings.raise_after_s:
                    changes.append(_raise(connection, condition, rule.settings, now))
        return changes


def _raise(connection: Connection, condition: Condition, settings: RuleSettings, now: float) -> Change:
    last = store.last_of(connection, condition.key)
    if last is not None and now - last["cleared_at"].timestamp() <= settings.reopen_within_s:
        return Change("reopened", store.reopen(connection, last, dict(condition.details)))
    row = {
        "subject": condition.key,
        "kind": condition.kind,
        "severity": settings.severity,
        "site_id": condition.site,
        "approach_id": condition.approach,
        "camera_id": condition.camera,
        "raised_at": datetime.fromtimestamp(now, UTC),
        "details": dict(condition.details),
    }
    return Change("raised", store.insert_alarm(connection, row))


def _why_clear(rule: Rule, timer: _Timer, *, suppressed: bool) -> str | None:
    """Why an open alarm is cleared now, if it is."""
    if not rule.enabled:
        return "rule_disabled"
    if suppressed:
        return "excluded"
    if timer.holds is False and timer.lasted >= rule.settings.clear_after_s:
        return "over"
    return "not_observed" if timer.unknown > FORGET_S else None


def _open_alarm(row: dict[str, Any]) -> OpenAlarm:
    place = (row["site_id"], row["approach_id"], row["camera_id"])
    return OpenAlarm(row["subject"], row["kind"], *place, row["details"])


def _about(row: dict[str, Any] | None) -> tuple[Any, str | None]:
    return (row["kind"], row["site_id"]) if row else (None, None)


def _place(condition: Condition | None, row: dict[str, Any] | None) -> tuple[str | None, str | None]:
    if condition is not None:
        return condition.approach, condition.camera
    return (row["approach_id"], row["camera_id"]) if row else (None, None)
