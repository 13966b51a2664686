"""The page of reports: turning movements of a period, what is left out, and a manual count beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.dashboard.city import SITE
from tests.service.dashboard.conftest import Served, Visit, violations
from tests.service.dashboard.patience import expect

pytestmark = pytest.mark.browser

TODAY = {"start": "2026-03-09T17:00:00Z", "end": "2026-03-10T11:00:00Z"}
ADDRESS = f"/reports?site={SITE}&period=own&from=2026-03-10T16:00&to=2026-03-10T18:00"
HOURS = {"start": "2026-03-10T09:00:00Z", "end": "2026-03-10T11:00:00Z"}


def figure(text: str) -> int:
    return int(text.replace(".", "").replace(",", ""))


@pytest.fixture(scope="module")
def told(city: Served) -> Iterator[dict[str, Any]]:
    with city.client("viewer") as client:
        yield client.get(f"/v1/reports/{SITE}", params=HOURS).json()


def test_the_report_is_that_of_the_service(visit: Visit, told: dict[str, Any]) -> None:
    page = visit("viewer", ADDRESS).page
    page.wait_for_selector("#report:not([hidden])")
    whole = sum(each["volume"]["total"] for each in told["intervals"])
    assert figure(page.inner_text("#volume")) == whole > 100
    assert float(page.inner_text("#phf").replace(",", ".")) == pytest.approx(
        told["peak_hour"]["phf"], abs=0.006
    )
    assert page.locator("#tmc tr.peak").count() == 4
    assert figure(page.inner_text("#tmc tfoot td:last-child")) == whole
    page.select_option("#class", "motorcycle")
    riders = sum(each["volume"]["motorcycle"] for each in told["intervals"])
    assert figure(page.inner_text("#tmc tfoot td:last-child")) == riders < whole
    assert "chưa đối chiếu" in page.inner_text("#summary")
    page.wait_for_selector("#profile canvas")
    assert page.locator("#diagram svg").count() == 1
    assert figure(page.inner_text("#classes tbody tr:first-child td:nth-child(2)")) == riders
    assert not page.locator("#exclude").is_visible(), "viewers exclude nothing"
    assert violations(page) == []


def test_what_nobody_observed_is_not_zero(visit: Visit) -> None:
    page = visit("viewer", f"/reports?site={SITE}&period=today").page
    page.wait_for_selector("#report:not([hidden])")
    first = page.inner_text("#tmc tbody tr:first-child")
    assert first.startswith("00:00 – 16:00")
    assert "không quan sát được" in first


def test_a_period_without_counts_says_so(visit: Visit) -> None:
    shown = visit("viewer", f"/reports?site={SITE}&period=yesterday", language="en")
    shown.page.wait_for_selector("#fault .empty")
    assert "Nothing was counted" in shown.page.inner_text("#fault")
    assert all("404" in fault for fault in shown.faults)
    shown.faults.clear()


def test_the_report_comes_down(visit: Visit) -> None:
    page = visit("viewer", ADDRESS).page
    page.wait_for_selector("#exports:not([hidden])")
    with page.expect_download() as waiting:
        page.click('#exports a[data-format="csv"]')
    assert "count" in waiting.value.path().read_text().splitlines()[0]


def test_a_manual_count_is_compared(visit: Visit, city: Served, tmp_path: Path) -> None:
    with city.client("viewer") as client:
        rows = client.get("/v1/counts", params={**HOURS, "site": SITE, "kind": "gate"}).json()["items"]
    lines = ["start,gate,direction,class,count"]
    lines += [
        f"{row['start']},{row['item']},{row['direction']},all,{row['total']}"
        for row in rows
        if row["approach"]
    ]
    shown = visit("viewer", ADDRESS, language="en")
    page = shown.page
    page.wait_for_selector("#report:not([hidden])")
    for name, content in (("good.csv", "\n".join(dict.fromkeys(lines))), ("bad.csv", "a,b\n1,2\n")):
        (tmp_path / name).write_text(content)
    page.set_input_files("#manual", tmp_path / "good.csv")
    page.click("#compare button")
    page.wait_for_selector("#compared tbody tr")
    assert "+0%" in page.inner_text("#compared") or "0%" in page.inner_text("#compared tbody tr:first-child")
    assert violations(page) == []
    page.set_input_files("#manual", tmp_path / "bad.csv")
    page.click("#compare button")
    page.wait_for_selector("#compared .bad")
    assert "manual.csv" in page.inner_text("#compared")
    assert len(shown.faults) == 1, "the browser tells of the refusal too"
    shown.faults.clear()


def test_an_excluded_period_is_left_out_until_it_is_withdrawn(visit: Visit, own_city: Served) -> None:
    page = visit("operator", ADDRESS, of=own_city, language="en").page
    page.wait_for_selector("#report:not([hidden])")
    before = figure(page.inner_text("#volume"))
    page.click("#exclude")
    page.fill("#ex-start", "2026-03-10T16:00")
    page.fill("#ex-end", "2026-03-10T17:00")
    page.fill("#ex-reason", "roadworks at the north arm")
    page.click("dialog button.primary")
    page.wait_for_selector("#excluded tbody tr")
    expect(page.locator("#volume")).not_to_have_text(str(before))
    page.wait_for_selector("#report:not([hidden])")
    assert 0 < figure(page.inner_text("#volume")) < before
    assert "roadworks" in page.inner_text("#notes")
    page.click("#excluded button.plain")
    page.click("dialog button.primary")
    page.wait_for_selector("#excluded .withdrawn")
    expect(page.locator("#volume")).to_have_text(str(before))


def test_the_first_day_says_what_to_do(visit: Visit, first_day: Served) -> None:
    page = visit("viewer", "/reports", of=first_day, language="en").page
    page.wait_for_selector(".empty")
    assert "Set-up" in page.inner_text("main")
    assert violations(page) == []
