"""``ngatu report`` as a user runs it: folders of counts in, tables and files out."""

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from service.demo import CLIP, VIEW, sample_folder
from service.reports.load import load_counted
from tests.service.reports.conftest import Ngatu
from tests.service.reports.junctions import Passing, quarters, write_folder

TRAFFIC: list[Passing] = [
    *quarters([9, 10, 12, 8, 3]),
    (100.0, "south", "in", "car", ""),
    (108.0, "west", "out", "car", "south-west"),
    (1000.0, "east", "in", "bus", ""),
]
"""43 crossings in 80 minutes, of which the last 5 minutes are a quarter seen in part."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "count", sorted(TRAFFIC), end=4800)


def one_sentence(text: str) -> str:
    assert text.startswith("ngatu: ")
    assert text.count("\n") == 1
    assert "Traceback" not in text
    return text


def values(sheet: Worksheet) -> list[list[object]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


# --- Tables ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["nhánh north", "06:30–06:45", "Total entering", "Peak hour", "0.81", "300 / 900 s", "U-turn"],
        ),
        ("vi", ["nhánh north", "06:30–06:45", "Tổng vào nút", "Giờ cao điểm", "0.81", "xe máy", "rẽ trái"]),
    ],
)
def test_the_table(folder: Path, ngatu: Ngatu, language: str, words: list[str]) -> None:
    ran = ngatu("report", folder, "--language", language)
    assert (ran.code, ran.err) == (0, "")
    for said in words:
        if said != "U-turn":  # nobody turned back, and what nobody made is not listed
            assert said in ran.out
    assert "U-turn" not in ran.out
    assert "quay đầu" not in ran.out


def test_another_interval_and_zone(folder: Path, ngatu: Ngatu) -> None:
    assert "05:15–05:20" in ngatu("report", folder, "--interval", "5m", "--tz", "Asia/Kathmandu").out
    ran = ngatu("report", folder / "crossings.csv", "--interval", "1h", "--tz", "Asia/Kathmandu")
    assert ran.code == 0
    assert "05:00–06:00" in ran.out
    assert "Asia/Kathmandu" in ran.out
    assert "05:15–06:15" in ran.out, "the peak hour comes from quarters all the same"


# --- Files ----------------------------------------------------------------------------------------------


def test_csv_to_a_pipe_and_to_a_file(folder: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    piped = ngatu("report", folder, "--format", "csv")
    ran = ngatu("report", folder, "--out", tmp_path / "new" / "report.csv")
    assert (ran.code, ran.err) == (0, "")
    assert (tmp_path / "new" / "report.csv").read_text(encoding="utf-8") == piped.out
    rows = list(csv.DictReader(io.StringIO(piped.out)))
    assert sum(int(row["count"]) for row in rows if row["kind"] == "gate") == len(TRAFFIC)
    assert rows[0]["start"] == "2026-03-10T06:30:00+07:00"
    assert rows[-1]["status"] == "partial"
    keys = {(r["start"], r["kind"], r["id"], r["direction"], r["class"]) for r in rows}
    assert len(keys) == len(rows) == 6 * (4 * 2 + 16) * 6


def test_json(folder: Path, ngatu: Ngatu) -> None:
    data = json.loads(ngatu("report", folder, "--format", "json", "--pcu", "none").out)
    assert data["peak_hour"] == {
        "start": "2026-03-10T06:30:00+07:00",
        "end": "2026-03-10T07:30:00+07:00",
        "volume": 41,
        "quarters": [10, 11, 12, 8],
        "phf": 0.8542,
    }
    assert data["pcu_standard"] is None
    assert data["intervals"][0]["movements"]["south-west"]["car"] == 1
    assert {(m["id"], m["from"], m["to"], m["turn"]) for m in data["movements"]} >= {
        ("south-west", "south", "west", "left"),
        ("north-north", "north", "north", "u_turn"),
    }


def test_parquet(folder: Path, tmp_path: Path, ngatu: Ngatu) -> None:
    assert ngatu("report", folder, "--out", tmp_path / "r.parquet").code == 0
    table = pq.read_table(tmp_path / "r.parquet")
    assert str(table.schema.field("start").type) == "timestamp[ms, tz=Asia/Ho_Chi_Minh]"
    gates = table.filter(table["kind"].to_numpy(zero_copy_only=False) == "gate")
    assert sum(gates["count"].to_pylist()) == len(TRAFFIC)


def test_the_workbook_is_laid_out_as_an_office_expects(tmp_path: Path, ngatu: Ngatu) -> None:
    """Title, site, date, approaches over their movements, totals, peak hour marked, what was not seen."""
    rows = [*TRAFFIC, *[(time + 5400, *rest) for time, *rest in quarters([2])]]
    folder = write_folder(tmp_path / "count", sorted(rows), end=6600, gaps=[(4500, 5400)])  # type: ignore[type-var]
    ran = ngatu("report", folder, "--out", tmp_path / "r.xlsx", "--language", "vi")
    assert (ran.code, ran.err) == (0, "")
    book = load_workbook(tmp_path / "r.xlsx")
    assert book.sheetnames[:4] == ["Tất cả các loại xe", "xe máy", "ô tô con", "xe buýt, xe khách"]
    assert book.sheetnames[4:] == ["PCU", "Theo giờ", "Ma trận đi - đến"]
    sheet = book.worksheets[0]
    table = values(sheet)
    assert "KẾT QUẢ ĐẾM XE THEO HƯỚNG RẼ" in str(table[0][0])
    assert [row[2] for row in table[1:4]] == ["Ngã tư thử", "10/03/2026", "Asia/Ho_Chi_Minh"]
    groups, turns = table[5], table[6]
    assert groups[2] == "nhánh north"
    assert turns[2:7] == ["rẽ phải", "đi thẳng", "rẽ trái", "quay đầu", "Vào nút"]
    assert {"C6:G6", "H6:L6"} <= {str(each) for each in sheet.merged_cells.ranges}
    total = turns.index("Tổng vào nút")
    body = table[7:15]
    assert [row[0] for row in body] == [
        "06:30", "06:45", "07:00", "07:15", "07:30", "07:45", "08:00", "08:15",
    ]  # fmt: skip
    assert [row[total] for row in body] == [10, 11, 12, 8, 3, None, 2, 0]
    assert [row[-1] for row in body] == ["đủ"] * 5 + ["không quan sát", "đủ", "một phần"]
    fills = [sheet.cell(8 + n, 3).fill.fgColor.rgb for n in range(8)]
    assert len(set(fills[:4])) == 1, "the peak hour is marked"
    assert fills[4] == fills[6]
    assert len({fills[0], fills[4], fills[5], fills[7]}) == 4
    assert table[15][total] == 46, "the totals"
    below = [str(cell) for row in table[16:] for cell in row if cell is not None]
    assert "06:30–07:30" in below
    assert "0.8542" in below
    assert any("không quan sát" in text for text in below)
    assert sheet.freeze_panes == "C8"
    assert sheet.page_setup.orientation == "landscape"
    motorcycles = values(book.worksheets[1])
    assert [row[total] for row in motorcycles[7:15]] == [9, 10, 12, 8, 3, None, 2, 0]
    assert [row[0] for row in values(book.worksheets[5])[7:10]] == ["06:00", "07:00", "08:00"]
    matrix = values(book.worksheets[6])
    assert matrix[5][1:5] == ["nhánh north", "nhánh east", "nhánh south", "nhánh west"]
    assert matrix[8][4] == matrix[10][5] == 1


# --- What is read ---------------------------------------------------------------------------------------


def test_recordings_that_follow_each_other_are_one_count(tmp_path: Path, ngatu: Ngatu) -> None:
    """The frame's duration between two files makes no quarter incomplete."""
    rows = quarters([9, 10, 12, 8])
    write_folder(tmp_path / "b", [row for row in rows if row[0] >= 1800], begin=1800, end=3599.96)
    write_folder(tmp_path / "a", [row for row in rows if row[0] < 1800], end=1799.96)
    data = json.loads(ngatu("report", tmp_path / "b", tmp_path / "a", "--format", "json").out)
    assert (data["peak_hour"]["volume"], data["peak_hour"]["phf"]) == (39, 0.8125)


