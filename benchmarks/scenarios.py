"""The known ways of counting wrong, put to our counter and to those of the peers: same tracks for all.

A scenario is right when every vehicle is counted once in its direction, and nothing else is.
"""

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environments import find, last_error
from benchmarks.records import ROOT, Figure, Section
from tests.vision.scenes import SIZE, Car, count_tracks, follow, frame_times, gate, straight, tracks_of
from vision.types import Tracks, VehicleClass

Line = tuple[tuple[float, float], tuple[float, float]]
Frames = list[tuple[float, Tracks]]
ACROSS: Line = ((0.1, 0.5), (0.9, 0.5))
UPRIGHT: Line = ((0.5, 0.9), (0.5, 0.2))
TO_COCO = [1, 3, 2, 5, 7]
DOWN = Car(straight((640, 100), (0, 150)))
"""Crosses the middle after 1.73 s."""


POINTS = (360, 390, 420)
"""Where the bottom of the box is when its bottom, its middle or its top passes: counters differ in that."""


@dataclass(frozen=True)
class Scenario:
    """Tracks, a gate, and the directions in which vehicles really pass it."""

    name: str
    frames: Frames
    truth: tuple[str, ...]
    line: Line = ACROSS


def shaken(frames: Iterable[tuple[float, Tracks]], pixels: float, seed: int = 1) -> Frames:
    noise = np.random.default_rng(seed)
    found = []
    for time, tracks in frames:
        moved = tracks.xyxy + noise.normal(0, pixels, tracks.xyxy.shape).astype(np.float32)
        found.append((time, Tracks(moved, tracks.score, tracks.class_id, tracks.track_id)))
    return found


def standing_at(y: float) -> Callable[[float], tuple[float, float]]:
    """Down to ``y``, there for four seconds, then on."""
    return lambda t: (640, y - 150 * (2 - t) if t < 2 else y + 150 * max(0.0, t - 6))


