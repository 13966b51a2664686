"""The vehicles, modelled in code: motorcycles and bicycles with riders, cars, buses, trucks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .shapes import Mesh

BICYCLE, MOTORCYCLE, CAR, BUS, TRUCK = range(5)


@dataclass(frozen=True, slots=True)
class Lamp:
    """A lamp in the vehicle's frame (metres); it shines forward when `head`, else backward."""

    x: float
    y: float
    z: float
    head: bool


@dataclass(frozen=True, slots=True)
class Model:
    """A vehicle model: its mesh stands on z = 0 with the centre of its footprint at the origin."""

    name: str
    class_id: int
    mesh: Mesh
    lamps: tuple[Lamp, ...]
    share: float  # within its class


# ------------------------------------------------------------------ people and two-wheelers


def _rider(
    m: Mesh,
    hip: tuple[float, float],
    hand: tuple[float, float, float],
    foot: tuple[float, float, float],
    *,
    cloth: str = "paint2",
    legs: str = "trousers",
    lean: float = 0.06,
    hat: str = "helmet",
    mask: bool = False,
    hair: bool = False,
    size: float = 1.0,
    coat: bool = False,
) -> None:
    """A seated person: hip at (x, z), hands at (x, ±y, z), feet at (x, ±y, z)."""
    hx, hz = hip
    sx, sz = hx + lean, hz + 0.47 * size  # shoulders
    rings = []
    for t, wide, deep in (
        (-0.06, 0.15, 0.12),
        (0.06, 0.165, 0.13),
        (0.22, 0.15, 0.11),
        (0.38, 0.185, 0.12),
        (0.47, 0.17, 0.10),
        (0.53, 0.07, 0.06),
    ):
        x = hx + lean * max(t, 0) / 0.47
        a = np.linspace(0, 2 * np.pi, 10, endpoint=False)
        rings.append(
            np.stack([x + size * deep * np.cos(a), size * wide * np.sin(a), np.full(10, hz + t * size)], 1)
        )
    m.loft(rings, cloth, fine=2)
    if coat:
        m.limb((hx - 0.02, 0, hz), (hx + 0.28, 0, hz - 0.10), 0.17 * size, 0.20 * size, cloth, flat=0.75)
    for side in (-1, 1):
        shoulder = (sx, side * 0.19 * size, sz - 0.02)
        h = (hand[0], side * hand[1], hand[2])
        elbow = ((shoulder[0] + h[0]) / 2 - 0.06, side * (hand[1] + 0.03), (shoulder[2] + h[2]) / 2 - 0.10)
        m.limb(shoulder, elbow, 0.062 * size, 0.050 * size, cloth)
        m.limb(elbow, h, 0.048 * size, 0.038 * size, cloth if (coat or mask) else "skin")
        m.ellipsoid(h, (0.05, 0.04, 0.04), "skin")
        knee = (hx + 0.40 * size, side * 0.17, hz - 0.03)
        ankle = (foot[0], side * foot[1], foot[2] + 0.07)
        m.limb((hx, side * 0.09, hz), knee, 0.092 * size, 0.070 * size, legs)
        m.limb(knee, ankle, 0.066 * size, 0.045 * size, legs)
        m.limb(
            (foot[0] - 0.05, side * foot[1], foot[2] + 0.03),
            (foot[0] + 0.14, side * foot[1], foot[2] + 0.02),
            0.048,
            0.038,
            "shoe",
        )
    nx, nz = sx + 0.03, sz + 0.19 * size
    m.limb((sx, 0, sz), (nx, 0, nz - 0.05), 0.055, 0.055, "skin")
    m.ellipsoid((nx + 0.01, 0, nz), (0.098 * size, 0.082 * size, 0.118 * size), "skin", n=14)
    if mask:
        m.ellipsoid((nx + 0.045, 0, nz - 0.04), (0.072, 0.072, 0.065), "mask")
    if hair:
        m.limb((nx - 0.06, 0, nz), (nx - 0.12, 0, nz - 0.30), 0.075, 0.05, "hair")
    m.ellipsoid((nx - 0.015, 0, nz + 0.01), (0.105 * size, 0.09 * size, 0.122 * size), "hair", top=True)
    if hat == "helmet":
        m.ellipsoid(
            (nx - 0.01, 0, nz + 0.025), (0.142 * size, 0.122 * size, 0.130 * size), "paint3", top=True, n=16
        )
        m.ellipsoid((nx + 0.10, 0, nz + 0.04), (0.095, 0.09, 0.022), "black")
    elif hat == "full":
        m.ellipsoid((nx, 0, nz + 0.01), (0.148, 0.128, 0.155), "paint3", n=16)
        m.ellipsoid((nx + 0.05, 0, nz + 0.015), (0.108, 0.112, 0.062), "glass")
    elif hat == "cone":
        n = 18
        a = np.linspace(0, 2 * np.pi, n, endpoint=False)
        rim = np.stack([nx + 0.24 * np.cos(a), 0.24 * np.sin(a), np.full(n, nz + 0.02)], 1)
        m.add(
            np.vstack([rim, [[nx, 0, nz + 0.20]]]),
            [(i, (i + 1) % n, n) for i in range(n)],
            "straw",
            smooth=False,
        )


