"""Pictures with boxes, gates and counts on them, and the videos they are written to."""

import unicodedata
from datetime import UTC
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vision.errors import NgatuError
from vision.overlay import (
    CLASS_COLOURS,
    Overlay,
    RunningCounts,
    class_bgr,
    draw_view,
    gate_label,
)
from vision.overlay.canvas import _drawable, short
from vision.overlay.view_picture import gate_names
from vision.types import Crossing, Direction, Tracks, VehicleClass
from vision.video_writer import VideoWriter
from vision.views import Gate, Movement, View, Zone

SIZE = (640, 360)
NORTH = Gate(id="north", name="Đường Láng", line=((0.2, 0.7), (0.8, 0.7)))
EAST = Gate(id="east", line=((0.9, 0.3), (0.9, 0.8)))
VIEW = View(
    name="Ngã tư Sở",
    gates=[NORTH, EAST],
    zones=[
        Zone(id="near", kind="approach", polygon=[(0.3, 0.75), (0.7, 0.75), (0.8, 1.0), (0.2, 1.0)]),
        Zone(id="all", kind="roi", polygon=[(0, 0), (1, 0), (1, 1), (0, 1)]),
    ],
    movements=[
        Movement(id="north-left", origin="north", destination="east", turn="left"),
        Movement(id="north-back", origin="north", destination="north", turn="u_turn"),
    ],
)
VIETNAMESE = "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵđ"

Image = NDArray[np.uint8]


def road(size: tuple[int, int] = SIZE, grey: int = 90) -> Image:
    return np.full((size[1], size[0], 3), grey, np.uint8)


def tracks(*boxes: tuple[float, float, float, float], kind: VehicleClass = VehicleClass.CAR) -> Tracks:
    number = len(boxes)
    return Tracks(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(number, 0.9, np.float32),
        np.full(number, kind, np.int8),
        np.arange(number, dtype=np.int64),
    )


def crossing(
    gate: str = "north",
    direction: Direction = "in",
    vehicle: int = 1,
    kind: VehicleClass = VehicleClass.CAR,
    movement: str | None = None,
) -> Crossing:
    return Crossing(1.0, gate, direction, kind, 0.9, (0.5, 0.7), vehicle, movement)


def changed(image: Image, before: Image) -> NDArray[np.bool_]:
    return np.asarray((image != before).any(axis=2))


def shows(image: Image, colour: tuple[int, int, int], x: slice, y: slice) -> bool:
    """Whether a colour is found in a part of a picture."""
    return bool((np.abs(image[y, x].astype(int) - colour) <= 2).all(axis=2).any())


# --- Vehicles -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(VehicleClass))
def test_a_box_has_the_colour_of_its_class(kind: VehicleClass) -> None:
    overlay = Overlay(SIZE, None)
    seen = tracks((300, 100, 400, 180), kind=kind)
    overlay.draw(road(), 0.0, seen)
    picture = overlay.draw(road(), 0.1, seen)
    assert tuple(picture[100, 304]) == class_bgr(kind)
    assert tuple(picture[176, 400]) == class_bgr(kind)
    assert tuple(picture[140, 350]) == (90, 90, 90), "the vehicle itself stays free"


def test_class_colours_are_the_published_ones() -> None:
    assert set(CLASS_COLOURS) == set(VehicleClass)
    assert len(set(CLASS_COLOURS.values())) == len(CLASS_COLOURS)
    assert class_bgr(VehicleClass.MOTORCYCLE) == (0x00, 0xB0, 0xFF)


def test_a_box_seen_once_is_not_drawn() -> None:
    overlay = Overlay(SIZE, None)
    empty = overlay.draw(road(), 0.0, Tracks.empty())
    assert (overlay.draw(road(), 0.0, tracks((300, 100, 400, 180))) == empty).all()


def test_the_input_is_left_as_it_was_and_may_be_read_only() -> None:
    image = road()
    image.flags.writeable = False
    overlay = Overlay(SIZE, VIEW)
    for moment in range(3):
        picture = overlay.draw(image, moment, tracks((300, 100, 400, 180)), [crossing()])
    assert (image == 90).all()
    assert picture.shape == image.shape
    assert picture.dtype == np.uint8
    assert changed(picture, image).any()


def test_what_is_not_drawn_on_stays_to_the_bit() -> None:
    image = np.random.default_rng(1).integers(0, 256, (360, 640, 3)).astype(np.uint8)
    picture = Overlay(SIZE, None).draw(image, 0.0, Tracks.empty())
    assert (picture[180:] == image[180:]).all()


def test_a_trail_follows_the_vehicle_and_fades() -> None:
    overlay = Overlay(SIZE, None)
    for step in range(11):
        x = 200 + 20 * step
        picture = overlay.draw(road(), step / 10, tracks((x - 20, 250, x + 20, 300)))
    old, new = (picture[300, x].astype(int) - 90 for x in (230, 370))
    assert np.abs(new).max() > np.abs(old).max() > 0
    later = overlay.draw(road(), 5.0, Tracks.empty())
    assert not changed(later, road())[200:].any()


