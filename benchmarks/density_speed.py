"""Milliseconds a frame of the density estimator: ``density_speed.py --help``.

The scene of tracking_speed.py, tracked by ngatu, with a zone on each of its four arms and a calibrated
ground. The time is that of the thread, on one thread; the median over blocks of frames, so that neighbours
on a shared machine weigh less. Tracking and counting are timed beside it.
"""

import os

# Read when numpy is imported.
os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")})

import argparse
import json
import time
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.tracking_speed import SIZE, VIEW, WARM_UP, Scene
from vision.calibration import fit_calibration
from vision.counting import GateCounter
from vision.density import DensityEstimator
from vision.tracking import VehicleTracker
from vision.views import Calibration, CalibrationPoint, View, Zone

BLOCK = 50
ZONES = {
    "north": [(0.38, 0.02), (0.50, 0.02), (0.50, 0.30), (0.38, 0.30)],
    "east": [(0.70, 0.32), (0.98, 0.32), (0.98, 0.50), (0.70, 0.50)],
    "south": [(0.50, 0.70), (0.62, 0.70), (0.62, 0.98), (0.50, 0.98)],
    "west": [(0.02, 0.50), (0.30, 0.50), (0.30, 0.68), (0.02, 0.68)],
}


def scene_view(calibrated: bool) -> View:
    corners = {(0.0, 0.0): (-60, 90), (1.0, 0.0): (60, 90), (0.0, 1.0): (-15, 0), (1.0, 1.0): (15, 0)}
    points = [CalibrationPoint(image=image, ground=ground) for image, ground in corners.items()]
    valid = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    return View(
        gates=[gate.model_copy(update={"approach": gate.id}) for gate in VIEW.gates],
        zones=[Zone(id=name, kind="approach", approach=name, polygon=p) for name, p in ZONES.items()],
        calibration=Calibration(points=points, valid=valid) if calibrated else None,
    )


def measure(count: int, rate: float, calibrated: bool, seconds: float) -> tuple[float, float]:
    """Median milliseconds a frame: of tracking and counting, and of the density estimator."""
    view = scene_view(calibrated)
    scene, tracker = Scene(count, rate), VehicleTracker(SIZE)
    counter = GateCounter(view, SIZE)
    ground = fit_calibration(view.calibration) if view.calibration else None
    estimator = DensityEstimator(view, SIZE, ground)
    blocks: list[tuple[float, float]] = []
    before = spent = 0.0
    for number in range(WARM_UP + round(seconds * rate)):
        moment, found = scene.step()
        began = time.thread_time()
        tracks = tracker.update(moment, found)
        crossings = counter.update(moment, tracks)
        tracked = time.thread_time()
        estimator.update(moment, tracks, crossings)
        before, spent = before + tracked - began, spent + time.thread_time() - tracked
        if number % BLOCK == BLOCK - 1:
            blocks.append((1000 * before / BLOCK, 1000 * spent / BLOCK))
            before = spent = 0.0
    return median(block[0] for block in blocks[1:]), median(block[1] for block in blocks[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+", default=[25, 100])
    parser.add_argument("--rates", type=float, nargs="+", default=[5.0, 10.0, 25.0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--json", type=Path, default=Path("out") / "density_speed.json")
    args = parser.parse_args()
    table = Table(title="density estimator, ms of one core a frame")
    for name in ("objects", "frames/s", "calibrated", "image only", "beside: track and count"):
        table.add_column(name, justify="right")
    rows: list[dict[str, Any]] = []
    for count in args.objects:
        for rate in args.rates:
            before, known = measure(count, rate, True, args.seconds)
            _, blind = measure(count, rate, False, args.seconds)
            row = {"calibrated_ms": known, "image_only_ms": blind, "track_and_count_ms": before}
            rows.append({"objects": count, "rate": rate, **row})
            table.add_row(str(count), f"{rate:g}", *(f"{value:.2f}" for value in row.values()))
    Console().print(table)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
