"""Comparing with a manual count over HTTP, and what the doctor finds."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.routes import doctor

HOUR = {"start": "2026-03-10T09:00:00Z", "end": "2026-03-10T10:00:00Z"}
CSV = {"Content-Type": "text/csv"}
As = Callable[[Any], TestClient]


def by_interval(reader: TestClient, factor: float = 1.0) -> str:
    """A manual count that is ours, or off by a factor."""
    rows = reader.get("/v1/counts", params={**HOUR, "site": "square", "kind": "gate"}).json()["items"]
    lines = ["start,gate,direction,class,count"]
    for row in rows:
        if row["approach"]:
            count = round(row["total"] * factor)
            lines.append(f"{row['start']},{row['item']},{row['direction']},all,{count}")
    return "\n".join(lines)


def test_a_manual_count_like_ours_agrees(reader: TestClient) -> None:
    answer = reader.post("/v1/reports/square/compare", params=HOUR, content=by_interval(reader), headers=CSV)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    whole = told["lines"][0]
    assert whole["kind"] == "all"
    assert whole["manual"] == whole["ours"] > 100
    assert whole["bias"] == whole["wape"] == 0
    assert told["geh_below_5_share"] == 1


def test_half_as_many_does_not(reader: TestClient) -> None:
    body = by_interval(reader, 0.5)
    told = reader.post("/v1/reports/square/compare", params=HOUR, content=body, headers=CSV).json()
    assert told["lines"][0]["bias"] == pytest.approx(1, abs=0.1)


def test_single_events_are_scored(reader: TestClient) -> None:
    rows = reader.get("/v1/crossings", params={**HOUR, "site": "square"}).json()["items"]
    lines = ["time,gate,direction,class"]
    lines += [f"{row['time']},{row['gate']},{row['direction']},{row['vehicle_class']}" for row in rows]
    body = "\n".join(lines)
    told = reader.post("/v1/reports/square/compare", params=HOUR, content=body, headers=CSV).json()
    assert told["lines"][0]["events"]["0.5"]["f1"] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("body", "headers", "status", "told"),
    [
        ("time,gate,direction,class\n10:00,nowhere,in,car\n", CSV, 422, "nowhere"),
        ("a,b\n1,2\n", CSV, 422, "manual.csv"),
        ("", CSV, 422, "manual.csv"),
        (b"\xff\xfe\x00", CSV, 422, "manual.csv"),
        ("a,b", {"Content-Type": "application/json"}, 415, "text/csv"),
        ("x\n" * 20_002, CSV, 413, "lines"),
        ("x" * (2**20 + 1), CSV, 413, "bytes"),
    ],
    ids=["gate", "columns", "empty", "binary", "json", "lines", "bytes"],
)
def test_what_is_no_manual_count_is_refused(
    reader: TestClient, body: str | bytes, headers: dict[str, str], status: int, told: str
) -> None:
    answer = reader.post("/v1/reports/square/compare", params=HOUR, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert told in answer.json()["detail"]
    assert "ngatu-compare" not in answer.text


def test_a_site_without_counts_has_nothing_to_compare_with(reader: TestClient) -> None:
    for site in ("far", "nowhere"):
        answer = reader.post(f"/v1/reports/{site}/compare", params=HOUR, content="a", headers=CSV)
        assert answer.status_code == 404


def test_the_doctor_is_for_administrators(as_role: As, reader: TestClient) -> None:
    assert reader.get("/v1/doctor").status_code == 403


def test_the_doctor_tells_what_it_found(as_role: As, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {
            "check": "clock",
            "state": "fault",
            "code": "clock_no_zone",
            "found": "",
            "step": "",
            "values": {"tz": "x"},
        }
    ]
    asked: list[dict[str, str]] = []

    def run(command: list[str], **options: Any) -> "subprocess.CompletedProcess[bytes]":
        asked.append(options["env"])
        assert command[0] == sys.executable
        assert not any("sqlite" in part for part in command)
        return subprocess.CompletedProcess(command, 1, json.dumps({"findings": rows}).encode(), b"")

    monkeypatch.setattr(doctor.subprocess, "run", run)
    client = as_role("administrator")
    told = client.get("/v1/doctor", params={"language": "vi"}).json()
    assert told["well"] is False
    assert told["findings"][0]["state"] == "fault"
    assert told["findings"][0]["step"]
    assert told["database"]["bytes"] > 0
    assert {"ngatu", "python"} <= set(told["versions"])
    assert client.get("/v1/doctor").json()["at"] == told["at"]
    assert len(asked) == 1, "findings are kept for a while"
    assert asked[0]["NGATU_DB"].startswith("sqlite")


def test_a_doctor_that_does_not_answer_is_told(as_role: As, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_options: Any) -> None:
        raise subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr(doctor.subprocess, "run", run)
    answer = as_role("administrator").get("/v1/doctor")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"


def test_the_report_says_whether_its_units_were_checked(reader: TestClient) -> None:
    told = reader.get("/v1/reports/square", params=HOUR).json()
    assert told["pcu_checked"] is False
    assert reader.get("/v1/reports/square", params={**HOUR, "pcu": "false"}).json()["pcu_checked"] is None
