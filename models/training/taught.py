"""The teachers' labels of gathered pictures, one file each, and the work of making those still missing."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.follow import fill
from models.training.gather import Picture
from models.training.teach import Boxes, Teachers


def label_file(folder: Path, picture: Picture) -> Path:
    """Where the teachers' labels of a picture lie."""
    return folder / f"{picture.key}.npy"


def label_picture(teachers: Teachers, picture: Picture, folder: Path) -> bool:
    """Label one picture unless that was done before; says whether it was labelled now."""
    path = label_file(folder, picture)
    if path.exists():
        return False
    image = _read(picture.path)
    if image is None:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npy")
    np.save(part, _labels(teachers, picture, image))
    part.replace(path)
    return True


def _labels(teachers: Teachers, picture: Picture, image: NDArray[np.uint8]) -> Boxes:
    """What the teachers see in a picture and, of a frame of a clip, in its neighbours."""
    boxes = teachers.label(image)
    for number, pair in enumerate(picture.around):
        before, after = (_read(path) for path in pair)
        if before is not None and after is not None:
            seen = teachers.label(before), teachers.label(after)
            boxes = fill(boxes, *seen, (image.shape[1], image.shape[0]), unseen=number == 0)
    return boxes


def _read(path: Path) -> NDArray[np.uint8] | None:
    image = cv2.imread(str(path))
    return None if image is None else np.asarray(image, np.uint8)
