"""Evaluate detectors on cameras that none of ours has learnt from: accuracy by class and light, and cost.

Run as ``python -m models.training.evaluate [DETECTOR...]``; without names it takes every detector that can be
asked for here.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from models.training.examine import Memory, core_milliseconds, open_detector
from models.training.flops import gflops
from models.training.scores import NEAR, PRECISION, SMALLEST, Score, score
from models.training.splits import DEFAULT, HeldOut, Split, load_split
from models.training.testset import OWN_LABELS, HeldOutPicture, held_out_pictures
from vision.detection.cards import card_files
from vision.errors import NgatuError
from vision.types import Detections, VehicleClass

FEWEST = 20
"""Fewer true boxes than this say nothing: the table leaves them out, the files do not."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a detector costs.

    Attributes:
        detector: its name, with the size of its input.
        core_ms: processor time of one core for one picture 1280 wide, all in.
        gflops: operations of its convolutions and matrix products.
        megabytes: size of its weights.
    """

    detector: str
    core_ms: float
    gflops: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Row:
    """One detector on one class of one held-out part in one light.

    Attributes:
        detector: its name, with the size of its input.
        part: name of the held-out part.
        light: ``day``, ``night``, ``fog``, or ``all``.
        pictures: how many.
        cameras: from how many cameras.
        score: how it did.
    """

    detector: str
    part: str
    light: str
    pictures: int
    cameras: int
    score: Score


def evaluate(
    names: Sequence[str], pictures: Sequence[HeldOutPicture], split: Split, memory: Memory, threads: int
) -> tuple[list[Row], list[Cost]]:
    """Run detectors on all pictures and score them.

    Args:
        names: of detectors, as :func:`models.training.examine.open_detector` takes them.
        pictures: with their true boxes.
        split: what the pictures are held out for.
        memory: of what was found before.
        threads: threads of a network while it looks at the pictures; its cost is always that of one.
    """
    rows: list[Row] = []
    titles = []
    with Progress(transient=True) as progress:
        task = progress.add_task("detecting", total=len(names) * len(pictures))
        for name in names:
            detector = open_detector(name, threads)
            width, height = detector.input_size
            title = f"{detector.name.partition('@')[0]} {width}x{height}"
            titles.append(title)
            found = []
            for picture in pictures:
                progress.update(task, advance=1, description=title)
                found.append(memory.detect(detector, picture))
            progress.update(task, description=f"scoring {title}")
            rows += score_parts(title, pictures, found, split)
        progress.update(task, description="timing")
        costs = _costs(names, titles, pictures[0])
    return rows, costs


def score_parts(
    title: str, pictures: Sequence[HeldOutPicture], found: Sequence[Detections], split: Split
) -> Iterator[Row]:
    """Scores of one detector on every part, in every light and in all together."""
    for part in split.held_out:
        here = [i for i, picture in enumerate(pictures) if picture.part == part.name]
        lights = sorted({pictures[i].light for i in here})
        for light in ["all", *lights] if len(lights) > 1 else ["all"]:
            chosen = [i for i in here if light in ("all", pictures[i].light)]
            seen = [pictures[i] for i in chosen]
            cameras = len({picture.camera for picture in seen})
            for each in score(seen, [found[i] for i in chosen], _classes(part)):
                yield Row(title, part.name, light, len(seen), cameras, each)


def _classes(part: HeldOut) -> list[VehicleClass]:
    return [VehicleClass[name.upper()] for name in part.labelled]


def _costs(names: Sequence[str], titles: Sequence[str], picture: HeldOutPicture) -> list[Cost]:
    detectors = [open_detector(name, 1) for name in names]
    image = cv2.resize(picture.image(), (1280, 720))
    times = core_milliseconds(detectors, np.asarray(image, np.uint8))
    return [
        Cost(
            title,
            took,
            gflops(detector.card.weights, detector.input_size),
            detector.card.weights.stat().st_size / 1e6,
        )
        for title, took, detector in zip(titles, times, detectors, strict=True)
    ]


def print_tables(console: Console, rows: Sequence[Row], costs: Sequence[Cost]) -> None:
    """Cost of each detector, then AP50 and recall of all of them by part, light and class."""
    table = Table("detector", "core-ms", "GFLOPs", "MB", title="Cost of one frame")
    for cost in costs:
        table.add_row(cost.detector, f"{cost.core_ms:.1f}", f"{cost.gflops:.2f}", f"{cost.megabytes:.1f}")
    console.print(table)
    detectors = [cost.detector for cost in costs]
    for title, cell in _TABLES.items():
        console.print(_score_table(title, rows, detectors, cell))
    console.print(f"Left out: boxes under {SMALLEST:g} px of 1280, classes with under {FEWEST} boxes.")


def _score_table(
    title: str, rows: Sequence[Row], detectors: Sequence[str], cell: Callable[[Score], str]
) -> Table:
    table = Table(
        "part", "light", "class", "boxes", *(name.replace(" ", "\n") for name in detectors), title=title
    )
    lines: dict[tuple[str, str, str, str], dict[str, Score]] = {}
    for row in rows:
        if row.score.boxes >= FEWEST:
            line = row.part, row.light, row.score.vehicle_class.label, str(row.score.boxes)
            lines.setdefault(line, {})[row.detector] = row.score
    part = None
    for line, found in lines.items():
        if part not in (None, line[0]):
            table.add_section()
        part = line[0]
        table.add_row(*line, *(cell(found[name]) for name in detectors))
    return table


def _interval(value: float, interval: tuple[float, float]) -> str:
    return f"{value:.2f}\n{interval[0]:.2f}-{interval[1]:.2f}"


_TABLES: dict[str, Callable[[Score], str]] = {
    "AP50, 95 % interval": lambda one: _interval(one.ap50, one.ap50_range),
    f"Recall at precision {PRECISION}, 95 % interval": lambda one: _interval(one.recall, one.recall_range),
    f"AP50 of boxes of {NEAR:g} px of 1280 or more": lambda one: f"{one.ap50_near:.2f} of {one.near_boxes}",
    "AP30, which forgives a box without the rider": lambda one: f"{one.ap30:.2f}",
}


def write_results(folder: Path, rows: Sequence[Row], costs: Sequence[Cost]) -> None:
    """Write ``evaluation.json`` and ``evaluation.csv`` with every figure, those of rare classes too."""
    folder.mkdir(parents=True, exist_ok=True)
    flat = [_flat(row) for row in rows]
    result = {
        "smallest_px": SMALLEST,
        "precision": PRECISION,
        "costs": [asdict(c) for c in costs],
        "rows": flat,
    }
    (folder / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    with (folder / "evaluation.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(flat[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat)


def _flat(row: Row) -> dict[str, Any]:
    one = row.score
    figures = {
        "ap50": one.ap50,
        "ap50_low": one.ap50_range[0],
        "ap50_high": one.ap50_range[1],
        "ap30": one.ap30,
        "ap50_near": one.ap50_near,
        "recall_at_precision": one.recall,
        "recall_low": one.recall_range[0],
        "recall_high": one.recall_range[1],
    }
    return {
        "detector": row.detector,
        "part": row.part,
        "light": row.light,
        "class": one.vehicle_class.label,
        "pictures": row.pictures,
        "cameras": row.cameras,
        "boxes": one.boxes,
        "near_boxes": one.near_boxes,
        **{name: None if np.isnan(value) else round(value, 4) for name, value in figures.items()},
    }


def main(
    detectors: Annotated[
        list[str] | None, typer.Argument(help="Names, cards or weights; NAME@640x640 sets the input's size.")
    ] = None,
    *,
    data: Annotated[Path, typer.Option(envvar="NGATU_TESTDATA", help="The folder that holds datasets/.")],
    out: Annotated[Path, typer.Option(help="Where evaluation.json and evaluation.csv go.")] = Path(
        "ngatu-out/evaluation"
    ),
    cache: Annotated[
        Path | None, typer.Option(help="Folder that remembers what was found, for a quick second run.")
    ] = None,
    split: Annotated[Path, typer.Option(help="What is held out.")] = DEFAULT,
    labels: Annotated[Path, typer.Option(help="Folder of the boxes drawn for this project.")] = OWN_LABELS,
    threads: Annotated[int, typer.Option(min=1, help="Threads of a network.")] = 2,
) -> None:
    """Evaluate detectors on the held-out cameras."""
    try:
        what = load_split(split)
        pictures = held_out_pictures(data, what, labels)
        names = detectors or list(card_files())
        rows, costs = evaluate(names, pictures, what, Memory(cache), threads)
    except NgatuError as error:
        typer.echo(f"{error}", err=True)
        raise typer.Exit(1) from None
    write_results(out, rows, costs)
    print_tables(Console(), rows, costs)


if __name__ == "__main__":
    typer.run(main)
