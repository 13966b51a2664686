"""A batch on the terminal: what was found, how far it is, what came of it."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from service.batch.find import Found, Placed
from service.batch.progress import Progress
from service.batch.run import BatchReport

MOST_ROWS = 15
"""So many cameras are shown while it runs, those that have most left."""


def show_found(found: Found, folder: Path, tz: str, console: Console) -> None:
    """Print which recordings were found of which camera, and what could not be placed and why."""
    zone = ZoneInfo(tz)
    cameras: dict[str, list[Placed]] = defaultdict(list)
    for placed in found.placed:
        cameras[placed.camera].append(placed)
    table = Table(title=f"recordings in {escape(str(folder))}: {len(found.placed)}, cameras: {len(cameras)}")
    for name in ("camera", "site", "files", "from", "to", "view", "pattern"):
        table.add_column(name, justify="right" if name == "files" else "left", overflow="fold")
    for camera, recordings in cameras.items():
        table.add_row(
            escape(camera),
            escape(recordings[0].site or ""),
            str(len(recordings)),
            *(
                datetime.fromtimestamp(each.named.start, zone).strftime("%Y-%m-%d %H:%M")
                for each in (recordings[0], recordings[-1])
            ),
            ", ".join(dict.fromkeys(str(each.view.version) for each in recordings)),
            escape(", ".join(dict.fromkeys(each.named.pattern for each in recordings))),
        )
    console.print(table)
    if found.unplaced:
        rows = [(_within(each.path, folder), each.reason) for each in found.unplaced]
        _two_columns(f"{len(rows)} not placed", ("file", "why"), rows, console)


def show_report(report: BatchReport, console: Console) -> None:
    """Print what came of it, failures last."""
    spent = timedelta(seconds=round(report.seconds))
    speed = f" ({report.frames / report.seconds:.0f} frames/s)" if report.frames and report.seconds else ""
    console.print(
        f"{report.counted} recordings counted: {report.crossings} crossings; "
        f"{report.skipped} were in the database already; "
        f"{report.frames} frames detected in {spent}{speed}",
        highlight=False,
        soft_wrap=True,
    )
    if report.stopped:
        console.print(
            "stopped before its end; run it again to go on from here", style="yellow", highlight=False
        )
    if report.failures:
        _two_columns(f"{len(report.failures)} failed", ("what", "why"), report.failures, console)


@contextmanager
def live_progress(progress: Progress, console: Console, stopping: Callable[[], bool]) -> Iterator[None]:
    """Show how far it is while the block runs; where there is no terminal, nothing."""
    if not console.is_terminal:
        yield
        return
    with Live(
        get_renderable=lambda: progress_table(progress, stopping()),
        console=console,
        refresh_per_second=2,
        transient=True,
    ):
        yield


def progress_table(progress: Progress, stopping: bool = False) -> Table:
    """A row a camera that has work left, and all of them together."""
    doing = "stopping, once what is begun is done" if stopping else progress.doing
    table = Table(title=doing)
    table.add_column("camera")
    for name in ("recordings", "frames", "detected", "stretches", "counted", "crossings", "failed"):
        table.add_column(name, justify="right")
    cameras = list(progress.cameras.items())
    left = sorted(cameras, key=lambda each: each[1].ready - each[1].frames)[:MOST_ROWS]
    shown = {name for name, _ in left}
    rows = [(name, each) for name, each in cameras if name in shown]
    for name, each in rows:
        share = f"{min(1.0, each.ready / each.frames):.0%}" if each.frames else ""
        numbers = (each.recordings, each.frames, share, each.streams, each.counted, each.crossings)
        table.add_row(escape(name), *(str(number) for number in numbers), str(each.failures or ""))
    everything = [each for _, each in cameras]
    total = [sum(getattr(each, name) for each in everything) for name in ("recordings", "frames", "ready")]
    counted = [
        sum(getattr(each, name) for each in everything) for name in ("streams", "counted", "crossings")
    ]
    share = f"{min(1.0, total[2] / total[1]):.0%}" if total[1] else ""
    failed = sum(each.failures for each in everything)
    table.add_section()
    table.add_row(
        f"all {len(cameras)}",
        str(total[0]),
        str(total[1]),
        share,
        *(str(number) for number in counted),
        str(failed or ""),
    )
    speed = f"{progress.speed:.0f} frames/s" if progress.speed else ""
    left_s = progress.remaining
    table.caption = f"{speed}, {timedelta(seconds=round(left_s))} left" if left_s is not None else speed
    return table


def _two_columns(title: str, heads: tuple[str, str], rows: list[tuple[str, str]], console: Console) -> None:
    table = Table(title=title, title_style="yellow")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def _within(path: Path, folder: Path) -> str:
    root = folder.resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
