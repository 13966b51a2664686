"""Measures realism: what a detector of real photographs finds of labelled vehicles, by class and size.

The same figures are taken on real frames with people's labels and on ours: the closer, the better ours.
The detector is an ONNX file with COCO classes (input 736 x 1280, output [1, 84, n]). Needs onnxruntime.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

COCO = {1: 0, 3: 1, 2: 2, 5: 3, 7: 4}
CLASSES = ("bicycle", "motorcycle", "car", "bus", "truck")
SIZES = (
    (12, 24),
    (24, 48),
    (48, 96),
    (96, 999),
)  # square root of the box's area, pixels of a 1280 wide picture
Labelled = tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.int64]]


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
    """Labelled, found and rightly named vehicles by class and size."""

    labelled: NDArray[np.int64] = field(default_factory=lambda: np.zeros((5, len(SIZES)), np.int64))
    found: NDArray[np.int64] = field(default_factory=lambda: np.zeros((5, len(SIZES)), np.int64))
    named: NDArray[np.int64] = field(default_factory=lambda: np.zeros((5, 5), np.int64))
    frames: int = 0
    extra: int = 0  # detections on no labelled vehicle

    def add(
        self, boxes: NDArray[Any], classes: NDArray[Any], found: NDArray[Any], named: NDArray[Any], width: int
    ) -> None:
        """Match one frame's detections to its labels; a rider's machine may be boxed without the rider."""
        self.frames += 1
        k = 1280 / width
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
        for i, (b, c) in enumerate(zip(boxes, classes, strict=True)):
            size = float(np.sqrt(max((b[2] - b[0]) * (b[3] - b[1]), 0))) * k
            for s, (low, high) in enumerate(SIZES):
                if low <= size < high:
                    self.labelled[c, s] += 1
                    if i in hit:
                        self.found[c, s] += 1
                        self.named[c, int(named[hit[i]])] += 1

    def table(self) -> list[dict[str, Any]]:
        """Rows: class, recall in all and by size with the number labelled, share rightly named."""
        rows = []
        for c, name in enumerate(CLASSES):
            n, f = int(self.labelled[c].sum()), int(self.found[c].sum())
            row: dict[str, Any] = {
                "class": name,
                "n": n,
                "recall": f / n if n else None,
                "right_class": self.named[c, c] / f if f else None,
            }
            for s, (low, high) in enumerate(SIZES):
                m = int(self.labelled[c, s])
                row[f"{low}-{high}"] = (int(self.found[c, s]) / m, m) if m else None
            rows.append(row)
        return rows

    def text(self) -> str:
        """The table for reading."""
        lines = [
            f"{self.frames} frames, {self.extra} detections on nothing labelled",
            f"{'class':<11}{'n':>6}{'recall':>8}{'named':>7}  "
            + "".join(f"{a}-{b if b < 999 else ''}px".rjust(14) for a, b in SIZES),
        ]
        for r in self.table():

            def show(v: float | None) -> str:
                return "-" if v is None else f"{v:.2f}"

            cells = "".join(
                ("-" if r[f"{a}-{b}"] is None else f"{r[f'{a}-{b}'][0]:.2f} ({r[f'{a}-{b}'][1]})").rjust(14)
                for a, b in SIZES
            )
            lines.append(
                f"{r['class']:<11}{r['n']:>6}{show(r['recall']):>8}{show(r['right_class']):>7}  {cells}"
            )
        return "\n".join(lines)


def yolo_set(folder: Path, every: int = 1) -> Iterable[Labelled]:
    """Frames of a set with YOLO text labels in our class numbers (`images/`, `labels/`)."""
    for path in sorted((folder / "labels").glob("*.txt"))[::every]:
        image = next((p for p in (folder / "images").glob(f"{path.stem}.*")), None)
        rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
        if image is None:
            continue
        picture = cv2.imread(str(image))
        h, w = picture.shape[:2]
        values = np.array([[float(v) for v in r[1:5]] for r in rows]).reshape(-1, 4) * [w, h, w, h]
        boxes = np.column_stack([values[:, :2] - values[:, 2:] / 2, values[:, :2] + values[:, 2:] / 2])
        yield np.asarray(picture, np.uint8), boxes, np.array([int(r[0]) for r in rows], np.int64)


def clip_set(clip: Path, every: int = 20, least_share: float = 0.4) -> Iterable[Labelled]:
    """Frames of one of our clips with its truth: visible boxes of vehicles that are not mostly hidden."""
    table = pq.read_table(
        clip.with_suffix("").with_suffix(".truth.parquet")
        if clip.suffix != ".mp4"
        else clip.with_name(clip.stem + ".truth.parquet")
    )
    frame = table["frame"].to_numpy()
    share = table["visible_share"].to_numpy()
    box = np.column_stack([table[f"visible_{k}"].to_numpy().astype(float) for k in ("x1", "y1", "x2", "y2")])
    classes = table["class_id"].to_numpy().astype(np.int64)
    with av.open(str(clip)) as source:
        for index, picture in enumerate(source.decode(video=0)):
            if index % every == 0:
                keep = (frame == index) & (share >= least_share) & np.isfinite(box[:, 0])
                yield picture.to_ndarray(format="bgr24"), box[keep], classes[keep]


def measure(detector: Detector, frames: Iterable[Labelled]) -> Tally:
    """Run the detector over labelled frames."""
    tally = Tally()
    for picture, boxes, classes in frames:
        found, _, named = detector(picture)
        tally.add(boxes, classes, found, named, picture.shape[1])
    return tally
