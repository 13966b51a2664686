"""Accounts and the one-time links by which people set their passwords; nobody else ever knows one."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from service.auth.passwords import check_password, hash_password
from service.auth.problems import Problem
from service.auth.roles import Role
from service.auth.sessions import checksum, close_sessions
from service.auth.trail import audit
from service.storage.tables import Account, ApiToken, Invitation

FIRST = "admin"
"""Login of the first administrator."""

LOGIN = r"^[a-z0-9][a-z0-9._-]{0,62}[a-z0-9]$"
INVITATION_PAGE = "/invitation"


@dataclass(frozen=True, slots=True)
class Invited:
    """A link that was just made; its value is not kept anywhere."""

    login: str
    role: str
    value: str
    expires_at: datetime

    def link(self, base: str) -> str:
        """The link; what follows ``#`` never reaches a server's log."""
        return f"{base}{INVITATION_PAGE}#{self.value}"


def first_administrator(connection: Connection, now: datetime, lasts: timedelta) -> Invited | None:
    """An invitation for the first administrator; None once there is one who can log in.

    Each call makes another one and ends those before it, so that the newest line on the console is the one.
    """
    if _administrators(connection):
        return None
    return invite(connection, "the console", FIRST, "administrator", now, lasts)


def invite(
    connection: Connection, by: str, login: str, role: Role | None, now: datetime, lasts: timedelta
) -> Invited:
    """A link by which somebody sets the password of a new account, or a new one of an old account.

    Args:
        connection: a transaction that writes.
        by: login of who invites.
        login: the account.
        role: of a new account; None keeps that of an old one.
        now: the present.
        lasts: how long the link holds.

    Raises:
        Problem: the account is disabled, has another role, or a new one lacks a role.
    """
    account = connection.execute(select(Account).where(Account.login == login)).one_or_none()
    if account is None and role is None:
        raise Problem(422, "not valid", f"there is no account {login!r} yet; give its role", "body.role")
    if account is not None and account.disabled_at is not None:
        raise Problem(409, "disabled", f"the account {login} is disabled; enable it first", "body.login")
    if account is not None and role not in (None, account.role):
        raise Problem(
            409, "another role", f"{login} is {account.role}; change the role of the account", "body.role"
        )
    wanted = account.role if account is not None else str(role)
    connection.execute(delete(Invitation).where((Invitation.login == login) | (Invitation.expires_at <= now)))
    value = secrets.token_urlsafe(32)
    connection.execute(
        insert(Invitation).values(
            sha256=checksum(value),
            login=login,
            role=wanted,
            created_at=now,
            created_by=by,
            expires_at=now + lasts,
        )
    )
    audit(connection, by, "account.invite", f"account {login}", after={"role": wanted}, now=now)
    return Invited(login, wanted, value, now + lasts)


def open_invitation(connection: Connection, value: str, now: datetime) -> Any:
    """The row of an invitation that holds.

    Raises:
        Problem: 404, it does not.
    """
    found = connection.execute(
        select(Invitation).where(
            Invitation.sha256 == checksum(value), Invitation.expires_at > now, Invitation.used_at.is_(None)
        )
    ).one_or_none()
    if found is None:
        raise Problem(
            404,
            "no such invitation",
            "the link was used, has ended, or is not complete; ask for a new one",
            "body.token",
        )
    return found


