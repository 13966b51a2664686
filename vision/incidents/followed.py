"""Vehicles with a memory of where they came to a stand: hidden, renewed or flickering, they stand on."""

import numpy as np
from numpy.typing import NDArray

from vision.calibration import GroundMap
from vision.geometry import box_middles, box_sizes, points_in_polygon
from vision.incidents.settings import IncidentSettings
from vision.stitching import Stitcher
from vision.types import Tracks, vehicle_kind, with_rows
from vision.views import View

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Table = NDArray[np.void]

_OPPOSITE = np.array([2, 3, 0, 1])
"""The opposite of each edge of a box."""

_LOOK_S = 0.19
"""Least seconds from one look at the vehicles to the next."""

_SMOOTH_S = 0.5
"""Seconds over which the edges of boxes are averaged."""

_SEEN_EVENLY_S = 1.0
"""Seconds without a sighting that still count as seen; a longer time is taken off the time stood."""

_SETTLED_S = 1.0
"""A vehicle that appears where one stood is judged when it has stood for this long itself."""

_PLACE = 0.4
"""It is the same when its box's middle is within this many box sizes of where the other stood ..."""

_LIKE = 0.3
"""... and the logarithm of the ratio of their sizes is below this."""

_CUT = 1e-3
"""A box this close to the picture's lower edge, as a share of its height, does not show where it stands."""


