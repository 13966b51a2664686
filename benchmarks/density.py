"""Flow, speed, density, occupancy and queue beside the simulator's truth: ``density.py --help``.

The truth comes from the simulator's positions alone (sample_videos/generator/truth.py), by its own
definitions of stretch, footprint and queue. Here the same vehicles are seen as boxes of one camera, exact
ones, or those that a detector finds in the clip.
"""

import argparse
import csv
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from sample_videos.generator.camera import CAMERAS
from vision import load_detector, load_view, open_source
from vision.calibration import fit_calibration
from vision.counting import GateCounter
from vision.density import ApproachInterval, DensityEstimator, figures_of
from vision.density.records import merge_all
from vision.detection import OnnxDetector, TiledDetector
from vision.pipeline import Pipeline
from vision.tracking import VehicleTracker
from vision.types import Crossing, Detections, Tracks
from vision.views import Calibration, CalibrationPoint, Distortion, View

ROOT = Path(__file__).resolve().parents[1]
SIZE = (1280, 720)
FPS = 10.0
"""Of the simulator's frames."""
Frames = Iterator[tuple[float, Tracks, list[Crossing]]]


def surveyed(view: View, camera: str) -> View:
    """A view with its camera's exact calibration, valid over all of its zones."""
    known = CAMERAS[camera]
    points = [p for zone in view.zones if zone.kind == "approach" for p in zone.polygon]
    points += [p for gate in view.gates for p in gate.line]
    ground = known.ground(np.array(points) * [known.width, known.height])
    top = min(y for _, y in points) - 0.01
    calibration = Calibration(
        points=[
            CalibrationPoint(image=p, ground=tuple(g)) for p, g in zip(points, ground.tolist(), strict=True)
        ],
        distortion=Distortion(k1=known.k1 / (known.focal / known.width) ** 2),
        valid=[(0, top), (1, top), (1, 1), (0, 1)],
    )
    return view.model_copy(update={"calibration": calibration})


def boxes_by_frame(
    boxes: Path, start: float, every: int, in_sight: float = 0.0
) -> Iterator[tuple[float, Tracks]]:
    """Each frame's time, and the boxes of a table of the generator as tracks.

    Args:
        boxes: the table.
        start: of its first frame, s.
        every: so many-th frame is taken.
        in_sight: vehicles of which a smaller share is seen are left out.
    """
    names = set(pq.ParquetFile(boxes).schema_arrow.names)
    prefix = "full_" if "full_x1" in names else ""
    columns = ["frame", "vehicle", "class_id", *(f"{prefix}{side}" for side in ("x1", "y1", "x2", "y2"))]
    data = [pq.read_table(boxes, columns=columns)[name].to_numpy() for name in columns]
    order = np.argsort(data[0], kind="stable")
    if in_sight:
        share = pq.read_table(boxes, columns=["visible_share"])["visible_share"].to_numpy()
        order = order[share[order] > in_sight]
    frame, vehicle, kind, *sides = (np.nan_to_num(column)[order] for column in data)
    score = pq.read_table(boxes, columns=["score"])["score"].to_numpy()[order] if "score" in names else None
    score = np.ones(len(frame), np.float32) if score is None else score
    xyxy = np.stack(sides, axis=1).astype(np.float32)
    bounds = np.searchsorted(frame, np.arange(int(frame.max()) + 2))
    for number in range(0, len(bounds) - 1, every):
        rows = slice(bounds[number], bounds[number + 1])
        yield (
            start + number / FPS,
            Tracks(xyxy[rows], score[rows], kind[rows].astype(np.int8), vehicle[rows].astype(np.int64)),
        )


def exact_frames(boxes: Path, start: float, view: View, size: tuple[int, int], every: int) -> Frames:
    """Each frame's true boxes as tracks, and the crossings that the counter finds in them."""
    counter = GateCounter(view, size)
    for moment, tracks in boxes_by_frame(boxes, start, every):
        yield moment, tracks, counter.update(moment, tracks)
    yield np.inf, Tracks.empty(), counter.finish()


def noisy_frames(boxes: Path, start: float, view: View, size: tuple[int, int], every: int) -> Frames:
    """The same from the generator's detections, which err as a small network does, tracked by ngatu."""
    counter, tracker = GateCounter(view, size), VehicleTracker(size)
    for moment, seen in boxes_by_frame(boxes, start, every):
        tracks = tracker.update(moment, Detections(seen.xyxy, seen.score, seen.class_id))
        yield moment, tracks, counter.update(moment, tracks)
    yield np.inf, Tracks.empty(), counter.finish()


