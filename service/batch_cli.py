"""``ngatu batch``: a folder of recordings into the database, in parallel, resumably."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console

from service.batch.detect import choose_detector
from service.batch.executors import Executor, LocalExecutor
from service.batch.find import Places, find_recordings
from service.batch.inspect import CHUNK_S
from service.batch.names import Pattern
from service.batch.progress import Progress
from service.batch.run import BatchOptions, run_batch
from service.batch.show import live_progress, show_found, show_report
from service.batch.work import work_folder
from service.count import stop_on_signal
from service.outputs import parse_grid
from service.registry import History
from service.registry.store import load_history
from service.storage.connect import open_database, reading
from vision import NgatuError, load_view
from vision.detection.grades import AUTO, RECORDED, AskedProvider


def batch(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings, searched with those below it.")],
    db: Annotated[
        str | None,
        typer.Option("--db", envvar="NGATU_DB", help="Database: sqlite:///file.db or postgresql://..."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder that keeps what is done, to go on after a stop.")
    ] = Path("ngatu-out/batch"),
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Processes that detect; by default one a core.")
    ] = None,
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            "--pattern",
            help="How recordings are named, such as '{camera}/%Y-%m-%d/%H.%M.%S'; may be repeated.",
        ),
    ] = None,
    alias: Annotated[
        list[str] | None,
        typer.Option("--alias", help="A recorder's name of a camera and its id: ch01=cam1; may be repeated."),
    ] = None,
    tz: Annotated[str, typer.Option(help="Time zone of the recorders' clocks.")] = "Asia/Ho_Chi_Minh",
    fps: Annotated[float | None, typer.Option(min=0.1, help="Analyse only so many frames a second.")] = None,
    model: Annotated[str, typer.Option(help="Detector; see: ngatu models list.")] = RECORDED,
    tiles: Annotated[str | None, typer.Option(help="Look at 2x2 tiles besides the whole picture.")] = None,
    provider: Annotated[AskedProvider, typer.Option(help="What runs the network; auto: the faster.")] = AUTO,
    view: Annotated[
        Path | None, typer.Option("--view", help="For one camera: a view's YAML file, not the registry's.")
    ] = None,
    camera: Annotated[str | None, typer.Option(help="Id of the camera of all recordings.")] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Detect on a Ray cluster at this address, such as 10.0.0.1:6379.")
    ] = None,
    chunk: Annotated[
        float, typer.Option(min=1.0, max=3600.0, help="Seconds of a recording detected in one go.")
    ] = CHUNK_S,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what was found.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Analyse also what is in the database already.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Remove what was detected once it is counted; saves disk.")
    ] = False,
) -> None:
    """Count all recordings in FOLDER into the database; run again, it goes on where it was."""
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NgatuError(f"--tz {tz!r} is no time zone; write one such as Asia/Ho_Chi_Minh") from None
    console = Console()
    places = Places(
        history=_history(db) if view is None else {},
        tz=tz,
        patterns=[Pattern(text) for text in pattern or ()],
        aliases=_aliases(alias or []),
        view=load_view(view) if view else None,
        camera=camera,
    )
    found = find_recordings(folder, places)
    show_found(found, folder, tz, console)
    if dry_run:
        return
    if not found.placed:
        raise NgatuError(f"no recording in {folder} could be placed, so there is nothing to do")
    options = BatchOptions(
        db=db,
        detector=choose_detector(model, parse_grid(tiles) if tiles else None, provider),
        fps=fps,
        tz=tz,
        chunk=chunk,
        again=again,
        forget=forget,
    )
    open_database(db).dispose()  # what is wrong with it is told before hours of work
    progress = Progress()
    with (
        work_folder(out) as work,
        stop_on_signal() as stopping,
        _executor(workers, cluster) as executor,
        live_progress(progress, Console(stderr=True), stopping),
    ):
        # Where others detect, this machine has nothing to do but count.
        counters = LocalExecutor() if cluster else None
        report = run_batch(found, options, work, executor, progress, stopping, counters)
    show_report(report, console)
    if report.stopped:
        raise typer.Exit(130)
    if report.failures or found.unplaced:
        raise typer.Exit(1)


def _executor(workers: int | None, cluster: str | None) -> Executor:
    if cluster is None:
        return LocalExecutor(workers)
    from service.cluster.executor import RayExecutor

    return RayExecutor(cluster, workers)


def _history(db: str | None) -> History:
    engine = open_database(db)
    try:
        with reading(engine) as connection:
            return load_history(connection)
    finally:
        engine.dispose()


def _aliases(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, identifier = (part.strip() for part in text.partition("="))
        if not (name and equals and identifier):
            raise NgatuError(f"--alias {text!r}: write the recorder's name and the camera's id, ch01=cam1")
        pairs[name] = identifier
    return pairs
