"""``ngatu coverage``: which share of the key sites is watched, what is missing, and what to do next."""

import time
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.city_cli import DbOption, TzOption, parse_moment
from service.coverage import CoverageReport, Figures, make_report
from service.coverage.facts import KINDS
from service.coverage.formats import SHARES, as_csv, as_geojson, as_json, write_xlsx
from service.coverage.store import load_evidence, save_snapshot
from service.coverage.words import Language, clock, next_step, number, outlook, percent, say, why
from service.registry import RegistryError
from service.registry.store import load_history
from service.storage.connect import open_database, reading, writing
from vision import NgatuError

Format = Literal["table", "json", "csv", "geojson", "xlsx"]


def coverage(
    at: Annotated[str | None, typer.Option("--at", help="Moment, local in --tz; by default now.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Beginning of a period.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="End of the period; by default now.")] = None,
    by: Annotated[
        Literal["day", "week", "month"], typer.Option("--by", help="Parts of the period's history.")
    ] = "day",
    format_: Annotated[Format, typer.Option("--format", help="What to write.")] = "table",
    gaps: Annotated[bool, typer.Option("--gaps", help="With csv: the gaps instead of the figures.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; xlsx needs one.")] = None,
    language: Annotated[Language, typer.Option("--language", help="Words of tables.")] = "en",
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="Keep the figures in the database as reported now.")
    ] = False,
    db: DbOption = None,
    tz: TzOption = "Asia/Ho_Chi_Minh",
) -> None:
    """Tell how many of the key junctions and key public areas are watched, and why the others are not."""
    now = time.time()
    start, end = _period(at, from_, to, tz, now)
    engine = open_database(db)
    with reading(engine) as connection:
        history = load_history(connection)
        if not history:
            raise RegistryError("the registry is empty; fill it with: ngatu city import FILE")
        report = make_report(
            history, lambda begin, until: load_evidence(connection, begin, until), end, start, by, tz
        )
    if snapshot:
        if start is not None:
            raise NgatuError("--snapshot keeps the figures of a moment; leave --from and --to out")
        with writing(engine) as connection:
            save_snapshot(connection, report.figures, now)
    if format_ == "table":
        if out is not None:
            raise NgatuError("--out needs --format json, csv, geojson or xlsx; a table goes to the terminal")
        show(report, language, Console())
        return
    _write(report, format_, gaps, out, language)


def show(report: CoverageReport, language: Language, console: Console) -> None:
    """Print the report as tables."""
    if report.start is None:
        title = say("title_at", language, at=clock(report.at, report.tz))
    else:
        start, end = clock(report.start, report.tz), clock(report.at, report.tz)
        title = say("title_over", language, start=start, end=end)
    console.print(_figures_table(f"{title} ({report.tz})", report.figures, report, language))
    if unreal := sum(each.site.illustrative for each in report.sites):
        text = say("illustrative", language, some=unreal, all=len(report.sites))
        console.print(Text(text, "bold yellow"), soft_wrap=True)
    for name in SHARES:
        more = say("last_day", language) if name == "time_weighted" and report.start is None else ""
        about = say(f"about_{name}", language) + more
        console.print(Text(f"{say(name, language):>14}: {about}", "dim"), soft_wrap=True)
    for figures in report.figures:
        console.print(_outlook(figures, report, language), soft_wrap=True)
    for kind in KINDS:
        parts = [each for each in report.history if each.kind == kind and each.sites]
        if parts:
            console.print()
            console.print(_figures_table(say(kind, language), parts, report, language))
    console.print()
    if report.gaps:
        console.print(_gap_table(report, language))
    elif report.sites:
        console.print(say("no_gaps", language))


def _period(
    at: str | None, from_: str | None, to: str | None, tz: str, now: float
) -> tuple[float | None, float]:
    """Beginning, None for a moment, and end."""
    if at and (from_ or to):
        raise NgatuError("--at asks for a moment, --from and --to for a period; give one of them")
    if to and not from_:
        raise NgatuError("--to needs --from, the beginning of the period")
    option = "--at" if at else "--to"
    text = at or to
    end = parse_moment(text, tz, option) if text else now
    if end > now:
        raise NgatuError(f"{option} {text} lies in the future; what cameras will see is not known")
    start = parse_moment(from_, tz, "--from") if from_ else None
    if start is not None and start >= end:
        raise NgatuError(f"--from {from_} does not lie before the end of the period; give an earlier one")
    return start, end


def _write(report: CoverageReport, format_: Format, gaps: bool, out: Path | None, language: Language) -> None:
    writers = {
        "json": lambda: as_json(report, language),
        "csv": lambda: as_csv(report, gaps, language),
        "geojson": lambda: as_geojson(report, language),
    }
    if out is None:
        if format_ == "xlsx":
            raise NgatuError("--format xlsx writes a workbook; name it with --out")
        typer.echo(writers[format_](), nl=False)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if format_ == "xlsx":
            write_xlsx(report, out, language)
        else:
            out.write_text(writers[format_](), encoding="utf-8")
    except OSError as error:
        raise NgatuError(f"cannot write {out}: {error.strerror}; choose another place") from None
    typer.echo(f"written to {out}")


def _outlook(figures: Figures, report: CoverageReport, language: Language) -> Text:
    kind, found = say(figures.kind, language), report.outlook[figures.kind]
    text = outlook(found, language, report.tz)
    if found.obstacle in ("reached", "no_sites"):
        return Text(f"{kind}: {text}", "green" if found.obstacle == "reached" else "yellow")
    target = percent(figures.target, language)
    return Text(say("outlook", language, kind=kind, target=target, text=text), "yellow")


def _figures_table(title: str, rows: list[Figures], report: CoverageReport, language: Language) -> Table:
    parts = rows is not report.figures
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(say("period" if parts else "kind", language))
    for name in ("sites", *SHARES, "target"):
        table.add_column(say(name, language), justify="right")
    for each in rows:
        first = _dates(each, report.tz) if parts else say(each.kind, language)
        moment = each.start == each.end
        cells = []
        for name in SHARES:
            share = getattr(each, name)
            text = percent(share, language)
            if moment and share is not None and name != "time_weighted":
                text = f"{round(share * each.sites)} = {text}"
            cells.append(text)
        whole = float(each.sites).is_integer()
        sites = number(each.sites, 0 if whole else 1, language)
        table.add_row(first, sites, *cells, percent(each.target, language))
    return table


def _dates(figures: Figures, tz: str) -> str:
    """The first and last day of a part of a period."""
    first, last = clock(figures.start, tz)[:10], clock(figures.end - 1, tz)[:10]
    return first if first == last else f"{first} – {last[5:]}"


def _gap_table(report: CoverageReport, language: Language) -> Table:
    title = say("gaps_title", language, some=len(report.gaps), all=len(report.sites))
    table = Table(title=title, title_justify="left", title_style="bold", show_lines=False)
    table.add_column(say("site", language), ratio=3)
    table.add_column(say("reason", language), ratio=4)
    table.add_column(say("next_step", language), ratio=3)
    kind = None
    for gap in report.gaps:
        if kind not in (None, gap.site.kind):
            table.add_section()
        kind = gap.site.kind
        reasons = "\n".join(why(reason, language, report.tz, gap.site.id) for reason in gap.reasons)
        step = next_step(gap.next_step, language, report.tz, gap.site.id)
        table.add_row(Text(gap.site.name or gap.site.id), Text(reasons), Text(step))
    return table
