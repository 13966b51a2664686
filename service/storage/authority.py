"""Which segment speaks for a camera: at any moment at most one, changed in one transaction."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, text, update
from sqlalchemy.orm import aliased

from service.storage.tables import Audit, Authority, Segment

Span = tuple[UUID, datetime, datetime | None]
"""A segment and the half-open stretch in which it speaks; None is open."""


def give_authority(connection: Connection, segment: UUID, until: datetime | None = None) -> bool:
    """Let a segment speak for its camera from its start on; others keep what lies outside that stretch.

    Nothing is written where it speaks there already. What is replaced is noted in ``audit``.

    Args:
        connection: of a writing transaction.
        segment: its id.
        until: end (exclusive); None leaves it open, as for a live camera.

    Returns:
        Whether anything changed.

    Raises:
        LookupError: there is no such segment.
    """
    row = connection.execute(
        select(Segment.camera_id, Segment.started_at).where(Segment.id == segment)
    ).one_or_none()
    if row is None:
        raise LookupError(f"segment {segment} was never announced")
    camera, start = row
    if connection.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:camera, 0))")
        connection.execute(lock, {"camera": camera})
    if until is not None and until <= start:
        return False
    before = authority_of(connection, camera, start, until)
    after = _joined(_replaced(before, (segment, start, until)))
    if after == before:
        return False
    connection.execute(delete(Authority).where(_overlapping(camera, start, until)))
    connection.execute(
        insert(Authority),
        [{"camera_id": camera, "segment_id": s, "valid_from": b, "valid_to": e} for s, b, e in after],
    )
    if replaced := sorted({str(span[0]) for span in before} - {str(segment)}):
        detail = {"segment": str(segment), "replaced": replaced, "from": start.isoformat()}
        detail["until"] = until.isoformat() if until else ""
        connection.execute(
            insert(Audit).values(
                time=datetime.now(UTC), actor="ngatu", action="authority", what=camera, detail=detail
            )
        )
    return True


def authority_of(
    connection: Connection, camera: str, start: datetime, until: datetime | None = None
) -> list[Span]:
    """Who speaks for a camera in a stretch, in order of time; the spans reach beyond it where they do."""
    rows = connection.execute(
        select(Authority.segment_id, Authority.valid_from, Authority.valid_to)
        .where(_overlapping(camera, start, until))
        .order_by(Authority.valid_from)
    )
    return [(row.segment_id, row.valid_from, row.valid_to) for row in rows]


def next_live_start(connection: Connection, segment: UUID) -> datetime | None:
    """When the live analysis of a camera that follows a segment begins; None if there is none yet.

    Two workers may each have watched the camera for a time, and the earlier one's rows may arrive last.
    """
    this, other = aliased(Segment), aliased(Segment)
    query = select(func.min(other.started_at)).join(this, other.camera_id == this.camera_id)
    return connection.scalar(
        query.where(this.id == segment, other.kind == "live", other.started_at > this.started_at)
    )


def end_open_segments(connection: Connection, camera: str) -> None:
    """End live segments that were never closed, as after a power cut, where the next one begins."""
    still_open = select(Segment.id).where(
        Segment.camera_id == camera, Segment.kind == "live", Segment.ended_at.is_(None)
    )
    for segment in connection.scalars(still_open).all():
        if (end := next_live_start(connection, segment)) is not None:
            connection.execute(update(Segment).where(Segment.id == segment).values(ended_at=end))


def _overlapping(camera: str, start: datetime, until: datetime | None) -> ColumnElement[bool]:
    condition = (Authority.camera_id == camera) & or_(
        Authority.valid_to.is_(None), Authority.valid_to > start
    )
    return condition if until is None else condition & (Authority.valid_from < until)


def _replaced(spans: list[Span], new: Span) -> list[Span]:
    """Spans with a new one put over them."""
    _, start, until = new
    kept: list[Span] = []
    for segment, begin, end in spans:
        if begin < start:
            kept.append((segment, begin, start))
        if until is not None and (end is None or end > until):
            kept.append((segment, max(begin, until), end))
    return sorted([*kept, new], key=lambda span: span[1])


def _joined(spans: list[Span]) -> list[Span]:
    """Neighbouring spans of one segment as one."""
    joined: list[Span] = []
    for segment, begin, end in spans:
        if joined and joined[-1][0] == segment and joined[-1][2] == begin:
            joined[-1] = (segment, joined[-1][1], end)
        else:
            joined.append((segment, begin, end))
    return joined
