"""A folder of recordings in the database: the same rows however it is split, spread or begun again."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from service.batch.executors import LocalExecutor
from service.cli import app
from service.storage.connect import reading
from service.storage.tables import Incident, Observed, Run
from tests.service.batch.recordings import (
    VIEW,
    cut,
    database,
    engine_of,
    named,
    pieces,
    rows,
    run,
    utc,
)
from tests.service.storage.traffic import dump
from vision import Pipeline, load_detector, load_view, open_source

LONG = 20.0
FPS = 5.0


def dumped(out: Path) -> dict[str, list[tuple[Any, ...]]]:
    engine = engine_of(out)
    found = dump(engine)
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One recording in one go by one process: what all others are held against."""
    folder = tmp_path_factory.mktemp("whole")
    report = run(pieces(folder / "rec", 0, LONG), folder)
    assert (report.recordings, report.counted, report.failures) == (1, 1, [])
    assert report.frames == LONG * FPS
    assert report.crossings == len(rows(folder)) > 10
    return folder


def test_it_counts_what_the_chain_counts_on_the_same_frames(whole: Path) -> None:
    """Live and batch both run this chain: fed the same frames, both give the same."""
    view = load_view(VIEW)
    with open_source(named(whole / "rec", "cam1", 0), fps=FPS) as source:
        pipeline = Pipeline(load_detector("ngatu-n", threads=1), source.size, view)
        found = [crossing for frame in source for crossing in pipeline.step(frame).crossings]
        found += pipeline.finish()
    told = sorted((round(each.time * 1e6), each.gate, each.vehicle_class.label) for each in found)
    kept = sorted((round(row[0].timestamp() * 1e6), row[2], row[4]) for row in rows(whole))
    assert kept == told


def test_stretches_and_processes_change_nothing(whole: Path, tmp_path: Path) -> None:
    report = run(whole / "rec", tmp_path, executor=LocalExecutor(2), chunk=3.0)
    assert report.failures == []
    assert len(list((tmp_path / "work").rglob("*.npz"))) == 5
    assert dumped(tmp_path) == dumped(whole)


def test_tracks_and_counts_carry_over_from_one_recording_to_the_next(whole: Path, tmp_path: Path) -> None:
    report = run(pieces(tmp_path / "rec", 0, 8, 12, LONG), tmp_path)
    assert (report.recordings, report.counted, report.failures) == (3, 3, [])
    assert rows(tmp_path) == rows(whole)
    found, expected = dumped(tmp_path), dumped(whole)
    for table in ("observed", "approach_intervals"):  # all but the segment's id
        assert [row[1:] for row in found[table]] == [row[1:] for row in expected[table]]


def test_what_is_done_is_skipped_and_what_is_new_is_added(tmp_path: Path, whole: Path) -> None:
    folder = pieces(tmp_path / "rec", 0, 8)
    first = run(folder, tmp_path)
    assert first.counted == 1
    again = run(folder, tmp_path)
    assert (again.skipped, again.counted, again.frames) == (1, 0, 0)
    pieces(folder, 8, LONG)
    more = run(folder, tmp_path)
    assert more.frames == (LONG - 8) * FPS, "what was detected is not detected again"
    engine = engine_of(tmp_path)
    with reading(engine) as connection:
        seconds = connection.execute(
            select(func.max(Observed.observed_seconds)).where(Observed.length == 60)
        ).scalar()
        assert connection.scalar(select(func.count()).select_from(Run)) == 2
    engine.dispose()
    assert seconds == pytest.approx(LONG - 1 / FPS)
    assert len(dumped(tmp_path)["authority"]) == 1, "the longer one speaks"
    assert set(rows(whole)) <= set(rows(tmp_path))


