"""The recipe's steps: gather, label, train, export, quantise, adapt; ``ngatu models`` calls them."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.export import export, load_average, quantise, write_average
from models.training.gather import SETS, Picture, clips_in, frames_of, pictures_of
from models.training.grow import grow
from models.training.network import PLANS, STRIDES, Network
from models.training.pool import load_pool
from models.training.resume import load_exported
from models.training.splits import load_split
from models.training.taught import label_picture
from models.training.teach import Teachers, with_people
from models.training.train import Progress, Trainer, TrainSettings
from models.training.validate import Validation
from vision.detection.cards import Card, InputSpec, find_card, to_toml
from vision.detection.onnx import OnnxDetector, load_detector, sha256_of
from vision.errors import ModelError, TrainingError

_FRAMES_A_CLIP = 60
_SET_ASIDE = 9
"""One labelled camera in this many tells when a network is best; nothing is learnt from it."""
_CALIBRATION = 160
_CORRECTION = 32
"""Pictures on which biases are corrected: each convolution runs on all of them."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is learnt from.

    Attributes:
        work: folder for frames, teachers' labels and runs.
        data: folder with labelled sets in ``datasets/``; None for none.
        clips: clips and folders of clips.
    """

    work: Path
    data: Path | None
    clips: tuple[Path, ...] = ()

    def pictures(self) -> list[Picture]:
        """All pictures that may be learnt from: held-out cameras are never among them.

        Raises:
            TrainingError: there is none.
        """
        split = load_split()
        found: list[Picture] = []
        for layout in SETS:
            folder = self.data / "datasets" / layout.name if self.data else None
            if folder and folder.is_dir():
                found += pictures_of(folder, layout)
        for clip in clips_in(self.clips) if self.clips else []:
            found += frames_of(clip, self.work / "frames", _FRAMES_A_CLIP)
        found = [picture for picture in found if split.test_of(picture.key) is None]
        if not found:
            raise TrainingError(
                "there is nothing to learn from; give clips, or by --data a folder with datasets/"
            )
        return found

    @property
    def taught(self) -> Path:
        """Where the teachers' labels lie."""
        return self.work / "taught"

    def run_folder(self, name: str) -> Path:
        """Where the checkpoints of a run of this name lie."""
        return self.work / "runs" / name


def label(sources: Sources, general: str, own: str, threads: int) -> Iterator[tuple[int, int]]:
    """Let teachers label every picture not labelled yet; yields (done, all) after each.

    Args:
        sources: the pictures.
        general: name of a COCO detector, the larger the better.
        own: name of our best detector.
        threads: of each network.
    """
    teachers = Teachers(
        OnnxDetector(with_people(find_card(general)), threads=threads), _onnx_detector(own, threads)
    )
    pictures = sources.pictures()
    # Those that nobody labelled first: without the teachers they are of no use.
    pictures.sort(key=lambda picture: picture.labels is not None)
    for done, picture in enumerate(pictures, 1):
        label_picture(teachers, picture, sources.taught)
        yield done, len(pictures)


def _onnx_detector(name: str, threads: int) -> OnnxDetector:
    detector = load_detector(name, threads=threads)
    if not isinstance(detector, OnnxDetector):
        raise ModelError(f"{name} has no weights and cannot teach; give the name of a detector with weights.")
    return detector


def train(
    sources: Sources, run: str, settings: TrainSettings, start: Path | None = None, plan: str | None = None
) -> Iterator[Progress]:
    """Train a run of this name, or go on with it; its ``best.pt`` lies in the work folder under ``runs/``.

    One that begins with weights also gets ``mean.pt``, the mean of its start and its end: on cameras never
    seen the end was once better and once worse than the start, the mean of both never worse.

    Args:
        sources: the pictures.
        run: name of the run.
        settings: of the run.
        start: a checkpoint (.pt) or exported weights (.onnx) to begin with instead of ImageNet's.
        plan: which of the networks; None for that of ``start``, or n. One larger than ``start`` begins with
            what that has learnt.

    Raises:
        TrainingError: nothing is labelled, or no network of such a plan can begin with ``start``.
    """
    network = _first_network(start, plan)
    learnt, aside = _learnt_and_aside(sources.pictures())
    pool = load_pool(learnt, sources.taught)
    if not pool.examples:
        raise TrainingError("no picture has labels yet; label them first: ngatu models label")
    validation = Validation(load_pool(aside, sources.taught), settings.size)
    folder = sources.run_folder(run)
    yield from Trainer(pool, folder, settings, validation, network, fresh=start is None).run()
    if (folder / "start.pt").exists():
        write_average([folder / "start.pt", folder / "last.pt"], folder / "mean.pt")


