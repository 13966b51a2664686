"""The routes of access: login, session, the use of invitations, and tokens."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy import select, update

from service.auth import accounts, administration, forms
from service.auth.access import Caller, door_of, public, require
from service.auth.door import DEVICE_COOKIE, SESSION_COOKIE, Door
from service.auth.login import LoggedIn, confirm_password, log_in, refuse_plain_http
from service.auth.passwords import SHORTEST
from service.auth.problems import Problem, answers
from service.auth.roles import allows
from service.auth.sessions import close_session, close_sessions, make_token
from service.auth.trail import audit
from service.storage.connect import reading, writing
from service.storage.tables import Account, ApiToken

router = APIRouter(prefix="/v1", tags=["access"], responses=answers(400, 403, 413, 421, 422, 429, 503))
router.include_router(administration.router)

DEVICE_DAYS = 400

Anyone = Annotated[Caller, Depends(public)]
Known = Annotated[Caller, Depends(require("viewer"))]
KnownHere = Annotated[Caller, Depends(require("viewer", "session"))]


@router.post("/login", operation_id="logIn", responses=answers(401))
def login(
    form: forms.Credentials, request: Request, response: Response, _caller: Anyone
) -> forms.SessionState:
    """Log in: sets the session's cookie; an earlier session of the browser ends."""
    door = door_of(request)
    done = log_in(door, request, form.login, form.password)
    _set_cookies(door, request, response, done)
    return _state(door, done.login, "session", done.csrf)


@router.post("/logout", operation_id="logOut", status_code=204, responses=answers(401))
def logout(
    request: Request,
    response: Response,
    caller: KnownHere,
    everywhere: Annotated[bool, Query(description="end every session of the account")] = False,
) -> None:
    """End this session, or every session of the account."""
    door = door_of(request)
    with writing(door.engine) as connection:
        if everywhere:
            close_sessions(connection, caller.login)
        elif caller.session:
            close_session(connection, caller.session)
        audit(connection, caller, "logout", "everywhere" if everywhere else "here", now=door.settings.clock())
    name = door.cookie_name(request, SESSION_COOKIE)
    response.delete_cookie(name, secure=door.is_secure(request), httponly=True, samesite="lax")


@router.get("/session", operation_id="getSession")
def session(request: Request, caller: Anyone) -> forms.SessionState:
    """Who one is logged in as; the first thing a page asks."""
    if caller.via not in ("session", "token"):
        return forms.SessionState(login=None, via="anonymous", language=_language(caller.language))
    return _state(door_of(request), caller.login, caller.via, caller.csrf, caller)


@router.post("/session/password", operation_id="changePassword", status_code=204, responses=answers(401))
def change_password(form: forms.NewPassword, request: Request, caller: KnownHere) -> None:
    """Take another password; every other session of the account ends."""
    door = door_of(request)
    refuse_plain_http(door, request)
    confirm_password(door, caller.login, form.old, caller.session or "")
    with writing(door.engine) as connection:
        accounts.set_password(connection, caller.login, form.new, "body.new", door.settings.clock())
        close_sessions(connection, caller.login, except_for=caller.session)


@router.post("/invitations/look", operation_id="lookAtInvitation", responses=answers(404))
def look_at_invitation(form: forms.LookedAt, request: Request, _caller: Anyone) -> forms.InvitedTo:
    """What a link is for; the page of the link asks this first."""
    door = door_of(request)
    with reading(door.engine) as connection:
        found = accounts.open_invitation(connection, form.token, door.settings.clock())
    return forms.InvitedTo(
        login=found.login, role=found.role, expires_at=found.expires_at, shortest_password=SHORTEST
    )


@router.post("/invitations/accept", operation_id="acceptInvitation", responses=answers(401, 404, 409))
def accept_invitation(
    form: forms.Acceptance, request: Request, response: Response, _caller: Anyone
) -> forms.SessionState:
    """Use a link: set the password, and be logged in."""
    door = door_of(request)
    refuse_plain_http(door, request)
    now = door.settings.clock()
    with reading(door.engine) as connection:  # before the costly hash: made-up links cost little
        accounts.open_invitation(connection, form.token, now)
    with writing(door.engine) as connection:
        name = accounts.accept(connection, form.token, form.password, form.name, form.language, now)
    door.strangers.forgive(name)
    done = log_in(door, request, name, form.password)
    _set_cookies(door, request, response, done)
    return _state(door, done.login, "session", done.csrf)


