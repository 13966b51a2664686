"""Counts of ngatu and of peers beside counts made by hand, from the same boxes: ``counting.py --help``.

Boxes are computed once per clip and detector, kept in a cache, and given to every counter alike. A count is
right when a vehicle of the hand count passed the same gate in the same direction at most half a second away.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks import environments
from vision import detection
from vision.accuracy import Event, match_events, read_events
from vision.counting import GateCounter
from vision.detection import OnnxDetector, load_detector
from vision.errors import NgatuError
from vision.sources import open_source
from vision.tracking import TrackerSettings, VehicleTracker
from vision.types import Detections, Tracks, VehicleClass
from vision.views import View, load_view

ROOT = Path(__file__).resolve().parents[1]
WINDOW = 0.5
"""A count may be this many seconds away from the vehicle it stands for."""
LATE = 2.0
"""Within this a count that is off in time is still that vehicle's, and an extra one counts it twice."""
DRAWS = 20
"""How often counts at random times are drawn for the score of chance."""
SETTINGS: dict[str, dict[str, Any]] = {
    "peers, defaults": {},
    "peers, best": {
        "timed": True,
        "tracker": {
            "track_activation_threshold": 0.2,
            "high_conf_det_threshold": 0.1,
            "minimum_consecutive_frames": 1,
        },
        "zone": {"triggering_anchors": ["BOTTOM_CENTER"], "minimum_crossing_threshold": 2},
    },
}
"""ByteTrack and LineZone, as supervision_side.py takes them; "best" was searched for over these clips."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Clip:
    """A clip, its gates and what a person counted in it."""

    name: str
    path: Path
    view: View
    truth: list[Event]
    covered: tuple[float, float]


@dataclass(frozen=True)
class Boxes:
    """What a detector found in a clip; times are seconds from its start."""

    file: Path
    size: tuple[int, int]
    times: NDArray[np.float64]
    frames: list[Detections]
    start_score: float
    keep_score: float

    @property
    def rate(self) -> float:
        """Frames per second."""
        return (len(self.times) - 1) / float(self.times[-1] - self.times[0])


@dataclass
class Score:
    """Counts beside the truth, of one clip or summed over some.

    Every true crossing is right, late (a count within two seconds, not within half a second) or lost; every
    count is right, late, double (there is another count for a vehicle within two seconds) or false.
    """

    truth: int = 0
    counted: int = 0
    right: int = 0
    late: int = 0
    lost: int = 0
    double: int = 0
    false: int = 0
    by_chance: float = 0.0
    """How many of as many counts at random times would be right."""
    classed: int = 0
    """Right counts of vehicles whose class the person knew."""
    class_right: int = 0
    classes: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """Truth, counted and right of each class."""
    lost_vehicles: list[str] = field(default_factory=list)
    double_vehicles: list[str] = field(default_factory=list)

    def add(self, other: "Score") -> None:
        """Add the figures of another clip."""
        for name in vars(self):
            if name != "classes":
                setattr(self, name, getattr(self, name) + getattr(other, name))
        for label, figures in other.classes.items():
            self.classes[label] = self.classes.get(label, np.zeros(3, np.int64)) + figures

    def row(self) -> Row:
        """All figures, for JSON and the table."""
        kinds = {}
        for label, figures in self.classes.items():
            truth, counted, right = figures.tolist()
            kinds[label] = {"truth": truth, "counted": counted, "f1": f1(right, truth, counted)}
        return {
            "truth": self.truth,
            "counted": self.counted,
            "precision": self.right / self.counted if self.counted else None,
            "recall": self.right / self.truth if self.truth else None,
            "f1": f1(self.right, self.truth, self.counted),
            "f1_of_chance": f1(self.by_chance, self.truth, self.counted),
            "class_agreement": self.class_right / self.classed if self.classed else None,
            "classes": kinds,
            **{name: getattr(self, name) for name in ("right", "late", "lost", "double", "false")},
            "lost_vehicles": self.lost_vehicles,
            "double_vehicles": self.double_vehicles,
        }


def f1(right: float, truth: int, counted: int) -> float | None:
    return 2 * right / (truth + counted) if truth + counted else None


def judge(clip: Clip, counted: Sequence[Event]) -> Score:
    """Compare the counts of one clip with the hand count, within the stretch that the person counted."""
    start, end = clip.covered
    truth = [event for event in clip.truth if start <= event.time <= end]
    counted = [event for event in counted if start <= event.time <= end]
    right = match_events(truth, counted, WINDOW).pairs
    found, used = {i for i, _ in right}, {j for _, j in right}
    rest, extra = without(truth, found), without(counted, used)
    late = match_events([truth[i] for i in rest], [counted[j] for j in extra], LATE).pairs
    found |= {rest[i] for i, _ in late}
    spare = without(counted, used | {extra[j] for _, j in late})
    doubles = [j for j in spare if any(same_passage(truth[i], counted[j]) for i in found)]
    lost = without(truth, found)
    known = [(i, j) for i, j in right if truth[i].vehicle_class >= 0]
    return Score(
        truth=len(truth),
        counted=len(counted),
        right=len(right),
        late=len(late),
        lost=len(lost),
        double=len(doubles),
        false=len(spare) - len(doubles),
        by_chance=right_by_chance(truth, counted, clip.covered),
        classed=len(known),
        class_right=sum(truth[i].vehicle_class == counted[j].vehicle_class for i, j in known),
        classes=judge_classes(truth, counted, right),
        lost_vehicles=[describe(clip, truth[i]) for i in lost],
        double_vehicles=[describe(clip, counted[j]) for j in doubles],
    )


def judge_classes(
    truth: Sequence[Event], counted: Sequence[Event], right: Sequence[tuple[int, int]]
) -> dict[str, NDArray[np.int64]]:
    """Truth, counted and right of each class; what the person could not class is left out on both sides."""
    unknown = {j for i, j in right if truth[i].vehicle_class < 0}
    counted = [counted[j] for j in without(counted, unknown)]
    figures = {}
    for kind in VehicleClass:
        if kind >= 0:
            one = match_events(
                [event for event in truth if event.vehicle_class == kind],
                [event for event in counted if event.vehicle_class == kind],
                WINDOW,
            )
            figures[kind.label] = np.array([one.truth, one.counted, len(one.pairs)], np.int64)
    return figures


def right_by_chance(truth: Sequence[Event], counted: Sequence[Event], covered: tuple[float, float]) -> float:
    """How many would be right of as many counts per gate and direction at uniformly random times."""
    random = np.random.default_rng(0)
    total = 0
    for _ in range(DRAWS):
        drawn = [replace(event, time=float(random.uniform(*covered))) for event in counted]
        total += len(match_events(truth, drawn, WINDOW).pairs)
    return total / DRAWS


def without(events: Sequence[Event], taken: set[int]) -> list[int]:
    return [i for i in range(len(events)) if i not in taken]


def same_passage(a: Event, b: Event) -> bool:
    return (a.gate, a.direction) == (b.gate, b.direction) and abs(a.time - b.time) <= LATE


def describe(clip: Clip, event: Event) -> str:
    return f"{clip.name} {event.time:.2f} s {event.gate} {event.direction} {event.vehicle_class.label}"


def tracker_of(boxes: Boxes) -> VehicleTracker:
    """Our tracker, with the thresholds of the detector's card."""
    settings = replace(TrackerSettings(), start_score=boxes.start_score, keep_score=boxes.keep_score)
    return VehicleTracker(boxes.size, settings)


