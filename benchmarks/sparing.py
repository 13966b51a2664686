"""What each saving gains in time and costs in counting: ``python benchmarks/sparing.py --help``.

Boxes are computed once per clip, grade and region, at every frame, and replayed to the pipeline, so that a
row takes seconds. The motion gate sees the real pictures.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.counting import ROOT, Clip, Score, f1, judge, read_clips
from service.demo import read_truth
from vision import Frame, Pipeline, open_source
from vision.accuracy import Event
from vision.detection import OnnxDetector
from vision.detection.cards import Thresholds
from vision.detection.grades import choose_grade
from vision.errors import NgatuError
from vision.pipeline import region_for
from vision.sources._tally import Pace
from vision.sparing import Box, Sparing
from vision.types import Detections
from vision.views import load_view

WHOLE = Sparing(region=False, motion_gate=False)
REGION = Sparing(region=True, motion_gate=False)
ROWS: list[tuple[str, float | None, Sparing]] = [
    ("whole picture", None, WHOLE),
    ("whole picture", 10, WHOLE),
    ("whole picture", 8, WHOLE),
    ("whole picture", 5, WHOLE),
    ("region", None, REGION),
    ("region", 12.5, REGION),
    ("region", 10, REGION),
    ("region", 8, REGION),
    ("region", 5, REGION),
    ("region, every 2nd", None, replace(REGION, every=2)),
    ("region, every 2nd", 12.5, replace(REGION, every=2)),
    ("region, motion gate", 10, Sparing()),
]
"""Name, frames a second analysed, and what is spared."""


@dataclass(frozen=True)
class Found:
    """What a grade finds in each frame of a clip, in pixels of the whole picture."""

    size: tuple[int, int]
    start: float
    times: NDArray[np.float64]
    frames: list[Detections]
    milliseconds: float
    """Process time of one look, median."""


class Replayed:
    """A detector that gives back what was found, frame by frame, in pixels of the part that it is shown."""

    def __init__(self, found: Found, region: Box | None, detector: OnnxDetector) -> None:
        self.name, self.input_size = detector.name, detector.input_size
        self.thresholds: Thresholds = detector.thresholds
        self.number = self.looks = 0
        self._found = found
        self._corner = np.array((region or (0, 0))[:2] * 2, np.float32)

    def detect(self, _image: NDArray[np.uint8]) -> Detections:
        """What was found in the frame of that number."""
        self.looks += 1
        there = self._found.frames[self.number]
        return Detections(there.xyxy - self._corner, there.score, there.class_id)


def sample_clips(part: str, folder: Path = ROOT / "sample_videos") -> list[Clip]:
    """Composed clips of a minute with exact truth whose name holds ``part``; by default our own."""
    clips = []
    for path in sorted(folder.glob("*.mp4")):
        if part in path.stem:
            view = load_view(path.with_name("_".join(path.stem.split("_")[:2]) + ".view.yaml"))
            truth = read_truth(path.with_suffix(".crossings.csv"))
            clips.append(Clip(path.stem, path, view, truth, (0.0, 60.0)))
    return clips


def find(clip: Clip, detector: OnnxDetector, sparing: Sparing, cache: Path) -> tuple[Found, Box | None]:
    """What a grade finds in the part of the picture that is looked at; from the cache or computed into it."""
    with open_source(clip.path, threads=1) as source:
        size = source.size
        region = region_for(detector, size, clip.view, sparing)
        left, top, right, bottom = region or (0, 0, *size)
        file = cache / f"{clip.name}.{detector.name}.{detector.sha256[:8]}.{left}-{top}-{right}-{bottom}.npz"
        if not file.exists():
            times, frames, took = [], [], []
            for frame in source:
                began = time.process_time()
                found = detector.detect(frame.image[top:bottom, left:right])
                took.append((time.process_time() - began) * 1e3)
                times.append(frame.time)
                xyxy = found.xyxy + np.array([left, top] * 2, np.float32)
                frames.append(Detections(xyxy, found.score, found.class_id))
            np.savez_compressed(
                file,
                start=source.start,
                times=times,
                took=statistics.median(took),
                starts=np.cumsum([0, *(len(each) for each in frames)]),
                xyxy=np.concatenate([each.xyxy for each in frames]),
                score=np.concatenate([each.score for each in frames]),
                class_id=np.concatenate([each.class_id for each in frames]),
            )
    with np.load(file) as stored:
        every = Detections(stored["xyxy"], stored["score"], stored["class_id"])
        frames = [every[np.arange(a, b)] for a, b in pairwise(stored["starts"])]
        return Found(size, float(stored["start"]), stored["times"], frames, float(stored["took"])), region


def pictures(clip: Clip, found: Found, wanted: bool) -> Iterator[NDArray[np.uint8]]:
    """The clip's pictures, or as many grey ones where nobody looks at them."""
    if not wanted:
        grey = np.zeros((found.size[1], found.size[0], 3), np.uint8)
        yield from (grey for _ in found.frames)
        return
    with open_source(clip.path, threads=1) as source:
        for frame in source:
            yield frame.image


