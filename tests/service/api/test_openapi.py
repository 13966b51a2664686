"""The description of the interface, and a fuzzer that holds it against a running server, by every role."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine

from service.api.app import create_app
from service.api.routes import doctor
from service.api.settings import ApiSettings
from service.auth.access import AuthSettings
from service.auth.addresses_guard import NetworkPolicy
from service.auth.roles import ROLES
from service.jobs import JobSettings
from tests.service.api.conftest import WORKER_TOKEN, Clock, session_of, token_of
from tests.service.api.serving import served

METHODS = ("get", "put", "post", "delete", "patch")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = {"viewer": 2, "operator": 1, "engineer": 3, "administrator": 2, "worker": 1}
"""Calls of each operation by each role; a session's own routes are called with a session."""


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield path, method, operation


@pytest.fixture(scope="module")
def schema(reader: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = TestClient(reader.app, base_url="http://localhost").get("/v1/openapi.json").json()
    return found


def test_operations_have_names_that_stay(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    names = [operation["operationId"] for _, _, operation in operations(schema)]
    assert len(set(names)) == len(names)
    # What integrations call; a name may be added here, never changed or taken away.
    assert set(names) >= {
        *("listSites", "readSite", "putSite", "endSite", "listApproaches", "readApproach", "putApproach"),
        *("endApproach", "listOwners", "readOwner", "putOwner", "endOwner", "listTargets", "readTarget"),
        *("putTarget", "listCameras", "readCamera", "putCamera", "endCamera", "tryCamera", "tryAddress"),
        *("readView", "listViews", "readViewVersion", "putView", "endView", "readViewPicture", "confirmView"),
        *("readLive", "readLiveCamera", "liveEvents", "livePicture", "liveStream", "reportLive"),
        *("reportPicture", "listCrossings", "listApproachIntervals", "listJunctionIntervals", "listCounts"),
        *("readUsualDay", "readReport", "readCoverage", "mapCoverage", "listAreaCoverage"),
        *("listReportedCoverage", "listHealth", "listIncidents", "listExclusions", "addExclusion"),
        *("readExclusion", "withdrawExclusion"),
    }


def test_every_operation_says_what_it_does_by_example(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        where = f"{method} {path}"
        assert operation.get("description"), where
        answers = {status: each for status, each in operation["responses"].items() if status.startswith("2")}
        assert answers, where
        assert {"401", "422", "429"} <= set(operation["responses"]), where
        if operation["tags"][0] in ("access",):
            continue
        for each in answers.values():
            content = each.get("content", {}).get("application/json", {"example": None})
            binary = content.get("schema", {}).get("format") == "binary"
            assert binary or "example" in content or "examples" in content, where


def test_errors_are_problems(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        for status, each in operation["responses"].items():
            if status >= "400":
                assert list(each["content"]) == ["application/problem+json"], (method, path, status)


def test_every_field_and_parameter_is_described(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (method, path, parameter["name"])
    for name, shape in schema["components"]["schemas"].items():
        for field, about in shape.get("properties", {}).items():
            said = json.dumps(about)
            assert '"description"' in said or "$ref" in said, (name, field)


@pytest.fixture
def fuzzed(engine: Engine, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A running server that waits for nothing and opens nothing."""
    monkeypatch.setattr(doctor, "_look", lambda _url, _services: [])
    auth = AuthSettings(worker_token=WORKER_TOKEN, requests_per_minute=10_000_000)
    limits = ApiSettings(
        stream_seconds=0.05,
        picture_seconds=0.05,
        test_seconds=0.5,
        networks=NetworkPolicy(networks=()),
        subscribers_per_caller=400,
    )
    app: FastAPI = create_app(engine, limits, auth, clock=clock)
    app.state.jobs = JobSettings(folder=tmp_path / "jobs", least_free_bytes=0)
    with served(app) as url:
        yield url


@pytest.mark.parametrize("role", EXAMPLES)
def test_a_fuzzer_finds_no_fault_and_nothing_undocumented(
    fuzzed: str, engine: Engine, schema: dict[str, Any], role: str
) -> None:
    headers = {"Authorization": f"Bearer {WORKER_TOKEN}"}
    cookie = {}
    if role in ROLES:
        headers = {"Authorization": f"Bearer {token_of(engine, role)}"}  # type: ignore[arg-type]
        value, csrf = session_of(engine, role)  # type: ignore[arg-type]
        cookie = {"Cookie": f"ngatu={value}", "X-CSRF-Token": csrf}
    api = schemathesis.openapi.from_dict(schema)
    faults: list[str] = []
    called = 0
    with httpx.Client(base_url=fuzzed, timeout=30):
        for result in api.get_all_operations():
            operation = result.ok()
            wrong = (called + list(EXAMPLES).index(role)) % 3 == 0
            mode = GenerationMode.NEGATIVE if wrong else GenerationMode.POSITIVE
            sent = cookie if operation.tags == ["access"] and cookie else headers
            called += 1
            try:
                try:
                    _call(operation, mode, fuzzed, sent, EXAMPLES[role])
                except Unsatisfiable:  # it takes nothing that could be wrong
                    _call(operation, GenerationMode.POSITIVE, fuzzed, sent, 1)
            except BaseExceptionGroup as group:
                faults += [f"{operation.label}: {each}" for each in group.exceptions]
            except AssertionError as error:
                faults.append(f"{operation.label}: {error}")
    assert called > 50
    assert not faults, "\n\n".join(faults[:5])


def _call(operation: Any, mode: GenerationMode, url: str, headers: dict[str, str], examples: int) -> None:
    """Call one operation some times and hold the answers against the description."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Any) -> None:
        answer = case.call(base_url=url, headers=headers, timeout=30)
        checks = CHECKS + ([negative_data_rejection] if mode is GenerationMode.NEGATIVE else [])
        case.validate_response(answer, checks=checks)

    call()