def count_tracks(frames: Iterable[tuple[float, Tracks]], view: View, size: tuple[int, int]) -> list[Event]:
    """The crossings that our counter finds in each frame's tracks."""
    counter = GateCounter(view, size)
    crossings = [crossing for time, tracks in frames for crossing in counter.update(time, tracks)]
    crossings += counter.finish()
    return [Event(each.time, each.gate, each.direction, each.vehicle_class) for each in crossings]


def count_with_ngatu(boxes: Boxes, view: View) -> list[Event]:
    """Track and count as the pipeline does, with the thresholds of the detector's card."""
    tracker, found = tracker_of(boxes), zip(boxes.times.tolist(), boxes.frames, strict=True)
    return count_tracks(((time, tracker.update(time, each)) for time, each in found), view, boxes.size)


class Peers:
    """The peers, run by the Python of their own environment.

    Attributes:
        absent: why they cannot be run; empty when they can.
        about: their versions and defaults.
    """

    def __init__(self) -> None:
        environment = environments.find("supervision")
        self.python = environment.python
        self.absent = environment.absent
        self.about: dict[str, Any] = {}
        if self.absent:
            return
        try:
            self.about = json.loads(self.run("about"))
        except NgatuError as error:
            self.absent = str(error)

    def run(self, *arguments: str) -> str:
        """What supervision_side.py prints.

        Raises:
            NgatuError: it cannot be run.
        """
        script = ROOT / "benchmarks" / "peers" / "supervision_side.py"
        try:
            done = subprocess.run(
                [str(self.python), "-P", str(script), *arguments], check=True, capture_output=True, text=True
            )
        except OSError as error:
            raise NgatuError(f"{self.python} cannot be started ({error.strerror})") from None
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip() or "it said nothing").splitlines()[-1]
            raise NgatuError(f"supervision_side.py failed under {self.python}: {last}") from None
        return done.stdout

    def count(self, clips: Sequence[Clip], boxes: Sequence[Boxes]) -> dict[tuple[str, str], list[Event]]:
        """Counts by clip and settings."""
        gates = {clip.name: [gate.id for gate in clip.view.gates] for clip in clips}
        job = {
            "settings": SETTINGS,
            "clips": [
                {
                    "name": clip.name,
                    "boxes": str(found.file),
                    "rate": found.rate,
                    "lines": clip.view.gate_lines(found.size).tolist(),
                }
                for clip, found in zip(clips, boxes, strict=True)
            ],
        }
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "job.json")
            path.write_text(json.dumps(job), encoding="utf-8")
            results = json.loads(self.run("count", str(path)))
        return {
            (result["clip"], result["settings"]): [
                Event(time, gates[result["clip"]][gate], direction, VehicleClass(kind))
                for time, gate, direction, kind in result["crossings"]
            ]
            for result in results
        }