@dataclass
class Tried:
    """One clip under one saving: its counts, and what they took."""

    events: list[Event]
    frames: int
    looks: int
    seconds: float
    """Process time of all but decoding and the network."""


def run(
    clip: Clip,
    found: Found,
    region: Box | None,
    detector: OnnxDetector,
    sparing: Sparing,
    fps: float | None,
    phase: float,
) -> Tried:
    """Count a clip, analysing ``fps`` frames a second from a moment of ``phase`` steps on."""
    replayed = Replayed(found, region, detector)
    pipeline = Pipeline(replayed, found.size, clip.view, sparing=sparing)
    pace, last = Pace(fps), found.start
    crossings, frames, seconds = [], 0, 0.0
    images = pictures(clip, found, sparing.motion_gate)
    for number, (moment, image) in enumerate(zip(found.times.tolist(), images, strict=True)):
        step, last = moment - last, moment
        if not pace.wants(moment - found.start + (phase / fps if fps else 0.0), step):
            continue
        replayed.number = number
        frames += 1
        began = time.process_time()
        crossings += pipeline.step(Frame(image, moment, number)).crossings
        seconds += time.process_time() - began
    crossings += pipeline.finish()
    events = [
        Event(each.time - found.start, each.gate, each.direction, each.vehicle_class) for each in crossings
    ]
    return Tried(events, frames, replayed.looks, seconds)


def measure(name: str, clips: list[Clip], cache: Path, phases: int) -> list[dict[str, Any]]:
    """Every saving on the boxes of one grade."""
    detector = choose_grade(name, threads=1).load(threads=1)
    assert isinstance(detector, OnnxDetector)
    rows = []
    for label, fps, sparing in ROWS:
        score, frames, looks, seconds, network = Score(), 0, 0, 0.0, 0.0
        times = phases if fps else 1
        by_clip: dict[str, float | None] = {}
        for clip in clips:
            found, region = find(clip, detector, sparing, cache)
            one = Score()
            for phase in range(times):
                tried = run(clip, found, region, detector, sparing, fps, phase / times)
                one.add(judge(clip, tried.events))
                frames, looks = frames + tried.frames, looks + tried.looks
                seconds += tried.seconds
                network += tried.looks * found.milliseconds
            by_clip[clip.name] = f1(one.right, one.truth, one.counted)
            score.add(one)
        rows.append(
            {
                "model": name,
                "saving": label,
                "fps": fps,
                "every": sparing.every,
                "f1": f1(score.right, score.truth, score.counted),
                "truth": score.truth / times,
                "counted": score.counted / times,
                "right": score.right / times,
                "lost": score.lost / times,
                "double": score.double / times,
                "false": score.false / times,
                "looked_at": looks / frames,
                "network_ms": network / frames,
                "rest_ms": seconds * 1e3 / frames,
                "f1_by_clip": by_clip,
            }
        )
    return rows


def show(rows: list[dict[str, Any]], console: Console) -> None:
    """Print the rows of one grade."""
    table = Table("saving", title=f"{rows[0]['model']}: F1 within ±0.5 s, core-ms per analysed frame")
    for column in ("frames/s", "F1", "counted", "lost", "double", "false", "looked at", "network", "rest"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            row["saving"],
            "all" if row["fps"] is None else f"{row['fps']:g}",
            f"{row['f1']:.3f}",
            *(f"{row[name]:.0f}" for name in ("counted", "lost", "double", "false")),
            f"{row['looked_at']:.0%}",
            *(f"{row[name]:.2f}" for name in ("network_ms", "rest_ms")),
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", nargs="+", default=["ngatu-n", "ngatu-n-int8"], help="whose boxes are used"
    )
    parser.add_argument("--clip", default="", help="only clips whose name holds this")
    parser.add_argument(
        "--sample", action="store_true", help="our own clips with exact truth, not the real ones"
    )
    parser.add_argument("--phases", type=int, default=4, help="how many choices of the frames are averaged")
    parser.add_argument("--cache", type=Path, default=Path("out/sparing"), help="folder that keeps the boxes")
    parser.add_argument("--json", type=Path, default=Path("out/sparing.json"))
    options = parser.parse_args()
    folder = os.environ.get("NGATU_TESTDATA")
    if not folder and not options.sample:
        sys.exit(
            "NGATU_TESTDATA is not set: set it to the folder of the real clips in videos/, or give --sample."
        )
    options.cache.mkdir(parents=True, exist_ok=True)
    console = Console(width=None if sys.stdout.isatty() else 150)
    results = []
    try:
        if options.sample:
            clips = sample_clips(options.clip)
        else:
            clips = read_clips(ROOT / "tests" / "truth", Path(folder or "", "videos"), options.clip)
        for model in options.model:
            rows = measure(model, clips, options.cache, options.phases)
            show(rows, console)
            results += rows
    except NgatuError as error:
        sys.exit(str(error))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
