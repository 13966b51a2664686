"""Partitions by month in PostgreSQL: made when first needed, dropped whole when their time is over."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, Table, text


def is_partition(name: str) -> bool:
    """Whether a table's name is that of a partition, such as ``crossings_y2026m03``."""
    return re.search(r"_y\d{4}m\d{2}$", name) is not None


def ensure_months(connection: Connection, table: Table, moments: Iterable[datetime]) -> None:
    """See that a table has the partitions that some moments fall into; SQLite has none and needs none."""
    if connection.dialect.name != "postgresql":
        return
    months = {(moment.year, moment.month) for moment in (each.astimezone(UTC) for each in moments)}
    for year, month in sorted(months):
        name = partition_name(table.name, year, month)
        if not _exists(connection, name):
            # Two writers may want the same month at the same time: one of them makes it.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
            if not _exists(connection, name):
                _make(connection, table, name, *month_span(year, month))


def partition_name(table: str, year: int, month: int) -> str:
    """The name of a month's partition."""
    return f"{table}_y{year:04d}m{month:02d}"


def month_span(year: int, month: int) -> tuple[datetime, datetime]:
    """First moment of a month in UTC, and of the next."""
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return datetime(year, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)


def _exists(connection: Connection, name: str) -> bool:
    # Asked of the catalogue itself: to_regclass goes on saying what it knew before the wait for the lock.
    query = "SELECT 1 FROM pg_class WHERE relname = :name AND relnamespace = current_schema()::regnamespace"
    return connection.scalar(text(query), {"name": name}) is not None


def _make(connection: Connection, table: Table, name: str, start: datetime, end: datetime) -> None:
    # Made apart and then attached, it disturbs nobody who reads or writes the other months.
    connection.execute(text(f"CREATE TABLE {name} (LIKE {table.name} INCLUDING ALL)"))
    bounds = f"FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
    connection.execute(text(f"ALTER TABLE {table.name} ATTACH PARTITION {name} FOR VALUES {bounds}"))