def _spokes(m: Mesh, x: float, radius: float, rim: str = "rim") -> None:
    m.torus((x, 0, radius), radius - 0.045, 0.042, "tyre")
    m.torus((x, 0, radius), radius - 0.09, 0.016, rim, m=5)
    m.rod((x, -0.06, radius), (x, 0.06, radius), 0.05, "metal")
    for k in range(7):
        a = 2 * np.pi * k / 7
        m.limb(
            (x, 0, radius),
            (x + np.cos(a) * (radius - 0.09), 0, radius + np.sin(a) * (radius - 0.09)),
            0.010,
            0.008,
            rim,
            n=4,
        )


def _front(m: Mesh, wheel_x: float, radius: float, bar: tuple[float, float]) -> None:
    bx, bz = bar
    for side in (-1, 1):
        m.rod((wheel_x, side * 0.075, radius), (bx + 0.05, side * 0.085, bz - 0.22), 0.026, "metal", n=8)
        m.limb((bx, 0, bz - 0.03), (bx - 0.05, side * 0.33, bz), 0.018, 0.018, "black")
        m.limb((bx - 0.05, side * 0.25, bz), (bx - 0.06, side * 0.36, bz + 0.005), 0.026, 0.026, "black")
        m.limb((bx, side * 0.18, bz), (bx, side * 0.27, bz + 0.19), 0.008, 0.008, "black", n=5)
        m.ellipsoid((bx, side * 0.29, bz + 0.21), (0.018, 0.062, 0.042), "black")
        m.ellipsoid((bx + 0.03, side * 0.16, bz - 0.04), (0.03, 0.035, 0.025), "amber")
    a = np.linspace(0.5, 2.2, 7)
    m.loft(
        [
            [
                (
                    wheel_x + np.cos(t) * (radius + 0.03),
                    y,
                    radius + np.sin(t) * (radius + 0.03) - (0.03 if abs(y) > 0.05 else 0),
                )
                for y in (-0.07, -0.03, 0.03, 0.07)
            ]
            for t in a
        ],
        "paint1",
        closed=False,
        fine=2,
    )


def _plate(m: Mesh, x: float, z: float, size: tuple[float, float], name: str = "plate") -> None:
    w, h = size
    m.box((x, 0, z), (0.012, w, h), name)
    m.box((x - 0.004 * np.sign(-x), 0, z), (0.016, w * 0.7, h * 0.16), "black")


