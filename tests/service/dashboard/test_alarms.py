"""The page of alarms: the open ones with what to do, acknowledging, the history, thresholds."""

import pytest
from playwright.sync_api import Route

from service.storage.connect import reading
from tests.service.dashboard.conftest import Served, Visit, violations
from tests.service.dashboard.patience import expect

pytestmark = pytest.mark.browser


def test_open_alarms_come_first_with_what_to_do(visit: Visit) -> None:
    page = visit("viewer", "/alarms").page
    page.wait_for_selector("#open .alarm")
    cards = page.locator("#open .alarm")
    assert cards.count() == 2
    assert "critical" in (cards.first.get_attribute("class") or "")
    assert "Mất tín hiệu camera" in cards.first.inner_text()
    assert "Việc cần làm" in cards.first.inner_text()
    assert "ùn tắc" in cards.nth(1).inner_text()
    assert page.locator("#open form").count() == 0, "viewers acknowledge nothing"
    page.wait_for_selector("#rules tbody tr")
    assert page.locator("#rules button").count() == 0
    assert violations(page) == []


def test_an_operator_takes_an_alarm_on(visit: Visit, own_city: Served) -> None:
    page = visit("operator", "/alarms", of=own_city, language="en").page
    page.wait_for_selector("#open .alarm form")
    page.locator("#open .alarm.critical textarea").fill("Team 3 is on its way")
    page.locator("#open .alarm.critical button").click()
    page.wait_for_selector("#open .alarm.critical .chip.good")
    assert "Acknowledged by operator" in page.inner_text("#open .alarm.critical")
    assert "Team 3 is on its way" in page.inner_text("#open .alarm.critical")
    assert "warning" in (page.locator("#open .alarm").first.get_attribute("class") or ""), (
        "what waits comes first"
    )
    page.select_option("#f-taken", "true")
    expect(page.locator("#history tbody tr")).to_have_count(1)
    assert "Team 3" in page.inner_text("#history")
    page.select_option("#f-kind", "disk_low")
    page.wait_for_selector("#history .empty")


def test_a_late_answer_does_not_undo_a_filter(visit: Visit, own_city: Served) -> None:
    page = visit("viewer", "/alarms", of=own_city, language="en").page
    page.wait_for_selector("#history tbody tr")
    everything = page.locator("#history tbody tr").count()
    held: list[Route] = []

    def late(route: Route) -> None:
        if "open=true" in route.request.url and "limit=50" in route.request.url:
            held.append(route)
        else:
            route.continue_()

    page.route("**/v1/alarms?*", late)
    page.select_option("#f-state", "open")
    page.select_option("#f-state", "")
    page.select_option("#f-kind", "jam")
    expect(page.locator("#history tbody tr")).to_have_count(1)
    assert everything > 1
    assert len(held) == 1
    with page.expect_response(lambda response: response.url == held[0].request.url):
        held[0].continue_()
    page.wait_for_timeout(200)
    assert page.locator("#history tbody tr").count() == 1


def test_an_administrator_sets_thresholds(visit: Visit, own_city: Served) -> None:
    from service.alarms import store

    shown = visit("administrator", "/alarms", of=own_city, language="en")
    page = shown.page
    page.click('button[aria-label="Edit: Traffic jam"]')
    assert violations(page) == []
    page.fill("#set-raise_after_s", "-1")
    page.locator("dialog form").evaluate("form => form.noValidate = true")
    page.click("dialog button.primary")
    page.wait_for_selector("dialog .fault")
    assert page.get_attribute("#set-raise_after_s", "aria-invalid") is not None
    assert len(shown.faults) == 1
    shown.faults.clear()
    page.fill("#set-raise_after_s", "300")
    page.click("dialog button.primary")
    page.wait_for_selector('button[aria-label="Back to the default: Traffic jam"]')
    with reading(own_city.engine) as connection:
        assert store.rules(connection).of("jam", None).settings.raise_after_s == 300
    page.click('button[aria-label="Set for one site: Traffic jam"]')
    page.select_option("#rule-site", "hoa-ban")
    page.uncheck("#set-enabled")
    page.click("dialog button.primary")
    page.wait_for_selector('button[aria-label="Drop its own: Traffic jam"]')
    with reading(own_city.engine) as connection:
        assert not store.rules(connection).of("jam", "hoa-ban").enabled


def test_the_first_day_has_no_alarms(visit: Visit, first_day: Served) -> None:
    page = visit("operator", "/alarms", of=first_day, size="phone").page
    page.wait_for_selector("#open .empty")
    page.wait_for_selector("#history .empty")
    assert violations(page) == []
