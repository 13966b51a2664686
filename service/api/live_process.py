"""Keeps live analysis going beside the service: a child process that is started again when it dies."""

import json
import logging
import subprocess
import sys
import threading
import time
from dataclasses import asdict

from service.live.supervisor import LiveSettings

LONGEST_WAIT_S = 30.0
STEADY_S = 60.0
"""One that ran for so long is started again at once when it dies."""
STOP_S = 10.0
"""Time that it has to stop: its workers write what they have."""

log = logging.getLogger("ngatu.serve")


class LiveProcess(threading.Thread):
    """Starts the supervisor, and starts it again whenever it ends, until :meth:`stop`.

    Args:
        url: of the database; it goes to the child by its standard input, where nobody else sees it.
        settings: of live analysis.
    """

    def __init__(self, url: str, settings: LiveSettings) -> None:
        super().__init__(name="live", daemon=True)
        told = asdict(settings) | {"folder": str(settings.folder), "cameras": list(settings.cameras)}
        self._order = json.dumps({"url": url, "settings": told}) + "\n"
        self._stopping = threading.Event()
        self._child: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process; None where none runs."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def run(self) -> None:
        """Keep it going."""
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            status = self._run_once()
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - began > STEADY_S else failures + 1
            wait = min(LONGEST_WAIT_S, 0.5 * 2 ** min(failures, 8)) if failures else 0.0
            log.warning("live analysis ended with status %s; it is started again in %.1f s", status, wait)
            self._stopping.wait(wait)

    def stop(self) -> None:
        """End it and wait."""
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_S + 5.0)

    def _run_once(self) -> int | None:
        command = [sys.executable, "-m", "service.api.live_child"]
        # In a session of its own: an interrupt of the terminal is told to the service alone.
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True) as child:
            self._child = child
            pipe = child.stdin
            assert pipe is not None  # noqa: S101 - it was asked for
            try:
                pipe.write(self._order)
                pipe.flush()
                while child.poll() is None and not self._stopping.wait(0.2):
                    pass
                pipe.close()
                child.wait(STOP_S)
            except BrokenPipeError:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                log.error("live analysis does not stop; it is killed, what it measured lies in its outbox")
                child.kill()
            return child.wait()
