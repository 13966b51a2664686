"""Smaller reads of pages and programs: health, incidents, excluded periods, pictures of views."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, or_, select, tuple_, update

from service.storage.tables import CameraHealth, Exclusion, Incident, ViewPicture

Period = tuple[datetime | None, datetime | None]


def health(
    connection: Connection,
    start: datetime,
    end: datetime,
    *,
    camera: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> list[Any]:
    """States of cameras that lie somewhere in a period, in order of (start, camera)."""
    table = CameraHealth
    query = select(*table.__table__.columns).where(
        table.started_at < end, or_(table.ended_at.is_(None), table.ended_at > start)
    )
    if camera is not None:
        query = query.where(table.camera_id == camera)
    if after is not None:
        query = query.where(tuple_(table.started_at, table.camera_id) > after)
    return list(connection.execute(query.order_by(table.started_at, table.camera_id).limit(limit)))


def incidents(
    connection: Connection,
    start: datetime,
    end: datetime,
    *,
    site: str | None = None,
    camera: str | None = None,
    kind: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[Any]:
    """Incidents that begin in a period, in order of (start, id)."""
    table = Incident
    query = select(*table.__table__.columns).where(table.started_at >= start, table.started_at < end)
    for column, value in ((table.site_id, site), (table.camera_id, camera), (table.kind, kind)):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(tuple_(table.started_at, table.id) > after)
    return list(connection.execute(query.order_by(table.started_at, table.id).limit(limit)))


def exclusions(
    connection: Connection,
    period: Period = (None, None),
    *,
    site: str | None = None,
    camera: str | None = None,
    withdrawn: bool = False,
    after: int = 0,
    limit: int,
) -> list[Any]:
    """Excluded periods that lie somewhere in a period, in order of their numbers."""
    table = Exclusion
    query = select(*table.__table__.columns).where(table.pk > after)
    start, end = period
    if start is not None:
        query = query.where(table.ended_at > start)
    if end is not None:
        query = query.where(table.started_at < end)
    if site is not None:
        query = query.where(table.site_id == site)
    if camera is not None:
        query = query.where(table.camera_id == camera)
    if not withdrawn:
        query = query.where(table.withdrawn_at.is_(None))
    return list(connection.execute(query.order_by(table.pk).limit(limit)))


def exclusion(connection: Connection, number: int) -> Any | None:
    """One excluded period; None where there is none of that number."""
    query = select(*Exclusion.__table__.columns).where(Exclusion.pk == number)
    return connection.execute(query).one_or_none()


def confirmations(connection: Connection, camera: str) -> dict[str, Any]:
    """Of a camera's views, by checksum, when the picture was made and by whom it was confirmed."""
    columns = [each for each in ViewPicture.__table__.columns if each.name != "picture"]
    query = select(*columns).where(ViewPicture.camera_id == camera)
    return {row.view_sha256: row for row in connection.execute(query)}


def all_confirmations(connection: Connection) -> dict[tuple[str, str], Any]:
    """The same of all cameras' views, by camera and checksum."""
    columns = [each for each in ViewPicture.__table__.columns if each.name != "picture"]
    return {(row.camera_id, row.view_sha256): row for row in connection.execute(select(*columns))}


def view_picture(connection: Connection, camera: str, sha256: str) -> Any | None:
    """The JPEG that a view was drawn on, and when it was made; None where none is kept."""
    query = select(ViewPicture.picture, ViewPicture.made_at).where(
        ViewPicture.camera_id == camera, ViewPicture.view_sha256 == sha256
    )
    return connection.execute(query).one_or_none()


def mark_confirmed(connection: Connection, camera: str, sha256: str, login: str, now: datetime) -> bool:
    """Say that a view fits the camera's picture; False where there is no picture of it."""
    found = connection.execute(
        update(ViewPicture)
        .where(ViewPicture.camera_id == camera, ViewPicture.view_sha256 == sha256)
        .values(confirmed_at=now, confirmed_by=login)
    )
    return found.rowcount > 0
