"""From the clip to counts, ngatu beside Ultralytics' ObjectCounter: cost and counts of the same frames.

Every side runs in a process of its own on the same single core, some frames at a time in turns, so that
whatever else the machine does meets all alike. Costs are process time: milliseconds of one core a frame.
"""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.counting import Clip, Score, judge
from benchmarks.metrics import nwrmse, share_below_geh, wape_of
from benchmarks.records import Figure, Row, Section, middle
from benchmarks.sides import SideAbsentError, SideProcess
from vision.accuracy import Event
from vision.detection.grades import INT8, choose_grade
from vision.sources import open_source
from vision.types import VehicleClass
from vision.views import save_view

BLOCK = 25
"""Frames that a side takes in its turn."""


@dataclass(frozen=True)
class Contender:
    """A side with its settings."""

    name: str
    side: str
    settings: Row

    @property
    def ours(self) -> bool:
        """Whether it is ngatu."""
        return self.side == "ngatu"


def contenders(quick: bool) -> list[Contender]:
    """Everybody who counts; yolo11n comes from the test data, or Ultralytics fetches it by itself."""
    weights = Path(os.environ.get("NGATU_TESTDATA", "."), "models", "yolo11n_dyn.onnx")
    model = str(weights) if weights.is_file() else "yolo11n.pt"
    taken = choose_grade(INT8, threads=1)
    spared: Row = {"model": INT8, "provider": taken.provider, "sparing": {}}
    found = [
        Contender("ngatu, as live cameras run", "ngatu", spared),
        Contender("ngatu, every 2nd frame", "ngatu", {**spared, "sparing": {"every": 2}}),
        Contender("ngatu, whole pictures", "ngatu", {"model": INT8, "provider": taken.provider}),
        Contender("ngatu in float, whole pictures", "ngatu", {"model": "ngatu-n"}),
        Contender("ObjectCounter, defaults", "ultralytics", {"model": model, "threads": 1}),
        Contender("ObjectCounter, best", "ultralytics", {"model": model, "threads": 1, **BEST}),
    ]
    if taken.provider != "cpu":
        found.insert(1, Contender("ngatu, the same by ONNX Runtime", "ngatu", {**spared, "provider": "cpu"}))
    if weights.is_file():
        found.insert(-2, Contender("ngatu with yolo11n", "ngatu", {"model": "yolo11n_dyn"}))
    return [each for each in found if not quick or each.name not in QUICK_LEAVES]


BEST: Row = {
    "conf": 0.05,
    "iou": 0.5,
    "tracker": "tracktrack.yaml",
    "tracker_options": {
        "track_high_thresh": 0.15,
        "track_low_thresh": 0.05,
        "new_track_thresh": 0.15,
        "min_track_len": 1,
    },
}
"""The best of six settings of ObjectCounter that were tried on two of the hand-counted clips."""
QUICK_LEAVES = {"ngatu in float, whole pictures", "ngatu with yolo11n"}


@dataclass
class Counted:
    """What a contender made of one clip."""

    core_ms: list[float]
    frames: int = 0
    wall_s: float = 0.0
    events: list[Event] | None = None
    rss_mib: float = 0.0
    start_s: float = 0.0
    absent: str = ""


def race(
    clip: Clip, runners: Sequence[Contender], frames: int | None = None, cores: Sequence[int] = (0,)
) -> dict[str, Counted]:
    """Let all count a clip, or its first ``frames``, in turns."""
    with open_source(clip.path) as source:
        size = source.size
    lines = clip.view.gate_lines(size).tolist()
    gates = [gate.id for gate in clip.view.gates]
    results = {each.name: Counted([]) for each in runners}
    running: dict[str, SideProcess] = {}
    crossings: dict[str, list[Any]] = {each.name: [] for each in runners}
    with tempfile.TemporaryDirectory() as folder:
        view = Path(folder, "view.yaml")
        save_view(clip.view, view)
        for each in runners:
            try:
                running[each.name] = side = SideProcess(each.side, cores)
                told = side.open(clip.path, lines, each.settings, view)
                results[each.name].start_s = side.ready_s + told["open_s"]
            except SideAbsentError as error:
                results[each.name].absent = str(error)
                running.pop(each.name, None)
        while running:
            for name, side in list(running.items()):
                counted = results[name]
                try:
                    told = side.run(BLOCK)
                except SideAbsentError as error:
                    counted.absent = str(error)
                    running.pop(name)
                    continue
                # The first block warms up.
                if told["frames"] == BLOCK and counted.frames:
                    counted.core_ms.append(told["cpu_s"] * 1e3 / BLOCK)
                counted.frames += told["frames"]
                counted.wall_s += told["wall_s"]
                counted.rss_mib = told["rss_mib"]
                crossings[name] += told["crossings"]
                enough = bool(frames) and counted.frames >= (frames or 0)
                if enough and not told["ended"]:
                    crossings[name] += side.run(0)["crossings"]
                if told["ended"] or enough:
                    side.close()
                    running.pop(name)
    for name, counted in results.items():
        if not counted.absent:
            counted.events = [
                Event(time, gates[gate], direction, VehicleClass(kind))
                for time, gate, direction, kind in crossings[name]
            ]
    return results


