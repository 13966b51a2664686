"""Parts of live analysis on their own, with time that the test gives."""

import threading
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from service.live.frames import AdaptiveRate, Anchor, WaitingFrames
from service.live.gathering import GatheringOutbox
from service.live.history import History
from service.live.plan import entries_at
from service.live.state import Backoff, CameraMachine, Link, Picture
from service.live.supervisor import LiveSettings, Supervisor, _lock, share_out
from service.live.tally import Tally
from service.live.waiting import OutboxWatch
from service.registry import Version
from service.storage.outbox import OutboxFullError
from tests.service.live.streets import city_of
from vision import Crossing, Frame, NgatuError, VehicleClass

GOOD = Picture()


def seen_at(machine: CameraMachine, moments: list[tuple[float, Link, Picture]]) -> list[str]:
    return [machine.see(now, link, picture) for now, link, picture in moments]


def test_a_camera_that_comes_goes_and_comes_back() -> None:
    machine = CameraMachine(0.0)
    up = [(now / 4, Link(True, now / 4), GOOD) for now in range(4, 40)]
    assert set(seen_at(machine, up)) == {"live"}
    lost = Link(True, 9.75)
    told = dict(
        zip(range(40, 80), seen_at(machine, [(n / 4, lost, GOOD) for n in range(40, 80)]), strict=True)
    )
    assert told[40] == "live"
    first = {state: min(n for n in told if told[n] == state) / 4 - 9.75 for state in ("stalled", "offline")}
    assert first["stalled"] <= 3.25
    assert first["offline"] <= 8.25  # within 10 s
    assert machine.see(20.0, Link(True, 20.0), GOOD) == "live"
    names = [(each.state, each.start, each.end) for each in machine.finished()]
    assert names == [
        ("connecting", 0.0, 1.0),
        ("live", 1.0, 9.75),
        ("stalled", 9.75, 17.75),
        ("offline", 17.75, 20.0),
    ]


@pytest.mark.parametrize(
    ("link", "state", "reason"),
    [
        (Link(), "connecting", "connecting"),
        (Link(failure="the camera refuses this user name", refused=True), "offline", "refuses"),
        (Link(False, 9.5, "it closed the stream"), "stalled", "closed"),
        (Link(False, 6.0, "nothing answers", True), "offline", "nothing answers"),
        (Link(True, 6.5), "stalled", "no picture"),
        (Link(True, 1.0), "offline", "no picture"),
    ],
)
def test_states_of_a_connection(link: Link, state: str, reason: str) -> None:
    machine = CameraMachine(9.0 if link.last_frame is None else 0.0)
    if link.last_frame is not None:
        machine.see(link.last_frame, Link(True, link.last_frame), GOOD)
    assert machine.see(10.0, link, GOOD) == state
    assert reason in machine.now_in.reason


def test_what_is_wrong_with_the_picture_begins_before_it_is_certain() -> None:
    machine = CameraMachine(0.0)
    machine.see(1.0, Link(True, 1.0), GOOD)
    assert machine.see(31.0, Link(True, 31.0), Picture("blocked", 17.0, "covered")) == "blocked"
    assert machine.now_in.start == 17.0
    assert machine.finished()[-1].end == 17.0
    # Beginnings never go back in time: rows of the history would run into each other.
    assert machine.see(31.5, Link(True, 31.5), Picture("dark", 3.0, "dark")) == "dark"
    assert machine.now_in.start > 17.0


def test_the_history_is_one_row_a_stretch_confirmed_while_it_lasts() -> None:
    machine, history = CameraMachine(0.0), History("cam1")
    rows: list[dict[str, Any]] = []
    for tick in range(4, 400):
        now = tick / 4
        machine.see(now, Link(True, now), GOOD)
        rows += history.rows(machine, now, {"width": 640})
    starts = [row["started_at_us"] for row in rows if row["state"] == "ok"]
    assert set(starts) == {1_000_000}
    assert len(starts) == 7  # every 15 s in 99 s
    machine.stop(101.0)
    (last,) = history.last_rows(machine, {})
    assert (last["ended_at_us"], last["seen_at_us"]) == (101_000_000, 101_000_000)


