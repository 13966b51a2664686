"""Who may call what: the roles, the dependency that each route carries, and the check that none lacks one.

In a route::

    @router.get("/cameras")
    def cameras(caller: Annotated[Caller, Depends(require("viewer"))]) -> ...:

    @router.get("/healthz", dependencies=[Depends(public)])
    def healthz() -> ...:

    app.mount("/static", mark_public(StaticFiles(directory=...)))

A route without ``require``, ``worker_only`` or ``public`` stops the service at its start, see
``check_access``; FastAPI's own pages (``docs_url``, ``openapi_url``) have none: switch them off and write a
route instead.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Engine

from service.auth.door import Door
from service.auth.language import language_of
from service.auth.problems import Problem, install_problems, not_logged_in
from service.auth.roles import ROLES, Role, allows
from service.auth.sessions import Identity
from service.auth.settings import AuthError, AuthSettings
from service.auth.shield import Shield
from service.auth.trail import audit

__all__ = [
    "ROLES",
    "AuthSettings",
    "Caller",
    "Door",
    "Role",
    "access_of",
    "allows",
    "audit",
    "check_access",
    "door_of",
    "install",
    "is_still_valid",
    "mark_public",
    "public",
    "require",
    "worker_only",
]

Via = Literal["session", "token", "worker", "anonymous"]
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
CSRF_HEADER = "X-CSRF-Token"

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        login: name of the account.
        role: what they may do; of a token the smaller of its scope and its account's role.
        via: how they are known.
        language: ``vi`` or ``en``.
        session: checksum that names their session; None without one.
        csrf: what unsafe requests of their session must carry in ``X-CSRF-Token``.
    """

    login: str
    role: Role
    via: Via
    language: str = "vi"
    session: str | None = field(default=None, repr=False)
    csrf: str = field(default="", repr=False)

    def may(self, role: Role) -> bool:
        """Whether they may do what needs a role."""
        return self.via != "anonymous" and allows(self.role, role)


_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="a token of /v1/tokens")
_cookie = APIKeyCookie(
    name="__Host-ngatu",
    auto_error=False,
    scheme_name="session",
    description=f"the cookie of a login; unsafe methods need the header {CSRF_HEADER} as well",
)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
Cookie = Annotated[str | None, Depends(_cookie)]


@lru_cache
def require(role: Role, by: Literal["any", "session"] = "any") -> Callable[..., Caller]:
    """A dependency that lets only callers of at least a role in, and returns who it is.

    Args:
        role: the least role.
        by: ``session`` refuses tokens: what hands out access is for people at a screen.
    """
    if role not in ROLES:
        raise AuthError(f"there is no role {role!r}; take one of {', '.join(ROLES)}")

    def check(request: Request, _bearer: Bearer, _cookie: Cookie) -> Caller:
        caller = _known(request)
        if not allows(caller.role, role):
            raise Problem(403, "not allowed", f"this needs the role {role}; {caller.login} is {caller.role}")
        if by == "session" and caller.via != "session":
            raise Problem(403, "not allowed", "a token may not do this; log in")
        return caller

    check.ngatu_access = role  # type: ignore[attr-defined]
    return check


def public(request: Request) -> Caller:
    """A dependency that marks a route as open to everybody; it returns who asks, where that is known."""
    door = door_of(request)
    identity = door.identify(request)
    if identity is None:
        door.count_request(request, None)
        return Caller("", "viewer", "anonymous", language_of(request, "vi"))
    return _caller(identity)


