"""Reads tracks of OpenTrafficCam's OTVision (``.ottrk``), to count them with one of our views.

The file is JSON packed by bzip2. Boxes are ``x, y, w, h`` in pixels: up to version 1.0 of its detections x
and y are the middle of the box, from 1.1 on its upper left corner. Moments are text up to version 1.1 and
seconds since the epoch from 1.2 on. Boxes that it interpolated are taken as they are.
"""

import bz2
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from vision import NgatuError, Tracks, VehicleClass
from vision.track_store import TrackWriter
from vision.types import most_likely_class

VEHICLES: Mapping[str, VehicleClass] = {
    "bicycle": VehicleClass.BICYCLE,
    "bicyclist": VehicleClass.BICYCLE,
    "cargo_bike_driver": VehicleClass.BICYCLE,
    "motorcycle": VehicleClass.MOTORCYCLE,
    "motorcyclist": VehicleClass.MOTORCYCLE,
    "scooter_driver": VehicleClass.MOTORCYCLE,
    "car": VehicleClass.CAR,
    "car_with_trailer": VehicleClass.CAR,
    "private_van": VehicleClass.CAR,
    "private_van_with_trailer": VehicleClass.CAR,
    "delivery_van": VehicleClass.TRUCK,
    "delivery_van_with_trailer": VehicleClass.TRUCK,
    "bus": VehicleClass.BUS,
    "truck": VehicleClass.TRUCK,
    "truck_with_trailer": VehicleClass.TRUCK,
    "truck_with_semitrailer": VehicleClass.TRUCK,
}
"""OTVision's classes that are vehicles of ours; people, trams and the rest are left out, and told."""

LARGEST = 2 * 2**30
"""Bytes that a file may have when it is unpacked."""
GAP_S = 1.0
"""Farther apart, frames leave a stretch that was not observed, s."""


class ForeignFileError(NgatuError):
    """A file of another program cannot be taken."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was taken of a file.

    Attributes:
        tracks: vehicles.
        frames: frames in which something was followed.
        left_out: detections by class that is none of ours.
    """

    tracks: int
    frames: int
    left_out: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Detection:
    frame: int
    time: float
    track: int
    label: str
    score: float
    box: tuple[float, float, float, float]


def import_tracks(source: Path, target: Path, tz: str) -> Imported:
    """Write the vehicles of an ``.ottrk`` file as our own file of tracks.

    Args:
        source: the file of OTVision.
        target: tracks.parquet to write.
        tz: time zone of its clock where its moments are text without one.

    Raises:
        ForeignFileError: it is no such file; the field at fault is named.
        TracksError: the target cannot be written.
    """
    told = _load(source)
    video = _get(source, told, "metadata", "video")
    size = (round(_number(source, video, "width")), round(_number(source, video, "height")))
    if min(size) < 1:
        raise _wrong(source, "metadata.video", "width and height are those of a picture")
    detections, left_out = _vehicles(source, told, ZoneInfo(tz))
    if not detections:
        raise ForeignFileError(f"{source}: no vehicle is followed in it; there is nothing to count")
    classes = _classes(detections)
    frames: dict[int, list[_Detection]] = defaultdict(list)
    for each in detections:
        frames[each.frame].append(each)
    about = {
        "source": source.name,
        "model": f"OTVision {_model(told)}",
        "time_zone": tz,
        "gaps": [],
        "imported_from": "ottrk",
    }
    count = 0
    with TrackWriter(target, size, about) as writer:
        for index, time, these in _every_frame(frames, _extent(video)):
            writer.append(index, time, _tracks(these, classes))
            count += 1
    return Imported(len(classes), count, dict(sorted(left_out.items())))


def _load(path: Path) -> Any:
    parts, size = [], 0
    try:
        with bz2.open(path, "rb") as file:
            while part := file.read(2**20):
                parts.append(part)
                size += len(part)
                if size > LARGEST:
                    raise ForeignFileError(f"{path}: unpacked it has more than {LARGEST} bytes; split it")
        return json.loads(b"".join(parts))
    except FileNotFoundError:
        raise ForeignFileError(f"{path} does not exist; give a file of tracks (.ottrk) of OTVision") from None
    except (OSError, EOFError, ValueError):
        raise ForeignFileError(f"{path} is no file of tracks of OTVision: JSON packed by bzip2") from None


