"""A receiver's queue in one SQLite file: what it was told, what waits for it, and what it refused."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from service.feeds.receiver import Item
from service.storage.connect import StorageError

FULL_SHARE = 0.9
"""Beyond this share of its limit a queue takes nothing more: what it does not take is found again later."""

MOST_REFUSED = 1000
"""Refused items that are kept for somebody to look at; the oldest go first."""

MET_S = 86_400.0
"""That an item was met again is noted so often, s: most looks write nothing."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item in the queue; ``since`` is when it was put there, seconds since the epoch, UTC."""

    number: int
    since: float
    item: Item


@dataclass(frozen=True, slots=True)
class QueueState:
    """How a queue stands.

    Attributes:
        waiting: items that the receiver does not have yet.
        oldest: since when the first of them has been waiting, seconds since the epoch; None for none.
        refused: items that the receiver did not take.
        full: whether nothing more is taken.
    """

    waiting: int
    oldest: float | None
    refused: int
    full: bool


class FeedQueue:
    """First in, first out, on disk; one object belongs to one thread.

    Args:
        path: the file; made where it is not there.
        limit: most bytes on disk.
    """

    def __init__(self, path: Path, limit: int = 256 * 2**20) -> None:
        self.path, self.limit = path, limit
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"cannot open the queue {path}: {error}; choose another folder") from None
        with self._explained():
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            (self._page,) = self._db.execute("PRAGMA page_size").fetchone()
            self._db.execute(f"PRAGMA max_page_count = {max(limit // self._page, 32)}")
            for table in (
                "waiting (number INTEGER PRIMARY KEY AUTOINCREMENT, since REAL NOT NULL, key TEXT NOT NULL, "
                "version TEXT NOT NULL, content TEXT NOT NULL)",
                "told (key TEXT PRIMARY KEY, version TEXT NOT NULL, seen REAL NOT NULL) WITHOUT ROWID",
                "refused (number INTEGER PRIMARY KEY AUTOINCREMENT, since REAL NOT NULL, key TEXT NOT NULL, "
                "version TEXT NOT NULL, content TEXT NOT NULL, error TEXT NOT NULL)",
            ):
                self._db.execute(f"CREATE TABLE IF NOT EXISTS {table}")

    def put_new(self, items: Iterable[Item], now: float) -> int:
        """Take the items whose version is another than the last that was taken; returns how many.

        A full queue takes none: they come again with a later look.
        """
        with self._explained():
            wanted = [each for each in items if self._is_news(each, now)]
        if not wanted:
            return 0
        taken = 0
        with self._explained(), self._transaction():
            for item in wanted:
                if self._version(item.key) != item.version:
                    if self._is_full():
                        break
                    content = json.dumps(item.content, separators=(",", ":"), ensure_ascii=False)
                    self._db.execute(
                        "INSERT INTO waiting (since, key, version, content) VALUES (?, ?, ?, ?)",
                        (now, item.key, item.version, content),
                    )
                    taken += 1
                self._db.execute(
                    "INSERT OR REPLACE INTO told (key, version, seen) VALUES (?, ?, ?)",
                    (item.key, item.version, now),
                )
        return taken

    def oldest(self, most: int) -> list[Waiting]:
        """What is to be told next, in order."""
        query = "SELECT number, since, key, version, content FROM waiting ORDER BY number LIMIT ?"
        with self._explained():
            rows = self._db.execute(query, (most,)).fetchall()
        return [
            Waiting(number, since, Item(key, version, json.loads(content)))
            for number, since, key, version, content in rows
        ]

    def done(self, told: Iterable[Waiting]) -> None:
        """Forget what the receiver has."""
        with self._explained(), self._transaction():
            self._db.executemany("DELETE FROM waiting WHERE number = ?", [(each.number,) for each in told])

    def refuse(self, item: Waiting, error: str) -> None:
        """Put an item aside that the receiver does not take, so that those behind it are not held up."""
        with self._explained(), self._transaction():
            self._db.execute(
                "INSERT INTO refused (since, key, version, content, error) "
                "SELECT since, key, version, content, ? FROM waiting WHERE number = ?",
                (error[:500], item.number),
            )
            self._db.execute("DELETE FROM waiting WHERE number = ?", (item.number,))
            self._db.execute(
                "DELETE FROM refused WHERE number <= (SELECT max(number) FROM refused) - ?", (MOST_REFUSED,)
            )

    def forget_before(self, moment: float) -> None:
        """Forget versions of items that no look has met since a moment."""
        with self._explained(), self._transaction():
            self._db.execute("DELETE FROM told WHERE seen < ?", (moment,))

    def is_new(self) -> bool:
        """Whether nothing was ever taken."""
        with self._explained():
            return self._db.execute("SELECT 1 FROM told LIMIT 1").fetchone() is None

    def state(self) -> QueueState:
        """How it stands."""
        with self._explained():
            waiting, oldest = self._db.execute("SELECT count(*), min(since) FROM waiting").fetchone()
            (refused,) = self._db.execute("SELECT count(*) FROM refused").fetchone()
            return QueueState(waiting, oldest, refused, self._is_full())

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _version(self, key: str) -> str | None:
        row = self._db.execute("SELECT version FROM told WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _is_news(self, item: Item, now: float) -> bool:
        """Whether there is something to write: another version, or one not met for long."""
        row = self._db.execute("SELECT version, seen FROM told WHERE key = ?", (item.key,)).fetchone()
        return row is None or row[0] != item.version or abs(now - row[1]) > MET_S

    def _is_full(self) -> bool:
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        (unused,) = self._db.execute("PRAGMA freelist_count").fetchone()
        return bool((pages - unused) * self._page >= FULL_SHARE * self.limit)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StorageError(f"cannot use the queue {self.path}: {error}") from error
