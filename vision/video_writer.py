"""Writing annotated pictures as an H.264 video whose frames keep their own times."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from vision.errors import NgatuError

_TICKS = 90_000
_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_BT709 = 1  # number of the colour standard in the file's header


class VideoWriter:
    """A video file, written frame by frame; use it as a context manager, or close it.

    Frames are shown at the times given with them, so that a variable rate and gaps stay as they were.
    However the ``with`` block ends, by an error or Ctrl-C too, the file is completed and plays up to there.

    Args:
        path: where to; ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``. A file already there is replaced.
        size: width and height of the pictures; an odd one is made even by repeating the last pixels.
        fps: the usual frames per second, a hint for the encoder.
        quality: constant rate factor of x264: 18 is hardly to be told from the source, 28 is small.

    Raises:
        NgatuError: the file cannot be written there.
    """

    def __init__(
        self, path: str | Path, size: tuple[int, int], fps: float = 25.0, *, quality: int = 23
    ) -> None:
        self.path = Path(path)
        self.size = size
        self.frames = 0
        self._start = 0.0
        self._last_tick = -1
        self._closed = False
        suffix = self.path.suffix.lower()
        if suffix not in _FORMATS:
            raise NgatuError(f"cannot write {path}: give a name that ends in .mp4, .mov or .mkv.")
        self._padding = (size[1] % 2, size[0] % 2)  # below, on the right
        # "file:" keeps a name with a colon in it from being read as an address.
        self._container = av.open(
            f"file:{self.path}", "w", format=_FORMATS[suffix], options={"movflags": "+faststart"}
        )
        self._stream = self._add_stream(fps, quality)
        try:
            self._container.start_encoding()  # opens the file now, not with the first picture
        except (OSError, av.FFmpegError) as error:
            self._closed = True
            raise self._failure(error) from None

    def _add_stream(self, fps: float, quality: int) -> Any:
        stream: Any = self._container.add_stream(
            "libx264",
            rate=Fraction(fps).limit_denominator(1001),
            options={"preset": "veryfast", "crf": str(quality)},
        )
        stream.width, stream.height = self.size[0] + self._padding[1], self.size[1] + self._padding[0]
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        stream.time_base = context.time_base = Fraction(1, _TICKS)
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG
        return stream

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Append a picture.

        Args:
            image: ``uint8[H, W, 3]``, BGR, of the size given at the start.
            time: its moment in seconds, later than the one before; the first one becomes the start.

        Raises:
            NgatuError: the disk is full or gone.
        """
        if (image.shape[1], image.shape[0]) != self.size:
            raise ValueError(f"a picture of {image.shape[1]}x{image.shape[0]}, expected {self.size}")
        if self._closed:
            raise ValueError("the video is closed")
        if not self.frames:
            self._start = time
        bottom, right = self._padding
        if bottom or right:
            image = np.asarray(cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint8)
        frame = VideoFrame.from_ndarray(image, format="bgr24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        tick = max(round((time - self._start) * _TICKS), self._last_tick + 1)
        frame.pts, frame.time_base = tick, Fraction(1, _TICKS)
        self._last_tick = tick
        try:
            self._container.mux(self._stream.encode(frame))
        except (OSError, av.FFmpegError) as error:
            raise self._failure(error) from None
        self.frames += 1

    def close(self) -> None:
        """Write out what is still held back and complete the file; a file without pictures is removed.

        Raises:
            NgatuError: the disk is full or gone.
        """
        if self._closed:
            return
        self._closed = True
        try:
            try:
                if self.frames:
                    self._container.mux(self._stream.encode(None))
            finally:
                self._container.close()
            if not self.frames:
                self.path.unlink(missing_ok=True)
        except (OSError, av.FFmpegError) as error:
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> NgatuError:
        reason = getattr(error, "strerror", None) or str(error)
        return NgatuError(
            f"cannot write {self.path}: {reason}; free space or choose a folder that you may write to."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except NgatuError:
            if kind is None:  # else the first error tells more
                raise
