"""A small guarded app for the tests of access, and people who are logged in to it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import Engine, insert

from service.auth.access import AuthSettings, Caller, Role, install, public, require, worker_only
from service.auth.passwords import hash_password
from service.auth.problems import Problem
from service.storage.connect import writing
from service.storage.tables import Account
from vision import NgatuError

PASSWORD = "ba con mèo ngủ trưa"  # noqa: S105
START = datetime(2026, 3, 10, 2, tzinfo=UTC)
ROLES: tuple[Role, ...] = ("viewer", "operator", "engineer", "administrator")


class Time:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **delta: float) -> None:
        self.now += timedelta(**delta)


class Number(BaseModel):
    number: int


@dataclass(frozen=True)
class House:
    """An app with its clock."""

    app: FastAPI
    engine: Engine
    time: Time

    def visitor(self, **options: Any) -> TestClient:
        return TestClient(self.app, **options)

    def person(self, login: str, role: Role = "viewer", **options: Any) -> TestClient:
        """A browser whose user logged in."""
        add_account(self.engine, login, role)
        browser = self.visitor(**options)
        log_in(browser, login)
        return browser


def settings(time: Time, **changes: Any) -> AuthSettings:
    return replace(AuthSettings(allowed_hosts=("testserver",), clock=time, worker_token="w" * 32), **changes)


def house(engine: Engine, **changes: Any) -> House:
    """An app with a route for each kind of access."""
    time = Time()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    install(app, engine, settings(time, **changes))

    @app.get("/open", dependencies=[Depends(public)])
    def open_to_all() -> str:
        return "open"

    for role in ROLES:

        @app.get(f"/for/{role}")
        def for_role(caller: Annotated[Caller, Depends(require(role))]) -> dict[str, str]:
            return {"login": caller.login, "role": caller.role, "via": caller.via}

    @app.post("/change")
    def change(body: Number, caller: Annotated[Caller, Depends(require("operator"))]) -> int:
        return body.number

    @app.post("/live", dependencies=[Depends(worker_only)])
    def live() -> str:
        return "taken"

    @app.get("/fails/{how}", dependencies=[Depends(public)])
    def fails(how: str) -> str:
        if how == "problem":
            raise Problem(404, "no such thing", "there is none", "path.how", {"Retry-After": "1"})
        if how == "own":
            raise NgatuError("rtsp://me:s3cret@10.0.0.5/1 cannot be opened")
        raise RuntimeError("rtsp://me:s3cret@10.0.0.5/1 broke")

    return House(app, engine, time)


def add_account(engine: Engine, login: str, role: Role) -> None:
    values = {
        "login": login,
        "role": role,
        "language": "vi",
        "password_hash": hash_password(PASSWORD),
        "created_at": START,
        "failures": 0,
    }
    with writing(engine) as connection:
        connection.execute(insert(Account).values(values))


def log_in(browser: TestClient, login: str, password: str = PASSWORD) -> None:
    answer = browser.post("/v1/login", json={"login": login, "password": password})
    assert answer.status_code == 200, answer.text
    browser.headers["X-CSRF-Token"] = answer.json()["csrf"]
