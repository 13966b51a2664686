"""Takes up one job at a time, follows its process, keeps what came of it, and deletes what is too old."""

import fcntl
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine

from service.auth.sandbox import Limits, StoppedError, run_limited
from service.jobs import store
from service.jobs.counting import count
from service.jobs.results import FILES, folder_of, public_summary, record, refuse_links, sweep, tidy
from service.jobs.settings import GIB, JobError, JobOptions, JobSettings
from service.jobs.uploads import in_words, require_space
from service.outputs import write_json
from service.registry import Camera, CameraView, city_at
from service.registry.store import load_history
from service.storage.connect import RefusedError, StorageError, reading, writing
from vision import NgatuError, save_view
from vision.detection.cards import model_folders
from vision.detection.grades import RECORDED, choose_grade
from vision.sources import start_from_name

POLL_S = 0.5
SWEEP_S = 600.0
AWAY_S = 5.0
"""A database that is away is asked again after so long."""

T = TypeVar("T")

log = logging.getLogger("ngatu.jobs")


class JobRunner(threading.Thread):
    """Counts what waits, one recording after the other, in a limited process each.

    Only one runner works on a folder. A job whose service was killed is taken up again; its process ends with
    the service.
    """

    def __init__(self, engine: Engine, settings: JobSettings) -> None:
        super().__init__(name="jobs", daemon=True)
        self._engine, self._settings = engine, settings
        self._stopping = threading.Event()
        self._lock: IO[bytes] | None = None
        self._swept = 0.0
        self._told = ""

    def run(self) -> None:
        """Work until :meth:`stop`."""
        while not self._stopping.wait(POLL_S):
            try:
                self.work()
                self._told = ""
            except (NgatuError, OSError) as error:
                if str(error) != self._told:
                    log.warning("jobs wait: %s", error)
                self._told = str(error)
                self._stopping.wait(5.0)
            except Exception:  # one odd job must not end all of them
                log.exception("a job broke down")
                self._stopping.wait(5.0)
        self._release()

    def stop(self) -> None:
        """End the thread and the process of the job that runs; the next start takes it up again."""
        self._stopping.set()
        if self.is_alive():
            self.join(timeout=15)

    def work(self) -> bool:
        """Take up and count the next job, if one waits; whether there was one."""
        if not self._is_alone():
            return False
        if time.monotonic() - self._swept > SWEEP_S or not self._swept:
            self._swept = time.monotonic()
            sweep(self._engine, self._settings)
        require_space(self._settings)
        with reading(self._engine) as connection:
            if not store.waiting(connection):
                return False
        with writing(self._engine) as connection:
            row = store.take_next(connection)
        if row is None:
            return False
        state: store.JobState = "failed"
        result: dict[str, Any] = {"attempts": row["result"]["attempts"]}
        try:
            outcome = self._count(row)
            if outcome is None:
                return True  # cancelled, or the service stops
            message = str(outcome.pop("told"))
            state, result = "done", result | outcome
        except NgatuError as error:
            if self._stopping.is_set():
                return True
            message = str(error)
        self._insist(lambda: self._finish(row["id"], state, message, result))
        log.info("job %s %s: %s", row["id"], state, message)
        return True

    def _count(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """Count one recording; None where it must not go on.

        Raises:
            NgatuError: it cannot be counted; one sentence.
        """
        settings, options = self._settings, JobOptions.model_validate(row["options"])
        path, name = Path(row["path"]), str(row["name"])
        if not path.is_file():
            raise JobError(f"{name} is not there any more: give it again")
        folder = folder_of(settings, row["id"])
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        if options.start is None:  # our own copy's name does not tell it any more
            named = start_from_name(Path(name).stem, options.tz)
            start = datetime.fromtimestamp(named, UTC) if named is not None else None
            options = options.model_copy(update={"start": start})
        with reading(self._engine) as connection:
            view, site = _view_of(connection, options, folder)
        threads = max(1, (os.cpu_count() or 2) // 2)
        taken = choose_grade(RECORDED, threads=threads)  # here, since the sandbox remembers nothing
        order = {
            "path": str(path.resolve()),
            "folder": str(folder.resolve()),
            "view": str(view.resolve()) if view else None,
            "site": site,
            "model": taken.name,
            "provider": taken.provider,
            "threads": threads,
            "options": options.model_dump(mode="json"),
        }
        limits = Limits(
            memory=settings.memory_bytes,
            cpu_s=settings.cpu_s,
            wall_s=settings.wall_s,
            file_size=16 * GIB,
            readable=(path.resolve(), *(each.resolve() for each in model_folders())),
            writable=folder.resolve(),
        )
        followed = _Followed(self._engine, row["id"], settings.stalled_s, self._stopping)
        try:
            outcome = run_limited(count, [order], limits, progress=followed.progress, stop=followed.must_stop)
            return self._keep(row, options, folder, outcome)
        except StorageError:
            raise
        except StoppedError:
            if followed.stalled:
                raise JobError(f"{name} made no progress for long and was ended") from None
            return None
        except NgatuError as error:
            raise JobError(f"{name} could not be counted: {in_words(str(error), path)}") from None
        finally:
            tidy(folder)

    def _keep(
        self, row: Mapping[str, Any], options: JobOptions, folder: Path, outcome: dict[str, Any]
    ) -> dict[str, Any]:
        """Move the files out, put what was measured into the database if asked, and sum up."""
        refuse_links(folder)
        told = ""
        if options.record and options.camera is not None:
            camera = options.camera
            told = self._insist(lambda: record(self._engine, folder / "outbox.db", camera))
        summary = public_summary(outcome.get("summary", {}), str(row["name"]))
        write_json(folder / "out" / "summary.json", summary)
        files = []
        for each in FILES:
            if (folder / "out" / each).is_file():
                (folder / "out" / each).replace(folder / each)
                files.append(each)
        about = ("start", "end", "start_from", "size", "codec", "model", "crossings", "frames_per_s")
        return {
            "counts": outcome.get("counts", {}),
            "files": files,
            "summary": {name: summary.get(name) for name in about},
            "notes": [in_words(str(note), Path(row["path"])) for note in outcome["notes"]],
            "told": told,
        }

    def _finish(self, number: UUID, state: store.JobState, message: str, result: dict[str, Any]) -> None:
        with writing(self._engine) as connection:
            store.finish(connection, number, state, message, result)

    def _insist(self, action: Callable[[], T]) -> T:
        """Do something with the database, again and again while that is away.

        Raises:
            NgatuError: it refuses, or the service stops; then the job is counted again at the next start.
        """
        while True:
            try:
                return action()
            except RefusedError:
                raise
            except StorageError as error:
                log.warning("a job waits for the database: %s", error)
                if self._stopping.wait(AWAY_S):
                    raise

    def _is_alone(self) -> bool:
        """Whether this runner, and no other, works on the folder; takes up what an earlier one left."""
        if self._lock is not None:
            return True
        self._settings.folder.mkdir(parents=True, exist_ok=True)
        lock = (self._settings.folder / "runner.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        with writing(self._engine) as connection:
            for row in store.take_up_again(connection, self._settings.attempts):
                log.warning("job %s was cut off by a stop of the service", row["id"])
        self._lock = lock
        return True

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


class _Followed:
    """Tells the database how far a job is, and the sandbox when it must not go on."""

    def __init__(self, engine: Engine, number: UUID, stalled_s: float, stopping: threading.Event) -> None:
        self._engine, self._number, self._stalled_s, self._stopping = engine, number, stalled_s, stopping
        self._share, self._moved, self._asked = 0.0, time.monotonic(), 0.0
        self._wanted = True
        self.stalled = False

    def progress(self, told: Any) -> None:
        """Take what the process says; it is not trusted."""
        self._moved = time.monotonic()
        match told:
            case [int(done), int(total)] if done >= 0 and total > 0:
                self._share = min(0.99, done / total)

    def must_stop(self) -> bool:
        """Asked a few times a second."""
        if self._stopping.is_set():
            return True
        now = time.monotonic()
        self.stalled = now - self._moved > self._stalled_s
        if now - self._asked >= POLL_S:
            self._asked = now
            try:
                with writing(self._engine) as connection:
                    self._wanted = store.put_progress(connection, self._number, self._share)
            except StorageError as error:  # it counts on while the database is away
                log.warning("job %s: %s", self._number, error)
        return self.stalled or not self._wanted


def _view_of(connection: Connection, options: JobOptions, folder: Path) -> tuple[Path | None, str | None]:
    """The camera's view at the recording's time as a file, and its site.

    Raises:
        JobError: there is no such camera, or nothing is drawn on its picture.
    """
    if options.camera is None:
        return None, None
    moment = options.start.timestamp() if options.start and options.start.tzinfo else time.time()
    history = load_history(connection)
    # A recording may be older than the registry: then the view of today is the best there is.
    for at in (moment, time.time()):
        city = city_at(history, at)
        camera, drawn = city.get(("cameras", options.camera)), city.get(("views", options.camera))
        if isinstance(camera, Camera) and isinstance(drawn, CameraView):
            path = folder / "view.in.yaml"
            save_view(drawn.view, path)
            return path, camera.site
    raise JobError(
        f"camera {options.camera} has no view: draw one, or leave the camera out", "options.camera"
    )