def test_a_standing_vehicle_leaves_no_scribble() -> None:
    overlay = Overlay(SIZE, None)
    for step in range(20):
        wobble = 2 * (step % 2)
        picture = overlay.draw(road(), step / 10, tracks((300 + wobble, 200, 400 + wobble, 280)))
    assert not changed(picture, road())[274:, 340:360].any()


def test_boxes_beyond_the_edge_and_tiny_pictures_are_drawn() -> None:
    for size in ((64, 48), (321, 241), (1920, 1080)):
        overlay = Overlay(size, VIEW)
        for moment in range(2):
            seen = tracks((-50, -50, size[0] + 50, size[1] + 50), (5, 5, 6, 6))
            assert overlay.draw(road(size), moment, seen).shape == (size[1], size[0], 3)


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="320x180"):
        Overlay(SIZE, VIEW).draw(road((320, 180)), 0.0, Tracks.empty())


# --- Gates and counts -----------------------------------------------------------------------------------


def test_the_label_of_a_gate_rises_with_each_crossing() -> None:
    assert gate_label(12, 3) == "in 12   out 3"
    overlay = Overlay(SIZE, VIEW)
    assert overlay.counts.label("north") == gate_label(0, 0)
    overlay.draw(road(), 0.0, Tracks.empty(), [crossing(), crossing(vehicle=2, direction="out")])
    overlay.draw(road(), 0.1, Tracks.empty(), [crossing(vehicle=3)])
    assert overlay.counts.label("north") == gate_label(2, 1)
    assert overlay.counts.label("east") == gate_label(0, 0)


def test_one_vehicle_at_three_gates_is_one_vehicle_of_its_latest_class() -> None:
    counts = RunningCounts()
    counts.add([crossing(kind=VehicleClass.CAR), crossing("east", "out", kind=VehicleClass.TRUCK)])
    counts.add([crossing("west", kind=VehicleClass.TRUCK, movement="north-left"), crossing(vehicle=2)])
    assert counts.classes[VehicleClass.TRUCK] == 1
    assert counts.classes[VehicleClass.CAR] == 1
    assert counts.classes.total() == 2
    assert counts.movements["north-left"] == 1


def test_the_arrow_stands_on_the_in_side() -> None:
    picture = Overlay(SIZE, View(gates=[NORTH])).draw(road(), 0.0, Tracks.empty())
    middle = slice(316, 325)
    below, above = slice(257, 262), slice(241, 248)  # the gate runs to the right at y = 252: in is below
    assert shows(picture, (255, 255, 255), middle, below)
    assert not shows(picture, (255, 255, 255), middle, above)


def test_a_gate_lights_up_in_the_colour_of_what_crossed_and_goes_out() -> None:
    overlay = Overlay(SIZE, VIEW)
    still = overlay.draw(road(), 0.0, Tracks.empty())
    gate = slice(200, 250), slice(250, 255)
    bus = class_bgr(VehicleClass.BUS)
    lit = overlay.draw(road(), 1.0, Tracks.empty(), [crossing(kind=VehicleClass.BUS)])
    assert np.abs(lit[252, 200].astype(int) - bus).max() < 12
    assert not shows(still, bus, *gate)
    later = overlay.draw(road(), 2.0, Tracks.empty())
    assert (later[252, 200] == still[252, 200]).all()


def test_counts_in_the_legend_are_drawn_anew() -> None:
    overlay = Overlay(SIZE, VIEW)
    before = overlay.draw(road(), 0.0, Tracks.empty())
    overlay.draw(road(), 0.0, Tracks.empty(), [crossing("north", movement="north-left")])
    after = overlay.draw(road(), 0.9, Tracks.empty())  # the flash is over, the clock still shows second 0
    assert changed(after, before)[:120, :250].any()


def test_the_clock_shows_the_time_of_the_given_zone() -> None:
    moment = 1_749_630_000.0
    utc, hanoi, again = (
        Overlay(SIZE, None, tz).draw(road(), moment, Tracks.empty())
        for tz in (UTC, ZoneInfo("Asia/Ho_Chi_Minh"), ZoneInfo("Asia/Bangkok"))
    )
    assert changed(utc, hanoi).any()
    assert not changed(hanoi, again).any()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_every_vietnamese_letter_is_drawn_as_itself(form: Literal["NFC", "NFD"]) -> None:
    font = cv2.FontFace("uni")
    looks: dict[bytes, str] = {}
    for letter in VIETNAMESE + VIETNAMESE.upper() + "?":
        picture = np.zeros((60, 60, 3), np.uint8)
        text = _drawable(unicodedata.normalize(form, letter))
        cv2.putText(picture, text, (10, 45), (255, 255, 255), font, 30)
        twin = looks.setdefault(picture.tobytes(), letter)
        assert twin == letter, f"{letter} is drawn like {twin}"


def test_names_of_any_length_keep_the_label_small() -> None:
    assert short("Đường Láng") == "Đường Láng"
    assert short("same carriageway, just past the zebra behind the line") == "same carriageway"
    assert short("một con đường có cái tên dài quá là dài") == "một con đường có cái tên..."
    assert len(short("x" * 200)) <= 30


