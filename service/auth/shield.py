"""What surrounds every request: its id, the host it is for, how large it may be, headers of the answer."""

import ipaddress
import logging
import secrets
import traceback
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.auth.door import Door
from service.auth.problems import Problem, as_response, problem_of
from vision import NgatuError
from vision.sources import mask_address

log = logging.getLogger("ngatu.api")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self'; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    "magnetometer=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Shield:
    """ASGI middleware; answers that go on and on (streams) pass through it untouched."""

    def __init__(self, app: ASGIApp, door: Door, check: Callable[[], None]) -> None:
        self._app = app
        self._door = door
        check()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one connection."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "no websockets here"})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = secrets.token_hex(8)
        # The app of the routes is not known to a middleware's request yet.
        request = Request(scope, receive)
        hosts = self._door.settings.image_hosts
        answer = _Answer(send, state["request_id"], self._door.is_secure(request), hosts)
        try:
            await self._guard(request)
            await self._app(scope, self._limited(request, receive), answer)
        except Exception as error:
            problem = self._explained(error, request)
            if answer.started:
                raise
            response = as_response(request, problem)
            await response(scope, receive, answer)

    async def _guard(self, request: Request) -> None:
        # What carries its own authority in a header was not sent by somebody else's page.
        bearer = "authorization" in request.headers
        if not bearer and not self._is_ours(request.headers.get("host", "")):
            raise Problem(
                421,
                "another host",
                "this service does not answer to that name; set NGATU_PUBLIC_URL or NGATU_ALLOWED_HOSTS",
            )
        if request.method not in _SAFE and not bearer:
            self._refuse_other_origin(request)
        if "\x00" in request.url.path or b"%00" in request.scope.get("query_string", b""):
            raise Problem(400, "not valid", "an address or query here holds no zero byte")
        limit = self._limit(request)
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > limit:
            raise Problem(413, "too large", f"a request here has at most {limit} bytes")
        if (
            limit > self._door.settings.body_limit
            and request.method not in _SAFE
            and await run_in_threadpool(self._door.identify, request) is None
        ):
            raise Problem(
                401, "not logged in", "log in, or send a token", headers={"WWW-Authenticate": "Bearer"}
            )

    def _is_ours(self, host: str) -> bool:
        name = _without_port(host).lower().rstrip(".")
        if name in self._door.settings.hosts:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True  # a name can be made to point here, a number cannot

    def _refuse_other_origin(self, request: Request) -> None:
        headers = request.headers
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site")
        same = origin is None or (
            urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
            or origin == self._door.settings.public_url
        )
        if not same or (site is not None and site not in ("same-origin", "none")):
            raise Problem(
                403, "not from our page", "this request comes from a page of another site", "Origin"
            )

    def _limit(self, request: Request) -> int:
        larger = [
            limit
            for prefix, limit in self._door.settings.large_bodies.items()
            if request.url.path.startswith(prefix)
        ]
        return max(larger, default=self._door.settings.body_limit)

    def _limited(self, request: Request, receive: Receive) -> Receive:
        """Bodies that do not say their length, or lie about it, end at the limit too."""
        limit = self._limit(request)
        taken = 0

        async def receive_limited() -> Message:
            nonlocal taken
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > limit:
                    raise HTTPException(413, f"a request here has at most {limit} bytes")
            return message

        return receive_limited

    def _explained(self, error: Exception, request: Request) -> Problem:
        if isinstance(error, Problem):
            return error
        if isinstance(error, HTTPException):
            return Problem(error.status_code, "not possible", str(error.detail))
        if isinstance(error, NgatuError):
            return problem_of(error)
        # Masked as text: a traceback quotes what it was about. The request's body and query stay out.
        name = request.state.request_id
        told = mask_address("".join(traceback.format_exception(error)))
        log.error("request %s %s %s failed:\n%s", name, request.method, request.url.path, told)
        return Problem(500, "our fault", f"something went wrong here; the log has it under {name}")


class _Answer:
    """Sends an answer with our headers."""

    def __init__(self, send: Send, request_id: str, secure: bool, image_hosts: Sequence[str]) -> None:
        self._send = send
        self._image_hosts = image_hosts
        self._id = request_id
        self._secure = secure
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if self._image_hosts:
                allowed = " ".join(["img-src 'self'", *self._image_hosts])
                policy = CONTENT_SECURITY_POLICY.replace("img-src 'self'", allowed)
                headers["Content-Security-Policy"] = policy
            headers["X-Request-Id"] = self._id
            if self._secure:
                headers["Strict-Transport-Security"] = HSTS
            # With an ETag a browser may keep an answer, and must ask each time; else nothing is kept.
            headers.setdefault("Cache-Control", "private, no-cache" if "etag" in headers else "no-store")
        await self._send(message)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] if ":" in host else host
