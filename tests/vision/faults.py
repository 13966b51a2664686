"""Faults of a camera, laid over good pictures, and a run of pictures through a HealthWatch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from vision import BackgroundMaker, HealthWatch, open_source

EVERY = 0.5
BEFORE, FAULT, AFTER = 24, 64, 12
"""Looks before, during and after a fault: 12, 32 and 6 s."""


def pictures(path: Path, most: int = 40) -> list[np.ndarray]:
    """Two pictures a second, at most 640 wide."""
    taken, due = [], None
    with open_source(path) as source:
        for frame in source:
            due = frame.time if due is None else due
            if frame.time >= due - 1e-3:
                height, width = frame.image.shape[:2]
                size = (640, round(height * 640 / width)) if width > 640 else (width, height)
                taken.append(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))
                due += EVERY
            if len(taken) >= most:
                break
    return taken


def endless(taken: Sequence[np.ndarray], count: int) -> list[np.ndarray]:
    """As many pictures as wanted: forward and back, so that nothing jumps."""
    cycle = [*taken, *taken[-2:0:-1]]
    return [cycle[number % len(cycle)] for number in range(count)]


def median_of(taken: Sequence[np.ndarray]) -> np.ndarray:
    maker = BackgroundMaker(least=3, seconds=0, every=0)
    for number, picture in enumerate(taken):
        maker.add(picture, number * EVERY)
    result = maker.picture()
    assert result is not None
    return result


def watch(run: Sequence[np.ndarray], reference: np.ndarray | None = None, **settings) -> list:
    """The health after each look."""
    watching = HealthWatch(reference, **settings)
    return [watching.look(picture, number * EVERY) for number, picture in enumerate(run)]


def with_clock(picture: np.ndarray, seconds: float) -> np.ndarray:
    told = picture.copy()
    cv2.rectangle(told, (4, 4), (220, 24), (0, 0, 0), -1)
    text = f"2026-03-10 09:30:{int(seconds) % 60:02d}"
    cv2.putText(told, text, (8, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
    return told


def warped(dx: float = 0, dy: float = 0, angle: float = 0, zoom: float = 1) -> Callable:
    """The same scene by a camera that has moved: by shares of the width and height, degrees, a factor."""

    def warp(picture: np.ndarray) -> np.ndarray:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, zoom)
        matrix[:, 2] += (dx * width, dy * height)
        return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)

    return warp


def covered(picture: np.ndarray) -> np.ndarray:
    """A hand before the lens."""
    down, across = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    shade = 60 + 40 * np.sin(across / picture.shape[1] * 2) + 30 * down / picture.shape[0]
    return np.clip(shade, 0, 255)[..., None].repeat(3, axis=2).astype(np.uint8)


def overexposed(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture.astype(np.float32) * 4 + 60, 0, 255).astype(np.uint8)


def defocused(picture: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), picture.shape[1] / 150)


FAULTS = {
    "dark": ("dark", lambda picture: (picture * 0.05).astype(np.uint8)),
    "overexposed": ("blinded", overexposed),
    "covered": ("blocked", covered),
    "defocused": ("blurred", defocused),
    "shifted-3-percent": ("moved", warped(dx=0.03)),
    "shifted-15-percent": ("moved", warped(dx=-0.15, dy=0.05)),
    "rotated": ("moved", warped(angle=4)),
    "zoomed": ("moved", warped(zoom=1.08)),
    "zoomed-far": ("moved", warped(zoom=1.3)),
}


def check_fault(taken: Sequence[np.ndarray], reference: np.ndarray | None, name: str) -> None:
    """The fault is found within 30 s, nothing is found before it, and all is well within 5 s of its end."""
    run = endless(taken, BEFORE + FAULT + AFTER)
    if name.startswith("frozen"):
        state = "frozen"
        run[BEFORE : BEFORE + FAULT] = [run[BEFORE]] * FAULT
        if name == "frozen-with-clock":
            run = [with_clock(picture, number * EVERY) for number, picture in enumerate(run)]
    else:
        state, spoil = FAULTS[name]
        run[BEFORE : BEFORE + FAULT] = [spoil(picture) for picture in run[BEFORE : BEFORE + FAULT]]
    states = [health.state for health in watch(run, reference)]
    assert set(states[:BEFORE]) == {"ok"}
    assert state in states[BEFORE : BEFORE + round(30 / EVERY)], states
    assert set(states) <= {"ok", state, "frozen"}, "a cover without noise may be called frozen afterwards"
    assert states[BEFORE + FAULT + round(5 / EVERY)] == "ok"
