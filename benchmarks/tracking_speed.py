"""Milliseconds a frame for tracking and counting, ngatu beside peers: ``tracking_speed.py --help``.

A made scene: vehicles on two crossing roads with a gate on each arm, seen by a detector that misses some,
jitters and wavers in score and class. Both sides get the same boxes, in turns, on one thread each; the time
is that of the thread, so that neighbours on a shared machine weigh less.
"""

import os

# Read when numpy is imported, and passed on to the peers.
os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")})

import argparse
import gc
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks import environments
from vision.counting import GateCounter
from vision.tracking import VehicleTracker
from vision.types import Detections
from vision.views import Gate, View

SIZE = (1280, 720)
RATE = 10.0
"""Analysed frames per second."""
WARM_UP = 50
BLOCK = 40
PEER_SETTINGS: dict[str, Any] = {
    "timed": True,
    "tracker": {"track_activation_threshold": 0.25, "minimum_consecutive_frames": 1},
    "zone": {"triggering_anchors": ["BOTTOM_CENTER"]},
}
"""So that the peers too follow every vehicle; one anchor is also the faster for them."""

VIEW = View(
    gates=[
        Gate(id="north", line=((0.40, 0.15), (0.60, 0.15))),
        Gate(id="east", line=((0.85, 0.35), (0.85, 0.65))),
        Gate(id="south", line=((0.60, 0.90), (0.40, 0.90))),
        Gate(id="west", line=((0.15, 0.65), (0.15, 0.35))),
    ]
)
Times = list[tuple[float, float]]


class Scene:
    """Vehicles that drive across the picture, each replaced at the entry when it has left.

    Args:
        count: how many vehicles are there at a time.
        rate: frames a second.
        seed: of all that is random.
    """

    def __init__(self, count: int, rate: float = RATE, seed: int = 0) -> None:
        self.count = count
        self.rate = rate
        self._random = np.random.default_rng(seed)
        self._heading = np.zeros((count, 2))
        self._at = np.zeros((count, 2))
        self._speed = np.zeros(count)
        self._sides = np.zeros((count, 2))
        self._class = np.zeros(count, np.int8)
        everyone = np.arange(count)
        self._enter(everyone)
        self._at += self._heading * np.array(SIZE) * self._random.uniform(0, 1, count)[:, None]
        self._frame = 0

    def _enter(self, who: NDArray[np.intp]) -> None:
        random, many = self._random, len(who)
        arm = random.integers(0, 4, many)
        self._heading[who] = np.array([(0, 1), (-1, 0), (0, -1), (1, 0)], float)[arm]
        across = random.uniform(0.02, 0.10, many)  # each direction keeps to its half of the road
        width, height = SIZE
        self._at[who] = np.choose(
            arm[:, None],
            [
                np.stack(((0.5 - across) * width, np.zeros(many)), 1),
                np.stack((np.full(many, width), (0.5 - 1.5 * across) * height), 1),
                np.stack(((0.5 + across) * width, np.full(many, height)), 1),
                np.stack((np.zeros(many), (0.5 + 1.5 * across) * height), 1),
            ],
        )
        self._speed[who] = random.uniform(40, 160, many)
        two_wheels = random.random(many) < 0.6
        self._class[who] = np.where(two_wheels, 1, random.choice([2, 2, 3, 4], many))
        side = np.where(two_wheels, random.uniform(20, 30, many), random.uniform(40, 60, many))
        self._sides[who] = side[:, None] * np.where(two_wheels[:, None], (0.7, 1.4), (1.2, 0.9))

    def step(self) -> tuple[float, Detections]:
        """The next frame's time and boxes."""
        random = self._random
        moment = self._frame / self.rate
        self._frame += 1
        self._speed *= np.exp(random.normal(0, 0.02, self.count))
        self._at += self._heading * (self._speed / self.rate)[:, None]
        self._enter(np.flatnonzero(((self._at < 0) | (self._at > SIZE)).any(axis=1)))
        seen = np.flatnonzero(random.random(self.count) > 0.05)
        half = self._sides[seen] / 2
        boxes = np.concatenate((self._at[seen] - half, self._at[seen] + half), axis=1)
        boxes += random.normal(0, 0.03, boxes.shape) * np.tile(self._sides[seen], 2)
        boxes = np.clip(boxes, 0, np.tile(SIZE, 2))
        weak = random.random(len(seen)) < 0.1
        score = np.where(weak, random.uniform(0.1, 0.25, len(seen)), random.uniform(0.3, 0.95, len(seen)))
        wavers = random.random(len(seen)) < 0.03
        class_id = np.where(wavers, 4, self._class[seen])
        real = np.flatnonzero((boxes[:, 2:] - boxes[:, :2] > 2).all(axis=1))
        found = Detections(boxes.astype(np.float32), score.astype(np.float32), class_id.astype(np.int8))
        return moment, found[real]


class Ngatu:
    """Our side: times frames of a scene."""

    def __init__(self, frames: list[tuple[float, Detections]]) -> None:
        self._frames = iter(frames)
        self._tracker = VehicleTracker(SIZE)
        self._counter = GateCounter(VIEW, SIZE)

    def run(self, frames: int) -> Times:
        """Milliseconds of the tracker and of tracker and counter, for each of the next frames."""
        times = []
        for _ in range(frames):
            moment, detections = next(self._frames)
            start = time.thread_time_ns()
            tracks = self._tracker.update(moment, detections)
            half = time.thread_time_ns()
            self._counter.update(moment, tracks)
            end = time.thread_time_ns()
            times.append(((half - start) / 1e6, (end - start) / 1e6))
        return times


