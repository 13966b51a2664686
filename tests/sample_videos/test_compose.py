"""The compositor: deterministic, exact about what is hidden, and needing numpy and OpenCV only."""

from pathlib import Path

import numpy as np
import pytest

from sample_videos.generator import bank
from sample_videos.generator.camera import CAMERAS, Camera
from sample_videos.generator.compose import LIGHTS, Composer, Plate, Vehicle

SPRITES = Path(__file__).parent / "sprites"
CAMERA = Camera((0.0, -20.0, 7.0), yaw=90.0, pitch=-16.0, focal=420.0, width=640, height=360)


@pytest.fixture(scope="module")
def models():
    return bank.load(SPRITES)


def scene(frame):
    y = -2.0 + 0.6 * frame
    return [
        Vehicle(1, "wave_man", -2.0, y, np.pi / 2, 6.0, 11),
        Vehicle(2, "wave_man", 1.5, 12.0 - y, -np.pi / 2, 6.0, 12),
        Vehicle(3, "sedan", -6.0 + 0.8 * frame, 9.0, 0.0, 8.0, 13),
        Vehicle(4, "truck_box", 8.0, 16.0, np.pi, 0.0, 14, braking=True),
    ]


def film(models, light, seed=5, frames=10):
    composer = Composer(CAMERA, LIGHTS[light], Plate.plain(CAMERA), models, seed, "CAM 01")
    return [composer.frame(i, 30.0 + i / 10, scene(i), "2026-03-10 09:30:00") for i in range(frames)]


@pytest.mark.parametrize("light", ["day", "rain", "dusk"])
def test_same_seed_gives_the_same_ten_frames(models, light):
    first, second = film(models, light), film(models, light)
    for (a, shown_a), (b, shown_b) in zip(first, second, strict=True):
        assert np.array_equal(a, b)
        assert shown_a == shown_b


def test_frames_can_be_made_in_any_order(models):
    composer = Composer(CAMERA, LIGHTS["day"], Plate.plain(CAMERA), models, 5, "CAM 01")
    late, _ = composer.frame(7, 30.7, scene(7), "2026-03-10 09:30:00")
    assert np.array_equal(late, film(models, "day")[7][0])


def test_another_seed_gives_other_noise(models):
    assert not np.array_equal(film(models, "day", 5, 1)[0][0], film(models, "day", 6, 1)[0][0])


def test_vehicle_shows_where_its_solid_projects(models):
    composer = Composer(CAMERA, LIGHTS["day"], Plate.plain(CAMERA), models, 1)
    for model in models:
        for heading in np.radians([0, 70, 135, 200, 290]):
            _, shown = composer.frame(
                0, 0.0, [Vehicle(1, model, 0.0, 2.0, float(heading), 0.0, 3)], signals=False
            )
            assert np.allclose(
                shown[0].visible, shown[0].full, atol=0.035 * (shown[0].full[2] - shown[0].full[0]) + 2.5
            )
            assert shown[0].share > 0.9


def test_near_vehicle_hides_the_far_one(models):
    composer = Composer(CAMERA, LIGHTS["day"], Plate.plain(CAMERA), models, 1)
    near, far = Vehicle(1, "truck_box", 0, 0, 0.0, 0, 1), Vehicle(2, "wave_man", 0, 4.5, 0.0, 0, 2)
    _, both = composer.frame(0, 0.0, [near, far], signals=False)
    share = {s.vehicle.id: s.share for s in both}
    assert share[1] > 0.9
    assert share[2] < 0.6
    _, alone = composer.frame(0, 0.0, [far], signals=False)
    assert alone[0].full == next(s.full for s in both if s.vehicle.id == 2)


def test_motorcycle_beside_a_long_truck_is_in_front(models):
    # the truck's centre is nearer, but the motorcycle stands on the camera's side of it
    composer = Composer(CAMERA, LIGHTS["day"], Plate.plain(CAMERA), models, 1)
    truck, rider = (
        Vehicle(1, "truck_box", 1.0, 2.0, np.pi / 2, 0, 1),
        Vehicle(2, "wave_man", -0.8, 3.5, np.pi / 2, 0, 2),
    )
    _, shown = composer.frame(0, 0.0, [truck, rider], signals=False)
    assert {s.vehicle.id: s.share for s in shown}[2] > 0.9


