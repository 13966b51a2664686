"""Our counts beside a manual count: volumes by GEH, WAPE and bias, events by precision, recall and F1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.reports.bins import HOUR, SEAM, clock_edges, common_spans, is_within, make_bins, merge_spans
from service.reports.crossings import CLASSES, DIRECTIONS, Counted, Note
from service.reports.grid import clock
from service.reports.manual import ALL_CLASSES, Entries, Intervals, Key, ManualCount
from service.reports.matching import EventScore, match, score
from service.reports.ratio import TrueRatio, true_ratio
from vision import NgatuError, VehicleClass
from vision.accuracy import Event

WINDOWS = (1.0, 0.5)
"""Seconds by which a count may be off. In dense traffic ±1 s is kind: look at the score of chance."""

GEH_GOOD = 5.0
"""A GEH below this is the usual mark of a good match (DMRB volume 12, of 85 % of the volumes)."""

Kind = Literal["all", "class", "gate", "movement"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison.

    Attributes:
        kind: what is compared: all, one class, one gate and direction, or one movement.
        id: name of the class, gate or movement; empty for all.
        direction: of the gate; empty where both are counted together.
        manual: vehicles of the manual count.
        ours: vehicles that we counted.
        bias: (ours - manual) / manual; None where nobody counted any.
        wape: sum of the absolute differences by interval and place, over the manual sum; None likewise.
        geh: of each fully compared hour; empty where there is none.
        ratio: vehicles for each one that we counted, from its minutes or the manual count's intervals; None
            where these are too few.
        events: precision, recall and F1 by window; empty where single events are not known.
    """

    kind: Kind
    id: str
    direction: str
    manual: int
    ours: int
    bias: float | None
    wape: float | None
    geh: tuple[float, ...]
    ratio: TrueRatio | None
    events: tuple[EventScore, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing.

    Attributes:
        site: the junction or camera, in words.
        time_zone: of the site's clock.
        spans: ``float64[S, 2]`` the compared time.
        lines: all first, then classes, gates, movements.
        geh_share: share of the hourly volumes of gates or movements with a GEH below GEH_GOOD; None
            without a full hour.
        notes: what is to be known.
    """

    site: str
    time_zone: str
    spans: NDArray[np.float64]
    lines: tuple[Line, ...]
    geh_share: float | None
    notes: tuple[Note, ...]


def geh(model: float, count: float) -> float:
    """The GEH statistic of two hourly volumes: √(2 (M - C)² / (M + C)).

    Named after G. E. Havers; UK Design Manual for Roads and Bridges, volume 12, and FHWA Traffic Analysis
    Toolbox, volume III. It is not free of units: of anything but vehicles per hour it means nothing.

    >>> round(geh(1100, 1000), 2)
    3.09
    """
    both = model + count
    return math.sqrt(2 * (model - count) ** 2 / both) if both else 0.0


def compare(ours: Counted, manual: ManualCount, interval: float) -> Comparison:
    """Compare within the time that both counted, at the places that the manual count names.

    Args:
        ours: what we counted.
        manual: what a person counted.
        interval: in which volumes of events are compared, seconds; a count by intervals has its own.

    Raises:
        NgatuError: they have no moment in common.
    """
    if manual.intervals is None:
        both = _common_of_events(ours, manual, interval)
    else:
        both = _common_of_bins(ours, manual, manual.intervals)
    keys = both.keys
    every = [n for n, key in enumerate(keys) if key.kind == "gate"] or list(range(len(keys)))
    lines = [_line(both, "all", Key("all", "", ""), every)]
    if not (both.manual.class_id == ALL_CLASSES).any():
        seen = {kind for side in (both.manual, both.ours) for kind in side.class_id[side.weight > 0].tolist()}
        for vehicle_class in CLASSES:
            if vehicle_class in seen:
                lines.append(
                    _line(both, "class", Key("class", vehicle_class.label, ""), every, vehicle_class)
                )
    places = []
    kinds: tuple[Kind, ...] = ("gate", "movement")
    for kind in kinds:
        for number, key in enumerate(keys):
            occurs = (both.manual.key == number).any() or (both.ours.key == number).any()
            if key.kind == kind and occurs:
                places.append(_line(both, kind, key, [number]))
    hourly = [value for line in places if line.kind == keys[every[0]].kind for value in line.geh]
    notes = [*ours.notes, *manual.notes, *both.notes, *_left_out(ours, keys)]
    if not both.adds_up_to_hours:
        notes.append(Note("no_geh_intervals"))
    elif not hourly:
        longest = max(float(np.diff(spans, axis=1).max(initial=0.0)) for spans in both.spans_of)
        notes.append(Note("no_geh", {"minutes": round(longest / 60, 1)}))
    share = sum(value < GEH_GOOD for value in hourly) / len(hourly) if hourly else None
    return Comparison(ours.site, ours.time_zone, both.spans, (*lines, *places), share, tuple(notes))


@dataclass(frozen=True, slots=True)
class _Common:
    """Both counts, within what both counted.

    Attributes:
        keys: the K places.
        manual: the person's counts.
        ours: our counts.
        starts: ``float64[B]`` beginnings of the intervals in which volumes are compared.
        parts: ``float64[P]`` beginnings of the parts by whose scatter the ratio's range is told: minutes, or
            the manual count's intervals.
        allowed: ``bool[P, K]`` in which of them which place was compared.
        spans: ``float64[S, 2]`` the time that both counted.
        spans_of: the same for each of the K places, without the seams between recordings.
        by_events: whether the person noted single events.
        adds_up_to_hours: whether full hours can be cut from the compared time.
        notes: what was left out.
    """

    keys: tuple[Key, ...]
    manual: Entries
    ours: Entries
    starts: NDArray[np.float64]
    parts: NDArray[np.float64]
    allowed: NDArray[np.bool_]
    spans: NDArray[np.float64]
    spans_of: tuple[NDArray[np.float64], ...]
    by_events: bool
    adds_up_to_hours: bool
    notes: tuple[Note, ...]


def _common_of_events(ours: Counted, manual: ManualCount, interval: float) -> _Common:
    spans = common_spans(manual.spans, ours.spans)
    if not len(spans):
        raise _nothing_in_common(ours, manual.spans)
    entries = _our_entries(ours, manual.keys)
    true = manual.entries.where(is_within(spans, manual.entries.time))
    at_gates = [number for number, key in enumerate(manual.keys) if key.kind == "gate"]
    unseen = int(np.isin(manual.entries.key, at_gates).sum() - np.isin(true.key, at_gates).sum())
    notes = (Note("events_unseen", {"count": unseen}),) if unseen else ()
    edges = clock_edges(
        float(spans[0, 0]), float(np.nextafter(spans[-1, 1], np.inf)), interval, ours.time_zone
    )
    counted = entries.where(is_within(spans, entries.time))
    whole = (merge_spans(map(tuple, spans.tolist()), SEAM),) * len(manual.keys)
    minutes = _minutes(spans)
    allowed = np.ones((len(minutes), len(manual.keys)), np.bool_)
    return _Common(manual.keys, true, counted, edges[:-1], minutes, allowed, spans, whole, True, True, notes)


def _common_of_bins(ours: Counted, manual: ManualCount, intervals: Intervals) -> _Common:
    edges, keys = intervals.edges, manual.keys
    lengths = np.diff(edges, axis=1).ravel().tolist()
    whole = np.array([make_bins(each, ours.spans).complete[0] for each in edges], np.bool_)
    allowed = intervals.counted & whole[:, None]
    if not allowed.any():
        raise _nothing_in_common(ours, edges)

    def inside(entries: Entries) -> Entries:
        number = np.searchsorted(edges[:, 0], entries.time, side="right") - 1
        within = (number >= 0) & (entries.time < edges[number, 1])
        return entries.where(within & allowed[number, entries.key])

    left_out = int((intervals.counted.any(axis=1) & ~whole).sum())
    notes = (Note("bins_unseen", {"count": left_out, "all": len(edges)}),) if left_out else ()
    return _Common(
        keys,
        inside(manual.entries),
        inside(_our_entries(ours, keys)),
        edges[:, 0],
        edges[:, 0],
        allowed,
        merge_spans(map(tuple, edges[allowed.any(axis=1)].tolist())),
        tuple(merge_spans(map(tuple, edges[column].tolist())) for column in allowed.T),
        by_events=False,
        adds_up_to_hours=len(set(lengths)) == 1 and HOUR % lengths[0] == 0,
        notes=notes,
    )


def _our_entries(ours: Counted, keys: Sequence[Key]) -> Entries:
    """Our crossings at the places that the manual count names."""
    crossings, layout = ours.crossings, ours.layout
    gates = {gate.id: number for number, gate in enumerate(layout.gates)}
    movements = {movement.id: number for number, movement in enumerate(layout.movements)}
    items = []
    for number, key in enumerate(keys):
        if key.kind == "movement":
            chosen = crossings.movement == movements[key.id]
        else:
            chosen = crossings.gate == gates[key.id]
            if key.direction:
                chosen &= crossings.direction == DIRECTIONS.index(key.direction)
        found = crossings[chosen]
        kinds = found.class_id.tolist()
        items += [(time, number, kind, 1) for time, kind in zip(found.time.tolist(), kinds, strict=True)]
    return Entries.of(items)


def _line(
    both: _Common, kind: Kind, key: Key, places: Sequence[int], vehicle_class: VehicleClass | None = None
) -> Line:
    """Compare at some places, all classes or one."""

    def chosen(entries: Entries) -> Entries:
        here = np.isin(entries.key, places)
        return entries.where(here if vehicle_class is None else here & (entries.class_id == vehicle_class))

    manual, ours = chosen(both.manual), chosen(both.ours)
    count, total = int(manual.weight.sum()), int(ours.weight.sum())
    cells = [_by_cell(both.starts, len(both.keys), each) for each in (manual, ours)]
    apart = np.abs(cells[1] - cells[0]).sum()
    looked = both.allowed[:, places].any(axis=1)
    parts = [_by_cell(both.parts, len(both.keys), each).sum(axis=1)[looked] for each in (manual, ours)]
    spans = both.spans_of[places[0]]
    for place in places[1:]:
        spans = common_spans(spans, both.spans_of[place])
    hours = _hours(spans) if both.adds_up_to_hours else []
    events: tuple[EventScore, ...] = ()
    if both.by_events and vehicle_class is None:
        truth, counted = _events(both, manual), _events(both, ours)
        events = tuple(score(truth, counted, window, both.spans) for window in WINDOWS)
    elif both.by_events and vehicle_class != VehicleClass.UNKNOWN:
        events = tuple(_class_score(both, places, vehicle_class, window) for window in WINDOWS)
    return Line(
        kind,
        key.id,
        key.direction,
        count,
        total,
        bias=(total - count) / count if count else None,
        wape=float(apart / count) if count else None,
        geh=tuple(geh(_within(ours, hour), _within(manual, hour)) for hour in hours),
        ratio=true_ratio(*parts),
        events=events,
    )


def _class_score(
    both: _Common, places: Sequence[int], vehicle_class: VehicleClass | None, window: float
) -> EventScore:
    """Events of one class; what the person could not class says nothing against ours."""
    truth = _events(both, both.manual.where(np.isin(both.manual.key, places)))
    counted = _events(both, both.ours.where(np.isin(both.ours.key, places)))
    unclassed = {j for i, j in match(truth, counted, window) if truth[i].vehicle_class < 0}
    return score(
        [event for event in truth if event.vehicle_class == vehicle_class],
        [
            event
            for j, event in enumerate(counted)
            if event.vehicle_class == vehicle_class and j not in unclassed
        ],
        window,
        both.spans,
    )


def _events(both: _Common, entries: Entries) -> list[Event]:
    """As the matching takes them; of a movement, its id stands for the gate."""
    columns = zip(entries.time.tolist(), entries.key.tolist(), entries.class_id.tolist(), strict=True)
    events = []
    for time, number, kind in columns:
        key = both.keys[number]
        events.append(Event(time, key.id, "in" if key.direction == "in" else "out", VehicleClass(kind)))
    return events


def _by_cell(starts: NDArray[np.float64], places: int, entries: Entries) -> NDArray[np.int64]:
    """``int64[B, K]`` vehicles by interval, of which these are the beginnings, and place."""
    cells = np.zeros((len(starts), places), np.int64)
    number = np.searchsorted(starts, entries.time, side="right") - 1
    np.add.at(cells, (number, entries.key), entries.weight)
    return cells


def _minutes(spans: NDArray[np.float64]) -> NDArray[np.float64]:
    """Beginnings of about a minute each, into which spans are cut evenly."""
    cut = [np.linspace(begin, end, max(round((end - begin) / 60.0), 1) + 1)[:-1] for begin, end in spans]
    return np.concatenate(cut)


def _hours(spans: NDArray[np.float64]) -> list[tuple[float, float]]:
    """The full hours, one after the other from the beginning of each span."""
    return [
        (float(begin + n * HOUR), float(begin + (n + 1) * HOUR))
        for begin, end in spans
        for n in range(int((end - begin + SEAM) // HOUR))
    ]


def _within(entries: Entries, hour: tuple[float, float]) -> int:
    return int(entries.weight[(entries.time >= hour[0]) & (entries.time < hour[1])].sum())


def _left_out(ours: Counted, keys: Sequence[Key]) -> list[Note]:
    """Gates that we counted at and the manual count does not name."""
    named = {key.id for key in keys if key.kind == "gate"}
    used = {ours.layout.gates[number].id for number in np.unique(ours.crossings.gate).tolist()}
    extra = ", ".join(sorted(used - named))
    return [Note("gates_left_out", {"gates": extra})] if extra and named else []


def _nothing_in_common(ours: Counted, theirs: NDArray[np.float64]) -> NgatuError:
    def told(spans: NDArray[np.float64]) -> str:
        if not len(spans):
            return "nothing"
        pattern = "%Y-%m-%d %H:%M:%S"
        return " – ".join(clock(float(edge), ours.time_zone, pattern) for edge in (spans[0, 0], spans[-1, 1]))

    return NgatuError(
        f"no moment was counted by both: the manual count holds {told(theirs)}, ours fully observed "
        f"{told(ours.spans)} ({ours.time_zone}); check dates, time zone and --interval"
    )
