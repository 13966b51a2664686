"""Writes the view of a camera (gates, zones, movements, calibration) as the YAML that ngatu reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import layout, truth
from .camera import Camera, apply_homography, fit_homography


def calibration_points(camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact pairs of picture (pixels) and ground (metres), spread over the junction that is in view."""
    pixels, ground = [], []
    for v in np.linspace(0.30, 0.95, 6):
        for u in np.linspace(0.06, 0.94, 7):
            p = np.array([[u * camera.width, v * camera.height]])
            g = camera.ground(p)[0]
            if np.isfinite(g).all() and np.hypot(*(g - np.asarray(camera.position[:2]))) < 75:
                pixels.append(p[0])
                ground.append(g)
    return np.asarray(pixels), np.asarray(ground)


def homography_error(camera: Camera) -> tuple[float, float]:
    """Median and greatest error in metres of the homography through the points, inside the gates."""
    h = fit_homography(*calibration_points(camera))
    xs, ys = np.meshgrid(np.linspace(-9, 9, 13), np.linspace(-12, 12, 13))
    ground = np.column_stack([xs.ravel(), ys.ravel()])
    uv, depth = camera.project(np.column_stack([ground, np.zeros(len(ground))]))
    keep = (depth > 2) & (uv > 0).all(1) & (uv < [camera.width, camera.height]).all(1)
    error = np.hypot(*(apply_homography(h, uv[keep]) - ground[keep]).T)
    return float(np.median(error)), float(error.max())


def write(path: Path, camera: Camera, title: str) -> None:
    """Write the YAML."""
    size = np.array([camera.width, camera.height])
    gates = truth.drawn_gates(camera)
    lines = [
        "# View of a generated camera: written by the generator, exact by construction.",
        "version: 2",
        f"name: {title}",
        "gates:",
    ]
    for arm, line in gates.items():
        lines.append(
            f"  - {{id: {layout.GATE[arm]}, name: {layout.NAMES_VI[arm]}, approach: {layout.GATE[arm]}, "
            f"line: {_pairs(line)}}}"
        )
    lines.append("approaches:")
    for arm in gates:
        a = layout.ARM[arm]
        x, y = a.outward
        bearing = np.degrees(np.arctan2(-x, -y)) % 360
        lines.append(
            f"  - {{id: {layout.GATE[arm]}, name: {layout.NAMES_VI[arm]}, lanes: {a.lanes}, "
            f"width_m: {a.lanes * layout.LANE:.1f}, bearing_deg: {bearing:.0f}, free_speed_kmh: 40}}"
        )
    lines.append("zones:")
    roi = np.array([[0.0, 0.20], [1.0, 0.20], [1.0, 1.0], [0.0, 1.0]])
    lines.append(f"  - {{id: roi, kind: roi, polygon: {_pairs(roi)}}}")
    for arm in layout.ARMS:
        reach = truth.zone_length(camera, arm)
        if reach < 5:
            continue
        corners = _dense(layout.zone(arm, reach))
        uv, _ = camera.project(np.column_stack([corners, np.zeros(len(corners))]))
        polygon = _pairs(np.clip(uv / size, 0, 1))
        name = layout.GATE[arm]
        lines.append(f"  - {{id: approach-{name}, kind: approach, approach: {name}, polygon: {polygon}}}")
    lines.append("movements:")
    for a in gates:
        for turn in layout.TURNS:
            b = layout.destination(a, turn)
            if b in gates:
                start, end = layout.GATE[a], layout.GATE[b]
                lines.append(f"  - {{id: {start}-{end}, from: {start}, to: {end}, turn: {turn}}}")
    pixels, ground = calibration_points(camera)
    # The view's k1 is in picture widths, the camera's in focal lengths.
    k1 = camera.k1 * (camera.width / camera.focal) ** 2
    lines += ["calibration:", f"  distortion: {{k1: {k1:.4f}}}"]
    lines += ["  valid: [[0.0, 0.29], [1.0, 0.29], [1.0, 1.0], [0.0, 1.0]]", "  points:"]
    for p, g in zip(pixels / size, ground, strict=True):
        lines.append(f"    - {{image: [{p[0]:.5f}, {p[1]:.5f}], ground: [{g[0]:.3f}, {g[1]:.3f}]}}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _dense(corners: NDArray[np.float64], n: int = 4) -> NDArray[np.float64]:
    return np.concatenate(
        [
            a + (b - a) * np.linspace(0, 1, n, endpoint=False)[:, None]
            for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        ]
    )


def _pairs(points: NDArray[np.float64]) -> str:
    return "[" + ", ".join(f"[{x:.4f}, {y:.4f}]" for x, y in points) + "]"