def _underbone(m: Mesh) -> None:
    _spokes(m, 0.60, 0.30)
    _spokes(m, -0.62, 0.30)
    _front(m, 0.60, 0.30, (0.40, 1.02))
    m.ellipsoid((0.42, 0, 0.98), (0.13, 0.15, 0.115), "paint1", n=16)
    m.ellipsoid((0.50, 0, 0.98), (0.07, 0.10, 0.075), "headlamp", n=14)
    # legshields, slim frame, tail
    for side in (-1, 1):
        m.loft(
            [
                [(0.44, side * 0.06, 0.90), (0.36, side * 0.19, 0.86), (0.30, side * 0.20, 0.80)],
                [(0.40, side * 0.06, 0.66), (0.34, side * 0.21, 0.62), (0.22, side * 0.21, 0.58)],
                [(0.32, side * 0.06, 0.42), (0.26, side * 0.17, 0.38), (0.16, side * 0.17, 0.36)],
            ],
            "paint1",
            closed=False,
            fine=3,
        )
        m.limb((-0.05, side * 0.10, 0.60), (-0.72, side * 0.085, 0.76), 0.085, 0.05, "paint1", flat=0.7)
        m.rod((-0.62, side * 0.09, 0.30), (-0.45, side * 0.10, 0.66), 0.03, "metal", n=8)
    m.limb((0.34, 0, 0.80), (0.16, 0, 0.50), 0.075, 0.075, "paint1")
    m.limb((0.20, 0, 0.52), (-0.10, 0, 0.62), 0.08, 0.09, "black")
    m.box((0.05, 0, 0.36), (0.36, 0.24, 0.20), "metal", 0.05)
    m.rod((-0.25, -0.15, 0.30), (-0.85, -0.17, 0.40), 0.05, "chrome", r1=0.06)
    m.limb((0.05, 0, 0.76), (-0.60, 0, 0.81), 0.11, 0.12, "seat", flat=0.5)
    m.limb((-0.62, -0.1, 0.82), (-0.82, 0.0, 0.84), 0.016, 0.016, "chrome")
    m.limb((-0.62, 0.1, 0.82), (-0.82, 0.0, 0.84), 0.016, 0.016, "chrome")
    m.ellipsoid((-0.80, 0, 0.74), (0.05, 0.09, 0.05), "taillamp")
    m.limb((-0.74, 0, 0.66), (-0.90, 0, 0.48), 0.05, 0.03, "black", flat=2.0)
    _plate(m, -0.90, 0.58, (0.19, 0.14))
    for side in (-1, 1):
        m.limb((0.12, side * 0.10, 0.30), (0.12, side * 0.24, 0.30), 0.015, 0.015, "black")


def _scooter(m: Mesh) -> None:
    _spokes(m, 0.60, 0.255)
    _spokes(m, -0.60, 0.255)
    _front(m, 0.60, 0.255, (0.40, 1.02))
    m.ellipsoid((0.40, 0, 1.00), (0.13, 0.17, 0.10), "paint1", n=16)
    m.ellipsoid((0.49, 0, 0.99), (0.06, 0.11, 0.06), "headlamp")
    # wide front apron
    m.loft(
        [
            [(0.36, -0.14, 0.92), (0.46, 0, 0.95), (0.36, 0.14, 0.92)],
            [(0.36, -0.22, 0.78), (0.54, 0, 0.80), (0.36, 0.22, 0.78)],
            [(0.34, -0.21, 0.56), (0.50, 0, 0.60), (0.34, 0.21, 0.56)],
            [(0.28, -0.16, 0.34), (0.40, 0, 0.36), (0.28, 0.16, 0.34)],
        ],
        "paint1",
        closed=False,
        fine=3,
    )
    m.loft(
        [
            [(0.35, -0.14, 0.92), (0.32, 0, 0.92), (0.35, 0.14, 0.92)],
            [(0.34, -0.21, 0.70), (0.30, 0, 0.70), (0.34, 0.21, 0.70)],
            [(0.27, -0.16, 0.33), (0.24, 0, 0.33), (0.27, 0.16, 0.33)],
        ],
        "black",
        closed=False,
        fine=2,
    )
    m.box((0.10, 0, 0.30), (0.48, 0.34, 0.09), "paint1", 0.04)
    # tail body
    a = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    rings = []
    for x, wide, low, high in (
        (-0.02, 0.10, 0.36, 0.66),
        (-0.14, 0.17, 0.38, 0.74),
        (-0.40, 0.19, 0.44, 0.78),
        (-0.66, 0.15, 0.55, 0.80),
        (-0.88, 0.06, 0.70, 0.80),
    ):
        rings.append(
            np.stack([np.full(10, x), wide * np.cos(a), (low + high) / 2 + (high - low) / 2 * np.sin(a)], 1)
        )
    m.loft(rings, "paint1", fine=2)
    m.limb((0.02, 0, 0.77), (-0.62, 0, 0.82), 0.13, 0.14, "seat", flat=0.45)
    m.box((-0.38, 0.02, 0.30), (0.44, 0.22, 0.18), "metal", 0.05)
    m.rod((-0.30, -0.17, 0.28), (-0.78, -0.19, 0.36), 0.055, "black", r1=0.065)
    m.ellipsoid((-0.86, 0, 0.74), (0.05, 0.12, 0.045), "taillamp")
    m.limb((-0.66, 0, 0.84), (-0.84, 0, 0.86), 0.03, 0.03, "chrome", flat=0.6)
    m.limb((-0.74, 0, 0.60), (-0.90, 0, 0.42), 0.05, 0.03, "black", flat=2.0)
    _plate(m, -0.89, 0.55, (0.19, 0.14))


