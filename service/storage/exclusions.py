"""Periods that reports leave out: roadworks, a camera turned away. Kept and marked, never deleted."""

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update

from service.storage.connect import StorageError
from service.storage.junctions import quarters_of, refresh_junctions
from service.storage.tables import Audit, Exclusion


def exclude(
    connection: Connection,
    start: datetime,
    end: datetime,
    *,
    reason: str,
    author: str,
    site: str | None = None,
    approach: str | None = None,
    camera: str | None = None,
) -> int:
    """Leave a period of a site, of one of its approaches, or of a camera out of reports; returns its number.

    Raises:
        StorageError: reason, author or place is missing, or the period ends before it begins.
    """
    if not reason.strip() or not author.strip():
        raise StorageError("an excluded period needs a reason and an author; give both")
    if site is None and camera is None:
        raise StorageError("an excluded period is of a site or a camera; name one")
    if start >= end:
        raise StorageError(f"the excluded period ends ({end}) before it begins ({start}); swap them")
    row = insert(Exclusion).values(
        site_id=site,
        approach_id=approach,
        camera_id=camera,
        started_at=start,
        ended_at=end,
        reason=reason,
        author=author,
        created_at=datetime.now(UTC),
    )
    number = connection.scalars(row.returning(Exclusion.pk)).one()
    _changed(connection, number, "exclude", author)
    return number


def withdraw(connection: Connection, number: int, author: str) -> None:
    """Let an excluded period count again.

    Raises:
        StorageError: there is none of that number, or it was withdrawn before.
    """
    changed = connection.execute(
        update(Exclusion)
        .where(Exclusion.pk == number, Exclusion.withdrawn_at.is_(None))
        .values(withdrawn_at=datetime.now(UTC), withdrawn_by=author)
    )
    if changed.rowcount == 0:
        raise StorageError(f"there is no excluded period {number} that holds; list them to see their numbers")
    _changed(connection, number, "withdraw", author)


def _changed(connection: Connection, number: int, action: str, author: str) -> None:
    row = connection.execute(select(*Exclusion.__table__.columns).where(Exclusion.pk == number)).one()
    detail = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row._asdict().items()
        if value not in (None, "")
    }
    what = f"exclusion {number}"
    connection.execute(
        insert(Audit).values(time=datetime.now(UTC), actor=author, action=action, what=what, detail=detail)
    )
    touched = quarters_of(connection, row.started_at, row.ended_at, camera=row.camera_id, site=row.site_id)
    refresh_junctions(connection, touched)
