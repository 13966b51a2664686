"""Holds the public page under many readers, and looks whether the service stays quick for its own people.

    python benchmarks/soak/public_load.py --rate 1000 --seconds 20

One server process with a city of 40 junctions, a worker that reports them, and readers in processes of their
own: each a connection of its own (as people come) or kept ones (as a proxy in front has them), from many
addresses of 127.0.0.0/8, at a fixed rate for a fixed time. Told is how many were answered, how long it took
from when a reader wanted it, what the server used, and how long a call of the interface took meanwhile.
Everything is on this machine and ends by itself.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import socket
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import psutil
import uvicorn
from sqlalchemy import insert

from service.api.app import create_app
from service.api.settings import ApiSettings
from service.auth.access import AuthSettings
from service.auth.sessions import make_token
from service.feeds.public import PublicSettings
from service.feeds.public_face import install_public
from service.listening import listen, server_settings
from service.live.messages import ApproachLive, CameraReport, WorkerReport
from service.registry import plan_import, read_files
from service.registry.store import save_changes
from service.storage.connect import open_database, writing
from service.storage.tables import Account

WORKER_TOKEN = "w" * 40
JUNCTIONS = 40
LEVELS = ("free", "busy", "slow", "jammed")
PATHS = ("/public/vi", "/public/vi/map", "/public/levels.geojson", "/public/vi/radio.txt")
MOST_RATE, MOST_SECONDS = 3000, 120
KEPT = 50
"""Connections a process of readers keeps, taken in turn: each address may ask 600 times a minute."""
PATIENCE_S = 10.0


@dataclass
class Result:
    """What came of one run."""

    kind: str
    rate_wanted: int
    seconds: float
    answered: int
    answered_per_s: float
    failed: dict[str, int]
    p50_ms: float
    p99_ms: float
    worst_ms: float
    bytes_mean: float
    server_cores: float
    server_ms_an_answer: float
    server_mb: float
    interface_p50_ms: float
    interface_p99_ms: float


def make_city(folder: Path) -> tuple[str, str]:
    """A database of 40 key junctions, and a viewer's token."""
    lines = ["sites:"]
    for number in range(JUNCTIONS):
        lat, lon = 21.27 + 0.01 * (number % 8) * 0.3, 106.18 + 0.01 * (number // 8) * 0.5
        lines.append(
            f"  - {{id: j{number}, kind: junction, name: Ngã tư số {number}, is_key: true, lat: {lat:.4f}, "
            f"lon: {lon:.4f}, ward: Phường Bắc Giang, approaches: [{{id: n, owner: c{number}}}]}}"
        )
    lines.append("cameras:")
    for number in range(JUNCTIONS):
        lines.append(
            f"  - {{id: c{number}, site: j{number}, view: {{version: 1, gates: "
            f"[{{id: g, line: [[0.1, 0.5], [0.9, 0.5]], approach: n}}]}}}}"
        )
    file = folder / "city.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    url = f"sqlite:///{folder / 'ngatu.db'}"
    engine = open_database(url)
    now = time.time()
    changes = plan_import({}, read_files([file]), now - 86_400).changes
    moment = datetime.now(UTC)
    with writing(engine) as connection:
        save_changes(connection, {}, changes, now - 86_400, seen_revision=0, now=now, actor="load")
        account = {"login": "load", "name": "", "role": "viewer", "language": "en", "password_hash": ""}
        connection.execute(insert(Account).values(**account, created_at=moment, failures=0))
        token = make_token(connection, "load", "load", "viewer", moment + timedelta(hours=1), moment)[1]
    engine.dispose()
    return url, token


def serve(url: str, listener: socket.socket) -> None:
    """The server process."""
    auth = AuthSettings(worker_token=WORKER_TOKEN)
    app = create_app(open_database(url), ApiSettings(), auth)
    install_public(app, PublicSettings(on=True))
    uvicorn.Server(server_settings(app, 1, backlog=4096)).run(sockets=[listener])


def report(base: str, stop: threading.Event) -> None:
    """A worker whose cameras change their level now and then."""
    headers = {"Authorization": f"Bearer {WORKER_TOKEN}"}
    started = time.time()
    with httpx.Client(base_url=base, headers=headers, timeout=30) as client:
        while not stop.wait(0.5):
            now = time.time()
            cameras = [
                CameraReport(
                    camera=f"c{number}",
                    site=f"j{number}",
                    state="live",
                    since=started,
                    frame_time=now - 0.2,
                    approaches=[
                        ApproachLive(
                            approach="n", level=LEVELS[int(now / 7 + number) % 4], start=now - 12, end=now - 2
                        )
                    ],
                )
                for number in range(JUNCTIONS)
            ]
            told = WorkerReport(worker="load", started=started, time=now, cameras=cameras)
            body, kind = told.model_dump_json(), {"Content-Type": "application/json"}
            client.post("/v1/live/reports", content=body, headers=kind).raise_for_status()


def use_interface(base: str, token: str, stop: threading.Event, took: list[float]) -> None:
    """Somebody of the control room who looks at the live state."""
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        while not stop.wait(0.2):
            began = time.perf_counter()
            try:
                client.get("/v1/live").raise_for_status()
            except httpx.HTTPError:
                if stop.is_set():
                    return
                raise
            took.append(time.perf_counter() - began)


async def read(port: int, rate: float, seconds: float, kept: bool, seed: int) -> dict[str, Any]:
    """Readers of one process: they come at a rate, whether those before were answered or not."""
    chance = random.Random(seed)  # noqa: S311
    took: list[float] = []
    sizes: list[int] = []
    failed: Counter[str] = Counter()
    idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def open_one() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        source = f"127.{chance.randrange(1, 255)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"
        return await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))

    async def one(wanted: float) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = idle.popleft() if len(idle) >= KEPT else await open_one()
                ending = "keep-alive" if kept else "close"
                writer.write(
                    f"GET {chance.choice(PATHS)} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
                    f"Connection: {ending}\r\n\r\n".encode()
                )
                head = await reader.readuntil(b"\r\n\r\n")
                status = head.split(b" ", 2)[1].decode()
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                await reader.readexactly(length)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, StopIteration) as error:
            failed[type(error).__name__] += 1
            return
        if kept:
            idle.append((reader, writer))
        else:
            writer.close()
        if status == "200":
            took.append(asyncio.get_running_loop().time() - wanted)
            sizes.append(len(head) + length)
        else:
            failed[status] += 1

    loop = asyncio.get_running_loop()
    begin = loop.time()
    tasks = []
    for number in range(int(rate * seconds)):
        wanted = begin + number / rate
        if (pause := wanted - loop.time()) > 0:
            await asyncio.sleep(pause)
        tasks.append(asyncio.create_task(one(wanted)))
    await asyncio.gather(*tasks)
    return {"took": took, "sizes": sizes, "failed": dict(failed), "seconds": loop.time() - begin}


