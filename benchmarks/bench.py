"""All benchmarks in one command: tables, JSON, a page, and a comparison with an older run: ``--help``."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import av
import cv2
from rich.console import Console

from benchmarks import (
    counting,
    density,
    end_to_end,
    growth,
    opentrafficcam,
    runtimes,
    scenarios,
    stress,
    tracking_accuracy,
)
from benchmarks.compare import regressions
from benchmarks.counting import Clip, Peers
from benchmarks.records import ROOT, Figure, Section, machine, sha256
from benchmarks.report_page import page
from benchmarks.sparing import sample_clips
from vision.errors import NgatuError

RACED = 200
"""Frames of each clip that all contenders race over; --whole takes all of them."""


class Bench:
    """What is measured, with its clips."""

    def __init__(self, quick: bool, whole: bool, cache: Path) -> None:
        self.quick, self.whole, self.cache = quick, whole, cache
        self.samples = sample_clips("")
        folder = os.environ.get("NGATU_TESTDATA")
        videos = Path(folder or ".", "videos")
        self.real = counting.read_clips(ROOT / "tests" / "truth", videos, "") if folder else []

    def sections(self) -> dict[str, Callable[[], list[Section]]]:
        """What can be measured, by name, in order; those of a quick run first."""
        first = self.samples[0]
        quick: dict[str, Callable[[], list[Section]]] = {
            "objects": lambda: [
                growth.by_objects([25, 100] if self.quick else [25, 50, 100, 200], self._blocks)
            ],
            "scenarios": lambda: [scenarios.measure()],
            "stages": lambda: [growth.by_size(first, self.cache, self._sizes, 6 if self.quick else 20)],
            "race": lambda: list(end_to_end.measure(self._raced(), self.quick, self._frames)),
            "counting": self.counting,
        }
        if self.quick:
            return quick
        return quick | {
            "tracking": lambda: [tracking_accuracy.measure(self.samples, self.cache)],
            "runtimes": lambda: [runtimes.measure()],
            "stress": lambda: [stress.measure_all(self._stressed(), self._dim(), self.cache)],
            "density": lambda: [self.density()],
            "opentrafficcam": self.opentrafficcam,
            "cores": lambda: [growth.by_cores(first, 150, sorted(os.sched_getaffinity(0))[:4])],
            "length": lambda: [growth.by_length((5_000, 20_000))],
        }

    @property
    def _blocks(self) -> int:
        return 3 if self.quick else 8

    @property
    def _sizes(self) -> tuple[tuple[int, int], ...]:
        return growth.SIZES[:2] if self.quick else growth.SIZES

    @property
    def _frames(self) -> int | None:
        return 100 if self.quick else None if self.whole else RACED

    def _raced(self) -> list[Clip]:
        if self.quick:
            return [self.samples[0], *(clip for clip in self.real if clip.name.startswith("us-residential"))]
        return [self.samples[0], *self.real]

    def _stressed(self) -> list[tuple[Clip, float, tuple[int, int]]]:
        found = [(self.samples[0], 10.0, (1280, 720))]
        return found + [(clip, 30.0, (854, 480)) for clip in self.real if clip.name.startswith("hcmc")]

    def _dim(self) -> list[Clip]:
        return [clip for clip in self.samples if "dusk" in clip.name or "rain" in clip.name]

    def counting(self) -> list[Section]:
        """ngatu and ByteTrack with LineZone, from the same boxes, on our own clips and on the real ones."""
        found = []
        sets = {"our own clips, exact truth": self.samples[:1] if self.quick else self.samples}
        if self.real and not self.quick:
            sets["real clips, counted by hand"] = self.real
        for name, clips in sets.items():
            section = Section(f"Counts from the same boxes (±0.5 s): {name}")
            models = ["ngatu-n-int8"] if self.quick else ["ngatu-n", "ngatu-n-int8"]
            if self.real and not self.quick:
                models.append("yolo11n_dyn")
            for model in models:
                for row in counting.measure(model, clips, Peers(), self.cache)["rows"]:
                    if "not_run" in row:
                        section.notes.append(f"not run: {row['counter']}: {row['not_run']}")
                    elif row["clip"] == "all":
                        section.rows.append(counted(model, row))
                        if row["counter"] == "ngatu":
                            figure = Figure(row["f1"], "higher", floor=0.01)
                            section.figures[f"counting, {name}, {model}, F1"] = figure
            found.append(section)
        return found

    def opentrafficcam(self) -> list[Section]:
        """The clips that OpenTrafficCam tests itself with."""
        data = Path(os.environ.get("NGATU_TESTDATA", "."))
        folder = data / "datasets" / "otvision-intersection"
        if not folder.is_dir():
            return [Section("OpenTrafficCam's test clips", notes=["not run: NGATU_TESTDATA has none"])]
        return [opentrafficcam.measure(folder, data / "models" / "yolo11n_dyn.onnx")]

    def density(self) -> Section:
        """Flow, density, speed and queue of exact boxes beside the truth of the clips."""
        section = Section("Density, speed, queue beside the simulator's truth (exact boxes): ours / true")
        for clip in self.samples:
            camera = clip.name.split("_")[1]
            view = density.surveyed(clip.view, camera)
            minutes = clip.path.with_suffix(".minutes.csv")
            truth = clip.path.with_suffix(".truth.parquet")
            frames = density.exact_frames(truth, density.start_of(minutes), view, density.SIZE, 1)
            records, _ = density.estimate(frames, view, density.SIZE)
            for row in density.compare(records, density.truth_of(minutes, 60.0), 60.0):
                shown: dict[str, Any] = {"clip": clip.name, "approach": row["approach"]}
                for name in ("count", "density", "speed", "queue_max"):
                    pair = row.get(name)
                    told = pair is not None and pair[0] is not None
                    shown[name] = f"{pair[0]:.1f} / {pair[1]:.1f}" if told else None
                    if told and name in ("density", "speed") and pair[1]:
                        error = Figure(abs(pair[0] / pair[1] - 1), "lower", floor=0.02)
                        section.figures[f"{name}, {clip.name}, {row['approach']}, error"] = error
                section.rows.append(shown)
        return section


def counted(model: str, row: dict[str, Any]) -> dict[str, Any]:
    """One line of the table of counts."""
    names = {"f1": "F1", "f1_of_chance": "chance", "precision": "precision", "recall": "recall"}
    return {
        "boxes": model,
        "counter": row["counter"],
        "true": row["truth"],
        "counted": row["counted"],
        **{shown: row[name] for name, shown in names.items()},
        "class right": row["class_agreement"],
        **{name: row[name] for name in ("double", "lost", "false")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three minutes instead of fifteen")
    parser.add_argument("--whole", action="store_true", help="race over whole clips; takes long")
    parser.add_argument(
        "--only", nargs="+", default=[], help="names of sections, see the last line of --list"
    )
    parser.add_argument("--list", action="store_true", help="only name the sections")
    parser.add_argument("--compare", type=Path, help="JSON of an older run; worse beyond noise is an error")
    parser.add_argument("--cache", type=Path, default=ROOT / "out" / "bench", help="keeps boxes and clips")
    parser.add_argument("--json", type=Path, default=ROOT / "out" / "bench.json")
    parser.add_argument("--page", type=Path, default=ROOT / "out" / "bench.html")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    av.logging.set_level(None)
    console = Console(width=None if sys.stdout.isatty() else 190)
    try:
        bench = Bench(options.quick, options.whole, options.cache)
        wanted = bench.sections()
        if options.list:
            sys.exit(" ".join(wanted))
        if unknown := set(options.only) - wanted.keys():
            sys.exit(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(wanted)}")
        older = json.loads(options.compare.read_text(encoding="utf-8")) if options.compare else None
        options.cache.mkdir(parents=True, exist_ok=True)
        report = run(bench, options.only or list(wanted), console)
    except (NgatuError, OSError, ValueError) as error:
        sys.exit(str(error))
    for path, text in ((options.json, json.dumps(report, indent=1) + "\n"), (options.page, page(report))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    console.print(f"{options.json}, {options.page}", soft_wrap=True)
    if older and (worse := regressions(older, report)):
        sys.exit("worse than before:\n" + "\n".join(f"  {change}" for change in worse))


def run(bench: Bench, names: list[str], console: Console) -> dict[str, Any]:
    """Measure and show, section by section; the report for JSON and page."""
    facts = machine()
    sections: list[Section] = []
    for name in names:
        began = time.monotonic()
        made = bench.sections()[name]()
        for section in made:
            section.show(console)
        console.print(f"({name}: {time.monotonic() - began:.0f} s)", highlight=False)
        sections += made
    facts["load_at_end"] = os.getloadavg()[0]
    figures = {name: asdict(figure) for each in sections for name, figure in each.figures.items()}
    return {
        "machine": facts,
        "quick": bench.quick,
        "data": bool(bench.real),
        "parts": names,
        "sections": [asdict(replace(each, figures={})) for each in sections],
        "figures": figures,
        "clips": {clip.path.name: sha256(clip.path) for clip in (*bench.samples, *bench.real)},
    }


if __name__ == "__main__":
    main()
