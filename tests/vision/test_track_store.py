"""Stored tracks: what is read is what was written, the file is small, and a wrong file is told as one."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vision import TrackFile, Tracks, TracksError, TrackWriter
from vision.track_store import tick

START = 1_749_601_800.0
"""A moment of 2025, so that times are as large as in use."""

Recorded = list[tuple[int, float, Tracks]]


def tracks(ids: list[int], xyxy: list[list[float]], score: list[float], kinds: list[int]) -> Tracks:
    return Tracks(
        np.asarray(xyxy, np.float32).reshape(len(ids), 4),
        np.asarray(score, np.float32),
        np.asarray(kinds, np.int8),
        np.asarray(ids, np.int64),
    )


@st.composite
def recordings(draw: st.DrawFn) -> Recorded:
    """Frames with gaps between them, some empty, boxes in eighths of a pixel as the tracker gives them."""
    eighths = st.integers(-8000, 80000).map(lambda n: n / 8)
    indices = sorted(draw(st.sets(st.integers(0, 10_000), max_size=8)))
    steps = draw(st.lists(st.floats(1e-3, 100), min_size=len(indices), max_size=len(indices)))
    frames = []
    for index, time in zip(indices, START + np.cumsum(steps), strict=True):
        ids = sorted(draw(st.sets(st.integers(1, 2**40), max_size=4)))
        boxes = [[draw(eighths) for _ in range(4)] for _ in ids]
        score = [draw(st.floats(0, 1, width=32)) for _ in ids]
        kinds = [draw(st.integers(-1, 4)) for _ in ids]
        frames.append((index, tick(float(time)), tracks(ids, boxes, score, kinds)))
    return frames


def write(path: Path, frames: Recorded, **about: object) -> Path:
    with TrackWriter(path, (1280, 720), about) as writer:
        for frame in frames:
            writer.append(*frame)
    return path


def assert_equal(read: Recorded, written: Recorded) -> None:
    assert [frame[:2] for frame in read] == [frame[:2] for frame in written]
    for (_, _, ours), (_, _, theirs) in zip(read, written, strict=True):
        for name in ("xyxy", "score", "class_id", "track_id"):
            got, expected = getattr(ours, name), getattr(theirs, name)
            assert got.dtype == expected.dtype
            assert got.shape == expected.shape
            assert np.array_equal(got, expected)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=recordings())
def test_what_is_read_is_what_was_written(frames: Recorded, tmp_path: Path) -> None:
    stored = TrackFile(write(tmp_path / "tracks.parquet", frames))
    assert_equal(list(stored), frames)
    assert_equal(list(stored), frames)  # and once more


def test_it_says_what_it_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "tracks.parquet"
    with TrackWriter(path, (1280, 720), {"source": "nút giao.mp4", "start": START}) as writer:
        writer.about["gaps"] = [(START, START + 0.1)]  # known at the end only
    stored = TrackFile(path)
    assert stored.size == (1280, 720)
    assert stored.about == {"source": "nút giao.mp4", "start": START, "gaps": [[START, START + 0.1]]}
    assert list(stored) == []


def test_frames_without_vehicles_are_kept(tmp_path: Path) -> None:
    one = tracks([7], [[1, 2, 3, 4]], [0.5], [2])
    frames = [(n, tick(START + n / 25), one if n == 3 else Tracks.empty()) for n in range(6)]
    assert_equal(list(TrackFile(write(tmp_path / "tracks.parquet", frames))), frames)


def test_a_long_recording_is_read_in_order(tmp_path: Path) -> None:
    """More frames than are written at once."""
    one = tracks([1, 2], [[1, 2, 3, 4], [5, 6, 7, 8]], [0.5, 0.25], [2, 1])
    frames = [(n, tick(START + n / 25), one) for n in range(6100)]
    stored = TrackFile(write(tmp_path / "tracks.parquet", frames))
    assert [(index, time) for index, time, _ in stored] == [(index, time) for index, time, _ in frames]


def test_what_was_written_before_an_error_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "tracks.parquet"
    frames = [(n, tick(START + n / 25), tracks([1], [[n, 0, n + 8, 8]], [0.5], [2])) for n in range(10)]
    with pytest.raises(KeyboardInterrupt), TrackWriter(path, (1280, 720)) as writer:  # noqa: PT012
        for frame in frames:
            writer.append(*frame)
        raise KeyboardInterrupt
    assert_equal(list(TrackFile(path)), frames)


def smooth_traffic(vehicles: int, frames: int) -> Recorded:
    """Vehicles that drive along and now and then grow, as a camera sees them."""
    random = np.random.default_rng(7)
    start, speed = random.uniform(0, 1000, (vehicles, 2)), random.uniform(-4, 4, (vehicles, 2))
    sides = random.uniform(20, 120, (vehicles, 2))
    recorded = []
    for number in range(frames):
        corner = start + speed * number
        shown = sides * (1 + number / 1000)
        xyxy = np.round(np.concatenate((corner, corner + shown), axis=1) * 8) / 8
        score = random.uniform(0.3, 0.9, vehicles).round(2)
        kinds = [n % 5 for n in range(vehicles)]
        seen = tracks(list(range(1, vehicles + 1)), xyxy.tolist(), score.tolist(), kinds)
        recorded.append((number, tick(START + number / 25), seen))
    return recorded


def test_it_is_small(tmp_path: Path) -> None:
    path = write(tmp_path / "tracks.parquet", smooth_traffic(40, 500))
    assert path.stat().st_size / (40 * 500) < 12


@pytest.fixture
def wrong_file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A file that holds no tracks of ours, of the kind that the test names."""
    path = tmp_path / "tracks.parquet"
    ours = write(tmp_path / "ours.parquet", smooth_traffic(3, 20))
    match request.param:
        case "missing":
            return path
        case "folder":
            path.mkdir()
        case "text":
            path.write_text("frame,track\n1,1\n")
        case "empty":
            path.touch()
        case "foreign parquet":
            pq.write_table(pa.table({"a": [1]}), path)
        case "other columns":
            meta = pq.read_metadata(ours).metadata
            pq.write_table(pa.table({"a": [1]}).replace_schema_metadata(meta), path)
        case "other metadata":
            pq.write_table(pq.read_table(ours).replace_schema_metadata({"ngatu": "[1, 2]"}), path)
        case "cut off":
            path.write_bytes(ours.read_bytes()[:-20])
    return path


