"""The annotated video of a count."""

from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from vision import Crossing, Frame, Tracks, View
from vision.overlay import Overlay
from vision.video_writer import VideoWriter


class AnnotatedVideo:
    """The video, where one is wanted and its view is known; else it does nothing.

    Args:
        path: the file.
        size: width and height.
        view: what is drawn over it; None for no video.
        fps: frames a second.
        tz: time zone of the clock in it.
    """

    def __init__(self, path: Path, size: tuple[int, int], view: View | None, fps: float, tz: str) -> None:
        self._writer: VideoWriter | None = None
        if view:
            self._overlay = Overlay(size, view, tz=ZoneInfo(tz))
            self._writer = VideoWriter(path, size, fps)

    def write(self, frame: Frame, time: float, tracks: Tracks, crossings: list[Crossing]) -> None:
        """Add one frame."""
        if self._writer:
            self._writer.write(self._overlay.draw(frame.image, time, tracks, crossings), time)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._writer:
            self._writer.close()
