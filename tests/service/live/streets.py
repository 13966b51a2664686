"""A made-up street for the tests of live analysis: blocks pass a gate, and cameras of a city see them."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, select

from service.registry import Approach, Camera, CameraView, Owner, Record, Ref, Site, city_at, difference
from service.registry.store import load_history, revision, save_changes
from service.storage.base import Base
from service.storage.connect import reading, writing
from vision import Detections, View
from vision.detection.cards import Thresholds

SIZE = (320, 180)
EVERY_S = 3.0
"""A block passes so often, but none in the first such time: then the motion detector learns the street."""

GATE: dict[str, Any] = {"id": "g", "line": [[0.5, 0.1], [0.5, 0.95]], "approach": "north"}
VIEW = View.model_validate({"gates": [GATE]})


def view(version: int = 1, gate: str = "g") -> View:
    """A view of the street with its one gate."""
    return View.model_validate({"version": version, "gates": [{**GATE, "id": gate}]})


def street(time_s: float, seed: int = 0) -> NDArray[np.uint8]:
    """The street at a moment: a pattern, some noise, and a bright block that drives to the right."""
    width, height = SIZE
    image = np.random.default_rng(seed).integers(40, 110, (height // 6, width // 5, 3), np.uint8)
    image = np.kron(image, np.ones((6, 5, 1), np.uint8))
    x = int((time_s % EVERY_S) / EVERY_S * (width + 80)) - 60
    if time_s >= EVERY_S and -50 < x < width:
        image[80:130, max(x, 0) : max(x + 50, 0)] = 235
    noise = np.random.default_rng(round(time_s * 1000)).integers(-8, 9, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


class BlockDetector:
    """Finds the bright block."""

    name = "blocks"
    thresholds = Thresholds(keep=0.1, start=0.2, suppress_iou=0.5)

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """The block, as a car."""
        found = image[100, :, 0] > 200
        columns = np.flatnonzero(found)
        if len(columns) < 8:
            return Detections.empty()
        box = np.array([[columns[0], 80, columns[-1] + 1, 130]], np.float32)
        return Detections(box, np.array([0.9], np.float32), np.array([2], np.int8))


def make_street_clip(
    make_clip: Callable[..., Path], path: Path, seconds: float = 21.0, scale: int = 1
) -> Path:
    """A clip of the street at 10 frames a second, as a camera sends it; ``scale`` makes it larger."""
    pictures = [
        street(number / 10).repeat(scale, axis=0).repeat(scale, axis=1)
        for number in range(round(seconds * 10))
    ]
    return make_clip(path, pictures, 10, options={"bf": "0", "g": "10", "qp": "20"})


def city_of(addresses: dict[str, str], views: dict[str, View] | None = None) -> dict[Ref, Record]:
    """A junction with these cameras, each with a view of the street unless another is given."""
    records: list[Record] = [
        Site(id="square", kind="junction", is_key=True),
        Site(id="park", kind="public_area", is_key=True),
        Approach(site="square", id="north"),
    ]
    for name, address in addresses.items():
        records.append(Camera(id=name, site="park" if name.startswith("park") else "square", address=address))
        drawn = (views or {}).get(name, None if name.startswith(("park", "bare")) else VIEW)
        if drawn is not None:
            records.append(CameraView(camera=name, view=drawn))
    first = next(iter(addresses), None)
    if first and first not in ("park", "bare"):
        records.append(Owner(site="square", approach="north", camera=first))
    return {record.ref: record for record in records}


def save_city(engine: Engine, wanted: dict[Ref, Record]) -> int:
    """Let the registry say this from now on; its revision."""
    now = time.time()
    with writing(engine) as connection:
        history = load_history(connection)
        changes = difference(history, wanted, now)
        seen = revision(connection)
        save_changes(connection, history, changes, now, seen_revision=seen, now=now, actor="test")
        assert city_at(load_history(connection), now + 1) == wanted
    return seen + 1


def rows(engine: Engine, table: str, **where: Any) -> list[Any]:
    """Rows of a table."""
    found = Base.metadata.tables[table]
    query = select(*found.columns)
    for name, value in where.items():
        query = query.where(found.c[name] == value)
    with reading(engine) as connection:
        return list(connection.execute(query))


def states(engine: Engine, camera: str) -> list[str]:
    """The states that a camera was in, in order."""
    found = sorted(rows(engine, "camera_health", camera_id=camera), key=lambda row: row.started_at)
    return [row.state for row in found]


def wait_for(condition: Callable[[], Any], seconds: float = 30.0, every: float = 0.1) -> Any:
    """What a condition gives once it holds; fails if it does not in time."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(every)
    return found


@dataclass
class Live:
    """``ngatu live`` as a process."""

    process: subprocess.Popen[str]
    log: Path

    def stop(self) -> float:
        """Stop it politely; the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0, self.log.read_text()
        return time.monotonic() - began

    def children(self) -> list[int]:
        """The processes of its workers."""
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]


def start_live(url: str, folder: Path, *more: str, env: dict[str, str] | None = None) -> Live:
    """Start ``ngatu live`` with the detector that needs no network."""
    log = folder / "live.log"
    command = [sys.executable, "-m", "service.cli", "live", "--db", url, "--model", "motion"]
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, "--out", str(folder / "live"), *more], stdout=file, stderr=file, text=True, env=env
        )
    return Live(process, log)


def running(live: Live) -> Iterator[Live]:
    """Kill it in the end, whatever happened."""
    try:
        yield live
    finally:
        if live.process.poll() is None:
            live.process.kill()
            live.process.wait()


def as_lines(found: list[Any]) -> str:
    """Rows to be read in a failed test."""
    return "\n".join(json.dumps([str(value) for value in row]) for row in found)
