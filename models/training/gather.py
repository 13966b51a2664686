"""Gather pictures to learn from: labelled sets, unlabelled cameras, and frames taken from clips."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.errors import TrainingError
from vision.sources import open_source
from vision.types import CLASS_COUNT

Labels = NDArray[np.float32]
"""``float32[N, 5]``: class id, then left, top, right, bottom as fractions of the picture."""

_BICYCLE, _MOTORCYCLE, _CAR, _BUS, _TRUCK = range(CLASS_COUNT)
_NO_BICYCLES = (False, True, True, True, True)
_AROUND_S = (0.1, 0.4)
"""How long before and after a frame its neighbours lie, from which vehicles missed in it are filled."""
_VIDEO = {".mp4", ".mkv", ".avi", ".mov"}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to learn from.

    Attributes:
        key: unique name, ``set/camera__number``; names the files made from it.
        camera: the camera it comes from; sets are split by it.
        path: the file.
        labels: what people (or a generator) labelled; None where nobody did.
        known: for each class whether it was labelled: where not, its absence means nothing.
        around: of a frame of a clip, the frames as long before it as after it, the nearest pair first.
    """

    key: str
    camera: str
    path: Path
    labels: Labels | None
    known: tuple[bool, ...] = (True,) * CLASS_COUNT
    around: tuple[tuple[Path, Path], ...] = ()


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """A folder ``images/`` with YOLO text files in ``labels/``.

    Attributes:
        name: of the folder.
        classes: our class for each of theirs.
        known: classes that were labelled in it at all.
        every: take each n-th picture only, where frames follow each other closely.
    """

    name: str
    classes: tuple[int, ...]
    known: tuple[bool, ...]
    every: int = 1

    def camera(self, stem: str) -> str:
        """The camera of a picture, by its file's name."""
        if "__" in stem:
            return stem.split("__")[0]
        return f"{self.name}-{stem.rsplit('_', 1)[0] if '_' in stem else int(stem) // 250}"


SETS = (
    LabelledSet("cameras-sea", (0, 1, 2, 3, 4), _NO_BICYCLES),
    LabelledSet("cameras-world", (0, 1, 2, 3, 4), _NO_BICYCLES),
    LabelledSet("hcmc-vietnamese-vehicles", (_MOTORCYCLE, _CAR, _BUS, _TRUCK), _NO_BICYCLES, every=3),
    # Composed by sample_videos/generator (frames), exact labels.
    LabelledSet("ngatu-streets", (0, 1, 2, 3, 4), (True,) * CLASS_COUNT),
    LabelledSet("vn-id-motorbike-traffic", (_CAR, _MOTORCYCLE, _BICYCLE, _TRUCK, _BUS), _NO_BICYCLES),
)


def pictures_of(folder: Path, layout: LabelledSet) -> Iterator[Picture]:
    """The pictures of one labelled set, in order of name.

    Raises:
        TrainingError: the folder has no pictures, or a label file cannot be read.
    """
    paths = sorted((folder / "images").glob("*.jpg")) or sorted(folder.glob("*.jpg"))
    if not paths:
        raise TrainingError(f"{folder}: there are no pictures in it; give a folder with images/*.jpg")
    for path in paths[:: layout.every]:
        label_file = folder / "labels" / f"{path.stem}.txt"
        labels = read_yolo(label_file, layout.classes) if label_file.exists() else None
        yield Picture(f"{layout.name}/{path.stem}", layout.camera(path.stem), path, labels, layout.known)


def read_yolo(path: Path, classes: tuple[int, ...] = tuple(range(CLASS_COUNT))) -> Labels:
    """Boxes of a YOLO text file (class, centre, size as fractions), in our classes.

    Raises:
        TrainingError: a line is not five numbers, or names a class that is not known.
    """
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            their_class, x, y, width, height = (float(value) for value in line.split()[:5])
            ours = classes[int(their_class)]
        except (ValueError, IndexError):
            raise TrainingError(
                f"{path}: line {number}: not `class x y width height` with a class below {len(classes)}"
            ) from None
        rows.append((ours, x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    return np.array(rows, np.float32).reshape(-1, 5)


def frames_of(clip: Path, into: Path, count: int) -> list[Picture]:
    """``count`` frames spread over a clip, with their neighbours, as JPEG files that are written once."""
    neighbours = into / "around"
    neighbours.mkdir(parents=True, exist_ok=True)
    done = sorted(into.glob(f"{clip.stem}__*.jpg"))
    # A clip may hold fewer than asked for: how many is kept, or it would be decoded each time.
    taken = neighbours / f"{clip.stem}.count"
    if len(done) < (int(taken.read_text()) if taken.exists() else count):
        with open_source(clip) as source:
            rate = source.nominal_fps or 10.0
            last = (source.expected_frames or 10 * count) - 1
            targets = defaultdict(list)
            for index in np.linspace(0, last, count).astype(int).tolist():
                path = into / f"{clip.stem}__{index:06d}.jpg"
                for seconds, pair in zip(_AROUND_S, _around(path), strict=True):
                    step = max(1, round(seconds * rate))
                    targets[index - step].append(pair[0])
                    targets[index + step].append(pair[1])
                targets[index].append(path)
            for frame in source:
                for path in targets[frame.index]:
                    cv2.imwrite(str(path), frame.image, [cv2.IMWRITE_JPEG_QUALITY, 92])
        done = sorted(into.glob(f"{clip.stem}__*.jpg"))
        taken.write_text(str(len(done)))
    return [
        Picture(
            f"clips/{path.stem}",
            clip.stem,
            path,
            None,
            around=tuple(pair for pair in _around(path) if all(each.exists() for each in pair)),
        )
        for path in done
    ]


def _around(path: Path) -> list[tuple[Path, Path]]:
    """Where the neighbours of a frame lie: before and after it."""
    names = [(f"{path.stem}-{near}.jpg", f"{path.stem}+{near}.jpg") for near in range(len(_AROUND_S))]
    return [(path.parent / "around" / before, path.parent / "around" / after) for before, after in names]


def clips_in(folders: Iterable[Path]) -> list[Path]:
    """The clips among some files and folders, in order of name.

    Raises:
        TrainingError: there is none.
    """
    found = [
        path
        for given in folders
        for path in (sorted(given.rglob("*")) if given.is_dir() else [given])
        if path.suffix.lower() in _VIDEO
    ]
    if not found:
        raise TrainingError("there is no clip among what was given; give .mp4, .mkv, .avi or .mov files")
    return found
