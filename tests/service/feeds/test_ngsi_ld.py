"""NGSI-LD: entities against the published schemas, as they are asked for and as a broker is told them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from sqlalchemy import Engine

from service.api.hub import LiveHub
from service.feeds.ngsi_ld import MODEL_VERSIONS, OURS, TYPES, context, flow_entities
from service.feeds.ngsi_ld_push import BrokerReceiver, BrokerSettings
from service.feeds.receiver import FeedError
from service.feeds.sender import Sender
from service.live.messages import CameraReport, WorkerReport
from tests.service.api.conftest import Clock

SCHEMAS = Path(__file__).with_name("schemas")
MODELS = json.loads((SCHEMAS / "smart-data-models.json").read_text())
HOUR = {"timerel": "between", "timeAt": "2026-03-10T09:00:00Z", "endTimeAt": "2026-03-10T10:00:00Z"}


def published(name: str) -> Draft202012Validator:
    """A model's own JSON schema, with what it refers to at both addresses it has had."""
    common = json.loads((SCHEMAS / "common-schema.json").read_text())
    registry: Registry[Any] = Registry()
    for address in (
        "https://smart-data-models.github.io/data-models/common-schema.json",
        "https://fiware.github.io/dataModels/common-schema.json",
    ):
        registry = registry.with_resource(address, Resource(common, DRAFT202012))
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    return Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())


def tabled(name: str) -> Draft202012Validator:
    """The newest published version of a model, by its table of properties."""
    model = MODELS[name]
    properties = {
        field: {key: value for key, value in told.items() if key in ("type", "format", "enum", "items")}
        for field, told in model["properties"].items()
    }
    schema = {"type": "object", "required": model["required"], "properties": properties}
    return Draft202012Validator(schema, format_checker=FormatChecker())


def check(entity: dict[str, Any]) -> None:
    """An entity as ``keyValues`` gives it: valid, and nothing under a standard name that no model has."""
    name = entity["type"]
    standard = {field: value for field, value in entity.items() if not field.startswith("ngatu:")}
    standard.pop("@context", None)
    tabled(name).validate(standard)
    if name != "Device":
        published(name).validate(standard)
    assert set(standard) <= set(MODELS[name]["properties"])


