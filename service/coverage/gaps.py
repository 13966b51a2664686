"""Key sites that are not covered effectively, why, and the cheapest next step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.coverage.facts import GOOD, Health, SiteFacts
from service.coverage.intervals import contains
from service.registry import Approach, Camera, CameraView, City, Ref, Site, SiteKind

COST = {
    "no_approaches": 0,
    "unknown_approach": 1,
    "no_view": 1,
    "not_in_view": 2,
    "moved": 3,
    "dark": 4,
    "blinded": 4,
    "blurred": 4,
    "blocked": 4,
    "frozen": 5,
    "never_seen": 6,
    "offline": 7,
    "no_camera": 9,
}
"""What stands in the way, from what is put right at a desk to what needs a new camera."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands in the way.

    Attributes:
        code: one of ``COST``.
        camera: the camera it is about, "" where it is about none.
        since: moment from which it is so, None where that is not known.
        approaches: the approaches that nobody sees for it, or that a view names wrongly.
    """

    code: str
    camera: str = ""
    since: float | None = None
    approaches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """One key site that is not covered.

    Attributes:
        site: its record.
        reasons: all that stands in the way.
        next_step: the one of them that is cheapest to put right now.
    """

    site: Site
    reasons: tuple[Reason, ...]
    next_step: Reason


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """One key site at a moment; ``gap`` is None where it is covered."""

    site: Site
    kind: SiteKind
    installed: bool
    operational: bool
    effective: bool
    gap: Gap | None


@dataclass(slots=True)
class _Present:
    """One site's records at the moment; of ``known`` approaches some must be seen."""

    known: set[str] = field(default_factory=set)
    approaches: list[str] = field(default_factory=list)
    cameras: list[str] = field(default_factory=list)


def site_statuses(
    facts: Sequence[SiteFacts], city: City, health: Mapping[str, Sequence[Health]], time: float
) -> list[SiteStatus]:
    """Each key site at a moment.

    Args:
        facts: of all sites.
        city: the registry at that moment.
        health: states of each camera, in order of time.
        time: the moment.
    """
    present = _by_site(city)
    found = []
    for each in facts:
        site = city.get(("sites", each.id))
        if not isinstance(site, Site) or not contains(each.key, time):
            continue
        effective = contains(each.effective, time)
        gap = None if effective else _gap(site, present.get(site.id, _Present()), city, health, time)
        installed, operational = contains(each.installed, time), contains(each.operational, time)
        found.append(SiteStatus(site, each.kind, installed, operational, effective, gap))
    return found


def gaps_of(statuses: Sequence[SiteStatus]) -> list[Gap]:
    """The sites that are not covered, those that are soonest put right first."""
    gaps = [each.gap for each in statuses if each.gap]
    return sorted(
        gaps, key=lambda gap: (gap.site.kind, COST[gap.next_step.code], len(gap.reasons), gap.site.id)
    )


def _by_site(city: City) -> dict[str, _Present]:
    present: dict[str, _Present] = {}
    for _, record in sorted(city.items(), key=lambda item: item[0]):
        if isinstance(record, Approach):
            here = present.setdefault(record.site, _Present())
            here.known.add(record.id)
            here.approaches += [record.id] if record.required else []
        elif isinstance(record, Camera):
            present.setdefault(record.site, _Present()).cameras.append(record.id)
    return present


def _gap(
    site: Site, present: _Present, city: City, health: Mapping[str, Sequence[Health]], time: float
) -> Gap:
    if not present.cameras:
        alone = Reason("no_camera")
        return Gap(site, (alone,), alone)
    states = {camera: _state(health.get(camera, ()), time, camera) for camera in present.cameras}
    working = {camera for camera, reason in states.items() if reason is None}
    reasons = [reason for reason in states.values() if reason]
    if site.kind == "junction":
        if not present.approaches:
            reasons.append(Reason("no_approaches"))
        views = {camera: _view(city, ("views", camera)) for camera in present.cameras}
        seen = {name for camera in working for name in views[camera] or ()}
        # A camera out of order whose approaches others see is no reason for the gap.
        open_ = [name for name in present.approaches if name not in seen]
        reasons = [each for each in reasons if _matters(each, views.get(each.camera), open_)]
        reasons += [Reason("no_view", camera) for camera, names in views.items() if names is None]
        drawn = {name for names in views.values() for name in names or ()}
        nowhere = tuple(name for name in open_ if name not in drawn)
        if nowhere and None not in views.values():
            reasons.append(Reason("not_in_view", _first(working), None, nowhere))
            # A name that the junction does not have may well be meant for what nobody sees.
            for camera in present.cameras:
                if strange := _named(city, ("views", camera)) - present.known:
                    reasons.append(Reason("unknown_approach", camera, None, tuple(sorted(strange))))
    return Gap(site, tuple(reasons), min(reasons, key=lambda each: _order(each, working)))


def _state(states: Sequence[Health], time: float, camera: str) -> Reason | None:
    """What is wrong with a camera; None for nothing."""
    now = next((each for each in states if each.start <= time < each.end), None)
    if now is None:
        before = [each.end for each in states if each.end <= time]
        return Reason("offline", camera, max(before)) if before else Reason("never_seen", camera)
    if now.state == GOOD:
        return None
    since = now.start
    for each in reversed(states):  # a state written in two rows without a break began with the first
        if each.end == since and each.state == now.state:
            since = each.start
    return Reason(now.state if now.state in COST else "offline", camera, since)


def _view(city: City, ref: Ref) -> frozenset[str] | None:
    record = city.get(ref)
    return record.approaches if isinstance(record, CameraView) else None


def _named(city: City, ref: Ref) -> frozenset[str]:
    record = city.get(ref)
    return record.named if isinstance(record, CameraView) else frozenset()


def _matters(reason: Reason, view: frozenset[str] | None, missing: Sequence[str]) -> bool:
    return not reason.camera or view is None or bool(view & set(missing))


def _order(reason: Reason, working: set[str]) -> tuple[int, int]:
    """Cheapest first; nothing can be drawn on the picture of a camera that sends none."""
    needs_picture = reason.code in ("no_view", "not_in_view")
    return (int(needs_picture and reason.camera not in working), COST[reason.code])


def _first(names: set[str]) -> str:
    return min(names, default="")
