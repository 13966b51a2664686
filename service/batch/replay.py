"""A detector that gives back what was detected before, frame by frame, so that the chain stays the same."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision import Detections, Frame
from vision.density.records import Light
from vision.detection.cards import Thresholds

_LIGHTS: tuple[Light | None, ...] = (None, "day", "dusk", "night")


@dataclass(slots=True)
class Detected:
    """What was found in a stretch of one recording.

    Attributes:
        size: width and height of the picture in pixels.
        numbers: ordinal of each analysed frame in the recording.
        times: of each, seconds since the recording's first frame.
        found: vehicles in each.
        lights: the light of those frames at which it was looked.
        gaps: (from, to) of holes that damage left, seconds since the first frame; of a whole recording only.
    """

    size: tuple[int, int]
    numbers: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    found: list[Detections] = field(default_factory=list)
    lights: list[Light | None] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)

    def add(self, number: int, time: float, found: Detections, light: Light | None) -> None:
        """Add the next frame."""
        self.numbers.append(number)
        self.times.append(time)
        self.found.append(found)
        self.lights.append(light)

    def to_bytes(self) -> bytes:
        """As a compact file, exact to the last bit."""
        held = BytesIO()
        found = Detections.joined([Detections.empty(), *self.found])
        np.savez_compressed(
            held,
            about=np.frombuffer(json.dumps({"size": self.size, "gaps": self.gaps}).encode(), np.uint8),
            numbers=np.array(self.numbers, np.int64),
            times=np.array(self.times, np.float64),
            counts=np.array([len(each) for each in self.found], np.int32),
            lights=np.array([_LIGHTS.index(light) for light in self.lights], np.int8),
            xyxy=found.xyxy.astype(np.float32),
            score=found.score.astype(np.float32),
            class_id=found.class_id.astype(np.int8),
        )
        return held.getvalue()

    @classmethod
    def read(cls, path: Path) -> "Detected":
        """Read a file of :meth:`to_bytes`.

        Raises:
            OSError, ValueError, KeyError: it is missing or no such file.
        """
        with np.load(path, allow_pickle=False) as data:
            about: dict[str, Any] = json.loads(data["about"].tobytes())
            ends = np.cumsum(data["counts"])[:-1]
            boxes: list[NDArray[np.float32]] = np.split(data["xyxy"], ends)
            scores, kinds = np.split(data["score"], ends), np.split(data["class_id"], ends)
            frames = len(data["numbers"])
            found = [Detections(*each) for each in zip(boxes, scores, kinds, strict=True)][:frames]
            width, height = about["size"]
            return cls(
                (width, height),
                data["numbers"].tolist(),
                data["times"].tolist(),
                found,
                [_LIGHTS[code] for code in data["lights"].tolist()],
                [(begin, end) for begin, end in about["gaps"]],
            )


class ReplayDetector:
    """Satisfies :class:`vision.Detector`, but looks at no picture.

    Args:
        name: of the detector that had found the vehicles.
        thresholds: its thresholds.
    """

    def __init__(self, name: str, thresholds: Thresholds) -> None:
        self.name = name
        self.thresholds = thresholds
        self._next = Detections.empty()

    def detect(self, _image: NDArray[np.uint8]) -> Detections:
        """What was found in the frame that :meth:`frames` gave last."""
        return self._next

    def frames(self, chunks: Sequence[Path], start: float) -> Iterator[tuple[Frame, Light | None, Detected]]:
        """The frames of one recording, with blank pictures, their light, and the stretch they come from.

        Args:
            chunks: files of its stretches, in order.
            start: moment of its first frame, seconds since the epoch, UTC.
        """
        for path in chunks:
            stretch = Detected.read(path)
            blank = np.broadcast_to(np.uint8(0), (stretch.size[1], stretch.size[0], 3))
            for number, time, found, light in zip(
                stretch.numbers, stretch.times, stretch.found, stretch.lights, strict=True
            ):
                self._next = found
                yield Frame(blank, start + time, number), light, stretch
