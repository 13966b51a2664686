"""OpenTrafficCam's side: OTVision detects and tracks a clip, OTAnalytics counts it, as their programs do.

Runs in an environment of its own (otvision.txt); imports nothing of ngatu. Prints one JSON with what each
stage took and the crossings of the sections.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.update({"YOLO_VERBOSE": "false", "YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true"})

START = "2020-01-01_00-00-00"
"""When the clip begins; OTVision reads it from the file's name."""


def sections(lines: dict[str, list[list[float]]]) -> dict[str, Any]:
    """Lines, of two points or more, as sections, crossed by the middle of a box's bottom edge."""
    return {
        "sections": [
            {
                "id": name,
                "name": name,
                "type": "line",
                "relative_offset_coordinates": {"section-enter": {"x": 0.5, "y": 1.0}},
                "coordinates": [{"x": x, "y": y} for x, y in line],
                "plugin_data": {},
            }
            for name, line in lines.items()
        ],
        "flows": [],
    }


def with_batch(model: Path, folder: Path) -> Path:
    """The same weights with the note that the Ultralytics of OTVision asks for."""
    import onnx

    network = onnx.load(str(model))
    if "batch" not in {note.key for note in network.metadata_props}:
        network.metadata_props.add(key="batch", value="1")
    noted = folder / model.name
    onnx.save(network, str(noted))
    return noted


def configured(builder: Any, arguments: Any, update: Any) -> None:
    """Take its own arguments into its settings, as its programs do before they build."""
    builder.update_current_config.update(update.update(builder.get_config.get(arguments.get())))


def count(job: dict[str, Any]) -> dict[str, Any]:
    """Detect, track and count one clip in a folder."""
    folder = Path(job["folder"])
    clip = folder / f"clip_FR{job['rate']}_{START}.mp4"
    shutil.copyfile(job["clip"], clip)
    flow = folder / "clip.otflow"
    flow.write_text(json.dumps(sections(job["lines"])), encoding="utf-8")
    took = {}
    if job.get("tracks"):
        shutil.copyfile(job["tracks"], clip.with_suffix(".ottrk"))
    else:
        from OTVision.detect.file_based_detect_builder import FileBasedDetectBuilder
        from OTVision.track.builder import TrackBuilder

        began = time.process_time()
        weights = str(with_batch(Path(job["model"]), folder))
        asked = ["-p", str(clip), "-w", weights, "--expected-duration", str(job["seconds"]), "-o"]
        detect = FileBasedDetectBuilder(argv=asked)
        configured(detect, detect.get_detect_cli_args, detect.update_detect_config_with_ci_args)
        detect.build().start()
        took["detect_s"], began = time.process_time() - began, time.process_time()
        track = TrackBuilder(argv=["-p", str(clip.with_suffix(".otdet")), "-o"])
        configured(track, track.get_track_cli_args, track.update_track_config_with_cli_args)
        track.build().start()
        took["track_s"] = time.process_time() - began
    before = os.times()
    asked = ["--ottrks", str(clip.with_suffix(".ottrk")), "--otflow", str(flow), "--event-formats", "csv"]
    asked += ["--save-dir", str(folder), "--save-name", "counted"]
    asked += ["--no-track-export", "--no-track-statistics-export"]
    subprocess.run(
        [sys.executable, "-m", "OTAnalytics", "--cli", *asked],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    after = os.times()
    user, system = after.children_user - before.children_user, after.children_system - before.children_system
    took["count_s"] = user + system
    return {"took": took, "events": events(folder)}


def events(folder: Path) -> list[dict[str, Any]]:
    """The crossings of sections that OTAnalytics exported."""
    start = datetime.strptime(START, "%Y-%m-%d_%H-%M-%S").timestamp()
    found = []
    for table in folder.glob("counted*events*.csv"):
        with table.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            if row["event_type"] == "section-enter":
                moment = datetime.fromisoformat(row["occurrence"]).replace(tzinfo=None).timestamp()
                found.append(
                    {
                        "time": moment - start,
                        "section": row["section_name"],
                        "class": row["road_user_type"],
                    }
                )
    return found


def main() -> None:
    match sys.argv[1:]:
        case ["count", job]:
            told = count(json.loads(Path(job).read_text(encoding="utf-8")))
            told["versions"] = {name: version(name) for name in ("otvision", "otanalytics", "torch")}
            print("\n" + json.dumps(told))
        case _:
            sys.exit("otvision_side.py is started by the benchmarks: count JOB")


if __name__ == "__main__":
    main()
