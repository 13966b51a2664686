"""Changes over HTTP: dated, of what one has seen, refused with reasons, and in the audit."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from service.auth.vault import load_secrets
from service.storage.connect import reading
from service.storage.tables import Audit, Camera
from tests.service.api.conftest import As, Clock

SITE = {"id": "new", "kind": "junction", "name": "Mới", "is_key": True}
GATES = [{"id": "n", "line": [[0.1, 0.4], [0.9, 0.4]], "approach": "north"}]


def put(client: TestClient, path: str, body: dict[str, Any], **query: Any) -> Any:
    """Put what was just read and changed."""
    read = client.get(path)
    headers = {"If-Match": read.headers["etag"]} if read.status_code == 200 else {}
    return client.put(path, json=body, headers=headers, params=query)


def test_a_site_is_added_changed_and_ended(engineer: TestClient, clock: Clock) -> None:
    added = put(engineer, "/v1/sites/new", SITE)
    assert (added.status_code, added.json()["name"]) == (201, "Mới")
    clock.now += 60
    changed = put(engineer, "/v1/sites/new", {**SITE, "name": "Cũ"})
    assert changed.status_code == 200
    assert engineer.get("/v1/sites/new").json()["name"] == "Cũ"
    # The past keeps what it was.
    before = {"at": "2026-03-10T12:00:30Z"}
    assert engineer.get("/v1/sites/new", params=before).json()["name"] == "Mới"
    clock.now += 60
    ended = engineer.delete("/v1/sites/new", headers={"If-Match": changed.headers["etag"]})
    assert ended.status_code == 204
    assert engineer.get("/v1/sites/new").status_code == 404
    assert engineer.delete("/v1/sites/new").status_code == 404


def test_a_change_may_hold_from_another_moment(engineer: TestClient) -> None:
    body = {**engineer.get("/v1/sites/far").json(), "name": "Xa hơn"}
    answer = put(engineer, "/v1/sites/far", body, valid_from="2026-04-01T00:00:00+07:00")
    assert answer.json()["name"] == "Xa hơn"
    assert engineer.get("/v1/sites/far").json()["name"] == "Xa"
    assert engineer.get("/v1/sites/far", params={"at": "2026-05-01T00:00:00Z"}).json()["name"] == "Xa hơn"


def test_who_changes_has_seen_what_it_is(engineer: TestClient) -> None:
    body = engineer.get("/v1/sites/far").json()
    assert engineer.put("/v1/sites/far", json=body).status_code == 428
    old = engineer.get("/v1/sites/far").headers["etag"]
    assert put(engineer, "/v1/sites/far", {**body, "note": "x"}).status_code == 200
    late = engineer.put("/v1/sites/far", json=body, headers={"If-Match": old})
    assert (late.status_code, late.json()["title"]) == (412, "changed meanwhile")
    exists = engineer.put("/v1/sites/far", json=body, headers={"If-None-Match": "*"})
    assert exists.status_code == 412
    gone = engineer.put("/v1/sites/nowhere", json={**body, "id": "nowhere"}, headers={"If-Match": "*"})
    assert gone.status_code == 412


@pytest.mark.parametrize(
    ("path", "body", "field", "words"),
    [
        ("/v1/sites/a", {**SITE, "id": "b"}, "body.id", "make them equal"),
        ("/v1/sites/new", {**SITE, "kind": "street"}, "body.kind", ""),
        ("/v1/sites/new", {**SITE, "colour": "red"}, "body.colour", ""),
        ("/v1/sites/new", {**SITE, "lat": 21.0}, "body", "lon"),
        ("/v1/sites/park/approaches/x", {"site": "park", "id": "x"}, "body.site", "public area"),
        ("/v1/cameras/c", {"id": "c", "site": "nowhere"}, "body.site", "there is no site"),
        ("/v1/cameras/c", {"id": "c", "site": "square", "address": "http://192.0.2.9/"}, None, ""),
        ("/v1/cameras/c", {"id": "c", "site": "square", "address": "rtsp://127.0.0.1/1"}, None, ""),
        ("/v1/cameras/cam2/view", {"gates": []}, "body.gates", ""),
        (
            "/v1/cameras/cam2/view",
            {"gates": [{"id": "n", "line": [[0, 0], [1, 1]], "approach": "west"}]},
            "body.view",
            "no approach 'west'",
        ),
        ("/v1/targets/junction", {"kind": "junction", "share": 2}, "body.share", ""),
        (
            "/v1/sites/far/approaches/x/owner",
            {"site": "far", "approach": "x", "camera": "cam1"},
            "body.id",
            "there is no approach",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_field(
    engineer: TestClient, path: str, body: dict[str, Any], field: str | None, words: str
) -> None:
    answer = put(engineer, path, body)
    assert answer.status_code == 422, answer.text
    assert answer.json().get("field") == field or field is None
    assert words in answer.json()["detail"]


def test_a_site_with_cameras_does_not_end(engineer: TestClient) -> None:
    tag = engineer.get("/v1/sites/square").headers["etag"]
    answer = engineer.delete("/v1/sites/square", headers={"If-Match": tag})
    assert answer.status_code == 422
    assert "cam1" in answer.json()["detail"]


def test_a_password_goes_into_the_vault_and_never_comes_out(engineer: TestClient, engine: Engine) -> None:
    body = {"id": "new", "site": "square", "address": "rtsp://admin:s3cr3t-w0rd@192.0.2.9:554/1"}
    added = put(engineer, "/v1/cameras/new", body)
    assert added.status_code == 201, added.text
    assert added.json()["address"] == "rtsp://***@192.0.2.9:554/1"
    with reading(engine) as connection:
        assert list(load_secrets(connection).values()) == ["s3cr3t-w0rd"]
        rows = [*connection.execute(select(Audit.__table__)), *connection.execute(select(Camera.__table__))]
    assert "s3cr3t" not in json.dumps([list(map(str, row)) for row in rows])
    # What was read can be put back: the masked address keeps what there is.
    kept = put(engineer, "/v1/cameras/new", {**body, "address": added.json()["address"], "name": "Mới"})
    assert (kept.status_code, kept.json()["name"]) == (200, "Mới")
    with reading(engine) as connection:
        newest = select(Camera.address).where(Camera.camera_id == "new", Camera.valid_to.is_(None))
        assert connection.scalar(newest).startswith("rtsp://admin:${")


def test_a_substream_is_kept_as_an_address_is(engineer: TestClient, engine: Engine) -> None:
    body = {"id": "new", "site": "square", "address": "rtsp://admin:s3cr3t-w0rd@192.0.2.9:554/1"}
    added = put(engineer, "/v1/cameras/new", {**body, "substream": "rtsp://192.0.2.9:554/2"})
    assert added.status_code == 201, added.text
    # Without a user it gets that of the address on the same host.
    assert added.json()["substream"] == "rtsp://***@192.0.2.9:554/2"
    newest = select(Camera.substream).where(Camera.camera_id == "new", Camera.valid_to.is_(None))
    with reading(engine) as connection:
        kept = connection.scalar(newest)
        names = list(load_secrets(connection))
    assert kept == f"rtsp://admin:${{{names[0]}}}@192.0.2.9:554/2"
    # Null, or as it was read, keeps it; another host gets no login that is not its own; empty ends it.
    for substream, shown in (
        (None, "rtsp://***@192.0.2.9:554/2"),
        ("rtsp://***@192.0.2.9:554/2", "rtsp://***@192.0.2.9:554/2"),
        ("rtsp://***@192.0.2.9:554/3", "rtsp://***@192.0.2.9:554/3"),
        ("rtsp://192.0.2.7/2", "rtsp://192.0.2.7/2"),
        ("rtsp://other:0ther-s3cr3t@192.0.2.7/2", "rtsp://***@192.0.2.7/2"),
        ("", ""),
    ):
        changed = put(engineer, "/v1/cameras/new", {**body, "address": None, "substream": substream})
        assert (changed.status_code, changed.json()["substream"]) == (200, shown), changed.text
    with reading(engine) as connection:
        assert sorted(load_secrets(connection).values()) == ["0ther-s3cr3t", "s3cr3t-w0rd"]
        rows = [*connection.execute(select(Audit.__table__)), *connection.execute(select(Camera.__table__))]
    assert "s3cr3t" not in json.dumps([list(map(str, row)) for row in rows])
    for wrong in ("rtsp://127.0.0.1/2", "http://192.0.2.9/2", "rtsp://x:${NOBODYS}@192.0.2.9/2"):
        assert put(engineer, "/v1/cameras/new", {**body, "substream": wrong}).status_code == 422, wrong
    same = put(engineer, "/v1/cameras/new", {**body, "substream": "rtsp://192.0.2.9:554/1"})
    assert (same.status_code, same.json()["field"]) == (422, "body.substream")


def test_a_camera_ends_with_what_hangs_on_it(engineer: TestClient, clock: Clock) -> None:
    tag = engineer.get("/v1/cameras/cam1").headers["etag"]
    clock.now += 1
    assert engineer.delete("/v1/cameras/cam1", headers={"If-Match": tag}).status_code == 204
    assert engineer.get("/v1/cameras/cam1/view").status_code == 404
    assert engineer.get("/v1/owners").json()["items"] == []
    past = engineer.get("/v1/cameras/cam1", params={"at": "2026-03-10T09:00:00Z"})
    assert past.json()["owns"] == ["north", "south"]


def test_a_view_gets_the_next_version(engineer: TestClient, clock: Clock) -> None:
    clock.now += 10
    drawn = put(engineer, "/v1/cameras/cam1/view", {"gates": GATES, "version": 1})
    assert drawn.status_code == 200, drawn.text
    assert drawn.json()["view"]["version"] == 2
    same = put(engineer, "/v1/cameras/cam1/view", {"gates": GATES, "version": 1})
    assert same.json()["view"]["version"] == 2
    first = put(engineer, "/v1/cameras/cam2/view", {"gates": GATES})
    assert (first.status_code, first.json()["view"]["version"]) == (201, 1)
    versions = engineer.get("/v1/cameras/cam1/views").json()["items"]
    assert [each["view"]["version"] for each in versions] == [1, 2]
    assert versions[0]["valid_to"] == versions[1]["valid_from"]
    tag = engineer.get("/v1/cameras/cam2/view").headers["etag"]
    clock.now += 10
    assert engineer.delete("/v1/cameras/cam2/view", headers={"If-Match": tag}).status_code == 204


def test_a_view_is_confirmed_on_its_picture(engineer: TestClient) -> None:
    assert engineer.get("/v1/cameras/cam1/view/picture").content.startswith(b"\xff\xd8\xff")
    assert engineer.get("/v1/cameras/cam1/view").json()["confirmed_at"] is None
    confirmed = engineer.post("/v1/cameras/cam1/view/confirm")
    assert confirmed.json()["confirmed_by"] == "engineer"
    assert engineer.get("/v1/cameras/cam1/view").json()["confirmed_at"] is not None


def test_an_excluded_period_leaves_reports_and_comes_back(as_role: As) -> None:
    operator = as_role("operator")
    period = {"start": "2026-03-10T09:00:00Z", "end": "2026-03-10T10:00:00Z"}
    body = {**period, "site": "square", "reason": "roadworks"}
    added = operator.post("/v1/exclusions", json=body)
    assert added.status_code == 201, added.text
    number = added.json()["id"]
    assert added.json()["author"] == "operator"
    assert operator.get("/v1/crossings", params={**period, "site": "square"}).json()["items"] == []
    rows = operator.get("/v1/counts", params={**period, "site": "square"}).json()["items"]
    assert {(row["status"], row["total"]) for row in rows} == {("excluded", None)}
    assert operator.get(f"/v1/exclusions/{number}").json()["withdrawn_at"] is None
    assert operator.post(f"/v1/exclusions/{number}/withdraw").json()["withdrawn_by"] == "operator"
    assert operator.post(f"/v1/exclusions/{number}/withdraw").status_code == 409
    assert operator.get("/v1/crossings", params={**period, "site": "square"}).json()["items"]
    assert operator.get("/v1/exclusions").json()["items"] == []
    assert len(operator.get("/v1/exclusions", params={"withdrawn": True}).json()["items"]) == 1
    for wrong, field in (({"site": None}, "body.site"), ({"reason": " "}, "body.reason")):
        refused = operator.post("/v1/exclusions", json={**body, **wrong})
        assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert operator.post("/v1/exclusions", json={**body, "site": "nowhere"}).status_code == 404
    assert operator.get("/v1/exclusions/99").status_code == 404


def test_a_role_that_is_too_small_changes_nothing(as_role: As) -> None:
    viewer, operator = as_role("viewer"), as_role("operator")
    assert viewer.put("/v1/sites/new", json=SITE).status_code == 403
    assert operator.put("/v1/sites/new", json=SITE).status_code == 403
    assert operator.delete("/v1/cameras/cam1").status_code == 403
    assert viewer.post("/v1/exclusions", json={}).status_code in (403, 422)
    assert viewer.get("/v1/exclusions").json()["items"] == []


def test_every_change_is_in_the_audit(engineer: TestClient, engine: Engine) -> None:
    put(engineer, "/v1/sites/new", SITE)
    with reading(engine) as connection:
        rows = connection.execute(select(Audit.actor, Audit.action, Audit.detail)).all()
    assert ("engineer", "registry.change") in {(row.actor, row.action) for row in rows}


def test_an_address_is_tried_in_a_process_of_its_own(engineer: TestClient, tmp_path: Any) -> None:
    for address in ("rtsp://127.0.0.1:9/1", "rtsp://169.254.169.254/x", "file:///etc/passwd", "/etc/passwd"):
        answer = engineer.post("/v1/camera-tests", json={"address": address})
        assert answer.status_code == 422, address
        assert answer.json()["detail"]
    for stream in ("main", "sub"):
        missing = engineer.post("/v1/cameras/cam2/test", params={"stream": stream})
        assert (missing.status_code, missing.json()["field"]) == (422, "camera")
    # Of a camera's login nothing goes to another host; on its own host what the registry names is needed.
    tried = {"camera": "cam1", "address": "rtsp://192.0.2.1:554/2"}
    refused = engineer.post("/v1/camera-tests", json=tried)
    assert refused.status_code == 422
    assert "CAM_1 is not set" in refused.json()["detail"]
    nowhere = engineer.post("/v1/camera-tests", json={**tried, "camera": "nobody"})
    assert nowhere.status_code == 404
