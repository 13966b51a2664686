"""What a drawing is worth before it is saved: faults by field, the calibration's error, vehicles' paths."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from vision import Tracks, VehicleClass, View
from vision.calibration import fit_calibration
from vision.errors import CalibrationError
from vision.ground_grid import ground_grid
from vision.view_parts import Calibration, Fault

MOST_PATHS = 400
"""Paths drawn at most: the longest."""

_SHORTEST = 0.05
"""Paths shorter than this share of the picture's width show nothing."""

_AWAY_S = 5.0
"""A number that comes back after so many seconds is another vehicle's: the worker has begun anew."""

_STEP = 0.004
"""Points closer than this to the one before are left out."""


@dataclass(frozen=True, slots=True)
class DrawingFault:
    """One thing wrong with a drawing; ``field`` is where, such as ``gates.0.line``."""

    field: str
    problem: str


@dataclass(frozen=True, slots=True)
class CalibrationCheck:
    """How well a calibration fits.

    Attributes:
        usable: whether speeds and densities may be had from it.
        problem: why not.
        error_m: median error of a point left out, metres; None with four points, which fit always.
        residuals_m: of each point, metres.
        extent_m: metres between the two points farthest apart.
        region: ``[K, 2]`` polygon on the picture where it holds.
        grid: lines of the ground, ``grid_m`` metres apart, as lists of points on the picture.
        grid_m: metres from one line to the next.
    """

    usable: bool
    problem: str = ""
    error_m: float | None = None
    residuals_m: tuple[float, ...] = ()
    extent_m: float | None = None
    region: tuple[tuple[float, float], ...] = ()
    grid: tuple[tuple[tuple[float, float], ...], ...] = ()
    grid_m: float | None = None


def check_view(definition: Mapping[str, Any]) -> tuple[View | None, list[DrawingFault]]:
    """The view that a definition describes, or what is wrong with it, each with its field."""
    try:
        return View.model_validate(definition), []
    except ValidationError as error:
        return None, [_fault(dict(each)) for each in error.errors()]


def check_ground(definition: Mapping[str, Any]) -> CalibrationCheck | None:
    """How good a definition's calibration is, whatever else is wrong; None where it has no whole one."""
    try:
        return check_calibration(Calibration.model_validate(definition.get("calibration")))
    except ValidationError:
        return None


def check_calibration(calibration: Calibration) -> CalibrationCheck:
    """Fit a calibration and say how good it is; one that is refused is still shown where it can be fitted."""
    problem = ""
    try:
        ground = fit_calibration(calibration)
    except CalibrationError as refused:
        problem = str(refused)
        try:
            ground = fit_calibration(calibration, accept_poor=True)
        except CalibrationError:
            return CalibrationCheck(usable=False, problem=problem)
    left_out = ground.leave_one_out_m[np.isfinite(ground.leave_one_out_m)]
    mesh, lines = ground_grid(ground)
    return CalibrationCheck(
        usable=not problem,
        problem=problem,
        error_m=float(np.median(left_out)) if len(left_out) else None,
        residuals_m=tuple(float(each) for each in ground.residuals_m),
        extent_m=ground.extent_m,
        region=_points(ground.valid_region),
        grid=tuple(_points(line[:: max(1, len(line) // 40)]) for line in lines),
        grid_m=float(mesh),
    )


def vehicle_paths(
    frames: Iterable[tuple[int, float, Tracks]], size: tuple[int, int]
) -> list[dict[str, object]]:
    """Where vehicles went, longest first: ``{"class": "car", "points": [[x, y], …]}`` in image fractions.

    Args:
        frames: index, time and tracks of each frame.
        size: width and height of the picture in pixels.
    """
    ids, places, classes, times = [], [], [], []
    for _, time, tracks in frames:
        ids.append(tracks.track_id)
        places.append(tracks.ground_points)
        classes.append(tracks.class_id)
        times.append(np.full(len(tracks), time))
    if not ids:
        return []
    track, kind = np.concatenate(ids), np.concatenate(classes)
    place = np.concatenate(places) / np.asarray(size)
    order = np.argsort(track, kind="stable")
    away = np.diff(np.concatenate(times)[order], prepend=0) > _AWAY_S
    begins = np.flatnonzero((np.diff(track[order], prepend=-1) != 0) | away)
    found = []
    for rows in np.split(order, begins[1:]) if len(order) else []:
        points = _thinned(place[rows])
        length = float(np.hypot(*np.diff(points, axis=0).T).sum()) if len(points) > 1 else 0.0
        if length >= _SHORTEST:
            found.append((length, int(kind[rows[-1]]), points))
    found.sort(key=lambda each: -each[0])
    return [
        {"class": VehicleClass(number).label, "points": points.round(4).tolist()}
        for _, number, points in found[:MOST_PATHS]
    ]


def _fault(error: dict[str, Any]) -> DrawingFault:
    cause = error.get("ctx", {}).get("error")
    location = tuple(step for step in error["loc"] if step != "[key]")
    location += cause.location if isinstance(cause, Fault) else ()
    problem = str(error["msg"]).removeprefix("Value error, ")
    return DrawingFault(".".join(str(step) for step in location) or "view", problem)


def _thinned(points: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    kept = [0]
    for number in range(1, len(points)):
        if np.abs(points[number] - points[kept[-1]]).max() >= _STEP:
            kept.append(number)
    return points[kept]


def _points(points: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 5), round(float(y), 5)) for x, y in points)
