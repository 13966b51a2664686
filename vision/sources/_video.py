"""A recording as a source of frames, read by FFmpeg's libraries through PyAV."""

import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vision.errors import SourceError
from vision.sources._decoder import DECODER_DELAY, Decoder
from vision.sources._start import StartOrigin, start_of_file

# Recordings only: FFmpeg would also "play" text files, and playlists that open other files and addresses.
_FORMATS = "mov,mp4,3gp,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,h264,hevc,m4v,asf,ogg,ivf,mxf,dhav"
_MAX_FAILURES = 100


class VideoFile(Decoder):
    """A recording, delivered to its end and across damage; what was lost is in ``tally``."""

    kind: Literal["video"] = "video"

    def __init__(
        self, path: Path, *, fps: float | None, start: datetime | None, tz: str, threads: int
    ) -> None:
        """Open it; see :func:`vision.sources.open_source`.

        Raises:
            SourceError: it is missing, empty, no video, or nothing in it can be decoded.
        """
        container = _open_file(path)
        try:
            super().__init__(str(path), container, fps=fps, threads=threads)
            self.duration = _duration(container, self._stream)
            self.start_origin: StartOrigin
            self.start, self.start_origin = start_of_file(
                path,
                start=start,
                tz=tz,
                names=(path.stem,),
                created=container.metadata.get("creation_time"),
                duration=self.duration or 0.0,
            )
        except BaseException:
            container.close()
            raise
        self._cut = _cut_transport_stream(path)
        self._indexed = _indexed_packets(container, self._stream)

    @property
    def expected_frames(self) -> int | None:
        """Estimate of how many frames will be delivered; None where the file does not say."""
        total = self._indexed or (
            round(self.duration * self.nominal_fps) if self.duration and self.nominal_fps else None
        )
        if self._fps is None or self.duration is None:
            return total
        chosen = max(1, round(self.duration * self._fps))
        return min(chosen, total) if total else chosen

    def _packets(self) -> "Iterator[Packet[VideoStream] | None]":
        failures = 0
        while failures < _MAX_FAILURES:
            try:
                for packet in self._container.demux(self._stream):
                    failures = 0
                    yield packet
                return
            except av.FFmpegError:  # a damaged stretch: the next try goes on behind it
                failures += 1
                self.tally.undecodable += 1
                self._suspect = DECODER_DELAY
        yield None

    def _finish(self) -> None:
        end = self._timeline.last + self._usual_step
        # An AVI's duration is guessed anew from the size of what is left, its count of frames is not.
        claimed = self._indexed / self.nominal_fps if self.nominal_fps else 0.0
        missing = max(self.duration or 0.0, claimed) - end
        early = missing > 0.5 * self._usual_step
        if self._indexed:
            ends_early = early and self._packets_read < self._indexed
        else:  # a header's duration is that of the longest track
            ends_early = missing > (1.0 if len(self._container.streams) == 1 else 5.0)
        self.tally.truncated = ends_early or self._cut
        if (self.tally.truncated or self._suspect) and missing > 0.5 * self._usual_step:
            self.tally.gaps.append((self.start + self._timeline.last, self.start + end + missing))


def _open_file(path: Path) -> InputContainer:
    """Open a recording.

    Raises:
        SourceError: it is missing, empty or no video.
    """
    if not path.exists():
        raise SourceError(f"{path} does not exist: check the path.")
    if not path.is_file():
        raise SourceError(f"{path} is not a file: give a video file, a folder of images or an RTSP address.")
    try:
        if path.stat().st_size == 0:
            raise SourceError(f"{path} is empty: copy it again from the recorder.")
        with path.open("rb") as file:
            is_mp4 = file.read(8)[4:] == b"ftyp"
        # "file:" keeps a name with a colon in it from being read as an address.
        return av.open(
            f"file:{path}",
            options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except PermissionError:
        raise SourceError(f"{path} may not be read: give this user the right to read it.") from None
    except (av.FFmpegError, OSError):
        pass
    if is_mp4:
        raise SourceError(
            f"{path} has no readable index, as when a recording is cut off: repair it with a tool such as "
            "untrunc, or have the recorder write MPEG-TS or MKV."
        )
    raise SourceError(
        f"{path} is not a video that can be read: give an MP4, MKV, AVI, WebM or MPEG-TS recording."
    )


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    own = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))  # Matroska
    if own:
        return int(own[1]) * 3600 + int(own[2]) * 60 + float(own[3])
    return container.duration / av.time_base if container.duration is not None else None


def _indexed_packets(container: InputContainer, stream: VideoStream) -> int:
    """How many packets the file says it has; 0 where it does not say."""
    if container.format.name.startswith("mov"):
        return len(stream.index_entries)  # less than stream.frames where an edit list cuts some out
    return stream.frames


def _cut_transport_stream(path: Path) -> bool:
    """Whether an MPEG transport stream ends within one of its packets, 188 bytes that begin with 0x47."""
    with path.open("rb") as file:
        head = file.read(189)
        if len(head) < 189 or not head[0] == head[188] == 0x47:
            return False
        file.seek(-188, os.SEEK_END)
        return file.read(1) != b"\x47"
