"""Traffic from SUMO: network, demand, a run with the sublane model, trajectories (needs eclipse-sumo)."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from . import layout, vehicles

CLASS_SHARE = {
    vehicles.MOTORCYCLE: 0.775,
    vehicles.CAR: 0.150,
    vehicles.BUS: 0.015,
    vehicles.TRUCK: 0.03,
    vehicles.BICYCLE: 0.030,
}
TURN_SHARE = {"right": 0.17, "through": 0.64, "left": 0.17, "u_turn": 0.02}
ARM_SHARE = {"N": 0.20, "E": 0.31, "S": 0.20, "W": 0.29}

_DRIVING = {
    vehicles.MOTORCYCLE: {
        "vClass": "motorcycle",
        "accel": 2.6,
        "decel": 3.5,
        "sigma": 0.4,
        "tau": 0.7,
        "minGap": 0.6,
        "minGapLat": 0.22,
        "maxSpeedLat": 1.2,
        "maxSpeed": 13.0,
        "speedFactor": "normc(0.85,0.12,0.55,1.2)",
        "lcPushy": 0.4,
        "lcAssertive": 2.0,
        "lcSublane": 3.0,
        "latAlignment": "arbitrary",
        "jmTimegapMinor": 0.2,
        "impatience": 0.9,
    },
    vehicles.BICYCLE: {
        "vClass": "bicycle",
        "accel": 1.0,
        "decel": 2.5,
        "sigma": 0.5,
        "tau": 0.8,
        "minGap": 0.6,
        "minGapLat": 0.3,
        "maxSpeedLat": 0.6,
        "maxSpeed": 4.2,
        "speedFactor": "normc(0.9,0.1,0.6,1.2)",
        "latAlignment": "right",
        "jmTimegapMinor": 0.3,
        "impatience": 0.9,
    },
    vehicles.CAR: {
        "vClass": "passenger",
        "accel": 2.0,
        "decel": 3.5,
        "sigma": 0.4,
        "tau": 1.0,
        "minGap": 1.2,
        "minGapLat": 0.45,
        "maxSpeedLat": 0.8,
        "maxSpeed": 14.0,
        "speedFactor": "normc(0.85,0.1,0.6,1.1)",
        "lcSublane": 1.0,
        "jmTimegapMinor": 0.5,
        "impatience": 0.8,
    },
    vehicles.BUS: {
        "vClass": "bus",
        "accel": 1.0,
        "decel": 2.8,
        "sigma": 0.4,
        "tau": 1.2,
        "minGap": 1.5,
        "minGapLat": 0.45,
        "maxSpeedLat": 0.5,
        "maxSpeed": 11.0,
        "speedFactor": "normc(0.8,0.05,0.6,1.0)",
        "impatience": 0.6,
    },
    vehicles.TRUCK: {
        "vClass": "truck",
        "accel": 1.1,
        "decel": 2.8,
        "sigma": 0.4,
        "tau": 1.2,
        "minGap": 1.5,
        "minGapLat": 0.45,
        "maxSpeedLat": 0.5,
        "maxSpeed": 12.0,
        "speedFactor": "normc(0.8,0.08,0.6,1.0)",
        "impatience": 0.6,
    },
}


@dataclass(frozen=True, slots=True)
class Demand:
    """How much traffic: vehicles per hour over all arms, constant or with an evening peak in the middle."""

    per_hour: float = 5600.0
    peak: float = 1.0  # factor at the middle of the run

    def rate(self, t: float, duration: float) -> float:
        """Vehicles per second at a time of the run."""
        bump = np.exp(-0.5 * ((t / max(duration, 1.0) - 0.5) / 0.16) ** 2)
        return self.per_hour / 3600.0 * (1.0 + (self.peak - 1.0) * float(bump))


@dataclass(slots=True)
class Trajectories:
    """Every vehicle of a run: who it is, and where its footprint's centre is at every step."""

    fps: float
    start: float  # seconds of the signal plan at frame 0
    vehicles: pa.Table  # vehicle, model, class_id, origin, target, length, width, look
    frame: NDArray[np.int32]
    vehicle: NDArray[np.int32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    heading: NDArray[np.float32]  # radians from +x
    speed: NDArray[np.float32]  # m/s

    def save(self, folder: Path) -> None:
        """Write two parquet files."""
        folder.mkdir(parents=True, exist_ok=True)
        meta = {b"fps": str(self.fps).encode(), b"start": str(self.start).encode()}
        steps = pa.table({k: getattr(self, k) for k in ("frame", "vehicle", "x", "y", "heading", "speed")})
        pq.write_table(steps.replace_schema_metadata(meta), folder / "steps.parquet", compression="zstd")
        pq.write_table(self.vehicles, folder / "vehicles.parquet", compression="zstd")

    @classmethod
    def read(cls, folder: Path) -> Trajectories:
        """Read what `save` wrote."""
        steps = pq.read_table(folder / "steps.parquet")
        meta = steps.schema.metadata
        columns = {k: steps[k].to_numpy() for k in ("frame", "vehicle", "x", "y", "heading", "speed")}
        return cls(
            float(meta[b"fps"]), float(meta[b"start"]), pq.read_table(folder / "vehicles.parquet"), **columns
        )


def _tool(name: str) -> str:
    import sumo  # type: ignore[import-not-found,unused-ignore]

    return str(Path(sumo.SUMO_HOME) / "bin" / name)


def _network(folder: Path) -> Path:
    corners = []
    for arm in ("N", "E", "S", "W"):
        a = layout.ARM[arm]
        corners += [a.point(a.stop, a.half), a.point(a.stop, -a.half)]
    order = sorted(corners, key=lambda p: -np.arctan2(p[1], p[0]))
    shape = " ".join(f"{x:.2f},{y:.2f}" for x, y in order)
    nodes = [f'<node id="C" x="0" y="0" type="traffic_light" tl="C" shape="{shape}"/>']
    edges, connections = [], []
    for arm, a in layout.ARM.items():
        x, y = a.point(layout.ARM_LENGTH, 0)
        nodes.append(f'<node id="{arm}" x="{x}" y="{y}" type="priority"/>')
        common = f'numLanes="{a.lanes}" width="{layout.LANE}" speed="12.5" priority="2"'
        edges.append(f'<edge id="{arm}_in" from="{arm}" to="C" {common}/>')
        edges.append(f'<edge id="{arm}_out" from="C" to="{arm}" {common}/>')
        top = a.lanes - 1
        for turn in layout.TURNS:
            target = layout.destination(arm, turn)
            b = layout.ARM[target]
            if turn == "through":
                for lane in range(a.lanes):
                    connections.append((arm, target, lane, lane))
            elif turn == "right":
                connections.append((arm, target, 0, 0))
            else:
                connections.append((arm, target, top, b.lanes - 1))
    lines = "".join(
        f'<connection from="{o}_in" to="{t}_out" fromLane="{i}" toLane="{j}"/>' for o, t, i, j in connections
    )
    (folder / "j.nod.xml").write_text("<nodes>" + "".join(nodes) + "</nodes>")
    (folder / "j.edg.xml").write_text("<edges>" + "".join(edges) + "</edges>")
    (folder / "j.con.xml").write_text("<connections>" + lines + "</connections>")
    net = folder / "j.net.xml"
    subprocess.run(
        [
            _tool("netconvert"),
            "-n",
            str(folder / "j.nod.xml"),
            "-e",
            str(folder / "j.edg.xml"),
            "-x",
            str(folder / "j.con.xml"),
            "-o",
            str(net),
            "--offset.disable-normalization",
            "--no-internal-links",
            "false",
            "--junctions.internal-link-detail",
            "16",
            "--junctions.limit-turn-speed",
            "4.0",
            "--no-warnings",
        ],
        check=True,
        capture_output=True,
    )
    return net


def _signals(net: Path, folder: Path) -> Path:
    """Write the signal plan over the links in the order that netconvert gave them."""
    import xml.etree.ElementTree as ET

    links: dict[int, tuple[str, str]] = {}
    for c in ET.parse(net).getroot().iter("connection"):  # noqa: S314
        if c.get("tl"):
            links[int(c.get("linkIndex", "0"))] = (c.get("from", "")[0], c.get("to", "")[0])
    phases = []
    for street, seconds in (("EW", layout.GREEN_EW), ("NS", layout.GREEN_NS)):
        green = "".join(
            ("g" if layout.turn(*links[i]) in ("left", "u_turn") else "G") if links[i][0] in street else "r"
            for i in sorted(links)
        )
        phases += [
            (seconds, green),
            (layout.YELLOW, green.replace("G", "y").replace("g", "y")),
            (layout.ALL_RED, "r" * len(links)),
        ]
    body = "".join(f'<phase duration="{d}" state="{s}"/>' for d, s in phases)
    path = folder / "j.tls.xml"
    path.write_text(
        f'<additional><tlLogic id="C" type="static" programID="plan" offset="0">{body}</tlLogic></additional>'
    )
    return path


def _demand(
    folder: Path, demand: Demand, duration: float, rng: np.random.Generator
) -> tuple[Path, dict[str, tuple[str, str, str]]]:
    catalogue = {n: v for n, v in vehicles.catalogue().items() if v[1] > 0}
    sizes = model_sizes(tuple(catalogue))
    lines = ["<routes>"]
    for name, (class_id, _) in catalogue.items():
        length, width = sizes[name]
        attributes = {
            "id": name,
            "length": f"{length:.2f}",
            "width": f"{min(width, 2.5):.2f}",
            **_DRIVING[class_id],
        }
        lines.append("<vType " + " ".join(f"{k}={quoteattr(str(v))}" for k, v in attributes.items()) + "/>")
    names = list(catalogue)
    weights = np.array([CLASS_SHARE[catalogue[n][0]] * catalogue[n][1] for n in names])
    weights /= weights.sum()
    facts: dict[str, tuple[str, str, str]] = {}
    t, k = 0.0, 0
    while True:
        t += rng.exponential(1.0 / demand.rate(t, duration))
        if t >= duration:
            break
        name = names[int(rng.choice(len(names), p=weights))]
        origin = str(rng.choice(list(ARM_SHARE), p=list(ARM_SHARE.values())))
        turn = str(rng.choice(list(TURN_SHARE), p=list(TURN_SHARE.values())))
        if turn in ("left", "u_turn") and catalogue[name][0] == vehicles.BICYCLE:
            turn = "through"  # cyclists cross in two stages; nobody lets them through
        if turn == "u_turn" and catalogue[name][0] in (vehicles.BUS, vehicles.TRUCK):
            turn = "through"
        target = layout.destination(origin, turn)
        k += 1
        facts[str(k)] = (name, origin, target)
        lines.append(
            f'<vehicle id="{k}" type="{name}" depart="{t:.2f}" departLane="best" departSpeed="desired" '
            f'departPosLat="random"><route edges="{origin}_in {target}_out"/></vehicle>'
        )
    lines.append("</routes>")
    path = folder / "j.rou.xml"
    path.write_text("\n".join(lines))
    return path, facts


def model_sizes(names: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """Length and width of the models (mirrors of cars and trucks left out of the width)."""
    out = {}
    for name in names:
        model = vehicles.build(name)
        low, high = model.mesh.bounds()
        mirrors = {vehicles.CAR: 0.30, vehicles.BUS: 0.36, vehicles.TRUCK: 0.45}.get(model.class_id, 0.0)
        out[name] = (float(high[0] - low[0]), float(high[1] - low[1]) - mirrors)
    return out


def simulate(
    folder: Path, demand: Demand, warm_up: float, duration: float, fps: float, seed: int
) -> Trajectories:
    """Run SUMO and return the trajectories of [warm_up, warm_up + duration), smoothed, at `fps`."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    net = _network(folder)
    plan = _signals(net, folder)
    pad = 2.0
    end = warm_up + duration + pad
    routes, facts = _demand(folder, demand, end, rng)
    out = folder / "fcd.parquet"
    step = 1.0 / fps
    subprocess.run(
        [
            _tool("sumo"),
            "-n",
            str(net),
            "-r",
            str(routes),
            "-a",
            str(plan),
            "--step-length",
            f"{step:.8f}",
            "--lateral-resolution",
            "0.45",
            "--end",
            str(end),
            "--fcd-output",
            str(out),
            "--fcd-output.attributes",
            "x,y,angle,speed",
            "--device.fcd.begin",
            str(max(warm_up - pad, 0.0)),
            "--seed",
            str(seed),
            "--collision.action",
            "none",
            "--time-to-teleport",
            "-1",
            "--ignore-junction-blocker",
            "4",
            "--no-step-log",
            "--no-warnings",
            "--extrapolate-departpos",
            "--precision",
            "3",
            "--step-method.ballistic",
            "true",
        ],
        check=True,
        capture_output=True,
    )
    return with_parked(_trajectories(out, facts, warm_up, duration, fps, rng), seed)


def with_parked(run: Trajectories, seed: int) -> Trajectories:
    """Add motorcycles that stand on the pavements all the time (numbers from 1,000,001, origin `parked`)."""
    rng = np.random.default_rng([seed, 11])
    names = ("parked_wave", "parked_scooter")
    sizes = model_sizes(names)
    places: list[tuple[str, float, float, float]] = []
    for arm in layout.ARM.values():
        for side in (-1, 1):
            d = arm.stop + rng.uniform(6, 14)
            while d < 75:
                facing = np.arctan2(*arm.point(0, side)[::-1]) + (np.pi if rng.random() < 0.4 else 0.0)
                for _ in range(int(rng.integers(2, 6))):
                    x, y = arm.point(d, side * (arm.half + 2.7 + rng.uniform(-0.2, 0.2)))
                    if rng.random() < 0.85:
                        places.append((str(rng.choice(names)), x, y, float(facing + rng.normal(0, 0.12))))
                    d += rng.uniform(0.75, 1.0)
                d += rng.uniform(5, 16)
    frames = int(run.frame.max()) + 1
    n = len(places)
    first = 1_000_001
    parked = pa.table(
        {
            "vehicle": pa.array(range(first, first + n), pa.int32()),
            "model": [p[0] for p in places],
            "class_id": pa.array([vehicles.MOTORCYCLE] * n, pa.int8()),
            "origin": ["parked"] * n,
            "target": ["parked"] * n,
            "length": pa.array([sizes[p[0]][0] for p in places], pa.float32()),
            "width": pa.array([sizes[p[0]][1] for p in places], pa.float32()),
            "look": pa.array(rng.integers(1 << 30, size=n), pa.int32()),
        }
    )

    def column(old: NDArray[np.generic], new: list[float] | NDArray[np.generic]) -> NDArray[np.generic]:
        return np.concatenate([old, np.tile(np.asarray(new, old.dtype), frames)])

    frame = np.concatenate([run.frame, np.repeat(np.arange(frames, dtype=np.int32), n)])
    vehicle = column(run.vehicle, np.arange(first, first + n))
    order = np.lexsort((vehicle, frame))
    return Trajectories(
        run.fps,
        run.start,
        pa.concat_tables([run.vehicles, parked]),
        frame[order],
        vehicle[order],
        column(run.x, [p[1] for p in places])[order],
        column(run.y, [p[2] for p in places])[order],
        column(run.heading, [p[3] for p in places])[order],
        column(run.speed, [0.0] * n)[order],
    )


def _trajectories(
    fcd: Path,
    facts: dict[str, tuple[str, str, str]],
    warm_up: float,
    duration: float,
    fps: float,
    rng: np.random.Generator,
) -> Trajectories:
    table = pq.read_table(fcd)
    names = {c.split("_")[-1]: c for c in table.column_names}
    ids = pc.cast(table[names["id"]], pa.int32()).to_numpy()
    time = table[next(c for c in table.column_names if "time" in c)].to_numpy().astype(float)
    x, y = table[names["x"]].to_numpy().astype(float), table[names["y"]].to_numpy().astype(float)
    angle = np.radians(90.0 - table[names["angle"]].to_numpy().astype(float))
    frame = np.round((time - warm_up) * fps).astype(np.int64)
    order = np.lexsort((frame, ids))
    ids, frame, x, y, angle = ids[order], frame[order], x[order], y[order], angle[order]
    sizes = model_sizes(tuple(n for n, v in vehicles.catalogue().items() if v[1] > 0))
    last = round(duration * fps)
    pieces: list[tuple[NDArray[np.float64], ...]] = []
    rows: list[tuple[int, str, int, str, str, float, float, int]] = []
    starts = np.flatnonzero(np.diff(ids, prepend=-1))
    for a, b in zip(starts, np.append(starts[1:], len(ids)), strict=True):
        if b - a < 3:
            continue
        number = int(ids[a])
        name, origin, target = facts[str(number)]
        length, width = sizes[name]
        px, py, heading = _follow(x[a:b], y[a:b], float(angle[a]), length, fps)
        speed = np.hypot(np.gradient(px), np.gradient(py)) * fps
        keep = (frame[a:b] >= 0) & (frame[a:b] < last)
        if not keep.any():
            continue
        pieces.append(
            (
                frame[a:b][keep],
                np.full(int(keep.sum()), number),
                px[keep],
                py[keep],
                heading[keep],
                speed[keep],
            )
        )
        rows.append(
            (
                number,
                name,
                vehicles.catalogue()[name][0],
                origin,
                target,
                length,
                width,
                int(rng.integers(1 << 30)),
            )
        )
    f, v, xs, ys, hs, ss = (np.concatenate(c) for c in zip(*pieces, strict=True))
    by_frame = np.lexsort((v, f))
    columns = list(zip(*rows, strict=True))
    who = pa.table(
        {
            "vehicle": pa.array(columns[0], pa.int32()),
            "model": pa.array(columns[1]),
            "class_id": pa.array(columns[2], pa.int8()),
            "origin": pa.array(columns[3]),
            "target": pa.array(columns[4]),
            "length": pa.array(columns[5], pa.float32()),
            "width": pa.array(columns[6], pa.float32()),
            "look": pa.array(columns[7], pa.int32()),
        }
    )
    return Trajectories(
        fps,
        warm_up,
        who,
        f[by_frame].astype(np.int32),
        v[by_frame].astype(np.int32),
        xs[by_frame].astype(np.float32),
        ys[by_frame].astype(np.float32),
        hs[by_frame].astype(np.float32),
        ss[by_frame].astype(np.float32),
    )


def _follow(
    x: NDArray[np.float64], y: NDArray[np.float64], angle: float, length: float, fps: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Smooth the front bumper's path and let the rear axle follow it: no sliding, no spinning on the spot.

    Returns the centre of the footprint and the heading.
    """
    n = max(1, round(0.35 * fps))
    kernel = np.exp(-0.5 * (np.arange(-3 * n, 3 * n + 1) / n) ** 2)
    kernel /= kernel.sum()

    def smooth(v: NDArray[np.float64]) -> NDArray[np.float64]:
        m = 3 * n
        if len(v) < 2:
            return v
        head = v[0] - (v[1] - v[0]) * np.arange(m, 0, -1)
        tail = v[-1] + (v[-1] - v[-2]) * np.arange(1, m + 1)
        return np.convolve(np.concatenate([head, v, tail]), kernel, "valid")

    fx, fy = smooth(x), smooth(y)
    base = 0.8 * length  # rear axle to front bumper
    rx, ry = fx[0] - base * np.cos(angle), fy[0] - base * np.sin(angle)
    heading = np.empty(len(fx))
    for i in range(len(fx)):
        dx, dy = fx[i] - rx, fy[i] - ry
        distance = float(np.hypot(dx, dy)) or 1e-9
        rx, ry = fx[i] - dx / distance * base, fy[i] - dy / distance * base
        heading[i] = np.arctan2(dy, dx)
    return fx - np.cos(heading) * length / 2, fy - np.sin(heading) * length / 2, heading