def _vehicles(path: Path, told: Any, zone: ZoneInfo) -> tuple[list[_Detection], Counter[str]]:
    version = _version(path, told)
    listed = _get(path, told, "data", "detections")
    if not isinstance(listed, list):
        raise _wrong(path, "data.detections", "it is no list")
    found: list[_Detection] = []
    left_out: Counter[str] = Counter()
    for number, each in enumerate(listed):
        where = f"data.detections[{number}]"
        if not isinstance(each, dict):
            raise _wrong(path, where, "it is no object")
        label = str(each.get("class"))
        if label not in VEHICLES:
            left_out[label] += 1
            continue
        x, y, w, h = (_number(path, each, name, where) for name in ("x", "y", "w", "h"))
        left, top = (x - w / 2, y - h / 2) if version <= (1, 0) else (x, y)
        found.append(
            _Detection(
                int(_number(path, each, "frame", where)),
                _moment(path, each.get("occurrence"), f"{where}.occurrence", zone),
                int(_number(path, each, "track-id", where)),
                label,
                _number(path, each, "confidence", where),
                (left, top, left + w, top + h),
            )
        )
    return found, left_out


def _extent(video: Mapping[str, Any]) -> tuple[int, float] | None:
    """How many frames the video has, and how many a second; None where that is not told."""
    try:
        count, fps = int(float(video["number_of_frames"])), float(video["recorded_fps"])
    except (KeyError, TypeError, ValueError):
        return None
    return (count, fps) if 0 < count <= 10**8 and 0 < fps <= 1000 else None


def _every_frame(
    frames: Mapping[int, list[_Detection]], extent: tuple[int, float] | None
) -> Iterator[tuple[int, float, list[_Detection]]]:
    """The frames in order, also those without a vehicle: nothing was there, which is not unseen."""
    known = sorted(frames)
    if extent is not None:
        first = frames[known[0]][0].time
        yield from ((index, first - (known[0] - index) / extent[1], []) for index in range(1, known[0]))
    for number, index in enumerate(known):
        time = frames[index][0].time
        yield index, time, frames[index]
        if number + 1 < len(known):
            following = known[number + 1]
            step = (frames[following][0].time - time) / (following - index)
            if 0 < step <= GAP_S:
                yield from ((each, time + step * (each - index), []) for each in range(index + 1, following))
    if extent is not None:
        last, time = known[-1], frames[known[-1]][0].time
        yield from (
            (index, time + (index - last) / extent[1], []) for index in range(last + 1, extent[0] + 1)
        )


def _classes(detections: list[_Detection]) -> dict[int, int]:
    """The class of each track, by the scores of all its detections."""
    evidence: dict[int, np.ndarray[Any, np.dtype[np.float64]]] = defaultdict(lambda: np.zeros(5))
    for each in detections:
        evidence[each.track][VEHICLES[each.label]] += each.score
    names = list(evidence)
    best = most_likely_class(np.array([evidence[name] for name in names]))
    return {name: int(label) for name, label in zip(names, best, strict=True)}


def _tracks(these: list[_Detection], classes: Mapping[int, int]) -> Tracks:
    if not these:
        return Tracks.empty()
    # Our track 0 stands for none; a track is in a frame once, by its surest detection.
    once = {each.track: each for each in sorted(these, key=lambda each: each.score)}
    kept = [once[name] for name in sorted(once)]
    return Tracks(
        np.array([each.box for each in kept], np.float32),
        np.array([each.score for each in kept], np.float32),
        np.array([classes[each.track] for each in kept], np.int8),
        np.array([each.track + 1 for each in kept], np.int64),
    )


def _version(path: Path, told: Any) -> tuple[int, int]:
    text = str(_get(path, told, "metadata", "otdet_version"))
    try:
        major, minor = (int(part) for part in text.split(".")[:2])
    except ValueError:
        raise _wrong(path, "metadata.otdet_version", f"{text!r} is no version such as 1.2") from None
    if major != 1:
        raise _wrong(path, "metadata.otdet_version", f"{text} is not known here; 1.x is")
    return major, minor


def _model(told: Any) -> str:
    model = told["metadata"].get("detection", {}).get("model", {})
    return str(model.get("weights") or model.get("name") or "") if isinstance(model, dict) else ""


def _moment(path: Path, value: Any, field: str, zone: ZoneInfo) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        pass
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise _wrong(path, field, f"{value!r} is no moment") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


def _get(path: Path, told: Any, *names: str) -> Any:
    for number, name in enumerate(names):
        if not isinstance(told, dict) or name not in told:
            raise _wrong(path, ".".join(names[: number + 1]), "it is missing")
        told = told[name]
    return told


def _number(path: Path, told: Any, name: str, where: str = "metadata.video") -> float:
    value: Any = told.get(name) if isinstance(told, dict) else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number) or abs(number) > 1e9:
        raise _wrong(path, f"{where}.{name}", "it is no number")
    return number


def _wrong(path: Path, field: str, problem: str) -> ForeignFileError:
    return ForeignFileError(f"{path}: {field}: {problem}; is it a file of tracks (.ottrk) of OTVision?")
