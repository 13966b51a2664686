"""The four figures: as counted second by second, in their order, and unmoved by what changes later."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.coverage import (
    Evidence,
    Figures,
    Health,
    clock_edges,
    figures_at,
    figures_over,
    gaps_of,
    site_facts,
    site_statuses,
)
from service.coverage.facts import KINDS, fill_from_recordings
from service.registry import (
    Approach,
    Camera,
    CameraView,
    City,
    History,
    Record,
    Site,
    SiteKind,
    Target,
    Version,
    apply_changes,
    city_at,
    difference,
)
from tests.service.coverage.worlds import END, World, cities, look, worlds
from tests.service.registry.cities import view_of

SHARES = ("installed", "operational", "effective", "time_weighted")
EDGES = st.sets(st.integers(0, END), min_size=2).map(sorted)


def over(world: World, edges: list[float]) -> list[Figures]:
    facts = site_facts(world.history, world.evidence.health)
    return figures_over(facts, world.evidence, world.history, edges)


def at(world: World, time: float) -> list[Figures]:
    facts = site_facts(world.history, world.evidence.health)
    return figures_at(facts, world.evidence, world.history, time)


def share(some: float, all_: float) -> float | None:
    return some / all_ if all_ else None


@settings(max_examples=50, deadline=None)
@given(world=worlds(), edges=EDGES)
def test_over_a_period_they_are_sums_of_seconds(world: World, edges: list[float]) -> None:
    found = over(world, edges)
    bins = [(kind, a, b) for kind in KINDS for a, b in pairwise(edges)]
    assert [(each.kind, each.start, each.end) for each in found] == bins
    for each, (kind, start, end) in zip(found, bins, strict=True):
        seconds = [look(world, kind, second) for second in range(int(start), int(end))]
        sites = sum(second.sites for second in seconds)
        assert each.sites == pytest.approx(sites / (end - start))
        for name in ("installed", "operational", "effective"):
            expected = share(sum(getattr(second, name) for second in seconds), sites)
            assert getattr(each, name) == pytest.approx(expected), name
        required = sum(second.required for second in seconds)
        assert each.time_weighted == pytest.approx(share(sum(s.observed for s in seconds), required))


@settings(max_examples=50, deadline=None)
@given(world=worlds(), time=st.integers(0, END - 1))
def test_at_a_moment_they_are_those_of_the_second(world: World, time: int) -> None:
    for each in at(world, float(time)):
        second = look(world, each.kind, time)
        assert each.sites == second.sites
        for name in ("installed", "operational", "effective"):
            assert getattr(each, name) == share(getattr(second, name), second.sites)


@settings(max_examples=50, deadline=None)
@given(world=worlds(), edges=EDGES)
def test_they_are_ordered_and_bounded(world: World, edges: list[float]) -> None:
    for each in [*over(world, edges), *at(world, edges[0])]:
        if each.installed is None or each.operational is None or each.effective is None:
            assert each.sites == 0
            continue
        assert 1 >= each.installed >= each.operational - 1e-12 >= each.effective - 2e-12 >= -2e-12
        assert each.time_weighted is None or 0 <= each.time_weighted <= 1


@settings(max_examples=40, deadline=None)
@given(world=worlds(), arms=st.sets(st.sampled_from(["north", "east"]), min_size=1))
def test_at_one_junction_that_counts_whenever_it_can_time_weighted_lies_between(
    world: World, arms: set[str]
) -> None:
    """Effective asks for all approaches at once, operational for one camera; approaches lie in between."""
    records: list[Record] = [Site(id="a", kind="junction", is_key=True)]
    records += [Approach(site="a", id=arm) for arm in arms]
    records += [Camera(id=camera, site="a") for camera in world.evidence.health]
    views = {ref: versions for ref, versions in world.history.items() if ref[0] == "views"}
    history = {record.ref: (Version(record, 0.0),) for record in records} | views
    counting = {
        camera: np.array([(each.start, each.end, 1.0) for each in states if each.state == "ok"]).reshape(
            -1, 3
        )
        for camera, states in world.evidence.health.items()
    }
    one, _ = over(World(history, Evidence(world.evidence.health, counting)), [0, END])
    assert one.operational is not None
    assert one.effective is not None
    assert one.time_weighted is not None
    assert one.operational + 1e-12 >= one.time_weighted >= one.effective - 1e-12


@settings(max_examples=50, deadline=None)
@given(world=worlds(), city=cities(), time=st.integers(1, END - 1))
def test_a_change_of_the_registry_changes_no_earlier_figure(world: World, city: City, time: int) -> None:
    changed = apply_changes(world.history, difference(world.history, city, time), float(time))
    edges = [0.0, time / 2, float(time)]
    later = over(World(changed, world.evidence), edges)
    assert later == over(world, edges)


@settings(max_examples=50, deadline=None)
@given(world=worlds(), time=st.integers(0, END - 1))
def test_every_site_that_is_not_covered_has_a_reason(world: World, time: int) -> None:
    facts = site_facts(world.history, world.evidence.health)
    statuses = site_statuses(facts, city_at(world.history, time), world.evidence.health, time)
    for figures in at(world, float(time)):
        these = [each for each in statuses if each.kind == figures.kind]
        assert len(these) == figures.sites
        if these:
            assert figures.effective == sum(each.effective for each in these) / len(these)
    for status in statuses:
        assert status.effective == (status.gap is None)
    for gap in gaps_of(statuses):
        assert gap.next_step in gap.reasons


def history_of(*records: Record) -> History:
    return {record.ref: (Version(record, 0.0),) for record in records}


def junction(name: str, *arms: str, key: bool = True) -> list[Record]:
    approaches = [Approach(site=name, id=arm) for arm in arms]
    return [Site(id=name, kind="junction", is_key=key), *approaches]


def camera(name: str, site: str, *seen: str) -> list[Record]:
    return [Camera(id=name, site=site), *([CameraView(camera=name, view=view_of(seen))] if seen else [])]


def working(*cameras: str, until: float = 10.0) -> dict[str, list[Health]]:
    return {name: [Health("ok", 0.0, until)] for name in cameras}


def counted(*cameras: str, until: float = 10.0) -> dict[str, np.ndarray]:
    return {name: np.array([[0.0, until, 1.0]]) for name in cameras}


def four(world: World, kind: SiteKind = "junction", end: float = 10.0) -> tuple[float | None, ...]:
    (found,) = [each for each in over(world, [0.0, end]) if each.kind == kind]
    return tuple(getattr(found, name) for name in SHARES)


def test_an_approach_with_two_cameras_counts_once() -> None:
    history = history_of(*junction("a", "n", "s"), *camera("c1", "a", "n"), *camera("c2", "a", "n"))
    world = World(history, Evidence(working("c1", "c2"), counted("c1", "c2")))
    assert four(world) == (1, 1, 0, 0.5)


def test_a_second_camera_takes_over_when_the_first_fails() -> None:
    history = history_of(*junction("a", "n"), *camera("c1", "a", "n"), *camera("c2", "a", "n"))
    health = working("c1", until=4.0) | {"c2": [Health("ok", 3.0, 8.0)]}
    assert four(World(history, Evidence(health))) == (1, 0.8, 0.8, 0)


def test_eighty_cameras_at_sixty_points_are_not_sixty_junctions_covered() -> None:
    """Sixty points: forty junctions of four arms, half of them key; every camera sees two arms."""
    records: list[Record] = []
    names = []
    for number in range(60):
        site = f"p{number}"
        if number < 40:
            records += junction(site, "n", "e", "s", "w", key=number < 20)
        else:
            records.append(Site(id=site, kind="public_area", is_key=number < 50))
        for which in range(2 if number % 3 == 0 else 1):
            names.append(f"{site}-cam{which}")
            records += camera(names[-1], site, *(("n", "e"), ("s", "w"))[which] if number < 40 else ())
    assert len(names) == 80
    world = World(history_of(*records), Evidence(working(*names), counted(*names)))
    assert four(world) == (1, 1, 7 / 20, pytest.approx((7 + 13 / 2) / 20))
    assert four(world, "public_area") == (1, 1, 1, 1)


def test_a_camera_that_moves_counts_at_each_place_in_its_time() -> None:
    history = dict(history_of(*junction("a", "n"), *junction("b", "n"), *camera("c", "a", "n")))
    there = Camera(id="c", site="b")
    history = dict(
        apply_changes(history, difference(history, city_at(history, 4) | {there.ref: there}, 4), 4.0)
    )
    world = World(history, Evidence(working("c"), counted("c")))
    facts = {each.id: each for each in site_facts(history, world.evidence.health)}
    assert facts["a"].effective.tolist() == [[0, 4]]
    assert facts["b"].effective.tolist() == [[4, 10]]
    assert four(world) == (0.5, 0.5, 0.5, 0.5)


def test_a_junction_without_approaches_is_not_covered_by_seeing_nothing() -> None:
    world = World(history_of(*junction("a"), *camera("c", "a", "n")), Evidence(working("c")))
    assert four(world) == (1, 1, 0, None)


def test_an_approach_must_be_seen_only_while_it_is_required() -> None:
    records = [*junction("a", "n"), *camera("c", "a", "n"), *camera("d", "b", "s")]
    late = Approach(site="a", id="s")
    history: History = {**history_of(*records), late.ref: (Version(late, 6.0),)}
    world = World(history, Evidence(working("c"), counted("c")))
    assert four(world) == (1, 1, 0.6, pytest.approx(10 / 14))


def test_time_weighted_counts_approaches_and_may_exceed_the_share_of_sites() -> None:
    history = history_of(
        *junction("a", "n", "e", "s", "w"), *junction("b", "n"), *camera("c", "a", "n", "e", "s", "w")
    )
    assert four(World(history, Evidence(working("c"), counted("c")))) == (0.5, 0.5, 0.5, 0.8)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("ok", (1, 1, 1)),
        ("moved", (1, 1, 0)),
        ("dark", (1, 1, 0)),
        ("frozen", (1, 0, 0)),
        ("offline", (1, 0, 0)),
    ],
)
def test_what_a_state_means(state: str, expected: tuple[int, ...]) -> None:
    area = [Site(id="p", kind="public_area", is_key=True), Camera(id="c", site="p")]
    world = World(history_of(*area), Evidence({"c": [Health(state, 0.0, 10.0)]}))
    assert four(world, "public_area")[:3] == expected


def test_a_recording_that_was_counted_shows_that_its_camera_worked() -> None:
    history = history_of(*junction("a", "n"), *camera("c", "a", "n"))
    told = Evidence({"c": [Health("frozen", 4.0, 6.0)]}, counted("c"))
    assert four(World(history, fill_from_recordings(told))) == (1, 0.8, 0.8, 1)


def test_targets_are_dated() -> None:
    target = Target(kind="junction", share=0.8)
    history: History = {target.ref: (Version(target, 5.0),), **history_of(*junction("a", "n"))}
    world = World(history, Evidence())
    assert [at(world, time)[0].target for time in (4.0, 5.0)] == [1.0, 0.8]
    assert [each.target for each in over(world, [0, 4, 8]) if each.kind == "junction"] == [1.0, 0.8]


@pytest.mark.parametrize(
    ("step", "days"),
    [
        ("day", ["03-28", "03-29", "03-30", "03-31", "04-01"]),
        ("week", ["03-28", "03-30"]),
        ("month", ["03-28", "04-01"]),
    ],
)
def test_parts_of_a_period_follow_the_local_clock(step: str, days: list[str]) -> None:
    """Also where the clock is changed: on 2026-03-29 Berlin has a day of 23 hours."""
    zone = ZoneInfo("Europe/Berlin")
    start, end = (datetime(2026, *day, tzinfo=zone).timestamp() for day in ((3, 28, 6), (4, 1, 12)))
    edges = clock_edges(start, end, step, "Europe/Berlin")  # type: ignore[arg-type]
    assert (edges[0], edges[-1]) == (start, end)
    assert [datetime.fromtimestamp(edge, zone).strftime("%m-%d") for edge in edges[:-1]] == days
    assert {datetime.fromtimestamp(edge, zone).hour for edge in edges[1:-1]} == {0}