def read_clips(truth: Path, videos: Path, part: str) -> list[Clip]:
    """The hand-counted clips whose name holds ``part``."""
    clips = []
    for path in sorted(truth.glob("*.view.yaml")):
        name = path.name.removesuffix(".view.yaml")
        if part not in name:
            continue
        table, video = truth / f"{name}.csv", videos / f"{name}.mp4"
        if not video.is_file():
            raise NgatuError(f"{video} is missing: put the clip there or leave it out with --clip.")
        note = re.search(r"^# counted: *([\d.]+) *- *([\d.]+)", table.read_text(encoding="utf-8"), re.M)
        if not note:
            raise NgatuError(f"{table}: no line '# counted: 0.0-40.0' says which seconds were counted.")
        covered = (float(note[1]), float(note[2]))
        clips.append(Clip(name, video, load_view(path), read_events(table), covered))
    if not clips:
        raise NgatuError(f"{truth} holds no such hand counts: check --truth and --clip.")
    return clips


def find_boxes(clip: Clip, model: str, detector: Any, cache: Path) -> Boxes:
    """The detector's boxes in a clip, from the cache or computed into it."""
    made_by = [clip.path, *sorted(Path(detection.__file__).parent.glob("*.py"))]
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in made_by))
    if isinstance(detector, OnnxDetector):
        aside: Any = {"licence": True, "source": True, "accuracy": True, "thresholds": {"start"}}
        mark.update(detector.card.model_dump_json(exclude=aside).encode())
    file = cache / f"{clip.name}.{model}.{mark.hexdigest()[:12]}.npz"
    if not file.exists():
        times, frames = [], []
        with open_source(clip.path) as source:
            for frame in source:
                times.append(frame.time - source.start)
                frames.append(detector.detect(frame.image))
            size = source.size
        partial = file.with_suffix(".part.npz")
        np.savez_compressed(
            partial,
            size=size,
            times=times,
            starts=np.cumsum([0, *(len(each) for each in frames)]),
            xyxy=np.concatenate([each.xyxy for each in frames]),
            score=np.concatenate([each.score for each in frames]),
            class_id=np.concatenate([each.class_id for each in frames]),
        )
        partial.replace(file)
    with np.load(file) as stored:
        width, height = (int(side) for side in stored["size"])
        starts = stored["starts"]
        every = Detections(stored["xyxy"], stored["score"], stored["class_id"])
        times = stored["times"]
    frames = [every[np.arange(a, b)] for a, b in pairwise(starts)]
    thresholds = detector.thresholds
    return Boxes(file, (width, height), times, frames, thresholds.start, thresholds.keep)


