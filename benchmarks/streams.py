"""How many live cameras two cores hold, and where their time goes: ``python benchmarks/streams.py --help``.

Clips are replayed as live sources of 25 frames a second to the worker of ``ngatu live`` itself: decoding,
looking after the picture, network, tracking, counting, figures and recording are all in it. Process time per
analysed frame holds on a busy machine too; how many cameras keep up in real time only a quiet one tells.
"""

import argparse
import json
import math
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as enumerate_threads
from typing import Any

import av
import cv2
import numpy as np
import psutil
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from service.live import worker as worker_module
from service.live.camera import LiveCamera
from service.live.worker import Worker, WorkerSettings
from service.registry import Approach, Camera, CameraView, Record, Site, difference
from service.registry.store import load_history, revision, save_changes
from service.storage.connect import open_database, writing
from vision import Frame, Pipeline, open_source
from vision.detection import OnnxDetector
from vision.detection.grades import AUTO, choose_grade
from vision.sparing import MotionGate, Sparing
from vision.types import Detections
from vision.views import View, load_view

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("us-crossroad-turning-oblique", "vn-ptz-signal-approach", "nl-motorway-line-count")
"""Real clips of 30 frames a second and 1280×720, with the views that they were hand-counted with."""
SOURCE_FPS = 25
ANALYSED_FPS = 10.0
PROCESSES = 2
FILLED = 0.9
"""Share of the cores that cameras may take in the number computed; the rest is for bursts and the system."""
OLDEST, DROPPED = 1.0, 0.01
"""A frame must be younger, s; of all that were due fewer must be dropped."""

START = 300.0
"""Seconds that processes may take to begin, on a busy machine."""

Size = tuple[int, int]
Row = dict[str, Any]


def make_clip(source: Path, size: Size, folder: Path) -> Path:
    """A clip as a camera would send it: H.264 without B frames, a key frame every two seconds."""
    path = folder / f"{source.stem}_{size[0]}x{size[1]}.mp4"
    if path.exists():
        return path
    rate = 1_200_000 * size[0] * size[1] // (640 * 360) // (1 if size[1] < 500 else 2)
    partial = path.with_suffix(".part.mp4")
    with av.open(str(source)) as clip, av.open(str(partial), "w") as target:
        stream = target.add_stream(
            "libx264", rate=SOURCE_FPS, options={"bf": "0", "g": "50", "preset": "fast"}
        )
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *size, "yuv420p", rate
        shown = -1
        for picture in clip.decode(video=0):
            number = round((picture.time or 0.0) * SOURCE_FPS)
            if number > shown:
                shown = number
                scaled = picture.reformat(*size, "yuv420p", interpolation="AREA")
                scaled.pts = number
                scaled.time_base = Fraction(1, SOURCE_FPS)
                target.mux(stream.encode(scaled))
        target.mux(stream.encode(None))
    partial.replace(path)
    return path


# --- Where the time goes: the chain by stages, in one thread ----------------------------------------------


class Timed:
    """Sums process time by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add what runs inside to a stage."""
        began = time.thread_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.thread_time() - began


class Staged:
    """A detector that keeps account of its stages."""

    def __init__(self, detector: OnnxDetector, timed: Timed) -> None:
        self.name, self.thresholds, self.input_size = detector.name, detector.thresholds, detector.input_size
        self._detector, self._timed = detector, timed

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """What the detector finds."""
        with self._timed.stage("preprocess"):
            blob = self._detector.preprocess(image)
        with self._timed.stage("network"):
            outputs = self._detector.infer(blob)
        with self._timed.stage("postprocess"):
            return self._detector.postprocess(outputs, (image.shape[1], image.shape[0]))


