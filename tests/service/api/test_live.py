"""The live path over a real server: what workers say is seen at once, and what they do not say, as that."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from service.api.hub import LiveHub
from service.api.live_state import LATE_S, SILENT_S
from service.live.messages import CameraReport, CrossingLive, WorkerReport
from tests.service.api.conftest import WORKER_TOKEN, Clock, token_of
from tests.service.api.serving import served

WORKER = {"Authorization": f"Bearer {WORKER_TOKEN}"}
JPEG = b"\xff\xd8\xff\xe0 picture %d"


def report(clock: Clock, camera: str = "cam1", number: int = 0, **other: Any) -> dict[str, Any]:
    """What a worker says of one camera."""
    about = {
        "camera": camera,
        "site": "square",
        "state": "live",
        "since": clock.now - 100,
        "frame_time": clock.now - 0.4,
        "counts": {"north-line": {"in": {"car": number}}},
        "counts_since": clock.now - 100,
        "last_minute": {"car": number},
        "approaches": [{"approach": "north", "level": "free", "flow_per_h": 120.0}],
        **other,
    }
    return {"worker": "w1", "started": clock.now - 100, "time": clock.now, "cameras": [about]}


@pytest.fixture
def server(app: FastAPI) -> Iterator[str]:
    with served(app) as url:
        yield url


@pytest.fixture
def client(server: str, engine: Engine) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token_of(engine, 'viewer')}"}
    with httpx.Client(base_url=server, headers=headers, timeout=30) as client:
        yield client


def events(answer: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and data of the events of a stream."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_events_follow_what_workers_say(client: httpx.Client, clock: Clock) -> None:
    client.post("/v1/live/reports", json=report(clock, number=1), headers=WORKER).raise_for_status()
    with client.stream("GET", "/v1/live/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        seen = events(answer)
        name, first = next(seen)
        assert name == "snapshot"
        by_camera = {each["camera"]: each for each in first["cameras"]}
        assert by_camera["cam1"]["counts"]["north-line"]["in"]["car"] == 1
        assert by_camera["cam1"]["age_s"] == pytest.approx(0.4, abs=0.01)
        assert (by_camera["cam1"]["stream"], by_camera["cam2"]["stream"]) == ("main", None)
        # Nobody reports this one: offline, not at zero.
        assert (by_camera["cam2"]["state"], by_camera["cam2"]["counts"]) == ("offline", None)
        crossing = {"time": clock.now, "gate": "north-line", "direction": "in", "vehicle_class": "car"}
        began = time.monotonic()
        changed = report(clock, number=2, crossings=[crossing], stream="sub")
        client.post("/v1/live/reports", json=changed, headers=WORKER)
        while True:
            name, changed = next(seen)
            told = {each["camera"]: each for each in changed["cameras"]}
            if name == "cameras" and told.get("cam1", {}).get("last_minute") == {"car": 2}:
                break
        assert time.monotonic() - began < 5
        assert told["cam1"]["crossings"][0]["gate"] == "north-line"
        assert told["cam1"]["stream"] == "sub"


def test_a_line_on_which_nothing_happens_says_that_it_is_alive(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.api.routes.live.PATIENCE_S", 0.05)
    with client.stream("GET", "/v1/live/events?camera=cam2") as answer:
        seen = events(answer)
        assert next(seen)[0] == "snapshot"
        while (event := next(seen))[0] != "beat":
            pass
        assert event[1]["cameras"] == []


def test_a_silent_worker_shows_as_such(client: httpx.Client, clock: Clock) -> None:
    client.post("/v1/live/reports", json=report(clock, number=7), headers=WORKER).raise_for_status()
    heard = clock.now
    with client.stream("GET", "/v1/live/events?camera=cam1") as answer:
        seen = events(answer)
        next(seen)
        clock.now += LATE_S + 1
        while not (camera := next(seen)[1]["cameras"][0])["stale"]:
            pass
        assert camera["state"] == "live"
        assert camera["last_minute"] is None
        assert camera["approaches"] == []
        assert camera["age_s"] > LATE_S
        clock.now += SILENT_S
        while (camera := next(seen)[1]["cameras"][0])["state"] != "offline":
            pass
        assert "nothing has been heard from worker w1" in camera["reason"]
    now = client.get("/v1/live").json()
    assert now["workers"][0]["state"] == "silent"
    camera = client.get("/v1/live/cameras/cam1").json()
    assert camera["counts"]["north-line"]["in"]["car"] == 7  # it counted until then
    assert camera["heard_at"].startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(heard)))


def test_events_of_one_site_are_of_its_cameras(client: httpx.Client, clock: Clock) -> None:
    with client.stream("GET", "/v1/live/events?site=park") as answer:
        seen = events(answer)
        assert [each["camera"] for each in next(seen)[1]["cameras"]] == ["park-cam"]
        client.post("/v1/live/reports", json=report(clock), headers=WORKER)
        park = report(clock, camera="park-cam", site="park", frame_time=None)
        client.post("/v1/live/reports", json={**park, "worker": "w2"}, headers=WORKER)
        assert [each["camera"] for each in next(seen)[1]["cameras"]] == ["park-cam"]


def test_alarms_reach_subscribers(client: httpx.Client, hub: LiveHub) -> None:
    with client.stream("GET", "/v1/live/events") as answer:
        seen = events(answer)
        next(seen)
        hub.publish("alarm", {"kind": "jam"})
        while (event := next(seen))[0] != "alarm":
            pass
        assert event[1] == {"kind": "jam"}


def test_there_are_not_more_streams_than_allowed(app: FastAPI, client: httpx.Client) -> None:
    app.state.services.followers.each = 1
    with client.stream("GET", "/v1/live/events") as answer:
        seen = events(answer)
        next(seen)
        second = client.get("/v1/live/events")
        assert (second.status_code, second.json()["title"]) == (429, "too many streams")
    until = time.monotonic() + 10
    while app.state.services.followers._open.total():
        assert time.monotonic() < until, "a subscriber that left is still counted"
        time.sleep(0.05)


def test_only_workers_report(client: httpx.Client, clock: Clock) -> None:
    assert client.post("/v1/live/reports", json=report(clock)).status_code == 401
    other = {"Authorization": "Bearer " + "x" * 40}
    assert client.post("/v1/live/reports", json=report(clock), headers=other).status_code == 401
    assert client.post("/v1/live/pictures/cam1", content=JPEG % 1).status_code == 401
    assert client.get("/v1/live", headers=WORKER).status_code == 401
    odd = client.post("/v1/live/reports", json={**report(clock), "more": 1}, headers=WORKER)
    assert (odd.status_code, odd.json()["field"]) == (422, "body.more")


def test_pictures_are_asked_for_while_somebody_watches(client: httpx.Client, clock: Clock) -> None:
    answer = client.post("/v1/live/reports", json=report(clock), headers=WORKER).json()
    assert answer == {"revision": 1, "pictures": []}
    assert client.get("/v1/live/cameras/nowhere/picture").status_code == 404
    got: list[bytes] = []

    def watch() -> None:
        with client.stream("GET", "/v1/live/cameras/cam1/stream") as stream:
            assert stream.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
            for part in stream.iter_bytes():
                got.append(part)
                if b"".join(got).count(b"--frame") >= 2:
                    return

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    until = time.monotonic() + 20
    while client.post("/v1/live/reports", json=report(clock), headers=WORKER).json()["pictures"] != ["cam1"]:
        assert time.monotonic() < until
        time.sleep(0.02)
    jpeg = {**WORKER, "Content-Type": "image/jpeg"}
    for number in range(100):
        sent = client.post("/v1/live/pictures/cam1", content=JPEG % number, headers=jpeg)
        assert sent.status_code == 204
        if not watching.is_alive():
            break
        time.sleep(0.02)
    watching.join(10)
    assert b"Content-Type: image/jpeg" in b"".join(got)
    single = client.get("/v1/live/cameras/cam1/picture")
    assert single.content.startswith(JPEG[:8])
    assert int(single.headers["x-picture-number"]) >= 1
    # Nobody watches any more: nothing is asked for.
    clock.now += 60
    assert client.post("/v1/live/reports", json=report(clock), headers=WORKER).json()["pictures"] == []


def test_what_is_no_picture_is_refused(client: httpx.Client) -> None:
    path = "/v1/live/pictures/cam1"
    jpeg = {**WORKER, "Content-Type": "image/jpeg"}
    assert client.post(path, content=b"GIF89a", headers=jpeg).status_code == 415
    other = {**WORKER, "Content-Type": "image/png"}
    assert client.post(path, content=JPEG % 1, headers=other).status_code == 415
    assert client.post(path, content=b"\xff\xd8\xff" + b"x" * 1_100_000, headers=jpeg).status_code == 413


def test_a_slow_subscriber_gets_everything_anew_instead_of_a_backlog(clock: Clock) -> None:
    hub = LiveHub(clock)
    hub.expect({"cam1": "square"})
    with hub.subscribe() as subscription:
        subscription.behind = False
        for number in range(100):
            hub.take(WorkerReport.model_validate(report(clock, number=number)), 1)
            hub._flush(clock.now)
        assert subscription.behind
        assert len(subscription.events) <= 20


def test_ages_do_not_need_clocks_that_agree(clock: Clock) -> None:
    hub = LiveHub(clock)
    theirs = clock.now - 3600
    about = CameraReport(camera="cam1", state="live", since=theirs, frame_time=theirs - 0.5)
    hub.take(WorkerReport(worker="w", started=theirs, time=theirs, cameras=[about]), 1)
    clock.now += 0.25
    (camera,) = hub.snapshot().cameras
    assert camera.age_s == pytest.approx(0.75)
    assert not camera.stale


def test_crossings_of_reports_that_go_out_together_all_go_out(clock: Clock) -> None:
    hub = LiveHub(clock)
    with hub.subscribe() as subscription:
        subscription.behind = False
        for number in range(3):
            crossing = CrossingLive(
                time=clock.now + number, gate="g", direction="in", vehicle_class="car", movement=None
            )
            about = CameraReport(
                camera="cam1", state="live", since=0, frame_time=clock.now, crossings=[crossing]
            )
            hub.take(WorkerReport(worker="w", started=0, time=clock.now, cameras=[about]), 1)
        hub._flush(clock.now)
        data = json.loads(subscription.events[0].partition(b"data: ")[2])
    assert len(data["cameras"][0]["crossings"]) == 3
