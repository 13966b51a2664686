"""HOTA, IDF1 and MOTA of ngatu's tracker and of ByteTrack, from the same boxes, beside exact truth.

Judged by ``trackers.eval``. Truth is the visible box of every vehicle of which at least 40 % is seen, parked
ones included; classes do not matter.
"""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.counting import SETTINGS, Boxes, Clip, find_boxes, tracker_of
from benchmarks.environments import find, last_error
from benchmarks.records import ROOT, Figure, Section
from vision.detection import load_detector

SEEN = 0.4
NAMES = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "switches")


def write_truth(truth: Path, target: Path) -> None:
    """The truth of a sample clip as a file of the MOT Challenge."""
    sides = ["visible_x1", "visible_y1", "visible_x2", "visible_y2"]
    table = pq.read_table(truth, columns=["frame", "vehicle", "visible_share", *sides]).to_pylist()
    lines = []
    for row in table:
        x1, y1, x2, y2 = (row[side] for side in sides)
        if x1 is not None and row["visible_share"] >= SEEN:
            box = f"{x1:.1f},{y1:.1f},{x2 - x1:.1f},{y2 - y1:.1f}"
            lines.append(f"{row['frame'] + 1},{row['vehicle']},{box},1,1,{row['visible_share']:.3f}")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_ours(boxes: Boxes, target: Path) -> None:
    """Our tracks of some boxes, as the peers' are written."""
    tracker = tracker_of(boxes)
    lines = []
    for number, (time, found) in enumerate(zip(boxes.times.tolist(), boxes.frames, strict=True), 1):
        tracks = tracker.update(time, found)
        for (x1, y1, x2, y2), which in zip(tracks.xyxy.tolist(), tracks.track_id.tolist(), strict=True):
            box = f"{x1:.1f},{y1:.1f},{x2 - x1:.1f},{y2 - y1:.1f}"
            lines.append(f"{number},{which},{box},1,-1,-1,-1")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measure(clips: Sequence[Clip], cache: Path, model: str = "ngatu-n-int8@640x352") -> Section:
    """Ours and the peers' tracks of the sample clips."""
    section = Section("Tracking beside exact truth, from the same boxes (trackers.eval)")
    environment = find("supervision")
    if environment.absent:
        section.notes.append(f"not run: {environment.absent}")
        return section
    detector: Any = load_detector(model)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        asked, sequences = [], {}
        counters = ["ngatu", *SETTINGS]
        for clip in clips:
            boxes = find_boxes(clip, model, detector, cache)
            truth = folder / f"{clip.name}.truth.txt"
            write_truth(clip.path.with_suffix(".truth.parquet"), truth)
            write_ours(boxes, folder / f"{clip.name}.ngatu.txt")
            asked.append(
                {"name": clip.name, "boxes": str(boxes.file), "rate": boxes.rate, "folder": str(folder)}
            )
            for counter in counters:
                tracks = folder / f"{clip.name}.{counter}.txt"
                sequences[f"{clip.name}|{counter}"] = {"truth": str(truth), "tracks": str(tracks)}
        try:
            ask(environment.python, "track", {"settings": SETTINGS, "clips": asked}, folder)
            judged = ask(environment.python, "judge", {"sequences": sequences}, folder)
        except RuntimeError as error:
            section.notes.append(f"not run: {error}")
            return section
    for counter in counters:
        figures = [judged[f"{clip.name}|{counter}"] for clip in clips]
        means = {name: sum(each[name] for each in figures) / len(figures) for name in NAMES}
        section.rows.append({"tracker": counter, **means})
    section.figures["tracking HOTA"] = Figure(section.rows[0]["HOTA"], "higher", floor=0.01)
    section.figures["tracking IDF1"] = Figure(section.rows[0]["IDF1"], "higher", floor=0.01)
    section.notes.append(f"means over {len(clips)} clips; boxes of {model}")
    return section


def ask(python: Path, what: str, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the peers' side answers.

    Raises:
        RuntimeError: it fails.
    """
    path = folder / f"{what}.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    script = ROOT / "benchmarks" / "peers" / "supervision_side.py"
    done = subprocess.run(
        [str(python), str(script), what, str(path)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(last_error(done.stderr))
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
