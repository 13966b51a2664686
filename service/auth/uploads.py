"""Recordings that people send: known by their first bytes, and looked at in a sandbox before any count."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from service.auth.sandbox import Limits, run_limited
from vision import NgatuError


class UploadError(NgatuError):
    """What was sent is not a recording that we take."""


@dataclass(frozen=True, slots=True)
class UploadRules:
    """What is taken.

    Attributes:
        codecs: of the video, by FFmpeg's names.
        most_pixels: of a frame.
        longest_s: of the recording.
    """

    codecs: frozenset[str] = frozenset({"h264", "hevc", "mpeg4", "mjpeg", "vp8", "vp9", "av1"})
    most_pixels: int = 4096 * 2304
    longest_s: float = 25 * 3600.0


@dataclass(frozen=True, slots=True)
class Probed:
    """What a first look at a recording found."""

    codec: str
    width: int
    height: int
    seconds: float | None
    fps: float | None


def kind_of(head: bytes) -> str | None:
    """The suffix of a container by its first bytes (600 are enough); None for what we do not take.

    Playlists and lists of files are text, and no container here begins like text: nothing that names other
    files or addresses gets as far as FFmpeg.
    """
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):  # the last three: QuickTime of old recorders
        return ".mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return ".mkv"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return ".avi"
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return ".ts"
    if head.startswith(b"\x00\x00\x01\xba"):
        return ".mpg"
    return None


def shown_name(name: str) -> str:
    """A sender's file name without folders and unprinted signs, at most 120 characters.

    Example:
        >>> shown_name("../../etc/pass\nwd.mp4")
        'passwd.mp4'
    """
    last = PureWindowsPath(PurePosixPath(name).name).name
    return re.sub(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", "", last)[-120:] or "recording"


def check_recording(path: Path, name: str | None = None) -> None:
    """See by its first bytes that a file is a container we take, before any decoder looks at it.

    Args:
        path: the file.
        name: what people call it.

    Raises:
        UploadError: it is not.
    """
    with path.open("rb") as file:
        head = file.read(600)
    if kind_of(head) is None:
        raise UploadError(
            f"{name or path.name} is no recording that is taken; send MP4, MOV, MKV, WebM, AVI, TS or MPG"
        )


def probe(path: Path, rules: UploadRules | None = None) -> Probed:
    """Decode the first picture of a recording in a sandbox, and see that it is one we take.

    Raises:
        NgatuError: it is not, or cannot be read; the message is one sentence.
    """
    rules = rules or UploadRules()
    check_recording(path)
    limits = Limits(memory=2 * 2**30, cpu_s=60, wall_s=120, readable=(path.resolve(),))
    found: dict[str, Any] = run_limited(_look, [str(path.resolve())], limits)
    probed = Probed(**found)
    if probed.codec not in rules.codecs:
        raise UploadError(
            f"its codec {probed.codec} is not taken; use one of {', '.join(sorted(rules.codecs))}"
        )
    if probed.width * probed.height > rules.most_pixels:
        raise UploadError(f"its pictures of {probed.width}x{probed.height} are too large")
    if probed.seconds is not None and probed.seconds > rules.longest_s:
        raise UploadError(f"it lasts more than {rules.longest_s / 3600:g} hours; cut it")
    return probed


def _look(path: str) -> dict[str, Any]:
    """In the sandbox: what a recording is."""
    from vision import open_source

    with open_source(path, threads=1) as source:
        width, height = source.size
        return {
            "codec": str(source.codec),
            "width": width,
            "height": height,
            "seconds": source.duration,
            "fps": source.nominal_fps,
        }
