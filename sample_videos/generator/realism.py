"""Measures realism: what a detector of real photographs finds of labelled vehicles, by class and size.

The same figures are taken on real frames with people's labels and on ours: the closer, the better ours.
Since near and far vehicles are not equally many in both, the recall on ours is also given re-weighted to
the sizes of the real ones (direct standardisation). Vehicles that the picture's edge cuts are left out, real
ones and ours: their size says nothing, and of the large ones in real frames a third are cut, of ours few.
The detector is an ONNX file with COCO classes (input 736 x 1280, output [1, 84, n]). Needs onnxruntime.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .clip import per_frame
from .compose import Composer
from .traffic import Trajectories

# what sets with a classes.txt of their own call our classes
NAMES = {
    "bicycle": 0,
    "motorcycle": 1,
    "motorbike": 1,
    "người trên xe": 1,
    "car": 2,
    "bus": 3,
    "minibus": 3,
    "truck": 4,
    "van_truck_container": 4,
}
COCO = {1: 0, 3: 1, 2: 2, 5: 3, 7: 4}
CLASSES = ("bicycle", "motorcycle", "car", "bus", "truck")
SIZES = (
    (12, 24),
    (24, 48),
    (48, 96),
    (96, 999),
)  # square root of the box's area, pixels of a 1280 wide picture
EDGE = 2.0
"""A box within so many pixels of the picture's edge is cut by it."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A frame and its vehicles.

    Attributes:
        picture: uint8[H, W, 3], BGR.
        boxes: float64[N, 4], left, top, right, bottom in its pixels.
        classes: int64[N], our classes.
        clear: bool[N], whether enough of the vehicle is in sight to ask for it. A detection that fits one of
            the others best is of that one: else a car half hidden by a rider would misname the rider.
    """

    picture: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    classes: NDArray[np.int64]
    clear: NDArray[np.bool_]

    def counted(self) -> NDArray[np.bool_]:
        """bool[N]: vehicles in clear sight that the picture's edge does not cut."""
        h, w = self.picture.shape[:2]
        low = (self.boxes[:, :2] > EDGE).all(1)
        return np.asarray(self.clear & low & (self.boxes[:, 2:] < np.array([w, h]) - EDGE).all(1))


class Detector:
    """The reference detector."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(
        self, picture: NDArray[np.uint8], score: float = 0.25
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Boxes in pixels of the picture, scores, our classes."""
        h, w = picture.shape[:2]
        k = min(1280 / w, 736 / h)
        size = (round(w * k), round(h * k))
        canvas = np.full((736, 1280, 3), 114, np.uint8)
        x0, y0 = (1280 - size[0]) // 2, (736 - size[1]) // 2
        canvas[y0 : y0 + size[1], x0 : x0 + size[0]] = cv2.resize(
            picture, size, interpolation=cv2.INTER_LINEAR
        )
        blob = canvas[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
        out = self.session.run(None, {"images": np.ascontiguousarray(blob)})[0][0].T
        scores = out[:, [4 + c for c in COCO]]
        best = scores.max(1)
        keep = best > score
        out, best, which = out[keep], best[keep], scores[keep].argmax(1)
        boxes = np.column_stack(
            [
                out[:, 0] - out[:, 2] / 2,
                out[:, 1] - out[:, 3] / 2,
                out[:, 0] + out[:, 2] / 2,
                out[:, 1] + out[:, 3] / 2,
            ]
        )
        boxes = (boxes - [x0, y0, x0, y0]) / k
        order, kept = np.argsort(-best), []
        for i in order:
            if all(_iou(boxes[i], boxes[j]) < 0.6 for j in kept):
                kept.append(int(i))
        classes = np.array(list(COCO.values()))[which]
        return boxes[kept], best[kept], classes[kept]


def _iou(a: NDArray[Any], b: NDArray[Any]) -> float:
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return float(w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h))


