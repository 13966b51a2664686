"""Long runs without pixels: the exact boxes of every frame, and what a detector might make of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .camera import Camera
from .traffic import Trajectories

_SCALE = 4  # hidden shares are counted on a picture four times smaller


@dataclass(frozen=True, slots=True)
class Noise:
    """How a detector errs. The defaults are those of a small network on a busy junction."""

    miss: float = 0.06  # of a large vehicle in full view, for stretches of a few frames
    miss_small: float = 0.45  # extra for the smallest
    stretch: float = 4.0  # mean length of a miss in frames
    jitter: float = 0.035  # of the box's size, one sigma
    flicker: float = 0.04  # chance that a frame's class is a neighbouring one
    false_per_frame: float = 0.25
    least_share: float = 0.3  # what is hidden more than this is not seen


_NEIGHBOUR = {0: (1,), 1: (0,), 2: (4, 3), 3: (4, 2), 4: (2, 3)}


def true_boxes(
    run: Trajectories,
    camera: Camera,
    hulls: dict[str, NDArray[np.float64]],
    occluders: NDArray[np.float32] | None = None,
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
    """For each frame: index, rows of the run, full boxes [n, 4] in pixels, visible shares [n].

    `occluders`: depth of houses, trees and posts as a plate holds it; without it only vehicles hide vehicles.
    """
    facts = {r["vehicle"]: r["model"] for r in run.vehicles.to_pylist()}
    starts = np.searchsorted(run.frame, np.arange(0, int(run.frame.max()) + 2))
    height, width = camera.height // _SCALE, camera.width // _SCALE
    walls = None if occluders is None else occluders[:: 2 * _SCALE, :: 2 * _SCALE][:height, :width]
    standing: dict[int, tuple[tuple[float, float, float], _Solid | None]] = {}
    for frame in range(len(starts) - 1):
        placed: list[tuple[int, _Solid]] = []
        for i in range(starts[frame], starts[frame + 1]):
            number, pose = int(run.vehicle[i]), (float(run.x[i]), float(run.y[i]), float(run.heading[i]))
            known = standing.get(number)
            if known is None or known[0] != pose:
                known = standing[number] = (pose, _solid(camera, hulls[facts[number]], *pose))
            if known[1] is not None:
                placed.append((i, known[1]))
        placed.sort(key=lambda p: -p[1].depth)
        owner = np.full((height, width), -1, np.int16)
        for k, (_, solid) in enumerate(placed):
            if walls is None:
                cv2.fillConvexPoly(owner, solid.outline, k)
            else:
                x, y, w, h = cv2.boundingRect(solid.outline)
                x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
                if x1 > x0 and y1 > y0:
                    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
                    cv2.fillConvexPoly(mask, solid.outline - [x0, y0], 1)
                    owner[y0:y1, x0:x1][(mask > 0) & (walls[y0:y1, x0:x1] > solid.depth)] = k
        count = np.bincount((owner + 1).ravel(), minlength=len(placed) + 1)[1:]
        area = np.array([p[1].area for p in placed])
        share = np.clip(count / area, 0, 1) if placed else np.zeros(0)
        boxes = np.array([p[1].box for p in placed]).reshape(-1, 4)
        yield frame, np.array([p[0] for p in placed], np.int64), boxes, share


@dataclass(frozen=True, slots=True)
class _Solid:
    depth: float
    box: NDArray[np.float64]
    outline: NDArray[np.int32]  # on the small picture
    area: float  # there


def _solid(camera: Camera, hull: NDArray[np.float64], x: float, y: float, heading: float) -> _Solid | None:
    if abs(x) > 150 or abs(y) > 150:
        return None
    c, s = np.cos(heading), np.sin(heading)
    uv, depth = camera.project(hull @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + [x, y, 0])
    low, high = uv.min(0), uv.max(0)
    if depth.min() < 2 or (high < 1).any() or low[0] > camera.width - 1 or low[1] > camera.height - 1:
        return None
    outline = cv2.convexHull((uv / _SCALE).astype(np.float32))
    area = max(cv2.contourArea(outline), 1.0)
    return _Solid(
        float(np.median(depth)), np.concatenate([low, high]), np.round(outline).astype(np.int32), area
    )


_SCHEMA = pa.schema(
    [
        ("frame", pa.int32()),
        ("vehicle", pa.int32()),
        ("class_id", pa.int8()),
        ("score", pa.float32()),
        ("x1", pa.float32()),
        ("y1", pa.float32()),
        ("x2", pa.float32()),
        ("y2", pa.float32()),
        ("visible_share", pa.float32()),
    ]
)


class _Writer:
    """A parquet file that takes rows and appears under its name once complete."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows, self.total = path, [], 0  # type: ignore[var-annotated]
        self.part = path.with_suffix(".part")
        self.out = pq.ParquetWriter(self.part, _SCHEMA, compression="zstd")

    def add(self, row: list[Any]) -> None:
        self.rows.append(row)
        if len(self.rows) >= 200_000:
            self.flush()

    def flush(self) -> None:
        columns = list(zip(*self.rows, strict=True)) if self.rows else [[] for _ in _SCHEMA.names]
        self.out.write_table(pa.table(dict(zip(_SCHEMA.names, columns, strict=True)), schema=_SCHEMA))
        self.total += len(self.rows)
        self.rows = []

    def close(self) -> int:
        self.flush()
        self.out.close()
        self.part.rename(self.path)
        return self.total


