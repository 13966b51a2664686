"""What joining boxes to vehicles costs the counts: ``python -m benchmarks.association --help``.

The network's boxes of composed clips are counted as ngatu tracks them, and as if the tracker knew the truth:

- ``perfect``: each box goes to the true vehicle that it overlaps, one to one; the rest, the false ones, are
  left out;
- ``broken``: the same, but a vehicle that is not found for longer than the tracker waits goes on as another;
- ``none false``: our tracker, without the false boxes;
- ``exact``: our tracker, with each true box in the place of its vehicle;
- ``both``: our tracker, without false boxes and with exact places.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.optimize import linear_sum_assignment

from benchmarks.counting import ROOT, Boxes, Clip, Score, count_tracks, find_boxes, judge, tracker_of
from benchmarks.density import boxes_by_frame
from benchmarks.sparing import sample_clips
from vision.detection import load_detector
from vision.geometry import box_iou
from vision.tracking import TrackerSettings
from vision.types import Detections, Tracks

OVERLAP = 0.35
"""Of a box with the whole vehicle, hidden parts too, from which it is that vehicle's."""
IN_SIGHT = 0.05
"""A vehicle of which less is seen has no box."""

Frames = Iterable[tuple[float, Tracks]]


@dataclass(frozen=True)
class Seen:
    """One frame's boxes and whose they are.

    Attributes:
        time: seconds from the start of the clip.
        boxes: all that the network found.
        vehicle: ``int64[N]`` the true vehicle of each; -1 where it is false.
        place: ``float32[N, 4]`` that vehicle's whole box; its own where it is false.
    """

    time: float
    boxes: Detections
    vehicle: NDArray[np.int64]
    place: NDArray[np.float32]

    @property
    def real(self) -> NDArray[np.bool_]:
        """Which are of some vehicle, ``bool[N]``."""
        return self.vehicle >= 0


def whose(clip: Clip, found: Boxes) -> list[Seen]:
    """Each frame of a clip with its boxes joined to the true vehicles, one to one, by overlap."""
    truth = boxes_by_frame(clip.path.with_suffix(".truth.parquet"), 0.0, 1, IN_SIGHT)
    frames = []
    for time, boxes, (_, true) in zip(found.times.tolist(), found.frames, truth, strict=False):
        overlap = box_iou(boxes.xyxy, true.xyxy)
        box, which = linear_sum_assignment(-overlap)
        fits = overlap[box, which] >= OVERLAP
        box, which = box[fits], which[fits]
        vehicle, place = np.full(len(boxes), -1), boxes.xyxy.copy()
        vehicle[box], place[box] = true.track_id[which], true.xyxy[which]
        frames.append(Seen(time, boxes, vehicle, place))
    return frames


def joined(frames: Iterable[Seen], patience: float = np.inf) -> Iterator[tuple[float, Tracks]]:
    """The true boxes as tracks of their vehicles, begun anew after ``patience`` seconds without one."""
    last: dict[int, tuple[float, int]] = {}
    newest = 0
    for seen in frames:
        ids = []
        for vehicle in seen.vehicle[seen.real].tolist():
            before, number = last.get(vehicle, (-np.inf, 0))
            if seen.time - before > patience or not number:
                newest += 1
                number = newest
            last[vehicle] = seen.time, number
            ids.append(number)
        boxes, order = seen.boxes[seen.real], np.argsort(ids)
        tracks = Tracks(boxes.xyxy, boxes.score, boxes.class_id, np.array(ids, np.int64))
        yield seen.time, tracks[order]


def tracked(found: Boxes, frames: Iterable[Seen], of: Callable[[Seen], Detections]) -> Frames:
    """What our tracker makes of the boxes that ``of`` takes from each frame."""
    tracker = tracker_of(found)
    return ((seen.time, tracker.update(seen.time, of(seen))) for seen in frames)


def in_place(seen: Seen) -> Detections:
    """All boxes, the true ones where their vehicles are."""
    return Detections(seen.place, seen.boxes.score, seen.boxes.class_id)


def ways(found: Boxes, frames: list[Seen]) -> dict[str, Frames]:
    """The tracks of a clip by what the tracker is told."""
    coast = TrackerSettings().coast
    return {
        "ngatu": tracked(found, frames, lambda seen: seen.boxes),
        "none false": tracked(found, frames, lambda seen: seen.boxes[seen.real]),
        "exact": tracked(found, frames, in_place),
        "both": tracked(found, frames, lambda seen: in_place(seen)[seen.real]),
        "broken": joined(frames, coast),
        "perfect": joined(frames),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clips", type=Path, default=ROOT / "sample_videos", help="folder of composed clips")
    parser.add_argument("--clip", default="", help="only those whose name holds this")
    parser.add_argument("--model", default="ngatu-n-int8@640x352", help="whose boxes are used")
    parser.add_argument("--cache", type=Path, help="folder that keeps the boxes; else they are not kept")
    options = parser.parse_args()
    detector = load_detector(options.model)
    table = Table(title=f"Counts from the boxes of {options.model} by what the tracker is told")
    for name in ("clip", "boxes", "false", "tracker", "true", "counted", "precision", "recall", "F1"):
        table.add_column(name, justify="left" if name in ("clip", "tracker") else "right")
    sums: dict[str, Score] = {}
    with tempfile.TemporaryDirectory() as made:
        for clip in sample_clips(options.clip, options.clips):
            found = find_boxes(clip, options.model, detector, options.cache or Path(made))
            clip = replace(clip, covered=(0.0, float(found.times[-1])))
            frames = whose(clip, found)
            boxes = sum(len(seen.boxes) for seen in frames)
            false = boxes - sum(int(seen.real.sum()) for seen in frames)
            for name, tracks in ways(found, frames).items():
                score = judge(clip, count_tracks(tracks, clip.view, found.size))
                sums.setdefault(name, Score()).add(score)
                table.add_row(clip.name, str(boxes), f"{false / max(boxes, 1):.2f}", name, *cells(score))
            table.add_section()
    for name, score in sums.items():
        table.add_row("all", "", "", name, *cells(score))
    Console().print(table)


def cells(score: Score) -> list[str]:
    """Some figures of a score, as text."""
    row = score.row()
    shares = [row[name] for name in ("precision", "recall", "f1")]
    return [str(score.truth), str(score.counted), *("-" if x is None else f"{x:.3f}" for x in shares)]


if __name__ == "__main__":
    main()
