"""Coverage as it was reported, day after day: read back from its snapshots."""

from datetime import UTC, datetime

from sqlalchemy import Connection, select

from service.coverage.figures import Figures
from service.storage.tables import CoverageSnapshot


def snapshots(connection: Connection, start: float, end: float) -> list[Figures]:
    """The figures kept in a period, seconds since the Unix epoch, UTC, in order of time and kind."""
    table = CoverageSnapshot
    query = (
        select(*table.__table__.columns)
        .where(
            table.time >= datetime.fromtimestamp(start, UTC), table.time < datetime.fromtimestamp(end, UTC)
        )
        .order_by(table.time, table.kind)
    )
    return [
        Figures(
            row.kind,
            row.time.timestamp(),
            row.time.timestamp(),
            float(row.sites),
            row.installed,
            row.operational,
            row.effective,
            row.time_weighted,
            1.0 if row.target is None else row.target,
        )
        for row in connection.execute(query)
    ]
