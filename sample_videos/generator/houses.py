"""The shop houses along the street, each another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .built import SIGNS, Sign, Town, colour
from .shapes import Mesh

_FRONT = {"N": 11.6, "S": 11.6, "E": 15.2, "W": 15.2}  # building line from the arm's axis
_CORNER = {"N": 25.5, "S": 25.5, "E": 22.0, "W": 22.0}  # where the rows of houses begin along an arm
_GROUND_FLOOR, _FLOOR = 3.7, 3.3  # heights, metres

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
_SHUTTERS = ((0.30, 0.32, 0.34), (0.16, 0.26, 0.36), (0.40, 0.38, 0.34), (0.12, 0.22, 0.18))
_AWNINGS = ((0.10, 0.28, 0.16), (0.12, 0.20, 0.45), (0.45, 0.10, 0.08), (0.5, 0.48, 0.42))
_ROOFS = ((0.30, 0.12, 0.07), (0.12, 0.25, 0.35), (0.35, 0.36, 0.36))
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
        _put(town, house, signs, at, turn)
        if lit:
            p2 = at + along * width / 2 - inward * 0.6
            town.shops.append((float(p2[0]), float(p2[1]), 2.4, turn - np.pi / 2))
        s += width + float(rng.choice([0.0, 0.0, 0.0, 0.4, 1.2]))


def add_houses(town: Town, rng: np.random.Generator) -> None:
    """Rows of shop houses along every arm, and one at each corner."""
    for sx in (-1, 1):
        for sy in (-1, 1):
            fx, fy = _FRONT["N"], _FRONT["E"]
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


def _house(
    rng: np.random.Generator, width: float, floors: int, depth: float
) -> tuple[Mesh, list[Sign], bool]:
    """One shop house; its front is the plane y = 0 looking to -y, from x = 0 to `width`.

    Returns mesh, lettering, and whether the shop is open (its front is lit at night).
    """
    m, signs = Mesh(), []
    wall = np.clip(np.array(_WALLS[int(rng.integers(len(_WALLS)))]) * rng.uniform(0.75, 1.1), 0, 0.8)
    plain, trim = colour(wall), colour(np.clip(wall * 1.15, 0, 0.85))
    height = _GROUND_FLOOR + _FLOOR * (floors - 1)
    m.box((width / 2, depth / 2, height / 2), (width, depth, height), plain)
    open_shop = bool(rng.random() < 0.72)
    (_open_shop if open_shop else _shutter)(m, rng, width)
    if rng.random() < 0.85:
        signs.append(_sign_board(m, rng, width))
    if rng.random() < 0.35:  # hanging sign
        c = SIGNS[int(rng.integers(len(SIGNS)))]
        x = rng.choice([0.3, width - 0.3])
        m.box((x, -0.75, _GROUND_FLOOR + 1.5), (0.14, 0.9, 1.7), colour(c, 0.5))
    if rng.random() < 0.5:
        _awning(m, rng, width)
    _upper_floors(m, rng, width, floors, trim)
    _roof(m, rng, width, depth, height, trim)
    return m, signs, open_shop


def _open_shop(m: Mesh, rng: np.random.Generator, width: float) -> None:
    """A dark room with goods before it, now and then behind glass."""
    m.box((width / 2, 0.02, 1.55), (width - 0.5, 0.12, 2.9), "shop_dark")
    for _ in range(int(rng.integers(8, 16))):
        c = np.array(SIGNS[int(rng.integers(len(SIGNS)))])
        c = (c.mean() + (c - c.mean()) * 0.45) * rng.uniform(0.3, 0.9)
        w, h = rng.uniform(0.2, 0.7), rng.uniform(0.2, 1.0)
        x = rng.uniform(0.4 + w / 2, width - 0.4 - w / 2)
        m.box((x, -0.12, 0.16 + h / 2 + rng.choice([0, 0.0, 0.9])), (w, 0.25, h), colour(c, 0.6))
    if rng.random() < 0.35:
        x0, x1 = 0.3, width - 0.3
        m.quad([(x0, -0.06, 0.2), (x1, -0.06, 0.2), (x1, -0.06, 2.7), (x0, -0.06, 2.7)], "window")


def _shutter(m: Mesh, rng: np.random.Generator, width: float) -> None:
    """A rolling shutter, closed."""
    c = _SHUTTERS[int(rng.integers(4))]
    m.box((width / 2, -0.02, 1.6), (width - 0.5, 0.1, 2.9), colour(c, 0.5))
    for z in np.arange(0.4, 3.0, 0.28):
        m.box((width / 2, -0.08, z), (width - 0.5, 0.03, 0.04), colour(np.array(c) * 0.7, 0.5))


def _sign_board(m: Mesh, rng: np.random.Generator, width: float) -> Sign:
    """The board above the shop; returns its lettering."""
    c = SIGNS[int(rng.integers(len(SIGNS)))]
    h = rng.uniform(0.7, 1.2)
    m.box((width / 2, -0.22, 3.25 + h / 2), (width - 0.2, 0.16, h), colour(c, 0.5))
    ink = (0.75, 0.7, 0.2) if rng.random() < 0.4 and sum(c) < 0.8 else (0.8, 0.8, 0.8)
    if sum(c) > 1.2:
        ink = (0.45, 0.03, 0.03)
    word = str(WORDS[int(rng.integers(len(WORDS)))])
    return Sign(word, (width / 2, -0.32, 3.25 + h / 2), 0, h * 0.55, ink, width - 0.7)


def _awning(m: Mesh, rng: np.random.Generator, width: float) -> None:
    """A striped awning."""
    c = np.array(_AWNINGS[int(rng.integers(4))])
    out = rng.uniform(1.2, 2.2)
    for k in range(8):
        x0, x1 = 0.1 + (width - 0.2) * k / 8, 0.1 + (width - 0.2) * (k + 1) / 8
        tint = colour(c if k % 2 else np.clip(c * 1.3 + 0.12, 0, 0.8))
        m.quad([(x0, -0.05, 3.2), (x1, -0.05, 3.2), (x1, -out, 2.7), (x0, -out, 2.7)], tint)


def _upper_floors(m: Mesh, rng: np.random.Generator, width: float, floors: int, trim: str) -> None:
    """Windows, balconies and air conditioners above the shop."""
    style = int(rng.integers(3))
    frame = colour((0.55, 0.54, 0.5)) if rng.random() < 0.6 else colour((0.22, 0.13, 0.07))
    for f in range(1, floors):
        z = _GROUND_FLOOR + _FLOOR * (f - 1)
        m.box((width / 2, -0.04, z), (width + 0.02, 0.2, 0.22), trim)
        _windows(m, width, z, bool(style), frame)
        if style and rng.random() < 0.75:
            _balcony(m, rng, width, z, trim)
        if rng.random() < 0.5:  # air conditioner
            m.box((rng.uniform(0.5, width - 0.5), -0.3, z + 2.8), (0.8, 0.35, 0.55), colour((0.6, 0.6, 0.58)))


def _windows(m: Mesh, width: float, z: float, tall: bool, frame: str) -> None:
    """One or two windows of a floor."""
    n = 2 if width > 4.6 else 1
    for k in range(n):
        cx = width * (k + 0.5) / n
        w, h = (width / n - 0.9, 2.2) if tall else (width / n - 1.3, 1.5)
        bottom = z + (0.35 if tall else 0.95)
        m.box((cx, -0.02, bottom + h / 2), (w + 0.16, 0.12, h + 0.16), frame)
        x0, x1, top = cx - w / 2, cx + w / 2, bottom + h
        m.quad([(x0, -0.09, bottom), (x1, -0.09, bottom), (x1, -0.09, top), (x0, -0.09, top)], "window")
        for b in (-w / 6, w / 6):
            m.box((cx + b, -0.10, bottom + h / 2), (0.06, 0.03, h), frame)


def _balcony(m: Mesh, rng: np.random.Generator, width: float, z: float, trim: str) -> None:
    """A balcony with its railing, some with plants."""
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


def _roof(m: Mesh, rng: np.random.Generator, width: float, depth: float, height: float, trim: str) -> None:
    """A parapet, a sheet of metal or nothing, and a water tank on half of the roofs."""
    kind = rng.random()
    if kind < 0.4:
        m.box((width / 2, 0.15, height + 0.45), (width, 0.2, 0.9), trim)
    elif kind < 0.7:
        tint = _ROOFS[int(rng.integers(3))]
        x0, x1, low, high = -0.2, width + 0.2, height + 0.3, height + 1.8
        m.quad([(x0, -0.6, low), (x1, -0.6, low), (x1, depth, high), (x0, depth, high)], colour(tint, 0.6))
        m.box((width / 2, -0.55, height + 0.25), (width + 0.3, 0.08, 0.16), colour((0.3, 0.3, 0.3)))
    if rng.random() < 0.5:
        x = rng.uniform(1.0, width - 1.0)
        m.rod((x - 0.7, 2.5, height + 1.3), (x + 0.7, 2.5, height + 1.3), 0.55, "steel", n=14)
        m.box((x, 2.5, height + 0.4), (1.2, 0.8, 0.8), colour((0.2, 0.2, 0.2)))
