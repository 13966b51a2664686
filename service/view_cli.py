"""``ngatu view``: propose a view for a camera, check one, calibrate it, and draw it on the picture."""

from collections.abc import Iterator
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
from vision.calibration import GroundMap, find_distortion, fit_calibration, marking_error, measured_points
from vision.errors import CalibrationError
from vision.ground_grid import draw_ground_grid
from vision.overlay import draw_view
from vision.view_parts import Calibration, Distortion

app = typer.Typer(no_args_is_help=True, help="Views: propose one for a camera, check one, calibrate it.")


@app.command()
def new(
    source: Annotated[str, typer.Argument(help="Video file, folder of images, or rtsp:// address.")],
    out: Annotated[Path | None, typer.Option(help="Folder for view.yaml and view.png.")] = None,
    model: Annotated[str, typer.Option(help="Detector.")] = "ngatu-n",
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
    source: Annotated[
        str | None, typer.Argument(help="Draw it on this picture, or this source's first.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The picture to write.")] = None,
) -> None:
    """Check a VIEW, say what it holds, and draw it."""
    loaded = load_view(view)
    _describe(loaded)
    if loaded.calibration is not None:
        typer.echo(f"calibration {_in_one_line(_fit(view, loaded.calibration))}")
    picture = out or view.with_suffix(".png")
    _write_picture(picture, draw_view(_background(source), loaded))
    typer.echo(f"{view} is good; drawn in {picture}")


@app.command()
def calibrate(
    view: Annotated[Path, typer.Argument(help="YAML file of the view, with a calibration.")],
    source: Annotated[
        str | None, typer.Argument(help="Draw a grid of metres on this picture, or this source's first.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The picture to write.")] = None,
) -> None:
    """Fit the calibration of a VIEW, show its errors, and draw the ground's metres on the picture."""
    calibration = load_view(view).calibration
    if calibration is None:
        raise CalibrationError(f"{view}: calibration: it is missing; add four or more points or a rectangle")
    ground_map = _fit(view, calibration, accept_poor=True)
    _show_errors(calibration, ground_map)
    aspect = calibration.distortion.aspect if calibration.distortion else 16 / 9
    if source is not None:
        image = _background(source)
        aspect = image.shape[1] / image.shape[0]
        picture = out or view.with_suffix(".ground.png")
        drawn, mesh = draw_ground_grid(image, calibration, ground_map)
        _write_picture(picture, drawn)
        typer.echo(f"look at {picture}: do lanes and crossings fit meshes of {mesh} m by {mesh} m?")
    else:
        typer.echo("give a clip or a picture too, to see a grid of metres on it")
    for advice in _advice(calibration, ground_map, aspect):
        typer.echo(advice)
    typer.echo(f"calibration {_in_one_line(_fit(view, calibration))}")


def _fit(view: Path, calibration: Calibration, *, accept_poor: bool = False) -> GroundMap:
    try:
        return fit_calibration(calibration, accept_poor=accept_poor)
    except CalibrationError as error:
        raise CalibrationError(f"{view}: calibration: {error}") from None


def _in_one_line(ground_map: GroundMap) -> str:
    count = len(ground_map.residuals_m)
    text = f"{ground_map.version}: {count} points over {ground_map.extent_m:.1f} m"
    text += f", at most {ground_map.residuals_m.max():.2f} m off"
    if not np.isnan(ground_map.leave_one_out_m).all():
        text += f", typically {np.nanmedian(ground_map.leave_one_out_m):.2f} m from where the others put them"
    return text


def _show_errors(calibration: Calibration, ground_map: GroundMap) -> None:
    table = Table()
    for heading in ("point", "picture", "ground, m", "error, m", "left out, m"):
        table.add_column(heading, justify="right")
    image, ground = measured_points(calibration)
    for number in range(len(image)):
        left_out = ground_map.leave_one_out_m[number]
        table.add_row(
            str(number + 1),
            "{:.4f} {:.4f}".format(*image[number]),
            "{:.2f} {:.2f}".format(*ground[number]),
            f"{ground_map.residuals_m[number]:.2f}",
            "-" if np.isnan(left_out) else f"{left_out:.2f}",
        )
    Console().print(table)
    if not np.isnan(ground_map.leave_one_out_m).all():
        typer.echo("left out: how far the other points alone put this one from where it was measured")


def _advice(calibration: Calibration, ground_map: GroundMap, aspect: float) -> Iterator[str]:
    """What to know or do about a calibration, a sentence each."""
    if len(ground_map.residuals_m) == 4:
        yield (
            "four points always fit, so that no error shows: measure a fifth, or a length on the road "
            "that you compare with the grid"
        )
    moved = float(np.nanmax(marking_error(calibration, ground_map.valid_region)))
    yield f"marks that are a pixel off (0.1 % of the picture) move positions by up to {moved:.2f} m"
    if calibration.distortion is None and (found := find_distortion(calibration, aspect)) is not None:
        yield f"the lens bends straight lines; add under calibration: distortion: {_as_yaml(found)}"


def _as_yaml(distortion: Distortion) -> str:
    shape = "" if abs(distortion.aspect - 16 / 9) < 0.01 else f", aspect: {distortion.aspect:.4f}"
    return f"{{k1: {distortion.k1}{shape}}}"


def _write_picture(path: Path, image: NDArray[np.uint8]) -> None:
    make_folder(path.parent)
    try:
        written = cv2.imwrite(str(path), image)
    except cv2.error:  # no suffix of an image
        written = False
    if not written:
        raise NgatuError(f"cannot write {path}; choose another --out, with a name that ends in .png")


def _background(source: str | None) -> NDArray[np.uint8]:
    if source is None:
        return np.full((720, 1280, 3), 60, np.uint8)
    picture = cv2.imread(source) if cv2.haveImageReader(source) else None
    if picture is not None:
        return np.asarray(picture, np.uint8)
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
