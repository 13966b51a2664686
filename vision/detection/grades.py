"""Which of our two grades runs quicker here, float or 8 bits: measured once for a second, then remembered."""

import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision.detection.cards import find_card, user_folder
from vision.detection.onnx import OnnxDetector

AUTO = "auto"
"""Asks for the quicker grade instead of a detector by its name."""
FLOAT, INT8 = "ngatu-n", "ngatu-n-int8"

_WORTH_IT = 0.85
"""The 8-bit grade is a little less exact: it is taken where its time is at most this share of the other's."""
_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The grade taken and why.

    Attributes:
        name: of its card.
        milliseconds: for one picture, by the grade's name; none where 8 bits are out of the question.
        remembered: the measurement is an earlier one.
    """

    name: str
    milliseconds: dict[str, float]
    remembered: bool

    def __str__(self) -> str:
        if not self.milliseconds:
            return f"{self.name} (this processor has no dot products of bytes, which 8 bits need)"
        times = ", ".join(f"{name} {took:.1f} ms" for name, took in self.milliseconds.items())
        return f"{self.name} ({times} for one picture here{', measured before' if self.remembered else ''})"


def choose_grade(threads: int = 0) -> Choice:
    """The grade to run on this machine's processor.

    The choice is kept beside the user's models for as long as the weights stay the same: counting a recording
    again must not depend on what else the machine was doing.

    Raises:
        ModelError: one of our detectors is missing or altered.
    """
    if not has_byte_products():
        return Choice(FLOAT, {}, remembered=False)
    cards = [find_card(FLOAT), find_card(INT8)]
    kept = user_folder().parent / "grade.json"
    key = {card.name: card.sha256 for card in cards}
    times = _read(kept, key)
    remembered = times is not None
    if times is None:
        times = _measure([OnnxDetector(card, threads=threads) for card in cards])
        _keep(kept, key, times)
    name = INT8 if times[INT8] <= _WORTH_IT * times[FLOAT] else FLOAT
    return Choice(name, times, remembered)


def has_byte_products(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor adds up products of bytes without saturating (VNNI, or the same on ARM)."""
    try:
        words = set(cpuinfo.read_text(encoding="utf-8").split())
    except OSError:
        return False
    return bool(words & {"avx512_vnni", "avx_vnni", "asimddp"})


def _measure(detectors: list[OnnxDetector]) -> dict[str, float]:
    """Median milliseconds of each; they take turns, so that what else runs meets both alike."""
    took: dict[str, list[float]] = {detector.name: [] for detector in detectors}
    picture = np.full((720, 1280, 3), 114, np.uint8)
    end = time.perf_counter() + _SECONDS
    while time.perf_counter() < end or len(took[detectors[-1].name]) < 3:
        for detector in detectors:
            began = time.perf_counter()
            detector.detect(picture)
            took[detector.name].append((time.perf_counter() - began) * 1e3)
    return {name: round(statistics.median(times), 2) for name, times in took.items()}


def _read(path: Path, key: dict[str, str]) -> dict[str, float] | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["weights"] == key:
            return {name: float(data["milliseconds"][name]) for name in key}
    except (OSError, ValueError, KeyError, TypeError):
        pass  # never measured, or by another version: measure now
    return None


def _keep(path: Path, key: dict[str, str], times: dict[str, float]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"weights": key, "milliseconds": times}, indent=1), encoding="utf-8")
    except OSError:
        pass  # a home that cannot be written to: it is measured again next time
