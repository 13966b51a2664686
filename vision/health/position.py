"""Where a camera looks, compared with an earlier picture: robust to light, shadows and traffic."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

_PATCH = 40
"""Side in pixels of the patches of the small picture that are sought in the other one."""
_REACH = 12
"""How far they are sought, in pixels to each side."""
_MOST_PATCHES = 30
_MARGIN = 0.08
"""Share of the height at the top and bottom that is left out: texts stand there, whatever the camera does."""
_WEAK = 16.0
"""Squared slope at which an edge counts half: contrast then hardly matters, so day and night look alike."""
_PEAK, _LEAD = 0.35, 0.03
"""Least correlation of a patch's place, and its lead over the next best place."""
_TOLERANCE = 3.0
"""Pixels by which a patch may lie beside the common motion."""
_LEAST = 5
_SPREAD = 0.3
"""Share of the width over which the agreeing places must spread."""
_CLOSER = 0.2
"""Share of patches from which a motion found by features is refined by them."""
_FEATURES = 400
_LEAST_CELLS = 9
"""Cells of 20 pixels with agreeing features; pictures of different cameras have at most 4."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How a picture lies against an earlier one.

    Attributes:
        matrix: ``float64[3, 3]`` similarity, from the earlier picture's pixels to those of the later one.
        match: share of what was sought that agrees.
    """

    matrix: NDArray[np.float64]
    match: float


