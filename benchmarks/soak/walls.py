"""Holds the service under open walls: each loads the page, follows the city, and asks as the page does.

    python benchmarks/soak/walls.py --minutes 2

One server process, workers that report 80 cameras, and 30 walls. Told is what the walls cost the service, how
old the oldest state was that one of them showed, how long a page took to come whole, and, where Chromium is
installed, when a real browser among them painted first and had its figures. Everything is on 127.0.0.1 and
ends by itself.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil

from benchmarks.soak.service_load import Options, _ages, _fill, _report, _serve, _spread, _wait
from service.listening import listen

SPREAD_S = 10.0
"""The walls are switched on within this time, s."""
EVERY_S = {
    "/v1/alarms?open=true&language=vi": 5.0,
    "/v1/coverage": 30.0,
    "/v1/sites?kind=junction": 60.0,
    "/v1/approaches": 60.0,
    "/v1/gates": 60.0,
}
"""What a wall asks, and how often."""
OLDEST_S = 2.0
"""A state that a wall shows is at most so old, s."""


def main() -> int:
    """Run it; the exit status is 1 where a state was older than promised."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--walls", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--json", type=Path, default=None)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ngatu-walls-") as folder:
        os.environ["NGATU_KEY_FILE"] = f"{folder}/key"
        url = f"sqlite:///{folder}/ngatu.db"
        options = Options(asked.minutes, asked.walls, 0, 80, 1, None, Path(folder))
        tokens, cameras, _sites = _fill(url, Path(folder), options)
        found = _run(url, tokens, cameras, asked.walls, asked.minutes)
    found |= {"walls": asked.walls, "minutes": asked.minutes, "cpus": os.cpu_count()}
    return _tell(found, asked.json)


def _run(url: str, tokens: list[str], cameras: list[str], walls: int, minutes: float) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop, results = context.Event(), context.Queue()
    worker_token = "w" * 40
    server = context.Process(target=_serve, args=(url, listener, worker_token, stop))
    server.start()
    _wait(address)
    until = time.time() + 60 * minutes + 15 + SPREAD_S
    reporting = context.Process(target=_report, args=(address, worker_token, cameras, until))
    people = context.Process(target=_walls, args=(address, tokens, walls, until, results))
    try:
        process = psutil.Process(server.pid)
        reporting.start()
        time.sleep(5)
        alone = _cores(process, 10)
        people.start()
        time.sleep(SPREAD_S)
        painted = _painted(address, tokens[0])
        cores = _cores(process, max(5.0, until - time.time() - 2))
        found: dict[str, Any] = results.get(timeout=60)
        found["server_mib"] = round(process.memory_info().rss / 2**20)
    finally:
        stop.set()
        for job in (people, reporting, server):
            if job.pid is not None:
                job.join(20)
            if job.is_alive():
                job.kill()
    return found | {"cores_without": alone, "cores": cores, "browser": painted, "load": os.getloadavg()[0]}


def _cores(process: psutil.Process, seconds: float) -> float:
    """Cores that a process takes over some seconds."""
    before = sum(process.cpu_times()[:2])
    time.sleep(seconds)
    return round((sum(process.cpu_times()[:2]) - before) / seconds, 3)


# The walls


def _walls(address: str, tokens: list[str], walls: int, until: float, results: Any) -> None:
    results.put(asyncio.run(_all_walls(address, tokens, walls, until)))


async def _all_walls(address: str, tokens: list[str], walls: int, until: float) -> dict[str, Any]:
    loads: list[float] = []
    ages: list[float] = []
    faults: list[str] = []
    read = [0]
    each = [
        _wall(address, tokens[n % len(tokens)], n * SPREAD_S / walls, until, loads, ages, faults, read, n < 2)
        for n in range(walls)
    ]
    await asyncio.gather(*each)
    page = _spread([1000 * load for load in loads])
    seen = _spread(ages)
    return {
        "page_ms": page,
        "age_s": seen,
        "faults": len(faults),
        "first_faults": faults[:3],
        "bytes": read[0],
    }


