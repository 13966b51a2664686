"""The intervals of junctions, made of their approaches as the owners saw them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
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

_TELLING = ("approaches", "approaches_required", "approaches_observed", "status", "count", "level")
"""Columns of which one differs when anything does: another approach may be required, with the same seen."""

_LAST = datetime.max.replace(tzinfo=UTC)

Values = dict[str, Any]


def refresh_junctions(connection: Connection, touched: Touched) -> None:
    """Make the quarters of an hour of some junctions anew from their approaches.

    A figure is null unless every required approach has it: the sum of three arms is not the flow of four.
    """
    for _, day in groupby(sorted(touched, key=itemgetter(1)), key=lambda each: each[1].date()):
        _upsert(connection, _rows_of_day(connection, list(day)))


def _upsert(connection: Connection, rows: Sequence[Values]) -> None:
    ensure_months(connection, TABLE, [row["start"] for row in rows])
    statement = upsert_into(connection, TABLE)
    key = [column.name for column in TABLE.primary_key]
    new = statement.excluded
    differs = or_(*(TABLE.c[name].is_distinct_from(new[name]) for name in _TELLING))
    values: Values = {name: new[name] for name in rows[0] if name not in (*key, "revision", "final")}
    values["revision"] = TABLE.c.revision + case((TABLE.c.final & differs, 1), else_=0)
    values["final"] = or_(TABLE.c.final, new.final)
    closes = new.final & TABLE.c.final.is_(False)
    statement = statement.on_conflict_do_update(index_elements=key, set_=values, where=or_(differs, closes))
    connection.execute(statement, list(rows))


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


def _rows_of_day(connection: Connection, touched: Sequence[tuple[str, datetime]]) -> list[Values]:
    """The rows of quarters that lie close together, in order of time, from one look at their approaches."""
    first, last = touched[0][1], touched[-1][1]
    sites = sorted({site for site, _ in touched})
    found: dict[tuple[str, datetime], dict[str, Values]] = defaultdict(dict)
    for row in approach_intervals(connection, first, last + timedelta(seconds=1), LENGTH, sites=sites):
        found[row["site_id"], row["start"]][row["approach_id"]] = row
    arms = _required(connection, sites, first, last)
    rows = []
    for site, start in touched:
        here = found.get((site, start), {})
        required = sorted({name for name, since, to in arms.get(site, ()) if since <= start < (to or _LAST)})
        rows.append(_junction_row(site, start, required or sorted(here), here))
    return rows


def _required(
    connection: Connection, sites: Sequence[str], first: datetime, last: datetime
) -> dict[str, list[tuple[str, datetime, datetime | None]]]:
    """The approaches that must be seen for a junction's figures to be whole, and from when until when."""
    query = select(Approach.site_id, Approach.approach_id, Approach.valid_from, Approach.valid_to).where(
        Approach.site_id.in_(sites),
        Approach.required,
        Approach.valid_from <= last,
        or_(Approach.valid_to.is_(None), Approach.valid_to > first),
    )
    arms: dict[str, list[tuple[str, datetime, datetime | None]]] = defaultdict(list)
    for site, name, since, to in connection.execute(query):
        arms[site].append((name, since, to))
    return arms


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
