"""Checks of this machine: the detector, the decoder of videos, the clock."""

import ctypes
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from service.demo import CLIP, sample_folder
from service.doctor import Finding
from vision import NgatuError, load_detector, open_source
from vision.detection import OnnxDetector

LIVE_MS = 100.0
"""A picture that takes longer cannot be analysed ten times a second."""

FRAMES = 5
"""Frames of the sample clip that are decoded."""

_TIME_ERROR = 5
"""What adjtimex(2) returns while the clock is not synchronised."""


def check_model(name: str) -> Iterator[Finding]:
    """Load a detector, which compares its weights with its card, and run it on one grey picture."""
    try:
        detector = load_detector(name, threads=1)
        if not isinstance(detector, OnnxDetector):
            yield Finding("model", "ok", "model_built_in", {"name": name})
            return
        width, height = detector.input_size
        picture = np.full((height, width, 3), 114, np.uint8)
        detector.detect(picture)  # the first run also sets the network up
        began = time.perf_counter()
        detector.detect(picture)
        took = (time.perf_counter() - began) * 1e3
    except NgatuError as error:
        yield Finding("model", "fault", "model_fault", {"problem": str(error)})
        return
    values = {
        "name": detector.name,
        "sha256": detector.sha256,
        "size": f"{width}x{height}",
        "provider": detector.provider,
        "ms": round(took, 1),
    }
    if took > LIVE_MS:
        yield Finding("model", "attention", "model_slow", values)
    else:
        yield Finding("model", "ok", "model_ok", values)


def check_decoder() -> Iterator[Finding]:
    """Decode the first frames of the sample clip that comes with ngatu."""
    versions = {"pyav": version("av")}
    try:
        with open_source(sample_folder() / f"{CLIP}.mp4", threads=1) as source:
            frames = sum(1 for _ in islice(source, FRAMES))
            about = {"frames": frames, "codec": source.codec, "size": "{}x{}".format(*source.size)}
    except NgatuError as error:
        yield Finding("decoder", "fault", "decoder_fault", {**versions, "problem": str(error)})
        return
    if frames == FRAMES:
        yield Finding("decoder", "ok", "decoder_ok", {**versions, **about})
    else:
        yield Finding("decoder", "fault", "decoder_short", {**versions, **about})


def check_clock(tz: str, now: float | None = None) -> Iterator[Finding]:
    """Whether the clock can be right, and somebody keeps it on time.

    A clock that stands before the day this program was put here is wrong. Whether it is synchronised is
    asked of the kernel (adjtimex(2), Linux); no time server is asked.
    """
    now = time.time() if now is None else now
    try:
        zone = ZoneInfo(tz)
    except (KeyError, ValueError, OSError):
        yield Finding("clock", "fault", "clock_no_zone", {"tz": tz})
        return
    local = datetime.fromtimestamp(now, zone).isoformat(sep=" ", timespec="seconds")
    values = {"now": local, "tz": tz, "system": time.strftime("%Z")}
    installed = Path(__file__).stat().st_mtime
    if now < installed:
        here_since = datetime.fromtimestamp(installed, UTC).astimezone(zone)
        yield Finding(
            "clock", "fault", "clock_wrong", {**values, "installed": f"{here_since:%Y-%m-%d %H:%M}"}
        )
        return
    kept = clock_is_kept()
    code = {True: "clock_ok", False: "clock_not_kept", None: "clock_not_known"}[kept]
    yield Finding("clock", "attention" if kept is False else "ok", code, values)


def clock_is_kept() -> bool | None:
    """Whether the kernel's clock is synchronised; None where that is not known."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (AttributeError, OSError, TypeError):
        return None
    # All zero asks only and changes nothing; a struct timex has 208 bytes on 64-bit Linux.
    state = adjtimex(ctypes.create_string_buffer(512))
    return None if state < 0 else state != _TIME_ERROR
