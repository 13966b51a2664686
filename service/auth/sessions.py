"""Logins that go on, and tokens of programs: random values, of which the database holds checksums only."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from service.auth.roles import ROLES, Role, smaller
from service.storage.tables import Account, ApiToken, Session

TOKEN_PREFIX = "ngatu_"  # noqa: S105 (what a scanner of leaked secrets can look for)
TOUCH = timedelta(seconds=60)
"""Use is noted at most so often: every note is a write."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a session or token belongs to; ``stale`` when its use is to be noted."""

    login: str
    role: Role
    via: Literal["session", "token"]
    language: str
    session: str | None = None
    csrf: str = field(default="", repr=False)
    sha256: str = field(default="", repr=False)
    stale: bool = False


def checksum(value: str) -> str:
    """What the database keeps of a random value; such values have 256 bits, so nothing slow is needed."""
    return hashlib.sha256(value.encode()).hexdigest()


def open_session(
    connection: Connection, login: str, client: str, now: datetime, absolute: timedelta
) -> tuple[str, str]:
    """A new session: the value of its cookie, and its CSRF token. Sessions that have ended are removed."""
    value, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    connection.execute(delete(Session).where(Session.expires_at <= now))
    connection.execute(
        insert(Session).values(
            sha256=checksum(value),
            login=login,
            csrf=csrf,
            created_at=now,
            seen_at=now,
            expires_at=now + absolute,
            client=client,
        )
    )
    return value, csrf


def find_session(connection: Connection, value: str, now: datetime, idle: timedelta) -> Identity | None:
    """Who a cookie belongs to; None where it is unknown, has ended, or its account is disabled."""
    found = connection.execute(
        select(
            Session.sha256, Session.csrf, Session.seen_at, Account.login, Account.role, Account.language
        ).where(
            Session.sha256 == checksum(value),
            Session.expires_at > now,
            Session.seen_at > now - idle,
            Account.login == Session.login,
            Account.disabled_at.is_(None),
        )
    ).one_or_none()
    if found is None or found.role not in ROLES:
        return None
    return Identity(
        login=found.login,
        role=found.role,
        via="session",
        language=found.language,
        session=found.sha256,
        csrf=found.csrf,
        sha256=found.sha256,
        stale=now - found.seen_at > TOUCH,
    )


def find_token(connection: Connection, value: str, now: datetime) -> Identity | None:
    """Who a token belongs to; None where it is unknown, has ended, was revoked, or its account disabled."""
    if not value.startswith(TOKEN_PREFIX):
        return None
    found = connection.execute(
        select(
            ApiToken.sha256, ApiToken.scope, ApiToken.used_at, Account.login, Account.role, Account.language
        ).where(
            ApiToken.sha256 == checksum(value),
            ApiToken.expires_at > now,
            ApiToken.revoked_at.is_(None),
            Account.login == ApiToken.login,
            Account.disabled_at.is_(None),
        )
    ).one_or_none()
    if found is None or found.role not in ROLES or found.scope not in ROLES:
        return None
    return Identity(
        login=found.login,
        role=smaller(found.role, found.scope),
        via="token",
        language=found.language,
        sha256=found.sha256,
        stale=found.used_at is None or now - found.used_at > TOUCH,
    )


def note_use(connection: Connection, identity: Identity, now: datetime) -> None:
    """Write down that a session or token was used."""
    if identity.via == "session":
        connection.execute(update(Session).where(Session.sha256 == identity.sha256).values(seen_at=now))
    else:
        connection.execute(update(ApiToken).where(ApiToken.sha256 == identity.sha256).values(used_at=now))


def close_session(connection: Connection, sha256: str) -> None:
    """End one session."""
    connection.execute(delete(Session).where(Session.sha256 == sha256))


def close_sessions(connection: Connection, login: str, except_for: str | None = None) -> int:
    """End every session of an account, but perhaps one; returns how many."""
    chosen = delete(Session).where(Session.login == login)
    if except_for is not None:
        chosen = chosen.where(Session.sha256 != except_for)
    return connection.execute(chosen).rowcount


def make_token(
    connection: Connection, login: str, name: str, scope: Role, expires_at: datetime, now: datetime
) -> tuple[int, str]:
    """A new token: its number, and its value, which is never to be seen again."""
    value = TOKEN_PREFIX + secrets.token_urlsafe(32)
    done = connection.execute(
        insert(ApiToken).values(
            sha256=checksum(value),
            name=name,
            login=login,
            scope=scope,
            created_at=now,
            expires_at=expires_at,
        )
    )
    key = done.inserted_primary_key
    return int(key[0]) if key else 0, value
