"""Command line of the generator: `python -m sample_videos.generator --help` from the repository's root."""

from __future__ import annotations

import argparse
import datetime as dt
import logging
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .traffic import Trajectories

log = logging.getLogger("generator")
HERE = Path(__file__).resolve().parents[1]

_MAXRATE = 760_000
# camera, light, start, seed, vehicles per hour, bits per second: at dusk as few as make real pictures mushy
SHIPPED = (
    ("cam1", "day", "2026-03-10T09:30:00+07:00", 1, 7000.0, _MAXRATE),
    ("cam1", "dusk", "2026-03-10T18:20:00+07:00", 2, 8000.0, 270_000),
    ("cam1", "rain", "2026-03-11T16:10:00+07:00", 3, 5600.0, _MAXRATE),
    ("cam2", "day", "2026-03-10T09:30:00+07:00", 1, 7000.0, _MAXRATE),
)


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="sample_videos.generator", description=__doc__)
    parser.add_argument(
        "--work", type=Path, default=Path(".cache/synth"), help="where intermediate files are kept"
    )
    parser.add_argument("--sprites", type=Path, default=HERE / "sprites", help="the packed sprite bank")
    parser.add_argument("--plates", type=Path, default=HERE / "plates", help="the rendered streets")
    parser.add_argument("--out", type=Path, default=HERE, help="where results go")
    sub = parser.add_subparsers(dest="command", required=True)

    p = sub.add_parser(
        "sprites", help="bake the sprite bank (Blender; an hour or two on two cores, resumable)"
    )
    p.add_argument("--samples", type=int, default=14)
    p.add_argument("--step", type=int, default=10, help="degrees between views")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("models", nargs="*")

    p = sub.add_parser("plate", help="render the empty street (Blender; minutes)")
    _where(p)
    p.add_argument("--samples", type=int, default=48)
    p.add_argument("--threads", type=int, default=2)

    p = sub.add_parser("clip", help="make one clip with its truth (resumable)")
    _where(p)
    _how_much(p)
    p.add_argument("--start", default="2026-03-10T09:30:00+07:00", help="ISO time of the first frame")
    p.add_argument("--crf", type=int, default=25)
    p.add_argument("--maxrate", type=int, default=_MAXRATE, help="bits per second")

    sub.add_parser("all", help="rebuild the clips that are shipped")

    p = sub.add_parser("frames", help="write labelled training frames with varied poses, light and streets")
    p.add_argument("count", type=int)
    p.add_argument("--streets", type=int, default=8, help="how many different streets and poses to render")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--samples", type=int, default=12)
    p.add_argument("--threads", type=int, default=2)

    p = sub.add_parser("boxes", help="a long run as boxes without pixels, with its truth")
    _where(p)
    _how_much(p)
    p.add_argument("--start", default="2026-03-10T16:30:00+07:00")
    p.add_argument("--noise", action="store_true", help="also write what a fallible detector would give")

    p = sub.add_parser("mot", help="export a clip's truth as a MOT Challenge gt.txt")
    p.add_argument("truth", type=Path)
    p.add_argument("target", type=Path)

    p = sub.add_parser("realism", help="what a real-world detector finds of the labelled vehicles")
    p.add_argument("detector", type=Path, help="ONNX file, COCO classes, input 736 x 1280")
    p.add_argument(
        "sets", type=Path, nargs="+", help="clips (.mp4 with truth) or folders with images/ and labels/"
    )
    p.add_argument("--every", type=int, default=20)
    p.add_argument("--only", default="*", help="of a folder: pattern of the names of labelled frames")
    p.add_argument(
        "--luma", type=float, nargs=2, default=(0, 256), help="of a folder: frames of this mean brightness"
    )
    p.add_argument(
        "--stored",
        type=int,
        nargs=2,
        metavar=("WIDTH", "QUALITY"),
        help="of a clip: shrink and JPEG its frames as the real ones were stored",
    )
    p.add_argument("--save", type=Path, help="write the counts of all sets together as JSON")
    p.add_argument("--like", type=Path, help="counts of real frames, to give recall at their sizes too")

    p = sub.add_parser("realism-long", help="the same of a long time of our street, composed and not kept")
    p.add_argument("detector", type=Path, help="as above")
    _where(p)
    _how_much(p)
    p.set_defaults(seconds=900.0, fps=1.0, seed=12)
    p.add_argument("--every", type=int, default=15, help="seconds from one frame to the next")
    p.add_argument("--quality", type=int, default=45, help="of the JPEG that stands for the clip's damage")
    p.add_argument("--like", type=Path, help="as above")

    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    {
        "sprites": _sprites,
        "plate": _plate,
        "clip": _clip,
        "all": _all,
        "frames": _frames,
        "boxes": _boxes,
        "mot": _mot,
        "realism": _realism,
        "realism-long": _realism_long,
    }[args.command](args)


def _where(p: argparse.ArgumentParser) -> None:
    p.add_argument("--camera", default="cam1", choices=("cam1", "cam2"))
    p.add_argument("--light", default="day", choices=("day", "overcast", "rain", "dusk"))


def _how_much(p: argparse.ArgumentParser) -> None:
    p.add_argument("--seconds", type=float, default=60.0)
    p.add_argument("--fps", type=float, default=10.0)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--demand", type=float, default=7000.0, help="vehicles per hour over all arms")
    p.add_argument("--peak", type=float, default=1.0, help="factor on the demand in the middle of the run")
    p.add_argument("--warm-up", type=float, default=124.0, help="seconds simulated before the first frame")


