"""Alarms and their rules over HTTP: who may do what, pages, words, and what is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert, select

from service.storage.connect import reading, writing
from service.storage.tables import Alarm, Audit
from tests.service.api.conftest import _own_key, app, clock, engine, filled, hub, token_of

__all__ = ["_own_key", "app", "clock", "engine", "filled", "hub"]

DETAILS = {"level": "jammed", "space_mean_speed_kmh": 4.2, "queue_m": 62.0}


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def as_(engine: Engine, role: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(engine, role)}"}


@pytest.fixture
def ids(engine: Engine) -> list[str]:
    """Five alarms, the last one open."""
    numbers = [uuid4() for _ in range(5)]
    with writing(engine) as connection:
        for hour, number in enumerate(numbers):
            moment = datetime(2026, 3, 10, hour, tzinfo=UTC)
            row = {"id": number, "subject": f"jam:square:north{hour}", "kind": "jam", "severity": "warning"}
            row |= {"site_id": "square", "approach_id": "north", "camera_id": "cam1", "revision": 1}
            row |= {"raised_at": moment, "cleared_at": moment if hour < 4 else None, "details": DETAILS}
            connection.execute(insert(Alarm).values(row))
    return [str(number) for number in numbers]


def test_pages_of_the_history_and_words(client: TestClient, engine: Engine, ids: list[str]) -> None:
    viewer = as_(engine, "viewer")
    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = client.get("/v1/alarms", params=query, headers=viewer)
        assert answer.status_code == 200
        seen += [each["id"] for each in answer.json()["items"]]
        cursor = answer.json()["next"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    (now,) = client.get("/v1/alarms?open=true&language=vi", headers=viewer).json()["items"]
    assert (now["id"], now["title"]) == (ids[4], "Ùn tắc")
    assert now["text"] == "mức ùn tắc, 4 km/h, hàng chờ 62 m"
    one = client.get(f"/v1/alarms/{ids[4]}", headers=viewer).json()
    assert one["title"] == "Traffic jam", "the account's language"
    assert one["acknowledged_by"] is None
    assert client.get("/v1/alarms?open=false&kind=jam&site=square", headers=viewer).json()["next"] is None
    period = {"start": "2026-03-10T08:00:00+07:00", "end": "2026-03-10T03:00:00Z"}
    found = client.get("/v1/alarms", params=period, headers=viewer).json()["items"]
    assert [each["id"] for each in found] == [ids[2], ids[1]]
    table = client.get("/v1/alarms?format=csv", headers=viewer)
    assert table.text.count("\n") == 6


def test_acknowledging(client: TestClient, engine: Engine, ids: list[str]) -> None:
    path = f"/v1/alarms/{ids[4]}/acknowledge"
    refused = client.post(path, json={"note": ""}, headers=as_(engine, "viewer"))
    assert refused.status_code == 403
    done = client.post(path, json={"note": "Đã báo đội 3"}, headers=as_(engine, "operator"))
    assert done.status_code == 200
    assert (done.json()["acknowledged_by"], done.json()["note"], done.json()["revision"]) == (
        "operator",
        "Đã báo đội 3",
        2,
    )
    again = client.post(path, json={"note": "once more"}, headers=as_(engine, "operator"))
    assert again.json()["revision"] == 2
    late = client.post(path, json={"note": ""}, headers=as_(engine, "engineer"))
    assert (late.status_code, late.json()["detail"]) == (409, "operator has taken this alarm on")
    nothing = client.post(f"/v1/alarms/{uuid4()}/acknowledge", json={}, headers=as_(engine, "operator"))
    assert (nothing.status_code, nothing.json()["title"]) == (404, "not found")
    with reading(engine) as connection:
        rows = connection.execute(select(Audit.actor).where(Audit.action == "alarm.acknowledge")).all()
    assert [row.actor for row in rows] == ["operator"]


def test_rules(client: TestClient, engine: Engine) -> None:
    viewer, engineer = as_(engine, "viewer"), as_(engine, "engineer")
    rules = client.get("/v1/alarm-rules", headers=viewer).json()["items"]
    assert len(rules) == 12
    assert all(set(rule["settings"]) == set(rule["about"]) for rule in rules)
    assert not any(rule["own"] for rule in rules)
    body = {"enabled": True, "settings": {"raise_after_s": 300}}
    assert client.put("/v1/alarm-rules/jam", json=body, headers=engineer).status_code == 403
    site = client.put("/v1/sites/square/alarm-rules/jam", json=body, headers=engineer)
    assert (site.status_code, site.json()["site"]) == (200, "square")
    assert site.json()["settings"]["raise_after_s"] == 300
    assert site.json()["settings"]["levels"] == ["jammed", "F"]
    assert len(client.get("/v1/alarm-rules", headers=viewer).json()["items"]) == 13
    unknown = client.put("/v1/sites/nowhere/alarm-rules/jam", json=body, headers=engineer)
    assert unknown.status_code == 404
    machines = client.put("/v1/sites/square/alarm-rules/disk_low", json=body, headers=engineer)
    assert machines.json()["detail"] == "alarm disk_low is about machines, not a site: set it for the city"
    assert client.delete("/v1/sites/square/alarm-rules/jam", headers=engineer).status_code == 204
    assert len(client.get("/v1/alarm-rules", headers=viewer).json()["items"]) == 12
    administrator = as_(engine, "administrator")
    assert client.put("/v1/alarm-rules/jam", json=body, headers=administrator).json()["own"] is True
    assert client.delete("/v1/alarm-rules/jam", headers=administrator).status_code == 204


@pytest.mark.parametrize(
    ("settings", "field", "reason"),
    [
        ({"raise_after": 3}, "body.settings.raise_after", "alarm jam has no setting 'raise_after'; it has"),
        ({"raise_after_s": -1}, "body.settings.raise_after_s", "greater than or equal to 0"),
        ({"levels": []}, "body.settings.levels", "at least 1"),
        ({"severity": "huge"}, "body.settings.severity", "'information', 'warning' or 'critical'"),
    ],
)
def test_settings_that_are_refused(
    client: TestClient,
    engine: Engine,
    settings: dict[str, Any],
    field: str,
    reason: str,
) -> None:
    body = {"settings": settings}
    answer = client.put("/v1/sites/square/alarm-rules/jam", json=body, headers=as_(engine, "engineer"))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["field"] == field
    assert reason in answer.json()["detail"]
