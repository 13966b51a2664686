"""A recording replayed as a live camera: its pace, its times over the wrap, and how it ends."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from vision import SourceError
from vision.sources import LoopStream, open_source
from vision.types import Frame

MakeClip = Callable[..., Path]


class FakeClock:
    def now(self) -> float:
        return 1_750_000_000.0


def numbers(frames: list[Frame]) -> list[int]:
    """Which test picture each frame shows, read off the grey of its lower half."""
    return [round((frame.image[frame.size[1] * 3 // 4].mean() - 19) / 10) for frame in frames]


def test_it_goes_on_after_its_end_in_even_time(tmp_path: Path, make_clip: MakeClip) -> None:
    clip = make_clip(tmp_path / "a.mp4", 6, 25.0)
    with open_source(f"loop:{clip}", clock=FakeClock()) as source:
        assert (source.kind, source.start, source.start_origin) == ("loop", 1_750_000_000.0, "clock")
        assert (source.size, source.duration, source.expected_frames) == ((128, 96), None, None)
        begun = time.monotonic()
        frames = list(islice(source, 15))
        took = time.monotonic() - begun
    assert numbers(frames) == [0, 1, 2, 3, 4, 5] * 2 + [0, 1, 2]
    assert [frame.index for frame in frames] == list(range(15))
    assert np.diff([frame.time for frame in frames]) == pytest.approx([0.04] * 14, abs=1e-6)
    assert frames[0].time == 1_750_000_000.0
    assert took > 0.4, "it is played in real time, not as fast as it decodes"
    assert source.tally.delivered == source.tally.read == 15


def test_a_clip_with_uneven_times_keeps_them(tmp_path: Path, make_clip: MakeClip) -> None:
    clip = make_clip(tmp_path / "a.mp4", 4, times=[0, 0.05, 0.2, 0.25])
    with open_source(f"loop:{clip}") as source:
        steps = np.diff([frame.time for frame in islice(source, 8)])
    assert steps[[0, 1, 2, 4, 5, 6]] == pytest.approx([0.05, 0.15, 0.05] * 2, abs=1e-3)
    assert 0 < steps[3] < 0.2, "one frame interval lies between two rounds"


def test_fps_is_chosen_by_time_over_the_wrap(tmp_path: Path, make_clip: MakeClip) -> None:
    clip = make_clip(tmp_path / "a.mp4", 6, 50.0)
    with open_source(f"loop:{clip}", fps=10) as source:
        times = [frame.time - source.start for frame in islice(source, 6)]
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5], abs=0.011)
    assert source.tally.skipped == source.tally.read - 6


def test_the_rate_may_be_changed_while_it_runs(tmp_path: Path, make_clip: MakeClip) -> None:
    clip = make_clip(tmp_path / "a.mp4", 25, 50.0)
    with LoopStream(clip, fps=50, start=None, tz="UTC", threads=1, clock=FakeClock()) as source:
        frames = iter(source)
        fast = [next(frames).time for _ in range(4)]
        source.choose_rate(10)
        slow = [next(frames).time for _ in range(4)]
    assert np.diff(fast) == pytest.approx([0.02] * 3, abs=1e-3)
    assert np.diff(slow[1:]) == pytest.approx([0.1] * 2, abs=0.011)


def test_a_start_that_is_given_is_kept(tmp_path: Path, make_clip: MakeClip) -> None:
    start = datetime(2025, 6, 11, tzinfo=UTC)
    with open_source(f"loop:{make_clip(tmp_path / 'a.mp4', 3)}", start=start) as source:
        assert next(iter(source)).time == start.timestamp()


class SlowWatch:
    """A monotonic clock that can be set forward, and waits that are over at once."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> SlowWatch:
    watch = SlowWatch()
    monkeypatch.setattr("vision.sources._loop.time", watch)

    class Waiting(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            watch.now += timeout or 0.0
            return self.is_set()

    monkeypatch.setattr("vision.sources._loop.threading.Event", Waiting)
    return watch


def test_overdue_frames_are_left_out(tmp_path: Path, make_clip: MakeClip, watch: SlowWatch) -> None:
    clip = make_clip(tmp_path / "a.mp4", 50, 10.0)
    with open_source(f"loop:{clip}") as source:
        frames = iter(source)
        first = next(frames)
        watch.now += 3.0
        second = next(frames)
    assert second.time - first.time == pytest.approx(2.0, abs=0.11), "at most a second late"
    assert source.tally.skipped == source.tally.read - 2 > 15
    assert source.tally.jumps == 0


def test_a_long_pause_is_left_out_of_time(tmp_path: Path, make_clip: MakeClip, watch: SlowWatch) -> None:
    clip = make_clip(tmp_path / "a.mp4", 50, 10.0)
    with open_source(f"loop:{clip}") as source:
        frames = iter(source)
        next(frames)
        watch.now += 8 * 3600
        late, after = next(frames), next(frames)
    assert late.time - source.start == pytest.approx(8 * 3600, abs=0.2)
    assert after.time - late.time == pytest.approx(0.1)
    assert (source.tally.jumps, len(source.tally.gaps), source.tally.read) == (1, 1, 3)


def test_closing_from_another_thread_ends_a_wait(tmp_path: Path, make_clip: MakeClip) -> None:
    clip = make_clip(tmp_path / "a.mp4", 4, times=[0, 30.0, 60.0, 90.0])
    source = open_source(f"loop:{clip}")
    seen: list[Frame] = []
    reading = threading.Event()

    def read(frames: Iterator[Frame]) -> None:
        for frame in frames:
            seen.append(frame)
            reading.set()

    thread = threading.Thread(target=read, args=(iter(source),))
    thread.start()
    assert reading.wait(10)
    begun = time.monotonic()
    source.__exit__(None, None, None)
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - begun < 5
    assert len(seen) == 1
    assert list(source) == []


def test_closing_without_reading(tmp_path: Path, make_clip: MakeClip) -> None:
    with open_source(f"loop:{make_clip(tmp_path / 'a.mp4', 3)}") as source:
        pass
    assert list(source) == []


def test_a_missing_recording_is_told() -> None:
    with pytest.raises(SourceError, match=r"/nowhere/a\.mp4 does not exist: check the path\."):
        open_source("loop:/nowhere/a.mp4")


def test_a_recording_that_goes_away_ends_the_replay(tmp_path: Path, make_clip: MakeClip) -> None:
    clip = make_clip(tmp_path / "a.mp4", 3, 50.0)
    with open_source(f"loop:{clip}") as source:
        frames = iter(source)
        next(frames)
        clip.unlink()
        with pytest.raises(SourceError, match="does not exist"):
            list(frames)
