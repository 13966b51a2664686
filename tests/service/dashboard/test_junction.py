"""The page of one junction: picture, movements, approaches, the day, and what is lost or not there."""

from typing import TYPE_CHECKING

import pytest

from tests.service.dashboard.city import ARMS, CAMERA, SITE, TURNS
from tests.service.dashboard.conftest import Served, Visit, until, violations

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.browser

PATH = f"/junctions/{SITE}"
PICTURE = "(document.querySelector('#picture img')?.naturalWidth ?? 0) > 0"
LINES = "document.querySelectorAll('.turning .turn').length"


def test_it_shows_what_is_there_now(visit: Visit, city: Served) -> None:
    page = visit("viewer", PATH, language="en").page
    until(page, PICTURE)
    assert page.inner_text("h1") == "Ngã tư Hoa Ban – Suối Trong"
    assert page.inner_text("#level").strip() == "Jammed"
    until(page, "document.querySelectorAll('#approaches-body tr').length === 4")
    rows = {row.split("\t")[0]: row for row in page.locator("#approaches-body tr").all_inner_texts()}
    assert "Free" in rows["Hoa Ban, phía bắc"]
    assert "900" in rows["Hoa Ban, phía bắc"]
    assert "Slow" in rows["Suối Trong, phía tây"]
    assert "Motorcycle" in page.inner_text("#classes")
    assert "picture 0." in page.inner_text("#picture .age")
    assert page.locator("#incidents .line").count() == 3
    assert "going on since" in page.inner_text("#incidents")
    assert page.locator("#health .line").count() == 2
    assert violations(page) == []


def test_each_movement_is_a_band_as_wide_as_its_share(visit: Visit, city: Served) -> None:
    page = visit("viewer", PATH, language="en").page
    until(page, f"{LINES} === {len(TURNS)}")
    with city.client("viewer") as client:
        live = {each["camera"]: each for each in client.get("/v1/live").json()["cameras"]}
    totals = {name: sum(by.values()) for name, by in live[CAMERA]["movements"].items()}
    assert {f"{a}-{b}" for a in ARMS for b in ARMS} == set(totals)
    figures = [int(each) for each in page.locator(".turn-label").all_text_contents()]
    assert sorted(figures) == sorted(totals.values())
    widths = page.eval_on_selector_all(
        ".turn path", "all => all.map((e) => Number(e.getAttribute('stroke-width')))"
    )
    assert max(widths) > 3 * min(widths)
    names = page.locator(".arm-label").all_text_contents()
    assert sorted(each.split("·")[0].strip() for each in names) == sorted(
        ["Hoa Bannorth", "Suối Trongeast", "Hoa Bansouth", "Suối Trongwest"]
    )
    page.click("#diagram summary")
    assert "Hoa Ban → Suối Trong, left: " in page.inner_text("#diagram ul")


def middle_of(part: "Locator") -> tuple[float, float]:
    box = part.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_diagram_puts_arms_and_lanes_where_they_lie(visit: Visit) -> None:
    """North is up; who comes in keeps right, so from the north on the western side of the road."""
    page = visit("viewer", PATH, language="en").page
    until(page, f"{LINES} === {len(TURNS)}")
    places = {arm: middle_of(page.locator(".arm-label", has_text=arm)) for arm in ARMS}
    assert places["north"][1] < min(places["east"][1], places["west"][1]) < places["south"][1]
    assert places["west"][0] < places["north"][0] < places["east"][0]
    starts = page.eval_on_selector_all(
        ".turn path", "all => all.map((e) => e.getPointAtLength(0)).map((p) => [p.x, p.y])"
    )
    middle = 280
    from_north = [x for x, y in starts if y < 120]
    assert len(from_north) == 4
    assert all(x < middle for x in from_north)


def test_the_day_beside_the_usual_day(visit: Visit) -> None:
    page = visit("viewer", PATH, language="en").page
    for name in ("day-flow", "day-density", "day-queue"):
        page.wait_for_selector(f"#{name} canvas")
    page.click("#day-flow summary")
    table = page.inner_text("#day-flow table")
    assert "Usual day (3 days)" in table
    rows = [row.split("\t") for row in table.splitlines() if row[:2] in ("16", "17")]
    assert len(rows) == 8
    assert all(60 < int(cells[1]) < 120 for cells in rows)
    assert page.locator("#no-usual").is_hidden()


def test_another_camera_is_a_click_away_and_a_lost_one_says_so(visit: Visit, own_city: Served) -> None:
    page = visit("engineer", PATH, of=own_city, language="en").page
    until(page, PICTURE)
    tabs = page.locator("#tabs button")
    assert tabs.count() == 2
    tabs.nth(1).click()
    until(page, "document.querySelector('#picture img')?.src.includes('hoa-ban-cam2')")
    assert tabs.nth(1).get_attribute("aria-pressed") == "true"
    own_city.lost.add("hoa-ban-cam2")
    until(page, "document.querySelector('#picture').textContent.includes('Offline')")
    told = page.inner_text("#picture")
    assert "since" in told
    assert "although the connection is open" in told
    assert "keeps trying" in told
    assert "not observed" in page.inner_text("#approaches-body")
    assert page.locator("#health a").first.get_attribute("href") == f"/setup/cameras/{CAMERA}"


def test_a_junction_that_nobody_watches_is_not_at_zero(visit: Visit) -> None:
    page = visit("viewer", "/junctions/hung-vuong-xuong-giang", language="en").page
    until(page, "document.querySelectorAll('#approaches-body tr').length === 4")
    assert page.inner_text("#approaches-body").count("not observed") == 4
    assert "0" not in page.inner_text("#approaches-body")
    page.wait_for_selector("#day-flow .empty")
    assert "No movements yet" in page.inner_text("#diagram")
    assert page.locator("#health a").count() == 0
    assert violations(page) == []


def test_a_junction_that_is_not_there(visit: Visit) -> None:
    shown = visit("viewer", "/junctions/nowhere", language="vi")
    until(shown.page, "document.querySelector('h1').textContent.includes('nowhere')")
    assert shown.page.inner_text("h1") == "Không có nút giao nowhere."
    assert violations(shown.page) == []
    shown.faults[:] = [fault for fault in shown.faults if "404" not in fault]


@pytest.mark.parametrize("size", ["1280", "4k", "phone"])
def test_it_fits_in_dark_and_light(visit: Visit, size: str) -> None:
    page = visit("viewer", PATH, size=size, scheme="dark").page
    until(page, f"{LINES} === {len(TURNS)}")
    page.wait_for_selector("#day-flow canvas")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
