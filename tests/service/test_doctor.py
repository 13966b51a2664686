"""``ngatu doctor``: each thing that can be wrong is found, looking changes nothing, no secret is told."""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from sqlalchemy import Engine, func, insert, select, text
from typer.testing import CliRunner, Result

from service import city_cli
from service.demo import CLIP, sample_folder
from service.doctor import Finding, machine, words
from service.doctor.data import ASSUMED_CROSSINGS, check_disk, check_outboxes
from service.doctor.machine import check_clock
from service.doctor_cli import doctor
from service.storage.connect import open_database, reading, writing
from service.storage.messages import SegmentInfo
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from service.storage.tables import Approach, Audit
from vision import open_source

GIB = 2**30
START = datetime(2026, 3, 10, 9, tzinfo=UTC)

app = typer.Typer()
app.command("doctor")(doctor)
app.add_typer(city_cli.app, name="city")


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NGATU_DB", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(machine, "clock_is_kept", lambda: True)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ngatu.db"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["doctor", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def findings(*arguments: str) -> dict[str, list[dict[str, Any]]]:
    """What was found, by what was looked at."""
    result = run("--json", "--model", "motion", *arguments)
    told = json.loads(result.stdout)
    assert told["well"] == (result.exit_code == 0)
    by_check: dict[str, list[dict[str, Any]]] = {}
    for each in told["findings"]:
        by_check.setdefault(each["check"], []).append(each)
    return by_check


def one(check: str, *arguments: str) -> dict[str, Any]:
    (found,) = findings(*arguments)[check]
    return found


def cameras(url: str, **addresses: str) -> None:
    lines = [f"  - {{id: {name}, site: cho, address: '{address}'}}" for name, address in addresses.items()]
    head = ["sites:", "  - id: cho", "    kind: junction", "    approaches: [{id: north}]", "cameras:"]
    Path("city.yaml").write_text("\n".join([*head, *lines]), encoding="utf-8")
    arguments = ["city", "import", "city.yaml", "--at", "2026-01-01", "--apply", "--db", url]
    assert CliRunner().invoke(app, arguments).exit_code == 0


@pytest.fixture(autouse=True)
def _clips_are_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGATU_CAMERA_FOLDERS", "/")
    monkeypatch.setenv("NGATU_CAMERA_NETWORKS", "0.0.0.0/0")


# --- All of it ------------------------------------------------------------------------------------------


def test_where_all_is_well(engine: Engine, url: str) -> None:
    shutil.copy(sample_folder() / f"{CLIP}.mp4", "clip.mp4")
    cameras(url, cam1="clip.mp4")
    result = run("--db", url)
    assert result.exit_code == 0, result.stdout
    for said in (
        "weights as on the card (sha256 ",
        "decodes the sample clip: 5 frames, h264 1280x720",
        "schema 0",
        "nothing waits",
        "for 1 approaches",
        "kept on time",
        "1 of 1 cameras send pictures",
        "no fault",
    ):
        assert said in result.stdout
    assert "không có lỗi" in run("--db", url, "--language", "vi", "--model", "motion").stdout


def test_without_anything_there_yet_nothing_is_made() -> None:
    result = run("--model", "motion")
    assert result.exit_code == 0
    assert "there is no database yet" in result.stdout
    assert "ngatu db upgrade makes it" in result.stdout
    assert list(Path().iterdir()) == []


def test_a_detector_that_is_not_there() -> None:
    result = run("--model", "eagle")
    assert result.exit_code == 1
    assert "No detector is called 'eagle'" in result.stdout
    assert "faults: 1" in result.stdout


def test_weights_that_were_altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = Path(__file__).parents[2] / "models"
    for name in ("ngatu-n.toml", "ngatu-n.onnx"):
        shutil.copy(models / name, tmp_path / name)
    with (tmp_path / "ngatu-n.onnx").open("ab") as file:
        file.write(b"x")
    result = run("--model", str(tmp_path / "ngatu-n.toml"))
    assert result.exit_code == 1
    assert "sha256" in result.stdout


def test_a_decoder_that_gives_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / f"{CLIP}.mp4").write_bytes(b"no video")
    monkeypatch.setattr(machine, "sample_folder", lambda: tmp_path)
    assert one("decoder")["state"] == "fault"


# --- Database -------------------------------------------------------------------------------------------


