"""At any moment one segment speaks for a camera, and one camera for an approach."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from service.storage.authority import authority_of, give_authority
from service.storage.connect import connect, reading, upgrade, writing
from service.storage.counts import counts, usual_day
from service.storage.drain import drain
from service.storage.exclusions import exclude, withdraw
from service.storage.outbox import Outbox
from service.storage.reads import approach_intervals, crossings, junction_intervals, observed
from service.storage.record import Recorder
from service.storage.tables import Audit, Owner, Segment
from tests.service.storage.traffic import DAY, GATES, NINE, interval, own, record, segment
from tests.service.storage.traffic import crossings as traffic

HOUR = timedelta(hours=1)


def total(engine: Engine, start: datetime, end: datetime, **scope: str) -> int:
    with reading(engine) as connection:
        found = counts(connection, start, end, **scope)  # type: ignore[arg-type]
        rows = crossings(connection, start, end, **scope)  # type: ignore[arg-type]
    summed = sum(sum((each.by_class or {}).values()) for each in found)
    assert summed == len(rows), "the sum of the quarters is the number of crossings"
    return summed


def test_the_same_recording_with_two_views_is_read_once(engine: Engine, outbox: Outbox) -> None:
    record(outbox, segment(view="view-1"), traffic(NINE, 1800, 300), 1800)
    drain(outbox, engine)
    assert total(engine, NINE, NINE + HOUR, camera="cam1") == 300
    record(outbox, segment(view="view-2"), traffic(NINE, 1800, 280, seed=2), 1800)
    drain(outbox, engine)
    assert total(engine, NINE, NINE + HOUR, camera="cam1") == 280
    record(outbox, segment(view="view-1"), traffic(NINE, 1800, 300), 1800)
    drain(outbox, engine)
    assert total(engine, NINE, NINE + HOUR, camera="cam1") == 300
    with reading(engine) as connection:
        moves = connection.scalars(select(Audit.detail).where(Audit.action == "authority")).all()
    assert len(moves) == 2


def test_an_analysis_speaks_only_once_it_is_complete(engine: Engine, outbox: Outbox) -> None:
    record(outbox, segment(view="view-1"), traffic(NINE, 1800, 300), 1800)
    again = Recorder(outbox, segment(view="view-2"), GATES)
    again.crossings(traffic(NINE, 900, 150, seed=2))
    again.flush()
    drain(outbox, engine)
    assert total(engine, NINE, NINE + HOUR, camera="cam1") == 300


def test_an_analysis_that_lost_something_does_not_speak(engine: Engine, outbox: Outbox) -> None:
    record(outbox, segment(view="view-1"), traffic(NINE, 1800, 300), 1800)
    drain(outbox, engine)
    record(outbox, segment(view="view-2"), traffic(NINE, 1800, 280, seed=2), 1800)
    lost = [message for message in outbox.oldest(2**30) if message.kind == "crossings"][1]
    outbox.done([lost])
    drain(outbox, engine)
    assert total(engine, NINE, NINE + HOUR, camera="cam1") == 300
    assert outbox.state().rejected == 2, "its end, and that it speaks"


def test_an_earlier_worker_whose_rows_arrive_last_does_not_take_over(
    engine: Engine, outbox: Outbox, tmp_path: Path
) -> None:
    half = NINE + timedelta(minutes=30)
    early = Recorder(outbox, segment(kind="live"), GATES)
    early.crossings(traffic(NINE, 1800, 100))
    early.flush()
    with Outbox(tmp_path / "second.db") as second:
        later = Recorder(second, segment(kind="live", start=half), GATES)
        later.crossings(traffic(half, 1800, 70))
        later.flush()
        drain(second, engine)
    drain(outbox, engine)
    assert total(engine, NINE, NINE + HOUR, camera="cam1") == 170
    with reading(engine) as connection:
        spans = authority_of(connection, "cam1", NINE)
        ended = connection.scalars(select(Segment.ended_at).order_by(Segment.started_at)).all()
    assert [(begin, end) for _, begin, end in spans] == [(NINE, half), (half, None)]
    assert ended == [half, None]


def test_overlapping_analyses_share_a_quarter_by_each_crossings_moment(
    engine: Engine, outbox: Outbox
) -> None:
    first, second = traffic(NINE, 3600, 600), traffic(NINE, 1800, 333, seed=2)
    record(outbox, segment(view="view-1"), first, 3600)
    middle = NINE + timedelta(minutes=20)
    shifted = traffic(middle, 1000, 333, seed=2)
    record(outbox, segment(view="view-2", start=middle), shifted, 1000)
    drain(outbox, engine)
    until = middle.timestamp() + 1000
    expected = [c for c in first if not middle.timestamp() <= c.time < until] + shifted
    assert total(engine, NINE, NINE + HOUR, camera="cam1") == len(expected)
    quarter = NINE + timedelta(minutes=15)
    with reading(engine) as connection:
        found = counts(connection, quarter, quarter + timedelta(minutes=15), camera="cam1", item="north-line")
    by_direction = Counter(
        c.direction for c in expected if c.gate == "north-line" and 0 <= c.time - quarter.timestamp() < 900
    )
    assert {each.direction: sum((each.by_class or {}).values()) for each in found} == by_direction
    assert len(second) == 333


def test_a_worker_that_starts_again_goes_on_in_the_same_quarter(engine: Engine, outbox: Outbox) -> None:
    own(engine, north="cam1")
    begin = NINE.timestamp()
    first = Recorder(outbox, segment(kind="live"), GATES)
    first.crossings(traffic(NINE, 300, 70))
    first.intervals([interval("north", NINE + timedelta(seconds=10 * n)) for n in range(30)])
    first.observe(begin, begin + 300)
    first.flush()  # and then the power goes
    later = NINE + timedelta(seconds=340)
    second = Recorder(outbox, segment(kind="live", start=later), GATES)
    second.crossings(traffic(later, 560, 80, seed=2))
    second.intervals([interval("north", later + timedelta(seconds=10 * n)) for n in range(56)])
    second.observe(begin + 340, begin + 900)
    second.flush()
    drain(outbox, engine)
    assert total(engine, NINE, NINE + HOUR, camera="cam1") == 150
    with reading(engine) as connection:
        assert observed(connection, NINE, NINE + HOUR, 900, camera="cam1") == {("cam1", NINE): 860.0}
        (whole,) = approach_intervals(connection, NINE, NINE + HOUR, 900, sites=["square"])
        (junction,) = junction_intervals(connection, NINE, NINE + HOUR)
        ended = connection.scalars(select(Segment.ended_at).order_by(Segment.started_at)).all()
    assert (whole["count"], whole["observed_seconds"], whole["expected_seconds"]) == (3 * 86, 860.0, 900.0)
    assert whole["status"] == "observed"
    assert junction.count == 3 * 86
    assert ended == [later, None]


def test_two_cameras_on_one_approach_are_not_added(engine: Engine, outbox: Outbox) -> None:
    own(engine, north="cam1", south="cam2")
    for camera, number in (("cam1", 300), ("cam2", 200)):
        vehicles = 1 if camera == "cam1" else 2
        intervals = [
            interval(approach, NINE + timedelta(seconds=10 * n), entered=vehicles)
            for approach in ("north", "south")
            for n in range(90)
        ]
        record(outbox, segment(camera), traffic(NINE, 900, number), 900, intervals=intervals)
    drain(outbox, engine)
    north = [c for c in traffic(NINE, 900, 300) if GATES[c.gate] == "north"]
    south = [c for c in traffic(NINE, 900, 200) if GATES[c.gate] == "south"]
    assert total(engine, NINE, NINE + HOUR, site="square") == len(north) + len(south)
    with reading(engine) as connection:
        rows = crossings(connection, NINE, NINE + HOUR, site="square")
        figures = approach_intervals(connection, NINE, NINE + HOUR, 900, sites=["square"])
        (junction,) = junction_intervals(connection, NINE, NINE + HOUR)
    assert {(row.approach_id, row.camera_id) for row in rows} == {("north", "cam1"), ("south", "cam2")}
    assert [(row["approach_id"], row["count"]) for row in figures] == [("north", 90), ("south", 180)]
    assert junction.count == 270


def test_the_junction_is_the_sum_of_its_owners_or_nothing(engine: Engine, outbox: Outbox) -> None:
    own(engine, north="cam1", south="cam2")
    tens = [NINE + timedelta(seconds=10 * n) for n in range(90)]
    for camera, approaches in (("cam1", ("north", "south")), ("cam2", ("south",))):
        recorder = Recorder(outbox, segment(camera, kind="live"), GATES)
        recorder.intervals(interval(approach, ten) for approach in approaches for ten in tens)
        recorder.flush()
        drain(outbox, engine)
        with reading(engine) as connection:
            (row,) = junction_intervals(connection, NINE, NINE + HOUR)
        if camera == "cam1":
            assert (row.status, row.count, row.approaches_observed) == ("partial", None, 1)
    assert (row.status, row.count, row.approaches_observed) == ("observed", 2 * 270, 2)
    assert row.observed_seconds == 900.0


def test_a_junction_without_required_approaches_has_no_sum(engine: Engine, outbox: Outbox) -> None:
    recorder = Recorder(outbox, segment("cam1", kind="live"), GATES)
    recorder.intervals(interval("north", NINE + timedelta(seconds=10 * n)) for n in range(90))
    recorder.flush()
    drain(outbox, engine)
    with reading(engine) as connection:
        for row in junction_intervals(connection, NINE, NINE + HOUR):
            assert (row.count, row.approaches_required) == (None, 0)
            assert row.status != "observed"


def test_when_the_owner_changes_each_speaks_for_its_time(engine: Engine, outbox: Outbox) -> None:
    change = NINE + timedelta(minutes=7)
    since = {"site_id": "square", "approach_id": "north"}
    with writing(engine) as connection:
        for values in (
            {"camera_id": "cam1", "valid_from": DAY, "valid_to": change},
            {"camera_id": "cam2", "valid_from": change, "valid_to": None},
        ):
            connection.execute(Owner.__table__.insert().values(**since, **values))
    for camera in ("cam1", "cam2"):
        record(outbox, segment(camera), traffic(NINE, 1800, 400), 1800)
    drain(outbox, engine)
    expected = [c for c in traffic(NINE, 1800, 400) if GATES[c.gate] == "north"]
    assert total(engine, NINE, NINE + HOUR, site="square") == len(expected)


def test_an_excluded_period_is_left_out_and_can_come_back(engine: Engine, outbox: Outbox) -> None:
    own(engine, north="cam1")
    intervals = [interval("north", NINE + timedelta(seconds=10 * n)) for n in range(180)]
    record(outbox, segment(), traffic(NINE, 3600, 400), 3600, intervals=intervals)
    drain(outbox, engine)
    second = NINE + timedelta(minutes=15)
    before = total(engine, NINE, NINE + HOUR, camera="cam1")
    with writing(engine) as connection:
        number = exclude(
            connection, second, second + timedelta(minutes=15), reason="roadworks", author="An", site="square"
        )
    with reading(engine) as connection:
        found = counts(connection, NINE, NINE + HOUR, camera="cam1")
        rows = {row.start: row for row in junction_intervals(connection, NINE, NINE + HOUR)}
        kept = approach_intervals(connection, NINE, NINE + HOUR, 900, sites=["square"])
        left = crossings(connection, NINE, NINE + HOUR, camera="cam1")
    statuses = {(each.start, each.status, each.by_class is None) for each in found}
    assert statuses == {
        (NINE, "observed", False),
        (second, "excluded", True),
        (NINE + timedelta(minutes=30), "observed", False),
        (NINE + timedelta(minutes=45), "observed", False),
    }
    assert not [row for row in left if second <= row.time < second + timedelta(minutes=15)]
    assert [row["start"] for row in kept] == [NINE]
    assert (rows[second].count, rows[second].status) == (None, "not_observed")
    with writing(engine) as connection:
        withdraw(connection, number, "An")
    assert total(engine, NINE, NINE + HOUR, camera="cam1") == before
    with reading(engine) as connection:
        rows = {row.start: row for row in junction_intervals(connection, NINE, NINE + HOUR)}
    assert rows[second].count == 270


def test_what_was_not_observed_is_null_not_zero(engine: Engine, outbox: Outbox) -> None:
    record(outbox, segment(), traffic(NINE, 900, 200), 900)
    drain(outbox, engine)
    with reading(engine) as connection:
        found = counts(connection, NINE, NINE + HOUR, camera="cam1", item="north-line")
    after = [each for each in found if each.start > NINE]
    assert after
    assert all(each.by_class is None and each.status == "not_observed" for each in after)


def test_the_usual_day_is_the_median_of_the_last_eight(engine: Engine, outbox: Outbox) -> None:
    own(engine, north="cam1")
    for week in range(1, 11):
        start = NINE - timedelta(weeks=week)
        seen = [c for c in traffic(start, 900, 20 * week) if c.gate == "north-line" and c.direction == "in"]
        record(outbox, segment(start=start, source_sha256=f"week {week}"), seen, 900 if week != 3 else 300)
    drain(outbox, engine)
    with reading(engine) as connection:
        usual = usual_day(connection, "square", NINE.date(), "Asia/Ho_Chi_Minh")
    numbers = {
        week: sum(
            c.gate == "north-line" and c.direction == "in"
            for c in traffic(NINE - timedelta(weeks=week), 900, 20 * week)
        )
        for week in (1, 2, 4, 5, 6, 7, 8)
    }
    (quarter,) = [each for each in usual if each.start == NINE]
    assert (quarter.entering, quarter.days) == (sorted(numbers.values())[3], 7)
    assert all(each.entering is None for each in usual if each.start != NINE)
    assert len(usual) == 96


spans = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 40), st.one_of(st.none(), st.integers(1, 20))), max_size=12
)


@pytest.fixture(scope="module")
def one_database(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('authority') / 'ngatu.db'}")
    upgrade(engine)
    return engine


@given(given_spans=spans)
@settings(max_examples=40, deadline=None)
def test_whatever_is_given_one_segment_speaks_and_it_is_the_last(
    one_database: Engine, given_spans: list[tuple[int, int, int | None]]
) -> None:
    speaker: dict[int, UUID] = {}
    with one_database.connect() as connection, connection.begin() as transaction:
        for view, start, length in given_spans:
            info = segment(view=f"view-{view}", start=NINE + timedelta(minutes=start))
            about = info.content()
            known = connection.scalar(select(Segment.id).where(Segment.id == info.id))
            if known is None:
                about |= {"id": info.id, "started_at": NINE + timedelta(minutes=start)}
                del about["started_us"]
                connection.execute(Segment.__table__.insert().values(about))
            until = None if length is None else NINE + timedelta(minutes=start + length)
            give_authority(connection, info.id, until)
            for minute in range(start, 100 if length is None else start + length):
                speaker[minute] = info.id
        found = authority_of(connection, "cam1", NINE)
        transaction.rollback()
    for minute in range(100):
        at = NINE + timedelta(minutes=minute, seconds=30)
        speaking = [s for s, begin, end in found if begin <= at and (end is None or at < end)]
        assert speaking == ([speaker[minute]] if minute in speaker else [])
