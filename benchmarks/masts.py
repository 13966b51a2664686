"""What the place and height of a camera let be counted: ``masts.py --help``.

The traffic of a run of the generator is seen by imagined cameras. Their detector is one without faults that
finds each vehicle of which half is in sight and that is high enough in the picture; it is tracked and counted
as always. What is missed then, no detector gives back: it is hidden.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from sample_videos.generator import bank, layout, truth
from sample_videos.generator import view as views
from sample_videos.generator.boxes import true_boxes
from sample_videos.generator.camera import Camera
from sample_videos.generator.traffic import Trajectories
from vision import load_view
from vision.accuracy import Event, match_events
from vision.counting import GateCounter
from vision.tracking import VehicleTracker
from vision.types import Detections, VehicleClass

ROOT = Path(__file__).resolve().parents[1]
SIZE = (1280, 720)
IN_SIGHT = 0.5
"""Share of a vehicle that must be seen for it to be found."""
LEAST_HEIGHT = 24.0
"""Lines of 720 that it must be high: about what ngatu-n finds at 640x352."""
SCATTER = 0.035
"""Of the edges of boxes, in their width or height."""

PLACES = {
    "over the south kerb, 34 m from the middle": ((-6.4, -33.5), 820.0),
    "at the south-west corner, 23 m": ((-11.0, -20.5), 540.0),
}
"""Place, and focal length in pixels of a picture 1280 wide: the same junction fills both pictures."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted of the vehicles that came in by one gate.

    Attributes:
        place: of the camera.
        height: of it, m.
        gate: which.
        distance: from below the camera to the middle of the gate, m.
        angle: by which the camera looks down on it, degrees.
        across: whether traffic passes the gate across the picture, not toward the camera or away from it.
        true: vehicles.
        counted: of them and others.
        right: within half a second of a vehicle.
    """

    place: str
    height: float
    gate: str
    distance: float
    angle: float
    across: bool
    true: int
    counted: int
    right: int


def aimed(place: tuple[float, float], height: float, focal: float) -> Camera:
    """A camera that looks at the middle of the junction."""
    away = float(np.hypot(*place))
    yaw = np.degrees(np.arctan2(-place[1], -place[0]))
    return Camera((*place, height), float(yaw), -float(np.degrees(np.arctan2(height, away))), focal)


def detections(
    run: Trajectories, camera: Camera, hulls: dict[str, NDArray[np.float64]]
) -> Iterator[tuple[float, Detections]]:
    """Each frame's time and what the faultless detector finds in it."""
    kinds = {row["vehicle"]: row["class_id"] for row in run.vehicles.to_pylist()}
    rng = np.random.default_rng(5)
    for frame, rows, boxes, share in true_boxes(run, camera, hulls):
        boxes = np.clip(boxes, 0, [*SIZE, *SIZE])
        sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
        boxes = boxes + rng.normal(0, SCATTER, boxes.shape) * np.hstack([sides, sides])
        kind = np.array([kinds[int(number)] for number in run.vehicle[rows]], np.int8)
        found = (share >= IN_SIGHT) & (sides[:, 1] >= LEAST_HEIGHT)
        score = np.full(int(found.sum()), 0.6, np.float32)
        yield frame / run.fps, Detections(boxes[found].astype(np.float32), score, kind[found])


def count(run: Trajectories, place: str, height: float, hulls: dict[str, NDArray[np.float64]]) -> list[Seen]:
    """Count what one camera sees, beside the truth of its gates."""
    at, focal = PLACES[place]
    camera = aimed(at, height, focal)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "view.yaml")
        views.write(file, camera, place)
        view = load_view(file)
    tracker, counter = VehicleTracker(SIZE), GateCounter(view, SIZE)
    crossings = []
    for time, found in detections(run, camera, hulls):
        crossings += counter.update(time, tracker.update(time, found))
    crossings += counter.finish()
    passed = [each for each in truth.crossings(run, camera, hulls) if each.basis == "box"]
    rows = []
    for arm, gate in layout.GATE.items():
        middle = np.array(layout.ARM[arm].outward) * layout.ARM[arm].gate
        sight = middle - at
        distance = float(np.hypot(*sight))
        true = [
            Event(e.time, gate, "in", VehicleClass(e.class_id))
            for e in passed
            if e.gate == arm and e.direction == "in"
        ]
        ours = [
            Event(c.time, gate, "in", c.vehicle_class)
            for c in crossings
            if c.gate == gate and c.direction == "in"
        ]
        rows.append(
            Seen(
                place,
                height,
                gate,
                distance,
                float(np.degrees(np.arctan2(height, distance))),
                bool(abs(np.array(layout.ARM[arm].outward) @ sight) < 0.71 * distance),
                len(true),
                len(ours),
                len(match_events(true, ours).pairs),
            )
        )
    return rows


def show(rows: list[Seen], console: Console) -> None:
    """A line a camera, a column a gate."""
    table = Table(title="counted of those that came in (angle at which the camera looks down on the gate)")
    table.add_column("camera")
    for gate in layout.GATE.values():
        table.add_column(gate, justify="right")
    for place in PLACES:
        for height in sorted({row.height for row in rows}):
            cells = []
            for row in (row for row in rows if (row.place, row.height) == (place, height)):
                told = f"{row.counted / row.true:.0%}" if row.true else "-"
                cells.append(f"{told} ({row.angle:.0f}°{', across' if row.across else ''})")
            if cells:
                table.add_row(f"{place}, {height:g} m", *cells)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traffic", type=Path, help="a run of the generator: folder with steps.parquet")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--heights", type=float, nargs="+", default=[6, 8, 10, 12, 15])
    parser.add_argument("--json", type=Path, default=ROOT / "out" / "masts.json")
    args = parser.parse_args()
    run = Trajectories.read(args.traffic)
    kept = run.frame < args.seconds * run.fps
    columns = ("frame", "vehicle", "x", "y", "heading", "speed")
    run = replace(run, **{name: getattr(run, name)[kept] for name in columns})
    hulls = truth.hulls_of(bank.load(ROOT / "sample_videos" / "sprites"))
    rows: list[Seen] = []
    for place, height in track([(p, h) for p in PLACES for h in args.heights], "cameras"):
        rows += count(run, place, height, hulls)
    show(rows, Console(width=130))
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