def test_gates_whose_short_names_are_alike_go_by_their_ids() -> None:
    names = (
        "left carriageway, all of its lanes together",
        "left carriageway, the lanes out of the tunnel",
        "x",
    )
    gates = [NORTH.model_copy(update={"id": f"g{i}", "name": name}) for i, name in enumerate(names)]
    assert gate_names(gates) == ["g0", "g1", "x"]


# --- A view on one picture ------------------------------------------------------------------------------


def test_a_view_is_drawn_on_a_copy_with_trails_if_given() -> None:
    image = road()
    plain = draw_view(image, VIEW)
    assert (image == 90).all()
    trail = np.array([[40.0, 200.0], [60.0, 160.0], [90.0, 120.0]])
    assert changed(draw_view(image, VIEW, [trail, trail[:1]]), plain)[110:130, 80:100].any()


def test_a_view_shows_each_movement_in_its_colour_between_its_gates() -> None:
    with_movement = draw_view(road(), VIEW)
    without = draw_view(road(), VIEW.model_copy(update={"movements": []}))
    rows, columns = np.nonzero(changed(with_movement, without))
    assert columns.max() <= 0.9 * SIZE[0] + 60
    assert rows.min() > 0
    assert len(rows) > 500


# --- Video files ----------------------------------------------------------------------------------------


def read(path: Path) -> tuple[list[float], list[Image]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    images = [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in frames]
    return [float(frame.time or 0) for frame in frames], images


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_video_keeps_the_times_of_its_frames(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a:b{suffix}"
    moments = [1_749_630_000 + t for t in (0, 0.04, 0.1, 0.133, 0.9, 0.95, 3.0, 3.04)]
    with VideoWriter(path, (64, 48), 25) as writer:
        for number, moment in enumerate(moments):
            writer.write(road((64, 48), 20 + 20 * number), moment)
    times, images = read(path)
    assert times == pytest.approx([moment - moments[0] for moment in moments], abs=1e-3)
    assert [round(float(image.mean()), -1) for image in images] == [20 + 20 * n for n in range(8)]


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48), (2, 2)])
def test_odd_pictures_are_made_even_without_loss(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "odd.mp4"
    image = road(size, 200)
    with VideoWriter(path, size, 25) as writer:
        writer.write(image, 0.0)
    (decoded,) = read(path)[1]
    assert decoded.shape[1] == size[0] + size[0] % 2
    assert decoded.shape[0] == size[1] + size[1] % 2
    assert np.abs(decoded.astype(int) - 200).max() <= 4


def test_colours_survive_and_are_labelled(tmp_path: Path) -> None:
    path = tmp_path / "colour.mp4"
    colour = class_bgr(VehicleClass.BUS)
    image = road()
    image[:] = colour
    with VideoWriter(path, SIZE, 25) as writer:
        writer.write(image, 0.0)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert (frame.format.name, frame.colorspace) == ("yuv420p", 1)
        decoded = frame.reformat(format="bgr24", src_colorspace="ITU709").to_ndarray()
    assert np.abs(decoded[180, 320].astype(int) - colour).max() <= 6


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_video_plays_up_to_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "cut.mp4"
    with pytest.raises(error), VideoWriter(path, (64, 48), 25) as writer:  # noqa: PT012 - the block is the test
        for number in range(7):
            writer.write(road((64, 48)), number / 25)
        raise error
    assert len(read(path)[0]) == 7


def test_a_video_starts_with_its_index(tmp_path: Path) -> None:
    path = tmp_path / "web.mp4"
    with VideoWriter(path, (64, 48), 25) as writer:
        writer.write(road((64, 48)), 0.0)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_equal_times_do_not_stop_the_video(tmp_path: Path) -> None:
    path = tmp_path / "same.mp4"
    with VideoWriter(path, (64, 48), 25) as writer:
        for moment in (5.0, 5.0, 4.9, 5.04):
            writer.write(road((64, 48)), moment)
    times, _ = read(path)
    assert times == pytest.approx([0, 0, 0, 0.04], abs=1e-3)


def test_a_video_without_pictures_leaves_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "none.mp4", (64, 48), 25):
        pass
    assert list(tmp_path.iterdir()) == []


def one_sentence(error: pytest.ExceptionInfo[NgatuError], path: Path) -> None:
    message = str(error.value)
    assert str(path) in message
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["missing/out.mp4", "out.gif", "out", "folder.mp4"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(NgatuError) as error:
        VideoWriter(tmp_path / name, (64, 48), 25)
    one_sentence(error, tmp_path / name)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("frames", [1, 40])
def test_a_full_disk_is_named(tmp_path: Path, frames: int) -> None:
    path = tmp_path / "full.mp4"
    path.symlink_to("/dev/full")
    noise = np.random.default_rng(1).integers(0, 256, (frames, 96, 128, 3)).astype(np.uint8)
    with (  # noqa: PT012 - which picture fails depends on buffers
        pytest.raises(NgatuError, match="No space left") as error,
        VideoWriter(path, (128, 96), 25) as writer,
    ):
        for number, image in enumerate(noise):
            writer.write(image, number / 25)
    one_sentence(error, path)
