"""Metrics: what they say of cameras, outboxes and coverage, who may read them, and that rules are valid."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

import service.feeds.prometheus as told
from service.api.hub import LiveHub
from service.api.services import Services
from service.feeds.queue import QueueState
from service.feeds.sender import SenderState
from service.live.messages import CameraReport, OutboxLive, WorkerReport
from service.storage.connect import StorageError
from tests.conftest import missing
from tests.service.api.conftest import NOW, Clock

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "ngatu-rules.yml"
RULES_TEST = ROOT / "deploy" / "prometheus" / "ngatu-rules.test.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "ngatu.json"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def here(app: FastAPI) -> TestClient:
    """A scraper on the service's own machine."""
    return TestClient(app, base_url="http://localhost", client=("127.0.0.1", 40000))


def scraped(client: TestClient) -> Samples:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def report(now: float, **camera: object) -> WorkerReport:
    told = {
        "camera": "cam1",
        "site": "square",
        "state": "live",
        "since": now - 60,
        "frame_time": now - 0.3,
        "received": 1500,
        "dropped": 7,
        "analysed_fps": 10.0,
        "counts": {
            "north-line": {"in": {"car": 3, "motorcycle": 20}, "out": {"car": 1}},
            "south-line": {"in": {"car": 2}},
        },
        "counts_since": now - 3600,
        **camera,
    }
    return WorkerReport(
        worker="w1",
        started=now - 3600,
        time=now,
        cameras=[CameraReport.model_validate(told)],
        outbox=OutboxLive(waiting=12, bytes=4096, limit=10**9, free=10**10, oldest_age_s=5.0),
    )


def test_cameras_workers_and_coverage_are_told_in_base_units(
    here: TestClient, hub: LiveHub, clock: Clock
) -> None:
    hub.take(report(clock.now), 1)
    clock.now += 1.0
    found = scraped(here)
    cam = {"camera": "cam1", "site": "square"}
    assert value(found, "ngatu_camera_up", **cam) == 1
    assert value(found, "ngatu_camera_frame_age_seconds", **cam) == pytest.approx(1.3, abs=0.01)
    assert value(found, "ngatu_camera_frames_received_total", **cam) == 1500
    assert value(found, "ngatu_camera_frames_dropped_total", **cam) == 7
    assert value(found, "ngatu_crossings_total", **cam, vehicle_class="car") == 6
    assert value(found, "ngatu_crossings_total", **cam, vehicle_class="bus") == 0
    assert value(found, "ngatu_worker_up", worker="w1") == 1
    assert value(found, "ngatu_outbox_messages", worker="w1") == 12
    assert value(found, "ngatu_outbox_oldest_age_seconds", worker="w1") == pytest.approx(6.0, abs=0.01)
    assert value(found, "ngatu_database_up") == 1
    assert value(found, "ngatu_key_sites", kind="junction") == 2
    assert value(found, "ngatu_coverage_ratio", kind="junction", figure="installed") == 0.5
    assert value(found, "ngatu_coverage_target_ratio", kind="junction") == 0.9
    assert value(found, "ngatu_alarms_open", severity="critical") == 0


def test_what_is_not_known_is_absent_and_never_zero(here: TestClient, hub: LiveHub, clock: Clock) -> None:
    found = scraped(here)
    silent = {"camera": "cam2", "site": "square"}
    assert value(found, "ngatu_camera_up", **silent) == 0
    for name in ("frame_age_seconds", "frames_received_total", "analysed_frames_per_second"):
        assert value(found, f"ngatu_camera_{name}", **silent) is None
    assert value(found, "ngatu_crossings_total", **silent, vehicle_class="car") is None
    hub.take(report(clock.now), 1)
    clock.now += 30
    found = scraped(here)
    cam = {"camera": "cam1", "site": "square"}
    assert value(found, "ngatu_camera_up", **cam) == 0
    assert value(found, "ngatu_camera_analysed_frames_per_second", **cam) is None
    assert value(found, "ngatu_camera_frame_age_seconds", **cam) == pytest.approx(30.3, abs=0.01)
    assert value(found, "ngatu_worker_up", worker="w1") == 0
    assert value(found, "ngatu_cameras", state="offline") == 3


