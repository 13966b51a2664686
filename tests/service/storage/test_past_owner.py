"""Who speaks for an approach, or what must be seen, said anew for the past: the junction's rows follow."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, select

from service.registry import Approach, Camera, City, Owner, Site, difference
from service.registry.store import load_history, revision, save_changes
from service.storage.connect import reading, writing
from service.storage.drain import drain
from service.storage.outbox import Outbox
from service.storage.tables import JunctionInterval
from tests.service.storage.traffic import NINE, interval, record, segment

QUARTER = timedelta(minutes=15)
NOW = NINE + timedelta(hours=2)


def city(owner: str, *, south_required: bool = False) -> City:
    records = [
        Site(id="square", kind="junction"),
        Camera(id="cam1", site="square"),
        Camera(id="cam2", site="square"),
        Approach(site="square", id="north"),
        Approach(site="square", id="south", required=south_required),
        Owner(site="square", approach="north", camera=owner),
    ]
    return {each.ref: each for each in records}


def save(engine: Engine, wanted: City, time: float) -> None:
    with writing(engine) as connection:
        history = load_history(connection)
        changes = difference(history, wanted, time)
        seen = revision(connection)
        save_changes(
            connection, history, changes, time, seen_revision=seen, now=NOW.timestamp(), actor="test"
        )


def rows(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(select(JunctionInterval.__table__).order_by("start")).all())


def test_a_past_change_of_owner_is_in_the_junction_at_once(engine: Engine, outbox: Outbox) -> None:
    save(engine, city("cam1"), (NINE - QUARTER).timestamp())
    for camera, entered in (("cam1", 1), ("cam2", 2)):
        parts = [interval("north", NINE + timedelta(seconds=10 * n), entered=entered) for n in range(180)]
        record(outbox, segment(camera), [], 1800, intervals=parts)
    drain(outbox, engine)
    assert [row.count for row in rows(engine)] == [90, 90]
    save(engine, city("cam2"), (NINE + QUARTER).timestamp())
    first, second = rows(engine)
    assert (first.count, second.count) == (90, 180)
    assert second.approaches["north"]["camera_id"] == "cam2"
    assert (first.revision, second.revision) == (1, 2)


def test_an_approach_that_had_to_be_seen_after_all_leaves_the_sum_unknown(
    engine: Engine, outbox: Outbox
) -> None:
    save(engine, city("cam1"), (NINE - QUARTER).timestamp())
    parts = [interval("north", NINE + timedelta(seconds=10 * n)) for n in range(90)]
    record(outbox, segment(), [], 900, intervals=parts)
    drain(outbox, engine)
    (row,) = rows(engine)
    assert (row.count, row.approaches_required) == (270, 1)
    save(engine, city("cam1", south_required=True), NINE.timestamp())
    (row,) = rows(engine)
    assert (row.count, row.approaches_required, row.approaches_observed) == (None, 2, 1)
    save(engine, city("cam1"), NINE.timestamp())
    assert [each.count for each in rows(engine)] == [270]


def test_what_is_said_of_the_future_leaves_the_rows_alone(engine: Engine, outbox: Outbox) -> None:
    save(engine, city("cam1"), (NINE - QUARTER).timestamp())
    parts = [interval("north", NINE + timedelta(seconds=10 * n)) for n in range(90)]
    record(outbox, segment(), [], 900, intervals=parts)
    drain(outbox, engine)
    before = rows(engine)
    save(engine, city("cam2"), NOW.timestamp())
    assert rows(engine) == before
