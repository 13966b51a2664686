"""The end of ``ngatu demo``: counts go into a database and come back as figures of their junction."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.count import CountOptions, CountResult
from service.demo import CLIP, CLIP_2, VIEW, VIEW_2, sample_folder
from service.demo_chain import show_chain
from tests.service.storage.traffic import interval
from vision import Crossing, VehicleClass, load_view
from vision.sources import start_from_name

SECONDS = 60.0
TZ = "Asia/Ho_Chi_Minh"
Counts = dict[str, tuple[CountOptions, CountResult]]


def count(out: Path, clip: str, view: str, entered: dict[str, int]) -> tuple[CountOptions, CountResult]:
    """A made-up count of a sample clip: a vehicle at each gate, and sums of some approaches."""
    source = sample_folder() / f"{clip}.mp4"
    start = start_from_name(source.name, TZ)
    assert start is not None
    about = {"source": str(source), "source_sha256": clip, "model": "tiny", "model_sha256": "def"}
    moment = datetime.fromtimestamp(start, UTC)
    result = CountResult(
        view=load_view(sample_folder() / view),
        crossings=[
            Crossing(start + n, gate, "in", VehicleClass.MOTORCYCLE, 0.9, (0.5, 0.5), n)
            for n, gate in enumerate(["north", "east", "south", "west"])
        ],
        records=[interval(arm, moment, entered=number) for arm, number in entered.items()],
        spans=[(start, start + SECONDS)],
        summary={**about, "start_epoch": start, "elapsed_s": 12.5, "versions": {"ngatu": "0.1.0"}},
    )
    return CountOptions(source=str(source), out=out), result


@pytest.fixture
def counts(tmp_path: Path) -> Counts:
    first = count(tmp_path, CLIP, VIEW, {"north": 3, "east": 40, "south": 5})
    second = count(tmp_path / "cam2", CLIP_2, VIEW_2, {"north": 30, "east": 4, "west": 6})
    return {"hoa-ban-cam1": first, "hoa-ban-cam2": second}


def shown(counts: Counts, out: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, list[str]]]:
    """What is printed, and the cells of its tables by the first of each row."""
    show_chain(counts, out, TZ)
    said = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if line[:1] == "│"]
    return said, {row[0]: row[1:] for row in rows}


def test_the_chain_ends_in_figures_of_the_junction(
    counts: Counts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    shown(counts, tmp_path, capsys)
    said, rows = shown(counts, tmp_path, capsys)  # what an earlier run left does not stand in the way
    assert "4 crossings of camera hoa-ban-cam2 are in sqlite:///" in said
    # By the sums of the made-up interval: 4 in 10 s; 2.5 vehicles on 40 m; 20 m in 2.5 s.
    assert rows["east"] == ["hoa-ban-cam2", "10 of 900 s", "4", "1440", "62", "28.8", "12", "busy"]
    assert rows["west"][:3] == ["hoa-ban-cam2", "10 of 900 s", "6"]
    # Of each approach its owner's: the other camera's 30 and 40 are not added.
    assert rows["junction"][1:4] == ["10 of 900 s", "18", "6480"]
    assert re.search(r"effective +│ 100\.0 %", said)
    tables = [line for line in said.splitlines() if line[:1] in "┏┃┡│├└"]
    assert max(len(line) for line in tables) <= 100
    assert len(said.splitlines()) < 30


def test_an_approach_whose_camera_was_not_counted_has_no_figures(
    counts: Counts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, rows = shown({"hoa-ban-cam1": counts["hoa-ban-cam1"]}, tmp_path, capsys)
    assert rows["west"] == ["hoa-ban-cam2", "not observed", *[""] * 6]
    assert rows["junction"][2:4] == ["", ""], "three arms of four are no junction"
