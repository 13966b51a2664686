"""Draw what a detector finds, misses and invents in a frame of a composed clip: ``failures.py --help``.

Green, red and yellow; of vehicles of which as much is in sight as the measure of realism asks for.
"""

import argparse
import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sample_videos.generator.realism import clip_set
from vision import load_detector
from vision.geometry import box_iou

_COLOURS = {"found": (80, 200, 60), "missed": (50, 50, 240), "false": (40, 220, 250)}


def failures(image: NDArray[np.uint8], true: NDArray[np.float32], model: str) -> NDArray[np.uint8]:
    """The picture with boxes drawn.

    Args:
        image: ``uint8[h, w, 3]``, BGR.
        true: boxes of the vehicles in it, ``float32[N, 4]``, pixels.
        model: name of a detector.
    """
    detector = load_detector(model)
    found = detector.detect(image)
    found = found[found.score >= detector.thresholds.start]
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
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path, help="a composed clip with its truth")
    parser.add_argument("out", type=Path, help="the picture to write")
    parser.add_argument("--frame", type=int, default=45, help="number of the frame, from 0")
    parser.add_argument("--model", default="ngatu-n@640x352", help="name of the detector")
    options = parser.parse_args()
    shown = next(islice(clip_set(options.clip, every=1), options.frame, None), None)
    if shown is None:
        sys.exit(f"{options.clip} has no frame {options.frame}; give a smaller --frame")
    picture = failures(shown.picture, shown.boxes[shown.clear].astype(np.float32), options.model)
    cv2.imwrite(str(options.out), picture, [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main()
