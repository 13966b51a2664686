"""What reports and the API read: authoritative segments only, owners only, excluded periods left out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, select, tuple_

from service.storage.conditions import (
    Later,
    excluded,
    of,
    overlap_seconds,
    owned,
    speaks_at,
    speaks_for_all,
    speaks_within,
)
from service.storage.intervals import FIGURES, added, interval_row, record_of
from service.storage.tables import (
    ApproachInterval,
    Authority,
    CrossingRow,
    JunctionInterval,
    Observed,
    Segment,
)

INTERVAL_FIELDS = (
    *("segment_id", "site_id", "approach_id", "camera_id", "start", "length"),
    *("observed_seconds", "expected_seconds", "status", "revision", "final"),
)
"""The columns that :func:`approach_intervals` reads besides figures."""

Values = dict[str, Any]


def crossings(
    connection: Connection,
    start: datetime,
    end: datetime,
    *,
    site: str | None = None,
    camera: str | None = None,
    approach: str | None = None,
    movement: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int | None = None,
) -> list[Any]:
    """Crossings of a site or a camera in ``start`` ≤ time < ``end``, in order of (time, id).

    Of a site only those are read that an approach's owner saw. ``after`` goes on behind a row.

    Returns:
        Rows of the table ``crossings``.
    """
    query = (
        select(*CrossingRow.__table__.columns)
        .join(Authority, Authority.segment_id == CrossingRow.segment_id)
        .where(speaks_at(CrossingRow.time), CrossingRow.time >= start, CrossingRow.time < end)
        .where(~excluded(CrossingRow, CrossingRow.time, CrossingRow.time))
    )
    query = of(query, CrossingRow, site, camera)
    if site is not None and camera is None:
        query = query.where(owned(CrossingRow, CrossingRow.time))
    if approach is not None:
        query = query.where(CrossingRow.approach_id == approach)
    if movement is not None:
        query = query.where(CrossingRow.movement == movement)
    if after is not None:
        query = query.where(tuple_(CrossingRow.time, CrossingRow.id) > after)
    query = query.order_by(CrossingRow.time, CrossingRow.id)
    return list(connection.execute(query.limit(limit) if limit else query))


def observed_parts(length: int) -> Select[str, datetime, float, datetime, datetime | None]:
    """What each analysis saw in intervals of ``length`` seconds, and when it speaks for its camera.

    Columns: camera, start of the interval, observed seconds, speaks from, speaks to (None: until now).
    """
    return (
        select(
            Observed.camera_id,
            Observed.start,
            Observed.observed_seconds,
            Authority.valid_from,
            Authority.valid_to,
        )
        .join(Authority, Authority.segment_id == Observed.segment_id)
        .where(Observed.length == length)
    )


def observed(
    connection: Connection,
    start: datetime,
    end: datetime,
    length: int,
    *,
    site: str | None = None,
    camera: str | None = None,
) -> dict[tuple[str, datetime], float]:
    """Seconds that cameras were watched in intervals of 60 or 900 s that begin within a period.

    An interval that several analyses share counts as long as each spoke, at most.

    Returns:
        (camera, start of the interval) → seconds; what is not there was not observed.
    """
    query = (
        observed_parts(length)
        .where(Observed.start >= start, Observed.start < end)
        .where(speaks_within(Observed.start, length))
    )
    query = of(query, Observed, site, camera)
    total: dict[tuple[str, datetime], float] = {}
    for name, at, seconds, speaks_from, speaks_to in connection.execute(query).all():
        if speaks_from > at or speaks_to is not None:
            seconds = min(seconds, overlap_seconds(at, length, speaks_from, speaks_to))
        total[name, at] = min(total.get((name, at), 0.0) + seconds, float(length))
    return total


def approach_intervals(
    connection: Connection,
    start: datetime,
    end: datetime,
    length: int,
    *,
    sites: Iterable[str] | None = None,
    camera: str | None = None,
    figures: Sequence[str] = FIGURES,
) -> list[Values]:
    """The figures of approaches in intervals of 10, 60 or 900 s that begin within a period.

    Of sites (None: all) the owners' are read, of one camera all of its own. Intervals that two analyses
    share are added where each saw a part of its own; where they overlap, the one speaks that may speak for
    all it saw in the interval. An interval that is not there was not observed, or is excluded.

    Returns:
        ``INTERVAL_FIELDS`` and the figures asked for by name, in order of site, approach and start.
    """
    names = (*INTERVAL_FIELDS, *figures)
    table = ApproachInterval
    query = (
        select(*(getattr(table, name) for name in names))
        .join(Authority, Authority.segment_id == table.segment_id)
        .join(Segment, Segment.id == table.segment_id)
        .where(table.length == length, table.start >= start, table.start < end)
        .where(speaks_for_all(table.start, length))
        .where(~excluded(table, table.start, Later(table.start, length)))
    )
    if camera is not None:
        query = query.where(table.camera_id == camera)
    else:
        query = query.where(owned(table, table.start))
    if sites is not None:
        query = query.where(table.site_id.in_(list(sites)))
    by_key: dict[tuple[Any, ...], list[Values]] = defaultdict(list)
    for row in connection.execute(query).all():
        key = row.site_id, row.approach_id, row.camera_id, row.start
        by_key[key].append(dict(zip(names, row, strict=True)))
    return [
        same[0] if len(same) == 1 else _added_rows(connection, same, names)
        for _, same in sorted(by_key.items(), key=lambda each: (str(each[0][0]), *each[0][1:]))
    ]


def junction_intervals(
    connection: Connection,
    start: datetime,
    end: datetime,
    length: int = 900,
    *,
    sites: Sequence[str] | None = None,
    detail: bool = False,
) -> list[Any]:
    """The figures of junctions in intervals that begin within a period; rows of ``junction_intervals``.

    The column ``approaches`` is read with ``detail`` only.
    """
    table = JunctionInterval
    columns = [each for each in table.__table__.columns if detail or each.name != "approaches"]
    query = select(*columns).where(table.length == length, table.start >= start, table.start < end)
    if sites is not None:
        query = query.where(table.site_id.in_(sites))
    return list(connection.execute(query.order_by(table.start, table.site_id)))


def _added_rows(connection: Connection, rows: Sequence[Values], names: Sequence[str]) -> Values:
    """What several segments saw of one interval, as one row; it names the last of them."""
    table = ApproachInterval.__table__
    parts = []
    for row in rows:
        found = connection.execute(
            select(table).where(*(table.c[column.name] == row[column.name] for column in table.primary_key))
        ).one()
        parts.append((found.segment_id, record_of(found)))
    parts.sort(key=lambda part: str(part[0]))  # ids begin with the time at which their segment began
    whole = parts[0][1]
    for _, record in parts[1:]:
        whole = added(whole, record)
    last = rows[0]
    head = {"segment": parts[-1][0].hex, "camera": last["camera_id"], "site": last["site_id"]}
    row = interval_row(head, whole, final=all(row["final"] for row in rows))
    row["revision"] = sum(row["revision"] for row in rows)
    return {name: row[name] for name in names}
