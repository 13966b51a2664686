"""From the picture to the ground: a homography fitted to measured points, and how far it can be trusted."""

import hashlib
import json
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from vision.errors import CalibrationError
from vision.geometry import clip_polygon, points_in_polygon
from vision.lens import bend, straighten
from vision.view_parts import Calibration, Distortion

Array = NDArray[np.float64]

POOR_SHARE = 0.05
"""Refused above: the median leave-one-out error and the largest error of a point, as shares of the distance
that the points span. Lengths between positions are then wrong by about as much, and so are speeds."""

ENLARGED = 1.2
"""The default valid region is the points' convex hull, this many times as large about its middle ..."""

FARTHER = 1.5
"""... but nowhere more than this many times as far from the camera as the farthest point."""

_METHOD = 1
"""Grows when the same calibration would be fitted to another mapping, so that its version changes too."""

_FLAT = 0.01
"""Points are on a line when they spread across it by less than this share of their spread along it."""

_EDGE = 0.001
"""A box that the picture's edge cuts has its ground point on that edge; this much beyond it is inside."""


@dataclass(frozen=True, slots=True, eq=False)
class GroundMap:
    """The mapping between the picture and the ground, made by :func:`fit_calibration`.

    Image points are fractions of the picture's width and height, ground points metres east and north.
    """

    version: str
    """Hexadecimal id of all that determines the mapping; every speed and density carries it."""
    residuals_m: Array
    """``[P]``, metres between each measured ground point and where the mapping puts its image."""
    leave_one_out_m: Array
    """``[P]``, the same with the mapping fitted to the other points alone: infinite where that puts the
    image point beyond the horizon, NaN where the others determine none (always with four points)."""
    valid_region: Array
    """``[K, 2]``, open polygon in image fractions within which positions may be used."""
    extent_m: float
    """Metres between the two measured points farthest apart."""
    _homography: Array
    _distortion: Distortion | None

    def to_ground(self, points: Array) -> Array:
        """Ground points ``[N, 2]`` in metres of image points ``[N, 2]``; NaN outside the valid region."""
        points = np.asarray(points, np.float64).reshape(-1, 2)
        ground = _project(self._homography, straighten(points, self._distortion))
        ground[~points_in_polygon(points, self.valid_region)] = np.nan
        return ground

    def to_image(self, ground: Array) -> Array:
        """Image points ``[N, 2]`` of ground points ``[N, 2]``; NaN behind the camera, else anywhere."""
        ground = np.asarray(ground, np.float64).reshape(-1, 2)
        return bend(
            _project(np.asarray(np.linalg.inv(self._homography), np.float64), ground), self._distortion
        )

    def scale_at(self, points: Array) -> Array:
        """How many metres a step on the picture is, around image points ``[N, 2]``.

        Returns:
            ``[N, 2, 2]``, the derivative of the ground point (rows: east, north) by the image point
            (columns: share of the width, of the height); its determinant is the area on the ground that
            a unit of area on the picture shows. NaN outside the valid region.
        """
        points = np.asarray(points, np.float64).reshape(-1, 2)
        step = 1e-5
        columns = []
        for move in (np.array([step, 0.0]), np.array([0.0, step])):
            ends = [
                _project(self._homography, straighten(each, self._distortion))
                for each in (points - move, points + move)
            ]
            columns.append((ends[1] - ends[0]) / (2 * step))
        scale = np.stack(columns, axis=2)
        scale[~points_in_polygon(points, self.valid_region)] = np.nan
        return scale


def fit_calibration(calibration: Calibration, *, accept_poor: bool = False) -> GroundMap:
    """Fit the mapping of a view's calibration.

    The image points are freed of the lens's distortion, then a homography is fitted by least squares of
    the distances on the ground (direct linear transform, refined by Levenberg and Marquardt: Hartley and
    Zisserman, "Multiple View Geometry", 2nd edition, 4.1 and 4.5).

    Args:
        calibration: the points, the lens and the region.
        accept_poor: fit points that contradict each other too, to show by how much; never to measure.

    Raises:
        CalibrationError: the points do not determine a mapping, contradict each other, or the region where it
            shall be valid reaches the horizon; the message says which and what to do.
    """
    image, ground = measured_points(calibration)
    straight = straighten(image, calibration.distortion)
    if not np.isfinite(straight).all():
        raise CalibrationError(
            "the distortion folds the picture over itself; correct k1 and k2, which are in picture widths"
        )
    _refuse_lines(straight, "picture")
    _refuse_lines(ground, "ground")
    homography = _fit(straight, ground)
    _refuse_order(homography, straight)
    residuals = _distances(homography, straight, ground)
    left_out, culprit = _leave_one_out(straight, ground)
    extent = float(max(np.hypot(*(ground - each).T).max() for each in ground))
    if not accept_poor:
        _refuse_contradiction(residuals, left_out, culprit, extent)
    return GroundMap(
        version=_version(calibration),
        residuals_m=residuals,
        leave_one_out_m=left_out,
        valid_region=_valid_region(calibration, homography, straight),
        extent_m=extent,
        _homography=homography,
        _distortion=calibration.distortion,
    )


