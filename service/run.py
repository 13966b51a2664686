"""A count on the terminal: progress while it runs, the table and what was noted at its end."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.count import CountOptions, CountResult, count_source
from service.outputs import result_table


def run_count(options: CountOptions) -> CountResult:
    """Count with a progress bar, then print the table and what was noted.

    Raises:
        NgatuError: something is not usable, or nothing could be counted to the end; what was is written.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(short_name(options.source), total=None, rate="")

        def progress(done: int, total: int | None) -> None:
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            bar.update(task, completed=done, total=total, rate=f"{speed:.0f} frames/s" if speed else "")

        result = count_source(options, progress)
    show(result, options.out)
    if result.failure:
        raise result.failure
    return result


def show(result: CountResult, out: Path) -> None:
    """Print what was counted, how the frames came, and where the files are."""
    console = Console()

    def say(text: str, style: str | None = None) -> None:
        # Names may hold [brackets], and a path broken over two lines cannot be copied.
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    if result.view:
        console.print(result_table(result.crossings, result.view))
    frames = result.summary.get("frames")
    if isinstance(frames, dict) and "start_from" in result.summary:
        start, origin = result.summary["start"], result.summary["start_from"]
        say(f"first frame {start} (from the {origin}), {result.summary['frames_per_s']} frames/s")
        lost = {
            key: frames[key] for key in ("undecodable", "damaged", "out_of_order", "jumps") if frames[key]
        }
        if lost or frames["gaps"] or frames["truncated"]:
            told = ", ".join(f"{number} {key.replace('_', ' ')}" for key, number in lost.items())
            cut = "; the recording is cut off" if frames["truncated"] else ""
            say(f"damage: {told or 'none decoded'}; {len(frames['gaps'])} gaps{cut}", "yellow")
    for note in result.notes:
        say(note, "yellow")
    say(f"results in {out}")


def short_name(source: str) -> str:
    """What to call a source in folders and on the terminal."""
    return "camera" if "://" in source else Path(source).stem or "source"
