"""The town about the junction as meshes: the ground here, houses and furniture beside (numpy only)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import layout
from .built import Town
from .furniture import add_furniture
from .houses import add_houses
from .shapes import Mesh


def build(seed: int = 3) -> Town:
    """Build the town around the junction."""
    rng = np.random.default_rng(seed)
    town = Town()
    _road(town.ground, rng)
    _markings(town.ground)
    _pavements(town.ground)
    add_houses(town, rng)
    add_furniture(town, rng)
    return town


def _road(m: Mesh, rng: np.random.Generator) -> None:
    m.quad([(-420, -420, 0), (420, -420, 0), (420, 420, 0), (-420, 420, 0)], "asphalt")
    for _ in range(26):  # repairs
        arm = layout.ARM[str(rng.choice(list(layout.ARMS)))]
        d, o = rng.uniform(-6, 60), rng.uniform(-arm.half + 1, arm.half - 1)
        length, width = rng.uniform(1.5, 7), rng.uniform(0.6, 2.2)
        corners = [arm.point(d + a * length, o + b * width) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
        m.quad([(*c, 0.002) for c in corners], "patch_dark" if rng.random() < 0.6 else "patch_light")
    for _ in range(14):  # manholes
        arm = layout.ARM[str(rng.choice(list(layout.ARMS)))]
        x, y = arm.point(rng.uniform(0, 50), rng.uniform(-arm.half + 1, arm.half - 1))
        a = np.linspace(0, 2 * np.pi, 18, endpoint=False)
        m.quad(np.stack([x + 0.38 * np.cos(a), y + 0.38 * np.sin(a), np.full(18, 0.004)], 1), "manhole")


def _stripe(m: Mesh, arm: layout.Arm, d0: float, d1: float, o: float, width: float, material: str) -> None:
    corners = [
        arm.point(d0, o - width / 2),
        arm.point(d1, o - width / 2),
        arm.point(d1, o + width / 2),
        arm.point(d0, o + width / 2),
    ]
    m.quad([(*c, 0.006) for c in corners], material)


def _markings(m: Mesh) -> None:
    for arm in layout.ARM.values():
        stop, half = arm.stop, arm.half
        for o in (-0.12, 0.12):
            _stripe(m, arm, stop, 300, o, 0.12, "mark_yellow")
        m_corners = [
            arm.point(stop, 0.3),
            arm.point(stop + 0.4, 0.3),
            arm.point(stop + 0.4, half - 0.2),
            arm.point(stop, half - 0.2),
        ]
        m.quad([(*c, 0.006) for c in m_corners], "mark_white")
        for lane in range(1, arm.lanes):
            o = lane * layout.LANE
            _stripe(m, arm, stop + 0.4, stop + 22, o, 0.13, "mark_white")
            for d in np.arange(stop + 24, 250, 7.0):
                _stripe(m, arm, d, d + 2.6, o, 0.13, "mark_white")
            for d in np.arange(stop, 250, 7.0):
                _stripe(m, arm, d, d + 2.6, -o, 0.13, "mark_white")
        for side in (-1, 1):
            _stripe(m, arm, stop + 4, 250, side * (half - 0.35), 0.13, "mark_white")
        c0, c1 = arm.crossing
        for o in np.arange(-half + 0.5, half - 0.2, 0.95):
            _stripe(m, arm, c0, c1, o, 0.45, "mark_white")
        for lane in range(arm.lanes):  # arrows
            o = (lane + 0.5) * layout.LANE
            d = stop + 7
            _stripe(m, arm, d, d + 2.6, o, 0.18, "mark_white")
            m.quad(
                [
                    (*arm.point(d, o - 0.45), 0.006),
                    (*arm.point(d - 1.3, o), 0.006),
                    (*arm.point(d, o + 0.45), 0.006),
                ],
                "mark_white",
            )


def _corner_path(sx: float, sy: float, inset: float) -> NDArray[np.float64]:
    """The kerb of one corner from the far end of the N/S arm round to the far end of the E/W arm."""
    hx, hy, r = layout.ARM["N"].half, layout.ARM["E"].half, layout.KERB_RADIUS
    cx, cy = hx + r, hy + r
    a = np.linspace(np.pi, 1.5 * np.pi, 13)
    arc = np.stack([cx + (r - inset) * np.cos(a), cy + (r - inset) * np.sin(a)], 1)
    path = np.vstack([[hx + inset, 320.0], arc, [320.0, hy + inset]])
    return path * [sx, sy]


def _pavements(m: Mesh) -> None:
    height = 0.16
    for sx in (-1, 1):
        for sy in (-1, 1):
            outer, inner = _corner_path(sx, sy, 0.0), _corner_path(sx, sy, 0.28)
            top = np.vstack([inner, [[320 * sx, 320 * sy]]])
            m.quad(np.column_stack([top, np.full(len(top), height)]), "pavement")
            for i in range(len(outer) - 1):
                a, b, c, d = outer[i], outer[i + 1], inner[i + 1], inner[i]
                n = max(1, int(np.hypot(*(b - a)) / 1.0)) if 0 < i < len(outer) - 2 else 60
                for k in range(n):
                    t0, t1 = k / n, (k + 1) / n
                    paint = "kerb" if not 0 < i < len(outer) - 2 else ("kerb_red" if i % 2 else "kerb_white")
                    p, q = a + (b - a) * t0, a + (b - a) * t1
                    s, r = d + (c - d) * t1, d + (c - d) * t0
                    m.quad([(*p, 0), (*q, 0), (*q, height), (*p, height)], paint)
                    m.quad([(*p, height), (*q, height), (*s, height), (*r, height)], paint)