def marking_error(calibration: Calibration, points: Array, share: float = 0.001) -> Array:
    """How far positions move when points are marked inexactly on the picture: the same for four points too.

    Args:
        calibration: the points and the lens.
        points: image points ``[N, 2]``.
        share: standard error of the marks in each direction; the default is about a pixel.

    Returns:
        ``[N]``, standard error in metres (each mark moved alone, effects added as squares).
    """
    image, ground = measured_points(calibration)
    marks = np.stack(
        [image, *(image + move for move in share * np.eye(image.size).reshape(-1, *image.shape))]
    )
    straight = straighten(marks.reshape(-1, 2), calibration.distortion).reshape(marks.shape)
    targets = straighten(np.asarray(points, np.float64), calibration.distortion)
    moved = np.stack([_project(_fit(each, ground), targets) for each in straight])
    return np.asarray(np.sqrt(((moved[1:] - moved[0]) ** 2).sum(axis=(0, 2))), np.float64)


def find_distortion(calibration: Calibration, aspect: float = 16 / 9) -> Distortion | None:
    """The distortion ``k1`` with which the points agree best, or none where they hardly tell it.

    Args:
        calibration: its own distortion is not looked at.
        aspect: width over height of the picture.

    Returns:
        none with fewer than eight points, or where the leave-one-out error falls by less than a third.
    """
    image, ground = measured_points(calibration)
    if len(image) < 8:
        return None

    def misfit(k1: float) -> float:
        straight = straighten(image, Distortion(k1=k1, aspect=aspect))
        if not np.isfinite(straight).all():
            return float("inf")
        return float((_distances(_fit(straight, ground), straight, ground) ** 2).mean())

    best = minimize_scalar(misfit, bounds=(-0.5, 0.5), method="bounded", options={"xatol": 1e-5}).x
    found = Distortion(k1=round(float(best), 4), aspect=round(aspect, 4))
    errors = [_leave_one_out(straighten(image, each), ground)[0] for each in (None, found)]
    plain, better = (float(np.nanmedian(each)) for each in errors)
    return found if better < plain * 2 / 3 else None