class PeersAbsentError(Exception):
    """Why the peers cannot be run."""


class PeerProcess:
    """The peers' side: supervision_side.py in their own environment, asked line by line.

    Raises:
        PeersAbsentError: their environment is not there or lacks something.
    """

    def __init__(self) -> None:
        environment = environments.find("supervision")
        if environment.absent:
            raise PeersAbsentError(environment.absent)
        python = environment.python
        script = Path(__file__).with_name("peers") / "supervision_side.py"
        try:
            self._process = subprocess.Popen(
                [str(python), "-P", str(script), "serve"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            raise PeersAbsentError(f"{python} cannot be started ({error.strerror})") from None
        self.versions = self._answer()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def open(self, scene: Path, rate: float) -> None:
        """Begin a scene with a new tracker."""
        lines = VIEW.gate_lines(SIZE).tolist()
        self._ask({"scene": str(scene), "lines": lines, "rate": rate, "settings": PEER_SETTINGS})

    def run(self, frames: int) -> Times:
        """The same as :meth:`Ngatu.run`."""
        return [(tracker / 1e6, both / 1e6) for tracker, both in self._ask({"run": frames})]

    def _ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer:
            raise PeersAbsentError("supervision_side.py ended early, its own message is above")
        return json.loads(answer)


def measure(
    count: int, rate: float, blocks: int, peer: PeerProcess | None, folder: Path
) -> list[dict[str, Any]]:
    """Time one scene, the two sides in turns, block by block."""
    scene = Scene(count, rate)
    frames = [scene.step() for _ in range(WARM_UP + blocks * BLOCK)]
    sides: dict[str, Callable[[int], Times]] = {"ngatu": Ngatu(frames).run}
    if peer:
        path = folder / f"{count}.npz"
        store(frames, path)
        peer.open(path, rate)
        sides["ByteTrack + LineZone"] = peer.run
    times: dict[str, Times] = {name: [] for name in sides}
    for run in sides.values():
        run(WARM_UP)
    for _ in range(blocks):
        for name, run in sides.items():
            times[name] += run(BLOCK)
    seen = float(np.mean([len(detections) for _, detections in frames]))
    return [
        {"objects": count, "boxes": seen, "side": name, **figures(np.array(took))}
        for name, took in times.items()
    ]


def figures(took: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """Median and the range of the middle four fifths, in ms a frame."""
    parts = {"tracker": took[:, 0], "counter": took[:, 1] - took[:, 0], "both": took[:, 1]}
    return {
        name: dict(zip(("median", "low", "high"), np.percentile(part, (50, 10, 90)).tolist(), strict=True))
        for name, part in parts.items()
    }


def store(frames: list[tuple[float, Detections]], path: Path) -> None:
    np.savez(
        path,
        times=[moment for moment, _ in frames],
        starts=np.cumsum([0, *(len(detections) for _, detections in frames)]),
        xyxy=np.concatenate([detections.xyxy for _, detections in frames]),
        score=np.concatenate([detections.score for _, detections in frames]),
        class_id=np.concatenate([detections.class_id for _, detections in frames]),
    )


def memory(count: int, marks: tuple[int, ...] = (20_000, 100_000)) -> list[dict[str, Any]]:
    """Memory of this process after so many frames of one camera."""
    scene, tracker, counter = Scene(count), VehicleTracker(SIZE), GateCounter(VIEW, SIZE)
    rows, crossings = [], 0
    for number in range(1, max(marks) + 1):
        moment, detections = scene.step()
        crossings += len(counter.update(moment, tracker.update(moment, detections)))
        if number in marks:
            gc.collect()
            row = {"objects": count, "frames": number, "crossings": crossings, "mib": resident_mib()}
            rows.append(row)
    return rows


def resident_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def show(rows: list[dict[str, Any]], console: Console) -> None:
    table = Table("objects", "boxes", "side", title="ms a frame, median (10 to 90 %); 4 gates, one thread")
    for column in ("tracker", "counter", "both"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        parts = [row[name] for name in ("tracker", "counter", "both")]
        cells = [f"{part['median']:.2f} ({part['low']:.2f}-{part['high']:.2f})" for part in parts]
        table.add_row(str(row["objects"]), f"{row['boxes']:.0f}", row["side"], *cells)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+", default=[25, 50, 100, 200])
    parser.add_argument("--rate", type=float, default=RATE, help="frames a second")
    parser.add_argument("--blocks", type=int, default=10, help=f"timed blocks of {BLOCK} frames a side")
    parser.add_argument("--memory", action="store_true", help="also run 100,000 frames of 25 objects")
    parser.add_argument("--json", type=Path, default=Path("out/tracking_speed.json"))
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    rows: list[dict[str, Any]] = []
    peer, absent = None, ""
    try:
        peer = PeerProcess()
    except PeersAbsentError as error:
        absent = str(error)
    with tempfile.TemporaryDirectory() as folder:
        for count in options.objects:
            rows += measure(count, options.rate, options.blocks, peer, Path(folder))
    show(rows, console)
    if peer:
        peer.close()
    else:
        console.print(f"ByteTrack + LineZone not run: {absent}", soft_wrap=True)
    report: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "frames_per_s": options.rate,
        "versions": {name: version(name) for name in ("ngatu", "numpy", "scipy")},
        "peers": {"settings": PEER_SETTINGS, "not_run": absent} | (peer.versions if peer else {}),
        "rows": rows,
    }
    if options.memory:
        report["memory"] = memory(25)
        for row in report["memory"]:
            console.print("{frames} frames, {crossings} crossings: {mib:.1f} MiB".format(**row))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