class Followed:
    """The vehicles of one camera; their numbers are those of :class:`vision.counting.GateCounter`.

    Args:
        view: its regions of interest are applied as the counter applies them.
        size: width and height of the picture in pixels.
        ground: the mapping to the ground, if there is one.
        settings: when a vehicle stands.

    Attributes:
        vehicles: one row a vehicle, ordered by its number; lengths in pixels unless said otherwise.
    """

    def __init__(
        self, view: View, size: tuple[int, int], ground: GroundMap | None, settings: IncidentSettings
    ) -> None:
        self._roi = view.polygons("roi", size)
        self._size = np.array(size, np.float64)
        self._ground = ground
        self._settings = settings
        self._stitcher = Stitcher(size)
        self._looked = -np.inf
        self._stands = 0
        self.vehicles: Table = np.zeros(
            0,
            [
                ("number", np.int64),
                ("first_number", np.int64),  # under which it came to a stand
                ("stand", np.int64),  # id of its present stand; renewed when it moves on
                ("class_id", np.int8),
                ("seen", np.float64),
                ("sightings", np.int64),
                ("score", np.float64),  # sum over sightings
                ("first_point", np.float64, 2),
                ("born", np.float64, 4),  # its first box
                ("point", np.float64, 2),  # its ground point, not smoothed
                ("edges", np.float64, 4),  # smoothed
                ("ground", np.float64, 2),  # metres; NaN where not known
                ("anchor", np.float64, 4),  # where it came to a stand
                ("anchor_ground", np.float64, 2),  # the same in metres
                ("since", np.float64),  # when
                ("held", np.float64),  # when it was last seen there
                ("unseen", np.float64),  # seconds in between without a sighting
                ("away", np.float64),  # since when it is not there any more; NaN while it is
            ],
        )

    def update(self, time: float, tracks: Tracks) -> Indices | None:
        """Take one frame; returns the rows of the vehicles seen in it, None where it was not looked at."""
        if self._roi and len(tracks):
            points = tracks.ground_points
            tracks = tracks[np.any([points_in_polygon(points, polygon) for polygon in self._roi], axis=0)]
        # Numbers depend on every frame; the rest need not be done 25 times a second.
        number = self._stitcher.update(time, tracks) if len(tracks) else np.zeros(0, np.int64)
        if time - self._looked < _LOOK_S:
            return None
        self._looked = time
        self.vehicles = self.vehicles[time - self.vehicles["seen"] <= self._settings.hidden_s]
        if not len(tracks):
            return np.zeros(0, np.intp)
        boxes = tracks.xyxy.astype(np.float64)
        row = self._rows_for(number, time, boxes)
        self._see(row, time, tracks, boxes)
        self._judge(row, time)
        self._reunite(row, time)
        return row

    def forget(self) -> None:
        """Begin anew after a time of which nothing is known."""
        self.vehicles = self.vehicles[:0]

    def points(self, row: Indices) -> Floats:
        """Smoothed ground points ``[N, 2]`` in pixels of some rows."""
        return bottom_middles(self.vehicles["edges"][row])

    def stood(self, row: Indices) -> Floats:
        """Seconds ``[N]`` for which they were seen standing where they last stood."""
        vehicles = self.vehicles[row]
        return np.asarray(vehicles["held"] - vehicles["since"] - vehicles["unseen"], np.float64)

    def row_of(self, number: int) -> int | None:
        """The row of a vehicle by its number."""
        row = int(np.searchsorted(self.vehicles["number"], number))
        return row if row < len(self.vehicles) and self.vehicles["number"][row] == number else None

    def _rows_for(self, number: NDArray[np.int64], time: float, boxes: Floats) -> Indices:
        """Rows of the vehicles, with new rows for numbers that are not known; the order holds."""
        new = np.flatnonzero(~np.isin(number, self.vehicles["number"]))
        if len(new):
            vehicles = with_rows(self.vehicles, len(new))
            added = vehicles[len(self.vehicles) :]
            added["number"] = added["first_number"] = number[new]
            added["seen"] = time
            added["born"] = added["edges"] = boxes[new]
            added["first_point"] = added["point"] = bottom_middles(boxes[new])
            added["ground"] = self._on_ground(boxes[new])
            self._set_anchor(added, time)
            self.vehicles = vehicles[np.argsort(vehicles["number"])]
        return np.searchsorted(self.vehicles["number"], number)

    def _see(self, row: Indices, time: float, tracks: Tracks, boxes: Floats) -> None:
        vehicle = self.vehicles[row]
        elapsed = time - vehicle["seen"]
        vehicle["unseen"] += np.where(elapsed > _SEEN_EVENLY_S, elapsed, 0.0)
        weight = 1 - np.exp(-elapsed / _SMOOTH_S)
        vehicle["edges"] += weight[:, None] * (boxes - vehicle["edges"])
        vehicle["ground"] = self._on_ground(vehicle["edges"])
        vehicle["point"], vehicle["seen"] = bottom_middles(boxes), time
        vehicle["sightings"] += 1
        vehicle["score"] += tracks.score
        vehicle["class_id"] = tracks.class_id
        self.vehicles[row] = vehicle

    def _judge(self, row: Indices, time: float) -> None:
        """Which of them still stand where they stood; who has been away for long stands anew."""
        vehicle, settings = self.vehicles[row], self._settings
        # Both opposite edges of a box move with a vehicle; when only one does, something hides it.
        change = vehicle["edges"] - vehicle["anchor"]
        opposite = change[:, _OPPOSITE]
        common = np.where(change * opposite > 0, np.minimum(np.abs(change), np.abs(opposite)), 0.0)
        boxes = np.hypot(common[:, 0], common[:, 1]) / box_sizes(vehicle["anchor"])
        metres = np.hypot(*(vehicle["ground"] - vehicle["anchor_ground"]).T)
        known = np.isfinite(metres)
        limit = np.where(known, settings.still_boxes, settings.drift_boxes)
        there = (boxes <= limit) | (known & (metres <= settings.drift_m))
        # Smoothed edges arrive later than the vehicle: the place is what they show a moment after the halt.
        early = vehicle["held"] - vehicle["since"] < settings.move_s
        vehicle["held"][there] = time
        settled = early & there & (time - vehicle["since"] >= settings.move_s)
        vehicle["anchor"][settled] = vehicle["edges"][settled]
        vehicle["anchor_ground"][settled] = vehicle["ground"][settled]
        vehicle["away"] = np.where(there, np.nan, np.fmin(vehicle["away"], time))
        # A stand that has hardly begun ends at once, so that the next one begins where the vehicle halts.
        gone = ~there & (early | (time - vehicle["away"] >= settings.move_s))
        if gone.any():
            moved = vehicle[gone]
            self._set_anchor(moved, time)
            vehicle[gone] = moved
        self.vehicles[row] = vehicle

    def _set_anchor(self, vehicle: Table, time: float) -> None:
        """Let vehicles (a view or copy of rows) stand anew where they are."""
        vehicle["first_number"] = vehicle["number"]
        vehicle["stand"] = self._stands + 1 + np.arange(len(vehicle))
        self._stands += len(vehicle)
        vehicle["anchor"], vehicle["anchor_ground"] = vehicle["edges"], vehicle["ground"]
        vehicle["since"] = vehicle["held"] = time
        vehicle["unseen"], vehicle["away"] = 0.0, np.nan

    def _reunite(self, row: Indices, time: float) -> None:
        """A vehicle that appeared where one stood until it was lost from sight is that one."""
        vehicles = self.vehicles
        seen = np.zeros(len(vehicles), np.bool_)
        seen[row] = True
        still = np.isnan(vehicles["away"])
        stood = vehicles["held"] - vehicles["since"]
        lost = np.flatnonzero(~seen & still & (stood > 2 * _SETTLED_S) & (vehicles["seen"] < time))
        fresh = vehicles["first_number"] == vehicles["number"]
        new = np.flatnonzero(seen & still & fresh & (stood >= _SETTLED_S) & (stood < self._settings.hidden_s))
        if not len(lost) or not len(new):
            return
        anchor, size = vehicles["anchor"][lost], box_sizes(vehicles["anchor"][lost])
        kind = vehicle_kind(vehicles["class_id"])
        alike = (kind[new][:, None] == kind[lost]) | (kind[new] < 0)[:, None] | (kind[lost] < 0)
        for boxes, place in ((vehicles["born"][new], 2 * _PLACE), (vehicles["edges"][new], _PLACE)):
            offset = box_middles(boxes)[:, None] - box_middles(anchor)
            alike &= np.hypot(offset[..., 0], offset[..., 1]) < place * size
        ratio = box_sizes(vehicles["edges"][new])[:, None] / size
        alike &= np.abs(np.log(ratio)) < _LIKE
        # One that was in the picture before the other was lost is another.
        alike &= vehicles["since"][new][:, None] > vehicles["seen"][lost]
        for i, j in np.argwhere(alike):
            self._continue(int(new[i]), int(lost[j]))

    def _continue(self, new: int, lost: int) -> None:
        """Give a new vehicle the stand of a lost one, which is then forgotten with the next frame."""
        vehicles = self.vehicles
        taken = vehicles["seen"][lost] == -np.inf or vehicles["first_number"][new] != vehicles["number"][new]
        if taken:
            return
        hidden = vehicles["since"][new] - vehicles["seen"][lost]
        vehicles["unseen"][new] += vehicles["unseen"][lost] + hidden
        for name in ("first_number", "stand", "anchor", "anchor_ground", "since"):
            vehicles[name][new] = vehicles[name][lost]
        for name in ("sightings", "score"):
            vehicles[name][new] += vehicles[name][lost]
        vehicles["seen"][lost], vehicles["stand"][lost] = -np.inf, 0

    def _on_ground(self, boxes: Floats) -> Floats:
        """Ground points ``[N, 2]`` in metres; NaN where they are not known."""
        if self._ground is None:
            return np.full((len(boxes), 2), np.nan)
        ground = self._ground.to_ground(bottom_middles(boxes) / self._size)
        ground[boxes[:, 3] >= self._size[1] * (1 - _CUT)] = np.nan
        return ground


def bottom_middles(boxes: Floats) -> Floats:
    """Middles ``[N, 2]`` of the lower edges of boxes ``[N, 4]``."""
    return np.stack(((boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]), axis=1)
