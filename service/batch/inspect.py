"""Looks a recording over without decoding it: checksum, which frames are analysed, in which stretches."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.metrics import LIGHT_EVERY
from vision.errors import NgatuError, SourceError
from vision.sources import VideoClip, open_source

EPOCH = datetime.fromtimestamp(0, UTC)
"""Recordings are read as if they began here: their times are seconds since their first frame, exactly."""

CHUNK_S = 60.0
"""About so much of a recording is detected in one go, s; less repeats more decoding, more spreads worse."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a recording.

    Attributes:
        numbers: numbers of the frames to analyse, increasing; empty for the whole recording, as it comes.
        looks: numbers of those at which to look at the light.
    """

    numbers: tuple[int, ...]
    looks: tuple[int, ...]

    @property
    def first(self) -> int:
        """Number of its first frame, -1 for the whole recording."""
        return self.numbers[0] if self.numbers else -1

    @property
    def last(self) -> int:
        """Number of its last frame, -1 for the whole recording."""
        return self.numbers[-1] if self.numbers else -1


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a recording before it is decoded.

    Attributes:
        sha256: of its content.
        size: width and height in pixels.
        frames: how many will be analysed; an estimate for one that is read as a whole.
        end: seconds from the first frame to the end of the last.
        gaps: (from, to) of holes, seconds since the first frame.
        chunks: (first, end) into the numbers of its analysed frames; empty: it is read as a whole.
        whole: why it is read as a whole (damaged, no usable times); empty where it is not.
        stride: numbers of the analysed frames as differences, run by run: (difference, how often).
        looks: numbers of the frames at which to look at the light.
    """

    sha256: str
    size: tuple[int, int]
    frames: int
    end: float
    gaps: tuple[tuple[float, float], ...] = ()
    chunks: tuple[tuple[int, int], ...] = ()
    whole: str = ""
    stride: tuple[tuple[int, int], ...] = ()
    looks: tuple[int, ...] = ()

    def parts(self) -> list[Chunk]:
        """The stretches in which it is detected."""
        if not self.chunks:
            return [Chunk((), ())]
        numbers, at = [], 0
        for difference, often in self.stride:
            for _ in range(often):
                at += difference
                numbers.append(at)
        looks = set(self.looks)
        parts = [tuple(numbers[first:end]) for first, end in self.chunks]
        return [Chunk(part, tuple(number for number in part if number in looks)) for part in parts]

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Plan":
        """The plan that :meth:`to_dict` gave."""
        return cls(**{name: _tuples(value) for name, value in data.items()})


@dataclass(frozen=True, slots=True)
class InspectTask:
    """A recording to look over.

    Attributes:
        path: absolute.
        fps: frames to analyse per second; None takes all.
        chunk: seconds of a stretch.
        undivided: the detector learns from frame to frame, so that a recording cannot be split.
    """

    path: Path
    fps: float | None
    chunk: float = CHUNK_S
    undivided: bool = False


def inspect_recording(task: InspectTask) -> Plan | str:
    """The plan of a recording, or in a sentence why it cannot be read."""
    try:
        with task.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            plan = _divided(task, sha256)
        except SourceError as error:
            return _whole(task, sha256, str(error))
        return plan if not plan.whole else _whole(task, sha256, plan.whole)
    except NgatuError as error:
        return str(error)
    except OSError as error:
        return f"{task.path} cannot be read: {error.strerror}"


def _divided(task: InspectTask, sha256: str) -> Plan:
    with VideoClip(task.path, start=EPOCH, tz="UTC", threads=1) as clip:
        numbers, tally = clip.delivered(task.fps)
        times = clip.times
        step = float(times[-1] - times[-2]) if len(times) > 1 else 0.0
        looks, at = [], float("-inf")
        for number in numbers.tolist():
            if times[number] - at >= LIGHT_EVERY:
                at = float(times[number])
                looks.append(number)
        starts = [0]
        if not task.undivided:
            for key in clip.key_frames.tolist():
                first = int(numbers.searchsorted(key))
                if first < len(numbers):
                    long_enough = times[numbers[first]] - times[numbers[starts[-1]]] >= task.chunk
                    left = times[-1] - times[numbers[first]]
                    if long_enough and left >= task.chunk / 2:
                        starts.append(first)
        return Plan(
            sha256=sha256,
            size=clip.size,
            frames=len(numbers),
            end=float(times[-1]) + step,
            gaps=tuple(tally.gaps),
            chunks=tuple(zip(starts, [*starts[1:], len(numbers)], strict=True)),
            whole="damaged" if clip.flaws else "",
            stride=_stride(numbers.tolist()),
            looks=tuple(looks),
        )


def _whole(task: InspectTask, sha256: str, why: str) -> Plan:
    with open_source(task.path, fps=task.fps, start=EPOCH, threads=1) as source:
        return Plan(
            sha256=sha256,
            size=source.size,
            frames=source.expected_frames or 0,
            end=source.duration or 0.0,
            whole=why,
        )


def _stride(numbers: list[int]) -> tuple[tuple[int, int], ...]:
    runs: list[list[int]] = []
    at = 0
    for number in numbers:
        if runs and runs[-1][0] == number - at:
            runs[-1][1] += 1
        else:
            runs.append([number - at, 1])
        at = number
    return tuple((difference, often) for difference, often in runs)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list | tuple) else value