def measure(clips: Sequence[Clip], quick: bool, frames: int | None = None) -> tuple[Section, Section]:
    """All contenders over some clips: costs and counts, and the counts clip by clip."""
    runners = contenders(quick)
    section = Section("Clip to counts: core-ms a frame, cameras of 10 frames/s a core, counts (±0.5 s)")
    by_clip = Section("F1 by clip (±0.5 s), in brackets that of as many counts at random times")
    scores = {each.name: Score() for each in runners}
    costs: dict[str, list[float]] = {each.name: [] for each in runners}
    more: dict[str, list[Row]] = {each.name: [] for each in runners}
    last: dict[str, Counted] = {}
    never: set[str] = set()
    for clip in clips:
        row: Row = {"clip": clip.name}
        with open_source(clip.path) as source:
            limit = frames / (source.nominal_fps or 25.0) if frames else clip.covered[1]
        results = race(clip, runners, frames)
        told = {name: counted.absent for name, counted in results.items() if counted.absent}
        section.notes += [f"not run: {clip.name}: {name}: {why}" for name, why in told.items()]
        never = never & told.keys() if last else set(told)
        last |= {name: counted for name, counted in results.items() if counted.events is not None}
        # A sum over other clips than those of the rest would say nothing.
        summed = told.keys() <= never
        for name, counted in results.items():
            if counted.events is None:
                row[name] = None
                continue
            covered = (clip.covered[0], min(clip.covered[1], limit))
            cut = Clip(clip.name, clip.path, clip.view, clip.truth, covered)
            score = judge(cut, counted.events)
            figures = score.row()
            row[name] = f"{figures['f1'] or 0:.2f} ({figures['f1_of_chance'] or 0:.2f})"
            if not summed:
                continue
            scores[name].add(score)
            costs[name] += counted.core_ms
            truth, ours = (
                [event for event in events if covered[0] <= event.time <= covered[1]]
                for events in (clip.truth, counted.events)
            )
            more[name].append(
                {
                    "vehicles": len(truth),
                    "nwrmse": nwrmse(truth, ours, covered),
                    "geh": share_below_geh(truth, ours, covered),
                    "wape": wape_of(truth, ours),
                    "wape_gates": wape_of(truth, ours, lambda each: (each.gate, each.direction)),
                }
            )
        by_clip.rows.append(row)
        if not summed:
            section.notes.append(f"{clip.name} is left out of the sums")
    for each in runners:
        name = each.name
        section.rows.append(total(each, scores[name], costs[name], more[name], last.get(name)))
    add_figures(section, runners, costs)
    return section, by_clip


def total(each: Contender, score: Score, costs: list[float], more: list[Row], last: Counted | None) -> Row:
    """One contender over all clips."""
    figures = score.row()
    cost = middle(costs)[0] if costs else None

    def mean(name: str) -> float | None:
        weighed = [(row["vehicles"], row[name]) for row in more if row[name] is not None]
        vehicles = sum(weight for weight, _ in weighed)
        return sum(weight * value for weight, value in weighed) / vehicles if vehicles else None

    return {
        "counter": each.name,
        "core-ms": cost,
        "cameras": None if cost is None else 1000 / (10 * cost),
        "true": score.truth,
        "counted": score.counted,
        "F1": figures["f1"],
        "chance": figures["f1_of_chance"],
        "class right": figures["class_agreement"],
        "nwRMSE": mean("nwrmse"),
        "GEH<5": mean("geh"),
        "WAPE class": mean("wape"),
        "WAPE gate": mean("wape_gates"),
        "doubles": score.double,
        "lost": score.lost,
        "false": score.false,
        "MiB": last.rss_mib if last else None,
        "start s": last.start_s if last else None,
    }


def add_figures(section: Section, runners: Sequence[Contender], costs: dict[str, list[float]]) -> None:
    """What is held against older runs, and the points of the plot."""
    rows = {row["counter"]: row for row in section.rows}
    for each in runners:
        row = rows[each.name]
        if row["core-ms"] is None or row["F1"] is None:
            continue
        section.points.append(
            {"name": each.name, "cost": row["core-ms"], "accuracy": row["F1"], "ours": each.ours}
        )
        if each.ours:
            median, spread = middle(costs[each.name])
            key = f"end to end, {each.name}"
            cost = Figure(median, "lower", spread, 0.15 * median, portable=False)
            section.figures[f"{key}, core-ms"] = cost
            section.figures[f"{key}, F1"] = Figure(row["F1"], "higher", floor=0.015)
    peers = [row for each in runners if not each.ours and (row := rows[each.name])["core-ms"]]
    ours = rows[runners[0].name]
    if peers and ours["core-ms"]:
        for peer in peers:
            ratio = peer["core-ms"] / ours["core-ms"]
            section.notes.append(
                f"{ratio:.1f} times as many cameras a core as {peer['counter']}, "
                f"F1 {ours['F1']:.3f} beside {peer['F1']:.3f}"
            )
            name = f"cameras a core, times {peer['counter']}"
            section.figures[name] = Figure(ratio, "higher", floor=0.15 * ratio)