def stages(clip: Path, view: View, model: str, sparing: Sparing, seconds: float) -> Row:
    """Core-ms per analysed frame by stage, and how many of the analysed frames the network looked at."""
    timed = Timed()
    detector = choose_grade(model, threads=1).load(threads=1)
    assert isinstance(detector, OnnxDetector)
    frames = looked = 0
    with open_source(clip, fps=ANALYSED_FPS, threads=1) as source:
        pipeline = Pipeline(Staged(detector, timed), source.size, view, sparing=sparing)
        pictures = iter(source)
        while True:
            with timed.stage("decode"):
                frame = next(pictures, None)
            if frame is None or frame.time - source.start > seconds:
                break
            frames += 1
            with timed.stage("chain"):
                looked += pipeline.step(frame).detected
    timed.seconds["motion gate"] = (
        gate_seconds(clip, pipeline.region, seconds) if sparing.motion_gate else 0.0
    )
    inside = [timed.seconds[name] for name in ("preprocess", "network", "postprocess", "motion gate")]
    timed.seconds["track and count"] = timed.seconds.pop("chain") - sum(inside)
    cost = {name: took * 1e3 / frames for name, took in timed.seconds.items()}
    return {"cost_ms": cost, "sum_ms": sum(cost.values()), "looked_at": looked / frames}


def gate_seconds(clip: Path, region: tuple[int, int, int, int] | None, seconds: float) -> float:
    """What the motion gate takes of a clip."""
    gate, took = MotionGate(), 0.0
    with open_source(clip, fps=ANALYSED_FPS, threads=1) as source:
        left, top, right, bottom = region or (0, 0, *source.size)
        for frame in source:
            if frame.time - source.start > seconds:
                break
            began = time.thread_time()
            gate.wants(frame.image[top:bottom, left:right], frame.time)
            took += time.thread_time() - began
    return took


# --- The worker itself, in real time ----------------------------------------------


def save_city(database: str, clips: list[tuple[Path, View]], cameras: int) -> list[str]:
    """A registry in which each camera replays a clip; the ids of the cameras."""
    records: list[Record] = []
    names = [f"cam{number}" for number in range(cameras)]
    for number, name in enumerate(names):
        clip, view = clips[number % len(clips)]
        site = f"site{number}"
        records.append(Site(id=site, kind="junction", is_key=True))
        arms = {gate.approach for gate in view.gates if gate.approach} | {each.id for each in view.approaches}
        records += [Approach(site=site, id=arm) for arm in sorted(arms)]
        records.append(Camera(id=name, site=site, address=f"loop:{clip}"))
        records.append(CameraView(camera=name, view=view))
    engine = open_database(database)
    now = time.time()
    with writing(engine) as connection:
        history = load_history(connection)
        changes = difference(history, {record.ref: record for record in records}, now)
        save_changes(
            connection, history, changes, now, seen_revision=revision(connection), now=now, actor="benchmark"
        )
    engine.dispose()
    return names


def work(settings: WorkerSettings, sparing: Sparing, seconds: float, start: Any, told: Any) -> None:
    """Run one worker, and tell what it did between a common start and ``seconds`` later."""
    ages: list[float] = []
    take: Callable[..., None] = LiveCamera.take

    def taken(camera: LiveCamera, frame: Frame, **more: Any) -> None:
        take(camera, frame, **more)
        ages.append(time.time() - frame.time)

    LiveCamera.take = taken  # type: ignore[method-assign]
    worker_module.Sparing = lambda: sparing  # type: ignore[assignment,misc]
    worker, stop = Worker(settings), Event()
    running = Thread(target=worker.run, args=(stop,))
    running.start()

    def so_far() -> tuple[float, int, int]:
        dropped = sum(worker._waiting.dropped(name) for name in settings.cameras)
        return time.process_time(), len(ages), dropped

    def by_thread() -> dict[str, float]:
        names = {thread.native_id: thread.name.split()[0] for thread in enumerate_threads()}
        spent = {"rest": 0.0}
        for thread in psutil.Process().threads():
            name = names.get(thread.id, "rest")
            name = name if name in ("read", "analyse") else "rest"
            spent[name] = spent.get(name, 0.0) + thread.user_time + thread.system_time
        return spent

    until = time.monotonic() + START / 3
    while len(ages) < 20 * len(settings.cameras) and time.monotonic() < until and running.is_alive():
        time.sleep(0.2)
    if not ages and (report := worker._report()):
        for camera in report.cameras:
            print(f"{camera.camera}: {camera.state}: {camera.reason}", file=sys.stderr)
    start.wait(START)
    before, threads = so_far(), by_thread()
    time.sleep(seconds)
    after = so_far()
    threads = {name: spent - threads.get(name, 0.0) for name, spent in by_thread().items()}
    cpu, frames, dropped = (b - a for a, b in zip(before, after, strict=True))
    lately = ages[before[1] : after[1]]
    told.put({"cpu_s": cpu, "frames": frames, "dropped": dropped, "ages": lately, "threads": threads})
    stop.set()
    running.join(10)


