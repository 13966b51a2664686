"""Placing recordings: by the registry of the time when they were taken, and why one has no place."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from service.batch.find import Found, Places, find_recordings
from service.registry import History, apply_changes, plan_import, read_files
from tests.service.registry.cities import SMALL
from vision.errors import NgatuError
from vision.views import View

SINCE = datetime(2026, 3, 1, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")).timestamp()


@pytest.fixture
def history(tmp_path: Path) -> History:
    city = yaml.safe_load(SMALL)
    city["cameras"].append({"id": "cho-cam2", "site": "cho", "name": "Kênh 2"})
    file = tmp_path / "city.yaml"
    file.write_text(yaml.safe_dump(city, allow_unicode=True), encoding="utf-8")
    return apply_changes({}, plan_import({}, read_files([file]), SINCE).changes, SINCE)


def placed(folder: Path, *names: str, **places: object) -> Found:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return find_recordings(folder, Places(**places))  # type: ignore[arg-type]


def test_the_registry_tells_site_and_view(tmp_path: Path, history: History) -> None:
    names = ("b/cho-cam1_20260310-093000.mp4", "a/CHO_CAM1_20260310-083000.MP4", "notes.txt", ".cache/x.mp4")
    found = placed(tmp_path / "rec", *names, history=history)
    assert [each.path.name for each in found.placed] == [
        "CHO_CAM1_20260310-083000.MP4",
        "cho-cam1_20260310-093000.mp4",
    ]
    assert {(each.camera, each.site, each.view.version) for each in found.placed} == {("cho-cam1", "cho", 1)}
    assert found.unplaced == ()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("holiday.mp4", "tells no camera and start"),
        ("elsewhere_20260310-093000.mp4", "no camera 'elsewhere' in the registry"),
        ("cho-cam1_20260210-093000.mp4", "was not in the registry yet on 2026-02-10"),
        ("cho-cam2_20260310-093000.mp4", "camera cho-cam2 had no view"),
        ("ga-cam1_20260310-093000.mp4", "public area"),
        ("20260310-093000.mp4", "tells no camera"),
    ],
)
def test_why_a_recording_has_no_place(name: str, why: str, tmp_path: Path, history: History) -> None:
    found = placed(tmp_path / "rec", name, history=history)
    assert found.placed == ()
    assert why in found.unplaced[0].reason


def test_an_alias_says_which_camera_a_channel_is(tmp_path: Path, history: History) -> None:
    name = "ch01_20260310093000_20260310094500.mp4"
    found = placed(tmp_path / "rec", name, history=history, aliases={"ch01": "cho-cam1"})
    assert [each.camera for each in found.placed] == ["cho-cam1"]


def test_one_view_is_for_one_camera(tmp_path: Path) -> None:
    view = View.model_validate({"gates": [{"id": "g", "line": [[0.1, 0.5], [0.9, 0.5]]}]})
    names = ("a_20260310-093000.mp4", "b_20260310-093000.mp4")
    with pytest.raises(NgatuError, match="name it with --camera"):
        placed(tmp_path / "rec", *names, history={}, view=view)
    found = placed(tmp_path / "rec", history={}, view=view, camera="cam9")
    assert {each.camera for each in found.placed} == {"cam9"}


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match="is not a folder"):
        find_recordings(tmp_path / "nothing", Places({}))
