"""A small city with an hour of made-up traffic behind the interface, and somebody of each role."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert

from service.api.app import create_app
from service.api.hub import LiveHub
from service.api.settings import ApiSettings
from service.auth.access import AuthSettings, Role
from service.auth.roles import ROLES
from service.auth.sessions import make_token, open_session
from service.coverage import figures_at, site_facts
from service.coverage.store import load_evidence, save_snapshot
from service.registry import CameraView, plan_import, read_files
from service.registry.store import load_history, save_changes
from service.registry.writing import view_data
from service.storage.connect import connect, reading, upgrade, writing
from service.storage.drain import drain
from service.storage.ids import content_sha256
from service.storage.outbox import Outbox
from service.storage.tables import Account, CameraHealth, CoverageSnapshot, Incident, ViewPicture
from tests.service.storage.traffic import DAY, NINE, crossings, interval, record, segment

CITY = """\
sites:
  - id: square
    kind: junction
    name: Ngã tư Quảng trường
    is_key: true
    lat: 21.28
    lon: 106.2
    ward: Phường Bắc Giang
    province: Bắc Ninh
    approaches:
      - {id: north, name: Lê Lợi, bearing: 180, lanes: 2, owner: cam1}
      - {id: south, name: Lê Lợi, bearing: 0, lanes: 2, owner: cam1}
  - {id: far, kind: junction, name: Xa, is_key: true, ward: Phường Đa Mai, province: Bắc Ninh, approaches: []}
  - {id: park, kind: public_area, name: Công viên, is_key: true}
cameras:
  - id: cam1
    site: square
    name: Cột số 1
    address: rtsp://viewer:${CAM_1}@192.0.2.1:554/1?token=${TOKEN}
    substream: rtsp://viewer:${CAM_1}@192.0.2.1:554/2?token=${TOKEN}
    view:
      version: 1
      gates:
        - {id: north-line, line: [[0.1, 0.5], [0.9, 0.5]], approach: north}
        - {id: south-line, line: [[0.1, 0.8], [0.9, 0.8]], approach: south}
        - {id: free-line, line: [[0.1, 0.2], [0.9, 0.2]]}
      movements:
        - {id: north-south, from: north-line, to: south-line, turn: through}
  - {id: cam2, site: square}
  - {id: park-cam, site: park}
targets:
  - {kind: junction, share: 0.9}
