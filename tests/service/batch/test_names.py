"""Names of recordings: which camera, when; as common recorders write them and as somebody describes them."""

from datetime import UTC, datetime
from pathlib import PurePath
from zoneinfo import ZoneInfo

import pytest

from service.batch.names import BUILT_IN, Pattern, read_name
from vision.errors import NgatuError

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NINE = datetime(2026, 3, 10, 9, 30, 15, tzinfo=HANOI)

KNOWN = {
    "ours": ("square-north_20260310-093015.mp4", "square-north", NINE, 1.0),
    "ours, in folders": ("ward 3/square/square_20260310-093015.mkv", "square", NINE, 1.0),
    "camera, date, time": ("square/2026-03-10/09.30.15.mp4", "square", NINE, 1.0),
    "camera, date, minute": ("square/2026-03-10/09.30.mp4", "square", NINE.replace(second=0), 60.0),
    "Frigate, in UTC": ("recordings/2026-03-10/02/square/30.15.mp4", "square", NINE, 1.0),
    "Hikvision, start and end": ("ch01_20260310093015_20260310094500.mp4", "ch01", NINE, 1.0),
    "Hikvision, milliseconds": (
        "192.168.1.64_01_20260310093015250_1.mp4",
        "192.168.1.64_01",
        NINE.replace(microsecond=250_000),
        1e-3,
    ),
    "Hikvision, plain": ("ch01_20260310093015.mp4", "ch01", NINE, 1.0),
    "Dahua, on its card": ("ch2/2026-03-10/001/dav/09/09.30.15-09.45.00[M][0@0][0].dav", "ch2", NINE, 1.0),
    "Dahua, exported": ("NVR_ch2_main_20260310093015_20260310094500.dav", "ch2", NINE, 1.0),
    "Blue Iris": ("square.20260310_093015.mp4", "square", NINE, 1.0),
    "Synology": ("square-20260310-093015-1773109815.mp4", "square", NINE, 1.0),
    "Axis, the camera is the folder": ("axis-1/20260310_093015_1A2B_ACCC8E.mkv", "axis-1", NINE, 1.0),
}


@pytest.mark.parametrize("case", KNOWN)
def test_common_recorders_are_understood(case: str) -> None:
    path, camera, moment, resolution = KNOWN[case]
    said = read_name(PurePath(path), HANOI, BUILT_IN)
    assert said is not None
    assert said.camera == camera
    assert datetime.fromtimestamp(said.start, UTC) == moment
    assert said.resolution == resolution


@pytest.mark.parametrize(
    "path", ["clip.mp4", "20261345-996161.mp4", "cam1_20260230-093015.mp4", "cam1_2026.mp4"]
)
def test_what_is_no_name_of_a_recording_is_not_guessed(path: str) -> None:
    assert read_name(PurePath(path), HANOI, BUILT_IN) is None


def test_a_pattern_of_ones_own_comes_first() -> None:
    own = Pattern("{camera}_*_%Y%m%d-%H%M%S")
    path = PurePath("hoa-ban_cam1_day_20260310-093015.mp4")
    said = read_name(path, HANOI, (own, *BUILT_IN))
    assert said is not None
    assert said.camera == "hoa-ban"
    assert said.pattern == own.text


def test_a_part_written_twice_must_agree() -> None:
    twice = Pattern("{camera}/%H/%Y-%m-%d_%H-%M")
    assert twice.read(PurePath("a/09/2026-03-10_09-30.mp4"), HANOI)
    assert not twice.read(PurePath("a/08/2026-03-10_09-30.mp4"), HANOI)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{camera}_%Q%Y%m%d%H", "%Q is not known"),
        ("{kamera}_%Y%m%d%H", "{kamera} is not known"),
        ("{camera}_%H%M%S", "has no %Y %m %d"),
    ],
)
def test_a_pattern_that_cannot_work_says_why(text: str, told: str) -> None:
    with pytest.raises(NgatuError, match=told):
        Pattern(text)