def reader_process(port: int, rate: float, seconds: float, kept: bool, seed: int, queue: Any) -> None:
    """One process of readers."""
    queue.put(asyncio.run(read(port, rate, seconds, kept, seed)))


def run(kind: str, rate: int, seconds: float, processes: int) -> Result:
    """One run of one kind of readers."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="ngatu-public-") as name:
        url, token = make_city(Path(name))
        listener = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        base = f"http://127.0.0.1:{port}"
        server = spawn.Process(target=serve, args=(url, listener), daemon=True)
        server.start()
        stop, interface = threading.Event(), list[float]()
        try:
            wait_for(lambda: httpx.get(f"{base}/public/vi", timeout=5).status_code == 200)
            threads = [
                threading.Thread(target=report, args=(base, stop), daemon=True),
                threading.Thread(target=use_interface, args=(base, token, stop, interface), daemon=True),
            ]
            for thread in threads:
                thread.start()
            time.sleep(2)
            watched = psutil.Process(server.pid)
            before, began = watched.cpu_times(), time.perf_counter()
            queue = spawn.Queue()
            kept = kind == "kept"
            readers = [
                spawn.Process(
                    target=reader_process,
                    args=(port, rate / processes, seconds, kept, seed, queue),
                    daemon=True,
                )
                for seed in range(processes)
            ]
            for each in readers:
                each.start()
            found = [queue.get(timeout=seconds + 60) for _ in readers]
            after, wall = watched.cpu_times(), time.perf_counter() - began
            memory = watched.memory_info().rss / 2**20
        finally:
            stop.set()
            server.terminate()
            server.join(10)
    took = np.concatenate([each["took"] for each in found]) * 1000
    failed: Counter[str] = Counter()
    for each in found:
        failed.update(each["failed"])
    used = after.user + after.system - before.user - before.system
    length = max(each["seconds"] for each in found)
    return Result(
        kind,
        rate,
        round(length, 1),
        len(took),
        round(len(took) / length, 1),
        dict(failed),
        *(round(float(value), 1) for value in np.percentile(took, [50, 99, 100])),
        round(float(np.mean(np.concatenate([each["sizes"] for each in found])))),
        round(used / wall, 2),
        round(1000 * used / max(len(took), 1), 3),
        round(memory),
        *(round(1000 * float(value), 1) for value in np.percentile(interface, [50, 99])),
    )


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until it holds; errors of the network count as not yet."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if condition():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def main() -> None:
    """Run what was asked for, print a table and write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=1000, help="readers a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--processes", type=int, default=2, help="of readers")
    parser.add_argument("--kinds", nargs="+", default=["new", "kept"], choices=["new", "kept"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rate, seconds = min(options.rate, MOST_RATE), min(options.seconds, MOST_SECONDS)
    os.environ.setdefault("NGATU_KEY_FILE", str(Path(tempfile.mkdtemp()) / "key"))
    results = [run(kind, rate, seconds, options.processes) for kind in options.kinds]
    for each in results:
        for name, value in asdict(each).items():
            print(f"{name:>18}: {value}")
        print()
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in results], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
