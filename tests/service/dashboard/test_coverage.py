"""The page of coverage: figures, gaps with their next step, the trend, areas, a map, one page on paper."""

import re

import pytest

from tests.service.dashboard.conftest import Served, Visit, violations

pytestmark = pytest.mark.browser


def test_figures_and_gaps_are_those_of_the_service(visit: Visit, city: Served) -> None:
    with city.client("viewer") as client:
        told = client.get("/v1/coverage", params={"language": "vi"}).json()
    page = visit("viewer", "/coverage").page
    page.wait_for_selector("#gaps tbody tr")
    for each in told["figures"]:
        for name in ("installed", "operational", "effective", "time_weighted"):
            shown = page.inner_text(f'[data-figure="{each["kind"]}-{name}"]')
            share = float(shown.replace("%", "").replace(",", "."))
            assert share == pytest.approx(100 * each[name], abs=0.051), name
    assert page.locator("#gaps tbody tr").count() == len(told["gaps"])
    first = page.locator("#gaps tbody tr").first
    assert told["gaps"][0]["next_step"]["text"] in first.inner_text()
    page.wait_for_selector("#trend canvas")
    assert page.locator("#outlook").is_visible()
    page.wait_for_selector("#areas tbody tr")
    assert violations(page) == []


def test_gaps_are_filtered_and_sorted(visit: Visit, city: Served) -> None:
    with city.client("viewer") as client:
        gaps = client.get("/v1/coverage").json()["gaps"]
    page = visit("viewer", "/coverage", language="en").page
    page.wait_for_selector("#gaps tbody tr")
    page.select_option("#gap-ward", "Phường Đa Mai")
    there = [each for each in gaps if each["ward"] == "Phường Đa Mai"]
    assert 0 < page.locator("#gaps tbody tr").count() == len(there) < len(gaps)
    page.select_option("#gap-ward", "")
    page.select_option("#gap-kind", "public_area")
    page.click("#gaps th:first-child button")
    page.click("#gaps th:first-child button")
    assert page.locator("#gaps th:first-child").get_attribute("aria-sort") == "descending"
    names = page.locator("#gaps tbody td:first-child").all_inner_texts()
    assert len(names) == len([each for each in gaps if each["kind"] == "public_area"]) > 5
    assert names == page.evaluate("names => [...names].sort((a, b) => b.localeCompare(a, 'en'))", names)
    page.fill("#gap-text", "nowhere at all")
    assert "No site matches" in page.inner_text("#gaps")


def test_sites_are_on_a_map_and_in_a_list(visit: Visit) -> None:
    page = visit("viewer", "/coverage").page
    page.wait_for_selector("#map .junction .disc")
    page.click("#as-list")
    assert page.locator("#list-view tbody tr").count() > 40
    assert not page.locator("#map-view").is_visible()


def test_paper_takes_one_page(visit: Visit) -> None:
    page = visit("viewer", "/coverage").page
    page.wait_for_selector("#gaps tbody tr")
    page.wait_for_selector("#trend canvas")
    pages = re.findall(rb"/Type\s*/Page[^s]", page.pdf(prefer_css_page_size=True))
    assert len(pages) == 1


def test_the_workbook_comes_down(visit: Visit) -> None:
    page = visit("viewer", "/coverage").page
    with page.expect_download() as waiting:
        page.click('a[href*="format=xlsx"]')
    assert waiting.value.path().read_bytes()[:2] == b"PK"


def test_the_first_day_says_what_to_do(visit: Visit, first_day: Served) -> None:
    page = visit("viewer", "/coverage", of=first_day, language="en", size="phone").page
    page.wait_for_selector("#figures .empty")
    assert "Set-up" in page.inner_text("#figures")
    assert violations(page) == []