def live(clips: list[tuple[Path, View]], cameras: int, model: str, sparing: Sparing, seconds: float) -> Row:
    """Run so many cameras in real time."""
    context = multiprocessing.get_context("spawn")
    processes = min(PROCESSES, cameras)
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/registry.db"
        names = save_city(database, clips, cameras)
        start, told = context.Barrier(processes + 1), context.Queue()
        running = []
        for number in range(processes):
            place = Path(folder, f"worker{number}")
            place.mkdir()
            mine = tuple(names[number::processes])
            settings = WorkerSettings(
                worker=f"worker{number}",
                database=database,
                folder=str(place),
                cameras=mine,
                model=model,
                fps=ANALYSED_FPS,
            )
            process = context.Process(target=work, args=(settings, sparing, seconds, start, told))
            process.start()
            running.append(process)
        start.wait(START)
        machine = psutil.cpu_times()
        results = [told.get(timeout=seconds + 60) for _ in running]
        busy = used(psutil.cpu_times()) - used(machine)
        for process in running:
            process.join(30)
            if process.is_alive():
                process.terminate()
    frames, dropped, cpu = (sum(each[key] for each in results) for key in ("frames", "dropped", "cpu_s"))
    kinds = ("read", "analyse", "rest")
    threads = {kind: sum(each["threads"].get(kind, 0.0) for each in results) for kind in kinds}
    ages = sorted(age for each in results for age in each["ages"])
    others = max(0.0, busy - cpu) / seconds
    per_frame = {kind: spent * 1e3 / max(1, frames) for kind, spent in threads.items()}
    # Decoding and reporting go on at their own pace when fewer frames are analysed than wanted.
    share = frames / seconds / cameras / ANALYSED_FPS
    at_rate = per_frame["analyse"] + min(1.0, share) * (per_frame["read"] + per_frame["rest"])
    return {
        "cameras": cameras,
        "seconds": seconds,
        "analysed_fps": frames / seconds / cameras,
        "dropped_share": dropped / max(1, frames + dropped),
        "age_median_s": statistics.median(ages) if ages else None,
        "age_99_s": ages[int(0.99 * len(ages))] if ages else None,
        "age_most_s": ages[-1] if ages else None,
        "core_ms": cpu * 1e3 / max(1, frames),
        "core_ms_by_thread": per_frame,
        "core_ms_at_rate": at_rate,
        "others_cores": others,
        "holds": bool(
            ages
            and ages[-1] < OLDEST
            and dropped < DROPPED * (frames + dropped)
            and frames / seconds / cameras > 0.97 * ANALYSED_FPS
        ),
    }


def used(times: Any) -> float:
    """Seconds of all cores in which something ran."""
    return float(sum(times) - times.idle - times.iowait - getattr(times, "guest", 0.0))


def holds(core_ms: float) -> int:
    """Cameras that two cores hold, from process time per analysed frame."""
    return math.floor(FILLED * 2 * 1000 / (core_ms * ANALYSED_FPS))