def test_waits_grow_with_jitter_and_stay_short_enough() -> None:
    longest, shortest = Backoff(lambda: 1.0), Backoff(lambda: 0.0)
    assert [longest.failed() for _ in range(5)] == [0.5, 1.0, 2.0, 2.5, 2.5]
    assert [shortest.failed() for _ in range(3)] == [0.25, 0.5, 1.0]
    assert [longest.failed(60.0) for _ in range(4)][-1] == 60.0  # a refused login must not lock the account
    longest.worked()
    assert longest.failed() == 0.5


def frame(time: float) -> Frame:
    return Frame(np.zeros((2, 2, 3), np.uint8), time, 0)


def test_cameras_take_turns_and_the_oldest_frames_give_way() -> None:
    now = [100.0]
    waiting = WaitingFrames(lambda: now[0], most=3)
    for time in (99.5, 99.6, 99.7, 99.8):
        waiting.put("a", frame(time))
    waiting.put("b", frame(99.65))
    taken = [waiting.take(0) for _ in range(4)]
    assert [(name, each.time) for name, each in filter(None, taken)] == [
        ("a", 99.6),
        ("b", 99.65),  # longest not looked at
        ("a", 99.7),
        ("a", 99.8),
    ]
    assert waiting.take(0) is None
    assert (waiting.dropped("a"), waiting.dropped("b")) == (1, 0)
    waiting.put("b", frame(99.9))
    now[0] = 101.0
    assert waiting.take(0) is None  # it would be too late
    assert waiting.dropped("b") == 1


def test_where_an_analysis_takes_long_none_is_begun_late() -> None:
    now = [100.0]
    waiting = WaitingFrames(lambda: now[0])
    waiting.put("a", frame(99.3))
    waiting.took(0.4)  # it would be 1.1 s old when it is through
    assert waiting.take(0) is None
    for _ in range(100):
        waiting.took(0.01)
    waiting.put("a", frame(99.3))
    assert waiting.take(0) is not None


def test_no_camera_starves_when_there_is_too_much() -> None:
    now = [0.0]
    waiting = WaitingFrames(lambda: now[0])
    done = {"a": 0, "b": 0, "c": 0}
    for tick in range(1000):  # 30 frames a second come, 10 can be analysed
        now[0] = tick / 30
        waiting.put("abc"[tick % 3], frame(now[0]))
        if tick % 3 == 0 and (taken := waiting.take(0)):
            assert now[0] - taken[1].time < 1.0
            done[taken[0]] += 1
    assert sum(done.values()) == pytest.approx(334, abs=3)
    assert min(done.values()) > 100


def test_the_rate_falls_before_frames_are_late_and_rises_again() -> None:
    rate = AdaptiveRate(10.0)
    one_busy_second = (0.8, 0.8, 1.0, 0.8, 0.9)
    assert {rate.look(busy, 0) for busy in one_busy_second} == {10.0}
    full = AdaptiveRate(10.0)
    assert [full.look(1.0, 0), full.look(1.0, 0)] == [10.0, pytest.approx(9.0)]
    rate = AdaptiveRate(10.0)
    falling = [rate.look(0.95, 0) for _ in range(50)]
    assert falling[3] == 10.0
    assert falling[4] == pytest.approx(9.0)
    assert falling[-1] == 5.0  # never below
    rising = [rate.look(0.3, 0) for _ in range(60)]
    assert rising[3] == 5.0
    assert rising[-1] == 10.0
    assert rate.look(0.3, 1) == pytest.approx(9.0)


