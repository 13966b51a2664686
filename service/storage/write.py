"""Writes what the outbox carries into the database: all of it or nothing, and once however often it comes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Table,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.schema import CreateTable

from service.storage.authority import end_open_segments, give_authority, next_live_start
from service.storage.base import Base, Moment, microseconds, moment, upsert_into
from service.storage.conditions import CLASSES, all_classes
from service.storage.ids import crossing_id
from service.storage.intervals import put_intervals
from service.storage.junctions import quarters_of, refresh_junctions
from service.storage.messages import CROSSING_FIELDS, Message, bin_start
from service.storage.partitions import ensure_months
from service.storage.tables import (
    ApproachInterval,
    Observed,
    Segment,
)
from vision.density.records import OBSERVED_SHARE

COUNT_LENGTH = 900
"""Length of the bins of ``movement_counts``, s."""

SEGMENTS = Base.metadata.tables["segments"]
CROSSINGS = Base.metadata.tables["crossings"]
COUNTS = Base.metadata.tables["movement_counts"]
OBSERVED = Base.metadata.tables["observed"]

INCOMING = Table(
    "incoming_crossings",
    MetaData(),
    *(Column(column.name, column.type) for column in CROSSINGS.columns),
    Column("bin", Moment()),
    Column("minute", Moment()),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",  # nothing else would ever tidy up a temporary table
)
"""Where crossings are gathered first, so that the new ones are told from those already there."""

ROW_TABLES = ("camera_health", "incidents", "runs")
"""Tables that messages of kind ``rows`` may go to; a row that comes again replaces the earlier."""

Content = dict[str, Any]


def apply(connection: Connection, messages: Iterable[Message]) -> None:
    """Write messages in their order, within the transaction of the connection.

    Raises:
        ValueError, LookupError, TypeError: a message cannot be understood, or speaks of a segment that was
            not announced.
    """
    gathered: dict[str, list[Content]] = defaultdict(list)
    for message in messages:
        if message.kind in _BULK:
            gathered[message.kind].append(message.content)
        else:
            _write_gathered(connection, gathered)
            _SINGLE[message.kind](connection, message.content)
    _write_gathered(connection, gathered)


def _write_gathered(connection: Connection, gathered: dict[str, list[Content]]) -> None:
    segments = {UUID(content["segment"]) for contents in gathered.values() for content in contents}
    complete = _lock(connection, segments) if segments else set()
    for kind, contents in gathered.items():
        if fresh := [each for each in contents if UUID(each["segment"]) not in complete]:
            _BULK[kind](connection, fresh)
    gathered.clear()


def _lock(connection: Connection, segments: Iterable[UUID]) -> set[UUID]:
    """Let one writer at a time add to a segment, so that counts and crossings agree.

    Returns:
        Recordings that are complete: all that is in them has been written, and some of it may have had its
        time since, so that it must not be written again.
    """
    wanted = sorted(segments)
    query = select(Segment.id, Segment.kind, Segment.ended_at).where(Segment.id.in_(wanted))
    found = connection.execute(query.order_by(Segment.id).with_for_update()).all()
    if missing := set(wanted) - {row.id for row in found}:
        raise LookupError(f"segment {min(missing)} was never announced")
    return {row.id for row in found if row.kind == "recording" and row.ended_at is not None}


def _put_segment(connection: Connection, content: Content) -> None:
    row = {**content, "id": UUID(content["id"]), "started_at": moment(content["started_us"])}
    del row["started_us"]
    connection.execute(upsert_into(connection, SEGMENTS).values(row).on_conflict_do_nothing())
    if content["kind"] == "live":
        end_open_segments(connection, row["camera_id"])


def _give_authority(connection: Connection, content: Content) -> None:
    """Let a segment speak: a recording once it is complete, live analysis until the next one begins."""
    segment = UUID(content["segment"])
    query = select(Segment.camera_id, Segment.kind, Segment.started_at, Segment.ended_at)
    row = connection.execute(query.where(Segment.id == segment)).one_or_none()
    if row is None or (row.kind == "recording" and row.ended_at is None):
        raise LookupError(f"segment {segment} is not complete, so it does not speak for its camera")
    until = row.ended_at if row.kind == "recording" else next_live_start(connection, segment)
    if give_authority(connection, segment, until):
        end = until or datetime.now(UTC) + timedelta(days=1)
        refresh_junctions(connection, quarters_of(connection, row.started_at, end, camera=row.camera_id))


def _end_segment(connection: Connection, content: Content) -> None:
    """Close a segment, once it is certain that all its crossings have arrived."""
    segment = UUID(content["segment"])
    gates = select(func.sum(all_classes(COUNTS.c))).where(
        COUNTS.c.segment_id == segment, COUNTS.c.kind == "gate"
    )
    number = connection.scalar(gates) or 0
    if number != content["crossings"]:
        raise ValueError(
            f"segment {segment} has {number} crossings in the database, "
            f"its analysis counted {content['crossings']}"
        )
    ended = moment(content["ended_us"])
    connection.execute(update(Segment).where(Segment.id == segment).values(ended_at=ended, final_until=ended))
    for table in (Observed, ApproachInterval):
        connection.execute(
            update(table).where(table.segment_id == segment, table.final.is_(False)).values(final=True)
        )


def _put_crossings(connection: Connection, contents: Sequence[Content]) -> None:
    rows = _crossing_rows(contents)
    if not rows:
        return
    times = [row[1] for row in rows]
    ensure_months(connection, CROSSINGS, times)
    ensure_months(connection, COUNTS, times)
    _load_incoming(connection, rows)
    already = exists().where(CROSSINGS.c.id == INCOMING.c.id, CROSSINGS.c.time == INCOMING.c.time)
    connection.execute(delete(INCOMING).where(already))
    names = [column.name for column in CROSSINGS.columns]
    columns = [INCOMING.c[name] for name in names]
    connection.execute(insert(CROSSINGS).from_select(names, select(*columns)))
    _count(connection, "gate", INCOMING.c.gate, INCOMING.c.direction)
    _count(connection, "movement", INCOMING.c.movement, literal(""))
    _revise_late(connection, {row[2] for row in rows}, min(times), max(times))


def _revise_late(connection: Connection, segments: set[UUID], first: datetime, last: datetime) -> None:
    """Raise the revision of intervals that were final before the incoming crossings came."""
    for length, start in ((COUNT_LENGTH, INCOMING.c.bin), (60, INCOMING.c.minute)):
        late = exists().where(INCOMING.c.segment_id == OBSERVED.c.segment_id, start == OBSERVED.c.start)
        connection.execute(
            update(OBSERVED)
            .where(OBSERVED.c.segment_id.in_(segments), OBSERVED.c.length == length, OBSERVED.c.final)
            .where(OBSERVED.c.start > first - timedelta(seconds=length), OBSERVED.c.start <= last, late)
            .values(revision=OBSERVED.c.revision + 1)
        )


def _crossing_rows(contents: Sequence[Content]) -> list[tuple[Any, ...]]:
    """Rows of ``INCOMING``, each id once."""
    rows: dict[UUID, tuple[Any, ...]] = {}
    for content in contents:
        segment, camera, site = UUID(content["segment"]), content["camera"], content["site"]
        for values in content["rows"]:
            time_us, gate, approach, direction, ordinal, *rest = values
            if len(values) != len(CROSSING_FIELDS):
                raise ValueError(f"a crossing has {len(values)} values instead of {len(CROSSING_FIELDS)}")
            if rest[0] not in CLASSES:
                raise ValueError(f"{rest[0]!r} is no vehicle class")
            key = crossing_id(segment, gate, direction, time_us, ordinal)
            bins = moment(bin_start(time_us, COUNT_LENGTH)), moment(bin_start(time_us, 60))
            about = (segment, camera, site, approach, gate, direction, ordinal)
            rows[key] = (key, moment(time_us), *about, *rest, *bins)
    return list(rows.values())


def _load_incoming(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    connection.execute(CreateTable(INCOMING, if_not_exists=True))
    connection.execute(delete(INCOMING))
    names = [column.name for column in INCOMING.columns]
    driver: Any = connection.connection.driver_connection
    # Past the layers that prepare each value: these are most of what is ever written.
    if connection.dialect.name == "postgresql":
        with driver.cursor().copy(f"COPY {INCOMING.name} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(names))
        plain = ([_plain(value) for value in row] for row in rows)
        driver.executemany(f"INSERT INTO {INCOMING.name} VALUES ({marks})", plain)  # noqa: S608 - our own names


def _plain(value: Any) -> Any:
    """A value as SQLite keeps it."""
    if isinstance(value, UUID):
        return value.hex
    return microseconds(value) if isinstance(value, datetime) else value


def _count(connection: Connection, kind: str, item: Column[Any], direction: Any) -> None:
    """Add the new crossings to the counts of their quarter of an hour."""
    cells = (
        INCOMING.c.segment_id,
        INCOMING.c.bin,
        literal(COUNT_LENGTH),
        literal(kind),
        item,
        direction,
    )
    about = (INCOMING.c.camera_id, INCOMING.c.site_id, func.max(INCOMING.c.approach_id))
    groups = [INCOMING.c.segment_id, INCOMING.c.bin, item, INCOMING.c.camera_id, INCOMING.c.site_id]
    groups += [direction] if isinstance(direction, Column) else []
    numbers = [func.sum(case((INCOMING.c.vehicle_class == label, 1), else_=0)) for label in CLASSES]
    chosen = select(*cells, *about, *numbers).where(item.is_not(None)).group_by(*groups)
    names = [column.name for column in COUNTS.primary_key]
    statement = upsert_into(connection, COUNTS).from_select(
        [*names, "camera_id", "site_id", "approach_id", *CLASSES], chosen
    )
    more = {label: COUNTS.c[label] + statement.excluded[label] for label in CLASSES}
    connection.execute(statement.on_conflict_do_update(index_elements=names, set_=more))


def _put_observed(connection: Connection, contents: Sequence[Content]) -> None:
    """Set the observed time of intervals; within a segment it only ever grows."""
    rows: dict[tuple[Any, ...], Content] = {}
    for content in contents:
        for values in content["rows"]:
            row = _observed_row(content, *values)
            key = (row["segment_id"], row["start"], row["length"])
            if key in rows:
                row["final"] = row["final"] or rows[key]["final"]
            rows[key] = row
    ensure_months(connection, OBSERVED, [row["start"] for row in rows.values()])
    statement = upsert_into(connection, OBSERVED)
    new = statement.excluded
    grows = new.observed_seconds > OBSERVED.c.observed_seconds
    late = OBSERVED.c.final & grows
    statement = statement.on_conflict_do_update(
        index_elements=[column.name for column in OBSERVED.primary_key],
        set_={
            "observed_seconds": case((grows, new.observed_seconds), else_=OBSERVED.c.observed_seconds),
            "status": case((grows, new.status), else_=OBSERVED.c.status),
            "light": case((grows, func.coalesce(new.light, OBSERVED.c.light)), else_=OBSERVED.c.light),
            "revision": OBSERVED.c.revision + case((late, 1), else_=0),
            "final": or_(OBSERVED.c.final, new.final),
        },
    )
    connection.execute(statement, list(rows.values()))


def _observed_row(
    content: Content, start_us: int, length: int, observed_us: int, final: bool, light: str | None = None
) -> Content:
    """A row of the table; the values come in the order of ``OBSERVED_FIELDS``."""
    seconds = observed_us / 1e6
    return {
        "segment_id": UUID(content["segment"]),
        "start": moment(start_us),
        "length": length,
        "camera_id": content["camera"],
        "site_id": content["site"],
        "observed_seconds": seconds,
        "expected_seconds": float(length),
        "status": "observed" if seconds >= OBSERVED_SHARE * length else "partial",
        "light": light,
        "revision": 1,
        "final": final,
    }


def _put_intervals(connection: Connection, contents: Sequence[Content]) -> None:
    touched = put_intervals(connection, contents)
    refresh_junctions(connection, touched)


def _put_rows(connection: Connection, content: Content) -> None:
    """Put rows into one of ``ROW_TABLES``; moments are microseconds in fields that end in ``_us``."""
    table = Base.metadata.tables[content["table"]]
    if table.name not in ROW_TABLES:
        raise LookupError(f"the table {table.name} is not one that messages may write to")
    for values in content["rows"]:
        row: Content = {
            name.removesuffix("_us") if name.endswith("_us") else name: (
                moment(value) if name.endswith("_us") and value is not None else value
            )
            for name, value in values.items()
        }
        row.update({name: UUID(row[name]) for name in ("id", "segment_id") if row.get(name)})
        key = ["id"] if "id" in row else ["camera_id", "started_at"]
        others = {name: value for name, value in row.items() if name not in key}
        statement = upsert_into(connection, table).values(row)
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=others))


_BULK: dict[str, Callable[[Connection, Sequence[Content]], None]] = {
    "crossings": _put_crossings,
    "observed": _put_observed,
    "intervals": _put_intervals,
}
"""Kinds of which many are written at once; among themselves their order does not matter."""

_SINGLE: dict[str, Callable[[Connection, Content], None]] = {
    "segment": _put_segment,
    "end": _end_segment,
    "authority": _give_authority,
    "rows": _put_rows,
}
