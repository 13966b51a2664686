"""Headers, hosts, sizes and errors, on the wire of a real server where it matters."""

import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import pytest
import uvicorn
from fastapi import Depends, Request
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from service.auth.access import Caller, require
from service.auth.shield import CONTENT_SECURITY_POLICY
from service.storage.connect import connect
from tests.service.auth.people import PASSWORD, House, add_account, house


@contextmanager
def serving(home: House, **options: Any) -> Iterator[int]:
    """The app on a real server of 127.0.0.1; its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(home.app, log_level="warning", server_header=False, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started and thread.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    assert server.started
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(20)


def ask(
    port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    data = None if body is None else json.dumps(body)
    connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_cookies_and_headers_on_the_wire_over_plain_http(home: House) -> None:
    add_account(home.engine, "an", "operator")
    with serving(home) as port:
        answer, content = ask(port, "POST", "/v1/login", {"login": "an", "password": PASSWORD})
        assert answer.status == 200, content
        cookies = {line.partition("=")[0]: line for line in answer.headers.get_all("set-cookie") or []}
        assert set(cookies) == {"ngatu", "ngatu_device"}
        for line in cookies.values():
            assert "HttpOnly" in line
            assert "SameSite=lax" in line
            assert "Path=/" in line
            assert "Secure" not in line
            assert "Domain" not in line
        assert "Max-Age" not in cookies["ngatu"], "it ends with the browser"
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in answer.headers["Permissions-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert len(answer.headers["X-Request-Id"]) == 16
        assert answer.headers["Strict-Transport-Security"] is None
        assert answer.headers["Server"] is None

        session = {"Cookie": cookies["ngatu"].partition(";")[0]}
        csrf = json.loads(content)["csrf"]
        assert ask(port, "POST", "/change", {"number": 1}, session)[0].status == 403
        done = ask(port, "POST", "/change", {"number": 1}, {**session, "X-CSRF-Token": csrf})
        assert (done[0].status, done[1]) == (200, b"1")


def test_behind_a_proxy_with_tls_cookies_are_bound_to_it(home: House) -> None:
    add_account(home.engine, "an", "operator")
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.9", "Host": "testserver"}
    with serving(home, forwarded_allow_ips="127.0.0.1") as port:
        answer, content = ask(port, "POST", "/v1/login", {"login": "an", "password": PASSWORD}, proxied)
        assert answer.status == 200, content
        lines = answer.headers.get_all("set-cookie") or []
        assert [line.partition("=")[0] for line in lines] == ["__Host-ngatu", "__Host-ngatu_device"]
        assert all("Secure" in line and "Path=/" in line and "Domain" not in line for line in lines)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        cookie = lines[0].partition(";")[0]
        assert ask(port, "GET", "/for/viewer", None, {**proxied, "Cookie": cookie})[0].status == 200
        unbound = cookie.replace("__Host-", "")
        assert ask(port, "GET", "/for/viewer", None, {**proxied, "Cookie": unbound})[0].status == 401
        assert ask(port, "GET", "/for/viewer", None, {"Cookie": cookie})[0].status == 401
    with serving(home, forwarded_allow_ips="192.0.2.1") as port:
        answer, _ = ask(port, "POST", "/v1/login", {"login": "an", "password": PASSWORD}, proxied)
        assert "Secure" not in (answer.headers["set-cookie"] or ""), "that proxy is not trusted"


def test_a_body_without_a_length_ends_at_the_limit(engine: Engine) -> None:
    home = house(engine, body_limit=1000)
    with serving(home) as port, socket.create_connection(("127.0.0.1", port), 20) as client:
        client.sendall(
            b"POST /v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
        client.sendall(b"400\r\n" + b" " * 1024 + b"\r\n" + b"0\r\n\r\n")
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_body_is_at_most_so_large(engine: Engine) -> None:
    home = house(engine, body_limit=1000)
    visitor = home.visitor()
    large = visitor.post("/v1/login", json={"login": "an", "password": "x" * 2000})
    assert large.status_code == 413
    assert large.json()["detail"] == "a request here has at most 1000 bytes"
    for length in ("-1", "1e3", "ten"):
        refused = visitor.post("/v1/login", content=b"{}", headers={"Content-Length": length})
        assert refused.status_code == 413, length


def test_large_bodies_are_taken_from_people_we_know_only(engine: Engine) -> None:
    home = house(engine, body_limit=1000, large_bodies={"/upload": 100_000})
    read: list[int] = []

    @home.app.post("/upload")
    async def upload(request: Request, _caller: Annotated[Caller, Depends(require("engineer"))]) -> int:
        read.append(len(await request.body()))
        return read[-1]

    body = b"x" * 50_000
    assert home.visitor().post("/upload", content=body).status_code == 401
    assert home.person("an", "operator").post("/upload", content=body).status_code == 403
    engineer = home.person("binh", "engineer")
    assert engineer.post("/upload", content=body).json() == 50_000
    assert engineer.post("/upload", content=body * 3).status_code == 413
    assert read == [50_000]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("testserver", 200),
        ("TESTSERVER:8000", 200),
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:8000", 200),
        ("10.1.2.3:8000", 200),
        ("ngatu.example.vn", 200),
        ("evil.example", 421),
        ("testserver.evil.example", 421),
        ("", 421),
        ("evil.example:127.0.0.1", 421),
    ],
)
def test_requests_for_another_host_are_refused(engine: Engine, host: str, status: int) -> None:
    home = house(engine, public_url="https://ngatu.example.vn")
    assert home.visitor().get("/open", headers={"Host": host}).status_code == status


def test_links_name_the_public_address(engine: Engine) -> None:
    home = house(engine, public_url="https://ngatu.example.vn")
    admin = home.person("chief", "administrator", base_url="https://ngatu.example.vn")
    made = admin.post("/v1/invitations", json={"login": "an", "role": "viewer"}).json()
    assert made["link"].startswith("https://ngatu.example.vn/invitation#")


def test_every_error_is_a_problem_with_our_headers_and_no_secrets(
    home: House, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = home.visitor()
    with caplog.at_level(logging.ERROR):
        answers = {
            "problem": visitor.get("/fails/problem"),
            "own": visitor.get("/fails/own"),
            "bug": visitor.get("/fails/bug"),
            "missing": visitor.get("/nowhere"),
            "method": visitor.delete("/open"),
            "body": visitor.post("/v1/login", json={"login": 1, "word": "s3cret"}),
            "broken": visitor.post("/v1/login", content=b"{", headers={"Content-Type": "application/json"}),
        }
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert statuses == {
        "problem": 404, "own": 422, "bug": 500, "missing": 404, "method": 405, "body": 422, "broken": 422,
    }  # fmt: skip
    for name, answer in answers.items():
        assert answer.headers["content-type"] == "application/problem+json", name
        assert answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        assert body["status"] == answer.status_code
        assert body["request_id"] == answer.headers["x-request-id"]
        assert "s3cret" not in answer.text
    assert answers["problem"].json()["field"] == "path.how"
    assert answers["problem"].headers["retry-after"] == "1"
    assert [each["field"] for each in answers["body"].json()["errors"]] == [
        "body.login", "body.password", "body.word",
    ]  # fmt: skip
    assert "s3cret" not in answers["bug"].text
    assert answers["bug"].json()["request_id"] in caplog.text
    assert "s3cret" not in caplog.text


def test_zero_bytes_are_refused_before_a_database_meets_them(home: House) -> None:
    admin = home.person("chief", "administrator")
    assert admin.patch("/v1/accounts/a%00b", json={"name": "x"}).status_code == 400
    assert admin.get("/v1/audit?actor=a%00b").status_code == 400
    assert admin.post("/v1/login", json={"login": "a\x00", "password": "x"}).status_code == 422
    assert admin.put("/v1/secrets/CAM_1", json={"value": "a\x00"}).status_code == 422


def test_a_database_that_is_away_is_said_and_nobody_is_logged_out(home: House) -> None:
    browser = home.person("an")
    door = home.app.state.door
    engine, door.engine = door.engine, connect("postgresql://nobody:s3cret@127.0.0.1:1/none")
    away = browser.get("/for/viewer")
    assert away.status_code == 503
    assert away.headers["Retry-After"] == "5"
    assert "s3cret" not in away.text
    door.engine = engine
    assert browser.get("/for/viewer").status_code == 200


def test_a_page_without_a_login_leads_to_the_login(engine: Engine) -> None:
    home = house(engine, login_page="/login")
    visitor = TestClient(home.app, follow_redirects=False)
    page = visitor.get("/for/viewer?day=2026-03-10", headers={"Accept": "text/html,*/*"})
    assert page.status_code == 303
    assert page.headers["location"] == "/login?next=%2Ffor%2Fviewer%3Fday%3D2026-03-10"
    assert visitor.get("/for/viewer").status_code == 401
    assert visitor.post("/change", json={"number": 1}, headers={"Accept": "text/html"}).status_code == 401


def test_what_has_an_etag_may_be_asked_for_again(home: House) -> None:
    from fastapi import Response

    from service.auth.access import public

    @home.app.get("/tagged", dependencies=[Depends(public)])
    def tagged() -> Response:
        return Response("x", headers={"ETag": '"1"'})

    assert home.visitor().get("/tagged").headers["cache-control"] == "private, no-cache"
