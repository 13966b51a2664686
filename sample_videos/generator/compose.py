"""Composes frames: a background plate, sprites by depth, shadows, lamps, weather and the camera's own flaws.

Needs numpy and OpenCV only. Everything random comes from the seed and the frame number.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from . import layout, looks
from .bank import SpriteModel, View, to_display, to_linear
from .camera import Camera

Float = NDArray[np.float32]

_BEAM = 25.0  # degrees off the axis at which a headlamp's dazzle has fallen to a third


@dataclass(frozen=True, slots=True)
class Light:
    """A light and weather: how sprites, shadows and the picture are graded."""

    name: str
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)  # of sprites, BGR
    contrast: float = 1.0  # below 1: flatter sprites
    sun_azimuth: float = -152.0  # where the sun stands, degrees from +x
    sun_elevation: float = 55.0
    soft: float = 0.06  # blur of shadows in metres; above 0.2 only a faint pool is left
    haze: tuple[float, float, float] = (0.62, 0.60, 0.56)  # BGR
    haze_distance: float = 1100.0
    lamps: float = 0.0  # brightness of head and tail lamps
    riders_lit: float = 1.0  # share of two-wheelers with the headlamp on
    riders_lamp: float = 1.0  # light of a two-wheeler's headlamp over that of one of a car's
    heavy_glare: float = 1.0  # what who looks along the beam of a bus or lorry sees of it, over a car's
    rain: float = 0.0
    exposure: float = 1 / 150
    noise: float = 1.0
    blur: float = 0.62  # of the lens and the camera's denoising, sigma in pixels
    sharpen: float = 0.45  # what cheap cameras add along edges
    tone: float = 0.7  # contrast of the final picture
    stray: float = 0.0  # stray light in air and lens, linear: lifts what is darkest
    grade: tuple[float, float, float] = (1.0, 1.0, 1.0)  # exposure and white balance of the whole, BGR


LIGHTS = {
    "day": Light("day", grade=(1.10, 1.18, 1.22)),
    "overcast": Light(
        "overcast",
        gain=(0.80, 0.78, 0.76),
        contrast=0.85,
        soft=0.5,
        haze_distance=500.0,
        grade=(1.3, 1.32, 1.32),
    ),
    # of rain and dusk, brightness and contrast are those of real frames: cameras open up when it gets dark
    "rain": Light(
        "rain",
        gain=(0.46, 0.45, 0.435),
        soft=0.6,
        haze=(0.34, 0.335, 0.32),
        haze_distance=4000.0,
        lamps=0.3,
        heavy_glare=14.0,
        rain=1.0,
        exposure=1 / 120,
        noise=1.0,
        blur=0.5,
        sharpen=1.0,
        tone=0.4,
        stray=0.005,
        grade=(2.3, 2.3, 2.28),
    ),
    "dusk": Light(
        "dusk",
        gain=(0.27, 0.245, 0.24),
        contrast=0.85,
        soft=0.6,
        haze=(0.20, 0.18, 0.18),
        haze_distance=2500.0,
        lamps=1.3,
        riders_lit=0.5,
        riders_lamp=0.4,
        heavy_glare=14.0,
        exposure=1 / 60,
        noise=2.6,
        blur=0.7,
        tone=0.3,
        stray=0.005,
        grade=(1.78, 1.61, 1.56),
    ),
}


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle in one frame."""

    id: int
    model: str
    x: float
    y: float
    heading: float
    speed: float
    look: int
    braking: bool = False