def scenarios() -> Iterator[Scenario]:
    """All of them; several of one name are variations."""
    for fps in (25.0, 10.0, 5.0):
        yield Scenario("a vehicle passes", list(follow([DOWN], 4, fps)), ("in",))
        up = Car(straight((640, 700), (0, -150)))
        yield Scenario("a vehicle passes", list(follow([up], 4, fps)), ("out",))
        for y in POINTS:
            passed = next(n for n, time in enumerate(frame_times(4, fps)) if DOWN.path(time - 1000)[1] > y)
            changed = follow([DOWN], 4, fps, ids=lambda _, n, passed=passed: 1 if n < passed else 2)
            yield Scenario("the id changes in the frame of the crossing", list(changed), ("in",))
    for y in (350, 358, 360, 362, 370, 380, 388, 390, 392, 400):
        frames = shaken(follow([Car(standing_at(y))], 10), 2)
        yield Scenario("it stands on the line, its box jitters", frames, ("in",))
    for y in (350, 360, 370, 380, 390, 400):
        for every in (3, 10, 25):
            renewed = follow([Car(standing_at(y))], 10, ids=lambda _, n, every=every: 1 + n // every)
            yield Scenario("the same, its id renewed again and again", shaken(renewed, 2), ("in",))
    for missed in (2, 5, 10):
        for same in (True, False):
            for at in (43, 48):  # the bottom of the box passes, the middle of the box
                hidden = range(at - missed // 2, at - missed // 2 + missed)
                frames = follow([DOWN], 4, ids=None if same else lambda _, n, at=at: 1 if n < at else 2)
                seen = [(t, Tracks.empty() if n in hidden else f) for n, (t, f) in enumerate(frames)]
                yield Scenario(f"missed at the line, {'same' if same else 'new'} id after", seen, ("in",))
    yield Scenario("a real U-turn", list(follow([Car(u_turn)], 8)), ("in", "out"))
    yield from angles()
    cut = [
        (t, Tracks(np.minimum(f.xyxy, 720), f.score, f.class_id, f.track_id))
        for t, f in follow([Car(straight((640, 300), (0, 150)))], 4)
    ]
    yield Scenario("its box is cut by the edge of the picture", cut, ("in",), ((0.1, 0.93), (0.9, 0.93)))
    pair = [DOWN, Car(DOWN.path, width=86, height=66, kind=VehicleClass.TRUCK)]
    yield Scenario("one vehicle boxed as car and as truck", list(follow(pair, 4)), ("in",))
    yield from lorries()
    yield Scenario("its bumper is hidden now and then", hidden_bumper(), ("in",))
    riders = [Car(straight((x, 100), (0, 150)), 30, 60, VehicleClass.MOTORCYCLE) for x in (630, 652)]
    yield Scenario("riders side by side", list(follow(riders, 4)), ("in", "in"))
    parked = [Car(straight((300 + 150 * n, 355 + 3 * n), (0, 0))) for n in range(5)]
    yield Scenario("parked vehicles on the line", shaken(follow(parked, 20), 3), ())
    yield Scenario("reflections that flicker in place", reflections(), ())


def u_turn(time: float) -> tuple[float, float]:
    angle = np.pi * np.clip((time - 2) / 3, 0, 1)
    y = 100 + 150 * min(time, 2) if time < 5 else 400 - 150 * (time - 5)
    return 640 - 100 * np.cos(angle), y + 100 * np.sin(angle) * (2 <= time <= 5)


def angles() -> Iterator[Scenario]:
    """A vehicle passes lines of every angle, each drawn in both directions."""
    for angle in range(0, 360, 15):
        across = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        along = np.array([-across[1], across[0]])
        middle = np.array([640, 360])
        ends = [((middle + side * 250 * across) / SIZE).tolist() for side in (-1, 1)]
        car = Car(lambda t, along=along, middle=middle: tuple(middle + (t - 2) * 120 * along), 40, 40)
        line: Line = ((ends[0][0], ends[0][1]), (ends[1][0], ends[1][1]))
        yield Scenario("a line at any angle, square to it", list(follow([car], 4)), ("in",), line)
        slanted = along * np.cos(0.9) + across * np.sin(0.9)
        car = Car(lambda t, way=slanted, middle=middle: tuple(middle + (t - 2) * 120 * way), 40, 40)
        yield Scenario("a line at any angle, aslant over it", list(follow([car], 4)), ("in",), line)


def lorries() -> Iterator[Scenario]:
    """A lorry boxed now as its cab, now as its whole length, and as both at once."""
    flips, both = [], []
    for n, time in enumerate(frame_times(8)):
        x = 100 + 120 * (time - 1000)
        whole, cab = [x - 160, 260, x, 370], [x - 60, 262, x, 369]
        box = cab if n // 7 % 2 else whole
        flips.append((time, tracks_of([box], [2 * (n // 7) + 1], [VehicleClass.TRUCK])))
        both.append((time, tracks_of([whole, cab], [1, 2], [VehicleClass.TRUCK, VehicleClass.CAR])))
    yield Scenario("a lorry's box flips between cab and whole", flips, ("in",), UPRIGHT)
    yield Scenario("a lorry boxed as cab and as whole at once", both, ("in",), UPRIGHT)


def hidden_bumper() -> Frames:
    """Riders in front hide the lower 40 % of the box, so that its bottom jumps back over the line."""
    frames = []
    for n, (time, tracks) in enumerate(follow([Car(straight((640, 300), (0, 12)), 120, 100)], 14)):
        xyxy = tracks.xyxy.copy()
        xyxy[:, 3] -= 40 * (n // 9 % 2)
        frames.append((time, Tracks(xyxy, tracks.score, tracks.class_id, tracks.track_id)))
    return frames


def reflections() -> Frames:
    noise = np.random.default_rng(3)
    frames = []
    for n, time in enumerate(frame_times(20)):
        lit = [(k, x) for k, x in enumerate((200, 500, 900)) if noise.random() < 0.5]
        boxes = [[x, 330, x + 60, 362 + noise.normal(0, 3)] for _, x in lit]
        ids = [1 + n // 5 * 3 + k for k, _ in lit]
        frames.append((time, tracks_of(boxes, ids, [VehicleClass.CAR] * len(boxes))))
    return frames


def measure() -> Section:
    """Every counter on every scenario."""
    section = Section("Known ways of counting wrong: right / variations, from the same tracks")
    given = list(scenarios())
    counters: dict[str, list[list[str]]] = {"ngatu": [ours(each) for each in given]}
    for name, environment, settings in PEERS:
        try:
            counters[name] = theirs(given, environment, settings)
        except RuntimeError as error:
            section.notes.append(f"not run: {name}: {error}")
    for name in dict.fromkeys(each.name for each in given):
        row: dict[str, Any] = {"scenario": name}
        which = [n for n, each in enumerate(given) if each.name == name]
        for counter, counted in counters.items():
            right = sum(sorted(counted[n]) == sorted(given[n].truth) for n in which)
            row[counter] = f"{right}/{len(which)}"
        section.rows.append(row)
    right = {
        counter: sum(sorted(c) == sorted(each.truth) for c, each in zip(counted, given, strict=True))
        for counter, counted in counters.items()
    }
    section.rows.append({"scenario": "all"} | {name: f"{n}/{len(given)}" for name, n in right.items()})
    section.figures["scenarios right"] = Figure(right["ngatu"], "higher", floor=0.5)
    return section


def ours(scenario: Scenario) -> list[str]:
    """The directions that ngatu counts."""
    return [str(each.direction) for each in count_tracks(scenario.frames, gate(scenario.line))]


PEERS: list[tuple[str, str, dict[str, Any]]] = [
    ("LineZone, defaults", "supervision", {}),
    (
        "LineZone, best",
        "supervision",
        {"triggering_anchors": ["BOTTOM_CENTER"], "minimum_crossing_threshold": 2},
    ),
    ("ObjectCounter", "ultralytics", {}),
]


def theirs(given: list[Scenario], name: str, settings: dict[str, Any]) -> list[list[str]]:
    """The directions that a peer counts.

    Raises:
        RuntimeError: it cannot be run.
    """
    environment = find(name)
    if environment.absent:
        raise RuntimeError(environment.absent)
    job = {
        "settings": settings,
        "scenes": [
            {
                "line": (np.array(each.line) * SIZE).tolist(),
                "frames": [
                    (t, f.xyxy.tolist(), f.track_id.tolist(), [TO_COCO[kind] for kind in f.class_id.tolist()])
                    for t, f in each.frames
                ],
            }
            for each in given
        ],
    }
    script = ROOT / "benchmarks" / "peers" / f"{name}_side.py"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "job.json")
        path.write_text(json.dumps(job), encoding="utf-8")
        done = subprocess.run(
            [str(environment.python), str(script), "scenes", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(last_error(done.stderr))
    return [[direction for _, _, direction, _ in scene] for scene in json.loads(done.stdout.splitlines()[-1])]
