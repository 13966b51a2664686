"""A worker process as its supervisor sees it: started, watched, started again when it dies or is silent."""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from threading import Thread

from service.live.settings import WorkerSettings

SILENT = 20.0
"""A worker without a beat for so long is killed and started again, s; on its first start it has longer."""

STARTING = 90.0

LONGEST_RESTART = 30.0
STEADY = 60.0
"""A worker that ran for so long begins with short waits again when it dies, s."""

log = logging.getLogger(__name__)


class WorkerProcess:
    """One worker process: started, watched, and started again when it dies or falls silent."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._started = 0.0
        self._beat: float | None = None
        self._failures = 0
        self._next_start = 0.0

    def assign(self, cameras: tuple[str, ...]) -> None:
        """Let it run these cameras."""
        if cameras == self.settings.cameras and self._process is not None:
            return
        self.settings = replace(self.settings, cameras=cameras)
        self._say({"cameras": list(cameras)})

    def watch(self) -> None:
        """Start it where it does not run; kill it where it is silent."""
        now = time.monotonic()
        if self._process is not None:
            status = self._process.poll()
            silent = now - (self._beat or self._started) > (SILENT if self._beat else STARTING)
            if status is None and not silent:
                return
            if status is None:
                log.error("%s has been silent for long: killed", self.settings.worker)
            else:
                log.error("%s has ended with status %d", self.settings.worker, status)
            self.end(now)
            self._failures = 0 if now - self._started > STEADY else self._failures + 1
            wait = min(2.0 ** (self._failures - 1), LONGEST_RESTART) if self._failures else 0.0
            self._next_start = now + wait
        if now >= self._next_start and self.settings.cameras:
            self._start(now)

    def ask_to_stop(self) -> None:
        """Tell it to stop."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def end(self, until: float) -> None:
        """Wait until a monotonic moment for it to end, then kill it."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _start(self, now: float) -> None:
        # Few arenas: a thread for each camera would otherwise keep its own, and memory would creep up.
        alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        environment = {**os.environ, **alone}
        # Settings hold secrets, and what stands on a command line anybody can read: they go through the pipe.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service.live.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._started, self._beat = now, None
        log.info("%s started with %d cameras", self.settings.worker, len(self.settings.cameras))
        Thread(target=self._hear, args=(self._process,), daemon=True).start()
        self._say(asdict(self.settings))

    def _hear(self, process: "subprocess.Popen[str]") -> None:
        # Closed under our hands when it ends: that is seen by its exit status.
        with suppress(OSError, ValueError):
            for _ in process.stdout or ():
                if self._process is process:
                    self._beat = time.monotonic()

    def _say(self, order: Mapping[str, object]) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with suppress(OSError, ValueError):  # it has died: watch() starts it again
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