def measure(model: str, clips: Sequence[Clip], peers: Peers, cache: Path) -> dict[str, Any]:
    """Every counter on the boxes of one detector: rows by clip and counter, and the sums."""
    detector: Any = load_detector(model)
    model = detector.name if isinstance(detector, OnnxDetector) else model  # it may be the path of a card
    boxes = [find_boxes(clip, model, detector, cache) for clip in clips]
    counts = {
        (clip.name, "ngatu"): count_with_ngatu(found, clip.view)
        for clip, found in zip(clips, boxes, strict=True)
    }
    if not peers.absent:
        counts |= peers.count(clips, boxes)
    rows = []
    totals: dict[str, Score] = {}
    for clip in clips:
        for counter in ("ngatu", *SETTINGS):
            if (clip.name, counter) in counts:
                score = judge(clip, counts[clip.name, counter])
                totals.setdefault(counter, Score()).add(score)
                rows.append({"clip": clip.name, "counter": counter, **score.row()})
    for counter, score in totals.items():
        rows.append({"clip": "all", "counter": counter, **score.row()})
    missing = [{"clip": "all", "counter": counter, "not_run": peers.absent} for counter in SETTINGS]
    return {
        "model": model,
        "sha256": getattr(detector, "sha256", None),
        "rows": rows + (missing if peers.absent else []),
    }


def show(result: dict[str, Any], console: Console) -> None:
    """Print one detector's rows."""
    title = f"Boxes of {result['model']}: counts within ±{WINDOW:g} s of the hand count"
    columns = ["truth", "counted", "prec.", "recall", "F1", "chance", "class", "motorcycle", "car"]
    table = Table("clip", "counter", title=title)
    for column in [*columns, "late", "lost", "double", "false"]:
        table.add_column(column, justify="right", no_wrap=True)
    last = ""
    for row in result["rows"]:
        if row["clip"] != last:
            table.add_section()
        shown, last = "" if row["clip"] == last else row["clip"], row["clip"]
        if "not_run" in row:
            table.add_row(shown, row["counter"], "not run")
            continue
        shares = [row[name] for name in ("precision", "recall", "f1", "f1_of_chance", "class_agreement")]
        shares += [row["classes"][name]["f1"] for name in ("motorcycle", "car")]
        table.add_row(
            shown,
            row["counter"],
            str(row["truth"]),
            str(row["counted"]),
            *("-" if share is None else f"{share:.3f}" for share in shares),
            *(str(row[name]) for name in ("late", "lost", "double", "false")),
        )
    console.print(table)
    for reason in sorted({row["not_run"] for row in result["rows"] if "not_run" in row}):
        console.print(f"not run: {reason}", soft_wrap=True)


def show_vehicles(result: dict[str, Any], console: Console) -> None:
    """Print what was lost and what was counted twice."""
    for row in result["rows"]:
        if row["clip"] != "all" and "not_run" not in row:
            for what in ("lost", "double"):
                for vehicle in row[f"{what}_vehicles"]:
                    console.print(f"{row['counter']}: {what}: {vehicle}", soft_wrap=True, highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["ngatu-n"], help="whose boxes are used")
    parser.add_argument("--clip", default="", help="only clips whose name holds this")
    parser.add_argument("--truth", type=Path, default=ROOT / "tests" / "truth", help="folder of hand counts")
    parser.add_argument("--cache", type=Path, help="folder that keeps the boxes; else they are not kept")
    parser.add_argument("--vehicles", action="store_true", help="also list each lost and double vehicle")
    parser.add_argument("--json", type=Path, default=Path("out/counting.json"))
    options = parser.parse_args()
    folder = os.environ.get("NGATU_TESTDATA")
    if not folder:
        sys.exit("NGATU_TESTDATA is not set: set it to the folder that holds the real clips in videos/.")
    peers = Peers()
    results = []
    console = Console(width=None if sys.stdout.isatty() else 170)
    try:
        clips = read_clips(options.truth, Path(folder, "videos"), options.clip)
        with tempfile.TemporaryDirectory() as made:
            cache = options.cache or Path(made)
            cache.mkdir(parents=True, exist_ok=True)
            for model in options.model:
                results.append(measure(model, clips, peers, cache))
                show(results[-1], console)
                if options.vehicles:
                    show_vehicles(results[-1], console)
    except NgatuError as error:
        sys.exit(str(error))
    report = {
        "window_s": WINDOW,
        "late_s": LATE,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("ngatu", "numpy", "scipy", "onnxruntime")},
        "ngatu_tracker": asdict(TrackerSettings()),
        "peers": peers.about | {"settings": SETTINGS},
        "results": results,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
