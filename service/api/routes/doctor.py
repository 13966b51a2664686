"""What ``ngatu doctor`` finds on the service's machine, and what the service is made of."""

import json
import os
import platform
import subprocess
import sys
import threading
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from service.api.answers import json_bytes
from service.api.documents import given
from service.api.parameters import Language
from service.api.services import Administrator, Parts, Services
from service.api.shapes import Shape
from service.auth.problems import Problem
from service.doctor import Finding
from service.doctor.words import check_word, found, step
from service.storage.check import database_status

router = APIRouter(tags=["system"])

KEPT_S = 30.0
"""Findings are told again for so long before they are made anew."""

PATIENCE_S = 60.0

FINDING: dict[str, Any] = {
    "check": "clock",
    "name": "clock",
    "state": "ok",
    "code": "clock_ok",
    "found": "2026-03-10 09:30:00+07:00 (Asia/Ho_Chi_Minh), kept on time",
    "step": "",
}
DOCTOR: dict[str, Any] = {
    "at": "2026-03-10T02:30:00Z",
    "well": True,
    "findings": [FINDING],
    "versions": {"ngatu": "0.1.0", "python": "3.11.9"},
    "database": {"address": "sqlite:///ngatu.db", "revision": "0004", "bytes": 8_388_608, "free": 10**11},
}


class FindingOut(Shape):
    """What one check found."""

    check: str = Field(description="what was looked at, such as model, decoder, database, disk, clock")
    name: str = Field(description="the same in a word")
    state: Literal["ok", "attention", "fault"] = Field(description="how it is")
    code: str = Field(description="what was found")
    found: str = Field(description="the same in a sentence")
    step: str = Field(description="what to do; empty where all is well")


class DatabaseOut(Shape):
    """The database."""

    address: str = Field(description="its URL without the password")
    revision: str | None = Field(description="revision of its schema")
    bytes: int | None = Field(description="its size; null where it is not known")
    free: int | None = Field(description="bytes free on its disk; null where that is not known from here")


class DoctorOut(Shape):
    """Whether the service's machine is well."""

    at: datetime = Field(description="when it was looked at; it is told again for half a minute")
    well: bool = Field(description="whether there is no fault")
    findings: list[FindingOut] = Field(description="what was found, one a check")
    versions: dict[str, str] = Field(description="of the programs that run")
    database: DatabaseOut = Field(description="the database")


_looking = threading.Lock()
_last: dict[str, tuple[datetime, list[Finding]]] = {}


@router.get("/doctor", response_model=DoctorOut, responses=given(DOCTOR))
def read_doctor(_caller: Administrator, services: Parts, language: Language = "en") -> Response:
    """Look at the detector, the decoder, the clock, the database, outboxes, the disk and the views.

    It is done in a process of its own, one at a time. Cameras are not opened: /v1/live tells how they are.
    """
    at, findings = _findings(services)
    status = database_status(services.engine)
    told = {
        "at": at,
        "well": all(each.state != "fault" for each in findings),
        "findings": [_told(each, language) for each in findings],
        "versions": _versions(),
        "database": {
            "address": status.address,
            "revision": status.revision,
            "bytes": status.bytes,
            "free": status.free,
        },
    }
    return Response(json_bytes(told), media_type="application/json", headers={"Cache-Control": "no-store"})


def _findings(services: Services) -> tuple[datetime, list[Finding]]:
    """The last findings if they are fresh, else new ones; whoever asks meanwhile waits for the same."""
    url = services.engine.url.render_as_string(hide_password=False)
    with _looking:
        now = datetime.now(UTC)
        if url in _last and (now - _last[url][0]).total_seconds() < KEPT_S:
            return _last[url]
        _last.clear()
        _last[url] = now, _look(url, services)
        return _last[url]


def _look(url: str, services: Services) -> list[Finding]:
    tracks = services.settings.tracks
    # <folder>/live/tracks is where workers keep them; their outboxes lie below the same folder.
    results = Path("ngatu-out") if tracks is None else tracks.parent.parent
    command = [sys.executable, "-m", "service.cli", "doctor", "--json", "--no-cameras"]
    command += ["--results", str(results), "--tz", services.settings.tz]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "NGATU_DB": url},  # not in the arguments, which others on the machine can see
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        rows = json.loads(done.stdout)["findings"]
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
        raise Problem(
            503,
            "no answer",
            "the check did not end; try again, or run: ngatu doctor",
            headers={"Retry-After": "30"},
        ) from None
    return [Finding(row["check"], row["state"], row["code"], row["values"]) for row in rows]


def _told(finding: Finding, language: Literal["en", "vi"]) -> dict[str, Any]:
    return {
        "check": finding.check,
        "name": check_word(finding.check, language),
        "state": finding.state,
        "code": finding.code,
        "found": found(finding, language),
        "step": step(finding, language) or "",
    }


def _versions() -> dict[str, str]:
    names = ("ngatu", "fastapi", "sqlalchemy", "onnxruntime", "av")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
