"""A grid of metres drawn on the picture, to see whether a calibration fits the road."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.calibration import GroundMap, measured_points
from vision.geometry import points_in_polygon
from vision.view_parts import Calibration

_GRID, _REGION, _MARK, _FITTED = (255, 220, 120), (255, 255, 255), (80, 220, 255), (60, 60, 255)
_MESHES = (1, 2, 5, 10, 20, 50, 100)
_LINES = 40
"""At most so many grid lines in one direction."""


def draw_ground_grid(
    image: NDArray[np.uint8], calibration: Calibration, ground_map: GroundMap
) -> tuple[NDArray[np.uint8], int]:
    """Draw the grid within the valid region, each mark with its number, and where the mapping puts it.

    A red line leads from each mark (yellow) to where its measured ground point falls: the longer, the worse.

    Args:
        image: ``uint8[H, W, 3]``, BGR.
        calibration: the points to show.
        ground_map: what was fitted to them.

    Returns:
        A copy of the picture, and the mesh of the grid in metres.
    """
    canvas = image.copy()
    scale = max(1, round(image.shape[1] / 1280))
    mesh, paths = ground_grid(ground_map)
    for path in paths:
        _draw_path(canvas, path, _GRID, scale)
    region = ground_map.valid_region
    _draw_path(canvas, np.vstack((region, region[:1])), _REGION, scale)
    marks, ground = measured_points(calibration)
    for number, (mark, fitted) in enumerate(zip(marks, ground_map.to_image(ground), strict=True), start=1):
        x, y = _pixels(canvas, mark[None])[0].tolist()
        cv2.drawMarker(canvas, (x, y), _MARK, cv2.MARKER_CROSS, 14 * scale, 2 * scale, cv2.LINE_AA)
        if np.isfinite(fitted).all():
            end = _pixels(canvas, fitted[None])[0].tolist()
            cv2.line(canvas, (x, y), end, _FITTED, scale, cv2.LINE_AA)
            cv2.circle(canvas, end, 4 * scale, _FITTED, scale, cv2.LINE_AA)
        _write(canvas, str(number), (x + 8 * scale, y - 8 * scale), scale)
    _write(canvas, f"one mesh is {mesh} m by {mesh} m", (12 * scale, 28 * scale), scale)
    return canvas, mesh


def ground_grid(ground_map: GroundMap) -> tuple[int, list[NDArray[np.float64]]]:
    """The mesh in metres and the grid's lines within the valid region, each ``[N, 2]`` image fractions."""
    mesh, lines = _grid_lines(ground_map)
    return mesh, [path for line in lines for path in _visible(ground_map, line)]


def _grid_lines(ground_map: GroundMap) -> tuple[int, list[NDArray[np.float64]]]:
    """The mesh in metres and the lines, each ``[N, 2]`` ground points, over the whole valid region."""
    across = np.linspace(0, 1, 60)
    corners = ground_map.valid_region
    inside = np.stack(np.meshgrid(*(low + (high - low) * across for low, high in _span(corners))), axis=-1)
    ground = ground_map.to_ground(inside.reshape(-1, 2))
    ground = ground[np.isfinite(ground).all(axis=1)]
    if not len(ground):
        return _MESHES[0], []
    spans = _span(ground)
    longest = max(high - low for low, high in spans)
    mesh = next((each for each in _MESHES if longest / each <= _LINES), _MESHES[-1])
    (west, east), (south, north) = (
        (np.floor(low / mesh) * mesh, np.ceil(high / mesh) * mesh) for low, high in spans
    )
    many = np.linspace(0, 1, 400)
    along_y, along_x = south + (north - south) * many, west + (east - west) * many
    lines = [np.column_stack((np.full(400, x), along_y)) for x in np.arange(west, east + mesh / 2, mesh)]
    lines += [np.column_stack((along_x, np.full(400, y))) for y in np.arange(south, north + mesh / 2, mesh)]
    return mesh, lines


def _span(points: NDArray[np.float64]) -> list[tuple[float, float]]:
    return list(zip(points.min(axis=0).tolist(), points.max(axis=0).tolist(), strict=True))


def _visible(ground_map: GroundMap, line: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The pieces of a line of ground points that lie in the valid region, in image fractions."""
    path = ground_map.to_image(line)
    inside = points_in_polygon(path, ground_map.valid_region)
    ends = np.flatnonzero(np.diff(inside.astype(int))) + 1
    pieces = zip(np.split(path, ends), np.split(inside, ends), strict=True)
    return [piece for piece, shown in pieces if shown[0] and len(piece) > 1]


def _pixels(canvas: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.int32]:
    # Far outside the picture, drawing would overflow.
    return (np.clip(points, -3, 4) * [canvas.shape[1], canvas.shape[0]]).round().astype(np.int32)


def _draw_path(
    canvas: NDArray[np.uint8], path: NDArray[np.float64], colour: tuple[int, int, int], width: int
) -> None:
    sixteenths = (
        (np.clip(path, -3, 4) * [canvas.shape[1] * 16, canvas.shape[0] * 16]).round().astype(np.int32)
    )
    cv2.polylines(canvas, [sixteenths], False, colour, width, cv2.LINE_AA, shift=4)


def _write(canvas: NDArray[np.uint8], words: str, place: tuple[int, int], scale: int) -> None:
    shadow = (place[0] + scale, place[1] + scale)
    for colour, where in (((0, 0, 0), shadow), (_MARK, place)):
        cv2.putText(canvas, words, where, cv2.FONT_HERSHEY_SIMPLEX, 0.55 * scale, colour, scale, cv2.LINE_AA)
