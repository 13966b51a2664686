"""The sender: told once, told again when revised, kept while the receiver is away, never in anybody's way."""

import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, update

from service.alarms.store import acknowledge, clear, insert_alarm
from service.api.hub import LiveHub
from service.feeds.changes import alarm_items, interval_items
from service.feeds.queue import MOST_REFUSED, FeedQueue
from service.feeds.receiver import AgainError, FeedError, Item, Look, Receiver, ReceiverSettings, RefusedError
from service.feeds.running import Feeds
from service.feeds.sender import LONGEST_WAIT, Sender
from service.feeds.settings import load_receivers
from service.storage.connect import writing
from service.storage.intervals import put_intervals
from service.storage.tables import ApproachInterval
from tests.service.api.conftest import NOW, As, Clock
from tests.service.storage.traffic import NINE, interval, segment


class Told(Receiver[ReceiverSettings]):
    """Writes down what it is told; may be away, refuse something, or take its time."""

    KIND = "told"
    SETTINGS = ReceiverSettings

    def __init__(self, **settings: Any) -> None:
        super().__init__(ReceiverSettings(kind="told", name="told", **{"backfill_hours": 12.0, **settings}))
        self.items: list[Item] = []
        self.away = False
        self.refused = ""
        self.tries = 0
        self.hold = threading.Event()
        self.hold.set()

    def collect(self, look: Look) -> Iterable[Item]:
        yield from alarm_items(look, self.settings.sites)
        if look.figures:
            yield from interval_items(look, 900, self.settings.sites)

    def deliver(self, items: Sequence[Item]) -> None:
        self.tries += 1
        self.hold.wait(30)
        if self.away:
            raise AgainError("nobody there")
        if self.refused and any(self.refused in each.key for each in items):
            raise RefusedError("not this one")
        self.items += items


def alarm(engine: Engine) -> dict[str, Any]:
    with writing(engine) as connection:
        return insert_alarm(
            connection,
            {
                "subject": "camera_lost square cam1",
                "kind": "camera_lost",
                "severity": "warning",
                "site_id": "square",
                "approach_id": None,
                "camera_id": "cam1",
                "raised_at": NOW,
                "details": {},
            },
        )


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def sender(told: Told, engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path) -> Sender:
    return Sender(told, engine, hub, tmp_path / "told.db", clock=clock)


def test_each_closed_interval_is_told_once(sender: Sender, told: Told, clock: Clock) -> None:
    with sender.open_queue() as queue:
        for _ in range(3):
            sender.turn(queue)
            clock.now += 61
    assert len(told.items) == len({each.key for each in told.items}) == 8
    first = told.items[0]
    assert first.content["count"] == 270
    assert first.content["by_class"]["motorcycle"]["count"] == 270
    assert first.content["revision"] == 1


def test_a_revised_interval_is_told_again(sender: Sender, told: Told, engine: Engine, clock: Clock) -> None:
    with sender.open_queue() as queue:
        sender.turn(queue)
        # Ten seconds come again with other sums, long after their quarter was closed.
        late = interval("north", NINE + timedelta(minutes=20), entered=9)
        head = {"segment": segment().id.hex, "camera": "cam1", "site": "square"}
        with writing(engine) as connection:
            put_intervals(connection, [{**head, "rows": [{"sums": late.as_dict(), "final": True}]}])
        clock.now += 61
        sender.turn(queue)
        # An ordinary look reaches two hours back; bit by bit what is older is gone through as well.
        for _ in range(12):
            clock.now += 61
            sender.turn(queue)
    again = told.items[8:]
    assert [each.key for each in again] == ["approach/square/north/900/2026-03-10T09:15:00Z"]
    assert again[0].content["revision"] == 2
    assert again[0].content["count"] == 276
    assert again[0].id != next(each for each in told.items if each.key == again[0].key).id


def test_what_nobody_closed_is_told_when_its_time_is_over(
    sender: Sender, told: Told, engine: Engine, clock: Clock
) -> None:
    with writing(engine) as connection:
        connection.execute(update(ApproachInterval).where(ApproachInterval.length == 900).values(final=False))
    clock.now = (NINE + timedelta(minutes=16)).timestamp()
    with sender.open_queue() as queue:
        sender.turn(queue)
        assert told.items == []
        clock.now += 300
        sender.turn(queue)
    assert {each.content["start"] for each in told.items} == {"2026-03-10T09:00:00Z"}
    assert not any(each.content["final"] for each in told.items)


