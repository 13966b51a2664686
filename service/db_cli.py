"""``ngatu db``: make and upgrade the database, check it, copy it, drop what has had its time."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.storage.backup import backup, restore
from service.storage.check import check_database, database_status
from service.storage.connect import StorageError, connect, open_database, schema_revision, shown, upgrade
from service.storage.drain import drain
from service.storage.outbox import Outbox
from service.storage.retention import Dropped, Retention, drop_tracks, run_retention

app = typer.Typer(no_args_is_help=True, help="The database: upgrade, check, backup, restore, retention.")

DbOption = Annotated[
    str | None,
    typer.Option("--db", envvar="NGATU_DB", help="Database: sqlite:///file.db or postgresql://..."),
]


@app.command("upgrade")
def upgrade_command(db: DbOption = None) -> None:
    """Make the tables, or bring them to this program's schema."""
    engine = connect(db)
    before, newest = schema_revision(engine)
    upgrade(engine)
    if before == newest:
        print(f"{shown(engine)}: schema {newest}, nothing to do")
    else:
        print(f"{shown(engine)}: schema {before or 'none'} → {newest}")


@app.command("backup")
def backup_command(
    path: Annotated[Path | None, typer.Argument(help="New file; by default named after the moment.")] = None,
    db: DbOption = None,
) -> None:
    """Copy the whole database to a file, while it is in use."""
    engine = connect(db)
    path = path or Path(f"ngatu-{datetime.now():%Y%m%d-%H%M%S}.backup")
    size = backup(engine, path)
    print(f"{path}: {_bytes(size)} from {shown(engine)}")
    print("camera addresses in it are sealed; keep the key apart from it, see: ngatu accounts key")


@app.command("restore")
def restore_command(
    path: Annotated[Path, typer.Argument(help="File that ngatu db backup wrote.")], db: DbOption = None
) -> None:
    """Fill an empty database from a backup."""
    engine = connect(db)
    revision = restore(engine, path)
    _, newest = schema_revision(engine)
    print(f"{shown(engine)}: restored, schema {revision}")
    if revision != newest:
        print(f"this ngatu needs schema {newest}; run: ngatu db upgrade")


@app.command("drain")
def drain_command(
    outbox: Annotated[Path, typer.Argument(help="File outbox.db that a count or worker left.")],
    db: DbOption = None,
) -> None:
    """Write what still waits in an OUTBOX, after the database was away."""
    if not outbox.is_file():
        raise StorageError(f"there is no outbox {outbox}; give the file outbox.db beside the results")
    engine = open_database(db)
    with Outbox(outbox) as waiting:
        print(f"{drain(waiting, engine)} messages written to {shown(engine)}")
        alarm = waiting.state().alarm
    if alarm:
        print(alarm)
        raise typer.Exit(1)


@app.command("check")
def check_command(
    db: DbOption = None,
    days: Annotated[int, typer.Option(min=1, help="How many days back to check.")] = 7,
) -> None:
    """Check the schema, and that the figures of the last days agree with one another."""
    engine = open_database(db, upgrade_empty=False)
    status = database_status(engine)
    free = f", {_bytes(status.free)} free on its disk" if status.free is not None else ""
    print(f"{status.address}: schema {status.revision}, {_bytes(status.bytes or 0)}{free}")
    problems = check_database(engine, days)
    for problem in problems:
        print(f"wrong: {problem}")
    if problems:
        raise typer.Exit(1)
    print(f"the last {days} days are sound")


@app.command("retention")
def retention_command(
    db: DbOption = None,
    crossings_days: Annotated[int, typer.Option(min=31, help="Keep single crossings so many days.")] = 365,
    ten_seconds_hours: Annotated[int, typer.Option(min=1, help="Keep 10-second rows so many hours.")] = 48,
    minutes_days: Annotated[int, typer.Option(min=1, help="Keep 1-minute rows so many days.")] = 30,
    tracks_days: Annotated[int, typer.Option(min=1, help="Keep files of tracks so many days.")] = 7,
    tracks: Annotated[
        Path | None, typer.Option(help="Folder in which old files tracks.parquet are deleted; else none are.")
    ] = None,
) -> None:
    """Drop what has had its time, once its sums are proven to be in what stays. Counts stay for ever."""
    engine = open_database(db, upgrade_empty=False)
    settings = Retention(
        crossings_days=crossings_days,
        ten_seconds_hours=ten_seconds_hours,
        minutes_days=minutes_days,
        tracks_days=tracks_days,
    )
    done = run_retention(engine, settings)
    if done:
        Console().print(_table(done))
    else:
        print("nothing has had its time yet")
    if tracks:
        print(f"{len(drop_tracks(engine, tracks, settings))} files of tracks deleted in {tracks}")
    if not all(step.proven for step in done):
        print("kept what is not proven to be in the longer intervals; see the table 'audit'")
        raise typer.Exit(1)


def _table(done: list[Dropped]) -> Table:
    table = Table(title="dropped")
    for name in ("what", "from", "until"):
        table.add_column(name)
    for name in ("rows before", "after", "sums", "sums that stay"):
        table.add_column(name, justify="right")
    for step in done:
        times = (f"{step.start:%Y-%m-%d %H:%M}", f"{step.end:%Y-%m-%d %H:%M}")
        sums = (
            ", ".join(f"{value:g} {name}" for name, value in each.items()) for each in (step.sums, step.kept)
        )
        table.add_row(step.what, *times, str(step.rows), str(step.left), *sums)
    return table


def _sums(sums: dict[str, float]) -> str:
    return ", ".join(f"{value:g} {name.replace('_', ' ')}" for name, value in sums.items())


def _bytes(number: int) -> str:
    return f"{number / 2**20:.1f} MiB"
