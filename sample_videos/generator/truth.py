"""The truth of a run, from the simulator's positions alone: crossings, movements, figures by minute.

Nothing here uses ngatu's own estimators. Two bases are kept apart: `ground` is the centre of the vehicle's
footprint against the counting line on the road; `box` is the bottom centre of its full box against the line
in the picture.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import layout
from .bank import SpriteModel
from .camera import Camera
from .traffic import Trajectories

CLASSES = ("bicycle", "motorcycle", "car", "bus", "truck")
STANDING = 5.0 / 3.6  # m/s: slower counts as standing
CHAIN_GAP = 8.0  # m: a larger gap ends the queue


@dataclass(frozen=True, slots=True)
class Crossing:
    """One vehicle over one gate."""

    basis: str
    gate: str
    direction: str
    time: float  # seconds from the first frame
    vehicle: int
    class_id: int
    x: float  # where: metres for `ground`, fractions of the picture for `box`
    y: float


def visible_gates(camera: Camera) -> dict[str, NDArray[np.float64]]:
    """The gates whose two ends lie in the picture: fractions of width and height."""
    gates = {}
    for arm in layout.ARMS:
        line = layout.gate_line(arm)
        uv, depth = camera.project(np.column_stack([line, np.zeros(2)]))
        f = uv / [camera.width, camera.height]
        if depth.min() > 2 and f.min() > 0.0 and f.max() < 1.0:
            gates[arm] = f
    return gates


def drawn_gates(camera: Camera) -> dict[str, NDArray[np.float64]]:
    """The same a little longer at each end, as they are drawn in the view.

    The bottom middle of a box seen obliquely is nearer to the camera than the middle of its vehicle: of those
    that drive along the kerb it passes beside a gate that ends there.
    """
    return {
        arm: np.clip(line + 0.04 * (line - line[::-1]), 0, 1) for arm, line in visible_gates(camera).items()
    }


def zone_length(camera: Camera, arm: str) -> float:
    """How far back from the stop line the entering lanes are in view, in whole metres (at most 60)."""
    best = 0.0
    for length in range(1, 61):
        uv, depth = camera.project(np.column_stack([layout.zone(arm, length), np.zeros(4)]))
        if depth.min() < 2 or uv.min() < 0 or uv[:, 0].max() > camera.width or uv[:, 1].max() > camera.height:
            break
        best = float(length)
    return best


def _passes(
    path: NDArray[np.float64], line: NDArray[np.float64]
) -> list[tuple[float, int, NDArray[np.float64]]]:
    """Where a path crosses a segment: (index with fraction, +1 left to right or -1, point).

    Left is as seen along the line with y up; for pictures (y down) the caller turns the sign of y.
    """
    d = line[1] - line[0]
    side = d[0] * (path[:, 1] - line[0, 1]) - d[1] * (path[:, 0] - line[0, 0])  # > 0 left
    out = []
    for i in np.flatnonzero((side[:-1] > 0) != (side[1:] > 0)):
        t = side[i] / (side[i] - side[i + 1])
        p = path[i] + t * (path[i + 1] - path[i])
        s = float((p - line[0]) @ d / (d @ d))
        if 0 <= s <= 1:
            out.append((float(i + t), 1 if side[i] > 0 else -1, p))
    return out


def box_anchor(
    camera: Camera, hull: NDArray[np.float64], x: NDArray[Any], y: NDArray[Any], heading: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Full boxes [n, 4] in pixels and the least depth [n] of one vehicle along its path."""
    c, s = np.cos(heading)[:, None], np.sin(heading)[:, None]
    px = x[:, None] + c * hull[:, 0] - s * hull[:, 1]
    py = y[:, None] + s * hull[:, 0] + c * hull[:, 1]
    pz = np.broadcast_to(hull[:, 2], px.shape)
    uv, depth = camera.project(np.stack([px, py, pz], -1).reshape(-1, 3))
    uv, depth = uv.reshape(*px.shape, 2), depth.reshape(px.shape)
    return np.concatenate([uv.min(1), uv.max(1)], 1), depth.min(1)


