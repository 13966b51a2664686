"""Which of our two grades runs quickest here, and by what: measured once for a second, then remembered."""

import json
import logging
import statistics
import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np

from vision.detection.cards import find_card, user_folder
from vision.detection.motion import MotionDetector
from vision.detection.onnx import OnnxDetector, ProviderName, load_detector, package_of
from vision.detection.openvino_session import is_installed
from vision.errors import ModelError

AUTO: Literal["auto"] = "auto"
"""Asks for the quickest instead of a detector, or what runs it, by its name."""
RECORDED = f"{AUTO}@640x352"
"""What recordings are counted with: nobody waits, so that the network may look closer than it does live."""
AskedProvider = Literal["auto", "cpu", "openvino", "cuda", "tensorrt"]
FLOAT, INT8 = "ngatu-n", "ngatu-n-int8"

_WORTH_IT = 0.85
"""The 8-bit grade is a little less exact: it is taken where its time is at most this share of the other's."""
_SECONDS = 1.0
_CPUINFO = Path("/proc/cpuinfo")
# Floats are no quicker by OpenVINO (docs/performance.md).
_CANDIDATES: tuple[tuple[str, ProviderName], ...] = ((FLOAT, "cpu"), (INT8, "cpu"), (INT8, "openvino"))
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """The detector taken, what runs it, and why.

    Attributes:
        name: of its card.
        provider: what runs it.
        milliseconds: for one picture, of each that was measured; none where there was nothing to choose.
        remembered: the measurement is an earlier one.
        why: what left nothing to choose, where that is not what was asked for.
    """

    name: str
    provider: ProviderName
    milliseconds: dict[str, float]
    remembered: bool = False
    why: str = ""

    def load(self, threads: int = 0) -> OnnxDetector | MotionDetector:
        """The detector, ready to run.

        Raises:
            ModelError: see :func:`vision.detection.onnx.load_detector`.
        """
        return load_detector(self.name, provider=self.provider, threads=threads)

    def __str__(self) -> str:
        taken = _label(self.name, self.provider)
        if not self.milliseconds:
            return f"{taken} ({self.why})" if self.why else taken
        times = ", ".join(f"{label} {took:.1f} ms" for label, took in self.milliseconds.items())
        return f"{taken} ({times} for one picture here{', measured before' if self.remembered else ''})"


def choose_grade(model: str = AUTO, provider: AskedProvider = AUTO, threads: int = 0) -> Choice:
    """The detector to run on this machine and what runs it, where either is asked for as ``auto``.

    The choice is kept beside the user's models for as long as the weights and what runs them stay the same:
    counting a recording again must not depend on what else the machine was doing.

    Args:
        model: name of a detector, or ``auto``; ``@896x512`` after it sets the size of the network's input,
            which changes none of the ratios that it is chosen by.
        provider: what runs it, or ``auto``.
        threads: threads of the network; 0 takes every core.

    Raises:
        ModelError: one of our detectors is missing or altered.
    """
    base, at, size = model.partition("@")
    choice = _choose(base, provider, threads)
    return replace(choice, name=choice.name + at + size)


def _choose(model: str, provider: AskedProvider, threads: int) -> Choice:
    if model not in (AUTO, FLOAT, INT8) or provider not in (AUTO, "cpu", "openvino"):
        return Choice(FLOAT if model == AUTO else model, "cpu" if provider == AUTO else provider, {})
    if model == AUTO and not has_byte_products():
        taken: ProviderName = "cpu" if provider == AUTO else provider
        return Choice(FLOAT, taken, {}, why="this processor has no dot products of bytes, which 8 bits need")
    there = [each for each in _CANDIDATES if each[1] in ("cpu", provider) or is_installed()]
    open_to = [(name, by) for name, by in there if model in (AUTO, name) and provider in (AUTO, by)]
    if len(open_to) < 2:
        name, taken = open_to[0] if open_to else (model, provider if provider != AUTO else "cpu")
        return Choice(name, taken, {})
    times, remembered = _times(threads)
    ran = [(times[_label(*each)], *each) for each in open_to if _label(*each) in times]
    quickest = {name: min(run for run in ran if run[1] == name) for name in {run[1] for run in ran}}
    name = INT8 if INT8 in quickest else FLOAT
    if FLOAT in quickest and quickest[name][0] > _WORTH_IT * quickest[FLOAT][0]:
        name = FLOAT
    return Choice(name, quickest[name][2], times, remembered)


def has_byte_products(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether the processor adds up products of bytes without saturating (VNNI, or the same on ARM)."""
    return bool(processor_words(cpuinfo) & {"avx512_vnni", "avx_vnni", "asimddp"})


def processor_words(cpuinfo: Path = _CPUINFO) -> set[str]:
    """Words in which the system describes its processor, instruction sets among them."""
    try:
        return set(cpuinfo.read_text(encoding="utf-8").split())
    except OSError:
        return set()


def _label(name: str, provider: str) -> str:
    return name if provider == "cpu" else f"{name} by {provider}"


def _times(threads: int) -> tuple[dict[str, float], bool]:
    """Milliseconds a picture of all that can be run here, and whether they were measured before."""
    cards = {name: find_card(name) for name in (FLOAT, INT8)}
    runs = [each for each in _CANDIDATES if each[1] == "cpu" or is_installed()]
    kept = user_folder().parent / "grade.json"
    key = {name: card.sha256 for name, card in cards.items()}
    key |= {package_of(by): version(package_of(by)) for _, by in runs}
    times = _read(kept, key)
    if times is not None:
        return times, True
    detectors = {}
    for name, by in runs:
        try:
            detectors[_label(name, by)] = OnnxDetector(cards[name], provider=by, threads=threads)
        except ModelError as error:
            if by == "cpu":
                raise
            log.warning("%s is left out: %s", by, error)
    times = _measure(detectors)
    _keep(kept, key, times)
    return times, False


def _measure(detectors: dict[str, OnnxDetector]) -> dict[str, float]:
    """Median milliseconds of each; they take turns, so that what else runs meets all alike."""
    took: dict[str, list[float]] = {label: [] for label in detectors}
    picture = np.full((720, 1280, 3), 114, np.uint8)
    end = time.perf_counter() + _SECONDS
    while time.perf_counter() < end or min(map(len, took.values())) < 3:
        for label, detector in detectors.items():
            began = time.perf_counter()
            detector.detect(picture)
            took[label].append((time.perf_counter() - began) * 1e3)
    return {label: round(statistics.median(times), 2) for label, times in took.items()}


def _read(path: Path, key: dict[str, str]) -> dict[str, float] | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["of"] == key:
            return {str(label): float(took) for label, took in data["milliseconds"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # never measured, or by another version: measure now
    return None


def _keep(path: Path, key: dict[str, str], times: dict[str, float]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"of": key, "milliseconds": times}, indent=1), encoding="utf-8")
    except OSError:
        pass  # a home that cannot be written to: it is measured again next time
