"""Whether the database is well: reachable, of the right schema, and true to its own rules."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, exists, func, or_, select, text
from sqlalchemy.orm import aliased

from service.storage.conditions import all_classes
from service.storage.connect import StorageError, reading, schema_revision, shown
from service.storage.counts import QUARTER
from service.storage.tables import Authority, CrossingRow, MovementCount, Observed, Owner, Segment


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """How the database stands.

    Attributes:
        address: its URL without the password.
        error: why it cannot be used, or None.
        revision: revision of its schema; None where it is empty or cannot be reached.
        newest: the revision that this program knows.
        bytes: its size.
        free: bytes free on its disk; None where that is not known from here.
    """

    address: str
    error: str | None = None
    revision: str | None = None
    newest: str | None = None
    bytes: int | None = None
    free: int | None = None


def database_status(engine: Engine) -> DatabaseStatus:
    """Ask the database how it stands; that it cannot be reached is told, not raised."""
    try:
        revision, newest = schema_revision(engine)
        with reading(engine) as connection:
            if engine.dialect.name == "postgresql":
                size = connection.scalar(text("SELECT pg_database_size(current_database())"))
                return DatabaseStatus(shown(engine), None, revision, newest, size)
        path = Path(engine.url.database or "")
        size = sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*"))
        return DatabaseStatus(
            shown(engine), None, revision, newest, size, shutil.disk_usage(path.parent).free
        )
    except StorageError as error:
        return DatabaseStatus(shown(engine), str(error))


def check_database(engine: Engine, days: int = 7, now: datetime | None = None) -> list[str]:
    """What is wrong in the last days, each a sentence; empty where all is well.

    Raises:
        StorageError: the database cannot be read.
    """
    end = now or datetime.now(UTC)
    start = end - timedelta(days=days)
    start -= timedelta(seconds=start.timestamp() % QUARTER)
    with reading(engine) as connection:
        return [problem for check in _CHECKS for problem in check(connection, start, end)]


def _counts_are_the_sum_of_crossings(connection: Connection, start: datetime, end: datetime) -> list[str]:
    crossings = (
        select(CrossingRow.segment_id, func.count())
        .where(CrossingRow.time >= start, CrossingRow.time < end)
        .group_by(CrossingRow.segment_id)
    )
    counts = (
        select(MovementCount.segment_id, func.sum(all_classes(MovementCount.__table__.c)))
        .where(MovementCount.kind == "gate", MovementCount.start >= start, MovementCount.start < end)
        .group_by(MovementCount.segment_id)
    )
    single = {row[0]: row[1] for row in connection.execute(crossings)}
    summed = {row[0]: int(row[1]) for row in connection.execute(counts)}
    return [
        f"segment {segment}: {single.get(segment, 0)} crossings, but its counts add up to "
        f"{summed.get(segment, 0)}"
        for segment in sorted(single.keys() | summed.keys())
        if single.get(segment, 0) != summed.get(segment, 0)
    ]


def _crossings_have_a_segment(connection: Connection, start: datetime, end: datetime) -> list[str]:
    known = exists().where(Segment.id == CrossingRow.segment_id)
    lost = connection.scalar(
        select(func.count()).where(CrossingRow.time >= start, CrossingRow.time < end, ~known)
    )
    return [f"{lost} crossings belong to no segment"] if lost else []


def _one_segment_speaks(connection: Connection, start: datetime, end: datetime) -> list[str]:
    one, other = aliased(Authority), aliased(Authority)
    pairs = (
        select(one.camera_id, other.valid_from)
        .join(other, (one.camera_id == other.camera_id) & (one.pk != other.pk))
        .where(
            one.valid_from <= other.valid_from, or_(one.valid_to.is_(None), one.valid_to > other.valid_from)
        )
        .where(other.valid_from < end, or_(other.valid_to.is_(None), other.valid_to > start))
    )
    return [f"two segments speak for camera {camera} from {at}" for camera, at in connection.execute(pairs)]


def _one_camera_owns(connection: Connection, _start: datetime, _end: datetime) -> list[str]:
    one, other = aliased(Owner), aliased(Owner)
    same = (one.site_id == other.site_id) & (one.approach_id == other.approach_id) & (one.pk != other.pk)
    pairs = (
        select(one.site_id, one.approach_id, other.valid_from)
        .join(other, same)
        .where(
            one.valid_from <= other.valid_from, or_(one.valid_to.is_(None), one.valid_to > other.valid_from)
        )
    )
    return [
        f"approach {approach} of {site} has two owners from {at}"
        for site, approach, at in connection.execute(pairs)
    ]


def _no_more_observed_than_there_was(connection: Connection, start: datetime, end: datetime) -> list[str]:
    more = connection.scalar(
        select(func.count()).where(
            Observed.start >= start, Observed.start < end, Observed.observed_seconds > Observed.length + 1e-6
        )
    )
    return [f"{more} intervals were observed for longer than they last"] if more else []


def _the_file_is_sound(connection: Connection, _start: datetime, _end: datetime) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    state = connection.scalar(text("PRAGMA quick_check(1)"))
    return [] if state == "ok" else [f"the file {shown(connection.engine)} is damaged: {state}"]


_CHECKS: tuple[Callable[[Connection, datetime, datetime], list[str]], ...] = (
    _the_file_is_sound,
    _crossings_have_a_segment,
    _counts_are_the_sum_of_crossings,
    _one_segment_speaks,
    _one_camera_owns,
    _no_more_observed_than_there_was,
)