_MOTO_LAMPS = (Lamp(0.52, 0, 0.98, True), Lamp(-0.85, 0, 0.74, False))


def _moto(kind: str, riders: int, cargo: str = "", **look: object) -> Mesh:
    m = Mesh()
    (_underbone if kind == "underbone" else _scooter)(m)
    feet = (0.14, 0.20, 0.28) if kind == "underbone" else (0.16, 0.13, 0.345)
    if riders:
        _rider(m, (-0.14, 0.90), (0.34, 0.31, 1.03), feet, **look)  # type: ignore[arg-type]
    if riders > 1:
        _rider(
            m,
            (-0.50, 0.95),
            (-0.20, 0.17, 1.08),
            (-0.24, 0.21, 0.36),
            cloth="paint3",
            legs="cloth_c",
            lean=0.04,
            mask=True,
            hair=True,
            size=0.94,
        )
    if riders > 2:
        _rider(m, (0.12, 0.86), (0.34, 0.20, 1.03), (0.16, 0.12, 0.50), cloth="cloth_d", lean=0.02, size=0.62)
    if cargo == "box":
        m.box((-0.66, 0, 1.12), (0.46, 0.46, 0.46), "paint1", 0.03)
        m.box((-0.66, 0, 1.20), (0.47, 0.47, 0.06), "white", 0.02)
    if cargo == "sacks":
        m.box((-0.62, 0, 1.02), (0.52, 0.62, 0.36), "canvas", 0.12)
        m.box((-0.60, 0, 1.32), (0.44, 0.50, 0.26), "carton", 0.02)
    return m


def _bicycle(hat: str, size: float) -> Mesh:
    m = Mesh()
    r = 0.33
    for x in (0.52, -0.52):
        m.torus((x, 0, r), r - 0.02, 0.02, "tyre")
        m.torus((x, 0, r), r - 0.05, 0.010, "chrome", m=5)
        for k in range(10):
            a = 2 * np.pi * k / 10
            m.limb(
                (x, 0, r),
                (x + np.cos(a) * (r - 0.04), 0, r + np.sin(a) * (r - 0.04)),
                0.004,
                0.004,
                "chrome",
                n=4,
            )
    head, seat, crank = (0.36, 0, 0.82), (-0.16, 0, 0.78), (-0.06, 0, 0.30)
    for a_, b_ in (
        (head, crank),
        (seat, crank),
        (head, (-0.13, 0, 0.66)),
        ((-0.52, 0, r), crank),
        ((-0.52, 0, r), (-0.15, 0, 0.7)),
    ):
        m.limb(a_, b_, 0.019, 0.019, "paint1", n=6)
    m.limb((0.52, 0, r), (0.33, 0, 0.95), 0.018, 0.018, "paint1", n=6)
    for side in (-1, 1):
        m.limb((0.33, 0, 0.95), (0.24, side * 0.26, 1.0), 0.013, 0.013, "chrome", n=6)
    m.limb((-0.08, 0, 0.83), (-0.28, 0, 0.85), 0.04, 0.085, "seat", flat=0.5)
    m.box((-0.55, 0, 0.72), (0.34, 0.14, 0.02), "metal")
    m.box((0.50, 0, 0.88), (0.24, 0.30, 0.20), "wicker", 0.03)
    m.ellipsoid((-0.72, 0, 0.62), (0.015, 0.03, 0.03), "taillamp")
    _rider(m, (-0.16, 0.92), (0.24, 0.26, 1.02), (0.02, 0.13, 0.20), hat=hat, size=size, lean=0.12)
    return m


# ------------------------------------------------------------------ cars