@dataclass(slots=True)
class Plate:
    """The empty street as the camera sees it: linear colour, and depth of what hides vehicles (doubled)."""

    colour: Float
    occluders: Float  # metres along the optical axis, inf where nothing stands; shape [2h, 2w]
    lit: Float | None = None  # where the sun reaches the ground: square grid of half metres about the centre

    @classmethod
    def plain(cls, camera: Camera, grey: float = 0.2) -> Plate:
        """A plate without a street, for tests."""
        shape = (camera.height, camera.width)
        return cls(
            np.full((*shape, 3), grey, np.float32), np.full((shape[0] * 2, shape[1] * 2), np.inf, np.float32)
        )

    def sunlight(self, x: float, y: float) -> float:
        """How much sun there is at a ground point, 0 to 1."""
        if self.lit is None:
            return 1.0
        n = self.lit.shape[0]
        i, j = int(y / 0.5 + n / 2), int(x / 0.5 + n / 2)
        return float(self.lit[i, j]) if 0 <= i < n and 0 <= j < n else 1.0


@dataclass(slots=True)
class Shown:
    """Where a vehicle came out in a frame."""

    vehicle: Vehicle
    full: tuple[float, float, float, float]  # projected solid, may reach over the edge
    visible: tuple[float, float, float, float] | None  # pixels left after everything in front
    share: float  # visible pixels over all pixels of the sprite, cut-off ones included


