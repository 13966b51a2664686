"""What is known of each site through time: when it was key, had a camera, was seen, and what was observed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from service.coverage.intervals import (
    NOTHING,
    Floats,
    difference,
    intersection,
    lengths,
    make_set,
    observed_lengths,
    union,
)
from service.registry import Approach, Camera, CameraView, History, Site, SiteKind

KINDS: tuple[SiteKind, ...] = ("junction", "public_area")
GOOD = "ok"
BAD_PICTURE = frozenset({"moved", "dark", "blinded", "blurred", "blocked"})
"""States in which frames arrive, but what they show is of no use. In any other state none arrive."""


@dataclass(frozen=True, slots=True)
class Health:
    """A stretch of time in which a camera was in one state."""

    state: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the cameras themselves say.

    Attributes:
        health: states of each camera, in order of time.
        observed: for each camera ``float64[N, 3]``: start, end, share of the time observed, in order, apart
            from each other; what was counted, not what might have been.
    """

    health: Mapping[str, Sequence[Health]] = field(default_factory=dict)
    observed: Mapping[str, Floats] = field(default_factory=dict)


def fill_from_recordings(evidence: Evidence) -> Evidence:
    """The evidence with a good state wherever a camera's state is not known but its recording was counted."""
    filled = dict(evidence.health)
    for camera, records in evidence.observed.items():
        states = list(evidence.health.get(camera, ()))
        known = make_set([(each.start, each.end) for each in states])
        seen = difference(make_set(records[:, :2]), known)
        states += [Health(GOOD, start, end) for start, end in seen.tolist()]
        filled[camera] = sorted(states, key=lambda each: each.start)
    return Evidence(filled, evidence.observed)


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """One site of one kind, each attribute a set of moments (see :mod:`service.coverage.intervals`).

    Attributes:
        id: the site.
        kind: junction or public_area.
        key: while it was a key site of this kind.
        installed: while it was and had a camera.
        operational: while it was and fresh frames came from one.
        effective: while it was and everything that must be seen was seen well.
        required: for each approach that must be seen, while it must; empty for a public area.
        watchers: for each required approach the cameras and while each might count it: it belonged to the
            site and had the approach in its view.
    """

    id: str
    kind: SiteKind
    key: Floats
    installed: Floats
    operational: Floats
    effective: Floats
    required: Mapping[str, Floats]
    watchers: Mapping[str, Mapping[str, Floats]]


def site_facts(history: History, health: Mapping[str, Sequence[Health]]) -> list[SiteFacts]:
    """Every site that ever was a key site, junctions first, in order of names."""
    dated = _Dated(history)
    fresh = {camera: _while(states, {GOOD, *BAD_PICTURE}) for camera, states in health.items()}
    good = {camera: _while(states, {GOOD}) for camera, states in health.items()}
    return [_one_site(dated, kind, site, fresh, good) for kind in KINDS for site in sorted(dated.key[kind])]


def _one_site(
    dated: "_Dated", kind: SiteKind, site: str, fresh: Mapping[str, Floats], good: Mapping[str, Floats]
) -> SiteFacts:
    key = dated.key[kind][site]
    cameras = dated.cameras.get(site, {})
    arms = dated.approaches.get(site, {}) if kind == "junction" else {}
    required = {name: intersection(during, key) for name, during in arms.items()}
    watchers = {
        name: {
            camera: intersection(during, dated.views.get(camera, {}).get(name, NOTHING))
            for camera, during in cameras.items()
        }
        for name in required
    }

    def of_these(cameras: Mapping[str, Floats], state: Mapping[str, Floats]) -> Floats:
        return union([intersection(during, state.get(each, NOTHING)) for each, during in cameras.items()])

    # A junction of which nobody said what must be seen is not covered by seeing nothing.
    effective = union(list(required.values())) if kind == "junction" else of_these(cameras, good)
    for name, needed in required.items():
        effective = difference(effective, difference(needed, of_these(watchers[name], good)))
    return SiteFacts(
        id=site,
        kind=kind,
        key=key,
        installed=intersection(key, union(list(cameras.values()))),
        operational=intersection(key, of_these(cameras, fresh)),
        effective=intersection(key, effective),
        required=required,
        watchers=watchers,
    )


def observed_and_required(
    facts: SiteFacts, observed: Mapping[str, Floats], edges: Floats
) -> tuple[Floats, Floats]:
    """Seconds observed and seconds required in each bin, summed over what must be seen; float64[B] each.

    For a junction these are the seconds of its required approaches in which any camera with the approach in
    its view was counting; for a public area, where nothing is counted, the seconds in which it was watched.
    """
    if facts.kind == "public_area":
        return lengths(facts.effective, edges), lengths(facts.key, edges)
    seen, needed = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    for name, required in facts.required.items():
        parts = [
            (intersection(at, required), observed[camera])
            for camera, at in facts.watchers[name].items()
            if camera in observed
        ]
        seen += observed_lengths(parts, edges)
        needed += lengths(required, edges)
    return seen, needed


class _Dated:
    """The periods of the registry, sorted by what they are asked for."""

    def __init__(self, history: History) -> None:
        self.key: dict[SiteKind, dict[str, Floats]] = {kind: {} for kind in KINDS}
        self.approaches: dict[str, dict[str, Floats]] = {}
        self.cameras: dict[str, dict[str, Floats]] = {}
        self.views: dict[str, dict[str, Floats]] = {}
        for versions in history.values():
            for version in versions:
                record, during = version.record, make_set([(version.start, version.end)])
                match record:
                    case Site(is_key=True):
                        _add(self.key[record.kind], record.id, during)
                    case Approach(required=True):
                        _add(self.approaches.setdefault(record.site, {}), record.id, during)
                    case Camera():
                        _add(self.cameras.setdefault(record.site, {}), record.id, during)
                    case CameraView():
                        for name in record.approaches:
                            _add(self.views.setdefault(record.camera, {}), name, during)


def _add(sets: dict[str, Floats], name: str, during: Floats) -> None:
    sets[name] = union([sets.get(name, NOTHING), during])


def _while(states: Sequence[Health], wanted: set[str]) -> Floats:
    return make_set([(each.start, each.end) for each in states if each.state in wanted])
