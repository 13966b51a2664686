"""Plain numpy meshes: the few primitives from which vehicles, riders and the street are modelled."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]


@dataclass(slots=True)
class Part:
    """One piece of a mesh with one material."""

    vertices: Points
    faces: list[tuple[int, ...]]
    material: str
    smooth: bool = True


@dataclass(slots=True)
class Mesh:
    """A list of parts, with methods that add primitives to it (x forward, y left, z up, metres)."""

    parts: list[Part] = field(default_factory=list)

    def add(
        self, vertices: ArrayLike, faces: list[tuple[int, ...]], material: str, smooth: bool = True
    ) -> None:
        """Add a raw piece."""
        self.parts.append(Part(np.asarray(vertices, float).reshape(-1, 3), faces, material, smooth))

    def extend(
        self, other: Mesh, offset: ArrayLike = (0, 0, 0), turn: float = 0.0, scale: float = 1.0
    ) -> None:
        """Add a copy of another mesh, scaled, turned about z by `turn` radians, then moved."""
        c, s = np.cos(turn), np.sin(turn)
        rotation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        for p in other.parts:
            moved = scale * p.vertices @ rotation.T + np.asarray(offset, float)
            self.parts.append(Part(moved, p.faces, p.material, p.smooth))

    def quad(self, corners: ArrayLike, material: str) -> None:
        """Add one flat polygon."""
        corners = np.asarray(corners, float)
        self.add(corners, [tuple(range(len(corners)))], material, smooth=False)

    def box(
        self, centre: ArrayLike, size: ArrayLike, material: str, radius: float = 0.0, pitch: float = 0.0
    ) -> None:
        """Add a box with rounded edges; `pitch` turns it about y (nose down when positive)."""
        half = np.asarray(size, float) / 2
        radius = min(radius, float(half.min()) * 0.98)
        vertices, faces = _rounded_box(half, radius)
        if pitch:
            c, s = np.cos(pitch), np.sin(pitch)
            vertices = vertices @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T
        self.add(vertices + np.asarray(centre, float), faces, material, smooth=radius > 0)

    def ellipsoid(
        self, centre: ArrayLike, radii: ArrayLike, material: str, top: bool = False, n: int = 12
    ) -> None:
        """Add an ellipsoid, or only its upper half (closed) with `top`."""
        rows = max(4, n // 2)
        low = 0.0 if top else -np.pi / 2
        latitude = np.linspace(low, np.pi / 2, rows + 1)
        rings = [
            np.stack([np.cos(a) * _circle(n)[:, 0], np.cos(a) * _circle(n)[:, 1], np.full(n, np.sin(a))], 1)
            for a in latitude
        ]
        vertices = np.concatenate(rings) * np.asarray(radii, float) + np.asarray(centre, float)
        self.add(vertices, _ring_faces(len(rings), n, True), material)

    def limb(
        self,
        start: ArrayLike,
        end: ArrayLike,
        r0: float,
        r1: float,
        material: str,
        n: int = 10,
        flat: float = 1.0,
    ) -> None:
        """Add a tapered capsule from `start` to `end`; `flat` squeezes it along z-ish."""
        a, b = np.asarray(start, float), np.asarray(end, float)
        u, v, w = _frame(b - a)
        rings: list[Points] = []
        for t in np.linspace(-np.pi / 2, 0, 4):
            rings.append(a + u * r0 * np.sin(t) + _disc(v, w * flat, r0 * np.cos(t), n))
        for t in np.linspace(0, np.pi / 2, 4):
            rings.append(b + u * r1 * np.sin(t) + _disc(v, w * flat, r1 * np.cos(t), n))
        self.add(np.concatenate(rings), _ring_faces(len(rings), n, False), material)

    def rod(
        self, start: ArrayLike, end: ArrayLike, radius: float, material: str, n: int = 12, r1: float = -1.0
    ) -> None:
        """Add a cylinder (or cone frustum) with flat ends."""
        a, b = np.asarray(start, float), np.asarray(end, float)
        u, v, w = _frame(b - a)
        del u
        rings = [a + _disc(v, w, radius, n), b + _disc(v, w, radius if r1 < 0 else r1, n)]
        faces = _ring_faces(2, n, False)
        vertices = np.concatenate(rings)
        self.add(vertices, faces, material)
        self.add(rings[0], [tuple(range(n))[::-1]], material, smooth=False)
        self.add(rings[1], [tuple(range(n))], material, smooth=False)

    def tube(self, path: ArrayLike, radius: float, material: str, n: int = 6) -> None:
        """Add a thin tube along a polyline (wires, rails)."""
        points = np.asarray(path, float)
        rings = []
        for i, p in enumerate(points):
            direction = points[min(i + 1, len(points) - 1)] - points[max(i - 1, 0)]
            _, v, w = _frame(direction)
            rings.append(p + _disc(v, w, radius, n))
        self.add(np.concatenate(rings), _ring_faces(len(rings), n, False), material)

    def wheel(
        self, centre: ArrayLike, radius: float, width: float, rim: str = "rim", tyre: str = "tyre"
    ) -> None:
        """Add a car wheel (axis along y)."""
        c = np.asarray(centre, float)
        h = width / 2
        profile = [(-h, 0.62), (-h, 0.9), (-h * 0.75, 1.0), (h * 0.75, 1.0), (h, 0.9), (h, 0.62)]
        n = 20
        rings = []
        for y, r in profile:
            ring = _circle(n) * r * radius
            rings.append(np.stack([ring[:, 0], np.full(n, y), ring[:, 1]], 1) + c)
        self.add(np.concatenate(rings), _ring_faces(len(rings), n, True), tyre)
        for side in (-1, 1):
            ring = _circle(n) * 0.64 * radius
            face = np.stack([ring[:, 0], np.full(n, side * h * 0.8), ring[:, 1]], 1) + c
            self.add(face, [tuple(range(n))], "rim_dark", smooth=False)
            for k in range(5):
                a = 2 * np.pi * k / 5
                tip = np.array([np.cos(a), 0, np.sin(a)]) * radius * 0.58
                mid = c + np.array([0, side * h * 0.86, 0])
                self.rod(mid, mid + tip, radius * 0.09, rim, n=5)

    def torus(
        self, centre: ArrayLike, big: float, small: float, material: str, n: int = 22, m: int = 8
    ) -> None:
        """Add a ring about the y axis (motorcycle and bicycle tyres)."""
        c = np.asarray(centre, float)
        rings = []
        for a in np.linspace(0, 2 * np.pi, n, endpoint=False):
            out = np.array([np.cos(a), 0, np.sin(a)])
            disc = _circle(m) * small
            rings.append(c + out * big + disc[:, :1] * out + disc[:, 1:] * np.array([0, 1.0, 0]))
        faces = _ring_faces(n + 1, m, False)
        faces = [tuple(int(i % (n * m)) for i in f) for f in faces]
        self.add(np.concatenate(rings), faces, material)

    def loft(
        self, rings: ArrayLike, material: str, closed: bool = True, fine: int = 3, caps: bool = True
    ) -> None:
        """Add a smooth skin through cross-sections, array [stations, points, 3]."""
        grid = np.asarray(rings, float)
        grid = _smooth(grid, fine, axis=0, closed=False)
        grid = _smooth(grid, fine, axis=1, closed=closed)
        k, m = grid.shape[:2]
        faces: list[tuple[int, ...]] = []
        for i in range(k - 1):
            for j in range(m if closed else m - 1):
                j2 = (j + 1) % m
                faces.append((i * m + j, i * m + j2, (i + 1) * m + j2, (i + 1) * m + j))
        if caps and closed:
            faces.append(tuple(range(m))[::-1])
            faces.append(tuple((k - 1) * m + j for j in range(m)))
        self.add(grid.reshape(-1, 3), faces, material)

    def triangles(self) -> tuple[Points, NDArray[np.int64]]:
        """Return all vertices and a triangle index."""
        vertices, triangles, base = [], [], 0
        for p in self.parts:
            for f in p.faces:
                triangles.extend((base + f[0], base + f[i], base + f[i + 1]) for i in range(1, len(f) - 1))
            vertices.append(p.vertices)
            base += len(p.vertices)
        return np.concatenate(vertices), np.asarray(triangles, np.int64)

    def bounds(self) -> tuple[Points, Points]:
        """Return the lowest and the highest corner."""
        every = np.concatenate([p.vertices for p in self.parts])
        return every.min(0), every.max(0)


def _circle(n: int) -> Points:
    a = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.cos(a), np.sin(a)], 1)


def _frame(direction: Points) -> tuple[Points, Points, Points]:
    u = direction / max(float(np.linalg.norm(direction)), 1e-9)
    helper = np.array([0, 0, 1.0]) if abs(u[2]) < 0.9 else np.array([1.0, 0, 0])
    v = np.cross(helper, u)
    v /= np.linalg.norm(v)
    return u, v, np.cross(u, v)


def _disc(v: Points, w: Points, radius: float, n: int) -> Points:
    c = _circle(n)
    return radius * (c[:, :1] * v + c[:, 1:] * w)


def _ring_faces(rings: int, n: int, capped: bool) -> list[tuple[int, ...]]:
    faces: list[tuple[int, ...]] = []
    for i in range(rings - 1):
        for j in range(n):
            k = (j + 1) % n
            faces.append((i * n + j, i * n + k, (i + 1) * n + k, (i + 1) * n + j))
    if capped:
        faces.append(tuple(range(n))[::-1])
        faces.append(tuple((rings - 1) * n + j for j in range(n)))
    return faces


def _rounded_box(half: Points, radius: float) -> tuple[Points, list[tuple[int, ...]]]:
    if radius <= 0:
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
        faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
        return signs * half, faces
    steps = [0.0, 0.5, 1.0]
    vertices: list[Points] = []
    faces_out: list[tuple[int, ...]] = []
    base = 0
    for axis in range(3):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-1.0, 1.0):
            ga = np.array(
                [-half[a] + radius * s for s in steps] + [half[a] - radius * s for s in steps[::-1]]
            )
            gb = np.array(
                [-half[b] + radius * s for s in steps] + [half[b] - radius * s for s in steps[::-1]]
            )
            n, m = len(ga), len(gb)
            pts = np.zeros((n, m, 3))
            pts[..., a], pts[..., b], pts[..., axis] = ga[:, None], gb[None, :], sign * half[axis]
            vertices.append(pts.reshape(-1, 3))
            for i in range(n - 1):
                for j in range(m - 1):
                    f = (i * m + j, (i + 1) * m + j, (i + 1) * m + j + 1, i * m + j + 1)
                    faces_out.append(tuple(base + k for k in (f if sign > 0 else f[::-1])))
            base += n * m
    p = np.concatenate(vertices)
    inner = np.clip(p, -(half - radius), half - radius)
    d = p - inner
    p = inner + radius * d / np.maximum(np.linalg.norm(d, axis=1, keepdims=True), 1e-9)
    unique, index = np.unique(np.round(p, 6), axis=0, return_inverse=True)
    index = np.asarray(index).reshape(-1)
    welded = [tuple(dict.fromkeys(int(index[k]) for k in f)) for f in faces_out]
    return unique, [f for f in welded if len(f) > 2]


def _smooth(grid: Points, fine: int, axis: int, closed: bool) -> Points:
    """Catmull-Rom resampling, `fine` intervals for each old one."""
    if fine <= 1:
        return grid
    g = np.moveaxis(grid, axis, 0)
    n = len(g)
    out = []
    for i in range(n if closed else n - 1):
        if closed:
            p0, p1, p2, p3 = g[(i - 1) % n], g[i], g[(i + 1) % n], g[(i + 2) % n]
        else:
            p0, p1, p2, p3 = g[max(i - 1, 0)], g[i], g[i + 1], g[min(i + 2, n - 1)]
        for k in range(fine):
            t = k / fine
            out.append(
                0.5
                * (
                    2 * p1
                    + (p2 - p0) * t
                    + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
                    + (3 * p1 - p0 - 3 * p2 + p3) * t**3
                )
            )
    if not closed:
        out.append(g[-1])
    return np.moveaxis(np.stack(out), 0, axis)
