"""The sprite bank: reads the packed models and finds, repaints and mirrors the view that is wanted."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ELEVATIONS = (6, 10, 16, 24, 36)  # degrees above the horizon
FOCAL = 900.0  # pixels
_ABOVE = 6.5  # metres between the camera and the middle of the vehicle in every view


@dataclass(frozen=True, slots=True)
class ViewCamera:
    """The pinhole camera of one sprite view, in the vehicle's frame."""

    azimuth: float
    elevation: float
    height: float
    distance: float

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project points of the vehicle's frame to pixels about the principal point."""
        a, e = np.radians(self.azimuth), np.radians(self.elevation)
        outward = np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])
        right = np.array([-np.sin(a), np.cos(a), 0.0])
        down = np.cross(-outward, right)
        q = points - np.array([0, 0, self.height / 2])
        depth = self.distance - q @ outward
        return np.stack([q @ right, q @ down], 1) * FOCAL / depth[:, None]


def view_camera(azimuth: float, elevation: float, height: float) -> ViewCamera:
    """The camera that stands at an azimuth (from the vehicle's heading, to its left) and an elevation."""
    return ViewCamera(azimuth, elevation, height, _ABOVE / np.sin(np.radians(elevation)))


@dataclass(slots=True)
class View:
    """One view: premultiplied linear colour and alpha, repaint mask, place of its corner, camera."""

    colour: NDArray[np.float32]
    alpha: NDArray[np.float32]
    mask: NDArray[np.float32]
    corner: tuple[float, float]
    camera: ViewCamera


@dataclass(slots=True)
class SpriteModel:
    """One packed model."""

    name: str
    class_id: int
    share: float
    hull: NDArray[np.float64]
    lamps: NDArray[np.float64]
    cells: NDArray[np.float64]
    path: Path
    views: dict[tuple[int, int], tuple[float, float]]
    height: float
    _cache: dict[tuple[int, int], View] = field(default_factory=dict)
    _shadows: dict[int, tuple[NDArray[np.float32], tuple[float, float, float, float]]] = field(
        default_factory=dict
    )

    def view(self, azimuth: float, elevation: float) -> tuple[View, bool]:
        """The nearest view and whether it has to be mirrored; azimuth in degrees, -180 to 180."""
        mirrored = azimuth < 0
        wanted = abs(azimuth)
        key = min(
            self.views,
            key=lambda k: abs(k[0] - wanted) / 10.0 + 2.0 * abs(np.log(k[1] / max(elevation, 3.0))),
        )
        if key not in self._cache:
            self._cache[key] = self._load(key)
        return self._cache[key], mirrored

    def _load(self, key: tuple[int, int]) -> View:
        stem = f"{key[0]:03d}_{key[1]:02d}"
        with zipfile.ZipFile(self.path) as archive:
            picture = _decode(archive.read(f"{stem}.webp"))
            mask = _decode(archive.read(f"{stem}.mask.webp"))
        alpha = picture[..., 3].astype(np.float32) / 255.0
        colour = to_linear(picture[..., :3]) * alpha[..., None]
        return View(
            colour,
            alpha,
            mask[..., ::-1].astype(np.float32) / 255.0,
            self.views[key],
            view_camera(key[0], key[1], self.height),
        )

    def shadow(
        self, sun_azimuth: float, sun_elevation: float, soft: float
    ) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
        """The shadow on the ground in the vehicle's frame for a sun at an azimuth from its heading.

        Returns opacity at 5 cm and its extent (x0, y0, x1, y1) in metres; the sun's direction is rounded.
        """
        step = round(sun_azimuth / 10.0) % 36
        if step not in self._shadows:
            self._shadows[step] = _cast(self.cells, np.radians(step * 10.0), np.radians(sun_elevation), soft)
        return self._shadows[step]


def _cast(
    cells: NDArray[np.float64], azimuth: float, elevation: float, soft: float
) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
    pixel = 0.05
    reach = cells[:, 2:3] / np.tan(elevation)
    sun = cells[:, :2] - reach * np.array([np.cos(azimuth), np.sin(azimuth)])
    ground = cells[cells[:, 2] < 0.9][:, :2]
    every = np.vstack([sun, ground])
    low, high = every.min(0) - 0.6, every.max(0) + 0.6
    width, height = np.ceil((high - low) / pixel).astype(int)

    def paint(points: NDArray[np.float64], blur: float) -> NDArray[np.float32]:
        canvas = np.zeros((height, width), np.float32)
        at = ((points - low) / pixel).astype(int)
        canvas[at[:, 1], at[:, 0]] = 1.0
        canvas = cv2.morphologyEx(canvas, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        return np.asarray(cv2.GaussianBlur(canvas, (0, 0), blur / pixel), np.float32)

    cast = paint(sun, 0.05 + soft)
    contact = paint(ground, 0.16)
    opacity = 1.0 - (1.0 - (0.68 if soft < 0.2 else 0.22) * cast) * (1.0 - 0.62 * contact)
    return opacity, (
        float(low[0]),
        float(low[1]),
        float(low[0] + width * pixel),
        float(low[1] + height * pixel),
    )


def _decode(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)


@lru_cache(maxsize=1)
def _linear_table() -> NDArray[np.float32]:
    v = np.arange(256) / 255.0
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_linear(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Decode sRGB bytes to linear light."""
    return np.asarray(_linear_table()[picture], np.float32)


@lru_cache(maxsize=1)
def _display_table() -> NDArray[np.uint8]:
    v = np.arange(4096) / 4095.0
    return np.round(255 * np.where(v <= 0.0031308, v * 12.92, 1.055 * v ** (1 / 2.4) - 0.055)).astype(
        np.uint8
    )


def to_display(linear: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Encode linear light to sRGB bytes."""
    return np.asarray(_display_table()[(np.clip(linear, 0, 1) * 4095 + 0.5).astype(np.int16)], np.uint8)


def load(folder: Path) -> dict[str, SpriteModel]:
    """Read every packed model of a folder."""
    models = {}
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            d = json.loads(archive.read("model.json"))
        hull = np.asarray(d["hull"], float)
        views = {(int(k[:3]), int(k[4:])): (float(v["x"]), float(v["y"])) for k, v in d["views"].items()}
        models[d["name"]] = SpriteModel(
            d["name"],
            d["class_id"],
            d["share"],
            hull,
            np.asarray(d["lamps"], float).reshape(-1, 4),
            (np.asarray(d["shadow"], float) + 0.5) * 0.1,
            path,
            views,
            float(hull[:, 2].max()),
        )
    return models
