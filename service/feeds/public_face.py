"""Answers the public before anything else does: ready answers from memory, no database, no login."""

import asyncio
import logging
from collections.abc import Callable

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.services import Services
from service.auth.door import Door
from service.auth.shield import HEADERS
from service.feeds.geojson_levels import junction_levels
from service.feeds.public import PublicLevels, PublicSettings
from service.feeds.public_pages import Header, Ready, ready_pages
from service.registry import City
from service.storage.connect import StorageError

OLDEST_S = 120.0
"""What could not be made anew for so long is not shown any more, s."""

log = logging.getLogger("ngatu.feeds")


def install_public(app: FastAPI, settings: PublicSettings) -> None:
    """Open the public page and feed of a service, if its operator opted in; before it starts."""
    if settings.on:
        app.add_middleware(PublicFace, services=app.state.services, door=app.state.door, settings=settings)


class PerMinute:
    """Counts requests of each address in a minute of the clock.

    Not the limiter of the rest of the service: that one looks through all addresses a hundred times a second,
    which thousands of readers turn into all there is to do.
    """

    MOST = 200_000

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit, self._clock = limit, clock
        self._minute = 0
        self._hits: dict[str, int] = {}

    def hit(self, address: str) -> bool:
        """Count one; whether it may pass."""
        minute = int(self._clock() // 60)
        if minute != self._minute or len(self._hits) > self.MOST:
            self._minute, self._hits = minute, {}
        count = self._hits[address] = self._hits.get(address, 0) + 1
        return count <= self._limit


class PublicFace:
    """ASGI middleware around the whole service; everything that is not public passes through it.

    Readers cost no more than a look into a dictionary: however many come, the answers are made anew every
    few seconds by one of them.
    """

    def __init__(self, app: ASGIApp, services: Services, door: Door, settings: PublicSettings) -> None:
        self._app, self._services, self._door, self._settings = app, services, door, settings
        self._limit = PerMinute(settings.requests_per_minute, services.clock)
        self._pages: dict[str, Ready] = {}
        self._made = float("-inf")
        self._city: City | None = None
        self._making = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._common = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, if it is about the public; else let it pass."""
        path: str = scope.get("path", "")
        if scope["type"] != "http" or not (path == "/public" or path.startswith("/public/")):
            await self._app(scope, receive, send)
            return
        headers = {name: value for name, value in scope["headers"] if name in _READ}
        if scope["method"] not in ("GET", "HEAD"):
            await self._say(send, 405, (b"allow", b"GET, HEAD"))
        elif not self._limit.hit(self._door.client(Request(scope))):
            await self._say(send, 429, (b"retry-after", b"30"))
        elif path in ("/public", "/public/"):
            language = b"en" if _prefers_english(headers.get(b"accept-language", b"")) else b"vi"
            where = (b"location", b"/public/" + language)
            await self._say(send, 302, where, (b"vary", b"Accept-Language"), (b"cache-control", b"no-cache"))
        else:
            ready = (await self._current()).get(path)
            if ready is not None:
                await _send(send, ready, headers, scope["method"] == "HEAD")
            elif not self._pages:
                await self._say(send, 503, (b"retry-after", b"10"))
            else:
                await self._say(send, 404)

    async def _current(self) -> dict[str, Ready]:
        """The answers; made anew behind the reader's back when they are old, before it when too old."""
        age = self._services.clock() - self._made
        if age > OLDEST_S or age < 0 or not self._pages:
            async with self._making:
                if not 0 <= self._services.clock() - self._made <= self._settings.refresh_s:
                    await self._make()
        elif age > self._settings.refresh_s and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._make())
        return self._pages

    async def _make(self) -> None:
        try:
            self._pages = await run_in_threadpool(self._pages_now)
            self._made = self._services.clock()
        except Exception as error:  # readers get what there is, and soon nothing: never something wrong
            log.warning("the public page could not be made: %s", error)
            if self._services.clock() - self._made > OLDEST_S:
                self._pages = {}

    def _pages_now(self) -> dict[str, Ready]:
        services = self._services
        try:
            with services.reading() as connection:
                self._city = services.city(connection)
        except StorageError:
            if self._city is None:
                raise
        now = services.hub.snapshot()
        levels = PublicLevels.of(
            junction_levels(self._city, now), self._settings.sites, now.time, services.settings.tz
        )
        return ready_pages(levels, self._settings)

    async def _say(self, send: Send, status: int, *headers: Header) -> None:
        told = [*self._common, (b"content-length", b"0"), *headers]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": b""})


_READ = frozenset({b"accept-encoding", b"accept-language", b"if-none-match"})


async def _send(send: Send, ready: Ready, asked: dict[bytes, bytes], head: bool) -> None:
    if ready.tag in asked.get(b"if-none-match", b""):
        await send({"type": "http.response.start", "status": 304, "headers": list(ready.headers)})
        await send({"type": "http.response.body", "body": b""})
        return
    packed = b"gzip" in asked.get(b"accept-encoding", b"")
    body = ready.packed if packed else ready.body
    headers = [*ready.headers, (b"content-length", str(len(body)).encode())]
    if packed:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})


def _prefers_english(header: bytes) -> bool:
    text = header.lower()
    vi, en = text.find(b"vi"), text.find(b"en")
    return en >= 0 and (vi < 0 or en < vi)
