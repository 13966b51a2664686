"""Drops what has had its time, once it is proven that the longer intervals hold its sums."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, func, insert, select, text

from service.storage.base import Base
from service.storage.conditions import all_classes
from service.storage.connect import reading, writing
from service.storage.partitions import month_span, partition_name
from service.storage.tables import Audit

CROSSINGS = Base.metadata.tables["crossings"]
COUNTS = Base.metadata.tables["movement_counts"]
OBSERVED = Base.metadata.tables["observed"]
INTERVALS = Base.metadata.tables["approach_intervals"]


class Retention(BaseModel):
    """How long what was measured is kept; intervals of 15 minutes and counts are kept for ever."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    crossings_days: int = Field(365, ge=31, description="single crossings, days; dropped a month at a time")
    ten_seconds_hours: int = Field(48, ge=1, description="intervals of 10 seconds, hours")
    minutes_days: int = Field(30, ge=1, description="intervals of a minute, days")
    tracks_days: int = Field(7, ge=1, description="files of tracks, days")


@dataclass(frozen=True, slots=True)
class Dropped:
    """What one step of the job dropped, and the proof.

    Attributes:
        what: table and length of the rows, such as ``approach_intervals 10 s``.
        start: beginning of the stretch of time.
        end: its end.
        rows: rows before.
        left: rows after: 0, or all of them where the proof failed.
        sums: sums over the rows that were dropped: observed seconds, vehicles.
        kept: the same sums over what stays for ever, or until its own time is over.
        proven: whether what stays holds the sums of each segment and approach; else nothing was dropped.
    """

    what: str
    start: datetime
    end: datetime
    rows: int
    left: int
    sums: dict[str, float]
    kept: dict[str, float]
    proven: bool


Sums = dict[tuple[Any, ...], dict[str, float]]
"""By segment (and approach): sums by name."""


@dataclass(frozen=True, slots=True)
class _Tier:
    """Rows of a kind, where their sums stay, and the longest stretch that one transaction drops."""

    what: str
    table: Table
    length: int | None
    held_by: Table
    held_length: int | None
    until: datetime
    monthly: bool = False


def run_retention(
    engine: Engine, settings: Retention | None = None, now: datetime | None = None
) -> list[Dropped]:
    """Drop what is older than the settings say, a day or month of one table at a time.

    Each step counts and sums what it is about to drop, and what stays in its place, and drops only if
    nothing is missing there; both are written to ``audit`` in the same transaction.

    Raises:
        StorageError: the database cannot be used.
    """
    settings, now = settings or Retention(), (now or datetime.now(UTC)).astimezone(UTC)
    done = []
    for tier in _tiers(settings, now):
        for start, end in _steps(engine, tier):
            with writing(engine) as connection:
                dropped = _drop(connection, tier, start, end)
                if dropped.rows:
                    _note(connection, dropped)
                    done.append(dropped)
    return done


def drop_tracks(
    engine: Engine, folder: Path, settings: Retention | None = None, now: datetime | None = None
) -> list[Path]:
    """Delete files called ``tracks.parquet`` in a folder and below that have had their time."""
    limit = (now or datetime.now(UTC)) - timedelta(days=(settings or Retention()).tracks_days)
    old = [
        path for path in sorted(folder.rglob("tracks.parquet")) if path.stat().st_mtime < limit.timestamp()
    ]
    size = sum(path.stat().st_size for path in old)
    for path in old:
        path.unlink()
    if old:
        detail = {"files": [str(path) for path in old], "bytes": size, "older_than": limit.isoformat()}
        with writing(engine) as connection:
            row = {"actor": "ngatu", "action": "retention", "what": "tracks", "detail": detail}
            connection.execute(insert(Audit).values(time=datetime.now(UTC), **row))
    return old


def _tiers(settings: Retention, now: datetime) -> list[_Tier]:
    tens = _hour(now - timedelta(hours=settings.ten_seconds_hours))
    minutes = _hour(now - timedelta(days=settings.minutes_days))
    year = now - timedelta(days=settings.crossings_days)
    return [
        _Tier("approach_intervals 10 s", INTERVALS, 10, INTERVALS, 60, tens),
        _Tier("approach_intervals 60 s", INTERVALS, 60, INTERVALS, 900, minutes),
        _Tier("observed 60 s", OBSERVED, 60, OBSERVED, 900, minutes),
        _Tier("crossings", CROSSINGS, None, COUNTS, None, month_span(year.year, year.month)[0], monthly=True),
    ]


