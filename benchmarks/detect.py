"""Milliseconds per frame of each detector, by stage and threads: ``python benchmarks/detect.py --help``."""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from vision.detection import MotionDetector, OnnxDetector, list_cards, load_detector
from vision.errors import NgatuError

Image = NDArray[np.uint8]
STAGES = ("preprocess", "infer", "postprocess")


def read_frames(video: Path | None, count: int) -> list[Image]:
    """Frames of ``video``, evenly over it; without one, noise (which has no boxes to decode)."""
    if video is None:
        noise = np.random.default_rng(0)
        return [noise.integers(0, 255, (360, 640, 3), np.uint8) for _ in range(count)]
    reader = cv2.VideoCapture(str(video))
    total = int(reader.get(cv2.CAP_PROP_FRAME_COUNT))
    frames = []
    for number in range(total):
        if not reader.grab():
            break
        if number % max(1, total // count) == 0:
            frames.append(np.asarray(reader.retrieve()[1], np.uint8))
    if not frames:
        raise NgatuError(f"{video}: no frame can be read.")
    return frames[:count]


def time_onnx(detector: OnnxDetector, frames: list[Image], rounds: int) -> dict[str, Any]:
    """Median milliseconds of each stage and, as the machine may be shared, the processor's time of all."""
    took: dict[str, list[float]] = {stage: [] for stage in STAGES}
    boxes = 0
    detector.detect(frames[0])
    cpu = time.process_time()
    for frame in frames * rounds:
        start = time.perf_counter()
        blob = detector.preprocess(frame)
        prepared = time.perf_counter()
        outputs = detector.infer(blob)
        inferred = time.perf_counter()
        boxes += len(detector.postprocess(outputs, (frame.shape[1], frame.shape[0])))
        done = time.perf_counter()
        for stage, seconds in zip(
            STAGES, (prepared - start, inferred - prepared, done - inferred), strict=True
        ):
            took[stage].append(seconds * 1e3)
    each = len(frames) * rounds
    row: dict[str, Any] = {stage: statistics.median(times) for stage, times in took.items()}
    row["total"] = statistics.median(map(sum, zip(*took.values(), strict=True)))
    return row | {"cpu": (time.process_time() - cpu) * 1e3 / each, "boxes": boxes / each}


def time_motion(detector: MotionDetector, frames: list[Image], rounds: int) -> dict[str, Any]:
    """The same for the detector that has no stages."""
    took, boxes = [], 0
    cpu = time.process_time()
    for frame in frames * rounds:
        start = time.perf_counter()
        boxes += len(detector.detect(frame))
        took.append((time.perf_counter() - start) * 1e3)
    each = len(took)
    total = statistics.median(took)
    return {"total": total, "cpu": (time.process_time() - cpu) * 1e3 / each, "boxes": boxes / each}


def measure(names: list[str], threads: list[int], frames: list[Image], rounds: int) -> list[dict[str, Any]]:
    """One row per detector and number of threads."""
    rows = []
    for name in names:
        for count in threads:
            cv2.setNumThreads(count)
            detector = load_detector(name, threads=count)
            if isinstance(detector, OnnxDetector):
                size = "{}x{}".format(*detector.input_size)
                times = time_onnx(detector, frames, rounds)
            else:
                size, times = "any", time_motion(detector, frames, rounds)
            rows.append({"detector": name, "input": size, "threads": count} | times)
    return rows


def print_table(rows: list[dict[str, Any]], title: str) -> None:
    columns = (*STAGES, "total", "cpu", "boxes")
    table = Table("detector", "input", "threads", *columns, title=title)
    for row in rows:
        cells = [f"{row[column]:.2f}" if column in row else "-" for column in columns]
        table.add_row(row["detector"], row["input"], str(row["threads"]), *cells)
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, help="frames to use; else noise of 640x360")
    parser.add_argument("--frames", type=int, default=20, help="how many different frames")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--detector", nargs="+", help="names; else every one there is")
    parser.add_argument("--json", type=Path, help="write the rows here too")
    options = parser.parse_args()
    frames = read_frames(options.video, options.frames)
    names = options.detector or [*(card.name for card in list_cards()), "motion"]
    rows = measure(names, options.threads, frames, options.rounds)
    height, width = frames[0].shape[:2]
    print_table(rows, f"ms per frame of {width}x{height} (median; cpu: mean of all cores)")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
