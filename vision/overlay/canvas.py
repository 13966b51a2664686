"""What is drawn on: a pen for one size of picture, and a translucent layer with lines, panels and text."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Points = NDArray[np.float64]
Rect = tuple[int, int, int, int]
"""Left, top, width, height in pixels."""
Colour = tuple[int, int, int]
"""Blue, green, red, as OpenCV draws."""

# OpenCV's font draws these two as another letter (ớ, õ); with the accent set apart it draws them right.
_MISDRAWN = str.maketrans({"ờ": "ơ\u0300", "ỡ": "ơ\u0303"})

WHITE: Colour = (255, 255, 255)
GREY: Colour = (205, 205, 205)
BLACK: Colour = (0, 0, 0)

_LONGEST_NAME = 30


class Pen:
    """Widths of lines and letters for one size of picture, and the font.

    OpenCV 5 brings a font with Vietnamese letters; no file of ours, no other library.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.scale = min(max(min(size) / 720, 0.6), 3.0)
        self.thin = max(1, round(1.2 * self.scale))
        self.line = max(2, round(2 * self.scale))
        self.letter = max(12, round(15 * self.scale))
        self.row = round(1.4 * self.letter)
        self.baseline = round(1.06 * self.letter)
        self.margin = round(0.6 * self.letter)
        self.font = cv2.FontFace("uni")

    def width(self, text: str) -> int:
        """Width of a text in pixels."""
        if not text:
            return 0
        return int(cv2.getTextSize((0, 0), _drawable(text), (0, 0), self.font, self.letter)[2])

    def panel(self, rows: Sequence[str]) -> tuple[int, int]:
        """Size of a panel around rows of text."""
        return max(map(self.width, rows)) + 2 * self.margin, len(rows) * self.row + self.margin


class Canvas:
    """A translucent layer, put over a picture in one step.

    It holds colour already weighted by its opacity, and as fourth channel how much of the picture stays:
    any number of faint and solid shapes costs one multiplication and one addition. Text is solid and
    drawn last.
    """

    def __init__(self, size: tuple[int, int], pen: Pen, pixels: Image | None = None) -> None:
        self.size = size
        self.pen = pen
        if pixels is None:
            pixels = np.zeros((size[1], size[0], 4), np.uint8)
            pixels[..., 3] = 255
        self._pixels = pixels
        self._texts: list[tuple[str, tuple[int, int], Colour]] = []

    def copy(self) -> "Canvas":
        """Another canvas with the same content."""
        twin = Canvas(self.size, self.pen, self._pixels.copy())
        twin._texts = list(self._texts)
        return twin

    def lines(
        self,
        paths: Sequence[NDArray[Any]],
        colour: Colour,
        width: int,
        opacity: float = 1.0,
        *,
        closed: bool = False,
        smooth: bool = True,
    ) -> None:
        """Lines through the points of each path; upright and level ones need no smoothing."""
        kind = cv2.LINE_AA if smooth else cv2.LINE_8
        cv2.polylines(self._pixels, _whole(paths), closed, _paint(colour, opacity), width, kind)

    def fill(self, polygons: Sequence[NDArray[Any]], colour: Colour, opacity: float = 1.0) -> None:
        """Filled polygons."""
        cv2.fillPoly(self._pixels, _whole(polygons), _paint(colour, opacity), cv2.LINE_AA)

    def dot(self, centre: NDArray[Any], radius: float, colour: Colour) -> None:
        """A filled circle."""
        x, y = centre.round().astype(int).tolist()
        cv2.circle(self._pixels, (x, y), max(2, round(radius)), _paint(colour, 1.0), -1, cv2.LINE_AA)

    def square(self, centre: tuple[float, float], half: float, colour: Colour) -> None:
        """A filled square."""
        corners = np.asarray(((-1, -1), (1, -1), (1, 1), (-1, 1))) * half
        self.fill([corners + centre], colour)

    def panel(self, rect: Rect) -> None:
        """A soft dark ground for text, with round corners."""
        self.fill([_rounded(rect, self.pen.margin // 2)], (24, 20, 16), 0.66)

    def text(self, text: str, base: tuple[int, int], colour: Colour) -> None:
        """A text from the left end of its base line."""
        if text:
            self._texts.append((_drawable(text), base, colour))

    def over(self, image: Image) -> NDArray[np.uint8]:
        """A copy of a picture under this canvas."""
        stays = cv2.cvtColor(cv2.extractChannel(self._pixels, 3), cv2.COLOR_GRAY2BGR)
        picture = cv2.multiply(image, stays, scale=1 / 255)
        cv2.add(picture, cv2.cvtColor(self._pixels, cv2.COLOR_BGRA2BGR), dst=picture)
        for text, base, colour in self._texts:
            cv2.putText(picture, text, base, colour, self.pen.font, self.pen.letter)
        return np.asarray(picture, np.uint8)


def short(text: str, longest: int = _LONGEST_NAME) -> str:
    """A name short enough for a label: its first clause, or cut at a word."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if len(text) <= longest:
        return text
    clause = re.split(r"[,;:(]| - | – ", text)[0].strip()
    if 3 <= len(clause) <= longest:
        return clause
    return text[: longest - 3].rsplit(" ", 1)[0].rstrip(" ,;:-") + "..."


@lru_cache(maxsize=256)
def _rounded(rect: Rect, radius: int) -> NDArray[np.int32]:
    """Outline of a rectangle with round corners."""
    x, y, width, height = rect
    right, bottom = x + width - 1 - radius, y + height - 1 - radius
    turn = np.linspace(0, np.pi / 2, 5)
    outline = [
        np.stack((cx + radius * np.cos(turn + start), cy + radius * np.sin(turn + start)), axis=1)
        for cx, cy, start in (
            (right, bottom, 0.0),
            (x + radius, bottom, np.pi / 2),
            (x + radius, y + radius, np.pi),
            (right, y + radius, 1.5 * np.pi),
        )
    ]
    return np.concatenate(outline).round().astype(np.int32)


def _whole(paths: Sequence[NDArray[Any]]) -> list[NDArray[np.int32]]:
    return [path if path.dtype == np.int32 else path.round().astype(np.int32) for path in paths]


def _paint(colour: Colour, opacity: float) -> tuple[float, ...]:
    return (*(part * opacity for part in colour), 255 * (1 - opacity))


def bgr(colour: str) -> Colour:
    """A colour written ``#RRGGBB``."""
    red, green, blue = bytes.fromhex(colour[1:])
    return blue, green, red


def pale(colour: str) -> Colour:
    """A colour light enough for letters on a dark ground."""
    return mix(bgr(colour), WHITE, 0.4)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two, ``share`` of the way to the other."""
    blue, green, red = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return blue, green, red


def _drawable(text: str) -> str:
    """A text as the font draws it right: composed letters, but for those it has wrong."""
    return unicodedata.normalize("NFC", text).translate(_MISDRAWN)