def measured_points(calibration: Calibration) -> tuple[Array, Array]:
    """Image points ``[P, 2]`` in fractions and their ground points ``[P, 2]`` in metres.

    Longitudes and latitudes become metres east and north of the points' mean, on the plane that touches
    the WGS 84 ellipsoid there, by its two radii of curvature (NIMA TR8350.2, 3rd edition, for the ellipsoid;
    Snyder, "Map Projections", USGS Professional Paper 1395, equations 4-18 and 4-20, for the radii).
    """
    if calibration.rectangle is not None:
        corners = np.asarray(calibration.rectangle.corners, np.float64)
        length, width = calibration.rectangle.length_m, calibration.rectangle.width_m
        x, y = corners.T
        # Seen from above, a turn to the left on the ground is one to the left on the picture.
        turn = -np.sign((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
        return corners, np.array([[0, 0], [length, 0], [length, turn * width], [0, turn * width]])
    points = calibration.points or []
    image = np.array([point.image for point in points], np.float64)
    if points[0].lonlat is None:
        return image, np.array([point.ground for point in points], np.float64)
    lonlat = np.radians(np.array([point.lonlat for point in points], np.float64))
    middle = lonlat.mean(axis=0)
    semi_axis, flattening = 6378137.0, 1 / 298.257223563
    squared = flattening * (2 - flattening)
    bulge = 1 - squared * np.sin(middle[1]) ** 2
    radius_east = semi_axis / np.sqrt(bulge) * np.cos(middle[1])
    radius_north = semi_axis * (1 - squared) / bulge**1.5
    return image, (lonlat - middle) * [radius_east, radius_north]


def _fit(straight: Array, ground: Array) -> Array:
    """Homography ``[3, 3]`` from the picture to the ground; its third row is positive before the horizon."""
    # OpenCV counts in single precision, for which coordinates of a national grid are too large.
    middle = ground.mean(axis=0)
    homography, _ = cv2.findHomography(straight, ground - middle, 0)
    if homography is None or abs(np.linalg.det(homography)) < 1e-12:
        raise CalibrationError("the points determine no mapping; spread them over the road, not along a line")
    homography[:2] += middle[:, None] * homography[2]
    nearness = straight @ homography[2, :2] + homography[2, 2]
    return np.asarray(homography * np.sign(nearness.sum()), np.float64)


def _project(homography: Array, points: Array) -> Array:
    """Points ``[N, 2]`` carried over; NaN from the horizon on."""
    carried = points @ homography[:, :2].T + homography[:, 2]
    with np.errstate(invalid="ignore"):
        carried[~(carried[:, 2] > 0)] = np.nan
    return np.asarray(carried[:, :2] / carried[:, 2:], np.float64)


def _distances(homography: Array, straight: Array, ground: Array) -> Array:
    return np.asarray(np.hypot(*(_project(homography, straight) - ground).T), np.float64)


def _refuse_lines(points: Array, where: str) -> None:
    """A homography needs four points of which no three are on a line."""
    for number in range(len(points)):
        rest = np.delete(points, number, axis=0)
        along, across = np.linalg.svd(rest - rest.mean(axis=0), compute_uv=False)[:2]
        if across <= _FLAT * along:
            raise CalibrationError(
                f"on the {where} all points but number {number + 1} lie on a line; "
                "add points to both sides of it"
            )


def _refuse_order(homography: Array, straight: Array) -> None:
    nearness = straight @ homography[2, :2] + homography[2, 2]
    if (nearness <= 0).any():
        raise CalibrationError(
            "the points are not in the same order on the picture and on the ground: some would lie beyond "
            "the horizon; see that each image point belongs to its ground point"
        )
    if np.linalg.det(homography) > 0:
        raise CalibrationError(
            "the points are mirrored: the ground would be seen from below; ground coordinates run to the "
            "right and upwards on a map (east, north), so change the sign of y if yours runs downwards"
        )


def _leave_one_out(straight: Array, ground: Array) -> tuple[Array, int]:
    """Error of each point by the others ``[P]`` in metres, and without which point they agree best."""
    errors = np.full(len(ground), np.nan)
    others = np.full(len(ground), np.inf)
    if len(ground) > 4:
        for number in range(len(ground)):
            rest = np.delete(np.arange(len(ground)), number)
            try:
                _refuse_lines(straight[rest], "picture")
                homography = _fit(straight[rest], ground[rest])
            except CalibrationError:
                continue
            apart = np.nan_to_num(_distances(homography, straight, ground), nan=np.inf)
            errors[number] = apart[number]
            others[number] = np.sqrt((apart[rest] ** 2).mean())
    return errors, int(np.argmin(others))


def _refuse_contradiction(residuals: Array, left_out: Array, culprit: int, extent: float) -> None:
    known = left_out[~np.isnan(left_out)]
    # The middle one: the farthest point is always put badly by the others, which lie on one side of it.
    typical = float(np.median(known)) if len(known) else 0.0
    if typical <= POOR_SHARE * extent and residuals.max() <= POOR_SHARE * extent:
        return
    # Any four points agree exactly, so that of five contradicting ones none stands out.
    where = f"{left_out[culprit]:.1f} m away" if np.isfinite(left_out[culprit]) else "beyond the horizon"
    advice = (
        f"measure and mark point {culprit + 1} again, which the others put {where}"
        if len(residuals) > 5
        else "add points, which shows the wrong one, or measure them again"
    )
    raise CalibrationError(
        f"the points contradict each other: they are up to {residuals.max():.1f} m off, and typically "
        f"{typical:.1f} m from where the others put them; {POOR_SHARE:.0%} of the {extent:.0f} m that they "
        f"span are allowed; {advice}"
    )


def _valid_region(calibration: Calibration, homography: Array, straight: Array) -> Array:
    """The polygon given, else around the points; within the picture and before the horizon. ``[K, 2]``."""
    horizon = homography[2]
    if calibration.valid is not None:
        region = np.asarray(calibration.valid, np.float64)
        flat = straighten(region, calibration.distortion)
        if not (flat @ horizon[:2] + horizon[2] > 0).all():
            raise CalibrationError(
                "the horizon passes through the polygon `valid`; keep it on the road, well below the horizon"
            )
    else:
        hull = cv2.convexHull(straight.astype(np.float32))[:, 0].astype(np.float64)
        middle = hull.mean(axis=0)
        farthest = (straight @ horizon[:2] + horizon[2]).min()
        region = clip_polygon(middle + ENLARGED * (hull - middle), horizon - [0, 0, farthest / FARTHER])
        region = bend(region, calibration.distortion)
        region = region[np.isfinite(region).all(axis=1)]
    for line in ([1, 0, _EDGE], [-1, 0, 1 + _EDGE], [0, 1, _EDGE], [0, -1, 1 + _EDGE]):
        region = clip_polygon(region, np.array(line, np.float64))
    if len(region) < 3:
        raise CalibrationError("nothing of the region where the mapping is valid lies within the picture")
    return region


def _version(calibration: Calibration) -> str:
    known = calibration.model_dump(mode="json", exclude_none=True) | {"method": _METHOD}
    # Nine decimals are what a file of the view holds.
    saved = json.loads(json.dumps(known), parse_float=lambda number: round(float(number), 9))
    return hashlib.sha256(json.dumps(saved, sort_keys=True).encode()).hexdigest()[:12]
