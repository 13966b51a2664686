"""Fixtures of the tests of access: a fresh database, and hashes that take no time."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine

from service.auth import passwords
from service.storage.connect import connect, upgrade
from tests.service.auth.people import House, house


@pytest.fixture(scope="session")
def fresh_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fresh") / "ngatu.db"
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def engine(fresh_file: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(fresh_file, tmp_path / "ngatu.db")
    engine = connect(f"sqlite:///{tmp_path / 'ngatu.db'}")
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "HASHER", quick)
    monkeypatch.setattr(passwords, "_NOBODY", quick.hash("the password of nobody"))


@pytest.fixture
def home(engine: Engine) -> House:
    return house(engine)
