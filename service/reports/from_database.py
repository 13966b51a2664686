"""Counts of one junction from the database: what the owners of its approaches saw, less excluded periods."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, or_, select

from service.coverage.intervals import Floats, difference, intersection, make_set, union
from service.registry import CameraView, History, Owner, Record, Site
from service.registry.store import load_history
from service.reports.crossings import DIRECTIONS, TURNS, Counted, Crossings, Gate, Layout, Movement, Note
from service.storage.reads import crossings, observed
from service.storage.tables import Audit, Exclusion
from vision import NgatuError, VehicleClass, View

MINUTE, QUARTER = 60, 900
PAGE = 50_000
"""Crossings that are read at a time."""

Key = tuple[str, str]
"""A camera, and the id of a gate or movement in its view."""

_TURNS = (*TURNS, "")


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A time in which a camera spoke for an approach, seconds since the epoch."""

    approach: str
    camera: str
    start: float
    end: float


def load_site(connection: Connection, site: str, start: float, end: float, tz: str) -> Counted:
    """Read the counts of a junction in ``start`` ≤ time < ``end``, seconds since the epoch.

    Each approach is told by the camera that owned it then. Observed is what the owners of all approaches saw
    at the same time; an approach whose owner saw nothing in the whole period is left out, with a note.

    Args:
        connection: a transaction that reads.
        site: id of the junction in the registry.
        start: beginning of the period.
        end: its end.
        tz: time zone of the site's clock.

    Raises:
        NgatuError: the registry does not know the site, or no camera owned any of its approaches or was
            counted in the period; or its single crossings have been dropped.
    """
    history = load_history(connection)
    records = list(_within(history, start, end))
    names = [record.name for record, _, _ in records if isinstance(record, Site) and record.id == site]
    stretches = [
        _Stretch(record.approach, record.camera, begin, until)
        for record, begin, until in records
        if isinstance(record, Owner) and record.site == site
    ]
    if not names:
        known = ", ".join(sorted(ref[1] for ref in history if ref[0] == "sites")[:8]) or "none"
        raise NgatuError(f"--site {site}: the registry has no such site in that period; it has: {known}")
    if not stretches:
        raise NgatuError(
            f"--site {site}: no camera owned an approach of it in that period; name owners in the registry, "
            "see: ngatu city export"
        )
    _refuse_dropped(connection, start)
    excluded = _exclusions(connection, site, stretches, start, end)
    spans = _observed(connection, stretches, excluded, start, end)
    seen = [each for each in stretches if len(spans[each.approach])]
    if not seen:
        raise NgatuError(
            f"--site {site}: nothing of it was counted in that period, or all is excluded; give another one"
        )
    unseen = sorted(spans.keys() - {each.approach for each in seen})
    views = {r.camera: r.view for r, _, _ in records if isinstance(r, CameraView)}
    rows = list(_rows(connection, site, start, end))
    gates = _gates(seen, views, rows)
    movements = _movements(gates, views, rows)
    notes = [Note("approaches_unseen", {"approaches": ", ".join(unseen)})] if unseen else []
    notes += [Note("excluded", {"count": len(excluded), "reasons": _reasons(excluded)})] if excluded else []
    return Counted(
        site=names[-1] or site,
        time_zone=tz,
        layout=Layout(tuple(gates.values()), tuple(movements.values())),
        crossings=_crossings(rows, gates, movements),
        spans=_common([spans[each.approach] for each in seen]),
        notes=tuple(notes),
    )


def _within(history: History, start: float, end: float) -> Iterator[tuple[Record, float, float]]:
    """What the registry said in a period, and when; of one record the oldest first."""
    for versions in history.values():
        for version in versions:
            if version.start < end and version.end > start:
                yield version.record, max(version.start, start), min(version.end, end)


def _refuse_dropped(connection: Connection, start: float) -> None:
    """A time whose single crossings were dropped must not look like one in which nothing passed."""
    dropped = connection.scalars(
        select(Audit.detail).where(Audit.action == "retention", Audit.what == "crossings")
    )
    until = max((datetime.fromisoformat(detail["end"]) for detail in dropped), default=None)
    if until is not None and until.timestamp() > start:
        raise NgatuError(
            f"single crossings before {until:%Y-%m-%d %H:%M} UTC were dropped by ngatu db retention; "
            "begin the report after that"
        )


def _exclusions(
    connection: Connection, site: str, stretches: list[_Stretch], start: float, end: float
) -> list[Any]:
    """Excluded periods of the site, of its approaches and of the cameras that speak for them."""
    cameras = {each.camera for each in stretches}
    query = select(*Exclusion.__table__.columns).where(
        Exclusion.withdrawn_at.is_(None),
        Exclusion.started_at < _moment(end),
        Exclusion.ended_at > _moment(start),
        or_(Exclusion.site_id.is_(None), Exclusion.site_id == site),
        or_(Exclusion.camera_id.is_(None), Exclusion.camera_id.in_(cameras)),
    )
    return list(connection.execute(query.order_by(Exclusion.started_at)))


def _reasons(excluded: list[Any]) -> str:
    return "; ".join(dict.fromkeys(row.reason for row in excluded))