def _sprites(args: argparse.Namespace) -> None:
    from . import sprites, vehicles

    names = args.models or list(vehicles.NAMES)
    for step in (20, 10):
        if step >= args.step:
            sprites.bake(args.work / "views", names, args.samples, args.threads, step)
    sprites.pack(args.work / "views", args.sprites, names)


def _plate(args: argparse.Namespace) -> None:
    from . import plates

    plates.ensure(args.plates, args.camera, args.light, args.samples, args.threads)


def _simulated(args: argparse.Namespace, name: str) -> tuple[Trajectories, Path]:
    """The traffic that the options ask for, and its folder; simulated unless it is there already."""
    from . import traffic

    work = args.work / f"{name}_{args.seconds:g}s_{args.fps:g}fps_{args.demand:g}_{args.peak:g}_{args.seed}"
    if not (work / "steps.parquet").exists():
        demand = traffic.Demand(args.demand, args.peak)
        # The plan of the signals goes with the clock of the day, so that two cameras show the same moment.
        run = traffic.simulate(work / "sumo", demand, args.warm_up, args.seconds, args.fps, args.seed)
        run.save(work)
    return traffic.Trajectories.read(work), work


def _clip(args: argparse.Namespace) -> None:
    from . import bank, clip, compose, plates, truth

    settings = clip.ClipSettings(args.camera, args.light, dt.datetime.fromisoformat(args.start), args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    run, work = _simulated(args, settings.stem)
    models = bank.load(args.sprites)
    folder = plates.ensure(args.plates, args.camera, args.light)
    from .camera import CAMERAS

    plate = compose.load_plate(folder, CAMERAS[args.camera])
    log.info("composing %d frames of %s", int(run.frame.max()) + 1, settings.stem)
    clip.compose(run, settings, models, plate, work / "frames")
    clip.encode(
        work / "frames",
        args.out / f"{settings.stem}.mp4",
        run.fps,
        int(run.frame.max()) + 1,
        args.crf,
        args.maxrate,
    )
    clip.write_truth(run, settings, truth.hulls_of(models), work / "frames", args.out)
    log.info("wrote %s", args.out / f"{settings.stem}.mp4")


def _all(args: argparse.Namespace) -> None:
    for camera, light, start, seed, demand, maxrate in SHIPPED:
        _clip(
            argparse.Namespace(
                **{
                    **vars(args),
                    "camera": camera,
                    "light": light,
                    "start": start,
                    "seed": seed,
                    "demand": demand,
                    "peak": 1.0,
                    "seconds": 60.0,
                    "fps": 10.0,
                    "warm_up": 124.0,
                    "crf": 25,
                    "maxrate": maxrate,
                }
            )
        )


def _frames(args: argparse.Namespace) -> None:
    from . import frames

    frames.write(
        args.out, args.work, args.sprites, args.count, args.streets, args.seed, args.samples, args.threads
    )


def _boxes(args: argparse.Namespace) -> None:
    from . import bank, boxes, clip, compose, truth
    from .camera import CAMERAS

    start = dt.datetime.fromisoformat(args.start)
    settings = clip.ClipSettings(args.camera, "boxes", start, args.seed)
    run, _ = _simulated(args, settings.stem)
    hulls = truth.hulls_of(bank.load(args.sprites))
    camera = CAMERAS[args.camera]
    args.out.mkdir(parents=True, exist_ok=True)
    noisy = args.out / f"{settings.stem}.detections.parquet" if args.noise else None
    plate = args.plates / f"{args.camera}_{args.light}"
    occluders = compose.load_plate(plate, camera).occluders if plate.exists() else None
    exact = args.out / f"{settings.stem}.truth-boxes.parquet"
    log.info(
        "%d true boxes, %d detections",
        *boxes.write(run, camera, hulls, exact, args.seed, noisy, None, occluders),
    )
    clip.write_tables(run, settings, hulls, args.out)


def _mot(args: argparse.Namespace) -> None:
    from . import boxes

    log.info("%d rows", boxes.to_mot(args.truth, args.target))


def _realism(args: argparse.Namespace) -> None:
    from . import realism

    detector = realism.Detector(args.detector)
    real = realism.Tally.read(args.like) if args.like else None
    total = realism.Tally()
    for path in args.sets:
        frames = (
            realism.yolo_set(path, args.every, args.only, tuple(args.luma))
            if path.is_dir()
            else realism.clip_set(path, args.every, stored=tuple(args.stored) if args.stored else None)
        )
        tally = realism.measure(detector, frames)
        total += tally
        print(f"{path.name}: {tally.text(real)}\n", flush=True)
    if len(args.sets) > 1:
        print(f"together: {total.text(real)}")
    if args.save:
        total.save(args.save)


def _realism_long(args: argparse.Namespace) -> None:
    from . import bank, compose, plates, realism
    from .camera import CAMERAS

    run, _ = _simulated(args, "realism")
    camera = CAMERAS[args.camera]
    plate = compose.load_plate(plates.ensure(args.plates, args.camera, args.light), camera)
    composer = compose.Composer(camera, compose.LIGHTS[args.light], plate, bank.load(args.sprites), seed=2)
    frames = realism.composed_set(composer, run, round(args.every * args.fps), args.quality)
    tally = realism.measure(realism.Detector(args.detector), frames)
    print(f"{args.camera} {args.light}: {tally.text(realism.Tally.read(args.like) if args.like else None)}")


if __name__ == "__main__":
    main()
