"""Checks of what is kept: the database, what waits in outboxes, and whether the disk will last."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, func, insert, make_url, select
from sqlalchemy.exc import ArgumentError

from service.doctor import Finding, size_text
from service.storage.check import DatabaseStatus, database_status
from service.storage.connect import DEFAULT_URL, StorageError, connect, reading, writing
from service.storage.messages import Message
from service.storage.outbox import LEAST_FREE, Outbox, OutboxState
from service.storage.retention import Retention
from service.storage.tables import Approach, Audit, CrossingRow

APPROACH_ROW, COUNT_ROW, CROSSING_ROW = 1200, 300, 300
"""Bytes of a row with its indices, as measured (docs/storage.md; a crossing in SQLite)."""

COUNT_CELLS = 6
"""Rows of counts in a quarter of an hour for each approach: in, out and the movements that occur."""

ASSUMED_CROSSINGS = 10_000
"""Crossings of an approach a day, where the database does not tell."""

LAST_DAYS = 7
SOON = 90
"""Days for which the disk must last, else somebody should look."""


class _UndoError(Exception):
    """Rolls the test row back."""


def open_if_there(url: str | None) -> Engine | None:
    """The database's engine; None for a SQLite file that is not there, which looking must not make.

    Raises:
        StorageError: the URL is not understood.
    """
    try:
        address = make_url(url or DEFAULT_URL)
    except ArgumentError:
        return connect(url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        return None
    return connect(url)


def check_database(engine: Engine | None, url: str | None) -> Iterator[Finding]:
    """Whether the database can be reached, has our schema, and takes a row; the row is taken back."""
    if engine is None:
        yield Finding("database", "attention", "database_absent", {"address": url or DEFAULT_URL})
        return
    status = database_status(engine)
    values = {"address": status.address, "revision": status.revision, "newest": status.newest}
    if status.error:
        yield Finding("database", "fault", "database_fault", {**values, "problem": status.error})
    elif status.revision is None:
        yield Finding("database", "attention", "database_absent", values)
    elif status.revision != status.newest:
        yield Finding("database", "fault", "database_schema", values)
    elif problem := _write_problem(engine):
        yield Finding("database", "fault", "database_no_write", {**values, "problem": problem})
    else:
        yield Finding("database", "ok", "database_ok", {**values, "size": size_text(status.bytes or 0)})


def is_ready(engine: Engine | None) -> bool:
    """Whether the database can be read by this program."""
    status = database_status(engine) if engine else DatabaseStatus("")
    return status.revision is not None and status.revision == status.newest


def check_outboxes(folder: Path) -> Iterator[Finding]:
    """How much waits in the outboxes below a folder, since when, and how much more they can take."""
    files = sorted(folder.rglob("outbox.db"))
    if not files:
        yield Finding("outbox", "ok", "outbox_none", {"folder": str(folder)})
    for file in files:
        try:
            with Outbox(file) as outbox:
                yield _outbox_finding(file, outbox.state(), outbox.oldest(1))
        except StorageError as error:
            yield Finding("outbox", "fault", "outbox_fault", {"problem": str(error)})


def check_disk(
    engine: Engine | None, folder: Path, settings: Retention | None = None, now: datetime | None = None
) -> Iterator[Finding]:
    """Whether the disk will hold what is kept, by the settings of retention and the registry's approaches.

    For ever stay quarters of an hour and counts; crossings, minutes and 10 seconds have their time. For
    PostgreSQL, whose disk cannot be seen from here, only what it will need is told.
    """
    settings, now = settings or Retention(), now or datetime.now(UTC)
    status = database_status(engine) if engine else DatabaseStatus("")
    approaches, crossings = _expected(engine, now) if is_ready(engine) else (0, None)
    place = folder if folder.exists() else Path()
    remote = engine is not None and engine.dialect.name != "sqlite"
    free = shutil.disk_usage(place).free if status.free is None else status.free
    values: dict[str, object] = {"free": size_text(free)}
    if free < LEAST_FREE:
        yield Finding("disk", "fault", "disk_full", values)
        return
    if not approaches:
        yield Finding("disk", "ok", "disk_not_known", values)
        return
    daily = _daily_bytes(approaches, crossings)
    short = approaches * APPROACH_ROW * (settings.ten_seconds_hours * 360 + settings.minutes_days * 1440)
    days = max(free - max(short - (status.bytes or 0), 0), 0) / daily
    values |= {
        "daily": size_text(daily),
        "short": size_text(short),
        "approaches": approaches,
        "crossings": round(approaches * ASSUMED_CROSSINGS if crossings is None else crossings),
        "kept": settings.crossings_days,
        "days": round(days),
    }
    if remote:
        yield Finding("disk", "ok", "disk_remote", values)
    elif days < SOON:
        yield Finding("disk", "attention", "disk_soon", values)
    else:
        yield Finding("disk", "ok", "disk_ok", values)


def _write_problem(engine: Engine) -> str | None:
    """Why a row cannot be written; None if it can. Nothing of it stays."""
    row = {"actor": "ngatu doctor", "action": "test", "what": "a row that is taken back", "detail": {}}
    try:
        with writing(engine) as connection:
            connection.execute(insert(Audit).values(time=datetime.now(UTC), **row))
            raise _UndoError
    except _UndoError:
        return None
    except StorageError as error:
        return str(error)


def _outbox_finding(file: Path, state: OutboxState, first: list[Message]) -> Finding:
    oldest = _moment_of(first[0]) if first else None
    room = min(state.limit - state.bytes, state.free)
    values: dict[str, object] = {
        "file": str(file),
        "waiting": state.waiting,
        "rejected": state.rejected,
        "oldest": "?" if oldest is None else f"{datetime.fromtimestamp(oldest, UTC):%Y-%m-%d %H:%M} UTC",
        "room": size_text(max(room, 0)),
    }
    if room <= 0:
        return Finding("outbox", "fault", "outbox_full", values)
    if state.rejected:
        return Finding("outbox", "attention", "outbox_rejected", values)
    if state.waiting:
        return Finding("outbox", "attention", "outbox_waiting", values)
    return Finding("outbox", "attention" if state.alarm else "ok", "outbox_ok", values)


def _moment_of(message: Message) -> float | None:
    """The time that a message is about, seconds since the epoch; None where it tells none."""
    match message.kind, message.content:
        case "segment", {"started_us": int(time_us)}:
            return time_us / 1e6
        case "crossings" | "observed", {"rows": [[int(time_us), *_], *_]}:
            return time_us / 1e6
        case "intervals", {"rows": [{"sums": {"start": float(start)}}, *_]}:
            return start
        case "end", {"ended_us": int(time_us)}:
            return time_us / 1e6
    return None


def _expected(engine: Engine | None, now: datetime) -> tuple[int, float | None]:
    """Approaches in the registry now, and crossings a day of the last days; None where there were none."""
    if engine is None:
        return 0, None
    since = now - timedelta(days=LAST_DAYS)
    with reading(engine) as connection:
        open_ = Approach.valid_to.is_(None) | (Approach.valid_to > now)
        approaches = connection.scalar(
            select(func.count()).select_from(Approach).where(Approach.valid_from <= now, open_)
        )
        crossings = connection.scalar(
            select(func.count()).select_from(CrossingRow).where(CrossingRow.time >= since)
        )
    return approaches or 0, crossings / LAST_DAYS if crossings else None


def _daily_bytes(approaches: int, crossings: float | None) -> float:
    """What a day adds as long as nothing has had its time but the short intervals."""
    quarters = 96 * approaches * (APPROACH_ROW + COUNT_CELLS * COUNT_ROW)
    return quarters + CROSSING_ROW * (approaches * ASSUMED_CROSSINGS if crossings is None else crossings)
