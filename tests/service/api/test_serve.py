"""``ngatu serve``: one command, a link on the first start, a demo, upkeep, and a clean end."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from service.api.live_process import LiveProcess
from service.api.services import Services
from service.api.upkeep import Upkeep
from service.cli import app as ngatu
from service.listening import listen
from service.live.supervisor import LiveSettings
from service.registry import Camera, CameraView, city_at
from service.registry.store import load_history
from service.serve_demo import CAMERAS, make_demo
from service.storage.connect import open_database, reading
from service.storage.tables import CoverageSnapshot
from tests.service.api.conftest import Clock, token_of
from tests.service.api.serving import served
from vision import NgatuError, open_source

DOCS = Path(__file__).parents[3] / "docs" / "api.md"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_starts_says_how_to_come_in_and_ends(tmp_path: Path) -> None:
    port = free_port()
    url = f"sqlite:///{tmp_path / 'ngatu.db'}"
    command = [sys.executable, "-m", "service.cli", "serve", "--no-live", "--port", str(port), "--db", url]
    environment = {**os.environ, "NGATU_JOBS": str(tmp_path / "jobs")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        try:
            until = time.monotonic() + 60
            while True:
                assert time.monotonic() < until, "it did not start"
                assert process.poll() is None, process.communicate()
                try:
                    answer = httpx.get(f"http://127.0.0.1:{port}/v1/openapi.json", timeout=5)
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            assert answer.json()["info"]["title"] == "ngatu"
            assert httpx.get(f"http://127.0.0.1:{port}/v1/sites").status_code == 401
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert re.search(rf"http://localhost:{port}/\S*#\S{{20,}}", out.decode()), out
    assert b"Traceback" not in err
    assert process.returncode in (0, -signal.SIGTERM)


def test_what_is_wrong_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(ngatu, ["serve", "--demo", "--host", "192.0.2.7"])
    assert isinstance(result.exception, NgatuError)
    assert "this machine alone" in str(result.exception)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = CliRunner().invoke(ngatu, ["serve", "--port", str(taken.getsockname()[1])])
    assert isinstance(result.exception, NgatuError)
    assert "--port" in str(result.exception)


def test_an_answer_is_sent_at_once_on_a_connection_that_is_kept() -> None:
    """Both halves of it: without TCP_NODELAY the second waits some 40 ms for the reader's acknowledgement."""

    async def ask(listener: socket.socket) -> int:
        delays = []

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            given = writer.get_extra_info("socket")
            delays.append(given.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(answer, sock=listener):
            reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            await reader.read()
            writer.close()
        return int(delays[0])

    # In a thread of its own: a browser's tests may have left a loop running in this one.
    with listen("127.0.0.1", 0) as listener, ThreadPoolExecutor(1) as alone:
        assert alone.submit(asyncio.run, ask(listener)).result()


def test_the_demo_is_a_city_whose_junction_is_alive(tmp_path: Path) -> None:
    engine = open_database(make_demo(tmp_path / "demo"))
    with reading(engine) as connection:
        city = city_at(load_history(connection), time.time())
    engine.dispose()
    assert sum(isinstance(each, Camera) for each in city.values()) == 80
    for name in CAMERAS:
        camera, view = city["cameras", name], city["views", name]
        assert isinstance(camera, Camera)
        assert isinstance(view, CameraView)
        assert view.approaches
        with open_source(camera.address) as source:
            assert source.kind == "loop"


def test_coverage_is_kept_by_the_hour(app: FastAPI, engine: Engine, clock: Clock) -> None:
    services: Services = app.state.services
    upkeep = Upkeep(services)
    clock.now += 1800
    upkeep.step()
    upkeep.step()
    clock.now += 3600
    upkeep.step()
    with reading(engine) as connection:
        rows = connection.execute(select(CoverageSnapshot.time, CoverageSnapshot.kind)).all()
    hours = sorted({row.time.hour for row in rows})
    assert hours == [9, 12, 13]  # nine was there before
    assert len(rows) == 6


def test_a_database_that_is_away_stops_no_upkeep(app: FastAPI, engine: Engine, tmp_path: Path) -> None:
    upkeep = Upkeep(app.state.services)
    engine.dispose()
    (tmp_path / "ngatu.db").rename(tmp_path / "away.db")
    (tmp_path / "ngatu.db").mkdir()
    upkeep.step()
    engine.dispose()
    (tmp_path / "ngatu.db").rmdir()
    (tmp_path / "away.db").rename(tmp_path / "ngatu.db")
    upkeep.step()
    with reading(engine) as connection:
        assert connection.execute(select(CoverageSnapshot.time)).all()


def test_live_analysis_is_started_again_when_it_dies(tmp_path: Path, engine: Engine) -> None:
    url = engine.url.set(drivername="sqlite").render_as_string()
    live = LiveProcess(url, LiveSettings(folder=tmp_path / "live", cameras=("none",)))
    live.start()
    try:
        first = wait_for_pid(live, None)
        os.kill(first, signal.SIGKILL)
        second = wait_for_pid(live, first)
    finally:
        live.stop()
    assert second != first
    assert live.pid is None
    assert not live.is_alive()


def wait_for_pid(live: LiveProcess, other_than: int | None) -> int:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if (pid := live.pid) is not None and pid != other_than:
            return pid
        time.sleep(0.05)
    raise AssertionError("no process came")


def test_the_examples_of_the_page_run(
    app: FastAPI, engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = DOCS.read_text(encoding="utf-8").replace("hoa-ban", "square")
    period = text.replace("T07:00:00+07:00", "T16:00:00+07:00").replace("T08:00:00+07:00", "T17:00:00+07:00")
    blocks = re.findall(r"```python\n(.*?)```", period, re.DOTALL)
    first = next(block for block in blocks if "/v1/crossings" in block)
    change = next(block for block in blocks if "If-Match" in block)
    assert len(first.strip().splitlines()) <= 5
    monkeypatch.setitem(sys.modules, "httpx", httpx)
    with served(app) as url:
        monkeypatch.setenv("NGATU", url)
        monkeypatch.setenv("TOKEN", token_of(engine, "engineer"))
        names: dict[str, object] = {}
        exec(first, names)  # noqa: S102 - our own page
        assert "north-line" in capsys.readouterr().out
        exec(change, names)  # noqa: S102 - our own page
        assert httpx.get(f"{url}/v1/sites/square").status_code == 401