def _learnt_and_aside(pictures: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    """Pictures to learn from and to validate on: by camera, or by time where there is one camera only."""
    labelled = {picture.camera for picture in pictures if picture.labels is not None}
    aside = {camera for camera in labelled if zlib.crc32(camera.encode()) % _SET_ASIDE == 0}
    if aside:
        return (
            [picture for picture in pictures if picture.camera not in aside],
            [picture for picture in pictures if picture.camera in aside and picture.labels is not None],
        )
    border = len(pictures) * (_SET_ASIDE - 1) // _SET_ASIDE
    return pictures[:border], pictures[border:]


def _first_network(start: Path | None, plan: str | None) -> Network:
    if plan is not None and plan not in PLANS:
        raise TrainingError(f"no network is called {plan!r}; known are {', '.join(PLANS)}")
    if start is None:
        return Network(PLANS[plan or "n"])
    trained = _network(start)
    if plan is None or trained.plan == PLANS[plan]:
        return trained
    if trained.plan.width > PLANS[plan].width:
        raise TrainingError(f"{start} is a larger network than {plan!r}; begin with a smaller one")
    larger = Network(PLANS[plan])
    grow(trained, larger)
    return larger


def _network(weights: Path) -> Network:
    return load_exported(weights) if weights.suffix == ".onnx" else load_average(weights)


def write_float(weights: Path, path: Path, size: tuple[int, int], about: str) -> None:
    """Export a checkpoint (.pt) or weights (.onnx) as float ONNX with a card beside it.

    Args:
        weights: ``best.pt`` of a run, or an exported file.
        path: of the file to write.
        size: width and height of the usual input.
        about: what it was trained on, for the card.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    export(_network(weights), path, size)
    _write_card(path, size, about)


def write_int8(weights: Path, path: Path, size: tuple[int, int], sources: Sources, about: str) -> None:
    """The same in 8 bits, calibrated and corrected on some of the pictures that are learnt from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    learnt, _ = _learnt_and_aside(sources.pictures())
    calibration = _some_of(learnt, _CALIBRATION, size)
    quantise(_network(weights), path, calibration, _some_of(learnt, _CORRECTION, TrainSettings().size))
    _write_card(path, size, about)


def _some_of(pictures: Sequence[Picture], count: int, size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    chosen = np.random.default_rng(1).permutation(len(pictures))[:count]
    images = [cv2.imread(str(pictures[number].path)) for number in chosen]
    return [
        np.ascontiguousarray(cv2.resize(image, size)[..., ::-1].transpose(2, 0, 1))[None].astype(np.uint8)
        for image in images
        if image is not None
    ]


def _write_card(weights: Path, size: tuple[int, int], about: str) -> None:
    """A card like that of the detector in the box, with the new weights."""
    like = find_card("ngatu-n")
    card = Card(
        name=weights.stem,
        file=weights.name,
        sha256=sha256_of(weights),
        licence=like.licence,
        source=about,
        decoder="ngatu",
        input=InputSpec(
            width=size[0],
            height=size[1],
            colour="rgb",
            resize="plain",
            scaling="uint8",
            multiple_of=STRIDES[-1],
        ),
        classes=like.classes,
        thresholds=like.thresholds,
    )
    data = card.model_dump(mode="json", exclude_none=True, exclude={"accuracy"})
    weights.with_suffix(".toml").write_text(to_toml(data), encoding="utf-8")


def adapt(
    sources: Sources, name: str, general: str, own: str, settings: TrainSettings
) -> Iterator[tuple[str, float]]:
    """Specialise our detector to somebody's cameras: label their clips, go on training.

    Args:
        sources: the clips; the last ninth of the frames is set aside to tell when the network is best.
        name: of the new detector.
        general: name of the biggest detector at hand.
        own: name of ours.
        settings: of the training.

    Yields:
        The step and the share of it that is done.
    """
    for done, every in label(sources, general, own, threads=0):
        yield "labelling", done / every
    start = find_card(own).weights
    for progress in train(sources, name, replace(settings, norms_fixed=True), start):
        yield "training", progress.images / settings.images
