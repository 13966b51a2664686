"""metrics.csv of ``ngatu count`` and ``recount``: a row an approach and interval, empty where not known."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.count import CountOptions, count_source
from service.recount import recount
from tests.conftest import MakeClip
from vision.errors import CalibrationError
from vision.track_store import TrackWriter
from vision.types import Tracks

SIZE = (320, 240)
FPS = 10
NAME = "ch01_20260310_072956.mp4"

VIEW = """name: a road from above
approaches:
  - {id: top, lanes: 1, free_speed_kmh: 36}
gates:
  - {id: line, approach: top, line: [[0.0, 0.8], [1.0, 0.8]]}
  - {id: other, approach: far, line: [[0.0, 0.1], [1.0, 0.1]]}
zones:
  - {id: stretch, kind: approach, approach: top, polygon: [[0.2, 0.1], [0.6, 0.1], [0.6, 0.8], [0.2, 0.8]]}
""".replace("approaches:\n", "approaches:\n  - {id: far}\n")
CALIBRATION = """calibration:
  points:
    - {image: [0, 0], ground: [0, 60]}
    - {image: [1, 0], ground: [80, 60]}
    - {image: [0, 1], ground: [0, 0]}
    - {image: [1, 1], ground: [80, 0]}
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, make_clip: MakeClip) -> Path:
    """Ten seconds, two vehicles of 8 m by 6 m that drive down at 10 m/s."""
    noise = np.random.default_rng(1).integers(70, 110, (SIZE[1] // 4, SIZE[0] // 4, 3), np.uint8)
    street = cv2.resize(noise, SIZE, interpolation=cv2.INTER_CUBIC)
    pictures = []
    for frame in range(10 * FPS):
        image = street.copy()
        for begin in (1.0, 3.0):
            bottom = round(40 * (frame / FPS - begin))
            if bottom > 0:
                image[max(0, bottom - 24) : bottom, 100:132] = (230, 40, 20)
        pictures.append(image)
    return make_clip(tmp_path_factory.mktemp("clip") / NAME, pictures, FPS)


def counted(clip: Path, folder: Path, text: str) -> Path:
    view = folder / "view.yaml"
    view.write_text(text, encoding="utf-8")
    count_source(CountOptions(str(clip), folder / "out", view, model="motion", interval=5.0, threads=1))
    return folder / "out"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_approach_and_interval(clip: Path, tmp_path: Path) -> None:
    found = rows(counted(clip, tmp_path, VIEW + CALIBRATION) / "metrics.csv")
    assert [(row["approach"], row["start"][11:19]) for row in found] == [
        (approach, start) for approach in ("far", "top") for start in ("00:29:55", "00:30:00", "00:30:05")
    ]
    top = [row for row in found if row["approach"] == "top"]
    assert [row["status"] for row in top] == ["partial", "observed", "partial"]
    assert sum(int(row["count"]) for row in top) == 2
    assert {row["light"] for row in top} <= {"day", "dusk", "night"}
    assert float(top[0]["space_mean_speed_kmh"]) == pytest.approx(36, rel=0.1)
    assert float(top[0]["density_per_km_lane"]) == pytest.approx(float(top[0]["density_per_km"]), abs=1e-3)
    far = [row for row in found if row["approach"] == "far"]
    assert far[0]["density_per_km"] == ""
    assert "no_zone: " in far[0]["reasons"]


def test_without_calibration_there_is_no_speed(clip: Path, tmp_path: Path) -> None:
    top = [row for row in rows(counted(clip, tmp_path, VIEW) / "metrics.csv") if row["approach"] == "top"]
    assert sum(int(row["count"]) for row in top) == 2
    assert float(top[0]["area_occupancy"]) > 0
    assert {row["area_occupancy_basis"] for row in top} == {"image"}
    for row in top:
        assert {row[name] for name in row if "kmh" in name or "per_km" in name} == {""}
        assert "not_calibrated: " in row["reasons"]


def test_a_recount_gives_the_same(clip: Path, tmp_path: Path) -> None:
    first = counted(clip, tmp_path, VIEW + CALIBRATION)
    recount(first / "tracks.parquet", tmp_path / "view.yaml", tmp_path / "again", 5.0)
    assert (tmp_path / "again" / "metrics.csv").read_bytes() == (first / "metrics.csv").read_bytes()


def test_a_view_without_zones_has_no_metrics(clip: Path, tmp_path: Path) -> None:
    out = counted(clip, tmp_path, VIEW[: VIEW.index("zones:")])
    assert not (out / "metrics.csv").exists()


def test_a_useless_calibration_is_told_with_its_file(clip: Path, tmp_path: Path) -> None:
    useless = CALIBRATION.replace("[80, 60]", "[1, 60]").replace("[80, 0]", "[0.5, 0]")
    with pytest.raises(CalibrationError, match=r"view\.yaml: calibration: "):
        counted(clip, tmp_path, VIEW + useless)


@pytest.mark.parametrize(("stops_at", "told"), [(192.0, ["line"]), (150.0, [])])
def test_a_gate_on_which_vehicles_wait_is_told(tmp_path: Path, stops_at: float, told: list[str]) -> None:
    view = tmp_path / "view.yaml"
    view.write_text(VIEW, encoding="utf-8")
    with TrackWriter(tmp_path / "tracks.parquet", SIZE) as writer:
        for frame in range(40 * FPS):
            bottom = min(40.0 + 4 * frame, stops_at) + max(0, frame - 35 * FPS) * 4
            box = np.array([[100, bottom - 24, 132, bottom]], np.float32)
            tracks = Tracks(box, np.ones(1, np.float32), np.full(1, 2, np.int8), np.ones(1, np.int64))
            writer.append(frame, 1e9 + frame / FPS, tracks)
    result = recount(tmp_path / "tracks.parquet", view, tmp_path / "out", 60.0)
    assert [crossing.gate for crossing in result.crossings] == ["line"]
    assert [note.split()[4] for note in result.notes] == told
