"""Decoding of real clips by our source (PyAV) and by OpenCV: cost, times, seeking, damage, colour conversion.

Run with NGATU_TESTDATA set to a folder that holds videos/; prints tables and writes out/decode.json.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from vision.sources import open_source

FRAMES = 250
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", default="", help="only clips whose name holds this")
    parser.add_argument("--json", type=Path, default=Path("out/decode.json"))
    options = parser.parse_args()
    folder = os.environ.get("NGATU_TESTDATA")
    if not folder:
        sys.exit("NGATU_TESTDATA is not set: set it to the folder that holds the real clips in videos/.")
    clips = [clip for clip in sorted(Path(folder, "videos").glob("*.mp4")) if options.clip in clip.name]
    if not clips:
        sys.exit(f"{folder}/videos holds no such MP4 clips: check NGATU_TESTDATA and --clip.")
    results = {
        "cost": [cost(clip) for clip in clips],
        "conversion": [conversion(clip) for clip in clips],
        "exactness": [exactness(clip) for clip in clips],
    }
    titles = {
        "cost": "CPU ms a frame, decoding and BGR; wall ms in brackets",
        "conversion": "CPU ms a frame, YUV to BGR alone; error in levels against exact swscale (mean/99 %)",
        "exactness": "times (largest error, ms), seeking (frames off, of 5), a clip with 20 kB overwritten",
    }
    for name, rows in results.items():
        show(titles[name], rows)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1))


def show(title: str, rows: list[Row]) -> None:
    print(f"\n{title}")
    columns = list(rows[0])
    cells = [columns, *([str(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(columns))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def timed(work: Callable[[], int]) -> tuple[float, float]:
    """CPU and wall milliseconds per frame of ``work``, which returns how many frames it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    count = work()
    return (time.process_time() - cpu) * 1e3 / count, (time.perf_counter() - wall) * 1e3 / count


def cost(clip: Path) -> Row:
    def ours(threads: int, fps: float | None = None) -> int:
        with open_source(clip, threads=threads, fps=fps) as source:
            for frame in source:
                if frame.index >= FRAMES:
                    break
            return source.tally.read

    def theirs(threads: int) -> int:
        capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, threads])
        count = 0
        while count < FRAMES and capture.read()[0]:
            count += 1
        return count

    with open_source(clip) as source:
        row: Row = {
            "clip": clip.stem[:30],
            "size": "{}x{}".format(*source.size),
            "fps": round(source.nominal_fps or 0, 2),
        }
    for name, work in {
        "PyAV 1 thread": lambda: ours(1),
        "PyAV auto": lambda: ours(0),
        "PyAV 1 thread, 5 fps": lambda: ours(1, 5),
        "OpenCV 1 thread": lambda: theirs(1),
        "OpenCV auto": lambda: theirs(0),
    }.items():
        cpu, wall = min(timed(work) for _ in range(2))
        row[name] = f"{cpu:.2f} ({wall:.2f})"
    return row


def conversion(clip: Path) -> Row:
    with av.open(str(clip)) as container:
        frames = [frame for frame, _ in zip(container.decode(video=0), range(60), strict=False)]
    ours, exact, sharp = VideoReformatter(), VideoReformatter(), VideoReformatter()
    accurate = int(Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)

    def swscale(frame: VideoFrame) -> Any:
        return ours.reformat(frame, format="bgr24", threads=1).to_ndarray()

    def rounded(frame: VideoFrame) -> Any:
        flags = int(Interpolation.BILINEAR | Interpolation.ACCURATE_RND)
        return exact.reformat(frame, format="bgr24", interpolation=flags, threads=1).to_ndarray()

    def opencv(frame: VideoFrame) -> Any:
        return cv2.cvtColor(frame.to_ndarray(format="yuv420p"), cv2.COLOR_YUV2BGR_I420)

    cv2.setNumThreads(1)
    reference = sharp.reformat(frames[-1], format="bgr24", interpolation=accurate, threads=1).to_ndarray()
    row: Row = {"clip": clip.stem[:30], "matrix": {1: "709", 2: "none"}.get(frames[0].colorspace, "601")}
    for name, convert in {
        "swscale, one thread (ours)": swscale,
        "to_ndarray(bgr24)": lambda frame: frame.to_ndarray(format="bgr24"),
        "swscale accurate": rounded,
        "yuv420p + cvtColor": opencv,
    }.items():
        convert(frames[0])
        cpu, _ = timed(lambda convert=convert: sum(convert(frame) is not None for frame in frames))
        error = np.abs(convert(frames[-1]).astype(int) - reference)
        row[name] = f"{cpu:.3f}  {error.mean():.1f}/{np.percentile(error, 99):.0f}"
    return row


