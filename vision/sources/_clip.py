"""A recording whose frames can be looked at in any order, as a person who counts by eye does."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, Self

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from vision.errors import SourceError
from vision.sources._address import mask_address
from vision.sources._images import ImageFolder
from vision.sources._start import StartOrigin
from vision.sources._tally import SourceTally, Timeline
from vision.sources._video import VideoFile
from vision.types import Frame


class Clip(Protocol):
    """A recording with random access. Frames and times are those of :func:`vision.sources.open_source`.

    Only one thread at a time may use it.
    """

    @property
    def name(self) -> str:
        """The file or folder, as shown to people."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames in pixels."""
        ...

    @property
    def start(self) -> float:
        """Moment of the first frame, seconds since the Unix epoch, UTC."""
        ...

    @property
    def start_origin(self) -> StartOrigin:
        """How the start is known."""
        ...

    @property
    def times(self) -> NDArray[np.float64]:
        """``float64[N]``: presentation time of each frame, seconds since the first, strictly increasing."""
        ...

    def frames(self, first: int) -> Iterator[Frame]:
        """The frames from number ``first`` to the last, in order; a new call ends an earlier one."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...


class VideoClip:
    """A video file, read from the key frame before whichever frame is asked for.

    Attributes:
        flaws: damage met so far; where there is none, the frames are exactly those of ``open_source``.
    """

    def __init__(self, path: Path, *, start: datetime | None, tz: str, threads: int = 0) -> None:
        """Open it and read the times of its frames.

        Raises:
            SourceError: it cannot be opened, or its frames have no times or times that jump back.
        """
        self._path = path
        self.flaws = 0
        self._file = VideoFile(path, fps=None, start=start, tz=tz, threads=threads)
        try:
            self.name, self.size = self._file.name, self._file.size
            self.start, self.start_origin = self._file.start, self._file.start_origin
            self._container, self._stream = self._file._container, self._file._stream
            self._lowest = min(0, self._stream.start_time or 0)
            zero = _stamp(next(self._file._pictures))
            base = self._stream.time_base
            self._stamps, self._keys, step_back = self._scan()
            if zero is None or base is None or zero not in self._stamps or not len(self._keys):
                raise SourceError(f"{self.name} has no times of its frames: convert it to MP4.")
            if step_back * base > Timeline.STEP_BACK:
                raise SourceError(
                    f"{self.name} has a clock that jumps back, as where recordings were joined: "
                    "count its parts one by one, or convert it to MP4."
                )
            # What comes before the first picture that decodes is never seen; a count's time begins with it.
            self._stamps = self._stamps[self._stamps >= zero]
            # The same sum as a count's, to the last bit.
            seconds = self._stamps * base.numerator / base.denominator
            self._presented: NDArray[np.float64] = seconds
            self.times: NDArray[np.float64] = seconds - zero * base.numerator / base.denominator
        except av.FFmpegError:
            self.close()
            raise SourceError(f"{path} cannot be read out of order: convert it to MP4.") from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the decoder."""
        self._file.close()

    def frames(self, first: int) -> Iterator[Frame]:
        """See :class:`Clip`. A frame that cannot be decoded shows the picture before it, as players do."""
        return self.chosen(range(first, len(self._stamps)))

    def chosen(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """The frames of some numbers, which increase; a new call ends an earlier one."""
        at, shown = 0, None
        for picture in self._decode_to(int(self._stamps[numbers[0]])):
            stamp = _stamp(picture)
            if stamp is None:
                continue
            while self._stamps[numbers[at]] < stamp:
                self.flaws += 1
                yield self._frame(shown or picture, numbers[at])
                at += 1
                if at == len(numbers):
                    return
            shown = picture
            if stamp == self._stamps[numbers[at]]:
                yield self._frame(picture, numbers[at])
                at += 1
                if at == len(numbers):
                    return
        while shown and at < len(numbers):
            self.flaws += 1
            yield self._frame(shown, numbers[at])
            at += 1
        if not shown:
            raise SourceError(f"{self.name} cannot be decoded from {self.times[numbers[0]]:.2f} s on.")

    @property
    def key_frames(self) -> NDArray[np.int64]:
        """Numbers of the frames from which decoding can begin, increasing."""
        keys = self._keys[self._keys >= self._stamps[0]]
        return np.asarray(np.searchsorted(self._stamps, keys), np.int64)

    def delivered(self, fps: float | None) -> tuple[NDArray[np.int64], SourceTally]:
        """Which frames ``open_source`` would deliver at a rate, and its account of them; nothing is decoded.

        Right where nothing in the file is damaged, see ``flaws``.
        """
        with VideoFile(
            self._path, fps=fps, start=datetime.fromtimestamp(self.start, UTC), tz="UTC", threads=1
        ) as file:
            file._packets_read = self._packets
            numbers = [
                n for n, moment in enumerate(self._presented.tolist()) if file._take(moment) is not None
            ]
            file._finish()
            return np.array(numbers, np.int64), file.tally

    def _frame(self, picture: VideoFrame, number: int) -> Frame:
        return Frame(self._file._bgr(picture), self.start + float(self.times[number]), number)

    def _scan(self) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """Stamps of all frames and of the key frames, increasing; how far decoding times step back."""
        stamps, keys, step_back, last = [], [], 0, None
        self._packets = 0
        self._container.seek(self._lowest, stream=self._stream)
        for packet in self._file._packets():
            if packet is not None:
                self._packets += packet.size > 0
                self.flaws += packet.is_corrupt
            stamp = None if packet is None else packet.pts if packet.pts is not None else packet.dts
            if packet is None or stamp is None or packet.is_discard or not packet.size:
                continue
            stamps.append(stamp)
            if packet.is_keyframe:
                keys.append(stamp)
            if packet.dts is not None:
                step_back = max(step_back, 0 if last is None else last - packet.dts)
                last = packet.dts
        self.flaws += self._file.tally.undecodable
        return np.unique(np.asarray(stamps, np.int64)), np.unique(np.asarray(keys, np.int64)), step_back

    def _decode_to(self, stamp: int) -> Iterator[VideoFrame]:
        """Pictures in order of time, from the last key frame at or before ``stamp`` if it decodes."""
        before = self._keys[self._keys <= stamp]
        # A key frame may be damaged, and some containers find only roughly what is sought.
        for key in [*(int(k) for k in before[::-1][:2]), self._lowest]:
            self._container.seek(key, stream=self._stream)
            pictures = self._decoded()
            for picture in pictures:
                reached = _stamp(picture)
                if reached is not None and reached > stamp and key > self._lowest:
                    break  # begun too late
                yield picture
                yield from pictures
                return

    def _decoded(self) -> Iterator[VideoFrame]:
        begun = False
        for packet in self._file._packets():
            # Nothing before a key frame can be decoded; H.264's decoder would make grey pictures of it.
            begun = begun or packet is None or packet.is_keyframe
            if not begun:
                continue
            try:
                pictures = self._stream.codec_context.decode(packet)
            except av.FFmpegError:
                self.flaws += 1
                continue
            self.flaws += sum(picture.is_corrupt for picture in pictures)
            yield from pictures


class ImageClip:
    """A folder of images."""

    def __init__(self, path: Path, *, fps: float, start: datetime | None, tz: str) -> None:
        """Open it.

        Raises:
            SourceError: the folder holds no images or the first cannot be read.
        """
        self._folder = ImageFolder(path, fps=fps, start=start, tz=tz)
        self.name, self.size = self._folder.name, self._folder.size
        self.start, self.start_origin = self._folder.start, self._folder.start_origin
        self.times: NDArray[np.float64] = np.arange(len(self._folder._files)) / fps

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._folder.close()

    def frames(self, first: int) -> Iterator[Frame]:
        """See :class:`Clip`."""
        return self._folder._run(first)


def _stamp(picture: VideoFrame) -> int | None:
    return picture.pts if picture.pts is not None else picture.dts


def open_clip(
    address: str | Path, *, fps: float = 1.0, start: datetime | None = None, tz: str = "Asia/Ho_Chi_Minh"
) -> Clip:
    """Open a video file or a folder of images, to look at any frame of it.

    Args:
        address: path of a file or folder.
        fps: the rate at which a folder's images were taken; a file has times of its own.
        start: moment of the first frame; see :func:`vision.sources.open_source`.
        tz: time zone of clock times in file names.

    Raises:
        SourceError: it cannot be opened, is a live stream, or has no usable times.
    """
    path = Path(address)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", str(address)) and not path.exists():
        raise SourceError(
            f"{mask_address(str(address))} is no recording, and only a recording can be looked at frame by "
            "frame: record a stretch of the camera into a file first."
        )
    if path.is_dir():
        return ImageClip(path, fps=fps, start=start, tz=tz)
    return VideoClip(path, start=start, tz=tz)
