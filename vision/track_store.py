"""Tracks on disk: a compact Parquet file, from which an edited view is recounted without the video.

One row a vehicle and frame; a frame without vehicles is one row with track 0. Coordinates are stored in
eighths of a pixel, as the tracker gives them, times in microseconds: what is read is what was written.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vision.errors import TracksError
from vision.types import Tracks

_SCHEMA = pa.schema(
    [
        ("frame", pa.int32()),
        ("time_us", pa.int64()),
        ("track", pa.int64()),
        ("left_8th", pa.int32()),
        ("top_8th", pa.int32()),
        ("right_8th", pa.int32()),
        ("bottom_8th", pa.int32()),
        ("score", pa.float32()),
        ("class", pa.int8()),
    ]
)
_SIDES = ("left_8th", "top_8th", "right_8th", "bottom_8th")
_FRAMES_PER_GROUP = 3000
_KEY = b"ngatu"


def tick(time: float) -> float:
    """The time as it is stored: whole microseconds."""
    return round(time * 1e6) / 1e6


class TrackWriter:
    """Writes tracks frame by frame; complete once closed, also after an interruption.

    Args:
        path: the file to write.
        size: width and height of the picture in pixels.
        about: what the tracks come from (source, model ...), kept with them.

    Attributes:
        about: the same, written when the file is closed: what is known by then only may be added.

    Raises:
        TracksError: the file cannot be written.
    """

    def __init__(self, path: str | Path, size: tuple[int, int], about: dict[str, Any] | None = None) -> None:
        self.path = Path(path)
        self.size = size
        self.about: dict[str, Any] = dict(about or {})
        encoding = dict.fromkeys(("frame", "time_us", "track", *_SIDES), "DELTA_BINARY_PACKED")
        try:
            self._writer = pq.ParquetWriter(
                self.path,
                _SCHEMA,
                compression="zstd",
                use_dictionary=["class"],
                column_encoding={**encoding, "score": "BYTE_STREAM_SPLIT"},
            )
        except OSError as error:
            raise _unwritable(self.path, error) from None
        self._frames: list[tuple[int, float, Tracks]] = []

    def append(self, index: int, time: float, tracks: Tracks) -> None:
        """Add one frame: its index, its time (seconds since the epoch, see :func:`tick`) and its tracks."""
        self._frames.append((index, time, tracks))
        if len(self._frames) >= _FRAMES_PER_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left and the file's index."""
        try:
            self._flush()
            self._writer.add_key_value_metadata({_KEY: json.dumps({"size": self.size, **self.about})})
            self._writer.close()
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _flush(self) -> None:
        if not self._frames:
            return
        empty = Tracks(
            np.zeros((1, 4), np.float32),
            np.zeros(1, np.float32),
            np.full(1, -1, np.int8),
            np.zeros(1, np.int64),
        )
        shown = [tracks if len(tracks) else empty for _, _, tracks in self._frames]
        counts = [len(tracks) for tracks in shown]
        frame = np.repeat([index for index, _, _ in self._frames], counts)
        time = np.repeat([round(time * 1e6) for _, time, _ in self._frames], counts)
        track = np.concatenate([tracks.track_id for tracks in shown])
        sides = np.concatenate([tracks.xyxy for tracks in shown]) * 8
        # A track's rows side by side differ little, and so pack well.
        order = np.lexsort((frame, track))
        columns = [
            frame.astype(np.int32),
            time.astype(np.int64),
            track,
            *np.round(sides).astype(np.int32).T,
            np.concatenate([tracks.score for tracks in shown]),
            np.concatenate([tracks.class_id for tracks in shown]),
        ]
        self._frames.clear()
        try:
            self._writer.write_table(pa.table([column[order] for column in columns], schema=_SCHEMA))
        except OSError as error:
            raise _unwritable(self.path, error) from None


class TrackFile:
    """Stored tracks, read back.

    Attributes:
        size: width and height of the picture in pixels.
        about: what was said of them when they were written.

    Raises:
        TracksError: the file is missing or holds no tracks of ours.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._file = pq.ParquetFile(self.path)
            meta = json.loads((self._file.metadata.metadata or {})[_KEY])
            width, height = meta.pop("size")
        except FileNotFoundError:
            raise TracksError(f"{self.path} does not exist; give the tracks.parquet of a count") from None
        except (OSError, pa.ArrowInvalid, KeyError, ValueError, TypeError, AttributeError):
            raise _foreign(self.path) from None
        if not self._file.schema_arrow.equals(_SCHEMA):
            raise _foreign(self.path)
        self.size: tuple[int, int] = (width, height)
        self.about: dict[str, Any] = meta

    def __iter__(self) -> Iterator[tuple[int, float, Tracks]]:
        """Index, time and tracks of each frame, in order.

        Raises:
            TracksError: the file is damaged.
        """
        for group in range(self._file.num_row_groups):
            try:
                table = self._file.read_row_group(group)
            except (OSError, pa.ArrowInvalid):
                raise TracksError(
                    f"{self.path} is damaged and cannot be read to its end; count the video again"
                ) from None
            data = {name: table[name].to_numpy() for name in _SCHEMA.names}
            order = np.lexsort((data["track"], data["frame"]))
            data = {name: values[order] for name, values in data.items()}
            eighths = np.stack([data[side] for side in _SIDES], axis=1)
            xyxy = (eighths / 8).astype(np.float32)
            begins = np.flatnonzero(np.diff(data["frame"], prepend=-1))
            for begin, end in zip(begins, [*begins[1:], len(data["frame"])], strict=True):
                rows = slice(begin, end) if data["track"][begin] else slice(0, 0)
                yield (
                    int(data["frame"][begin]),
                    float(data["time_us"][begin] / 1e6),
                    Tracks(xyxy[rows], data["score"][rows], data["class"][rows], data["track"][rows]),
                )


def _foreign(path: Path) -> TracksError:
    return TracksError(f"{path} is not a file of tracks written by ngatu; give the tracks.parquet of a count")


def _unwritable(path: Path, error: OSError) -> TracksError:
    reason = os.strerror(error.errno) if error.errno else str(error)  # Arrow's own text repeats the path
    return TracksError(f"cannot write {path}: {reason}; free the disk or choose another folder")
