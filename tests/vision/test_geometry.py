"""Properties that must hold for any points, lines, polygons and boxes."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from vision.geometry import (
    box_areas,
    box_containment,
    box_intersections,
    box_iou,
    box_middles,
    box_sizes,
    clip_polygon,
    is_simple_polygon,
    points_in_polygon,
    polygon_area,
    position_along,
    segments_cross,
    signed_distance,
)

Array = NDArray[np.float64]

settings.register_profile("geometry", max_examples=60, deadline=None)
SETTINGS = settings.get_profile("geometry")

# Quarters of a pixel on a large picture: sums and products of a few are exact.
COORDINATES = st.integers(-4000, 16000).map(lambda n: n / 4)
SHIFTS = arrays(np.float64, 2, elements=COORDINATES)
SCALES = st.sampled_from([0.25, 0.5, 2.0, 8.0])


def points(count: int | None = None) -> st.SearchStrategy[Array]:
    shape = st.integers(1, 8).map(lambda n: (n, 2)) if count is None else st.just((count, 2))
    return arrays(np.float64, shape, elements=COORDINATES)


def lines() -> st.SearchStrategy[Array]:
    """One line that has a length, ``[1, 2, 2]``."""
    return points(2).filter(lambda ends: not np.array_equal(ends[0], ends[1])).map(lambda ends: ends[None])


@st.composite
def stars(draw: st.DrawFn) -> Array:
    """A polygon of 3 to 9 corners around a middle, far from it and near: it hardly ever crosses itself."""
    angles = np.array(draw(st.lists(st.integers(0, 71), min_size=3, max_size=9, unique=True)))
    radii = draw(arrays(np.float64, len(angles), elements=st.integers(200, 4000), fill=st.nothing()))
    turned = np.sort(angles) * (2 * np.pi / 72)
    corners = draw(SHIFTS) + radii[:, None] * np.stack((np.cos(turned), np.sin(turned)), axis=1)
    return np.asarray(np.round(corners * 4) / 4)


@st.composite
def boxes(draw: st.DrawFn) -> Array:
    corner = draw(points())
    sides = draw(arrays(np.float64, corner.shape, elements=st.integers(1, 4000).map(lambda n: n / 4)))
    return np.concatenate((corner, corner + sides), axis=1)


# --- Lines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "point", "expected"),
    [
        pytest.param([[0, 0], [10, 0]], [5, 3], 3, id="left to right: below is the right hand"),
        pytest.param([[0, 0], [10, 0]], [5, -3], -3, id="left to right: above is the left hand"),
        pytest.param([[10, 0], [0, 0]], [5, -3], 3, id="right to left: above is the right hand"),
        pytest.param(
            [[0, 0], [0, 10]], [-2, 5], 2, id="downwards: the left of the picture is the right hand"
        ),
        pytest.param([[0, 10], [0, 0]], [2, 5], 2, id="upwards: the right of the picture is the right hand"),
        pytest.param([[0, 0], [10, 0]], [500, 7], 7, id="beyond the ends the line goes on"),
        pytest.param([[0, 0], [3, 4]], [-4, 3], 5, id="slanted"),
    ],
)
def test_distance_is_positive_on_the_right_hand(line: list, point: list, expected: float) -> None:
    assert signed_distance(np.array([point]), np.array([line])).tolist() == [[pytest.approx(expected)]]


@SETTINGS
@given(points(), lines())
def test_swapping_the_ends_turns_the_sign(where: Array, line: Array) -> None:
    there, back = signed_distance(where, line), signed_distance(where, line[:, ::-1])
    np.testing.assert_allclose(there, -back, atol=1e-6)
    np.testing.assert_allclose(
        position_along(where[:1], line), 1 - position_along(where[:1], line[:, ::-1]), atol=1e-6
    )


@SETTINGS
@given(points(), lines(), SHIFTS, SCALES)
def test_moving_and_scaling_the_picture(where: Array, line: Array, shift: Array, scale: float) -> None:
    before = signed_distance(where, line)
    np.testing.assert_allclose(signed_distance(where + shift, line + shift), before, atol=1e-6)
    np.testing.assert_allclose(signed_distance(where * scale, line * scale), before * scale, atol=1e-6)
    along = position_along(where[:1], line)
    moved = position_along(where[:1] * scale + shift, line * scale + shift)
    np.testing.assert_allclose(moved, along, rtol=1e-6, atol=1e-6)


@SETTINGS
@given(lines(), st.floats(-2, 3), st.floats(-1000, 1000))
def test_distance_and_position_lead_back_to_the_point(line: Array, share: float, away: float) -> None:
    first, second = line[0]
    vector = second - first
    right_hand = np.array([-vector[1], vector[0]]) / np.hypot(*vector)
    point = (first + share * vector + away * right_hand)[None]
    assert signed_distance(point, line)[0, 0] == pytest.approx(away, abs=1e-5)
    assert position_along(point, line)[0] == pytest.approx(share, abs=1e-5 + 1e-3 / np.hypot(*vector))


@SETTINGS
@given(points(), st.lists(lines(), min_size=1, max_size=4))
def test_many_lines_at_once_are_each_line_on_its_own(where: Array, each: list[Array]) -> None:
    together = signed_distance(where, np.concatenate(each))
    assert together.shape == (len(where), len(each))
    np.testing.assert_array_equal(together, np.hstack([signed_distance(where, line) for line in each]))


def test_no_points_and_no_lines() -> None:
    assert signed_distance(np.zeros((0, 2)), np.zeros((3, 2, 2))).shape == (0, 3)
    assert signed_distance(np.zeros((4, 2)), np.zeros((0, 2, 2))).shape == (4, 0)
    assert position_along(np.zeros((0, 2)), np.zeros((0, 2, 2))).shape == (0,)


@SETTINGS
@given(points(2), points(2))
def test_crossing_segments_are_symmetric(a: Array, b: Array) -> None:
    crossing = segments_cross(a, b)
    assert segments_cross(b, a) == segments_cross(a[::-1], b) == segments_cross(a, b[::-1]) == crossing
    assert not segments_cross(a, a)
    assert not segments_cross(a, np.stack((a[1], b[0])))  # an end in common


# --- Polygons -----------------------------------------------------------------------------------------


@SETTINGS
@given(stars() | st.integers(3, 4).flatmap(points), points(8))
def test_points_in_polygon_as_opencv_has_it(polygon: Array, where: Array) -> None:
    assume(is_simple_polygon(polygon))
    contour = polygon.astype(np.float32)
    distance = np.array([cv2.pointPolygonTest(contour, (x, y), True) for x, y in where.tolist()])
    clear = np.abs(distance) > 1e-3  # on the edge, either answer is right
    assert np.array_equal(points_in_polygon(where, polygon)[clear], distance[clear] > 0)


@SETTINGS
@given(st.integers(3, 7).flatmap(points), points(8), st.integers(0, 6), SHIFTS, SCALES)
def test_a_polygon_is_the_same_from_any_corner_and_either_way_around(
    polygon: Array, where: Array, turn: int, shift: Array, scale: float
) -> None:
    inside, area = points_in_polygon(where, polygon), polygon_area(polygon)
    simple = is_simple_polygon(polygon)
    for other in (np.roll(polygon, turn, axis=0), polygon[::-1]):
        assert is_simple_polygon(other) == simple
        assert polygon_area(other) == pytest.approx(area)
    assert np.array_equal(points_in_polygon(where, np.roll(polygon, turn, axis=0)), inside)
    assert np.array_equal(points_in_polygon(where * scale, polygon * scale), inside)
    assert polygon_area(polygon * scale + shift) == pytest.approx(area * scale**2)


@pytest.mark.parametrize(
    ("polygon", "simple", "area"),
    [
        pytest.param([[0, 0], [2, 0], [2, 1], [0, 1]], True, 2, id="rectangle"),
        pytest.param([[0, 0], [2, 1], [2, 0], [0, 1]], False, 0, id="bow tie"),
        pytest.param([[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]], True, 10, id="notched"),
        pytest.param([[0, 0], [1, 1], [2, 2]], False, 0, id="flat"),
        pytest.param([[0, 0], [4, 0], [4, 4], [1, -1]], False, None, id="one corner beyond an edge"),
    ],
)
def test_polygons(polygon: list, simple: bool, area: float | None) -> None:
    assert is_simple_polygon(np.array(polygon)) is simple
    if area is not None:
        assert polygon_area(np.array(polygon)) == pytest.approx(area)


# --- Boxes --------------------------------------------------------------------------------------------


@SETTINGS
@given(boxes(), boxes())
def test_overlaps_are_symmetric_and_within_bounds(a: Array, b: Array) -> None:
    iou, contained = box_iou(a, b), box_containment(a, b)
    assert iou.shape == contained.shape == (len(a), len(b))
    np.testing.assert_array_equal(iou, box_iou(b, a).T)
    np.testing.assert_array_equal(contained, box_containment(b, a).T)
    np.testing.assert_array_equal(box_intersections(a, b), box_intersections(b, a).T)
    assert (iou >= 0).all()
    assert (iou <= contained + 1e-12).all()  # the union is never smaller than the smaller box
    assert (contained <= 1).all()
    apart = (np.minimum(a[:, None, 2:], b[:, 2:]) <= np.maximum(a[:, None, :2], b[:, :2])).any(axis=2)
    assert np.array_equal(iou == 0, apart)


@SETTINGS
@given(boxes(), boxes(), SHIFTS, SCALES)
def test_overlaps_do_not_depend_on_place_and_scale(a: Array, b: Array, shift: Array, scale: float) -> None:
    move = np.tile(shift, 2)
    np.testing.assert_allclose(box_iou(a * scale + move, b * scale + move), box_iou(a, b), atol=1e-9)
    np.testing.assert_allclose(box_sizes(a * 8) / 8, np.sqrt(box_areas(a * 8)) / 8)


@SETTINGS
@given(points(3), st.tuples(st.integers(-4, 4), st.integers(-4, 4), COORDINATES).filter(lambda n: any(n[:2])))
def test_a_polygon_is_cut_in_two(polygon: Array, numbers: tuple[float, ...]) -> None:
    line = np.array(numbers)
    here, there = clip_polygon(polygon, line), clip_polygon(polygon, -line)
    whole = polygon_area(polygon)
    areas = [polygon_area(each) if len(each) else 0.0 for each in (here, there)]
    np.testing.assert_allclose(sum(areas), whole, atol=1e-6 * (1 + whole))
    assert (here @ line[:2] + line[2] >= -1e-6).all()
    assert (there @ line[:2] + line[2] <= 1e-6).all()


@SETTINGS
@given(boxes(), st.floats(0.1, 1))
def test_a_box_within_another(outer: Array, share: float) -> None:
    middle, half = np.tile(box_middles(outer), 2), (outer[:, 2:] - outer[:, :2]) / 2
    inner = middle + np.concatenate((-half, half), axis=1) * share
    np.testing.assert_allclose(np.diag(box_containment(inner, outer)), 1)
    np.testing.assert_allclose(np.diag(box_iou(inner, outer)), share**2)
    np.testing.assert_allclose(np.diag(box_iou(outer, outer)), 1)
    np.testing.assert_allclose(box_middles(inner), box_middles(outer), atol=1e-9)


def test_no_boxes() -> None:
    none, one = np.zeros((0, 4)), np.array([[0.0, 0, 2, 2]])
    assert box_iou(none, one).shape == (0, 1)
    assert box_containment(one, none).shape == (1, 0)
    assert box_sizes(none).shape == (0,)


def test_a_box_without_an_area_overlaps_nothing() -> None:
    flat, one = np.array([[1.0, 1, 1, 1]]), np.array([[0.0, 0, 2, 2]])
    assert box_iou(flat, one) == 0
    assert box_iou(flat, flat) == 0
    assert box_sizes(flat) == 1  # at least a pixel, so that lengths can be divided by it
