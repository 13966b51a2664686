"""``ngatu coverage`` on the sample city in a fresh database: what it tells and what it refuses."""

import csv
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import typer
import yaml
from openpyxl import load_workbook
from sqlalchemy import Engine, insert, select
from typer.testing import CliRunner

from service import city_cli, coverage_cli
from service.coverage.store import load_evidence
from service.storage import tables
from service.storage.base import Base
from service.storage.connect import open_database, reading, writing
from service.storage.drain import drain
from service.storage.messages import SegmentInfo
from service.storage.outbox import Outbox
from service.storage.partitions import ensure_months
from service.storage.record import Recorder
from vision import NgatuError

app = typer.Typer()
app.add_typer(city_cli.app, name="city")
app.command("coverage")(coverage_cli.coverage)

DAY = timedelta(days=1)
NOON = datetime(2026, 3, 10, 5, tzinfo=UTC)
"""Noon in Hà Nội."""
AT = ["--at", "2026-03-10T12:00"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the sample city since the first of January 2026, and the city's file beside it."""
    folder = tmp_path_factory.mktemp("sample")
    fill(folder, f"sqlite:///{folder}/ngatu.db")
    return folder


@pytest.fixture(scope="module")
def sample_postgres(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The same in a database of PostgreSQL, which each test copies."""
    folder = tmp_path_factory.mktemp("sample-postgres")
    with psycopg.connect(postgres.get_uri(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE sample TEMPLATE migrated")
    fill(folder, postgres.get_uri(database="sample"))
    with psycopg.connect(postgres.get_uri(), autocommit=True) as admin:  # a copy needs it unused
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'sample'")
    return postgres, folder


def fill(folder: Path, url: str) -> None:
    run("city", "sample", str(folder / "s.yaml"))
    run("city", "import", str(folder / "s.yaml"), "--at", "2026-01-01", "--apply", "--db", url)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """A copy of it in either database, which the commands take by default."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("sample"), tmp_path, dirs_exist_ok=True)
        url = f"sqlite:///{tmp_path}/ngatu.db"
    else:
        server, folder = request.getfixturevalue("sample_postgres")
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            admin.execute("DROP DATABASE IF EXISTS copied WITH (FORCE)")
            admin.execute("CREATE DATABASE copied TEMPLATE sample")
        url = server.get_uri(database="copied")
    monkeypatch.setenv("NGATU_DB", url)
    engine = open_database(url)
    yield engine
    engine.dispose()


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None, result.exception
    return result.stdout


def fault(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, NgatuError)
    return str(result.exception)


def health(
    engine: Engine,
    camera: str,
    start: datetime,
    end: datetime | None,
    seen: datetime | None = None,
    state: str = "ok",
) -> None:
    row = {"camera_id": camera, "started_at": start, "ended_at": end, "seen_at": seen, "state": state}
    with writing(engine) as connection:
        connection.execute(insert(tables.CameraHealth).values(reason="", detail={}, **row))


def counted(
    engine: Engine, camera: str, start: datetime, lengths: Sequence[int] = (60, 900), **row: Any
) -> None:
    """A segment that speaks for a camera, with one observed interval of each length."""
    segment = uuid4()
    about = {"kind": "recording", "source": "", "source_sha256": "", "model": "", "model_sha256": ""}
    with writing(engine) as connection:
        ensure_months(connection, Base.metadata.tables["observed"], [start])
        connection.execute(
            insert(tables.Segment).values(
                id=segment, camera_id=camera, view_sha256="", settings={}, started_at=start, **about
            )
        )
        if row.pop("authoritative", True):
            span = {"valid_from": start, "valid_to": start + timedelta(seconds=60)}
            connection.execute(insert(tables.Authority).values(camera_id=camera, segment_id=segment, **span))
        for length in lengths:
            values = {"observed_seconds": 60.0, "expected_seconds": 60.0, "status": "complete"} | row
            connection.execute(
                insert(tables.Observed).values(
                    segment_id=segment,
                    start=start,
                    length=length,
                    camera_id=camera,
                    revision=1,
                    final=True,
                    **values,
                )
            )


def figures(*arguments: str) -> dict[str, Any]:
    data = json.loads(run("coverage", "--format", "json", *arguments))
    return {each["kind"]: each for each in data["figures"]}


def test_a_city_that_nobody_watches_yet(engine: Engine) -> None:
    text = run("coverage", *AT)
    assert "Coverage of key sites at 2026-03-10 12:00 (Asia/Ho_Chi_Minh)" in text
    assert "│ key junctions    │    32 │ 27 = 84.3 % │" in text
    assert "│ key public areas │    10 │  8 = 80.0 % │" in text
    assert "key junctions: 100.0 % not reached; no date: no progress in the last 28 days" in text
    assert "ILLUSTRATIVE: 42 of 42 key sites are of the sample city and not real" in text
    assert "Not covered: 42 of 42 key sites" in text
    assert max(len(line) for line in text.splitlines() if line.startswith(("│", "┃", "┏"))) <= 100
    assert "nút giao trọng điểm" in run("coverage", *AT, "--language", "vi")


def test_the_sample_junction_once_its_cameras_work(engine: Engine) -> None:
    for camera in ("hoa-ban-cam1", "hoa-ban-cam2"):
        health(engine, camera, NOON - DAY, None, seen=NOON)
    now = figures(*AT)["junction"]
    assert (now["operational"], now["effective"]) == (1 / 32, 1 / 32)
    assert "Hoa Ban" not in run("coverage", *AT)
    period = figures("--from", "2026-03-08T12:00", "--to", "2026-03-10T12:00")["junction"]
    assert period["effective"] == pytest.approx(1 / 64, abs=1e-6)


def test_a_dead_worker_does_not_leave_its_cameras_fresh(engine: Engine) -> None:
    health(engine, "hoa-ban-cam1", NOON - DAY, None, seen=NOON - timedelta(minutes=10))
    assert figures(*AT)["junction"]["operational"] == 0
    rows = csv.DictReader(io.StringIO(run("coverage", *AT, "--format", "csv", "--gaps")))
    (why,) = [row["why"] for row in rows if row["site"] == "hoa-ban"]
    assert why == "hoa-ban-cam1: no picture since 2026-03-10 11:51; hoa-ban-cam2: no picture yet"
    health(engine, "hoa-ban-cam2", NOON - DAY, None, seen=NOON - timedelta(seconds=80))
    assert figures(*AT)["junction"]["operational"] == 1 / 32


def test_a_clip_that_was_counted_covers_its_minute(engine: Engine, tmp_path: Path) -> None:
    """Clip, outbox, database, coverage: no health is recorded, but the clip shows that cameras worked."""
    begin, end = NOON.timestamp(), (NOON + timedelta(minutes=1)).timestamp()
    with Outbox(tmp_path / "outbox.db") as outbox:
        for camera in ("hoa-ban-cam1", "hoa-ban-cam2"):
            recorder = Recorder(outbox, SegmentInfo(camera, "recording", begin, site="hoa-ban"))
            recorder.observe(begin, end)
            recorder.close(end)
        drain(outbox, engine)
    inside = figures("--at", "2026-03-10T12:00:30")["junction"]
    assert (inside["operational"], inside["effective"]) == (1 / 32, 1 / 32)
    minute = figures("--from", "2026-03-10T12:00", "--to", "2026-03-10T12:01")["junction"]
    data = yaml.safe_load(city_cli.sample_city())
    required = sum(
        len(site["approaches"]) for site in data["sites"] if "approaches" in site and site["is_key"]
    )
    assert minute["time_weighted"] == pytest.approx(4 / required, abs=1e-6)
    assert minute["effective"] == pytest.approx(1 / 32)
    assert figures("--at", "2026-03-10T12:02")["junction"]["operational"] == 0


def test_only_the_authoritative_segment_counts(engine: Engine) -> None:
    counted(engine, "hoa-ban-cam1", NOON, authoritative=False)
    begin, end = NOON.timestamp(), (NOON + timedelta(minutes=1)).timestamp()
    with reading(engine) as connection:
        assert load_evidence(connection, begin, end).observed == {}
    counted(engine, "hoa-ban-cam1", NOON, observed_seconds=45.0)
    with reading(engine) as connection:
        for until in (end, end + 5 * 86_400):
            assert load_evidence(connection, begin, until).observed["hoa-ban-cam1"].tolist() == [
                [begin, end, 0.75]
            ]


def test_a_state_that_was_never_closed_ends_with_the_next(engine: Engine) -> None:
    health(engine, "c", NOON, None, seen=None)
    health(engine, "c", NOON + DAY, None, seen=None, state="frozen")
    begin = NOON.timestamp()
    with reading(engine) as connection:
        states = load_evidence(connection, begin + 3600, begin + 2 * 86_400).health["c"]
    assert [(each.state, each.start - begin, each.end - begin) for each in states] == [
        ("ok", 0, 86_400),
        ("frozen", 86_400, 2 * 86_400),
    ]


def test_a_later_change_of_the_registry_changes_no_past_figure(engine: Engine) -> None:
    health(engine, "hoa-ban-cam1", NOON - DAY, NOON + DAY)
    period = ["--from", "2026-03-01", "--to", "2026-03-20", "--format", "csv"]
    before = run("coverage", *period)
    text = (
        Path("s.yaml")
        .read_text()
        .replace("is_key: true", "is_key: false")
        .replace("kind: junction, share: 1.0", "kind: junction, share: 0.5")
    )
    Path("s.yaml").write_text(text)
    run("city", "import", "s.yaml", "--at", "2026-03-20", "--apply")
    assert run("coverage", *period) == before
    assert figures("--at", "2026-03-20")["junction"]["sites"] == 0
    assert figures("--at", "2026-03-20")["junction"]["target"] == 0.5


def test_history_by_week(engine: Engine) -> None:
    rows = list(
        csv.DictReader(
            io.StringIO(
                run(
                    "coverage",
                    "--from",
                    "2026-03-02",
                    "--to",
                    "2026-03-18",
                    "--by",
                    "week",
                    "--format",
                    "csv",
                )
            )
        )
    )
    assert [row["start"] for row in rows if row["kind"] == "junction"] == [
        "2026-03-01T17:00:00.000Z",
        "2026-03-08T17:00:00.000Z",
        "2026-03-15T17:00:00.000Z",
    ]
    assert "2026-03-02 – 03-08" in run(
        "coverage", "--from", "2026-03-02", "--to", "2026-03-18", "--by", "week"
    )


def test_the_map_shows_every_key_site_and_no_address(engine: Engine) -> None:
    text = run("coverage", *AT, "--format", "geojson")
    assert "rtsp" not in text
    data = json.loads(text)
    assert len(data["features"]) == 42
    sample = next(each for each in data["features"] if each["id"] == "hoa-ban")
    assert sample["geometry"] == {"type": "Point", "coordinates": [106.2044, 21.2829]}
    assert sample["properties"]["effective"] is False
    assert sample["properties"]["why"].startswith("hoa-ban-cam1: no picture yet")


def test_the_workbook(engine: Engine) -> None:
    run(
        "coverage",
        "--from",
        "2026-03-09",
        "--to",
        "2026-03-11",
        "--format",
        "xlsx",
        "--out",
        "x/c.xlsx",
        "--language",
        "vi",
    )
    book = load_workbook("x/c.xlsx")
    assert book.sheetnames == ["Chỉ tiêu", "Diễn biến", "Điểm chưa đạt"]
    assert [cell.value for cell in book["Chỉ tiêu"][2]][:4] == [
        "nút giao trọng điểm",
        "2026-03-09 00:00",
        "2026-03-11 00:00",
        32,
    ]
    assert book["Diễn biến"].max_row == 1 + 2 * 2
    assert book["Điểm chưa đạt"].max_row == 1 + 42


def test_a_snapshot_keeps_what_was_reported(engine: Engine) -> None:
    for _ in range(2):
        run("coverage", *AT, "--snapshot")
    with reading(engine) as connection:
        rows = list(connection.execute(select(tables.CoverageSnapshot)).mappings())
    assert [(row["kind"], row["time"], row["sites"]) for row in rows] == [
        ("junction", NOON, 32),
        ("public_area", NOON, 10),
    ]
    assert rows[0]["installed"] == 27 / 32


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--at", "2999-01-01"], "--at 2999-01-01 lies in the future"),
        (["--at", "2026-01-01", "--from", "2026-01-01"], "give one of them"),
        (["--to", "2026-01-01"], "--to needs --from"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], "does not lie before the end"),
        (["--from", "soon"], "--from 'soon': write a day or moment"),
        (["--format", "xlsx"], "name it with --out"),
        (["--out", "x.txt"], "a table goes to the terminal"),
        (["--snapshot", "--from", "2026-01-02"], "leave --from and --to out"),
        (["--format", "json", "--out", "s.yaml/c.json"], "cannot write s.yaml/c.json"),
    ],
)
def test_mistakes(arguments: list[str], sentence: str, engine: Engine) -> None:
    assert sentence in fault("coverage", *arguments)


def test_an_empty_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGATU_DB", f"sqlite:///{tmp_path}/empty.db")
    assert "fill it with: ngatu city import" in fault("coverage")
