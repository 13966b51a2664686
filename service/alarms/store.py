"""Alarms and their rules in the database: what is open, what was, who acknowledged it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, tuple_, update

from service.alarms.facts import IncidentRow
from service.alarms.rules import CITY, CITY_ONLY, KINDS, AlarmKind, AlarmRuleError, Rule, Rules, read_settings
from service.storage.base import Base, microseconds, upsert_into
from service.storage.ids import derived_id
from service.storage.tables import AlarmRule, Exclusion, Incident, Owner

ALARMS = Base.metadata.tables["alarms"]
RULES = Base.metadata.tables["alarm_rules"]

INCIDENT_WINDOW = timedelta(days=1)
"""An incident that began earlier and is still open is not looked at any more."""

RECENT = timedelta(minutes=10)
"""An incident that was over earlier holds no longer, however momentary it was."""

Values = dict[str, Any]


def open_rows(connection: Connection) -> list[Values]:
    """All open alarms as rows of the table, those raised last first."""
    query = (
        select(ALARMS).where(ALARMS.c.cleared_at.is_(None)).order_by(ALARMS.c.raised_at.desc(), ALARMS.c.id)
    )
    return [row._asdict() for row in connection.execute(query)]


def open_alarms(
    connection: Connection, *, site: str | None = None, camera: str | None = None
) -> list[Values]:
    """Open alarms, the most severe first, of these those not acknowledged, the newest."""
    order = {"critical": 0, "warning": 1, "information": 2}
    rows = [
        row
        for row in open_rows(connection)
        if (site is None or row["site_id"] == site) and (camera is None or row["camera_id"] == camera)
    ]
    return sorted(rows, key=lambda row: (order.get(row["severity"], 3), row["acknowledged_at"] is not None))


def history(
    connection: Connection,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    is_open: bool | None = None,
    kind: str | None = None,
    site: str | None = None,
    camera: str | None = None,
    acknowledged: bool | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Values]:
    """Alarms raised in ``start`` ≤ time < ``end``, the newest first; ``before`` goes on behind a row."""
    query = select(ALARMS)
    conditions = [
        ALARMS.c.raised_at >= start if start else None,
        ALARMS.c.raised_at < end if end else None,
        ALARMS.c.kind == kind if kind else None,
        ALARMS.c.site_id == site if site else None,
        ALARMS.c.camera_id == camera if camera else None,
        tuple_(ALARMS.c.raised_at, ALARMS.c.id) < before if before else None,
    ]
    for column, wanted in ((ALARMS.c.cleared_at, is_open), (ALARMS.c.acknowledged_at, acknowledged)):
        if wanted is not None:
            conditions.append(
                column.is_(None) if wanted == (column is ALARMS.c.cleared_at) else column.is_not(None)
            )
    query = query.where(and_(True, *(each for each in conditions if each is not None)))
    query = query.order_by(ALARMS.c.raised_at.desc(), ALARMS.c.id.desc()).limit(limit)
    return [row._asdict() for row in connection.execute(query)]


def alarm(connection: Connection, number: UUID) -> Values | None:
    """One alarm by its id."""
    row = connection.execute(select(ALARMS).where(ALARMS.c.id == number)).one_or_none()
    return row._asdict() if row else None


def acknowledge(connection: Connection, number: UUID, login: str, note: str = "") -> Values | None:
    """Say that somebody sees to an alarm; who did so first stays. Returns it, None where there is none."""
    changed = (
        update(ALARMS)
        .where(ALARMS.c.id == number, ALARMS.c.acknowledged_at.is_(None))
        .values(
            acknowledged_at=datetime.now(UTC),
            acknowledged_by=login,
            note=note,
            revision=ALARMS.c.revision + 1,
        )
    )
    connection.execute(changed)
    return alarm(connection, number)


# What the engine writes.


def insert_alarm(connection: Connection, row: Values) -> Values:
    """Raise an alarm."""
    number = derived_id(microseconds(row["raised_at"]), row["subject"])
    empty = {"cleared_at": None, "acknowledged_at": None, "acknowledged_by": "", "note": ""}
    whole = {"id": number, **row, **empty, "revision": 1}
    connection.execute(insert(ALARMS).values(whole))
    return whole


def last_of(connection: Connection, subject: str) -> Values | None:
    """The alarm of a subject that was cleared last."""
    query = select(ALARMS).where(ALARMS.c.subject == subject, ALARMS.c.cleared_at.is_not(None))
    row = connection.execute(query.order_by(ALARMS.c.cleared_at.desc()).limit(1)).one_or_none()
    return row._asdict() if row else None


def reopen(connection: Connection, row: Values, details: Values) -> Values:
    """Open a cleared alarm again: it is the same one, acknowledged if it was."""
    times = int(row["details"].get("reopened", 0)) + 1
    return _change(connection, row, cleared_at=None, details={**details, "reopened": times})


def clear(connection: Connection, row: Values, now: float, why: str) -> Values:
    """Clear an alarm; ``why`` stands in its details."""
    details = {**row["details"], "cleared_because": why}
    return _change(connection, row, cleared_at=datetime.fromtimestamp(now, UTC), details=details)


def _change(connection: Connection, row: Values, **values: Any) -> Values:
    values["revision"] = row["revision"] + 1
    connection.execute(update(ALARMS).where(ALARMS.c.id == row["id"]).values(values))
    return {**row, **values}


# What the engine reads.


def recent_incidents(connection: Connection, now: float, sites: Iterable[str | None]) -> list[IncidentRow]:
    """Incidents of these sites that are open, or were over a few minutes ago."""
    moment = datetime.fromtimestamp(now, UTC)
    known = [site for site in sites if site is not None]
    query = select(
        Incident.kind,
        Incident.camera_id,
        Incident.site_id,
        Incident.approach_id,
        Incident.started_at,
        Incident.ended_at,
        Incident.details,
    ).where(
        or_(Incident.site_id.in_(known), Incident.site_id.is_(None)),
        Incident.started_at > moment - INCIDENT_WINDOW,
        or_(Incident.ended_at.is_(None), Incident.ended_at > moment - RECENT),
    )
    return [
        IncidentRow(
            kind=row.kind,
            camera=row.camera_id,
            site=row.site_id,
            approach=row.approach_id,
            started=row.started_at.timestamp(),
            ended=row.ended_at.timestamp() if row.ended_at else None,
            details=row.details or {},
        )
        for row in connection.execute(query)
    ]


def owners(connection: Connection, now: float) -> dict[tuple[str, str], str]:
    """The camera that speaks for each (site, approach)."""
    moment = datetime.fromtimestamp(now, UTC)
    query = select(Owner.site_id, Owner.approach_id, Owner.camera_id).where(
        Owner.valid_from <= moment, or_(Owner.valid_to.is_(None), Owner.valid_to > moment)
    )
    return {(site, approach): camera for site, approach, camera in connection.execute(query)}


def excluded_now(connection: Connection, now: float) -> list[Row[Any]]:
    """The excluded periods that hold: (site_id, approach_id, camera_id), null where all are meant."""
    moment = datetime.fromtimestamp(now, UTC)
    query = select(Exclusion.site_id, Exclusion.approach_id, Exclusion.camera_id).where(
        Exclusion.withdrawn_at.is_(None), Exclusion.started_at <= moment, Exclusion.ended_at > moment
    )
    return list(connection.execute(query))


def covers(exclusion: Row[Any], site: str | None, approach: str | None, camera: str | None) -> bool:
    """Whether an excluded period is about a place."""
    asked = (exclusion.site_id, exclusion.approach_id, exclusion.camera_id)
    return all(
        one is None or one == other for one, other in zip(asked, (site, approach, camera), strict=True)
    )


# Rules.


def rules(connection: Connection) -> Rules:
    """All rules. Settings that this program does not know any more are left out."""
    own = []
    for row in connection.execute(select(RULES)):
        if row.kind not in KINDS:
            continue
        try:
            settings = read_settings(row.kind, row.settings)
        except AlarmRuleError:  # written by another version: its defaults are safer than no alarm
            settings = read_settings(row.kind, {})
        own.append(Rule(row.kind, row.site_id, row.enabled, settings))
    return Rules(own)


def put_rule(
    connection: Connection,
    kind: AlarmKind,
    site: str | None,
    *,
    enabled: bool,
    settings: Mapping[str, Any],
) -> Rule:
    """Set the thresholds of a kind, for a site or (None) the city; what is not given stays by default.

    Raises:
        AlarmRuleError: a setting is unknown or not valid, or the kind belongs to no site.
    """
    if site is not None and kind in CITY_ONLY:
        raise AlarmRuleError(f"alarm {kind} is about machines, not a site: set it for the city")
    checked = read_settings(kind, settings)
    given = checked.model_dump(mode="json", exclude_unset=True)
    row = {"kind": kind, "site_id": site or CITY, "enabled": enabled, "settings": given}
    statement = upsert_into(connection, RULES).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["kind", "site_id"], set_={"enabled": enabled, "settings": given}
    )
    connection.execute(statement)
    return Rule(kind, site or CITY, enabled, checked)


def delete_rule(connection: Connection, kind: AlarmKind, site: str | None) -> bool:
    """Take a rule back, so that the city's or the default holds; whether there was one."""
    statement = delete(AlarmRule).where(AlarmRule.kind == kind, AlarmRule.site_id == (site or CITY))
    return bool(connection.execute(statement).rowcount)
