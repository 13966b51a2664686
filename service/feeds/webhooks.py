"""Webhooks: each alarm is posted to an address, signed as Standard Webhooks says, until it is taken."""

import base64
import binascii
import hashlib
import hmac
import http.client
import ipaddress
import json
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from service.alarms.rules import KINDS, AlarmKind, Severity
from service.alarms.words import told, words_of
from service.auth.addresses_guard import NetworkPolicy, Resolver, check_address
from service.auth.vault import load_secrets
from service.feeds.changes import alarm_items
from service.feeds.receiver import (
    AgainError,
    FeedError,
    Item,
    Look,
    Receiver,
    ReceiverSettings,
    RefusedError,
)
from service.registry import Approach, City, Site
from vision import SourceError

SECONDS = 10.0
"""How long a receiver may take for each step of an answer."""
SHORTEST_SECRET = 24
"""Bytes that a secret has at least."""
NOT_TAKEN = frozenset({400, 405, 406, 411, 413, 414, 415, 422})
"""Answers by which a receiver says that it will never take this message; any other failure passes."""

Sent = tuple[int, str]
"""Status of an answer, and its reason."""


class WebhookSettings(ReceiverSettings):
    """Who is told of alarms, and how it knows that they come from us."""

    kind: Literal["webhook"] = Field("webhook", description="an address that alarms are posted to")
    url: SecretStr = Field(description="where to: https://…; ${NAME} takes a secret")
    secret: SecretStr = Field(
        description="signs each message: ${NAME} of the sealed secrets or the environment, or whsec_…"
    )
    previous_secret: SecretStr | None = Field(
        None, description="signs as well while a receiver changes to a new secret"
    )
    severities: tuple[Severity, ...] = Field(
        ("information", "warning", "critical"), description="tell of alarms of these severities only"
    )
    alarms: tuple[AlarmKind, ...] | None = Field(None, description="of these kinds only; all if left out")
    networks: tuple[str, ...] | None = Field(
        None,
        description="the receiver must be in one of these networks, such as 10.20.0.0/16; left out: anywhere "
        "but this machine, and by https only",
    )
    ca_file: Path | None = Field(None, description="certificates that the receiver's is checked by")

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for each in value or ():
            ipaddress.ip_network(each)
        return value


class Webhook(Receiver[WebhookSettings]):
    """Posts alarms to one address.

    Args:
        settings: where to, and by what secret.
        environment: where secrets are that the vault does not hold.
        resolve: looks a host name up; for tests.
        clock: the present, seconds since the epoch, UTC: the time in the signature.
    """

    KIND = "webhook"
    SETTINGS = WebhookSettings
    BATCH: ClassVar[int] = 1

    def __init__(
        self,
        settings: WebhookSettings,
        environment: Mapping[str, str] = os.environ,
        resolve: Resolver | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(settings)
        self._environment, self._resolve, self._clock = environment, resolve, clock
        self._url = ""
        self._keys: tuple[bytes, ...] = ()

    def collect(self, look: Look) -> Iterable[Item]:
        """Each alarm of the wished kinds: ``new``, ``update`` and ``end`` with one id."""
        self._open_secrets(load_secrets(look.connection))
        wanted = self.settings.alarms
        for item in alarm_items(look, self.settings.sites):
            alarm = item.content
            if alarm["severity"] in self.settings.severities and (wanted is None or alarm["kind"] in wanted):
                yield Item(item.key, item.version, body_of(alarm, look.city))

    def deliver(self, items: Sequence[Item]) -> None:
        """Post them one by one; any 2xx means that it has it."""
        for item in items:
            number = f"{item.key.rpartition('/')[2]}-{item.version}"
            body = json.dumps(item.content, ensure_ascii=False, separators=(",", ":")).encode()
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "ngatu",
                **signed_headers(self._keys, number, int(self._clock()), body),
            }
            status, reason = self._post(body, headers)
            if 200 <= status < 300:
                continue
            if status in NOT_TAKEN:
                raise RefusedError(f"it answers {status} {reason}")
            elsewhere = "; it leads elsewhere, write that address" if 300 <= status < 400 else ""
            raise AgainError(f"it answers {status} {reason}{elsewhere}")

    def _open_secrets(self, vault: Mapping[str, str]) -> None:
        """Take secrets as they are now: one that was changed signs from the next message on."""
        settings = self.settings
        self._url = self._opened("url", settings.url, vault)
        given = [("secret", settings.secret), ("previous_secret", settings.previous_secret)]
        self._keys = tuple(
            key_of(self._opened(field, secret, vault), f"webhook {settings.name}: {field}")
            for field, secret in given
            if secret is not None
        )

    def _opened(self, field: str, secret: SecretStr, vault: Mapping[str, str]) -> str:
        text = secret.get_secret_value()
        if not (text.startswith("${") and text.endswith("}")):
            return text
        name = text[2:-1]
        value = vault.get(name) or self._environment.get(name)
        if not value:
            raise FeedError(
                f"webhook {self.settings.name}: {field}: there is no secret {name}; set it on the page "
                "Administration, or as a variable of the environment"
            )
        return value

    def _post(self, body: bytes, headers: Mapping[str, str]) -> Sent:
        networks = self.settings.networks
        policy = NetworkPolicy(
            tuple(ipaddress.ip_network(each) for each in networks) if networks is not None else None,
            ("https",) if networks is None else ("https", "http"),
        )
        parts = urlsplit(self._url)
        try:
            checked = check_address(self._url, policy, self._resolve)
        except SourceError as error:
            text = str(error).replace("NGATU_CAMERA_NETWORKS", "its networks in feeds.yaml")
            raise AgainError(f"the address may not be opened: {text}") from None
        if parts.username or parts.password or not parts.hostname or checked.number is None:
            raise FeedError(f"webhook {self.settings.name}: url: write https://host/path without a login")
        path = parts.path or "/"
        return post(
            (parts.scheme, parts.hostname, parts.port, f"{path}?{parts.query}" if parts.query else path),
            checked.number,
            body,
            headers,
            self.settings.ca_file,
        )


