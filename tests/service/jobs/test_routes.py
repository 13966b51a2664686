"""Jobs over HTTP: an upload goes to the disk, is looked at, counted, and its files are fetched."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from service.api.app import create_app
from service.auth.access import AuthSettings
from service.jobs import JobRunner, JobSettings
from tests.service.api.conftest import _own_key, engine, filled, token_of

__all__ = ["_own_key", "engine", "filled"]


@pytest.fixture
def settings(tmp_path: Path) -> JobSettings:
    recordings = (tmp_path / "recordings",)
    return JobSettings(
        folder=tmp_path / "jobs", recordings=recordings, least_free_bytes=0, upload_bytes=8_000_000
    )


@pytest.fixture
def client(engine: Engine, settings: JobSettings) -> Iterator[TestClient]:
    auth = AuthSettings(large_bodies={"/v1/jobs": settings.upload_bytes + 2**20})
    app = create_app(engine, auth=auth)
    app.state.jobs = settings
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def as_(engine: Engine, role: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(engine, role)}"}


def test_upload_count_and_fetch(
    client: TestClient,
    engine: Engine,
    settings: JobSettings,
    short_clip: Path,
) -> None:
    operator = as_(engine, "operator")
    form = {"file": ("../cam1_20260310-093000.mp4", short_clip.read_bytes(), "video/mp4")}
    options = {"options": json.dumps({"camera": "cam1", "fps": 5})}
    made = client.post("/v1/jobs", files=form, data=options, headers=operator)
    assert made.status_code == 201, made.text
    job = made.json()
    assert (job["state"], job["name"], job["created_by"]) == (
        "queued",
        "cam1_20260310-093000.mp4",
        "operator",
    )
    assert job["counts"] is None
    assert [each.name for each in (settings.folder / "uploads").iterdir()] == [f"{job['sha256']}.mp4"]
    again = client.post("/v1/jobs", files=form, data=options, headers=operator)
    assert (again.status_code, again.json()["id"]) == (200, job["id"])
    assert JobRunner(engine, settings).work()
    path = f"/v1/jobs/{job['id']}"
    done = client.get(path, headers=as_(engine, "viewer")).json()
    assert (done["state"], done["progress"]) == ("done", 1.0), done["message"]
    assert done["summary"]["start"] == "2026-03-10T02:30:00.000Z"
    table = client.get(f"{path}/files/counts.csv", headers=operator)
    assert table.status_code == 200
    assert table.text.startswith("start,end,kind,id,direction,class,count")
    assert "attachment" in table.headers["content-disposition"]
    assert client.get(f"{path}/files/counts.csv", headers=as_(engine, "viewer")).status_code == 403
    assert client.get(f"{path}/files/annotated.mp4", headers=operator).status_code == 404
    for name in ("outbox.db", "..%2f..%2fngatu.db", "tracks.parquet"):
        assert client.get(f"{path}/files/{name}", headers=operator).status_code in (404, 422)
    assert client.delete(path, headers=operator).status_code == 409
    listed = client.get("/v1/jobs?state=done", headers=operator).json()
    assert [each["id"] for each in listed["items"]] == [job["id"]]
    assert client.get("/v1/jobs?state=queued", headers=operator).json()["items"] == []


def test_cancelling_and_what_is_not_there(
    client: TestClient,
    engine: Engine,
    short_clip: Path,
) -> None:
    operator = as_(engine, "operator")
    form = {"file": ("a.mp4", short_clip.read_bytes())}
    number = client.post("/v1/jobs", files=form, headers=operator).json()["id"]
    assert client.delete(f"/v1/jobs/{number}", headers=as_(engine, "viewer")).status_code == 403
    assert client.delete(f"/v1/jobs/{number}", headers=operator).status_code == 204
    assert client.get(f"/v1/jobs/{number}", headers=operator).json()["state"] == "cancelled"
    assert client.get(f"/v1/jobs/{uuid4()}", headers=operator).status_code == 404


MP4 = b"\0\0\0\x20ftypisom" + b"\0" * 2000


@pytest.mark.parametrize(
    ("files", "data", "status", "field"),
    [
        ({"file": ("a.mp4", b"#EXTM3U\n" * 100)}, {}, 422, "body.file"),
        ({"file": ("a.mp4", MP4)}, {}, 422, "body.file"),
        ({"file": ("a.mp4", b"")}, {}, 422, "body.file"),
        ({"file": ("a.mp4", MP4 + b"\0" * 8_000_000)}, {}, 413, None),
        ({"other": ("a.mp4", MP4)}, {}, 422, "body"),
        ({"file": ("a.mp4", MP4)}, {"options": '{"fps": 0}'}, 422, "body.options.fps"),
        ({"file": ("a.mp4", MP4)}, {"options": '{"speed": 1}'}, 422, "body.options.speed"),
        ({"file": ("a.mp4", MP4)}, {"options": '{"camera": "nobody"}'}, 422, "body.options.camera"),
        ({"file": ("a.mp4", MP4)}, {"options": '{"record": true}'}, 422, "body.options"),
        ({"file": ("a.mp4", MP4)}, {"options": "[]"}, 422, "body.options"),
    ],
)
def test_forms_that_are_refused_leave_nothing(
    client: TestClient,
    engine: Engine,
    settings: JobSettings,
    files: dict[str, Any],
    data: dict[str, str],
    status: int,
    field: str | None,
) -> None:
    answer = client.post("/v1/jobs", files=files, data=data, headers=as_(engine, "operator"))
    assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    uploads = settings.folder / "uploads"
    assert not uploads.exists() or not list(uploads.iterdir())


def test_no_form_and_too_little_rights(client: TestClient, engine: Engine) -> None:
    operator = as_(engine, "operator")
    assert client.post("/v1/jobs", json={}, headers=operator).status_code == 415
    head = {**operator, "Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"nonsense", b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc'):
        assert client.post("/v1/jobs", content=body, headers=head).status_code == 422
    assert client.post("/v1/jobs", files={"file": MP4}, headers=as_(engine, "viewer")).status_code == 403
    assert client.post("/v1/jobs", files={"file": MP4}).status_code == 401


def test_paths(
    client: TestClient,
    engine: Engine,
    settings: JobSettings,
    short_clip: Path,
    tmp_path: Path,
) -> None:
    operator = as_(engine, "operator")
    folder = settings.recordings[0]
    folder.mkdir()
    clip = folder / "clip.mp4"
    clip.write_bytes(short_clip.read_bytes())
    (folder / "link.mp4").symlink_to(short_clip)
    made = client.post("/v1/jobs/from-path", json={"path": str(clip)}, headers=operator)
    assert (made.status_code, made.json()["name"]) == (201, "clip.mp4")
    for path in (short_clip, folder / "link.mp4", folder / ".." / "ngatu.db", folder, "/etc/passwd", "a\0b"):
        refused = client.post("/v1/jobs/from-path", json={"path": str(path)}, headers=operator)
        assert (refused.status_code, refused.json()["field"]) == (422, "body.path")
        assert refused.json()["detail"] == f"there is no such file in the allowed folders ({folder})"
