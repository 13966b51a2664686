"""Made-up traffic for the tests of the storage: the same every time."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Engine, select

from service.storage.base import Base
from service.storage.conditions import CLASSES
from service.storage.connect import reading, writing
from service.storage.messages import SegmentInfo
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from service.storage.tables import Approach, Owner
from vision import Crossing, VehicleClass
from vision.density import ApproachInterval

DAY = datetime(2026, 3, 10, tzinfo=UTC)
NINE = DAY + timedelta(hours=9)
GATES = {"north-line": "north", "south-line": "south", "free-line": None}


def segment(camera: str = "cam1", view: str = "view-1", start: datetime = NINE, **other: Any) -> SegmentInfo:
    values: dict[str, Any] = {
        "kind": "recording",
        "site": "square",
        "source": "clip.mp4",
        "source_sha256": f"sha-of-{camera}",
        "model": "tiny",
        "model_sha256": "sha-of-tiny",
        "view_version": 1,
        "view_sha256": view,
    }
    return SegmentInfo(camera=camera, started_at=start.timestamp(), **{**values, **other})


def crossings(start: datetime, seconds: float, number: int, seed: int = 1) -> list[Crossing]:
    """Crossings spread over a stretch of time, some of them in the same microsecond at the same gate."""
    random = np.random.default_rng(seed)
    times = np.sort(start.timestamp() + random.uniform(0, seconds, number).round(6))
    times[1::7] = times[0::7][: len(times[1::7])]
    gates = list(GATES)
    return [
        Crossing(
            time=float(time),
            gate=gates[number % 7 // 2 % 3],
            direction="in" if number % 7 < 4 else "out",
            vehicle_class=VehicleClass.MOTORCYCLE if number % 3 else VehicleClass.CAR,
            confidence=0.5 + number % 50 / 100,
            point=(round(random.random(), 4), 0.5),
            vehicle=number,
            movement="north-south" if number % 4 == 0 else None,
            origin="north-line" if number % 4 == 0 else None,
        )
        for number, time in enumerate(times)
    ]


def interval(
    approach: str, start: datetime, length: int = 10, entered: int = 3, observed: float | None = None
) -> ApproachInterval:
    """What density makes of an approach: sums of a gate and a calibrated zone."""
    seconds = float(length) if observed is None else observed
    return ApproachInterval(
        approach=approach,
        start=start.timestamp(),
        end=start.timestamp() + length,
        expected_seconds=float(length),
        observed_seconds=seconds,
        light_seconds={"day": seconds},
        gate_seconds=seconds,
        entered={"motorcycle": entered} if entered else {},
        spot_speeds={31: entered} if entered else {},
        spot_speed_sum=31.5 * entered,
        zone_seconds=seconds,
        vehicle_seconds=2.5 * seconds,
        ground_seconds=seconds,
        road_m_s=40.0 * seconds,
        road_m2_s=400.0 * seconds,
        spent_s={"motorcycle": 2.5 * seconds},
        driven_m={"motorcycle": 20.0 * seconds},
        zone_m2_s=400.0 * seconds,
        covered_m2_s=12.0 * seconds,
        queue_samples=int(seconds),
        queue_lengths={12: int(seconds)},
        queue_sum_m=12.5 * int(seconds),
        queue_now_m=12.5,
        queue_max_m=12.5,
        queue_max_vehicles=3,
        level_seconds={"busy": seconds},
    )


def record(
    outbox: Outbox,
    info: SegmentInfo,
    seen: Iterable[Crossing],
    seconds: float,
    *,
    flush_every: int = 100,
    intervals: Iterable[ApproachInterval] = (),
) -> None:
    """Record a whole segment, flushing now and then as the analysis does."""
    recorder = Recorder(outbox, info, GATES)
    recorder.intervals(intervals)
    at = info.started_at
    for number, crossing in enumerate(seen, 1):
        recorder.crossings([crossing])
        if number % flush_every == 0:
            recorder.observe(at, crossing.time)
            at = crossing.time
            recorder.flush()
    recorder.observe(at, info.started_at + seconds)
    recorder.close(info.started_at + seconds)


def own(engine: Engine, **owners: str) -> None:
    """Say which camera owns which approach of the square, all of them required."""
    since = DAY - timedelta(days=400)
    with writing(engine) as connection:
        for approach, camera in owners.items():
            about = {"site_id": "square", "approach_id": approach, "valid_from": since}
            connection.execute(Owner.__table__.insert().values(**about, camera_id=camera))
            connection.execute(Approach.__table__.insert().values(**about, required=True))


def dump(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """All that was measured, in an order of its own, without numbers that the database gives."""
    tables = ("segments", "authority", "crossings", "movement_counts", "observed")
    found = {}
    with reading(engine) as connection:
        for name in (*tables, "approach_intervals", "junction_intervals"):
            columns = [column for column in Base.metadata.tables[name].columns if column.name != "pk"]
            rows = connection.execute(select(*columns))
            found[name] = sorted((tuple(row) for row in rows), key=str)
    return found


def counted(found: dict[str, list[tuple[Any, ...]]]) -> int:
    """Vehicles at gates, by the counts in a dump; the last columns are the classes."""
    return sum(sum(row[-len(CLASSES) :]) for row in found["movement_counts"] if "gate" in row)
