"""The values that flow through the chain: frames → detections → tracks → crossings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Direction = Literal["in", "out"]


class VehicleClass(IntEnum):
    """The vehicle classes of every table, file and page. Unknown stays unknown, never a guess."""

    UNKNOWN = -1
    BICYCLE = 0
    MOTORCYCLE = 1
    CAR = 2
    BUS = 3
    TRUCK = 4

    @property
    def label(self) -> str:
        """The name used in files and tables: ``motorcycle``."""
        return self.name.lower()


CLASS_COUNT = 5
"""How many known classes there are; ids run from 0 to CLASS_COUNT - 1."""


_KIND = np.array([1, 1, 0, 0, 0, -1], np.int8)  # the last for -1


def vehicle_kind(class_id: NDArray[np.int8]) -> NDArray[np.int8]:
    """Coarse kind ``int8[N]``: 1 for bicycles and motorcycles, 0 for larger vehicles, -1 for unknown."""
    kind: NDArray[np.int8] = _KIND[class_id]
    return kind


def most_likely_class(evidence: NDArray[np.float64]) -> NDArray[np.int8]:
    """The class ``int8[N]`` with most evidence ``[N, CLASS_COUNT]``, unknown where there is none."""
    best = evidence.argmax(axis=1).astype(np.int8)
    best[evidence[np.arange(len(best)), best] <= 0] = -1
    return np.asarray(best)


def with_rows(table: NDArray[np.void], count: int) -> NDArray[np.void]:
    """A copy of a structured table with ``count`` blank rows more; much faster than concatenating."""
    grown = np.zeros(len(table) + count, table.dtype)
    grown[: len(table)] = table
    return grown


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a camera.

    Attributes:
        image: ``uint8[H, W, 3]``, BGR, upright.
        time: seconds since the Unix epoch, UTC, from the stream's presentation time.
        index: ordinal of the frame in the source, counting every frame that arrived.
    """

    image: NDArray[np.uint8]
    time: float
    index: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True, slots=True)
class Detections:
    """Vehicles found in one frame, as parallel arrays.

    Attributes:
        xyxy: ``float32[N, 4]`` left, top, right, bottom in pixels of the source image.
        score: ``float32[N]`` in 0..1.
        class_id: ``int8[N]``, a :class:`VehicleClass` each.
    """

    xyxy: NDArray[np.float32]
    score: NDArray[np.float32]
    class_id: NDArray[np.int8]

    @classmethod
    def empty(cls) -> Self:
        """No vehicles."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int8))

    @classmethod
    def joined(cls, parts: "Sequence[Detections]") -> Self:
        """Those of several looks, one after the other; at least one look."""
        return cls(
            np.concatenate([part.xyxy for part in parts]),
            np.concatenate([part.score for part in parts]),
            np.concatenate([part.class_id for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.score)

    def __getitem__(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> "Detections":
        return Detections(self.xyxy[index], self.score[index], self.class_id[index])


@dataclass(frozen=True, slots=True)
class Tracks:
    """Vehicles followed through time, as seen in one frame: the arrays of :class:`Detections` and an id.

    Attributes:
        xyxy: ``float32[N, 4]`` left, top, right, bottom in pixels; may reach beyond the image edge.
        score: ``float32[N]`` score of the detection behind this box.
        class_id: ``int8[N]`` class of the track by all evidence so far.
        track_id: ``int64[N]``, unique within a run.
    """

    xyxy: NDArray[np.float32]
    score: NDArray[np.float32]
    class_id: NDArray[np.int8]
    track_id: NDArray[np.int64]

    @classmethod
    def empty(cls) -> Self:
        """Nothing tracked."""
        none = Detections.empty()
        return cls(none.xyxy, none.score, none.class_id, np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.track_id)

    def __getitem__(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> "Tracks":
        return Tracks(self.xyxy[index], self.score[index], self.class_id[index], self.track_id[index])

    @property
    def ground_points(self) -> NDArray[np.float32]:
        """``float32[N, 2]``: the middle of each box's bottom edge, where the vehicle meets the road."""
        points = np.empty((len(self.xyxy), 2), np.float32)
        points[:, 0] = (self.xyxy[:, 0] + self.xyxy[:, 2]) / 2
        points[:, 1] = self.xyxy[:, 3]
        return points


@dataclass(frozen=True, slots=True)
class Crossing:
    """One vehicle passing one gate.

    Attributes:
        time: interpolated moment, seconds since the Unix epoch, UTC.
        gate: id of the gate.
        direction: ``in`` from the gate's left to its right (seen from its first point to its second).
        vehicle_class: class of the vehicle by all evidence.
        confidence: mean detection score of the vehicle so far.
        point: where on the image, as fractions of width and height.
        vehicle: number of the vehicle within this run (not stable between runs).
        movement: id of the movement that this crossing completes, if any.
        origin: the gate by which the vehicle entered, where a movement is completed.
    """

    time: float
    gate: str
    direction: Direction
    vehicle_class: VehicleClass
    confidence: float
    point: tuple[float, float]
    vehicle: int
    movement: str | None = None
    origin: str | None = None


class FrameSource(Protocol):
    """Anything that yields the frames of one camera in order; close it, or use it as a context manager."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames in pixels."""
        ...

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Release the decoder or connection."""
        ...


class ScoreThresholds(Protocol):
    """Which of a detector's scores mean something."""

    @property
    def keep(self) -> float:
        """Lowest score that is reported."""
        ...

    @property
    def start(self) -> float:
        """Score at which a track may begin."""
        ...


class Detector(Protocol):
    """Finds vehicles in one picture."""

    @property
    def name(self) -> str:
        """The name of its card."""
        ...

    @property
    def thresholds(self) -> ScoreThresholds:
        """How its scores are to be taken."""
        ...

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Vehicles in ``image`` (``uint8[H, W, 3]``, BGR), boxes in its pixels."""
        ...


class Tracker(Protocol):
    """Joins detections of successive frames into tracks."""

    def update(self, time: float, detections: Detections) -> Tracks:
        """Take one frame's detections; ``time`` in seconds, strictly increasing."""
        ...


class Clock(Protocol):
    """Gives the present moment; injected, so that nothing inside reads the wall clock."""

    def now(self) -> float:
        """Seconds since the Unix epoch, UTC."""
        ...
