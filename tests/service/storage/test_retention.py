"""What has had its time goes, but only once its sums are proven to be in what stays."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, select, update

from service.storage.connect import reading, writing
from service.storage.counts import counts
from service.storage.drain import drain
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from service.storage.retention import Retention, drop_tracks, run_retention
from service.storage.tables import ApproachInterval, Audit, CrossingRow, Observed
from tests.service.storage.traffic import GATES, NINE, crossings, interval, record, segment

HOUR, TWO_HOURS = 3600, 7200


def fill(engine: Engine, outbox: Outbox, seconds: int) -> Engine:
    """Some time of one camera, with intervals."""
    starts = [NINE + timedelta(seconds=10 * n) for n in range(seconds // 10)]
    tens = [interval("north", start, entered=n % 5) for n, start in enumerate(starts)]
    record(outbox, segment(), crossings(NINE, seconds, 500), seconds, intervals=tens)
    drain(outbox, engine)
    return engine


@pytest.fixture
def filled(engine: Engine, outbox: Outbox) -> Engine:
    return fill(engine, outbox, HOUR // 4)


def lengths(engine: Engine) -> dict[int, int]:
    with reading(engine) as connection:
        table = ApproachInterval
        query = select(table.length, func.count()).group_by(table.length)
        return {row[0]: row[1] for row in connection.execute(query)}


AGES = {
    "young": (timedelta(hours=47), {10: 720, 60: 120, 900: 8}, 120, 500),
    "its first hour is two days old": (timedelta(hours=49), {10: 360, 60: 120, 900: 8}, 120, 500),
    "two days": (timedelta(hours=51), {60: 120, 900: 8}, 120, 500),
    "a month": (timedelta(days=31), {900: 8}, 0, 500),
    "a year, but its month is not over": (timedelta(days=365), {900: 8}, 0, 500),
    "a year and its month": (timedelta(days=365 + 31), {900: 8}, 0, 0),
}
"""Age of the traffic → what is left: intervals by length, observed minutes, single crossings."""


def test_each_tier_goes_in_its_time(engine: Engine, outbox: Outbox) -> None:
    filled = fill(engine, outbox, TWO_HOURS)
    with reading(filled) as connection:
        before = counts(connection, NINE, NINE + timedelta(hours=2), camera="cam1")
    steps = 0
    for name, (age, intervals, minutes, single) in AGES.items():
        done = run_retention(filled, now=NINE + age)
        steps += len(done)
        assert all(step.left == 0 and step.rows and step.sums == step.kept for step in done), name
        assert lengths(filled) == intervals, name
        with reading(filled) as connection:
            observed = select(func.count()).select_from(Observed).where(Observed.length == 60)
            assert connection.scalar(observed) == minutes, name
            assert connection.scalar(select(func.count()).select_from(CrossingRow)) == single, name
            assert counts(connection, NINE, NINE + timedelta(hours=2), camera="cam1") == before, name
    with reading(filled) as connection:
        noted = connection.scalars(select(Audit.detail).where(Audit.action == "retention")).all()
    assert len(noted) == steps == 5
    assert all(detail["sums"] == detail["kept"] for detail in noted)
    assert run_retention(filled, now=NINE + timedelta(days=365 + 31)) == []


def test_what_is_not_in_the_longer_intervals_is_kept(filled: Engine) -> None:
    with writing(filled) as connection:
        connection.execute(
            delete(ApproachInterval).where(ApproachInterval.length == 60, ApproachInterval.start == NINE)
        )
    (tens, *_) = run_retention(filled, now=NINE + timedelta(days=4))
    assert (tens.proven, tens.rows, tens.left) == (False, 90, 90)
    assert lengths(filled)[10] == 90
    with reading(filled) as connection:
        assert connection.scalar(select(Audit.action)) == "retention_refused"


def test_one_approach_does_not_stand_in_for_another(filled: Engine, outbox: Outbox) -> None:
    start = NINE + timedelta(days=1)
    recorder = Recorder(outbox, segment(kind="live", start=start), GATES)
    recorder.intervals(
        interval(approach, start + timedelta(seconds=10 * n))
        for approach in GATES.values()
        if approach
        for n in range(6)
    )
    recorder.flush()
    drain(outbox, filled)
    minute = (ApproachInterval.length == 60, ApproachInterval.start == start)
    with writing(filled) as connection:
        for approach, vehicles in (("north", 0), ("south", 1000)):
            connection.execute(
                update(ApproachInterval)
                .where(*minute, ApproachInterval.approach_id == approach)
                .values(count=vehicles)
            )
    done = run_retention(filled, now=start + timedelta(days=4))
    assert [step.proven for step in done if step.start >= start.replace(hour=0)] == [False]


def test_a_late_row_after_its_time_does_not_spoil_what_was_merged(engine: Engine, outbox: Outbox) -> None:
    recorder = Recorder(outbox, segment(kind="live"), GATES)
    starts = [NINE + timedelta(seconds=10 * n) for n in range(90)]
    for records in ([interval("north", start) for start in starts], [interval("north", NINE, entered=0)]):
        recorder.intervals(records)
        recorder.flush()
        drain(outbox, engine)
        run_retention(engine, now=NINE + timedelta(days=4))
    with reading(engine) as connection:
        quarters = select(ApproachInterval.count).where(ApproachInterval.length == 900)
        assert connection.scalars(quarters).all() == [3 * 90]
        minutes = select(func.sum(ApproachInterval.count)).where(ApproachInterval.length == 60)
        assert connection.scalar(minutes) == 3 * 90


def test_a_recording_run_again_after_its_time_is_not_counted_twice(filled: Engine, outbox: Outbox) -> None:
    with reading(filled) as connection:
        before = counts(connection, NINE, NINE + timedelta(hours=2), camera="cam1")
    run_retention(filled, now=NINE + timedelta(days=400))
    record(outbox, segment(), crossings(NINE, HOUR // 4, 500), HOUR // 4)
    drain(outbox, filled)
    assert outbox.state().rejected == 0
    with reading(filled) as connection:
        assert counts(connection, NINE, NINE + timedelta(hours=2), camera="cam1") == before


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="greater than or equal"):
        Retention(crossings_days=1)


def test_old_tracks_are_deleted_and_noted(engine: Engine, tmp_path: Path) -> None:
    now = datetime.now(tz=NINE.tzinfo)
    for name, days in (("old", 8), ("young", 6)):
        path = tmp_path / name / "tracks.parquet"
        path.parent.mkdir()
        path.write_bytes(b"x" * 10)
        at = (now - timedelta(days=days)).timestamp()
        os.utime(path, (at, at))
    assert drop_tracks(engine, tmp_path, now=now) == [tmp_path / "old" / "tracks.parquet"]
    assert not (tmp_path / "old" / "tracks.parquet").exists()
    assert (tmp_path / "young" / "tracks.parquet").exists()
    with reading(engine) as connection:
        detail = connection.scalar(select(Audit.detail))
    assert detail is not None
    assert detail["bytes"] == 10
