"""The first stage: what a detector finds in a stretch of one recording; needs nothing but the recording."""

import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2

from service.batch.inspect import EPOCH, Chunk
from service.batch.replay import Detected
from service.metrics import LightWatch, least_rider_of
from service.storage.ids import content_sha256
from vision import Detector, load_detector, open_source
from vision.density import light_of
from vision.detection import Card, MotionDetector, OnnxDetector, TiledDetector, find_card
from vision.detection.cards import MOTION, Thresholds
from vision.detection.grades import AUTO, AskedProvider, choose_grade
from vision.detection.onnx import ProviderName, package_of
from vision.errors import ModelError, NgatuError, SourceError
from vision.sources import VideoClip


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """A detector that any process or machine can load for itself.

    Attributes:
        model: name of its card, or ``motion``.
        sha256: checksum of its weights.
        name: as segments name it.
        card: checksum of what of its card decides what it finds: input, decoder, classes, thresholds.
        scores: its thresholds: keep, start, overlap.
        tiles: (columns, rows) of tiles looked at besides the whole picture.
        provider: what runs the network.
    """

    model: str
    sha256: str
    name: str
    card: str
    scores: tuple[float, float, float]
    tiles: tuple[int, int] | None = None
    provider: ProviderName = "cpu"

    @property
    def thresholds(self) -> Thresholds:
        """How its scores are to be taken."""
        keep, start, suppress_iou = self.scores
        return Thresholds(keep=keep, start=start, suppress_iou=suppress_iou)

    def least_rider(self, size: tuple[int, int]) -> float | None:
        """Height in pixels of the smallest riders that it finds in pictures of a size, where known."""
        return None if self.learns else least_rider_of(_load(self), size)

    @property
    def learns(self) -> bool:
        """Whether what it finds depends on the frames before, so that a recording cannot be split."""
        return self.model == MOTION


def choose_detector(
    model: str = AUTO, tiles: tuple[int, int] | None = None, provider: AskedProvider = AUTO
) -> DetectorChoice:
    """The detector that a batch uses everywhere; ``auto`` is decided here, once.

    Raises:
        NgatuError: it is missing or altered, or tiles were asked of the motion detector.
    """
    if model == MOTION:
        if tiles:
            raise NgatuError("--tiles is for networks; the motion detector needs none: leave it out")
        return DetectorChoice(MOTION, "", MOTION, "", _scores(MotionDetector.thresholds))
    # One thread a process: many recordings keep every core busy.
    taken = choose_grade(model, provider, threads=1)
    card = find_card(taken.name)
    name = f"{card.name} {tiles[0]}x{tiles[1]}" if tiles else card.name
    scores = _scores(card.thresholds)
    choice = DetectorChoice(taken.name, card.sha256, name, _card_sha256(card), scores, tiles, taken.provider)
    _load(choice)
    return choice


def _scores(thresholds: Thresholds) -> tuple[float, float, float]:
    return thresholds.keep, thresholds.start, thresholds.suppress_iou


def _card_sha256(card: Card) -> str:
    return content_sha256(card.model_dump(mode="json", include={"decoder", "input", "classes", "thresholds"}))


def detection_settings(choice: DetectorChoice, fps: float | None) -> dict[str, Any]:
    """All that decides what is detected in a recording, besides its content."""
    names = (package_of(choice.provider), "opencv-python-headless", "av")
    libraries = {name: version(name) for name in names}
    return {**asdict(choice), "fps": fps, "libraries": libraries}


@dataclass(frozen=True, slots=True)
class ChunkTask:
    """A stretch to detect.

    Attributes:
        path: absolute path of the recording, the same on every machine.
        size_bytes: of the recording, so that another one of the same name is noticed.
        chunk: which frames.
        fps: frames to analyse per second, where the recording is read as a whole.
        detector: what to detect with.
        target: where the result is to be kept, on the machine that asked.
    """

    path: Path
    size_bytes: int
    chunk: Chunk
    fps: float | None
    detector: DetectorChoice
    target: Path


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What came of it.

    Attributes:
        content: the file to keep, see :class:`Detected`; empty where there is none.
        frames: how many were analysed.
        seconds: how long it took.
        failure: in a sentence why it cannot be done; empty where it was.
        damaged: the recording is damaged, so that its stretches cannot be told apart: read it as a whole.
    """

    content: bytes = b""
    frames: int = 0
    seconds: float = 0.0
    failure: str = ""
    damaged: bool = False


def detect_chunk(task: ChunkTask) -> ChunkResult:
    """Detect a stretch; what goes wrong is in the result, so that one recording does not stop the others."""
    began = time.perf_counter()
    try:
        if task.path.stat().st_size != task.size_bytes:
            return ChunkResult(failure=f"{task.path} has changed meanwhile: run the batch again")
        detected = _whole(task) if not task.chunk.numbers else _stretch(task)
    except NgatuError as error:
        return ChunkResult(failure=str(error))
    except OSError as error:
        return ChunkResult(failure=f"{task.path} cannot be read: {error.strerror}")
    except Exception as error:
        return ChunkResult(failure=f"{task.path}: {type(error).__name__}: {error}")
    if detected is None:
        return ChunkResult(damaged=True)
    seconds = time.perf_counter() - began
    return ChunkResult(detected.to_bytes(), len(detected.numbers), seconds)


def _stretch(task: ChunkTask) -> Detected | None:
    """What is found in a stretch; None where it is damaged."""
    looks = set(task.chunk.looks)
    detector = _detector_for(task.detector)
    try:
        with VideoClip(task.path, start=EPOCH, tz="UTC", threads=1) as clip:
            detected = Detected(clip.size)
            for frame in clip.chosen(task.chunk.numbers):
                light = light_of(frame.image) if frame.index in looks else None
                detected.add(frame.index, frame.time, detector.detect(frame.image), light)
                if clip.flaws:
                    return None
            return None if clip.flaws else detected
    except SourceError:
        return None


def _whole(task: ChunkTask) -> Detected:
    detector, lights = _detector_for(task.detector), LightWatch()
    with open_source(task.path, fps=task.fps, start=EPOCH, threads=1) as source:
        detected = Detected(source.size)
        for frame in source:
            light = lights.look(frame, frame.time)
            detected.add(frame.index, frame.time, detector.detect(frame.image), light)
        detected.gaps = list(source.tally.gaps)
        return detected


def _detector_for(choice: DetectorChoice) -> Detector:
    return load_detector(MOTION) if choice.learns else _load(choice)


@lru_cache(maxsize=1)
def _load(choice: DetectorChoice) -> Detector:
    """The network, once a process."""
    cv2.setNumThreads(1)
    detector = load_detector(choice.model, provider=choice.provider, threads=1)
    same = isinstance(detector, OnnxDetector) and detector.sha256 == choice.sha256
    if not isinstance(detector, OnnxDetector) or not same or _card_sha256(detector.card) != choice.card:
        raise ModelError(f"{choice.model} is another one on this machine: install the same ngatu there")
    return TiledDetector(detector, *choice.tiles) if choice.tiles else detector
