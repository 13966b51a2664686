"""What a running service does by itself: knows the registry, keeps coverage hourly, drops what is old."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from service.api.services import Services
from service.coverage import figures_at, site_facts
from service.coverage.store import load_evidence, save_snapshot
from service.storage.connect import StorageError, writing
from service.storage.retention import run_retention
from service.storage.tables import CoverageSnapshot
from vision import NgatuError

LOOK_S = 2.0
"""How often the registry is looked at, so that a new camera shows as offline before anybody reports it."""
HOUR = 3600.0
RETENTION_AT = 3
"""Hour of the local clock at which old rows are dropped, when the roads are empty."""

log = logging.getLogger("ngatu.serve")


class Upkeep(threading.Thread):
    """Does it until :meth:`stop`; what fails is told once and tried again at the next turn."""

    def __init__(self, services: Services) -> None:
        super().__init__(name="upkeep", daemon=True)
        self._services = services
        self._stopping = threading.Event()
        self._told: dict[str, str] = {}
        self._hour = 0.0
        self._day = ""

    def run(self) -> None:
        """Work until told to stop."""
        while not self._stopping.wait(LOOK_S):
            self.step()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopping.set()
        if self.is_alive():
            self.join(10.0)

    def step(self) -> None:
        """One turn."""
        now = self._services.clock()
        self._try("registry", self._look)
        if now - self._hour >= HOUR and self._try("coverage", self._keep_coverage):
            self._hour = now - now % HOUR
        local = datetime.fromtimestamp(now, ZoneInfo(self._services.settings.tz))
        if (
            local.hour == RETENTION_AT
            and self._day != local.date().isoformat()
            and self._try("retention", self._drop)
        ):
            self._day = local.date().isoformat()

    def _look(self) -> None:
        with self._services.reading() as connection:
            self._services.registry(connection)

    def _keep_coverage(self) -> None:
        """Keep the figures of the last full hour, unless they are there."""
        now = self._services.clock()
        at = now - now % HOUR
        with self._services.reading() as connection:
            history = self._services.registry(connection)[1]
            newest = connection.scalar(select(func.max(CoverageSnapshot.time)))
            if not history or (newest is not None and newest >= datetime.fromtimestamp(at, UTC)):
                return
            evidence = load_evidence(connection, at - 86_400.0, at + 1e-3)
        figures = figures_at(site_facts(history, evidence.health), evidence, history, at)
        with writing(self._services.engine) as connection:
            save_snapshot(connection, figures, now)

    def _drop(self) -> None:
        began = time.monotonic()
        now = datetime.fromtimestamp(self._services.clock(), UTC)
        rows = sum(each.rows - each.left for each in run_retention(self._services.engine, now=now))
        took = timedelta(seconds=round(time.monotonic() - began))
        log.info("retention: %d rows dropped in %s", rows, took)

    def _try(self, what: str, do: Callable[[], None]) -> bool:
        try:
            do()
        except (StorageError, NgatuError) as error:
            if self._told.get(what) != str(error):
                log.warning("%s waits: %s", what, error)
            self._told[what] = str(error)
            return False
        except Exception:  # one odd row must not end all upkeep
            log.exception("%s failed; it is tried again", what)
            return False
        self._told.pop(what, None)
        return True