@dataclass(slots=True)
class Composer:
    """Composes the frames of one camera in one light."""

    camera: Camera
    light: Light
    plate: Plate
    bank: dict[str, SpriteModel]
    seed: int = 0
    title: str = ""
    _painted: OrderedDict[tuple[object, ...], Float] = field(default_factory=OrderedDict)

    def frame(
        self, index: int, seconds: float, vehicles: list[Vehicle], clock: str = "", signals: bool = True
    ) -> tuple[NDArray[np.uint8], list[Shown]]:
        """Compose one frame; `seconds` is the time of the signal plan. Returns picture and content."""
        canvas = self.plate.colour.copy()
        placed = [p for p in (self._place(v) for v in vehicles) if p is not None]
        self._shadows(canvas, [p.vehicle for p in placed])
        if self.light.lamps:
            self._beams(canvas, [p.vehicle for p in placed])
        if signals:
            self._signals(canvas, seconds)
        owner = np.full(canvas.shape[:2], -1, np.int16)
        own_pixels: dict[int, int] = {}
        ordered = _by_depth(placed, self.camera)
        for number, p in enumerate(ordered):
            own_pixels[number] = self._draw(canvas, owner, number, p)
            if self.light.lamps:
                self._lamps(canvas, p.vehicle)
        shown = []
        for number, p in enumerate(ordered):
            ys, xs = np.nonzero(owner[p.window] == number)
            visible = None
            if len(xs):
                oy, ox = p.window[0].start, p.window[1].start
                visible = (
                    float(xs.min() + ox),
                    float(ys.min() + oy),
                    float(xs.max() + 1 + ox),
                    float(ys.max() + 1 + oy),
                )
            share = len(xs) / max(own_pixels[number], 1)
            shown.append(Shown(p.vehicle, p.box, visible, min(1.0, share)))
        picture = self._picture(canvas, index)
        if clock or self.title:
            _text(picture, self.title, clock)
        return picture, shown

    # -------------------------------------------------------------- vehicles

    def _place(self, v: Vehicle) -> _Placed | None:
        model = self.bank[v.model]
        c, s = np.cos(v.heading), np.sin(v.heading)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        hull = model.hull @ turn.T + [v.x, v.y, 0]
        uv, depth = self.camera.project(hull)
        if depth.min() < 2.0:
            return None
        low, high = uv.min(0), uv.max(0)
        cam = self.camera
        if high[0] < 1 or high[1] < 1 or low[0] > cam.width - 1 or low[1] > cam.height - 1:
            return None
        x0, y0 = max(int(low[0]) - 12, 0), max(int(low[1]) - 12, 0)
        x1, y1 = min(int(high[0]) + 13, cam.width), min(int(high[1]) + 13, cam.height)
        box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        lo, hi = model.hull.min(0), model.hull.max(0)
        foot = np.array([[lo[0], lo[1]], [hi[0], lo[1]], [hi[0], hi[1]], [lo[0], hi[1]]])
        foot = foot @ turn[:2, :2].T + [v.x, v.y]
        return _Placed(v, model, turn, box, (slice(y0, y1), slice(x0, x1)), foot, float(np.median(depth)))

    def _draw(self, canvas: Float, owner: NDArray[np.int16], number: int, p: _Placed) -> int:
        v, model = p.vehicle, p.model
        eye = np.asarray(self.camera.position) - [v.x, v.y, model.height / 2]
        azimuth = np.degrees(np.arctan2(eye[1], eye[0]) - v.heading)
        azimuth = (azimuth + 180) % 360 - 180
        elevation = np.degrees(np.arctan2(eye[2], np.hypot(eye[0], eye[1])))
        view, mirrored = model.view(float(azimuth), float(elevation))
        lo, hi = model.hull.min(0), model.hull.max(0)
        corners = np.array(
            [[x, y, z] for z in (lo[2], hi[2]) for x in (lo[0], hi[0]) for y in (lo[1], hi[1])]
        )
        source = view.camera.project(corners * [1, -1, 1] if mirrored else corners) - view.corner
        target, _ = self.camera.project(corners @ p.turn.T + [v.x, v.y, 0])
        weight = np.where(corners[:, 2] < 0.5, 1.6, 1.0)[:, None]
        a = np.column_stack([source, np.ones(8)]) * weight
        affine = np.linalg.lstsq(a, target * weight, rcond=None)[0].T  # 2 x 3
        scale = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        level = 1.0
        while scale / level < 0.7 and level > 0.06:
            level *= 0.7
        sprite = self._paint(view, v, model, level)
        ky, kx = sprite.shape[0] / view.alpha.shape[0], sprite.shape[1] / view.alpha.shape[1]
        wy, wx = p.window
        m = affine.copy()
        m[:, 0] /= kx
        m[:, 1] /= ky
        # pixel centres: sprite pixel i covers (i, i + 1) in `source`
        m[:, 2] += m[:, 0] * 0.5 + m[:, 1] * 0.5 - 0.5 - [wx.start, wy.start]
        size = (wx.stop - wx.start, wy.stop - wy.start)
        layer = cv2.warpAffine(sprite, m, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        blur = self._motion(v)
        if blur is not None:
            layer = cv2.filter2D(layer, -1, blur, borderType=cv2.BORDER_CONSTANT)
        alpha = layer[..., 3]
        # pixels the whole sprite would cover, those outside the picture included
        inside = int((alpha > 0.5).sum())
        full_area = max((p.box[2] - p.box[0]) * (p.box[3] - p.box[1]), 1.0)
        cut = np.clip(p.box, 0, [canvas.shape[1], canvas.shape[0]] * 2)
        cut_area = max((cut[2] - cut[0]) * (cut[3] - cut[1]), 1.0)
        total = int(inside * full_area / cut_area)
        depth = self.plate.occluders[2 * wy.start : 2 * wy.stop, 2 * wx.start : 2 * wx.stop] < p.depth
        if depth.any():
            hidden = depth.reshape(size[1], 2, size[0], 2).mean((1, 3)).astype(np.float32)
            layer = layer * (1 - hidden)[..., None]
            alpha = layer[..., 3]
        colour = layer[..., :3] * np.float32(0.55 + 0.45 * self.plate.sunlight(v.x, v.y))
        mist = np.float32(1 - np.exp(-p.depth / self.light.haze_distance))
        colour = colour * (1 - mist) + alpha[..., None] * (mist * np.float32(self.light.haze))
        canvas[p.window] = canvas[p.window] * (1 - alpha[..., None]) + colour
        region = owner[p.window]
        region[alpha > 0.5] = number
        return total

    def _paint(self, view: View, v: Vehicle, model: SpriteModel, level: float) -> Float:
        key = (v.model, v.look, view.camera.azimuth, view.camera.elevation, round(level, 4))
        if key in self._painted:
            self._painted.move_to_end(key)
            return self._painted[key]
        tint = looks.tints(v.model, model.class_id, v.look)[:, ::-1]
        colour = view.colour
        weights = view.mask * np.minimum(1.0, 1.0 / np.maximum(view.mask.sum(2, keepdims=True), 1e-3))
        factor = 1 - weights.sum(2, keepdims=True) + weights @ (tint + 0.05)
        colour = colour * factor
        if self.light.contrast < 1:
            luma = colour.mean(2, keepdims=True)
            colour = (
                colour * (0.85 + 0.15 * self.light.contrast)
                + (luma - colour) * (1 - self.light.contrast) * 0.35
            )
        gain = np.float32(self.light.gain)
        sprite = np.dstack([colour * gain, view.alpha]).astype(np.float32)
        if level < 1:
            h, w = sprite.shape[:2]
            size = (max(1, round(w * level)), max(1, round(h * level)))
            sprite = cv2.resize(sprite, size, interpolation=cv2.INTER_AREA)
        self._painted[key] = sprite
        if len(self._painted) > 3000:
            self._painted.popitem(last=False)
        return sprite

    def _motion(self, v: Vehicle) -> Float | None:
        step = v.speed * self.light.exposure
        if step < 0.02:
            return None
        ends = np.array(
            [[v.x, v.y, 0.5], [v.x + step * np.cos(v.heading), v.y + step * np.sin(v.heading), 0.5]]
        )
        uv, _ = self.camera.project(ends)
        d = uv[1] - uv[0]
        length = float(np.hypot(*d))
        if length < 1.0:
            return None
        n = min(int(np.ceil(length)) | 1, 41)
        size = n + 2
        kernel = np.zeros((size, size), np.float32)
        c = size / 2
        cv2.line(
            kernel,
            *[
                tuple(round(float(c - 0.5 + k * e / 2 * min(1.0, n / length)) * 16) for e in d)
                for k in (-1, 1)
            ],
            1.0,
            1,
            cv2.LINE_AA,
            4,
        )
        return kernel / max(float(kernel.sum()), 1e-6)

    # -------------------------------------------------------------- light

    def _shadows(self, canvas: Float, vehicles: list[Vehicle]) -> None:
        through = np.ones(canvas.shape[:2], np.float32)
        for v in vehicles:
            model = self.bank[v.model]
            relative = self.light.sun_azimuth - np.degrees(v.heading)
            opacity, (x0, y0, x1, y1) = model.shadow(relative, self.light.sun_elevation, self.light.soft)
            h, w = opacity.shape
            c, s = np.cos(v.heading), np.sin(v.heading)
            corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) @ np.array([[c, s], [-s, c]]) + [
                v.x,
                v.y,
            ]
            uv, depth = self.camera.project(np.column_stack([corners, np.zeros(4)]))
            if depth.min() < 1.5:
                continue
            low, high = np.floor(uv.min(0)).astype(int), np.ceil(uv.max(0)).astype(int) + 1
            low, high = np.maximum(low, 0), np.minimum(high, [canvas.shape[1], canvas.shape[0]])
            if (high <= low).any():
                continue
            image = np.float32([[0, 0], [w, 0], [w, h], [0, h]])
            scale = float(np.sqrt(max(cv2.contourArea(uv.astype(np.float32)), 1.0) / (w * h)))
            source = opacity
            if scale < 0.5:
                k = max(scale, 0.05)
                source = cv2.resize(
                    opacity, (max(2, int(w * k)), max(2, int(h * k))), interpolation=cv2.INTER_AREA
                )
                image = np.float32(
                    [[0, 0], [source.shape[1], 0], [source.shape[1], source.shape[0]], [0, source.shape[0]]]
                )
            m = cv2.getPerspectiveTransform(image, (uv - low).astype(np.float32))
            patch = cv2.warpPerspective(source, m, (int(high[0] - low[0]), int(high[1] - low[1])))
            patch *= 0.55 + 0.45 * self.plate.sunlight(v.x, v.y)
            region = through[low[1] : high[1], low[0] : high[0]]
            np.minimum(region, 1 - patch, out=region)
        dark = (1 - through)[..., None]
        canvas *= 1 - dark * np.float32([0.86, 0.94, 1.0])

    def _signals(self, canvas: Float, seconds: float) -> None:
        for arm, head in signal_heads():
            colour = layout.signal(arm, seconds)
            row = {"red": 0, "yellow": 1, "green": 2}[colour]
            light = {"red": (0.10, 0.12, 1.0), "yellow": (0.05, 0.75, 1.0), "green": (0.45, 1.0, 0.15)}[
                colour
            ]
            facing = np.asarray(layout.ARM[arm].outward)
            to_eye = np.asarray(self.camera.position)[:2] - head[:2]
            if float(facing @ to_eye) / float(np.linalg.norm(to_eye)) < 0.25:
                continue
            point = head + np.array([0, 0, 0.33 - 0.33 * row])
            uv, depth = self.camera.project(point[None])
            if depth[0] < 2:
                continue
            radius = max(self.camera.focal * 0.13 / float(depth[0]), 0.8)
            _glow(canvas, uv[0], radius, np.float32(light) * 1.1, 0.9)
            _glow(canvas, uv[0], radius * 3, np.float32(light) * (0.10 + 0.3 * self.light.lamps), 0.0)

    def _beams(self, canvas: Float, vehicles: list[Vehicle]) -> None:
        """Pools of light on the road ahead of the vehicles, and long reflections in the rain."""
        pool = np.zeros(canvas.shape[:2], np.float32)
        for v in vehicles:
            lamps = self.bank[v.model].lamps
            if not len(lamps) or not (lamps[:, 3] > 0).any() or not self._lit(v):
                continue
            c, s = np.cos(v.heading), np.sin(v.heading)
            front = float(lamps[lamps[:, 3] > 0][0, 0])
            wide = 0.55 if abs(lamps[0, 1]) < 0.1 else 1.0
            half = np.array([0.4, 1.1, 1.3]) * wide
            ahead = np.array([0.6, 3.5, 8.0]) + front
            outline = np.vstack([np.column_stack([ahead, -half]), np.column_stack([ahead, half])[::-1]])
            ground = outline @ np.array([[c, s], [-s, c]]) + [v.x, v.y]
            uv, depth = self.camera.project(np.column_stack([ground, np.zeros(len(ground))]))
            if depth.min() < 2:
                continue
            cv2.fillPoly(pool, [np.round(uv * 8).astype(np.int32)], 0.55 * self._power(v), cv2.LINE_AA, 3)
        pool = cv2.GaussianBlur(pool, (0, 0), 9)
        road = np.maximum(self.plate.colour, 0.02)
        canvas += road * pool[..., None] * np.float32([0.9, 1.2, 1.35]) * 1.5 * self.light.lamps

    def _lit(self, v: Vehicle) -> bool:
        """Whether the vehicle's headlamp is on: at dusk some still ride without, always the same ones."""
        return self.bank[v.model].class_id > 1 or v.look % 100 < 100 * self.light.riders_lit

    def _power(self, v: Vehicle) -> float:
        """The light of a headlamp over that of one of a car's."""
        return 1.0 if self.bank[v.model].class_id > 1 else self.light.riders_lamp

    def _glare(self, v: Vehicle, facing: float) -> float:
        """How much more dazzling than a car's a headlamp is, by the cosine of the angle off its beam.

        Large lamps that sit high and are badly set blind a camera far ahead; one above them sees two lamps.
        """
        if self.bank[v.model].class_id <= 2:
            return 1.0
        off = np.degrees(np.arccos(min(facing, 1.0)))
        return 1.0 + (self.light.heavy_glare - 1.0) * float(np.exp(-((off / _BEAM) ** 2)))

    def _lamps(self, canvas: Float, v: Vehicle) -> None:
        lamps = self.bank[v.model].lamps
        if not self._lit(v):
            lamps = lamps[lamps[:, 3] == 0]
        c, s = np.cos(v.heading), np.sin(v.heading)
        for x, y, z, head in lamps:
            point = np.array([v.x + c * x - s * y, v.y + s * x + c * y, z])
            eye = np.asarray(self.camera.position) - point
            eye /= np.linalg.norm(eye)
            facing = float(eye[0] * c + eye[1] * s) * (1 if head else -1)
            if facing < 0.12:
                continue
            uv, depth = self.camera.project(point[None])
            row, column = int(uv[0, 1]), int(uv[0, 0])
            if depth[0] < 3 or not (0 <= row < canvas.shape[0] and 0 <= column < canvas.shape[1]):
                continue
            if self.plate.occluders[2 * row, 2 * column] < depth[0]:
                continue
            size = max(self.camera.focal * (0.085 if head else 0.07) / float(depth[0]), 0.8)
            k = self.light.lamps * facing
            if head:
                power, glare = self._power(v), self._glare(v, facing)
                size *= float(np.sqrt(power))
                _glow(canvas, uv[0], size, np.float32([0.85, 1.0, 1.05]) * power * min(1.6, 2.0 * k), 0.6)
                halo = np.float32([0.75, 0.9, 1.0]) * power * 0.30 * k
                _glow(canvas, uv[0], size * 4.2 * glare**0.25, halo * glare, 0.0)
            else:
                power = 1.6 if v.braking else 0.7
                _glow(canvas, uv[0], size, np.float32([0.05, 0.06, 0.85]) * power * min(1.0, 2 * k), 0.4)
                _glow(canvas, uv[0], size * 4, np.float32([0.02, 0.03, 0.5]) * 0.25 * power * k, 0.0)
            if self.light.rain or self.light.name == "wet":
                below, _ = self.camera.project(np.array([[point[0], point[1], -z]]))
                _streak(
                    canvas,
                    below[0],
                    size * 1.5,
                    size * 7,
                    np.float32([0.7, 0.85, 0.95] if head else [0.03, 0.03, 0.45]) * 0.35 * k,
                )

    # -------------------------------------------------------------- the camera's own part

    def _picture(self, canvas: Float, index: int) -> NDArray[np.uint8]:
        rng = np.random.default_rng([self.seed, index, 77])
        h, w = canvas.shape[:2]
        if self.light.rain:
            canvas = _rain(canvas, rng, self.light.rain)
        canvas = cv2.GaussianBlur(canvas, (0, 0), self.light.blur)
        bright = np.maximum(canvas - 0.85, 0)
        if float(bright.max()) > 0.1:
            canvas = canvas + cv2.GaussianBlur(bright, (0, 0), 7) * 0.35
        canvas = (canvas + np.float32(self.light.stray)) * (_vignette(h, w) * np.float32(self.light.grade))
        noise = cv2.resize(rng.standard_normal((h // 2, w // 2), dtype=np.float32), (w, h))
        noise += 0.6 * rng.standard_normal((h, w), dtype=np.float32)
        picture = to_display(canvas).astype(np.float32)
        # sharpening as cheap cameras do, then noise that the sharpening has not seen
        soft = cv2.GaussianBlur(picture, (0, 0), 1.3)
        picture = picture + np.float32(self.light.sharpen) * (picture - soft)
        picture = picture + (self.light.tone * 18.0) * np.sin((picture - 112.0) * np.float32(np.pi / 143.0))
        picture += noise[..., None] * np.float32(1.15 * self.light.noise)
        return np.asarray(np.clip(picture + 0.5, 0, 255), np.uint8)


@dataclass(slots=True)
class _Placed:
    vehicle: Vehicle
    model: SpriteModel
    turn: NDArray[np.float64]
    box: tuple[float, float, float, float]
    window: tuple[slice, slice]
    foot: NDArray[np.float64]
    depth: float


def signal_heads() -> list[tuple[str, NDArray[np.float64]]]:
    """Where the signal heads hang: one beside the stop line and one across the junction for each arm."""
    heads = []
    for arm, a in layout.ARM.items():
        near = a.point(a.stop - 0.4, a.half + 1.3)
        far = a.point(-a.stop + 1.0, a.half + 1.4)
        heads.append((arm, np.array([*near, 3.3])))
        heads.append((arm, np.array([*far, 5.2])))
    return heads


def _by_depth(placed: list[_Placed], camera: Camera) -> list[_Placed]:
    """Far to near: where two vehicles overlap in the picture, a line between their footprints decides."""
    eye = np.asarray(camera.position[:2])
    order = sorted(placed, key=lambda p: -float(np.hypot(p.vehicle.x - eye[0], p.vehicle.y - eye[1])))
    n = len(order)
    in_front: list[set[int]] = [set() for _ in range(n)]  # of each: those that must be drawn after it
    waits = [0] * n
    for i in range(n):
        for j in range(i + 1, n):
            a, b = order[i].box, order[j].box
            if a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]:
                continue
            first = _nearer(order[i].foot, order[j].foot, eye)
            behind, front = (j, i) if first == 0 else (i, j)
            if front not in in_front[behind]:
                in_front[behind].add(front)
                waits[front] += 1
    result: list[int] = []
    left = list(range(n))
    while left:
        k = next((i for i in left if waits[i] == 0), left[0])
        left.remove(k)
        result.append(k)
        for other in in_front[k]:
            waits[other] -= 1
    return [order[i] for i in result]


def _nearer(a: NDArray[np.float64], b: NDArray[np.float64], eye: NDArray[np.float64]) -> int:
    """Which of two convex footprints is nearer to the eye: 0 or 1."""
    for which, (p, q) in enumerate(((a, b), (b, a))):
        for i in range(4):
            e = p[(i + 1) % 4] - p[i]
            normal = np.array([e[1], -e[0]])
            if ((q - p[i]) @ normal > 0).all():  # q lies beyond this edge of p
                return (1 - which) if float((eye - p[i]) @ normal) > 0 else which
    return 0 if np.hypot(*(a.mean(0) - eye)) < np.hypot(*(b.mean(0) - eye)) else 1


def _glow(canvas: Float, at: NDArray[np.float64], radius: float, colour: Float, cover: float) -> None:
    r = int(np.ceil(radius * 2.2)) + 1
    x, y = float(at[0]), float(at[1])
    x0, y0 = max(int(x) - r, 0), max(int(y) - r, 0)
    x1, y1 = min(int(x) + r + 1, canvas.shape[1]), min(int(y) + r + 1, canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    yy, xx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    d2 = ((xx + 0.5 - x) ** 2 + (yy + 0.5 - y) ** 2) / (radius * radius)
    w = np.exp(-d2 * d2 if cover else -d2 * 1.2).astype(np.float32)[..., None]
    region = canvas[y0:y1, x0:x1]
    region *= 1 - cover * w
    region += w * colour


def _streak(canvas: Float, at: NDArray[np.float64], wide: float, tall: float, colour: Float) -> None:
    x, y = float(at[0]), float(at[1])
    x0, x1 = max(int(x - 3 * wide), 0), min(int(x + 3 * wide) + 1, canvas.shape[1])
    y0, y1 = max(int(y - 2 * tall), 0), min(int(y + 2 * tall) + 1, canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    yy, xx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    w = np.exp(-(((xx - x) / wide) ** 2) - ((yy - y) / tall) ** 2)
    canvas[y0:y1, x0:x1] += w[..., None] * colour


def _rain(canvas: Float, rng: np.random.Generator, amount: float) -> Float:
    h, w = canvas.shape[:2]
    drops = np.zeros((h, w), np.float32)
    for _ in range(int(420 * amount)):
        x, y = rng.uniform(0, w), rng.uniform(-40, h)
        length = rng.uniform(9, 42)
        lean = 0.12 + rng.normal(0, 0.02)
        cv2.line(
            drops,
            (int(x * 8), int(y * 8)),
            (int((x - lean * length) * 8), int((y + length) * 8)),
            float(rng.uniform(0.02, 0.11)),
            1,
            cv2.LINE_AA,
            3,
        )
    drops = cv2.GaussianBlur(drops, (0, 0), 0.7)
    return np.asarray(canvas * (1 - drops[..., None]) + drops[..., None] * 0.9, np.float32)


_VIGNETTES: dict[tuple[int, int], Float] = {}


def _vignette(h: int, w: int) -> Float:
    if (h, w) not in _VIGNETTES:
        y, x = np.mgrid[0:h, 0:w]
        r2 = ((x - w / 2) ** 2 + (y - h / 2) ** 2) / (w * w / 4 + h * h / 4)
        _VIGNETTES[h, w] = (1 - 0.16 * r2)[..., None].astype(np.float32)
    return _VIGNETTES[h, w]


def _text(picture: NDArray[np.uint8], title: str, clock: str) -> None:
    """Burn in title and clock, light with a dark rim, so that they are read on the sky and on the road."""
    h, w = picture.shape[:2]
    scale = w / 1280 * 0.85
    rim = [(dx, dy) for dx in (-2, 0, 2) for dy in (-2, 0, 2) if dx or dy]
    for text, x, y in ((clock, int(w * 0.70), int(h * 0.05)), (title, int(w * 0.02), int(h * 0.965))):
        for dx, dy in rim:
            _put(picture, text, (x + dx, y + dy), scale, 20)
        _put(picture, text, (x, y), scale, 245)


def _put(picture: NDArray[np.uint8], text: str, at: tuple[int, int], scale: float, grey: int) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (grey,) * 3, 2, cv2.LINE_AA)


def load_plate(folder: Path, camera: Camera) -> Plate:
    """Read a rendered street and bend it to the camera's lens."""
    code = cv2.imread(str(folder / "occluders.png"), cv2.IMREAD_GRAYSCALE).astype(np.float32)
    depth = np.where(code == 255, np.inf, 4.0 * (2.0 ** (code / 40.0) - 1.0)).astype(np.float32)
    plate = plate_from(np.asarray(cv2.imread(str(folder / "plate.webp")), np.uint8), depth, camera)
    plate.lit = cv2.imread(str(folder / "lit.png"), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255.0
    return plate


def plate_from(colour: NDArray[np.uint8], depth: Float, camera: Camera) -> Plate:
    """Bend a pinhole rendering and the occluders' depth (twice the size) to the camera's lens."""
    mx, my, wide, high = camera.undistort_map()
    mx += (colour.shape[1] - wide) / 2
    my += (colour.shape[0] - high) / 2
    picture = cv2.remap(colour, mx, my, cv2.INTER_CUBIC)
    wide, high = colour.shape[1], colour.shape[0]
    factor = depth.shape[1] / wide
    big = Camera(
        camera.position,
        camera.yaw,
        camera.pitch,
        camera.focal * 2,
        camera.width * 2,
        camera.height * 2,
        camera.k1,
        camera.roll,
    )
    bx, by, bw, bh = big.undistort_map()
    bx, by = (bx + 0.5 - bw / 2) / 2, (by + 0.5 - bh / 2) / 2  # about the centre, in single-size pixels
    bx, by = (bx + wide / 2) * factor - 0.5, (by + high / 2) * factor - 0.5
    return Plate(
        to_linear(picture), cv2.remap(depth, bx.astype(np.float32), by.astype(np.float32), cv2.INTER_NEAREST)
    )