@dataclass(slots=True)
class Tally:
    """Labelled, found and rightly named vehicles by class and size: arrays [class, size]."""

    labelled: NDArray[np.int64] = field(default_factory=lambda: np.zeros((5, len(SIZES)), np.int64))
    found: NDArray[np.int64] = field(default_factory=lambda: np.zeros((5, len(SIZES)), np.int64))
    named: NDArray[np.int64] = field(default_factory=lambda: np.zeros((5, len(SIZES)), np.int64))
    frames: int = 0
    extra: int = 0  # detections on no labelled vehicle

    def add(self, frame: Labelled, found: NDArray[Any], named: NDArray[Any]) -> None:
        """Match one frame's detections to its labels; a rider's machine may be boxed without the rider."""
        boxes, classes, counted = frame.boxes, frame.classes, frame.counted()
        self.frames += 1
        k = 1280 / frame.picture.shape[1]
        pairs = []
        for i, (b, c) in enumerate(zip(boxes, classes, strict=True)):
            for j, d in enumerate(found):
                v = _iou(b, d)
                if v >= (0.3 if c < 2 else 0.5):
                    pairs.append((-v, i, j))
        hit: dict[int, int] = {}
        used: set[int] = set()
        for _, i, j in sorted(pairs):
            if i not in hit and j not in used:
                hit[i] = j
                used.add(j)
        self.extra += len(found) - len(used)
        for i in np.flatnonzero(counted):
            b, c = boxes[i], classes[i]
            size = float(np.sqrt(max((b[2] - b[0]) * (b[3] - b[1]), 0))) * k
            for s, (low, high) in enumerate(SIZES):
                if low <= size < high:
                    self.labelled[c, s] += 1
                    if i in hit:
                        self.found[c, s] += 1
                        self.named[c, s] += int(named[hit[i]] == c)

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.labelled + other.labelled,
            self.found + other.found,
            self.named + other.named,
            self.frames + other.frames,
            self.extra + other.extra,
        )

    def standardised(self, real: Tally) -> list[tuple[float, float] | None]:
        """By class: the recall here at the real sizes, and the real recall; of the sizes that both have."""
        return _standardised(self.found, self.labelled, real.found, real.labelled)

    def standardised_names(self, real: Tally) -> list[tuple[float, float] | None]:
        """The same of the share of those found that are rightly named."""
        return _standardised(self.named, self.found, real.named, real.found)

    def text(self, real: Tally | None = None) -> str:
        """The table for reading: by class the number, recall, share rightly named, recall by size (number).

        With a tally of real frames also both shares at its sizes, and its own of the same sizes.
        """
        head = "".join(f"{low}-{high if high < 999 else ''}px".rjust(14) for low, high in SIZES)
        lines = [
            f"{self.frames} frames, {self.extra} detections on nothing labelled",
            f"{'class':<11}{'n':>6}{'recall':>8}{'named':>7}{head}"
            + ("  recall, named at real sizes (real)" if real else ""),
        ]
        for c, name in enumerate(CLASSES):
            n, found = int(self.labelled[c].sum()), int(self.found[c].sum())
            line = f"{name:<11}{n:>6}{_share(found, n):>8}{_share(int(self.named[c].sum()), found):>7}"
            for f, m in zip(self.found[c], self.labelled[c], strict=True):
                line += (f"{_share(int(f), int(m))} ({m})" if m else "-").rjust(14)
            for pairs in (self.standardised(real), self.standardised_names(real)) if real else ():
                pair = pairs[c]
                line += f"  {pair[0]:.2f} ({pair[1]:.2f})" if pair else "  -"
            lines.append(line)
        return "\n".join(lines)

    def save(self, path: Path) -> None:
        """Write the counts as JSON."""
        arrays = {k: getattr(self, k).tolist() for k in ("labelled", "found", "named")}
        path.write_text(json.dumps({**arrays, "frames": self.frames, "extra": self.extra}) + "\n")

    @classmethod
    def read(cls, path: Path) -> Tally:
        """Read what `save` wrote."""
        d = json.loads(path.read_text())
        return cls(*(np.array(d[k]) for k in ("labelled", "found", "named")), d["frames"], d["extra"])


def _standardised(
    part: NDArray[np.int64], of: NDArray[np.int64], real_part: NDArray[np.int64], real_of: NDArray[np.int64]
) -> list[tuple[float, float] | None]:
    pairs: list[tuple[float, float] | None] = []
    for p, n, q, m in zip(part, of, real_part, real_of, strict=True):
        both = (n > 0) & (m > 0)
        total = int(m[both].sum())
        pairs.append(
            (float(p[both] / n[both] @ m[both]) / total, int(q[both].sum()) / total) if total else None
        )
    return pairs


