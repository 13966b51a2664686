"""Counts of gates and movements by quarter of an hour, and what is usual on a weekday."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from statistics import median
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, case, func, literal, or_, select

from service.storage.base import microseconds, moment
from service.storage.conditions import CLASSES, EpochSeconds, Query, of, owned, speaks_at, speaks_within
from service.storage.messages import bin_start
from service.storage.reads import observed_seconds
from service.storage.tables import (
    Authority,
    CrossingRow,
    Exclusion,
    MovementCount,
    Owner,
    Segment,
)
from service.storage.undisturbed import undisturbed
from vision.density.records import OBSERVED_SHARE

QUARTER = 900
"""Length of the bins of counts, s."""

Status = Literal["observed", "partial", "not_observed", "excluded"]


class CountBin(NamedTuple):
    """Crossings of one gate or movement in a quarter of an hour.

    Attributes:
        start: beginning, UTC.
        camera: the camera that saw them.
        approach: the approach that they belong to, where the gate has one.
        item: id of the gate or movement.
        direction: ``in`` or ``out`` of the gate; empty for a movement.
        by_class: number by class label; None where nothing was observed, or the period is excluded.
        observed_seconds: how long the camera was watched.
        status: ``observed``, ``partial``, ``not_observed`` or ``excluded``.
    """

    start: datetime
    camera: str
    approach: str | None
    item: str
    direction: str
    by_class: dict[str, int] | None
    observed_seconds: float
    status: Status


@dataclass(frozen=True, slots=True)
class UsualBin:
    """What is usual in a quarter of an hour of a weekday at an approach.

    Attributes:
        start: beginning on the day that was asked for, UTC.
        approach: id of the approach.
        entering: median of the vehicles that entered over it; None where no day was observed.
        days: how many days the median is of.
    """

    start: datetime
    approach: str
    entering: float | None
    days: int


@undisturbed()
def counts(
    connection: Connection,
    start: datetime,
    end: datetime,
    *,
    kind: Literal["gate", "movement"] = "gate",
    site: str | None = None,
    camera: str | None = None,
    item: str | None = None,
) -> list[CountBin]:
    """Counts of gates or movements by quarter of an hour, whole quarters that begin within the period.

    Their sum is the number of crossings. Where a quarter is shared by two analyses that overlap, or the
    owner changed within it, it is counted from its crossings, each by its own moment.

    Returns:
        One for each quarter and each gate and direction, or movement, that occurs in the period.
    """
    start = next(_quarters(start, end), end)
    cells: dict[Cell, Bins] = defaultdict(dict)
    shared = _shared_quarters(connection, start, end, site, camera)
    for name, at, *cell in connection.execute(_counted(start, end, kind, site, camera, item)).all():
        if (name, at) not in shared:
            cells[name, *cell[:3]][at] = cell[3:]
    for at in sorted({at for _, at in shared}):
        quarter = moment(at * 10**6)
        for name, *cell in connection.execute(_recounted(quarter, kind, site, camera, item)).all():
            if (name, at) in shared:
                cells[name, *cell[:3]][at] = cell[3:]
    seen = observed_seconds(connection, start, end, QUARTER, site=site, camera=camera)
    excluded = _exclusions(connection, start, end, site, camera)
    first = microseconds(start) // 10**6
    quarters = [(first + QUARTER * number, quarter) for number, quarter in enumerate(_quarters(start, end))]
    found: list[CountBin] = []
    for place, bins in sorted(cells.items(), key=lambda each: str(each[0])):
        found += _bins_of(place, bins, seen.get(place[0], {}), excluded, quarters)
    return sorted(found, key=itemgetter(0))


Cell = tuple[str, str | None, str, str]
"""Camera, approach, id of the gate or movement, direction."""

Bins = dict[int, Sequence[int]]
"""Vehicles by class, in order of CLASSES, by start of the quarter in seconds since the epoch."""


def _bins_of(
    cell: Cell,
    bins: Bins,
    seen: Mapping[int, float],
    exclusions: Sequence[Any],
    quarters: Sequence[tuple[int, datetime]],
) -> Iterator[CountBin]:
    """The quarters of one gate or movement."""
    camera, approach, item, direction = cell
    for at, quarter in quarters:
        seconds = seen.get(at, 0.0)
        numbers = bins.get(at)
        status = _status(seconds, numbers is not None)
        if exclusions and any(_concerns(each, quarter, camera, approach) for each in exclusions):
            status = "excluded"
        by_class = None
        if status in ("observed", "partial"):
            by_class = {
                label: number for label, number in zip(CLASSES, numbers or (), strict=False) if number
            }
        yield CountBin(quarter, camera, approach, item, direction, by_class, seconds, status)


def usual_day(connection: Connection, site: str, day: date, tz: str, weeks: int = 8) -> list[UsualBin]:
    """What is usual at a junction on a weekday: the median of the last ``weeks`` such days before ``day``.

    Only quarters of an hour that were wholly observed are taken.
    """
    entering: dict[tuple[str, int], list[int]] = defaultdict(list)
    for week in range(1, weeks + 1):
        start, end = local_day(day - timedelta(weeks=week), tz)
        total: dict[tuple[str, int], int] = defaultdict(int)
        for each in counts(connection, start, end, kind="gate", site=site):
            if each.direction == "in" and each.approach and each.status == "observed":
                number = (each.start - start) // timedelta(seconds=QUARTER)
                total[each.approach, number] += sum((each.by_class or {}).values())
        for key, vehicles in total.items():
            entering[key].append(vehicles)
    start, end = local_day(day, tz)
    return [
        UsualBin(quarter, approach, median(found) if found else None, len(found))
        for approach in sorted({approach for approach, _ in entering})
        for number, quarter in enumerate(_quarters(start, end))
        for found in [entering.get((approach, number), [])]
    ]


def local_day(day: date, tz: str) -> tuple[datetime, datetime]:
    """First moment of a day by a local clock, and of the next."""
    zone = ZoneInfo(tz)
    return (
        datetime.combine(day, time(), zone),
        datetime.combine(day + timedelta(days=1), time(), zone),
    )


Kind = Literal["gate", "movement"]


def _counted(
    start: datetime, end: datetime, kind: Kind, site: str | None, camera: str | None, item: str | None
) -> Query:
    """What is kept in ``movement_counts``, of segments that speak somewhere in the quarter."""
    table = MovementCount
    cell = (table.camera_id, EpochSeconds(table.start), table.approach_id, table.item, table.direction)
    query = (
        select(*cell, *(func.sum(getattr(table, label)).label(label) for label in CLASSES))
        .join(Authority, Authority.segment_id == table.segment_id)
        .where(table.length == QUARTER, table.kind == kind, table.start >= start, table.start < end)
        .where(speaks_within(table.start, QUARTER))
        .group_by(*cell)
    )
    if item is not None:
        query = query.where(table.item == item)
    if site is not None and camera is None:
        query = query.where(owned(table, table.start))
    return of(query, table, site, camera)


def _recounted(
    quarter: datetime, kind: Kind, site: str | None, camera: str | None, item: str | None
) -> Query:
    """The same from crossings: who speaks and who owns is asked for each moment."""
    table = CrossingRow
    columns = CrossingRow.__table__.c
    name = columns.gate if kind == "gate" else columns.movement
    direction = columns.direction if kind == "gate" else literal("")
    cell = (table.camera_id, table.approach_id, name.label("item"), direction.label("direction"))
    numbers = (func.sum(case((table.vehicle_class == label, 1), else_=0)).label(label) for label in CLASSES)
    end = quarter + timedelta(seconds=QUARTER)
    query = (
        select(*cell, *numbers)
        .join(Authority, Authority.segment_id == table.segment_id)
        .where(speaks_at(table.time), table.time >= quarter, table.time < end, name.is_not(None))
        .group_by(*cell[:3], *([table.direction] if kind == "gate" else []))
    )
    if item is not None:
        query = query.where(name == item)
    if site is not None and camera is None:
        query = query.where(owned(table, table.time))
    return of(query, table, site, camera)


def _shared_quarters(
    connection: Connection, start: datetime, end: datetime, site: str | None, camera: str | None
) -> set[tuple[str, int]]:
    """Quarters within which a segment stops speaking though it saw on, or the owner changes.

    Returns:
        Cameras and starts of the quarters, seconds since the epoch.
    """
    edges: set[tuple[str, datetime]] = set()
    spans = (
        select(
            Authority.camera_id,
            Authority.valid_from,
            Authority.valid_to,
            Segment.started_at,
            Segment.ended_at,
        )
        .join(Segment, Segment.id == Authority.segment_id)
        .where(Authority.valid_from < end, or_(Authority.valid_to.is_(None), Authority.valid_to > start))
    )
    if site is not None:
        spans = spans.where(Segment.site_id == site)
    if camera is not None:
        spans = spans.where(Authority.camera_id == camera)
    for span in connection.execute(spans):
        if span.valid_from > span.started_at:
            edges.add((span.camera_id, span.valid_from))
        if span.valid_to is not None and (span.ended_at is None or span.valid_to < span.ended_at):
            edges.add((span.camera_id, span.valid_to))
    if site is not None and camera is None:
        owners = select(Owner.camera_id, Owner.valid_from, Owner.valid_to).where(Owner.site_id == site)
        for owner in connection.execute(owners):
            edges |= {(owner.camera_id, at) for at in (owner.valid_from, owner.valid_to) if at is not None}
    quarters = {(name, at, _quarter_of(at)) for name, at in edges}
    return {
        (name, microseconds(quarter) // 10**6)
        for name, at, quarter in quarters
        if at != quarter and start <= quarter < end
    }


def _exclusions(
    connection: Connection, start: datetime, end: datetime, site: str | None, camera: str | None
) -> list[Any]:
    query = select(*Exclusion.__table__.columns).where(
        Exclusion.withdrawn_at.is_(None), Exclusion.started_at < end, Exclusion.ended_at > start
    )
    if site is not None:
        query = query.where(or_(Exclusion.site_id.is_(None), Exclusion.site_id == site))
    if camera is not None:
        query = query.where(or_(Exclusion.camera_id.is_(None), Exclusion.camera_id == camera))
    return list(connection.execute(query))


def _concerns(exclusion: Any, quarter: datetime, camera: str, approach: str | None) -> bool:
    return (
        exclusion.started_at < quarter + timedelta(seconds=QUARTER)
        and exclusion.ended_at > quarter
        and exclusion.camera_id in (None, camera)
        and exclusion.approach_id in (None, approach)
    )


def _status(seconds: float, counted: bool) -> Status:
    if seconds >= OBSERVED_SHARE * QUARTER:
        return "observed"
    return "partial" if seconds > 0 or counted else "not_observed"


def _quarters(start: datetime, end: datetime) -> Iterator[datetime]:
    """The quarters of an hour that begin within a period."""
    at = moment(-(-microseconds(start) // (QUARTER * 10**6)) * QUARTER * 10**6)
    while at < end:
        yield at
        at += timedelta(seconds=QUARTER)


def _quarter_of(when: datetime) -> datetime:
    return moment(bin_start(microseconds(when), QUARTER))
