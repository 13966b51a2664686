"""Everything is written once: reruns, replays and late rows."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from service.storage.conditions import CLASSES, all_classes
from service.storage.connect import reading, writing
from service.storage.drain import drain
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from service.storage.tables import ApproachInterval, CrossingRow, MovementCount, Observed
from service.storage.write import apply
from tests.service.storage.traffic import (
    GATES,
    NINE,
    counted,
    crossings,
    dump,
    interval,
    record,
    segment,
)


def vehicles(row: Any) -> int:
    return sum(getattr(row, label) for label in CLASSES)


def test_every_crossing_arrives_and_the_counts_are_their_sum(engine: Engine, outbox: Outbox) -> None:
    seen = crossings(NINE, 1800, 500)
    record(outbox, segment(), seen, 1800)
    drain(outbox, engine)
    with reading(engine) as connection:
        rows = connection.execute(select(CrossingRow.__table__)).all()
        counted = connection.execute(select(MovementCount.__table__)).all()
    assert sorted(row.time.timestamp() for row in rows) == pytest.approx(sorted(c.time for c in seen))
    assert Counter(row.gate for row in rows) == Counter(c.gate for c in seen)
    assert {row.gate: row.approach_id for row in rows} == GATES
    gates = [row for row in counted if row.kind == "gate"]
    assert sum(vehicles(row) for row in gates) == len(seen)
    by_class = Counter(c.vehicle_class.label for c in seen)
    assert {label: sum(getattr(row, label) for row in gates) for label in by_class} == by_class
    movements = [row for row in counted if row.kind == "movement"]
    assert sum(vehicles(row) for row in movements) == sum(c.movement is not None for c in seen)


def test_a_rerun_changes_nothing(engine: Engine, outbox: Outbox) -> None:
    for _ in range(2):
        record(outbox, segment(), crossings(NINE, 600, 300), 600)
        drain(outbox, engine)
    once = dump(engine)
    record(outbox, segment(), crossings(NINE, 600, 300), 600, flush_every=37)
    drain(outbox, engine)
    assert dump(engine) == once
    assert len(once["crossings"]) == 300


def test_a_replay_of_what_was_committed_changes_nothing(engine: Engine, outbox: Outbox) -> None:
    record(outbox, segment(), crossings(NINE, 600, 300), 600)
    messages = outbox.oldest(2**30)
    for part in (messages[:3], messages[:5], messages[2:], messages):
        with writing(engine) as connection:
            apply(connection, part)
    once = dump(engine)
    assert len(once["crossings"]) == 300
    assert counted(once) == 300


def test_ids_do_not_depend_on_track_numbers(engine: Engine, outbox: Outbox) -> None:
    seen = crossings(NINE, 600, 100)
    record(outbox, segment(), seen, 600)
    drain(outbox, engine)
    once = dump(engine)
    renumbered = [
        type(c)(**{**{f: getattr(c, f) for f in c.__slots__}, "vehicle": 9000 - c.vehicle}) for c in seen
    ]
    record(outbox, segment(), renumbered, 600)
    drain(outbox, engine)
    assert dump(engine) == once


def test_a_rerun_that_counts_otherwise_is_refused(engine: Engine, outbox: Outbox) -> None:
    record(outbox, segment(), crossings(NINE, 600, 300), 600)
    drain(outbox, engine)
    once = dump(engine)
    record(outbox, segment(), crossings(NINE, 600, 290, seed=2), 600)
    drain(outbox, engine)
    assert outbox.state().rejected == 1
    assert "refused 1 messages" in str(outbox.state().alarm)
    assert dump(engine) == once


def test_a_late_crossing_raises_the_revision_of_its_intervals_only(engine: Engine, outbox: Outbox) -> None:
    live = segment(kind="live", source_sha256="")
    recorder = Recorder(outbox, live, GATES)
    seen = crossings(NINE, 1800, 200)
    recorder.crossings(seen[:100] + seen[101:])
    recorder.observe(NINE.timestamp(), NINE.timestamp() + 1830)
    recorder.flush()
    drain(outbox, engine)
    late = NINE + timedelta(seconds=seen[100].time - NINE.timestamp())
    recorder.crossings([seen[100]])
    recorder.flush()
    drain(outbox, engine)
    with reading(engine) as connection:
        revisions = {
            (row.start, row.length): (row.revision, row.final)
            for row in connection.execute(select(Observed.__table__))
        }
        total = connection.scalar(
            select(func.sum(all_classes(MovementCount.__table__.c))).where(MovementCount.kind == "gate")
        )
    for (start, length), (revision, final) in revisions.items():
        assert final == (start + timedelta(seconds=length) <= NINE + timedelta(seconds=1825))
        inside = start <= late < start + timedelta(seconds=length)
        assert revision == (2 if inside else 1), (start, length)
    assert total == 200


def test_intervals_are_merged_exactly(engine: Engine, outbox: Outbox) -> None:
    recorder = Recorder(outbox, segment(kind="live"), GATES)
    tens = [interval("north", NINE + timedelta(seconds=10 * n), entered=n % 4) for n in range(90)]
    for first in range(0, 90, 7):
        recorder.intervals(tens[first : first + 7])
        recorder.flush()
        drain(outbox, engine)
    with reading(engine) as connection:
        rows = connection.execute(select(ApproachInterval.__table__)).all()
    assert Counter(row.length for row in rows) == {10: 90, 60: 15, 900: 1}
    (quarter,) = [row for row in rows if row.length == 900]
    assert quarter.count == sum(n % 4 for n in range(90))
    assert quarter.sums["entered"] == {"motorcycle": quarter.count}
    assert quarter.sums["spot_speeds"] == {"31": quarter.count}
    assert quarter.density_per_km == pytest.approx(2.5 / 0.04)
    assert quarter.space_mean_speed_kmh == pytest.approx(3.6 * 20 / 2.5)
    assert (quarter.status, quarter.final, quarter.observed_seconds) == ("observed", True, 900.0)


def test_what_was_not_observed_has_no_figures(engine: Engine, outbox: Outbox) -> None:
    recorder = Recorder(outbox, segment(kind="live"), GATES)
    recorder.intervals([interval("north", NINE, observed=0.0, entered=0), interval("south", NINE)])
    recorder.flush()
    drain(outbox, engine)
    with reading(engine) as connection:
        rows = {
            (row.approach_id, row.length): row
            for row in connection.execute(select(ApproachInterval.__table__))
        }
    dark = rows["north", 10]
    assert (dark.status, dark.count, dark.flow_per_h, dark.density_per_km) == (
        "not_observed",
        None,
        None,
        None,
    )
    assert rows["south", 10].count == 3
    assert (rows["south", 900].status, rows["south", 900].observed_seconds) == ("partial", 10.0)
    assert not rows["south", 900].final


def test_a_late_interval_raises_the_revision_up_to_the_quarter(engine: Engine, outbox: Outbox) -> None:
    recorder = Recorder(outbox, segment(kind="live"), GATES)
    tens = [interval("north", NINE + timedelta(seconds=10 * n)) for n in range(90)]
    recorder.intervals(tens)
    recorder.flush()
    drain(outbox, engine)
    recorder.intervals([interval("north", NINE + timedelta(seconds=200), entered=5)])
    recorder.intervals([tens[40]])
    recorder.flush()
    drain(outbox, engine)
    with reading(engine) as connection:
        rows = connection.execute(select(ApproachInterval.__table__)).all()
    late = {(row.length, row.start - NINE) for row in rows if row.revision == 2}
    assert late == {
        (10, timedelta(seconds=200)),
        (60, timedelta(seconds=180)),
        (900, timedelta(0)),
    }
    assert [row.count for row in rows if row.length == 900] == [90 * 3 + 2]
