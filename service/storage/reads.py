"""What reports and the API read: authoritative segments only, owners only, excluded periods left out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, case, select, tuple_

from service.storage.base import moment
from service.storage.conditions import (
    EpochSeconds,
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
from service.storage.undisturbed import undisturbed

INTERVAL_FIELDS = (
    *("segment_id", "site_id", "approach_id", "camera_id", "start", "length"),
    *("observed_seconds", "expected_seconds", "status", "revision", "final"),
)
"""The columns that :func:`approach_intervals` reads besides figures."""

_SITE, _APPROACH, _CAMERA, _START = map(
    INTERVAL_FIELDS.index, ("site_id", "approach_id", "camera_id", "start")
)

Values = dict[str, Any]


@undisturbed()
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
    return list(connection.execute(query.limit(limit) if limit else query).all())


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
    numbers = observed_seconds(connection, start, end, length, site=site, camera=camera)
    return {
        (name, moment(at * 10**6)): seconds for name, each in numbers.items() for at, seconds in each.items()
    }


@undisturbed()
def observed_seconds(
    connection: Connection,
    start: datetime,
    end: datetime,
    length: int,
    *,
    site: str | None = None,
    camera: str | None = None,
) -> dict[str, dict[int, float]]:
    """The same as :func:`observed` by camera, and by the interval's start in seconds since the epoch."""
    within = speaks_within(Observed.start, length)
    query = (
        observed_parts(length)
        .where(Observed.start >= start, Observed.start < end, within)
        .with_only_columns(
            Observed.camera_id,
            EpochSeconds(Observed.start),
            Observed.observed_seconds,
            # Only a span that holds for a part of an interval limits what may be taken from it.
            case((Authority.valid_from > Observed.start, Authority.valid_from)),
            Authority.valid_to,
        )
    )
    query = of(query, Observed, site, camera)
    total: dict[str, dict[int, float]] = defaultdict(dict)
    for name, at, seconds, speaks_from, speaks_to in connection.execute(query).all():
        if speaks_from is not None or speaks_to is not None:
            began = moment(at * 10**6)
            seconds = min(seconds, overlap_seconds(began, length, speaks_from or began, speaks_to))
        of_camera = total[name]
        of_camera[at] = min(of_camera.get(at, 0.0) + seconds, float(length))
    return total


@undisturbed()
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
    of_approach: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for row in connection.execute(query).all():
        of_approach[row[_SITE] or "", row[_APPROACH], row[_CAMERA]].append(row)
    found: list[Values] = []
    for _, rows in sorted(of_approach.items()):
        rows.sort(key=itemgetter(_START))
        values = [dict(zip(names, row, strict=True)) for row in rows]
        found += values if _all_differ(rows) else _one_each(connection, values, names)
    return found


def _all_differ(rows: Sequence[Any]) -> bool:
    """Whether rows of one approach, in order of time, are of as many intervals."""
    return all(one[_START] != other[_START] for one, other in pairwise(rows))


def _one_each(connection: Connection, values: Sequence[Values], names: Sequence[str]) -> list[Values]:
    """One row for each interval of an approach, where some are shared by several segments."""
    found = []
    for _, group in groupby(values, key=itemgetter("start")):
        same = list(group)
        found.append(same[0] if len(same) == 1 else _added_rows(connection, same, names))
    return found


@undisturbed()
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
    return list(connection.execute(query.order_by(table.start, table.site_id)).all())


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