def test_what_two_recordings_both_saw_is_counted_once(tmp_path: Path) -> None:
    rows = quarters([9, 10])
    write_folder(tmp_path / "a", [row for row in rows if row[0] < 902], end=902)
    write_folder(tmp_path / "b", [(899.5, "north", "in", "car", ""), *rows[9:]], begin=898, end=1800)
    counted = load_counted([tmp_path / "a", tmp_path / "b"])
    assert len(counted.crossings) == 19
    assert [note.values["count"] for note in counted.notes if note.key == "overlap"] == [1]


def test_two_cameras_at_the_same_time_are_refused(tmp_path: Path, ngatu: Ngatu) -> None:
    for name in ("cam1", "cam2"):
        write_folder(tmp_path / name, quarters([3]), end=900)
    ran = ngatu("report", tmp_path / "cam1", tmp_path / "cam2")
    assert ran.code == 1
    assert "saw the same 900 s" in one_sentence(ran.err)


def test_the_view_is_found_beside_the_count_or_done_without(tmp_path: Path) -> None:
    rows = [(1.0, "a", "in", "car", ""), (5.0, "b", "out", "car", "a-b"), (9.0, "b", "in", "car", "")]
    folder = write_folder(tmp_path / "x", rows, end=60, view=None)
    text = (folder / "crossings.csv").read_text().replace(",1\n", ",0\n").replace(",1\r", ",0\r")
    (folder / "crossings.csv").write_text(text)  # the first two are one vehicle
    counted = load_counted([folder])
    assert [note.key for note in counted.notes] == ["no_view"]
    (movement,) = counted.layout.movements
    assert (movement.id, movement.origin, movement.destination, movement.turn) == ("a-b", 0, 1, "")
    assert [gate.id for gate in counted.layout.gates] == ["a", "b"]


