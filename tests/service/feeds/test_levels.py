"""Levels of junctions as GeoJSON: the owners' word, the worst of all arms, and null where it is not known."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.hub import LiveHub
from service.live.messages import ApproachLive, CameraReport, WorkerReport
from tests.service.api.conftest import Clock


def say(
    hub: LiveHub, now: float, levels: dict[str, str | None], camera: str = "cam1", age: float = 5
) -> None:
    arms = [
        ApproachLive(approach=name, level=level, start=now - age - 10, end=now - age)
        for name, level in levels.items()
    ]
    told = CameraReport(
        camera=camera, site="square", state="live", since=now - 60, frame_time=now - 0.2, approaches=arms
    )
    hub.take(WorkerReport(worker=camera, started=now - 60, time=now, cameras=[told]), 1)


def square(client: TestClient) -> dict[str, Any]:
    answer = client.get("/v1/live/levels")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    features = {each["id"]: each for each in answer.json()["features"]}
    assert set(features) == {"square", "far"}, "junctions only"
    return dict(features["square"])


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ({"north": "free", "south": "slow"}, "slow"),
        ({"north": "free", "south": "free"}, "free"),
        ({"north": "free"}, None),
        ({"north": "free", "south": None}, None),
        ({"north": "jammed"}, "jammed"),
        ({}, None),
    ],
)
def test_a_level_is_the_worst_of_all_arms_or_not_known(
    viewer: TestClient, hub: LiveHub, clock: Clock, levels: dict[str, str | None], expected: str | None
) -> None:
    say(hub, clock.now, levels)
    found = square(viewer)
    assert found["properties"]["level"] == expected
    assert found["geometry"] == {"type": "Point", "coordinates": [106.2, 21.28]}


def test_neither_reserves_nor_old_figures_speak(viewer: TestClient, hub: LiveHub, clock: Clock) -> None:
    say(hub, clock.now, {"north": "jammed", "south": "jammed"}, camera="cam2")
    assert square(viewer)["properties"]["level"] is None, "cam2 owns nothing"
    say(hub, clock.now, {"north": "free", "south": "free"}, age=500)
    assert square(viewer)["properties"]["level"] is None, "too old"
    say(hub, clock.now, {"north": "free", "south": "busy"})
    assert square(viewer)["properties"]["level"] == "busy"
    clock.now += 30
    assert square(viewer)["properties"]["level"] is None, "the worker is silent"


def test_a_junction_without_position_has_no_geometry(viewer: TestClient) -> None:
    features = viewer.get("/v1/live/levels").json()["features"]
    far = next(each for each in features if each["id"] == "far")
    assert far["geometry"] is None
    assert far["properties"]["level"] is None


def test_it_needs_a_login(viewer: TestClient) -> None:
    del viewer.headers["Authorization"]
    assert viewer.get("/v1/live/levels").status_code == 401
