"""Stress keeps the times of the frames that are left, so that counts can still be held against the truth."""

import os

import av
import numpy as np
import pytest

from benchmarks.footage import dropped, remake, shaken


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(30):
            image = np.full((48, 64, 3), 4 * number, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    return path


def frames_of(path):
    with av.open(str(path)) as file:
        return [(round(frame.time, 3), (frame.width, frame.height)) for frame in file.decode(video=0)]


def test_a_lower_rate_keeps_every_nth_frame_at_its_own_time(clip, tmp_path):
    made = remake(clip, tmp_path / "slow.mp4", every=3)
    assert [time for time, _ in frames_of(made)] == pytest.approx([0.3 * n for n in range(10)])


def test_half_the_size(clip, tmp_path):
    made = remake(clip, tmp_path / "small.mp4", size=(32, 24))
    assert {size for _, size in frames_of(made)} == {(32, 24)}
    assert len(frames_of(made)) == 30


def test_a_clip_that_is_newer_is_written_again(clip, tmp_path):
    target = tmp_path / "same.mp4"
    remake(clip, target, every=3)
    assert len(frames_of(remake(clip, target))) == 10  # it is there already
    changed = target.stat().st_mtime + 5
    os.utime(clip, (changed, changed))
    assert len(frames_of(remake(clip, target))) == 30


def test_lost_frames_leave_gaps(clip, tmp_path):
    lossy = dropped(0.3)
    made = remake(clip, tmp_path / "lossy.mp4", change=lossy)
    times = [time for time, _ in frames_of(made)]
    assert 10 < len(times) < 30
    assert set(times) <= {round(n / 10, 3) for n in range(30)}


def test_the_share_of_lost_frames_is_what_was_asked_for():
    lossy, image = dropped(0.1), np.zeros((2, 2, 3), np.uint8)
    lost = sum(lossy(image, n) is None for n in range(20_000)) / 20_000
    assert lost == pytest.approx(0.1, abs=0.01)


def test_shaking_moves_the_picture_by_no_more_than_it_says():
    image = np.zeros((100, 100, 3), np.uint8)
    image[45:55, 45:55] = 255
    shake = shaken(5)
    middles = [np.argwhere(shake(image, n)[..., 0] > 127).mean(axis=0) for n in range(50)]
    far = np.abs(np.array(middles) - 49.5).max()
    assert 3 < far < 5.5
