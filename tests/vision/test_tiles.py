"""Looking closer at tiles: small vehicles are found, none twice, cut ones are left to who sees them whole."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.detection import TiledDetector
from vision.detection.cards import Thresholds
from vision.geometry import box_iou
from vision.types import Detections


class Bright:
    """Stands in for a network with a small input: finds white blobs that are large enough in its picture."""

    name, sha256, provider = "bright", "0" * 64, "cpu"
    thresholds = Thresholds(keep=0.1, start=0.2, suppress_iou=0.5)

    def __init__(self, least=0.05):
        self.least = least
        self.looks = 0

    def detect(self, image):
        self.looks += 1
        _, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 0] > 128).astype(np.uint8))
        blobs = stats[1:]
        blobs = blobs[blobs[:, cv2.CC_STAT_HEIGHT] >= self.least * image.shape[0]]
        xyxy = np.concatenate((blobs[:, :2], blobs[:, :2] + blobs[:, 2:4]), axis=1).astype(np.float32)
        return Detections(xyxy, np.full(len(xyxy), 0.5, np.float32), np.ones(len(xyxy), np.int8))


def picture(*boxes, size=(640, 360)):
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = 255
    return image


def test_small_vehicles_are_found_that_the_whole_picture_does_not_show():
    image = picture((100, 60, 110, 74), (500, 300, 512, 315))
    assert len(Bright().detect(image)) == 0
    found = TiledDetector(Bright(), 2, 2).detect(image)
    assert sorted(found.xyxy.tolist()) == [[100, 60, 110, 74], [500, 300, 512, 315]]


def test_a_vehicle_in_the_overlap_of_tiles_is_one():
    assert len(TiledDetector(Bright(), 2, 2).detect(picture((310, 170, 325, 190)))) == 1


def test_a_vehicle_across_a_border_of_tiles_is_whole():
    found = TiledDetector(Bright(), 2, 1).detect(picture((280, 100, 360, 140)))
    assert found.xyxy.tolist() == [[280, 100, 360, 140]]


def test_a_large_vehicle_is_left_to_the_whole_picture():
    found = TiledDetector(Bright(), 2, 2).detect(picture((20, 20, 300, 170)))
    assert found.xyxy.tolist() == [[20, 20, 300, 170]]


def test_it_looks_once_at_the_whole_and_once_at_each_tile():
    bright = Bright()
    TiledDetector(bright, 3, 2).detect(picture())
    assert bright.looks == 7


def test_it_says_what_it_is():
    tiled = TiledDetector(Bright(), 2, 2)
    assert tiled.name == "bright 2x2"
    assert tiled.sha256 == Bright.sha256
    assert tiled.thresholds.start == pytest.approx(0.2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 600), st.integers(0, 320), st.integers(18, 60), st.integers(18, 60), st.integers(1, 4))
def test_wherever_it_is_and_however_the_tiles_lie_it_is_one(x, y, width, height, columns):
    box = (x, y, min(x + width, 640), min(y + height, 360))
    found = TiledDetector(Bright(0.01), columns, 2).detect(picture(box))
    assert len(found) == 1
    assert box_iou(found.xyxy, np.array([box], np.float32))[0, 0] > 0.99
