"""Held-out pictures with true boxes: people's labels of the sets, and those drawn for this project."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.gather import SETS, pictures_of
from models.training.splits import Light, Split
from vision.errors import TrainingError
from vision.types import VehicleClass

OWN_LABELS = Path(__file__).parents[2] / "tests" / "truth" / "detector"

SCALE_WIDTH = 1280
"""Boxes are measured as if each picture were this wide, so that sizes mean the same everywhere."""


@dataclass(frozen=True)
class HeldOutPicture:
    """One picture to examine a detector on.

    Attributes:
        key: ``set/camera__number``, as in the split.
        part: name of the held-out part.
        light: light it was taken in.
        path: the file.
        size: width and height at which detectors see it.
        boxes: ``float64[N, 4]`` left, top, right, bottom as fractions of the picture.
        class_id: ``int8[N]``, a :class:`VehicleClass` each.
        ignored: ``float64[M, 4]`` regions in which what is found is neither right nor wrong.
    """

    key: str
    part: str
    light: Light
    path: Path
    size: tuple[int, int]
    boxes: NDArray[np.float64]
    class_id: NDArray[np.int8]
    ignored: NDArray[np.float64]

    @property
    def camera(self) -> str:
        """The camera: what stands before ``__``, or the whole set where pictures are only numbered."""
        return self.key.split("__")[0] if "__" in self.key else self.key.split("/")[0]

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def image(self) -> NDArray[np.uint8]:
        """The picture as detectors are to see it, ``uint8[H, W, 3]`` BGR.

        Raises:
            TrainingError: it cannot be read.
        """
        image = _read(self.path)
        if (image.shape[1], image.shape[0]) == self.size:
            return image
        return np.asarray(cv2.resize(image, self.size, interpolation=cv2.INTER_AREA), np.uint8)


def held_out_pictures(data: Path, split: Split, own: Path = OWN_LABELS) -> list[HeldOutPicture]:
    """Every held-out picture that has true boxes, in order of part and key.

    Args:
        data: folder that holds ``datasets/``.
        split: what is held out.
        own: folder of the boxes drawn for this project.

    Raises:
        TrainingError: there is none, or labels cannot be read or belong to another picture.
    """
    found = [*_labelled_by_others(data, split), *_labelled_here(data, split, own)]
    if not found:
        raise TrainingError(f"{data}: there is no held-out picture in it; give the folder that has datasets/")
    order = [part.name for part in split.held_out]
    return sorted(found, key=lambda picture: (order.index(picture.part), picture.key))


def _labelled_by_others(data: Path, split: Split) -> Iterator[HeldOutPicture]:
    for layout in SETS:
        folder = data / "datasets" / layout.name
        if not folder.is_dir():
            continue
        for picture in pictures_of(folder, layout):
            part = split.test_of(picture.key)
            if part and part.labelled and picture.labels is not None:
                yield HeldOutPicture(
                    picture.key,
                    part.name,
                    split.light_of(picture.key),
                    picture.path,
                    _shown_size(picture.path, split.is_squeezed(picture.key)),
                    picture.labels[:, 1:].astype(np.float64),
                    picture.labels[:, 0].astype(np.int8),
                    np.zeros((0, 4)),
                )


def _labelled_here(data: Path, split: Split, own: Path) -> Iterator[HeldOutPicture]:
    drawn: dict[str, list[tuple[str, list[float]]]] = {}
    for row in _rows(own / "boxes.csv"):
        box = [float(row[side]) for side in ("left", "top", "right", "bottom")]
        drawn.setdefault(row["path"], []).append((row["class"], box))
    for row in _rows(own / "pictures.csv"):
        path = data / row["path"]
        if not path.is_file():
            continue
        key = f"{path.parent.parent.name}/{path.stem}"
        part = split.test_of(key)
        if part is None:
            raise TrainingError(f"{own / 'pictures.csv'}: {row['path']} is not held out in the split")
        size = np.array([float(row["width"]), float(row["height"])] * 2)
        boxes = drawn.get(row["path"], [])
        xyxy = np.array([box for _, box in boxes]).reshape(-1, 4) / size
        ignored = np.array([name == "ignore" for name, _ in boxes], np.bool_)
        classes = [VehicleClass[name.upper()] for name, _ in boxes if name != "ignore"]
        picture = HeldOutPicture(
            key,
            part.name,
            split.light_of(key),
            path,
            _shown_size(path, split.is_squeezed(key)),
            xyxy[~ignored],
            np.array(classes, np.int8),
            xyxy[ignored],
        )
        if picture.sha256 != row["sha256"]:
            raise TrainingError(f"{path}: it is not the picture that was labelled: its sha256 differs")
        yield picture


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read: {error.strerror}") from error


def _read(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path))
    if image is None:
        raise TrainingError(f"{path}: it cannot be read as a picture")
    return np.asarray(image, np.uint8)


def _shown_size(path: Path, squeezed: bool) -> tuple[int, int]:
    height, width = _read(path).shape[:2]
    return (width, width * 9 // 16) if squeezed else (width, height)
