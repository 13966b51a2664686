"""Drawing a view over HTTP: its state, faults while it is drawn, what has passed, and counting that again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from service.api.app import create_app
from service.api.settings import ApiSettings
from service.auth.access import AuthSettings
from service.drawing.archive import TrackArchive
from tests.service.api.conftest import WORKER_TOKEN, Clock, token_of
from tests.vision.scenes import SIZE, Car, follow, straight

SECONDS = 60.0
GATE = {"id": "across", "line": [[0.1, 0.5], [0.9, 0.5]], "approach": "north"}


@pytest.fixture
def client(engine: Engine, clock: Clock, tmp_path: Path) -> TestClient:
    """An engineer of a service that has kept a minute of cam1's tracks."""
    cars = [Car(straight((300 + 60 * n, 100 - 400 * n), (0, 100)), begin=4 * n) for n in range(12)]
    archive = TrackArchive(tmp_path / "tracks", "cam1", SIZE, {"model": "exact"})
    for index, (time, tracks) in enumerate(follow(cars, SECONDS, fps=10)):
        archive.append(index, clock() - SECONDS + (time - 1000.0), tracks)
    archive.close()
    settings = AuthSettings(worker_token=WORKER_TOKEN, requests_per_minute=1_000_000)
    app = create_app(engine, ApiSettings(tracks=tmp_path / "tracks"), settings, clock=clock)
    made = TestClient(app, base_url="http://localhost")
    made.headers["Authorization"] = f"Bearer {token_of(engine, 'engineer')}"
    return made


def period(clock: Clock, seconds: float = 3600.0) -> dict[str, str]:
    moments = (clock() - seconds, clock())
    return dict(
        zip(("start", "end"), (datetime.fromtimestamp(at, UTC).isoformat() for at in moments), strict=True)
    )


def test_it_is_said_how_it_stands_with_every_view(client: TestClient) -> None:
    (row,) = client.get("/v1/views").json()["items"]
    assert (row["camera"], row["version"], row["proposed"]) == ("cam1", 1, False)
    assert row["picture"]
    assert row["confirmed_at"] is None
    client.post("/v1/cameras/cam1/view/confirm")
    (row,) = client.get("/v1/views").json()["items"]
    assert row["confirmed_by"] == "engineer"


def test_faults_and_metres_are_told_together(client: TestClient) -> None:
    corners = [[0.35, 0.55], [0.6, 0.55], [0.7, 0.75], [0.25, 0.75]]
    ground: dict[str, Any] = {"rectangle": {"corners": corners, "length_m": 12, "width_m": 8}}
    body = {"gates": [{**GATE, "line": [[0.1, 0.5], [0.1, 0.5]]}], "calibration": ground}
    found = client.post("/v1/cameras/cam1/view/check", json=body).json()
    assert [each["field"] for each in found["faults"]] == ["gates.0.line"]
    assert found["calibration"]["usable"]
    assert found["calibration"]["grid"]
    half = {"gates": [GATE], "calibration": {"points": [{"image": [0.1, 0.1], "ground": [0, 0]}]}}
    found = client.post("/v1/cameras/cam1/view/check", json=half).json()
    assert found["calibration"] is None
    assert found["faults"][0]["field"] == "calibration.points"


def test_what_has_passed_is_proposed_from_tried_and_counted_again(client: TestClient, clock: Clock) -> None:
    proposed = client.post("/v1/cameras/cam1/view/propose").json()
    assert proposed["proposed"]
    assert proposed["gates"]
    tried = client.post("/v1/cameras/cam1/view/try", json={**period(clock), "view": {"gates": [GATE]}}).json()
    assert tried["crossings"] > 5
    assert tried["observed_seconds"] == pytest.approx(SECONDS, abs=0.5), "not the hour that was asked for"
    again = client.post("/v1/cameras/cam1/recount", json=period(clock)).json()
    assert again["observed_seconds"] == pytest.approx(SECONDS, abs=0.5)
    assert set(again["gates"]) <= {"north-line", "south-line", "free-line"}
    paths = client.get("/v1/cameras/cam1/paths").json()
    assert paths["width"] == SIZE[0]
    assert paths["paths"]


def test_where_nothing_passed_it_says_so(client: TestClient, clock: Clock) -> None:
    answer = client.post("/v1/cameras/cam2/view/propose")
    assert answer.status_code == 409
    assert "let it run" in answer.json()["detail"]
    clock.now += 86_400
    assert client.post("/v1/cameras/cam1/recount", json=period(clock)).status_code == 409