def test_street_furniture_hides_what_is_behind_it_only(models):
    plate = Plate.plain(CAMERA)
    plate.occluders[:, 600:680] = 15.0  # a wide post 15 m from the camera
    composer = Composer(CAMERA, LIGHTS["day"], plate, models, 1)
    _, behind = composer.frame(0, 0.0, [Vehicle(1, "wave_man", 0, 5, np.pi / 2, 0, 1)], signals=False)
    _, before = composer.frame(0, 0.0, [Vehicle(1, "wave_man", 0, -8, np.pi / 2, 0, 1)], signals=False)
    assert behind[0].share < 0.3
    assert before[0].share > 0.9


def test_repaint_changes_colour_not_outline(models):
    composer = Composer(CAMERA, LIGHTS["day"], Plate.plain(CAMERA), models, 1)
    a, shown_a = composer.frame(0, 0.0, [Vehicle(1, "sedan", 0, 2, 1.0, 0, 21)], signals=False)
    b, shown_b = composer.frame(0, 0.0, [Vehicle(1, "sedan", 0, 2, 1.0, 0, 22)], signals=False)
    assert shown_a[0].visible == shown_b[0].visible
    assert np.abs(a.astype(int) - b.astype(int)).max() > 20


@pytest.mark.parametrize("camera", [CAMERA, *CAMERAS.values()])
def test_camera_ground_and_project_are_inverse(camera):
    rng = np.random.default_rng(0)
    pixels = np.column_stack([rng.uniform(0, camera.width, 50), rng.uniform(0.45, 1.0, 50) * camera.height])
    ground = camera.ground(pixels)
    back, _ = camera.project(np.column_stack([ground, np.zeros(50)]))
    assert np.allclose(back, pixels, atol=1e-3)


def test_at_dusk_half_of_the_riders_ride_without_a_headlamp(models):
    composer = Composer(CAMERA, LIGHTS["dusk"], Plate.plain(CAMERA, 0.02), models, 1)

    def brightest(model, look):
        oncoming = Vehicle(1, model, 0.0, 2.0, -np.pi / 2, 0.0, look)
        return composer.frame(0, 0.0, [oncoming], signals=False)[0].max()

    lit = [brightest("wave_man", look) > 225 for look in range(0, 100, 5)]
    assert sum(lit) == 10
    assert all(brightest("sedan", look) > 225 for look in range(0, 100, 20))


def test_lorries_dazzle_who_looks_along_their_beams_only(models):
    composer = Composer(CAMERA, LIGHTS["dusk"], Plate.plain(CAMERA, 0.02), models, 1)

    def dazzled(model, y, heading):
        vehicle = Vehicle(1, model, 0.0, y, heading, 0.0, 3)
        picture, (shown,) = composer.frame(0, 0.0, [vehicle], signals=False)
        left, top, right, bottom = shown.full
        return (picture.min(2) > 200).sum() / ((right - left) * (bottom - top))

    oncoming = -np.pi / 2
    assert dazzled("truck_box", 45.0, oncoming) > 4 * dazzled("sedan", 45.0, oncoming)
    assert dazzled("truck_box", 45.0, oncoming) > 0.25
    assert dazzled("truck_box", -8.0, oncoming) < 0.12  # below the camera
    assert dazzled("truck_box", 45.0, oncoming + 1.2) < 0.02  # aside


@pytest.mark.parametrize("grey", [0.02, 0.9])
def test_the_clock_is_read_on_sky_and_road(models, grey):
    composer = Composer(CAMERA, LIGHTS["day"], Plate.plain(CAMERA, grey), models, 1)
    bare, _ = composer.frame(0, 0.0, [], signals=False)
    stamped, _ = composer.frame(0, 0.0, [], "2026-03-10 09:30:00", signals=False)
    letters = stamped[(stamped != bare).any(2)].mean(1)
    assert (letters < 60).sum() > 200
    assert (letters > 220).sum() > 200
