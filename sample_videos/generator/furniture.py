"""Poles and wires, trees, street lamps, signals, people and things on the pavements."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from . import layout
from .built import SIGNS, Town, colour
from .compose import signal_heads
from .shapes import Mesh

_WIRES = [0.010, 0.014, 0.022]  # radii, metres


def add_furniture(town: Town, rng: np.random.Generator) -> None:
    """Everything that stands on the pavements or hangs above the street."""
    m = town.furniture
    corner = {}
    for arm in layout.ARM:
        side = 1 if arm in "NES" else -1
        corner[arm] = _poles(m, rng, arm, side)
        _trees(town, rng, arm)
        _street_lamps(town, arm, side)
    for p, q in (("N", "E"), ("E", "S"), ("S", "W"), ("W", "N")):
        for _ in range(4):
            o = np.array([0, 0, rng.uniform(-1.2, 0.3)])
            _wire(m, corner[p] + o, corner[q] + o, rng.uniform(0.6, 1.3), rng.choice(_WIRES))
    for arm, head in signal_heads():
        _signal(m, arm, head)
    for _ in range(40):
        a = layout.ARM[str(rng.choice(list(layout.ARMS)))]
        d, side = rng.uniform(a.stop, 75), float(rng.choice([-1, 1]))
        _person(m, rng, *a.point(d, side * (a.half + rng.uniform(0.8, 4.0))))
    for _ in range(70):
        _pavement_thing(m, rng)


def _poles(m: Mesh, rng: np.random.Generator, arm: str, side: int) -> NDArray[np.float64]:
    """Poles along an arm and the wires between them; returns where the wires meet the first."""
    a, tops = layout.ARM[arm], []
    for d in np.arange(20.5, 150, 32.0):
        x, y = a.point(d, side * (a.half + 1.1))
        m.rod((x, y, 0.1), (x, y, 8.4), 0.19, "concrete", n=12, r1=0.13)
        m.box((x, y, 7.6), (1.4, 1.4, 0.10) if d < 30 else (1.2, 0.12, 0.12), "concrete")
        m.box((x + 0.25, y, 3.2), (0.35, 0.3, 0.6), colour((0.35, 0.36, 0.36), 0.5))
        tops.append(np.array([x, y, 7.55]))
    for p, q in pairwise(tops):
        for _ in range(7):
            o = np.array([rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5), rng.uniform(-1.3, 0.4)])
            _wire(m, p + o, q + o, rng.uniform(0.5, 1.1), rng.choice(_WIRES))
    return tops[0]


def _trees(town: Town, rng: np.random.Generator, arm: str) -> None:
    """Trees on both pavements, but for where a camera looks through."""
    a = layout.ARM[arm]
    for d in np.arange(22.0, 150, 8.5):
        for side in (-1, 1):
            if d < 48 and (arm == "S" or (arm == "E" and side == 1)):
                continue
            if rng.random() < 0.8:
                x, y = a.point(d + rng.uniform(-1.5, 1.5), side * (a.half + 1.5))
                scale, turn = float(rng.uniform(0.85, 1.4)), float(rng.uniform(0, 6.28))
                town.trees.append((x, y, scale, turn, int(rng.integers(3))))
                town.furniture.box((x, y, 0.17), (1.1, 1.1, 0.03), "earth_bed")


def _street_lamps(town: Town, arm: str, side: int) -> None:
    a, m = layout.ARM[arm], town.furniture
    for d in np.arange(24, 140, 28.0):
        if arm in "SE" and d < 40:
            continue
        x, y = a.point(d, -side * (a.half + 0.7))
        ox, oy = a.point(d, -side * (a.half - 1.6))
        m.rod((x, y, 0.1), (x, y, 8.6), 0.09, "steel", n=10, r1=0.06)
        m.tube([(x, y, 8.5), ((x + ox) / 2, (y + oy) / 2, 9.0), (ox, oy, 9.1)], 0.045, "steel", n=8)
        size = (0.6, 0.3, 0.12) if arm in "EW" else (0.3, 0.6, 0.12)
        m.box((ox, oy, 9.08), size, "lamp_head", 0.04)
        town.lamps.append((ox, oy, 8.95))


def _signal(m: Mesh, arm: str, head: NDArray[np.float64]) -> None:
    """A signal head on its pole; composing lights its lenses."""
    x, y, z = head
    outward = np.asarray(layout.ARM[arm].outward)
    bx, by = np.array([x, y]) - outward * 0.28
    m.rod((bx, by, 0.1), (bx, by, z + 0.75), 0.075, "signal_pole", n=10)
    m.box((x - outward[0] * 0.05, y - outward[1] * 0.05, z), (0.32, 0.32, 1.05), "black", 0.03)
    for k in (-1, 0, 1):
        p = np.array([x, y]) + outward * 0.12
        m.rod((*p, z + 0.33 * k), (*(p + outward * 0.015), z + 0.33 * k), 0.115, "lens", n=14)
        m.box((*(np.array([x, y]) + outward * 0.20), z + 0.33 * k + 0.13), (0.26, 0.26, 0.025), "black")
    m.box((bx, by, z + 1.0), (0.55, 0.55, 0.5) if z > 4 else (0.3, 0.3, 0.1), "black", 0.03)


def _pavement_thing(m: Mesh, rng: np.random.Generator) -> None:
    """A parasol with stools, a flower pot, a bin or a stall."""
    a = layout.ARM[str(rng.choice(list(layout.ARMS)))]
    d = rng.uniform(24, 90)
    x, y = a.point(d, rng.choice([-1, 1]) * (a.half + rng.uniform(2.6, 4.0)))
    kind = rng.random()
    c = np.array(SIGNS[int(rng.integers(len(SIGNS)))])
    if kind < 0.35:
        _parasol(m, rng, x, y, c)
    elif kind < 0.6:
        m.rod((x, y, 0.15), (x, y, 0.65), 0.28, colour((0.35, 0.18, 0.10)), n=12, r1=0.34)
        m.ellipsoid((x, y, 1.0), (0.5, 0.5, 0.55), "plant", n=10)
    elif kind < 0.75:
        m.box((x, y, 0.6), (0.55, 0.55, 0.9), colour((0.05, 0.28, 0.12), 0.5), 0.05)
    else:
        m.box((x, y, 0.75), (1.5, 0.8, 1.1), colour((0.5, 0.5, 0.48), 0.4), 0.02)
        m.box((x, y, 2.0), (1.7, 1.0, 0.05), colour(c))


def _parasol(m: Mesh, rng: np.random.Generator, x: float, y: float, c: NDArray[np.float64]) -> None:
    n = 10
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    rim = np.stack([x + 1.1 * np.cos(t), y + 1.1 * np.sin(t), np.full(n, 2.05)], 1)
    top = np.vstack([rim, [[x, y, 2.6]]])
    for i in range(n):
        m.quad([top[i], top[(i + 1) % n], top[n]], colour(c if i % 2 else np.clip(c + 0.3, 0, 0.7)))
    m.rod((x, y, 0.15), (x, y, 2.5), 0.025, "steel", n=6)
    for _ in range(3):
        sx, sy = x + rng.uniform(-1, 1), y + rng.uniform(-1, 1)
        tint = colour((0.45, 0.05, 0.05) if rng.random() < 0.5 else (0.05, 0.15, 0.45))
        m.box((sx, sy, 0.38), (0.32, 0.32, 0.42), tint, 0.04)


def _wire(m: Mesh, a: NDArray[np.float64], b: NDArray[np.float64], sag: float, radius: float) -> None:
    t = np.linspace(0, 1, 15)[:, None]
    path = a + (b - a) * t
    path[:, 2] -= sag * 4 * (t * (1 - t))[:, 0]
    m.tube(path, radius, "wire", n=5)


def _person(m: Mesh, rng: np.random.Generator, x: float, y: float) -> None:
    """Somebody standing on the pavement."""
    turn, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.92, 1.05)
    cloth = colour(np.array(SIGNS[int(rng.integers(len(SIGNS)))]) * 0.8 + 0.05, 0.9)
    legs = colour([(0.04, 0.045, 0.07), (0.10, 0.09, 0.08), (0.25, 0.22, 0.18)][int(rng.integers(3))], 0.9)
    p = Mesh()
    for side in (-1, 1):
        p.limb((0.02 * side, 0.09 * side, 0.08), (0, 0.09 * side, 0.86), 0.05, 0.085, legs)
        p.limb((0, 0.21 * side, 1.36), (0.06, 0.25 * side, 0.95), 0.055, 0.04, cloth)
    p.limb((0, 0, 0.90), (0, 0, 1.36), 0.145, 0.16, cloth, flat=0.7)
    p.limb((0, 0, 1.40), (0, 0, 1.50), 0.05, 0.05, colour((0.42, 0.22, 0.14), 0.6))
    p.ellipsoid((0.01, 0, 1.60), (0.095, 0.08, 0.115), colour((0.42, 0.22, 0.14), 0.6))
    p.ellipsoid((-0.015, 0, 1.61), (0.10, 0.088, 0.12), colour((0.02, 0.016, 0.015), 0.6), top=True)
    m.extend(p, (x, y, 0.16), float(turn), float(size))


def tree(kind: int) -> tuple[Mesh, Mesh]:
    """Trunk and leaves of one of three trees."""
    rng = np.random.default_rng(100 + kind)
    wood, leaves = Mesh(), Mesh()
    top = np.array([0.15, 0.1, 3.6])
    wood.limb((0, 0, 0), top, 0.20, 0.14, "bark")
    centres = []
    for _ in range(9 + 2 * kind):
        a, up = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 3.4)
        out = rng.uniform(0.6, 2.1)
        end = top + np.array([out * np.cos(a), out * np.sin(a), up])
        wood.limb(top - [0, 0, 0.3], end, 0.07, 0.03, "bark", n=6)
        centres.append(end)
    vertices, faces = [], []
    for centre in centres:
        n = 190
        d = rng.normal(0, 1, (n, 3))
        d /= np.linalg.norm(d, axis=1, keepdims=True)
        p = centre + d * (rng.uniform(0.55, 1.15, (n, 1)) * [1.05, 1.05, 0.75])
        for q in p:
            u = rng.normal(0, 1, 3)
            u /= np.linalg.norm(u)
            w = np.cross(u, rng.normal(0, 1, 3))
            w /= np.linalg.norm(w)
            size = rng.uniform(0.13, 0.24)
            k = len(vertices)
            vertices += [q + u * size, q + w * size * 0.5, q - u * size, q - w * size * 0.5]
            faces.append((k, k + 1, k + 2, k + 3))
    leaves.add(vertices, faces, f"leaf{kind}", smooth=False)
    return wood, leaves
