"""Nothing is lost and nothing comes twice: killed workers, a database that is away, full disks."""

import multiprocessing
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from service.storage.connect import StorageError, connect, upgrade
from service.storage.drain import LONGEST_WAIT_S, drain, keep_draining, waiting_time
from service.storage.outbox import Outbox, OutboxFullError
from service.storage.record import Recorder
from tests.service.storage import busy_worker
from tests.service.storage.traffic import GATES, NINE, counted, crossings, dump, record, segment

FORK = multiprocessing.get_context("fork")


@pytest.fixture(scope="module")
def undisturbed(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the worker leaves when nobody disturbs it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    engine = connect(f"sqlite:///{folder / 'ngatu.db'}")
    upgrade(engine)
    busy_worker.main(f"sqlite:///{folder / 'ngatu.db'}", str(folder / "outbox.db"))
    found = dump(engine)
    engine.dispose()
    assert len(found["crossings"]) == 2 * busy_worker.NUMBER
    return found


def test_a_worker_killed_at_any_moment_and_started_again_leaves_the_same(
    url: str, engine: Engine, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    random = np.random.default_rng(7 if url.startswith("sqlite") else 8)
    killed = 0
    for more in random.integers(2, 100, 3):
        until = put_so_far(tmp_path / "outbox.db") + more
        worker = FORK.Process(target=busy_worker.main, args=(url, str(tmp_path / "outbox.db")))
        worker.start()
        assert wait_until(lambda until=until: put_so_far(tmp_path / "outbox.db") >= until)
        worker.kill()
        worker.join()
        killed += worker.exitcode == -signal.SIGKILL
    assert killed == 3, "each was killed before its end"
    busy_worker.main(url, str(tmp_path / "outbox.db"))
    assert dump(engine) == undisturbed


def put_so_far(path: Path) -> int:
    """How many messages an outbox was ever given."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path, timeout=30)) as spool:
        try:
            row = spool.execute("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").fetchone()
        except sqlite3.OperationalError:  # its tables are being made
            return 0
    return row[0] if row else 0


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_postgresql_stopped_under_load_loses_nothing(
    postgres: Any, url: str, engine: Engine, outbox: Outbox
) -> None:
    stop, told = Event(), list[str]()
    writer_engine = connect(url)

    def write() -> None:
        with Outbox(outbox.path) as own:
            keep_draining(own, writer_engine, stop, pause_s=0.01, alarm=told.append)

    writer = Thread(target=write)
    writer.start()
    seen = crossings(NINE, 3600, 2000)
    try:
        recorder = Recorder(outbox, segment(kind="live"), GATES)
        for number, crossing in enumerate(seen):
            recorder.crossings([crossing])
            if number % 20 == 0:
                recorder.flush()
            if number == 500:
                postgres.stop()
            if number == 1500:
                assert wait_until(lambda: bool(told)), "the writer says that the database is away"
                postgres.ensure_postgres_running()
        recorder.flush()
        assert wait_until(lambda: outbox.state().waiting == 0, 30)
    finally:
        stop.set()
        writer.join()
        writer_engine.dispose()
        postgres.ensure_postgres_running()
    engine.dispose()
    found = dump(engine)
    assert len(found["crossings"]) == 2000
    assert counted(found) == 2000
    assert "what is measured waits in" in told[0]
    assert "\n" not in told[0]


def test_waits_grow_to_a_minute_and_are_never_all_the_same() -> None:
    for failures in range(1, 30):
        waits = {waiting_time(failures) for _ in range(20)}
        assert len(waits) > 1
        longest = min(0.5 * 2 ** (failures - 1), LONGEST_WAIT_S)
        assert all(longest / 2 <= wait <= longest for wait in waits)


def test_a_full_outbox_says_so_and_keeps_what_it_has(tmp_path: Path, engine: Engine) -> None:
    seen = crossings(NINE, 3600, 4000)
    with Outbox(tmp_path / "small.db", limit=100_000) as outbox:
        recorder = Recorder(outbox, segment(), GATES)
        with pytest.raises(OutboxFullError, match="what it holds is safe"):
            put_all(recorder, iter(seen))
        state = outbox.state()
        assert state.waiting > 5
        assert "see that the database is reached" in str(state.alarm)
        drain(outbox, engine)
        assert outbox.state().alarm in (None, f"the outbox's disk has only {state.free} bytes free")
        recorder.flush()  # what could not be taken was kept
        drain(outbox, engine)
    found = dump(engine)["crossings"]
    assert found, "what was taken arrived"
    assert counted(dump(engine)) == len(found)


def put_all(recorder: Recorder, seen: Iterator[Any]) -> None:
    for number, crossing in enumerate(seen, 1):
        recorder.crossings([crossing])
        if number % 100 == 0:
            recorder.flush()


def test_a_full_disk_leaves_the_database_as_it_was(tmp_path: Path, migrated_file: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'ngatu.db'}")
    upgrade(engine)
    with Outbox(tmp_path / "outbox.db") as outbox:
        record(outbox, segment("cam1"), crossings(NINE, 600, 500), 600)
        drain(outbox, engine)
        before = dump(engine)
        engine.dispose()
        record(outbox, segment("cam2"), crossings(NINE, 3600, 4000, seed=2), 3600, flush_every=500)
        waiting = outbox.state().waiting
        limit = (tmp_path / "ngatu.db").stat().st_size + 2**18
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            with pytest.raises(StorageError) as caught:
                drain(outbox, engine, batch_bytes=2**30)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "full" in str(caught.value)
        engine.dispose()
        assert dump(engine) == before
        assert outbox.state().waiting == waiting
        drain(outbox, engine)
        assert len(dump(engine)["crossings"]) == 4500
    engine.dispose()


def test_a_message_that_can_never_be_written_does_not_hold_up_the_others(
    engine: Engine, outbox: Outbox
) -> None:
    record(outbox, segment("cam1"), crossings(NINE, 600, 100), 600)
    bad = [0, "gate", None, "in", 0, "car" * 100, 0.5, 0.5, 0.5, None, None]
    outbox.put(
        [("crossings", {"segment": segment("never").id.hex, "camera": "x", "site": None, "rows": [bad]})]
    )
    record(outbox, segment("cam2"), crossings(NINE, 600, 100), 600)
    drain(outbox, engine)
    state = outbox.state()
    assert (state.waiting, state.rejected) == (0, 1)
    assert len(dump(engine)["crossings"]) == 200


def test_what_waits_a_day_arrives_in_order(engine: Engine, outbox: Outbox) -> None:
    for hour in range(0, 24, 2):
        start = NINE + timedelta(hours=hour)
        record(outbox, segment(start=start, kind="live"), crossings(start, 3600, 50, seed=hour), 3600)
    numbers = [message.number for message in outbox.oldest(2**30)]
    assert numbers == sorted(numbers)
    drain(outbox, engine, batch_bytes=3000)
    found = dump(engine)
    assert len(found["crossings"]) == 12 * 50
    assert len(found["authority"]) == 12


def wait_until(condition: Any, seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return False