"""
SINCE = DAY - timedelta(days=30)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CROSSINGS = 500
WORKER_TOKEN = "w" * 40


@dataclass
class Clock:
    """The present of the service under test."""

    now: float = NOW.timestamp()

    def __call__(self) -> float:
        return self.now


def fill(engine: Engine, folder: Path) -> None:
    """The city, an hour of one camera, and something of everything else."""
    file = folder / "city.yaml"
    file.write_text(CITY, encoding="utf-8")
    since = SINCE.timestamp()
    changes = plan_import({}, read_files([file]), since).changes
    with writing(engine) as connection:
        save_changes(connection, {}, changes, since, seen_revision=0, now=since, actor="test")
    rows = [
        interval(approach, NINE + timedelta(seconds=10 * number))
        for number in range(360)
        for approach in ("north", "south")
    ]
    with Outbox(folder / "outbox.db") as outbox:
        record(outbox, segment(), crossings(NINE, 3600, CROSSINGS), 3600, intervals=rows)
        drain(outbox, engine)
    with writing(engine) as connection:
        for role in ROLES:
            about = {"login": role, "name": role, "role": role, "language": "en", "password_hash": ""}
            connection.execute(insert(Account).values(**about, created_at=NOW, failures=0))
        connection.execute(
            insert(CameraHealth).values(
                camera_id="cam1", started_at=NINE, seen_at=NOW, state="ok", reason="", detail={}
            )
        )
        connection.execute(
            insert(CameraHealth).values(
                camera_id="park-cam",
                started_at=NINE - timedelta(hours=1),
                ended_at=NINE,
                seen_at=NINE,
                state="offline",
                reason="no answer",
                detail={},
            )
        )
        for number in range(3):
            connection.execute(
                insert(Incident).values(
                    id=segment(f"c{number}").id,
                    site_id="square",
                    approach_id="north",
                    camera_id="cam1",
                    kind="wrong_way",
                    severity="warning",
                    started_at=NINE + timedelta(minutes=number),
                    details={"metres": 12.5},
                )
            )
    with writing(engine) as connection:
        history = load_history(connection)
        view = next(ref for ref in history if ref[0] == "views")
        drawn = history[view][0].record
        assert isinstance(drawn, CameraView)
        sha256 = content_sha256(view_data(drawn.view))
        picture = {"camera_id": "cam1", "view_sha256": sha256, "picture": b"\xff\xd8\xff street"}
        connection.execute(insert(ViewPicture).values(**picture, made_at=NINE))
        evidence = load_evidence(connection, SINCE.timestamp(), NOW.timestamp())
        facts = site_facts(history, evidence.health)
        save_snapshot(connection, figures_at(facts, evidence, history, NINE.timestamp()), NINE.timestamp())
    with reading(engine) as connection:
        assert connection.execute(CoverageSnapshot.__table__.select()).first()


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NGATU_KEY_FILE", str(folder / "key"))
        engine = connect(f"sqlite:///{folder / 'ngatu.db'}")
        upgrade(engine)
        fill(engine, folder)
        engine.dispose()
    return folder / "ngatu.db"


@pytest.fixture(autouse=True)
def _own_key(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGATU_KEY_FILE", str(filled.parent / "key"))


@pytest.fixture
def engine(filled: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(filled, tmp_path / "ngatu.db")
    engine = connect(f"sqlite:///{tmp_path / 'ngatu.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(clock: Clock) -> LiveHub:
    return LiveHub(clock)


@pytest.fixture
def app(engine: Engine, clock: Clock, hub: LiveHub) -> FastAPI:
    settings = AuthSettings(worker_token=WORKER_TOKEN, requests_per_minute=1_000_000)
    return create_app(engine, ApiSettings(), settings, hub=hub, clock=clock)


def token_of(engine: Engine, role: Role) -> str:
    """A token of somebody of a role."""
    now = datetime.now(UTC)
    with writing(engine) as connection:
        return make_token(connection, role, "test", role, now + timedelta(hours=1), now)[1]


def session_of(engine: Engine, role: Role) -> tuple[str, str]:
    """The cookie and CSRF token of somebody of a role who is logged in."""
    now = datetime.now(UTC)
    with writing(engine) as connection:
        return open_session(connection, role, "127.0.0.1", now, timedelta(hours=1))


As = Callable[[Role], TestClient]


@pytest.fixture
def as_role(app: FastAPI, engine: Engine) -> As:
    """``as_role("engineer")`` is a client with a token of that role."""

    def client(role: Role) -> TestClient:
        made = TestClient(app, base_url="http://localhost")
        made.headers["Authorization"] = f"Bearer {token_of(engine, role)}"
        return made

    return client


@pytest.fixture(scope="session")
def reader(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A viewer of a service that all tests share which change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NGATU_KEY_FILE", str(filled.parent / "key"))
        shared = tmp_path_factory.mktemp("shared") / "ngatu.db"
        shutil.copy(filled, shared)
        engine = connect(f"sqlite:///{shared}")
        settings = AuthSettings(worker_token=WORKER_TOKEN, requests_per_minute=1_000_000)
        app = create_app(engine, ApiSettings(), settings, clock=Clock())
        with TestClient(app, base_url="http://localhost") as client:
            client.headers["Authorization"] = f"Bearer {token_of(engine, 'viewer')}"
            yield client
        engine.dispose()


@pytest.fixture
def viewer(as_role: As) -> TestClient:
    return as_role("viewer")


@pytest.fixture
def engineer(as_role: As) -> TestClient:
    return as_role("engineer")


@pytest.fixture
def worker(app: FastAPI) -> TestClient:
    client = TestClient(app, base_url="http://localhost")
    client.headers["Authorization"] = f"Bearer {WORKER_TOKEN}"
    return client
