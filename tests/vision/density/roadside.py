"""A road seen straight from above: 100 m by 56.25 m, traffic to the right, the stop line at 90 m."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tests.vision.scenes import tracks_of
from vision import GateCounter, Tracks, VehicleClass, View
from vision.calibration import fit_calibration
from vision.density import ApproachInterval, DensityEstimator
from vision.density.footprints import CONTACTS

SIZE = (1280, 720)
WIDE, HIGH = 100.0, 56.25
START = 1_770_000_000.0
STRETCH = 80.0
"""Metres of the zone, which ends at the stop line, 90 m from the left."""


def image(x: float, y: float) -> tuple[float, float]:
    return x / WIDE, 1 - y / HIGH


def road_view(calibrated: bool = True, zone: bool = True, gate: bool = True, **approach: float) -> View:
    """A zone of 80 m by 10 m around y = 30 m, and its gate."""
    corners = [(0.0, 0.0), (WIDE, 0.0), (WIDE, HIGH), (0.0, HIGH)]
    polygon = [image(10, 25), image(90, 25), image(90, 35), image(10, 35)]
    # From below upwards: what drives to the right passes from its left to its right.
    data = {
        "approaches": [{"id": "west", **approach}],
        "gates": [{"id": "stop", "approach": "west", "line": [image(90, 24), image(90, 36)]}],
        "zones": [{"id": "stretch", "kind": "approach", "approach": "west", "polygon": polygon}],
        "calibration": {
            "points": [{"image": image(*p), "ground": p} for p in corners],
            "valid": [image(*p) for p in corners],
        },
    }
    if not calibrated:
        del data["calibration"]
    if not zone:
        del data["zones"]
    if not gate:
        data["gates"][0]["approach"] = None
        del data["approaches"]
    return View.model_validate(data)


@dataclass(frozen=True)
class Vehicle:
    """Its middle is at (x(t), y) metres t seconds after START, while it is seen."""

    x: Callable[[float], float]
    y: float = 30.0
    kind: VehicleClass = VehicleClass.CAR
    begin: float = -1e9
    end: float = 1e9

    def box(self, t: float) -> list[float]:
        """Left, top, right, bottom in pixels: seen from above, so that it is the contact with the ground."""
        length, width = CONTACTS[self.kind]
        x = self.x(t)
        left, top = image(x - length / 2, self.y + width / 2)
        right, bottom = image(x + length / 2, self.y - width / 2)
        return [left * SIZE[0], top * SIZE[1], right * SIZE[0], bottom * SIZE[1]]


def drive(start: float, speed: float) -> Callable[[float], float]:
    """From x = 0 at a time on, m/s."""
    return lambda t: speed * (t - start)


def stand(x: float) -> Callable[[float], float]:
    return lambda _t: x


def frames(
    vehicles: Iterable[Vehicle], seconds: float, fps: float = 10.0, jitter: float = 0.0
) -> Iterator[tuple[float, Tracks]]:
    """Tracks of those vehicles whose middle is in the picture; ``jitter`` in pixels."""
    random = np.random.default_rng(1)
    listed = list(vehicles)
    for number in range(round(seconds * fps)):
        t = number / fps
        seen = [(n, v) for n, v in enumerate(listed, 1) if v.begin <= t <= v.end and 1 < v.x(t) < WIDE - 1]
        boxes = np.array([v.box(t) for _, v in seen]).reshape(-1, 4)
        boxes += random.normal(0, jitter, boxes.shape) if jitter else 0.0
        yield START + t, tracks_of(boxes, [n for n, _ in seen], [v.kind for _, v in seen])


def measure(
    shown: Iterable[tuple[float, Tracks]], view: View | None = None, **options: int
) -> list[ApproachInterval]:
    """The records of some frames, counted and measured."""
    view = view or road_view()
    counter = GateCounter(view, SIZE)
    ground = fit_calibration(view.calibration) if view.calibration else None
    estimator = DensityEstimator(view, SIZE, ground, **options)
    records = []
    for time, tracks in shown:
        records += estimator.update(time, tracks, counter.update(time, tracks))
    return records + estimator.finish(counter.finish())
