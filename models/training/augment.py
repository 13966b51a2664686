"""Make one training picture out of one or four: crop, scale, flip, and what light, weather and codecs do."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Boxes = NDArray[np.float32]
Rng = np.random.Generator

_GREY = 114
_LEAST_SIDE = 3.0
"""A box with a shorter side, in pixels of the network's input, is left open: there is nothing to see."""
_LEAST_SHARE = 0.35
"""So is one of which less than this lies inside the picture."""


@dataclass(frozen=True, slots=True)
class Example:
    """A picture with its boxes.

    Attributes:
        image: ``uint8[H, W, 3]`` BGR.
        boxes: ``float32[N, 6]`` class, left, top, right, bottom, sure (1 vehicle, 0 open); fractions before,
            pixels after :func:`augment`.
        known: ``bool[C]`` classes that were labelled.
    """

    image: Image
    boxes: Boxes
    known: NDArray[np.bool_]


def augment(examples: list[Example], size: tuple[int, int], rng: Rng) -> Example:
    """A picture of ``size`` (width, height) out of one example, or a mosaic of four."""
    one = len(examples) == 1
    made = _place(examples[0], size, _look(rng), rng) if one else _mosaic(examples, size, rng)
    image, boxes = made.image, made.boxes
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
        boxes[:, [1, 3]] = size[0] - boxes[:, [3, 1]]
    return Example(_weather(image, rng), boxes, made.known)


def _look(rng: Rng) -> float:
    """Magnification: mostly as it is or closer, as on tiles of a picture."""
    return float(np.exp(rng.uniform(np.log(0.65), np.log(2.2)))) if rng.random() < 0.75 else 1.0


def _place(example: Example, size: tuple[int, int], zoom: float, rng: Rng) -> Example:
    """Lay a picture into ``size`` so that it fills it ``zoom`` times, at a random place."""
    width, height = size
    rows, columns = example.image.shape[:2]
    # 4:3 pictures are squeezed at inference; here the shape varies between squeezed and true.
    true = min(width / columns, height / rows)
    squeeze = rng.random() * rng.uniform(0.85, 1.15)
    scale = np.array([width / columns, height / rows]) ** squeeze * true ** (1 - squeeze)
    scale *= zoom
    span = np.array([columns, rows]) * scale
    room = np.array([width, height]) - span
    # Larger than the window: any part of it; smaller: anywhere inside.
    shift = np.where(room < 0, rng.random(2) * room, rng.random(2) * room)
    matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    flags = cv2.INTER_AREA if zoom < 0.7 else cv2.INTER_LINEAR
    grey = (_GREY, _GREY, _GREY)
    image = cv2.warpAffine(example.image, matrix, (width, height), flags=flags, borderValue=grey)
    return Example(np.asarray(image, np.uint8), _moved(example.boxes, span, shift, size), example.known)


def _moved(
    boxes: Boxes, span: NDArray[np.float64], shift: NDArray[np.float64], size: tuple[int, int]
) -> Boxes:
    """Boxes in pixels, clipped; those hardly left are opened, those outside dropped."""
    moved = boxes.copy()
    moved[:, 1:5] = boxes[:, 1:5] * np.tile(span, 2) + np.tile(shift, 2)
    before = np.prod(np.maximum(moved[:, 3:5] - moved[:, 1:3], 1e-6), axis=1)
    moved[:, [1, 3]] = moved[:, [1, 3]].clip(0, size[0])
    moved[:, [2, 4]] = moved[:, [2, 4]].clip(0, size[1])
    sides = moved[:, 3:5] - moved[:, 1:3]
    left = np.prod(sides, axis=1) / before
    moved[(left < _LEAST_SHARE) | (sides.min(axis=1) < _LEAST_SIDE), 5] = 0
    return np.asarray(moved[(sides > 0.5).all(axis=1)])