def detector_of(name: str, tiles: bool) -> OnnxDetector | TiledDetector:
    """A detector, with 2×2 tiles or without."""
    detector = load_detector(name)
    assert isinstance(detector, OnnxDetector)
    return TiledDetector(detector, 2, 2) if tiles else detector


def detected_frames(clip: Path, view: View, detector: OnnxDetector | TiledDetector) -> Frames:
    """Each frame's tracks and crossings as ngatu finds them in the picture."""
    with open_source(str(clip)) as source:
        pipeline = Pipeline(detector, source.size, view)
        for frame in source:
            step = pipeline.step(frame)
            yield step.time, step.tracks, step.crossings
        yield np.inf, Tracks.empty(), pipeline.finish()


def estimate(
    frames: Frames, view: View, size: tuple[int, int], least_rider: float | None = None
) -> tuple[list[ApproachInterval], float]:
    """The records of some frames, and the milliseconds of one core that a frame took in the estimator."""
    assert view.calibration is not None
    estimator = DensityEstimator(view, size, fit_calibration(view.calibration), least_rider=least_rider)
    records: list[ApproachInterval] = []
    spent, count = 0.0, 0
    for moment, tracks, crossings in frames:
        began = time.thread_time()
        last = moment == np.inf
        records += estimator.finish(crossings) if last else estimator.update(moment, tracks, crossings)
        spent, count = spent + time.thread_time() - began, count + 1
    return records, 1000 * spent / count


def start_of(minutes: Path) -> float:
    """When the first minute of a table of truth begins, seconds since the epoch."""
    with minutes.open(encoding="utf-8") as file:
        return datetime.fromisoformat(next(csv.DictReader(file))["start"]).timestamp()


def truth_of(minutes: Path, length: float) -> dict[tuple[str, float], dict[str, float]]:
    """The truth by approach and bin of ``length`` seconds, added up from its minutes."""
    bins: dict[tuple[str, float], dict[str, Any]] = defaultdict(lambda: defaultdict(float))
    with minutes.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            start = datetime.fromisoformat(row["start"]).timestamp()
            if row["class"] != "all":
                continue
            total = bins[row["approach"], start - start % length]
            seconds = float(row["seconds"])
            total["seconds"] += seconds
            total["count"] += float(row["count_in"] or "nan")
            if row["zone_m"]:
                road = float(row["zone_m"]) * seconds
                total["zone_m"] = float(row["zone_m"])
                total["road"] += road
                total["spent"] += float(row["density_per_km"]) * road / 1000
                total["driven"] += float(row["edie_flow_per_hour"]) * road / 3600
                total["occupancy"] += float(row["area_occupancy"]) * seconds
            if row["queue_max_m"]:
                total["queue_max"] = max(total["queue_max"], float(row["queue_max_m"]))
                total["queue_sum"] += float(row["queue_mean_m"]) * seconds
    return {key: dict(value) for key, value in bins.items()}


def compare(
    records: list[ApproachInterval], truth: dict[tuple[str, float], dict[str, float]], length: float
) -> list[dict[str, Any]]:
    """One row for each approach and bin: figure and truth side by side."""
    groups: dict[tuple[str, float], list[ApproachInterval]] = defaultdict(list)
    for record in records:
        groups[record.approach, record.start - record.start % length].append(record)
    rows = []
    for (approach, start), true in sorted(truth.items(), key=lambda item: (item[0][1], item[0][0])):
        if (approach, start) not in groups:
            continue
        merged = merge_all(groups[approach, start])
        figures = figures_of(merged)
        row: dict[str, Any] = {"approach": approach, "start": start, "zone_m": true.get("zone_m")}
        row["count"] = (figures.count, true["count"])
        length_m = merged.road_m_s / merged.ground_seconds if merged.ground_seconds else 0.0
        row["too_small"] = merged.too_small_s > 0
        # A stretch that was cut to what the detector sees is another one than that of the truth.
        row["measured_m"] = length_m
        if "road" in true and abs(length_m - true["zone_m"]) <= 1:
            row["density"] = (figures.density_per_km, 1000 * true["spent"] / true["road"])
            row["speed"] = (figures.space_mean_speed_kmh, 3.6 * true["driven"] / max(true["spent"], 1e-9))
            row["edie_flow"] = (figures.edie_flow_per_h, 3600 * true["driven"] / true["road"])
            row["occupancy"] = (figures.area_occupancy, true["occupancy"] / true["seconds"])
            row["queue_max"] = (figures.queue_max_m, true["queue_max"])
            row["queue_mean"] = (figures.queue_mean_m, true["queue_sum"] / true["seconds"])
            row["cut"] = figures.queue_max_at_least
            row["level"] = figures.level
        rows.append(row)
    return rows