def _car(
    length: float,
    width: float,
    height: float,
    *,
    belt: float,
    hood: float,
    cabin: tuple[float, float, float, float],
    tail: float,
    taxi: bool = False,
    ground: float = 0.19,
    wheel: float = 0.31,
    rails: bool = False,
    bed: float = 0.0,
) -> Mesh:
    """A car: `cabin` = x of windscreen base, roof front and rear, rear window base; `tail` = height there."""
    m = Mesh()
    h, w = length / 2, width / 2
    x0, x1, x2, x3 = cabin
    front_axle, rear_axle = h - 0.20 * length, -h + 0.20 * length
    # lower body: stations from front to rear: x, half width, bottom, top
    stations = [
        (h, 0.70 * w, ground + 0.16, hood - 0.24),
        (h - 0.06, 0.82 * w, ground + 0.06, hood - 0.16),
        (h - 0.22, 0.93 * w, ground, hood - 0.06),
        (front_axle, 0.985 * w, ground, hood),
        (x0 + 0.1, w, ground, belt - 0.02),
        (0.2, w, ground, belt),
        (x2, w, ground, belt + 0.02),
        (max(x3, rear_axle - 0.1), 0.99 * w, ground, tail),
        (-h + 0.18, 0.93 * w, ground + 0.04, tail - 0.02),
        (-h + 0.04, 0.84 * w, ground + 0.10, tail - 0.10),
        (-h, 0.74 * w, ground + 0.18, tail - 0.24),
    ]
    rings = []
    for x, hw, low, top in stations:
        mid = low + 0.55 * (top - low)
        half = [
            (0.0, low),
            (0.80 * hw, low),
            (0.98 * hw, low + 0.10),
            (hw, mid),
            (0.975 * hw, top - 0.10),
            (0.86 * hw, top - 0.015),
            (0.45 * hw, top + 0.012),
        ]
        ring = half + [(0.0, top + 0.02)] + [(-y, z) for y, z in half[:0:-1]]
        rings.append([(x, y, z) for y, z in ring])
    m.loft(rings, "paint1", fine=3)
    # cabin: lofted upward in four levels, glass panels laid on it
    levels = [
        (belt - 0.06, 0.0, 0.95 * w),
        (belt + 0.25 * (height - belt), 0.26, 0.90 * w),
        (height - 0.10, 0.82, 0.77 * w),
        (height - 0.025, 0.98, 0.70 * w),
        (height, 1.12, 0.50 * w),
    ]
    layers = []
    for z, t, hw in levels:
        fx, rx = x0 + (x1 - x0) * t, x3 + (x2 - x3) * t
        c = min(0.16, 0.3 * hw)
        layers.append(
            [
                (fx, hw - c, z),
                (fx + 0.06, 0, z),
                (fx, -hw + c, z),
                (fx - c, -hw, z),
                (rx + c, -hw, z),
                (rx, -hw + c, z),
                (rx - 0.04, 0, z),
                (rx, hw - c, z),
                (rx + c, hw, z),
                (fx - c, hw, z),
            ]
        )
    k = len(layers[0])
    flat = [p for layer in layers for p in layer]
    faces = [
        (i * k + j, i * k + (j + 1) % k, (i + 1) * k + (j + 1) % k, (i + 1) * k + j)
        for i in range(len(layers) - 1)
        for j in range(k)
    ]
    faces.append(tuple((len(layers) - 1) * k + j for j in range(k)))
    m.add(flat, faces, "paint1", smooth=False)
    lo, hi = 0.10, 0.86
    kink = 0.25 * (height - belt) / (height - 0.06 - belt)  # where the second level lies

    def at(j: int, v: float, out: float) -> np.ndarray:
        """A point on cabin column j at relative height v between belt and roof edge, pushed outward."""
        zs = [layer[j] for layer in layers[:4]]
        z = belt + v * (height - 0.06 - belt)
        p = np.array([np.interp(z, [q[2] for q in zs], [q[a] for q in zs]) for a in range(3)])
        centre = np.array([(x1 + x2) / 2, 0, p[2]])
        d = p - centre
        return np.array(p + out * d / np.linalg.norm(d) * np.array([1, 1, 0]))

    for a_, b_ in ((0, 1), (1, 2), (5, 6), (6, 7)):  # windscreen and rear window, two halves each
        for v0, v1 in ((lo, kink), (kink, hi)):
            m.quad([at(a_, v0, 0.014), at(b_, v0, 0.014), at(b_, v1, 0.014), at(a_, v1, 0.014)], "glass")
    for front, rear in ((3, 4), (9, 8)):
        split = (0.04, 0.49, 0.53, 0.90) if x2 > x3 + 0.55 or bed else (0.04, 0.40, 0.43, 0.74, 0.77, 0.97)
        for s0, s1 in zip(split[::2], split[1::2], strict=True):
            for v0, v1 in ((lo, kink), (kink, hi)):

                def mix(s: float, v: float, f: int = front, r: int = rear) -> np.ndarray:
                    p = at(f, v, 0.0) * (1 - s) + at(r, v, 0.0) * s
                    p[1] += 0.012 * np.sign(p[1])
                    return p

                m.quad([mix(s0, v0), mix(s1, v0), mix(s1, v1), mix(s0, v1)], "glass")
    # wheels in dark arches
    for x in (front_axle, rear_axle):
        for side in (-1, 1):
            n = 22
            a = np.linspace(0, 2 * np.pi, n, endpoint=False)
            arch = np.stack(
                [
                    x + (wheel + 0.055) * np.cos(a),
                    np.full(n, side * (w + 0.004)),
                    wheel + 0.02 + (wheel + 0.055) * np.sin(a),
                ],
                1,
            )
            m.add(arch, [tuple(range(n))], "black", smooth=False)
            m.wheel((x, side * (w - 0.075), wheel), wheel, 0.19)
    # face, tail, details
    m.box((h - 0.03, 0, hood - 0.30), (0.06, 0.82 * w, 0.12), "black", 0.02)
    m.box((h - 0.02, 0, ground + 0.13), (0.07, 1.1 * w, 0.12), "black", 0.03)
    m.box((-h + 0.03, 0, ground + 0.11), (0.10, 1.3 * w, 0.12), "black", 0.03)
    for side in (-1, 1):
        m.ellipsoid((h - 0.13, side * 0.70 * w, hood - 0.20), (0.13, 0.20, 0.075), "headlamp")
        m.ellipsoid((-h + 0.09, side * 0.74 * w, tail - 0.20), (0.09, 0.17, 0.10), "taillamp")
        m.box((x0 - 0.22, side * (w + 0.07), belt + 0.07), (0.11, 0.18, 0.12), "paint1", 0.04)
        for x in (x0 - 0.25, (x1 + x2) / 2, rear_axle + 0.42):
            m.box(
                (x, side * (w - 0.006), (ground + belt) / 2 + 0.06),
                (0.014, 0.02, 0.56 * (belt - ground)),
                "black",
            )
        for x in ((x1 + x2) / 2 + 0.14, rear_axle + 0.56):
            m.box((x, side * w, belt - 0.13), (0.15, 0.03, 0.03), "chrome", 0.01)
        m.box(
            ((front_axle + rear_axle) / 2, side * (w - 0.02), ground + 0.05),
            (front_axle - rear_axle - 2.4 * wheel, 0.06, 0.09),
            "black",
            0.02,
        )
        if rails:
            m.tube(
                [
                    (x1 - 0.2, side * 0.62 * w, height - 0.01),
                    ((x1 + x2) / 2, side * 0.64 * w, height + 0.05),
                    (x2 + 0.1, side * 0.62 * w, height - 0.01),
                ],
                0.018,
                "metal",
            )
    _plate(m, h + 0.01, ground + 0.24, (0.47, 0.11))
    _plate(m, -h - 0.005, tail - 0.34, (0.33, 0.165))
    if bed:
        m.box((-h + bed / 2 + 0.05, 0, tail - 0.005), (bed - 0.1, 1.72 * w, 0.06), "black", 0.01)
    if taxi:
        m.box(((x1 + x2) / 2, 0, height + 0.07), (0.18, 0.52, 0.14), "sign_yellow", 0.03)
        for side in (-1, 1):
            m.box((0, side * (w - 0.004), ground + 0.33), (length * 0.42, 0.03, 0.11), "paint2", 0.01)
    return m


