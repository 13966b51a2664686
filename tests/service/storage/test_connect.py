"""One URL opens the database, whatever it holds, and every schema of ours can be brought up to date."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.exc import StatementError

from service.storage.base import Base
from service.storage.connect import (
    MIGRATIONS,
    StorageError,
    connect,
    open_database,
    reading,
    schema_revision,
    shown,
    upgrade,
    writing,
)
from service.storage.drain import drain
from service.storage.outbox import Outbox
from service.storage.partitions import is_partition
from service.storage.tables import Camera, Site
from tests.service.storage.traffic import DAY, NINE, crossings, record, segment

REVISIONS = [script.revision for script in reversed(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions()))]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """An engine on a database without any table."""
    if request.param == "sqlite":
        engine = connect(f"sqlite:///{tmp_path / 'deep' / 'empty.db'}")
        yield engine
        engine.dispose()
        return
    server = request.getfixturevalue("postgres")
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE empty")
    engine = connect(server.get_uri(database="empty"))
    yield engine
    engine.dispose()
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute("DROP DATABASE empty WITH (FORCE)")


@pytest.mark.parametrize("revision", [None, *REVISIONS])
def test_every_earlier_schema_becomes_the_newest(empty: Engine, revision: str | None) -> None:
    if revision:
        upgrade(empty, revision)
    assert schema_revision(empty) == (revision, REVISIONS[-1])
    upgrade(empty)
    assert schema_revision(empty)[0] == REVISIONS[-1]
    upgrade(empty)


def test_a_camera_from_before_substreams_has_none_and_keeps_all_else(empty: Engine) -> None:
    upgrade(empty, "0003")
    names, at = "camera_id, site_id, address, valid_from", 0 if empty.dialect.name == "sqlite" else DAY
    with writing(empty) as connection:
        add = text(f"INSERT INTO cameras ({names}) VALUES ('cam1', 'a', 'rtsp://x/', :at)")  # noqa: S608
        connection.execute(add, {"at": at})
    upgrade(empty)
    with reading(empty) as connection:
        row = connection.execute(select(Camera.camera_id, Camera.address, Camera.substream)).one()
    assert tuple(row) == ("cam1", "rtsp://x/", "")


def test_the_schema_is_that_of_the_tables(engine: Engine, outbox: Outbox) -> None:
    record(outbox, segment(), crossings(NINE, 60, 10), 60)  # makes partitions, which are no difference
    drain(outbox, engine)
    with reading(engine) as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "table" or not is_partition(name or ""),
            },
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_first_start_makes_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine = open_database()
    with reading(engine) as connection:
        assert "crossings" in inspect(connection).get_table_names()
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
    assert (tmp_path / "ngatu-out" / "ngatu.db").is_file()
    engine.dispose()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_months_have_partitions_in_postgresql(engine: Engine, outbox: Outbox) -> None:
    december = NINE.replace(year=2025, month=12, day=31, hour=23, minute=59)
    record(outbox, segment(start=december), crossings(december, 120, 20), 120)
    drain(outbox, engine)
    with reading(engine) as connection:
        names = inspect(connection).get_table_names()
    assert {"crossings_y2025m12", "crossings_y2026m01", "observed_y2025m12"} <= set(names)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://host/db", "write sqlite:///"),
        ("nonsense", "write sqlite:///"),
        ("postgresql://someone:secret@127.0.0.1:1/db", "cannot use the database postgresql://someone:***@"),
        ("sqlite:////proc/nowhere/ngatu.db", "cannot make the folder"),
    ],
    ids=["another kind", "no URL", "no server", "no folder"],
)
def test_what_cannot_be_opened_is_one_sentence(url: str, message: str) -> None:
    with pytest.raises(StorageError) as caught:
        open_database(url)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_schema_of_a_newer_ngatu_is_not_touched(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(StorageError, match="newer ngatu"):
            open_database(engine.url.render_as_string(hide_password=False))
        with pytest.raises(StorageError, match="newer ngatu"):
            upgrade(engine)
    finally:
        with writing(engine) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": REVISIONS[-1]})


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is a text file, long enough not to look like an empty database")
    with pytest.raises(StorageError, match="not a database"):
        open_database(f"sqlite:///{tmp_path / 'text.db'}")


def test_tables_of_somebody_else_are_not_touched(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'other.db'}")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE crossings (name TEXT)"))
    with pytest.raises(StorageError, match="not made by ngatu"):
        open_database(f"sqlite:///{tmp_path / 'other.db'}")


def test_moments_come_back_as_they_were(engine: Engine) -> None:
    at = NINE.replace(microsecond=123457)
    with writing(engine) as connection:
        values = {"site_id": "a", "kind": "junction", "is_key": True, "valid_from": at}
        connection.execute(Site.__table__.insert().values(values))
    with reading(engine) as connection:
        row = connection.execute(select(Site.valid_from, Site.valid_to)).one()
    assert tuple(row) == (at, None)
    naive = Site.__table__.insert().values({**values, "valid_from": DAY.replace(tzinfo=None)})
    with writing(engine) as connection, pytest.raises(StatementError, match="no time zone"):
        connection.execute(naive)


def test_an_address_is_shown_without_its_password() -> None:
    assert shown(connect("postgresql://me:secret@db/city")) == "postgresql://me:***@db/city"
    assert "secret" not in shown(connect("postgresql://me@db/city?password=secret"))
