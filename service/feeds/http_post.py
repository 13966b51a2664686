"""Posts to a receiver over HTTP: one connection, no redirects, errors told as the sender takes them."""

import http.client
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from service.feeds.receiver import AgainError, FeedError, RefusedError

TIMEOUT = 10.0
"""Longest wait for a connection or an answer, s."""
LARGEST = 2**20
"""Most bytes of an answer that are read."""
LOCAL = ("localhost", "127.0.0.1", "::1")


class Poster:
    """Posts bodies to one host.

    Args:
        url: ``https://host/path``; what is posted to is a path below it.
        ca_file: certificates that the host is checked against instead of the system's.
        field: of the settings, for errors.

    Raises:
        FeedError: the address is none, or the file cannot be read.
    """

    def __init__(self, url: str, ca_file: Path | None = None, field: str = "url") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise FeedError(f"{field}: it is no address without a login; write https://host/path")
        self.is_safe = parts.scheme == "https" or parts.hostname in LOCAL
        self.path = parts.path.rstrip("/")
        self.shown = f"{parts.scheme}://{parts.hostname}"
        self._host, self._port = parts.hostname, parts.port
        self._connection: http.client.HTTPConnection | None = None
        self._context: ssl.SSLContext | None = None
        if parts.scheme == "https":
            try:
                self._context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
            except OSError as error:
                raise FeedError(f"ca_file: cannot read {ca_file}: {error}") from None

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Post, and return status and body of an answer that is neither a failure nor a refusal.

        Raises:
            AgainError: nobody answered, or whoever did cannot take it now (401, 403, 404, 408, 429, 5xx).
            RefusedError: it is not what the receiver takes (other 4xx).
        """
        reused = self._connection is not None
        try:
            status, answer = self._try(path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if not reused:
                raise self._unreached(error) from None
            # A receiver may have closed a connection that was idle.
            try:
                status, answer = self._try(path, body, headers)
            except (OSError, http.client.HTTPException) as again:
                self.close()
                raise self._unreached(again) from None
        if status < 300:
            return status, answer
        said = answer[:200].decode(errors="replace").replace("\n", " ")
        told = f"{self.shown} answers {status} {said}".strip()
        if status < 400 or status in (401, 403, 404, 408, 425, 429) or status >= 500:
            raise AgainError(told)
        raise RefusedError(told)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _try(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = (
                http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=self._context)
                if self._context
                else http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
            )
        self._connection.request("POST", self.path + path, body, dict(headers))
        answer = self._connection.getresponse()
        read = answer.read(LARGEST)
        if answer.length:  # more than we read: the connection cannot be used again
            self.close()
        return answer.status, read

    def _unreached(self, error: Exception) -> AgainError:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return AgainError(f"{self.shown} cannot be reached: {reason}")
