"""``ngatu serve``: the whole product on one machine: cameras, database, interface and pages."""

import ipaddress
import logging
import os
import signal
import socket
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated
from urllib.parse import urlsplit

import typer
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from service.alarms.watch import AlarmWatch
from service.api.app import create_app
from service.api.hub import LiveHub
from service.api.live_process import LiveProcess
from service.api.services import Services
from service.api.settings import ApiSettings
from service.api.upkeep import Upkeep
from service.auth.access import AuthSettings
from service.auth.accounts import first_administrator
from service.auth.vault import key_problem
from service.city_cli import DbOption, TzOption
from service.demo import sample_folder
from service.feeds.public import PublicSettings
from service.feeds.public_face import install_public
from service.feeds.running import Feeds
from service.jobs import JobRunner, JobSettings
from service.listening import listen, server_settings
from service.live.process import set_up_logging
from service.live.supervisor import LiveSettings
from service.serve_demo import CAMERAS, make_demo
from service.storage.connect import DEFAULT_URL, open_database, shown, writing
from service.storage.undisturbed import settle
from vision import NgatuError
from vision.detection.grades import AUTO

DEMO = Path("ngatu-out/serve-demo")
OUT = Path("ngatu-out")
CLOSE_S = 3
"""Seconds that open answers have when the service stops."""

log = logging.getLogger("ngatu.serve")


def serve(
    db: DbOption = None,
    host: Annotated[str, typer.Option(help="Address to listen at; others than this machine need TLS.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8000,
    demo: Annotated[
        bool, typer.Option("--demo", help="Try it: a throw-away city whose sample junction is alive.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live/--no-live", help="Run the cameras here too; no: workers elsewhere report.")
    ] = True,
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Processes for the cameras; 0 takes one for each core.")
    ] = 0,
    model: Annotated[
        str, typer.Option(help="Detector; auto takes the quicker of ours here; auto@896x512 looks closer.")
    ] = AUTO,
    tz: TzOption = "Asia/Ho_Chi_Minh",
    streets: Annotated[Path | None, typer.Option(help="GeoJSON file of streets for the map.")] = None,
    tiles: Annotated[
        str | None, typer.Option(help="Address of map tiles with {z}, {x} and {y}; by default none are used.")
    ] = None,
) -> None:
    """Run the whole product on this machine: cameras, database, API and pages, until it is stopped."""
    if demo and not _is_loopback(host):
        raise NgatuError("--demo is for this machine alone; leave --host out")
    set_up_logging("serve")
    try:
        listener = listen(host, port)
    except OSError as error:
        raise NgatuError(
            f"cannot listen at {host}:{port}: {error.strerror or error}; name another with --host or --port"
        ) from None
    folder = DEMO if demo else OUT
    if demo:
        os.environ.setdefault("NGATU_KEY_FILE", str(folder.resolve() / "key"))
        os.environ.setdefault("NGATU_CAMERA_FOLDERS", str(sample_folder()))
        url = make_demo(folder)
    else:
        url = db or DEFAULT_URL
    engine = open_database(url)
    jobs = JobSettings.from_environment(folder=folder / "jobs")
    # Some more than the recording itself: the form around it.
    auth = replace(
        AuthSettings.from_environment(),
        login_page="/login",
        image_hosts=(_host_of(tiles),) if tiles else (),
        large_bodies={"/v1/jobs": jobs.upload_bytes + 2**20},
    )
    shown = ApiSettings(
        tz=tz,
        tracks=folder / "live" / "tracks",
        illustrative=demo,
        streets=streets,
        tiles=tiles,
    )
    app = create_app(engine, shown, auth)
    app.state.jobs = jobs
    install_public(app, PublicSettings.from_environment(auth.tls))
    base = auth.public_url or f"http://{_shown_host(host)}:{port}"
    _tell(engine, base, host, auth, demo)
    settings = LiveSettings(
        workers=workers,
        cameras=tuple(CAMERAS) if demo else (),
        service=f"http://{_reachable(host)}:{port}",
        token=app.state.door.worker_token,
        folder=folder / "live",
        model=model,
        tz=tz,
    )
    _run(app, engine, listener, LiveProcess(url, settings) if live else None, folder)


def _run(
    app: FastAPI, engine: Engine, listener: socket.socket, live: LiveProcess | None, folder: Path
) -> None:
    """Everything together, until a signal comes."""
    services: Services = app.state.services
    alarms, jobs = AlarmWatch(engine, services.hub, [folder]), JobRunner(engine, app.state.jobs)
    feeds = app.state.feeds = Feeds.configured(engine, services.hub, folder, services.settings.tz)
    helpers: list[AlarmWatch | JobRunner | Upkeep | LiveProcess | Feeds] = [alarms, Upkeep(services), jobs]
    helpers += [feeds, live] if live else [feeds]
    # uvicorn gives the signal back once it is through: it must not end the process before all have stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for helper in helpers:
        helper.start()
    settle()
    try:
        _Server(server_settings(app, CLOSE_S), services.hub).run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what follows takes some seconds and ends by itself
        for helper in reversed(helpers):
            helper.stop()
        engine.dispose()


class _Server(uvicorn.Server):
    """Ends the streams when it is told to stop: it would wait for them, and then break them off."""

    def __init__(self, config: uvicorn.Config, hub: LiveHub) -> None:
        super().__init__(config)
        self._hub = hub

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal to stop."""
        self._hub.close()
        super().handle_exit(sig, frame)


def _tell(engine: Engine, base: str, host: str, auth: AuthSettings, demo: bool) -> None:
    """Say where it is, and how the first administrator comes in."""
    with writing(engine) as connection:
        first = first_administrator(connection, datetime.now(UTC), auth.invitation)
        problem = key_problem(connection)
    print(f"ngatu: {base}  (database {shown(engine)})", flush=True)
    if problem is not None:
        log.warning("%s", problem)
    if first is not None:
        print(
            f"first start: open this link once to set the password of {first.login}, "
            f"by {first.expires_at:%Y-%m-%d %H:%M} UTC:\n  {first.link(base)}",
            flush=True,
        )
    if demo:
        print(
            "demo: an ILLUSTRATIVE city; its junction hoa-ban comes alive within a minute, by our clips.\n"
            "Stop it with Ctrl-C.",
            flush=True,
        )
    if not _is_loopback(host) and not auth.tls:
        log.warning(
            "%s can be reached from other machines without TLS; put a proxy with TLS before it and set "
            "NGATU_PUBLIC_URL=https://...",
            host,
        )


def _host_of(tiles: str) -> str:
    """The origin of map tiles, which pages may then show pictures of."""
    parts = urlsplit(tiles)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not all(f"{{{n}}}" in tiles for n in "zxy")
    ):
        raise NgatuError(
            f"--tiles {tiles}: it is no address of tiles; write https://tiles.example.vn/{{z}}/{{x}}/{{y}}.png"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reachable(host: str) -> str:
    """Where our own workers find us."""
    if host in ("0.0.0.0", ""):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host


def _shown_host(host: str) -> str:
    return "localhost" if _is_loopback(host) else _reachable(host)
