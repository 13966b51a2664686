"""What leaves a worker as a picture: small, and coarse where somebody could be known."""

import numpy as np
import pytest

from vision import Tracks, VehicleClass, background_with_boxes, masked

RNG = np.random.default_rng(3)


def tracks(*boxes: tuple[float, float, float, float, VehicleClass]) -> Tracks:
    return Tracks(
        np.array([box[:4] for box in boxes], np.float32).reshape(-1, 4),
        np.ones(len(boxes), np.float32),
        np.array([box[4] for box in boxes], np.int8),
        np.arange(len(boxes), dtype=np.int64),
    )


def speckled(width: int = 640, height: int = 360) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def is_coarse(result: np.ndarray, left: int, top: int, right: int, bottom: int, side: int = 8) -> bool:
    """Whether every whole square of the grid within the rectangle has one colour."""
    columns = range(-(-left // side), right // side)
    rows = range(-(-top // side), bottom // side)
    squares = [result[r * side : r * side + side, c * side : c * side + side] for r in rows for c in columns]
    return bool(squares) and all(np.ptp(square.reshape(-1, 3), axis=0).max() == 0 for square in squares)


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (641, 481)])
def test_a_picture_is_never_wider_than_640(size):
    image = speckled(*size)
    result = masked(image, Tracks.empty(), width=4000)
    assert result.shape[1] == 640
    assert result.shape[0] == pytest.approx(size[1] * 640 / size[0], abs=1)
    assert masked(image, Tracks.empty(), width=320).shape[1] == 320


def test_a_small_picture_is_not_enlarged_and_the_given_one_is_not_changed():
    image = speckled(352, 288)
    before = image.copy()
    result = masked(image, tracks((50, 50, 150, 150, VehicleClass.CAR)))
    assert result.shape == image.shape
    assert (image == before).all()


@pytest.mark.parametrize("kind", [VehicleClass.CAR, VehicleClass.BUS, VehicleClass.TRUCK])
def test_the_lower_half_of_a_vehicle_is_coarse_and_the_rest_as_it_was(kind):
    image = speckled()
    result = masked(image, tracks((200, 100, 300, 180, kind)))
    assert is_coarse(result, 200, 140, 300, 184, 16)
    assert (result[:139] == image[:139]).all()
    assert (result[:, :180] == image[:, :180]).all()


@pytest.mark.parametrize("kind", [VehicleClass.MOTORCYCLE, VehicleClass.BICYCLE, VehicleClass.UNKNOWN])
def test_a_two_wheeler_is_coarse_as_a_whole_with_a_margin_for_the_head(kind):
    image = speckled()
    result = masked(image, tracks((200, 100, 240, 180, kind)))
    assert is_coarse(result, 196, 92, 244, 188, 16)


def test_a_plate_covers_few_squares_however_near_the_vehicle_is():
    image = speckled()
    for across, side in ((60, 8), (120, 16), (240, 32), (500, 64)):
        result = masked(image, tracks((64, 60, 64 + across, 300, VehicleClass.CAR)))
        assert is_coarse(result, 64, 190, 64 + across, 300, side), across


def test_squares_hold_only_the_mean():
    """Two pictures that differ in detail, not in the mean of any square, give the same result there."""
    one = speckled()
    other = one.reshape(45, 8, 80, 8, 3)[:, ::-1, :, ::-1].reshape(360, 640, 3)
    box = tracks((160, 96, 208, 176, VehicleClass.MOTORCYCLE))
    assert (masked(one, box)[100:170, 165:205] == masked(other, box)[100:170, 165:205]).all()


def test_boxes_in_pixels_of_a_larger_picture_and_beyond_its_edge():
    image = speckled(1280, 720)
    plain = masked(image, Tracks.empty())
    result = masked(
        image,
        tracks((400, 200, 480, 360, VehicleClass.MOTORCYCLE), (-40, 500, 100, 800, VehicleClass.CAR)),
    )
    assert is_coarse(result, 200, 100, 240, 180, 16)
    assert is_coarse(result, 0, 330, 50, 360)
    assert (result[:80] == plain[:80]).all()


def test_with_a_background_people_on_foot_and_undetected_vehicles_are_coarse_too():
    background = np.full((360, 640, 3), 110, np.uint8)
    image = background.copy()
    image[200:240, 300:316] = RNG.integers(0, 80, (40, 16, 3), np.uint8)
    result = masked(image, Tracks.empty(), background=background[::2, ::2])
    assert is_coarse(result, 296, 196, 320, 244)
    assert (result[:150] == 110).all()


def test_without_a_background_people_on_foot_stay_as_the_docstring_says():
    image = speckled()
    assert (masked(image, Tracks.empty()) == image).all()
    assert "people on foot are **not** covered" in (masked.__doc__ or "")


def test_boxes_over_the_background_show_nobody():
    background = np.full((180, 320, 3), 110, np.uint8)
    box = (600.0, 300.0, 700.0, 400.0, VehicleClass.CAR)
    result = background_with_boxes(background, tracks(box), (1280, 720))
    assert result.shape == (180, 320, 3)
    assert (result[80:95, 155:170] == 110).all()
    assert (result[75, 150:175] != 110).any()
    assert (background == 110).all()
