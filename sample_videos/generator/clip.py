"""Makes a clip: composes its frames (resumable), encodes them, writes the truth beside it."""

from __future__ import annotations

import csv
import datetime as dt
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from . import layout, truth, view
from .bank import SpriteModel
from .camera import CAMERAS
from .compose import LIGHTS, Composer, Plate, Shown, Vehicle
from .traffic import Trajectories

ZONE = dt.timezone(dt.timedelta(hours=7))  # Asia/Ho_Chi_Minh


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """What to film."""

    camera: str
    light: str
    start: dt.datetime  # with its zone
    seed: int = 1

    @property
    def stem(self) -> str:
        """File name without its ending."""
        return f"hoa-ban_{self.camera}_{self.light}_{self.start.astimezone(ZONE):%Y%m%d-%H%M%S}"

    @property
    def title(self) -> str:
        """The camera's burnt-in name."""
        return f"CAM {self.camera[-2:].replace('m', '0')} NGA TU HOA BAN - SUOI TRONG"


def per_frame(run: Trajectories) -> list[list[Vehicle]]:
    """The vehicles of every frame, with brake lights where they slow down or stand."""
    facts = {r["vehicle"]: r for r in run.vehicles.to_pylist()}
    before: dict[int, float] = {}
    frames: list[list[Vehicle]] = [[] for _ in range(int(run.frame.max()) + 1)]
    for f, number, x, y, heading, speed in zip(
        run.frame, run.vehicle, run.x, run.y, run.heading, run.speed, strict=True
    ):
        fact = facts[int(number)]
        slower = before.get(int(number), float(speed)) - float(speed)
        before[int(number)] = float(speed)
        frames[int(f)].append(
            Vehicle(
                int(number),
                fact["model"],
                float(x),
                float(y),
                float(heading),
                float(speed),
                fact["look"],
                slower * run.fps > 0.5 or speed < 0.5,
            )
        )
    return frames


