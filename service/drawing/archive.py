"""The tracks of live cameras on disk, some minutes a file: an edited view is tried on what has passed.

A file is written under another name until it is whole, so that a reader never sees half of one, and a killed
worker loses at most the minutes of one file (of tracks: what was counted is in the outbox).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vision import TrackFile, Tracks, TrackWriter
from vision.errors import TracksError

FILE_SECONDS = 300
"""Seconds of one file, aligned to the clock."""

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
        for file in self._folder.glob("*.parquet"):
            if (begun := _begun(file)) is not None and begun < time - self._kept:
                file.unlink(missing_ok=True)


def archived(folder: Path, camera: str, start: float, end: float) -> list[Path]:
    """The files of a camera that may hold frames in ``start`` ≤ t < ``end``, in order."""
    files = sorted((begun, file) for file in (folder / camera).glob("*.parquet") if (begun := _begun(file)))
    return [file for begun, file in files if begun < end and _end(begun) > start]


def archived_frames(files: list[Path], start: float, end: float) -> Iterator[tuple[int, float, Tracks]]:
    """Index, time and tracks of each archived frame in ``start`` ≤ t < ``end``, in order.

    Raises:
        TracksError: a file is damaged.
    """
    last = -1.0
    for file in files:
        for index, time, tracks in TrackFile(file):
            if start <= time < end and time > last:
                last = time
                yield index, time, tracks


def _end(time: float) -> float:
    """When the file that is begun at a moment ends."""
    return time - time % FILE_SECONDS + FILE_SECONDS


def _begun(file: Path) -> float | None:
    try:
        return datetime.strptime(file.name.removesuffix(".parquet"), _NAME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
