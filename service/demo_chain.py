"""The second half of ``ngatu demo``: the count in a database, read back as figures of its junction."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, Engine

from service.city_cli import parse_moment, sample_city
from service.count import CountOptions, CountResult
from service.coverage import CoverageReport, make_report
from service.coverage.formats import SHARES
from service.coverage.store import load_evidence
from service.coverage.words import percent, say
from service.record_count import record_count
from service.registry import Approach, History, Owner, city_at, plan_import, read_files
from service.registry.store import load_history, save_changes
from service.storage.connect import open_database, reading, writing
from service.storage.reads import Values, approach_intervals, junction_intervals

SITE = "hoa-ban"
SINCE = "2026-01-01"
"""From when the sample junction is in the registry: before the clips."""

QUARTER = 900


def show_chain(counts: Mapping[str, tuple[CountOptions, CountResult]], out: Path, tz: str) -> None:
    """Record finished counts in a fresh database, and print what is read back from it.

    Args:
        counts: of each camera of the sample junction what was asked for and what came of it.
        out: folder of the database.
        tz: time zone of the junction.

    Raises:
        NgatuError: the folder cannot be written.
    """
    console = Console()
    console.width = max(console.width, 100)  # narrower, the figures' headings would be cut
    url = f"sqlite:///{out / 'ngatu.db'}"
    _remove_earlier([out, *(options.out for options, _ in counts.values())])
    engine = open_database(url)
    history = _import_junction(engine, out, tz)
    console.print()
    for camera, (options, result) in counts.items():
        console.print(Text(record_count(result, options, url, camera, SITE)), soft_wrap=True)
    spans = [span for _, result in counts.values() for span in result.spans]
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    with reading(engine) as connection:
        console.print(_junction_table(connection, history, start))
        report = make_report(
            history, lambda begin, until: load_evidence(connection, begin, until), end, start, tz=tz
        )
    console.print(_coverage_table(report))


def _remove_earlier(folders: list[Path]) -> None:
    """Take away the databases of an earlier run."""
    for folder in folders:
        for name in ("ngatu.db", "outbox.db"):
            for suffix in ("", "-wal", "-shm"):
                (folder / f"{name}{suffix}").unlink(missing_ok=True)


def _import_junction(engine: Engine, out: Path, tz: str) -> History:
    """Import the sample city's one junction that the clips show, as ``ngatu city import`` would."""
    city: dict[str, Any] = yaml.safe_load(sample_city())
    city["sites"] = [site for site in city["sites"] if site["id"] == SITE]
    city["cameras"] = [camera for camera in city["cameras"] if camera["site"] == SITE]
    file = out / f"{SITE}.city.yaml"
    file.write_text(yaml.safe_dump(city, allow_unicode=True, sort_keys=False), encoding="utf-8")
    since = parse_moment(SINCE, tz, "--at")
    changes = plan_import({}, read_files([file]), since).changes
    with writing(engine) as connection:
        save_changes(connection, {}, changes, since, seen_revision=0, now=time.time(), actor="ngatu demo")
        return load_history(connection)


def _junction_table(connection: Connection, history: History, time: float) -> Table:
    """A row for each approach, of the quarter of an hour in which the clip begins."""
    quarter = datetime.fromtimestamp(time - time % QUARTER, UTC)
    until = quarter + timedelta(seconds=1)
    rows = approach_intervals(connection, quarter, until, QUARTER, sites=[SITE])
    found = {row["approach_id"]: row for row in rows}
    city = city_at(history, time).values()
    owners = {each.approach: each.camera for each in city if isinstance(each, Owner)}
    table = Table(title=f"{SITE} in the database, {quarter:%Y-%m-%d %H:%M} UTC", title_justify="left")
    for name in ("approach", "its camera", "observed"):
        table.add_column(name, no_wrap=True)
    for name in ("entered", "flow\n/h", "density\n/km", "speed\nkm/h", "queue\nm", "level"):
        table.add_column(name, justify="right")
    for approach in (each.id for each in city if isinstance(each, Approach)):
        table.add_row(approach, owners.get(approach, ""), *_cells(found.get(approach)))
    table.add_section()
    for whole in junction_intervals(connection, quarter, until, QUARTER, sites=[SITE]):
        table.add_row("junction", "", *_cells({**_UNKNOWN, **whole._mapping}))
    return table


def _coverage_table(report: CoverageReport) -> Table:
    """The four figures of coverage over the clip, of the one junction that is in the registry."""
    seconds = 0.0 if report.start is None else report.at - report.start
    table = Table(title=f"coverage of {SITE} in the {seconds:.0f} s of the clips", title_justify="left")
    table.add_column("figure")
    table.add_column("share", justify="right")
    table.add_column("means")
    figures = next(each for each in report.figures if each.kind == "junction")
    for name in SHARES:
        table.add_row(say(name, "en"), percent(getattr(figures, name), "en"), say(f"about_{name}", "en"))
    return table


_UNKNOWN = dict.fromkeys(("density_per_km", "space_mean_speed_kmh", "queue_max_m", "queue_max_at_least"))
"""Figures that an approach has and a junction as a whole has not."""


def _cells(row: Values | None) -> list[str]:
    """What is known of an approach; empty, not 0, where it was not observed."""
    if row is None:
        return ["not observed"]
    queue = _number(row["queue_max_m"])
    return [
        f"{row['observed_seconds']:.0f} of {row['length']} s",
        _number(row["count"]),
        _number(row["flow_per_h"]),
        _number(row["density_per_km"]),
        _number(row["space_mean_speed_kmh"], 1),
        f"≥ {queue}" if queue and row["queue_max_at_least"] else queue,
        row["level"] or "",
    ]


def _number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{value:.{digits}f}"