def entities(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/ngsi-ld/v1/entities", params={"limit": 1000, **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.mark.parametrize("name", TYPES)
def test_entities_fit_the_published_schemas(reader: TestClient, name: str) -> None:
    found = entities(reader, type=name, options="keyValues", **HOUR)
    assert found
    for entity in found:
        assert entity["type"] == name
        check(entity)
    assert MODEL_VERSIONS[name] == MODELS[name]["version"]


def test_a_wrong_word_would_be_found() -> None:
    entity = {"id": "urn:x:y", "type": "TrafficFlowObserved", "dateObserved": "2026", "address": {}}
    check(entity)
    for wrong in ({"vehicleType": "truck"}, {"intensity": "3"}, {"flow": 3}):
        with pytest.raises((ValidationError, AssertionError)):
            check({**entity, **wrong})
    with pytest.raises(ValidationError, match="required"):
        check({"id": "urn:x:y", "type": "TrafficFlowObserved", "address": {}})


def test_terms_are_named_as_the_models_name_them() -> None:
    terms = context()["@context"]
    for name in TYPES:
        for field, told in MODELS[name]["properties"].items():
            if field in terms:
                assert terms[field] == told["context"], field
    assert terms["ngatu"] == OURS


def test_one_entity_for_each_approach_class_and_quarter(reader: TestClient) -> None:
    found = entities(reader, type="TrafficFlowObserved", options="keyValues", **HOUR)
    quarter = [each for each in found if each["dateObservedFrom"] == "2026-03-10T09:15:00Z"]
    about = {(each["ngatu:approach"], each.get("vehicleType")): each for each in quarter}
    assert set(about) == {(arm, word) for arm in ("north", "south") for word in (None, "motorcycle")}
    assert len(found) == 16
    whole, motorcycles = about["north", None], about["north", "motorcycle"]
    # Three motorcycles in each of the 90 intervals of ten seconds.
    assert whole["intensity"] == motorcycles["intensity"] == 270
    assert whole["averageVehicleSpeed"] == pytest.approx(28.8)
    assert motorcycles["averageVehicleSpeed"] == pytest.approx(28.8)
    assert whole["dateObserved"] == "2026-03-10T09:15:00Z/2026-03-10T09:30:00Z"
    assert whole["location"] == {"type": "Point", "coordinates": [106.2, 21.28]}
    assert whole["ngatu:level"] == "busy"
    assert whole["congested"] is False
    assert whole["id"] == "urn:ngsi-ld:TrafficFlowObserved:square:north:all:20260310T091500Z:PT15M"


def test_a_movement_of_an_hour_is_the_sum_of_its_quarters(reader: TestClient) -> None:
    (found,) = entities(reader, type="OriginDestinationFlow", options="keyValues", **HOUR)
    query = {"start": HOUR["timeAt"], "end": HOUR["endTimeAt"], "site": "square", "kind": "movement"}
    quarters = reader.get("/v1/counts", params=query).json()["items"]
    assert found["flowCount"] == sum(each["total"] for each in quarters)
    assert (found["originLocationCode"], found["destinationLocationCode"]) == ("square:north", "square:south")
    assert found["hour"] == 16  # by the clock there
    assert sum(found["ngatu:vehicleCounts"].values()) == found["flowCount"]


def test_what_was_not_wholly_observed_has_no_standard_figure(reader: TestClient) -> None:
    base = dict.fromkeys(("bearing", "camera", "count_out", "delay_s", "density_per_km", "final"))
    base |= dict.fromkeys(("flow_per_h", "flow_pcu_per_h", "level", "light", "queue_max_m"))
    base |= dict.fromkeys(("queue_max_at_least", "queue_p95_m", "speed_p85_kmh", "time_occupancy"))
    base |= {"area_occupancy": None, "area_occupancy_basis": None, "lat": None, "lon": None, "revision": 1}
    base |= {"site": "square", "site_name": "", "approach": "north", "approach_name": "", "length": 900}
    base |= {"start": "2026-03-10T09:00:00Z", "end": "2026-03-10T09:15:00Z", "expected_seconds": 900.0}
    part = {**base, "status": "partial", "count": 3, "space_mean_speed_kmh": 30.0, "observed_seconds": 60.0}
    (entity,) = flow_entities({**part, "by_class": {}})
    assert not {"intensity", "averageVehicleSpeed", "occupancy", "congested"} & set(entity)
    assert entity["ngatu:observedSeconds"]["value"] == 60.0


def test_json_links_the_context_and_json_ld_carries_it(reader: TestClient) -> None:
    query = {"type": "Device"}
    plain = reader.get("/ngsi-ld/v1/entities", params=query)
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in plain.headers["link"]
    assert "@context" not in plain.json()[0]
    assert plain.json()[0]["deviceState"] == {"type": "Property", "value": "offline"}
    linked = reader.get("/ngsi-ld/v1/entities", params=query, headers={"Accept": "application/ld+json"})
    assert linked.headers["content-type"] == "application/ld+json"
    address = linked.json()[0]["@context"][0]
    assert plain.headers["link"].startswith(f"<{address}>")
    # Whoever fetches the context has no login.
    open_to_all = TestClient(reader.app, base_url="http://localhost").get(address)
    assert open_to_all.json() == context()


def test_pages_counts_and_conditions(reader: TestClient) -> None:
    query = {"type": "TrafficFlowObserved", "count": "true", "limit": 5, **HOUR}
    first = reader.get("/ngsi-ld/v1/entities", params=query)
    second = reader.get("/ngsi-ld/v1/entities", params={**query, "offset": 5})
    assert first.headers["NGSILD-Results-Count"] == "16"
    ids = [each["id"] for each in first.json() + second.json()]
    assert len(set(ids)) == 10
    assert ids == sorted(ids)
    some = entities(
        reader, type="TrafficFlowObserved", q='vehicleType=="motorcycle";ngatu:approach=="north"', **HOUR
    )
    assert len(some) == 4
    only = entities(reader, type="TrafficFlowObserved", attrs="intensity", **HOUR)
    assert all(set(each) == {"id", "type", "intensity"} for each in only)
    assert entities(reader, type="TrafficFlowObserved", q='ngatu:site=="far"', **HOUR) == []
    assert entities(reader, type="WeatherObserved") == []


def test_an_entity_by_its_id(reader: TestClient) -> None:
    for name in TYPES:
        for whole in entities(reader, type=name, **HOUR)[:2]:
            assert reader.get(f"/ngsi-ld/v1/entities/{whole['id']}").json() == whole
            assert entities(reader, id=whole["id"]) == [whole]
    missing = "urn:ngsi-ld:TrafficFlowObserved:square:north:all:20200310T091500Z:PT15M"
    for name in (missing, "urn:ngsi-ld:Device:cam9", "nonsense", "urn:ngsi-ld:TrafficFlowObserved:a:b:c:d:e"):
        answer = reader.get(f"/ngsi-ld/v1/entities/{name}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "query.type"),
        ({"type": "Device", "georel": "near"}, "query.georel"),
        ({"type": "Device", "q": "a>3"}, "query.q"),
        ({"type": "Device", "timeAt": "2026-03-10T09:00:00Z"}, "query.timerel"),
        ({"type": "Device", "timerel": "between", "timeAt": "2026-03-10T09:00:00Z"}, "query.endTimeAt"),
        ({"type": "Device", "timerel": "after", "timeAt": "2026-01-10T09:00:00Z"}, "query.timeAt"),
        ({"type": "Device", "options": "keyvalues"}, "query.options"),
    ],
)
def test_what_is_not_understood_is_refused(reader: TestClient, query: dict[str, str], field: str) -> None:
    answer = reader.get("/ngsi-ld/v1/entities", params=query)
    assert answer.status_code == 422
    assert answer.json()["field"] == field


