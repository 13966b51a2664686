"""Passenger cars, modelled in code: a lofted body, a cabin with glass on it, wheels in arches, details."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fittings import Lamp, arch, plate
from .shapes import Mesh, Points


@dataclass(frozen=True, slots=True)
class Shape:
    """The measures of a car, in metres.

    Attributes:
        length, width, height: over all.
        belt: height of the lower edge of the windows.
        hood: height of the bonnet.
        cabin: x of windscreen base, roof front, roof rear, rear window base.
        tail: height of the rear end.
        ground: clearance.
        wheel: radius of the wheels.
        rails: with rails on the roof.
        bed: length of an open bed behind the cabin.
        taxi: with a sign on the roof and stripes.
    """

    length: float
    width: float
    height: float
    belt: float
    hood: float
    cabin: tuple[float, float, float, float]
    tail: float
    ground: float = 0.19
    wheel: float = 0.31
    rails: bool = False
    bed: float = 0.0
    taxi: bool = False

    @property
    def axles(self) -> tuple[float, float]:
        """x of the front and rear axle."""
        return self.length / 2 - 0.20 * self.length, -self.length / 2 + 0.20 * self.length


def car(shape: Shape) -> Mesh:
    """A car of these measures."""
    m = Mesh()
    _body(m, shape)
    _glass(m, shape, _cabin(m, shape))
    _wheels(m, shape)
    _ends(m, shape)
    for side in (-1, 1):
        _flank(m, shape, side)
    _extras(m, shape)
    return m


def lamps(shape: Shape) -> tuple[Lamp, ...]:
    """Head and tail lamps of a car."""
    out = []
    for s in (-1, 1):
        out.append(Lamp(shape.length / 2 - 0.05, s * 0.35 * shape.width, shape.hood - 0.20, True))
        out.append(Lamp(-shape.length / 2 + 0.03, s * 0.37 * shape.width, shape.tail - 0.2, False))
    return tuple(out)


def _body(m: Mesh, c: Shape) -> None:
    """The lower body, lofted through stations from front to rear: x, half width, bottom, top."""
    h, w, ground, hood, belt, tail = c.length / 2, c.width / 2, c.ground, c.hood, c.belt, c.tail
    x0, _, x2, x3 = c.cabin
    front_axle, rear_axle = c.axles
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


def _cabin(m: Mesh, c: Shape) -> Points:
    """The cabin, lofted upward in five layers; returns their points: float64[layer, column, 3]."""
    w = c.width / 2
    x0, x1, x2, x3 = c.cabin
    levels = [
        (c.belt - 0.06, 0.0, 0.95 * w),
        (c.belt + 0.25 * (c.height - c.belt), 0.26, 0.90 * w),
        (c.height - 0.10, 0.82, 0.77 * w),
        (c.height - 0.025, 0.98, 0.70 * w),
        (c.height, 1.12, 0.50 * w),
    ]
    layers = []
    for z, t, hw in levels:
        fx, rx = x0 + (x1 - x0) * t, x3 + (x2 - x3) * t
        corner = min(0.16, 0.3 * hw)
        layers.append(
            [
                (fx, hw - corner, z),
                (fx + 0.06, 0, z),
                (fx, -hw + corner, z),
                (fx - corner, -hw, z),
                (rx + corner, -hw, z),
                (rx, -hw + corner, z),
                (rx - 0.04, 0, z),
                (rx, hw - corner, z),
                (rx + corner, hw, z),
                (fx - corner, hw, z),
            ]
        )
    k = len(layers[0])
    faces = [
        (i * k + j, i * k + (j + 1) % k, (i + 1) * k + (j + 1) % k, (i + 1) * k + j)
        for i in range(len(layers) - 1)
        for j in range(k)
    ]
    faces.append(tuple((len(layers) - 1) * k + j for j in range(k)))
    m.add([p for layer in layers for p in layer], faces, "paint1", smooth=False)
    return np.asarray(layers, float)


def _glass(m: Mesh, c: Shape, layers: Points) -> None:
    """Windows, laid on the cabin."""
    low, high = 0.10, 0.86
    kink = 0.25 * (c.height - c.belt) / (c.height - 0.06 - c.belt)  # where the second layer lies
    _, x1, x2, x3 = c.cabin

    def at(column: int, v: float, out: float) -> Points:
        """A point on a column of the cabin at relative height v between belt and roof, pushed outward."""
        points = layers[:4, column]
        z = c.belt + v * (c.height - 0.06 - c.belt)
        p = np.array([np.interp(z, points[:, 2], points[:, a]) for a in range(3)])
        d = p - np.array([(x1 + x2) / 2, 0, p[2]])
        return np.array(p + out * d / np.linalg.norm(d) * np.array([1, 1, 0]))

    def between(front: int, rear: int, s: float, v: float) -> Points:
        """A point of a side, the share s of the way from its front column to its rear one."""
        p = at(front, v, 0.0) * (1 - s) + at(rear, v, 0.0) * s
        p[1] += 0.012 * np.sign(p[1])
        return p

    rows = ((low, kink), (kink, high))
    for a, b in ((0, 1), (1, 2), (5, 6), (6, 7)):  # windscreen and rear window, two halves each
        for v0, v1 in rows:
            m.quad([at(a, v0, 0.014), at(b, v0, 0.014), at(b, v1, 0.014), at(a, v1, 0.014)], "glass")
    two_doors = x2 > x3 + 0.55 or c.bed
    split = (0.04, 0.49, 0.53, 0.90) if two_doors else (0.04, 0.40, 0.43, 0.74, 0.77, 0.97)
    for front, rear in ((3, 4), (9, 8)):
        for s0, s1 in zip(split[::2], split[1::2], strict=True):
            for v0, v1 in rows:
                corners = ((s0, v0), (s1, v0), (s1, v1), (s0, v1))
                m.quad([between(front, rear, s, v) for s, v in corners], "glass")


def _wheels(m: Mesh, c: Shape) -> None:
    """Wheels in dark arches."""
    w, wheel = c.width / 2, c.wheel
    for x in c.axles:
        for side in (-1, 1):
            arch(m, x, side * (w + 0.004), wheel, 0.055)
            m.wheel((x, side * (w - 0.075), wheel), wheel, 0.19)


def _ends(m: Mesh, c: Shape) -> None:
    """Grille and bumpers."""
    h, w = c.length / 2, c.width / 2
    m.box((h - 0.03, 0, c.hood - 0.30), (0.06, 0.82 * w, 0.12), "black", 0.02)
    m.box((h - 0.02, 0, c.ground + 0.13), (0.07, 1.1 * w, 0.12), "black", 0.03)
    m.box((-h + 0.03, 0, c.ground + 0.11), (0.10, 1.3 * w, 0.12), "black", 0.03)


def _flank(m: Mesh, c: Shape, side: int) -> None:
    """Lamps, mirror, door gaps and handles, sill and rail of one side."""
    h, w = c.length / 2, c.width / 2
    x0, x1, x2, _ = c.cabin
    front_axle, rear_axle = c.axles
    m.ellipsoid((h - 0.13, side * 0.70 * w, c.hood - 0.20), (0.13, 0.20, 0.075), "headlamp")
    m.ellipsoid((-h + 0.09, side * 0.74 * w, c.tail - 0.20), (0.09, 0.17, 0.10), "taillamp")
    m.box((x0 - 0.22, side * (w + 0.07), c.belt + 0.07), (0.11, 0.18, 0.12), "paint1", 0.04)
    for x in (x0 - 0.25, (x1 + x2) / 2, rear_axle + 0.42):
        gap = (0.014, 0.02, 0.56 * (c.belt - c.ground))
        m.box((x, side * (w - 0.006), (c.ground + c.belt) / 2 + 0.06), gap, "black")
    for x in ((x1 + x2) / 2 + 0.14, rear_axle + 0.56):
        m.box((x, side * w, c.belt - 0.13), (0.15, 0.03, 0.03), "chrome", 0.01)
    m.box(
        ((front_axle + rear_axle) / 2, side * (w - 0.02), c.ground + 0.05),
        (front_axle - rear_axle - 2.4 * c.wheel, 0.06, 0.09),
        "black",
        0.02,
    )
    if c.rails:
        m.tube(
            [
                (x1 - 0.2, side * 0.62 * w, c.height - 0.01),
                ((x1 + x2) / 2, side * 0.64 * w, c.height + 0.05),
                (x2 + 0.1, side * 0.62 * w, c.height - 0.01),
            ],
            0.018,
            "metal",
        )


def _extras(m: Mesh, c: Shape) -> None:
    """Number plates, an open bed, what makes a taxi."""
    h, w = c.length / 2, c.width / 2
    plate(m, h + 0.01, c.ground + 0.24, (0.47, 0.11))
    plate(m, -h - 0.005, c.tail - 0.34, (0.33, 0.165))
    if c.bed:
        m.box((-h + c.bed / 2 + 0.05, 0, c.tail - 0.005), (c.bed - 0.1, 1.72 * w, 0.06), "black", 0.01)
    if c.taxi:
        m.box(((c.cabin[1] + c.cabin[2]) / 2, 0, c.height + 0.07), (0.18, 0.52, 0.14), "sign_yellow", 0.03)
        for side in (-1, 1):
            stripe = (c.length * 0.42, 0.03, 0.11)
            m.box((0, side * (w - 0.004), c.ground + 0.33), stripe, "paint2", 0.01)
