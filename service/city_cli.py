"""``ngatu city``: bring the city's registry in from files, see what would change, write it out again."""

import getpass
import time
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.registry import (
    Change,
    Plan,
    Record,
    Ref,
    RegistryError,
    city_at,
    plan_import,
    read_files,
    summary,
)
from service.registry.records import ADDRESSES
from service.registry.store import load_history, revision, save_changes
from service.registry.writing import csv_files, geojson_text, yaml_text
from service.storage.connect import open_database, reading, writing
from vision import NgatuError
from vision.sources import mask_address

app = typer.Typer(no_args_is_help=True, help="The city's sites, approaches, cameras and views.")

DbOption = Annotated[
    str | None,
    typer.Option("--db", envvar="NGATU_DB", help="Database: sqlite:///file.db or postgresql://..."),
]
AtOption = Annotated[
    str | None, typer.Option("--at", help="Moment, local in --tz, such as 2026-03-01 or 2026-03-01T06:30.")
]
TzOption = Annotated[str, typer.Option(help="Time zone of moments.")]

SAMPLE = "bac-giang.sample.yaml"
MOST = 6
"""Records of each kind that are shown without --all."""


@app.command("import")
def import_command(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="YAML, CSV or GeoJSON files.")],
    at: AtOption = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the changes; else they are only shown.")
    ] = False,
    end_missing: Annotated[
        bool, typer.Option("--end-missing", help="End records that the lists in the files leave out.")
    ] = False,
    all_: Annotated[bool, typer.Option("--all", help="Show every change.")] = False,
    db: DbOption = None,
    tz: TzOption = "Asia/Ho_Chi_Minh",
) -> None:
    """Compare FILES with the registry, show what would change, and with --apply change it.

    The change holds from --at on, by default from now; what the registry said before stays as it was.
    """
    now = time.time()
    moment = parse_moment(at, tz, "--at") if at else now
    draft = read_files(paths)
    engine = open_database(db)
    with reading(engine) as connection:
        history, seen = load_history(connection), revision(connection)
    plan = plan_import(history, draft, moment, end_missing)
    _show(plan, tz, all_)
    if not plan.changes:
        typer.echo("the registry says all of this already; nothing to do")
        return
    if at is None and not history:
        typer.echo(
            "note: the registry begins now; for recordings made earlier give --at with a day before them"
        )
    if moment < now and history:
        typer.echo(f"note: figures from {_local(moment, tz)} on will be computed anew with these changes")
    if not apply:
        typer.echo("nothing was changed; run it again with --apply to change the registry")
        return
    with writing(engine) as connection:
        save_changes(
            connection, history, plan.changes, moment, seen_revision=seen, now=now, actor=getpass.getuser()
        )
    typer.echo(f"applied, valid from {_local(moment, tz)} (revision {seen + 1})")


@app.command("export")
def export_command(
    format_: Annotated[
        Literal["yaml", "csv", "geojson"], typer.Option("--format", help="csv needs --out.")
    ] = "yaml",
    out: Annotated[
        Path | None, typer.Option("--out", help="File (csv: folder) to write; by default the terminal.")
    ] = None,
    at: AtOption = None,
    db: DbOption = None,
    tz: TzOption = "Asia/Ho_Chi_Minh",
) -> None:
    """Write the registry as it is, or was at --at, to files that can be imported again."""
    moment = parse_moment(at, tz, "--at") if at else time.time()
    with reading(open_database(db)) as connection:
        city = city_at(load_history(connection), moment)
    if not city:
        raise RegistryError(f"the registry holds nothing at {_local(moment, tz)}; see: ngatu city import")
    heading = f"The city at {_local(moment, tz)}, written by: ngatu city export"
    if format_ == "csv":
        if out is None:
            raise NgatuError("--format csv writes several files; name a folder with --out")
        for name, text in csv_files(city, heading).items():
            _write(out / name, text)
        typer.echo(f"written to {out}")
        return
    text = geojson_text(city) if format_ == "geojson" else yaml_text(city, heading)
    if out is None:
        typer.echo(text, nl=False)
        return
    _write(out, text)
    typer.echo(f"written to {out}")