async def worker_only(request: Request, bearer: Bearer) -> Caller:
    """A dependency for what workers send: the one token that they share with the service."""
    door = door_of(request)
    given = bearer.credentials if bearer else ""
    # As bytes: text with other than ASCII in it cannot be compared in constant time.
    if not secrets.compare_digest(given.encode(), door.worker_token.encode()):
        door.count_request(request, None)
        raise Problem(
            401,
            "not known",
            "this is for workers; set NGATU_WORKER_TOKEN to that of the service",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return Caller("worker", "viewer", "worker", "en")


public.ngatu_access = "public"  # type: ignore[attr-defined]
worker_only.ngatu_access = "worker"  # type: ignore[attr-defined]


def mark_public(thing: Thing) -> Thing:
    """Mark an application to be mounted, or the function of a plain Starlette route, as open to everybody."""
    thing.ngatu_access = "public"  # type: ignore[attr-defined]
    return thing


def is_still_valid(request: Request, caller: Caller) -> bool:
    """Whether the caller of an answer that goes on and on (a stream) may still have it; counts as use.

    Reads the database: ask once a minute or so, outside the event loop.
    """
    if caller.via in ("worker", "anonymous"):
        return True
    identity = door_of(request).identify(request)
    return identity is not None and allows(identity.role, caller.role)


def access_of(app: FastAPI) -> Iterator[tuple[str, str, str | None]]:
    """Every route of an app: its methods, its path, and the role it needs, ``public``, ``worker`` or None."""
    for route in iter_route_contexts(app.routes):
        methods = ",".join(sorted(getattr(route, "methods", None) or [])) or "ANY"
        path = str(getattr(route, "path", None) or "(mounted)")
        dependant = getattr(route, "dependant", None)
        marks = set(_marks(dependant)) if dependant is not None else set()
        original = getattr(route, "original_route", route)
        for name in ("endpoint", "app"):
            if mark := getattr(getattr(original, name, None), "ngatu_access", None):
                marks.add(mark)
        # Several hold together: the strictest is what counts.
        yield methods, path, max(marks, key=_strictness, default=None)


def check_access(app: FastAPI) -> None:
    """See that every route of an app says who may call it.

    Raises:
        AuthError: some do not; all of them are named.
    """
    open_ones = [f"{methods} {path}" for methods, path, access in access_of(app) if access is None]
    if open_ones:
        raise AuthError(
            f"{', '.join(open_ones)}: the route does not say who may call it; "
            "add Depends(require(role)), Depends(worker_only) or Depends(public)"
        )


def install(app: FastAPI, engine: Engine, settings: AuthSettings | None = None) -> Door:
    """Guard an app: its errors, headers and limits, and the routes for login, accounts, tokens and audit.

    Call it once, before or after the other routes are there; whatever route has no access mark when the first
    request comes stops everything.

    Returns:
        The door, also in ``app.state.door``; its ``worker_token`` is what workers must show.
    """
    from service.auth.routes import router

    door = Door(engine, settings or AuthSettings())
    app.state.door = door
    install_problems(app, door.settings.login_page)
    app.include_router(router)
    app.add_middleware(Shield, door=door, check=lambda: check_access(app))
    return door


def door_of(request: Request) -> Door:
    """The door of the app that a request came to."""
    door = request.app.state.door
    assert isinstance(door, Door)  # noqa: S101
    return door


def _known(request: Request) -> Caller:
    """Who asks, by session or token; an unsafe request of a session must show its CSRF token."""
    door = door_of(request)
    identity = door.identify(request)
    if identity is None:
        door.count_request(request, None)
        raise not_logged_in()
    door.count_request(request, identity.login)
    if identity.via == "session" and request.method in UNSAFE:
        given = request.headers.get(CSRF_HEADER, "")
        if not secrets.compare_digest(given.encode(), identity.csrf.encode()):
            raise Problem(
                403,
                "not from our page",
                f"send the header {CSRF_HEADER} with what GET /v1/session says under csrf",
                CSRF_HEADER,
            )
    return _caller(identity)


def _caller(identity: Identity) -> Caller:
    return Caller(
        identity.login, identity.role, identity.via, identity.language, identity.session, identity.csrf
    )


def _marks(dependant: Dependant) -> Iterator[str]:
    for each in dependant.dependencies:
        if mark := getattr(each.call, "ngatu_access", None):
            yield mark
        yield from _marks(each)


def _strictness(mark: Any) -> int:
    return (("public", *ROLES, "worker")).index(mark)
