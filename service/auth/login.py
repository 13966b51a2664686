"""Logging in: as slow for an unknown name as for a known one, slower with each wrong guess."""

import hashlib
import hmac
import math
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request
from sqlalchemy import select, update

from service.auth.door import DEVICE_COOKIE, SESSION_COOKIE, Door
from service.auth.guessing import wait_after
from service.auth.passwords import hash_password, is_password, needs_new_hash
from service.auth.problems import Problem
from service.auth.sessions import checksum, close_session, open_session
from service.auth.trail import audit
from service.storage.connect import reading, writing
from service.storage.tables import Account

FREE = 10
"""Wrong guesses at an account that cost nothing."""

_ONE_AT_A_TIME = threading.Lock()  # a hash takes 64 MiB and a core; guesses in parallel must not get ahead
_WAITING = threading.BoundedSemaphore(8)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A login that succeeded, with what its cookies are to hold."""

    login: str
    cookie: str = field(repr=False)
    csrf: str = field(repr=False)
    device: str = field(repr=False)


def log_in(door: Door, request: Request, login: str, password: str) -> LoggedIn:
    """Let somebody in by password; an earlier session of this browser ends.

    Guesses are counted by account and by address. A browser that logged in to the account before is counted
    by itself instead, so that strangers who guess cannot keep its owner out; sessions go on in any case.

    Raises:
        Problem: 401 where name or password is wrong (which of them is not said), 429 where it must wait.
    """
    refuse_plain_http(door, request)
    device = known_device(door, request, login)
    with _turn():
        guesses, key = (door.devices, device) if device else (door.clients, door.client(request))
        _wait(guesses.wait(key))
        now = door.settings.clock()
        with reading(door.engine) as connection:
            account = connection.execute(
                select(Account).where(Account.login == login, Account.disabled_at.is_(None))
            ).one_or_none()
        if not device:
            _wait(door.strangers.wait(login) if account is None else _seconds(account.locked_until, now))
        right = is_password(account.password_hash if account is not None else None, password)
        if account is None or not right:
            guesses.fail(key)
            _note_failure(door, request, login, None if account is None else account.failures + 1, now)
            raise Problem(
                401, "not logged in", "name or password is wrong", headers={"WWW-Authenticate": "Bearer"}
            )
        guesses.forgive(key)
    # The guesses of strangers go on counting for them while the owner comes and goes.
    values: dict[str, Any] = {} if device else {"failures": 0, "locked_until": None}
    if needs_new_hash(account.password_hash):
        values["password_hash"] = hash_password(password)
    lasts = door.settings.wall if account.role == "viewer" else door.settings.absolute
    with writing(door.engine) as connection:
        if values:
            connection.execute(update(Account).where(Account.login == login).values(values))
        earlier = request.cookies.get(door.cookie_name(request, SESSION_COOKIE))
        if earlier:
            close_session(connection, checksum(earlier))
        client = door.client(request)
        cookie, csrf = open_session(connection, login, client, now, lasts)
        audit(connection, login, "login", f"from {client}", now=now)
    return LoggedIn(login, cookie, csrf, sign_device(door, login, device))


def refuse_plain_http(door: Door, request: Request) -> None:
    """See that a password does not cross the network in clear.

    Raises:
        Problem: 403, it would.
    """
    if not door.may_send_password(request):
        raise Problem(
            403,
            "not encrypted",
            "passwords do not cross the network in clear: put TLS in front of ngatu (see docs/security.md), "
            "or set NGATU_ALLOW_HTTP=1 for a network that you trust",
        )


def confirm_password(door: Door, login: str, password: str, session: str) -> None:
    """See that somebody who is logged in knows the password too.

    Raises:
        Problem: 422, it is wrong; 429, it was wrong too often.
    """
    with _turn():
        key = f"session {session}"
        _wait(door.devices.wait(key))
        with reading(door.engine) as connection:
            kept = connection.scalar(select(Account.password_hash).where(Account.login == login))
        if not is_password(kept, password):
            door.devices.fail(key)
            raise Problem(422, "not valid", "that is not the present password", "body.old")
        door.devices.forgive(key)


def sign_device(door: Door, login: str, device: str | None) -> str:
    """What the cookie holds by which a browser is known again: a random name, signed with the login."""
    name = device or secrets.token_urlsafe(16)
    return f"{name}.{_signature(door, login, name)}"


def known_device(door: Door, request: Request, login: str) -> str | None:
    """The name of the browser, if it logged in to this account before."""
    name, _, signature = request.cookies.get(door.cookie_name(request, DEVICE_COOKIE), "").partition(".")
    expected = _signature(door, login, name)
    return name if name and hmac.compare_digest(signature.encode(), expected.encode()) else None


def _signature(door: Door, login: str, name: str) -> str:
    return hmac.new(door.device_key, f"{login}\n{name}".encode(), hashlib.sha256).hexdigest()


@contextmanager
def _turn() -> Iterator[None]:
    if not _WAITING.acquire(blocking=False):
        raise Problem(503, "busy", "many are logging in just now; try again", headers={"Retry-After": "2"})
    try:
        with _ONE_AT_A_TIME:
            yield
    finally:
        _WAITING.release()


def _note_failure(door: Door, request: Request, login: str, failures: int | None, now: datetime) -> None:
    with writing(door.engine) as connection:
        # A name that no account has may be a password, typed into the wrong field: it is not written down.
        actor = "somebody" if failures is None else login
        audit(connection, actor, "login.refused", f"from {door.client(request)}", now=now)
        if failures is None:
            door.strangers.fail(login)
        else:
            until = now + timedelta(seconds=wait_after(failures, FREE)) if failures >= FREE else None
            chosen = update(Account).where(Account.login == login)
            connection.execute(chosen.values(failures=failures, locked_until=until))


def _seconds(until: datetime | None, now: datetime) -> float:
    return 0.0 if until is None else max(0.0, (until - now).total_seconds())


def _wait(seconds: float) -> None:
    if seconds > 0:
        whole = math.ceil(seconds)
        raise Problem(
            429,
            "too many wrong guesses",
            f"wait {whole} s and try again; an administrator can unlock the account",
            headers={"Retry-After": str(whole)},
        )
