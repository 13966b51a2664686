"""Invitation, login, token, secret and audit, on SQLite and on PostgreSQL alike."""

from sqlalchemy import Engine

from tests.service.auth.people import PASSWORD, house, log_in
from tests.service.storage.conftest import engine, migrated_file, postgres, url

__all__ = ["engine", "migrated_file", "postgres", "url"]


def test_access_from_the_first_link_to_the_last_logout(engine: Engine) -> None:
    home = house(engine)
    admin = home.person("chief", "administrator")
    made = admin.post("/v1/invitations", json={"login": "an", "role": "engineer"}).json()
    browser = home.visitor()
    accept = {"token": made["link"].split("#")[1], "password": PASSWORD, "name": "Nguyễn An"}
    done = browser.post("/v1/invitations/accept", json=accept)
    assert done.json()["name"] == "Nguyễn An"
    browser.headers["X-CSRF-Token"] = done.json()["csrf"]
    token = browser.post("/v1/tokens", json={"name": "hub", "scope": "operator"}).json()
    program = home.visitor(headers={"Authorization": f"Bearer {token['token']}"})
    assert program.post("/change", json={"number": 3}).json() == 3
    home.time.pass_(minutes=5)
    assert program.get("/for/operator").status_code == browser.get("/for/engineer").status_code == 200
    used = browser.get("/v1/tokens").json()[0]["used_at"]
    assert used == home.time.now.isoformat().replace("+00:00", "Z")
    for value in ("one", "two"):
        assert admin.put("/v1/secrets/CAM_1", json={"value": value}).status_code == 204
    wrong = home.visitor().post("/v1/login", json={"login": "an", "password": "wrong"})
    assert wrong.status_code == 401
    assert {each["login"]: each["failures"] for each in admin.get("/v1/accounts").json()}["an"] == 1
    assert admin.patch("/v1/accounts/an", json={"disabled": True}).json()["disabled_at"]
    assert program.get("/for/viewer").status_code == browser.get("/for/viewer").status_code == 401
    admin.patch("/v1/accounts/an", json={"disabled": False})
    log_in(browser, "an")
    assert browser.post("/v1/logout?everywhere=true").status_code == 204
    actions = [each["action"] for each in admin.get("/v1/audit?limit=1000").json()["items"]]
    assert actions[::-1] == [
        "login", "account.invite", "account.password", "login", "token.make", "secret.add", "secret.change",
        "login.refused", "account.change", "account.change", "login", "logout",
    ]  # fmt: skip
