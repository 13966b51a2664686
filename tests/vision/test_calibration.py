"""Calibration: the ground is found again from marked points, and what cannot be trusted is refused."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sample_videos.generator.camera import CAMERAS
from vision import View, load_view, save_view
from vision.calibration import (
    FARTHER,
    GroundMap,
    find_distortion,
    fit_calibration,
    marking_error,
    measured_points,
)
from vision.errors import CalibrationError
from vision.geometry import is_simple_polygon, points_in_polygon
from vision.ground_grid import draw_ground_grid
from vision.view_parts import Calibration, Distortion

SAMPLES = Path(__file__).parents[2] / "sample_videos"
SPREAD = np.array([[0.1, 0.45], [0.9, 0.45], [0.9, 0.95], [0.1, 0.95], [0.5, 0.6], [0.3, 0.8], [0.7, 0.7]])


@dataclass(frozen=True)
class Pinhole:
    """A camera over the origin, looking north before it is turned; the true mapping of these tests."""

    height: float = 7.0
    pitch: float = 20.0
    yaw: float = 0.0
    focal: float = 0.7  # widths of the picture

    def ground(self, image):
        """Where a ray through the picture meets the ground."""
        x, y = ((np.asarray(image) - 0.5) * [1, 9 / 16] / self.focal).T
        down, turn = np.radians([self.pitch, self.yaw])
        forward = np.cos(down) - y * np.sin(down)
        reach = self.height / (np.sin(down) + y * np.cos(down))
        assert (reach > 0).all(), "above the horizon"
        east, north = x * reach, forward * reach
        return np.column_stack(
            (east * np.cos(turn) + north * np.sin(turn), north * np.cos(turn) - east * np.sin(turn))
        )


# Horizons stay above the marked points, the highest of which lies at 0.45.
PINHOLES = st.builds(Pinhole, st.floats(4, 15), st.floats(12, 45), st.floats(-180, 180), st.floats(0.5, 1.2))


def calibration(image, ground, **more):
    points = [{"image": a, "ground": b} for a, b in zip(image.tolist(), ground.tolist(), strict=True)]
    return Calibration.model_validate({"points": points, **more})


def sample(name, **more):
    known = load_view(SAMPLES / f"{name}.view.yaml").calibration
    return Calibration.model_validate(
        known.model_dump(exclude_none=True, exclude={"distortion", "valid"}) | more
    )


def within(corners, count=200):
    """Points of the picture inside the convex corners."""
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.ones(len(corners)), count)
    return weights @ corners


def apart(a, b):
    return np.hypot(*(a - b).T)


@settings(max_examples=60, deadline=None)
@given(camera=PINHOLES, count=st.integers(4, 7))
def test_a_camera_is_found_again_from_exact_points(camera: Pinhole, count: int) -> None:
    marks = SPREAD[:count]
    fitted = fit_calibration(calibration(marks, camera.ground(marks)))
    places = within(SPREAD[:4])
    truth = camera.ground(places)
    assert apart(fitted.to_ground(places), truth).max() < 1e-3 * fitted.extent_m
    assert np.abs(fitted.to_image(fitted.to_ground(places)) - places).max() < 1e-9
    assert fitted.residuals_m.shape == fitted.leave_one_out_m.shape == (count,)
    assert fitted.residuals_m.max() < 1e-3 * fitted.extent_m
    assert np.isnan(fitted.leave_one_out_m).all() == (count == 4)


@settings(max_examples=40, deadline=None)
@given(camera=PINHOLES, seed=st.integers(0, 10**6))
def test_marks_a_pixel_off_move_positions_by_about_what_is_foretold(camera: Pinhole, seed: int) -> None:
    marks = np.vstack((SPREAD, SPREAD[:4] * 0.9 + 0.06))
    rng = np.random.default_rng(seed)
    known = calibration(marks + rng.normal(0, 0.001, marks.shape), camera.ground(marks))
    places = within(SPREAD[:4])
    error = apart(fit_calibration(known).to_ground(places), camera.ground(places))
    foretold = marking_error(known, places)
    assert (error < 5 * foretold).mean() > 0.95
    assert np.nanmedian(foretold) < 0.05 * fit_calibration(known).extent_m


@settings(max_examples=40, deadline=None)
@given(
    camera=PINHOLES,
    k1=st.floats(-0.3, 0.2),
    aspect=st.sampled_from([16 / 9, 4 / 3, 1.25]),
    k2=st.floats(-0.05, 0.05),
)
def test_a_lens_is_undone_and_done_again(camera: Pinhole, k1: float, k2: float, aspect: float) -> None:
    lens = Distortion(k1=k1, k2=k2, aspect=aspect)
    middle, radius = 0.5, ((SPREAD - 0.5) / [1, aspect]) ** 2
    squared = radius.sum(axis=1, keepdims=True)
    seen = middle + (SPREAD - middle) * (1 + k1 * squared + k2 * squared**2)
    fitted = fit_calibration(calibration(seen, camera.ground(SPREAD), distortion=lens.model_dump()))
    assert fitted.residuals_m.max() < 0.03  # image fractions keep five decimals
    places = within(seen[:4])
    assert np.abs(fitted.to_image(fitted.to_ground(places)) - places).max() < 1e-6


@pytest.mark.parametrize("name", ["hoa-ban_cam1", "hoa-ban_cam2"])
def test_the_sample_clips_ground_is_exact_with_their_lens(name: str) -> None:
    camera = CAMERAS[name.removeprefix("hoa-ban_")]
    # The generator counts in focal lengths, a view in widths of the picture.
    k1 = camera.k1 * (camera.width / camera.focal) ** 2
    places = within(np.array([[0.1, 0.44], [0.9, 0.44], [0.9, 0.9], [0.1, 0.9]]))
    truth = camera.ground(places * [camera.width, camera.height])

    def errors(known: Calibration) -> np.ndarray:
        fitted = fit_calibration(known)
        return apart(fitted.to_ground(places), truth)

    bent, exact = errors(sample(name)), errors(sample(name, distortion={"k1": round(k1, 4)}))
    assert np.median(bent) < 0.15
    assert exact.max() < 0.01
    assert exact.max() < np.median(bent) / 3
    found = find_distortion(sample(name))
    assert found is not None
    assert found.k1 == pytest.approx(k1, abs=0.001)


def test_a_lens_that_bends_nothing_is_not_suggested() -> None:
    rng = np.random.default_rng(1)
    marks = np.vstack((SPREAD, SPREAD[:4] * 0.9 + 0.06))
    known = calibration(marks + rng.normal(0, 0.001, marks.shape), Pinhole().ground(marks))
    assert find_distortion(known) is None
    assert find_distortion(calibration(SPREAD, Pinhole().ground(SPREAD))) is None, "too few points"


# Length of a degree of latitude and of longitude on the WGS 84 ellipsoid, in metres; public tables.
@pytest.mark.parametrize(
    ("latitude", "north", "east"),
    [(0.0, 110574, 111320), (15.0, 110649, 107550), (30.0, 110852, 96486), (45.0, 111132, 78847)],
)
def test_longitude_and_latitude_become_metres(latitude: float, north: float, east: float) -> None:
    corners = [(-0.0005, -0.0005), (0.0005, -0.0005), (0.0005, 0.0005), (-0.0005, 0.0005)]
    points = [{"image": [x + 0.5, 0.5 - y], "lonlat": [106.19 + x, latitude + y]} for x, y in corners]
    _, ground = measured_points(Calibration.model_validate({"points": points}))
    assert ground[1] - ground[0] == pytest.approx([east / 1000, 0], abs=0.002)
    assert ground[2] - ground[1] == pytest.approx([0, north / 1000], abs=0.002)


def test_coordinates_of_a_national_grid_lose_nothing() -> None:
    near = Pinhole().ground(SPREAD)
    origin = np.array([613_000.0, 2_353_000.0])
    far = near + origin
    a, b = (fit_calibration(calibration(SPREAD, each)) for each in (near, far))
    places = within(SPREAD[:4])
    assert np.abs(b.to_ground(places) - a.to_ground(places) - origin).max() < 1e-4


@pytest.mark.parametrize("turned", [False, True], ids=["clockwise", "the other way"])
def test_a_rectangle_gives_lengths(turned: bool) -> None:
    corners = np.array([[0.3, 0.8], [0.42, 0.6], [0.62, 0.6], [0.68, 0.8]])
    if turned:
        corners = corners[[1, 0, 3, 2]]
    known = Calibration.model_validate(
        {"rectangle": {"corners": corners.tolist(), "length_m": 12, "width_m": 4}}
    )
    fitted = fit_calibration(known)
    ground = fitted.to_ground(corners)
    assert apart(ground, np.roll(ground, -1, axis=0)) == pytest.approx([12, 4, 12, 4], abs=1e-3)
    assert np.isnan(fitted.leave_one_out_m).all()
    # The way a vehicle turns on the picture is the way it turns on the ground.
    a, b, c = fitted.to_ground(np.array([[0.5, 0.78], [0.5, 0.7], [0.45, 0.7]]))
    assert (b - a)[0] * (c - b)[1] - (b - a)[1] * (c - b)[0] > 0, "a turn to the left"


def test_scale_is_how_far_a_small_step_goes() -> None:
    fitted = fit_calibration(sample("hoa-ban_cam1", distortion={"k1": -0.05}))
    places, step = within(SPREAD[:4] * 0.9 + 0.05), np.array([1e-3, 5e-4])
    moved = fitted.to_ground(places + step / 2) - fitted.to_ground(places - step / 2)
    assert fitted.scale_at(places) @ step == pytest.approx(moved, rel=0.01, abs=1e-4)
    assert np.isnan(fitted.scale_at(np.array([[0.5, 0.05]]))).all()
    assert (np.linalg.det(fitted.scale_at(places)) < 0).all(), "y runs down on the picture, north is up"


# --- Where it is valid ----------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(camera=PINHOLES)
def test_by_default_it_is_valid_around_the_points_and_not_far_beyond(camera: Pinhole) -> None:
    known = calibration(SPREAD, camera.ground(SPREAD))
    fitted = fit_calibration(known)
    assert is_simple_polygon(fitted.valid_region)
    assert points_in_polygon(SPREAD, fitted.valid_region).all()
    assert ((fitted.valid_region > -0.01) & (fitted.valid_region < 1.01)).all()
    everywhere = np.stack(np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41)), axis=-1).reshape(-1, 2)
    ground = fitted.to_ground(everywhere)
    inside = points_in_polygon(everywhere, fitted.valid_region)
    assert (np.isfinite(ground).all(axis=1) == inside).all()
    assert (~inside).any()
    # Distance along the way that the camera looks.
    north = np.array([np.sin(np.radians(camera.yaw)), np.cos(np.radians(camera.yaw))])
    depth = camera.ground(SPREAD) @ north + camera.height * np.tan(np.radians(camera.pitch))
    reach = ground[inside] @ north + camera.height * np.tan(np.radians(camera.pitch))
    assert reach.max() < FARTHER * depth.max() * 1.01


def test_a_box_at_the_edge_of_the_picture_is_inside() -> None:
    fitted = fit_calibration(sample("hoa-ban_cam1"))
    assert np.isfinite(fitted.to_ground(np.array([[0.5, 1.0], [0.0, 0.7], [1.0, 0.7]]))).all()


def test_a_drawn_region_is_kept() -> None:
    corners = [[0.2, 0.5], [0.8, 0.5], [0.8, 0.9], [0.2, 0.9]]
    fitted = fit_calibration(sample("hoa-ban_cam1", valid=corners))
    assert fitted.valid_region.tolist() == corners
    assert np.isfinite(fitted.to_ground(np.array([[0.5, 0.6], [0.5, 0.45]]))).tolist() == [
        [True, True],
        [False, False],
    ]


def test_the_ground_behind_the_camera_is_not_on_the_picture() -> None:
    fitted = fit_calibration(calibration(SPREAD, Pinhole().ground(SPREAD)))
    assert np.isnan(fitted.to_image(np.array([[0.0, -30.0]]))).all()
    assert fitted.to_image(np.zeros((0, 2))).shape == fitted.to_ground(np.zeros((0, 2))).shape == (0, 2)


# --- What is refused ------------------------------------------------------------------------------------

GROUND = Pinhole().ground(SPREAD)
MIRRORED = GROUND * [-1, 1]
SWAPPED = GROUND[[1, 0, 2, 3]]
HIGH = [[0.1, 0.02], [0.9, 0.02], [0.9, 0.9], [0.1, 0.9]]
LINED = np.array([[0.1, 0.5], [0.3, 0.6], [0.5, 0.7], [0.9, 0.5]])
WRONG = GROUND + np.eye(7)[:, [4]] * [4.0, 2.0]


@pytest.mark.parametrize(
    ("known", "words"),
    [
        pytest.param(calibration(SPREAD, MIRRORED), "the points are mirrored", id="mirrored"),
        pytest.param(calibration(SPREAD[:4], SWAPPED), "not in the same order", id="two swapped"),
        pytest.param(
            calibration(LINED, Pinhole().ground(LINED)),
            "on the picture all points but number 4 lie on a line",
            id="three on a line",
        ),
        pytest.param(
            calibration(SPREAD[:4], np.array([[0.0, 0], [5, 5], [10, 10], [0, 9]])),
            "on the ground all points but number 4 lie on a line",
            id="three on a line on the ground",
        ),
        pytest.param(
            calibration(SPREAD[:4], np.zeros((4, 2))), "on the ground all points", id="one place four times"
        ),
        pytest.param(
            calibration(SPREAD, WRONG), "measure and mark point 5 again", id="one point wrong by 4.5 m"
        ),
        pytest.param(
            calibration(SPREAD[:5], WRONG[:5]), "add points, which shows the wrong one", id="one of five"
        ),
        pytest.param(
            calibration(SPREAD, GROUND, valid=HIGH), "the horizon passes through", id="valid in the sky"
        ),
        pytest.param(
            calibration(SPREAD, GROUND, distortion={"k1": -2}), "folds the picture", id="impossible lens"
        ),
    ],
)
def test_what_cannot_be_trusted_is_refused_in_one_sentence(known: Calibration, words: str) -> None:
    with pytest.raises(CalibrationError) as raised:
        fit_calibration(known)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@settings(max_examples=30, deadline=None)
@given(camera=PINHOLES, axis=st.sampled_from([[1, -1], [-1, 1]]), count=st.integers(4, 7))
def test_mirrored_points_are_always_refused(camera: Pinhole, axis: list[int], count: int) -> None:
    marks = SPREAD[:count]
    with pytest.raises(CalibrationError, match="mirrored"):
        fit_calibration(calibration(marks, camera.ground(marks) * axis))


def test_contradicting_points_may_be_fitted_to_show_their_errors() -> None:
    known = calibration(SPREAD, WRONG)
    fitted = fit_calibration(known, accept_poor=True)
    assert fitted.residuals_m.max() > 0.5
    assert np.nanmax(fitted.leave_one_out_m) > fitted.residuals_m.max()
    with pytest.raises(CalibrationError, match="mirrored"):
        fit_calibration(calibration(SPREAD, MIRRORED), accept_poor=True)


def test_careless_but_honest_points_are_accepted() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        marks = np.vstack((SPREAD, SPREAD[:4] * 0.9 + 0.06))
        ground = Pinhole().ground(marks) + rng.normal(0, 0.3, marks.shape)
        fit_calibration(calibration(marks + rng.normal(0, 0.0015, marks.shape), ground))


# --- Its version ----------------------------------------------------------------------------------------


def test_the_version_names_all_that_determines_the_mapping() -> None:
    moved = sample("hoa-ban_cam1").model_dump(exclude_none=True)
    moved["points"][3]["ground"] = (moved["points"][3]["ground"][0] + 0.001, moved["points"][3]["ground"][1])
    different = [
        sample("hoa-ban_cam1"),
        sample("hoa-ban_cam2"),
        sample("hoa-ban_cam1", distortion={"k1": -0.05}),
        sample("hoa-ban_cam1", distortion={"k1": -0.05, "k2": 0.001}),
        sample("hoa-ban_cam1", valid=[[0.1, 0.5], [0.9, 0.5], [0.5, 0.9]]),
        Calibration.model_validate(moved),
    ]
    versions = [fit_calibration(each).version for each in different]
    assert len(set(versions)) == len(versions)
    assert versions == [fit_calibration(each).version for each in different]
    assert all(int(each, 16) >= 0 and len(each) == 12 for each in versions)


@pytest.mark.parametrize("key", ["ground", "lonlat"])
def test_a_saved_view_keeps_its_calibrations_version(key: str, tmp_path: Path) -> None:
    metres = Pinhole().ground(SPREAD)
    places = metres if key == "ground" else metres / 111_000 + [106.19, 21.27]
    points = [
        {"image": (a + 1e-7).tolist(), key: [round(each, 8) for each in b]}
        for a, b in zip(SPREAD, places.tolist(), strict=True)
    ]
    lens = {"k1": -0.0487, "aspect": 4 / 3}
    view = View.model_validate(
        {
            "gates": [{"id": "a", "line": [[0, 0.5], [1, 0.5]]}],
            "calibration": {"points": points, "distortion": lens},
        }
    )
    save_view(view, tmp_path / "view.yaml")
    assert view.calibration is not None
    again = load_view(tmp_path / "view.yaml").calibration
    assert again is not None
    assert fit(again).version == fit(view.calibration).version
    assert np.abs(fit(again).to_ground(SPREAD) - fit(view.calibration).to_ground(SPREAD)).max() < 1e-3


def fit(known: Calibration) -> GroundMap:
    return fit_calibration(known, accept_poor=True)


# --- The picture ----------------------------------------------------------------------------------------


def test_the_grid_is_drawn_at_whole_meshes_within_the_valid_region() -> None:
    known = sample("hoa-ban_cam1")
    fitted = fit_calibration(known)
    blank = np.zeros((720, 1280, 3), np.uint8)
    drawn, mesh = draw_ground_grid(blank, known, fitted)
    assert mesh == 5
    assert not blank.any(), "the picture given is left alone"
    crossings = np.array([[x, y] for x in range(-10, 11, mesh) for y in range(-20, 1, mesh)], np.float64)
    places = fitted.to_image(crossings)
    places = places[points_in_polygon(places, fitted.valid_region)]
    assert len(places) > 10
    for x, y in (places * [1280, 720]).round().astype(int).tolist():
        assert drawn[y - 2 : y + 3, x - 2 : x + 3].any(axis=2).sum() >= 5
    assert not drawn[60:260].any(), "nothing above the region but the words"
