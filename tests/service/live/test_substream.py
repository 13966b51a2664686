"""When a camera is read by its substream, with time that the test gives."""

from dataclasses import dataclass, field

import pytest

from service.live import substream
from service.live.history import History
from service.live.messages import Stream
from service.live.plan import Plan, entries_at
from service.live.state import CameraMachine, Link, Picture
from service.live.substream import AMPLE_S, BEHIND_S, NEXT_S, Relief, misfit
from service.registry import Version
from tests.service.live.streets import city_of

WANTED = 10.0


@dataclass
class TwoStreams:
    """A camera that reads at once what it is told to."""

    name: str
    load: float
    followed: bool = True
    has: bool = True
    stream: Stream = "main"
    told: list[str] = field(default_factory=list)

    def may_read(self, stream: Stream) -> bool:
        return stream != self.stream and (stream == "main" or self.has)

    def read_by(self, stream: Stream, why: str) -> None:
        self.stream = stream
        self.told.append(why)


class Clock:
    """Lets a worker look once a second."""

    def __init__(self, *cameras: TwoStreams) -> None:
        self.cameras = cameras
        self.relief = Relief(WANTED)
        self.now = 1000.0

    def run(self, seconds: float, fps: float, busy: float) -> None:
        for _ in range(round(seconds)):
            self.now += 1.0
            self.relief.look(self.now, fps, busy, self.cameras)

    def until(self, stream: Stream, fps: float, busy: float) -> float:
        """Seconds until the first camera reads a stream."""
        began = self.now
        while self.cameras[0].stream != stream:
            self.run(1, fps, busy)
            assert self.now < began + 100_000
        return self.now - began


def test_a_camera_is_read_by_its_substream_after_a_while_with_too_little_time() -> None:
    clock = Clock(TwoStreams("cam1", 1.0))
    clock.run(20, 7.0, 0.95)
    assert clock.cameras[0].stream == "main"
    assert clock.until("sub", 7.0, 0.95) == pytest.approx(BEHIND_S + 10 - 20, abs=2)
    assert clock.cameras[0].told == [
        "its substream is read: there was time for 7.0 of 10 frames a second only"
    ]


@pytest.mark.parametrize(
    ("fps", "busy"),
    [
        (10.0, 0.9),  # all is analysed
        (6.0, 0.4),  # frames came late over the network: there is time enough
    ],
)
def test_a_worker_that_has_time_changes_nothing(fps: float, busy: float) -> None:
    clock = Clock(TwoStreams("cam1", 1.0))
    clock.run(600, fps, busy)
    assert clock.cameras[0].told == []


def test_a_busy_moment_now_and_then_changes_nothing() -> None:
    clock = Clock(TwoStreams("cam1", 1.0))
    for _ in range(40):
        clock.run(10, 9.0, 1.0)
        clock.run(15, 10.0, 0.6)
    assert clock.cameras[0].told == []


def test_one_after_another_those_first_that_lose_least_and_gain_most() -> None:
    cameras = TwoStreams("small", 1.0), TwoStreams("large", 9.0), TwoStreams("park", 2.0, followed=False)
    clock = Clock(*cameras, TwoStreams("none", 20.0, has=False))
    order: list[str] = []
    for _ in range(120):
        clock.run(1, 6.0, 0.95)
        order += [each.name for each in cameras if each.stream == "sub" and each.name not in order]
        if len(order) == 1 and clock.now - 1000 < BEHIND_S + 10 + NEXT_S - 2:
            assert order == ["park"]
    assert order == ["park", "large", "small"]
    assert clock.cameras[3].told == []
    clock.run(AMPLE_S + 20, 10.0, 0.2)
    assert [each.name for each in cameras if each.stream == "main"] == ["small"]