def show(console: Console, results: list[Row]) -> None:
    """Print where the time goes and what was held."""
    table = Table(
        "core-ms per analysed frame", title=f"{SOURCE_FPS} frames/s sent, {ANALYSED_FPS:g} analysed"
    )
    for result in results:
        table.add_column(f"{result['size']} every {result['sparing']['every']}", justify="right")
    for name in results[0]["stages"]["cost_ms"]:
        table.add_row(name, *(f"{result['stages']['cost_ms'][name]:.2f}" for result in results))
    table.add_row("sum", *(f"{result['stages']['sum_ms']:.2f}" for result in results))
    table.add_row("looked at", *(f"{result['stages']['looked_at']:.0%}" for result in results))
    for kind in ("read", "analyse", "rest"):
        values = [result["runs"][-1]["core_ms_by_thread"][kind] for result in results]
        table.add_row(f"worker: {kind}", *(f"{value:.2f}" for value in values))
    runs = [result["runs"][-1] for result in results]
    table.add_row("worker, all in", *(f"{run['core_ms']:.2f}" for run in runs))
    table.add_row("at the rate wanted", *(f"{run['core_ms_at_rate']:.2f}" for run in runs))
    table.add_row("two cores hold, computed", *(str(result["computed"]) for result in results))
    console.print(table)
    for result in results:
        for run in result["runs"]:
            verdict = "holds" if run["holds"] else "does not hold"
            noise = f"others took {run['others_cores']:.1f} cores meanwhile"
            console.print(
                f"{result['size']}, every {result['sparing']['every']}: {run['cameras']} cameras for "
                f"{run['seconds']:g} s: {verdict}: {run['analysed_fps']:.1f} frames/s each, "
                f"{run['dropped_share']:.1%} dropped, age {run['age_median_s'] or 0:.2f} s, "
                f"99 % below {run['age_99_s'] or 0:.2f}, most {run['age_most_s'] or 0:.2f}; {noise}",
                soft_wrap=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", nargs="+", default=["640x360", "1280x720"], help="pictures of the cameras")
    parser.add_argument(
        "--cameras", nargs="+", type=int, default=[4], help="how many run in real time, in turn"
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each is measured")
    parser.add_argument("--every", nargs="+", type=int, default=[Sparing().every], help="detection interval")
    parser.add_argument("--model", default=AUTO, help="name of the detector; auto: as workers choose")
    parser.add_argument("--cache", type=Path, default=Path("out/streams"), help="folder that keeps the clips")
    parser.add_argument("--json", type=Path, default=Path("out/streams.json"))
    options = parser.parse_args()
    folder = os.environ.get("NGATU_TESTDATA")
    if not folder:
        sys.exit("NGATU_TESTDATA is not set: set it to the folder that holds the real clips in videos/.")
    cv2.setNumThreads(1)
    av.logging.set_level(None)
    options.cache.mkdir(parents=True, exist_ok=True)
    os.environ["NGATU_CAMERA_FOLDERS"] = str(options.cache.resolve())  # the workers open nothing else
    results = []
    for text in options.size:
        width, _, height = text.partition("x")
        size = int(width), int(height)
        clips = [
            (
                make_clip(Path(folder, "videos", f"{name}.mp4"), size, options.cache).resolve(),
                load_view(ROOT / "tests" / "truth" / f"{name}.view.yaml"),
            )
            for name in SOURCES
        ]
        for every in options.every:
            sparing = Sparing(every=every)
            model = str(choose_grade(options.model, threads=1))
            row: Row = {"size": text, "model": model, "sparing": asdict(sparing)}
            row["stages"] = stages(*clips[0], options.model, sparing, options.seconds)
            row["runs"] = [
                live(clips, cameras, options.model, sparing, options.seconds) for cameras in options.cameras
            ]
            row["computed"] = holds(row["runs"][-1]["core_ms_at_rate"])
            results.append(row)
    console = Console(width=None if sys.stdout.isatty() else 150)
    show(console, results)
    report = {"load": os.getloadavg(), "cores": os.cpu_count(), "results": results}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
