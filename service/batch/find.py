"""Finds recordings in a folder and places each: its camera, its view, when it began."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from service.batch.names import BUILT_IN, Named, Pattern, read_name
from service.registry import Camera, CameraView, City, History, Site, city_at
from vision.errors import NgatuError
from vision.views import View

_KINDS = "3gp asf avi dav flv h264 hevc m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogv ts webm wmv"
SUFFIXES = frozenset(f".{kind}" for kind in _KINDS.split(" "))
"""What recordings end with."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A recording whose camera and start are known.

    Attributes:
        path: absolute.
        camera: id of the camera.
        site: id of its site, if it has one.
        view: what is drawn on its picture at that time.
        named: what its name says.
    """

    path: Path
    camera: str
    site: str | None
    view: View
    named: Named


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A file that cannot be analysed, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in a folder; both in order of camera and time, or of the path."""

    placed: tuple[Placed, ...]
    unplaced: tuple[Unplaced, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """How recordings are placed.

    Attributes:
        history: the registry.
        tz: time zone of the recorders' clocks.
        patterns: tried before those built in.
        aliases: id of the camera for each name that a recorder uses.
        view: for one camera, a view in place of the registry's.
        camera: the camera of all recordings, whatever their names say.
    """

    history: History
    tz: str = "Asia/Ho_Chi_Minh"
    patterns: Sequence[Pattern] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    view: View | None = None
    camera: str | None = None


def find_recordings(folder: Path, places: Places) -> Found:
    """Find the recordings in a folder and those below it.

    Raises:
        NgatuError: the folder cannot be read, or one view was given for recordings of several cameras.
    """
    if not folder.is_dir():
        raise NgatuError(f"{folder} is not a folder: name the folder of the recordings")
    placed: list[Placed] = []
    unplaced: list[Unplaced] = []
    zone = ZoneInfo(places.tz)
    for path in _videos(folder):
        answer = _place(path, path.relative_to(folder.resolve()), zone, places)
        if isinstance(answer, Placed):
            placed.append(answer)
        else:
            unplaced.append(Unplaced(path, answer))
    if places.view is not None and len(names := Counter(each.camera for each in placed)) > 1:
        told = ", ".join(f"{name} ({number})" for name, number in names.most_common(5))
        raise NgatuError(f"--view is for one camera, here are recordings of {told}: name it with --camera")
    placed.sort(key=lambda each: (each.camera, each.named.start, each.path))
    return Found(tuple(placed), tuple(unplaced))


def _videos(folder: Path) -> Iterable[Path]:
    for at, folders, files in os.walk(folder.resolve()):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield Path(at) / name


def _place(path: Path, shown: Path, zone: ZoneInfo, places: Places) -> Placed | str:
    """The recording in its place, or why it has none."""
    named = read_name(shown, zone, (*places.patterns, *BUILT_IN))
    if named is None:
        return "its name tells no camera and start: describe it with --pattern"
    name = places.camera or places.aliases.get(named.camera) or named.camera
    if places.view is not None:
        return Placed(path, name or "camera", None, places.view, named)
    if not name:
        return f"its name tells a start but no camera (pattern {named.pattern}): give --camera or --pattern"
    city = city_at(places.history, named.start)
    camera = _camera(city, name)
    day = datetime.fromtimestamp(named.start, zone).strftime("%Y-%m-%d %H:%M")
    if camera is None:
        ever = _camera(city_at(places.history, _latest(places.history)), name)
        if ever is not None:
            return (
                f"camera {ever.id} was not in the registry yet on {day}: "
                "import it with --at and an earlier date"
            )
        return f"no camera {name!r} in the registry: add it, or say which it is with --alias {name}=ID"
    site = city.get(("sites", camera.site))
    if isinstance(site, Site) and site.kind == "public_area":
        return f"camera {camera.id} watches a public area, where nothing is counted"
    view = city.get(("views", camera.id))
    if not isinstance(view, CameraView):
        return (
            f"camera {camera.id} had no view on {day}: draw one, or import it with --at and an earlier date"
        )
    if not view.view.gates:
        return f"the view of camera {camera.id} has no gates: draw one"
    return Placed(path, camera.id, camera.site, view.view, named)


def _camera(city: City, name: str) -> Camera | None:
    """The camera called so: by its id, or, where only one fits, nearly so or by its name in words."""
    cameras = [record for record in city.values() if isinstance(record, Camera)]
    for key in (lambda text: text, _plain):
        fitting = [each for each in cameras if key(name) in (key(each.id), key(each.name))]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "-", text.casefold()).strip("-")


def _latest(history: History) -> float:
    return max((each.start for versions in history.values() for each in versions), default=0.0)