def test_types_and_access(reader: TestClient) -> None:
    assert reader.get("/ngsi-ld/v1/types").json()["typeList"] == list(TYPES)
    stranger = TestClient(reader.app, base_url="http://localhost")
    assert stranger.get("/ngsi-ld/v1/entities", params={"type": "Device"}).status_code == 401


class Broker(BaseHTTPRequestHandler):
    """A context broker that knows batch upsert, as its specification says it."""

    entities: dict[str, dict[str, Any]]
    said: list[tuple[int, dict[str, str]]]
    refuse: str
    down: bool

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/ngsi-ld/v1/entityOperations/upsert?options=update"
        assert self.headers["Content-Type"] == "application/ld+json"
        assert all("@context" in each for each in body)
        status, answer = 204, b""
        bad = [each["id"] for each in body if self.refuse and self.refuse in each["id"]]
        if self.down:
            status = 503
        elif bad:
            told = [{"entityId": each, "error": {"title": "BadRequestData"}} for each in bad]
            status, answer = 207, json.dumps({"success": [], "errors": told}).encode()
        if not self.down:
            self.entities.update({each["id"]: each for each in body if each["id"] not in bad})
        self.said.append((status, dict(self.headers)))
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        pass


@contextmanager
def broker() -> Iterator[tuple[type[Broker], str]]:
    handler = type("Own", (Broker,), {"entities": {}, "said": [], "refuse": "", "down": False})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield handler, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def broker_settings(url: str, **other: Any) -> BrokerSettings:
    told = {"kind": "ngsi-ld", "name": "city", "url": url, "backfill_hours": 12.0, **other}
    return BrokerSettings.model_validate(told)


