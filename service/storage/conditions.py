"""Conditions that every read shares: who speaks for a camera, who owns an approach, what is excluded."""

from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, and_, exists, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from service.storage.base import Moment
from service.storage.tables import Authority, Exclusion, Owner, Segment
from vision import VehicleClass

CLASSES = tuple(each.label for each in VehicleClass)
"""The columns of ``movement_counts``."""

Query = Select[*tuple[Any, ...]]


class Later(FunctionElement[datetime]):
    """A moment some seconds after another, in the words of each database."""

    name = "later"
    type = Moment()
    inherit_cache = True

    def __init__(self, when: Any, seconds: int) -> None:
        super().__init__(when, literal(seconds, Integer))


@compiles(Later, "postgresql")
def _later_postgresql(element: Later, compiler: Any, **kw: Any) -> str:
    when, seconds = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({when} + make_interval(secs => {seconds}))"


@compiles(Later, "sqlite")
def _later_sqlite(element: Later, compiler: Any, **kw: Any) -> str:
    when, seconds = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({when} + {seconds} * 1000000)"


class EpochSeconds(FunctionElement[int]):
    """Whole seconds from 1970 to a moment: for thousands of rows far cheaper to compare than datetimes."""

    name = "epoch_seconds"
    type = BigInteger()
    inherit_cache = True


@compiles(EpochSeconds, "postgresql")
def _seconds_postgresql(element: EpochSeconds, compiler: Any, **kw: Any) -> str:
    return f"CAST(extract(epoch FROM {compiler.process(element.clauses, **kw)}) AS bigint)"


@compiles(EpochSeconds, "sqlite")
def _seconds_sqlite(element: EpochSeconds, compiler: Any, **kw: Any) -> str:
    return f"({compiler.process(element.clauses, **kw)} / 1000000)"


def all_classes(columns: Any) -> ColumnElement[int]:
    """Vehicles of all classes in a row of ``movement_counts``."""
    return reduce(add, (columns[label] for label in CLASSES))


def of(query: Query, table: Any, site: str | None, camera: str | None) -> Query:
    """The rows of a site, or of a camera, or of both."""
    if site is not None:
        query = query.where(table.site_id == site)
    return query if camera is None else query.where(table.camera_id == camera)


def speaks_at(when: Any) -> ColumnElement[bool]:
    """Whether a span of authority holds at a moment."""
    return and_(Authority.valid_from <= when, or_(Authority.valid_to.is_(None), Authority.valid_to > when))


def speaks_within(start: Any, length: int) -> ColumnElement[bool]:
    """Whether a span of authority holds somewhere in an interval."""
    return and_(
        Authority.valid_from < Later(start, length),
        or_(Authority.valid_to.is_(None), Authority.valid_to > start),
    )


def speaks_for_all(start: Any, length: int) -> ColumnElement[bool]:
    """Whether a span of authority covers all that its segment saw of an interval; join ``Segment`` too."""
    begins = or_(Authority.valid_from <= start, Authority.valid_from <= Segment.started_at)
    ends = or_(
        Authority.valid_to.is_(None),
        Authority.valid_to >= Later(start, length),
        Authority.valid_to >= Segment.ended_at,
    )
    return and_(speaks_within(start, length), begins, ends)


def owned(table: Any, when: Any) -> ColumnElement[bool]:
    """Whether the row's camera owns the row's approach at a moment."""
    return exists().where(
        Owner.site_id == table.site_id,
        Owner.approach_id == table.approach_id,
        Owner.camera_id == table.camera_id,
        Owner.valid_from <= when,
        or_(Owner.valid_to.is_(None), Owner.valid_to > when),
    )


def excluded(table: Any, start: Any, end: Any) -> ColumnElement[bool]:
    """Whether the row's place is excluded somewhere between two moments, or at the moment if they are one."""
    begins_before = Exclusion.started_at <= end if start is end else Exclusion.started_at < end
    return exists().where(
        Exclusion.withdrawn_at.is_(None),
        begins_before,
        Exclusion.ended_at > start,
        or_(Exclusion.site_id.is_(None), Exclusion.site_id == table.site_id),
        or_(Exclusion.approach_id.is_(None), Exclusion.approach_id == table.approach_id),
        or_(Exclusion.camera_id.is_(None), Exclusion.camera_id == table.camera_id),
    )


def overlap_seconds(start: datetime, length: int, begin: datetime, end: datetime | None) -> float:
    """How many seconds of an interval lie in a span; None is open."""
    until = start + timedelta(seconds=length)
    overlap = (until if end is None else min(until, end)) - max(start, begin)
    return max(overlap.total_seconds(), 0.0)
