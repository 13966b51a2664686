"""The camera: exact pose, pinhole with radial distortion, and the way back to the ground."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@lru_cache(maxsize=64)
def _axes(yaw: float, pitch: float, roll: float) -> Array:
    y, p, r = np.radians([yaw, pitch, roll])
    forward = np.array([np.cos(p) * np.cos(y), np.cos(p) * np.sin(y), np.sin(p)])
    right = np.array([np.sin(y), -np.cos(y), 0.0])
    down = np.cross(forward, right)
    return np.stack([right * np.cos(r) + down * np.sin(r), down * np.cos(r) - right * np.sin(r), forward])


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera at `position` (metres), looking along `yaw` (degrees from +x) and `pitch` (up positive)."""

    position: tuple[float, float, float]
    yaw: float
    pitch: float
    focal: float = 850.0
    width: int = 1280
    height: int = 720
    k1: float = -0.02
    roll: float = 0.0

    def axes(self) -> Array:
        """Rows: right, down and forward in world coordinates."""
        return _axes(self.yaw, self.pitch, self.roll)

    def project(self, points: Array, distort: bool = True) -> tuple[Array, Array]:
        """Pixels and depth of world points [n, 3]; points behind the camera have depth <= 0."""
        q = (np.asarray(points, float) - np.asarray(self.position)) @ self.axes().T
        depth = q[:, 2]
        n = q[:, :2] / np.maximum(depth, 0.05)[:, None]
        if distort:
            # beyond the picture the polynomial must not fold back
            r2 = np.minimum((n**2).sum(1, keepdims=True), 3.0)
            n = n * (1 + self.k1 * r2)
        return n * self.focal + [self.width / 2, self.height / 2], depth

    def rays(self, pixels: Array) -> Array:
        """Undistorted directions in world coordinates for pixels [n, 2]."""
        d = (np.asarray(pixels, float) - [self.width / 2, self.height / 2]) / self.focal
        n = d.copy()
        for _ in range(12):
            n = d / (1 + self.k1 * (n**2).sum(1, keepdims=True))
        return np.column_stack([n, np.ones(len(n))]) @ self.axes()

    def ground(self, pixels: Array) -> Array:
        """Ground points (z = 0) seen at pixels; nan above the horizon."""
        r = self.rays(pixels)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(r[:, 2] < -1e-6, -self.position[2] / r[:, 2], np.nan)
        return np.asarray(np.asarray(self.position)[:2] + r[:, :2] * t[:, None])

    def undistort_map(self, scale: float = 1.0) -> tuple[NDArray[np.float32], NDArray[np.float32], int, int]:
        """Maps for cv2.remap from a pinhole picture (larger by a margin) to this camera's picture."""
        u, v = np.meshgrid(np.arange(self.width) + 0.5, np.arange(self.height) + 0.5)
        d = np.stack([u - self.width / 2, v - self.height / 2], -1).reshape(-1, 2) / self.focal
        n = d.copy()
        for _ in range(12):
            n = d / (1 + self.k1 * (n**2).sum(1, keepdims=True))
        wide, high = self.pinhole_size()
        x = (n[:, 0] * self.focal + wide / 2) * scale - 0.5
        y = (n[:, 1] * self.focal + high / 2) * scale - 0.5
        shape = (self.height, self.width)
        return x.reshape(shape).astype(np.float32), y.reshape(shape).astype(np.float32), wide, high

    def pinhole_size(self) -> tuple[int, int]:
        """Size of the pinhole picture that covers this camera's distorted one."""
        half = np.array([self.width, self.height]) / 2 / self.focal
        n = half.copy()
        for _ in range(12):
            n = half / (1 + self.k1 * (n**2).sum())
        size = np.ceil(n * self.focal * 2 + 4).astype(int)
        return int(size[0] + size[0] % 2), int(size[1] + size[1] % 2)


CAMERAS = {
    # on the kerb of the south arm, looking north over the whole junction
    "cam1": Camera((-6.4, -33.5, 7.6), yaw=79.0, pitch=-14.0, focal=820.0),
    # over the kerb of the east arm, looking west
    "cam2": Camera((31.5, 8.4, 7.0), yaw=189.0, pitch=-13.5, focal=780.0),
}


def fit_homography(pixels: Array, ground: Array) -> Array:
    """Least-squares homography from pixels to ground (normalised direct linear transform)."""

    def normal(p: Array) -> tuple[Array, Array]:
        c, s = p.mean(0), np.sqrt(2) / p.std()
        t = np.array([[s, 0, -s * c[0]], [0, s, -s * c[1]], [0, 0, 1]])
        return np.column_stack([p, np.ones(len(p))]) @ t.T, t

    a, ta = normal(np.asarray(pixels, float))
    b, tb = normal(np.asarray(ground, float))
    rows = []
    for p, q in zip(a, b, strict=True):
        rows.append(np.concatenate([p, np.zeros(3), -q[0] * p]))
        rows.append(np.concatenate([np.zeros(3), p, -q[1] * p]))
    h = np.linalg.svd(np.asarray(rows))[2][-1].reshape(3, 3)
    h = np.linalg.inv(tb) @ h @ ta
    return np.asarray(h / h[2, 2])


def apply_homography(h: Array, points: Array) -> Array:
    """Apply a homography to points [n, 2]."""
    q = np.column_stack([points, np.ones(len(points))]) @ h.T
    return np.asarray(q[:, :2] / q[:, 2:])
