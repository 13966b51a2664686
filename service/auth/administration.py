"""The routes of administrators: invitations, accounts, secrets, and the audit."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from sqlalchemy import select, update

from service.auth import accounts, forms, vault
from service.auth.access import Caller, door_of, require
from service.auth.problems import Problem, answers
from service.auth.sessions import close_sessions
from service.auth.trail import audit
from service.storage.connect import reading, writing
from service.storage.tables import Audit, Invitation

router = APIRouter()

Administrator = Annotated[Caller, Depends(require("administrator", "session"))]
Auditor = Annotated[Caller, Depends(require("administrator"))]
LoginPath = Annotated[str, Path(max_length=64, description="name of the account", examples=["nguyen.an"])]
SecretPath = Annotated[str, Path(max_length=64, description="name of the secret", examples=["cam_1"])]


@router.get("/invitations", operation_id="listInvitations", responses=answers(401))
def list_invitations(request: Request, _caller: Administrator) -> list[forms.InvitationState]:
    """The invitations that nobody used yet."""
    door = door_of(request)
    chosen = select(Invitation).where(
        Invitation.used_at.is_(None), Invitation.expires_at > door.settings.clock()
    )
    with reading(door.engine) as connection:
        rows = connection.execute(chosen.order_by(Invitation.created_at)).all()
    return [forms.InvitationState(**forms.picked(row, forms.InvitationState)) for row in rows]


@router.post("/invitations", operation_id="invite", status_code=201, responses=answers(401, 409))
def invite(form: forms.NewInvitation, request: Request, caller: Administrator) -> forms.InvitationLink:
    """Make a link by which somebody sets the password of a new account, or a new one of an old account."""
    door = door_of(request)
    with writing(door.engine) as connection:
        made = accounts.invite(
            connection, caller.login, form.login, form.role, door.settings.clock(), door.settings.invitation
        )
    base = door.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return forms.InvitationLink(
        login=made.login,
        role=made.role,
        link=made.link(base),
        expires_at=made.expires_at,
    )


@router.delete(
    "/invitations/{login}", operation_id="withdrawInvitation", status_code=204, responses=answers(401, 404)
)
def withdraw_invitation(login: LoginPath, request: Request, caller: Administrator) -> None:
    """Withdraw the open invitation of an account."""
    door = door_of(request)
    now = door.settings.clock()
    chosen = update(Invitation).where(Invitation.login == login, Invitation.used_at.is_(None))
    with writing(door.engine) as connection:
        if not connection.execute(chosen.values(expires_at=now)).rowcount:
            raise Problem(404, "no such invitation", f"nobody invited {login!r}", "path.login")
        audit(connection, caller, "account.uninvite", f"account {login}", now=now)


@router.get("/accounts", operation_id="listAccounts", responses=answers(401))
def list_accounts(request: Request, _caller: Administrator) -> list[forms.AccountState]:
    """Every account."""
    with reading(door_of(request).engine) as connection:
        rows = accounts.all_accounts(connection)
    return [_account(row) for row in rows]


@router.patch("/accounts/{login}", operation_id="changeAccount", responses=answers(401, 404, 409))
def change_account(
    login: LoginPath, form: forms.AccountChange, request: Request, caller: Administrator
) -> forms.AccountState:
    """Change an account: its name, role, language, or whether anybody may use it."""
    door = door_of(request)
    with writing(door.engine) as connection:
        row = accounts.change_account(
            connection, caller.login, login, door.settings.clock(), **form.model_dump()
        )
    return _account(row)


@router.post(
    "/accounts/{login}/unlock", operation_id="unlockAccount", status_code=204, responses=answers(401, 404)
)
def unlock_account(login: LoginPath, request: Request, caller: Administrator) -> None:
    """Forget the wrong guesses at an account."""
    door = door_of(request)
    with writing(door.engine) as connection:
        accounts.unlock(connection, caller.login, login, door.settings.clock())


@router.post(
    "/accounts/{login}/logout", operation_id="logOutAccount", status_code=204, responses=answers(401, 404)
)
def log_out_account(login: LoginPath, request: Request, caller: Administrator) -> None:
    """End every session of an account."""
    door = door_of(request)
    with writing(door.engine) as connection:
        accounts.find_account(connection, login)
        ended = close_sessions(connection, login)
        audit(
            connection,
            caller,
            "account.logout",
            f"account {login}",
            after={"sessions": ended},
            now=door.settings.clock(),
        )


@router.get("/secrets", operation_id="listSecrets", responses=answers(401))
def list_secrets(request: Request, _caller: Administrator) -> list[forms.SecretState]:
    """The names of the secrets that camera addresses may hold as ${name}; never their values."""
    with reading(door_of(request).engine) as connection:
        return [forms.SecretState(**row._mapping) for row in vault.list_secrets(connection)]


@router.put("/secrets/{name}", operation_id="setSecret", status_code=204, responses=answers(401))
def put_secret(name: SecretPath, form: forms.SecretValue, request: Request, caller: Administrator) -> None:
    """Set a secret; it is kept sealed and never shown again."""
    door = door_of(request)
    with writing(door.engine) as connection:
        vault.put_secret(connection, caller.login, name, form.value, door.settings.clock())


@router.delete(
    "/secrets/{name}", operation_id="dropSecret", status_code=204, responses=answers(401, 404, 409)
)
def drop_secret(name: SecretPath, request: Request, caller: Administrator) -> None:
    """Forget a secret that no camera's address names any more."""
    door = door_of(request)
    with writing(door.engine) as connection:
        vault.drop_secret(connection, caller.login, name, door.settings.clock())


@router.get("/audit", operation_id="listAudit", responses=answers(401))
def list_audit(
    request: Request,
    _caller: Auditor,
    limit: Annotated[int, Query(ge=1, le=1000, description="lines at most")] = 100,
    cursor: Annotated[
        int | None, Query(ge=1, lt=2**63, description="next of an earlier answer: the lines before it")
    ] = None,
    actor: Annotated[str | None, Query(max_length=128, description="only what this login did")] = None,
    action: Annotated[
        str | None, Query(max_length=64, description="only this kind, or all that begin so")
    ] = None,
) -> forms.Deeds:
    """Who did what, the newest first; nothing in it is ever changed or removed."""
    chosen = select(Audit).order_by(Audit.pk.desc()).limit(limit + 1)
    if cursor is not None:
        chosen = chosen.where(Audit.pk < cursor)
    if actor is not None:
        chosen = chosen.where(Audit.actor == actor)
    if action is not None:
        chosen = chosen.where(Audit.action.startswith(action, autoescape=True))
    with reading(door_of(request).engine) as connection:
        rows = connection.execute(chosen).all()
    more = len(rows) > limit
    items = [forms.Deed(id=row.pk, **forms.picked(row, forms.Deed, "id")) for row in rows[:limit]]
    return forms.Deeds(items=items, next=str(items[-1].id) if more else None)


def _account(row: Any) -> forms.AccountState:
    return forms.AccountState(**forms.picked(row, forms.AccountState))
