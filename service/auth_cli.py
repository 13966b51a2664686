"""``ngatu accounts``: who may use the service, by whoever is at its console."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from service.auth import accounts, vault
from service.auth.problems import Problem
from service.auth.roles import ROLES, Role
from service.auth.sessions import close_sessions
from service.auth.settings import AuthError, AuthSettings
from service.auth.trail import audit
from service.storage import sealing
from service.storage.connect import open_database, reading, shown, writing
from service.storage.tables import Session

app = typer.Typer(no_args_is_help=True, help="Who may use the service; and the key that seals addresses.")

DbOption = Annotated[
    str | None,
    typer.Option("--db", envvar="NGATU_DB", help="Database: sqlite:///file.db or postgresql://..."),
]
LoginArgument = Annotated[str, typer.Argument(help="Name of the account.")]
CONSOLE = "the console"


@app.command("list")
def list_command(db: DbOption = None) -> None:
    """Show every account."""
    engine = open_database(db)
    with reading(engine) as connection:
        rows = accounts.all_accounts(connection)
        logged_in = set(
            connection.scalars(select(Session.login).where(Session.expires_at > datetime.now(UTC)))
        )
    if not rows:
        print(f"{shown(engine)} has no account yet; run: ngatu accounts invite admin --role administrator")
        return
    table = Table()
    for name in ("login", "name", "role", "state"):
        table.add_column(name)
    for row in rows:
        table.add_row(row.login, row.name, row.role, _state(row, row.login in logged_in))
    Console().print(table)


@app.command("invite")
def invite_command(
    login: LoginArgument,
    role: Annotated[str | None, typer.Option(help=f"Of a new account: {', '.join(ROLES)}.")] = None,
    hours: Annotated[float, typer.Option(min=0.1, max=168, help="How long the link holds.")] = 24,
    db: DbOption = None,
) -> None:
    """Make a one-time link by which LOGIN sets a password: for a new account, or a forgotten password."""
    if not re.fullmatch(accounts.LOGIN, login):
        raise AuthError(f"{login!r} is no login; use small letters, digits, and . _ - between them")
    known: Role | None = next((each for each in ROLES if each == role), None)
    if role is not None and known is None:
        raise AuthError(f"there is no role {role!r}; take one of {', '.join(ROLES)}")
    base = AuthSettings.from_environment().public_url or "http://127.0.0.1:8000"
    with _explained(), writing(open_database(db)) as connection:
        made = accounts.invite(connection, CONSOLE, login, known, datetime.now(UTC), timedelta(hours=hours))
    print(
        f"{made.login} ({made.role}) sets a password here, once, until {made.expires_at:%Y-%m-%d %H:%M} UTC:"
    )
    print(made.link(base))


@app.command("disable")
def disable_command(login: LoginArgument, db: DbOption = None) -> None:
    """Keep LOGIN out: its sessions, tokens and links end at once."""
    with _explained(), writing(open_database(db)) as connection:
        accounts.change_account(connection, CONSOLE, login, datetime.now(UTC), disabled=True)
    print(f"{login} is disabled")


@app.command("enable")
def enable_command(login: LoginArgument, db: DbOption = None) -> None:
    """Let LOGIN in again; its tokens stay withdrawn."""
    with _explained(), writing(open_database(db)) as connection:
        accounts.change_account(connection, CONSOLE, login, datetime.now(UTC), disabled=False)
    print(f"{login} is enabled")


@app.command("unlock")
def unlock_command(login: LoginArgument, db: DbOption = None) -> None:
    """Forget the wrong guesses at LOGIN's password."""
    with _explained(), writing(open_database(db)) as connection:
        accounts.unlock(connection, CONSOLE, login, datetime.now(UTC))
    print(f"{login} is unlocked")


@app.command("logout")
def logout_command(login: LoginArgument, db: DbOption = None) -> None:
    """End every session of LOGIN."""
    with _explained(), writing(open_database(db)) as connection:
        accounts.find_account(connection, login)
        ended = close_sessions(connection, login)
        audit(connection, CONSOLE, "account.logout", f"account {login}", after={"sessions": ended})
    print(f"{ended} sessions of {login} ended")


@app.command("key")
def key_command(db: DbOption = None) -> None:
    """Say where the key that seals addresses is, and whether it opens what the database holds."""
    with reading(open_database(db)) as connection:
        problem = vault.key_problem(connection)
    names = sealing.key_names()
    print(
        f"key: {', '.join(names) or 'none yet; made when something is first sealed'} ({sealing.key_place()})"
    )
    if problem:
        print(f"wrong: {problem}")
        raise typer.Exit(1)
    print(
        "everything sealed in the database opens; keep a copy of the key apart from backups of the database"
    )


@app.command("reseal")
def reseal_command(db: DbOption = None) -> None:
    """Seal everything with the first key of NGATU_KEY: after changing keys, or for rows from before."""
    with writing(open_database(db)) as connection:
        done = vault.reseal(connection)
        audit(connection, CONSOLE, "key.reseal", f"key {', '.join(sealing.key_names())}")
    print(
        f"{done} addresses and secrets are sealed with the key {sealing.key_names()[0] if done else 'here'}"
    )


@app.command("new-key")
def new_key_command() -> None:
    """Print a new key, for NGATU_KEY; nothing is changed."""
    print(sealing.new_key())


def _state(row: object, logged_in: bool) -> str:
    locked = getattr(row, "locked_until", None)
    if getattr(row, "disabled_at", None):
        return "disabled"
    if locked is not None and locked > datetime.now(UTC):
        return f"locked for strangers until {locked:%H:%M:%S} UTC"
    return "logged in" if logged_in else "in use"


@contextmanager
def _explained() -> Iterator[None]:
    """What is an answer to a request elsewhere is one sentence here."""
    try:
        yield
    except Problem as problem:
        raise AuthError(str(problem)) from None
