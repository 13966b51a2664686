"""Roles, routes without one, sessions and tokens: who gets in, how far, and for how long."""

import json
from datetime import timedelta
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select
from starlette.staticfiles import StaticFiles

from service.auth.access import (
    Caller,
    Role,
    access_of,
    check_access,
    is_still_valid,
    mark_public,
    public,
    require,
)
from service.auth.accounts import first_administrator
from service.auth.settings import AuthError
from service.storage.connect import reading, writing
from service.storage.tables import ApiToken, Session
from tests.service.auth.people import PASSWORD, ROLES, House, house, log_in


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_is_for_it_and_those_before_it(home: House, role: Role) -> None:
    browser = home.person("an", role)
    answers = [browser.get(f"/for/{each}").status_code for each in ROLES]
    known = ROLES.index(role) + 1
    assert answers == [200] * known + [403] * (4 - known)


def test_without_a_login_only_what_is_open_answers(home: House) -> None:
    visitor = home.visitor()
    for methods, path, access in access_of(home.app):
        asked = visitor.request(methods.split(",")[0], path.replace("{", "").replace("}", ""), json={})
        if access == "public":
            assert asked.status_code != 403 or path in ("/v1/login",), path
        else:
            assert asked.status_code == 401, path
            assert asked.headers["content-type"] == "application/problem+json"


def test_every_route_says_who_may_call_it(home: House) -> None:
    check_access(home.app)
    assert ("GET", "/v1/audit", "administrator") in list(access_of(home.app))
    assert ("GET", "/for/engineer", "engineer") in list(access_of(home.app))


@pytest.mark.parametrize("kind", ["route", "included", "mounted", "websocket", "documents"])
def test_a_route_that_says_nothing_stops_the_service(engine: Engine, kind: str) -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url="/openapi.json" if kind == "documents" else None)
    router = APIRouter(prefix="/deep")
    app.get("/fine", dependencies=[Depends(require("viewer"))])(lambda: 1)
    if kind == "route":
        app.get("/forgotten")(lambda: 1)
    if kind == "included":
        router.get("/forgotten")(lambda: 1)
        app.include_router(router)
    if kind == "mounted":
        app.mount("/files", StaticFiles(directory="/"))
    if kind == "websocket":
        app.websocket("/socket")(lambda socket: None)
    with pytest.raises(AuthError, match=r"does not say who may call it"):
        check_access(app)
    guarded = house(engine)
    guarded.app.get("/forgotten")(lambda: 1)
    with pytest.raises(AuthError, match="/forgotten"), guarded.visitor():
        pass


def test_included_routers_and_marked_files_pass_the_check() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    router = APIRouter(dependencies=[Depends(require("operator"))])
    router.get("/by-router")(lambda: 1)
    outer = APIRouter()
    outer.include_router(router, prefix="/v1")
    app.include_router(outer)
    app.mount("/static", mark_public(StaticFiles(directory="/usr")))
    app.get("/both", dependencies=[Depends(public), Depends(require("engineer"))])(lambda: 1)
    check_access(app)
    found = {path: access for _, path, access in access_of(app)}
    assert found == {"/v1/by-router": "operator", "/static": "public", "/both": "engineer"}


def test_first_start_makes_one_administrator_by_a_link_that_opens_once(home: House) -> None:
    def link() -> str | None:
        with writing(home.engine) as connection:
            made = first_administrator(connection, home.time.now, timedelta(hours=24))
        return made.link("http://testserver").split("/invitation#")[1] if made else None

    old, new = link(), link()
    assert old != new
    visitor = home.visitor()
    accept = {"token": old, "password": PASSWORD, "name": "Nguyễn An", "language": "vi"}
    assert visitor.post("/v1/invitations/accept", json=accept).status_code == 404, "the newest counts"
    assert visitor.post("/v1/invitations/look", json={"token": new}).json()["role"] == "administrator"
    done = visitor.post("/v1/invitations/accept", json={**accept, "token": new})
    assert done.json()["login"] == "admin"
    assert visitor.get("/for/administrator").status_code == 200
    assert home.visitor().post("/v1/invitations/accept", json={**accept, "token": new}).status_code == 404
    assert link() is None


def test_an_invitation_ends_and_a_weak_password_does_not_use_it_up(home: House) -> None:
    admin = home.person("chief", "administrator")
    made = admin.post("/v1/invitations", json={"login": "binh", "role": "operator"}).json()
    token = made["link"].split("#")[1]
    assert made["link"].startswith("http://testserver/invitation#")
    visitor = home.visitor()
    weak = visitor.post("/v1/invitations/accept", json={"token": token, "password": "password1234"})
    assert (weak.status_code, weak.json()["field"]) == (422, "body.password")
    home.time.pass_(hours=25)
    late = visitor.post("/v1/invitations/accept", json={"token": token, "password": PASSWORD})
    assert late.status_code == 404
    log_in(admin, "chief")
    again = admin.post("/v1/invitations", json={"login": "binh", "role": "operator"}).json()
    token = again["link"].split("#")[1]
    assert len(admin.get("/v1/invitations").json()) == 1
    assert visitor.post("/v1/invitations/accept", json={"token": token, "password": PASSWORD}).json() == {
        "login": "binh",
        "name": "",
        "role": "operator",
        "via": "session",
        "language": "vi",
        "csrf": visitor.get("/v1/session").json()["csrf"],
    }


