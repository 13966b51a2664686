"""Jobs from their queue to their files: counted in a limited process, over stops, cancelled, refused."""

import csv
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import func, insert, select

from service.jobs import FILES, JobError, JobRunner, JobSettings, folder_of, store, sweep
from service.jobs.results import refuse_links, tidy
from service.jobs.uploads import Upload, look_at
from service.storage.connect import StorageError, reading, writing
from service.storage.tables import Authority, CameraView, CrossingRow, Segment
from service.storage.tables import Camera as CameraRow
from tests.service.jobs.conftest import SAMPLES, Desk
from vision import load_view

MakeClip = Callable[..., Path]
EARLY = datetime(2020, 1, 1, tzinfo=UTC)


def put_camera(desk: Desk) -> None:
    """The sample camera with its view, in the registry."""
    view = load_view(SAMPLES / "hoa-ban_cam1.view.yaml")
    definition = view.model_dump(mode="json", by_alias=True)
    camera = {"camera_id": "cam1", "site_id": "hoa-ban", "name": "", "address": "", "note": ""}
    drawn = {"camera_id": "cam1", "version": view.version, "definition": definition, "sha256": ""}
    with writing(desk.engine) as connection:
        connection.execute(insert(CameraRow).values(valid_from=EARLY, **camera))
        connection.execute(insert(CameraView).values(valid_from=EARLY, **drawn))


def test_a_recording_is_counted_and_recorded_for_its_camera(desk: Desk, short_clip: Path) -> None:
    put_camera(desk)
    number = desk.submit(short_clip, camera="cam1", record=True, annotate=True)
    assert desk.runner.work()
    row = desk.job(number)
    assert (row["state"], row["message"]) == ("done", "recorded for camera cam1"), row["message"]
    assert row["progress"] == 1.0
    assert row["result"]["summary"]["start"] == "2026-03-10T02:30:00.000Z", "as its name says, in local time"
    assert row["result"]["summary"]["size"] == [1280, 720]
    folder = folder_of(desk.settings, number)
    files = row["result"]["files"]
    assert {"summary.json", "crossings.csv", "counts.csv", "annotated.mp4"} <= set(files) <= set(FILES)
    assert {each.name for each in folder.iterdir()} == set(files), "no tracks of vehicles"
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["source"] == short_clip.name
    assert str(folder) not in json.dumps(summary)
    with (folder / "crossings.csv").open() as file:
        counted = len(list(csv.DictReader(file)))
    told = sum(n for ways in row["result"]["counts"].values() for by in ways.values() for n in by.values())
    with reading(desk.engine) as connection:
        kept = connection.scalar(select(func.count()).select_from(CrossingRow))
        segment = connection.execute(select(Segment.camera_id, Segment.site_id, Segment.kind)).one()
        assert connection.scalar(select(func.count()).select_from(Authority)) == 1
    assert counted == told == kept == summary["crossings"] > 0
    assert tuple(segment) == ("cam1", "hoa-ban", "recording")
    assert not desk.runner.work(), "nothing else waits"


def test_without_a_camera_a_view_is_proposed_or_the_reason_told(desk: Desk, short_clip: Path) -> None:
    number = desk.submit(short_clip, fps=5)
    desk.runner.work()
    row = desk.job(number)
    assert row["state"] in ("done", "failed")
    assert row["message"] == "" if row["state"] == "done" else "could not be counted" in row["message"]


def test_a_camera_without_a_view_is_told(desk: Desk, short_clip: Path) -> None:
    number = desk.submit(short_clip, camera="nobody")
    desk.runner.work()
    row = desk.job(number)
    assert row["state"] == "failed"
    assert row["message"] == "camera nobody has no view: draw one, or leave the camera out"


