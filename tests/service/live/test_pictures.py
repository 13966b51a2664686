"""The picture that leaves a worker: small, masked, with boxes and gates."""

import cv2
import numpy as np

from service.live.pictures import Newest, jpeg_of
from tests.vision.scenes import gate, tracks_of
from vision import VehicleClass


def test_a_live_picture_shows_boxes_and_gates_over_what_is_masked() -> None:
    image = np.full((720, 1280, 3), 90, np.uint8)
    image[300:500, 300:500:2] = 255  # fine stripes, as on a plate
    tracks = tracks_of([[280, 280, 520, 520]], [1], [VehicleClass.MOTORCYCLE])
    shown = cv2.imdecode(np.frombuffer(jpeg_of(Newest(image, tracks, gate())), np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape[:2] == (360, 640)
    blue, _, red = shown[140, 200].astype(int)  # the box's upper edge, in the motorcycle's orange
    assert red > 150
    assert blue < red - 50
    assert np.ptp(shown[200:210, 190:200].astype(int)) < 60, "the stripes cannot be told any more"
    assert shown[180, 100].max() > 180, "the gate"


def test_outside_of_where_vehicles_are_looked_for_nothing_is_sharp_until_the_street_is_known() -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    image[:, ::4] = 255
    none = tracks_of(np.zeros((0, 4)), [], [])
    newest = Newest(image, none, None, None, (640, 0, 1280, 720))
    shown = cv2.imdecode(np.frombuffer(jpeg_of(newest), np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert np.ptp(shown[100:200, 100:200].astype(int)) < 40
    assert np.ptp(shown[100:200, 450:550].astype(int)) > 90
