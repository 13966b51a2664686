"""Looking at a recording out of order: any frame is the one that reading from the beginning gives."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import MakeClip, picture
from vision.errors import SourceError
from vision.sources import Clip, open_clip, open_source
from vision.types import Frame

START = datetime(2025, 6, 11, 0, 30, tzinfo=UTC)
UNEVEN = [round(n * 0.04 + (n % 7) * 0.005, 3) for n in range(60)]

RECORDINGS: dict[str, tuple[str, dict[str, object]]] = {
    "mp4, H.264 with B-frames": ("a.mp4", {"options": {"bf": "3", "g": "24", "preset": "fast"}}),
    "mp4, one key frame only": ("b.mp4", {"options": {"g": "500"}}),
    "mp4, open groups": ("c.mp4", {"options": {"bf": "2", "x264-params": "open-gop=1:keyint=12"}}),
    "mp4, uneven times": ("d.mp4", {"times": UNEVEN}),
    "mp4, turned": ("e.mp4", {"rotation": 90}),
    "mkv, H.265": ("f.mkv", {"codec": "libx265"}),
    "transport stream": ("g.ts", {"options": {"bf": "2", "g": "15", "preset": "fast"}}),
    "avi, MPEG-4": ("h.avi", {"codec": "mpeg4", "options": {"g": "12"}}),
}


@pytest.fixture(scope="module")
def recordings(make_clip: MakeClip, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recordings")
    return {name: make_clip(folder / file, 60, **options) for name, (file, options) in RECORDINGS.items()}


def in_order(path: Path) -> list[Frame]:
    with open_source(path, start=START) as source:
        return list(source)


def same(seen: Frame, read: Frame) -> bool:
    return abs(seen.time - read.time) < 1e-6 and np.array_equal(seen.image, read.image)


@pytest.mark.parametrize("name", RECORDINGS)
def test_each_frame_is_the_one_that_is_read_in_order(name: str, recordings: dict[str, Path]) -> None:
    read = in_order(recordings[name])
    with open_clip(recordings[name], start=START) as clip:
        assert clip.times == pytest.approx([frame.time - START.timestamp() for frame in read], abs=1e-6)
        assert clip.size == read[0].size
        for number in (59, 0, 31, 30, 29, 12, 11, 48, 58):
            seen = next(iter(clip.frames(number)))
            assert seen.index == number
            assert same(seen, read[number]), number


@pytest.mark.parametrize("name", RECORDINGS)
def test_it_goes_on_to_the_end_from_anywhere(name: str, recordings: dict[str, Path]) -> None:
    read = in_order(recordings[name])
    with open_clip(recordings[name], start=START) as clip:
        for first in (37, 0):
            seen = list(clip.frames(first))
            assert [frame.index for frame in seen] == list(range(first, 60))
            assert all(map(same, seen, read[first:]))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(visits=st.lists(st.tuples(st.integers(0, 59), st.integers(1, 5)), min_size=2, max_size=6))
def test_the_way_of_looking_changes_nothing(
    visits: list[tuple[int, int]], recordings: dict[str, Path]
) -> None:
    path = recordings["mp4, open groups"]
    read = in_order(path)
    with open_clip(path, start=START) as clip:
        for first, count in visits:
            for frame in islice(clip.frames(first), count):
                assert same(frame, read[frame.index])


def test_damage_hides_pictures_but_shifts_no_time(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", 60, options={"g": "10", "bf": "0"})
    data = bytearray(path.read_bytes())
    middle = len(data) * 6 // 10
    data[middle : middle + 300] = b"\x5a" * 300
    path.write_bytes(data)
    with open_clip(path, start=START) as clip:
        frames = list(clip.frames(0))
        assert [frame.time - START.timestamp() for frame in frames] == pytest.approx(clip.times, abs=1e-6)
        assert clip.times == pytest.approx(np.arange(60) / 25)
    shown = [frame.image[80].mean() for frame in frames]
    wrong = [n for n in range(60) if abs(shown[n] - picture(n)[80].mean()) > 6]
    assert wrong, "the damage must be seen for this test to mean anything"
    assert len(wrong) < 20
    assert 59 not in wrong


def test_a_folder_of_images(tmp_path: Path) -> None:
    for number in range(5):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(number))
    with open_clip(tmp_path, fps=2.0, start=START) as clip:
        assert list(clip.times) == [0, 0.5, 1, 1.5, 2]
        seen = [(frame.index, frame.image[80, 0, 0]) for frame in clip.frames(3)]
    assert seen == [(3, picture(3)[80, 0, 0]), (4, picture(4)[80, 0, 0])]


def joined(make_clip: MakeClip, folder: Path) -> Path:
    parts = [make_clip(folder / f"{n}.ts", 60).read_bytes() for n in range(2)]
    path = folder / "joined.ts"
    path.write_bytes(b"".join(parts))
    return path


def raw(make_clip: MakeClip, folder: Path) -> Path:
    return make_clip(folder / "clip.h264", 10)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda make_clip, folder: "rtsp://admin:s3cret@10.0.0.5/stream", "only a recording"),
        (lambda make_clip, folder: folder / "none.mp4", "does not exist"),
        (joined, "a clock that jumps back"),
        (raw, "convert it to MP4"),
    ],
    ids=["live stream", "missing", "joined recordings", "no times"],
)
def test_what_cannot_be_looked_at_out_of_order_is_refused_in_one_sentence(
    make: Callable[[MakeClip, Path], str | Path], told: str, make_clip: MakeClip, tmp_path: Path
) -> None:
    with pytest.raises(SourceError) as error:
        _: Clip = open_clip(make(make_clip, tmp_path))
    message = str(error.value)
    assert told in message
    assert "s3cret" not in message
    assert message.endswith(".")
