"""Alarms are raised once, with hysteresis, and cleared: over restarts, unknown time and flapping."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select, update

from service.alarms import store
from service.alarms.facts import Disk
from service.alarms.watch import AlarmWatch
from service.api.hub import LiveHub
from service.live.messages import CameraReport, OutboxLive
from service.storage.connect import connect, reading, upgrade, writing
from service.storage.exclusions import exclude
from service.storage.tables import Alarm, Incident, Owner
from tests.service.alarms.conftest import BEGIN, Street, approach, camera, told

GIB = 2**30


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def jammed(**more: Any) -> CameraReport:
    return camera(approaches=[approach(level="jammed", space_mean_speed_kmh=4.2, queue_m=62.0)], **more)


def test_a_jam_is_raised_once_and_cleared_when_it_is_over(street: Street) -> None:
    street.say(jammed())
    assert street.wait(170) == []
    raised = street.wait(60)
    assert told(raised) == [("raised", "jam")]
    row = raised[0].alarm
    assert (row["site_id"], row["approach_id"], row["camera_id"]) == ("hoa-ban", "north", "cam1")
    assert row["details"] == {"level": "jammed", "space_mean_speed_kmh": 4.2, "queue_m": 62.0}
    assert street.wait(600) == []
    street.say(camera(approaches=[approach(level="busy")]))
    assert street.wait(110) == []
    cleared = street.wait(30)
    assert told(cleared) == [("cleared", "jam")]
    assert cleared[0].alarm["details"]["cleared_because"] == "over"
    assert cleared[0].alarm["revision"] == 2
    assert street.open() == []


BAD, GOOD, UNKNOWN = "offline", "live", None
"""What a camera does: no frames, frames, or nobody says anything."""


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        pytest.param([(BAD, 50), (GOOD, 100)], [], id="too short"),
        pytest.param([(BAD, 70)], ["raised"], id="long enough"),
        pytest.param([(BAD, 40), (GOOD, 4), (BAD, 40)], [], id="interrupted: it begins anew"),
        pytest.param([(BAD, 40), (UNKNOWN, 900), (BAD, 10)], [], id="unknown time does not raise"),
        pytest.param([(BAD, 40), (UNKNOWN, 900), (BAD, 40)], ["raised"], id="nor does it begin anew"),
        pytest.param([(BAD, 70), (GOOD, 20), (BAD, 70)], ["raised"], id="a short break does not clear"),
        pytest.param([(BAD, 70), (UNKNOWN, 3600)], ["raised"], id="unknown time does not clear"),
        pytest.param([(BAD, 70), (GOOD, 40)], ["raised", "cleared"], id="cleared"),
        pytest.param(
            [(BAD, 70), (GOOD, 40), (BAD, 600)], ["raised", "cleared", "raised"], id="comes again later"
        ),
    ],
)
def test_hysteresis(street: Street, phases: list[tuple[str | None, float]], expected: list[str]) -> None:
    happened = []
    for state, seconds in phases:
        if state is None:
            street.fall_silent()
        else:
            # A camera that tries again and again is not known to have been away for long.
            street.say(camera(state=state, since=street.now + 1e6))
        step = 2.0 if seconds < 500 else 25.0
        happened += [each for each in street.wait(seconds, step) if each.alarm["kind"] == "camera_lost"]
    assert [each.happened for each in happened] == expected


def test_a_restart_raises_nothing_twice_and_clears_what_is_over(street: Street) -> None:
    street.say(jammed(), camera("cam2", state="moved", since=BEGIN))
    assert sorted(told(street.wait(200))) == [("raised", "camera_moved"), ("raised", "jam")]
    street.restart()
    assert street.wait(400) == []
    street.restart()
    street.say(camera(approaches=[approach(level="free")]), camera("cam2"))
    assert sorted(told(street.wait(200))) == [("cleared", "camera_moved"), ("cleared", "jam")]


def test_a_restart_in_the_middle_of_waiting_uses_what_the_worker_knows(street: Street) -> None:
    street.say(camera(state="offline", since=BEGIN))
    assert street.wait(50) == []
    street.restart()
    assert told(street.wait(12)) == [("raised", "camera_lost")]


def test_flapping_is_one_alarm_with_revisions(street: Street) -> None:
    events: Counter[str] = Counter()
    for _ in range(6):
        street.say(camera(state="offline", since=street.now - 100))
        events.update(each.happened for each in street.wait(10))
        street.say(camera())
        events.update(each.happened for each in street.wait(40))
    assert events == {"raised": 1, "reopened": 5, "cleared": 6}
    with reading(street.engine) as connection:
        rows = store.history(connection)
    assert len(rows) == 1
    assert (rows[0]["revision"], rows[0]["details"]["reopened"]) == (12, 5)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("connecting", "camera_lost"),
        ("stalled", "camera_lost"),
        ("offline", "camera_lost"),
        ("frozen", "camera_frozen"),
        ("moved", "camera_moved"),
        ("dark", "camera_picture"),
        ("blinded", "camera_picture"),
        ("blocked", "camera_picture"),
        ("blurred", "camera_picture"),
        ("live", None),
    ],
)
def test_a_camera_in_each_state(street: Street, state: str, kind: str | None) -> None:
    street.say(camera(state=state, reason="as it is", since=BEGIN + 1e6))
    changes = street.wait(130)
    assert told(changes) == ([("raised", kind)] if kind else [])
    if changes:
        assert changes[0].alarm["details"] == {"state": state, "reason": "as it is"}


def test_a_worker_that_is_gone_is_one_alarm_not_one_a_camera(street: Street) -> None:
    street.say(camera("cam1"), camera("cam2"))
    street.wait(10)
    street.fall_silent()
    raised = street.wait(300)
    assert told(raised) == [("raised", "worker_gone")]
    assert raised[0].alarm["details"]["cameras"] == ["cam1", "cam2"]
    street.restart()
    del street.workers["w1"]
    assert street.wait(100) == [], "the service came back and knows nothing yet"
    street.say(camera("cam1"), camera("cam2"), worker="w2")
    assert told(street.wait(20)) == [("cleared", "worker_gone")], "another one took over"


def test_a_camera_that_no_worker_takes_is_lost(street: Street) -> None:
    street.expected = {"cam1": "hoa-ban", "cam2": "hoa-ban"}
    assert street.wait(200) == [], "without any worker nothing is known"
    street.say(camera("cam1"))
    raised = street.wait(80)
    assert [(each.alarm["kind"], each.alarm["camera_id"]) for each in raised] == [("camera_lost", "cam2")]


def test_a_camera_that_was_taken_away_has_no_alarm_left(street: Street) -> None:
    street.say(camera("cam1"), camera("cam2", state="frozen", since=BEGIN))
    assert told(street.wait(40)) == [("raised", "camera_frozen")]
    street.say(camera("cam1"))
    assert told(street.wait(80)) == [("cleared", "camera_frozen")]


def test_outbox_and_disks(street: Street) -> None:
    box = OutboxLive(waiting=9000, bytes=10, limit=10 * GIB, free=50 * GIB, oldest_age_s=400.0)
    street.say(camera(), outbox=box)
    assert told(street.wait(40)) == [("raised", "outbox_growing")]
    street.say(camera(), outbox=box.model_copy(update={"waiting": 0, "oldest_age_s": None, "free": GIB}))
    assert told(street.wait(40)) == [("raised", "disk_low")]
    street.disks = [Disk("box", 40 * GIB, 100 * GIB), Disk("box", 60 * GIB, 100 * GIB)]
    assert told(street.wait(60)) == [("cleared", "outbox_growing")], "one of its disks is still full"
    street.say(camera(), outbox=OutboxLive(limit=10 * GIB, free=50 * GIB))
    street.disks = [Disk("box", 3 * GIB, 100 * GIB)]
    assert street.wait(120) == [], "more than 2 GiB, but less than a twentieth"
    street.disks = [Disk("box", 40 * GIB, 100 * GIB)]
    assert told(street.wait(70)) == [("cleared", "disk_low")]


def incident(kind: str, started: float, ended: float | None = None, **more: Any) -> dict[str, Any]:
    place = {"site_id": "hoa-ban", "camera_id": "cam1", "approach_id": more.pop("approach", None)}
    times = {"started_at": at(started), "ended_at": at(ended) if ended else None}
    details = {"place": "middle", **more}
    rest = {"severity": "warning", "acknowledged_by": "", "details": details}
    return {"id": uuid4(), "kind": kind, **place, **times, **rest}


def tell(street: Street, **row: Any) -> None:
    with writing(street.engine) as connection:
        connection.execute(insert(Incident).values(row))


@pytest.mark.parametrize(
    ("kind", "alarm"),
    [
        ("standing", "stopped_vehicle"),
        ("blocked_junction", "blocked_junction"),
        ("queue_beyond_view", "queue_spillback"),
        ("speed_drop", None),
    ],
)
def test_an_incident_is_an_alarm_while_it_lasts(street: Street, kind: str, alarm: str | None) -> None:
    street.say(camera())
    row = incident(kind, BEGIN - 90, approach="north" if "queue" in kind else None)
    tell(street, **row)
    assert told(street.wait(10)) == ([("raised", alarm)] if alarm else [])
    assert street.wait(300) == []
    with writing(street.engine) as connection:
        connection.execute(update(Incident).values(ended_at=at(street.now)))
    assert told(street.wait(100)) == ([("cleared", alarm)] if alarm else [])


def test_several_vehicles_in_one_zone_are_one_alarm(street: Street) -> None:
    street.say(camera())
    tell(street, **incident("standing", BEGIN - 90, vehicle=1))
    assert len(street.wait(10)) == 1
    tell(street, **incident("standing", BEGIN - 60, vehicle=2))
    assert street.wait(60) == []


def test_wrong_way_is_over_in_a_moment_but_told_for_a_while(street: Street) -> None:
    street.say(camera())
    tell(street, **incident("wrong_way", BEGIN - 5, BEGIN - 2))
    raised = street.wait(10)
    assert told(raised) == [("raised", "wrong_way")]
    assert raised[0].alarm["severity"] == "critical"
    assert street.wait(200) == []
    assert told(street.wait(100)) == [("cleared", "wrong_way")]


def test_an_incident_whose_worker_was_killed_does_not_last_for_ever(street: Street) -> None:
    street.say(camera())
    tell(street, **incident("standing", BEGIN - 90))
    street.wait(10)
    street.fall_silent()
    street.wait(8)
    street.say(camera(), started=street.now)
    assert told(street.wait(60)) == [("cleared", "stopped_vehicle")]


def test_a_set_length_of_queue_for_one_site(street: Street) -> None:
    with writing(street.engine) as connection:
        store.put_rule(connection, "queue_spillback", "hoa-ban", enabled=True, settings={"queue_m": 50})
    long = [approach(level="busy", queue_m=62.0)]
    street.say(camera(approaches=long), camera("cam9", site="other", approaches=long))
    raised = street.wait(70)
    assert [(each.alarm["kind"], each.alarm["site_id"]) for each in raised] == [
        ("queue_spillback", "hoa-ban")
    ]
    street.say(camera(approaches=[approach(level="busy", queue_m=40.0)]))
    assert told(street.wait(70)) == [("cleared", "queue_spillback")]


def test_only_the_owner_speaks_for_an_approach(street: Street) -> None:
    owner = {"site_id": "hoa-ban", "approach_id": "north", "camera_id": "cam2", "valid_from": at(BEGIN - 1e6)}
    with writing(street.engine) as connection:
        connection.execute(insert(Owner).values(owner))
    reserve = camera("cam2", approaches=[approach(level="free")])
    street.say(jammed(), reserve)
    assert street.wait(400) == []


@pytest.mark.parametrize("level", [None, "busy", "slow"])
def test_other_levels_are_no_jam(street: Street, level: str | None) -> None:
    street.say(camera(approaches=[approach(level=level)]))
    assert street.wait(400) == []


def test_figures_of_a_camera_that_lost_its_picture_say_nothing(street: Street) -> None:
    street.say(jammed(state="dark"))
    assert "jam" not in [kind for _, kind in told(street.wait(400))]


def test_an_excluded_period_is_silent(street: Street) -> None:
    street.say(jammed())
    assert len(street.wait(200)) == 1
    with writing(street.engine) as connection:
        exclude(connection, at(BEGIN), at(BEGIN + 1000), reason="roadworks", author="an", site="hoa-ban")
    cleared = street.wait(4)
    assert [each.alarm["details"]["cleared_because"] for each in cleared] == ["excluded"]
    assert street.wait(1000 - 210) == []
    assert told(street.wait(400)) == [("raised", "jam")], "it still holds when the roadworks are over"


def test_rules_switch_off_and_set_severity(street: Street) -> None:
    with writing(street.engine) as connection:
        store.put_rule(
            connection, "jam", None, enabled=True, settings={"severity": "critical", "raise_after_s": 10}
        )
    street.say(jammed())
    assert [each.alarm["severity"] for each in street.wait(20)] == ["critical"]
    with writing(street.engine) as connection:
        store.put_rule(connection, "jam", "hoa-ban", enabled=False, settings={})
    assert [each.alarm["details"]["cleared_because"] for each in street.wait(4)] == ["rule_disabled"]
    assert street.wait(60) == []


def test_acknowledging_is_done_once_and_kept_over_reopening(street: Street) -> None:
    street.say(camera(state="offline", since=BEGIN - 100))
    (raised,) = street.wait(4)
    with writing(street.engine) as connection:
        first = store.acknowledge(connection, raised.alarm["id"], "an", "on my way")
        second = store.acknowledge(connection, raised.alarm["id"], "binh")
        assert store.acknowledge(connection, uuid4(), "an") is None
    assert first == second
    assert first is not None
    assert (first["acknowledged_by"], first["note"], first["revision"]) == ("an", "on my way", 2)
    street.say(camera())
    street.wait(40)
    street.say(camera(state="offline", since=BEGIN - 100))
    (reopened,) = street.wait(4)
    assert (reopened.happened, reopened.alarm["acknowledged_by"]) == ("reopened", "an")


def test_nothing_known_for_long_ends_it(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.alarms.engine.FORGET_S", 1200.0)
    street.say(camera(state="moved", since=BEGIN - 100))
    street.wait(10)
    street.fall_silent()
    changes = street.wait(1300, step=20)
    reasons = {each.alarm["kind"]: each.alarm["details"].get("cleared_because") for each in changes}
    assert reasons == {"worker_gone": None, "camera_moved": "not_observed"}


def test_a_computer_that_slept_does_not_count_that_time(street: Street) -> None:
    street.say(jammed())
    street.wait(100)
    street.now += 3600
    assert street.wait(60) == []
    assert len(street.wait(60)) == 1


def test_history_pages_and_filters(street: Street) -> None:
    names = [f"cam{number}" for number in range(5)]
    street.say(*(camera(name, state="moved", since=BEGIN - 100) for name in names))
    street.wait(4)
    street.say(
        *(camera(name, state="live" if name < "cam2" else "moved", since=BEGIN - 100) for name in names)
    )
    street.wait(100)
    with writing(street.engine) as connection:
        rows = store.history(connection)
        store.acknowledge(connection, rows[0]["id"], "an")
    with reading(street.engine) as connection:
        first = store.history(connection, limit=3)
        rest = store.history(connection, limit=3, before=(first[-1]["raised_at"], first[-1]["id"]))
        assert [row["id"] for row in first + rest] == [row["id"] for row in rows]
        assert len(store.history(connection, is_open=True)) == 3
        assert len(store.history(connection, is_open=False)) == 2
        assert len(store.history(connection, acknowledged=True)) == 1
        assert len(store.history(connection, camera="cam3", kind="camera_moved", site="hoa-ban")) == 1
        assert store.history(connection, kind="jam") == []
        assert store.history(connection, start=at(BEGIN + 5)) == []
        assert len(store.open_alarms(connection, site="hoa-ban")) == 3


@pytest.fixture(scope="module")
def plain_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('alarms')}/ngatu.db")
    upgrade(engine)
    return engine


STATES = st.sampled_from(["live", "offline", "frozen", "moved", "dark", None])
LEVELS = st.sampled_from(["free", "jammed", None])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(STATES, LEVELS, st.sampled_from([2.0, 25.0, 29.0, 70.0]), st.booleans()),
        min_size=1,
        max_size=25,
    )
)
def test_at_most_one_alarm_of_a_subject_is_open(
    plain_engine: Engine, inputs: list[tuple[str | None, str | None, float, bool]]
) -> None:
    with writing(plain_engine) as connection:
        connection.execute(Alarm.__table__.delete())  # type: ignore[attr-defined]
    street = Street(plain_engine)
    street.say(camera())
    for state, level, seconds, restart in inputs:
        if state is None:
            street.fall_silent()
        else:
            street.say(camera(state=state, since=street.now - seconds, approaches=[approach(level=level)]))
        if restart:
            street.restart()
        street.wait(seconds, step=25.0)
        with reading(plain_engine) as connection:
            rows = connection.execute(select(Alarm.subject, Alarm.raised_at, Alarm.cleared_at)).all()
        open_ones = Counter(row.subject for row in rows if row.cleared_at is None)
        assert all(number == 1 for number in open_ones.values())
        by_subject: dict[str, list[Any]] = {}
        for row in sorted(rows, key=lambda row: row.raised_at):
            by_subject.setdefault(row.subject, []).append(row)
        for each in by_subject.values():
            for one, following in itertools.pairwise(each):
                assert one.cleared_at is not None
                assert following.raised_at - one.cleared_at > timedelta(seconds=60)


def test_the_same_in_both_databases(url: str) -> None:
    engine = connect(url)
    street = Street(engine)
    street.say(jammed(), camera("cam2", state="offline", since=BEGIN - 100))
    assert told(street.wait(4)) == [("raised", "camera_lost")]
    assert told(street.wait(200, step=20)) == [("raised", "jam")]
    with writing(engine) as connection:
        put = store.put_rule(
            connection, "jam", "hoa-ban", enabled=True, settings={"levels": ["slow", "jammed"]}
        )
        assert (
            store.put_rule(connection, "jam", "hoa-ban", enabled=True, settings={"levels": ["slow"]}) != put
        )
        rows = store.history(connection, is_open=True)
        assert store.acknowledge(connection, rows[0]["id"], "an", "Đã báo") is not None
        before = (rows[0]["raised_at"], rows[0]["id"])
        assert [row["kind"] for row in store.history(connection, before=before)] == ["camera_lost"]
        exclude(connection, at(BEGIN), at(BEGIN + 9e3), reason="roadworks", author="an", camera="cam2")
    tell(street, **incident("wrong_way", street.now - 5, street.now - 2))
    street.restart()
    changes = street.wait(200, step=20)
    assert sorted(told(changes)) == [("cleared", "camera_lost"), ("cleared", "jam"), ("raised", "wrong_way")]
    street.say(camera(approaches=[approach(level="slow")]))
    assert ("reopened", "jam") not in told(street.wait(200, step=20)), "too late to be the same"
    engine.dispose()


def test_two_services_on_one_database_raise_it_once(street: Street) -> None:
    other = Street(street.engine)
    for each in (street, other):
        each.say(camera(state="offline", since=BEGIN - 100))
    assert len(street.wait(4) + other.wait(4)) == 1


def test_the_watch_publishes_and_survives_a_database_that_is_away(
    tmp_path: Path, plain_engine: Engine
) -> None:
    with writing(plain_engine) as connection:
        connection.execute(Alarm.__table__.delete())  # type: ignore[attr-defined]
    now = [BEGIN]
    hub = LiveHub(lambda: now[0])
    published: list[str] = []
    watch = AlarmWatch(
        plain_engine, hub, [tmp_path], lambda each: published.append(each.happened), lambda: now[0]
    )
    report = Street(plain_engine).say(camera(state="offline", since=BEGIN - 100)).snapshot().workers[0].report
    hub.take(report, 1)
    watch.look()
    now[0] += 2
    watch.look()
    assert published == ["raised"]
    away = AlarmWatch(connect(f"sqlite:///{tmp_path}/no-tables.db"), hub, [], None, lambda: now[0])
    assert away.look() == []
