"""Holds the service under the load of a control room: many that follow, some that watch, 80 cameras.

    python benchmarks/soak/service_load.py --minutes 3

One server process; beside it, in one process each, workers that report 80 cameras as their figures would be,
and the people: subscribers of live events, viewers of pictures, and a reader of the hot figures. Told is the
oldest state that any subscriber saw (from the worker's frame to the subscriber), pictures a second, and how
long reads took. Everything is on 127.0.0.1 and ends by itself.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import psutil
import uvicorn
from sqlalchemy import insert, select

from service.api.app import create_app
from service.api.settings import ApiSettings
from service.auth.access import AuthSettings
from service.auth.sessions import make_token
from service.city_cli import sample_city
from service.listening import listen, server_settings
from service.registry import Approach, Camera, CameraView, city_at, plan_import, read_files
from service.registry.store import load_history, save_changes
from service.storage.connect import open_database, reading, writing
from service.storage.drain import drain
from service.storage.messages import SegmentInfo
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from service.storage.tables import Account, Segment
from service.storage.undisturbed import settle
from vision import Crossing, VehicleClass
from vision.density import ApproachInterval

WORKERS = 4
REPORT_S = 0.5
FRAME_AGE_S = 0.2
"""How old a frame is when its figures are reported: what detection takes."""
PICTURE = b"\xff\xd8\xff" + os.urandom(28_000)
"""About what a masked picture of 640 pixels takes."""


@dataclass
class Options:
    """What is asked for."""

    minutes: float
    subscribers: int
    viewers: int
    cameras: int
    hours: int
    db: str | None
    out: Path


def main() -> int:
    """Run it; the exit status is 1 where a promise is broken."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="ngatu-load-") as folder:
        os.environ["NGATU_KEY_FILE"] = f"{folder}/key"
        url = options.db or f"sqlite:///{folder}/ngatu.db"
        print(f"filling {url if not options.db else 'the database given'} ...", flush=True)
        tokens, cameras, sites = _fill(url, Path(folder), options)
        listener = listen("127.0.0.1", 0)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        worker_token = "w" * 40
        context = multiprocessing.get_context("spawn")
        until = time.time() + 60 * options.minutes + 5
        stop = context.Event()
        results: Any = context.Queue()
        jobs = [context.Process(target=_report, args=(address, worker_token, cameras, until))]
        people = (address, tokens, options.subscribers, options.viewers, cameras, until, results)
        jobs.append(context.Process(target=_people, args=people))
        # A process of its own: what the others' side waits for in theirs is not the service's doing.
        jobs.append(context.Process(target=_read, args=(address, tokens[0], sites, until, results)))
        server = context.Process(target=_serve, args=(url, listener, worker_token, stop))
        server.start()
        _wait(address)
        cpu = psutil.Process(server.pid)
        began, used = time.time(), sum(cpu.cpu_times()[:2])
        for job in jobs:
            job.start()
        try:
            found = {}
            for _ in range(2):
                found |= results.get(timeout=60 * options.minutes + 120)
        finally:
            took = time.time() - began
            used = sum(cpu.cpu_times()[:2]) - used
            memory = cpu.memory_info().rss / 2**20
            stop.set()
            for job in [*jobs, server]:
                job.join(20)
                if job.is_alive():
                    job.kill()
    return _tell(options, found, used / took, memory)


def _tell(options: Options, found: dict[str, Any], cores: float, memory: float) -> int:
    found |= {
        "minutes": options.minutes,
        "subscribers": options.subscribers,
        "viewers": options.viewers,
        "cameras": options.cameras,
        "server_cores": round(cores, 2),
        "server_mib": round(memory),
        "load_average": os.getloadavg()[0],
        "cpus": os.cpu_count(),
    }
    ages = found["age_s"]
    print(
        f"{options.subscribers} subscribers, {options.viewers} viewers, {options.cameras} cameras, "
        f"{options.minutes:g} min; {os.cpu_count()} cores, load {found['load_average']:.1f}"
    )
    print(f"server: {cores:.2f} cores, {memory:.0f} MiB")
    print(
        f"state seen by subscribers: age median {ages['p50']:.2f} s, 99 % {ages['p99']:.2f} s, "
        f"oldest {ages['max']:.2f} s; {found['events']} events, {found['lost']} lines lost"
    )
    print(f"pictures: {found['pictures_a_second']:.1f} a second and viewer")
    for name, each in found["reads"].items():
        print(f"read {name:<22} {each['n']:>5} times  median {each['p50']:6.1f}  95 % {each['p95']:6.1f} ms")
    slow = [name for name, each in found["reads"].items() if each["p95"] > 50]
    kept = ages["max"] <= 2.0
    print("no state older than 2 s: " + ("kept" if kept else "BROKEN"))
    print("95 % of hot reads under 50 ms: " + ("kept" if not slow else f"BROKEN by {', '.join(slow)}"))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if kept and not slow else 1


