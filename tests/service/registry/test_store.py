"""The registry in the database: what is saved is loaded again, at any moment, and nobody is overwritten."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, select

from service.registry import (
    Camera,
    CameraView,
    City,
    History,
    RegistryError,
    Site,
    apply_changes,
    city_at,
    difference,
)
from service.registry.store import load_history, revision, save_changes
from service.storage import tables
from service.storage.connect import open_database, reading, writing
from tests.service.registry.cities import calibrated, cities, view_of

REGISTRY = (
    tables.Site,
    tables.Approach,
    tables.Camera,
    tables.Owner,
    tables.CameraView,
    tables.Target,
    tables.RegistryRevision,
    tables.Audit,
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('registry')}/ngatu.db")
    yield engine
    engine.dispose()


def save(connection: Connection, city: City, time: float) -> History:
    history = load_history(connection)
    changes = difference(history, city, time)
    seen = revision(connection)
    return save_changes(connection, history, changes, time, seen_revision=seen, now=99.0, actor="test")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(cities(), st.integers(0, 20).map(float)), min_size=1, max_size=3))
def test_what_is_saved_is_loaded_again(steps: list[tuple[City, float]], engine: Engine) -> None:
    expected: History = {}
    with writing(engine) as connection:
        for table in REGISTRY:
            connection.execute(delete(table))
        for city, time in steps:
            expected = apply_changes(expected, difference(expected, city, time), time)
            save(connection, city, time)
        loaded = load_history(connection)
    assert loaded == {ref: versions for ref, versions in expected.items() if versions}
    with reading(engine) as connection:
        for _, time in steps:
            assert city_at(load_history(connection), time) == city_at(expected, time)


def test_a_change_raises_the_revision_and_is_audited_without_secrets(tmp_path: Path) -> None:
    site = Site(id="s", kind="junction")
    camera = Camera(id="c", site="s", address="rtsp://viewer:${CAM_1}@192.0.2.1/1?token=${T}")
    drawn = CameraView(camera="c", view=view_of(()))
    engine = open_database(f"sqlite:///{tmp_path}/a.db")
    with writing(engine) as connection:
        assert revision(connection) == 0
        save(connection, {each.ref: each for each in (site, camera, drawn)}, 10.0)
        assert revision(connection) == 1
        smaller = "rtsp://viewer:${CAM_2}@192.0.2.2/2?token=${T}"
        moved = camera.model_copy(
            update={"address": "rtsp://viewer:${CAM_2}@192.0.2.2/1", "substream": smaller}
        )
        again = drawn.model_copy(update={"view": view_of((), version=2)})
        save(connection, {each.ref: each for each in (site, moved, again)}, 20.0)
        assert revision(connection) == 2
        entries = list(connection.execute(select(tables.Audit).order_by(tables.Audit.pk)).mappings())
    assert [entry["what"] for entry in entries] == ["revision 1: 3 records", "revision 2: 2 records"]
    assert entries[1]["actor"] == "test"
    told = json.dumps(entries[1]["detail"])
    assert '"address": ["rtsp://***@192.0.2.1/1?token=***", "rtsp://***@192.0.2.2/1"]' in told
    assert '"substream": ["", "rtsp://***@192.0.2.2/2?token=***"]' in told
    assert '"view": ["version 1", "version 2"]' in told


def test_two_who_change_it_at_once_do_not_overwrite_each_other(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/b.db")
    city = {site.ref: site for site in [Site(id="s", kind="junction")]}
    with reading(engine) as connection:
        history, seen = load_history(connection), revision(connection)
    with writing(engine) as connection:
        save(connection, city, 10.0)
    changes = difference(history, city, 10.0)
    with (
        pytest.raises(RegistryError, match="changed by somebody else meanwhile"),
        writing(engine) as connection,
    ):
        save_changes(connection, history, changes, 10.0, seen_revision=seen, now=0.0, actor="other")


def test_how_well_a_view_is_calibrated_is_kept_with_its_dates(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/c.db")
    site, camera = Site(id="s", kind="junction"), Camera(id="c", site="s")
    first, second = (
        CameraView(camera="c", view={**calibrated().model_dump(by_alias=True), "version": version})
        for version in (1, 2)
    )
    plain = CameraView(camera="c", view=view_of((), version=3))
    with writing(engine) as connection:
        for time, drawn in ((10.0, first), (20.0, second), (30.0, plain)):
            save(connection, {each.ref: each for each in (site, camera, drawn)}, time)
        rows = connection.execute(select(tables.Calibration).order_by("valid_from")).mappings().all()
    assert [(row["valid_from"].timestamp(), row["valid_to"].timestamp()) for row in rows] == [
        (10.0, 20.0),
        (20.0, 30.0),
    ]
    assert rows[0]["error_m"] is None
    assert len(rows[0]["definition"]["version"]) == 12