@router.get("/tokens", operation_id="listTokens", responses=answers(401))
def list_tokens(
    request: Request,
    caller: KnownHere,
    of_all: Annotated[bool, Query(alias="all", description="of every account; for administrators")] = False,
) -> list[forms.TokenState]:
    """One's tokens, or those of everybody."""
    if of_all and not caller.may("administrator"):
        raise Problem(403, "not allowed", "the tokens of others are for administrators", "query.all")
    chosen = select(ApiToken).order_by(ApiToken.pk)
    if not of_all:
        chosen = chosen.where(ApiToken.login == caller.login)
    with reading(door_of(request).engine) as connection:
        rows = connection.execute(chosen).all()
    return [forms.TokenState(**_token(row)) for row in rows]


@router.post("/tokens", operation_id="makeToken", status_code=201, responses=answers(401))
def new_token(form: forms.NewToken, request: Request, caller: KnownHere) -> forms.TokenValue:
    """Make a token for a program; its value is shown this once."""
    if not allows(caller.role, form.scope):
        raise Problem(
            403, "not allowed", f"{caller.login} is {caller.role}, a token cannot be more", "body.scope"
        )
    door = door_of(request)
    now = door.settings.clock()
    ends = now + min(timedelta(days=form.days), door.settings.longest_token)
    with writing(door.engine) as connection:
        number, value = make_token(connection, caller.login, form.name, form.scope, ends, now)
        after = {"name": form.name, "scope": form.scope, "expires_at": ends}
        audit(connection, caller, "token.make", f"token {number}", after=after, now=now)
        row = connection.execute(select(ApiToken).where(ApiToken.pk == number)).one()
    return forms.TokenValue(**_token(row), token=value)


@router.delete("/tokens/{number}", operation_id="revokeToken", status_code=204, responses=answers(401, 404))
def revoke_token(
    number: Annotated[int, Path(ge=1, lt=2**63, description="number of the token", examples=[3])],
    request: Request,
    caller: KnownHere,
) -> None:
    """Withdraw a token: one's own, or, as an administrator, anybody's."""
    door = door_of(request)
    now = door.settings.clock()
    chosen = update(ApiToken).where(ApiToken.pk == number, ApiToken.revoked_at.is_(None))
    if not caller.may("administrator"):
        chosen = chosen.where(ApiToken.login == caller.login)
    with writing(door.engine) as connection:
        if not connection.execute(chosen.values(revoked_at=now)).rowcount:
            raise Problem(404, "no such token", f"there is no token {number} of yours in use", "path.number")
        audit(connection, caller, "token.revoke", f"token {number}", now=now)


def _set_cookies(door: Door, request: Request, response: Response, done: LoggedIn) -> None:
    secure = door.is_secure(request)
    for name, value, days in (
        (SESSION_COOKIE, done.cookie, None),  # ends with the browser, and with the session
        (DEVICE_COOKIE, done.device, DEVICE_DAYS),
    ):
        response.set_cookie(
            door.cookie_name(request, name),
            value,
            max_age=None if days is None else days * 86_400,
            path="/",
            secure=secure,
            httponly=True,
            # Lax, not strict: a link to the dashboard in a mail opens it; nothing unsafe is done by GET.
            samesite="lax",
        )


def _state(door: Door, login: str, via: Any, csrf: str, caller: Caller | None = None) -> forms.SessionState:
    with reading(door.engine) as connection:
        row = connection.execute(
            select(Account.name, Account.role, Account.language).where(Account.login == login)
        ).one()
    return forms.SessionState(
        login=login,
        name=row.name,
        role=caller.role if caller else row.role,
        via=via,
        language=_language(row.language),
        csrf=csrf,
    )


def _language(text: str) -> forms.Language:
    return "en" if text == "en" else "vi"


def _token(row: Any) -> dict[str, Any]:
    return {"id": row.pk, **forms.picked(row, forms.TokenState, "id")}