def _observed(
    connection: Connection, stretches: list[_Stretch], excluded: list[Any], start: float, end: float
) -> dict[str, Floats]:
    """For each approach when its owner watched it and nothing excluded it, a set of moments."""
    watched = {
        camera: _watched(connection, camera, start, end) for camera in {each.camera for each in stretches}
    }
    spans: dict[str, Floats] = {}
    for each in stretches:
        left_out = make_set(
            [
                (row.started_at.timestamp(), row.ended_at.timestamp())
                for row in excluded
                if row.camera_id in (None, each.camera) and row.approach_id in (None, each.approach)
            ]
        )
        part = difference(intersection(watched[each.camera], make_set([(each.start, each.end)])), left_out)
        spans[each.approach] = union([spans.get(each.approach, part), part])
    return spans


def _watched(connection: Connection, camera: str, start: float, end: float) -> Floats:
    """When a camera was watched: by minutes as long as they are kept, else by quarters of an hour."""
    first = _moment(start - start % QUARTER)
    minutes, quarters = (
        {
            at.timestamp(): seconds
            for (_, at), seconds in observed(connection, first, _moment(end), length, camera=camera).items()
        }
        for length in (MINUTE, QUARTER)
    )
    finer = {at - at % QUARTER for at in minutes}
    coarse = {at: seconds for at, seconds in quarters.items() if at not in finer}
    found = union([_placed(minutes, MINUTE), _placed(coarse, QUARTER)])
    return intersection(found, make_set([(start, end)]))


def _placed(bins: dict[float, float], length: int) -> Floats:
    """Where in its interval a part was seen: at the end where a recording begins in it, else at the start."""
    pairs = []
    for at, seconds in bins.items():
        begins = at - length not in bins and at + length in bins
        pairs.append((at + length - seconds, at + length) if begins else (at, at + seconds))
    return make_set(pairs)


def _common(sets: list[Floats]) -> Floats:
    """The moments that lie in every set; of no set none."""
    common = sets[0] if sets else make_set([])
    for each in sets[1:]:
        common = intersection(common, each)
    return common


def _rows(connection: Connection, site: str, start: float, end: float) -> Iterator[Any]:
    """The crossings that owners saw, in order of time."""
    after = None
    while page := crossings(connection, _moment(start), _moment(end), site=site, after=after, limit=PAGE):
        yield from page
        after = page[-1].time, page[-1].id


def _gates(stretches: list[_Stretch], views: dict[str, View], rows: list[Any]) -> dict[Key, Gate]:
    """Gates that an owner has on its approaches: of the registry's views, and what else crossings name."""
    owned = {(each.camera, each.approach) for each in stretches}
    found: dict[Key, Gate] = {}
    for camera in dict.fromkeys(each.camera for each in stretches):
        for drawn in views[camera].gates if camera in views else ():
            if drawn.approach and (camera, drawn.approach) in owned:
                found[camera, drawn.id] = Gate(drawn.id, drawn.name, drawn.approach)
    for row in rows:
        found.setdefault((row.camera_id, row.gate), Gate(row.gate, "", row.approach_id))
    often = Counter(name for _, name in found)
    return {
        (camera, name): replace(gate, id=f"{camera}:{name}") if often[name] > 1 else gate
        for (camera, name), gate in found.items()
    }


def _movements(gates: dict[Key, Gate], views: dict[str, View], rows: list[Any]) -> dict[Key, Movement]:
    """Movements from one of the gates to another: of the registry's views, and what else crossings name."""
    numbers = {key: number for number, key in enumerate(gates)}
    approaches = [gate.approach for gate in gates.values()]

    def entered_by(camera: str, gate: str) -> int:
        """The camera's own gate; where another owns that approach, its gate: who enters is counted there."""
        if (camera, gate) in numbers:
            return numbers[camera, gate]
        drawn = views[camera].gates if camera in views else []
        approach = next((each.approach for each in drawn if each.id == gate), None)
        return approaches.index(approach) if approach in approaches else -1

    found: dict[Key, Movement] = {}
    for camera in views.keys() & {camera for camera, _ in gates}:
        for way in views[camera].movements:
            if (camera, way.destination) in numbers:
                leaves = numbers[camera, way.destination]
                found[camera, way.id] = Movement(way.id, entered_by(camera, way.origin), leaves, way.turn)
    for row in rows:
        key = row.camera_id, row.movement
        if row.movement and key not in found:
            leaves = numbers[row.camera_id, row.gate]
            found[key] = Movement(row.movement, entered_by(row.camera_id, row.origin or ""), leaves, "")
    known = [each for each in found.items() if each[1].origin >= 0]
    return dict(sorted(known, key=lambda each: (each[1].origin, _TURNS.index(each[1].turn), each[0])))


def _crossings(rows: list[Any], gates: Iterable[Key], movements: Iterable[Key]) -> Crossings:
    """Rows of the table as arrays; gates and movements by their place in the layout."""
    places = {key: number for number, key in enumerate(gates)}
    ways: dict[Key, int] = {key: number for number, key in enumerate(movements)}
    kinds = {kind.label: int(kind) for kind in VehicleClass}
    return Crossings(
        np.array([row.time.timestamp() for row in rows], np.float64),
        np.array([places[row.camera_id, row.gate] for row in rows], np.intp),
        np.array([DIRECTIONS.index(row.direction) for row in rows], np.int8),
        np.array([kinds[row.vehicle_class] for row in rows], np.int8),
        np.array([ways.get((row.camera_id, row.movement), -1) for row in rows], np.intp),
    )


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=round(time * 1e6))
