"""What is left of a job: its folder, its files, what goes into the database, and what is deleted in time."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from service.jobs import store
from service.jobs.settings import JobError, JobSettings
from service.storage.connect import writing
from service.storage.drain import drain
from service.storage.outbox import Outbox

FILES = (
    "summary.json",
    "crossings.csv",
    "counts.csv",
    "metrics.csv",
    "incidents.csv",
    "view.yaml",
    "annotated.mp4",
)
"""What of a count is kept, where there is any."""


def folder_of(settings: JobSettings, number: Any) -> Path:
    """Where the results of a job are."""
    return settings.folder / "results" / str(number)


def sweep(engine: Engine, settings: JobSettings, now: datetime | None = None) -> int:
    """Delete uploads and annotated videos that have had their time; returns how many files.

    Counts stay. Recordings that were named by their path are not ours and stay, too.
    """
    before = (now or datetime.now(UTC)) - timedelta(days=settings.keep_days)
    uploads = settings.folder / "uploads"
    deleted = 0
    with writing(engine) as connection:
        kept = {Path(each).absolute() for each in store.paths_in_use(connection, before)}
        for row in store.expired(connection, before):
            annotated = folder_of(settings, row["id"]) / "annotated.mp4"
            deleted += annotated.is_file()
            annotated.unlink(missing_ok=True)
            files = [each for each in row["result"].get("files", []) if each != annotated.name]
            store.mark_expired(connection, {**row, "result": {**row["result"], "files": files}})
    for path in uploads.iterdir() if uploads.is_dir() else ():
        # One without a job may just be coming in, or its service was killed on the way.
        if path.absolute() not in kept and path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted


def tidy(folder: Path) -> None:
    """Leave nothing of the process beside the files kept; tracks of vehicles above all."""
    for each in folder.iterdir():
        if each.is_symlink():
            each.unlink()
        elif each.name not in FILES and not each.name.startswith("outbox.db"):
            shutil.rmtree(each) if each.is_dir() else each.unlink()


def refuse_links(folder: Path) -> None:
    """See that the process left no links, by which one would read or write other files than its own.

    Raises:
        JobError: it did.
    """
    if any(each.is_symlink() for each in folder.rglob("*")):
        raise JobError("the count left links behind, as nothing of ours does; the recording may do harm")


def public_summary(summary: dict[str, Any], name: str) -> dict[str, Any]:
    """The content of summary.json without the paths of this machine."""
    view = summary.get("view")
    if isinstance(view, dict):
        view = {**view, "file": Path(str(view.get("file", ""))).name}
    return {**summary, "source": name, "view": view}


def record(engine: Engine, path: Path, camera: str) -> str:
    """Put what was measured into the database, after seeing that it is of this camera alone.

    Raises:
        NgatuError: it is not, or the database refuses it.
    """
    with Outbox(path) as outbox:
        for message in outbox.oldest(2**40):
            content = message.content
            named = content.get("camera_id") or content.get("camera")
            rows = content.get("rows") if message.kind == "rows" else ()
            others = {each.get("camera_id") for each in rows or ()} | ({named} if named else set())
            if others - {camera} or (message.kind == "rows" and content.get("table") != "runs"):
                raise JobError("the count tells of another camera, so nothing was written to the database")
        drain(outbox, engine)
        if outbox.state().rejected:
            raise JobError("the database refused what was measured; look at the job's outbox.db")
    for each in path.parent.glob("outbox.db*"):
        each.unlink(missing_ok=True)
    return f"recorded for camera {camera}"
