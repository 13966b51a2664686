"""Run detectors on the held-out pictures, remembering what was found; and what one frame costs them."""

import hashlib
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.testset import HeldOutPicture
from vision.detection import OnnxDetector, decoders, find_card, onnx, suppress
from vision.types import Detections

KEEP = 0.005
"""Lowest score looked at: average precision needs the unlikely boxes too, far below what a card keeps."""


def open_detector(name: str, threads: int) -> OnnxDetector:
    """A detector that reports boxes down to :data:`KEEP`, all else as on its card.

    Args:
        name: of a card, or the path of a card or of weights beside one; ``@640x384`` after it sets the size
            of the input, where the card allows others than its own.
        threads: threads of the network.

    Raises:
        ModelError: there is no such detector, or it does not take that size.
    """
    card = find_card(name)
    thresholds = card.thresholds.model_copy(update={"keep": KEEP})
    return OnnxDetector(card.model_copy(update={"thresholds": thresholds}), threads=threads)


class Memory:
    """Detections on disk, by detector and picture, so that a second run is quick.

    Args:
        folder: where they are kept; None remembers nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def detect(self, detector: OnnxDetector, picture: HeldOutPicture) -> Detections:
        """What ``detector`` finds in ``picture``, boxes in pixels of its shown size."""
        if self._folder is None:
            return detector.detect(picture.image())
        path = self._folder / _identity(detector) / f"{picture.sha256}-{picture.size[1]}.npz"
        if path.is_file():
            with np.load(path) as kept:
                return Detections(kept["xyxy"], kept["score"], kept["class_id"])
        found = detector.detect(picture.image())
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written whole or not at all: a run that is broken off leaves no half file.
        part = path.with_suffix(".part.npz")
        np.savez(part, xyxy=found.xyxy, score=found.score, class_id=found.class_id)
        part.replace(path)
        return found


def _identity(detector: OnnxDetector) -> str:
    """Changes with whatever changes the boxes: weights, card, size of the input, and our code."""
    digest = hashlib.sha256(detector.sha256.encode())
    fields = {"decoder", "input", "classes", "thresholds"}
    digest.update(detector.card.model_dump_json(include=fields).encode())
    digest.update(str(detector.input_size).encode())
    for module in (onnx, decoders, suppress):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]


def core_milliseconds(
    detectors: Sequence[OnnxDetector], image: NDArray[np.uint8], rounds: int = 15
) -> list[float]:
    """Processor time of one core for one picture, all in, median of some rounds.

    The detectors take turns, so that whatever else the computer does meets all of them alike; and they must
    run on one thread each, since only the calling thread's own time is measured.
    """
    took: list[list[float]] = [[] for _ in detectors]
    for _ in range(rounds):
        for detector, times in zip(detectors, took, strict=True):
            began = time.thread_time()
            detector.detect(image)
            times.append((time.thread_time() - began) * 1e3)
    return [statistics.median(times) for times in took]