def test_an_alarm_has_one_id_from_its_beginning_to_its_end(
    sender: Sender, told: Told, engine: Engine, clock: Clock
) -> None:
    with sender.open_queue() as queue:
        row = alarm(engine)
        sender.turn(queue)
        with writing(engine) as connection:
            seen = acknowledge(connection, row["id"], "operator", "on the way")
        clock.now += 3
        sender.turn(queue)
        assert seen is not None
        with writing(engine) as connection:
            clear(connection, seen, clock.now, "over")
        clock.now += 3
        sender.turn(queue)
        clock.now += 3
        sender.turn(queue)
    alarms = [each.content for each in told.items if each.topic == "alarm"]
    assert [each["event"] for each in alarms] == ["new", "update", "end"]
    assert {each["id"] for each in alarms} == {str(row["id"])}
    assert [each["revision"] for each in alarms] == [1, 2, 3]


def test_nothing_is_lost_while_the_receiver_is_away(
    sender: Sender, told: Told, engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path
) -> None:
    told.away = True
    with sender.open_queue() as queue:
        sender.turn(queue)
        tries = told.tries
        sender.turn(queue)
        assert told.tries == tries, "it waits before it tries again"
        assert sender.state.problem == "nobody there"
        assert sender.state.queue is not None
        assert sender.state.queue.waiting == 8
        waits = []
        for _ in range(12):
            began = clock.now
            while told.tries == tries:
                clock.now += 1
                sender.turn(queue)
            tries = told.tries
            waits.append(clock.now - began)
    assert waits[0] <= 2
    assert waits == sorted(waits)
    assert waits[-1] <= LONGEST_WAIT + 1
    # The service starts anew, and the receiver is back.
    back = Told()
    after = Sender(back, engine, hub, tmp_path / "told.db", clock=clock)
    with after.open_queue() as queue:
        after.turn(queue)
        assert queue.state().waiting == 0
    assert len(back.items) == 8
    assert after.state.delivered == 8


def test_what_was_revised_while_the_service_was_down_is_found(
    sender: Sender, engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path
) -> None:
    with sender.open_queue() as queue:
        sender.turn(queue)
    late = interval("south", NINE + timedelta(minutes=1), entered=1)
    head = {"segment": segment().id.hex, "camera": "cam1", "site": "square"}
    with writing(engine) as connection:
        put_intervals(connection, [{**head, "rows": [{"sums": late.as_dict(), "final": True}]}])
    clock.now += 86_400  # a day later it runs again
    told = Told()
    after = Sender(told, engine, hub, tmp_path / "told.db", clock=clock)
    with after.open_queue() as queue:
        for _ in range(100):
            after.turn(queue)
            clock.now += 11
    assert [each.key for each in told.items] == ["approach/square/south/900/2026-03-10T09:00:00Z"]
    assert told.items[0].content["count"] == 268


def test_a_refused_item_holds_nobody_up(sender: Sender, told: Told, tmp_path: Path) -> None:
    told.refused = "south/900/2026-03-10T09:30"
    with sender.open_queue() as queue:
        sender.turn(queue)
        state = queue.state()
    assert len(told.items) == 7
    assert (state.waiting, state.refused) == (0, 1)
    with sqlite3.connect(tmp_path / "told.db") as file:
        ((error,),) = file.execute("SELECT error FROM refused").fetchall()
    assert error == "not this one"


def test_a_full_queue_takes_the_rest_later(tmp_path: Path) -> None:
    items = [Item(f"approach/{n}", "1", {"text": "x" * 2000}) for n in range(400)]
    with FeedQueue(tmp_path / "q.db", limit=2**19) as queue:
        took = queue.put_new(items, 1.0)
        assert 0 < took < 400
        assert queue.state().full
        seen: list[Item] = []
        for _ in range(100):
            waiting = queue.oldest(50)
            if not waiting:
                break
            seen += [each.item for each in waiting]
            queue.done(waiting)
            queue.put_new(items, 2.0)
        assert [each.key for each in seen] == [each.key for each in items]
        assert (tmp_path / "q.db").stat().st_size <= 2**19


def test_a_look_without_news_writes_nothing(tmp_path: Path) -> None:
    items = [Item(f"camera/{n}", "live", {}) for n in range(80)]
    with FeedQueue(tmp_path / "q.db") as queue:
        assert queue.put_new(items, 1.0) == 80
        with sqlite3.connect(tmp_path / "q.db") as other:
            (before,) = other.execute("PRAGMA data_version").fetchone()
            assert queue.put_new(items, 3.0) == 0
            (after,) = other.execute("PRAGMA data_version").fetchone()
    assert before == after