def _car_lamps(length: float, width: float, hood: float, tail: float) -> tuple[Lamp, ...]:
    out = []
    for s in (-1, 1):
        out.append(Lamp(length / 2 - 0.05, s * 0.35 * width, hood - 0.20, True))
        out.append(Lamp(-length / 2 + 0.03, s * 0.37 * width, tail - 0.2, False))
    return tuple(out)


# ------------------------------------------------------------------ buses and trucks


def _big_wheels(m: Mesh, axles: list[float], w: float, r: float) -> None:
    for x in axles:
        for side in (-1, 1):
            n = 22
            a = np.linspace(0, 2 * np.pi, n, endpoint=False)
            arch = np.stack(
                [
                    x + (r + 0.09) * np.cos(a),
                    np.full(n, side * (w + 0.006)),
                    np.maximum(r + 0.02 + (r + 0.09) * np.sin(a), 0.28),
                ],
                1,
            )
            m.add(arch, [tuple(range(n))], "black", smooth=False)
            m.wheel((x, side * (w - 0.10), r), r, 0.26, rim="metal")


def _bus(length: float, width: float, height: float, doors: bool) -> Mesh:
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
    _big_wheels(m, [h - 0.24 * length, -h + 0.24 * length], w, 0.46 if length > 8 else 0.38)
    _plate(m, h + 0.055, low + 0.30, (0.47, 0.11))
    _plate(m, -h - 0.03, low + 0.38, (0.33, 0.165))
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
    _plate(m, front + 0.095, low + 0.02, (0.47, 0.11))