def post(
    to: tuple[str, str, int | None, str],
    number: str,
    body: bytes,
    headers: Mapping[str, str],
    ca_file: Path | None = None,
) -> Sent:
    """Post once; the connection goes to the number that was checked, whatever its name says by now.

    Args:
        to: scheme, host, port and path.
        number: the host's address.
        body: what is sent.
        headers: with it.
        ca_file: certificates that the host's is checked by; None takes those of the system.

    Raises:
        AgainError: nobody answers, or no HTTP.
    """
    scheme, host, port, path = to

    def connect(address: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:
        return socket.create_connection((number, address[1]), *rest, **more)

    connection: http.client.HTTPConnection
    try:
        if scheme == "https":
            context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
            connection = http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
        connection._create_connection = connect  # type: ignore[attr-defined]
        try:
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.reason[:60]
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        # An error's own text may quote the address, which may hold a secret.
        raise AgainError(f"{host} does not answer: {_told(error)}") from None


def signed_headers(keys: Sequence[bytes], number: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks: an id by which repeats are dropped, the time, one signature a key.

    Example:
        >>> signed_headers([b"k" * 24], "1", 1767225600, b"{}")["webhook-signature"][:3]
        'v1,'
    """
    content = f"{number}.{at}.".encode() + body
    signatures = [base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode() for key in keys]
    return {
        "webhook-id": number,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }


def key_of(secret: str, where: str) -> bytes:
    """The key that a secret stands for: after ``whsec_`` in base 64, else the text itself.

    Raises:
        FeedError: it is too short to be one, or no base 64.
    """
    key = secret.encode()
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            raise FeedError(f"{where}: after whsec_ comes no base 64; copy the secret whole") from None
    if len(key) < SHORTEST_SECRET:
        raise FeedError(
            f'{where}: it is shorter than {SHORTEST_SECRET} bytes; make one: echo "whsec_$(openssl rand '
            '-base64 32)"'
        )
    return key


def body_of(alarm: Mapping[str, Any], city: City) -> dict[str, Any]:
    """What is posted of an alarm: its type, the moment, all that is known, and words in both languages."""
    event = alarm["event"]
    times = {"new": "raised_at", "end": "cleared_at", "update": "acknowledged_at"}
    site = city.get(("sites", alarm["site"] or ""))
    arm = city.get(("approaches", alarm["site"] or "", alarm["approach"] or ""))
    data = {
        **alarm,
        "site_name": site.name if isinstance(site, Site) else None,
        "approach_name": arm.name if isinstance(arm, Approach) else None,
    }
    if alarm["kind"] in KINDS:
        for language in ("en", "vi"):
            words = words_of(alarm["kind"], language)
            figures = told(alarm["details"], language)
            data[language] = {
                "title": words.title,
                "meaning": words.meaning,
                "action": words.action,
                "figures": figures,
            }
    return {
        "type": f"alarm.{event}",
        "timestamp": alarm[times[event]] or alarm["raised_at"],
        "data": data,
    }


def _told(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not hold: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"nothing came in {SECONDS:.0f} s"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
