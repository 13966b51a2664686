"""What of a recording is delivered at a rate, told without decoding: the very frames that a count takes."""

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MakeClip
from tests.vision.test_clip import RECORDINGS, START
from vision.sources import VideoClip, open_source


@pytest.fixture(scope="module")
def recordings(make_clip: MakeClip, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recordings")
    return {name: make_clip(folder / file, 60, **options) for name, (file, options) in RECORDINGS.items()}


@pytest.mark.parametrize("fps", [None, 7.0])
@pytest.mark.parametrize("name", RECORDINGS)
def test_any_stretch_is_to_the_bit_what_is_read_in_order(
    name: str, fps: float | None, recordings: dict[str, Path]
) -> None:
    with open_source(recordings[name], start=START, fps=fps) as source:
        read = list(source)
    with VideoClip(recordings[name], start=START, tz="UTC", threads=1) as clip:
        numbers, tally = clip.delivered(fps)
        assert numbers.tolist() == [frame.index for frame in read]
        assert (tally.gaps, tally.truncated) == (source.tally.gaps, source.tally.truncated)
        middle = len(read) // 2
        for first, end in ((middle, len(read)), (0, middle)):
            seen = list(clip.chosen(numbers[first:end].tolist()))
            assert [(frame.time, frame.index) for frame in seen] == [
                (frame.time, frame.index) for frame in read[first:end]
            ]
            assert all(np.array_equal(a.image, b.image) for a, b in zip(seen, read[first:end], strict=True))
        assert clip.flaws == 0


def test_damage_is_noticed(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.ts", 60, options={"g": "15"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 188 * 188
    for at in range(middle, middle + 188 * 12):
        content[at] = at * 7 % 256
    path.write_bytes(content)
    with VideoClip(path, start=START, tz="UTC") as clip:
        list(clip.frames(0))
        assert clip.flaws