def test_the_written_row_is_taken_back(engine: Engine, url: str) -> None:
    found = one("database", "--db", url)
    assert (found["state"], found["code"]) == ("ok", "database_ok")
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(Audit)) == 0


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE alembic_version SET version_num = '0000'", "database_schema"),
        (
            "CREATE TRIGGER closed BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'closed'); END",
            "database_no_write",
        ),
    ],
)
def test_a_database_at_fault(engine: Engine, url: str, statement: str, code: str) -> None:
    with writing(engine) as connection:
        connection.execute(text(statement))
    found = findings("--db", url)
    assert (found["database"][0]["state"], found["database"][0]["code"]) == ("fault", code)
    assert found["database"][0]["step"]


def test_a_database_that_is_away_is_told_without_its_password() -> None:
    result = run("--json", "--model", "motion", "--db", "postgresql://me:s3cret@127.0.0.1:1/ngatu")
    assert result.exit_code == 1
    assert "postgresql://me:***@127.0.0.1:1/ngatu" in result.stdout
    assert "s3cret" not in result.stdout


def test_an_address_that_is_none() -> None:
    assert "URL is not understood" in one("database", "--db", "ngatu.db")["found"]


# --- Outbox and disk ------------------------------------------------------------------------------------


def outbox_finding(folder: Path) -> Finding:
    (found,) = check_outboxes(folder)
    return found


def test_what_waits_in_an_outbox(tmp_path: Path) -> None:
    assert outbox_finding(tmp_path).code == "outbox_none"
    with Outbox(tmp_path / "clip" / "outbox.db") as outbox:
        assert outbox_finding(tmp_path).code == "outbox_ok"
        Recorder(outbox, SegmentInfo("cam1", "recording", START.timestamp()))
        found = outbox_finding(tmp_path)
        assert (found.state, found.code) == ("attention", "outbox_waiting")
        assert (found.values["waiting"], found.values["oldest"]) == (1, "2026-03-10 09:00 UTC")
        assert f"ngatu db drain {tmp_path}/clip/outbox.db" in str(words.step(found, "en"))
        outbox.reject(outbox.oldest(1)[0], "bad")
        assert outbox_finding(tmp_path).code == "outbox_rejected"


def test_an_outbox_that_cannot_take_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Outbox(tmp_path / "outbox.db"):
        monkeypatch.setattr("service.storage.outbox.shutil.disk_usage", lambda _: SimpleNamespace(free=0))
        found = outbox_finding(tmp_path)
    assert (found.state, found.code) == ("fault", "outbox_full")


