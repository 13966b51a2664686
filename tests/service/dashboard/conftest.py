"""Pages in a real browser: a real server on a filled city for all tests, one of a city on its first day."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from service.api.app import create_app
from service.api.settings import ApiSettings
from service.auth.access import AuthSettings, Role
from service.auth.sessions import open_session
from service.jobs import JobSettings
from service.storage.connect import connect, upgrade, writing
from tests.service.api.serving import served
from tests.service.dashboard.city import CAMERAS, Clock, add_accounts, fill, report, street

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

WORKER_TOKEN = "w" * 40
SIZES = {"1280": (1280, 800), "1920": (1920, 1080), "4k": (3840, 2160), "phone": (390, 844)}
QUIET = ("net::ERR_ABORTED", "net::ERR_INCOMPLETE_CHUNKED_ENCODING")
"""What the browser says when a page is left while something still comes: no fault."""

_DATE = """(() => {
  const offset = %d, Real = Date;
  globalThis.Date = class extends Real {
    constructor(...given) { if (given.length) super(...given); else super(Real.now() + offset); }
    static now() { return Real.now() + offset; }
  };
})();"""
"""The browser's calendar set to that of the service; its timers stay as they are."""


@dataclass
class Served:
    """A running service.

    Attributes:
        address: of it, such as ``http://127.0.0.1:40123``.
        engine: its database.
        app: the application; ``app.state.services.hub`` is its live state.
        folder: for its files.
        clock: its present.
        reports: reports that its fake worker has sent.
        lost: cameras that the fake worker shall say are offline.
        silent: set, the fake worker says nothing.
    """

    address: str
    engine: Engine
    app: FastAPI
    folder: Path
    clock: Clock
    reports: int = 0
    lost: set[str] = field(default_factory=set)
    silent: threading.Event = field(default_factory=threading.Event)

    def session(self, role: Role) -> tuple[str, str]:
        """The cookie and CSRF token of somebody of a role who is logged in."""
        now = datetime.now(UTC)
        with writing(self.engine) as connection:
            return open_session(connection, role, "127.0.0.1", now, timedelta(hours=1))

    def client(self, role: Role) -> httpx.Client:
        """A client of the API with the rights of a role."""
        cookie, csrf = self.session(role)
        return httpx.Client(base_url=self.address, cookies={"ngatu": cookie}, headers={"X-CSRF-Token": csrf})


@contextmanager
def serve(database: Path, folder: Path, reporting: bool) -> Iterator[Served]:
    """A service on a copy of a database; with a fake worker that reports a few times a second."""
    folder.mkdir(exist_ok=True)
    shutil.copy(database, folder / "ngatu.db")
    engine = connect(f"sqlite:///{folder / 'ngatu.db'}")
    clock = Clock()
    auth = AuthSettings(
        worker_token=WORKER_TOKEN,
        requests_per_minute=1_000_000,
        login_page="/login",
        large_bodies={"/v1/jobs": 2**30},
    )
    settings = ApiSettings(illustrative=True, tracks=folder / "tracks")
    app = create_app(engine, settings, auth, clock=clock)
    app.state.jobs = JobSettings(folder=folder / "jobs")
    with served(app) as address:
        city = Served(address, engine, app, folder, clock)
        stop = threading.Event()
        worker = threading.Thread(target=_work, args=(city, stop), daemon=True)
        if reporting:
            worker.start()
        try:
            yield city
        finally:
            stop.set()
            if reporting:
                worker.join(10)
    engine.dispose()