class Scene:
    """One small grey picture, prepared to be compared with others of the same size.

    Args:
        grey: ``uint8[H, W]`` of some 57,600 pixels, best a median without vehicles.
    """

    def __init__(self, grey: NDArray[np.uint8]) -> None:
        self.grey = grey
        self.size = (grey.shape[1], grey.shape[0])

    @cached_property
    def edges(self) -> NDArray[np.float32]:
        """``float32[H, W, 2]``: direction of the slope with the angle doubled, so that neither contrast nor
        its sign matters."""
        smooth = cv2.GaussianBlur(self.grey, (0, 0), 1.2)
        across = cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 32)
        down = cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 32)
        a, d = cv2.multiply(across, across), cv2.multiply(down, down)
        power = a + d + np.float32(_WEAK)
        return np.dstack(((a - d) / power, 2 * cv2.multiply(across, down) / power)).astype(np.float32)

    @cached_property
    def patches(self) -> list[tuple[int, int]]:
        """Left tops of the patches with most structure, spread over the picture."""
        width, height = self.size
        margin = round(height * _MARGIN)
        strength = cv2.boxFilter((self.edges**2).sum(axis=2), -1, (_PATCH, _PATCH))
        half = _PATCH // 2
        places = [
            (float(strength[y + half, x + half]), x, y)
            for y in range(margin, height - margin - _PATCH + 1, half)
            for x in range(0, width - _PATCH + 1, half)
        ]
        chosen: list[tuple[int, int]] = []
        for power, x, y in sorted(places, reverse=True):
            if power < 0.02 or len(chosen) >= _MOST_PATCHES:
                break
            if all(abs(x - a) >= 0.75 * _PATCH or abs(y - b) >= 0.75 * _PATCH for a, b in chosen):
                chosen.append((x, y))
        return chosen

    @cached_property
    def features(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Places ``float32[N, 2]`` and descriptors ``float32[N, 128]``."""
        mask = np.zeros(self.grey.shape, np.uint8)
        margin = round(self.size[1] * _MARGIN)
        mask[margin : self.size[1] - margin] = 255
        finder = cv2.SIFT.create(nfeatures=_FEATURES, contrastThreshold=0.02)
        found, descriptors = finder.detectAndCompute(self.grey, mask)
        if descriptors is None:
            return np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
        # Hellinger's distance tells such descriptors apart better than Euclid's.
        roots = np.sqrt(descriptors / (descriptors.sum(axis=1, keepdims=True) + 1e-6))
        return np.array([each.pt for each in found], np.float32), roots.astype(np.float32)


def place_nearby(before: Scene, now: Scene) -> Placement | None:
    """Motion of up to some 4 % of the width; None where too little agrees. Costs a few milliseconds."""
    if not before.patches or before.size != now.size:
        return None
    around = cv2.copyMakeBorder(now.edges, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_CONSTANT, value=0)
    origin, target = [], []
    for x, y in before.patches:
        window = around[y : y + _PATCH + 2 * _REACH, x : x + _PATCH + 2 * _REACH]
        patch = before.edges[y : y + _PATCH, x : x + _PATCH]
        score = cv2.matchTemplate(window, patch, cv2.TM_CCORR_NORMED)
        _, peak, _, (column, row) = cv2.minMaxLoc(score)
        if peak < _PEAK or not np.isfinite(peak):
            continue
        score[max(0, row - 5) : row + 6, max(0, column - 5) : column + 6] = -1
        if peak - score.max() < _LEAD:
            continue
        origin.append((x + _PATCH / 2, y + _PATCH / 2))
        target.append((x + _PATCH / 2 + column - _REACH, y + _PATCH / 2 + row - _REACH))
    fit = _fit(np.array(origin, np.float32), np.array(target, np.float32), before.size)
    if fit is None:
        return None
    matrix, agree = fit
    return Placement(matrix, float(agree.sum()) / len(before.patches))


def place_anywhere(before: Scene, now: Scene) -> Placement | None:
    """Any motion that leaves a part of the picture in view; None where none is found. Costs tens of ms."""
    (places, one), (others, two) = before.features, now.features
    if min(len(places), len(others)) < 10 or before.size != now.size:
        return None
    likeness = one @ two.T
    best, back = likeness.argmax(axis=1), likeness.argmax(axis=0)
    second, first = np.sort(np.partition(likeness, -2, axis=1)[:, -2:], axis=1).T
    clear = np.maximum(1 - first, 0) < 0.82**2 * np.maximum(1 - second, 1e-9)
    good = clear & (back[best] == np.arange(len(best)))
    origin = places[good]
    fit = _fit(origin, others[best[good]], before.size)
    if fit is None:
        return None
    matrix, agree = fit
    if len({(int(x // 20), int(y // 20)) for x, y in origin[agree]}) < _LEAST_CELLS:
        return None
    return Placement(matrix, float(agree.mean()))


def refined(placed: Placement, before: Scene, now: Scene) -> Placement:
    """A more exact placement of a larger motion: it is undone, and what is left is measured by patches."""
    undone = cv2.warpAffine(
        now.grey, placed.matrix[:2], before.size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    left = place_nearby(before, Scene(np.asarray(undone, np.uint8)))
    if left is None or left.match < _CLOSER or shift_of(left.matrix, before.size) > _REACH / before.size[0]:
        return placed
    return Placement(placed.matrix @ left.matrix, placed.match)


def shift_of(matrix: NDArray[np.float64], size: tuple[int, int]) -> float:
    """Largest shift within the middle four fifths of the picture, as a fraction of its width."""
    width, height = size
    x, y = np.meshgrid((0.1 * width, 0.5 * width, 0.9 * width), (0.1 * height, 0.5 * height, 0.9 * height))
    points = np.stack((x.ravel(), y.ravel(), np.ones(x.size)))
    return float(np.hypot(*((matrix @ points) - points)[:2]).max() / width)


def in_fractions(matrix: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """The motion as ``float64[2, 3]`` on fractions of width and height."""
    scale = np.diag([size[0], size[1], 1.0])
    fractions: NDArray[np.float64] = (np.linalg.inv(scale) @ matrix @ scale)[:2]
    return fractions


def _fit(
    origin: NDArray[np.float32], target: NDArray[np.float32], size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """The similarity most places agree on, and which do."""
    if len(origin) < _LEAST:
        return None
    matrix, agree = cv2.estimateAffinePartial2D(
        np.ascontiguousarray(origin),
        np.ascontiguousarray(target),
        method=cv2.RANSAC,
        ransacReprojThreshold=_TOLERANCE,
        maxIters=500,
        confidence=0.99,
    )
    if matrix is None:
        return None
    inliers = agree.ravel() > 0
    if inliers.sum() < _LEAST or np.ptp(origin[inliers], axis=0).max() < _SPREAD * size[0]:
        return None
    return np.vstack((matrix, (0.0, 0.0, 1.0))), inliers