def test_a_session_changes_with_each_login_and_ends_when_idle_and_anyway(home: House) -> None:
    browser = home.person("an", "operator")
    first = browser.cookies["ngatu"]
    log_in(browser, "an")
    assert browser.cookies["ngatu"] != first
    thief = home.visitor(cookies={"ngatu": first})
    assert thief.get("/for/viewer").status_code == 401, "the earlier session has ended"
    for _ in range(13):
        home.time.pass_(minutes=50)
        assert browser.get("/for/viewer").status_code == 200
    home.time.pass_(minutes=61)
    assert browser.get("/for/viewer").status_code == 401, "idle"
    log_in(browser, "an")
    for _ in range(14):
        home.time.pass_(minutes=50)
        browser.get("/for/viewer")
    home.time.pass_(minutes=50)
    assert browser.get("/for/viewer").status_code == 401, "twelve hours after the login"


def test_a_wall_stays_open_for_weeks_as_a_viewer_only(home: House) -> None:
    wall = home.person("wall")
    for _ in range(40):
        home.time.pass_(minutes=50)
        assert wall.get("/for/viewer").status_code == 200, "more than a day"
    home.time.pass_(minutes=61)
    assert wall.get("/for/viewer").status_code == 401, "idle"


def test_logging_out_here_and_everywhere(home: House) -> None:
    one, two, three = home.person("an"), home.visitor(), home.visitor()
    log_in(two, "an")
    log_in(three, "an")
    cookie = one.cookies["ngatu"]
    assert one.post("/v1/logout").status_code == 204
    assert "ngatu" not in one.cookies
    assert home.visitor(cookies={"ngatu": cookie}).get("/for/viewer").status_code == 401
    assert two.get("/for/viewer").status_code == 200
    assert two.post("/v1/logout?everywhere=true").status_code == 204
    assert three.get("/for/viewer").status_code == 401


