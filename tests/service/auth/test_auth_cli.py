"""``ngatu accounts``: what whoever is at the console can do."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from service.auth import vault
from service.auth_cli import app
from service.storage.connect import writing
from service.storage.sealing import new_key
from tests.service.auth.people import PASSWORD, START, House, add_account
from vision import NgatuError


@pytest.fixture
def db(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGATU_DB", engine.url.render_as_string())


def ngatu(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    if isinstance(result.exception, NgatuError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_an_invitation_of_the_console_opens_in_the_browser(home: House, db: None) -> None:
    assert "no account yet" in ngatu("list")
    link = ngatu("invite", "an", "--role", "operator").splitlines()[-1]
    assert link.startswith("http://127.0.0.1:8000/invitation#")
    accept = {"token": link.split("#")[1], "password": PASSWORD}
    visitor = home.visitor()
    # The console's clock is the real one, the app's that of the test: the link holds for both.
    assert visitor.post("/v1/invitations/accept", json=accept).json()["role"] == "operator"
    shown = ngatu("list")
    assert "operator" in shown


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("invite", "An Nguyen", "--role", "viewer"), "is no login"),
        (("invite", "an", "--role", "boss"), "there is no role 'boss'; take one of viewer, operator"),
        (("invite", "an"), "there is no account 'an' yet; give its role"),
        (("disable", "an"), "there is no account 'an'"),
        (("unlock", "an"), "there is no account 'an'"),
        (("disable", "chief"), "chief is the only administrator left"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    engine: Engine, db: None, words: tuple[str, ...], problem: str
) -> None:
    add_account(engine, "chief", "administrator")
    with pytest.raises(NgatuError, match=problem):
        ngatu(*words)


def test_accounts_are_disabled_enabled_unlocked_and_logged_out(home: House, db: None) -> None:
    browser = home.person("an")
    assert ngatu("logout", "an").strip() == "1 sessions of an ended"
    assert browser.get("/for/viewer").status_code == 401
    ngatu("disable", "an")
    assert "disabled" in ngatu("list")
    ngatu("enable", "an")
    ngatu("unlock", "an")
    assert "in use" in ngatu("list")


def test_the_key_is_checked_and_changed(
    engine: Engine, db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = new_key()
    monkeypatch.setenv("NGATU_KEY", old)
    with writing(engine) as connection:
        vault.put_secret(connection, "an", "CAM_1", "s3cret", START)
    assert "everything sealed in the database opens" in ngatu("key")
    new = ngatu("new-key").strip()
    monkeypatch.setenv("NGATU_KEY", new)
    result = CliRunner().invoke(app, ["key"])
    assert result.exit_code == 1
    assert "wrong: " in result.output
    monkeypatch.setenv("NGATU_KEY", f"{new} {old}")
    assert ngatu("reseal").startswith("1 addresses and secrets are sealed")
    monkeypatch.setenv("NGATU_KEY", new)
    assert "everything sealed in the database opens" in ngatu("key")
