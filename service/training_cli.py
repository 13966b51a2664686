"""``ngatu models label|train|export|quantize|evaluate|adapt``: the recipe of our detectors, step by step."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from service.models_cli import training_module
from vision.detection.cards import parse_size, user_folder

Work = Annotated[Path, typer.Option(help="Folder for frames, labels and runs; keep it to go on later.")]
Data = Annotated[
    Path | None, typer.Option(envvar="NGATU_TESTDATA", help="Folder that holds labelled sets in datasets/.")
]
Clips = Annotated[
    list[Path] | None, typer.Argument(help="Clips, or folders of clips, to learn from as well.")
]
Size = Annotated[str, typer.Option(help="Usual input of the network, WIDTHxHEIGHT, multiples of 32.")]
Weights = Annotated[Path, typer.Argument(help="The best.pt of a run, or exported float weights (.onnx).")]
Out = Annotated[Path | None, typer.Option(help="Folder; by default your own folder of models.")]
About = Annotated[str, typer.Option(help="What it was trained on, for its card.")]

_WORK = Path("ngatu-training")
_SIZE = "640x352"


def register(app: typer.Typer) -> None:
    """Add the commands to ``ngatu models``."""
    app.command("label")(label)
    app.command("train")(train)
    app.command("average")(average)
    app.command("export")(export)
    app.command("quantize")(quantize)
    app.command("evaluate")(evaluate)
    app.command("adapt")(adapt)


def label(
    clips: Clips = None,
    *,
    data: Data = None,
    work: Work = _WORK,
    teacher: Annotated[str, typer.Option(help="Detector of the 80 COCO classes, the bigger the better.")],
    own: Annotated[str, typer.Option(help="Our best detector.")] = "ngatu-n",
    threads: Annotated[int, typer.Option(min=0, help="Threads of a network; 0 takes every core.")] = 0,
) -> None:
    """Let two teachers label every picture that is not labelled yet; can be stopped and run again."""
    recipe = _recipe()
    sources = recipe.Sources(work, data, tuple(clips or ()))
    _show(("labelling", done / every) for done, every in recipe.label(sources, teacher, own, threads))
    typer.echo(f"labels are in {sources.taught}; train next: ngatu models train")


def train(
    clips: Clips = None,
    *,
    data: Data = None,
    work: Work = _WORK,
    run: Annotated[str, typer.Option(help="Name of the run; one that exists is gone on with.")] = "ngatu-n",
    images: Annotated[int, typer.Option(min=1000, help="Pictures to be seen in all.")] = 60_000,
    size: Size = _SIZE,
    start: Annotated[
        Path | None, typer.Option(help="Checkpoint (.pt) or exported weights (.onnx) to begin with.")
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(help="n or s, the larger one; one larger than --start goes on from what that knows."),
    ] = None,
    rate: Annotated[
        float, typer.Option(min=1e-6, max=1e-2, help="Highest learning rate; less where it goes on.")
    ] = 1.5e-3,
    compiled: Annotated[
        bool, typer.Option(help="Translate to machine code first: minutes once, then faster.")
    ] = False,
) -> None:
    """Train the network on what is labelled; can be stopped and run again. The best by validation is kept."""
    recipe = _recipe()
    settings = recipe.TrainSettings(images=images, rate=rate, size=parse_size(size), compiled=compiled)
    sources = recipe.Sources(work, data, tuple(clips or ()))
    for progress in recipe.train(sources, run, settings, start, network):
        score = "-" if progress.score is None else f"{progress.score:.3f} (best {progress.best:.3f})"
        typer.echo(
            f"{progress.images:7d} pictures, {progress.speed:.1f} a second, loss {progress.loss[0]:.3f} + "
            f"{progress.loss[1]:.3f}, AP50 {score}"
        )
    folder = sources.run_folder(run)
    mean = folder / "mean.pt"
    told = f"the mean of start and end is {mean}" if mean.exists() else f"the best is {folder / 'best.pt'}"
    typer.echo(f"{told}; export next: ngatu models export")


def average(
    checkpoints: Annotated[
        list[Path], typer.Argument(help="The last.pt of a run, and of one that went on from it.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="The checkpoint to write.")] = _WORK / "average.pt",
) -> None:
    """Average the ends of runs of which each went on from the one before: mostly better than any of them."""
    training_module("models.training.export").write_average(checkpoints, out)
    typer.echo(f"wrote {out}; export next: ngatu models export")


def export(
    weights: Weights,
    *,
    name: Annotated[str, typer.Option(help="What the detector is called.")],
    out: Out = None,
    size: Size = _SIZE,
    about: About = "not stated",
) -> None:
    """Write a trained network as float ONNX, with its card."""
    path = (out or user_folder()) / f"{name}.onnx"
    _recipe().write_float(weights, path, parse_size(size), about)
    typer.echo(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")


def quantize(
    weights: Weights,
    clips: Clips = None,
    *,
    name: Annotated[str, typer.Option(help="What the detector is called.")],
    out: Out = None,
    data: Data = None,
    work: Work = _WORK,
    size: Size = _SIZE,
    about: About = "not stated",
) -> None:
    """Write a trained network in 8 bits, calibrated on pictures, with its card."""
    recipe = _recipe()
    path = (out or user_folder()) / f"{name}.onnx"
    sources = recipe.Sources(work, data, tuple(clips or ()))
    recipe.write_int8(weights, path, parse_size(size), sources, about)
    typer.echo(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")


def evaluate(
    detectors: Annotated[
        list[str] | None, typer.Argument(help="Names, cards or weights; NAME@640x640 sets the input's size.")
    ] = None,
    *,
    data: Annotated[Path, typer.Option(envvar="NGATU_TESTDATA", help="The folder that holds datasets/.")],
    out: Annotated[Path, typer.Option(help="Where evaluation.json and evaluation.csv go.")] = Path(
        "ngatu-out/evaluation"
    ),
    cache: Annotated[Path | None, typer.Option(help="Folder that remembers what was found.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of a network.")] = 2,
) -> None:
    """Evaluate detectors on the held-out cameras: accuracy by class and light, and what a frame costs."""
    module = training_module("models.training.evaluate")
    module.main(detectors, data=data, out=out, cache=cache, threads=threads)


def adapt(
    clips: Annotated[list[Path], typer.Argument(help="Clips of the camera, or folders of them.")],
    *,
    name: Annotated[str, typer.Option(help="What the specialised detector is called.")],
    teacher: Annotated[str, typer.Option(help="The biggest detector at hand, of the 80 COCO classes.")],
    own: Annotated[str, typer.Option(help="The detector that is specialised.")] = "ngatu-n",
    images: Annotated[int, typer.Option(min=1000, help="Pictures to be seen in all.")] = 8_000,
    data: Annotated[
        Path | None, typer.Option(help="Folder with datasets/ to learn from besides the camera's own clips.")
    ] = None,
    work: Work = Path("ngatu-adapt"),
) -> None:
    """Specialise our detector to a camera: label its clips with the biggest one at hand, train on, export."""
    recipe = _recipe()
    sources = recipe.Sources(work, data, tuple(clips))
    settings = recipe.TrainSettings(images=images, rate=3e-4, size=parse_size(_SIZE))
    _show(recipe.adapt(sources, name, teacher, own, settings))
    about = f"{own}, specialised by this installation to {', '.join(clip.stem for clip in clips)}"
    best = sources.run_folder(name) / "best.pt"
    recipe.write_float(best, user_folder() / f"{name}.onnx", parse_size(_SIZE), about)
    typer.echo(f"use it: ngatu count CLIP --model {name}")


def _recipe() -> Any:
    return training_module("models.training.recipe")


def _show(steps: Iterable[tuple[str, float]]) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("starting", total=1.0)
        for step, share in steps:
            progress.update(task, description=step, completed=share)
