"""Tracks of live cameras are kept for a while; where they cannot be, counting goes on all the same."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from service.drawing.again import count_archive
from service.drawing.archive import FILE_SECONDS, TrackArchive, archived, archived_frames
from service.live import keeping
from service.live.camera import Around, LiveCamera
from service.live.frames import WaitingFrames
from service.live.gathering import GatheringOutbox
from service.live.plan import Entry, entries_at
from service.registry import Camera, Site, difference
from service.registry.history import apply_changes
from service.storage.connect import open_database
from service.storage.drain import drain
from tests.service.live.streets import VIEW, BlockDetector, rows, street
from vision import Frame, SourceError
from vision.errors import TracksError

BEGIN = 9000.0
WITHOUT = Entry("cam1", "square", "rtsp://x/", why="no view is drawn", follow=True)
WITH = Entry("cam1", "square", "rtsp://x/", VIEW, "sha")


def nobody(*_args: Any, **_options: Any) -> Any:
    raise SourceError("nobody is there")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[Entry, list[float]], tuple[LiveCamera, GatheringOutbox]]]:
    """A camera whose frames the test gives; its tracks go to ``tracks``."""
    made: list[tuple[LiveCamera, GatheringOutbox]] = []

    def camera(entry: Entry, now: list[float]) -> tuple[LiveCamera, GatheringOutbox]:
        outbox = GatheringOutbox(tmp_path / "outbox.db")
        around = Around(
            waiting=WaitingFrames(lambda: now[0]),
            detector=BlockDetector,
            outbox=outbox,
            zone=ZoneInfo("Asia/Ho_Chi_Minh"),
            save=lambda _reference: None,
            archive=(tmp_path / "tracks", 48.0),
            opens=nobody,
            now=lambda: now[0],
        )
        made.append((LiveCamera(entry, lambda _stream: "rtsp://127.0.0.1:9/", around), outbox))
        return made[-1]

    yield camera
    for each, outbox in made:
        each._reader.stop()
        outbox.close()


def drive(camera: LiveCamera, now: list[float], seconds: float) -> None:
    for _ in range(round(seconds * 10)):
        now[0] += 0.1
        camera.take(Frame(street(now[0] - BEGIN), now[0], 0), recording=True, watched=True)
        camera.flush(now[0])


def crossings(tmp_path: Path, outbox: GatheringOutbox) -> list[Any]:
    outbox.flush()
    engine = open_database(f"sqlite:///{tmp_path / 'ngatu.db'}")
    drain(outbox, engine)
    found = rows(engine, "crossings")
    engine.dispose()
    return found


def test_counting_what_was_kept_gives_what_was_counted(tmp_path: Path, make: Callable[..., Any]) -> None:
    now = [BEGIN]
    camera, outbox = make(WITH, now)
    drive(camera, now, 20.0)
    camera.close()
    live = crossings(tmp_path, outbox)
    again = count_archive(tmp_path / "tracks", "cam1", BEGIN, now[0] + 1, VIEW).crossings
    assert [each.time for each in again] == pytest.approx(
        sorted(each.time.timestamp() for each in live), abs=1e-3
    )
    assert len(again) > 3


def test_a_junction_without_a_view_is_followed_and_nothing_is_counted(
    tmp_path: Path, make: Callable[..., Any]
) -> None:
    now = [BEGIN]
    camera, outbox = make(WITHOUT, now)
    assert camera.followed
    drive(camera, now, 20.0)
    assert camera.newest is not None
    report = camera.report(now[0])
    assert not report.counts
    camera.change(replace(WITH, address="rtsp://x/"))  # a view is drawn: it is counted from now on
    drive(camera, now, 10.0)
    camera.close()
    live = crossings(tmp_path, outbox)
    assert live
    assert min(each.time.timestamp() for each in live) > BEGIN + 20.0
    before = count_archive(tmp_path / "tracks", "cam1", BEGIN, BEGIN + 20.0, VIEW).crossings
    assert len(before) > 3, "what passed before can be counted with the view"


def test_what_was_not_seen_is_a_gap_in_what_is_kept(tmp_path: Path, make: Callable[..., Any]) -> None:
    now = [BEGIN]
    camera, _ = make(WITHOUT, now)
    drive(camera, now, 5.0)
    now[0] += FILE_SECONDS
    drive(camera, now, 5.0)
    camera.close()
    files = archived(tmp_path / "tracks", "cam1", BEGIN, now[0] + 1)
    assert len(files) == 2
    times = [time for _, time, _ in archived_frames(files, BEGIN, now[0] + 1)]
    steps = [after - before for before, after in pairwise(times)]
    assert max(steps) == pytest.approx(FILE_SECONDS + 0.1, abs=0.2)
    assert sorted(steps)[-2] < 0.2


def test_a_full_disk_stops_keeping_and_never_counting(
    tmp_path: Path,
    make: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    full = [True]
    append = TrackArchive.append

    def refuse(self: TrackArchive, *frame: Any) -> None:
        if full[0]:
            raise TracksError("cannot write tracks: No space left on device")
        append(self, *frame)

    monkeypatch.setattr(TrackArchive, "append", refuse)
    monkeypatch.setattr(keeping, "AGAIN_AFTER", 5.0)
    now = [BEGIN]
    camera, outbox = make(WITH, now)
    drive(camera, now, 20.0)
    full[0] = False
    drive(camera, now, 10.0)
    camera.close()
    assert len(crossings(tmp_path, outbox)) > 6
    told = [each for each in caplog.messages if "No space left" in each]
    assert len(told) == 1, "told once, not at every frame"
    files = archived(tmp_path / "tracks", "cam1", BEGIN, now[0] + 1)
    assert files, "it is tried again"


def test_a_folder_that_cannot_be_made_is_the_same(tmp_path: Path, make: Callable[..., Any]) -> None:
    (tmp_path / "tracks").write_text("a file stands here")
    now = [BEGIN]
    camera, outbox = make(WITH, now)
    drive(camera, now, 10.0)
    camera.close()
    assert crossings(tmp_path, outbox)


def test_only_junctions_are_followed() -> None:
    wanted = {
        each.ref: each
        for each in (
            Site(id="square", kind="junction"),
            Site(id="park", kind="public_area"),
            Camera(id="cam1", site="square", address="rtsp://x/"),
            Camera(id="cam2", site="park", address="rtsp://x/"),
        )
    }
    history = apply_changes({}, difference({}, wanted, 0.0), 0.0)
    entries = entries_at(history, 1.0)
    assert entries["cam1"].follow
    assert not entries["cam2"].follow
