"""Which camera a recording is of and when it began, read from its path by patterns."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import PurePath
from zoneinfo import ZoneInfo

from vision.errors import NgatuError

_CODES = {
    "%Y": r"(?P<Y>20\d\d)",
    "%m": r"(?P<m>0[1-9]|1[0-2])",
    "%d": r"(?P<d>0[1-9]|[12]\d|3[01])",
    "%H": r"(?P<H>[01]\d|2[0-3])",
    "%M": r"(?P<M>[0-5]\d)",
    "%S": r"(?P<S>[0-5]\d)",
    "%f": r"(?P<f>\d{3})",
    "{camera}": r"(?P<camera>[^/]+?)",
    "*": r"[^/]*",
}
_TOKEN = re.compile("|".join(re.escape(code) for code in _CODES))
_PERCENT = re.compile(r"%.|\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Named:
    """What a path says.

    Attributes:
        camera: the camera as the recorder calls it; empty where the pattern names none.
        start: moment of the first frame, seconds since the epoch, UTC, rounded down.
        resolution: the first frame lies within so many seconds after ``start``.
        pattern: what it was read with.
    """

    camera: str
    start: float
    resolution: float
    pattern: str


@dataclass(frozen=True)
class Pattern:
    """A way of naming recordings, such as ``{camera}/%Y-%m-%d/%H.%M.%S``.

    ``{camera}`` is the camera, ``%Y %m %d %H %M %S`` and ``%f`` (milliseconds) are parts of the time, ``*``
    is anything within one part of the path. It is held against the end of the path, without the suffix.

    Attributes:
        text: the pattern.
        utc: whether its times are UTC whatever the recorder's zone.

    Raises:
        NgatuError: a part is not known, or year, month, day or hour is missing.
    """

    text: str
    utc: bool = False

    def __post_init__(self) -> None:
        for code in _PERCENT.findall(self.text):
            if code not in _CODES:
                known = " ".join(_CODES)
                raise NgatuError(f"--pattern {self.text!r}: {code} is not known; there are {known}")
        missing = [code for code in ("%Y", "%m", "%d", "%H") if code not in self.text]
        if missing:
            raise NgatuError(f"--pattern {self.text!r} has no {' '.join(missing)}: the start must be known")

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        parts, at, seen = [], 0, set()
        for found in _TOKEN.finditer(self.text):
            parts.append(re.escape(self.text[at : found.start()]))
            code = _CODES[found[0]]
            group = re.match(r"\(\?P<(\w+)>", code)
            if group and group[1] in seen:  # a part of the time that is written twice must agree
                code = f"(?P={group[1]})"
            elif group:
                seen.add(group[1])
            parts.append(code)
            at = found.end()
        parts.append(re.escape(self.text[at:]))
        return re.compile(f"(?:^|.*/){''.join(parts)}", re.IGNORECASE)

    def read(self, path: PurePath, zone: ZoneInfo) -> Named | None:
        """What ``path`` says, None where it is named otherwise."""
        found = self._regex.fullmatch(path.with_suffix("").as_posix())
        if found is None:
            return None
        part = found.groupdict()
        year, month, day, hour = (int(part[name]) for name in "YmdH")
        minute, second, milli = (int(part.get(name) or 0) for name in "MSf")
        zone_of_name = UTC if self.utc else zone
        try:
            moment = datetime(year, month, day, hour, minute, second, milli * 1000, tzinfo=zone_of_name)
        except ValueError:  # the digits are no date
            return None
        resolution = 1e-3 if "f" in part else 1.0 if "S" in part else 60.0 if "M" in part else 3600.0
        return Named((part.get("camera") or "").strip(" _-."), moment.timestamp(), resolution, self.text)


BUILT_IN: tuple[Pattern, ...] = (
    Pattern("%Y-%m-%d/%H/{camera}/%M.%S", utc=True),  # Frigate
    Pattern("{camera}/%Y-%m-%d/%H.%M.%S"),
    Pattern("{camera}/%Y-%m-%d/%H-%M-%S"),
    Pattern("{camera}/%Y-%m-%d/%H.%M"),
    Pattern("{camera}/%Y-%m-%d/%H-%M"),
    Pattern("{camera}/%Y-%m-%d/*/dav/%H/%H.%M.%S-*"),  # Dahua, on its card
    Pattern("{camera}/%Y-%m-%d/*/*/%H/%H.%M.%S-*"),
    Pattern("*_{camera}_main_%Y%m%d%H%M%S_*"),  # Dahua, exported
    Pattern("{camera}_%Y%m%d-%H%M%S"),  # ours
    Pattern("{camera}_%Y%m%d_%H%M%S"),
    Pattern("{camera}_%Y%m%d%H%M%S_*"),  # Hikvision: start and end
    Pattern("{camera}_%Y%m%d%H%M%S%f_*"),
    Pattern("{camera}_%Y%m%d%H%M%S%f"),
    Pattern("{camera}_%Y%m%d%H%M%S"),
    Pattern("{camera}_%Y-%m-%d_%H-%M-%S"),
    Pattern("{camera}_%Y-%m-%d_%H.%M.%S"),
    Pattern("{camera}-%Y%m%d-%H%M%S*"),  # Synology
    Pattern("{camera}.%Y%m%d_%H%M%S*"),  # Blue Iris
    Pattern("{camera}/%Y%m%d-%H%M%S"),
    Pattern("{camera}/%Y%m%d_%H%M%S*"),  # Axis: the camera is the folder
    Pattern("{camera}/%Y%m%d%H%M%S*"),
    Pattern("{camera}/%Y-%m-%d_%H-%M-%S*"),
    Pattern("{camera}/%Y-%m-%d %H-%M-%S*"),
    Pattern("{camera}_%Y-%m-%d %H-%M-%S"),
)
"""How common recorders name what they write; the first that fits a path is taken."""


def read_name(path: PurePath, zone: ZoneInfo, patterns: Iterable[Pattern]) -> Named | None:
    """What the first pattern that fits says of a recording.

    Args:
        path: of the recording, within the folder of recordings.
        zone: of the recorder's clock.
        patterns: to try, in order.
    """
    return next(_readings(path, zone, patterns), None)


def _readings(path: PurePath, zone: ZoneInfo, patterns: Iterable[Pattern]) -> Iterator[Named]:
    for pattern in patterns:
        if named := pattern.read(path, zone):
            yield named
