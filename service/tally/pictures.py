"""The frames of a clip as JPEG, in any order, quickly enough to play them."""

from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock

import cv2

from vision import Frame
from vision.sources import Clip

_WIDEST = 1920
_QUALITY = 88
_CACHE_BYTES = 128 << 20
_NEAR = 32
"""Frames decoded on the way rather than sought; and before a step back, so that the next steps are there."""


class Pictures:
    """Frames by number, kept for a while. Safe to use from several threads; one decodes at a time."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._lock = Lock()
        self._frames: Iterator[Frame] = iter(())
        self._next = len(clip.times)
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._bytes = 0

    def jpeg(self, number: int) -> bytes:
        """The frame of that number, at most 1920 px wide.

        Raises:
            SourceError: it cannot be decoded.
        """
        with self._lock:
            if number not in self._kept:
                if not self._next <= number < self._next + _NEAR:
                    back = _NEAR if self._next - _NEAR <= number < self._next else 0
                    self._next = max(0, number - back)
                    self._frames = self._clip.frames(self._next)
                while self._next <= number:
                    self._keep(self._next, _encode(next(self._frames)))
                    self._next += 1
            self._kept.move_to_end(number)
            return self._kept[number]

    def _keep(self, number: int, data: bytes) -> None:
        self._bytes += len(data) - len(self._kept.pop(number, b""))
        self._kept[number] = data
        while self._bytes > _CACHE_BYTES and len(self._kept) > _NEAR:
            self._bytes -= len(self._kept.popitem(last=False)[1])


def _encode(frame: Frame) -> bytes:
    image, (width, height) = frame.image, frame.size
    if width > _WIDEST:
        image = cv2.resize(image, (_WIDEST, round(height * _WIDEST / width)), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
