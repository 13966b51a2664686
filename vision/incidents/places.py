"""Where incidents can be: the no-stop zones, the junction, and where a signal makes vehicles wait."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.geometry import points_in_polygon
from vision.incidents.records import JUNCTION
from vision.views import View

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """A polygon ``[K, 2]`` in pixels and its name."""

    name: str
    polygon: Floats

    def holds(self, points: Floats) -> Flags:
        """Which points ``[N, 2]`` lie in it."""
        return points_in_polygon(points, self.polygon)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The areas of a view that matter to incidents.

    Attributes:
        no_stop: the no-stop zones.
        junction: the inside of the junction; None where the view does not tell.
        approaches: the zones of the approaches.
    """

    no_stop: list[Area]
    junction: Area | None
    approaches: list[Area]

    def at_signal(self, points: Floats) -> Flags:
        """Where a signal may make vehicles wait, ``[N]``: in approach zones, else outside the junction."""
        if self.approaches:
            return np.asarray(np.any([zone.holds(points) for zone in self.approaches], axis=0), np.bool_)
        return ~self.junction.holds(points) if self.junction else np.ones(len(points), np.bool_)


def places_of(view: View, size: tuple[int, int], share: float) -> Places:
    """The places of a view in pixels of a picture of ``size``.

    The junction lies between the gates that belong to an approach or a movement; with fewer than three such
    gates there is none. A no-stop zone that covers its middle is the junction; otherwise it is the gates'
    convex hull, ``share`` times as large about its middle.
    """
    zones = {
        kind: [
            Area(zone.id, np.asarray(zone.polygon, np.float64) * size)
            for zone in view.zones
            if zone.kind == kind
        ]
        for kind in ("no_stop", "approach")
    }
    used = {end for movement in view.movements for end in (movement.origin, movement.destination)}
    arms = np.array([gate.id in used or gate.approach is not None for gate in view.gates])
    junction = None
    if arms.sum() >= 3:
        ends = view.gate_lines(size)[arms].reshape(-1, 2)
        hull = cv2.convexHull(ends.astype(np.float32))[:, 0].astype(np.float64)
        middle = ends.mean(axis=0)
        drawn = [zone for zone in zones["no_stop"] if zone.holds(middle[None]).all()]
        junction = drawn[0] if drawn else Area(JUNCTION, middle + share * (hull - middle))
    return Places(zones["no_stop"], junction, zones["approach"])
