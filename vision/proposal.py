"""Proposing a view: one gate where vehicles enter and leave the picture, with nothing drawn by hand.

The chain: frames → paths of the vehicles that moved → candidate gates across the paths, near their ends →
the few gates that together catch most vehicles, once on the way in and once on the way out → a view, checked
with the counter that will use it. Lengths are in box sizes (square root of the box's area) wherever the
picture's perspective or resolution would matter.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.counting import GateCounter
from vision.errors import ViewError
from vision.geometry import box_sizes, segments_cross
from vision.stitching import Stitcher
from vision.types import Crossing, Tracks
from vision.views import Gate, Movement, Turn, View

Floats = NDArray[np.float64]

SAMPLES = 48
"""Points a path is resampled to, evenly spaced in box sizes."""

LEAST_PATH = 1.5
"""A track that gets less far from its first point, in box sizes, is parked, jitter or a false box."""

INSETS = (1.5, 3.0, 5.0, 8.0)
"""How far from the ends of a path gates are tried, in box sizes."""

MOST_PATHS = 120
"""So many paths are tried for gates; in dense traffic more would only repeat them."""

MOST_GATES = 8

SLANT = 0.78
"""Cosine between a gate's normal and a heading below which the traffic is taken for that of another road."""

WIDEST_GAP = 2.7
"""Passings further apart than this, in box sizes, belong to different roads or carriageways."""


