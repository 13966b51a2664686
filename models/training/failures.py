"""Draw what a detector finds (green), misses (red) and invents (yellow) in a composed clip with exact truth.

Run as ``python -m models.training.failures CLIP OUT``. Only our own clips have such a truth.
"""

from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import typer
from numpy.typing import NDArray

from vision import load_detector, open_source
from vision.geometry import box_iou

_SEEN = 0.4
"""Vehicles of which less is in sight are nobody's fault: they are left out."""
_COLOURS = {"found": (80, 200, 60), "missed": (50, 50, 240), "false": (40, 220, 250)}


def failures(clip: Path, frame: int, model: str) -> NDArray[np.uint8]:
    """The picture of one frame, boxes drawn.

    Args:
        clip: with ``*.truth.parquet`` beside it.
        frame: its number, from 0.
        model: name of a detector.
    """
    detector = load_detector(model)
    with open_source(clip) as source:
        image = next(each.image for number, each in enumerate(source) if number == frame)
    found = detector.detect(image)
    found = found[found.score >= detector.thresholds.start]
    table = pq.read_table(clip.with_suffix(".truth.parquet"), filters=[("frame", "=", frame)])
    columns: dict[str, Any] = {
        name: table[name].to_numpy() for name in table.column_names if name.startswith("visible_")
    }
    true = np.column_stack([columns[f"visible_{side}"] for side in ("x1", "y1", "x2", "y2")])
    true = true[columns["visible_share"] >= _SEEN].astype(np.float32)
    overlap = box_iou(true, found.xyxy)
    hit = (overlap >= 0.4).any(axis=1)
    canvas = image.copy()
    for boxes, state in (
        (true[hit], "found"),
        (true[~hit], "missed"),
        (found.xyxy[~(overlap >= 0.3).any(axis=0)], "false"),
    ):
        for left, top, right, bottom in np.round(boxes).astype(int).tolist():
            cv2.rectangle(canvas, (left, top), (right, bottom), _COLOURS[state], 2)
    return np.asarray(canvas, np.uint8)


def main(
    clip: Annotated[Path, typer.Argument(help="A composed clip with its truth.")],
    out: Annotated[Path, typer.Argument(help="The picture to write.")],
    *,
    frame: Annotated[int, typer.Option(min=0, help="Which frame.")] = 45,
    model: Annotated[str, typer.Option(help="Name of the detector.")] = "ngatu-n@640x352",
) -> None:
    """Draw what a detector finds and misses."""
    cv2.imwrite(str(out), failures(clip, frame, model), [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    typer.run(main)
