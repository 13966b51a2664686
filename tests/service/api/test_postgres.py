"""The same interface on PostgreSQL: every read, a change, and an excluded period."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from service.api.app import create_app
from service.auth.access import AuthSettings
from service.storage.base import Base
from service.storage.connect import connect
from tests.service.api.conftest import CROSSINGS, Clock, fill, token_of
from tests.service.api.test_reads import HOUR, READS
from tests.service.storage.conftest import postgres  # noqa: F401 - a fixture


@pytest.fixture
def on_postgres(postgres: Any, tmp_path: Path) -> Iterator[Engine]:  # noqa: F811 - a fixture
    address = postgres.get_uri(database="migrated")
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(f"TRUNCATE {', '.join(Base.metadata.tables)} RESTART IDENTITY")
    engine = connect(address)
    fill(engine, tmp_path)
    yield engine
    engine.dispose()


def test_it_works_on_postgresql(on_postgres: Engine) -> None:
    app = create_app(on_postgres, auth=AuthSettings(requests_per_minute=100_000), clock=Clock())
    client = TestClient(app, base_url="http://localhost")
    client.headers["Authorization"] = f"Bearer {token_of(on_postgres, 'engineer')}"
    for path, query in READS:
        answer = client.get(path, params=query)
        assert answer.status_code == 200, (path, answer.text)
    seen: set[str] = set()
    query: dict[str, Any] = {**HOUR, "camera": "cam1", "limit": 150}
    while True:
        page = client.get("/v1/crossings", params=query).json()
        seen |= {each["id"] for each in page["items"]}
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len(seen) == CROSSINGS
    site = client.get("/v1/sites/far")
    changed = client.put(
        "/v1/sites/far", json={**site.json(), "note": "x"}, headers={"If-Match": site.headers["etag"]}
    )
    assert changed.status_code == 200, changed.text
    odd = client.put("/v1/sites/odd", json={"id": "odd", "kind": "junction", "name": "a\x00b"})
    assert odd.status_code in (409, 422), odd.text
    body = {**HOUR, "site": "square", "reason": "roadworks"}
    added = client.post("/v1/exclusions", json=body)
    assert added.status_code == 201, added.text
    assert client.post(f"/v1/exclusions/{added.json()['id']}/withdraw").status_code == 200