@dataclass(frozen=True, slots=True)
class _Paths:
    """The vehicles that moved, each resampled to SAMPLES points: arrays ``[V, SAMPLES, ...]``."""

    point: Floats
    heading: Floats
    size: Floats
    speed: Floats  # box sizes a second
    length: Floats  # [V], box sizes
    weight: Floats  # [V], 0..1: less for those that hardly moved


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Gates that could be; one row a gate, one column a vehicle."""

    line: Floats  # [C, 2, 2], px
    sign: Floats  # 1 where the vehicle passes in, -1 out, 0 not at all
    worth: Floats  # 0..1, how cleanly it passes
    place: Floats  # how far along its path, box sizes
    touched: Floats  # 1 where it meets the line at all, more where it does so at a slant


def propose_view(frames: Sequence[tuple[float, Tracks]], size: tuple[int, int], name: str = "") -> View:
    """Propose gates and movements from the tracks of about a minute of one camera.

    Each gate closes off one approach; passing it towards the middle of the scene is ``in``.

    Args:
        frames: time in seconds and tracks of each frame, in order.
        size: width and height of the picture in pixels.
        name: the camera or place, for the view.

    Returns:
        A view marked ``proposed``, with one gate or more.

    Raises:
        ViewError: too little moved to propose anything.
    """
    paths = _moving_paths(frames, size)
    lines: Floats = np.zeros((0, 2, 2))
    if paths is not None:
        candidates = _candidates(paths, size)
        lines = candidates.line[_choose(candidates, paths)]
        lines = lines[np.argsort(lines[:, :, 0].mean(axis=1), kind="stable")]
    view = _checked(frames, size, name, lines)
    if view is None:
        raise ViewError(
            "too little moves in this clip to propose gates; draw a view, or give a longer clip with traffic"
        )
    return view


def _moving_paths(frames: Sequence[tuple[float, Tracks]], size: tuple[int, int]) -> _Paths | None:
    """The paths of the vehicles that moved, or None if none did."""
    sampled = [path for rows in _sightings(frames, size) if (path := _resample(rows)) is not None]
    if not sampled:
        return None
    data = np.array(sampled)  # [V, SAMPLES, 5]: time, x, y, size, length so far
    time, point, box, along = data[..., 0], data[..., 1:3], data[..., 3], data[..., 4]
    length = along[:, -1]
    reach = np.ceil(0.75 * (SAMPLES - 1) / length).astype(np.intp)[:, None]
    vehicle, index = np.arange(len(data))[:, None], np.arange(SAMPLES)
    after, before = np.minimum(index + reach, SAMPLES - 1), np.maximum(index - reach, 0)
    move = point[vehicle, after] - point[vehicle, before]
    heading = move / np.maximum(np.hypot(move[..., 0], move[..., 1]), 1e-9)[..., None]
    elapsed = np.maximum(time[vehicle, after] - time[vehicle, before], 1e-3)
    speed = (along[vehicle, after] - along[vehicle, before]) / elapsed
    return _Paths(point, heading, box, speed, length, np.clip(length / 4, 0.3, 1.0))


def _sightings(frames: Sequence[tuple[float, Tracks]], size: tuple[int, int]) -> list[Floats]:
    """Each vehicle's sightings (time, x, y, size), without those where the picture's edge cuts its box."""
    stitcher = Stitcher(size)
    margin = 0.006 * max(size)
    seen: list[Floats] = []
    for time, tracks in frames:
        if not len(tracks):
            continue
        number = stitcher.update(time, tracks)
        boxes = tracks.xyxy.astype(np.float64)
        whole = ((boxes[:, :2] > margin) & (boxes[:, 2:] < np.array(size) - margin)).all(axis=1)
        moments = np.full(len(boxes), time)
        rows = np.column_stack((number, moments, tracks.ground_points, box_sizes(boxes)))
        seen.append(rows[whole])
    every = np.concatenate([np.zeros((0, 5)), *seen])
    every = every[np.argsort(every[:, 0], kind="stable")]
    return np.split(every[:, 1:], np.flatnonzero(np.diff(every[:, 0])) + 1)


def _resample(rows: Floats) -> Floats | None:
    """One path ``[SAMPLES, 5]`` from its sightings (time, x, y, size), or None if it went nowhere."""
    point, box = rows[:, 1:3], rows[:, 3]
    if len(rows) < 3 or np.hypot(*(point - point[0]).T).max() < LEAST_PATH * np.median(box):
        return None
    kept = [0]
    for i in range(1, len(rows)):  # steps of some length only, so that jitter adds nothing
        if np.hypot(*(point[i] - point[kept[-1]])) >= 0.3 * box[i]:
            kept.append(i)
    rows = rows[kept]
    steps = np.hypot(*np.diff(rows[:, 1:3], axis=0).T) / (rows[1:, 3] + rows[:-1, 3]) * 2
    along = np.append(0.0, np.cumsum(steps))
    if along[-1] < 1.0:
        return None
    at = np.linspace(0, along[-1], SAMPLES)
    return np.column_stack([*(np.interp(at, along, column) for column in rows.T), at])


def _candidates(paths: _Paths, size: tuple[int, int]) -> _Candidates:
    """Gates across the paths near their starts and ends, widened to all traffic that runs alongside."""
    busiest = np.argsort(-paths.length * paths.weight, kind="stable")[:MOST_PATHS]
    rows = []
    for vehicle in busiest:
        length = paths.length[vehicle]
        places = [inset for inset in INSETS if inset < length / 2] + [length / 2]
        for place in [*places, *(length - np.array(places))]:
            k = min(SAMPLES - 1, round(place / length * (SAMPLES - 1)))
            inward = paths.heading[vehicle, k] * (1 if place <= length / 2 else -1)
            # Where a road runs into the depth of the picture its true cross-section lies level, not square.
            level = [np.array([0.0, np.sign(inward[1])])] if abs(inward[1]) > SLANT else []
            for normal in [inward, *level]:
                line = _line_across(paths, paths.point[vehicle, k], normal, size)
                if line is not None:
                    rows.append((line, *_passings(paths, line, size)))
    line, sign, worth, place, touched = (np.array(column) for column in zip(*rows, strict=True))
    return _Candidates(line, sign, worth, place, touched)


def _meetings(
    paths: _Paths, origin: Floats, inward: Floats
) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Where paths meet an infinite line: vehicles, samples just before, positions along the line (px)."""
    distance = (paths.point - origin) @ inward
    vehicle, k = np.nonzero((distance[:, :-1] >= 0) != (distance[:, 1:] >= 0))
    before, after = distance[vehicle, k], distance[vehicle, k + 1]
    share = (before / (before - after))[:, None]
    point = paths.point[vehicle, k] * (1 - share) + paths.point[vehicle, k + 1] * share
    return vehicle, k, (point - origin) @ _direction(inward)


