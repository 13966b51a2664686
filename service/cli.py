"""The command ``ngatu``."""

import importlib
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import cv2
import typer
from typer.core import TyperGroup

from service import models_cli, training_cli, view_cli
from service.command_line import hide_database_url
from service.count import CountOptions
from service.outputs import parse_grid, parse_interval
from service.recount import recount
from service.run import run_count, short_name, show
from service.tally.command import tally
from vision import NgatuError
from vision.detection.grades import AUTO, RECORDED, AskedProvider

_LATER = {
    "accounts": ("service.auth_cli", "app"),
    "batch": ("service.batch_cli", "batch"),
    "city": ("service.city_cli", "app"),
    "db": ("service.db_cli", "app"),
    "demo": ("service.demo", "demo"),
    "doctor": ("service.doctor_cli", "doctor"),
    "import-tracks": ("service.import_cli", "import_command"),
    "live": ("service.live_cli", "live"),
    "serve": ("service.serve_cli", "serve"),
    "report": ("service.reports_cli", "report"),
    "compare": ("service.reports_cli", "compare_command"),
    "coverage": ("service.coverage_cli", "coverage"),
}
"""Commands whose modules are read when they are asked for: a count need not wait for the database."""


class _Commands(TyperGroup):
    """The commands, some of which are read late."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_LATER]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _LATER:
            return super().get_command(ctx, cmd_name)
        module, name = _LATER[cmd_name]
        found = getattr(importlib.import_module(module), name)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer()
            alone.command(cmd_name)(found)
            found = alone
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None:
            # Mistyped: Typer suggests from what it holds.
            self.commands = {**self.commands, **{name: self.get_command(ctx, name) for name in _LATER}}
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Counts vehicles by class and movement on the pictures of road cameras.",
)
training_cli.register(models_cli.app)
app.add_typer(models_cli.app, name="models")
app.add_typer(view_cli.app, name="view")
app.command("tally")(tally)

ViewOption = Annotated[
    Path | None, typer.Option("--view", help="YAML file of the view; else one is proposed.")
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder for the results.")]
IntervalOption = Annotated[str, typer.Option(help="Length of the bins in counts.csv: 60s, 15min, 1h.")]
TzOption = Annotated[str, typer.Option(help="Time zone of file names and bins.")]


@app.command()
def count(
    source: Annotated[str, typer.Argument(help="Video file, folder of images, or rtsp:// address.")],
    view: ViewOption = None,
    model: Annotated[
        str,
        typer.Option(
            help="Detector; see: ngatu models list. auto takes the quicker of ours here; @896x512 after it "
            "looks closer and takes longer."
        ),
    ] = RECORDED,
    out: OutOption = None,
    annotate: Annotated[bool, typer.Option("--annotate", help="Write an annotated video too.")] = False,
    fps: Annotated[float | None, typer.Option(min=0.1, help="Analyse only so many frames a second.")] = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
            help="Moment of the first frame, local in --tz.",
        ),
    ] = None,
    tz: TzOption = "Asia/Ho_Chi_Minh",
    interval: IntervalOption = "15min",
    duration: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after so many seconds of video.")
    ] = None,
    tiles: Annotated[
        str | None,
        typer.Option(
            help="Look at 2x2 tiles besides the whole picture: finds small far vehicles, costs 5 runs."
        ),
    ] = None,
    provider: Annotated[AskedProvider, typer.Option(help="What runs the network; auto: the faster.")] = AUTO,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the network; 0 takes every core.")] = 0,
    db: Annotated[
        str | None,
        typer.Option("--db", help="Put the count into this database too, such as sqlite:///file.db."),
    ] = None,
    camera: Annotated[str | None, typer.Option(help="With --db: id of the camera.")] = None,
    site: Annotated[str | None, typer.Option(help="With --db: id of its junction.")] = None,
) -> None:
    """Count the vehicles in SOURCE by gate, movement and class."""
    _check_zone(tz)
    options = CountOptions(
        source=source,
        out=out or Path("ngatu-out") / short_name(source),
        view=view,
        model=model,
        annotate=annotate,
        fps=fps,
        start=start,
        tz=tz,
        interval=parse_interval(interval),
        duration=duration,
        tiles=parse_grid(tiles) if tiles else None,
        provider=provider,
        threads=threads,
    )
    result = run_count(options)
    if result.stopped:
        raise typer.Exit(130)
    if db:
        from service.record_count import record_count

        print(record_count(result, options, db, camera or short_name(source), site))


@app.command("recount")
def recount_command(
    tracks: Annotated[Path, typer.Argument(help="tracks.parquet of an earlier count.")],
    view: Annotated[Path, typer.Argument(help="YAML file of the view to count with.")],
    out: OutOption = None,
    interval: IntervalOption = "15min",
    tz: Annotated[
        str | None, typer.Option(help="Time zone of the bins; by default that of the earlier count.")
    ] = None,
) -> None:
    """Count stored TRACKS with another VIEW, without decoding or detecting again."""
    if tz:
        _check_zone(tz)
    folder = out or tracks.parent / f"recount-{view.stem.removesuffix('.view')}"
    result = recount(tracks, view, folder, parse_interval(interval), tz)
    show(result, folder)


def _check_zone(tz: str) -> None:
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NgatuError(f"--tz {tz!r} is no time zone; write one such as Asia/Ho_Chi_Minh") from None


def main() -> None:
    """Run the command; what the user got wrong is one sentence, never a traceback."""
    hide_database_url()
    cv2.setNumThreads(1)
    try:
        app()
    except NgatuError as error:
        print(f"ngatu: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
