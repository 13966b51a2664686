"""Addresses and secrets are sealed in the database with a key that is not in it; its loss is told."""

import os
import re
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert, select, text

from service.auth import vault
from service.auth.addresses_guard import NetworkPolicy
from service.auth.problems import Problem
from service.registry import resolve_address
from service.registry.store import load_history
from service.storage import sealing
from service.storage.connect import reading, writing
from service.storage.sealing import SealingError, is_sealed, new_key, seal, unseal
from service.storage.tables import Audit, Camera, Secret
from tests.service.auth.people import START, House
from vision import SourceError

ADDRESS = "rtsp://viewer:${CAM_1}@10.0.0.5/Streaming/Channels/101"


def add_camera(engine: Engine, address: str = ADDRESS, camera: str = "cam1", substream: str = "") -> None:
    values = {
        "camera_id": camera,
        "site_id": "a",
        "name": "",
        "address": address,
        "substream": substream,
        "note": "",
        "valid_from": START,
    }
    with writing(engine) as connection:
        connection.execute(insert(Camera).values(values))


def stored(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(text("SELECT address FROM cameras ORDER BY pk")))


def read(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(select(Camera.address).order_by(Camera.pk)))


def test_addresses_are_sealed_in_the_database_and_open_in_the_program(engine: Engine, tmp_path: Path) -> None:
    add_camera(engine)
    add_camera(engine, "", "cam2")
    kept, empty = stored(engine)
    assert is_sealed(kept)
    assert empty == ""
    assert read(engine) == [ADDRESS, ""]
    assert b"10.0.0.5" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_substream_is_sealed_read_and_sealed_again_like_an_address(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = new_key(), new_key()
    monkeypatch.setenv("NGATU_KEY", old)
    smaller = "rtsp://viewer:${CAM_2}@10.0.0.5/Streaming/Channels/102"
    add_camera(engine, "", substream=smaller)
    kept = text("SELECT substream FROM cameras")
    with writing(engine) as connection:
        assert is_sealed(connection.scalar(kept) or "")
        assert connection.scalar(select(Camera.substream)) == smaller
        vault.put_secret(connection, "an", "CAM_2", "s3cret", START)
    with writing(engine) as connection, pytest.raises(Problem, match="the address of cam1 names it"):
        vault.drop_secret(connection, "an", "CAM_2", START)
    monkeypatch.setenv("NGATU_KEY", f"{new},{old}")
    with writing(engine) as connection:
        assert vault.reseal(connection) == 2
    monkeypatch.setenv("NGATU_KEY", new)
    with reading(engine) as connection:
        assert connection.scalar(select(Camera.substream)) == smaller
    monkeypatch.setenv("NGATU_KEY", new_key())
    with reading(engine) as connection:
        assert vault.key_problem(connection)


def test_rows_from_before_the_sealing_are_read_and_sealed_when_written(engine: Engine) -> None:
    add_camera(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE cameras SET address = :it"), {"it": ADDRESS})
    assert read(engine) == [ADDRESS]
    with reading(engine) as connection:
        (versions,) = load_history(connection).values()
    assert getattr(versions[0].record, "address", None) == ADDRESS
    with writing(engine) as connection:
        assert vault.reseal(connection) == 1
    assert is_sealed(stored(engine)[0])
    assert read(engine) == [ADDRESS]


def test_sealing_the_same_text_twice_gives_two_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = seal("abc"), seal("abc")
    assert one != other
    assert unseal(one) == unseal(other) == "abc"
    assert seal(one) == one, "what is sealed stays as it is"
    assert unseal("plain") == "plain"


def test_without_its_key_an_address_stays_sealed_and_all_else_goes_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_camera(engine)
    with writing(engine) as connection:
        vault.put_secret(connection, "an", "CAM_1", "s3cret", START)
        assert vault.key_problem(connection) is None
    lost = sealing.key_names()[0]
    monkeypatch.setenv("NGATU_KEY", new_key())
    kept = stored(engine)
    assert read(engine) == kept
    with reading(engine) as connection:
        load_history(connection)
        problem = vault.key_problem(connection)
        with pytest.raises(SealingError, match=f"sealed with the key {lost}, but the key here is"):
            vault.open_address(connection, read(engine)[0], {})
        with pytest.raises(SealingError, match=lost):
            vault.load_secrets(connection)
    assert problem is not None
    assert "put the key back" in problem
    with writing(engine) as connection, pytest.raises(SealingError):
        vault.reseal(connection)
    assert stored(engine) == kept


def test_keys_are_changed_by_naming_both_and_sealing_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = new_key(), new_key()
    monkeypatch.setenv("NGATU_KEY", old)
    add_camera(engine)
    with writing(engine) as connection:
        vault.put_secret(connection, "an", "CAM_1", "s3cret", START)
    monkeypatch.setenv("NGATU_KEY", f"{new},{old}")
    with writing(engine) as connection:
        assert vault.reseal(connection) == 2
    monkeypatch.setenv("NGATU_KEY", new)
    with reading(engine) as connection:
        assert vault.key_problem(connection) is None
        opened = vault.open_address(connection, read(engine)[0], {})
    assert opened == "rtsp://viewer:s3cret@10.0.0.5/Streaming/Channels/101"


def test_an_altered_seal_is_told() -> None:
    kept = seal("rtsp://10.0.0.5/1")
    with pytest.raises(SealingError, match="altered"):
        unseal(kept[:-6] + "AAAAAA")


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("NGATU_KEY", raising=False)
    path = tmp_path / "keys" / "ngatu.key"
    monkeypatch.setenv("NGATU_KEY_FILE", str(path))
    return path


def test_a_key_file_is_made_at_first_need_for_its_owner_only(key_file: Path) -> None:
    assert sealing.key_names() == []
    kept = seal("abc")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700
    assert unseal(kept) == "abc"
    assert list(key_file.parent.iterdir()) == [key_file]
    key_file.chmod(0o644)
    with pytest.raises(SealingError, match="chmod 600"):
        unseal(kept)
    key_file.chmod(0o600)
    key_file.write_text("nonsense\n")
    with pytest.raises(SealingError, match="holds no key"):
        seal("abc")
    key_file.write_text("")
    with pytest.raises(SealingError, match="is empty"):
        seal("abc")
    key_file.unlink()
    with pytest.raises(SealingError, match="there is no key here"):
        unseal(kept)


def test_several_that_need_a_key_at_once_make_one(key_file: Path) -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(seal("abc"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {unseal(each) for each in made} == {"abc"}
    assert len(made) == 8


def test_where_no_key_can_be_made_it_is_told_before_anything_is_written(
    engine: Engine, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGATU_KEY_FILE", "/proc/nowhere/key")
    with pytest.raises(SealingError, match="set NGATU_KEY_FILE to a file that ngatu may write"):
        add_camera(engine)
    assert stored(engine) == []
    add_camera(engine, "")
    for wrong in ("short", "ä" * 44, "x" * 42):
        monkeypatch.setenv("NGATU_KEY", wrong)
        with pytest.raises(
            SealingError, match=r"NGATU_KEY holds no key; make one with: ngatu accounts new-key"
        ):
            seal("abc")


# The vault.


def test_secrets_of_the_vault_come_before_the_environment() -> None:
    address = "rtsp://viewer:${CAM_1}@10.0.0.5/1"
    assert resolve_address(address, {"CAM_1": "env"}) == "rtsp://viewer:env@10.0.0.5/1"
    assert resolve_address(address, {"CAM_1": "env"}, {"CAM_1": "kept"}) == "rtsp://viewer:kept@10.0.0.5/1"
    assert resolve_address(address, {}, {"CAM_1": "p@s/s?#1"}) == "rtsp://viewer:p%40s%2Fs%3F%231@10.0.0.5/1"
    with pytest.raises(SourceError, match="CAM_1 is not set, and no secret has that name"):
        resolve_address(address, {}, {"OTHER": "x"})


@pytest.mark.parametrize(
    "name",
    [
        "NGATU_KEY",
        "NGATU_WORKER_TOKEN",
        "NGATU_DB",
        "PGPASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "POSTGRES_PASSWORD",
    ],
)
def test_an_address_cannot_send_out_the_services_own_secrets(name: str) -> None:
    with pytest.raises(SourceError, match=f"{name} is not set"):
        resolve_address(f"rtsp://x:${{{name}}}@203.0.113.9/1", {name: "s3cret"})


def test_a_password_in_an_address_goes_into_the_vault(engine: Engine) -> None:
    with writing(engine) as connection:
        kept = vault.accept_address(
            connection, "an", "hoa-ban_cam1", " rtsp://admin:s3cret@10.0.0.5/1 ", START, NetworkPolicy()
        )
        name = vault.secret_name("hoa-ban_cam1")
        assert kept == f"rtsp://admin:${{{name}}}@10.0.0.5/1"
        assert vault.open_address(connection, kept, {}) == "rtsp://admin:s3cret@10.0.0.5/1"
        sealed = connection.scalar(select(Secret.sealed))
        assert sealed is not None
        assert is_sealed(sealed)
        rows = connection.execute(select(Audit)).all()
    assert [row.action for row in rows] == ["secret.add"]
    assert "s3cret" not in str(rows)
    assert vault.secret_name("a-b") != vault.secret_name("a_b")
    assert re.fullmatch(vault.NAME, vault.secret_name("x" * 64))


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("rtsp://me:${HOME}@10.0.0.5/1", "there is no secret HOME"),
        ("rtsp://me:${NGATU_KEY}@203.0.113.9/1", "there is no secret NGATU_KEY"),
        ("rtsp://10.0.0.5/1?token=s3cret", "holds a key or token in clear"),
        ("rtsp://me:s3cret@127.0.0.1/1", "this machine"),
        ("file:///etc/passwd", "this kind of address"),
    ],
)
def test_an_address_somebody_typed_is_looked_at_first(engine: Engine, address: str, problem: str) -> None:
    with writing(engine) as connection:
        with pytest.raises(SourceError, match=problem) as caught:
            vault.accept_address(connection, "an", "cam1", address, START, NetworkPolicy())
        assert connection.execute(select(Secret)).all() == []
    assert "s3cret" not in str(caught.value)


def test_a_secret_that_a_camera_names_is_not_dropped(engine: Engine) -> None:
    with writing(engine) as connection:
        vault.put_secret(connection, "an", "CAM_1", "s3cret", START)
    add_camera(engine)
    with writing(engine) as connection, pytest.raises(Problem, match="the address of cam1 names it"):
        vault.drop_secret(connection, "an", "CAM_1", START)


def secrets_of(browser: TestClient) -> list[Any]:
    return [each["name"] for each in browser.get("/v1/secrets").json()]


def test_secrets_are_set_and_never_shown(home: House) -> None:
    admin, engineer = home.person("chief", "administrator"), home.person("an", "engineer")
    assert admin.put("/v1/secrets/CAM_1", json={"value": "s3cret"}).status_code == 204
    assert admin.put("/v1/secrets/CAM_1", json={"value": "other s3cret"}).status_code == 204
    assert secrets_of(admin) == ["CAM_1"]
    assert "s3cret" not in admin.get("/v1/secrets").text + admin.get("/v1/audit").text
    assert engineer.get("/v1/secrets").status_code == 403
    assert admin.put("/v1/secrets/1-2", json={"value": "x"}).status_code == 422
    assert admin.delete("/v1/secrets/CAM_1").status_code == 204
    assert admin.delete("/v1/secrets/CAM_1").status_code == 404
    actions = [each["action"] for each in admin.get("/v1/audit?action=secret").json()["items"]]
    assert actions == ["secret.drop", "secret.change", "secret.add"]


def test_the_tests_have_a_key_of_their_own() -> None:
    assert os.environ["NGATU_KEY"]
