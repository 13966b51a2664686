"""The tracks of live cameras on disk, a minute a file: an edited view is tried on what has passed.

A file is written under another name until it is whole, so that a reader never sees half of one, and a killed
worker loses at most the minute of one file (of tracks: what was counted is in the outbox).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from vision import TrackFile, Tracks, TrackWriter
from vision.errors import TracksError

FILE_SECONDS = 60
"""Seconds of one file, aligned to the clock: what passed can be looked at so soon."""

KEPT_HOURS = 48.0
"""How long tracks of live cameras are kept, hours."""

_NAME = "%Y%m%dT%H%M%S.%f"


class TrackArchive:
    """Writes one camera's tracks; belongs to one thread.

    Args:
        folder: of all cameras; each has its own in it.
        camera: id of the camera.
        size: width and height of the picture in pixels.
        about: what the tracks come from, kept with them.
        kept_hours: older files are deleted.

    Raises:
        TracksError: the folder cannot be made or written to.
    """

    def __init__(
        self,
        folder: Path,
        camera: str,
        size: tuple[int, int],
        about: Mapping[str, Any] | None = None,
        kept_hours: float = KEPT_HOURS,
    ) -> None:
        self._folder = folder / camera
        self._size = size
        self._about = dict(about or {})
        self._kept = kept_hours * 3600
        self._writer: TrackWriter | None = None
        self._until = 0.0
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for left in self._folder.glob("*.part"):  # of a worker that was killed: it has no index
                left.unlink(missing_ok=True)
        except OSError as error:
            raise TracksError(
                f"cannot write tracks to {self._folder}: {error.strerror}; choose another folder"
            ) from None

    def append(self, index: int, time: float, tracks: Tracks) -> None:
        """Add one frame: its index, its time (seconds since the epoch) and its tracks."""
        if self._writer is None or time >= self._until:
            self.close()
            self._begin(time)
        assert self._writer is not None  # noqa: S101 - for the type checker
        self._writer.append(index, time, tracks)

    def close(self) -> None:
        """Finish the file that is being written."""
        if self._writer is not None:
            self._writer.close()
            self._writer.path.replace(
                self._writer.path.with_name(f"{self._writer.path.name.removesuffix('.part')}.parquet")
            )
            self._writer = None

    def _begin(self, time: float) -> None:
        self._until = _end(time)
        name = datetime.fromtimestamp(time, UTC).strftime(_NAME)
        self._writer = TrackWriter(self._folder / f"{name}.part", self._size, self._about)
        oldest = datetime.fromtimestamp(time - self._kept, UTC).strftime(_NAME)
        for file in self._folder.glob("*.parquet"):
            if file.name < oldest and _begun(file) is not None:  # names are in order of time
                file.unlink(missing_ok=True)


def archived(folder: Path, camera: str, start: float, end: float) -> list[Path]:
    """The files of a camera that may hold frames in ``start`` ≤ t < ``end``, in order."""
    first = datetime.fromtimestamp(max(0.0, start - FILE_SECONDS), UTC).strftime(_NAME)
    last = datetime.fromtimestamp(max(0.0, end), UTC).strftime(_NAME)
    files = sorted(file for file in (folder / camera).glob("*.parquet") if first <= file.name < last)
    begun = [(_begun(file), file) for file in files]
    return [file for time, file in begun if time is not None and time < end and _end(time) > start]


def archived_frames(files: list[Path], start: float, end: float) -> Iterator[tuple[int, float, Tracks]]:
    """Index, time and tracks of each archived frame in ``start`` ≤ t < ``end``, in order.

    All are in pixels of the last file's picture, whatever size earlier ones had.

    Raises:
        TracksError: a file is damaged.
    """
    last = -1.0
    size = TrackFile(files[-1]).size if files else (1, 1)
    for file in files:
        stored = TrackFile(file)
        width, height = size[0] / stored.size[0], size[1] / stored.size[1]
        scale = None if stored.size == size else np.array([width, height] * 2, np.float32)
        for index, time, tracks in stored:
            if start <= time < end and time > last:
                last = time
                yield index, time, tracks if scale is None else replace(tracks, xyxy=tracks.xyxy * scale)


def _end(time: float) -> float:
    """When the file that is begun at a moment ends."""
    return time - time % FILE_SECONDS + FILE_SECONDS


def _begun(file: Path) -> float | None:
    try:
        return datetime.strptime(file.name.removesuffix(".parquet"), _NAME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