def test_without_a_summary_the_observed_time_is_an_assumption_and_says_so(folder: Path) -> None:
    (folder / "summary.json").unlink()
    counted = load_counted([folder])
    assert "span_assumed" in [note.key for note in counted.notes]
    times = [row[0] for row in TRAFFIC]
    assert counted.spans[0, 1] - counted.spans[0, 0] == pytest.approx(max(times) - min(times), abs=0.01)


def test_a_summary_speaks_for_its_own_crossings_alone(folder: Path) -> None:
    other = folder / "hand.crossings.csv"
    other.write_text((folder / "crossings.csv").read_text())
    assert "span_assumed" in [note.key for note in load_counted([other], folder / "drawn.view.yaml").notes]


def test_the_sample_truth_is_read_on_one_basis() -> None:
    """Its table tells each crossing twice, on the ground and by the box."""
    folder = sample_folder()
    counted = load_counted([folder / f"{CLIP}.crossings.csv"], folder / VIEW)
    assert len(counted.crossings) == 207
    assert [note.key for note in counted.notes] == ["basis", "span_assumed"]


def test_a_file_as_excel_saves_it(folder: Path, ngatu: Ngatu) -> None:
    path = folder / "crossings.csv"
    text = path.read_text(encoding="utf-8").replace(",", ";")
    path.write_text(text, encoding="utf-8-sig")
    data = json.loads(ngatu("report", folder, "--format", "json").out)
    assert sum(each["volume"]["total"] for each in data["intervals"]) == len(TRAFFIC) - 1


# --- Mistakes -------------------------------------------------------------------------------------------

HEADING = "time,gate,direction,movement,class\n"


@pytest.mark.parametrize(
    ("text", "arguments", "problem"),
    [
        pytest.param("", [], "is empty", id="an empty file"),
        pytest.param("when,gate\n1,2\n", [], "no column 'time' among when, gate", id="a column is missing"),
        pytest.param(HEADING + "soon,north,in,,car\n", [], "line 2: time: 'soon' is no time", id="time"),
        pytest.param(
            HEADING + "07:30:00,north,in,,car\n", [], "line 2: time: '07:30:00' has no date", id="no date"
        ),
        pytest.param(
            HEADING + "2026-03-10T07:30:00Z,up,in,,car\n",
            [],
            "line 2: gate: 'up' is not in the view",
            id="gate",
        ),
        pytest.param(
            HEADING + "2026-03-10T07:30:00Z,north,up,,car\n", [], "direction: 'up' is neither", id="direction"
        ),
        pytest.param(
            HEADING + "2026-03-10T07:30:00Z,north,in,,tram\n", [], "class: 'tram' is no vehicle", id="class"
        ),
        pytest.param(
            HEADING + "2026-03-10T07:30:00Z,north,out,n-s,car\n",
            [],
            "movement: 'n-s' is not in",
            id="movement",
        ),
        pytest.param(HEADING + "1,2,3,4,5,6\n", [], "6 cells under 5 headings", id="too many cells"),
        pytest.param(None, ["--tz", "Mars"], "--tz 'Mars' is no time zone", id="zone"),
        pytest.param(None, ["--interval", "7min"], "--interval '7min'", id="interval"),
        pytest.param(None, ["--format", "xlsx"], "add --out report.xlsx", id="a workbook to the terminal"),
        pytest.param(None, ["--out", "report.doc"], "must end in one of .csv", id="unknown suffix"),
        pytest.param(None, ["--pcu", "mcu-hanoi-2012"], "a table of MCU", id="other units"),
        pytest.param(None, ["--pcu", "none.toml"], "no table of equivalents", id="no such factors"),
        pytest.param(None, ["--view", "absent.yaml"], "cannot read the view absent.yaml", id="no view"),
    ],
)
def test_a_mistake_is_one_sentence(
    text: str | None, arguments: list[str], problem: str, folder: Path, ngatu: Ngatu
) -> None:
    if text is not None:
        (folder / "crossings.csv").write_text(text, encoding="utf-8")
    ran = ngatu("report", folder, *arguments)
    assert ran.code == 1
    assert problem in one_sentence(ran.err)


def test_a_folder_without_counts(tmp_path: Path, ngatu: Ngatu) -> None:
    ran = ngatu("report", tmp_path)
    assert ran.code == 1
    assert "crossings.csv: No such file" in one_sentence(ran.err)


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"start": 5, "end": 6}', '{"time_zone": "Mars"}', '{"start": "a", "end": "b"}']
)
def test_a_broken_summary(text: str, folder: Path, ngatu: Ngatu) -> None:
    (folder / "summary.json").write_text(text)
    assert "cannot be read as a summary" in one_sentence(ngatu("report", folder).err)