def _truck(kind: str) -> Mesh:
    m = Mesh()
    length, width, height, cab_height, cab_length = {
        "box": (6.3, 2.05, 3.0, 2.25, 1.55),
        "bed": (5.6, 1.85, 2.15, 2.10, 1.45),
        "tipper": (7.4, 2.45, 3.0, 2.85, 1.75),
    }[kind]
    h, w = length / 2, width / 2
    low = 0.42 if kind != "tipper" else 0.55
    _cab(m, h, width * 0.97, cab_height, cab_length, low)
    bed_front = h - cab_length - 0.12
    bed_length = bed_front + h
    cx, r = (bed_front - h) / 2, 0.40 if kind != "tipper" else 0.50
    m.box((0, 0, low + 0.22), (length - 0.3, 0.9, 0.2), "black", 0.02)
    floor = low + 0.42
    if kind == "box":
        m.box((cx, 0, (floor + height) / 2), (bed_length, width, height - floor), "paint2", 0.04)
        for x in np.linspace(-h + 0.25, bed_front - 0.25, 6):
            for side in (-1, 1):
                m.box((x, side * w, (floor + height) / 2), (0.035, 0.025, height - floor - 0.1), "metal")
        m.box((-h, 0, (floor + height) / 2), (0.02, 0.03, height - floor - 0.12), "black")
        for side in (-1, 1):
            m.box(
                (-h - 0.01, side * 0.4 * w, (floor + height) / 2), (0.03, 0.03, height - floor - 0.2), "metal"
            )
    elif kind == "bed":
        m.box((cx, 0, floor), (bed_length, width, 0.10), "metal", 0.01)
        wall = 0.42
        for side in (-1, 1):
            m.box((cx, side * (w - 0.03), floor + wall / 2), (bed_length, 0.06, wall), "paint1", 0.01)
            for x in np.linspace(-h + 0.2, bed_front - 0.2, 5):
                m.box((x, side * w, floor + wall / 2), (0.06, 0.03, wall), "metal")
        m.box((-h + 0.03, 0, floor + wall / 2), (0.06, width, wall), "paint1", 0.01)
        m.box((bed_front - 0.03, 0, floor + 0.62), (0.06, width, 1.2), "metal", 0.01)
        m.box((cx - 0.05, 0, floor + 0.44), (bed_length - 0.35, width - 0.25, 0.85), "canvas", 0.14)
        m.box((cx - 0.55, 0.1, floor + 0.95), (1.5, 1.1, 0.5), "carton", 0.05)
    else:
        wall = 1.35
        for side in (-1, 1):
            m.box((cx, side * (w - 0.04), floor + wall / 2), (bed_length, 0.08, wall), "paint2", 0.02)
            for x in np.linspace(-h + 0.3, bed_front - 0.3, 6):
                m.box((x, side * w, floor + wall / 2), (0.12, 0.08, wall), "paint2", 0.01)
        m.box((-h + 0.05, 0, floor + wall / 2), (0.08, width, wall), "paint2", 0.02)
        m.box((bed_front - 0.05, 0, floor + wall / 2 + 0.15), (0.08, width, wall + 0.3), "paint2", 0.02)
        m.box((cx, 0, floor + wall - 0.25), (bed_length - 0.1, width - 0.16, 0.3), "earth", 0.1)
    for side in (-1, 1):
        m.box((-h + 0.02, side * 0.7 * w, low + 0.25), (0.04, 0.26, 0.14), "taillamp", 0.01)
        m.box((0.1, side * (w - 0.1), low + 0.14), (1.5, 0.05, 0.26), "metal", 0.02)
    axles = [h - 0.85, -h + 1.25] + ([-h + 2.4] if kind == "tipper" else [])
    _big_wheels(m, axles, w - 0.02, r)
    _plate(m, -h - 0.005, low + 0.10, (0.33, 0.165))
    return m


def _big_lamps(length: float, width: float, z: float) -> tuple[Lamp, ...]:
    return tuple(Lamp(d * length / 2, s * 0.37 * width, z, d > 0) for d in (1, -1) for s in (-1, 1))