def _share(part: int, of: int) -> str:
    return f"{part / of:.2f}" if of else "-"


def yolo_set(
    folder: Path, every: int = 1, only: str = "*", luma: tuple[float, float] = (0, 256)
) -> Iterable[Labelled]:
    """Frames of a set with YOLO text labels (`images/`, `labels/`), in our class numbers or by `classes.txt`.

    `only`: a pattern of names; `luma`: the mean brightness from and below which a frame counts, 0 to 255.
    """
    names = folder / "classes.txt"
    ours = [NAMES[n.strip()] for n in names.read_text("utf-8").splitlines()] if names.exists() else range(5)
    for path in sorted((folder / "labels").glob(f"{only}.txt"))[::every]:
        image = next((p for p in (folder / "images").glob(f"{path.stem}.*")), None)
        rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
        if image is None:
            continue
        picture = np.asarray(cv2.imread(str(image)), np.uint8)
        if not luma[0] <= float(picture.mean()) < luma[1]:
            continue
        h, w = picture.shape[:2]
        values = np.array([[float(v) for v in r[1:5]] for r in rows]).reshape(-1, 4) * [w, h, w, h]
        boxes = np.column_stack([values[:, :2] - values[:, 2:] / 2, values[:, :2] + values[:, 2:] / 2])
        classes = np.array([ours[int(r[0])] for r in rows], np.int64)
        yield Labelled(picture, boxes, classes, np.ones(len(rows), np.bool_))


def clip_set(
    clip: Path, every: int = 20, least_share: float = 0.4, stored: tuple[int, int] | None = None
) -> Iterable[Labelled]:
    """Frames of one of our clips with its truth: visible boxes; clear are vehicles not mostly hidden.

    `stored`: width and JPEG quality that the real frames were stored with; ours lose the same, or they would
    be easier to see, size for size.
    """
    table = pq.read_table(clip.with_name(clip.stem + ".truth.parquet"))
    frame = table["frame"].to_numpy()
    share = table["visible_share"].to_numpy()
    box = np.column_stack([table[f"visible_{k}"].to_numpy().astype(float) for k in ("x1", "y1", "x2", "y2")])
    classes = table["class_id"].to_numpy().astype(np.int64)
    with av.open(str(clip)) as source:
        for index, picture in enumerate(source.decode(video=0)):
            if index % every == 0:
                seen = (frame == index) & np.isfinite(box[:, 0])
                image = picture.to_ndarray(format="bgr24")
                small = _stored(image, *stored) if stored else image
                boxes = box[seen] * (small.shape[1] / image.shape[1])
                yield Labelled(small, boxes, classes[seen], share[seen] >= least_share)


def composed_set(
    composer: Composer, run: Trajectories, every: int, quality: int, least_share: float = 0.4
) -> Iterable[Labelled]:
    """Frames of a run, composed as those of a clip are; JPEG of some quality stands for the video's damage.

    A minute's clip has few cars and fewer lorries; a long run of the same street has enough of each.
    """
    for index, vehicles in enumerate(per_frame(run)):
        if index % every != every // 3:
            continue
        picture, shown = composer.frame(index, run.start + index / run.fps, vehicles)
        seen = [s for s in shown if s.visible]
        yield Labelled(
            _jpeg(picture, quality),
            np.array([s.visible for s in seen], float).reshape(-1, 4),
            np.array([composer.bank[s.vehicle.model].class_id for s in seen], np.int64),
            np.array([s.share >= least_share for s in seen], np.bool_),
        )


def _stored(picture: NDArray[np.uint8], width: int, quality: int) -> NDArray[np.uint8]:
    size = (width, round(picture.shape[0] * width / picture.shape[1]))
    return _jpeg(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), quality)


def _jpeg(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def measure(detector: Detector, frames: Iterable[Labelled]) -> Tally:
    """Run the detector over labelled frames."""
    tally = Tally()
    for frame in frames:
        found, _, named = detector(frame.picture)
        tally.add(frame, found, named)
    return tally