# The server


def _serve(url: str, listener: socket.socket, token: str, stop: Any) -> None:
    auth = AuthSettings(worker_token=token, requests_per_minute=10_000_000)
    limits = ApiSettings(subscribers=2000, subscribers_per_caller=2000, stream_seconds=3600)
    app = create_app(open_database(url), limits, auth)
    settle()
    server = uvicorn.Server(server_settings(app, 1))

    def watch() -> None:
        stop.wait()
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
    server.run(sockets=[listener])


def _wait(address: str) -> None:
    for _ in range(600):
        try:
            httpx.get(f"{address}/v1/openapi.json", timeout=5)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    sys.exit("the server did not start")


# The workers


def _report(address: str, token: str, cameras: list[str], until: float) -> None:
    """As many workers as there would be, each with its share of the cameras."""
    threads = [
        threading.Thread(target=_one_worker, args=(address, token, f"w{n}", cameras[n::WORKERS], until))
        for n in range(WORKERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _one_worker(address: str, token: str, name: str, cameras: list[str], until: float) -> None:
    started, count = time.time(), 0
    client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    turn = started
    while time.time() < until:
        count += 1
        now = time.time()
        body = {
            "worker": name,
            "started": started,
            "time": now,
            "cameras": [_camera(each, now, started, count) for each in cameras],
        }
        try:
            wanted = client.post("/v1/live/reports", json=body).json().get("pictures", [])
            for each in wanted:
                if each in cameras:
                    jpeg = {"Content-Type": "image/jpeg"}
                    client.post(f"/v1/live/pictures/{each}", content=PICTURE, headers=jpeg)
        except httpx.HTTPError:
            pass
        turn += REPORT_S
        time.sleep(max(0.0, turn - time.time()))


def _camera(name: str, now: float, started: float, count: int) -> dict[str, Any]:
    gates = ("north", "east", "south", "west")
    by_class = {"motorcycle": 3 * count, "car": count, "bus": count // 20, "truck": count // 10}
    return {
        "camera": name,
        "state": "live",
        "since": started,
        "frame_time": now - FRAME_AGE_S,
        "age_s": FRAME_AGE_S,
        "source_fps": 25.0,
        "analysed_fps": 10.0,
        "received": 12 * count,
        "counts": {gate: {"in": by_class, "out": by_class} for gate in gates},
        "counts_since": started,
        "last_minute": by_class,
        "movements": {f"{a}-{b}": by_class for a in gates for b in gates if a != b},
        "approaches": [
            {"approach": gate, "level": "busy", "density_per_km": 41.5, "flow_per_h": 800.0, "queue_m": 12.0}
            for gate in gates
        ],
        "crossings": [
            {"time": now - 0.3, "gate": gate, "direction": "in", "vehicle_class": "motorcycle"}
            for gate in gates[: count % 3]
        ],
        "width": 1280,
        "height": 720,
    }


# The people


def _people(
    address: str,
    tokens: list[str],
    subscribers: int,
    viewers: int,
    cameras: list[str],
    until: float,
    results: Any,
) -> None:
    results.put(asyncio.run(_all_people(address, tokens, subscribers, viewers, cameras, until)))


async def _all_people(
    address: str,
    tokens: list[str],
    subscribers: int,
    viewers: int,
    cameras: list[str],
    until: float,
) -> dict[str, Any]:
    await asyncio.sleep(3)  # the workers report by now
    ages: list[float] = []
    lines = [0, 0]
    pictures = [0] * viewers
    port = int(address.rpartition(":")[2])
    tasks = [
        asyncio.create_task(_follow(port, tokens[n % len(tokens)], n < 4, ages, lines, until))
        for n in range(subscribers)
    ]
    tasks += [
        asyncio.create_task(_watch(port, tokens[n % len(tokens)], cameras[n], pictures, n, until))
        for n in range(viewers)
    ]
    began = time.time()
    await asyncio.gather(*tasks)
    seconds = time.time() - began
    return {
        "age_s": _spread(ages),
        "events": lines[0],
        "lost": lines[1],
        "pictures_a_second": sum(pictures) / max(1, viewers) / seconds,
    }


async def _follow(
    port: int, token: str, looks: bool, ages: list[float], lines: list[int], until: float
) -> None:
    """One subscriber. All take every byte; a few decode it: for 200 that would be our load, not theirs."""
    while time.time() < until:
        try:
            read, write = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
            await _ask(read, write, "/v1/live/events", token)
            async with asyncio.timeout(max(0.1, until - time.time())):
                while line := await read.readline():
                    if not line.startswith(b"data: "):
                        continue
                    lines[0] += 1
                    now = time.time()
                    if looks:
                        ages += _ages(json.loads(line[6:]), now)
                    else:
                        # The oldest of an event is as old as its first: they went out together.
                        at = line.find(b'"frame_time":"')
                        if at > 0:
                            ages.append(now - _moment(line[at + 14 : at + 38].decode()))
            lines[1] += 1
        except TimeoutError:
            return
        except (OSError, asyncio.IncompleteReadError):
            lines[1] += 1
            await asyncio.sleep(0.5)
        finally:
            write.close()


def _ages(data: dict[str, Any], now: float) -> list[float]:
    return [now - _moment(each["frame_time"]) for each in data.get("cameras", []) if each.get("frame_time")]


async def _watch(port: int, token: str, camera: str, pictures: list[int], n: int, until: float) -> None:
    while time.time() < until:
        read, write = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        try:
            await _ask(read, write, f"/v1/live/cameras/{camera}/stream", token)
            async with asyncio.timeout(max(0.1, until - time.time())):
                while part := await read.read(65536):
                    pictures[n] += part.count(b"--frame")
        except (TimeoutError, OSError):
            pass
        finally:
            write.close()


async def _ask(read: asyncio.StreamReader, write: asyncio.StreamWriter, path: str, token: str) -> None:
    write.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    await write.drain()
    head = await read.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0]:
        raise OSError(head.decode(errors="replace"))


def _read(address: str, token: str, sites: list[str], until: float, results: Any) -> None:
    """The hot reads of a dashboard, one after the other, about ten a second."""
    time.sleep(3)  # the workers report by now
    reads: dict[str, list[float]] = {}
    now = datetime.now(UTC).replace(microsecond=0)
    hour = {"start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat()}
    day = {"start": (now - timedelta(hours=24)).isoformat(), "end": now.isoformat()}
    asked: dict[str, Callable[[int], tuple[str, dict[str, str]]]] = {
        "crossings, hour": lambda n: ("/v1/crossings", {**hour, "site": sites[n % len(sites)]}),
        "minutes, hour": lambda n: (
            "/v1/intervals/approaches",
            {**hour, "site": sites[n % len(sites)], "length": "1min"},
        ),
        "counts, day": lambda n: ("/v1/counts", {**day, "site": sites[n % len(sites)]}),
        "junction, day": lambda n: ("/v1/intervals/junctions", {**day, "site": sites[n % len(sites)]}),
        "live snapshot": lambda _n: ("/v1/live", {}),
        "cameras": lambda _n: ("/v1/cameras", {}),
    }
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        number = 0
        while time.time() < until:
            number += 1
            for name, make in asked.items():
                path, query = make(number)
                began = time.perf_counter()
                answer = client.get(path, params=query)
                took = time.perf_counter() - began
                if answer.status_code != 200:
                    raise SystemExit(f"{path}: {answer.status_code} {answer.text[:200]}")
                reads.setdefault(name, []).append(took)
                time.sleep(0.1)
    results.put({"reads": {name: _spread([1000 * each for each in times]) for name, times in reads.items()}})


def _spread(values: list[float]) -> dict[str, float]:
    found = np.array(values or [float("nan")])
    spread = {f"p{n}": round(float(np.percentile(found, n)), 3) for n in (50, 95, 99)}
    return spread | {"max": round(float(found.max()), 3), "n": len(values)}


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


# The data


def _fill(url: str, folder: Path, options: Options) -> tuple[list[str], list[str], list[str]]:
    """The sample city, and some hours of figures of its junctions, unless the database has a city already."""
    engine = open_database(url)
    now = time.time()
    with reading(engine) as connection:
        history = load_history(connection)
    if not history:
        file = folder / "city.yaml"
        file.write_text(sample_city(), encoding="utf-8")
        since = now - 400 * 86_400
        with writing(engine) as connection:
            changes = plan_import({}, read_files([file]), since).changes
            history = save_changes(
                connection, {}, changes, since, seen_revision=0, now=now, actor="benchmark"
            )
    city = city_at(history, now)
    cameras = sorted(each.id for each in city.values() if isinstance(each, Camera))
    owned = {ref[1] for ref in city if ref[0] == "owners"}
    views = {each.camera: each.view for each in city.values() if isinstance(each, CameraView)}
    sites = sorted(
        {
            each.site
            for each in city.values()
            if isinstance(each, Camera) and each.id in views and each.site in owned
        }
    )
    if options.db:
        with reading(engine) as connection:
            recorded = connection.scalars(select(Segment.site_id).distinct()).all()
        sites = sorted(each for each in recorded if each) or sites
    else:
        arms: dict[str, list[str]] = {}
        for each in city.values():
            if isinstance(each, Approach):
                arms.setdefault(each.site, []).append(each.id)
        with Outbox(folder / "outbox.db") as outbox:
            for camera in (each for each in city.values() if isinstance(each, Camera)):
                if camera.id in views and camera.site in owned:
                    _record(outbox, camera, arms[camera.site], now, options.hours)
            drain(outbox, engine)
    tokens = []
    with writing(engine) as connection:
        moment = datetime.now(UTC)
        for number in range(8):
            login = f"load-{os.getpid()}-{number}"
            about = {"login": login, "name": login, "role": "viewer", "language": "en", "password_hash": ""}
            connection.execute(insert(Account).values(**about, created_at=moment, failures=0))
            until = moment + timedelta(hours=2)
            tokens.append(make_token(connection, login, "load", "viewer", until, moment)[1])
    engine.dispose()
    return tokens, [*cameras, *(f"more-{n}" for n in range(options.cameras))][: options.cameras], sites


def _record(outbox: Outbox, camera: Camera, arms: list[str], now: float, hours: int) -> None:
    """Some hours of one camera: crossings, and intervals of a minute each written as six of 10 s would be."""
    start = now - now % 900 - hours * 3600
    random = np.random.default_rng(len(camera.id))
    info = SegmentInfo(camera.id, "recording", start, site=camera.site, source_sha256=camera.id, model="load")
    recorder = Recorder(outbox, info, {arm: arm for arm in arms})
    seconds = now - start
    times = np.sort(start + random.uniform(0, seconds, int(seconds / 10)))
    recorder.crossings(
        Crossing(float(at), arms[n % len(arms)], "in", VehicleClass.MOTORCYCLE, 0.8, (0.5, 0.5), n)
        for n, at in enumerate(times)
    )
    recorder.observe(start, now)
    recent = now - now % 900 - 900
    for arm in arms:
        recorder.intervals(
            ApproachInterval(
                approach=arm,
                start=at,
                end=at + 10,
                expected_seconds=10,
                observed_seconds=10,
                gate_seconds=10,
                entered={"motorcycle": 2},
                level_seconds={"free": 10},
            )
            for at in np.arange(recent, now - 10, 10).tolist()
        )
    recorder.close(now)


def _options() -> Options:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--subscribers", type=int, default=200)
    parser.add_argument("--viewers", type=int, default=8)
    parser.add_argument("--cameras", type=int, default=80)
    parser.add_argument("--hours", type=int, default=3, help="hours of figures in the database")
    parser.add_argument("--db", help="a database that holds a city and its figures, such as a year of them")
    parser.add_argument("--out", type=Path, default=Path("out/service_load.json"))
    given = parser.parse_args()
    if not 0 < given.minutes <= 60:
        parser.error("--minutes lies between 0 and 60")
    return Options(**{key: value for key, value in vars(given).items() if key in Options.__annotations__})


if __name__ == "__main__":
    sys.exit(main())
