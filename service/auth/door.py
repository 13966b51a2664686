"""Knows who is at the door of the service: by cookie or token, from which address, how often, how safely."""

import ipaddress
import logging
import secrets
from functools import cached_property

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from sqlalchemy import Engine

from service.auth.guessing import Guesses
from service.auth.problems import Problem
from service.auth.sessions import Identity, find_session, find_token, note_use
from service.auth.settings import AuthSettings
from service.storage.connect import StorageError, reading, writing
from service.storage.sealing import SealingError, derived_key

log = logging.getLogger("ngatu.auth")

SESSION_COOKIE = "ngatu"
DEVICE_COOKIE = "ngatu_device"


class Door:
    """What the guards of one running service share.

    Attributes:
        engine: the database.
        settings: see there.
        worker_token: what workers show.
        clients: failed logins by client address.
        devices: failed logins by browser that once logged in.
        strangers: failed logins by names that no account has.
    """

    def __init__(self, engine: Engine, settings: AuthSettings) -> None:
        self.engine = engine
        self.settings = settings
        self.worker_token = settings.worker_token or secrets.token_urlsafe(32)
        self.clients, self.devices, self.strangers = (
            Guesses(free, lambda: settings.clock().timestamp()) for free in (5, 5, 10)
        )
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._requests = RateLimitItemPerMinute(settings.requests_per_minute)

    @cached_property
    def device_key(self) -> bytes:
        """Signs the cookie by which a browser that once logged in is known again."""
        try:
            return derived_key("device cookie")
        except SealingError as error:
            log.warning("%s; browsers that once logged in are forgotten with a restart", error)
            return secrets.token_bytes(32)

    def identify(self, request: Request) -> Identity | None:
        """Who sends a request; None where that is nobody we know. Reads the database each time."""
        now = self.settings.clock()
        authorization = request.headers.get("authorization")
        scheme, _, value = (authorization or "").partition(" ")
        cookie = request.cookies.get(self.cookie_name(request, SESSION_COOKIE))
        with reading(self.engine) as connection:
            if authorization is not None:
                found = find_token(connection, value.strip(), now) if scheme.lower() == "bearer" else None
            elif cookie:
                found = find_session(connection, cookie, now, self.settings.idle)
            else:
                found = None
        if found is not None and found.stale:
            try:
                with writing(self.engine) as connection:
                    note_use(connection, found, now)
            except StorageError as error:  # a full disk must not lock everybody out
                log.warning("the use of a login could not be noted: %s", error)
        return found

    def count_request(self, request: Request, login: str | None) -> None:
        """Count a request of an account, or of an address where nobody is known.

        Raises:
            Problem: 429, there were too many.
        """
        key = f"account {login}" if login else f"address {self.client(request)}"
        self.count(key, self._requests)

    def count(self, key: str, limit: RateLimitItemPerMinute) -> None:
        """Count one use of a key against a limit.

        Raises:
            Problem: 429, there were too many.
        """
        if not self._limiter.hit(limit, key):
            raise Problem(
                429,
                "too many requests",
                f"at most {limit.amount} a minute; wait a little",
                headers={"Retry-After": "30"},
            )

    def client(self, request: Request) -> str:
        """The address a request comes from; of IPv6 the network of 64 bits, since a host has all of it."""
        host = request.client.host if request.client else "local"
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return host[:64]
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped:
                return str(address.ipv4_mapped)
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address)

    def is_secure(self, request: Request) -> bool:
        """Whether the browser speaks TLS, as far as uvicorn's proxy headers or the settings say."""
        return self.settings.tls or request.url.scheme == "https"

    def may_send_password(self, request: Request) -> bool:
        """Whether a password may travel on this connection: by TLS, or within this machine."""
        if self.is_secure(request) or self.settings.allow_http:
            return True
        try:
            return ipaddress.ip_address(request.client.host if request.client else "127.0.0.1").is_loopback
        except ValueError:
            return True  # a socket of this machine has no address

    def cookie_name(self, request: Request, name: str) -> str:
        """A cookie's name; with TLS its prefix keeps other hosts and paths from setting it."""
        return f"__Host-{name}" if self.is_secure(request) else name