def accept(
    connection: Connection, value: str, password: str, name: str | None, language: str, now: datetime
) -> str:
    """Use an invitation: make the account or give it the password. Its sessions end. Returns the login.

    Raises:
        Problem: the invitation does not hold, or the password will not do.
    """
    found = open_invitation(connection, value, now)
    kept = hash_password(check_password(password, found.login))
    # Of two who use one link at once, one finds it used.
    used = connection.execute(
        update(Invitation)
        .where(Invitation.sha256 == found.sha256, Invitation.used_at.is_(None))
        .values(used_at=now)
    )
    if used.rowcount != 1:
        raise Problem(404, "no such invitation", "the link was used meanwhile", "body.token")
    values = {"password_hash": kept, "language": language, "failures": 0, "locked_until": None}
    if name is not None:
        values["name"] = name
    changed = connection.execute(
        update(Account).where(Account.login == found.login, Account.disabled_at.is_(None)).values(values)
    )
    if changed.rowcount == 0:
        if connection.scalar(select(Account.login).where(Account.login == found.login)):
            raise Problem(409, "disabled", "this account is disabled")
        values |= {"login": found.login, "role": found.role, "created_at": now}
        connection.execute(insert(Account).values(values))
    close_sessions(connection, found.login)
    audit(
        connection,
        found.login,
        "account.password",
        f"account {found.login}",
        after={"by": "invitation"},
        now=now,
    )
    return str(found.login)


def set_password(connection: Connection, login: str, password: str, field: str, now: datetime) -> None:
    """Give an account another password.

    Raises:
        Problem: the password will not do.
    """
    kept = hash_password(check_password(password, login, field))
    connection.execute(update(Account).where(Account.login == login).values(password_hash=kept))
    audit(connection, login, "account.password", f"account {login}", after={"by": "its owner"}, now=now)


def all_accounts(connection: Connection) -> Sequence[Any]:
    """The rows of every account, by login."""
    return connection.execute(select(Account).order_by(Account.login)).all()


def find_account(connection: Connection, login: str) -> Any:
    """The row of an account.

    Raises:
        Problem: 404, there is none.
    """
    found = connection.execute(select(Account).where(Account.login == login)).one_or_none()
    if found is None:
        raise Problem(404, "no such account", f"there is no account {login!r}", "path.login")
    return found


def change_account(
    connection: Connection,
    by: str,
    login: str,
    now: datetime,
    *,
    name: str | None = None,
    role: Role | None = None,
    language: str | None = None,
    disabled: bool | None = None,
) -> Any:
    """Change an account; what is None stays. Disabling ends its sessions, tokens and links. Returns its row.

    Raises:
        Problem: there is none, or nobody could administer any more.
    """
    before = find_account(connection, login)
    values: dict[str, Any] = {
        field: value
        for field, value in (("name", name), ("role", role), ("language", language))
        if value is not None and value != getattr(before, field)
    }
    if disabled is not None and disabled != (before.disabled_at is not None):
        values["disabled_at"] = now if disabled else None
    loses = ("disabled_at" in values and disabled) or values.get("role", before.role) != "administrator"
    if before.role == "administrator" and loses and _administrators(connection) <= {login}:
        raise Problem(
            409, "the last administrator", f"{login} is the only administrator left; make another first"
        )
    if not values:
        return before
    connection.execute(update(Account).where(Account.login == login).values(values))
    if values.get("disabled_at"):
        close_sessions(connection, login)
        connection.execute(delete(Invitation).where(Invitation.login == login))
        connection.execute(
            update(ApiToken)
            .where(ApiToken.login == login, ApiToken.revoked_at.is_(None))
            .values(revoked_at=now)
        )
    audit(
        connection,
        by,
        "account.change",
        f"account {login}",
        before={field: getattr(before, field) for field in values},
        after=values,
        now=now,
    )
    return find_account(connection, login)


def unlock(connection: Connection, by: str, login: str, now: datetime) -> None:
    """Forget the failed logins of an account.

    Raises:
        Problem: there is none.
    """
    find_account(connection, login)
    connection.execute(update(Account).where(Account.login == login).values(failures=0, locked_until=None))
    audit(connection, by, "account.unlock", f"account {login}", now=now)


def count_accounts(connection: Connection) -> int:
    """How many accounts there are."""
    return connection.scalar(select(func.count()).select_from(Account)) or 0


def _administrators(connection: Connection) -> set[str]:
    """The administrators who can log in."""
    return set(
        connection.scalars(
            select(Account.login).where(
                Account.role == "administrator", Account.disabled_at.is_(None), Account.password_hash != ""
            )
        )
    )
