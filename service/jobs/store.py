"""Jobs in the database: put in, taken up one by one, followed, ended."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import UUID, uuid4

from sqlalchemy import Connection, func, insert, select, tuple_, update

from service.jobs.settings import JobOptions
from service.storage.base import Base
from service.storage.tables import Job

JOBS = Base.metadata.tables[Job.__tablename__]

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
STATES: tuple[JobState, ...] = get_args(JobState)
ENDED: tuple[JobState, ...] = ("done", "failed", "cancelled")

Values = dict[str, Any]


def submit(
    connection: Connection, *, name: str, path: Path, sha256: str, options: JobOptions, login: str
) -> tuple[Values, bool]:
    """Put a recording into the queue; the second value is whether it is new.

    The same content with the same options is the same job, unless that one failed or was cancelled.
    """
    plain = options.model_dump(mode="json")
    query = select(JOBS).where(JOBS.c.sha256 == sha256, JOBS.c.state.not_in(("failed", "cancelled")))
    for row in connection.execute(query.order_by(JOBS.c.created_at.desc())):
        if row.options == plain and (row.state != "done" or not row.result.get("expired")):
            return row._asdict(), False
    whole = {
        "id": uuid4(),
        "name": name,
        "path": str(path),
        "sha256": sha256,
        "state": "queued",
        "progress": 0.0,
        "message": "",
        "options": plain,
        "result": {},
        "created_by": login,
        "created_at": datetime.now(UTC),
        "started_at": None,
        "ended_at": None,
    }
    connection.execute(insert(JOBS).values(whole))
    return whole, True


def listed(
    connection: Connection,
    *,
    state: JobState | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Values]:
    """Jobs, the newest first; ``before`` goes on behind a row."""
    query = select(JOBS)
    if state is not None:
        query = query.where(JOBS.c.state == state)
    if before is not None:
        query = query.where(tuple_(JOBS.c.created_at, JOBS.c.id) < before)
    query = query.order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc()).limit(limit)
    return [row._asdict() for row in connection.execute(query)]


def job(connection: Connection, number: UUID) -> Values | None:
    """One job by its id."""
    row = connection.execute(select(JOBS).where(JOBS.c.id == number)).one_or_none()
    return row._asdict() if row else None


def waiting(connection: Connection) -> int:
    """How many jobs wait for their turn."""
    return connection.scalar(select(func.count()).where(JOBS.c.state == "queued")) or 0


def cancel(connection: Connection, number: UUID, login: str) -> bool:
    """End a job that waits or runs; whether it did. The runner stops its process within a second."""
    statement = (
        update(JOBS)
        .where(JOBS.c.id == number, JOBS.c.state.in_(("queued", "running")))
        .values(state="cancelled", message=f"cancelled by {login}", ended_at=datetime.now(UTC))
    )
    return bool(connection.execute(statement).rowcount)


# What the runner writes.


def take_next(connection: Connection) -> Values | None:
    """Begin the job that has waited longest."""
    query = select(JOBS).where(JOBS.c.state == "queued").order_by(JOBS.c.created_at, JOBS.c.id).limit(1)
    row = connection.execute(query.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    attempts = int(row.result.get("attempts", 0)) + 1
    values = {
        "state": "running",
        "progress": 0.0,
        "message": "",
        "started_at": datetime.now(UTC),
        "result": {"attempts": attempts},
    }
    connection.execute(update(JOBS).where(JOBS.c.id == row.id).values(values))
    return {**row._asdict(), **values}


def put_progress(connection: Connection, number: UUID, progress: float) -> bool:
    """Say how far a job is, 0 to 1; False once it must not go on."""
    statement = update(JOBS).where(JOBS.c.id == number, JOBS.c.state == "running")
    return bool(connection.execute(statement.values(progress=progress)).rowcount)


def finish(
    connection: Connection, number: UUID, state: JobState, message: str, result: Mapping[str, Any]
) -> bool:
    """End a running job; False where somebody cancelled it meanwhile."""
    values: Values = {
        "state": state,
        "message": message,
        "ended_at": datetime.now(UTC),
        "result": dict(result),
    }
    if state == "done":
        values["progress"] = 1.0
    statement = update(JOBS).where(JOBS.c.id == number, JOBS.c.state == "running").values(values)
    return bool(connection.execute(statement).rowcount)


def take_up_again(connection: Connection, attempts: int) -> list[Values]:
    """Put jobs whose service was stopped into the queue again; too often, and they have failed."""
    query = select(JOBS).where(JOBS.c.state == "running").with_for_update()
    rows = [row._asdict() for row in connection.execute(query)]
    for row in rows:
        tried = int(row["result"].get("attempts", 1))
        if tried < attempts:
            values: Values = {"state": "queued", "progress": 0.0, "started_at": None}
            values["message"] = "the service was stopped while it was counted; it is counted again"
        else:
            values = {"state": "failed", "ended_at": datetime.now(UTC)}
            values["message"] = (
                f"the service was stopped {tried} times while it was counted; look why, then submit it again"
            )
        connection.execute(update(JOBS).where(JOBS.c.id == row["id"]).values(values))
    return rows


def expired(connection: Connection, before: datetime) -> list[Values]:
    """Jobs that ended before a moment and whose recordings are still kept."""
    query = select(JOBS).where(JOBS.c.state.in_(ENDED), JOBS.c.ended_at < before)
    return [row._asdict() for row in connection.execute(query) if not row.result.get("expired")]


def mark_expired(connection: Connection, row: Mapping[str, Any]) -> None:
    """Say that a job's recording and videos were deleted."""
    result = {**row["result"], "expired": True}
    connection.execute(update(JOBS).where(JOBS.c.id == row["id"]).values(result=result))


def paths_in_use(connection: Connection, since: datetime) -> set[str]:
    """Recordings of jobs that wait, run, or ended at ``since`` or later."""
    query = select(JOBS.c.path).where((JOBS.c.state.in_(("queued", "running"))) | (JOBS.c.ended_at >= since))
    return set(connection.scalars(query))
