"""Intervals of approaches: their sums and main figures, merged into minutes and quarters of an hour."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, case, or_, select

from service.storage.base import Base, microseconds, moment, upsert_into
from service.storage.messages import bin_start, seconds_to_us
from service.storage.partitions import ensure_months
from vision.density import ApproachInterval, figures_of, roll_up
from vision.density.estimator import BASE_SECONDS

LENGTHS = (BASE_SECONDS, 60, 900)
"""Lengths of intervals that are kept, s; each is merged from the one before."""

FIGURES = (
    *("light", "count", "count_out", "flow_per_h", "flow_pcu_per_h", "density_per_km"),
    *("space_mean_speed_kmh", "speed_p85_kmh", "area_occupancy", "area_occupancy_basis", "time_occupancy"),
    *("queue_max_m", "queue_max_at_least", "queue_p95_m", "stopped_vehicles", "delay_s"),
    *("level", "density_band"),
)
"""The figures that have a column of their own."""

TABLE = Base.metadata.tables["approach_intervals"]
Values = dict[str, Any]
Touched = set[tuple[str, datetime]]
"""Sites and the starts of the quarters of an hour in which something changed."""


def put_intervals(connection: Connection, contents: Sequence[Values]) -> Touched:
    """Write messages of kind ``intervals``, and merge the longer intervals that they are part of.

    A row that comes again with the same sums changes nothing; with others it replaces the earlier, and
    raises its revision where that was final.
    """
    rows = [
        interval_row(content, ApproachInterval.from_dict(each["sums"]), each["final"])
        for content in contents
        for each in content["rows"]
    ]
    _upsert(connection, rows)
    for finer, coarser in pairwise(LENGTHS):
        rows += _roll_up(connection, [row for row in rows if row["length"] == finer], coarser)
    return {(row["site_id"], _bin(row["start"], LENGTHS[-1])) for row in rows if row["site_id"]}


def interval_row(head: Values, record: ApproachInterval, final: bool) -> Values:
    """The row of an interval; ``head`` names its segment, camera and site."""
    figures = figures_of(record)
    return {
        "segment_id": UUID(head["segment"]),
        "approach_id": record.approach,
        "length": round(record.end - record.start),
        "start": moment(seconds_to_us(record.start)),
        "camera_id": head["camera"],
        "site_id": head["site"],
        "observed_seconds": record.observed_seconds,
        "expected_seconds": record.expected_seconds,
        "status": record.status,
        "revision": 1,
        "final": final,
        **{name: getattr(figures, name) for name in FIGURES},
        "sums": {
            name: value for name, value in record.as_dict().items() if value and name not in _IN_COLUMNS
        },
    }


def record_of(row: Any) -> ApproachInterval:
    """The interval that a row of the table holds."""
    start = microseconds(row.start) / 1e6
    return ApproachInterval.from_dict(
        {
            "approach": row.approach_id,
            "start": start,
            "end": start + row.length,
            "expected_seconds": row.expected_seconds,
            "observed_seconds": row.observed_seconds,
            **row.sums,
        }
    )


_IN_COLUMNS = {"approach", "start", "end", "status", "expected_seconds", "observed_seconds"}


def _upsert(connection: Connection, rows: Sequence[Values]) -> None:
    if not rows:
        return
    ensure_months(connection, TABLE, [row["start"] for row in rows])
    key = [column.name for column in TABLE.primary_key]
    statement = upsert_into(connection, TABLE)
    new = statement.excluded
    differs = TABLE.c.sums != new.sums
    values: Values = {name: new[name] for name in rows[0] if name not in (*key, "revision", "final")}
    values["revision"] = TABLE.c.revision + case((TABLE.c.final & differs, 1), else_=0)
    values["final"] = or_(TABLE.c.final, new.final)
    closes = new.final & TABLE.c.final.is_(False)
    statement = statement.on_conflict_do_update(index_elements=key, set_=values, where=or_(differs, closes))
    connection.execute(statement, list(rows))


def _roll_up(connection: Connection, finer: Sequence[Values], coarser: int) -> list[Values]:
    """Merge the intervals of ``coarser`` seconds that some finer rows are part of; returns their rows."""
    if not finer:
        return []
    length = finer[0]["length"]
    heads = {(row["segment_id"], row["approach_id"]): row for row in finer}
    wanted = {(row["segment_id"], row["approach_id"], _bin(row["start"], coarser)) for row in finer}
    parts = defaultdict(list)
    for row in _rows_within(connection, wanted, length, coarser):
        parts[row.segment_id, row.approach_id, _bin(row.start, coarser)].append(row)
    present = {
        (row.segment_id, row.approach_id, row.start): row.observed_seconds
        for row in _rows_within(connection, wanted, coarser, coarser)
    }
    merged = []
    for key in sorted(wanted, key=str):
        segment, approach, start = key
        first = microseconds(start) / 1e6
        (record,) = roll_up(map(record_of, parts[key]), [(first, first + coarser)])
        # Once the finer rows have had their time, what was merged from them must not be merged again.
        if record.observed_seconds < present.get(key, 0.0) - 1e-6:
            continue
        last = parts[key][-1]
        final = last.final and last.start + timedelta(seconds=length) == start + timedelta(seconds=coarser)
        about = heads[segment, approach]
        head = {"segment": segment.hex, "camera": about["camera_id"], "site": about["site_id"]}
        merged.append(interval_row(head, record, final))
    _upsert(connection, merged)
    return merged


def _rows_within(
    connection: Connection, wanted: set[tuple[UUID, str, datetime]], length: int, span: int
) -> list[Any]:
    starts = [start for _, _, start in wanted]
    query = (
        select(TABLE)
        .where(
            TABLE.c.segment_id.in_({segment for segment, _, _ in wanted}),
            TABLE.c.approach_id.in_({approach for _, approach, _ in wanted}),
            TABLE.c.length == length,
            TABLE.c.start >= min(starts),
            TABLE.c.start < max(starts) + timedelta(seconds=span),
        )
        .order_by(TABLE.c.start)
    )
    return list(connection.execute(query))


def _bin(start: datetime, length: int) -> datetime:
    return moment(bin_start(microseconds(start), length))


def added(first: ApproachInterval, second: ApproachInterval) -> ApproachInterval:
    """Two segments' parts of one interval, which do not overlap, as one."""
    whole = replace(first, end=first.start).merge(second)
    return replace(whole, end=second.end, expected_seconds=second.expected_seconds)
