"""``ngatu report`` and ``ngatu compare``: counts as a traffic office reads them; beside a manual count."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from service.city_cli import parse_moment
from service.db_cli import DbOption
from service.outputs import parse_interval
from service.reports.compare import compare
from service.reports.compare_tables import comparison_csv, comparison_json, comparison_tables
from service.reports.crossings import Counted
from service.reports.from_database import load_site
from service.reports.load import NO_ZONE, load_counted
from service.reports.manual import read_manual
from service.reports.report import Report, make_report
from service.reports.rows import csv_text, json_text, write_parquet
from service.reports.terminal import report_tables
from service.reports.words import Language
from service.reports.xlsx import write_xlsx
from service.storage.connect import open_database, reading
from vision import NgatuError
from vision.density.factors import PCU_TABLE, load_factors

ReportFormat = Literal["table", "csv", "json", "xlsx", "parquet"]
CompareFormat = Literal["table", "csv", "json"]

ViewOption = Annotated[
    Path | None, typer.Option("--view", help="The view counted with; else the one that the summary names.")
]
TzOption = Annotated[str | None, typer.Option(help="Time zone of the site; else the one counted with.")]
LanguageOption = Annotated[Language, typer.Option(help="Language of tables and notes.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="File to write; its suffix tells the format.")]


def report(
    sources: Annotated[
        list[Path] | None, typer.Argument(help="Folders of ngatu count, or their crossings.csv.")
    ] = None,
    site: Annotated[
        str | None, typer.Option("--site", help="Instead of SOURCES: a junction in the database.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Beginning, local in --tz: 2026-03-10, 2026-03-10T06:30.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="End of the period, itself not part of it.")] = None,
    db: DbOption = None,
    interval: Annotated[str, typer.Option(help="Length of the rows: 5min, 15min, 1h.")] = "15min",
    tz: TzOption = None,
    format_: Annotated[
        ReportFormat | None, typer.Option("--format", help="Else by the suffix of --out, or a table.")
    ] = None,
    out: OutOption = None,
    view: ViewOption = None,
    pcu: Annotated[
        str, typer.Option(help="Table of passenger-car units, a .toml file, or none.")
    ] = PCU_TABLE,
    language: LanguageOption = "en",
) -> None:
    """Turning-movement count, peak hour and PHF of what was counted.

    SOURCES follow each other in time. With --site, --from and --to it is a junction's in the database: what
    the owners of its approaches saw, excluded periods left out.
    """
    chosen = _format_of(format_, out, ("table", "csv", "json", "xlsx", "parquet"))
    period = _period(from_, to, _zone(tz) or NO_ZONE)
    counted = _counted(sources or [], site, period, db, view, tz)
    factors = None if pcu == "none" else load_factors(pcu)
    if factors and factors.unit != "PCU":
        raise NgatuError(f"--pcu {pcu}: that is a table of {factors.unit}, not of passenger-car units")
    made = make_report(counted, _seconds(interval), factors, period)
    if chosen == "table":
        _console().print(report_tables(made, language))
    elif chosen == "csv":
        _give(csv_text(made), out)
    elif chosen == "json":
        _give(json_text(made, language), out)
    elif out is None:
        raise NgatuError(f"--format {chosen} needs a file to write: add --out report.{chosen}")
    else:
        file = out
        _write(file, lambda: _WRITERS[chosen](made, file, language))


def _counted(
    sources: list[Path],
    site: str | None,
    period: tuple[float, float] | None,
    db: str | None,
    view: Path | None,
    tz: str | None,
) -> Counted:
    """What to report on, from files or from the database."""
    if bool(sources) == bool(site):
        raise NgatuError(
            "say what to report on: folders of ngatu count, or --site with --from and --to for the database"
        )
    if site is None:
        return load_counted(sources, view, tz)
    if view is not None:
        raise NgatuError("--view is for folders; the views of the database are those of its registry")
    if period is None:
        raise NgatuError(
            "--site needs a period: add --from and --to, such as --from 2026-03-10 --to 2026-03-11"
        )
    with reading(open_database(db)) as connection:
        return load_site(connection, site, *period, tz or NO_ZONE)


def _period(from_: str | None, to: str | None, tz: str) -> tuple[float, float] | None:
    if from_ is None and to is None:
        return None
    if from_ is None or to is None:
        raise NgatuError("a period has a beginning and an end: give both --from and --to")
    start, end = parse_moment(from_, tz, "--from"), parse_moment(to, tz, "--to")
    if start >= end:
        raise NgatuError(f"--from {from_} does not lie before --to {to}; --to is the first moment after it")
    return start, end


_WRITERS: dict[str, Callable[[Report, Path, Language], None]] = {
    "xlsx": write_xlsx,
    "parquet": lambda made, path, _language: write_parquet(made, path),
}


def compare_command(
    ours: Annotated[Path, typer.Argument(help="Folder of ngatu count, or its crossings.csv.")],
    manual: Annotated[Path, typer.Argument(help="CSV of a manual count: one row an event, or an interval.")],
    interval: Annotated[str, typer.Option(help="Intervals in which volumes are compared.")] = "15min",
    tz: TzOption = None,
    format_: Annotated[
        CompareFormat | None, typer.Option("--format", help="Else by the suffix of --out, or a table.")
    ] = None,
    out: OutOption = None,
    view: ViewOption = None,
    language: LanguageOption = "en",
) -> None:
    """Compare OURS with a MANUAL count: volumes (GEH, WAPE, bias), and events within ±1 s and ±0.5 s."""
    chosen = _format_of(format_, out, ("table", "csv", "json"))
    length = _seconds(interval)
    counted = load_counted([ours], view, _zone(tz))
    result = compare(counted, read_manual(manual, counted, length), length)
    if chosen == "table":
        _console().print(comparison_tables(result, language))
    else:
        _give(comparison_csv(result) if chosen == "csv" else comparison_json(result), out)


def _console() -> Console:
    """Wide where nobody's window sets a limit: a table cut to 80 columns in a pipe loses its numbers."""
    free = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(width=160 if free else None)


def _format_of(asked: str | None, out: Path | None, known: tuple[str, ...]) -> str:
    """What to make: as asked, else by the file's suffix, else a table."""
    if asked:
        if asked == "table" and out:
            raise NgatuError(
                f"--format table goes to the terminal: leave out --out {out}, or name a file format"
            )
        return asked
    if out is None:
        return "table"
    suffix = out.suffix.lower().removeprefix(".")
    if suffix not in known[1:]:
        files = ", ".join(f".{name}" for name in known[1:])
        raise NgatuError(f"--out {out}: its name must end in one of {files}, or say --format")
    return suffix


def _seconds(interval: str) -> float:
    """An interval's length; ``15m`` is ``15min``."""
    return parse_interval(f"{interval}in" if interval.endswith("m") else interval)


def _zone(tz: str | None) -> str | None:
    if tz is not None:
        try:
            ZoneInfo(tz)
        except (ValueError, OSError, KeyError):
            raise NgatuError(f"--tz {tz!r} is no time zone; write one such as Asia/Ho_Chi_Minh") from None
    return tz


def _give(text: str, out: Path | None) -> None:
    """To a file, or to standard output for a pipe."""
    if out is None:
        typer.echo(text, nl=False)
        return
    _write(out, lambda: out.write_text(text, encoding="utf-8"))


def _write(path: Path, write: Callable[[], object]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write()
    except OSError as error:
        raise NgatuError(f"cannot write {path}: {error.strerror}; choose another --out") from None
    typer.echo(f"written: {path}")
