"""What an operator sets of logins, cookies, limits and hosts; every default is the safe one."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from vision import NgatuError

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class AuthError(NgatuError):
    """A setting of the service's access, an account or a key is not right."""


def present() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """How the service lets people and programs in.

    Attributes:
        public_url: where people reach the service, such as ``https://ngatu.example.vn``: used in links. With
            ``https`` cookies are always marked secure and browsers are told to stay with TLS.
        allowed_hosts: names that a request's ``Host`` may carry, besides that of ``public_url`` and the local
            ones; without a port. Anything else is a request meant for somebody else.
        allow_http: let passwords pass over plain HTTP from other machines. Off: TLS must stand in front.
        idle: a session ends when so long nothing was asked with it.
        absolute: and always so long after the login ...
        wall: ... that of a viewer so long after it: a wall stays open for weeks, and only looks.
        image_hosts: other hosts whose images pages may show: those of map tiles.
        invitation: how long a link to set a password holds.
        longest_token: tokens for programs hold at most so long.
        worker_token: what workers show; None makes one at start.
        login_page: page to which a browser without a login is led; None answers 401.
        body_limit: largest body of a request, bytes.
        large_bodies: path prefixes that take larger ones (uploads), with their limits; the caller is known
            before the first byte of such a body is read.
        requests_per_minute: of one account, or of one address without a login.
        clock: the present, for tests.
    """

    public_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    allow_http: bool = False
    idle: timedelta = timedelta(hours=1)
    absolute: timedelta = timedelta(hours=12)
    wall: timedelta = timedelta(days=30)
    image_hosts: tuple[str, ...] = ()
    invitation: timedelta = timedelta(hours=24)
    longest_token: timedelta = timedelta(days=366)
    worker_token: str | None = field(default=None, repr=False)
    login_page: str | None = None
    body_limit: int = 2 * 2**20
    large_bodies: Mapping[str, int] = field(default_factory=dict)
    requests_per_minute: int = 1200
    clock: Callable[[], datetime] = present

    @property
    def tls(self) -> bool:
        """Whether people reach the service by TLS for certain."""
        return bool(self.public_url and self.public_url.startswith("https://"))

    @property
    def hosts(self) -> frozenset[str]:
        """Every host that is ours."""
        own = urlsplit(self.public_url).hostname if self.public_url else None
        return frozenset(
            host.lower() for host in (*LOCAL_HOSTS, *self.allowed_hosts, *([own] if own else []))
        )

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "AuthSettings":
        """Settings of NGATU_PUBLIC_URL, NGATU_ALLOWED_HOSTS, NGATU_ALLOW_HTTP and NGATU_WORKER_TOKEN.

        Raises:
            AuthError: one of them is not right.
        """
        url = environment.get("NGATU_PUBLIC_URL") or None
        if url is not None:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
                raise AuthError(f"NGATU_PUBLIC_URL {url!r} is no address; write https://ngatu.example.vn")
            url = url.rstrip("/")
        token = environment.get("NGATU_WORKER_TOKEN") or None
        if token is not None and len(token) < MIN_WORKER_TOKEN:
            raise AuthError(
                f"NGATU_WORKER_TOKEN is shorter than {MIN_WORKER_TOKEN} characters; "
                "make one with: openssl rand -hex 32"
            )
        return AuthSettings(
            public_url=url,
            allowed_hosts=tuple(environment.get("NGATU_ALLOWED_HOSTS", "").replace(",", " ").split()),
            allow_http=environment.get("NGATU_ALLOW_HTTP", "").lower() in ("1", "true", "yes"),
            worker_token=token,
        )


MIN_WORKER_TOKEN = 32
"""Characters that a token set by hand must have."""
