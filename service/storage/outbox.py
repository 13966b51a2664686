"""The outbox: what was measured waits here, safe on the local disk, until the database has it."""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from service.storage.connect import StorageError
from service.storage.messages import Kind, Message

DEFAULT_LIMIT = 10 * 2**30
"""Bytes on disk: about three days of 80 cameras."""

ALARM_SHARE = 0.8
"""The outbox raises an alarm once this share of its limit is used."""

LEAST_FREE = 2**30
"""It raises one too when its disk has fewer bytes free than this."""


class OutboxFullError(StorageError):
    """The outbox has reached its limit, or its disk is full: nothing more can be taken."""


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How the outbox stands.

    Attributes:
        waiting: messages that the database does not have yet.
        rejected: messages that the database refused; they are kept for somebody to look at.
        bytes: size on disk.
        limit: most bytes it may take.
        free: bytes free on its disk.
    """

    waiting: int
    rejected: int
    bytes: int
    limit: int
    free: int

    @property
    def alarm(self) -> str | None:
        """What somebody should see to, or None."""
        if self.rejected:
            return f"the database refused {self.rejected} messages; see the table 'rejected' in the outbox"
        if self.bytes >= ALARM_SHARE * self.limit:
            return f"the outbox holds {self.bytes} of {self.limit} bytes; see that the database is reached"
        if self.free < LEAST_FREE:
            return f"the outbox's disk has only {self.free} bytes free"
        return None


class Outbox:
    """An append-only spool in one SQLite file, first in, first out.

    One object belongs to one thread; the one that measures and the one that writes to the database each
    open their own on the same file.
    """

    def __init__(self, path: Path, limit: int = DEFAULT_LIMIT) -> None:
        self.path = path
        self.limit = limit
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"cannot open the outbox {path}: {error}; choose another folder") from None
        with self._explained():
            # The size of a page and the vacuum mode only take hold before the first table is made.
            self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._db.execute("PRAGMA journal_mode = WAL")
            # A message that was taken survives a power cut.
            self._db.execute("PRAGMA synchronous = FULL")
            (page,) = self._db.execute("PRAGMA page_size").fetchone()
            self._db.execute(f"PRAGMA max_page_count = {max(limit // page, 16)}")
            with self._transaction():
                self._db.execute(
                    "CREATE TABLE IF NOT EXISTS messages "
                    "(number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, content TEXT NOT NULL)"
                )
                self._db.execute(
                    "CREATE TABLE IF NOT EXISTS rejected "
                    "(number INTEGER PRIMARY KEY, kind TEXT NOT NULL, content TEXT NOT NULL, error TEXT)"
                )

    def put(self, messages: Iterable[tuple[Kind, Mapping[str, Any]]]) -> None:
        """Take some messages, all or none; when it returns they are on the disk.

        Raises:
            OutboxFullError: the limit is reached or the disk is full; what was taken before is safe.
        """
        rows = [(kind, json.dumps(content, separators=(",", ":"))) for kind, content in messages]
        with self._explained(), self._transaction():
            self._db.executemany("INSERT INTO messages (kind, content) VALUES (?, ?)", rows)

    def oldest(self, most_bytes: int) -> list[Message]:
        """The messages to write next, in order: as many as fit into some bytes, at least one if any waits."""
        taken: list[Message] = []
        size = 0
        with self._explained(), closing(self._db.cursor()) as cursor:
            for number, kind, content in cursor.execute("SELECT * FROM messages ORDER BY number"):
                size += len(content)
                if taken and size > most_bytes:
                    break
                taken.append(Message(number, kind, json.loads(content)))
        return taken

    def done(self, messages: Iterable[Message]) -> None:
        """Forget messages that the database has committed."""
        with self._explained(), self._transaction():
            self._db.executemany("DELETE FROM messages WHERE number = ?", [(m.number,) for m in messages])

    def reject(self, message: Message, error: str) -> None:
        """Put a message aside that the database will never take, so that those behind it are not held up."""
        with self._explained(), self._transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO rejected "
                "SELECT number, kind, content, ? FROM messages WHERE number = ?",
                (error, message.number),
            )
            self._db.execute("DELETE FROM messages WHERE number = ?", (message.number,))

    def state(self) -> OutboxState:
        """How it stands."""
        with self._explained():
            (waiting,) = self._db.execute("SELECT count(*) FROM messages").fetchone()
            (rejected,) = self._db.execute("SELECT count(*) FROM rejected").fetchone()
            (pages,) = self._db.execute("PRAGMA page_count").fetchone()
            (unused,) = self._db.execute("PRAGMA freelist_count").fetchone()
            (page,) = self._db.execute("PRAGMA page_size").fetchone()
        free = shutil.disk_usage(self.path.parent).free
        return OutboxState(waiting, rejected, (pages - unused) * page, self.limit, free)

    def shrink(self) -> None:
        """Give disk space back after a long wait was worked off."""
        with self._explained():
            self._db.execute("PRAGMA incremental_vacuum").fetchall()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

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
            if "full" in str(error) or "disk I/O" in str(error):
                raise OutboxFullError(
                    f"the outbox {self.path} cannot take more ({error}; its limit is {self.limit} bytes); "
                    "see that the database is reached or free disk space; what it holds is safe"
                ) from error
            raise StorageError(f"cannot use the outbox {self.path}: {error}") from error
