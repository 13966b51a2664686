"""The commands of ``ngatu db``, as somebody types them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from service.db_cli import app
from service.storage.backup import restore
from service.storage.base import microseconds
from service.storage.check import check_database, database_status
from service.storage.connect import StorageError, connect, writing
from service.storage.drain import drain
from service.storage.outbox import Outbox
from service.storage.tables import Owner
from tests.service.storage.traffic import DAY, NINE, crossings, dump, own, record, segment


def ngatu_db(*arguments: object) -> Any:
    return CliRunner(env={"COLUMNS": "150"}).invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def filled(engine: Engine, outbox: Outbox) -> Engine:
    own(engine, north="cam1")
    record(outbox, segment(), crossings(NINE, 900, 200), 900)
    drain(outbox, engine)
    return engine


def test_upgrade_makes_a_database_and_says_what_it_did(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'ngatu.db'}"
    first, second = ngatu_db("upgrade", "--db", url), ngatu_db("upgrade", "--db", url)
    assert "schema none → " in first.output
    assert "nothing to do" in second.output
    assert ngatu_db("check", "--db", url).exit_code == 0


def test_a_backup_restores_to_the_same(
    request: pytest.FixtureRequest, url: str, filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if url.startswith("postgresql"):
        server = request.getfixturevalue("postgres")
        monkeypatch.setenv("PATH", f"{server.bin_path}{os.pathsep}{os.environ['PATH']}")
        with connect(server.get_uri()).connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
            admin.execute(text("DROP DATABASE IF EXISTS restored"))
            admin.execute(text("CREATE DATABASE restored"))
        target = server.get_uri(database="restored")
    else:
        target = f"sqlite:///{tmp_path / 'restored.db'}"
    made = ngatu_db("backup", tmp_path / "copy.backup", "--db", url)
    assert made.exit_code == 0, made.output
    done = ngatu_db("restore", tmp_path / "copy.backup", "--db", target)
    assert "restored, schema" in done.output, done.output
    restored = connect(target)
    assert dump(restored) == dump(filled)
    with pytest.raises(StorageError, match="is not empty"):
        restore(restored, tmp_path / "copy.backup")
    restored.dispose()
    again = ngatu_db("backup", tmp_path / "copy.backup", "--db", url)
    assert isinstance(again.exception, StorageError)
    assert "is there already" in str(again.exception)


@pytest.mark.parametrize("content", [b"not a backup at all" * 100, b""], ids=["text", "empty"])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(StorageError, match="is not a backup"):
        restore(connect(f"sqlite:///{tmp_path / 'new.db'}"), tmp_path / "copy")


def test_postgresql_without_its_tools_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = ngatu_db("backup", tmp_path / "copy", "--db", "postgresql://someone:secret@127.0.0.1:1/db")
    assert "pg_dump is not installed" in str(done.exception)


def test_the_check_finds_nothing_wrong_in_what_we_write(filled: Engine) -> None:
    assert check_database(filled, now=NINE + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("UPDATE movement_counts SET car = car + 1", "but its counts add up to"),
        ("UPDATE crossings SET segment_id = '00000000000000000000000000000000'", "belong to no segment"),
        ("UPDATE observed SET observed_seconds = 5000", "for longer than they last"),
        (
            "INSERT INTO authority (camera_id, segment_id, valid_from) "
            "SELECT camera_id, segment_id, '2026-03-10 09:05:00+00' FROM authority",
            "two segments speak",
        ),
    ],
    ids=["counts", "segment", "observed", "authority"],
)
def test_the_check_finds_damage(filled: Engine, damage: str, message: str) -> None:
    if filled.dialect.name == "sqlite":
        damage = damage.replace("'2026-03-10 09:05:00+00'", str(microseconds(NINE + timedelta(minutes=5))))
    with writing(filled) as connection:
        connection.execute(text(damage))
    problems = check_database(filled, now=NINE + timedelta(days=1))
    assert [problem for problem in problems if message in problem]


def test_the_check_finds_two_owners(filled: Engine) -> None:
    with writing(filled) as connection:
        values = {"site_id": "square", "approach_id": "north", "camera_id": "cam2", "valid_from": DAY}
        connection.execute(Owner.__table__.insert().values(values))
    (problem,) = check_database(filled, now=NINE + timedelta(days=1))
    assert problem.startswith("approach north of square has two owners from 2026-03-10")


def test_retention_from_the_command_line(url: str, filled: Engine) -> None:
    old = datetime.now(UTC) - NINE
    assert old > timedelta(days=31), "the traffic of these tests lies in the past"
    done = ngatu_db("retention", "--db", url)
    assert done.exit_code == 0, done.output
    assert "observed 60 s" in done.output
    assert "nothing has had its time yet" in ngatu_db("retention", "--db", url).output


def test_the_status_of_a_database_that_is_away_is_told_not_raised(filled: Engine) -> None:
    status = database_status(filled)
    assert status.error is None
    assert status.revision == status.newest
    assert (status.bytes or 0) > 0
    away = database_status(connect("postgresql://me:secret@127.0.0.1:1/db"))
    assert "cannot use the database" in str(away.error)
    assert "secret" not in str(away)
