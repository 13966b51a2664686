"""Counting when the camera is bad: low rates, coarse pictures, compression, shaking, gaps, rain, dusk."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.counting import Clip, Peers, measure
from benchmarks.footage import dropped, remake, shaken
from benchmarks.records import Figure, Section

MODEL = "ngatu-n-int8@640x352"


def variants(clip: Clip, rate: float, size: tuple[int, int], folder: Path) -> list[Clip]:
    """A clip under every stress; the first is the clip itself, written again as the others are."""
    half = (size[0] // 4 * 2, size[1] // 4 * 2)
    made: dict[str, dict[str, Any]] = {
        f"{rate:.0f} frames/s": {},
        **{f"{rate / n:.0f} frames/s": {"every": n} for n in (2, 3, 6) if rate / n >= 4.9},
        "half the width and height": {"size": half},
        "H.264, crf 32": {"crf": 32},
        "H.264, crf 40": {"crf": 40},
        "shaking by 6 px": {"change": shaken(6 * size[0] / 1280)},
        "10 % of frames lost": {"change": dropped(0.10)},
        "30 % of frames lost": {"change": dropped(0.30)},
    }
    found = []
    for name, options in made.items():
        file = folder / f"{clip.name}.{name.replace(' ', '-').replace('/', '-')}.mp4"
        found.append(replace(clip, name=f"{clip.name}: {name}", path=remake(clip.path, file, **options)))
    return found


def measure_all(
    clips: Sequence[tuple[Clip, float, tuple[int, int]]], others: Sequence[Clip], cache: Path
) -> Section:
    """ngatu and ByteTrack with LineZone on the boxes of every variant; ``others`` are clips in bad light."""
    section = Section(f"Counting under stress: F1 (±0.5 s), boxes of {MODEL}")
    tried = [each for clip, rate, size in clips for each in variants(clip, rate, size, cache)]
    # A name with a slash is no file's name.
    plain = [replace(each, name=each.name.replace("/", " per ")) for each in [*tried, *others]]
    result = measure(MODEL, plain, Peers(), cache)
    by_clip: dict[str, dict[str, Any]] = {}
    for row in result["rows"]:
        if "not_run" in row:
            if (note := f"not run: {row['counter']}: {row['not_run']}") not in section.notes:
                section.notes.append(note)
        elif row["clip"] != "all":
            figures = by_clip.setdefault(row["clip"], {"clip": row["clip"], "true": row["truth"]})
            figures[row["counter"]] = row["f1"]
            if row["counter"] == "ngatu":
                figures["chance"] = row["f1_of_chance"]
    section.rows = list(by_clip.values())
    for row in section.rows:
        section.figures[f"stress, {row['clip']}, F1"] = Figure(row["ngatu"], "higher", floor=0.03)
    return section
