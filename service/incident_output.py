"""Incidents beside a count: watches while a source is counted, and writes incidents.csv."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from service.outputs import utc
from vision import Crossing, NgatuError, Tracks, View
from vision.calibration import GroundMap
from vision.density import ApproachInterval
from vision.incidents import Incident, IncidentDetector

INCIDENT_FIELDS = (
    "number",
    "kind",
    "start",
    "end",
    "cut",
    "place",
    "x",
    "y",
    "vehicle",
    "class",
    "evidence",
    "thresholds",
)


class IncidentLog:
    """The incidents of a view, while a source is counted.

    Args:
        view: the view; None, as long as one is only being proposed, gives no incidents.
        size: width and height of the picture in pixels.
        ground: of :func:`service.metrics.ground_of`.

    Attributes:
        told: all that the detector has told, in order.
    """

    def __init__(self, view: View | None, size: tuple[int, int], ground: GroundMap | None) -> None:
        self.told: list[Incident] = []
        self._detector: IncidentDetector | None = None
        if view is not None:
            self._detector = IncidentDetector(view, size, ground)

    def add(
        self,
        time: float,
        tracks: Tracks,
        crossings: Iterable[Crossing],
        records: Iterable[ApproachInterval] = (),
    ) -> list[Incident]:
        """Take one frame and the records closed with it; returns what is told of it."""
        if self._detector is None:
            return []
        told = self._detector.update(time, tracks, crossings)
        told += [incident for record in records for incident in self._detector.interval(record)]
        self.told += told
        return told

    def finish(self, crossings: Iterable[Crossing], records: Iterable[ApproachInterval] = ()) -> None:
        """Take the counter's last crossings and the last records, and end what is open."""
        if self._detector is not None:
            self.told += [each for record in records for each in self._detector.interval(record)]
            self.told += self._detector.finish(crossings)

    def write(self, path: Path) -> None:
        """Write incidents.csv, if there is a view to watch by."""
        if self._detector is not None:
            write_incidents(path, self.told)


def incident_rows(told: Iterable[Incident]) -> list[tuple[str | int, ...]]:
    """One row an incident as it was told last, in order of time; unknown cells are empty.

    Times are UTC, x and y fractions of the picture's width and height, evidence and thresholds JSON.
    """
    latest = {incident.number: incident for incident in told}
    return [
        (
            each.number,
            each.kind,
            utc(each.start),
            utc(each.end) if each.end is not None else "",
            "yes" if each.cut else "no",
            each.place,
            *(f"{share:.4f}" for share in each.point),
            each.vehicle if each.vehicle is not None else "",
            each.vehicle_class.label if each.vehicle_class is not None else "",
            _numbers(each.evidence),
            _numbers(each.thresholds),
        )
        for each in sorted(latest.values(), key=lambda each: (each.start, each.number))
    ]


def write_incidents(path: Path, told: Iterable[Incident]) -> None:
    """Write incidents.csv; an empty table says that it was watched and nothing was told.

    Raises:
        NgatuError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(INCIDENT_FIELDS)
            rows.writerows(incident_rows(told))
    except OSError as error:
        raise NgatuError(f"cannot write {path}: {error.strerror}; choose another --out folder") from None


def _numbers(values: Mapping[str, float]) -> str:
    return json.dumps({name: round(value, 3) for name, value in values.items()})
