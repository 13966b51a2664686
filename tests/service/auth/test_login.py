"""Guessing passwords: slower with each try, no word on which names exist, and owners are never shut out."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from service.auth import login as logins
from service.auth import passwords
from service.auth.guessing import Guesses, wait_after
from service.auth.passwords import check_password
from service.auth.problems import Problem
from service.storage.connect import reading
from service.storage.tables import Audit
from tests.service.auth.people import PASSWORD, House, house, log_in


@pytest.fixture
def home(engine: Engine) -> House:
    """Its guessers come from elsewhere, over plain HTTP."""
    return house(engine, allow_http=True)


WRONG = "wrong wrong wrong"


def tries(browser: TestClient, login: str, count: int, password: str = WRONG) -> list[int]:
    return [
        browser.post("/v1/login", json={"login": login, "password": password}).status_code
        for _ in range(count)
    ]


def from_address(home: House, address: str, **options: Any) -> TestClient:
    return home.visitor(client=(address, 50000), **options)


def test_an_address_that_guesses_must_wait_longer_and_longer(home: House) -> None:
    home.person("an")
    stranger = from_address(home, "198.51.100.7")
    assert tries(stranger, "an", 7)[:5] == [401] * 5
    blocked = stranger.post("/v1/login", json={"login": "an", "password": PASSWORD})
    assert blocked.status_code == 429
    assert int(blocked.headers["Retry-After"]) >= 1
    assert (
        from_address(home, "198.51.100.8")
        .post("/v1/login", json={"login": "an", "password": PASSWORD})
        .is_success
    ), "another address is not held up"


def test_addresses_of_one_ipv6_network_count_as_one(home: House) -> None:
    codes = [tries(from_address(home, f"2001:db8::{n:x}"), "an", 1)[0] for n in range(1, 8)]
    assert codes[-1] == 429


def spread(home: House, login: str, count: int) -> list[int]:
    """Guesses from many addresses."""
    return [tries(from_address(home, f"203.0.113.{n}"), login, 1)[0] for n in range(count)]


def test_many_addresses_that_guess_at_one_account_are_slowed_too(home: House) -> None:
    home.person("an")
    codes = spread(home, "an", 13)
    assert codes[:10] == [401] * 10
    assert codes[-1] == 429


def test_an_unknown_name_is_answered_and_slowed_like_a_known_one(home: House) -> None:
    home.person("an")
    known, unknown = spread(home, "an", 13), spread(home, "nobody", 13)
    assert known[:11] == unknown[:11]
    assert known[-1] == unknown[-1] == 429
    visitor = from_address(home, "203.0.113.99")
    bodies = [
        visitor.post("/v1/login", json={"login": name, "password": "wrong"}).json()
        for name in ("binh", "cuong", "x" * 100, "Ố Ồ")
    ]
    assert {(each["title"], each["detail"]) for each in bodies} == {
        ("not logged in", "name or password is wrong")
    }


def test_an_unknown_name_costs_one_hash_as_a_known_one_does(home: House, monkeypatch: Any) -> None:
    home.person("an")
    real, checked = passwords.HASHER.verify, []

    class Counting:
        def verify(self, kept: str, password: str) -> bool:
            checked.append(kept)
            return bool(real(kept, password))

    monkeypatch.setattr(passwords, "HASHER", Counting())
    tries(home.visitor(), "an", 1)
    tries(home.visitor(), "nobody", 1)
    tries(home.visitor(), "nobody", 1, "the password of nobody")
    assert len(checked) == 3
    assert checked[1] == checked[2] == passwords._NOBODY


def test_strangers_who_guess_cannot_keep_the_owner_out(home: House) -> None:
    owner = home.person("an")
    owner.post("/v1/logout")
    assert spread(home, "an", 13)[-1] == 429
    log_in(owner, "an")
    assert owner.get("/for/viewer").status_code == 200
    device = owner.cookies["ngatu_device"]
    thief = from_address(home, "203.0.113.77", cookies={"ngatu_device": device})
    assert tries(thief, "an", 7)[-1] == 429, "the browser is counted too"
    for forged in (device[:-1] + "0", device.partition(".")[0] + ".", "x.y", ""):
        assert spread(home, "an", 1) != [200]
        visitor = from_address(home, "203.0.113.78", cookies={"ngatu_device": forged})
        assert tries(visitor, "an", 1, PASSWORD) == [429], forged


def test_a_lock_ends_by_itself_and_by_an_administrator(home: House) -> None:
    home.person("an")
    admin = home.person("chief", "administrator")
    spread(home, "an", 12)
    visitor = from_address(home, "203.0.113.201")
    assert tries(visitor, "an", 1, PASSWORD) == [429]
    locked = next(each for each in admin.get("/v1/accounts").json() if each["login"] == "an")
    assert locked["failures"] >= 10
    assert admin.post("/v1/accounts/an/unlock").status_code == 204
    assert tries(visitor, "an", 1, PASSWORD) == [200]
    spread(home, "an", 12)
    home.time.pass_(minutes=16)
    assert tries(from_address(home, "203.0.113.202"), "an", 1, PASSWORD) == [200]


def test_waits_double_and_have_an_end() -> None:
    assert [wait_after(n, 5) for n in (0, 4, 5, 6, 7, 14, 1000)] == [0, 0, 1, 2, 4, 512, 900]
    now = [0.0]
    guesses = Guesses(2, lambda: now[0])
    for _ in range(4):
        guesses.fail("a")
    assert guesses.wait("a") == 4.0
    now[0] = 3.0
    assert guesses.wait("a") == 1.0
    now[0] = 4.0
    assert guesses.wait("a") == guesses.wait("b") == 0.0
    guesses.forgive("a")
    guesses.fail("a")
    assert guesses.wait("a") == 0.0


def test_made_up_names_do_not_fill_the_memory() -> None:
    guesses = Guesses(1)
    for n in range(10_100):
        guesses.fail(str(n))
    assert guesses.wait("0") == 0.0
    assert guesses.wait("10099") > 0.0
    assert len(guesses._counts) == 10_000


def test_guesses_in_parallel_get_no_further_than_one_after_another(home: House) -> None:
    home.person("an")
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.extend(spread(home, "an", 6))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count(401) <= 11
    assert set(codes) <= {401, 429, 503}


def test_too_many_logins_at_once_are_told_to_come_again(home: House, monkeypatch: Any) -> None:
    monkeypatch.setattr(logins, "_WAITING", threading.BoundedSemaphore(1))
    with logins._WAITING:
        busy = home.visitor().post("/v1/login", json={"login": "an", "password": PASSWORD})
    assert busy.status_code == 503
    assert busy.headers["Retry-After"] == "2"


def test_failed_logins_are_in_the_audit_without_made_up_names(home: House) -> None:
    home.person("an")
    tries(home.visitor(), "an", 1)
    tries(home.visitor(), "MyPassw0rdInTheWrongField", 1)
    with reading(home.engine) as connection:
        rows = connection.execute(select(Audit).where(Audit.action == "login.refused")).all()
    assert [row.actor for row in rows] == ["an", "somebody"]
    assert "MyPassw0rd" not in str(rows)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "eleven char",
        "password1234",
        "P@ssword2026!",
        "123456789012",
        "abcabcabcabcabc",
        "qwertyuiopasdf",
        "aaaaaaaaaaaaaaaa",
        "matkhau123456",
        "MatKhau@2026!!",
        "ngatu-ngatu-2026",
        "20260310101010",
        "nguyen.an1234",
        "nguyen.annguyen.an",
        "anhyeuem1234",
        "admin1234567",
        "Administrator1!",
        "x" * 300,
    ],
)
def test_passwords_that_anybody_would_try_are_refused(password: str) -> None:
    with pytest.raises(Problem) as caught:
        check_password(password, "nguyen.an")
    assert caught.value.status == 422
    assert caught.value.field == "body.password"
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "correct horse battery staple",
        "tôi đi chợ Gạo",
        "k8#mPq2$vXz9",
        "một hai ba bốn năm",
        "Ω" * 3 + "αβγδεζηθι",
    ],
)
def test_long_passwords_of_any_kind_are_taken(password: str) -> None:
    assert check_password(password, "nguyen.an")


def test_vietnamese_signs_may_be_composed_by_either_keyboard(home: House) -> None:
    import unicodedata

    home.person("an")
    decomposed = unicodedata.normalize("NFD", PASSWORD)
    assert decomposed != PASSWORD
    log_in(home.visitor(), "an", decomposed)


def test_passwords_do_not_cross_the_network_in_clear(engine: Engine) -> None:
    home = house(engine)
    home.person("an")
    body = {"login": "an", "password": PASSWORD}
    far = from_address(home, "10.0.0.9")
    refused = far.post("/v1/login", json=body)
    assert refused.status_code == 403
    assert "TLS" in refused.json()["detail"]
    tls = from_address(home, "10.0.0.9", base_url="https://testserver")
    assert tls.post("/v1/login", json=body).status_code == 200
    trusted = house(engine, allow_http=True)
    assert from_address(trusted, "10.0.0.9").post("/v1/login", json=body).status_code == 200


def test_a_hash_of_earlier_settings_is_renewed_at_login(home: House, monkeypatch: Any) -> None:
    from argon2 import PasswordHasher

    from service.storage.tables import Account

    home.person("an")
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    log_in(home.visitor(), "an")
    with reading(home.engine) as connection:
        kept = connection.scalar(select(Account.password_hash).where(Account.login == "an"))
    assert kept is not None
    assert kept.startswith("$argon2id$v=19$m=16,t=2,p=1$")
