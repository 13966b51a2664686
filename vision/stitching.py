"""Stitching: gives a vehicle back its number when the tracker lost it and began anew.

Whatever tracker is used, ids break: in the very frame of a crossing, behind a bus, again and again while a
vehicle stands. A new id is taken for a vehicle that has just vanished when place, speed, size and class
agree. The result feeds counting, so that a broken track is still one vehicle.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vision.geometry import box_containment, box_middles, box_sizes
from vision.types import Tracks, vehicle_kind, with_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Stitcher:
    """Gives each track the number of its vehicle, one frame after the other.

    Args:
        size: width and height of the picture in pixels.
        patience: seconds for which a vanished vehicle may come back under another id.
    """

    def __init__(self, size: tuple[int, int], patience: float = 2.0) -> None:
        self.size = size
        self.patience = patience
        self._next_number = 1
        # One row a remembered track, ordered by its id.
        self._known = np.zeros(
            0,
            [
                ("id", np.int64),
                ("number", np.int64),
                ("box", np.float64, 4),
                ("speed", np.float64, 2),  # of the box's middle, px/s
                ("seen", np.float64),
                ("class_id", np.int8),
            ],
        )

    def update(self, time: float, tracks: Tracks) -> NDArray[np.int64]:
        """The vehicle numbers ``int64[N]`` of one frame's tracks: 1, 2, 3 ... in order of appearance."""
        late = self._known["seen"] < time - self.patience
        if late.any():
            self._known = self._known[~late]
        boxes = tracks.xyxy.astype(np.float64)
        row = self._rows(tracks.track_id)
        new = np.flatnonzero(row < 0)
        if len(new):
            self._admit(time, tracks, boxes, new, row[row >= 0])
            row = self._rows(tracks.track_id)
        known = self._known
        elapsed = (time - known["seen"][row])[:, None]
        moved = box_middles(boxes) - box_middles(known["box"][row])
        weight = 1 - np.exp(-elapsed / 0.25)
        known["speed"][row] += weight * (moved / np.maximum(elapsed, 1e-6) - known["speed"][row])
        known["box"][row], known["seen"][row], known["class_id"][row] = boxes, time, tracks.class_id
        return np.asarray(known["number"][row])

    def _rows(self, ids: NDArray[np.int64]) -> Indices:
        """Row of each id, -1 where it is not known."""
        known = self._known["id"]
        if not len(known):
            return np.full(len(ids), -1)
        row = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        return np.where(known[row] == ids, row, -1)

    def _admit(self, time: float, tracks: Tracks, boxes: Floats, new: Indices, present: Indices) -> None:
        """Add new ids, each under the number of the vanished vehicle it continues or under a new one."""
        vanished = np.ones(len(self._known), np.bool_)
        vanished[present] = False
        gone = np.flatnonzero(vanished & ~self._left_the_picture())
        i, j = self._match(time, boxes[new], tracks.class_id[new], gone)
        # A continued vehicle keeps what is remembered of it; only its id changes.
        self._known["id"][gone[j]] = tracks.track_id[new[i]]
        fresh = np.delete(new, i) if len(i) else new
        known = with_rows(self._known, len(fresh))
        added = known[len(self._known) :]
        added["id"], added["box"], added["seen"] = tracks.track_id[fresh], boxes[fresh], time
        added["number"] = np.arange(self._next_number, self._next_number + len(fresh))
        self._next_number += len(fresh)
        self._known = known[np.argsort(known["id"])]

    def _left_the_picture(self) -> NDArray[np.bool_]:
        """Which vehicles drove out at the edge: who appears there next is another."""
        outward = np.array([-1, -1, 1, 1])
        speed, box = self._known["speed"], self._known["box"]
        leaving = np.concatenate((speed, speed), axis=1) * outward > 0
        border = np.array([0, 0, *self.size])
        touching = (box - border) * outward > -0.01 * max(self.size)
        return np.asarray((leaving & touching).any(axis=1))

    def _match(
        self, time: float, boxes: Floats, class_id: NDArray[np.int8], gone: Indices
    ) -> tuple[Indices, Indices]:
        """Which new boxes continue which vanished vehicles, as indices into both."""
        if not len(gone) or not len(boxes):
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        lost = self._known[gone]
        gap = time - lost["seen"]
        travel = lost["speed"] * gap[:, None]
        predicted = lost["box"] + np.concatenate((travel, travel), axis=1)
        new_size, old_size = box_sizes(boxes)[:, None], box_sizes(predicted)
        size = np.sqrt(new_size * old_size)
        offset = box_middles(boxes)[:, None] - box_middles(predicted)
        # A hidden vehicle may have braked or sped up: it is looked for along its way more than beside it.
        way = np.hypot(travel[:, 0], travel[:, 1])
        heading = travel / np.maximum(way, 1e-6)[:, None]
        ahead = (offset * heading).sum(axis=2) / size
        beside = np.sqrt(np.maximum((offset**2).sum(axis=2) / size**2 - ahead**2, 0))
        way = way / size
        near = (ahead > -0.5 - 0.5 * way) & (ahead < 0.5 + 0.3 * way) & (beside < 0.5 + 0.15 * way)
        distance = np.hypot(ahead / (1 + 0.4 * way), beside)
        alike = near & (np.abs(np.log(new_size / old_size)) < 0.6)
        new_kind, old_kind = vehicle_kind(class_id)[:, None], vehicle_kind(lost["class_id"])
        compatible = (new_kind == old_kind) | (new_kind < 0) | (old_kind < 0)
        # A box that flips between a lorry's cab and its whole length lies inside the other.
        inside = box_containment(boxes, predicted) > 0.8
        flipped = inside & (new_kind == 0) & (old_kind == 0) & (gap < 0.5)
        possible = compatible & (alike | flipped)
        i, j = linear_sum_assignment(np.where(possible, distance + gap, 1e3))
        real = possible[i, j]
        return i[real], j[real]
