"""Files, folders and live cameras: their pictures, their times, and the account of what was lost."""

import logging
import os
import random
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vision.errors import SourceError
from vision.sources import SourceTally, SystemClock, mask_address, open_source, start_from_name
from vision.sources._tally import Pace, Timeline
from vision.types import Frame

MakeClip = Callable[..., Path]
START = datetime(2025, 6, 11, 0, 30, tzinfo=UTC)


class FakeClock:
    def __init__(self, moment: float) -> None:
        self.moment = moment

    def now(self) -> float:
        return self.moment


def read(path: Path | str, **options: object) -> tuple[list[Frame], SourceTally]:
    with open_source(path, start=START, **options) as source:  # type: ignore[arg-type]
        return list(source), source.tally


def seconds(frames: list[Frame]) -> list[float]:
    return [round(frame.time - START.timestamp(), 3) for frame in frames]


def numbers(frames: list[Frame]) -> list[int]:
    """Which test picture each frame shows, read off the grey of its lower half."""
    return [round((frame.image[frame.size[1] * 3 // 4].mean() - 19) / 10) for frame in frames]


def one_sentence(error: pytest.ExceptionInfo[SourceError], *parts: str) -> None:
    message = str(error.value)
    assert all(part in message for part in parts), message
    assert message.endswith(".")
    assert ". " not in message
    assert "\n" not in message


# --- What can be opened ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codec", "reported"),
    [
        ("a.mp4", "libx264", "h264"),
        ("a.mkv", "libx264", "h264"),
        ("a.ts", "libx264", "h264"),
        ("a.avi", "libx264", "h264"),
        ("b.mp4", "libx265", "hevc"),
        ("b.mkv", "libx265", "hevc"),
        ("b.ts", "libx265", "hevc"),
        ("c.avi", "mpeg4", "mpeg4"),
        ("c.webm", "libvpx-vp9", "vp9"),
    ],
)
def test_reads_containers_and_codecs(
    tmp_path: Path, make_clip: MakeClip, name: str, codec: str, reported: str
) -> None:
    path = make_clip(tmp_path / name, 20, 25, codec=codec)
    with open_source(path, start=START) as source:
        frames = list(source)
        assert (source.kind, source.codec, source.size) == ("video", reported, (128, 96))
        assert source.nominal_fps == pytest.approx(25)
        assert source.duration == pytest.approx(0.8, abs=0.05)
        assert source.expected_frames == 20
        assert str(path) in repr(source)
    assert numbers(frames) == list(range(20))
    assert seconds(frames) == [round(n / 25, 3) for n in range(20)]
    assert [frame.index for frame in frames] == list(range(20))
    assert frames[0].image.dtype == np.uint8
    assert source.tally == SourceTally(read=20, delivered=20)


def test_odd_sizes(tmp_path: Path, make_clip: MakeClip) -> None:
    path = make_clip(tmp_path / "odd.mkv", 3, size=(131, 77), codec="ffv1", pix_fmt="yuv444p")
    frames, _ = read(path)
    assert [frame.size for frame in frames] == [(131, 77)] * 3
    assert numbers(frames) == [0, 1, 2]


@pytest.mark.parametrize(
    ("rotation", "size", "corner"),
    [
        (0, (128, 96), "top left"),
        (90, (96, 128), "bottom left"),
        (180, (128, 96), "bottom right"),
        (-90, (96, 128), "top right"),
    ],
)
def test_delivers_upright(
    tmp_path: Path, make_clip: MakeClip, rotation: int, size: tuple[int, int], corner: str
) -> None:
    path = make_clip(tmp_path / "turned.mp4", 5, rotation=rotation)
    with open_source(path) as source:
        assert source.size == size
        image = next(iter(source)).image
    assert (image.shape[1], image.shape[0]) == size
    red = {
        name: image[y, x, 2] > 200 and image[y, x, 1] < 60
        for name, (y, x) in {
            "top left": (4, 4),
            "top right": (4, -5),
            "bottom left": (-5, 4),
            "bottom right": (-5, -5),
        }.items()
    }
    assert [name for name, found in red.items() if found] == [corner]


# Red and blue weights of each matrix, and how FFmpeg numbers it.
MATRICES = {"BT.601": (5, 0.299, 0.114), "BT.709": (1, 0.2126, 0.0722)}


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
def test_colours_follow_the_streams_matrix_and_range(tmp_path: Path, matrix: str, full: bool) -> None:
    number, kr, kb = MATRICES[matrix]
    colours = np.array([(200, 60, 40), (40, 180, 60), (50, 60, 210), (128, 128, 128), (240, 240, 240)])
    blue, green, red = colours.T
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = ((blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr)))
    levels = [luma if full else 16 + luma * 219 / 255]
    levels += [128 + plane * (1 if full else 224 / 255) for plane in chroma]
    picture = av.VideoFrame(160, 32, "yuv420p")
    for plane, values in zip(picture.planes, levels, strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : plane.width] = np.round(values).astype(np.uint8).repeat(plane.width // 5)
        plane.update(rows.tobytes())
    with av.open(str(tmp_path / "c.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 32, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = number, 2 if full else 1
        container.mux(stream.encode(picture))
        container.mux(stream.encode())
    frames, _ = read(tmp_path / "c.mkv")
    got = frames[0].image[16, 16::32].astype(int)
    assert np.abs(got - colours).max() <= 3


def test_reads_images_in_natural_order(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in (10, 9, 1):
        cv2.imwrite(str(folder / f"Frame{number}.png"), np.full((8, 12, 3), number, np.uint8))
    (folder / "notes.txt").write_text("not an image")
    frames, tally = read(folder)
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 9, 10]
    assert seconds(frames) == [0, 1, 2]
    assert tally == SourceTally(read=3, delivered=3)
    faster, _ = read(folder, fps=4)
    assert seconds(faster) == [0, 0.25, 0.5]
    with open_source(folder) as source:
        assert (source.kind, source.size, source.expected_frames) == ("images", (12, 8), 3)
        assert (source.codec, source.nominal_fps, source.duration) == ("png", 1.0, 3.0)


# --- Times ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_variable_rate_keeps_presentation_times(tmp_path: Path, make_clip: MakeClip, suffix: str) -> None:
    times = [0, 0.1, 0.15, 0.2, 0.6, 0.65, 1.1, 1.2]
    frames, tally = read(make_clip(tmp_path / f"v{suffix}", 8, times=times))
    assert seconds(frames) == times
    assert tally.gaps == []


@pytest.mark.parametrize("rate", [1, 6, 12.5, 29.97, 60])
def test_rates_from_1_to_60(tmp_path: Path, make_clip: MakeClip, rate: float) -> None:
    frames, tally = read(make_clip(tmp_path / "r.mp4", 12, rate))
    assert np.diff(seconds(frames)) == pytest.approx(1 / rate, abs=0.0011)
    assert not tally.truncated


@pytest.mark.parametrize(
    ("rate", "fps", "kept"),
    [(25, 10, 20), (30, 10, 20), (29.97, 10, 20), (60, 12, 24), (25, 25, 50), (10, 25, 20), (25, 1, 2)],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_fps_choice(
    tmp_path: Path, make_clip: MakeClip, rate: float, fps: float, kept: int, suffix: str
) -> None:
    count = round(2 * rate)
    path = make_clip(tmp_path / f"f{suffix}", count, rate, size=(64, 48))
    frames, tally = read(path, fps=fps)
    assert len(frames) == tally.delivered == kept
    assert tally.skipped == count - kept
    assert frames[0].index == 0
    assert max(np.diff(seconds(frames))) <= 1 / min(fps, rate) + 0.6 / rate
    with open_source(path, fps=fps) as source:
        assert source.expected_frames == pytest.approx(kept, abs=1)


def test_fps_choice_of_a_variable_rate(tmp_path: Path, make_clip: MakeClip) -> None:
    times = [n * 0.02 for n in range(50)] + [1 + n * 0.25 for n in range(4)]
    frames, _ = read(make_clip(tmp_path / "v.mp4", len(times), times=times), fps=5)
    assert seconds(frames) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 1.75], abs=0.021)


def test_skipped_frames_are_not_converted(
    tmp_path: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(make_clip(tmp_path / "s.mp4", 50, 25), fps=5)
    converted: list[object] = []
    convert = source._bgr  # type: ignore[attr-defined]

    def count(picture: object) -> object:
        converted.append(picture)
        return convert(picture)

    monkeypatch.setattr(source, "_bgr", count)
    assert len(list(source)) == len(converted) == 10
    source.close()


class TestTimeline:
    @pytest.mark.parametrize(
        ("presented", "expected"),
        [
            ([5.0, 5.1, 5.2], [0, 0.1, 0.2]),
            ([5.0, 5.1, 5.1, 5.05, 5.2], [0, 0.1, None, None, 0.2]),
            ([50.0, 50.1, 0.0, 0.1], [0, 0.1, 0.2, 0.3]),
            ([5.0, 5.1, 99.0, 99.1], [0, 0.1, 0.2, 0.3]),
            ([None, None, None], [0, 0.1, 0.2]),
            ([None, 7.0, 7.1], [0, 0.1, 0.2]),
            ([7.0, None, 7.2], [0, 0.1, 0.2]),
        ],
        ids=["plain", "out of order", "restart", "leap", "no times", "first has none", "one has none"],
    )
    def test_place(self, presented: list[float | None], expected: list[float | None]) -> None:
        timeline = Timeline(0.1, max_step=20)
        placed = [timeline.place(moment) for moment in presented]
        assert [moment if moment is None else round(moment, 6) for moment in placed] == expected

    def test_a_recordings_long_pause_is_kept(self) -> None:
        timeline = Timeline(0.1)
        assert [timeline.place(moment) for moment in (0.0, 3600.0)] == [0, 3600]


def test_pace_takes_all_frames_at_the_sources_own_jittered_rate() -> None:
    random.seed(1)
    pace, previous, chosen = Pace(30), 0.0, 0
    for number in range(300):
        moment = round(number / 30 + random.uniform(-0.004, 0.004), 3) if number else 0.0  # noqa: S311
        chosen += pace.wants(moment, moment - previous)
        previous = moment
    assert chosen >= 298


# --- Where the start comes from -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "utc"),
    [
        ("20250611-073000", "2025-06-11T00:30:00"),
        ("nga_tu_dang_huy_tru_20250611-085436.mp4", "2025-06-11T01:54:36"),
        ("2025-06-11_08-54-36.mkv", "2025-06-11T01:54:36"),
        ("20250611085436.ts", "2025-06-11T01:54:36"),
        ("ch01_20250611_085436.mp4", "2025-06-11T01:54:36"),
        ("NVR_ch1_main_20250611085436_20250611095436.dav", "2025-06-11T01:54:36"),
        ("Testvideo_Cars-Truck_FR20_2020-01-01_00-00-00.mp4", "2019-12-31T17:00:00"),
        ("2025.06.11T08.54.36.123.avi", "2025-06-11T01:54:36"),
        ("2025-06-11 08:54:36", "2025-06-11T01:54:36"),
        ("2025-06-11T08-54-36Z.mp4", "2025-06-11T08:54:36"),
        ("20250611_0854.mp4", "2025-06-11T01:54:00"),
        ("cam4_20250611085436123.mp4", "2025-06-11T01:54:36"),
        ("20251399-085436_20250611-085436", "2025-06-11T01:54:36"),
        ("20250611_1080p.mp4", None),
        ("20250611.mp4", None),
        ("cam_2.mp4", None),
        ("4820250611085436.mp4", None),
    ],
)
def test_start_from_name(name: str, utc: str | None) -> None:
    expected = None if utc is None else datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()
    assert start_from_name(name, "Asia/Ho_Chi_Minh") == expected


def test_start_argument_beats_the_name(tmp_path: Path, make_clip: MakeClip) -> None:
    path = make_clip(tmp_path / "20250611-085436.mp4", 2)
    with open_source(path, start=START) as source:
        assert (source.start, source.start_origin) == (START.timestamp(), "argument")
    local = datetime(2025, 6, 11, 7, 30)  # what a user types: local time without a zone
    with open_source(path, start=local) as source:
        assert source.start == START.timestamp()


def test_name_beats_the_container(tmp_path: Path, make_clip: MakeClip) -> None:
    path = make_clip(tmp_path / "20250611-073000.mp4", 3, created="2024-01-01T00:00:00Z")
    with open_source(path) as source:
        assert (source.start, source.start_origin) == (START.timestamp(), "file name")
        assert next(iter(source)).time == START.timestamp()
    with open_source(path, tz="UTC") as source:
        assert source.start == START.timestamp() + 7 * 3600


def test_container_beats_the_file_time(tmp_path: Path, make_clip: MakeClip) -> None:
    path = make_clip(tmp_path / "x.mp4", 2, created="2024-01-01T00:00:00Z")
    with open_source(path) as source:
        assert (source.start, source.start_origin) == (1704067200.0, "container")


@pytest.mark.parametrize("created", [None, "1970-01-01T00:00:00Z"])
def test_file_time_less_duration_is_the_last_resort(
    tmp_path: Path, make_clip: MakeClip, created: str | None
) -> None:
    path = make_clip(tmp_path / "x.mp4", 25, 25, created=created)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with open_source(path) as source:
        assert source.start_origin == "file time"
        assert source.start == pytest.approx(1_700_000_000 - 1)


def test_start_of_a_folder_from_its_first_image_or_its_own_name(tmp_path: Path) -> None:
    for folder, name in (("any", "20250611-073000.png"), ("cam1_20250611_073000", "1.png")):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / name), np.zeros((4, 4, 3), np.uint8))
        with open_source(tmp_path / folder) as source:
            assert (source.start, source.start_origin) == (START.timestamp(), "file name")


# --- Damage ---------------------------------------------------------------------------------------------


@pytest.fixture
def long_clip(make_clip: MakeClip) -> Callable[[Path, str], Path]:
    """A clip of 4 s of noise, so that its bytes are pictures and not headers."""
    noise = np.random.default_rng(1).integers(0, 255, (100, 24, 32, 3), dtype=np.uint8)
    pictures = [cv2.resize(image, (128, 96)) for image in noise]

    def make(path: Path, codec: str = "libx264") -> Path:
        return make_clip(path, pictures, 25, codec=codec, options={"g": "10"})

    return make


def spoil(path: Path, share: float = 0.5, size: int = 20_000) -> Path:
    """Overwrite bytes from ``share`` of the file on."""
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at : at + size] = random.Random(1).randbytes(size)  # noqa: S311
    path.write_bytes(data)
    return path


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share) | 1])
    return path


