"""``ngatu demo``: count the sample clip that comes with ngatu, beside the truth, and into a database."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import vision
from service.count import CountOptions, count_source
from service.demo_chain import show_chain
from service.run import run_count
from vision import Crossing, NgatuError, VehicleClass
from vision.accuracy import Event, match_events
from vision.detection.grades import AUTO

CLIP = "hoa-ban_cam1_day_20260310-093000"
VIEW = "hoa-ban_cam1.view.yaml"
CLIP_2, VIEW_2 = "hoa-ban_cam2_day_20260310-093000", "hoa-ban_cam2.view.yaml"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("ngatu-out/demo"),
    annotate: Annotated[bool, typer.Option(help="Write the annotated video too.")] = True,
    model: Annotated[str, typer.Option(help="Detector, and how closely it looks.")] = f"{AUTO}@896x512",
) -> None:
    """Count the sample junction, compare with its exact truth, put it into a database, show its coverage."""
    folder = sample_folder()
    options = CountOptions(
        source=str(folder / f"{CLIP}.mp4"),
        view=folder / VIEW,
        out=out,
        annotate=annotate,
        model=model,
    )
    result = run_count(options)
    if result.stopped:
        raise typer.Exit(130)
    start = float(result.summary["start_epoch"])
    counted = [Event(c.time - start, c.gate, c.direction, c.vehicle_class) for c in result.crossings]
    _compare(read_truth(folder / f"{CLIP}.crossings.csv"), counted, result.crossings)
    print(
        "\nthe junction's approaches from east and west belong to its second camera, counted now ...",
        flush=True,
    )
    clip, view = str(folder / f"{CLIP_2}.mp4"), folder / VIEW_2
    second = replace(options, source=clip, view=view, out=out / "cam2", annotate=False)
    other = count_source(second)
    if other.stopped:
        raise typer.Exit(130)
    counts = {"hoa-ban-cam1": (options, result), "hoa-ban-cam2": (second, other)}
    show_chain(counts, out, options.tz)


def sample_folder() -> Path:
    """Where the sample clips lie: inside an installed package, or beside it in a checkout.

    Raises:
        NgatuError: they are not there.
    """
    package = Path(vision.__file__).parent
    for folder in (package / "sample_videos", package.parent / "sample_videos"):
        if (folder / f"{CLIP}.mp4").is_file():
            return folder
    raise NgatuError(f"the sample clip {CLIP}.mp4 is missing; install ngatu again")


def read_truth(path: Path) -> list[Event]:
    """The generator's crossings, by the bottom of each vehicle's box, as counted from the picture."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Event(float(row["seconds"]), row["gate"], row["direction"], VehicleClass[row["class"].upper()])  # type: ignore[arg-type]
            for row in csv.DictReader(file)
            if row["basis"] == "box"
        ]


def _compare(truth: list[Event], counted: list[Event], crossings: list[Crossing]) -> None:
    table = Table(title="counted / truth")
    classes = [kind for kind in VehicleClass if kind >= 0]
    table.add_column("gate")
    table.add_column("direction")
    for name in [*(kind.label for kind in classes), "total"]:
        table.add_column(name, justify="right")
    ours = Counter((c.gate, c.direction, c.vehicle_class) for c in crossings)
    real = Counter((t.gate, t.direction, t.vehicle_class) for t in truth)
    for gate in sorted({t.gate for t in truth}):
        for direction in ("in", "out"):
            cells = [(ours[gate, direction, k], real[gate, direction, k]) for k in classes]
            cells.append((sum(a for a, _ in cells), sum(b for _, b in cells)))
            table.add_row(gate, direction, *(f"{a} / {b}" for a, b in cells))
    console = Console()
    console.print(table)
    agreement = match_events(truth, counted)
    right = sum(truth[i].vehicle_class == counted[j].vehicle_class for i, j in agreement.pairs)
    console.print(
        f"crossings within ±0.5 s of the truth: {len(agreement.pairs)} of {agreement.truth}; "
        f"precision {agreement.precision:.2f}, recall {agreement.recall:.2f}, F1 {agreement.f1:.2f}; "
        f"right class {right / max(1, len(agreement.pairs)):.0%}"
    )