async def _wall(
    address: str,
    token: str,
    after: float,
    until: float,
    loads: list[float],
    ages: list[float],
    faults: list[str],
    read: list[int],
    looks: bool,
) -> None:
    await asyncio.sleep(after)
    head = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address, headers=head, timeout=30) as client:
        try:
            began = time.time()
            await _load(client, read)
            loads.append(time.time() - began)
        except (httpx.HTTPError, OSError) as error:
            faults.append(repr(error))
        asking = [asyncio.create_task(_ask(client, path, every, faults)) for path, every in EVERY_S.items()]
        try:
            await _follow(client, until, ages, read, faults, looks)
        finally:
            for task in asking:
                task.cancel()


async def _load(client: httpx.AsyncClient, read: list[int]) -> None:
    """The page with all that it names, as a browser does that has kept nothing."""
    page = (await client.get("/", headers={"Accept": "text/html"})).raise_for_status().text
    waiting = set(re.findall(r'"(/assets/[^"]+)"', page))
    done: set[str] = set()
    while waiting:
        answers = await asyncio.gather(*(client.get(path) for path in waiting))
        done |= waiting
        waiting = set()
        for answer in answers:
            answer.raise_for_status()
            read[0] += len(answer.content)
            path = answer.url.path
            if path.endswith(".js") and "/vendor/" not in path:
                named = re.findall(r'from "\./([a-z_]+\.js)"', answer.text)
                waiting |= {path.rpartition("/")[0] + "/" + name for name in named}
        waiting -= done
    for path in ("/v1/map", *EVERY_S):
        (await client.get(path)).raise_for_status()


async def _ask(client: httpx.AsyncClient, path: str, every: float, faults: list[str]) -> None:
    while True:
        await asyncio.sleep(every)
        try:
            (await client.get(path)).raise_for_status()
        except httpx.HTTPError as error:
            faults.append(f"{path}: {error!r}")


async def _follow(
    client: httpx.AsyncClient,
    until: float,
    ages: list[float],
    read: list[int],
    faults: list[str],
    looks: bool,
) -> None:
    """All take every byte; a few look into it: for all that would be our load, not the service's."""
    try:
        async with (
            asyncio.timeout(max(0.1, until - time.time())),
            client.stream("GET", "/v1/live/events", timeout=None) as answer,
        ):
            if not looks:
                async for piece in answer.aiter_raw():
                    read[0] += len(piece)
                return
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    read[0] += len(line)
                    ages += _ages(json.loads(line[6:]), time.time())
    except TimeoutError:
        return
    except httpx.HTTPError as error:
        faults.append(repr(error))


# A real browser


def _painted(address: str, token: str) -> dict[str, float] | None:
    """When a browser that has kept nothing painted first, and had live figures, ms; None without one."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        return None
    found: list[dict[str, float]] = []
    # Playwright's loop wants a thread of its own.
    thread = threading.Thread(target=lambda: found.append(_browse(program, address, token)))
    thread.start()
    thread.join(120)
    return found[0] if found else None


def _browse(program: str, address: str, token: str) -> dict[str, float]:
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        context = browser.new_context(
            viewport={"width": 1920, "height": 1080}, extra_http_headers={"Authorization": f"Bearer {token}"}
        )
        page = context.new_page()
        began = time.time()
        page.goto(address)
        while not page.evaluate("/[1-9]/.test(document.querySelector('#cameras').textContent)"):
            page.wait_for_timeout(20)
        figures = 1000 * (time.time() - began)
        first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        browser.close()
    return {"first_paint_ms": round(first), "figures_ms": round(figures)}


def _tell(found: dict[str, Any], out: Path | None) -> int:
    page, ages = found["page_ms"], found["age_s"]
    print(
        f"{found['walls']} walls, 80 cameras, {found['minutes']:g} min; "
        f"{found['cpus']} cores, load {found['load']:.1f}"
    )
    print(
        f"server: {found['cores']:.2f} cores ({found['cores_without']:.2f} without walls), "
        f"{found['server_mib']} MiB"
    )
    print(f"page with all its assets: median {page['p50']:.0f} ms, slowest {page['max']:.0f} ms")
    print(
        f"state on a wall: median {ages['p50']:.2f} s old, oldest {ages['max']:.2f} s; "
        f"{found['faults']} faults"
    )
    for fault in found["first_faults"]:
        print(f"  {fault}")
    browser = found["browser"]
    if browser:
        print(f"browser: first paint {browser['first_paint_ms']} ms, live figures {browser['figures_ms']} ms")
    kept = ages["max"] <= OLDEST_S and not found["faults"]
    print(f"no state older than {OLDEST_S:g} s, no fault: " + ("kept" if kept else "BROKEN"))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