def _direction(inward: Floats) -> Floats:
    """The direction of a line that is passed ``in`` along ``inward``, y down."""
    return np.array([inward[1], -inward[0]])


def _line_across(paths: _Paths, origin: Floats, inward: Floats, size: tuple[int, int]) -> Floats | None:
    """A gate ``[2, 2]`` through a point of a path, across it and all the traffic that runs beside it."""
    vehicle, k, along = _meetings(paths, origin, inward)
    if not len(along):
        return None
    order = np.argsort(along, kind="stable")
    vehicle, k, along = vehicle[order], k[order], along[order]
    beside = np.abs(paths.heading[vehicle, k] @ inward) > SLANT
    box = paths.size[vehicle, k]
    gain = np.where(beside, 1.0, -1.5) * paths.weight[vehicle]
    first = int(np.abs(along).argmin())
    right = first + _extent(along[first:], box[first:], gain[first:])
    left = first - _extent(-along[first::-1], box[first::-1], gain[first::-1])
    # Room for lanes that nobody took meanwhile, but at most half way to the traffic that is not meant.
    margin = float(np.quantile(box[left : right + 1], 0.75))
    gaps = np.concatenate(([np.inf], np.diff(along), [np.inf])) / 2
    ends = np.array([along[left] - min(margin, gaps[left]), along[right] + min(margin, gaps[right + 1])])
    return _within(origin + np.outer(ends, _direction(inward)), size)


def _extent(along: Floats, box: Floats, gain: Floats) -> int:
    """How many of the passings outward from the first one belong to the same stream of traffic."""
    gap = np.diff(along) / np.sqrt(box[1:] * box[:-1])
    end = int(np.argmax(gap > WIDEST_GAP)) if (gap > WIDEST_GAP).any() else len(gap)
    cost = np.maximum(gap[:end] - 1.5, 0) * max(1.0, 0.1 * len(along))  # in dense traffic gaps say more
    total = np.append(0.0, np.cumsum(gain[1 : end + 1] - cost))
    return int(total.argmax())


def _within(line: Floats, size: tuple[int, int]) -> Floats | None:
    """The part of a line inside the picture, a little off its edge."""
    low, high = 0.0, 1.0
    start, vector = line[0], line[1] - line[0]
    for axis in range(2):
        near, far = 0.01 * size[axis], 0.99 * size[axis]
        if abs(vector[axis]) < 1e-9:
            if not near <= start[axis] <= far:
                return None
            continue
        ends = sorted(((near - start[axis]) / vector[axis], (far - start[axis]) / vector[axis]))
        low, high = max(low, ends[0]), min(high, ends[1])
    return start + np.outer([low, high], vector) if high - low > 1e-3 else None


