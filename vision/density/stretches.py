"""What an approach is on the picture and on the ground: its stop line, its stretch, and the axis along it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.calibration import GroundMap
from vision.errors import ViewError
from vision.geometry import clip_polygon, points_in_polygon, polygon_area
from vision.views import Approach, Gate, View, Zone

Floats = NDArray[np.float64]

LEAST_LENGTH_M = 5.0
"""A stretch shorter than this says nothing of density and speed."""

RIDER_M = 1.75
"""Height of a motorcycle with its rider in the picture, in metres across the picture where it stands: as
measured on boxes of 30 to 70 pixels of the sample clips, from cameras 7 m high."""

_STEEPEST = np.cos(np.radians(45))
"""Edges of a zone that lie within 45° of the gate's normal are taken as sides of the road."""


@dataclass(frozen=True, slots=True, eq=False)
class Road:
    """The ground of a stretch, in metres; ``s`` runs upstream from the stop line, ``across`` to its left.

    Attributes:
        origin: ``[2]``, a point on the stop line.
        upstream: ``[2]``, unit vector against the traffic.
        polygon: ``[K, 2]``, the zone as (s, across).
        length: from its beginning at the stop line to its end: area ÷ width.
        left: least ``across`` of the road.
        right: greatest ``across`` of the road.
        gate_s: where the gate lies; 0 or less where the stop line is before it.
        calibration: version of the calibration.
    """

    origin: Floats
    upstream: Floats
    polygon: Floats
    length: float
    left: float
    right: float
    gate_s: float
    calibration: str

    @property
    def width(self) -> float:
        """Width of the road in the zone."""
        return self.right - self.left

    def place(self, ground: Floats) -> Floats:
        """(s, across) ``[N, 2]`` of ground points ``[N, 2]``."""
        return _turned(ground - self.origin, self.upstream)


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """One approach of a view.

    Attributes:
        approach: its id.
        gate: where its vehicles are counted; None where there is none, or several and none is chosen.
        polygon: ``[K, 2]``, its zone in image fractions; None where there is none.
        road: the zone on the ground; None without calibration there, or without a gate.
        lanes: entering lanes, if known.
        width_m: width of the entering road in metres, if known or measured.
        free_speed: speed of a lone vehicle, m/s, if known.
        too_small: whether it has a zone, but vehicles in it are too small for the detector; it is left out.
    """

    approach: str
    gate: Gate | None
    polygon: Floats | None
    road: Road | None
    lanes: int | None = None
    width_m: float | None = None
    free_speed: float | None = None
    too_small: bool = False


def stretches_of(
    view: View, ground: GroundMap | None, size: tuple[int, int] = (16, 9), least_rider: float | None = None
) -> list[Stretch]:
    """The approaches of a view: those it lists, or else those that its gates and zones name.

    Args:
        view: the view.
        ground: the mapping to the ground.
        size: width and height of the picture in pixels.
        least_rider: height in pixels of the smallest riders that the detector finds; a stretch ends where
            they are smaller. None takes it to find all.

    Raises:
        ViewError: an approach has two zones.
    """
    zones: dict[str, Zone] = {}
    for zone in view.zones:
        if zone.kind != "approach":
            continue
        name = zone.approach or zone.id
        if name in zones:
            raise ViewError(
                f"zones {zones[name].id!r} and {zone.id!r} are both of the approach {name!r}; keep one"
            )
        zones[name] = zone
    named = dict.fromkeys([*zones, *(gate.approach for gate in view.gates if gate.approach)])
    known = {approach.id: approach for approach in view.approaches or ()}
    # Metres across the picture that its width may show for a rider to be as high as that.
    widest = None if least_rider is None else RIDER_M * size[0] / least_rider
    return [
        _stretch(view, name, zones.get(name), known.get(name), ground, widest) for name in {**known, **named}
    ]


def riders_at_gates(view: View, ground: GroundMap, size: tuple[int, int]) -> dict[str, float]:
    """Height in pixels of a motorcycle with its rider at the middle of each gate, where it is calibrated.

    Args:
        view: the view.
        ground: the mapping to the ground.
        size: width and height of the picture in pixels.
    """
    middles = np.array([np.mean(gate.line, axis=0) for gate in view.gates]).reshape(-1, 2)
    metres = np.hypot(*ground.scale_at(middles)[:, :, 0].T)  # that the picture's width shows there
    return {
        gate.id: RIDER_M * size[0] / float(across)
        for gate, across in zip(view.gates, metres, strict=True)
        if np.isfinite(across)
    }


def _stretch(
    view: View,
    name: str,
    zone: Zone | None,
    known: Approach | None,
    ground: GroundMap | None,
    widest: float | None,
) -> Stretch:
    gates = [gate for gate in view.gates if gate.approach == name]
    gate = view.stop_line(zone) if zone else None
    gate = gate or (gates[0] if len(gates) == 1 else None)
    polygon = np.asarray(zone.polygon, np.float64) if zone else None
    road = _road(polygon, gate, ground) if polygon is not None and gate and ground else None
    too_small = False
    if road is not None and ground is not None and widest is not None:
        road = _seen(road, ground, widest)
        too_small = road is None
        polygon = None if too_small else polygon
    width = known.width_m if known else None
    speed = known.free_speed_kmh if known else None
    return Stretch(
        name,
        gate,
        polygon,
        road,
        lanes=known.lanes if known else None,
        width_m=width or (road.width if road else None),
        free_speed=speed / 3.6 if speed else None,
        too_small=too_small,
    )


