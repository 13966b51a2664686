"""Tracks of OTVision are counted with our views as if they were ours; what is wrong in a file is named."""

import bz2
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app as ngatu
from service.imports.ottrk import VEHICLES, ForeignFileError, import_tracks
from vision import TrackFile, VehicleClass

VIEW = """\
version: 1
gates:
  - {id: middle, line: [[0.5, 0.1], [0.5, 0.9]]}
"""
ZONE = "Asia/Ho_Chi_Minh"


def otvision(version: str, *, label: str = "car", track: int = 0, frames: int = 40) -> dict[str, Any]:
    """A vehicle that drives from left to right, 40 by 20 pixels, its middle at x = 20 * frame."""
    detections = []
    for frame in range(1, frames + 1):
        x, y = 20.0 * frame, 300.0
        if version != "1.0":
            x, y = x - 20, y - 10
        second = frame / 20
        occurrence = f"2026-03-10 07:00:{second:09.6f}" if version < "1.2" else str(1_773_100_800 + second)
        detections.append(
            {
                "class": label,
                "confidence": 0.8,
                "x": x,
                "y": y,
                "w": 40.0,
                "h": 20.0,
                "frame": frame,
                "occurrence": occurrence,
                "input_file_path": "a.otdet",
                "interpolated-detection": frame == 7,
                "first": frame == 1,
                "finished": frame == frames,
                "track-id": track,
            }
        )
    video = {"filename": "a", "width": 800.0, "height": 600.0, "recorded_fps": 20.0, "number_of_frames": 60}
    model = {"name": "YOLOv8", "weights": "yolov8s"}
    return {
        "metadata": {"otdet_version": version, "video": video, "detection": {"model": model}},
        "data": {"detections": detections},
    }


def write(path: Path, told: Any) -> Path:
    path.write_bytes(bz2.compress(json.dumps(told).encode()))
    return path


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_each_version_of_the_format_gives_the_same_tracks(version: str, tmp_path: Path) -> None:
    source = write(tmp_path / "a.ottrk", otvision(version))
    taken = import_tracks(source, tmp_path / "tracks.parquet", ZONE)
    assert (taken.tracks, taken.frames) == (1, 60)
    stored = TrackFile(tmp_path / "tracks.parquet")
    assert stored.size == (800, 600)
    frames = list(stored)
    index, time, tracks = frames[9]
    assert index == 10
    assert time == pytest.approx(1_773_100_800.5)
    assert tracks.xyxy.tolist() == [[180.0, 290.0, 220.0, 310.0]]
    assert tracks.class_id.tolist() == [VehicleClass.CAR]
    assert len(frames[-1][2]) == 0, "the road was empty, and seen"
    assert frames[-1][1] == pytest.approx(1_773_100_803.0)


def test_the_command_counts_them_with_a_view(tmp_path: Path) -> None:
    told = otvision("1.2", label="bicyclist")
    told["data"]["detections"] += otvision("1.2", label="pedestrian", track=5)["data"]["detections"]
    source = write(tmp_path / "a.ottrk", told)
    view = tmp_path / "v.yaml"
    view.write_text(VIEW)
    out = tmp_path / "out"
    ran = CliRunner().invoke(ngatu, ["import-tracks", str(source), "--view", str(view), "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    assert "40 pedestrian" in ran.output
    rows = (out / "crossings.csv").read_text().splitlines()
    assert len(rows) == 2
    assert "bicycle" in rows[1]
    assert "middle" in rows[1]


def test_the_class_of_a_track_is_that_of_all_its_detections(tmp_path: Path) -> None:
    told = otvision("1.2")
    for each in told["data"]["detections"][::5]:
        each["class"] = "truck"
    import_tracks(write(tmp_path / "a.ottrk", told), tmp_path / "t.parquet", ZONE)
    classes = {int(each) for _, _, tracks in TrackFile(tmp_path / "t.parquet") for each in tracks.class_id}
    assert classes == {VehicleClass.CAR}


def broken(change: Any) -> dict[str, Any]:
    told = otvision("1.2")
    change(told)
    return told


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda told: told.pop("metadata"), "metadata"),
        (lambda told: told["metadata"].update(otdet_version="9.1"), "9.1"),
        (lambda told: told["metadata"]["video"].pop("width"), "width"),
        (lambda told: told["metadata"]["video"].update(height=0), "height"),
        (lambda told: told["data"]["detections"][3].update(x="left"), r"detections\[3\].x"),
        (lambda told: told["data"]["detections"][3].update(x=float("inf")), r"detections\[3\].x"),
        (lambda told: told["data"]["detections"][3].update(occurrence="noon"), r"detections\[3\].occurrence"),
        (lambda told: told["data"].update(detections={}), "detections"),
        (lambda told: told["data"].update(detections=[]), "nothing to count"),
    ],
)
def test_what_is_wrong_is_named(change: Any, named: str, tmp_path: Path) -> None:
    source = write(tmp_path / "a.ottrk", broken(change))
    with pytest.raises(ForeignFileError, match=named):
        import_tracks(source, tmp_path / "t.parquet", ZONE)


@pytest.mark.parametrize(
    "content", [b"", b"not packed", bz2.compress(b"no json"), bz2.compress(b"{}" * 9)[:20]]
)
def test_a_file_that_is_none_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "a.ottrk"
    source.write_bytes(content)
    with pytest.raises(ForeignFileError, match=r"a\.ottrk"):
        import_tracks(source, tmp_path / "t.parquet", ZONE)
    with pytest.raises(ForeignFileError, match="does not exist"):
        import_tracks(tmp_path / "none.ottrk", tmp_path / "t.parquet", ZONE)


def test_every_class_is_one_of_ours() -> None:
    assert set(VEHICLES.values()) == set(VehicleClass) - {VehicleClass.UNKNOWN}


def test_a_real_file_of_theirs_is_counted(testdata: Path, tmp_path: Path) -> None:
    folder = testdata / "datasets" / "otvision-intersection"
    view = tmp_path / "v.yaml"
    view.write_text("version: 1\ngates:\n  - {id: south, line: [[0.171, 0.333], [0.44, 0.242]]}\n")
    passed = {}
    for name in ("Cars-Cyclist", "Cars-Truck"):
        source = folder / f"Testvideo_{name}_FR20_2020-01-01_00-00-00.ottrk"
        command = ["import-tracks", str(source), "--view", str(view), "--out", str(tmp_path / name)]
        ran = CliRunner().invoke(ngatu, [*command, "--tz", "Europe/Berlin"])
        assert ran.exit_code == 0, ran.output
        rows = (tmp_path / name / "crossings.csv").read_text().splitlines()
        header = rows[0].split(",")
        passed[name] = [row.split(",")[header.index("class")] for row in rows[1:]]
    # Their tracker has the cyclist, who is on the line in the first frames, from half a second beyond it on.
    assert passed == {"Cars-Cyclist": ["bicycle", "car"], "Cars-Truck": ["truck"]}