@pytest.mark.parametrize("name", ["d.mp4", "d.ts", "d.mkv"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("threads", [0, 1])
def test_reads_on_behind_damage(
    tmp_path: Path, long_clip: Callable[..., Path], name: str, codec: str, threads: int
) -> None:
    frames, tally = read(spoil(long_clip(tmp_path / name, codec)), threads=threads)
    times = seconds(frames)
    assert times[:40] == [round(n / 25, 3) for n in range(40)]
    assert times[-1] == 3.96
    assert all(step > 0 for step in np.diff(times))
    # Matroska's reader skips to its next whole cluster without a word: the hole is all that is left to see.
    assert tally.damaged + tally.undecodable + len(tally.gaps) > 0
    assert not tally.truncated
    holes = [begin for begin, end in pairwise(times) if end - begin > 0.1]
    assert set(holes) <= {round(begin - START.timestamp(), 3) for begin, _ in tally.gaps}


def test_a_hole_is_reported_from_its_last_to_its_next_frame(
    tmp_path: Path, long_clip: Callable[..., Path]
) -> None:
    path = long_clip(tmp_path / "hole.ts")
    data = path.read_bytes()
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    middle = len(packets) // 2
    path.write_bytes(b"".join(packets[:middle] + packets[middle + len(packets) // 4 :]))
    frames, tally = read(path)
    (begin, end), *others = tally.gaps
    assert others == []
    assert end - begin == pytest.approx(1.0, abs=0.3)
    assert begin in [frame.time for frame in frames]
    assert end in [frame.time for frame in frames]
    assert tally.damaged + tally.undecodable > 0


@pytest.mark.parametrize("name", ["t.mp4", "t.ts", "t.mkv", "t.avi"])
def test_a_truncated_file_is_read_to_its_end(
    tmp_path: Path, long_clip: Callable[..., Path], name: str
) -> None:
    frames, tally = read(cut(long_clip(tmp_path / name), 0.5))
    assert 1.6 < seconds(frames)[-1] < 2.1
    assert tally.truncated
    if name != "t.ts":  # a transport stream does not say how long it was meant to be
        assert tally.gaps[-1][1] - tally.gaps[-1][0] > 0
    if name in ("t.mp4", "t.mkv"):
        assert tally.gaps[-1][1] == pytest.approx(START.timestamp() + 4, abs=0.05)


@pytest.mark.parametrize("name", ["w.mp4", "w.ts", "w.mkv", "w.avi", "w.webm"])
def test_a_whole_file_is_not_called_truncated(tmp_path: Path, make_clip: MakeClip, name: str) -> None:
    codec = "libvpx-vp9" if name == "w.webm" else "libx264"
    _, tally = read(make_clip(tmp_path / name, 30, 25, codec=codec))
    assert (tally.truncated, tally.gaps, tally.damaged, tally.undecodable) == (False, [], 0, 0)


def test_a_clock_that_restarts_in_the_recording(tmp_path: Path, make_clip: MakeClip) -> None:
    first, second = (make_clip(tmp_path / f"{n}.ts", 50, 25) for n in "12")
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    frames, _ = read(both)
    assert len(frames) > 95
    assert all(np.diff(seconds(frames)) > 0)
    assert seconds(frames)[-1] == pytest.approx(len(frames) / 25, abs=0.2)


# --- What cannot be opened ------------------------------------------------------------------------------


def test_errors_name_the_file_and_the_fix(
    tmp_path: Path, make_clip: MakeClip, capfd: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello\n" * 100)
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n")
    fake = tmp_path / "fake.mp4"
    fake.write_bytes(random.Random(2).randbytes(5000))  # noqa: S311
    empty = tmp_path / "empty.mp4"
    empty.touch()
    whole = make_clip(tmp_path / "whole.mp4", 50, container_options={"movflags": "disable_chpl"})
    unindexed = tmp_path / "unindexed.mp4"
    unindexed.write_bytes(whole.read_bytes()[:3000])
    unknown = tmp_path / "unknown.mp4"
    unknown.write_bytes(whole.read_bytes().replace(b"avc1", b"zzzz").replace(b"avcC", b"zzzC"))
    picture = tmp_path / "one.png"
    cv2.imwrite(str(picture), np.zeros((8, 8, 3), np.uint8))
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    for address, fix in (
        (text, "is not a video"),
        (playlist, "is not a video"),
        (fake, "is not a video"),
        (picture, "is not a video"),
        (empty, "is empty: copy it again"),
        (unindexed, "no readable index"),
        (unknown, "codec"),
        (tmp_path / "none.mp4", "does not exist: check the path"),
        (nothing, "holds no images"),
    ):
        with pytest.raises(SourceError) as error:
            open_source(address)
        one_sentence(error, str(address), fix)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["noise", "half a jpeg", "empty", "other size"])
def test_an_image_that_cannot_be_used(tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / "1.jpg"), np.zeros((64, 64, 3), np.uint8))
    bad = tmp_path / "2.jpg"
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    encoded = cv2.imencode(".jpg", noise)[1].tobytes()
    other = cv2.imencode(".jpg", noise[:32])[1].tobytes()
    bad.write_bytes(
        {"noise": b"\x00" * 999, "half a jpeg": encoded[:1500], "empty": b"", "other size": other}[kind]
    )
    with open_source(tmp_path) as source, pytest.raises(SourceError) as error:
        list(source)
    one_sentence(error, str(bad))
    assert source.tally.delivered == 1
    assert capfd.readouterr() == ("", "")


def test_bad_arguments(tmp_path: Path, make_clip: MakeClip) -> None:
    path = make_clip(tmp_path / "x.mp4", 2)
    for options, part in (({"fps": 0}, "Frames per second"), ({"tz": "Mars/Base"}, "Mars/Base")):
        with pytest.raises(SourceError) as error:
            open_source(path, **options)  # type: ignore[arg-type]
        one_sentence(error, part)
    for address in ("http://cam/x?token=abc", "rtsp://user:my pass@cam/x", "rtsp:/cam/x"):
        with pytest.raises(SourceError) as error:
            open_source(address)
        one_sentence(error, "rtsp://user:password@host")
        assert "abc" not in str(error.value)
        assert "pass@cam" not in str(error.value)


def test_names_that_look_like_addresses_or_patterns(tmp_path: Path, make_clip: MakeClip) -> None:
    for name in ("concat:a.mp4", "cam%03d.mp4", "ngã tư Đặng Huy Trứ.mp4"):
        frames, _ = read(make_clip(tmp_path / "x.mp4", 2).rename(tmp_path / name))
        assert len(frames) == 2


def test_damage_makes_no_noise(
    tmp_path: Path,
    long_clip: Callable[..., Path],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        read(spoil(long_clip(tmp_path / "n.mp4")))
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


# --- Secrets --------------------------------------------------------------------------------------------

SECRETS = ("s3cret", "admin", "p@ss", "w0rd", "Key9Key9Key9Key9")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("rtsp://10.0.0.5:554/live", "rtsp://10.0.0.5:554/live"),
        ("rtsp://admin:s3cret@10.0.0.5:554/live", "rtsp://***@10.0.0.5:554/live"),
        ("rtsps://admin:s3cret@cam.example/live", "rtsps://***@cam.example/live"),
        ("RTSP://admin@cam/live", "RTSP://***@cam/live"),
        ("rtsp://admin:p@ss/w0rd?@cam/live", "rtsp://***@cam/live"),
        ("rtsp://admin:s3cret%40x@[::1]:554/", "rtsp://***@[::1]:554/"),
        ("rtsp://admin:it's_s3cret@cam", "rtsp://***@cam"),
        ("rtsp://admin:x://s3cret@cam/a", "rtsp://***@cam/a"),
        ("rtsp://cam/live?token=s3cret", "rtsp://cam/live?token=***"),
        ("rtsp://cam/c?channel=1&subtype=0&auth=s3cret", "rtsp://cam/c?channel=1&subtype=0&auth=***"),
        ("rtsp://cam/c?channel=s3cret-too-long-for-one", "rtsp://cam/c?channel=***"),
        ("rtsp://cam/c?s3cret", "rtsp://cam/c?***"),
        (
            "rtsp://cam/user=admin_password=s3cret_channel=1_stream=0.sdp",
            "rtsp://cam/user=***_password=***_channel=1_stream=0.sdp",
        ),
        ("rtsps://cam:7441/Key9Key9Key9Key9?enableSrtp", "rtsps://cam:7441/***?***"),
        (
            "[Errno 111] refused: 'rtsp://admin:s3cret@cam/x' (try 2)",
            "[Errno 111] refused: 'rtsp://***@cam/x' (try 2)",
        ),
        ("tcp connect admin:s3cret@10.0.0.5:554 failed", "tcp connect ***@10.0.0.5:554 failed"),
        ("Authorization: Basic s3cret\r\nCSeq: 2", "Authorization: ***\r\nCSeq: 2"),
        ("two rtsp://admin:s3cret@a/ and rtsp://admin:s3cret@b/", "two rtsp://***@a/ and rtsp://***@b/"),
        ("frame 12 at 08:54:36, mail traffic@example.org", "frame 12 at 08:54:36, mail traffic@example.org"),
    ],
)
def test_mask_address(text: str, masked: str) -> None:
    assert mask_address(text) == masked
    assert not any(secret in masked for secret in SECRETS)
    assert mask_address(masked) == masked


# --- Live cameras ---------------------------------------------------------------------------------------


def test_an_unreachable_camera_fails_within_its_limit() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        address = f"rtsp://admin:s3cret@127.0.0.1:{listener.getsockname()[1]}/live"
        begun = time.monotonic()
        with pytest.raises(SourceError) as error:
            open_source(address, open_timeout=1, read_timeout=1)
        assert time.monotonic() - begun < 1.5
    one_sentence(error, "rtsp://***@127.0.0.1", "no answer within 1 s")
    with pytest.raises(SourceError) as error:
        open_source(address, open_timeout=1)
    one_sentence(error, "rtsp://***@127.0.0.1", "nothing answers at this host and port")
    # A logger that walks the chain of exceptions must not meet FFmpeg's, which quotes the address.
    assert error.value.__context__ is None


@pytest.mark.rtsp
def test_live_frames_are_timed_from_the_clock_once(rtsp_server) -> None:  # type: ignore[no-untyped-def]
    with open_source(rtsp_server.open_address, clock=FakeClock(1000.0), read_timeout=5) as source:
        assert (source.kind, source.codec, source.size) == ("rtsp", "h264", (128, 96))
        assert (source.start, source.start_origin) == (1000.0, "clock")
        assert (source.duration, source.expected_frames) == (None, None)
        frames = list(islice(source, 40))
    assert frames[0].time == 1000.0
    assert np.diff([frame.time for frame in frames]) == pytest.approx(0.04, abs=0.002)
    assert numbers(frames)[:3] == [0, 1, 2]
    assert source.tally.gaps == []


@pytest.mark.rtsp
def test_live_fps_choice(rtsp_server) -> None:  # type: ignore[no-untyped-def]
    with open_source(rtsp_server.open_address, fps=10, clock=SystemClock()) as source:
        frames = list(islice(source, 10))
    assert abs(frames[0].time - time.time()) < 10
    assert frames[-1].time - frames[0].time == pytest.approx(0.9, abs=0.05)


@pytest.mark.rtsp
def test_a_protected_stream(rtsp_server) -> None:  # type: ignore[no-untyped-def]
    user, password, place = rtsp_server.user, rtsp_server.password, rtsp_server.protected
    with open_source(f"rtsp://{user}:{password}@{place}") as source:
        assert len(list(islice(source, 3))) == 3
        for shown in (repr(source), source.name):
            assert password not in shown
            assert f"rtsp://***@{place}" in shown
    for login in (f"{user}:wrong-s3cret@", ""):
        with pytest.raises(SourceError) as error:
            open_source(f"rtsp://{login}{place}")
        one_sentence(error, place, "refuses this user name or password")
        assert "s3cret" not in str(error.value)


@pytest.mark.rtsp
def test_a_stream_that_does_not_exist(rtsp_server) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SourceError) as error:
        open_source(rtsp_server.open_address + "/none")
    one_sentence(error, "no such stream")


@pytest.mark.rtsp
def test_a_camera_that_falls_silent(rtsp_server) -> None:  # type: ignore[no-untyped-def]
    with open_source(rtsp_server.open_address, read_timeout=1) as source:
        assert len(list(islice(source, 10))) == 10
        rtsp_server.fall_silent()
        begun = time.monotonic()
        with pytest.raises(SourceError) as error:
            list(source)
        assert time.monotonic() - begun < 2
    one_sentence(error, rtsp_server.open_address, "no answer within 1 s")


# --- Real clips -----------------------------------------------------------------------------------------


@pytest.mark.data
def test_real_clips_are_read_whole(testdata: Path) -> None:
    path = testdata / "videos" / "us-signal-crossroad-cyclist.mp4"
    with open_source(path, fps=10) as source:
        frames = sum(1 for _ in source)
        assert source.tally.read == 387
        assert source.expected_frames == pytest.approx(frames, abs=2)
        assert (source.tally.truncated, source.tally.gaps) == (False, [])