def _catalogue() -> dict[str, tuple[int, float, Callable[[], Mesh], tuple[Lamp, ...]]]:
    sedan = {
        "length": 4.45,
        "width": 1.74,
        "height": 1.47,
        "belt": 0.95,
        "hood": 0.86,
        "cabin": (1.12, 0.28, -0.98, -1.72),
        "tail": 1.00,
    }
    return {
        "wave_man": (MOTORCYCLE, 0.24, lambda: _moto("underbone", 1), _MOTO_LAMPS),
        "scooter_woman": (
            MOTORCYCLE,
            0.22,
            lambda: _moto("scooter", 1, mask=True, hair=True, coat=True, size=0.94),
            _MOTO_LAMPS,
        ),
        "wave_two": (MOTORCYCLE, 0.17, lambda: _moto("underbone", 2), _MOTO_LAMPS),
        "scooter_man": (
            MOTORCYCLE,
            0.16,
            lambda: _moto("scooter", 1, legs="cloth_c", hat="full"),
            _MOTO_LAMPS,
        ),
        "scooter_box": (MOTORCYCLE, 0.12, lambda: _moto("scooter", 1, "box", mask=True), _MOTO_LAMPS),
        "wave_sacks": (MOTORCYCLE, 0.09, lambda: _moto("underbone", 1, "sacks"), _MOTO_LAMPS),
        "bike_cone": (BICYCLE, 0.5, lambda: _bicycle("cone", 0.94), ()),
        "bike_student": (BICYCLE, 0.5, lambda: _bicycle("", 0.90), ()),
        "sedan": (CAR, 0.26, lambda: _car(**sedan), _car_lamps(4.45, 1.74, 0.86, 1.0)),
        "taxi": (CAR, 0.14, lambda: _car(**sedan, taxi=True), _car_lamps(4.45, 1.74, 0.86, 1.0)),
        "suv": (
            CAR,
            0.22,
            lambda: _car(
                4.55,
                1.85,
                1.70,
                belt=1.08,
                hood=1.02,
                cabin=(1.18, 0.45, -1.72, -2.12),
                tail=1.10,
                wheel=0.36,
                ground=0.24,
                rails=True,
            ),
            _car_lamps(4.55, 1.85, 1.02, 1.1),
        ),
        "hatch": (
            CAR,
            0.18,
            lambda: _car(
                3.75,
                1.66,
                1.50,
                belt=0.96,
                hood=0.92,
                cabin=(1.05, 0.32, -1.28, -1.72),
                tail=1.02,
                wheel=0.29,
            ),
            _car_lamps(3.75, 1.66, 0.92, 1.02),
        ),
        "mpv": (
            CAR,
            0.20,
            lambda: _car(
                4.70,
                1.80,
                1.76,
                belt=1.02,
                hood=0.98,
                cabin=(1.50, 0.62, -1.92, -2.22),
                tail=1.08,
                wheel=0.32,
            ),
            _car_lamps(4.70, 1.80, 0.98, 1.08),
        ),
        "city_bus": (BUS, 0.7, lambda: _bus(10.6, 2.46, 3.05, True), _big_lamps(10.6, 2.46, 0.74)),
        "coach": (BUS, 0.3, lambda: _bus(7.4, 2.18, 2.75, False), _big_lamps(7.4, 2.18, 0.74)),
        "truck_box": (TRUCK, 0.45, lambda: _truck("box"), _big_lamps(6.3, 2.0, 0.66)),
        "truck_bed": (TRUCK, 0.35, lambda: _truck("bed"), _big_lamps(5.6, 1.85, 0.66)),
        "truck_tipper": (TRUCK, 0.20, lambda: _truck("tipper"), _big_lamps(7.4, 2.4, 0.8)),
        "parked_wave": (MOTORCYCLE, 0.0, lambda: _moto("underbone", 0), ()),
        "parked_scooter": (MOTORCYCLE, 0.0, lambda: _moto("scooter", 0), ()),
    }


NAMES = tuple(_catalogue())


def build(name: str) -> Model:
    """Build one model by name."""
    class_id, share, make, lamps = _catalogue()[name]
    return Model(name, class_id, make(), lamps, share)


def catalogue() -> dict[str, tuple[int, float]]:
    """Return class and share of every model, without building the meshes."""
    return {name: (entry[0], entry[1]) for name, entry in _catalogue().items()}
