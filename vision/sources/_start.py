"""Finds out when a recording began: from an argument, its name, its container or its file time."""

import re
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from vision.errors import SourceError

StartOrigin = Literal["argument", "file name", "container", "file time", "clock"]
"""How a source's start is known; ``clock`` is the arrival of a live stream's first frame."""

# 20250611-085436, 2025-06-11_08-54-36, 20250611085436, 2025.06.11T08.54.36Z, 20250611_0854, ...
_NAME = re.compile(
    r"(?<!\d)(20\d\d)([-_.]?)(\d\d)\2(\d\d)(?:[-_ T.]*)([01]\d|2[0-3])[-_.:h]?([0-5]\d)"
    r"(?:[-_.:m]?([0-5]\d))?(?:[.,]?\d{3})?(Z?)(?![0-9A-Za-z])"
)


def zone(name: str) -> tzinfo:
    """The time zone called ``name``.

    Raises:
        SourceError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise SourceError(f"There is no time zone {name!r}: use a name such as Asia/Ho_Chi_Minh.") from None


def start_from_name(name: str, tz: str) -> float | None:
    """The moment written in a recorder's file name, seconds since the Unix epoch, UTC.

    Args:
        name: file name with or without its suffix; where it holds a start and an end, the start counts.
        tz: time zone of the clock in the name; a trailing ``Z`` overrides it with UTC.

    Raises:
        SourceError: there is no such time zone.

    Example:
        >>> start_from_name("ch01_20250611_073000.mp4", "Asia/Ho_Chi_Minh") == 1749601800  # 00:30 UTC
        True
    """
    local = zone(tz)
    for found in _NAME.finditer(name):
        year, _, month, day, hour, minute, second, utc = found.groups()
        try:
            moment = datetime(
                int(year), int(month), int(day), int(hour), int(minute), int(second or 0),
                tzinfo=UTC if utc else local,
            )  # fmt: skip
        except ValueError:  # the digits are no date
            continue
        return moment.timestamp()
    return None


def start_from_argument(start: datetime, tz: str) -> float:
    """``start`` as seconds since the Unix epoch; without a time zone it is local time in ``tz``."""
    return (start if start.tzinfo else start.replace(tzinfo=zone(tz))).timestamp()


def start_of_file(
    path: Path,
    *,
    start: datetime | None,
    tz: str,
    names: tuple[str, ...],
    created: str | None = None,
    duration: float = 0.0,
) -> tuple[float, StartOrigin]:
    """The start of a recording and how it is known.

    Args:
        path: the file whose modification time is the last resort.
        start: the user's word, which beats all else.
        tz: time zone of clock times in names.
        names: names to look into, the most telling first.
        created: the container's ``creation_time``.
        duration: length in seconds; a recording's file time is that of its end.
    """
    if start is not None:
        return start_from_argument(start, tz), "argument"
    for name in names:
        named = start_from_name(name, tz)
        if named is not None:
            return named, "file name"
    written = _creation_time(created)
    if written is not None:
        return written, "container"
    return path.stat().st_mtime - duration, "file time"


def _creation_time(text: str | None) -> float | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    # Recorders without a clock write zero: 1904 in QuickTime's count, 1970 in Unix'.
    if moment.year < 2000:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