def _work(city: Served, stop: threading.Event) -> None:
    head = {"Authorization": f"Bearer {WORKER_TOKEN}"}
    with httpx.Client(base_url=city.address, headers=head, timeout=10) as client:
        while not stop.wait(0.3):
            if city.silent.is_set():
                continue
            now = city.clock()
            message = report(now, city.reports, city.lost)
            with suppress(httpx.HTTPError):
                answer = client.post("/v1/live/reports", json=message.model_dump()).json()
                city.reports += 1
                for camera in answer.get("pictures", ()):
                    jpeg = {"content": street(now), "headers": {"Content-Type": "image/jpeg"}}
                    client.post(f"/v1/live/pictures/{camera}", **jpeg)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """A city that has seen traffic (``busy``), and one on its first day (``empty``), with accounts."""
    folder = tmp_path_factory.mktemp("cities")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NGATU_KEY_FILE", str(folder / "key"))
        for name, make in (("busy", fill), ("empty", lambda engine, _folder: add_accounts(engine))):
            (folder / name).mkdir()
            found[name] = folder / name / "ngatu.db"
            engine = connect(f"sqlite:///{found[name]}")
            upgrade(engine)
            make(engine, folder / name)
            engine.dispose()
        yield found


@pytest.fixture(scope="session")
def city(databases: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The busy city; all tests share it: change nothing in it that another page shows."""
    with serve(databases["busy"], tmp_path_factory.mktemp("busy"), reporting=True) as running:
        yield running


@pytest.fixture(scope="session")
def first_day(databases: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A city without sites or cameras; all tests share it."""
    with serve(databases["empty"], tmp_path_factory.mktemp("empty"), reporting=False) as running:
        yield running


@pytest.fixture
def own_city(databases: dict[str, Path], tmp_path: Path) -> Iterator[Served]:
    """The busy city for one test alone, to change what it likes."""
    with serve(databases["busy"], tmp_path / "own", reporting=True) as running:
        yield running


@dataclass
class Shown:
    """A page in a browser that is logged in, and what went wrong in it."""

    page: "Page"
    context: "BrowserContext"
    address: str
    faults: list[str]

    def open(self, path: str) -> "Page":
        """Go to a page of the service."""
        self.page.goto(self.address + path)
        return self.page


Visit = Callable[..., Shown]


@pytest.fixture
def visit(browser: "Browser", city: Served) -> Iterator[Visit]:
    """``visit("engineer", "/setup")`` opens a page as somebody of that role; ``role=None`` is nobody.

    Options: ``of=first_day`` (another service), ``language="en"``, ``size="phone"`` (see SIZES),
    ``scheme="dark"``.
    The test fails if a page had errors in its console; what is expected goes out of ``shown.faults`` first.
    """
    opened: list[Shown] = []

    def open_page(
        role: Role | None,
        path: str = "/",
        *,
        of: Served = city,
        language: str = "vi",
        size: str = "1920",
        scheme: Any = "light",
    ) -> Shown:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, accept_downloads=True
        )
        context.set_default_timeout(60_000)  # two cores may be busy
        cookies = {"ngatu_lang": language}
        if role is not None:
            cookies["ngatu"] = of.session(role)[0]
        context.add_cookies([{"name": k, "value": v, "url": of.address} for k, v in cookies.items()])
        context.add_init_script(_DATE % round(of.clock.offset * 1000))
        page = context.new_page()
        shown = Shown(page, context, of.address, [])
        page.on("pageerror", lambda error: shown.faults.append(str(error)))
        page.on("console", lambda line: shown.faults.append(line.text) if line.type == "error" else None)
        opened.append(shown)
        shown.open(path)
        return shown

    yield open_page
    faults = [fault for shown in opened for fault in shown.faults if not any(q in fault for q in QUIET)]
    for shown in opened:
        shown.context.close()
    assert faults == []


def until(page: "Page", expression: str, seconds: float = 60) -> None:
    """Wait until an expression is true in a page; the content policy refuses playwright's own waiting."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"not so within {seconds:.0f} s: {expression}"
        page.wait_for_timeout(100)


def violations(page: "Page", without: Iterable[str] = ()) -> list[str]:
    """What axe finds wrong with a page for who has a screen reader, a keyboard or weak eyes (WCAG 2.2 AA)."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    rules = {name: {"enabled": False} for name in without}
    options = {"runOnly": {"type": "tag", "values": tags}, "rules": rules, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{each['id']}: {json.dumps([node['target'] for node in each['nodes']][:3])}" for each in found]


__all__ = ["CAMERAS", "SIZES", "Served", "Shown", "Visit", "serve", "until", "violations"]
