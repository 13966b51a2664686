"""The page of ``ngatu tally`` in a real browser: what is seen, what keys do, and what the file then holds."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from service.tally.app import Tally, create_app
from service.tally.command import _listening
from service.tally.pictures import Pictures
from service.tally.sheet import COLUMNS, ClipFacts, Sheet
from tests.conftest import MakeClip, picture
from vision import VehicleClass, load_view
from vision.accuracy import Event, read_events
from vision.sources import open_clip

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    NewPage = Callable[..., Page]

pytestmark = pytest.mark.browser

COUNT = 150
TIMES = [round(n * 0.04 + (n % 5) * 0.004, 3) for n in range(COUNT)]
NAME = "cam_20260310_073000.mp4"
VIEW = """
gates:
- {id: north, name: nhánh Bắc, line: [[0.1, 0.3], [0.9, 0.3]]}
- {id: south, line: [[0.9, 0.7], [0.1, 0.7]]}
- {id: west, line: [[0.1, 0.7], [0.1, 0.3]]}
movements:
- {id: down, from: north, to: south, turn: through}
"""


class Counting:
    """A page of ``ngatu tally`` and its file."""

    def __init__(self, page: "Page", address: str, file: Path) -> None:
        self.page, self.address, self.file = page, address, file
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        self.open()

    def open(self) -> None:
        self.page.goto(self.address)
        self.page.wait_for_selector("#stage[data-frame]")

    def keys(self, *keys: str) -> None:
        """Press keys, and wait after each until what it set off has come to rest."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")

    @property
    def frame(self) -> int:
        """Number of the frame that the page says it shows."""
        return int(self.page.get_attribute("#stage", "data-frame") or -1)

    def see(self, frame: int) -> None:
        """Wait for a frame, and make sure that it is the one in the picture."""
        self.page.wait_for_selector(f"#stage[data-frame='{frame}']")
        script = (
            "() => document.getElementById('picture').getContext('2d').getImageData(60, 80, 1, 1).data[1]"
        )
        assert self.page.evaluate(script) == pytest.approx(picture(frame)[80, 60, 1], abs=4)

    def wait_for_marks(self, count: int) -> None:
        self.page.wait_for_function(f"() => document.querySelectorAll('.mark').length === {count}")

    def wait_for_stretch(self, stretch: str, seconds: float = 10.0) -> None:
        """Wait until the file says what was counted: the page shows it before it is kept."""
        line, end = f"# counted: {stretch}\n", time.monotonic() + seconds
        while line not in (text := self.file.read_text(encoding="utf-8")):
            assert time.monotonic() < end, text
            time.sleep(0.05)

    @property
    def events(self) -> list[Event]:
        return read_events(self.file)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The server, in a thread of its own; gives its address."""
    view = load_view(folder / "view.yaml")
    with open_clip(folder / NAME) as clip, _listening(0) as listener:
        facts = ClipFacts(NAME, clip.start, clip.times)
        sheet = Sheet(folder / "manual.csv", facts, [gate.id for gate in view.gates])
        app = create_app(Tally(clip, view, sheet, Pictures(clip), "Asia/Ho_Chi_Minh"), "token")
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/#token"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def command(folder: Path) -> Iterator[str]:
    """``ngatu tally`` as a process of its own, killed in the end as by a power cut; gives its address."""
    line = [sys.executable, "-m", "service.cli", "tally", str(folder / NAME), "--no-open"]
    line += ["--view", str(folder / "view.yaml"), "--out", str(folder / "manual.csv")]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = "".join(process.stdout.readline() for _ in range(3))
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+/#\S+", said)
            assert found, said
            yield found[0]
        finally:
            process.kill()


@pytest.fixture(scope="module")
def clip_file(make_clip: MakeClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / NAME
    return make_clip(path, COUNT, times=TIMES, options={"g": "50"})


@pytest.fixture
def folder(clip_file: Path, tmp_path: Path) -> Path:
    """A folder with the clip and its view, where the count is to go."""
    (tmp_path / NAME).symlink_to(clip_file)
    (tmp_path / "view.yaml").write_text(VIEW, encoding="utf-8")
    return tmp_path


@pytest.fixture
def new_page(browser: "Browser") -> "Iterator[NewPage]":
    contexts = []

    def make(language: str = "en-GB") -> "Page":
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 720}, locale=language))
        return contexts[-1].new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def count(folder: Path, new_page: "NewPage") -> Iterator[Counting]:
    with serving(folder) as address:
        yield Counting(new_page(), address, folder / "manual.csv")


def test_a_count_by_keyboard_survives_reload_and_crash_and_is_read_back(
    folder: Path, new_page: "NewPage"
) -> None:
    with command(folder) as address:
        count = Counting(new_page(), address, folder / "manual.csv")
        count.see(0)
        count.keys("ArrowRight", "ArrowRight", ".", "m")
        count.see(3)
        count.keys("2", "Shift+ArrowRight")
        count.page.wait_for_function("() => Number(document.getElementById('stage').dataset.frame) > 20")
        second = count.frame
        count.see(second)
        count.keys("c")
        count.wait_for_marks(2)
        count.page.reload()
        count.wait_for_marks(2)
        count.see(second)
        count.keys(",", "o", "b")
        count.wait_for_marks(3)
        count.see(second - 1)
    expected = [
        Event(TIMES[3], "north", "in", VehicleClass.MOTORCYCLE),
        Event(TIMES[second - 1], "north", "out", VehicleClass.BUS),
        Event(TIMES[second], "south", "in", VehicleClass.CAR),
    ]
    assert TIMES[second] - TIMES[3] == pytest.approx(1, abs=0.03)
    assert count.events == expected
    assert count.faults == []
    with serving(folder) as address:
        again = Counting(new_page(), address, folder / "manual.csv")
        again.wait_for_marks(3)
        again.keys("g", "2", "t")
        again.wait_for_marks(4)
    assert again.events == [*expected, Event(TIMES[second], "south", "in", VehicleClass.TRUCK)]
    text = again.file.read_text(encoding="utf-8")
    assert text.splitlines()[2] == ",".join(COLUMNS)
    assert "2026-03-10T00:30:00.132Z" in text


def test_marks_made_while_it_plays_have_the_time_of_the_picture(count: Counting) -> None:
    count.keys("+", " ")
    seen = []
    for number, key in enumerate("mcb", 1):
        count.page.wait_for_function(
            f"() => Number(document.getElementById('stage').dataset.frame) > {number * 12}"
        )
        before = count.frame
        count.keys(key)
        count.wait_for_marks(number)
        seen.append((before, count.frame))
    count.keys(" ")
    shown = count.frame
    assert shown < COUNT - 1
    count.see(shown)
    assert [event.vehicle_class.label for event in count.events] == ["motorcycle", "car", "bus"]
    for (before, after), event in zip(seen, count.events, strict=True):
        assert TIMES[before] <= event.time <= TIMES[after]
        assert event.time in TIMES
    end = float(re.findall(r"# counted: 0\.00-(\S+)", count.file.read_text(encoding="utf-8"))[0])
    assert end >= count.events[-1].time - 0.01


def test_it_plays_to_the_end_and_shows_each_frame(count: Counting) -> None:
    count.page.evaluate("""() => {
        window.seen = [];
        const stage = document.getElementById("stage");
        const note = () => window.seen.push(Number(stage.dataset.frame));
        new MutationObserver(note).observe(stage, {attributes: true});
    }""")
    count.keys(" ")
    count.page.wait_for_selector(f"#stage[data-frame='{COUNT - 1}']", timeout=30_000)
    assert count.page.evaluate("() => window.seen") == list(range(1, COUNT))
    count.page.wait_for_function("() => document.getElementById('play-words').textContent.includes('Play')")
    count.wait_for_stretch(f"0.00-{TIMES[-1]:.2f}")


def test_going_through_the_clip(count: Counting) -> None:
    count.keys("End")
    count.see(COUNT - 1)
    for key, frame in (
        ("ArrowLeft", 148),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", 149),
        ("j", 25),
        ("l", 149),
    ):
        count.keys(key)
        count.page.wait_for_function(
            f"() => Math.abs(Number(document.getElementById('stage').dataset.frame) - {frame}) <= 1"
        )
        count.see(count.frame)


def test_mistakes_are_mended_from_the_keyboard(count: Counting) -> None:
    count.keys("m", "ArrowRight", "c", "ArrowRight", "y")
    count.wait_for_marks(3)
    count.keys("Shift+T", "q", "ArrowUp")
    count.see(1)
    count.keys("Delete")
    count.wait_for_marks(2)
    assert [(e.time, e.vehicle_class.label) for e in count.events] == [(0, "motorcycle"), (TIMES[2], "truck")]
    assert ",truck,no,," in count.file.read_text(encoding="utf-8")
    count.keys("Control+z")
    count.wait_for_marks(3)
    count.keys("Backspace", "Backspace", "Backspace")
    count.wait_for_marks(2)
    assert [e.vehicle_class.label for e in count.events] == ["motorcycle", "car"]
    count.keys("ArrowUp", "Enter")
    count.page.keyboard.type("b")  # the list of classes has the focus
    count.keys("Tab", "Tab", "Tab", "Tab")
    count.page.keyboard.type("mc")
    count.keys("Enter", "Escape")
    assert ",mc," in count.file.read_text(encoding="utf-8")
    count.keys("c")
    count.wait_for_marks(3)


def test_a_mark_in_the_list_leads_back_to_its_frame(count: Counting) -> None:
    count.keys("ArrowRight", "t", "End", "m")
    count.wait_for_marks(2)
    count.page.click(".mark:first-child")
    count.see(1)
    count.keys("ArrowRight", "ArrowRight")
    count.see(3)
    count.page.click("[data-do=moveHere]")
    count.page.wait_for_function("() => document.querySelector('.mark').textContent.startsWith('0:00.132')")
    assert count.events[0].time == TIMES[3]


def test_gates_directions_and_movements(count: Counting) -> None:

    def chosen() -> str:
        return " ".join(count.page.inner_text("tr.chosen th").split())

    steps = [
        ("3", "3 west → in"), ("3", "west ← out"), ("Tab", "north ← out"), ("Shift+Tab", "west ← out"),
        ("i", "3 west → in"), ("2", "2 south → in"), ("Shift+Digit1", "south ← out"),
    ]  # fmt: skip
    for key, expected in steps:
        count.keys(key)
        assert chosen() == expected, key
    assert "through" in count.page.inner_text("#movement")
    count.keys("m", "0", "1", "o", "m")
    count.wait_for_marks(2)
    said = count.file.read_text(encoding="utf-8")
    assert re.findall(r"0\.000,(\w+),out,motorcycle,.*,(\w*)$", said, re.M) == [
        ("south", "down"),
        ("north", ""),
    ]
    cells = count.page.locator("tbody tr").nth(3).locator("td").all_inner_texts()
    assert cells == ["1", "0", "0", "0", "0", "0", "1"]


def test_the_keyboard_reaches_all_and_is_trapped_nowhere(count: Counting) -> None:
    focused = "() => document.activeElement.id || document.activeElement.dataset.do || 'other'"
    assert count.page.evaluate(focused) == "stage"
    count.keys("Tab")
    assert count.page.evaluate(focused) == "stage"
    count.keys("Escape")
    assert count.page.evaluate(focused) == "marks"
    passed = set()
    for _ in range(40):
        count.page.keyboard.press("Shift+Tab")
        passed.add(count.page.evaluate(focused))
        if passed >= {"stage"}:
            break
    assert {"origin", "undo", "seek", "play", "stage"} <= passed
    count.keys("Escape", "Escape")
    assert count.page.evaluate(focused) == "stage"
    count.keys("?")
    assert count.page.locator("#help").is_visible()
    count.keys("m", "Escape")
    assert not count.page.locator("#help").is_visible()
    assert count.page.evaluate(focused) == "stage"
    assert count.events == []


def test_it_speaks_the_browsers_language_and_can_be_told_another(folder: Path, new_page: "NewPage") -> None:
    with serving(folder) as address:
        count = Counting(new_page("vi-VN"), address, folder / "manual.csv")
        assert "Xe máy" in count.page.inner_text("#matrix thead")
        assert count.page.evaluate("() => document.documentElement.lang") == "vi"
        count.page.click("[data-language=en]")
        assert "Motorcycle" in count.page.inner_text("#matrix thead")
        count.page.reload()
        count.page.wait_for_selector("#stage[data-frame]")
        assert "Motorcycle" in count.page.inner_text("#matrix thead")


OUTSIDE = """() => [...document.querySelectorAll("body *:not(dialog, dialog *, svg *)")]
    .filter((e) => e.checkVisibility())
    .filter((e) => {
        const box = e.getBoundingClientRect();
        return box.right > innerWidth + 1 || box.bottom > innerHeight + 1 || box.left < -1;
    })
    .map((e) => e.outerHTML.slice(0, 80))"""
LINES = "() => new Set([...document.querySelectorAll('.transport button')].map((b) => b.offsetTop)).size"


def test_it_fits_its_window(count: Counting) -> None:
    count.keys("m")
    count.wait_for_marks(1)
    for language in ("en", "vi"):
        count.page.click(f"[data-language={language}]")
        for width, height in ((1280, 720), (1920, 1080), (2560, 1080)):
            count.page.set_viewport_size({"width": width, "height": height})
            assert count.page.evaluate(OUTSIDE) == [], (language, width)
            assert count.page.evaluate(LINES) == 1, (language, width)


def test_what_could_not_be_kept_is_said_and_not_shown_as_kept(folder: Path, new_page: "NewPage") -> None:
    with serving(folder) as address:
        count = Counting(new_page(), address, folder / "manual.csv")
        count.keys("m")
        count.wait_for_marks(1)
    count.page.keyboard.press("c")
    count.page.wait_for_selector("#alert:not([hidden])")
    assert "Not saved" in count.page.inner_text("#alert")
    assert count.page.locator(".mark").count() == 1
    assert len(count.events) == 1


def test_without_the_token_nothing_is_shown(count: Counting, new_page: "NewPage") -> None:
    stranger = new_page()
    stranger.goto(count.address.split("#")[0])
    stranger.wait_for_selector("#alert:not([hidden])")
    assert "Open the address that ngatu tally printed" in stranger.inner_text("#alert")