def _steps(engine: Engine, tier: _Tier) -> Iterator[tuple[datetime, datetime]]:
    """The days or months that hold rows of a tier, oldest first, up to its limit."""
    when = _when(tier.table)
    with reading(engine) as connection:
        oldest = connection.scalar(select(func.min(when)).where(*_of_length(tier.table, tier.length)))
    while oldest is not None and oldest < tier.until:
        if tier.monthly:
            start, end = month_span(oldest.year, oldest.month)
        else:
            start = _hour(oldest)
            end = min(start.replace(hour=0) + timedelta(days=1), tier.until)
        yield start, end
        oldest = end


def _drop(connection: Connection, tier: _Tier, start: datetime, end: datetime) -> Dropped:
    rows = (*_of_length(tier.table, tier.length), *_within(tier.table, start, end))
    number = connection.scalar(select(func.count()).select_from(tier.table).where(*rows)) or 0
    sums = _sums(connection, tier.table, tier.length, start, end)
    kept = _sums(connection, tier.held_by, tier.held_length, start, end)
    kept = {group: values for group, values in kept.items() if group in sums}
    proven = _holds(kept, sums)
    before = Dropped(tier.what, start, end, number, number, _total(sums), _total(kept), proven)
    if not number or not proven:
        return before
    partition = partition_name(tier.table.name, start.year, start.month)
    if tier.monthly and connection.dialect.name == "postgresql":
        connection.execute(text(f"DROP TABLE {partition}"))
    else:
        connection.execute(delete(tier.table).where(*rows))
    left = connection.scalar(select(func.count()).select_from(tier.table).where(*rows)) or 0
    return replace(before, left=left)


def _sums(connection: Connection, table: Table, length: int | None, start: datetime, end: datetime) -> Sums:
    """What rows of a stretch add up to, by segment and approach; single crossings count one each."""
    where = [*_of_length(table, length), *_within(table, start, end)]
    group = [table.c.segment_id, *([table.c.approach_id] if table is INTERVALS else [])]
    sums: dict[str, ColumnElement[Any]]
    if table is CROSSINGS:
        sums = {"vehicles": func.count()}
    elif table is COUNTS:
        sums = {"vehicles": func.sum(all_classes(table.c))}
        where.append(table.c.kind == "gate")
    else:
        sums = {"observed_seconds": func.sum(table.c.observed_seconds)}
        if table is INTERVALS:
            sums["vehicles"] = func.sum(table.c.count)
    rows = connection.execute(select(*group, *sums.values()).where(*where).group_by(*group))
    return {
        tuple(row[: len(group)]): {
            name: float(value or 0) for name, value in zip(sums, row[len(group) :], strict=True)
        }
        for row in rows
    }


def _holds(kept: Sums, sums: Sums) -> bool:
    return all(
        kept.get(group, {}).get(name, 0.0) >= value - 1e-6 * max(1.0, value)
        for group, values in sums.items()
        for name, value in values.items()
    )


def _total(sums: Sums) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for values in sums.values():
        for name, value in values.items():
            total[name] += value
    return dict(total)


def _note(connection: Connection, dropped: Dropped) -> None:
    detail = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(dropped).items()
    }
    action = "retention" if dropped.proven else "retention_refused"
    connection.execute(
        insert(Audit).values(
            time=datetime.now(UTC), actor="ngatu", action=action, what=dropped.what, detail=detail
        )
    )


def _when(table: Table) -> ColumnElement[Any]:
    return table.c.time if table is CROSSINGS else table.c.start


def _within(table: Table, start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    return (_when(table) >= start, _when(table) < end)


def _of_length(table: Table, length: int | None) -> tuple[ColumnElement[bool], ...]:
    return () if length is None else (table.c.length == length,)


def _hour(when: datetime) -> datetime:
    """The full hour before, so that no interval is cut."""
    return when.replace(minute=0, second=0, microsecond=0)
