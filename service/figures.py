"""What tracks and crossings give a count beside their number: figures of approaches, and incidents."""

from pathlib import Path

from service.incident_output import IncidentLog
from service.metrics import Metrics
from vision import Crossing, Tracks, View
from vision.calibration import GroundMap
from vision.density.records import Light


class Figures:
    """Collects them frame by frame, counted now or again from stored tracks."""

    def __init__(
        self,
        view: View | None,
        size: tuple[int, int],
        interval: float,
        ground: GroundMap | None,
        least_rider: float | None,
    ) -> None:
        self.metrics = Metrics(view, size, interval, ground, least_rider)
        self._incidents = IncidentLog(view, size, ground)

    def add(self, moment: float, tracks: Tracks, crossings: list[Crossing], light: Light | None) -> None:
        """Take one frame."""
        closed = self.metrics.add(moment, tracks, crossings, light)
        self._incidents.add(moment, tracks, crossings, closed)

    def finish(self, late: list[Crossing]) -> None:
        """Take what was still under way at the end."""
        self._incidents.finish(late, self.metrics.finish(late))

    def write(self, out: Path, spans: list[tuple[float, float]], tz: str) -> None:
        """Write metrics.csv and incidents.csv, where there is something to write."""
        self.metrics.write(out / "metrics.csv", spans, tz)
        self._incidents.write(out / "incidents.csv")
