"""How cost grows: with the size of the picture, by stages; with objects, cores and the length of a run."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import streams, tracking_speed
from benchmarks.counting import Clip
from benchmarks.footage import remake
from benchmarks.records import Figure, Row, Section
from benchmarks.sides import SideProcess
from vision.sparing import Sparing
from vision.views import save_view

SIZES = ((640, 360), (1280, 720), (1920, 1080))
MODEL = "ngatu-n-int8"


def by_size(clip: Clip, cache: Path, sizes: Sequence[tuple[int, int]], seconds: float) -> Section:
    """Core-ms of every stage at several sizes of picture, every frame analysed."""
    section = Section(f"Core-ms a frame by stage, {MODEL}, one thread, all frames looked at")
    for size in sizes:
        name = f"{size[0]}x{size[1]}"
        path = remake(clip.path, cache / f"{clip.name}.{name}.mp4", size=size, crf=23)
        told = streams.stages(path, clip.view, MODEL, Sparing(motion_gate=False), seconds)
        row: Row = {"picture": name, **told["cost_ms"], "sum": told["sum_ms"]}
        row["frames/s a core"] = 1000 / told["sum_ms"]
        section.rows.append(row)
        figure = Figure(told["sum_ms"], "lower", floor=0.15 * told["sum_ms"], portable=False)
        section.figures[f"chain at {name}, core-ms"] = figure
    return section


def by_objects(counts: Sequence[int], blocks: int) -> Section:
    """Tracking and counting beside ByteTrack and LineZone, in turns."""
    section = Section("Track and count: ms of one core a frame, 10 frames/s, 4 gates")
    peer = None
    try:
        peer = tracking_speed.PeerProcess()
    except tracking_speed.PeersAbsentError as error:
        section.notes.append(f"not run: ByteTrack + LineZone: {error}")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            rows += tracking_speed.measure(count, tracking_speed.RATE, blocks, peer, Path(folder))
    if peer:
        peer.close()
    for row in rows:
        parts = {name: row[name]["median"] for name in ("tracker", "counter", "both")}
        section.rows.append({"objects": row["objects"], "side": row["side"], **parts})
    for count in counts:
        both = {row["side"]: row["both"] for row in rows if row["objects"] == count}
        ours = both["ngatu"]
        spread = (ours["high"] - ours["low"]) / 4
        section.figures[f"track and count, {count} objects, ms"] = Figure(
            ours["median"], "lower", spread, 0.2 * ours["median"], portable=False
        )
        if len(both) == 2:
            ratio = both["ByteTrack + LineZone"]["median"] / ours["median"]
            section.notes.append(f"{count} objects: {ratio:.1f} times as fast as ByteTrack + LineZone")
            section.figures[f"track and count, {count} objects, times as fast"] = Figure(
                ratio, "higher", floor=0.2 * ratio
            )
    return section


def by_cores(clip: Clip, frames: int, cores: Sequence[int]) -> Section:
    """One process a core, all at once: what each frame costs and how many a second there are."""
    section = Section("One process a core, all at once: core-ms a frame, frames/s together")
    with tempfile.TemporaryDirectory() as folder:
        view = Path(folder, "view.yaml")
        save_view(clip.view, view)
        for count in range(1, len(cores) + 1):
            sides = [SideProcess("ngatu", [core]) for core in cores[:count]]
            for side in sides:
                side.open(clip.path, [], {"model": MODEL, "sparing": {}}, view)
                side.run(10)
            with ThreadPoolExecutor(count) as pool:
                told = list(pool.map(lambda side: side.run(frames), sides))
            for side in sides:
                side.close()
            total = sum(each["frames"] for each in told)
            section.rows.append(
                {
                    "cores": count,
                    "core-ms": sum(each["cpu_s"] for each in told) * 1e3 / total,
                    "frames/s": sum(each["frames"] / each["wall_s"] for each in told),
                    "MiB each": max(each["rss_mib"] for each in told),
                }
            )
    section.notes.append("frames/s is wall time: on a busy machine it says how busy that was")
    return section


def by_length(marks: tuple[int, ...]) -> Section:
    """Memory of tracker and counter of one camera as frames go by."""
    section = Section("Memory after so many frames of one camera, 25 objects")
    for row in tracking_speed.memory(25, marks):
        section.rows.append({"frames": row["frames"], "crossings": row["crossings"], "MiB": row["mib"]})
    first, last = section.rows[0]["MiB"], section.rows[-1]["MiB"]
    section.figures["memory growth, MiB"] = Figure(last - first, "lower", floor=3.0)
    return section
