"""A city with two junctions whose workers say what the test says, and a clock that the test moves."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from service.alarms import AlarmEngine, Change
from service.alarms.facts import Disk
from service.alarms.store import open_rows
from service.api.hub import Snapshot
from service.api.live_state import camera_now, worker_now
from service.live.messages import ApproachLive, CameraReport, OutboxLive, WorkerReport
from service.storage.connect import connect, reading, writing
from tests.service.storage.conftest import migrated_file, postgres, url

__all__ = ["migrated_file", "postgres", "url"]

BEGIN = 1_781_000_000.0


def camera(name: str = "cam1", site: str | None = "hoa-ban", **told: Any) -> CameraReport:
    """A camera's report; live unless told otherwise."""
    state = told.pop("state", "live")
    return CameraReport(camera=name, site=site, state=state, since=told.pop("since", BEGIN), **told)


def approach(name: str = "north", **told: Any) -> ApproachLive:
    return ApproachLive(approach=name, **told)


@dataclass
class Told:
    """What one worker said last; ``heard`` is when, None for a moment ago."""

    cameras: list[CameraReport]
    outbox: OutboxLive = field(default_factory=OutboxLive)
    heard: float | None = None
    started: float = BEGIN - 100
    host: str = "box"


@dataclass
class Street:
    """The engine on a database, and what it is told."""

    engine: Engine
    now: float = BEGIN
    alarms: AlarmEngine = field(default_factory=AlarmEngine)
    workers: dict[str, Told] = field(default_factory=dict)
    expected: dict[str, str | None] = field(default_factory=dict)
    disks: list[Disk] = field(default_factory=list)

    def say(self, *cameras: CameraReport, worker: str = "w1", **told: Any) -> "Street":
        """Let a worker say something from now on."""
        self.workers[worker] = Told(list(cameras), **told)
        return self

    def fall_silent(self, worker: str = "w1") -> None:
        self.workers[worker] = replace(self.workers[worker], heard=self.now)

    def snapshot(self) -> Snapshot:
        heard = {}
        for name, told in self.workers.items():
            at = self.now - 0.2 if told.heard is None else told.heard
            cameras = [each.model_copy(update={"frame_time": at - 0.1}) for each in told.cameras]
            report = WorkerReport(
                worker=name,
                host=told.host,
                started=told.started,
                time=at,
                cameras=cameras,
                outbox=told.outbox,
            )
            heard[name] = (report, at)
        names = dict(self.expected)
        speaks: dict[str, tuple[CameraReport, tuple[WorkerReport, float]]] = {}
        for report, at in heard.values():
            for each in report.cameras:
                if each.camera not in speaks or speaks[each.camera][1][1] <= at:
                    speaks[each.camera] = (each, (report, at))
                names.setdefault(each.camera, each.site)
        cameras_now = []
        for name, site in sorted(names.items()):
            report_of, source = speaks.get(name, (None, None))
            cameras_now.append(camera_now(name, site, report_of, source, self.now))
        workers = tuple(worker_now(report, at, self.now) for report, at in heard.values())
        return Snapshot(self.now, tuple(cameras_now), workers)

    def wait(self, seconds: float, step: float = 2.0) -> list[Change]:
        """Let time pass in steps; returns what happened."""
        happened = []
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, self.now + step)
            with writing(self.engine) as connection:
                happened += self.alarms.step(self.now, self.snapshot(), connection, self.disks)
        return happened

    def restart(self) -> None:
        """Begin with a new engine, as the service does."""
        self.alarms = AlarmEngine()

    def open(self) -> list[str]:
        """Kinds of the open alarms."""
        with reading(self.engine) as connection:
            return sorted(row["kind"] for row in open_rows(connection))


def told(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.happened, change.alarm["kind"]) for change in changes]


@pytest.fixture
def engine(migrated_file: Path, tmp_path: Path) -> Iterator[Engine]:
    """A database of SQLite; what differs in PostgreSQL has a test of its own."""
    shutil.copy(migrated_file, tmp_path / "ngatu.db")
    engine = connect(f"sqlite:///{tmp_path / 'ngatu.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def street(engine: Engine) -> Street:
    return Street(engine)
