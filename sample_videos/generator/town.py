"""The street as meshes: road, markings, pavements, shop houses, trees, poles, wires and signals (numpy only).

Materials are named `c:red,green,blue:roughness` for a plain colour, or by a word that street.py knows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import layout
from .compose import signal_heads
from .shapes import Mesh

FRONT = {"N": 11.6, "S": 11.6, "E": 15.2, "W": 15.2}  # building line from the arm's axis
_CORNER = {"N": 25.5, "S": 25.5, "E": 22.0, "W": 22.0}  # where the rows of houses begin along an arm

_WALLS = (
    (0.62, 0.55, 0.40),
    (0.66, 0.63, 0.55),
    (0.60, 0.47, 0.26),
    (0.44, 0.52, 0.45),
    (0.62, 0.45, 0.38),
    (0.40, 0.47, 0.55),
    (0.68, 0.67, 0.64),
    (0.55, 0.52, 0.48),
    (0.58, 0.55, 0.32),
    (0.50, 0.38, 0.30),
)
_SIGNS = (
    (0.45, 0.03, 0.03),
    (0.03, 0.10, 0.40),
    (0.02, 0.25, 0.10),
    (0.60, 0.40, 0.02),
    (0.60, 0.60, 0.58),
    (0.05, 0.05, 0.06),
    (0.50, 0.16, 0.02),
    (0.02, 0.22, 0.35),
    (0.35, 0.05, 0.20),
)
WORDS = (
    "PHỞ BÒ",
    "CÀ PHÊ",
    "NHÀ THUỐC",
    "TẠP HÓA",
    "SỬA XE MÁY",
    "CƠM TẤM",
    "ĐIỆN THOẠI",
    "BÁNH MÌ",
    "QUẦN ÁO",
    "BÚN CHẢ",
    "GIÀY DÉP",
    "VĂN PHÒNG PHẨM",
    "TÓC ĐẸP",
    "KÍNH MẮT",
    "NỘI THẤT",
    "TRÀ SỮA",
    "BIA HƠI",
    "MAY ĐO",
    "PHOTO IN ẤN",
    "ĐIỆN NƯỚC",
    "VÀNG BẠC",
    "NHA KHOA",
    "HOA TƯƠI",
    "CHÁO GÀ",
    "SƠN NƯỚC",
    "ĐỒ CHƠI",
    "MỸ PHẨM",
)


@dataclass(slots=True)
class Sign:
    """A line of lettering: text, centre, direction it faces, letter height, colour, greatest width."""

    text: str
    at: tuple[float, float, float]
    facing: float
    height: float
    colour: tuple[float, float, float]
    width: float


@dataclass(slots=True)
class Town:
    """What has been built, in groups that the renderer treats differently."""

    ground: Mesh = field(default_factory=Mesh)
    houses: Mesh = field(default_factory=Mesh)
    furniture: Mesh = field(default_factory=Mesh)
    signs: list[Sign] = field(default_factory=list)
    trees: list[tuple[float, float, float, float, int]] = field(
        default_factory=list
    )  # x, y, scale, turn, kind
    lamps: list[tuple[float, float, float]] = field(default_factory=list)
    shops: list[tuple[float, float, float, float]] = field(
        default_factory=list
    )  # lit fronts at night: x, y, z, facing


def colour(rgb: tuple[float, float, float] | NDArray[np.float64], roughness: float = 0.8) -> str:
    """Name of a plain material."""
    return f"c:{rgb[0]:.2f},{rgb[1]:.2f},{rgb[2]:.2f}:{roughness:.2f}"


def build(seed: int = 3) -> Town:
    """Build the town around the junction."""
    rng = np.random.default_rng(seed)
    town = Town()
    _road(town.ground, rng)
    _markings(town.ground)
    _pavements(town.ground)
    _houses(town, rng)
    _street_furniture(town, rng)
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


# ------------------------------------------------------------------ houses


def _house(
    rng: np.random.Generator, width: float, floors: int, depth: float
) -> tuple[Mesh, list[Sign], bool]:
    """One shop house; its front is the plane y = 0 looking to -y, from x = 0 to `width`."""
    m, signs = Mesh(), []
    wall = np.clip(np.array(_WALLS[int(rng.integers(len(_WALLS)))]) * rng.uniform(0.75, 1.1), 0, 0.8)
    plain, trim = colour(wall), colour(np.clip(wall * 1.15, 0, 0.85))
    ground = 3.7
    height = ground + 3.3 * (floors - 1)
    m.box((width / 2, depth / 2, height / 2), (width, depth, height), plain)
    open_shop = rng.random() < 0.72
    # ground floor
    if open_shop:
        m.box((width / 2, 0.02, 1.55), (width - 0.5, 0.12, 2.9), "shop_dark")
        for _ in range(int(rng.integers(8, 16))):
            c = np.array(_SIGNS[int(rng.integers(len(_SIGNS)))])
            c = (c.mean() + (c - c.mean()) * 0.45) * rng.uniform(0.3, 0.9)
            w, h = rng.uniform(0.2, 0.7), rng.uniform(0.2, 1.0)
            x = rng.uniform(0.4 + w / 2, width - 0.4 - w / 2)
            m.box((x, -0.12, 0.16 + h / 2 + rng.choice([0, 0.0, 0.9])), (w, 0.25, h), colour(c, 0.6))
        if rng.random() < 0.35:
            m.quad(
                [(0.3, -0.06, 0.2), (width - 0.3, -0.06, 0.2), (width - 0.3, -0.06, 2.7), (0.3, -0.06, 2.7)],
                "window",
            )
    else:
        c = [(0.30, 0.32, 0.34), (0.16, 0.26, 0.36), (0.40, 0.38, 0.34), (0.12, 0.22, 0.18)][
            int(rng.integers(4))
        ]
        m.box((width / 2, -0.02, 1.6), (width - 0.5, 0.1, 2.9), colour(c, 0.5))
        for z in np.arange(0.4, 3.0, 0.28):
            m.box((width / 2, -0.08, z), (width - 0.5, 0.03, 0.04), colour(np.array(c) * 0.7, 0.5))
    # sign board
    if rng.random() < 0.85:
        c = _SIGNS[int(rng.integers(len(_SIGNS)))]
        h = rng.uniform(0.7, 1.2)
        m.box((width / 2, -0.22, 3.25 + h / 2), (width - 0.2, 0.16, h), colour(c, 0.5))
        ink = (0.75, 0.7, 0.2) if rng.random() < 0.4 and sum(c) < 0.8 else (0.8, 0.8, 0.8)
        if sum(c) > 1.2:
            ink = (0.45, 0.03, 0.03)
        signs.append(
            Sign(
                str(WORDS[int(rng.integers(len(WORDS)))]),
                (width / 2, -0.32, 3.25 + h / 2),
                0,
                h * 0.55,
                ink,
                width - 0.7,
            )
        )
    if rng.random() < 0.35:  # hanging sign
        c = _SIGNS[int(rng.integers(len(_SIGNS)))]
        x = rng.choice([0.3, width - 0.3])
        m.box((x, -0.75, ground + 1.5), (0.14, 0.9, 1.7), colour(c, 0.5))
    if rng.random() < 0.5:  # awning
        c = np.array(
            [(0.10, 0.28, 0.16), (0.12, 0.20, 0.45), (0.45, 0.10, 0.08), (0.5, 0.48, 0.42)][
                int(rng.integers(4))
            ]
        )
        out = rng.uniform(1.2, 2.2)
        for k in range(8):
            x0, x1 = 0.1 + (width - 0.2) * k / 8, 0.1 + (width - 0.2) * (k + 1) / 8
            tint = colour(c if k % 2 else np.clip(c * 1.3 + 0.12, 0, 0.8))
            m.quad([(x0, -0.05, 3.2), (x1, -0.05, 3.2), (x1, -out, 2.7), (x0, -out, 2.7)], tint)
    # upper floors
    style = int(rng.integers(3))
    frame = colour((0.55, 0.54, 0.5)) if rng.random() < 0.6 else colour((0.22, 0.13, 0.07))
    for f in range(1, floors):
        z = ground + 3.3 * (f - 1)
        m.box((width / 2, -0.04, z), (width + 0.02, 0.2, 0.22), trim)
        n = 2 if width > 4.6 else 1
        for k in range(n):
            cx = width * (k + 0.5) / n
            w, h = (width / n - 0.9, 2.2) if style else (width / n - 1.3, 1.5)
            bottom = z + (0.35 if style else 0.95)
            m.box((cx, -0.02, bottom + h / 2), (w + 0.16, 0.12, h + 0.16), frame)
            m.quad(
                [
                    (cx - w / 2, -0.09, bottom),
                    (cx + w / 2, -0.09, bottom),
                    (cx + w / 2, -0.09, bottom + h),
                    (cx - w / 2, -0.09, bottom + h),
                ],
                "window",
            )
            for b in (-w / 6, w / 6):
                m.box((cx + b, -0.10, bottom + h / 2), (0.06, 0.03, h), frame)
        if style and rng.random() < 0.75:  # balcony
            out = rng.uniform(0.8, 1.3)
            m.box((width / 2, -out / 2, z + 0.1), (width - 0.3, out, 0.16), trim)
            rail = colour((0.10, 0.10, 0.11), 0.4) if rng.random() < 0.6 else trim
            for x in np.arange(0.2, width - 0.15, 0.16):
                m.box((x, -out + 0.04, z + 0.62), (0.025, 0.025, 0.85), rail)
            m.box((width / 2, -out + 0.04, z + 1.06), (width - 0.3, 0.06, 0.06), rail)
            if rng.random() < 0.6:
                for _ in range(int(rng.integers(2, 6))):
                    x = rng.uniform(0.4, width - 0.4)
                    m.ellipsoid((x, -out + 0.2, z + 0.5), (0.25, 0.2, 0.3), "plant", n=8)
        if rng.random() < 0.5:  # air conditioner
            m.box((rng.uniform(0.5, width - 0.5), -0.3, z + 2.8), (0.8, 0.35, 0.55), colour((0.6, 0.6, 0.58)))
    # roof
    kind = rng.random()
    if kind < 0.4:
        m.box((width / 2, 0.15, height + 0.45), (width, 0.2, 0.9), trim)
    elif kind < 0.7:
        tint = [(0.30, 0.12, 0.07), (0.12, 0.25, 0.35), (0.35, 0.36, 0.36)][int(rng.integers(3))]
        m.quad(
            [
                (-0.2, -0.6, height + 0.3),
                (width + 0.2, -0.6, height + 0.3),
                (width + 0.2, depth, height + 1.8),
                (-0.2, depth, height + 1.8),
            ],
            colour(tint, 0.6),
        )
        m.box((width / 2, -0.55, height + 0.25), (width + 0.3, 0.08, 0.16), colour((0.3, 0.3, 0.3)))
    if rng.random() < 0.5:
        x = rng.uniform(1.0, width - 1.0)
        m.rod((x - 0.7, 2.5, height + 1.3), (x + 0.7, 2.5, height + 1.3), 0.55, "steel", n=14)
        m.box((x, 2.5, height + 0.4), (1.2, 0.8, 0.8), colour((0.2, 0.2, 0.2)))
    return m, signs, open_shop


def _place_row(
    town: Town,
    rng: np.random.Generator,
    start: NDArray[np.float64],
    along: NDArray[np.float64],
    length: float,
    depth: float,
) -> None:
    """A row of houses: fronts from `start` along a unit vector, the street on the right hand."""
    turn = float(np.arctan2(along[1], along[0]))
    s = 0.0
    while s < length:
        width = float(rng.uniform(4.0, 6.4))
        floors = int(rng.choice([2, 3, 3, 4, 4, 5]))
        house, signs, lit = _house(rng, width, floors, depth)
        set_back = rng.uniform(0, 0.35)
        inward = np.array([-along[1], along[0]])
        at = start + along * s + inward * set_back
        town.houses.extend(house, (*at, 0.16), turn)
        c, sn = np.cos(turn), np.sin(turn)
        for sign in signs:
            x, y, z = sign.at
            p = (at[0] + c * x - sn * y, at[1] + sn * x + c * y, z + 0.16)
            town.signs.append(Sign(sign.text, p, turn - np.pi / 2, sign.height, sign.colour, sign.width))
        if lit:
            p2 = at + along * width / 2 - inward * 0.6
            town.shops.append((float(p2[0]), float(p2[1]), 2.4, turn - np.pi / 2))
        s += width + float(rng.choice([0.0, 0.0, 0.0, 0.4, 1.2]))


def _houses(town: Town, rng: np.random.Generator) -> None:
    for sx in (-1, 1):
        for sy in (-1, 1):
            fx, fy = FRONT["N"], FRONT["E"]
            cx, cy = _CORNER["E"], _CORNER["N"]
            # along the E/W arm, the street on the right hand of the row
            if sy > 0:
                a, b = (cx, 150.0) if sx > 0 else (-150.0, -cx)
                _place_row(town, rng, np.array([a, fy]), np.array([1.0, 0]), b - a - 3, 11)
            else:
                a, b = (150.0, cx) if sx > 0 else (-cx, -150.0)
                _place_row(town, rng, np.array([a, -fy]), np.array([-1.0, 0]), a - b - 3, 11)
            if sx > 0:
                a, b = (150.0, cy) if sy > 0 else (-cy, -150.0)
                _place_row(town, rng, np.array([fx, a]), np.array([0, -1.0]), a - b - 3, 10)
            else:
                a, b = (cy, 150.0) if sy > 0 else (-150.0, -cy)
                _place_row(town, rng, np.array([-fx, a]), np.array([0, 1.0]), b - a - 3, 10)
            # the corner house looks on both streets
            w1, w2 = cx - (fx + 2.6) - 0.3, cy - (fy + 2.6) - 0.3
            floors = int(rng.integers(3, 6))
            first, signs, _ = _house(rng, w1, floors, w2)
            state = rng.bit_generator.state
            x0, y0 = fx + 2.6, fy + 2.6
            if sy > 0:
                at, turn = np.array([x0 if sx > 0 else -x0 - w1, y0]), 0.0
            else:
                at, turn = np.array([x0 + w1 if sx > 0 else -x0, -y0]), np.pi
            _put(town, first, signs, at, turn)
            side, signs2, _ = _house(rng, w2, floors, 0.4)
            rng.bit_generator.state = state
            if sx > 0:
                at, turn = np.array([x0 - 0.05, y0 + w2 if sy > 0 else -y0]), -np.pi / 2
            else:
                at, turn = np.array([-x0 + 0.05, y0 if sy > 0 else -y0 - w2]), np.pi / 2
            _put(town, side, signs2, at, turn)


def _put(town: Town, house: Mesh, signs: list[Sign], at: NDArray[np.float64], turn: float) -> None:
    town.houses.extend(house, (*at, 0.16), turn)
    c, s = np.cos(turn), np.sin(turn)
    for sign in signs:
        x, y, z = sign.at
        p = (at[0] + c * x - s * y, at[1] + s * x + c * y, z + 0.16)
        town.signs.append(Sign(sign.text, p, turn - np.pi / 2, sign.height, sign.colour, sign.width))


# ------------------------------------------------------------------ trees, poles, wires, signals


def _wire(m: Mesh, a: NDArray[np.float64], b: NDArray[np.float64], sag: float, radius: float) -> None:
    t = np.linspace(0, 1, 15)[:, None]
    path = a + (b - a) * t
    path[:, 2] -= sag * 4 * (t * (1 - t))[:, 0]
    m.tube(path, radius, "wire", n=5)


def _street_furniture(town: Town, rng: np.random.Generator) -> None:
    m = town.furniture
    poles: dict[str, list[NDArray[np.float64]]] = {}
    for arm, a in layout.ARM.items():
        side = 1 if arm in "NES" else -1
        poles[arm] = []
        for d in np.arange(20.5, 150, 32.0):
            x, y = a.point(d, side * (a.half + 1.1))
            m.rod((x, y, 0.1), (x, y, 8.4), 0.19, "concrete", n=12, r1=0.13)
            m.box((x, y, 7.6), (1.4, 1.4, 0.10) if d < 30 else (1.2, 0.12, 0.12), "concrete")
            m.box((x + 0.25, y, 3.2), (0.35, 0.3, 0.6), colour((0.35, 0.36, 0.36), 0.5))
            poles[arm].append(np.array([x, y, 7.55]))
        for p, q in zip(poles[arm][:-1], poles[arm][1:], strict=True):
            for _ in range(7):
                o = np.array([rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5), rng.uniform(-1.3, 0.4)])
                _wire(m, p + o, q + o, rng.uniform(0.5, 1.1), rng.choice([0.010, 0.014, 0.022]))
        # trees on the other pavement and beyond
        for d in np.arange(22.0, 150, 8.5):
            for which in (-1, 1):
                if arm == "S" and d < 48:
                    continue
                if arm == "E" and which == 1 and d < 48:
                    continue
                if rng.random() < 0.8:
                    x, y = a.point(d + rng.uniform(-1.5, 1.5), which * (a.half + 1.5))
                    town.trees.append(
                        (
                            x,
                            y,
                            float(rng.uniform(0.85, 1.4)),
                            float(rng.uniform(0, 6.28)),
                            int(rng.integers(3)),
                        )
                    )
                    m.box((x, y, 0.17), (1.1, 1.1, 0.03), "earth_bed")
        for d in np.arange(24, 140, 28.0):  # street lamps
            if arm in "SE" and d < 40:
                continue
            x, y = a.point(d, -side * (a.half + 0.7))
            ox, oy = a.point(d, -side * (a.half - 1.6))
            m.rod((x, y, 0.1), (x, y, 8.6), 0.09, "steel", n=10, r1=0.06)
            m.tube([(x, y, 8.5), ((x + ox) / 2, (y + oy) / 2, 9.0), (ox, oy, 9.1)], 0.045, "steel", n=8)
            m.box(
                (ox, oy, 9.08),
                (0.6 if arm in "EW" else 0.3, 0.3 if arm in "EW" else 0.6, 0.12),
                "lamp_head",
                0.04,
            )
            town.lamps.append((ox, oy, 8.95))
    corner = {k: v[0] for k, v in poles.items()}
    for p, q in (("N", "E"), ("E", "S"), ("S", "W"), ("W", "N")):
        for _ in range(4):
            o = np.array([0, 0, rng.uniform(-1.2, 0.3)])
            _wire(m, corner[p] + o, corner[q] + o, rng.uniform(0.6, 1.3), rng.choice([0.010, 0.014, 0.022]))
    for arm, head in signal_heads():
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
    for _ in range(40):
        a = layout.ARM[str(rng.choice(list(layout.ARMS)))]
        _person(
            m,
            rng,
            *a.point(rng.uniform(a.stop, 75), float(rng.choice([-1, 1]) * (a.half + rng.uniform(0.8, 4.0)))),
        )
    for _ in range(70):  # parasols, stools, bins, flower pots on the pavements
        a = layout.ARM[str(rng.choice(list(layout.ARMS)))]
        d = rng.uniform(24, 90)
        o = rng.choice([-1, 1]) * (a.half + rng.uniform(2.6, 4.0))
        x, y = a.point(d, o)
        kind = rng.random()
        c = np.array(_SIGNS[int(rng.integers(len(_SIGNS)))])
        if kind < 0.35:
            n = 10
            t = np.linspace(0, 2 * np.pi, n, endpoint=False)
            rim = np.stack([x + 1.1 * np.cos(t), y + 1.1 * np.sin(t), np.full(n, 2.05)], 1)
            top = np.vstack([rim, [[x, y, 2.6]]])
            for i in range(n):
                m.quad([top[i], top[(i + 1) % n], top[n]], colour(c if i % 2 else np.clip(c + 0.3, 0, 0.7)))
            m.rod((x, y, 0.15), (x, y, 2.5), 0.025, "steel", n=6)
            for _k in range(3):
                sx, sy = x + rng.uniform(-1, 1), y + rng.uniform(-1, 1)
                m.box(
                    (sx, sy, 0.38),
                    (0.32, 0.32, 0.42),
                    colour((0.45, 0.05, 0.05) if rng.random() < 0.5 else (0.05, 0.15, 0.45)),
                    0.04,
                )
        elif kind < 0.6:
            m.rod((x, y, 0.15), (x, y, 0.65), 0.28, colour((0.35, 0.18, 0.10)), n=12, r1=0.34)
            m.ellipsoid((x, y, 1.0), (0.5, 0.5, 0.55), "plant", n=10)
        elif kind < 0.75:
            m.box((x, y, 0.6), (0.55, 0.55, 0.9), colour((0.05, 0.28, 0.12), 0.5), 0.05)
        else:
            m.box((x, y, 0.75), (1.5, 0.8, 1.1), colour((0.5, 0.5, 0.48), 0.4), 0.02)
            m.box((x, y, 2.0), (1.7, 1.0, 0.05), colour(c))


def _person(m: Mesh, rng: np.random.Generator, x: float, y: float) -> None:
    """Somebody standing on the pavement."""
    turn, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.92, 1.05)
    cloth = colour(np.array(_SIGNS[int(rng.integers(len(_SIGNS)))]) * 0.8 + 0.05, 0.9)
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
