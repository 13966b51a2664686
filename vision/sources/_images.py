"""A folder of images as a source of frames."""

import re
from collections.abc import Generator
from datetime import datetime
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.errors import SourceError
from vision.sources._start import StartOrigin, start_of_file
from vision.sources._stream import Stream
from vision.sources._tally import SourceTally
from vision.types import Frame

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


class ImageFolder(Stream):
    """The images of one folder in the order of the numbers in their names, one every ``1 / fps`` seconds."""

    kind: Literal["images"] = "images"

    def __init__(self, path: Path, *, fps: float, start: datetime | None, tz: str) -> None:
        """Open it; see :func:`vision.sources.open_source`.

        Raises:
            SourceError: the folder holds no images or the first cannot be read.
        """
        self._files = sorted(
            (file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES), key=_natural
        )
        if not self._files:
            known = ", ".join(sorted(suffix[1:] for suffix in _SUFFIXES))
            raise SourceError(f"{path} holds no images: give a folder with files of type {known}.")
        first = self._files[0]
        image = _read(first)
        self.name = str(path)
        self.size: tuple[int, int] = (image.shape[1], image.shape[0])
        self._fps = fps
        self.nominal_fps: float | None = fps
        self.duration: float | None = len(self._files) / fps
        self.expected_frames: int | None = len(self._files)
        self.codec: str | None = first.suffix[1:].lower()
        self.tally = SourceTally()
        self.start: float
        self.start_origin: StartOrigin
        self.start, self.start_origin = start_of_file(
            first, start=start, tz=tz, names=(first.stem, path.resolve().name)
        )
        self._frames = self._run()

    def _run(self, first: int = 0) -> Generator[Frame]:
        for index, file in enumerate(self._files[first:], first):
            image = _read(file)
            if (image.shape[1], image.shape[0]) != self.size:
                raise SourceError(
                    f"{file} measures {image.shape[1]}x{image.shape[0]} and the first image of its folder "
                    f"{self.size[0]}x{self.size[1]}: keep one camera's images of one size in a folder."
                )
            self.tally.read += 1
            self.tally.delivered += 1
            yield Frame(image, self.start + index / self._fps, index)


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """Sort key that puts ``frame9`` before ``frame10``."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


def _read(file: Path) -> NDArray[np.uint8]:
    """The picture in ``file``, BGR and upright."""
    try:
        data = np.fromfile(file, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if _complete(data) else None
    except (OSError, cv2.error):
        image = None
    if image is None:
        raise SourceError(f"{file} cannot be read as an image: remove it or copy it into the folder anew.")
    return image.astype(np.uint8, copy=False)


def _complete(data: NDArray[np.uint8]) -> bool:
    """Whether a JPEG has its end mark: the decoder would fill what is missing with grey and say nothing."""
    jpeg = data[:2].tobytes() == b"\xff\xd8"
    return len(data) > 0 and (not jpeg or b"\xff\xd9" in data[-4096:].tobytes())
