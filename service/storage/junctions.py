"""The intervals of junctions, made of their approaches as the owners saw them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, or_, select

from service.storage.base import Base, upsert_into
from service.storage.conditions import of
from service.storage.intervals import LENGTHS, Touched
from service.storage.partitions import ensure_months
from service.storage.reads import approach_intervals
from service.storage.tables import Approach, ApproachInterval

TABLE = Base.metadata.tables["junction_intervals"]
LENGTH = LENGTHS[-1]
LEVELS = ("free", "busy", "slow", "jammed")
"""Levels of congestion, the worst last."""

SUMMED = ("count", "flow_per_h", "flow_pcu_per_h", "delay_s")
"""Figures that add up over approaches."""

Values = dict[str, Any]


def refresh_junctions(connection: Connection, touched: Touched) -> None:
    """Make the quarters of an hour of some junctions anew from their approaches.

    A figure is null unless every required approach has it: the sum of three arms is not the flow of four.
    """
    rows = []
    for start in sorted({start for _, start in touched}):
        sites = sorted(site for site, at in touched if at == start)
        seen = approach_intervals(connection, start, start + timedelta(seconds=1), LENGTH, sites=sites)
        for site in sites:
            required = _required(connection, site, start)
            found = {row["approach_id"]: row for row in seen if row["site_id"] == site}
            rows.append(_junction_row(site, start, required or sorted(found), found))
    if not rows:
        return
    ensure_months(connection, TABLE, [row["start"] for row in rows])
    statement = upsert_into(connection, TABLE)
    key = [column.name for column in TABLE.primary_key]
    new = statement.excluded
    differs = TABLE.c.approaches != new.approaches
    values: Values = {name: new[name] for name in rows[0] if name not in (*key, "revision", "final")}
    values["revision"] = TABLE.c.revision + case((TABLE.c.final & differs, 1), else_=0)
    values["final"] = or_(TABLE.c.final, new.final)
    closes = new.final & TABLE.c.final.is_(False)
    connection.execute(
        statement.on_conflict_do_update(index_elements=key, set_=values, where=or_(differs, closes)), rows
    )


def quarters_of(
    connection: Connection,
    start: datetime,
    end: datetime,
    *,
    camera: str | None = None,
    site: str | None = None,
) -> Touched:
    """The junctions and quarters of an hour, overlapping a period, that a camera or site has intervals of."""
    table = ApproachInterval
    query = select(table.site_id, table.start).where(
        table.length == LENGTH, table.start > start - timedelta(seconds=LENGTH), table.start < end
    )
    query = of(query.distinct(), table, site, camera)
    return {(found, at) for found, at in connection.execute(query) if found is not None}


def _required(connection: Connection, site: str, when: datetime) -> list[str]:
    """The approaches that must be seen for the junction's figures to be whole."""
    query = select(Approach.approach_id).where(
        Approach.site_id == site,
        Approach.required,
        Approach.valid_from <= when,
        or_(Approach.valid_to.is_(None), Approach.valid_to > when),
    )
    return sorted(connection.scalars(query))


def _junction_row(site: str, start: datetime, required: Sequence[str], found: dict[str, Values]) -> Values:
    rows = [found[approach] for approach in required if approach in found]
    watched = [row for row in rows if row["observed_seconds"] > 0]
    # Without required approaches nothing is known of the junction: a sum over none would be 0.
    whole = bool(required) and len(watched) == len(required)
    observed = sum(row["observed_seconds"] for row in rows) / max(len(required), 1)
    levels = [row["level"] for row in watched if row["level"]]
    wholly = whole and all(row["status"] == "observed" for row in watched)
    return {
        "site_id": site,
        "length": LENGTH,
        "start": start,
        "observed_seconds": observed,
        "expected_seconds": float(LENGTH),
        "status": "observed" if wholly else "partial" if watched else "not_observed",
        "revision": 1,
        "final": bool(rows) and all(row["final"] for row in rows),
        "approaches_required": len(required),
        "approaches_observed": len(watched),
        **{name: _sum([row[name] for row in watched]) if whole else None for name in SUMMED},
        "level": max(levels, key=LEVELS.index) if whole and levels else None,
        "approaches": {
            approach: {
                name: row[name] for name in ("camera_id", "status", "observed_seconds", *SUMMED, "level")
            }
            for approach, row in sorted(found.items())
        },
    }


def _sum(values: Sequence[Any]) -> Any:
    return None if any(value is None for value in values) else sum(values)
