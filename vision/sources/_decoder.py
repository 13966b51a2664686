"""What video files and live streams share: from an opened container to frames in order of time."""

from collections.abc import Generator, Iterator
from itertools import chain
from typing import Any

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vision.errors import SourceError
from vision.sources._stream import Stream
from vision.sources._tally import Pace, SourceTally, Timeline
from vision.types import Frame

# FFmpeg reports on its own to the terminal, addresses with passwords included; ours is the only voice.
av.logging.set_level(None)

_DEFAULT_INTERVAL = 1 / 25
# A decoder reports damage before it hands out the frames that precede the hole: it reorders and buffers them.
DECODER_DELAY = 64
# A step longer than this many usual ones is a hole; some containers skip damage without a word.
_HOLE = 10.0
_HOLE_AFTER_DAMAGE = 1.5
_TURNS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    -90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    -180: cv2.ROTATE_180,
}


class Decoder(Stream):
    """What files and live streams share: from an opened container to frames in order of time."""

    def __init__(
        self,
        name: str,
        container: InputContainer,
        *,
        fps: float | None,
        threads: int,
        max_step: float = float("inf"),
    ) -> None:
        self.name = name
        self.tally = SourceTally()
        self._container = container
        self._stream = self._video_stream(threads)
        self.nominal_fps = _plausible_rate(self._stream)
        self.codec: str | None = self._stream.codec_context.name
        interval = 1 / self.nominal_fps if self.nominal_fps else _DEFAULT_INTERVAL
        self._usual_step = interval
        self._fps = fps
        self._timeline = Timeline(interval, max_step)
        self._pace = Pace(fps)
        self._reformatter = VideoReformatter()
        self._suspect = 0
        self._packets_read = 0
        pictures = self._decoded()
        first = next(pictures, None)
        if first is None:
            raise SourceError(
                f"{name} holds no picture that can be decoded (codec {self.codec}): "
                "record it again or convert it to H.264."
            )
        self._coded_size = (first.width, first.height)
        turned = first.rotation in (90, -90)
        self.size = (first.height, first.width) if turned else self._coded_size
        self.start = 0.0
        self._pictures = chain([first], pictures)
        self._frames = self._run()

    def close(self) -> None:
        """Release the decoder or connection; call it from the thread that iterates."""
        super().close()
        self._container.close()

    def _video_stream(self, threads: int) -> VideoStream:
        moving = [
            stream
            for stream in self._container.streams.video
            if not stream.disposition & av.stream.Disposition.attached_pic
        ]
        if not moving:
            raise SourceError(f"{self.name} holds no video: give a recording with a picture track.")
        stream = moving[0]
        context = stream.codec_context
        # PyAV leaves out the context, against its own type hints, where FFmpeg has no decoder.
        if context is None:
            raise SourceError(f"{self.name} uses a video codec that is not known here: convert it to H.264.")
        context.thread_count = threads
        if threads != 1:
            context.thread_type = av.codec.context.ThreadType.AUTO
        if context.name == "hevc":
            # Its decoder swallows errors otherwise. H.264's hides damage well, and so is left to itself.
            context.options = {"err_detect": "explode"}
        for other in self._container.streams:
            if other.index != stream.index:
                other.discard = av.stream.Discard.all
        return stream

    def _packets(self) -> "Iterator[Packet[VideoStream] | None]":
        """The stream's packets, and at the end one that empties the decoder."""
        raise NotImplementedError

    def _decoded(self) -> Generator[VideoFrame]:
        for packet in self._packets():
            if packet is not None and packet.size:
                self._packets_read += 1
            try:
                pictures = self._stream.codec_context.decode(packet)
            except av.FFmpegError:
                self.tally.undecodable += 1
                self._suspect = DECODER_DELAY
                continue
            corrupt = packet is not None and packet.is_corrupt
            if corrupt or any(picture.is_corrupt for picture in pictures):
                self.tally.damaged += 1
                self._suspect = DECODER_DELAY
            yield from pictures

    def _run(self) -> Generator[Frame]:
        for picture in self._pictures:
            index = self.tally.read
            moment = self._take(_presented(picture, self._stream))
            if moment is not None:
                yield Frame(self._bgr(picture), self.start + moment, index)
        self._finish()

    def _take(self, presented: float | None) -> float | None:
        """Seconds since the first frame of the next one, None where it is not to be delivered."""
        tally, timeline = self.tally, self._timeline
        tally.read += 1
        previous = timeline.last
        moment = timeline.place(presented)
        tally.jumps += timeline.jumped
        if moment is None:
            tally.out_of_order += 1
            return None
        self._note_gap(previous, moment)
        if not self._pace.wants(moment, timeline.step):
            tally.skipped += 1
            return None
        tally.delivered += 1
        return moment

    def _note_gap(self, previous: float, moment: float) -> None:
        """Record a hole when far more time than usual passed since the frame before."""
        step = moment - previous
        few = _HOLE_AFTER_DAMAGE if self._suspect else _HOLE
        self._suspect = max(0, self._suspect - 1)
        if step > few * self._usual_step:
            self.tally.gaps.append((self.start + previous, self.start + moment))
        elif step > 0:
            self._usual_step += 0.1 * (step - self._usual_step)

    def _finish(self) -> None:
        """Called once after the last frame."""

    def _bgr(self, picture: VideoFrame) -> NDArray[np.uint8]:
        # One reused converter on one thread: as exact as FFmpeg's own default, BT.601 or 709 and either
        # range as the stream says, and 0.6 times the cost of OpenCV's, which knows only limited BT.601.
        width, height = self._coded_size
        converted = self._reformatter.reformat(picture, width, height, "bgr24", threads=1)
        image: Any = converted.to_ndarray()
        turn = _TURNS.get(picture.rotation)
        return image if turn is None else cv2.rotate(image, turn)  # type: ignore[no-any-return]


def _presented(picture: VideoFrame, stream: VideoStream) -> float | None:
    """Presentation time in seconds; files without any (AVI) have the decoding time in the same order."""
    stamp = picture.pts if picture.pts is not None else picture.dts
    base = picture.time_base or stream.time_base
    return None if stamp is None or base is None else stamp * base.numerator / base.denominator


def _plausible_rate(stream: VideoStream) -> float | None:
    """The stream's frame rate; None where the header holds a clock rate or nothing in its place."""
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    return rate if 0 < rate <= 240 else None
