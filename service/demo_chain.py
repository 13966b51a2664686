"""The second half of ``ngatu demo``: the count goes into a database, and comes back as figures of a junction."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, Engine

from service import coverage_cli
from service.city_cli import parse_moment, sample_city
from service.count import CountOptions, CountResult
from service.coverage import make_report
from service.coverage.store import load_evidence
from service.record_count import record_count
from service.registry import Approach, History, Owner, city_at, plan_import, read_files
from service.registry.store import load_history, save_changes
from service.storage.connect import open_database, reading, writing
from service.storage.reads import approach_intervals

SITE, CAMERA = "hoa-ban", "hoa-ban-cam1"
SINCE = "2026-01-01"
"""From when the sample junction is in the registry: before the clips."""

FIGURES = ("flow_per_h", "density_per_km", "space_mean_speed_kmh", "queue_max_m", "queue_max_at_least", "level")
QUARTER = 900


def show_chain(result: CountResult, options: CountOptions) -> None:
    """Record a finished count of the sample clip in a fresh database, and print what is read back from it.

    Raises:
        NgatuError: the folder for the results cannot be written.
    """
    console = Console()
    engine = _fresh_database(options.out)
    history = _import_junction(engine, options)
    console.print(Text(f"\n{record_count(result, options, str(engine.url), CAMERA, SITE)}"), soft_wrap=True)
    start, end = result.spans[0][0], result.spans[-1][1]
    with reading(engine) as connection:
        console.print(_junction_table(connection, history, start))
        report = make_report(
            history, lambda begin, until: load_evidence(connection, begin, until), end, start, tz=options.tz
        )
    coverage_cli.show(report, "en", console)


def _fresh_database(folder: Path) -> Engine:
    """An empty database, whatever an earlier run left in the folder."""
    for name in ("ngatu.db", "outbox.db"):
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    return open_database(f"sqlite:///{folder / 'ngatu.db'}")


def _import_junction(engine: Engine, options: CountOptions) -> History:
    """Import the sample city's one junction that the clip shows, as ``ngatu city import`` would."""
    city: dict[str, Any] = yaml.safe_load(sample_city())
    city["sites"] = [site for site in city["sites"] if site["id"] == SITE]
    city["cameras"] = [camera for camera in city["cameras"] if camera["site"] == SITE]
    file = options.out / f"{SITE}.city.yaml"
    file.write_text(yaml.safe_dump(city, allow_unicode=True, sort_keys=False), encoding="utf-8")
    since = parse_moment(SINCE, options.tz, "--at")
    changes = plan_import({}, read_files([file]), since).changes
    with writing(engine) as connection:
        save_changes(connection, {}, changes, since, seen_revision=0, now=time.time(), actor="ngatu demo")
        return load_history(connection)


def _junction_table(connection: Connection, history: History, time: float) -> Table:
    """A row for each approach, of the quarter of an hour that the clip lies in."""
    moment = datetime.fromtimestamp(time - time % QUARTER, UTC)
    rows = approach_intervals(
        connection, moment, datetime.fromtimestamp(time, UTC).replace(microsecond=999_999), QUARTER, sites=[SITE]
    )
    found = {row["approach_id"]: row for row in rows}
    city = city_at(history, time).values()
    owners = {each.approach: each.camera for each in city if isinstance(each, Owner)}
    table = Table(title=f"{SITE}, read back from the database")
    for name in ("approach", "its camera", "observed"):
        table.add_column(name)
    for name in ("entering", "flow /h", "density /km", "speed km/h", "queue m", "level"):
        table.add_column(name, justify="right")
    for approach in (each.id for each in city if isinstance(each, Approach)):
        table.add_row(approach, owners.get(approach, "–"), *_cells(found.get(approach)))
    return table
