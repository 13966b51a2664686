"""Random registries, outages and observations, and what coverage they make counted second by second."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from service.coverage import Evidence, Health
from service.registry import (
    Approach,
    Camera,
    CameraView,
    City,
    History,
    Record,
    Ref,
    Site,
    SiteKind,
    Target,
    apply_changes,
    city_at,
    difference,
)
from tests.service.registry.cities import view_of

END = 24
SITES, CAMERAS, ARMS = ("a", "b"), ("c1", "c2", "c3"), ("north", "east")
STATES = (*["ok"] * 6, "moved", "dark", "frozen", "offline", "something new", None)
"""Mostly good, and so below: random cities would hardly ever be covered otherwise."""
USUALLY = st.sampled_from([True, True, True, False])
SOME_ARMS: tuple[tuple[str, ...], ...] = (ARMS, ARMS, ("north",), ("east",))


@dataclass(frozen=True)
class World:
    """A registry and what its cameras say."""

    history: History
    evidence: Evidence


@st.composite
def cities(draw: st.DrawFn) -> dict[Ref, Record]:
    """Sites, and cameras that stand at any of them: in another city the same camera may be elsewhere."""
    records: list[Record] = []
    for name in draw(st.sets(st.sampled_from(SITES), min_size=1)):
        kind: Any = draw(st.sampled_from(["junction", "junction", "public_area"]))
        records.append(Site(id=name, kind=kind, is_key=draw(USUALLY)))
        if kind == "junction":
            arms = draw(st.sampled_from([*SOME_ARMS, ()]))
            records += [Approach(site=name, id=arm, required=draw(USUALLY)) for arm in arms]
    present = [site.id for site in records if isinstance(site, Site)]
    for name in draw(st.sets(st.sampled_from(CAMERAS), min_size=1)) if present else ():
        records.append(Camera(id=name, site=draw(st.sampled_from(present))))
        if draw(USUALLY):
            seen = draw(st.sampled_from(SOME_ARMS))
            records.append(CameraView(camera=name, view=view_of(seen)))
    if draw(st.booleans()):
        records.append(Target(kind="junction", share=draw(st.sampled_from([0.5, 1.0]))))
    return {record.ref: record for record in records}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A registry changed up to three times, and three cameras with outages of their own."""
    history: History = {}
    for time in sorted(draw(st.sets(st.integers(0, END - 1), min_size=1, max_size=3))):
        city = draw(cities())
        history = apply_changes(history, difference(history, city, float(time)), float(time))
    health, observed = {}, {}
    for camera in CAMERAS:
        edges = [0, *sorted(draw(st.sets(st.integers(1, END - 1), max_size=4))), END]
        states = [draw(st.sampled_from(STATES)) for _ in edges[1:]]
        health[camera] = [
            Health(state, float(a), float(b))
            for state, a, b in zip(states, edges[:-1], edges[1:], strict=True)
            if state
        ]
        shares = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=END // 3, max_size=END // 3))
        records = [(3.0 * k, 3.0 * k + 3, share) for k, share in enumerate(shares) if share]
        observed[camera] = np.array(records).reshape(-1, 3)
    return World(history, Evidence(health, observed))


@dataclass(frozen=True)
class Second:
    """What one kind of site looked like in one second."""

    sites: int
    installed: int
    operational: int
    effective: int
    observed: float
    required: int


def look(world: World, kind: SiteKind, second: float) -> Second:
    """The definitions of DESIGN, taken one second at a time, without intervals."""
    city = city_at(world.history, second)
    keys = [each for each in city.values() if isinstance(each, Site) and each.is_key and each.kind == kind]
    looks = [_look_at(world, city, site, second) for site in keys]
    return Second(
        len(keys), *(sum(column) for column in zip(*looks, strict=True)) if looks else (0, 0, 0, 0, 0)
    )


def _look_at(world: World, city: City, site: Site, second: float) -> tuple[int, int, int, float, int]:
    cameras = [each.id for each in city.values() if isinstance(each, Camera) and each.site == site.id]
    states = {camera: _state(world, camera, second) for camera in cameras}
    fresh = [camera for camera in cameras if states[camera] in ("ok", "moved", "dark")]
    good = [camera for camera in cameras if states[camera] == "ok"]
    if site.kind == "public_area":
        return bool(cameras), bool(fresh), bool(good), float(bool(good)), 1
    required = [
        each.id
        for each in city.values()
        if isinstance(each, Approach) and each.site == site.id and each.required
    ]
    views = {camera: _seen(city, camera) for camera in cameras}
    effective = bool(required) and all(any(arm in views[camera] for camera in good) for arm in required)
    observed = sum(
        max((_share(world, camera, second) for camera in cameras if arm in views[camera]), default=0.0)
        for arm in required
    )
    return bool(cameras), bool(fresh), effective, observed, len(required)


def _state(world: World, camera: str, second: float) -> str | None:
    states = world.evidence.health[camera]
    return next((each.state for each in states if each.start <= second < each.end), None)


def _seen(city: City, camera: str) -> frozenset[str]:
    record = city.get(("views", camera))
    return record.approaches if isinstance(record, CameraView) else frozenset()


def _share(world: World, camera: str, second: float) -> float:
    records = world.evidence.observed[camera]
    return next((float(share) for start, end, share in records if start <= second < end), 0.0)
