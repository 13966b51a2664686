"""The supervisor: shares the registry's cameras out to worker processes, and keeps these going."""

import fcntl
import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import IO

from sqlalchemy import Engine

from service.live.children import WorkerProcess
from service.live.plan import known_costs, load_plan, read_revision
from service.live.worker import POLL_EVERY, WorkerSettings
from service.storage.connect import StorageError, open_database, reading
from service.storage.drain import drain, waiting_time
from service.storage.outbox import Outbox
from vision import NgatuError
from vision.detection.grades import AUTO

STOP_S = 4.0
"""Seconds that workers have to stop; all in all it takes less than 5."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How live analysis runs on this machine.

    Attributes:
        workers: worker processes; 0 takes one for each core, and no more than there are cameras.
        cameras: only these; empty for all of the registry.
        service: URL of the service to report to; empty for none.
        token: the workers' token.
        folder: where the workers' outboxes lie.
        model: name of the detector, or ``auto``.
        fps: frames a second to analyse.
        spare: whether the network is spared what counting can do without.
        tracks_hours: how long tracks are kept in ``folder``/tracks, to try an edited view on; 0 for none.
        tz: time zone of midnight.
    """

    workers: int = 0
    cameras: tuple[str, ...] = ()
    service: str = ""
    token: str = field(default="", repr=False)
    folder: Path = Path("ngatu-out/live")
    model: str = AUTO
    fps: float = 10.0
    spare: bool = True
    tracks_hours: float = 48.0
    tz: str = "Asia/Ho_Chi_Minh"


def share_out(
    cameras: Sequence[str], workers: int, costs: Mapping[str, float], before: Sequence[Sequence[str]] = ()
) -> list[list[str]]:
    """Which worker runs which cameras: those that have one keep it, the others go where there is most room.

    Args:
        cameras: ids of all that are to run.
        workers: how many there are.
        costs: what a camera costs (width × height × frames a second); 1 where it is not known.
        before: how they were shared out; cameras that are gone leave room.
    """
    mean = sum(costs.values()) / len(costs) if costs else 1.0
    cost = {name: costs.get(name, mean) for name in cameras}
    shares = [[name for name in share if name in cost] for share in [*before, *[[]] * workers][:workers]]
    settled = {name for share in shares for name in share}
    new = sorted((name for name in cameras if name not in settled), key=lambda name: (-cost[name], name))
    for name in new:
        emptiest = min(shares, key=lambda share: sum(cost[each] for each in share))
        emptiest.append(name)
    return shares


class Supervisor:
    """Keeps worker processes going until it is told to stop.

    Args:
        engine_url: URL of the database; None takes the default.
        settings: how to run.
    """

    def __init__(self, engine_url: str | None, settings: LiveSettings) -> None:
        self._url = engine_url
        self._settings = settings
        self._workers: list[WorkerProcess] = []
        self._shares: list[list[str]] = []
        self._revision: int | None = None
        self._until = 0.0
        self._looked = float("-inf")
        self._trouble = False

    def run(self, stop: Event) -> None:
        """Run until told to stop; then the workers have stopped, within 5 s.

        Raises:
            NgatuError: the database is not one of ours, or another supervisor runs on the same folder.
        """
        lock = _lock(self._settings.folder)
        try:
            engine = self._open(stop)
            if engine is None:
                return
            left: Thread | None = None
            try:
                while not stop.is_set():
                    try:
                        self._follow(engine)
                    except StorageError as error:
                        if not self._trouble:
                            log.warning("%s; the cameras run on as they were shared out", error)
                        self._trouble = True
                    if self._workers and left is None:
                        left = Thread(target=self._drain_left, args=(engine, stop), daemon=True)
                        left.start()
                    for worker in self._workers:
                        worker.watch()
                    stop.wait(0.5)
            finally:
                self._stop_all()
                engine.dispose()
        finally:
            lock.close()

    def _open(self, stop: Event) -> Engine | None:
        failures = 0
        while not stop.is_set():
            try:
                return open_database(self._url)
            except StorageError as error:
                if "cannot use" not in str(error):
                    raise  # another schema, or no URL: waiting does not help
                failures += 1
                wait = waiting_time(failures)
                log.warning("%s; next try in %.1f s", error, wait)
                stop.wait(wait)
        return None

    def _follow(self, engine: Engine) -> None:
        """Share cameras out anew when the registry changes."""
        if time.monotonic() - self._looked < POLL_EVERY:
            return
        self._looked = time.monotonic()
        now = time.time()
        with reading(engine) as connection:
            revision = read_revision(connection)
            self._trouble = False
            if revision == self._revision and now < self._until:
                return
            plan = load_plan(connection, now)
            wanted = [name for name in plan.entries if name in (self._settings.cameras or plan.entries)]
            costs = known_costs(connection, wanted)
        for name in self._settings.cameras:
            if name not in plan.entries:
                log.warning("the registry has no camera %s; it runs once there is one", name)
        self._revision, self._until = plan.revision, plan.until
        if not self._workers and wanted:
            number = self._settings.workers or min(os.cpu_count() or 1, len(wanted))
            self._workers = [self._make(n) for n in range(1, number + 1)]
        if self._workers:
            self._shares = share_out(wanted, len(self._workers), costs, self._shares)
            for worker, share in zip(self._workers, self._shares, strict=True):
                worker.assign(tuple(share))
        log.info("revision %d of the registry: %d cameras", plan.revision, len(wanted))

    def _make(self, number: int) -> WorkerProcess:
        settings = self._settings
        name = f"worker-{number}"
        return WorkerProcess(
            WorkerSettings(
                worker=name,
                database=self._url or "",
                folder=str(settings.folder / name),
                service=settings.service,
                token=settings.token,
                model=settings.model,
                fps=settings.fps,
                spare=settings.spare,
                tracks=str(settings.folder / "tracks") if settings.tracks_hours else "",
                tracks_hours=settings.tracks_hours,
                tz=settings.tz,
            )
        )

    def _drain_left(self, engine: Engine, stop: Event) -> None:
        """Write what outboxes hold whose worker does not run any more, as after fewer were asked for."""
        running = {Path(worker.settings.folder) for worker in self._workers}
        for path in sorted(self._settings.folder.glob("*/outbox.db")):
            while path.parent not in running and not stop.is_set():
                try:
                    with Outbox(path) as outbox:
                        drain(outbox, engine)
                    break
                except StorageError:
                    stop.wait(10.0)

    def _stop_all(self) -> None:
        for worker in self._workers:
            worker.ask_to_stop()
        until = time.monotonic() + STOP_S
        for worker in self._workers:
            worker.end(until)


def _lock(folder: Path) -> IO[str]:
    """Hold a folder for this supervisor alone, until the file is closed.

    Raises:
        NgatuError: another one holds it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except OSError as error:
        raise NgatuError(f"cannot use the folder {folder}: {error.strerror}; choose another --out") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise NgatuError(
            f"another ngatu live runs on the folder {folder}; stop it, or choose another --out"
        ) from None
    return file