def crossings(run: Trajectories, camera: Camera, hulls: dict[str, NDArray[np.float64]]) -> list[Crossing]:
    """Every crossing of the gates that the camera sees, on both bases, in order of time."""
    gates = drawn_gates(camera)
    facts = {r["vehicle"]: r for r in run.vehicles.to_pylist()}
    out: list[Crossing] = []
    order = np.lexsort((run.frame, run.vehicle))
    starts = np.flatnonzero(np.diff(run.vehicle[order], prepend=-1))
    size = np.array([camera.width, camera.height])
    for a, b in zip(starts, np.append(starts[1:], len(order)), strict=True):
        rows = order[a:b]
        number = int(run.vehicle[rows[0]])
        fact = facts[number]
        t0 = int(run.frame[rows[0]]) / run.fps
        ground = np.column_stack([run.x[rows], run.y[rows]]).astype(float)
        near = np.hypot(ground[:, 0], ground[:, 1]) < 35  # gates are within 15 m of the middle
        if near.sum() < 2:
            continue
        close = rows[near]
        boxes, depth = box_anchor(
            camera, hulls[fact["model"]], run.x[close], run.y[close], run.heading[close]
        )
        anchor = np.full((len(rows), 2), np.nan)
        anchor[near] = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]]) / size
        anchor[np.flatnonzero(near)[depth < 2]] = np.nan
        for gate, line in gates.items():
            for k, sign, p in _passes(ground, layout.gate_line(gate)):
                out.append(
                    Crossing(
                        "ground",
                        gate,
                        "in" if sign > 0 else "out",
                        t0 + k / run.fps,
                        number,
                        fact["class_id"],
                        float(p[0]),
                        float(p[1]),
                    )
                )
            flip = np.array([1, -1])
            with np.errstate(invalid="ignore"):
                for k, sign, p in _passes(anchor * flip, line * flip):
                    out.append(
                        Crossing(
                            "box",
                            gate,
                            "in" if sign > 0 else "out",
                            t0 + k / run.fps,
                            number,
                            fact["class_id"],
                            float(p[0]),
                            float(-p[1]),
                        )
                    )
    return sorted(out, key=lambda c: (c.time, c.vehicle, c.basis))


def movements(run: Trajectories, events: list[Crossing], basis: str = "ground") -> list[dict[str, Any]]:
    """One row for each vehicle that crossed a gate: entry, exit, turn; null where the clip cut it off."""
    rows: dict[int, dict[str, Any]] = {}
    facts = {r["vehicle"]: r for r in run.vehicles.to_pylist()}
    for e in events:
        if e.basis != basis:
            continue
        row = rows.setdefault(
            e.vehicle,
            {
                "vehicle": e.vehicle,
                "class": CLASSES[e.class_id],
                "from": None,
                "to": None,
                "turn": None,
                "time_in": None,
                "time_out": None,
                "driven_from": facts[e.vehicle]["origin"],
                "driven_to": facts[e.vehicle]["target"],
            },
        )
        if e.direction == "in":
            row["from"], row["time_in"] = e.gate, e.time
        else:
            row["to"], row["time_out"] = e.gate, e.time
    for row in rows.values():
        if row["from"] and row["to"]:
            row["turn"] = layout.turn(row["from"], row["to"])
    return sorted(rows.values(), key=lambda r: r["time_in"] if r["time_in"] is not None else r["time_out"])


