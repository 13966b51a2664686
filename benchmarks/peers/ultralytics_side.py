"""Ultralytics' side of the benchmarks: ObjectCounter of its Solutions, from the clip to counts.

Runs in an environment of its own (ultralytics.txt), started by end_to_end.py and scenarios.py; imports
nothing of ngatu. Frames come from OpenCV, as its documentation has it. A clip with several gates is tracked
once, by the first gate's counter; the others are given its tracks.
"""

import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.update({"YOLO_VERBOSE": "false", "YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true"})

import cv2
import torch
import yaml
from protocol import serve
from ultralytics import solutions
from ultralytics.utils import ROOT

VEHICLES = {1: 0, 3: 1, 2: 2, 5: 3, 7: 4}
"""COCO's classes as ours."""
Crossings = list[tuple[float, int, str, int]]


def to_right(line: list[list[float]]) -> tuple[str, str]:
    """Which of our directions its IN and OUT are; ours is "in" to the right, seen from a gate's first point.

    It compares one axis only; its own rule says which.
    """
    (x1, y1), (x2, y2) = line
    upright = abs(int(x1) - int(x2)) < abs(int(y1) - int(y2))
    # Moving right is its IN over an upright line, moving down over another.
    agrees = y2 < y1 if upright else x2 > x1
    return ("in", "out") if agrees else ("out", "in")


class Gate:
    """One line with its counter; tells what a frame added."""

    def __init__(self, number: int, line: list[list[float]], options: dict[str, Any]) -> None:
        self.number, self.directions = number, to_right(line)
        region = [(int(x), int(y)) for x, y in line]
        self.counter = solutions.ObjectCounter(region=region, show=False, verbose=False, **options)
        self.counter.initialize_region()
        self.counter.region_initialized = True
        self._seen: dict[tuple[str, str], int] = {}

    def share(self, other: Any) -> None:
        """Count the tracks that another gate's counter followed, as its process() does."""
        mine = self.counter
        for box, track, kind in zip(other.boxes, other.track_ids, other.clss, strict=True):
            mine.store_tracking_history(track, box)
            path = mine.track_history[track]
            mine.count_objects(path[-1], track, path[-2] if len(path) > 1 else None, kind)

    def news(self, moment: float) -> Crossings:
        """What was counted since the last call."""
        found: Crossings = []
        names = {name: int(number) for number, name in self.counter.names.items()}
        for name, counts in self.counter.classwise_count.items():
            for way, direction in zip(("IN", "OUT"), self.directions, strict=True):
                more = counts[way] - self._seen.get((name, way), 0)
                self._seen[name, way] = counts[way]
                found += [(moment, self.number, direction, VEHICLES.get(names[name], -1))] * more
        return found


class Clip:
    """A clip from its first frame to its last."""

    def __init__(self, ask: dict[str, Any]) -> None:
        settings = dict(ask["settings"])
        if "tracker_options" in settings:
            settings["tracker"] = tracker_file(settings.pop("tracker"), settings.pop("tracker_options"))
        torch.set_num_threads(settings.pop("threads", torch.get_num_threads()))
        options = {"classes": list(VEHICLES), **settings}
        self.reader = cv2.VideoCapture(ask["clip"])
        self.step_ms = 1000 / self.reader.get(cv2.CAP_PROP_FPS)
        self.number = -1
        self.gates = [Gate(n, line, options) for n, line in enumerate(ask["lines"])]

    def step(self) -> Crossings | None:
        """The next frame."""
        ok, image = self.reader.read()
        if not ok:
            return None
        self.number += 1
        moment = self.number * self.step_ms / 1000
        first, *others = self.gates
        first.counter.process(image)
        found = first.news(moment)
        for gate in others:
            gate.share(first.counter)
            found += gate.news(moment)
        return found

    def finish(self) -> Crossings:
        """Nothing is left open."""
        self.reader.release()
        return []


def tracker_file(name: str, changes: dict[str, Any]) -> str:
    """One of its trackers' files with some settings changed."""
    settings = yaml.safe_load((ROOT / "cfg" / "trackers" / name).read_text(encoding="utf-8")) | changes
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False) as file:
        yaml.safe_dump(settings, file)
    return file.name


class Names:
    """What ObjectCounter asks of a network that it does not run."""

    def __init__(self, _model: str) -> None:
        self.names = {number: str(number) for number in VEHICLES}


def scenes(job: dict[str, Any]) -> list[list[tuple[float, int, str, int]]]:
    """Count given tracks: for each scene a line, and frames of time, boxes, ids and classes of COCO."""
    results = []
    solutions.solutions.YOLO = Names  # no network is needed to count given tracks
    for scene in job["scenes"]:
        gate = Gate(0, scene["line"], {"model": "none"})
        found: Crossings = []
        for moment, boxes, ids, kinds in scene["frames"]:
            gate.counter.boxes = torch.tensor(boxes).reshape(-1, 4)
            gate.counter.track_ids, gate.counter.clss = ids, kinds
            gate.share(gate.counter)
            found += gate.news(moment)
        results.append(found)
    return results


def about() -> dict[str, Any]:
    """Versions, and the defaults of its settings."""
    defaults = vars(solutions.solutions.SolutionConfig())
    tracker = (ROOT / "cfg" / "trackers" / defaults["tracker"]).read_text(encoding="utf-8")
    return {
        "python": sys.version.split()[0],
        "versions": {name: version(name) for name in ("ultralytics", "torch", "onnxruntime", "numpy")},
        "defaults": {name: defaults[name] for name in ("conf", "iou", "imgsz", "tracker")},
        "default_tracker": yaml.safe_load(tracker),
    }


def main() -> None:
    match sys.argv[1:]:
        case ["serve"]:
            serve(about(), Clip)
        case ["scenes", job]:
            given = json.loads(Path(job).read_text(encoding="utf-8"))
            print("\n" + json.dumps(scenes(given)))
        case _:
            sys.exit("ultralytics_side.py is started by end_to_end.py and scenarios.py: serve, or scenes JOB")


if __name__ == "__main__":
    main()
