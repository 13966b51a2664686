"""A database, a folder for jobs, and a few seconds of our own junction clip."""

import shutil
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from service.jobs import JobOptions, JobRunner, JobSettings, store
from service.jobs.uploads import sha256_of
from service.storage.connect import connect, reading, upgrade, writing
from vision import open_source

MakeClip = Callable[..., Path]
SAMPLES = Path(__file__).parents[3] / "sample_videos"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("jobs") / "ngatu.db"
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def engine(migrated: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(migrated, tmp_path / "ngatu.db")
    engine = connect(f"sqlite:///{tmp_path / 'ngatu.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def settings(tmp_path: Path) -> JobSettings:
    return JobSettings(folder=tmp_path / "jobs", least_free_bytes=0)


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory, make_clip: MakeClip) -> Path:
    """Six seconds of the sample junction, under a recorder's kind of name."""
    path = tmp_path_factory.mktemp("clip") / "cam1_20260310-093000.mp4"
    with open_source(SAMPLES / "hoa-ban_cam1_day_20260310-093000.mp4") as source:
        frames = [frame.image for frame in islice(source, 60)]
    return make_clip(path, frames, 10.0, options={"preset": "ultrafast", "crf": "26"})


class Desk:
    """Where jobs are handed in and looked after."""

    def __init__(self, engine: Engine, settings: JobSettings) -> None:
        self.engine, self.settings = engine, settings
        self.runner = JobRunner(engine, settings)

    def submit(self, path: Path, name: str | None = None, **options: Any) -> UUID:
        with writing(self.engine) as connection:
            row, _ = store.submit(
                connection,
                name=name or path.name,
                path=path,
                sha256=sha256_of(path),
                options=JobOptions(**options),
                login="an",
            )
        number: UUID = row["id"]
        return number

    def job(self, number: UUID) -> dict[str, Any]:
        with reading(self.engine) as connection:
            row = store.job(connection, number)
        assert row is not None
        return row

    def wait_for(self, number: UUID, *states: str, seconds: float = 120.0) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while (row := self.job(number))["state"] not in states:
            assert time.monotonic() < until, row
            time.sleep(0.1)
        return row


@pytest.fixture
def desk(engine: Engine, settings: JobSettings) -> Iterator[Desk]:
    desk = Desk(engine, settings)
    yield desk
    desk.runner.stop()
