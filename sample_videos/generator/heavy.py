"""Buses and trucks, modelled in code."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .fittings import Lamp, arch, plate
from .shapes import Mesh


def _wheels(m: Mesh, axles: list[float], w: float, r: float) -> None:
    for x in axles:
        for side in (-1, 1):
            arch(m, x, side * (w + 0.006), r, 0.09, lowest=0.28)
            m.wheel((x, side * (w - 0.10), r), r, 0.26, rim="metal")


def bus(length: float, width: float, height: float, doors: bool) -> Mesh:
    """A bus: a city bus has doors, a coach none that are seen."""
    m = Mesh()
    h, w = length / 2, width / 2
    low = 0.32
    m.box((0, 0, (low + height) / 2), (length, width, height - low), "paint1", 0.16)
    m.box((0, 0, low + 0.30), (length - 0.02, width + 0.012, 0.52), "paint2", 0.1)
    belt, top = low + 0.45 * (height - low), height - 0.42
    n = max(4, int(length / 1.45))
    pane = (length - 1.5) / n
    for side in (-1, 1):
        y = side * (w + 0.008)
        for i in range(n):
            a = h - 0.75 - i * pane
            m.quad(
                [
                    (a - 0.05, y, belt),
                    (a - pane + 0.05, y, belt),
                    (a - pane + 0.05, y, top),
                    (a - 0.05, y, top),
                ],
                "glass",
            )
        m.quad(
            [(h - 0.12, y, belt - 0.08), (h - 0.68, y, belt - 0.08), (h - 0.68, y, top), (h - 0.12, y, top)],
            "glass",
        )
        m.box((h + 0.12, side * (w + 0.10), height - 0.75), (0.12, 0.18, 0.34), "black", 0.05)
        m.ellipsoid((h, side * 0.74 * w, low + 0.42), (0.06, 0.20, 0.12), "headlamp")
        m.box((-h, side * 0.82 * w, low + 0.55), (0.04, 0.22, 0.34), "taillamp", 0.02)
    if doors:
        for x in (h - 1.0, -0.4):
            m.box((x, -w - 0.006, (low + top) / 2 + 0.02), (1.05, 0.03, top - low - 0.1), "black", 0.01)
            for dx in (-0.26, 0.26):
                m.quad(
                    [
                        (x + dx - 0.2, -w - 0.03, low + 0.2),
                        (x + dx + 0.2, -w - 0.03, low + 0.2),
                        (x + dx + 0.2, -w - 0.03, top - 0.1),
                        (x + dx - 0.2, -w - 0.03, top - 0.1),
                    ],
                    "glass",
                )
        m.box((h + 0.005, 0, height - 0.27), (0.03, 1.5 * w, 0.24), "led", 0.01)
        m.box((-0.5, 0, height + 0.08), (2.4, 1.5 * w, 0.2), "white", 0.08)
    m.box((h + 0.004, 0, (belt - 0.18 + top) / 2), (0.03, 1.82 * w, top - belt + 0.24), "glass", 0.012)
    m.box((-h - 0.004, 0, (belt + 0.1 + top) / 2), (0.03, 1.64 * w, top - belt - 0.1), "glass", 0.012)
    m.box((h, 0, low + 0.14), (0.10, 1.86 * w, 0.24), "black", 0.04)
    m.box((-h, 0, low + 0.12), (0.08, 1.86 * w, 0.22), "black", 0.03)
    m.box((-h - 0.005, 0, low + 0.62), (0.03, 1.2 * w, 0.3), "black", 0.01)
    _wheels(m, [h - 0.24 * length, -h + 0.24 * length], w, 0.46 if length > 8 else 0.38)
    plate(m, h + 0.055, low + 0.30, (0.47, 0.11))
    plate(m, -h - 0.03, low + 0.38, (0.33, 0.165))
    return m


def _cab(m: Mesh, front: float, width: float, height: float, length: float, low: float) -> None:
    """A cab-over-engine cab whose front face is at x = front."""
    w = width / 2
    back = front - length
    belt = low + 0.50 * (height - low)
    side = [
        (front, low),
        (front, belt - 0.02),
        (front - 0.22, height - 0.10),
        (front - 0.42, height),
        (back, height),
        (back, low),
    ]
    for sign in (-1, 1):
        pts = [(x, sign * w, z) for x, z in side]
        m.quad(pts if sign < 0 else pts[::-1], "paint1")
        m.quad(
            [
                (front - 0.12, sign * (w + 0.012), belt),
                (front - 0.33, sign * (w + 0.012), height - 0.16),
                (back + 0.22, sign * (w + 0.012), height - 0.16),
                (back + 0.22, sign * (w + 0.012), belt),
            ],
            "glass",
        )
        m.box((front + 0.08, sign * (w + 0.15), belt + 0.34), (0.08, 0.16, 0.34), "black", 0.03)
        m.ellipsoid((front + 0.01, sign * 0.74 * w, low + 0.25), (0.05, 0.17, 0.10), "headlamp")
        m.box(
            (front - length * 0.55, sign * (w + 0.003), (low + belt) / 2),
            (0.014, 0.02, belt - low - 0.1),
            "black",
        )
        m.box((front - length * 0.45, sign * (w + 0.01), belt - 0.1), (0.16, 0.03, 0.04), "black", 0.01)
    for (xa, za), (xb, zb) in pairwise(side[:5]):
        m.quad([(xa, w, za), (xa, -w, za), (xb, -w, zb), (xb, w, zb)], "paint1")
    m.quad([(back, w, low), (back, w, height), (back, -w, height), (back, -w, low)], "paint1")
    m.quad(
        [
            (front + 0.01, 0.9 * w, belt + 0.03),
            (front + 0.01, -0.9 * w, belt + 0.03),
            (front - 0.195, -0.86 * w, height - 0.13),
            (front - 0.195, 0.86 * w, height - 0.13),
        ],
        "glass",
    )
    m.box((front + 0.01, 0, low + 0.42), (0.04, 1.35 * w, 0.26), "black", 0.01)
    for dz in (-0.07, 0.0, 0.07):
        m.box((front + 0.03, 0, low + 0.42 + dz), (0.02, 1.3 * w, 0.02), "metal")
    m.box((front - 0.04, 0, belt - 0.01), (0.10, 1.9 * w, 0.035), "black", 0.01)
    m.box((front + 0.03, 0, low + 0.02), (0.12, 1.9 * w, 0.24), "white", 0.04)
    plate(m, front + 0.095, low + 0.02, (0.47, 0.11))


def truck(kind: str) -> Mesh:
    """A lorry with a closed `box`, a `bed` with sacks on it, or a `tipper` full of earth."""
    m = Mesh()
    length, width, height, cab_height, cab_length = {
        "box": (6.3, 2.05, 3.0, 2.25, 1.55),
        "bed": (5.6, 1.85, 2.15, 2.10, 1.45),
        "tipper": (7.4, 2.45, 3.0, 2.85, 1.75),
    }[kind]
    h, w = length / 2, width / 2
    low = 0.42 if kind != "tipper" else 0.55
    _cab(m, h, width * 0.97, cab_height, cab_length, low)
    load = _Load(-h, h - cab_length - 0.12, w, low + 0.42, height)
    m.box((0, 0, low + 0.22), (length - 0.3, 0.9, 0.2), "black", 0.02)
    {"box": _box_load, "bed": _bed_load, "tipper": _tipper_load}[kind](m, load)
    for side in (-1, 1):
        m.box((-h + 0.02, side * 0.7 * w, low + 0.25), (0.04, 0.26, 0.14), "taillamp", 0.01)
        m.box((0.1, side * (w - 0.1), low + 0.14), (1.5, 0.05, 0.26), "metal", 0.02)
    axles = [h - 0.85, -h + 1.25] + ([-h + 2.4] if kind == "tipper" else [])
    _wheels(m, axles, w - 0.02, 0.40 if kind != "tipper" else 0.50)
    plate(m, -h - 0.005, low + 0.10, (0.33, 0.165))
    return m


@dataclass(frozen=True, slots=True)
class _Load:
    """Where a lorry carries: from x `rear` to `front`, half as wide as `w`, from `floor` to `top`."""

    rear: float
    front: float
    w: float
    floor: float
    top: float

    @property
    def middle(self) -> float:
        return (self.front + self.rear) / 2

    @property
    def length(self) -> float:
        return self.front - self.rear


def _box_load(m: Mesh, load: _Load) -> None:
    w, middle, tall = load.w, (load.floor + load.top) / 2, load.top - load.floor
    m.box((load.middle, 0, middle), (load.length, 2 * w, tall), "paint2", 0.04)
    for x in np.linspace(load.rear + 0.25, load.front - 0.25, 6):
        for side in (-1, 1):
            m.box((x, side * w, middle), (0.035, 0.025, tall - 0.1), "metal")
    m.box((load.rear, 0, middle), (0.02, 0.03, tall - 0.12), "black")
    for side in (-1, 1):
        m.box((load.rear - 0.01, side * 0.4 * w, middle), (0.03, 0.03, tall - 0.2), "metal")


def _bed_load(m: Mesh, load: _Load) -> None:
    w, middle, floor, wall = load.w, load.middle, load.floor, 0.42
    m.box((middle, 0, floor), (load.length, 2 * w, 0.10), "metal", 0.01)
    for side in (-1, 1):
        m.box((middle, side * (w - 0.03), floor + wall / 2), (load.length, 0.06, wall), "paint1", 0.01)
        for x in np.linspace(load.rear + 0.2, load.front - 0.2, 5):
            m.box((x, side * w, floor + wall / 2), (0.06, 0.03, wall), "metal")
    m.box((load.rear + 0.03, 0, floor + wall / 2), (0.06, 2 * w, wall), "paint1", 0.01)
    m.box((load.front - 0.03, 0, floor + 0.62), (0.06, 2 * w, 1.2), "metal", 0.01)
    m.box((middle - 0.05, 0, floor + 0.44), (load.length - 0.35, 2 * w - 0.25, 0.85), "canvas", 0.14)
    m.box((middle - 0.55, 0.1, floor + 0.95), (1.5, 1.1, 0.5), "carton", 0.05)


def _tipper_load(m: Mesh, load: _Load) -> None:
    w, middle, floor, wall = load.w, load.middle, load.floor, 1.35
    for side in (-1, 1):
        m.box((middle, side * (w - 0.04), floor + wall / 2), (load.length, 0.08, wall), "paint2", 0.02)
        for x in np.linspace(load.rear + 0.3, load.front - 0.3, 6):
            m.box((x, side * w, floor + wall / 2), (0.12, 0.08, wall), "paint2", 0.01)
    m.box((load.rear + 0.05, 0, floor + wall / 2), (0.08, 2 * w, wall), "paint2", 0.02)
    m.box((load.front - 0.05, 0, floor + wall / 2 + 0.15), (0.08, 2 * w, wall + 0.3), "paint2", 0.02)
    m.box((middle, 0, floor + wall - 0.25), (load.length - 0.1, 2 * w - 0.16, 0.3), "earth", 0.1)


def lamps(length: float, width: float, z: float) -> tuple[Lamp, ...]:
    """Head and tail lamps of a heavy vehicle, at height z."""
    return tuple(Lamp(d * length / 2, s * 0.37 * width, z, d > 0) for d in (1, -1) for s in (-1, 1))
