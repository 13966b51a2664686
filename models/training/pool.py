"""The pictures and boxes a network learns from, held in memory, and the batches drawn from them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from models.training.augment import Example, augment
from models.training.gather import Picture
from models.training.taught import label_file
from vision.geometry import box_iou
from vision.types import CLASS_COUNT

_LONGEST = 896
"""Pictures are kept at most this wide: more than the network sees even when looking closer."""
_COMMON = 0.4
"""A class in this share of the pictures is no longer rare."""
_MOST_REPEATS = 4.0
_MATCHED = 0.3
"""A teacher's box with at least this IoU with a person's is the same vehicle."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Examples and how likely each is drawn.

    Attributes:
        examples: pictures with their boxes.
        share: ``float64[len(examples)]`` adding up to 1.
    """

    examples: list[Example]
    share: NDArray[np.float64]


def load_pool(pictures: Iterable[Picture], taught: Path | None) -> Pool:
    """Read pictures and their labels, those by people or else by teachers; without either they are left out.

    A camera with many frames is drawn more often than one with few, but by the square root only. Pictures
    with a rare class are drawn more often (repeat factors: Gupta et al. 2019, LVIS).
    """
    examples, cameras = [], []
    for picture in pictures:
        boxes, known = _boxes(picture, taught)
        image = cv2.imread(str(picture.path)) if boxes is not None else None
        if image is None or boxes is None:
            continue
        factor = min(1.0, _LONGEST / image.shape[1])
        if factor < 1:
            image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        examples.append(Example(np.asarray(image, np.uint8), boxes, np.array(known)))
        cameras.append(picture.camera)
    frames = Counter(cameras)
    share = np.array([frames[camera] ** -0.5 for camera in cameras]) * _repeats(examples)
    return Pool(examples, share / share.sum())


def _repeats(examples: list[Example]) -> NDArray[np.float64]:
    """How much more often each example is drawn for the rarest class in it: √(common / share of pictures)."""
    shown = np.zeros((len(examples), CLASS_COUNT), np.bool_)
    for row, example in enumerate(examples):
        shown[row, example.boxes[example.boxes[:, 5] == 1, 0].astype(int)] = True
    factor = np.sqrt(_COMMON / np.maximum(shown.mean(axis=0), 1e-9)).clip(1, _MOST_REPEATS)
    return np.asarray(np.where(shown, factor, 1.0).max(axis=1), np.float64)


def _boxes(picture: Picture, taught: Path | None) -> tuple[NDArray[np.float32] | None, tuple[bool, ...]]:
    path = label_file(taught, picture) if taught else None
    by_teacher = np.load(path) if path and path.exists() else None
    if picture.labels is None:
        return by_teacher, (True,) * len(picture.known)
    labels = np.hstack([picture.labels, np.ones((len(picture.labels), 1), np.float32)])
    if by_teacher is not None and len(by_teacher):
        # People leave out far, parked and half-hidden vehicles: what only the teachers see is left open.
        unmatched = (box_iou(by_teacher[:, 1:5], labels[:, 1:5]) < _MATCHED).all(axis=1)
        by_teacher[:, 5] = 0
        labels = np.concatenate([labels, by_teacher[unmatched]])
    return labels, picture.known


class Batches(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """Endless batches: images ``uint8[B, 3, H, W]`` RGB, boxes ``float32[B, M, 6]``, known ``bool[B, C]``.

    A box's row is class, left, top, right, bottom in pixels, and 1 for a vehicle, 0 for an open place, -1 for
    padding.
    """

    def __init__(self, pool: Pool, size: tuple[int, int], batch: int, seed: int) -> None:
        self.pool, self.size, self.batch, self.seed = pool, size, batch, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        cv2.setNumThreads(1)
        while True:
            yield collate([augment(self._draw(rng), self.size, rng) for _ in range(self.batch)])

    def _draw(self, rng: np.random.Generator) -> list[Example]:
        """One picture, or four for a mosaic."""
        number = 4 if rng.random() < 0.35 else 1
        rows = rng.choice(len(self.pool.examples), number, p=self.pool.share)
        return [self.pool.examples[row] for row in rows]


def collate(examples: list[Example]) -> tuple[Tensor, Tensor, Tensor]:
    """Examples of one size as a batch."""
    most = max(1, *(len(example.boxes) for example in examples))
    boxes = np.full((len(examples), most, 6), -1, np.float32)
    for row, example in enumerate(examples):
        boxes[row, : len(example.boxes)] = example.boxes
    images = np.stack([example.image[..., ::-1].transpose(2, 0, 1) for example in examples])
    known = np.stack([example.known for example in examples])
    return torch.from_numpy(images), torch.from_numpy(boxes), torch.from_numpy(known)