def test_refused_items_are_bounded(tmp_path: Path) -> None:
    with FeedQueue(tmp_path / "q.db") as queue:
        queue.put_new([Item(f"a/{n}", "1", {}) for n in range(MOST_REFUSED + 20)], 1.0)
        for each in queue.oldest(MOST_REFUSED + 20):
            queue.refuse(each, "no")
        assert queue.state().refused == MOST_REFUSED


def test_a_new_receiver_is_not_told_all_that_ever_was(
    engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path
) -> None:
    told = Told(backfill_hours=2.5)
    sender = Sender(told, engine, hub, tmp_path / "q.db", clock=clock)
    with sender.open_queue() as queue:
        sender.turn(queue)
        clock.now += 3601
        sender.turn(queue)
    # It is noon: of the hour from nine to ten what began a quarter before half past nine or later.
    assert {each.content["start"][11:16] for each in told.items} == {"09:15", "09:30", "09:45"}


def test_a_stuck_receiver_stops_nobody(engine: Engine, hub: LiveHub, clock: Clock, tmp_path: Path) -> None:
    stuck, other = Told(), Told()
    stuck.hold.clear()
    senders = [
        Sender(stuck, engine, hub, tmp_path / "stuck.db", clock=clock),
        Sender(other, engine, hub, tmp_path / "other.db", clock=clock),
    ]
    for each in senders:
        each.start()
    try:
        until = time.monotonic() + 30
        while len(other.items) < 8 or not stuck.tries:
            assert time.monotonic() < until
            time.sleep(0.02)
        began = time.monotonic()
        alarm(engine)  # whoever writes to the database is not held up
        assert time.monotonic() - began < 5
        assert stuck.items == []
    finally:
        stuck.hold.set()
        for each in senders:
            each.stop()
    assert not any(each.is_alive() for each in senders)


def test_a_file_of_receivers(tmp_path: Path, engine: Engine, hub: LiveHub) -> None:
    file = tmp_path / "feeds.yaml"
    file.write_text(
        "receivers:\n"
        "  - {kind: ngsi-ld, name: city, url: 'http://127.0.0.1:1026'}\n"
        "  - {kind: mqtt, name: ops, host: 127.0.0.1, tls: false}\n"
    )
    assert [each.settings.name for each in load_receivers(file)] == ["city", "ops"]
    assert [each.name for each in Feeds.configured(engine, hub, tmp_path, "UTC").states] == ["city", "ops"]
    assert Feeds.configured(engine, hub, tmp_path / "elsewhere", "UTC").states == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("receivers: [", "cannot read"),
        ("- a", "it has one list, 'receivers'"),
        (
            "receivers: [{kind: fax, name: a}]",
            r"receivers\[0\].kind: 'fax' is not known; write one of ngsi-ld",
        ),
        ("receivers: [{kind: mqtt, name: a}]", r"receivers\[0\].host: Field required"),
        ("receivers: [{kind: mqtt, name: a, host: b, colour: red}]", r"receivers\[0\].colour: Extra inputs"),
        ("receivers: [{kind: mqtt, name: a/b, host: b}]", r"receivers\[0\].name: String should match"),
        (
            "receivers: [{kind: mqtt, name: a, host: b, user: u, password: p, tls: false}]",
            "the password would pass in clear",
        ),
        (
            "receivers: [{kind: mqtt, name: a, host: b}, {kind: mqtt, name: a, host: c}]",
            "two receivers are called 'a'",
        ),
    ],
)
def test_a_wrong_file_is_told_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "feeds.yaml"
    file.write_text(text)
    with pytest.raises(FeedError, match=said) as raised:
        load_receivers(file)
    assert "feeds.yaml" in str(raised.value)


def test_operators_see_how_receivers_are_doing(
    app: FastAPI, as_role: As, sender: Sender, told: Told, engine: Engine, hub: LiveHub, tmp_path: Path
) -> None:
    assert as_role("operator").get("/v1/feeds").json()["items"] == []
    told.away = True
    feeds = Feeds([], engine, hub, tmp_path)
    feeds.senders.append(sender)
    app.state.feeds = feeds
    with sender.open_queue() as queue:
        sender.turn(queue)
    (row,) = as_role("operator").get("/v1/feeds").json()["items"]
    assert (row["state"], row["problem"], row["waiting"]) == ("waiting", "nobody there", 8)
    assert as_role("viewer").get("/v1/feeds").status_code == 403
