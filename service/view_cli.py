"""``ngatu view``: propose a view for a camera, check one, and draw it on the picture."""

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.count import CountOptions, make_folder
from service.run import run_count, short_name
from vision import NgatuError, View, load_view, open_source
from vision.overlay import draw_view

app = typer.Typer(no_args_is_help=True, help="Views: propose one for a camera, check one.")


@app.command()
def new(
    source: Annotated[str, typer.Argument(help="Video file, folder of images, or rtsp:// address.")],
    out: Annotated[Path | None, typer.Option(help="Folder for view.yaml and view.png.")] = None,
    model: Annotated[str, typer.Option(help="Detector.")] = "ngatu-prototype",
    seconds: Annotated[float, typer.Option(min=1, help="How much of the source to look at.")] = 60.0,
    fps: Annotated[float | None, typer.Option(min=0.1, help="Frames looked at a second.")] = 12.0,
) -> None:
    """Propose gates and movements from what moves in SOURCE, and draw them."""
    folder = out or Path("ngatu-out") / short_name(source) / "proposal"
    result = run_count(CountOptions(source=source, out=folder, model=model, fps=fps, duration=seconds))
    if result.view is None:  # Ctrl-C before anything moved
        raise typer.Exit(130)
    _describe(result.view)
    typer.echo("look at the picture, then edit the file")


@app.command()
def check(
    view: Annotated[Path, typer.Argument(help="YAML file of the view.")],
    source: Annotated[str | None, typer.Argument(help="Draw it on the first picture of this source.")] = None,
    out: Annotated[Path | None, typer.Option(help="The picture to write.")] = None,
) -> None:
    """Check a VIEW, say what it holds, and draw it."""
    loaded = load_view(view)
    _describe(loaded)
    picture = out or view.with_suffix(".png")
    make_folder(picture.parent)
    try:
        written = cv2.imwrite(str(picture), draw_view(_background(source), loaded))
    except cv2.error:  # no suffix of an image
        written = False
    if not written:
        raise NgatuError(f"cannot write {picture}; choose another --out, with a name that ends in .png")
    typer.echo(f"{view} is good; drawn in {picture}")


def _background(source: str | None) -> NDArray[np.uint8]:
    if source is None:
        return np.full((720, 1280, 3), 60, np.uint8)
    with open_source(source) as opened:
        return next(iter(opened)).image


def _describe(view: View) -> None:
    table = Table(title=Text(view.name) if view.name else None)  # names may hold [brackets]
    for heading in ("gate", "name", "approach"):
        table.add_column(heading)
    for gate in view.gates:
        table.add_row(gate.id, Text(gate.name), Text(gate.approach or ""))
    console = Console()
    console.print(table)
    for movement in view.movements:
        console.print(f"{movement.origin} → {movement.destination}: {movement.turn.replace('_', '-')}")
