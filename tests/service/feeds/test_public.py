"""The public page and feed: opted in, levels alone, both languages, cached, limited, and kept apart."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from service.api.app import create_app
from service.api.hub import LiveHub
from service.api.settings import ApiSettings
from service.auth.access import AuthSettings
from service.feeds.geojson_levels import ApproachLevel, JunctionLevel
from service.feeds.public import PublicLevels, PublicSettings, board_text, radio_text
from service.feeds.public_face import OLDEST_S, install_public
from service.feeds.public_pages import ready_pages
from service.feeds.public_words import WORDS
from service.feeds.receiver import FeedError
from service.live.messages import ApproachLive
from service.registry import Site
from service.storage.connect import StorageError
from tests.service.api.conftest import Clock
from tests.service.api.serving import served
from tests.service.feeds.test_levels import say

PATHS = ("vi", "en", "vi/map", "en/map", "vi/radio.txt", "en/board.txt", "levels.geojson", "refresh.js")
Open = Callable[..., TestClient]


@pytest.fixture
def opened(engine: Engine, hub: LiveHub, clock: Clock) -> Iterator[Open]:
    """Makes a reader of a service with some public settings."""
    clients = []

    def make(**told: Any) -> TestClient:
        app = create_app(engine, ApiSettings(), AuthSettings(), hub=hub, clock=clock)
        install_public(app, PublicSettings.model_validate({"on": True, **told}))
        client = TestClient(app, base_url="http://localhost", follow_redirects=False)
        clients.append(client.__enter__())
        return client

    yield make
    for client in clients:
        client.__exit__(None, None, None)


def test_nothing_is_public_unless_it_is_switched_on(app: FastAPI) -> None:
    install_public(app, PublicSettings.from_environment(environment={}))
    reader = TestClient(app, base_url="http://localhost")
    for path in PATHS:
        assert reader.get(f"/public/{path}").status_code in (401, 404), path


def test_anybody_reads_levels_and_nothing_else(opened: Open, hub: LiveHub, clock: Clock) -> None:
    say(hub, clock.now, {"north": "slow", "south": "jammed"})
    reader = opened()
    for path in PATHS:
        answer = reader.get(f"/public/{path}")
        assert answer.status_code == 200, path
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "public, max-age=10"
        for secret in ("192.0.2.1", "rtsp", "viewer", "cam1", "jpeg"):
            assert secret not in answer.text, (path, secret)
    told = reader.get("/public/levels.geojson").json()
    square = next(each for each in told["features"] if each["id"] == "square")
    assert square["geometry"]["coordinates"] == [106.2, 21.28]
    assert set(square["properties"]) == {"site", "name", "ward", "level", "level_vi", "level_en", "as_of"}
    assert square["properties"]["level_vi"] == "Ùn tắc"
    assert reader.get("/public/levels.geojson").headers["access-control-allow-origin"] == "*"
    page = reader.get("/public/vi").text
    assert "Ngã tư Quảng trường" in page
    assert "Ùn tắc" in page
    assert "Chưa có số liệu" in page, "of the other junction nothing is known"
    assert "Jammed" in reader.get("/public/en").text
    assert "park" not in told, "junctions only"


def test_the_rest_of_the_service_stays_closed(opened: Open) -> None:
    reader = opened()
    assert reader.get("/v1/live").status_code == 401
    assert reader.get("/public/../v1/live").status_code in (401, 404)
    assert reader.get("/publicity").status_code in (401, 404)
    assert reader.post("/public/vi").status_code == 405
    assert reader.get("/public/none").status_code == 404


def test_only_the_map_may_stand_in_a_frame_of_whom_the_operator_named(opened: Open) -> None:
    reader = opened(embed=["https://www.example.vn"])

    def ancestors(path: str) -> str:
        policy = reader.get(path).headers["content-security-policy"]
        return next(each for each in policy.split("; ") if each.startswith("frame-ancestors"))

    assert ancestors("/public/vi/map") == "frame-ancestors https://www.example.vn"
    for path in ("/public/vi", "/public/levels.geojson", "/v1/live"):
        assert ancestors(path) == "frame-ancestors 'none'", path
    assert "unsafe" not in reader.get("/public/vi").headers["content-security-policy"]


def test_named_junctions_only(opened: Open) -> None:
    told = opened(sites=["far"]).get("/public/levels.geojson").json()
    assert [each["id"] for each in told["features"]] == ["far"]


def test_it_is_cached_and_made_anew(opened: Open, hub: LiveHub, clock: Clock) -> None:
    say(hub, clock.now, {"north": "free", "south": "free"})
    reader = opened(refresh_s=10)
    first = reader.get("/public/levels.geojson")
    tag = {"If-None-Match": first.headers["etag"]}
    assert reader.get("/public/levels.geojson", headers=tag).status_code == 304
    clock.now += 9
    say(hub, clock.now, {"north": "jammed", "south": "free"})
    assert reader.get("/public/levels.geojson", headers=tag).status_code == 304, "not made anew yet"
    clock.now += 2
    until = time.monotonic() + 20
    while '"jammed"' not in reader.get("/public/levels.geojson").text:
        assert time.monotonic() < until
        time.sleep(0.02)
    packed = reader.get("/public/levels.geojson", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["type"] == "FeatureCollection"


def test_with_the_database_away_it_goes_on_and_what_is_old_is_not_shown(
    opened: Open, hub: LiveHub, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = opened()
    app: Any = reader.app

    def away(*_: object) -> None:
        raise StorageError("the database does not answer")

    say(hub, clock.now, {"north": "free", "south": "free"})
    assert '"free"' in reader.get("/public/levels.geojson").text
    monkeypatch.setattr(type(app.state.services), "reading", away)
    clock.now += OLDEST_S + 1
    say(hub, clock.now, {"north": "slow", "south": "free"})
    assert '"slow"' in reader.get("/public/levels.geojson").text, "the registry as it was last known"
    monkeypatch.setattr("service.feeds.public_face.ready_pages", lambda *_: 1 / 0)
    clock.now += OLDEST_S + 1
    assert reader.get("/public/levels.geojson").status_code == 503


def test_too_many_requests_of_one_address_are_refused(opened: Open) -> None:
    reader = opened(requests_per_minute=3)
    answers = [reader.get("/public/vi").status_code for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]


def test_the_reader_is_led_to_their_language(opened: Open) -> None:
    reader = opened()
    for header, path in (("vi", "/public/vi"), ("en-GB,en;q=0.8", "/public/en"), ("fr", "/public/vi")):
        answer = reader.get("/public", headers={"Accept-Language": header})
        assert (answer.status_code, answer.headers["location"]) == (302, path)


def test_many_readers_at_once_make_it_once(
    engine: Engine, hub: LiveHub, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counted(levels: PublicLevels, settings: PublicSettings) -> Any:
        made.append(1)
        return ready_pages(levels, settings)

    monkeypatch.setattr("service.feeds.public_face.ready_pages", counted)
    app = create_app(engine, ApiSettings(), AuthSettings(), hub=hub, clock=clock)
    install_public(app, PublicSettings(on=True, requests_per_minute=10_000))
    statuses: list[int] = []
    with served(app) as url:

        def read() -> None:
            with httpx.Client() as client:
                statuses.extend(client.get(f"{url}/public/vi").status_code for _ in range(25))

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert statuses == [200] * 200
    assert len(made) == 1


# What is said.


def junction(name: str, level: str | None, note: str = "") -> JunctionLevel:
    site = Site(id=f"j{abs(hash(name))}", kind="junction", name=name, is_key=True, note=note)
    told = ApproachLive(approach="north", level=level, end=1.0)
    return JunctionLevel(site, (ApproachLevel("north", "", True, told),))


def levels(*junctions: JunctionLevel) -> PublicLevels:
    return PublicLevels.of(junctions, None, 1_773_100_800.0, "Asia/Ho_Chi_Minh")


def test_radio_and_boards_tell_the_worst_first_and_what_is_not_known() -> None:
    told = levels(
        junction("A Free", "free"),
        junction("B Slow", "slow"),
        junction("C Jammed", "jammed"),
        junction("D Unknown", None),
    )
    radio = radio_text(told, "en").splitlines()
    assert radio == [
        "Traffic at 07:00 on 10/03/2026.",
        "Jammed: C Jammed.",
        "Slow: B Slow.",
        "1 junctions are free.",
        "Of 1 junctions nothing is known.",
    ]
    assert board_text(told, "vi").splitlines() == ["07:00", "UN TAC: C JAMMED", "DI CHAM: B SLOW"]


def test_no_data_is_never_said_to_be_free_flow() -> None:
    nothing = levels(junction("A", None), junction("B", None))
    assert "no data" in radio_text(nothing, "en")
    assert "No jams" not in radio_text(nothing, "en")
    assert board_text(nothing, "vi").splitlines()[1] == "CHUA CO SO LIEU"
    assert board_text(levels(junction("A", "free")), "vi").splitlines()[1] == "KHONG GHI NHAN UN TAC"


def test_a_sample_city_says_so_everywhere() -> None:
    told = levels(junction("A", "free", note="illustrative: made up"))
    assert "Illustrative" in radio_text(told, "en")
    assert board_text(told, "vi").startswith("DEMO ")
    pages = ready_pages(told, PublicSettings(on=True))
    assert "minh họa" in pages["/public/vi/map"].body.decode()
    assert json.loads(pages["/public/levels.geojson"].body)["illustrative"] is True


def test_a_name_cannot_write_into_the_page() -> None:
    told = levels(junction("<script>alert(1)</script>", "free"))
    placed = [
        replace(each, site=each.site.model_copy(update={"lat": 21.0, "lon": 106.0}))
        for each in told.junctions
    ]
    pages = ready_pages(levels(*placed), PublicSettings(on=True))
    for path in ("/public/vi", "/public/vi/map"):
        assert b"<script>alert" not in pages[path].body
        assert gzip.decompress(pages[path].packed) == pages[path].body
        assert b"<circle" in pages[path].body


def test_lines_of_boards_are_short_and_plain() -> None:
    told = levels(*[junction(f"Đường Nguyễn Thị Minh Khai số {number}", "jammed") for number in range(20)])
    lines = board_text(told, "vi").splitlines()
    assert len(lines) == 9
    assert all(len(line) <= 32 and line.isascii() and line == line.upper() for line in lines)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NGATU_PUBLIC_EMBED", "www.example.vn"),
        ("NGATU_PUBLIC_EMBED", "*; script-src *"),
        ("NGATU_PUBLIC_REQUESTS", "many"),
    ],
)
def test_settings_that_are_not_right_are_named(name: str, value: str) -> None:
    with pytest.raises(FeedError, match=name):
        PublicSettings.from_environment(environment={name: value})


def test_every_text_is_written_in_both_languages() -> None:
    for key, both in WORDS.items():
        assert all(each.strip() for each in both), key