def show(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(title=title)
    for name in (
        "from",
        "approach",
        "zone m",
        "count",
        "density /km",
        "speed km/h",
        "occupancy",
        "queue max m",
    ):
        table.add_column(name)
    table.add_column("queue mean m")
    table.add_column("level")
    for row in rows:
        table.add_row(
            datetime.fromtimestamp(row["start"]).strftime("%H:%M"),
            row["approach"],
            f"{row['zone_m']:.0f}" if row["zone_m"] else "",
            _pair(row, "count", "{:.0f}", True),
            "too small" if row["too_small"] else _pair(row, "density", "{:.0f}", True),
            _pair(row, "speed", "{:.1f}", True),
            _pair(row, "occupancy", "{:.3f}", True),
            (">= " if row.get("cut") else "") + _pair(row, "queue_max", "{:.1f}", False),
            _pair(row, "queue_mean", "{:.1f}", False),
            row.get("level") or "",
        )
    console.print(table)


def show_flows(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    """How many counts of an approach lie within the larger of one vehicle and 5 % of the true one."""
    counts = np.array([row["count"] for row in rows if row["count"][0] is not None]).reshape(-1, 2)
    if len(counts):
        within = np.abs(counts[:, 0] - counts[:, 1]) <= np.maximum(1.0, 0.05 * counts[:, 1])
        found, true = counts.sum(axis=0)
        console.print(
            f"{title}: {within.sum()} of {len(counts)} counts within the larger of one vehicle and 5 %; "
            f"together {found:.0f} of {true:.0f}"
        )


def _pair(row: dict[str, Any], name: str, form: str, relative: bool) -> str:
    if name not in row or row[name][0] is None:
        return ""
    found, true = row[name]
    error = f"{(found / true - 1):+.1%}" if relative and true else f"{found - true:+.1f}"
    return f"{form.format(found)} / {form.format(true)} {error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hour", type=Path, help="folder of the generator's `boxes` command")
    parser.add_argument("--clips", type=Path, default=ROOT / "sample_videos", help="the generator's --out")
    parser.add_argument("--length", type=float, default=60.0, help="of a row of the clips, in seconds")
    parser.add_argument("--every", type=int, default=1, help="take only each so many-th frame")
    parser.add_argument(
        "--detector", nargs="?", const="ngatu-n", help="run a detector over the clips too; ours by itself"
    )
    parser.add_argument("--tiles", action="store_true", help="with 2x2 tiles")
    parser.add_argument("--json", type=Path, default=ROOT / "out" / "density.json")
    args = parser.parse_args()
    console = Console(width=170)
    report: dict[str, Any] = {}

    def run(
        title: str, frames: Frames, view: View, minutes: Path, length: float, least: float | None = None
    ) -> None:
        records, cost = estimate(frames, view, SIZE, least)
        rows = compare(records, truth_of(minutes, length), length)
        show(console, f"{title} ({cost:.2f} ms a frame)", rows)
        report[title] = {"rows": rows, "ms_per_frame": cost}

    if args.hour:
        boxes = next(args.hour.glob("*.truth-boxes.parquet"))
        minutes = next(args.hour.glob("*.minutes.csv"))
        camera = boxes.name.split("_")[1]
        view = surveyed(load_view(next(args.hour.glob("*.view.yaml"))), camera)
        frames = exact_frames(boxes, start_of(minutes), view, SIZE, args.every)
        run("an hour, exact boxes, 15 minutes", frames, view, minutes, 900.0)
        for noisy in args.hour.glob("*.detections.parquet"):
            frames = noisy_frames(noisy, start_of(minutes), view, SIZE, args.every)
            run("an hour, boxes that err, 15 minutes", frames, view, minutes, 900.0)
    for clip in sorted(args.clips.glob("*.mp4")):
        minutes = clip.with_suffix(".minutes.csv")
        camera = clip.name.split("_")[1]
        view = surveyed(load_view(clip.parent / f"hoa-ban_{camera}.view.yaml"), camera)
        frames = exact_frames(clip.with_suffix(".truth.parquet"), start_of(minutes), view, SIZE, args.every)
        run(f"{clip.stem}, exact boxes", frames, view, minutes, args.length)
        if args.detector:
            detector = detector_of(args.detector, args.tiles)
            for least in (None, detector.least_rider(SIZE)):
                title = (
                    f"{clip.stem}, detector, {'all of each zone' if least is None else 'as far as it sees'}"
                )
                run(title, detected_frames(clip, view, detector), view, minutes, args.length, least)
    for seen_by in ("exact boxes", "all of each zone"):
        show_flows(
            console, seen_by, [row for title in report if seen_by in title for row in report[title]["rows"]]
        )
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
