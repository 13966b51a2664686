"""``ngatu live``: runs the registry's cameras until it is stopped."""

import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from service.city_cli import DbOption, TzOption
from service.live.process import set_up_logging
from service.live.supervisor import LiveSettings, Supervisor
from service.storage.connect import DEFAULT_URL
from vision import NgatuError
from vision.detection.grades import AUTO


def live(
    db: DbOption = None,
    service: Annotated[
        str,
        typer.Option("--service", envvar="NGATU_SERVICE", help="Service to report to: http://host:8000."),
    ] = "",
    cameras: Annotated[str, typer.Option("--cameras", help="Only these: ids with commas between.")] = "",
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Worker processes; 0 takes one for each core.")
    ] = 0,
    model: Annotated[
        str, typer.Option(help="Detector; auto takes the quicker of ours here; auto@896x512 looks closer.")
    ] = AUTO,
    fps: Annotated[
        float, typer.Option(min=1, max=60, help="Frames a second to analyse; fewer, down to 5, if need be.")
    ] = 10.0,
    spare: Annotated[
        bool, typer.Option("--spare/--no-spare", help="Spare the network what counting can do without.")
    ] = True,
    keep_tracks: Annotated[
        float, typer.Option("--keep-tracks", min=0, help="Hours that tracks are kept for recounts; 0: none.")
    ] = 48.0,
    out: Annotated[Path, typer.Option("--out", help="Folder of outboxes and tracks.")] = Path(
        "ngatu-out/live"
    ),
    tz: TzOption = "Asia/Ho_Chi_Minh",
    cluster: Annotated[
        str, typer.Option("--cluster", help="Run the workers on a Ray cluster at this address; PostgreSQL.")
    ] = "",
) -> None:
    """Watch the cameras of the registry, count what passes, and follow every change of the registry."""
    token = os.environ.get("NGATU_WORKER_TOKEN", "")
    if service and not token:
        raise NgatuError("--service needs the workers' token; set NGATU_WORKER_TOKEN to that of the service")
    settings = LiveSettings(
        workers=workers,
        cameras=tuple(name.strip() for name in cameras.split(",") if name.strip()),
        service=service,
        token=token,
        folder=out,
        model=model,
        fps=fps,
        spare=spare,
        tracks_hours=keep_tracks,
        tz=tz,
    )
    set_up_logging("live")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if cluster:
        from service.cluster.live import ClusterSupervisor

        ClusterSupervisor(db or DEFAULT_URL, settings, cluster).run(stop)
        return
    Supervisor(db or DEFAULT_URL, settings).run(stop)
