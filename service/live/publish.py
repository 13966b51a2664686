"""Tells the service what a worker sees, over one kept connection, and pictures while somebody watches."""

import http.client
import logging
import ssl
import time
from collections.abc import Callable
from threading import Event, Thread
from urllib.parse import urlsplit

from pydantic import ValidationError

from service.live.messages import PICTURES_PER_SECOND, Answer, WorkerReport
from vision import NgatuError

REPORT_EVERY = 0.5
TIMEOUT = 3.0
"""Seconds that the service may take to answer."""

LONGEST_WAIT = 5.0
"""Seconds until the service is tried again at most."""

log = logging.getLogger(__name__)


class Service:
    """The service at the other end of one kept connection.

    Args:
        url: ``http://host:port``, with a path where it is mounted under one.
        token: the workers' token; sent with each request, shown nowhere.

    Raises:
        NgatuError: the URL is not one of HTTP.
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NgatuError("the service's URL is not understood; write http://host:8000")
        self._host, self._port = parts.hostname, parts.port
        self._tls = parts.scheme == "https"
        self._path = parts.path.rstrip("/")
        self._token = token
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: bytes, kind: str) -> bytes:
        """Send something and return the answer.

        Raises:
            OSError: nobody answers, or not with success.
        """
        headers = {"Content-Type": kind, "Authorization": f"Bearer {self._token}"}
        try:
            connection = self._connection or self._connect()
            connection.request("POST", self._path + path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ConnectionError(f"{type(error).__name__}: {error}") from None
        if response.status >= 300:
            raise ConnectionError(f"it answers {response.status} {response.reason}")
        return content

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> http.client.HTTPConnection:
        self._connection = (
            http.client.HTTPSConnection(
                self._host, self._port, timeout=TIMEOUT, context=ssl.create_default_context()
            )
            if self._tls
            else http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        )
        return self._connection


class Publisher(Thread):
    """The thread that tells the service; without one that answers it tries again, and nothing else waits.

    Args:
        service: where to.
        report: makes the next report; None where there is nothing to tell yet.
        delivered: told a report that arrived.
        picture: a JPEG of a camera's newest picture, fit to leave the worker; None where there is none.
        stop: ends it.

    Attributes:
        watched: cameras whose picture somebody watches.
    """

    def __init__(
        self,
        service: Service,
        report: Callable[[], WorkerReport | None],
        delivered: Callable[[WorkerReport], None],
        picture: Callable[[str], bytes | None],
        stop: Event,
    ) -> None:
        super().__init__(name="publish", daemon=True)
        self.watched: frozenset[str] = frozenset()
        self._service = service
        self._report = report
        self._delivered = delivered
        self._picture = picture
        self._stop_asked = stop
        self._failures = 0

    def run(self) -> None:
        """Report until told to stop."""
        next_report = time.monotonic()
        sent: dict[str, float] = {}
        while not self._stop_asked.is_set():
            try:
                if time.monotonic() >= next_report:
                    next_report = max(next_report + REPORT_EVERY, time.monotonic())
                    self._tell()
                self._show(sent)
                if self._failures:
                    log.info("the service answers again")
                    self._failures = 0
            except OSError as error:
                self.watched = frozenset()
                if not self._failures:
                    log.warning("the service cannot be told: %s; measuring goes on, trying again", error)
                self._failures += 1
                self._stop_asked.wait(min(0.5 * 2 ** min(self._failures, 10), LONGEST_WAIT))
            self._stop_asked.wait(max(0.02, min(next_report - time.monotonic(), self._pause())))
        self._service.close()

    def _pause(self) -> float:
        return 1 / PICTURES_PER_SECOND if self.watched else REPORT_EVERY

    def _tell(self) -> None:
        report = self._report()
        if report is None:
            return
        content = self._service.post(
            "/v1/live/reports", report.model_dump_json().encode(), "application/json"
        )
        try:
            answer = Answer.model_validate_json(content)
        except ValidationError:
            raise ConnectionError("it answers something else than a service of ngatu") from None
        self._delivered(report)
        self.watched = frozenset(answer.pictures)

    def _show(self, sent: dict[str, float]) -> None:
        now = time.monotonic()
        for camera in self.watched:
            if now - sent.get(camera, 0.0) < 1 / PICTURES_PER_SECOND:
                continue
            picture = self._picture(camera)
            if picture is not None:
                sent[camera] = now
                self._service.post(f"/v1/live/pictures/{camera}", picture, "image/jpeg")