def test_another_password_ends_the_other_sessions(home: House) -> None:
    one, two = home.person("an"), home.visitor()
    log_in(two, "an")
    wrong = one.post("/v1/session/password", json={"old": "no", "new": "năm con gà trống"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "body.old")
    done = one.post("/v1/session/password", json={"old": PASSWORD, "new": "năm con gà trống"})
    assert done.status_code == 204
    assert one.get("/for/viewer").status_code == 200
    assert two.get("/for/viewer").status_code == 401
    log_in(two, "an", "năm con gà trống")


def test_the_database_holds_checksums_only(home: House) -> None:
    browser = home.person("an")
    token = browser.post("/v1/tokens", json={"name": "hub"}).json()["token"]
    with reading(home.engine) as connection:
        rows = [*connection.execute(select(Session)).all(), *connection.execute(select(ApiToken)).all()]
    text = str(rows)
    assert browser.cookies["ngatu"] not in text
    assert token not in text


def test_unsafe_requests_of_a_session_need_its_csrf_token_and_our_origin(home: House) -> None:
    browser = home.person("an", "operator")
    assert browser.post("/change", json={"number": 1}).json() == 1
    refused: list[dict[str, str | bytes]] = [
        {"X-CSRF-Token": "wrong"},
        {"X-CSRF-Token": "sai dấu".encode()},
        {"X-CSRF-Token": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    for headers in refused:
        answer = browser.post("/change", json={"number": 1}, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 403, headers
        assert answer.json()["title"] == "not from our page"
    ours = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/change", json={"number": 2}, headers=ours).json() == 2


def test_a_form_of_another_site_cannot_log_anybody_in(home: House) -> None:
    home.person("an")
    visitor = home.visitor()
    body = json.dumps({"login": "an", "password": PASSWORD})
    as_text = visitor.post("/v1/login", content=body, headers={"Content-Type": "text/plain"})
    assert as_text.status_code == 422
    crossed = visitor.post("/v1/login", content=body, headers={"Origin": "https://evil.example"})
    assert crossed.status_code == 403
    assert not visitor.cookies


def token_of(browser: TestClient, **form: object) -> str:
    return str(browser.post("/v1/tokens", json={"name": "hub", **form}).json()["token"])


def test_a_token_has_the_smaller_of_its_scope_and_its_owners_role(home: House) -> None:
    engineer, admin = home.person("an", "engineer"), home.person("chief", "administrator")
    asked = engineer.post("/v1/tokens", json={"name": "x", "scope": "administrator"})
    assert (asked.status_code, asked.json()["field"]) == (403, "body.scope")
    bearer = {"Authorization": f"Bearer {token_of(engineer, scope='operator')}"}
    program = home.visitor(headers=bearer)
    assert program.get("/for/operator").json() == {"login": "an", "role": "operator", "via": "token"}
    assert program.get("/for/engineer").status_code == 403
    assert program.post("/change", json={"number": 3}).json() == 3, "a token needs no CSRF token"
    admin.patch("/v1/accounts/an", json={"role": "viewer"})
    assert program.get("/for/operator").status_code == 403
    assert program.get("/for/viewer").status_code == 200


def test_tokens_hand_out_no_access(home: House) -> None:
    admin = home.person("chief", "administrator")
    program = home.visitor(headers={"Authorization": f"Bearer {token_of(admin, scope='administrator')}"})
    assert program.get("/for/administrator").status_code == 200
    assert program.get("/v1/audit").status_code == 200
    for method, path in (("POST", "/v1/tokens"), ("POST", "/v1/invitations"), ("GET", "/v1/accounts")):
        body = {"name": "x", "login": "ok", "role": "viewer"} if method == "POST" else None
        assert program.request(method, path, json=body).status_code in (403, 422), path


def test_a_token_ends_by_time_by_being_revoked_and_with_its_account(home: House) -> None:
    browser, admin = home.person("an"), home.person("chief", "administrator")

    def works(token: str) -> bool:
        asked = home.visitor(headers={"Authorization": f"Bearer {token}"}).get("/for/viewer")
        return asked.status_code == 200

    short, revoked, kept = (token_of(browser, days=days) for days in (1, 90, 90))
    numbers = [each["id"] for each in browser.get("/v1/tokens").json()]
    assert admin.delete(f"/v1/tokens/{numbers[1]}").status_code == 204
    assert admin.delete(f"/v1/tokens/{numbers[1]}").status_code == 404
    assert [works(each) for each in (short, revoked, kept)] == [True, False, True]
    home.time.pass_(days=2)
    assert [works(each) for each in (short, kept)] == [False, True]
    log_in(admin, "chief")
    assert admin.patch("/v1/accounts/an", json={"disabled": True}).status_code == 200
    assert not works(kept)
    assert not any(works(each) for each in (kept[:-1], "ngatu_", ""))


def test_one_sees_and_revokes_ones_own_tokens_only(home: House) -> None:
    an, binh = home.person("an"), home.person("binh")
    token_of(an)
    assert binh.get("/v1/tokens").json() == []
    assert binh.get("/v1/tokens?all=true").status_code == 403
    assert binh.delete("/v1/tokens/1").status_code == 404


def test_workers_show_the_token_they_share_with_the_service(home: House) -> None:
    visitor = home.visitor()
    assert visitor.post("/live").status_code == 401
    for wrong in ("", "w" * 31, "w" * 33, "đ" * 3):
        headers = {b"Authorization": f"Bearer {wrong}".encode()}
        assert visitor.post("/live", headers=headers).status_code == 401
    assert visitor.post("/live", headers={"Authorization": "Bearer " + "w" * 32}).text == '"taken"'
    admin = home.person("chief", "administrator")
    assert admin.post("/live").status_code == 401, "no person is a worker"


def test_a_disabled_account_is_out_at_once(home: House) -> None:
    browser, admin = home.person("an", "operator"), home.person("chief", "administrator")
    admin.patch("/v1/accounts/an", json={"disabled": True})
    assert browser.get("/for/viewer").status_code == 401
    again = home.visitor().post("/v1/login", json={"login": "an", "password": PASSWORD})
    assert again.status_code == 401
    assert admin.post("/v1/invitations", json={"login": "an"}).status_code == 409
    admin.patch("/v1/accounts/an", json={"disabled": False})
    log_in(browser, "an")


def test_the_last_administrator_stays(home: House) -> None:
    admin = home.person("chief", "administrator")
    for change in ({"disabled": True}, {"role": "viewer"}):
        assert admin.patch("/v1/accounts/chief", json=change).status_code == 409
    home.person("second", "administrator")
    assert admin.patch("/v1/accounts/chief", json={"role": "viewer"}).status_code == 200
    assert admin.get("/v1/accounts").status_code == 403


def test_too_many_requests_are_refused_by_account_and_by_address(engine: Engine) -> None:
    home = house(engine, requests_per_minute=5)
    an, binh = home.person("an"), home.person("binh")
    codes = [an.get("/for/viewer").status_code for _ in range(8)]
    assert codes[:3] == [200] * 3
    assert codes[-1] == 429
    assert binh.get("/for/viewer").status_code == 200
    visitor = home.visitor()
    answers = [visitor.get("/for/viewer") for _ in range(8)]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"]
    assert binh.get("/for/viewer").status_code == 200


def test_streams_end_with_the_session(home: House) -> None:
    seen: list[bool] = []

    @home.app.get("/stream")
    def stream(request: Request, caller: Annotated[Caller, Depends(require("viewer"))]) -> str:
        seen.append(is_still_valid(request, caller))
        home.time.pass_(hours=2)
        seen.append(is_still_valid(request, caller))
        return "over"

    home.person("an").get("/stream")
    assert seen == [True, False]
    assert timedelta(hours=1) == home.app.state.door.settings.idle