def _road(polygon: Floats, gate: Gate, ground: GroundMap) -> Road | None:
    """The zone on the ground, as far as the calibration holds; None where too little is left."""
    seen = ground.to_ground(_within(_dense(polygon), ground.valid_region))
    line = ground.to_ground(np.asarray(gate.line, np.float64))
    if len(seen) < 3 or not np.isfinite(seen).all() or not np.isfinite(line).all():
        return None
    upstream = _upstream(seen, line)
    gate_middle = line.mean(axis=0)
    placed = _turned(seen - gate_middle, upstream)
    # The queue begins at the stop line: where the zone ends toward the gate, or at the gate within the zone.
    near, far = np.percentile(placed[:, 0], (2, 98))
    stop = max(0.0, float(near))
    placed = clip_polygon(placed - [stop, 0], np.array([1.0, 0.0, 0.0]))
    if far - stop < LEAST_LENGTH_M or len(placed) < 3:
        return None
    placed = _plain(placed)
    left, right = _sides(placed)
    return Road(
        origin=gate_middle + stop * upstream,
        upstream=upstream,
        polygon=placed,
        length=polygon_area(placed) / (right - left),
        left=left,
        right=right,
        gate_s=-stop,
        calibration=ground.version,
    )


def _seen(road: Road, ground: GroundMap, widest: float) -> Road | None:
    """The road as far as the picture's width shows no more than so many metres; None for less than 5 m."""
    end = float(road.polygon[:, 0].max())
    s = np.arange(0.0, end, 0.5)
    middle = (road.left + road.right) / 2
    left = np.array([-road.upstream[1], road.upstream[0]])
    image = ground.to_image(road.origin + s[:, None] * road.upstream + middle * left)
    metres = np.hypot(*ground.scale_at(image)[:, :, 0].T)
    far = np.flatnonzero(~(metres <= widest))
    if not len(far):
        return road
    reach = float(s[far[0]])
    polygon = clip_polygon(road.polygon, np.array([-1.0, 0.0, reach]))
    if reach < LEAST_LENGTH_M or len(polygon) < 3:
        return None
    return replace(road, polygon=polygon, length=polygon_area(polygon) / road.width)


def _within(polygon: Floats, region: Floats) -> Floats:
    """A polygon cut down to a region: exactly where the region is convex, else only if it lies inside."""
    if points_in_polygon(polygon, region).all():
        return polygon
    edge = np.roll(region, -1, axis=0) - region
    bend = edge[:, 0] * np.roll(edge[:, 1], -1) - edge[:, 1] * np.roll(edge[:, 0], -1)
    if (bend > 0).any() and (bend < 0).any():
        return np.zeros((0, 2))
    turn = 1.0 if bend.sum() > 0 else -1.0
    for corner, (x, y) in zip(region, edge, strict=True):
        normal = turn * np.array([-y, x])
        # A hair inside, so that every corner is surely valid.
        polygon = clip_polygon(polygon, np.array([*normal, -normal @ corner - 1e-6 * np.hypot(x, y)]))
        if not len(polygon):
            break
    return polygon


def _dense(polygon: Floats, parts: int = 8) -> Floats:
    """A polygon ``[K, 2]`` with each edge in parts, since a lens bends straight edges."""
    step = (np.roll(polygon, -1, axis=0) - polygon)[:, None] * (np.arange(parts) / parts)[:, None]
    return np.asarray((polygon[:, None] + step).reshape(-1, 2))


def _plain(polygon: Floats) -> Floats:
    """A polygon in metres without the corners that make no difference."""
    corners = polygon.astype(np.float32)[:, None]
    return np.asarray(cv2.approxPolyDP(corners, 0.05, True)[:, 0], np.float64)


def _upstream(zone: Floats, line: Floats) -> Floats:
    """Unit vector against the traffic: the sides of the zone, or the gate's normal where it has none such."""
    vector = line[1] - line[0]
    normal = np.array([-vector[1], vector[0]]) / np.hypot(*vector)
    if (zone.mean(axis=0) - line.mean(axis=0)) @ normal < 0:
        normal = -normal
    edge = np.roll(zone, -1, axis=0) - zone
    edge *= np.where(edge @ normal < 0, -1, 1)[:, None]
    sides = edge[edge @ normal > _STEEPEST * np.hypot(edge[:, 0], edge[:, 1])]
    axis = sides.sum(axis=0) if len(sides) else normal
    return np.asarray(axis / np.hypot(*axis))


def _turned(points: Floats, upstream: Floats) -> Floats:
    return np.stack((points @ upstream, points @ np.array([-upstream[1], upstream[0]])), axis=1)


def _sides(polygon: Floats) -> tuple[float, float]:
    """Median sides of a polygon of (s, across), over slices across it."""
    low, high = polygon[:, 0].min(), polygon[:, 0].max()
    following = np.roll(polygon, -1, axis=0)
    sides = []
    for s in low + (high - low) * (np.arange(20) + 0.5) / 20:
        cut = (polygon[:, 0] > s) != (following[:, 0] > s)
        start, end = polygon[cut], following[cut]
        across = start[:, 1] + (end[:, 1] - start[:, 1]) * (s - start[:, 0]) / (end[:, 0] - start[:, 0])
        sides.append((across.min(), across.max()))
    left, right = np.median(sides, axis=0)
    return float(left), float(right)