def test_a_pause_was_not_observed(tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    cut(named(folder, "cam1", 0), 0, 4)
    cut(named(folder, "cam1", 8), 8, 12)
    cut(named(folder, "cam1", 40), 12, 16)
    run(folder, tmp_path)
    engine = engine_of(tmp_path)
    with reading(engine) as connection:
        seconds = connection.execute(
            select(Observed.segment_id, Observed.observed_seconds).where(Observed.length == 60)
        ).all()
    engine.dispose()
    assert sorted(round(each[1], 1) for each in seconds) == [3.8, 7.6], "one segment of two, and one apart"


def test_a_broken_recording_stops_no_other(tmp_path: Path) -> None:
    folder = pieces(tmp_path / "rec", 0, 4, 8, 12)
    broken = named(folder, "cam1", 4)
    broken.write_bytes(b"nonsense" * 1000)
    url = database(tmp_path / "ngatu.db")
    command = ["batch", str(folder), "--db", url, "--view", str(VIEW), "--fps", "5", "--model", "motion"]
    (folder / "holiday.mp4").write_bytes(b"")
    command += ["--out", str(tmp_path / "work"), "--workers", "1"]
    done = CliRunner().invoke(app, command, env={"COLUMNS": "300"})
    assert done.exit_code == 1
    assert "2 recordings counted" in done.output
    assert "1 failed" in done.output
    assert "is not a video that can be read" in done.output
    assert "holiday.mp4" in done.output
    observed = [row for row in dumped(tmp_path)["observed"] if row[2] == 60]
    assert sum(row[5] for row in observed) == pytest.approx(7.6), "what is between them was not observed"


def test_a_damaged_recording_is_read_as_a_whole(tmp_path: Path) -> None:
    good = cut(tmp_path / "good.ts", 0, 16)
    content = bytearray(good.read_bytes())
    middle = len(content) // 2 // 188 * 188
    for at in range(middle, middle + 188 * 40):
        content[at] = at * 7 % 256
    path = named(tmp_path / "rec", "cam1", 0).with_suffix(".ts")
    path.parent.mkdir()
    path.write_bytes(content)
    report = run(tmp_path / "rec", tmp_path, chunk=4.0)
    assert report.failures == []
    assert [file.name for file in (tmp_path / "work").rglob("whole.npz")] == ["whole.npz"]
    with open_source(path, fps=FPS) as source:
        assert sum(1 for _ in source) == report.frames
    again = run(tmp_path / "rec", tmp_path, chunk=4.0, again=True)
    assert again.frames == 0


def test_it_tells_what_it_found_and_does_nothing(tmp_path: Path) -> None:
    folder = pieces(tmp_path / "rec", 0, 4)
    (folder / "holiday.mp4").write_bytes(b"")
    work = tmp_path / "work"
    command = ["batch", str(folder), "--view", str(VIEW), "--dry-run", "--out", str(work)]
    told = CliRunner().invoke(app, command, env={"COLUMNS": "300"})
    assert told.exit_code == 0, told.output
    assert "cam1" in told.output
    assert "holiday.mp4" in told.output
    assert "--pattern" in told.output
    assert not work.exists()


def command(folder: Path, out: Path) -> list[str]:
    url = f"sqlite:///{out / 'ngatu.db'}"
    start = [sys.executable, "-m", "service.cli", "batch", str(folder), "--db", url, "--view", str(VIEW)]
    return [*start, "--fps", "5", "--model", "ngatu-n", "--out", str(out / "work"), "--chunk", "3"]


def wait_for(condition: Any, seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.timeout(240)
def test_killed_at_any_moment_it_goes_on_and_leaves_the_same(whole: Path, tmp_path: Path) -> None:
    database(tmp_path / "ngatu.db")
    chance = np.random.default_rng(11)
    work = tmp_path / "work" / "detections"
    for number in range(3):
        process = subprocess.Popen(
            [*command(whole / "rec", tmp_path), "--workers", "1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda n=number, p=process: len(list(work.rglob("*.npz"))) > n or p.poll() is not None)
        time.sleep(chance.uniform(0, 0.4))
        workers = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert wait_for(lambda gone=workers: not any(alive(each) for each in gone)), "workers end with it"
    kept = len(list(work.rglob("*.npz")))
    report = run(whole / "rec", tmp_path, chunk=3.0)
    assert report.failures == []
    assert report.frames < LONG * FPS, f"{kept} of 5 stretches were there already"
    assert dumped(tmp_path) == dumped(whole)


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_asked_to_stop_it_finishes_what_is_begun(whole: Path, tmp_path: Path) -> None:
    database(tmp_path / "ngatu.db")
    process = subprocess.Popen(
        [*command(whole / "rec", tmp_path), "--workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert wait_for(lambda: list((tmp_path / "work" / "detections").rglob("*.npz")))
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("it was through before it was asked")
    assert process.returncode == 130
    assert "run it again to go on" in told
    assert "Traceback" not in told
    assert run(whole / "rec", tmp_path, chunk=3.0).failures == []
    assert dumped(tmp_path) == dumped(whole)


def test_incidents_are_written_once_however_often_it_is_analysed(tmp_path: Path) -> None:
    folder = pieces(tmp_path / "rec", 0, 8)
    run(folder, tmp_path)
    run(folder, tmp_path, again=True)
    engine = engine_of(tmp_path)
    with reading(engine) as connection:
        found = connection.execute(select(Incident.started_at, Incident.kind, Incident.details)).all()
    engine.dispose()
    assert len({(row[0], row[1], row[2]["place"]) for row in found}) == len(found)
    assert all(row[0] >= utc(-60) for row in found)


def test_what_belongs_to_another_batch_is_left_alone(tmp_path: Path) -> None:
    from service.batch.work import work_folder
    from vision import NgatuError

    with work_folder(tmp_path / "work"), pytest.raises(NgatuError, match="another ngatu batch works in"):
        run(pieces(tmp_path / "rec", 0, 4), tmp_path)
