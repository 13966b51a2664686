"""An account of what the workers' outboxes took, kept beside the product, to hold the database against.

A trigger in each outbox copies every message into a table of its own, in the transaction that takes it:
whatever is killed when, the account holds exactly what was promised to be safe.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select

from service.storage.base import Base, microseconds
from service.storage.connect import reading
from service.storage.ids import crossing_id
from service.storage.outbox import Outbox
from vision.density.estimator import BASE_SECONDS


def keep_account(path: Path) -> None:
    """Make an outbox that keeps an account of all it takes."""
    Outbox(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS account (number INTEGER PRIMARY KEY, kind TEXT, content TEXT)"
        )
        database.execute(
            "CREATE TRIGGER IF NOT EXISTS keep_account AFTER INSERT ON messages BEGIN "
            "INSERT INTO account VALUES (new.number, new.kind, new.content); END"
        )


def waiting(paths: Sequence[Path]) -> int:
    """Messages that the database does not have yet."""
    return sum(_number(path, "messages") for path in paths)


def rejected(paths: Sequence[Path]) -> int:
    """Messages that the database refused."""
    return sum(_number(path, "rejected") for path in paths)


@dataclass(slots=True)
class Found:
    """What the account and the database say, held against one another.

    Attributes:
        taken: how many of each the outboxes took.
        lost: what is in the account and not in the database, each a sentence.
        doubled: what is in the database and not in the account, or twice, each a sentence.
    """

    taken: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


def compare(paths: Sequence[Path], engine: Engine) -> Found:
    """Hold the database against the account, row by row."""
    found = Found()
    crossings: dict[UUID, tuple[Any, ...]] = {}
    segments: set[UUID] = set()
    observed: dict[tuple[UUID, int, int], int] = defaultdict(int)
    intervals: set[tuple[UUID, str, int]] = set()
    health: dict[tuple[str, int], int] = {}
    for kind, content in _messages(paths):
        if kind == "segment":
            segments.add(UUID(content["id"]))
        elif kind == "crossings":
            segment = UUID(content["segment"])
            for time_us, gate, _approach, way, ordinal, label, *_rest in content["rows"]:
                key = crossing_id(segment, gate, way, time_us, ordinal)
                if key in crossings:
                    found.doubled.append(f"the outbox took crossing {key} twice")
                crossings[key] = (segment, time_us, gate, way, label)
        elif kind == "observed":
            for start, length, seen, *_rest in content["rows"]:
                at = (UUID(content["segment"]), start, length)
                observed[at] = max(observed[at], seen)
        elif kind == "intervals":
            for row in content["rows"]:
                sums = row["sums"]
                begin = round(sums["start"] * 1e6)
                intervals.add((UUID(content["segment"]), sums["approach"], begin))
        elif kind == "rows" and content["table"] == "camera_health":
            for row in content["rows"]:
                # The newest of a state says the most of it.
                health[row["camera_id"], row["started_at_us"]] = row.get("ended_at_us") or 0
    found.taken.update(
        crossings=len(crossings),
        segments=len(segments),
        observed=len(observed),
        intervals=len(intervals),
        states=len(health),
    )
    _hold(found, "segment", segments, {row.id for row in _rows(engine, "segments")})
    _hold_crossings(found, crossings, _rows(engine, "crossings"))
    in_database = {
        (row.segment_id, microseconds(row.start), row.length): round(row.observed_seconds * 1e6)
        for row in _rows(engine, "observed")
    }
    _hold(found, "observed time", set(observed), set(in_database))
    for at, seen in observed.items():
        if at in in_database and abs(in_database[at] - seen) > 1:
            found.lost.append(f"observed time of {at}: {in_database[at]} µs, {seen} were taken")
    _hold(
        found,
        "interval",
        intervals,
        {
            (row.segment_id, row.approach_id, microseconds(row.start))
            for row in _rows(engine, "approach_intervals")
            if row.length == BASE_SECONDS
        },
        only_lost=True,
    )
    states = {(row.camera_id, microseconds(row.started_at)) for row in _rows(engine, "camera_health")}
    _hold(found, "state", set(health), states)
    return found


def _hold_crossings(found: Found, taken: dict[UUID, tuple[Any, ...]], rows: Sequence[Any]) -> None:
    there = Counter(row.id for row in rows)
    found.doubled += [f"crossing {key} is there {n} times" for key, n in there.items() if n > 1]
    _hold(found, "crossing", set(taken), set(there))
    for row in rows:
        said = (row.segment_id, microseconds(row.time), row.gate, row.direction, row.vehicle_class)
        if row.id in taken and said != taken[row.id]:
            found.lost.append(f"crossing {row.id} is {said}, {taken[row.id]} was taken")


def _hold(found: Found, what: str, taken: set[Any], there: set[Any], *, only_lost: bool = False) -> None:
    found.lost += [f"{what} {each} is not in the database" for each in sorted(taken - there, key=str)]
    if not only_lost:
        found.doubled += [f"{what} {each} was never taken" for each in sorted(there - taken, key=str)]


def _messages(paths: Sequence[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in paths:
        with closing(sqlite3.connect(path, timeout=30)) as database:
            for kind, content in database.execute("SELECT kind, content FROM account ORDER BY number"):
                yield kind, json.loads(content)


def _number(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path, timeout=30)) as database:
        (number,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own names
    return int(number)


def _rows(engine: Engine, table: str) -> Sequence[Any]:
    with reading(engine) as connection:
        return connection.execute(select(Base.metadata.tables[table])).all()
