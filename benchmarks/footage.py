"""The clips that are counted, and what stress makes of them: lower rates, coarser pictures, shaking, gaps."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Change = Callable[[Image, int], Image | None]
"""Another picture for a picture and its number; None leaves it out."""


def remake(
    clip: Path,
    target: Path,
    *,
    size: tuple[int, int] | None = None,
    every: int = 1,
    crf: int = 18,
    change: Change | None = None,
) -> Path:
    """Write ``clip`` again as H.264 without B frames, as cameras send it; times stay those of the clip.

    Args:
        clip: what is read.
        target: what is written, unless it is there already and no older than the clip.
        size: width and height of the pictures; None keeps them.
        every: only each so many-th frame is kept.
        crf: x264's quality, 0 to 51; more is worse.
        change: what is done to each picture that is kept.
    """
    if target.exists() and target.stat().st_mtime_ns >= clip.stat().st_mtime_ns:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part.mp4")
    options = {"crf": str(crf), "preset": "veryfast", "bf": "0", "g": "50"}
    with av.open(str(clip)) as source, av.open(str(partial), "w") as out:
        inside = source.streams.video[0]
        rate = (inside.average_rate or Fraction(25)) / every
        stream = out.add_stream("libx264", rate=rate, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = "yuv420p"
        stream.width, stream.height = size or (inside.width, inside.height)
        stream.time_base = inside.time_base
        for number, picture in enumerate(source.decode(video=0)):
            if number % every:
                continue
            if change:
                image = change(picture.to_ndarray(format="bgr24"), number // every)
                if image is None:
                    continue
                made = av.VideoFrame.from_ndarray(image, format="bgr24")
            else:
                made = picture
            made = made.reformat(stream.width, stream.height, "yuv420p", interpolation=Interpolation.AREA)
            made.pts, made.time_base = picture.pts, picture.time_base
            made.pict_type = 0  # the encoder's choice, not the clip's
            out.mux(stream.encode(made))
        out.mux(stream.encode(None))
    partial.replace(target)
    return target


def shaken(pixels: float) -> Change:
    """A mast in the wind: two swings, of 1.1 and 3.7 in ten frames, together up to ``pixels``."""

    def change(image: Image, number: int) -> Image:
        x = pixels * (0.7 * math.sin(0.69 * number) + 0.3 * math.sin(2.3 * number + 1))
        y = 0.6 * pixels * math.sin(0.87 * number + 2)
        shift = np.array([[1, 0, x], [0, 1, y]])
        moved = cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)

    return change


def dropped(share: float, seed: int = 1) -> Change:
    """A bad line: frames are lost in runs of one to four, ``share`` of them in all."""
    random = np.random.default_rng(seed)
    left = 0

    def change(image: Image, _number: int) -> Image | None:
        nonlocal left
        if left == 0 and random.random() < share / (2.5 - 1.5 * share):
            left = int(random.integers(1, 5))
        if left:
            left -= 1
            return None
        return image

    return change
