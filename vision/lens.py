"""The lens: where points would be seen if it did not bend straight lines, and where it shows them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.view_parts import Distortion

Array = NDArray[np.float64]


def _lens(distortion: Distortion) -> tuple[Array, Array]:
    """OpenCV's camera matrix and coefficients for a camera whose focal length is the picture's width."""
    return np.array([[1, 0, 0.5], [0, distortion.aspect, 0.5], [0, 0, 1]]), np.array(
        [distortion.k1, distortion.k2, 0, 0]
    )


def straighten(points: Array, distortion: Distortion | None) -> Array:
    """Where image points ``[N, 2]``, in fractions, would be seen without distortion; NaN where nothing is."""
    if distortion is None or not len(points):
        return points
    matrix, coefficients = _lens(distortion)
    enough = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-12)
    found = cv2.undistortPoints(points[:, None], matrix, coefficients, P=matrix, criteria=enough)
    straight = np.asarray(found[:, 0], np.float64)
    # Beyond the fold of its polynomial a lens has no inverse, and the search ends anywhere.
    good = np.abs(bend(straight, distortion) - points).max(axis=1) < 1e-6
    return np.where(good[:, None], straight, np.nan)


def bend(points: Array, distortion: Distortion | None) -> Array:
    """Where undistorted points ``[N, 2]`` are seen; NaN beyond the fold of the lens's polynomial."""
    if distortion is None:
        return points
    middle = np.array([0.5, 0.5])
    squared = (((points - middle) / [1, distortion.aspect]) ** 2).sum(axis=1, keepdims=True)
    growth = 1 + 3 * distortion.k1 * squared + 5 * distortion.k2 * squared**2
    bent = middle + (points - middle) * (1 + distortion.k1 * squared + distortion.k2 * squared**2)
    return np.where(growth > 0, bent, np.nan)