def exactness(clip: Path) -> Row:
    true, pictures = presentation(clip)
    with open_source(clip, threads=1) as source:
        mine = {frame.index: frame.time - source.start for frame in source}
        rate = source.nominal_fps or 25.0
    capture = cv2.VideoCapture(str(clip))
    reported = []
    while capture.read()[0]:
        reported.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3)
    nominal = [n / rate for n in range(len(true))]
    targets = [len(true) * n // 6 for n in range(1, 6)]
    row: Row = {
        "clip": clip.stem[:30],
        "frames": len(true),
        "dropped": len(true) - len(mine),
        "ours ms": worst(list(mine.values()), [true[n] for n in mine]),
        "OpenCV ms": worst(reported, true),
        "index/fps ms": worst(nominal, true),
        "seek PyAV": [seek_pyav(clip, pictures, true, n) for n in targets],
        "seek OpenCV": [seek_opencv(capture, pictures, n) for n in targets],
    }
    with tempfile.TemporaryDirectory() as folder:
        spoilt = Path(folder, "spoilt.mp4")
        data = bytearray(clip.read_bytes())
        middle = len(data) // 2
        data[middle : middle + 20_000] = random.Random(1).randbytes(20_000)  # noqa: S311
        spoilt.write_bytes(data)
        with open_source(spoilt, threads=1) as source:
            count, tally = sum(1 for _ in source), source.tally
        capture = cv2.VideoCapture(str(spoilt))
        theirs = 0
        while capture.read()[0]:
            theirs += 1
    row["damage: ours"] = f"{count} read, {tally.damaged + tally.undecodable} marked, {len(tally.gaps)} gaps"
    row["damage: OpenCV"] = f"{theirs} read, none marked"
    return row


def presentation(clip: Path) -> tuple[list[float], list[np.ndarray[Any, Any]]]:
    """True time of each frame in seconds since the first, and a thumbnail to tell it by."""
    times, pictures = [], []
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            times.append(float(frame.time))
            pictures.append(thumbnail(frame.to_ndarray(format="bgr24")))
    return [moment - times[0] for moment in times], pictures


def thumbnail(image: Any) -> np.ndarray[Any, Any]:
    return cv2.resize(image, (64, 36), interpolation=cv2.INTER_AREA).astype(np.int16)


def worst(times: list[float], true: list[float]) -> float:
    return round(max(abs(a - b) for a, b in zip(times, true, strict=False)) * 1e3, 1)


def off(image: Any, pictures: list[np.ndarray[Any, Any]], wanted: int) -> int:
    """By how many frames ``image`` misses the wanted one; of equal pictures the nearest counts."""
    differences = [float(np.abs(thumbnail(image) - picture).mean()) for picture in pictures]
    least = min(differences)
    return min((n - wanted for n, d in enumerate(differences) if d <= least + 0.02), key=abs)


def seek_pyav(clip: Path, pictures: list[np.ndarray[Any, Any]], true: list[float], wanted: int) -> int:
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        target = round(true[wanted] / stream.time_base) + (stream.start_time or 0)
        container.seek(target, stream=stream)
        for frame in container.decode(stream):
            if frame.pts is not None and frame.pts >= target:
                return off(frame.to_ndarray(format="bgr24"), pictures, wanted)
    return -wanted


def seek_opencv(capture: cv2.VideoCapture, pictures: list[np.ndarray[Any, Any]], wanted: int) -> int:
    capture.set(cv2.CAP_PROP_POS_FRAMES, wanted)
    read, image = capture.read()
    return off(image, pictures, wanted) if read else -wanted


if __name__ == "__main__":
    main()
