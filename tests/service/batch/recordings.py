"""Recordings for the tests of batches: pieces of our sample clip, cut without coding them again."""

from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from sqlalchemy import Engine, select

from service.batch.detect import choose_detector
from service.batch.executors import Executor, LocalExecutor
from service.batch.find import Found, Places, find_recordings
from service.batch.progress import Progress
from service.batch.run import BatchOptions, BatchReport, run_batch
from service.batch.work import work_folder
from service.storage.connect import connect, reading, upgrade
from service.storage.tables import CrossingRow
from vision import load_view

SAMPLES = Path(__file__).parents[3] / "sample_videos"
CLIP = SAMPLES / "hoa-ban_cam1_day_20260310-093000.mp4"
VIEW = SAMPLES / "hoa-ban_cam1.view.yaml"
START = datetime(2026, 3, 10, 9, 30)
"""Local time of the sample clip's first frame."""
KEYS = 4.0
"""Seconds from one of its key frames to the next."""


def cut(path: Path, begin: float, end: float, clip: Path = CLIP) -> Path:
    """Write the stretch from ``begin`` to ``end`` (key frames) of a clip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        first: int | None = None
        for packet in source.demux(stream):
            if packet.pts is None or not begin <= float(packet.pts * packet.time_base) < end:
                continue
            first = packet.pts if first is None else first
            packet.pts -= first
            packet.dts -= first
            packet.stream = copy
            target.mux(packet)
    return path


def named(folder: Path, camera: str, seconds: float) -> Path:
    """Where a recorder would put the recording of a camera that begins so long after the clip."""
    return folder / f"{camera}_{START + timedelta(seconds=seconds):%Y%m%d-%H%M%S}.mp4"


def pieces(folder: Path, *edges: float, camera: str = "cam1") -> Path:
    """Cut the clip at some moments into recordings that follow one another."""
    for begin, end in pairwise(edges):
        cut(named(folder, camera, begin), begin, end)
    return folder


def database(path: Path) -> str:
    url = f"sqlite:///{path}"
    engine = connect(url)
    upgrade(engine)
    engine.dispose()
    return url


def found_in(folder: Path, **more: Any) -> Found:
    return find_recordings(folder, Places({}, view=load_view(VIEW), **more))


class Here(LocalExecutor):
    """Does the work in this very process, to spare a test the start of others."""

    def __init__(self) -> None:
        super().__init__(1)

    def map_unordered(self, function: Any, items: Any) -> Any:
        for item in items:
            yield item, function(item)

    def submit(self, function: Any, item: Any) -> Any:
        done: Future[Any] = Future()
        done.set_result(function(item))
        return done


def run(
    folder: Path,
    out: Path,
    *,
    executor: Executor | None = None,
    fps: float | None = 5.0,
    chunk: float = 60.0,
    camera: str | None = None,
    **more: Any,
) -> BatchReport:
    """A batch into ``out/ngatu.db`` with the work folder ``out/work``."""
    out.mkdir(exist_ok=True)
    url = database(out / "ngatu.db") if not (out / "ngatu.db").exists() else f"sqlite:///{out / 'ngatu.db'}"
    options = BatchOptions(url, choose_detector("ngatu-n"), fps=fps, chunk=chunk, **more)
    with work_folder(out / "work") as work, executor or Here() as here:
        counters = None if executor else Here()
        found = found_in(folder, camera=camera)
        return run_batch(found, options, work, here, Progress(), counters=counters)


def engine_of(out: Path) -> Engine:
    return connect(f"sqlite:///{out / 'ngatu.db'}")


def rows(out: Path) -> list[tuple[Any, ...]]:
    """What was counted, without what tells one segment from another."""
    columns = (
        *(
            CrossingRow.time,
            CrossingRow.camera_id,
            CrossingRow.gate,
            CrossingRow.direction,
            CrossingRow.vehicle_class,
        ),
        *(CrossingRow.confidence, CrossingRow.x, CrossingRow.y, CrossingRow.movement, CrossingRow.origin),
    )
    engine = engine_of(out)
    with reading(engine) as connection:
        found = sorted((tuple(row) for row in connection.execute(select(*columns))), key=str)
    engine.dispose()
    return found


def utc(seconds: float) -> datetime:
    """So long after the clip's start; Việt Nam is seven hours ahead."""
    return (START - timedelta(hours=7) + timedelta(seconds=seconds)).replace(tzinfo=UTC)
