"""What coverage reads from the database, states of cameras and what was observed; and its snapshots."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, or_, select

from service.coverage.facts import Evidence, Health, fill_from_recordings
from service.coverage.figures import Figures
from service.coverage.intervals import Floats
from service.storage.base import Base, upsert_into
from service.storage.reads import observed_parts
from service.storage.tables import Authority, CameraHealth, Observed

SNAPSHOTS = Base.metadata.tables["coverage_snapshots"]
PATIENCE = 90.0
"""Seconds for which a state holds that nobody has confirmed again: a dead worker's cameras are not fresh."""
SHORT = 2 * 86_400.0
"""Up to this length of period, minutes are read instead of quarters of an hour."""


def load_evidence(connection: Connection, start: float, end: float) -> Evidence:
    """What the cameras say of a period, seconds since the Unix epoch, UTC.

    Only what the authoritative segment of each moment observed is taken. Where no state of a camera is
    known but a recording of it was counted, it worked.
    """
    health, observed = _health(connection, start, end), _observed(connection, start, end)
    return fill_from_recordings(Evidence(health, observed))


def save_snapshot(connection: Connection, figures: Sequence[Figures], now: float) -> None:
    """Keep the figures of a moment as they were reported; a later change of the past does not alter them."""
    for each in figures:
        shares: dict[str, Any] = {
            "sites": round(each.sites),
            "installed": each.installed,
            "operational": each.operational,
            "effective": each.effective,
            "time_weighted": each.time_weighted,
            "target": each.target,
            "detail": {},
            "taken_at": _moment(now),
        }
        statement = upsert_into(connection, SNAPSHOTS).values(
            time=_moment(each.end), kind=each.kind, **shares
        )
        connection.execute(statement.on_conflict_do_update(index_elements=["kind", "time"], set_=shares))


def _health(connection: Connection, start: float, end: float) -> dict[str, list[Health]]:
    # The last state before the period tells since when a camera has been away.
    last_before = (
        select(CameraHealth.camera_id, func.max(CameraHealth.started_at).label("started_at"))
        .where(CameraHealth.started_at <= _moment(start))
        .group_by(CameraHealth.camera_id)
        .subquery()
    )
    query = (
        select(CameraHealth)
        .outerjoin(
            last_before,
            (last_before.c.camera_id == CameraHealth.camera_id)
            & (last_before.c.started_at == CameraHealth.started_at),
        )
        .where(
            CameraHealth.started_at < _moment(end),
            or_(CameraHealth.started_at > _moment(start), last_before.c.camera_id.is_not(None)),
        )
        .order_by(CameraHealth.camera_id, CameraHealth.started_at)
    )
    found: dict[str, list[Health]] = defaultdict(list)
    for row in connection.execute(query.with_only_columns(*CameraHealth.__table__.columns)):
        states = found[row.camera_id]
        began = row.started_at.timestamp()
        if states and states[-1].end > began:  # never closed: the next state tells that it was over
            states[-1] = Health(states[-1].state, states[-1].start, began)
        if row.ended_at is not None:
            over = row.ended_at.timestamp()
        else:
            over = end if row.seen_at is None else row.seen_at.timestamp() + PATIENCE
        states.append(Health(row.state, began, over))
    return dict(found)


def _observed(connection: Connection, start: float, end: float) -> dict[str, Floats]:
    length = 60 if end - start <= SHORT else 900
    query = (
        observed_parts(length)
        .where(
            Observed.observed_seconds > 0,
            Observed.start > _moment(start - length),
            Observed.start < _moment(end),
        )
        .order_by(Observed.camera_id, Observed.start, Authority.valid_from)
    )
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for row in connection.execute(query):
        began = row.start.timestamp()
        until = row.valid_to.timestamp() if row.valid_to else np.inf
        first, last = max(began, row.valid_from.timestamp()), min(began + length, until, end)
        if first < last:
            # An analysis that covers a part of the interval was observed in that part alone.
            # Times in seconds since 1970 are exact to a microsecond only: a whole minute must stay whole.
            share = row.observed_seconds / (last - first)
            found[row.camera_id].append((first, last, 1.0 if share > 1 - 1e-6 else share))
    return {camera: np.array(rows) for camera, rows in found.items()}


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)
