"""``ngatu import-tracks``: counts the tracks of another program with one of our views."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from service.count import make_folder
from service.imports.ottrk import import_tracks
from service.outputs import parse_interval
from service.recount import recount
from service.run import show
from vision import NgatuError, load_view


def import_command(
    file: Annotated[Path, typer.Argument(help="Tracks of OTVision (.ottrk).")],
    view: Annotated[Path, typer.Option("--view", help="YAML file of the view to count with.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the results.")] = None,
    interval: Annotated[
        str, typer.Option(help="Length of the bins in counts.csv: 60s, 15min, 1h.")
    ] = "15min",
    tz: Annotated[
        str, typer.Option(help="Time zone of the bins, and of moments in FILE that name none.")
    ] = "Asia/Ho_Chi_Minh",
) -> None:
    """Count the tracks in FILE, made by OpenTrafficCam's OTVision, with a VIEW of ours."""
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NgatuError(f"--tz {tz!r} is no time zone; write one such as Asia/Ho_Chi_Minh") from None
    seconds = parse_interval(interval)
    load_view(view)  # what is wrong with it is told before anything is written
    folder = out or Path("ngatu-out") / file.stem
    make_folder(folder)
    tracks = folder / "tracks.parquet"
    taken = import_tracks(file, tracks, tz)
    result = recount(tracks, view, folder, seconds, tz)
    print(f"{file}: {taken.tracks} vehicles in {taken.frames} frames")
    if taken.left_out:
        told = ", ".join(f"{number} {label}" for label, number in taken.left_out.items())
        print(f"left out, being no vehicles of ours: {told} (detections)")
    show(result, folder)