def test_the_same_recording_is_one_job(desk: Desk, short_clip: Path, tmp_path: Path) -> None:
    first = desk.submit(short_clip)
    copy = tmp_path / "other.mp4"
    copy.write_bytes(short_clip.read_bytes())
    assert desk.submit(copy) == first
    assert desk.submit(copy, fps=5) != first
    with writing(desk.engine) as connection:
        assert store.cancel(connection, first, "an")
        assert not store.cancel(connection, first, "an")
    assert desk.submit(copy) != first, "a cancelled one may be given again"


def test_cancelling_ends_the_process_within_a_moment(desk: Desk, short_clip: Path) -> None:
    others = set(psutil.Process().children())  # servers and browsers of other tests
    number = desk.submit(short_clip, fps=10)
    desk.runner.start()
    desk.wait_for(number, "running")
    with writing(desk.engine) as connection:
        assert store.cancel(connection, number, "binh")
    until = time.monotonic() + 30
    while any(each.is_running() for each in set(psutil.Process().children()) - others):
        assert time.monotonic() < until
        time.sleep(0.1)
    row = desk.job(number)
    assert (row["state"], row["message"]) == ("cancelled", "cancelled by binh")


SERVICE = """
import sys, time
from pathlib import Path
from service.jobs import JobRunner, JobSettings
from service.storage.connect import connect
runner = JobRunner(connect(sys.argv[1]), JobSettings(folder=Path(sys.argv[2]), least_free_bytes=0))
runner.start()
time.sleep(300)
"""


def test_a_killed_service_leaves_no_process_and_the_job_is_taken_up_again(
    desk: Desk, short_clip: Path
) -> None:
    number = desk.submit(short_clip, fps=2)
    url = str(desk.engine.url).replace("+pysqlite", "")
    program = [sys.executable, "-c", textwrap.dedent(SERVICE), url, str(desk.settings.folder)]
    service = subprocess.Popen(program, env={**os.environ, "NGATU_JOBS": ""})
    try:
        desk.wait_for(number, "running")
        children: list[psutil.Process] = []
        until = time.monotonic() + 60
        while not children:
            assert time.monotonic() < until
            children = psutil.Process(service.pid).children()
        assert not desk.runner.work(), "another runner has the folder"
    finally:
        service.kill()
        service.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive, "its process ends with it"
    assert desk.job(number)["state"] == "running"
    assert desk.runner.work()
    row = desk.job(number)
    assert row["state"] in ("done", "failed")
    assert row["result"]["attempts"] == 2


def test_a_job_that_always_stops_the_service_has_failed(desk: Desk, short_clip: Path) -> None:
    number = desk.submit(short_clip)
    for _ in range(desk.settings.attempts):
        with writing(desk.engine) as connection:
            store.take_next(connection)
        with writing(desk.engine) as connection:
            store.take_up_again(connection, desk.settings.attempts)
    row = desk.job(number)
    assert row["state"] == "failed"
    assert "stopped 3 times" in row["message"]