def _mosaic(examples: list[Example], size: tuple[int, int], rng: Rng) -> Example:
    """Four pictures around a random point, each in its quarter."""
    width, height = size
    x, y = round(width * rng.uniform(0.3, 0.7)), round(height * rng.uniform(0.3, 0.7))
    corners = ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))
    image = np.empty((height, width, 3), np.uint8)
    boxes = []
    for example, (left, top, right, bottom) in zip(examples, corners, strict=True):
        part = (right - left, bottom - top)
        placed = _place(example, part, rng.uniform(1.0, 2.4), rng)
        image[top:bottom, left:right] = placed.image
        placed.boxes[:, 1:5] += np.array([left, top, left, top], np.float32)
        boxes.append(placed.boxes)
    known = np.logical_and.reduce([example.known for example in examples])
    return Example(image, np.concatenate(boxes), known)


def _weather(image: Image, rng: Rng) -> Image:
    """Light, weather, lens and codec."""
    chance = rng.random(7)
    if chance[0] < 0.8:
        image = _colour(image, rng)
    if chance[1] < 0.12:  # night: dark and noisy, lamps stay bright
        image = _levels(image, gamma=rng.uniform(1.4, 2.6), gain=rng.uniform(0.7, 1.0), lift=0)
    elif chance[1] < 0.18:  # haze: contrast lost
        image = _levels(image, gamma=1.0, gain=rng.uniform(0.4, 0.7), lift=rng.uniform(50, 110))
    if chance[2] < 0.05:
        image = _rain(image, rng)
    if chance[3] < 0.12:
        image = _motion_blur(image, rng)
    elif chance[3] < 0.2:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.1)), np.uint8)
    if chance[4] < 0.15:
        noise = rng.standard_normal(image.shape, np.float32) * rng.uniform(3, 12)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if chance[5] < 0.25:
        image = _encode(image, int(rng.integers(20, 75)))
    if chance[6] < 0.04:
        image = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    return image


def _colour(image: Image, rng: Rng) -> Image:
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    steps = np.arange(256, dtype=np.float32)
    hue = ((steps + rng.uniform(-6, 6)) % 180).astype(np.uint8)
    saturation = np.clip(steps * rng.uniform(0.5, 1.4), 0, 255).astype(np.uint8)
    value = np.clip((steps - 128) * rng.uniform(0.75, 1.25) + 128 + rng.uniform(-30, 30), 0, 255)
    tables = np.stack([hue, saturation, value.astype(np.uint8)], axis=1)[:, None]
    return np.asarray(cv2.cvtColor(cv2.LUT(hsv, tables), cv2.COLOR_HSV2BGR), np.uint8)


def _levels(image: Image, gamma: float, gain: float, lift: float) -> Image:
    steps = np.linspace(0, 1, 256) ** gamma * gain * 255 + lift
    return np.asarray(cv2.LUT(image, np.clip(steps, 0, 255).astype(np.uint8)), np.uint8)


def _rain(image: Image, rng: Rng) -> Image:
    streaks = np.zeros(image.shape[:2], np.uint8)
    height, width = image.shape[:2]
    slant = rng.uniform(-0.3, 0.3)
    for _ in range(int(rng.integers(60, 200))):
        x, y, length = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(5, 18)
        cv2.line(streaks, (int(x), int(y)), (int(x + slant * length), int(y + length)), 255, 1)
    veil = cv2.GaussianBlur(streaks, (0, 0), 0.7)[..., None].astype(np.float32) / 255
    return np.asarray(np.clip(image + veil * rng.uniform(30, 90), 0, 255), np.uint8)


def _motion_blur(image: Image, rng: Rng) -> Image:
    length = int(rng.integers(3, 7))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    reach = (length - 1) / 2
    for step in np.linspace(-reach, reach, 2 * length):
        kernel[round(reach + step * np.sin(angle)), round(reach + step * np.cos(angle))] = 1
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def _encode(image: Image, quality: int) -> Image:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