def compose(
    run: Trajectories, settings: ClipSettings, bank: dict[str, SpriteModel], plate: Plate, cache: Path
) -> None:
    """Write each frame and what it shows to `cache`; frames that are there are kept."""
    cache.mkdir(parents=True, exist_ok=True)
    composer = Composer(
        CAMERAS[settings.camera], LIGHTS[settings.light], plate, bank, settings.seed, settings.title
    )
    for index, vehicles in enumerate(per_frame(run)):
        done = cache / f"{index:06d}.json"
        if done.exists():
            continue
        seconds = run.start + index / run.fps
        clock = (settings.start + dt.timedelta(seconds=index / run.fps)).astimezone(ZONE)
        picture, shown = composer.frame(index, seconds, vehicles, f"{clock:%Y-%m-%d %H:%M:%S}")
        cv2.imwrite(str(cache / f"{index:06d}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 98])
        part = done.with_suffix(".part")
        part.write_text(json.dumps([_shown_row(s) for s in shown]))
        part.rename(done)


def _shown_row(s: Shown) -> dict[str, Any]:
    return {
        "id": s.vehicle.id,
        "full": [round(v, 2) for v in s.full],
        "visible": s.visible,
        "share": round(s.share, 3),
    }


def encode(cache: Path, target: Path, fps: float, count: int, crf: int = 25, maxrate: int = 760_000) -> None:
    """Encode the composed frames as H.264 at a surveillance bit rate."""
    part = target.with_suffix(".part.mp4")
    with av.open(str(part), "w", options={"movflags": "+faststart"}) as out:
        stream = out.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        first = cv2.imread(str(cache / "000000.jpg"))
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {
            "preset": "slow",
            "crf": str(crf),
            "maxrate": str(maxrate),
            "bufsize": str(maxrate * 2),
            "g": str(round(4 * fps)),
            "threads": "1",
        }
        for index in range(count):
            picture = cv2.imread(str(cache / f"{index:06d}.jpg"))
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    part.rename(target)


def write_truth(
    run: Trajectories,
    settings: ClipSettings,
    hulls: dict[str, NDArray[np.float64]],
    cache: Path,
    target: Path,
) -> None:
    """Write the truth of a clip: boxes by frame (parquet), crossings, movements and minutes (CSV)."""
    facts = {r["vehicle"]: r for r in run.vehicles.to_pylist()}
    at = {(int(f), int(v)): i for i, (f, v) in enumerate(zip(run.frame, run.vehicle, strict=True))}
    columns: dict[str, list[Any]] = {k: [] for k in _SCHEMA.names}
    for index in range(int(run.frame.max()) + 1):
        time = settings.start.astimezone(dt.UTC) + dt.timedelta(seconds=index / run.fps)
        for s in sorted(json.loads((cache / f"{index:06d}.json").read_text()), key=lambda r: int(r["id"])):
            i, fact = at[index, s["id"]], facts[s["id"]]
            visible = s["visible"] or [None] * 4
            row = [
                index,
                time,
                s["id"],
                fact["class_id"],
                fact["model"],
                *s["full"],
                *visible,
                s["share"],
                float(run.x[i]),
                float(run.y[i]),
                float(np.degrees(run.heading[i])),
                float(run.speed[i]) * 3.6,
            ]
            for name, value in zip(_SCHEMA.names, row, strict=True):
                columns[name].append(value)
    pq.write_table(
        pa.table(columns, schema=_SCHEMA),
        target / f"{settings.stem}.truth.parquet",
        compression="zstd",
        compression_level=15,
    )
    write_tables(run, settings, hulls, target)


def write_tables(
    run: Trajectories, settings: ClipSettings, hulls: dict[str, NDArray[np.float64]], target: Path
) -> None:
    """Write crossings, movements, minutes and the camera's view."""
    camera = CAMERAS[settings.camera]
    events = truth.crossings(run, camera, hulls)
    duration = (int(run.frame.max()) + 1) / run.fps

    def stamp(seconds: float | None) -> str | None:
        if seconds is None:
            return None
        return (
            (settings.start + dt.timedelta(seconds=seconds))
            .astimezone(dt.UTC)
            .isoformat(timespec="milliseconds")
        )

    _csv(
        target / f"{settings.stem}.crossings.csv",
        [
            {
                "time": stamp(e.time),
                "seconds": round(e.time, 3),
                "basis": e.basis,
                "gate": layout.GATE[e.gate],
                "direction": e.direction,
                "vehicle": e.vehicle,
                "class": truth.CLASSES[e.class_id],
                "x": round(e.x, 4),
                "y": round(e.y, 4),
            }
            for e in events
        ],
    )
    moves = truth.movements(run, events)
    for m in moves:
        m["time_in"], m["time_out"] = stamp(m["time_in"]), stamp(m["time_out"])
        for key in ("from", "to", "driven_from", "driven_to"):
            m[key] = layout.GATE.get(m[key], m[key])
    _csv(target / f"{settings.stem}.movements.csv", moves)
    bins = truth.minutes(run, camera, events, settings.start, duration)
    for row in bins:
        row["start"] = row["start"].astimezone(dt.UTC).isoformat()
        row["approach"] = layout.GATE[row["approach"]]
        for key, value in row.items():
            if isinstance(value, float):
                row[key] = round(value, 4)
    _csv(target / f"{settings.stem}.minutes.csv", bins)
    view.write(target / f"hoa-ban_{settings.camera}.view.yaml", camera, f"hoa-ban-{settings.camera}")


_SCHEMA = pa.schema(
    [
        ("frame", pa.int32()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("vehicle", pa.int32()),
        ("class_id", pa.int8()),
        ("model", pa.dictionary(pa.int8(), pa.string())),
        ("full_x1", pa.float32()),
        ("full_y1", pa.float32()),
        ("full_x2", pa.float32()),
        ("full_y2", pa.float32()),
        ("visible_x1", pa.float32()),
        ("visible_y1", pa.float32()),
        ("visible_x2", pa.float32()),
        ("visible_y2", pa.float32()),
        ("visible_share", pa.float32()),
        ("ground_x", pa.float32()),
        ("ground_y", pa.float32()),
        ("heading_deg", pa.float32()),
        ("speed_kmh", pa.float32()),
    ]
)


def _csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["empty"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