def test_a_database_that_is_away_at_the_end_is_asked_again(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone.mp4"
    gone.write_bytes(b"x")
    number = desk.submit(gone)
    gone.unlink()
    finish, tried = store.finish, []

    def away_twice(*args: Any) -> bool:
        tried.append(args)
        if len(tried) < 3:
            raise StorageError("cannot use the database")
        return finish(*args)

    monkeypatch.setattr(store, "finish", away_twice)
    monkeypatch.setattr("service.jobs.runner.AWAY_S", 0.01)
    assert desk.runner.work()
    assert desk.job(number)["message"] == "gone.mp4 is not there any more: give it again"
    assert len(tried) == 3


def test_a_full_disk_begins_nothing(desk: Desk, short_clip: Path) -> None:
    number = desk.submit(short_clip)
    full = JobRunner(desk.engine, desk.settings.model_copy(update={"least_free_bytes": 2**60}))
    with pytest.raises(JobError, match="the disk has only"):
        full.work()
    assert desk.job(number)["state"] == "queued"


def test_uploads_and_videos_are_deleted_after_their_time(desk: Desk, short_clip: Path) -> None:
    upload = Upload(desk.settings, "../../etc/passwd\x1b[31m.MP4")
    assert upload.name == "passwd[31m.MP4"
    upload.write(short_clip.read_bytes())
    path, sha256 = upload.keep()
    assert path == desk.settings.folder / "uploads" / f"{sha256}.mp4"
    number = desk.submit(path, name=upload.name)
    folder = folder_of(desk.settings, number)
    folder.mkdir(parents=True)
    (folder / "annotated.mp4").touch()
    (folder / "counts.csv").touch()
    later = datetime.now(UTC) + timedelta(days=8)
    assert sweep(desk.engine, desk.settings, later) == 0, "it still waits"
    with writing(desk.engine) as connection:
        store.take_next(connection)
        store.finish(connection, number, "done", "", {"files": ["annotated.mp4", "counts.csv"]})
    assert sweep(desk.engine, desk.settings) == 0, "its time has not come"
    assert sweep(desk.engine, desk.settings, later) == 2
    assert [each.name for each in folder.iterdir()] == ["counts.csv"]
    assert desk.job(number)["result"] == {"files": ["counts.csv"], "expired": True}
    assert not path.exists()
    assert sweep(desk.engine, desk.settings, later) == 0


# What is refused.


def test_files_that_are_no_recording_are_refused_in_one_sentence(
    tmp_path: Path, settings: JobSettings
) -> None:
    playlist = tmp_path / "list.mp4"
    playlist.write_text("#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n")
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(b"\0\0\0\x20ftypisom" + os.urandom(100_000))
    for path in (playlist, noise):
        with pytest.raises(JobError) as error:
            look_at(path, path.name, settings)
        assert str(error.value).startswith(f"{path.name} is not taken: it ")
        assert "\n" not in str(error.value)
        assert str(tmp_path) not in str(error.value)
        assert error.value.field == "file"


def test_kinds_and_sizes_that_are_not_taken(short_clip: Path, settings: JobSettings) -> None:
    with pytest.raises(JobError, match=r"^a\.mp4 is not taken: its codec h264 is not taken"):
        look_at(short_clip, "a.mp4", settings.model_copy(update={"codecs": frozenset({"hevc"})}))


def test_what_is_no_container_ends_with_its_first_bytes(settings: JobSettings) -> None:
    for data in (b"#EXTM3U\n" + b"x" * 1000, b"<html>" + b"x" * 1000, b"MZ" + b"\0" * 1000):
        upload = Upload(settings, "list.mp4")
        with pytest.raises(JobError, match=r"^list\.mp4 is no recording that is taken: send MP4"):
            upload.write(data)
        upload.discard()
    short = Upload(settings, "short.mp4")
    short.write(b"abc")
    with pytest.raises(JobError, match=r"^short\.mp4 is no recording"):
        short.keep()
    short.discard()
    large = Upload(settings.model_copy(update={"upload_bytes": 1000}), "large.mp4")
    with pytest.raises(JobError, match=r"larger than"):
        large.write(b"\0\0\0\x20ftypisom" + b"\0" * 2000)
    large.discard()
    assert list((settings.folder / "uploads").iterdir()) == []


def test_a_count_that_takes_too_much_memory_fails_not_the_service(desk: Desk, short_clip: Path) -> None:
    number = desk.submit(short_clip, fps=5)
    small = desk.settings.model_copy(update={"memory_bytes": 300 * 2**20})
    assert JobRunner(desk.engine, small).work()
    row = desk.job(number)
    assert row["state"] == "failed"
    assert row["message"].startswith(f"{short_clip.name} could not be counted: it ")


def test_links_that_a_harmful_recording_leaves_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("key")
    folder = tmp_path / "job"
    (folder / "out").mkdir(parents=True)
    refuse_links(folder)
    (folder / "out" / "counts.csv").symlink_to(secret)
    (folder / "summary.json").symlink_to(secret)
    with pytest.raises(JobError, match="left links behind"):
        refuse_links(folder)
    tidy(folder)
    assert list(folder.iterdir()) == []
    assert secret.read_text() == "key"
