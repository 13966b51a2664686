"""``ngatu doctor``: whether everything is here that ngatu needs, and what to do where it is not."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.db_cli import DbOption
from service.doctor import Finding
from service.doctor.cameras import check_cameras
from service.doctor.data import check_database, check_disk, check_outboxes, is_ready, open_if_there
from service.doctor.machine import check_clock, check_decoder, check_model
from service.doctor.views import check_views
from service.doctor.words import Language, check_word, found, say, state_word, step
from service.storage.connect import StorageError, reading
from vision.detection.grades import AUTO, FLOAT, INT8

MOST = 6
"""Cameras with the same finding that are shown one by one."""

_STYLES = {"ok": "green", "attention": "yellow", "fault": "bold red"}


def doctor(
    db: DbOption = None,
    model: Annotated[
        str, typer.Option(help="Detector to check; see: ngatu models list. auto checks both of ours.")
    ] = AUTO,
    results: Annotated[Path, typer.Option(help="Folder below which outboxes are looked for.")] = Path(
        "ngatu-out"
    ),
    tz: Annotated[str, typer.Option(help="Time zone of the site.")] = "Asia/Ho_Chi_Minh",
    cameras: Annotated[bool, typer.Option("--cameras/--no-cameras", help="Open each camera.")] = True,
    language: Annotated[Language, typer.Option(help="Language of what is said.")] = "en",
    json_: Annotated[bool, typer.Option("--json", help="Write what was found as JSON.")] = False,
) -> None:
    """Check model, decoder, clock, database, outbox, disk, views, cameras; status 1 if there is a fault."""
    findings: list[Finding] = []
    console, shown = Console(), Counter[str]()
    for finding in _findings(db, model, results, tz, cameras):
        findings.append(finding)
        if not json_:
            _show(finding, shown, language, console)
    faults = sum(finding.state == "fault" for finding in findings)
    if json_:
        typer.echo(_as_json(findings, language))
    else:
        _show_end(findings, shown, faults, language, console)
    if faults:
        raise typer.Exit(1)


def _findings(db: str | None, model: str, results: Path, tz: str, cameras: bool) -> Iterator[Finding]:
    """Every finding, as soon as it is made."""
    for name in (FLOAT, INT8) if model == AUTO else (model,):
        yield from check_model(name)
    yield from check_decoder()
    yield from check_clock(tz)
    engine = None
    try:
        engine = open_if_there(db)
        yield from check_database(engine, db)
    except StorageError as error:
        yield Finding("database", "fault", "database_fault", {"problem": str(error)})
    yield from check_outboxes(results)
    yield from check_disk(engine, results)
    if engine and is_ready(engine):
        with reading(engine) as connection:
            yield from check_views(connection, time.time())
    if cameras and engine and is_ready(engine):
        with reading(engine) as connection:
            yield from check_cameras(connection, os.environ, time.time())
    elif cameras:
        yield Finding("camera", "attention", "camera_not_asked")


def _show(finding: Finding, shown: Counter[str], language: Language, console: Console) -> None:
    """A line for a finding; of many cameras alike only the first, and none of those that are well."""
    if finding.check == "camera":
        shown[finding.code] += 1
        if finding.state == "ok" or shown[finding.code] > MOST:
            return
    line = Table.grid(padding=(0, 1))
    line.add_column(width=9)
    line.add_column(width=9)
    line.add_column(overflow="fold")
    text = Text(found(finding, language))
    if advice := step(finding, language):
        text.append(f"\n→ {advice}", "bold")
    state = Text(state_word(finding.state, language), _STYLES[finding.state])
    line.add_row(state, check_word(finding.check, language), text)
    console.print(line)


def _show_end(
    findings: list[Finding], shown: Counter[str], faults: int, language: Language, console: Console
) -> None:
    for code, count in shown.items():
        if count > MOST and code != "camera_ok":
            console.print(f"{'':20}{say('more', language, count=count - MOST)}", highlight=False)
    asked = [finding for finding in findings if "camera" in finding.values]
    if asked:
        text = say("cameras", language, well=shown["camera_ok"], all=len(asked))
        console.print(f"{'':20}{text}", highlight=False)
    end = say("faults", language, faults=faults) if faults else say("well", language)
    console.print(Text(end, _STYLES["fault" if faults else "ok"]))


def _as_json(findings: list[Finding], language: Language) -> str:
    rows = [
        {
            "check": finding.check,
            "state": finding.state,
            "code": finding.code,
            "found": found(finding, language),
            "step": step(finding, language),
            "values": finding.values,
        }
        for finding in findings
    ]
    well = all(finding.state != "fault" for finding in findings)
    return json.dumps({"well": well, "findings": rows}, ensure_ascii=False, indent=1)