def write(
    run: Trajectories,
    camera: Camera,
    hulls: dict[str, NDArray[np.float64]],
    exact: Path,
    seed: int,
    noisy: Path | None = None,
    noise: Noise | None = None,
    occluders: NDArray[np.float32] | None = None,
) -> tuple[int, int]:
    """Write the true boxes, and detections with noise where `noisy` is given; returns the rows of both.

    Detections carry `vehicle` (null for a false box) so that a tracker can be scored.
    """
    rng = np.random.default_rng([seed, 5])
    noise = noise or Noise()
    facts = {r["vehicle"]: r["class_id"] for r in run.vehicles.to_pylist()}
    missing: dict[int, int] = {}
    true_rows = _Writer(exact)
    seen_rows = _Writer(noisy) if noisy else None
    for frame, index, boxes, share in true_boxes(run, camera, hulls, occluders):
        for i, box, seen in zip(index, boxes, share, strict=True):
            number = int(run.vehicle[i])
            row = [frame, number, facts[number], 1.0, *box, seen]
            true_rows.add(row)
            if seen_rows:
                erring = _err(row, noise, camera, missing, rng)
                if erring is not None:
                    seen_rows.add(erring)
        if seen_rows:
            for _ in range(int(rng.poisson(noise.false_per_frame))):
                seen_rows.add(_false_box(frame, camera, rng))
    return true_rows.close(), seen_rows.close() if seen_rows else 0


def _false_box(frame: int, camera: Camera, rng: np.random.Generator) -> list[Any]:
    h = float(rng.uniform(15, 80))
    w = h * float(rng.uniform(0.5, 1.5))
    x, y = rng.uniform(0, camera.width), rng.uniform(0.2, 1) * camera.height
    class_id = int(rng.choice(5, p=[0.05, 0.6, 0.25, 0.05, 0.05]))
    return [frame, None, class_id, float(rng.uniform(0.15, 0.45)), x - w / 2, y - h, x + w / 2, y, 1.0]


def _err(
    row: list[Any], noise: Noise, camera: Camera, missing: dict[int, int], rng: np.random.Generator
) -> list[Any] | None:
    frame, number, class_id, _, x1, y1, x2, y2, seen = row
    cx1, cy1, cx2, cy2 = max(x1, 0), max(y1, 0), min(x2, camera.width), min(y2, camera.height)
    w, h = cx2 - cx1, cy2 - cy1
    size = float(np.sqrt(max(w * h, 1.0)))
    if missing.get(number, 0) > 0:
        missing[number] -= 1
        return None
    chance = noise.miss + noise.miss_small * float(np.exp(-size / 18.0)) + 0.5 * max(0.0, 0.7 - seen)
    if seen < noise.least_share:
        return None
    if rng.random() < chance / noise.stretch:
        missing[number] = int(rng.geometric(1.0 / noise.stretch))
        return None
    d = rng.normal(0, noise.jitter, 4) * [w, h, w, h]
    if rng.random() < noise.flicker:
        class_id = int(rng.choice(_NEIGHBOUR[class_id]))
    score = float(
        np.clip(rng.normal(0.35 + 0.35 * (1 - np.exp(-size / 40.0)) + 0.2 * (seen - 0.5), 0.12), 0.1, 0.97)
    )
    return [frame, number, class_id, score, cx1 + d[0], cy1 + d[1], cx2 + d[2], cy2 + d[3], seen]


def to_mot(truth: Path, target: Path, least_share: float = 0.0) -> int:
    """Write a clip's truth as a MOT Challenge `gt.txt` (frames and pixels from 1); returns the rows."""
    table = pq.read_table(truth)
    columns = {
        k: table[k].to_numpy(zero_copy_only=False)
        for k in ("frame", "vehicle", "class_id", "full_x1", "full_y1", "full_x2", "full_y2", "visible_share")
    }
    lines = []
    for i in range(table.num_rows):
        share = float(columns["visible_share"][i])
        if share < least_share:
            continue
        x1, y1, x2, y2 = (float(columns[f"full_{k}"][i]) for k in ("x1", "y1", "x2", "y2"))
        lines.append(
            f"{columns['frame'][i] + 1},{columns['vehicle'][i]},{x1 + 1:.2f},{y1 + 1:.2f},{x2 - x1:.2f},"
            f"{y2 - y1:.2f},1,{columns['class_id'][i] + 1},{share:.3f}"
        )
    target.write_text("\n".join(lines) + "\n")
    return len(lines)