def _passings(paths: _Paths, line: Floats, size: tuple[int, int]) -> tuple[Floats, Floats, Floats, Floats]:
    """How each vehicle passes a gate: sign, worth, place along its path, whether it touches it."""
    count = len(paths.length)
    sign, worth, place, touched = np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count)
    vector = line[1] - line[0]
    length = float(np.hypot(*vector))
    inward = np.array([-vector[1], vector[0]]) / length
    vehicle, k, along = _meetings(paths, line[0], inward)
    on = (along >= 0) & (along <= length)
    vehicle, k = vehicle[on], k[on]
    cosine = paths.heading[vehicle, k] @ inward
    at = (k + 0.5) / (SAMPLES - 1) * paths.length[vehicle]
    clear = np.clip(np.minimum(at, paths.length[vehicle] - at) / 1.5, 0, 1)
    moving = np.clip(paths.speed[vehicle, k] / 0.8, 0.3, 1)
    large = np.clip(paths.size[vehicle, k] / (0.02 * np.sqrt(size[0] * size[1])), 0.3, 1)
    square = np.clip((np.abs(cosine) - 0.3) / 0.6, 0, 1)
    # A gate belongs near the outer end of the paths: early on the way in, late on the way out.
    before = np.where(cosine > 0, at, paths.length[vehicle] - at) / paths.length[vehicle]
    np.add.at(sign, vehicle, np.sign(cosine))
    even = _evenness(along[on], np.arctan(paths.heading[vehicle, k] @ _direction(inward) / _nonzero(cosine)))
    worth[vehicle] = clear * moving * large * square * even * (1 - 0.4 * before)
    place[vehicle], touched[vehicle] = at, np.where(np.abs(cosine) > SLANT, 1, 3)
    sign = np.sign(sign)
    return sign, np.where(sign == 0, 0, worth), place, touched


def _nonzero(value: Floats) -> Floats:
    return np.where(np.abs(value) < 1e-6, 1e-6, value)


def _evenness(along: Floats, angle: Floats) -> float:
    """1 where traffic runs parallel, or fans out evenly with the perspective; less where streams mix."""
    if len(along) < 3 or np.ptp(along) == 0:
        return 1.0
    along, angle = along - along.mean(), angle - angle.mean()
    scatter = np.abs(angle - (along @ angle) / (along @ along) * along).mean()
    return float(np.clip(1.3 - scatter / 0.5, 0.2, 1))


def _choose(candidates: _Candidates, paths: _Paths) -> list[int]:
    """The gates that together say most: added one by one while they gain, then each put to the test."""
    traffic = float(paths.weight.sum())
    price = min(0.3 + 0.05 * traffic, 0.8) + 0.012 * traffic
    chosen: list[int] = []
    while len(chosen) < MOST_GATES:
        best, gain = _best_addition(candidates, paths, chosen)
        if gain <= price:
            break
        chosen.append(best)
    for _ in range(2):
        for old in list(chosen):
            rest = [other for other in chosen if other != old]
            best, gain = _best_addition(candidates, paths, rest)
            chosen = [*rest, best] if gain > price else rest
    return chosen


def _best_addition(candidates: _Candidates, paths: _Paths, chosen: list[int]) -> tuple[int, float]:
    """The candidate that adds most to the chosen gates, and how much."""
    every = np.arange(len(candidates.line))
    value = _value(candidates, paths, chosen, every)
    free = np.array([all(_apart(candidates.line[i], candidates.line[j]) for j in chosen) for i in every])
    value = np.where(free, value, -np.inf)
    best = int(value.argmax())
    before = float(_value(candidates, paths, chosen[:-1], np.array(chosen[-1:]))[0]) if chosen else 0.0
    return best, float(value[best]) - before


def _value(candidates: _Candidates, paths: _Paths, chosen: list[int], added: NDArray[np.intp]) -> Floats:
    """The worth ``[A]`` of the chosen gates with each of the added ones.

    A vehicle counts 1 when it passes a gate and half as much again when it comes in by one gate and goes
    out by another; each further gate in its way costs, for it says nothing new.
    """
    sign, worth, place = candidates.sign, candidates.worth, candidates.place
    single, touched = worth[added], candidates.touched[added]
    both = np.zeros_like(single)
    far = np.maximum(0.5 * paths.length, 6.0)

    def pair(i: NDArray[np.intp], j: NDArray[np.intp]) -> Floats:
        apart = np.clip((place[j] - place[i]) * sign[i] / far, 0, 1)
        return np.where(sign[i] * sign[j] < 0, np.minimum(worth[i], worth[j]) * apart, 0)

    for n, i in enumerate(chosen):
        one = np.array([i])
        single, touched = np.maximum(single, worth[one]), touched + candidates.touched[one]
        both = np.maximum(both, pair(added, one))
        for j in chosen[n + 1 :]:
            both = np.maximum(both, pair(one, np.array([j])))
    spare = np.maximum(touched - 1 - (both > 0), 0)
    return np.asarray((single + 0.5 * both - 0.3 * spare) @ paths.weight)