def minutes(
    run: Trajectories,
    camera: Camera,
    events: list[Crossing],
    start: dt.datetime,
    duration: float,
    bin_seconds: float = 60.0,
) -> list[dict[str, Any]]:
    """Flow, density, space-mean speed (Edie), occupancy and queue by clock bin, approach and class."""
    facts = {r["vehicle"]: r for r in run.vehicles.to_pylist()}
    number = run.vehicle
    known = np.unique(number)
    lookup = np.searchsorted(known, number)
    class_of = np.array([facts[int(v)]["class_id"] for v in known])[lookup]
    length = np.array([facts[int(v)]["length"] for v in known])[lookup]
    width = np.array([facts[int(v)]["width"] for v in known])[lookup]
    points = np.column_stack([run.x, run.y]).astype(float)
    offset = start.timestamp() % bin_seconds
    clock = run.frame / run.fps + offset  # rises from row to row, so that a bin is a stretch of rows
    dt_frame = 1.0 / run.fps
    gates = visible_gates(camera)
    counts = Counter(
        (e.gate, int((e.time + offset) // bin_seconds), name, e.direction)
        for e in events
        if e.basis == "ground"
        for name in ("all", CLASSES[e.class_id])
    )
    out = []
    for arm in layout.ARMS:
        a = layout.ARM[arm]
        reach = zone_length(camera, arm)
        along, across = a.along(points)
        inside = (along >= a.stop) & (along < a.stop + reach) & (across >= 0) & (across <= a.half)
        covered = _covered(a, reach, along, across, run.heading, length, width)
        queue = queues(a, along, across, run, length)
        for k in range(int(np.ceil((offset + duration) / bin_seconds))):
            low, high = k * bin_seconds, (k + 1) * bin_seconds
            seconds = min(high, offset + duration) - max(low, offset)
            if seconds <= 1e-9:
                continue
            rows = slice(*np.searchsorted(clock, [low - 1e-9, high - 1e-9]))
            begin = start + dt.timedelta(seconds=max(low, offset) - offset)
            q_rows = [q for q in queue if low <= q[0] + offset < high]
            for class_name in ("all", *CLASSES):
                of_class = np.ones(rows.stop - rows.start, np.bool_)
                if class_name != "all":
                    of_class = class_of[rows] == CLASSES.index(class_name)
                chosen = inside[rows] & of_class
                spent = float(chosen.sum()) * dt_frame
                driven = float(run.speed[rows][chosen].sum()) * dt_frame
                count = {d: counts[arm, k, class_name, d] for d in ("in", "out")}
                gated = arm in gates
                row: dict[str, Any] = {
                    "start": begin,
                    "seconds": seconds,
                    "approach": arm,
                    "class": class_name,
                    "count_in": count["in"] if gated else None,
                    "count_out": count["out"] if gated else None,
                    "flow_per_hour": count["in"] / seconds * 3600 if gated else None,
                    "zone_m": reach if reach >= 5 else None,
                    "density_per_km": None,
                    "speed_kmh": None,
                    "edie_flow_per_hour": None,
                    "area_occupancy": None,
                    "queue_max_m": None,
                    "queue_mean_m": None,
                    "queue_max_vehicles": None,
                }
                if reach >= 5:
                    row["density_per_km"] = spent / (reach * seconds) * 1000
                    row["edie_flow_per_hour"] = driven / (reach * seconds) * 3600
                    row["speed_kmh"] = driven / spent * 3.6 if spent else None
                    area = float(covered[rows][of_class].sum())
                    row["area_occupancy"] = area * dt_frame / (reach * a.half * seconds)
                if class_name == "all" and q_rows:
                    row["queue_max_m"] = max(q[1] for q in q_rows)
                    row["queue_mean_m"] = sum(q[1] for q in q_rows) / len(q_rows)
                    row["queue_max_vehicles"] = max(q[2] for q in q_rows)
                out.append(row)
    return out


def _covered(
    a: layout.Arm,
    reach: float,
    along: NDArray[np.float64],
    across: NDArray[np.float64],
    heading: NDArray[Any],
    length: NDArray[Any],
    width: NDArray[Any],
) -> NDArray[np.float64]:
    """Square metres of each footprint that lie in the zone (by 15 sample points)."""
    area = np.zeros(len(along))
    ox, oy = a.outward
    sx, sy = a.entry_side
    c, s = np.cos(heading), np.sin(heading)
    d_along, d_across = c * ox + s * oy, c * sx + s * sy
    w_along, w_across = -s * ox + c * oy, -s * sx + c * sy
    for u in (-0.4, -0.2, 0.0, 0.2, 0.4):
        for v in (-1 / 3, 0.0, 1 / 3):
            p = along + u * length * d_along + v * width * w_along
            q = across + u * length * d_across + v * width * w_across
            area += ((p >= a.stop) & (p < a.stop + reach) & (q >= 0) & (q <= a.half)) / 15.0
    return np.asarray(area * length * width)


def queues(
    a: layout.Arm,
    along: NDArray[np.float64],
    across: NDArray[np.float64],
    run: Trajectories,
    length: NDArray[Any],
) -> list[tuple[float, float, int]]:
    """Each second: (seconds, length in m, vehicles) of the standing chain at the stop line."""
    out = []
    step = max(1, round(run.fps))
    standing = (run.speed < STANDING) & (across >= -0.5) & (across <= a.half + 0.5) & (along > a.stop - 3)
    starts = np.searchsorted(run.frame, np.arange(0, int(run.frame.max()) + 2))
    for frame in range(0, int(run.frame.max()) + 1, step):
        rows = np.arange(starts[frame], starts[frame + 1])
        rows = rows[standing[rows]]
        front = along[rows] - length[rows] / 2 - a.stop
        rear = along[rows] + length[rows] / 2 - a.stop
        end, count = 0.0, 0
        for i in np.argsort(front):
            if front[i] > end + CHAIN_GAP:
                break
            end, count = max(end, float(rear[i])), count + 1
        out.append((frame / run.fps, end if count else 0.0, count))
    return out


def hulls_of(bank: dict[str, SpriteModel]) -> dict[str, NDArray[np.float64]]:
    """The hull of every model."""
    return {name: model.hull for name, model in bank.items()}