def test_it_goes_back_only_after_long_and_later_each_time_it_was_too_soon() -> None:
    clock = Clock(TwoStreams("cam1", 1.0))
    waits: list[float] = []
    for _ in range(4):
        clock.until("sub", 6.0, 0.95)
        clock.run(300, 10.0, 0.7)  # enough, but not ample
        waits.append(clock.until("main", 10.0, 0.3))
    assert waits == pytest.approx([AMPLE_S, 2 * AMPLE_S, 4 * AMPLE_S, 8 * AMPLE_S], abs=20)
    assert clock.cameras[0].told[1] == "its main stream is read again: there was ample time for 10 minutes"
    # After a good time on the main stream it begins anew.
    clock.run(2 * substream.RELAPSE_S, 10.0, 0.3)
    clock.until("sub", 6.0, 0.95)
    assert clock.until("main", 10.0, 0.3) == pytest.approx(AMPLE_S, abs=20)


def test_what_is_ample_is_counted_since_it_was_last_too_little() -> None:
    clock = Clock(TwoStreams("cam1", 1.0))
    clock.until("sub", 6.0, 0.95)
    for _ in range(5):
        clock.run(AMPLE_S - 100, 10.0, 0.3)
        clock.run(15, 8.0, 1.0)
    assert clock.cameras[0].stream == "sub"


@pytest.mark.parametrize(
    ("main", "sub", "words"),
    [
        ((1920, 1080), (640, 360), ""),
        ((2688, 1520), (640, 360), ""),  # half a hundredth
        ((2592, 1944), (640, 480), ""),
        ((1920, 1080), (640, 480), "640x480, of another shape than the main stream's 1920x1080"),
        ((1920, 1080), (704, 576), "gates might lie beside the road"),
        ((640, 360), (640, 360), "no smaller than the main stream's 640x360"),
    ],
)
def test_a_substream_shows_the_same_picture_smaller(
    main: tuple[int, int], sub: tuple[int, int], words: str
) -> None:
    assert words in misfit(main, sub)
    assert bool(words) == bool(misfit(main, sub))


def test_each_change_of_stream_begins_a_line_of_the_history_with_its_reason() -> None:
    machine, history = CameraMachine(0.0), History("cam1")
    rows = []
    notes = [(40, ""), (80, "its substream is read"), (120, "its main stream is read again")]
    for tick in range(4, 120):
        now = tick / 4
        note = next(each for until, each in notes if tick < until)
        why = "no view is drawn" if tick > 100 else ""
        assert machine.see(now, Link(True, now, note=note), Picture(reason=why)) == "live"
        rows += history.rows(machine, now, {})
    last = {row["started_at_us"]: (row["state"], row["reason"], row["ended_at_us"]) for row in rows}
    assert last == {
        0: ("connecting", "", 1_000_000),
        1_000_000: ("ok", "", 10_000_000),
        10_000_000: ("ok", "its substream is read", 20_000_000),
        20_000_000: ("ok", "no view is drawn; its main stream is read again", None),
    }


def test_a_fault_that_lasts_through_a_change_of_stream_goes_on() -> None:
    machine = CameraMachine(0.0)
    machine.see(1.0, Link(True, 1.0), Picture())
    frozen = Picture("frozen", 5.0, "it repeats")
    machine.see(25.0, Link(True, 25.0), frozen)
    machine.see(30.0, Link(True, 30.0, note="its main stream is read again"), frozen)
    assert (machine.finished()[-1].start, machine.now_in.start) == (5.0, 30.0)


def test_the_registry_says_where_the_substream_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SUB", "s3cret")
    city = city_of({"cam1": "rtsp://127.0.0.1/1", "park": "rtsp://127.0.0.1/3"})
    camera = city["cameras", "cam1"].model_copy(update={"substream": "rtsp://v:${TEST_SUB}@127.0.0.1/2"})
    city["cameras", "cam1"] = camera
    entries = entries_at({ref: (Version(record, 0.0),) for ref, record in city.items()}, 1.0)
    plan = Plan(1, entries)
    assert plan.address("cam1", "sub") == "rtsp://v:s3cret@127.0.0.1/2"
    assert plan.address("cam1") == "rtsp://127.0.0.1/1"
    assert entries["park"].substream == ""
    monkeypatch.setenv("NGATU_CAMERA_NETWORKS", "10.0.0.0/8")
    with pytest.raises(Exception, match="this machine"):
        plan.address("cam1", "sub")
