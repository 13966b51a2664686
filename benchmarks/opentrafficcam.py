"""OpenTrafficCam's own test clips: OTVision and OTAnalytics beside ngatu, from published tracks and whole.

The sections are its own, lines of several points; here each piece is a gate, and both count where the middle
of a box's bottom edge passes. Nobody counted these clips by hand: the table says where both agree.
"""

import bz2
import json
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environments import find, last_error
from benchmarks.records import ROOT, Section
from vision import GateCounter, Pipeline, load_detector, open_source
from vision.accuracy import Event, match_events
from vision.types import Tracks, VehicleClass
from vision.views import Gate, View

CLASSES = {"bicycle": 0, "motorcycle": 1, "car": 2, "bus": 3, "truck": 4}
RATE = 20


def sections_of(flow: Path) -> dict[str, list[list[float]]]:
    """The published sections by name, in pixels."""
    told = json.loads(flow.read_text(encoding="utf-8"))["sections"]
    return {each["name"]: [[point["x"], point["y"]] for point in each["coordinates"]] for each in told}


def view_of(sections: dict[str, list[list[float]]], size: tuple[int, int]) -> View:
    """Each piece of each section as a gate."""
    gates = []
    for number, line in enumerate(sections.values()):
        for piece, (a, b) in enumerate(pairwise(line)):
            ends = [(min(1.0, x / size[0]), min(1.0, y / size[1])) for x, y in (a, b)]
            gates.append(Gate(id=f"s{number}-{piece}", line=(ends[0], ends[1])))
    return View(gates=gates)


def published(tracks: Path) -> Iterator[tuple[float, Tracks]]:
    """The published tracks, frame by frame; vehicles only."""
    with bz2.open(tracks) as file:
        found = json.load(file)["data"]["detections"]
    frames: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for each in found:
        if each["class"] in CLASSES:
            frames[each["frame"]].append(each)
    for number in range(1, max(frames) + 1):
        boxes = frames[number]
        # x, y is the middle of a box.
        xywh = np.array([[b["x"], b["y"], b["w"], b["h"]] for b in boxes], np.float32).reshape(-1, 4)
        yield (
            (number - 1) / RATE,
            Tracks(
                np.concatenate((xywh[:, :2] - xywh[:, 2:] / 2, xywh[:, :2] + xywh[:, 2:] / 2), axis=1),
                np.array([b["confidence"] for b in boxes], np.float32),
                np.array([CLASSES[b["class"]] for b in boxes], np.int8),
                np.array([b["track-id"] for b in boxes], np.int64),
            ),
        )


def measure(folder: Path, model: Path) -> Section:
    """Both of its clips.

    Args:
        folder: of its clips, detections, tracks and sections.
        model: the ONNX weights that OTVision runs.
    """
    section = Section("OpenTrafficCam's test clips: crossings of its sections, core-ms a frame")
    environment = find("otvision")
    flow = sections_of(next(folder.glob("*.otflow")))
    for clip in sorted(folder.glob("*.mp4")):
        tracks = clip.with_suffix(".ottrk")
        with open_source(clip) as source:
            size = source.size
        view = view_of(flow, size)
        counter = GateCounter(view, size)
        given = [each for moment, seen in published(tracks) for each in counter.update(moment, seen)]
        ours = {"published tracks": (events([*given, *counter.finish()]), None)}
        ours["end to end"] = end_to_end(clip, view)
        for name, (found, cost) in ours.items():
            row: dict[str, Any] = {"clip": clip.stem.split("_")[1], "from": name, "ngatu": len(found)}
            row |= {"OTAnalytics": None, "both within 0.5 s": None, "ngatu core-ms": cost, "theirs": None}
            try:
                if environment.absent:
                    raise RuntimeError(environment.absent)
                theirs, took = run(environment.python, clip, flow, model, name == "published tracks", tracks)
                row["OTAnalytics"] = len(theirs)
                row["both within 0.5 s"] = len(match_events(theirs, found).pairs)
                row["theirs"] = took
            except RuntimeError as error:
                if (note := f"not run: OTVision, OTAnalytics: {error}") not in section.notes:
                    section.notes.append(note)
            section.rows.append(row)
    return section


def events(crossings: list[Any]) -> list[Event]:
    """Crossings by section; a direction is not compared."""
    return [Event(each.time, each.gate.split("-")[0], "in", VehicleClass.UNKNOWN) for each in crossings]


def end_to_end(clip: Path, view: View) -> tuple[list[Event], float]:
    """What ngatu counts in a clip, and core-ms a frame."""
    detector = load_detector("ngatu-n-int8", threads=1)
    with open_source(clip, threads=1) as source:
        pipeline, found, frames = Pipeline(detector, source.size, view), [], 0
        began = time.process_time()
        for frame in source:
            found += pipeline.step(frame).crossings
            frames += 1
        found += pipeline.finish()
        cost = (time.process_time() - began) * 1e3 / frames
        start = source.start
    return [replace(each, time=each.time - start) for each in events(found)], cost


def run(
    python: Path, clip: Path, flow: dict[str, list[list[float]]], model: Path, given: bool, tracks: Path
) -> tuple[list[Event], float | None]:
    """What OTAnalytics counts, and core-ms a frame of detecting, tracking and counting.

    Raises:
        RuntimeError: it fails.
    """
    names = {name: f"s{number}" for number, name in enumerate(flow)}
    with tempfile.TemporaryDirectory() as folder:
        job = {
            "folder": folder,
            "clip": str(clip),
            "lines": flow,
            "rate": RATE,
            "model": str(model),
            "seconds": 3,
        }
        if given:
            job["tracks"] = str(tracks)
        path = Path(folder, "job.json")
        path.write_text(json.dumps(job), encoding="utf-8")
        script = ROOT / "benchmarks" / "peers" / "otvision_side.py"
        done = subprocess.run(
            [str(python), str(script), "count", str(path)],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
    if done.returncode:
        raise RuntimeError(last_error(done.stderr))
    told = json.loads(done.stdout.splitlines()[-1])
    found = [
        Event(each["time"], names[each["section"]], "in", VehicleClass.UNKNOWN)
        for each in told["events"]
        if each["class"] in CLASSES
    ]
    return found, None if given else sum(told["took"].values()) * 1e3 / (3 * RATE)