def test_a_broker_is_told_everything_once(engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path) -> None:
    with broker() as (seen, url):
        receiver = BrokerReceiver(broker_settings(url, token="t0ken", tenant="city"))  # noqa: S106
        sender = Sender(receiver, engine, hub, tmp_path / "q.db", clock=clock)
        with sender.open_queue() as queue:
            sender.turn(queue)
            kinds = {each["type"] for each in seen.entities.values()}
            posts = len(seen.said)
            clock.now += 3700
            sender.turn(queue)
            assert sender.state.problem is None
        receiver.close()
    assert kinds == {"TrafficFlowObserved", "OriginDestinationFlow"}
    assert len(seen.said) == posts
    assert seen.said[0][1]["Authorization"] == "Bearer t0ken"
    assert seen.said[0][1]["NGSILD-Tenant"] == "city"
    assert len(seen.entities) == 17


def test_one_bad_entity_holds_nobody_up(engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path) -> None:
    with broker() as (seen, url):
        seen.refuse = "south:all:20260310T091500Z"
        receiver = BrokerReceiver(broker_settings(url))
        sender = Sender(receiver, engine, hub, tmp_path / "q.db", clock=clock)
        with sender.open_queue() as queue:
            sender.turn(queue)
            state = queue.state()
        receiver.close()
    assert (state.waiting, state.refused) == (0, 1)
    assert len(seen.entities) == 16


def test_a_broker_that_is_away_is_told_later(
    engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path
) -> None:
    with broker() as (seen, url):
        seen.down = True
        receiver = BrokerReceiver(broker_settings(url, types=["TrafficFlowObserved"]))
        sender = Sender(receiver, engine, hub, tmp_path / "q.db", clock=clock)
        with sender.open_queue() as queue:
            sender.turn(queue)
            assert "answers 503" in str(sender.state.problem)
            assert queue.state().waiting == 8
            seen.down = False
            clock.now += 5
            sender.turn(queue)
            assert queue.state().waiting == 0
        receiver.close()
    assert sender.state.problem is None
    assert len(seen.entities) == 16
    assert all(each["@context"][0]["ngatu"] == OURS for each in seen.entities.values())


def test_cameras_are_told_when_their_state_changes(
    engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path
) -> None:
    hub.expect({"cam1": "square", "cam2": "square"})
    with broker() as (seen, url):
        receiver = BrokerReceiver(broker_settings(url, types=["Device"]))
        sender = Sender(receiver, engine, hub, tmp_path / "q.db", clock=clock)
        with sender.open_queue() as queue:
            sender.turn(queue)
            assert seen.entities == {}, "just after the start nobody knows"
            for state in ("live", "live", "frozen"):
                told = {
                    "camera": "cam1",
                    "site": "square",
                    "state": state,
                    "since": 1.0,
                    "frame_time": clock.now,
                }
                cameras = [CameraReport.model_validate(told)]
                hub.take(WorkerReport(worker="w1", started=1.0, time=clock.now, cameras=cameras), 1)
                sender.turn(queue)
                clock.now += 3
        receiver.close()
    assert seen.entities["urn:ngsi-ld:Device:cam1"]["deviceState"]["value"] == "frozen"
    assert seen.entities["urn:ngsi-ld:Device:cam2"]["deviceState"]["value"] == "offline"
    assert len(seen.said) == 2
    assert "CAM_1" not in json.dumps(seen.entities)


def test_a_token_does_not_pass_in_clear() -> None:
    with pytest.raises(FeedError, match="in clear"):
        BrokerReceiver(broker_settings("http://broker.example.vn", token="t0ken"))  # noqa: S106
    with pytest.raises(FeedError, match="CITY_TOKEN is not set"):
        BrokerReceiver(broker_settings("https://broker.example.vn", token="${CITY_TOKEN}"))  # noqa: S106
