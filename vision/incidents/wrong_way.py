"""Vehicles that pass a one-way gate against its direction and drive on."""

from collections.abc import Iterable, Iterator

import numpy as np

from vision.geometry import box_sizes, signed_distance
from vision.incidents.followed import Followed
from vision.incidents.records import Incident
from vision.incidents.settings import IncidentSettings
from vision.types import Crossing
from vision.views import View

_LOST_S = 2.0
"""A vehicle not seen for this long has gone."""

_BACK = -0.5
"""One this many box sizes beyond a gate has come back."""


class WrongWayWatch:
    """Wrong-way drivers at the gates of a view that are one-way.

    A crossing alone does not make one: the vehicle has to drive on beyond the gate, and must not have passed
    the same gate the right way before, as those do that turn round.

    Args:
        followed: the vehicles.
        view: its gates.
        size: width and height of the picture in pixels.
        settings: thresholds.
        numbers: gives each incident its number.
    """

    def __init__(
        self,
        followed: Followed,
        view: View,
        size: tuple[int, int],
        settings: IncidentSettings,
        numbers: Iterator[int],
    ) -> None:
        self._followed = followed
        self._allowed = {gate.id: gate.one_way for gate in view.gates if gate.one_way is not None}
        self._lines = dict(zip((gate.id for gate in view.gates), view.gate_lines(size), strict=True))
        self._settings = settings
        self._numbers = numbers
        self._rightly: dict[tuple[int, str], float] = {}  # when who passed which gate the right way
        self._doubted: dict[tuple[int, str], Crossing] = {}
        self._open: dict[tuple[int, str], Incident] = {}

    def update(self, time: float, crossings: Iterable[Crossing]) -> list[Incident]:
        """Take a frame's crossings, after the frame itself was taken by the vehicles."""
        if not self._allowed:
            return []
        ended = self._report(crossings)
        told = []
        for (vehicle, gate), crossing in list(self._doubted.items()):
            beyond, run = self._driven(crossing)
            if beyond >= self._settings.wrong_way_boxes and run >= self._settings.wrong_way_run:
                told.append(self._begin(crossing, beyond, run))
            elif not beyond < _BACK and self._present(vehicle, time):
                continue
            del self._doubted[vehicle, gate]
        gone = [key for key in self._open if not self._present(key[0], time)]
        ended += [self._open.pop(key).closed(self._last_seen(key[0], time)) for key in gone]
        kept = 10 * self._settings.hidden_s
        self._rightly = {key: passed for key, passed in self._rightly.items() if time - passed < kept}
        return ended + told

    def close(self, time: float) -> list[Incident]:
        """End all: the frames stop here."""
        ended = [incident.closed(time, cut=True) for incident in self._open.values()]
        self._open, self._doubted = {}, {}
        return ended

    def _report(self, crossings: Iterable[Crossing]) -> list[Incident]:
        """Note crossings of one-way gates; who comes back the right way has turned round."""
        ended = []
        for crossing in crossings:
            allowed = self._allowed.get(crossing.gate)
            key = (crossing.vehicle, crossing.gate)
            if allowed is None:
                continue
            if crossing.direction == allowed:
                self._rightly[key] = crossing.time
                self._doubted.pop(key, None)
                if key in self._open:
                    ended.append(self._open.pop(key).closed(crossing.time))
            elif crossing.confidence < self._settings.least_score:
                continue
            elif key not in self._rightly and key not in self._open:
                self._doubted[key] = crossing
        return ended

    def _driven(self, crossing: Crossing) -> tuple[float, float]:
        """Box sizes that a vehicle is beyond a gate, and that it came in that direction; NaN when lost."""
        row = self._followed.row_of(crossing.vehicle)
        if row is None:
            return float("nan"), float("nan")
        vehicle = self._followed.vehicles[row]
        points = np.stack((vehicle["point"], vehicle["first_point"]))
        distance = signed_distance(points, self._lines[crossing.gate][None])[:, 0]
        distance *= (1.0 if crossing.direction == "in" else -1.0) / box_sizes(vehicle["edges"][None])[0]
        return float(distance[0]), float(distance[0] - distance[1])

    def _last_seen(self, number: int, time: float) -> float:
        row = self._followed.row_of(number)
        return float(self._followed.vehicles["seen"][row]) if row is not None else time

    def _present(self, number: int, time: float) -> bool:
        row = self._followed.row_of(number)
        return row is not None and time - float(self._followed.vehicles["seen"][row]) <= _LOST_S

    def _begin(self, crossing: Crossing, beyond: float, run: float) -> Incident:
        incident = Incident(
            number=next(self._numbers),
            kind="wrong_way",
            start=crossing.time,
            end=None,
            cut=False,
            place=crossing.gate,
            point=crossing.point,
            vehicle=crossing.vehicle,
            vehicle_class=crossing.vehicle_class,
            evidence={"beyond_boxes": beyond, "run_boxes": run, "mean_score": crossing.confidence},
            thresholds=self._settings.of("wrong_way_boxes", "wrong_way_run", "least_score"),
        )
        self._open[crossing.vehicle, crossing.gate] = incident
        return incident
