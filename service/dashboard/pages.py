"""The pages: an address, a template and the role that may see it; what they show comes from the API."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from service.auth.access import ROLES, Caller, Role, public, require
from service.auth.problems import Problem
from service.dashboard.render import STATIC, assets_version, page
from service.dashboard.words import LANGUAGES, texts

_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        name: of its template, its texts and its script.
        path: its address.
        role: the lowest role that may see it.
        listed: whether it stands in the menu.
    """

    name: str
    path: str
    role: Role
    listed: bool = True

    @property
    def section(self) -> str:
        """The entry of the menu that it belongs to: ``setup`` for ``setup_camera``."""
        return self.name.partition("_")[0]


PAGES = (
    Page("wall", "/", "viewer"),
    Page("junction", "/junctions/{site}", "viewer", listed=False),
    Page("coverage", "/coverage", "viewer"),
    Page("alarms", "/alarms", "viewer"),
    Page("reports", "/reports", "viewer"),
    Page("recordings", "/recordings", "operator"),
    Page("setup", "/setup", "engineer"),
    Page("setup_camera", "/setup/cameras/{camera}", "engineer", listed=False),
    Page("administration", "/administration", "administrator"),
)


def install(app: FastAPI, tz: str, illustrative: bool = False) -> None:
    """Add the pages and their assets to the application.

    Args:
        app: the service; its access rules are installed already.
        tz: time zone in which the pages show moments.
        illustrative: whether the data is that of the sample city, as every page then says.
    """
    router = APIRouter(include_in_schema=False)
    for each in PAGES:
        router.add_api_route(
            each.path, _shower(each, tz, illustrative), response_class=HTMLResponse, name=f"page_{each.name}"
        )
    open_to_all = [Depends(public)]
    for path in ("/login", "/invitation"):
        router.add_api_route(
            path, _login(tz), response_class=HTMLResponse, name="page_login", dependencies=open_to_all
        )
    router.add_api_route(
        "/assets/{version}/{language}/{path:path}", _asset, name="asset", dependencies=open_to_all
    )
    app.include_router(router)
    app.state.error_page = _error_page(tz)


def _shower(shown: Page, tz: str, illustrative: bool) -> Callable[..., HTMLResponse]:
    def show(request: Request, caller: Annotated[Caller, Depends(require(shown.role))]) -> HTMLResponse:
        rank = ROLES.index(caller.role)
        nav = [each for each in PAGES if each.listed and ROLES.index(each.role) <= rank]
        return page(
            request,
            f"{shown.name}.html",
            page=shown.name,
            section=shown.section,
            nav=nav,
            caller=caller,
            tz=tz,
            illustrative=illustrative,
            theme="dark" if shown.name == "wall" else None,
        )

    return show


def _login(tz: str) -> Callable[[Request], HTMLResponse]:
    def show(request: Request) -> HTMLResponse:
        return page(
            request,
            "login.html",
            page="login",
            section="login",
            nav=[],
            caller=None,
            tz=tz,
            illustrative=False,
            theme=None,
        )

    return show


def _error_page(tz: str) -> Callable[[Request, Problem], HTMLResponse]:
    """What a person sees where a page is not there, not allowed or not possible now."""

    def show(request: Request, problem: Problem) -> HTMLResponse:
        known = {403: "not_allowed", 404: "not_found", 503: "away"}
        response = page(
            request,
            "error.html",
            page="error",
            section="error",
            nav=[],
            caller=None,
            tz=tz,
            illustrative=False,
            theme=None,
            kind=known.get(problem.status, "fault"),
            request_id=getattr(request.state, "request_id", ""),
        )
        response.status_code = problem.status
        response.headers.update(problem.headers)
        return response

    return show


def _asset(version: str, language: str, path: str) -> Response:
    if language not in LANGUAGES:
        raise HTTPException(404)
    kept = _KEPT if version == assets_version() else {"Cache-Control": "no-cache"}
    if path == "js/texts.js":
        content = f"export default {json.dumps(texts(language), ensure_ascii=False)};\n"
        return Response(content, media_type="text/javascript", headers=kept)
    file = (STATIC / path).resolve()
    if not file.is_relative_to(STATIC.resolve()) or not file.is_file():
        raise HTTPException(404)
    return FileResponse(file, headers=kept)
