"""Synthetic vehicles for the tests of tracking and counting: paths in, boxes or tracks per frame out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vision import Crossing, Detections, GateCounter, Tracks, VehicleClass, View

SIZE = (1280, 720)
Path = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class Car:
    """One vehicle: where its ground point is at a time, how large it is, and when it can be seen."""

    path: Path
    width: float = 80
    height: float = 60
    kind: VehicleClass = VehicleClass.CAR
    begin: float = 0.0
    end: float = 1e9

    def box(self, time):
        x, y = self.path(time)
        return [x - self.width / 2, y - self.height, x + self.width / 2, y]


def straight(start, speed):
    """A path from ``start`` (pixels) at ``speed`` (pixels a second)."""
    return lambda time: (start[0] + speed[0] * time, start[1] + speed[1] * time)


def gate(line=((0.1, 0.5), (0.9, 0.5)), name="gate", size=SIZE, **more):
    """A view with one gate; the default is crossed ``in`` by moving down the picture."""
    return View.model_validate({"gates": [{"id": name, "line": line}], **more})


def frame_times(seconds, fps=25.0):
    return [1000.0 + n / fps for n in range(round(seconds * fps))]


def tracks_of(
    boxes: Sequence, ids: Sequence[int], kinds: Sequence[int], scores: Sequence[float] | None = None
):
    count = len(ids)
    return Tracks(
        np.asarray(boxes, np.float32).reshape(count, 4),
        np.asarray([0.8] * count if scores is None else scores, np.float32),
        np.asarray(kinds, np.int8),
        np.asarray(ids, np.int64),
    )


def detections_of(cars: Iterable[Car], time: float, noise=None, miss=0.0, score=0.8):
    """What a detector sees of some cars; ``noise`` (a random generator) shakes boxes by 3 % of their size."""
    rows = []
    for car in cars:
        if not car.begin <= time - 1000.0 <= car.end or (noise is not None and noise.random() < miss):
            continue
        box = np.array(car.box(time - 1000.0))
        if noise is not None:
            box += noise.normal(0, 0.03 * np.sqrt(car.width * car.height), 4)
        seen = np.clip(box, 0, [*SIZE, *SIZE])
        # A sliver at the edge of the picture is not recognised.
        if (seen[2] - seen[0]) * (seen[3] - seen[1]) > 0.4 * car.width * car.height:
            rows.append((*seen, score, car.kind))
    data = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(data[:, :4], data[:, 4], data[:, 5].astype(np.int8))


def count_tracks(frames: Iterable[tuple[float, Tracks]], view: View, size=SIZE, **settings) -> list[Crossing]:
    counter = GateCounter(view, size, **settings)
    crossings = [crossing for time, tracks in frames for crossing in counter.update(time, tracks)]
    return crossings + counter.finish()


def follow(cars: Sequence[Car], seconds: float, fps=25.0, ids: Callable[[int, int], int] | None = None):
    """Perfect tracks of some cars; ``ids(car, frame)`` renames them as a bad tracker would."""
    for number, time in enumerate(frame_times(seconds, fps)):
        seen = [(n, car) for n, car in enumerate(cars) if car.begin <= time - 1000.0 <= car.end]
        names = [ids(n, number) if ids else n + 1 for n, _ in seen]
        yield (
            time,
            tracks_of([car.box(time - 1000.0) for _, car in seen], names, [car.kind for _, car in seen]),
        )


def directions(crossings: Iterable[Crossing]) -> list[str]:
    return [crossing.direction for crossing in sorted(crossings, key=lambda c: c.time)]