def test_clocks_that_drift_are_followed_and_late_pictures_are_not() -> None:
    # A burst at the beginning dates everything 0.3 s too late: the first that comes before its time tells.
    anchor = Anchor()
    assert anchor.place(0.3, 0.0) == 0.0
    assert anchor.place(10.3, 10.0) == pytest.approx(10.0)
    # A camera whose clock is slow by 100 s in a million: a week later its pictures are still dated right.
    anchor, worst = Anchor(), 0.0
    for second in range(0, 7 * 86_400, 2):
        now = float(second)
        worst = max(worst, now - anchor.place(now * (1 - 100e-6), now))
    assert worst < 0.1
    # A network that falls behind by 0.1 s each second is seen as that.
    anchor = Anchor()
    late = [second - anchor.place(second * 0.9, float(second)) for second in range(30)]
    assert late[-1] > 2.5


def test_cameras_are_shared_out_by_cost_and_stay_where_they_are() -> None:
    costs = {"big": 9.0, "a": 3.0, "b": 3.0, "c": 3.0}
    first = share_out(["a", "b", "big", "c"], 2, costs)
    assert sorted(map(sorted, first)) == [["a", "b", "c"], ["big"]]
    second = share_out(["a", "big", "new", "c"], 2, costs, first)
    assert {"a", "c"} <= set(second[first.index(next(each for each in first if "a" in each))])
    assert sum(map(len, second)) == 4
    assert share_out([], 2, {}) == [[], []]
    assert sorted(len(each) for each in share_out([str(n) for n in range(10)], 3, {})) == [3, 3, 4]


def test_a_folder_belongs_to_one_supervisor(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    settings = LiveSettings(folder=tmp_path / "live")
    url = f"sqlite:///{tmp_path / 'ngatu.db'}"
    Supervisor(url, settings).run(stop)
    with _lock(settings.folder), pytest.raises(NgatuError, match="another ngatu live runs"):
        Supervisor(url, settings).run(stop)


def test_counts_begin_anew_at_midnight_and_keep_the_last_minute() -> None:
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    midnight = 1_773_162_000.0  # 2026-03-11 00:00 there
    tally = Tally(midnight - 3600, zone)

    def crossing(time: float) -> Crossing:
        return Crossing(time, "g", "in", VehicleClass.CAR, 0.9, (0.5, 0.5), 1, "g-h", "g")

    tally.add([crossing(midnight - 30), crossing(midnight - 20)])
    before = tally.report(midnight - 1)
    assert before["counts"] == {"g": {"in": {"car": 2}}}
    assert before["movements"] == {"g-h": {"car": 2}}
    tally.add([crossing(midnight + 5)])
    after = tally.report(midnight + 6)
    assert after["counts"] == {"g": {"in": {"car": 1}}}
    assert after["counts_since"] == midnight
    assert after["last_minute"] == {"car": 3}
    assert tally.report(midnight + 66)["last_minute"] == {}
    assert len(tally.fresh) == 3


def test_what_the_registry_asks_of_each_camera() -> None:
    city = city_of({"cam1": "rtsp://a/", "bare": "rtsp://b/", "park": "rtsp://c/"})
    history = {ref: (Version(record, 0.0),) for ref, record in city.items()}
    entries = entries_at(history, 1.0)
    assert [each.view is not None for each in entries.values()] == [False, True, False]
    assert "no view" in entries["bare"].why
    assert "public area" in entries["park"].why
    assert entries_at(history, -1.0) == {}


def test_a_full_outbox_keeps_what_was_gathered_and_tells_how_long_it_waits(tmp_path: Path) -> None:
    with GatheringOutbox(tmp_path / "outbox.db", limit=200_000) as outbox:
        watch = OutboxWatch(outbox)
        assert watch.look(0.0).oldest_age_s is None
        outbox.put([("rows", {"text": "x" * 1000})])
        assert watch.look(1.0).waiting == 0
        outbox.flush()
        assert watch.look(2.0).waiting == 1
        assert watch.look(12.0).oldest_age_s == 10.0
        outbox.put([("rows", {"text": "x" * 1000})] * 400)
        for _ in range(2):
            with pytest.raises(OutboxFullError):
                outbox.flush()
        outbox.done(outbox.oldest(10**7))
        assert watch.look(13.0).oldest_age_s is None