@pytest.mark.parametrize(
    ("wrong_file", "problem"),
    [
        ("missing", "does not exist"),
        ("folder", "is not a file of tracks"),
        ("text", "is not a file of tracks"),
        ("empty", "is not a file of tracks"),
        ("foreign parquet", "is not a file of tracks"),
        ("other columns", "is not a file of tracks"),
        ("other metadata", "is not a file of tracks"),
        ("cut off", "is not a file of tracks"),
    ],
    indirect=["wrong_file"],
)
def test_a_wrong_file_is_told_as_one(wrong_file: Path, problem: str) -> None:
    with pytest.raises(TracksError) as raised:
        TrackFile(wrong_file)
    assert str(raised.value).startswith(f"{wrong_file} {problem}")
    assert "give the tracks.parquet of a count" in str(raised.value)


def test_a_file_damaged_within_is_told_as_one(tmp_path: Path) -> None:
    path = write(tmp_path / "tracks.parquet", smooth_traffic(20, 200))
    data = bytearray(path.read_bytes())
    data[200:4000] = bytes(3800)
    path.write_bytes(data)
    with pytest.raises(TracksError, match="is damaged"):
        list(TrackFile(path))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TracksError, match=r"^cannot write .*tracks\.parquet: No such file"):
        TrackWriter(tmp_path / "absent" / "tracks.parquet", (1280, 720))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told_as_one() -> None:
    with pytest.raises(TracksError, match=r"^cannot write /dev/full: No space"):
        write(Path("/dev/full"), smooth_traffic(20, 200))
