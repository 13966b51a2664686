"""``ngatu models``: which detectors there are, whether one works here, and adding another."""

import importlib
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from vision.detection import Card, OnnxDetector, load_detector
from vision.detection.adopt import adopt, parse_classes
from vision.detection.cards import card_files, parse_size, read_card
from vision.detection.decoders import DECODERS
from vision.detection.onnx import ProviderName
from vision.errors import ModelError

app = typer.Typer(no_args_is_help=True, help="Detectors: list them, check one, add one.")


@app.command("list")
def list_models() -> None:
    """List the detectors that can be used here."""
    table = Table("name", "classes", "input", "MB", "where")
    faults = []
    for path in card_files().values():
        try:
            table.add_row(*_row(read_card(path)))
        except ModelError as error:
            # One broken card must not hide the others.
            faults.append(str(error))
    table.add_row("motion", "unknown", "any", "-", "built in: background subtraction")
    Console().print(table)
    for fault in faults:
        typer.echo(fault, err=True)


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="Name of a detector, or path of a card or of weights.")],
    provider: Annotated[ProviderName, typer.Option(help="What is to run it.")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, help="Threads of the network; 0 takes every core.")] = 1,
) -> None:
    """Check the weights against their card, run one picture, tell the provider and the time."""
    detector = load_detector(name, provider=provider, threads=threads)
    if not isinstance(detector, OnnxDetector):
        typer.echo(f"{name} is built in and has no weights to check.")
        return
    width, height = detector.input_size
    picture = np.full((height, width, 3), 114, np.uint8)
    began = time.perf_counter()
    detector.detect(picture)
    took = (time.perf_counter() - began) * 1e3
    typer.echo(f"{detector.name}: sha256 {detector.sha256} as on its card")
    typer.echo(f"runs on {detector.provider} at {width}x{height}: {took:.1f} ms for one picture")


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="The weights: .onnx, or .pt of Ultralytics.")],
    name: Annotated[str | None, typer.Option(help="What to call it; by default as its file.")] = None,
    decoder: Annotated[
        str | None,
        typer.Option(
            help=f"Family of the output: {', '.join(DECODERS)}; by default guessed from the shapes."
        ),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(help="The network's classes as ours, 0=car,1=motorcycle, or coco; by default guessed."),
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="WIDTHxHEIGHT of the input, where the network leaves it open.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = "not stated",
    source: Annotated[str, typer.Option(help="Where the weights come from.")] = "not stated",
) -> None:
    """Write a card for weights, run them once, and copy both to your own folder of models."""
    asked_classes = parse_classes(classes) if classes else None
    asked_size = parse_size(size) if size else None
    if file.suffix == ".pt":
        training_module("ultralytics")
        export = training_module("models.training.ultralytics_export").export_ultralytics
        file, theirs = export(file, asked_size or (640, 384))
        asked_classes, asked_size = asked_classes or theirs, None
    card = adopt(
        file,
        name=name,
        decoder=decoder,
        classes=asked_classes,
        size=asked_size,
        licence=licence,
        source=source,
    )
    typer.echo(f"added {card.name} ({card.decoder}, {_size(card)}); look over its card: {card.path}")


def _row(card: Card) -> tuple[str, ...]:
    megabytes = f"{card.weights.stat().st_size / 1e6:.1f}"
    return card.name, ", ".join(card.class_names), _size(card), megabytes, str(card.weights.parent)


def _size(card: Card) -> str:
    size = f"{card.input.width}x{card.input.height}"
    return f"{size}, or multiples of {card.input.multiple_of}" if card.input.multiple_of else size


def training_module(name: str) -> Any:
    """A module of the training recipe, which needs what running ngatu does not.

    Raises:
        ModelError: the extra is not installed here.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"This needs the package {error.name}, which is not here: make an environment of its own with "
            "python3.11 -m venv .train && .train/bin/pip install -e '.[train]' and run .train/bin/ngatu."
        ) from None
