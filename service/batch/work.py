"""The folder in which a batch keeps what it has done: every file is whole or not there."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from service.storage.ids import content_sha256
from vision.errors import NgatuError

FORMAT = 1
"""Grows when files of an earlier program can no longer be used."""


class WorkFolder:
    """Plans of recordings, what was detected in them, and outboxes, under names made of what decides them.

    Raises:
        NgatuError: the folder cannot be written to, or another batch works in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock: TextIO = (self.path / "lock").open("w")
        except OSError as error:
            raise NgatuError(f"cannot write to {path}: {error.strerror}; choose another --out") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise NgatuError(
                f"another ngatu batch works in {path}: wait for it, or choose another --out"
            ) from None
        for left in self.path.rglob("*.part"):  # of a batch that was killed
            left.unlink(missing_ok=True)

    def close(self) -> None:
        """Let others work in it."""
        self._lock.close()

    def detections(self, content: str, settings: dict[str, Any], first: int, last: int) -> Path:
        """Where what was detected in frames ``first`` to ``last`` of a recording is kept.

        Args:
            content: checksum of the recording.
            settings: what else decides the result.
            first: number of the first frame; -1 where the recording is read as a whole.
            last: number of the last frame.
        """
        return self.detections_of(content, settings) / ("whole.npz" if first < 0 else f"{first}-{last}.npz")

    def detections_of(self, content: str, settings: dict[str, Any]) -> Path:
        """The folder of all that was detected in a recording with some settings."""
        return self.path / "detections" / content[:24] / content_sha256(settings)[:16]

    def outbox(self, segment: str) -> Path:
        """Where rows of a segment wait for the database."""
        return self.path / "outbox" / f"{segment}.db"

    def load_plan(self, recording: Path, key: dict[str, Any]) -> dict[str, Any] | None:
        """What was learnt of a recording, if it is still as it was then."""
        try:
            kept: dict[str, Any] = json.loads(self._plan(recording).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return kept["plan"] if kept.get("key") == {**key, "format": FORMAT} else None

    def save_plan(self, recording: Path, key: dict[str, Any], plan: dict[str, Any]) -> None:
        """Keep what was learnt of a recording."""
        text = json.dumps({"key": {**key, "format": FORMAT}, "plan": plan}, separators=(",", ":"))
        save(self._plan(recording), text.encode())

    def _plan(self, recording: Path) -> Path:
        return self.path / "plans" / f"{content_sha256({'path': str(recording)})[:24]}.json"


def save(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut.

    Raises:
        NgatuError: the disk is full or may not be written to.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise NgatuError(
            f"cannot write {path}: {error.strerror}; free the disk or choose another --out"
        ) from None


@contextmanager
def work_folder(path: Path) -> Iterator[WorkFolder]:
    """Work in a folder, alone."""
    folder = WorkFolder(path)
    try:
        yield folder
    finally:
        folder.close()
