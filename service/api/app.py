"""The application: the routes of /v1 on one database, guarded; the pages stand on the same app."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Engine

from service.api.documents import install_openapi
from service.api.hub import LiveHub
from service.api.routes import AT_ROOT, ROUTERS
from service.api.services import Services
from service.api.settings import ApiSettings
from service.api.strict import refuse_unknown
from service.auth.access import AuthSettings, Caller, install, public
from service.dashboard.pages import install as install_pages

VERSION = "1.0"
"""Of the interface; within /v1 it only grows."""


def create_app(
    engine: Engine,
    settings: ApiSettings | None = None,
    auth: AuthSettings | None = None,
    *,
    hub: LiveHub | None = None,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """The service's application on a database whose schema is up to date.

    Args:
        engine: the database.
        settings: of the interface.
        auth: who may come in, and how.
        hub: the live state, where somebody else holds it too.
        clock: the present, seconds since the Unix epoch, UTC.
    """
    services = Services(engine, hub or LiveHub(clock), settings or ApiSettings(), clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        telling = asyncio.create_task(services.hub.run())
        try:
            yield
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling

    app = FastAPI(
        title="ngatu",
        version=VERSION,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: _operation_id(route.name),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router, prefix="/v1", dependencies=[Depends(refuse_unknown)])
    for router in AT_ROOT:
        app.include_router(router, dependencies=[Depends(refuse_unknown)])
    app.add_api_route("/v1/openapi.json", _openapi(app), include_in_schema=False)
    install(app, engine, auth)
    install_openapi(app)
    install_pages(app, services.settings.tz, services.settings.illustrative)
    return app


def _operation_id(name: str) -> str:
    """The function's name as operations are named: ``list_sites`` is ``listSites``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _openapi(app: FastAPI) -> Callable[..., Any]:
    def openapi(_caller: Annotated[Caller, Depends(public)]) -> Response:
        return JSONResponse(app.openapi())

    return openapi