@app.command()
def sample(
    out: Annotated[Path, typer.Argument(help="File to write.")] = Path(SAMPLE),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write the sample city, 60 points and 80 cameras of Bắc Giang, illustrative, to try things with."""
    if out.exists() and not force:
        raise RegistryError(f"{out} is there already; name another file, or replace it with --force")
    _write(out, sample_city())
    typer.echo(f"{out}: an ILLUSTRATIVE city; no real junction, camera or address is described by it")
    typer.echo(f"next: ngatu city import {out} --at 2026-01-01 --apply")


def sample_city() -> str:
    """The text of the sample city's file."""
    return (files("service.registry") / "data" / SAMPLE).read_text(encoding="utf-8")


def parse_moment(text: str, tz: str, option: str) -> float:
    """Seconds since the Unix epoch of a moment written in ISO 8601, local in ``tz`` unless it says otherwise.

    Raises:
        NgatuError: it is none, or ``tz`` is no time zone.
    """
    try:
        zone = ZoneInfo(tz)
    except (KeyError, ValueError, OSError):
        raise NgatuError(f"--tz {tz!r} is no time zone; write one such as Asia/Ho_Chi_Minh") from None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise NgatuError(
            f"{option} {text!r}: write a day or moment such as 2026-03-01 or 2026-03-01T06:30"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


def _local(moment: float, tz: str) -> str:
    return datetime.fromtimestamp(moment, ZoneInfo(tz)).isoformat(sep=" ", timespec="minutes")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NgatuError(f"cannot write {path}: {error.strerror}; choose another place") from None


def _show(plan: Plan, tz: str, whole: bool) -> None:
    """The difference, as a table of numbers and a line for each record."""
    console = Console()
    if plan.changes:
        table = Table(title=f"changes from {_local(plan.time, tz)} on", title_justify="left")
        table.add_column("")
        for name in ("new", "changed", "ended"):
            table.add_column(name, justify="right")
        for section, counts in summary(plan.changes).items():
            table.add_row(section, *(str(count or "") for count in counts))
        console.print(table)
    for section in summary(plan.changes):
        these = [change for change in plan.changes if change.ref[0] == section]
        for change in these if whole else these[:MOST]:
            console.print(_line(change, tz), soft_wrap=True)
        if not whole and len(these) > MOST:
            console.print(f"  … and {len(these) - MOST} more {section}, see --all", highlight=False)
    if plan.not_mentioned:
        console.print(_left(plan.not_mentioned), soft_wrap=True, highlight=False)
    for note in plan.notes:
        console.print(Text(f"note: {note}", "yellow"), soft_wrap=True)


def _line(change: Change, tz: str) -> Text:
    name = " ".join(change.ref[1:])
    section = _SINGULAR[change.ref[0]]
    until = "" if change.until == float("inf") else f" (until {_local(change.until, tz)})"
    if change.after is None:
        return Text(f"- {section} {name} ends{until}", "red")
    if change.before is None:
        return Text(f"+ {section} {name}{_said(change.after)}{until}", "green")
    fields = "; ".join(
        f"{field}: {_value(field, old)} → {_value(field, new)}" for field, old, new in change.fields()
    )
    return Text(f"~ {section} {name}: {fields}{until}", "yellow")


_SINGULAR = {
    "sites": "site",
    "approaches": "approach",
    "cameras": "camera",
    "owners": "owner of",
    "views": "view of",
    "targets": "target for",
}


def _said(record: Record) -> str:
    name = getattr(record, "name", "") or getattr(record, "camera", "") if record.SECTION != "views" else ""
    return f": {name}" if name else ""


def _value(field: str, value: object) -> str:
    if field == "view" and isinstance(value, dict):
        return f"version {value['version']}"
    if value in (None, ""):
        return "(empty)"
    return (
        mask_address(str(value))
        if field in ADDRESSES
        else str(value).lower()
        if value in (True, False)
        else str(value)
    )


def _left(refs: tuple[Ref, ...]) -> str:
    names = [f"{_SINGULAR[ref[0]]} {' '.join(ref[1:])}" for ref in refs[:3]]
    more = f" and {len(refs) - 3} more" if len(refs) > 3 else ""
    return f"not in the files, left as they are (--end-missing would end them): {', '.join(names)}{more}"