def _apart(a: Floats, b: Floats) -> bool:
    """Whether two gates neither cross, nearly, nor lie close side by side."""
    longer_a, longer_b = (line + np.outer([-0.1, 0.1], line[1] - line[0]) for line in (a, b))
    between = np.hypot(*(a.mean(axis=0) - b.mean(axis=0)))
    lengths = np.hypot(*(a[1] - a[0])) + np.hypot(*(b[1] - b[0]))
    return bool(between > 0.2 * lengths) and not segments_cross(longer_a, longer_b)


def _checked(
    frames: Sequence[tuple[float, Tracks]], size: tuple[int, int], name: str, lines: Floats
) -> View | None:
    """The view of these gates, without those by which the counter that will use it hardly counts anything."""
    while len(lines):
        view = View(name=name, proposed=True, gates=_gates(lines, size))
        counter = GateCounter(view, size)
        crossings = [crossing for time, tracks in frames for crossing in counter.update(time, tracks)]
        crossings += counter.finish()
        counts = Counter(crossing.gate for crossing in crossings)
        busy = np.array([counts[gate.id] > 0.02 * len(crossings) for gate in view.gates])
        if busy.all():
            return view.model_copy(update={"movements": _movements(view, size, crossings)})
        lines = lines[busy]
    return None


def _gates(lines: Floats, size: tuple[int, int]) -> list[Gate]:
    taken: Counter[str] = Counter()
    gates = []
    for line in (lines / np.array(size)).round(4):
        place = _place(line.mean(axis=0))
        taken[place] += 1
        name = f"{place}-{taken[place]}" if taken[place] > 1 else place
        (x1, y1), (x2, y2) = line.tolist()
        gates.append(Gate(id=name, name="", line=((x1, y1), (x2, y2)), approach=name))
    return gates


def _place(middle: Floats) -> str:
    """Where on the picture a point lies, in words: ``top``, ``bottom-left``, ``middle``."""
    column = int(np.clip(middle[0] * 3, 0, 2))
    row = int(np.clip(middle[1] * 3, 0, 2))
    words = [("top", "", "bottom")[row], ("left", "", "right")[column]]
    return "-".join(word for word in words if word) or "middle"


def _movements(view: View, size: tuple[int, int], crossings: list[Crossing]) -> list[Movement]:
    """The pairs of gates that vehicles took; while few did, all pairs that make sense, U-turns apart."""
    lines = dict(zip((gate.id for gate in view.gates), view.gate_lines(size), strict=True))
    ways_in = {crossing.gate for crossing in crossings if crossing.direction == "in"}
    ways_out = {crossing.gate for crossing in crossings if crossing.direction == "out"}
    seen = Counter((crossing.origin, crossing.gate) for crossing in crossings if crossing.origin)
    few = seen.total() < 2 * len(ways_in) * len(ways_out)
    movements = []
    for origin, destination in ((a, b) for a in sorted(ways_in) for b in sorted(ways_out)):
        turn = _turn(lines[origin], lines[destination])
        # One vehicle that turns back at a gate is more likely two tracks mixed up.
        enough = 2 if origin == destination else 1
        if seen[origin, destination] >= enough or (few and turn != "u_turn"):
            way = f"{origin}_to_{destination}"
            movements.append(Movement(id=way, origin=origin, destination=destination, turn=turn))
    return movements


def _turn(entry: Floats, leaving: Floats) -> Turn:
    """The turn between coming in over one line and going out over another, from the headings on the image."""
    a, b = entry[1] - entry[0], leaving[0] - leaving[1]
    angle = float(np.degrees(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b)))
    if abs(angle) < 50:
        return "through"
    if abs(angle) > 135:
        return "u_turn"
    return "right" if angle > 0 else "left"
