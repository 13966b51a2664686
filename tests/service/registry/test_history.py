"""The registry through time: a change holds from its moment on and leaves the past, and the future, alone."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.registry import (
    Camera,
    CameraView,
    City,
    History,
    RegistryError,
    Site,
    Version,
    apply_changes,
    boundaries,
    city_at,
    difference,
    plan_import,
    read_files,
    resolve_address,
)
from tests.service.registry.cities import SMALL, cities, view_of
from vision import SourceError

MOMENTS = st.integers(0, 20).map(float)


def with_city(history: History, city: City, time: float) -> History:
    return apply_changes(history, difference(history, city, time), time)


def histories() -> st.SearchStrategy[History]:
    """Registries that were changed up to three times, not always in the order of time."""
    steps = st.lists(st.tuples(cities(), MOMENTS), max_size=3)

    def build(steps: list[tuple[City, float]]) -> History:
        history: History = {}
        for city, time in steps:
            history = with_city(history, city, time)
        return history

    return steps.map(build)


@settings(max_examples=60, deadline=None)
@given(history=histories(), city=cities(), time=MOMENTS)
def test_a_change_holds_from_its_moment_and_leaves_the_past_alone(
    history: History, city: City, time: float
) -> None:
    changed = with_city(history, city, time)
    for moment in [each / 2 for each in range(int(2 * time))]:
        assert city_at(changed, moment) == city_at(history, moment)
    assert city_at(changed, time) == city
    for versions in changed.values():
        assert all(each.start < each.end for each in versions)
        assert all(first.end <= second.start for first, second in pairwise(versions))
    assert difference(changed, city, time) == []


@settings(max_examples=60, deadline=None)
@given(history=histories(), city=cities(), time=MOMENTS)
def test_what_is_recorded_for_later_takes_over(history: History, city: City, time: float) -> None:
    changed = with_city(history, city, time)
    for ref, versions in history.items():
        for version in versions:
            if version.start > time:
                assert city_at(changed, version.start)[ref] == version.record


SITE, CAMERA = Site(id="s", kind="junction"), Camera(id="c", site="s")


def test_a_planned_end_still_comes() -> None:
    history = {SITE.ref: (Version(SITE, 0.0, 100.0),)}
    key = SITE.model_copy(update={"is_key": True})
    (change,) = difference(history, {SITE.ref: key}, 50.0)
    assert change.until == 100.0
    assert apply_changes(history, [change], 50.0)[SITE.ref] == (Version(SITE, 0, 50), Version(key, 50, 100))


def test_versions_that_say_the_same_are_one() -> None:
    history: History = {}
    for city, time in (
        ({SITE.ref: SITE}, 10.0),
        ({}, 20.0),
        ({SITE.ref: SITE}, 20.0),
        ({SITE.ref: SITE}, 5.0),
    ):
        history = with_city(history, city, time)
    assert history[SITE.ref] == (Version(SITE, 5.0, math.inf),)
    assert boundaries(history, 0.0) == [5.0]


def small(tmp_path: Path, text: str = SMALL) -> Path:
    path = tmp_path / "city.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_edited_view_needs_a_new_version(tmp_path: Path) -> None:
    draft = read_files([small(tmp_path)])
    history = apply_changes({}, plan_import({}, draft, 10.0).changes, 10.0)
    edited = SMALL.replace("[0.9, 0.5]]", "[0.8, 0.5]]")
    with pytest.raises(RegistryError, match=r"line 18: cameras\.0\.view: .* version 1; raise it to 2"):
        plan_import(history, read_files([small(tmp_path, edited)]), 20.0)
    raised = edited.replace("version: 1", "version: 2")
    (change,) = plan_import(history, read_files([small(tmp_path, raised)]), 20.0).changes
    assert isinstance(change.after, CameraView)
    assert change.after.view.version == 2


def test_a_change_must_fit_with_what_is_recorded_for_later(tmp_path: Path) -> None:
    """The camera goes to another site later, which a change today would let end before that."""
    elsewhere = CAMERA.model_copy(update={"site": "t"})
    other = Site(id="t", kind="junction")
    history: History = {
        SITE.ref: (Version(SITE, 0.0),),
        other.ref: (Version(other, 0.0),),
        CAMERA.ref: (Version(CAMERA, 0.0, 86_400.0), Version(elsewhere, 86_400.0)),
    }
    path = tmp_path / "sites.csv"
    path.write_text("id\ns\n")
    with pytest.raises(
        RegistryError, match=r"recorded for 1970-01-02T00:00\+00:00 on: cameras c: there is no site 't'"
    ):
        plan_import(history, read_files([path]), 10.0, end_missing=True)


def test_a_reorganisation_is_a_dated_change(tmp_path: Path) -> None:
    """Bắc Giang became part of Bắc Ninh on 2025-07-01, and districts ended: two imports, both remain true."""
    before, after = 1_735_689_600.0, 1_751_302_800.0  # 2025-01-01 UTC, 2025-07-01 at midnight in Hà Nội
    old = SMALL.replace("ward: Phường Bắc Giang", "ward: Phường Dĩnh Kế\n    district: Thành phố Bắc Giang")
    old = old.replace("province: Bắc Ninh", "province: Bắc Giang")
    history = apply_changes({}, plan_import({}, read_files([small(tmp_path, old)]), before).changes, before)
    late = plan_import(history, read_files([small(tmp_path, old)]), after)
    unseen = "cho: no view shows south; draw it, or say that it need not be seen"
    assert late.notes == (
        "cho: a district is named, but that level ended on 2025-07-01",
        "cho: Bắc Giang province became part of Bắc Ninh province on 2025-07-01",
        unseen,
    )
    new = SMALL.replace("ward: Phường Bắc Giang", "ward: Phường Bắc Giang\n    district:")
    plan = plan_import(history, read_files([small(tmp_path, new)]), after)
    assert plan.notes == (unseen,)
    changed = apply_changes(history, plan.changes, after)
    places = [city_at(changed, moment)["sites", "cho"] for moment in (after - 1, after)]
    told = [(site.ward, site.district, site.province) for site in places if isinstance(site, Site)]
    assert told == [
        ("Phường Dĩnh Kế", "Thành phố Bắc Giang", "Bắc Giang"),
        ("Phường Bắc Giang", "", "Bắc Ninh"),
    ]


def test_secrets_come_from_the_environment() -> None:
    address = "rtsp://viewer:${CAM_1}@192.0.2.1/1"
    assert resolve_address(address, {"CAM_1": "s3cret"}) == "rtsp://viewer:s3cret@192.0.2.1/1"
    with pytest.raises(
        SourceError, match=r"rtsp://\*\*\*@192\.0\.2\.1/1: the environment variable CAM_1 is not set"
    ):
        resolve_address(address, {})


def test_what_a_camera_sees_is_in_its_gates_and_approach_zones() -> None:
    view = view_of(("north",)).model_dump()
    triangle = [[0.1, 0.1], [0.5, 0.1], [0.3, 0.5]]
    view["zones"] = [
        {"id": "z", "kind": "approach", "approach": "east", "polygon": triangle},
        {"id": "n", "kind": "no_stop", "approach": "south", "polygon": triangle},
    ]
    assert CameraView(camera="c", view=view).approaches == {"north", "east"}
