"""The wall: its figures are true, it fits the screen, it needs no click, and it says when it is old."""

import re
from pathlib import Path

import pytest

from tests.service.dashboard.city import CAMERA
from tests.service.dashboard.conftest import SIZES, Served, Visit, serve, until, violations

pytestmark = pytest.mark.browser

LIVE = "document.querySelector('#cameras').textContent.startsWith('2')"
BOXES = """(wanted) => [...document.querySelectorAll(wanted)].filter((e) => e.checkVisibility({visibilityProperty: true}))
    .map((e) => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"""  # noqa: E501


def test_it_shows_the_city_without_a_click(visit: Visit, city: Served) -> None:
    page = visit("viewer", language="en").page
    until(page, LIVE)
    assert page.inner_text("#cameras").replace(" ", "") == "2/80"
    until(page, "document.querySelectorAll('#alarms .alarm').length >= 2")
    assert "Camera lost" in page.inner_text("#alarms")
    assert "Hùng Vương – Lý Thái Tổ" in page.inner_text("#alarms")
    with city.client("viewer") as client:
        figures = client.get("/v1/coverage").json()["figures"]
    share = next(each["effective"] for each in figures if each["kind"] == "junction")
    until(page, "document.querySelector('#coverage').textContent !== '—'")
    assert page.inner_text("#coverage") == f"{round(100 * share)}%"
    assert "78 cameras not processed yet" in page.inner_text("#lost")
    assert "—" not in page.inner_text("#lost")
    assert page.locator(".junction").count() > 40
    assert page.locator(".junction.jammed.alarm").get_attribute("href") == "/junctions/hoa-ban"
    page.locator(".junction.jammed").focus()
    assert "Jammed" in (page.locator(".junction.jammed").get_attribute("aria-label") or "")


def test_a_vehicle_that_two_cameras_see_counts_once(visit: Visit, city: Served) -> None:
    page = visit("viewer", language="en").page
    until(page, LIVE)
    until(page, "Number(document.querySelector('#minute').textContent) >= 2")
    shown = int(page.inner_text("#today").replace(",", ""))
    with city.client("viewer") as client:
        cameras = {each["camera"]: each for each in client.get("/v1/live").json()["cameras"]}
        gates = client.get("/v1/gates", params={"site": "hoa-ban"}).json()["items"]
    total = sum(
        sum(cameras[each["camera"]]["counts"][each["gate"]]["in"].values())
        for each in gates
        if each["speaks"]
    )
    assert 0 <= total - shown < 60
    assert total < 0.7 * sum(sum(way["in"].values()) for name in (CAMERA, "hoa-ban-cam2")
                             for way in cameras[name]["counts"].values())  # fmt: skip


@pytest.mark.parametrize(("size", "language"), [("1280", "en"), ("1920", "vi"), ("4k", "vi")])
def test_it_fills_the_screen_and_no_more(visit: Visit, size: str, language: str) -> None:
    page = visit("administrator", size=size, language=language).page
    until(page, LIVE)
    until(page, "document.querySelectorAll('#alarms .alarm').length >= 2")
    whole = page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    assert whole == list(reversed(SIZES[size]))
    cards = "[...document.querySelectorAll('.wall-figures .card')]"
    assert page.evaluate(f"{cards}.every((e) => e.scrollHeight <= e.clientHeight + 1)")
    assert page.evaluate("document.querySelector('.wall').getBoundingClientRect().bottom > innerHeight - 60")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.big')].map((e) => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 48


def test_labels_of_junctions_do_not_cover_each_other(visit: Visit) -> None:
    page = visit("viewer").page
    until(page, LIVE)
    until(page, "document.querySelectorAll('.junction[data-label=shown]').length > 10")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(700)  # a picture later
    boxes = page.evaluate(BOXES, ".junction .label")
    over = [
        (a, b)
        for number, a in enumerate(boxes)
        for b in boxes[number + 1 :]
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
    assert over == []
    label = page.locator(".junction.jammed .label")
    assert label.is_visible()
    assert re.fullmatch(r"Hoa Ban – Suối Trong · \d+", label.inner_text())
    hidden = page.locator(".junction[data-label=hidden]").first
    hidden.focus()
    assert hidden.locator(".label").is_visible()


def test_it_is_dark_and_readable_for_everybody(visit: Visit) -> None:
    page = visit("viewer", scheme="light").page
    until(page, LIVE)
    for part in ("body", "#map"):
        ground = page.evaluate(f"getComputedStyle(document.querySelector('{part}')).backgroundColor")
        assert max(map(int, re.findall(r"\d+", ground)[:3])) < 60, part
    assert violations(page) == []


def test_a_phone_has_it_in_one_column(visit: Visit) -> None:
    page = visit("viewer", size="phone", language="en").page
    until(page, LIVE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = page.evaluate(BOXES, "#map, .wall-side .card")
    assert all(box[2] <= 390 for box in boxes)
    assert violations(page) == []


def test_a_lost_camera_is_named_and_an_old_wall_says_that_it_is_old(visit: Visit, own_city: Served) -> None:
    page = visit("viewer", of=own_city, language="en").page
    until(page, LIVE)
    own_city.lost.add(CAMERA)
    until(page, "document.querySelector('#cameras').textContent.startsWith('1')")
    until(page, "document.querySelector('#lost').textContent.includes('1 cameras without picture')")
    assert re.search(r"Hoa Ban – Suối Trong: Offline since \d\d:\d\d", page.inner_text("#lost"))
    own_city.lost.clear()
    until(page, LIVE)
    own_city.silent.set()  # its worker is gone: not zero, unknown
    until(page, "document.querySelector('#minute').textContent === '—'")
    until(page, "document.querySelector('#cameras').textContent.startsWith('0')")
    assert "· " not in page.inner_text(".junction[href='/junctions/hoa-ban'] .label")


def test_a_wall_without_its_service_shows_since_when(
    visit: Visit, databases: dict[str, Path], tmp_path: Path
) -> None:
    with serve(databases["busy"], tmp_path / "ends", reporting=True) as running:
        shown = visit("viewer", of=running, language="en")
        page = shown.page
        until(page, LIVE)
    page.wait_for_selector("#connection:not([hidden])")
    assert re.search(r"No connection since \d\d:\d\d", page.inner_text("#connection"))
    assert "stale" in (page.get_attribute("#main", "class") or "")
    assert page.inner_text("#cameras").startswith("2")  # what it showed stays, visibly old
    # Nobody answers any more, or what was under way is broken off with a 500.
    gone = ("ERR_CONNECTION", "status of 500")
    shown.faults[:] = [fault for fault in shown.faults if not any(each in fault for each in gone)]


def test_the_first_day_says_what_to_do(visit: Visit, first_day: Served) -> None:
    page = visit("engineer", of=first_day, language="en").page
    page.wait_for_selector("#first:not([hidden])")
    assert "No junctions yet" in page.inner_text("#first")
    assert page.get_attribute("#first a", "href") == "/setup"
    assert page.inner_text("#minute") == "—"
    until(page, "document.querySelector('#alarms').textContent.includes('No alarms')")
    assert violations(page) == []
    other = visit("viewer", of=first_day, language="en").page
    other.wait_for_selector("#first:not([hidden])")
    assert other.locator("#first a").count() == 0