def test_a_file_that_is_no_outbox(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_text("notes " * 1000)
    assert outbox_finding(tmp_path).state == "fault"


@pytest.mark.parametrize(
    ("free", "approaches", "state", "code"),
    [
        pytest.param(GIB // 2, 4, "fault", "disk_full", id="nearly full"),
        pytest.param(50 * GIB, 0, "ok", "disk_not_known", id="nothing in the registry"),
        pytest.param(50 * GIB, 4, "ok", "disk_ok", id="a junction on 50 GiB"),
        pytest.param(50 * GIB, 240, "attention", "disk_soon", id="60 junctions on 50 GiB"),
        pytest.param(500 * GIB, 240, "ok", "disk_ok", id="60 junctions on 500 GiB"),
    ],
)
def test_how_long_the_disk_lasts(
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    approaches: int,
    state: str,
    code: str,
) -> None:
    with writing(engine) as connection:
        rows = [
            {"site_id": "cho", "approach_id": str(n), "required": True, "valid_from": START}
            for n in range(approaches)
        ]
        if rows:
            connection.execute(insert(Approach), rows)
    monkeypatch.setattr("service.storage.check.shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    (found,) = check_disk(engine, tmp_path, now=START + timedelta(days=1))
    assert (found.state, found.code) == (state, code)
    if "crossings" in found.values:
        assert found.values["crossings"] == approaches * ASSUMED_CROSSINGS


# --- Clock ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "state", "code"),
    [
        (True, "ok", "clock_ok"),
        (None, "ok", "clock_not_known"),
        (False, "attention", "clock_not_kept"),
    ],
)
def test_who_keeps_the_clock(
    monkeypatch: pytest.MonkeyPatch, kept: bool | None, state: str, code: str
) -> None:
    monkeypatch.setattr(machine, "clock_is_kept", lambda: kept)
    (found,) = check_clock("Asia/Ho_Chi_Minh")
    assert (found.state, found.code) == (state, code)


@pytest.mark.parametrize(
    ("tz", "now", "code"), [("Mars", None, "clock_no_zone"), ("UTC", 0.0, "clock_wrong")]
)
def test_a_clock_that_cannot_be_right(tz: str, now: float | None, code: str) -> None:
    (found,) = check_clock(tz, now)
    assert (found.state, found.code) == ("fault", code)


# --- Cameras --------------------------------------------------------------------------------------------


def test_cameras_are_opened_and_secrets_kept(
    engine: Engine, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(sample_folder() / f"{CLIP}.mp4", "clip.mp4")
    cameras(
        url,
        away="rtsp://viewer:${CAM_AWAY}@127.0.0.1:1/1",
        file="clip.mp4",
        none="",
        unset="rtsp://viewer:${CAM_UNSET}@127.0.0.1:1/1",
    )
    monkeypatch.setenv("CAM_AWAY", "s3cret")
    monkeypatch.delenv("CAM_UNSET", raising=False)
    result = run("--db", url, "--json", "--model", "motion")
    assert "s3cret" not in result.stdout
    found = [each for each in json.loads(result.stdout)["findings"] if each["check"] == "camera"]
    assert [each["code"] for each in found] == [
        "camera_fault",
        "camera_ok",
        "camera_no_address",
        "camera_secret",
    ]
    assert "environment variable CAM_UNSET is not set" in found[3]["found"]
    assert result.exit_code == 1
    said = run("--db", url, "--model", "motion")
    assert "s3cret" not in said.stdout
    assert "1 of 4 cameras send pictures" in said.stdout
    assert "camera" not in findings("--db", url, "--no-cameras")


def test_a_camera_is_given_little_time(monkeypatch: pytest.MonkeyPatch, engine: Engine, url: str) -> None:
    asked: list[dict[str, Any]] = []

    def open_clip(_address: str, **how: Any) -> Any:
        asked.append(how)
        return open_source(sample_folder() / f"{CLIP}.mp4")

    monkeypatch.setattr("service.doctor.cameras.open_source", open_clip)
    cameras(url, cam1="rtsp://192.0.2.1/1")
    assert one("camera", "--db", url)["code"] == "camera_ok"
    assert asked[0]["open_timeout"] <= 5
    assert asked[0]["read_timeout"] <= 5


def test_many_cameras_alike_are_not_listed_one_by_one(engine: Engine, url: str) -> None:
    cameras(url, **{f"cam{n:02}": f"rtsp://v:${{CAM_UNSET}}@192.0.2.{n}/1" for n in range(20)})
    said = run("--db", url, "--model", "motion").stdout
    assert said.count("CAM_UNSET") == 6
    assert "and 14 more cameras like this" in said


def test_views_that_do_not_fit_their_junction(engine: Engine, url: str) -> None:
    cameras(url, cam1="")
    assert one("view", "--db", url, "--no-cameras")["code"] == "view_none"
    Path("city.yaml").write_text(
        "sites: [{id: cho, kind: junction, "
        "approaches: [{id: north, owner: cam1}, {id: east, owner: cam1}]}]\n"
        "cameras: [{id: cam1, site: cho, view: "
        "{version: 1, gates: [{id: n, line: [[0.1, 0.5], [0.9, 0.5]], approach: north}]}}]\n"
    )
    arguments = ["city", "import", "city.yaml", "--at", "2026-02-01", "--apply", "--db", url]
    told = CliRunner().invoke(app, arguments)
    assert "cho: no view shows east" in told.output
    found = one("view", "--db", url, "--no-cameras")
    assert (found["state"], found["code"]) == ("attention", "view_not_in_view")
    assert found["found"] == "cho: no view shows east, which must be seen"
    with writing(engine) as connection:  # as an older ngatu, or a program of somebody else, may have left it
        connection.execute(
            Approach.__table__.update().where(Approach.approach_id == "north").values(approach_id="x")
        )
    assert [each["code"] for each in findings("--db", url, "--no-cameras")["view"]] == [
        "view_unknown_approach",
        "view_not_in_view",
    ]
    assert run("--db", url, "--no-cameras", "--model", "motion").exit_code == 1


# --- Words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [words._FOUND, words._STEPS, words._ENDS], ids=["found", "steps", "ends"])
def test_both_languages_tell_the_same_values(table: dict[str, tuple[str, str]]) -> None:
    for code, (english, vietnamese) in table.items():
        in_each = (set(re.findall(r"{(\w+)", text)) for text in (english, vietnamese))
        assert len({frozenset(values) for values in in_each}) == 1, code


def test_whatever_is_not_well_has_a_next_step() -> None:
    """Or says it itself."""
    ends = ("_ok", "_none", "_built_in", "_not_known", "_secret")
    lacking = {code for code in words._FOUND if not code.endswith(ends)} - words._STEPS.keys()
    assert lacking == set()
