"""Keeps the tracks of one live camera for a while; what cannot be kept never stops counting."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service.drawing.archive import TrackArchive
from vision import Detector, Frame, Tracks
from vision.errors import TracksError
from vision.track_store import tick
from vision.tracking import TrackerSettings, VehicleTracker

AGAIN_AFTER = 60.0
"""Seconds after which a folder that could not be written is tried again."""

log = logging.getLogger(__name__)


class Keeper:
    """Writes one camera's tracks to its archive, as long as that can be written.

    Where it cannot, as on a full disk, that is told once and tried again after ``AGAIN_AFTER``; the frames in
    between are missing from the archive, as if the camera had not been watched.

    Args:
        archive: folder of all cameras' tracks, and for how many hours they are kept; None keeps nothing.
        camera: id of the camera.
        size: width and height of the pictures in pixels.
        about: what the tracks come from, kept with them.
    """

    def __init__(
        self,
        archive: tuple[Path, float] | None,
        camera: str,
        size: tuple[int, int],
        about: Mapping[str, Any],
    ) -> None:
        self._where = archive
        self._camera = camera
        self._size = size
        self._about = about
        self._archive: TrackArchive | None = None
        self._not_before = float("-inf")
        self._told = False
        self._number = 0

    def add(self, time: float, tracks: Tracks) -> None:
        """Keep one frame: its time (seconds since the epoch) and its tracks."""
        self._number += 1  # not the source's: that begins anew with every connection
        if self._where is None or time < self._not_before:
            return
        try:
            if self._archive is None:
                folder, hours = self._where
                self._archive = TrackArchive(folder, self._camera, self._size, self._about, hours)
            self._archive.append(self._number, time, tracks)
        except (TracksError, OSError) as error:
            self._fail(error)
            self._not_before = time + AGAIN_AFTER
        else:
            self._told = False

    def close(self) -> None:
        """Finish the file that is being written."""
        archive, self._archive = self._archive, None
        if archive is not None:
            try:
                archive.close()
            except (TracksError, OSError) as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._archive = None
        if not self._told:
            log.warning("%s: tracks are not kept for now: %s; counting goes on", self._camera, error)
        self._told = True


class Following:
    """Follows the vehicles of a camera on whose picture nothing is drawn yet: from them it is proposed.

    Args:
        keeper: keeps the tracks.
        detector: finds vehicles.
        size: width and height of the pictures in pixels.

    Attributes:
        tracks: vehicles in the newest frame.
    """

    def __init__(self, keeper: Keeper, detector: Detector, size: tuple[int, int]) -> None:
        self.size = size
        self.tracks = Tracks.empty()
        self._keeper = keeper
        self._detector = detector
        thresholds = detector.thresholds
        self._tracker = VehicleTracker(
            size, TrackerSettings(start_score=thresholds.start, keep_score=thresholds.keep)
        )

    def add(self, frame: Frame) -> None:
        """Take the next frame, later than the one before."""
        time = tick(frame.time)
        self.tracks = self._tracker.update(time, self._detector.detect(frame.image))
        self._keeper.add(time, self.tracks)

    def close(self) -> None:
        """Keep the rest."""
        self._keeper.close()
