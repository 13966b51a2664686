"""What went wrong, told to a program: problem+json (RFC 9457), with the field at fault."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from service.auth.language import told
from service.registry.records import RegistryError
from service.storage.connect import RefusedError, StorageError
from vision import NgatuError
from vision.sources import mask_address

MEDIA_TYPE = "application/problem+json"

log = logging.getLogger("ngatu.api")


class Problem(Exception):
    """An answer that is an error; raise it anywhere below a route.

    Args:
        status: HTTP status, 400 to 599.
        title: what kind of problem it is, the same each time it occurs.
        detail: one sentence about this occurrence, with the fix.
        field: the field or parameter at fault, such as ``body.address``.
        headers: of the answer.

    Example: ``raise Problem(404, "no such camera", "there is no camera 'cam9'", "path.camera")``
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.detail = detail
        self.field = field
        self.headers = dict(headers or {})


class Fault(BaseModel):
    """One field at fault."""

    model_config = ConfigDict(extra="forbid")

    field: str = Field(description="where it stands, such as body.password or query.start")
    detail: str = Field(description="what is wrong with it")


class ProblemBody(BaseModel):
    """An error as RFC 9457 writes it."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field("about:blank", description="kind of problem; about:blank means that title says it all")
    title: str = Field(description="kind of problem, the same each time", examples=["not valid"])
    status: int = Field(description="the HTTP status", examples=[422])
    detail: str = Field("", description="what happened this time, and the fix")
    field: str | None = Field(None, description="the field at fault, where it is one")
    errors: list[Fault] | None = Field(None, description="each field at fault, where several may be")
    request_id: str | None = Field(None, description="names the request in the log of the service")


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a router or route says of its errors in OpenAPI.

    Example:
        >>> sorted(answers(404))
        [404]
    """
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "model": ProblemBody,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status in statuses
    }


def as_response(
    request: Request,
    problem: Problem,
    errors: Sequence[Fault] | None = None,
) -> Response:
    """The answer to a request that a problem ended, in its language; a page for who asked for a page."""
    app = request.scope.get("app")
    show = getattr(app.state, "error_page", None) if app is not None else None
    if show is not None and _wants_page(request) and not request.url.path.startswith("/v1/"):
        shown: Response = show(request, problem)
        return shown
    body = ProblemBody(
        title=told(request, problem.title),
        status=problem.status,
        detail=told(request, problem.detail),
        field=problem.field,
        errors=[Fault(field=each.field, detail=told(request, each.detail)) for each in errors or ()] or None,
        request_id=getattr(request.state, "request_id", None),
    )
    return JSONResponse(
        body.model_dump(exclude_none=True),
        status_code=problem.status,
        headers={"Vary": "Accept-Language", **problem.headers},
        media_type=MEDIA_TYPE,
    )


def not_logged_in(detail: str = "log in, or send a token") -> Problem:
    """Nobody we know asks."""
    return Problem(401, "not logged in", detail, headers={"WWW-Authenticate": "Bearer"})


def problem_of(error: NgatuError) -> Problem:
    """The problem that one of our own errors makes: bad input, or a database that is away."""
    text = mask_address(str(error))
    if isinstance(error, RefusedError):
        return Problem(409, "the database refused", text)
    if isinstance(error, StorageError):
        return Problem(503, "the database is away", text, headers={"Retry-After": "5"})
    if isinstance(error, RegistryError) and "meanwhile" in text:
        return Problem(409, "changed meanwhile", text)
    return Problem(422, "not valid", text)


def install_problems(app: FastAPI, login_page: str | None = None) -> None:
    """Make every error of an app a problem+json; a page asked for without a login leads to the login page."""

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # noqa: S101
        if error.status == 401 and login_page and _wants_page(request):
            return RedirectResponse(f"{login_page}?{_next(request)}", 303, headers=error.headers)
        return as_response(request, error)

    async def on_own(request: Request, error: Exception) -> Response:
        assert isinstance(error, NgatuError)  # noqa: S101
        return as_response(request, problem_of(error))

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        # The value itself is not repeated: it may be a password.
        faults = [
            Fault(field=".".join(map(str, each["loc"])), detail=str(each["msg"])) for each in error.errors()
        ]
        first = faults[0] if faults else Fault(field="body", detail="it cannot be read")
        problem = Problem(422, "not valid", f"{first.field}: {first.detail}", first.field)
        return as_response(request, problem, faults)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        title = HTTPStatus(error.status_code).phrase.lower()
        detail = error.detail if error.detail.lower() != title else ""
        return as_response(request, Problem(error.status_code, title, detail, headers=error.headers))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(NgatuError, on_own)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)


def _wants_page(request: Request) -> bool:
    accepts = request.headers.get("accept", "")
    return request.method in ("GET", "HEAD") and "text/html" in accepts


def _next(request: Request) -> str:
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return urlencode({"next": asked})
