"""ONNX Runtime beside OpenVINO, our network beside yolo11n: core-ms a picture on one thread."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.environments import find, last_error
from benchmarks.records import ROOT, Figure, Section


def networks() -> list[dict[str, Any]]:
    """The weights that are there."""
    found = [
        {
            "name": f"{name} 448x256",
            "weights": str(ROOT / "models" / f"{name}.onnx"),
            "input": "images",
            "type": "uint8",
            "shape": [1, 3, 256, 448],
        }
        for name in ("ngatu-n", "ngatu-n-int8")
    ]
    weights = Path(os.environ.get("NGATU_TESTDATA", "."), "models", "yolo11n_dyn.onnx")
    if weights.is_file():
        found += [
            {
                "name": f"yolo11n {width}x{height}",
                "weights": str(weights),
                "input": "images",
                "type": "float32",
                "shape": [1, 3, height, width],
            }
            for width, height in ((640, 640), (640, 384))
        ]
    return found


def measure() -> Section:
    """All networks under both runtimes."""
    section = Section("Network alone: core-ms a picture, one thread")
    environment = find("openvino")
    if environment.absent:
        section.notes.append(f"not run: {environment.absent}")
        return section
    script = ROOT / "benchmarks" / "peers" / "openvino_side.py"
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder, "job.json")
        job.write_text(json.dumps({"networks": networks()}), encoding="utf-8")
        done = subprocess.run(
            [str(environment.python), str(script), str(job)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        section.notes.append(f"not run: {last_error(done.stderr)}")
        return section
    told = json.loads(done.stdout.splitlines()[-1])
    for row in told["rows"]:
        if "not_run" in row:
            section.notes.append(f"not run: {row['network']} under {row['runtime']}: {row['not_run']}")
        else:
            section.rows.append(
                {
                    "network": row["network"],
                    "runtime": row["runtime"],
                    "core-ms": row["core_ms"],
                    "what ran": row["precision"],
                }
            )
    ours = {row["network"]: row["core-ms"] for row in section.rows if row["runtime"] == "ONNX Runtime"}
    if "yolo11n 640x640" in ours:
        ratio = ours["yolo11n 640x640"] / ours["ngatu-n-int8 448x256"]
        section.figures["network, yolo11n at 640 over ngatu-n-int8"] = Figure(
            ratio, "higher", floor=0.15 * ratio
        )
    section.notes.append(", ".join(f"{name} {number}" for name, number in told["versions"].items()))
    return section
