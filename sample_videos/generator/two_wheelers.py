"""Motorcycles and bicycles with their riders, modelled in code."""

from __future__ import annotations

import numpy as np

from .fittings import Lamp, plate, spokes
from .shapes import Mesh


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


def _wheel(m: Mesh, x: float, radius: float, rim: str = "rim") -> None:
    m.torus((x, 0, radius), radius - 0.045, 0.042, "tyre")
    m.torus((x, 0, radius), radius - 0.09, 0.016, rim, m=5)
    m.rod((x, -0.06, radius), (x, 0.06, radius), 0.05, "metal")
    spokes(m, x, radius, 7, radius - 0.09, (0.010, 0.008), rim)


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


def _underbone(m: Mesh) -> None:
    _wheel(m, 0.60, 0.30)
    _wheel(m, -0.62, 0.30)
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
    plate(m, -0.90, 0.58, (0.19, 0.14))
    for side in (-1, 1):
        m.limb((0.12, side * 0.10, 0.30), (0.12, side * 0.24, 0.30), 0.015, 0.015, "black")


def _scooter(m: Mesh) -> None:
    _wheel(m, 0.60, 0.255)
    _wheel(m, -0.60, 0.255)
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
    plate(m, -0.89, 0.55, (0.19, 0.14))


LAMPS = (Lamp(0.52, 0, 0.98, True), Lamp(-0.85, 0, 0.74, False))


def motorcycle(kind: str, riders: int, cargo: str = "", **look: object) -> Mesh:
    """An `underbone` or `scooter` with up to three people and what it carries (`box`, `sacks`)."""
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


def bicycle(hat: str, size: float) -> Mesh:
    """A bicycle and its rider."""
    m = Mesh()
    r = 0.33
    for x in (0.52, -0.52):
        m.torus((x, 0, r), r - 0.02, 0.02, "tyre")
        m.torus((x, 0, r), r - 0.05, 0.010, "chrome", m=5)
        spokes(m, x, r, 10, r - 0.04, (0.004, 0.004), "chrome")
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