def test_metrics_answer_while_the_database_is_away(
    here: TestClient, app: FastAPI, hub: LiveHub, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StorageError("the database does not answer")

    hub.take(report(clock.now), 1)
    monkeypatch.setattr(type(app.state.services), "reading", away)
    found = scraped(here)
    assert value(found, "ngatu_database_up") == 0
    assert value(found, "ngatu_camera_up", camera="cam1", site="square") == 1
    assert not [name for name, _ in found if name.startswith("ngatu_coverage")]
    assert value(found, "ngatu_alarms_open", severity="critical") is None


def test_only_this_machine_and_tokens_may_read(app: FastAPI, here: TestClient, viewer: TestClient) -> None:
    far = TestClient(app, base_url="http://localhost", client=("192.0.2.9", 40000))
    assert far.get("/metrics").status_code == 401
    assert here.get("/metrics", headers={"X-Forwarded-For": "192.0.2.9"}).status_code == 401
    assert here.get("/metrics", headers={"Host": "evil.example"}).status_code == 421
    assert viewer.get("/metrics").status_code == 200
    far.headers["Authorization"] = "Bearer ngatu_wrong"
    assert far.get("/metrics").status_code == 401


def test_openmetrics_is_given_where_it_is_asked_for(here: TestClient) -> None:
    answer = here.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_a_name_with_quotes_breaks_no_line(here: TestClient, hub: LiveHub, clock: Clock) -> None:
    hub.take(report(clock.now, camera='a"\n\\b'), 1)
    assert value(scraped(here), "ngatu_camera_up", camera='a"\n\\b', site="square") == 1


def test_the_database_is_not_asked_at_every_scrape(
    here: TestClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[float] = []
    read = told.read_slow

    def counted(services: Services, now: float) -> told.FromDatabase:
        reads.append(now)
        return read(services, now)

    monkeypatch.setattr(told, "read_slow", counted)
    for _ in range(3):
        scraped(here)
    assert len(reads) == 1
    clock.now += told.SLOW_S
    scraped(here)
    assert len(reads) == 2
    assert NOW.timestamp() < clock.now


def test_feeds_tell_what_waits_for_their_receivers(app: FastAPI, here: TestClient, clock: Clock) -> None:
    queue = QueueState(waiting=3, oldest=clock.now - 40, refused=1, full=False)
    app.state.feeds = SimpleNamespace(states=[SenderState("mqtt", "city", queue, 5, "no answer", 0.0)])
    found = scraped(here)
    named = {"feed": "city", "kind": "mqtt"}
    assert value(found, "ngatu_feed_up", **named) == 0
    assert value(found, "ngatu_feed_queue_items", **named) == 3
    assert value(found, "ngatu_feed_queue_oldest_age_seconds", **named) == 40
    assert value(found, "ngatu_feed_delivered_items_total", **named) == 5


def all_expressions() -> str:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return RULES.read_text(encoding="utf-8") + " ".join(
        target["expr"] for panel in panels for target in panel.get("targets", [])
    )


def test_rules_and_dashboard_name_metrics_that_exist(
    app: FastAPI, here: TestClient, hub: LiveHub, clock: Clock
) -> None:
    hub.take(report(clock.now, age_s=0.2), 1)
    app.state.feeds = SimpleNamespace(states=[SenderState("mqtt", "city", None, 5, "no answer", 0.0)])
    exported = {name for name, _ in scraped(here)}
    named = set(re.findall(r"\bngatu_[a-z_]+", all_expressions()))
    assert named
    assert named <= exported, named - exported


def test_promtool_accepts_rules_and_metrics(here: TestClient, hub: LiveHub, clock: Clock) -> None:
    if shutil.which("promtool") is None:
        missing("promtool", "promtool is not installed; it is in Debian's package prometheus")
    for command in (["check", "rules", str(RULES)], ["test", "rules", str(RULES_TEST)]):
        ran = subprocess.run(["promtool", *command], capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    hub.take(report(clock.now), 1)
    text = here.get("/metrics").text
    ran = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
