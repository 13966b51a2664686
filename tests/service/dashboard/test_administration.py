"""The page of administration: accounts, one-time links, tokens, the audit, and how the machine is."""

import pytest

from service.api.routes import doctor
from service.doctor import Finding
from tests.service.dashboard.conftest import Served, Visit, violations
from tests.service.dashboard.patience import expect

pytestmark = pytest.mark.browser


def test_somebody_is_invited_and_later_disabled(visit: Visit, own_city: Served) -> None:
    shown = visit("administrator", "/administration", of=own_city, language="en")
    page = shown.page
    page.wait_for_selector('#accounts tr[data-login="viewer"]')
    assert violations(page) == []
    page.click("#invite")
    page.fill("#i-login", "Nguyễn An")
    page.click("dialog button.primary")
    page.wait_for_selector("dialog .fault")
    assert len(shown.faults) == 1
    shown.faults.clear()
    page.fill("#i-login", "nguyen.an")
    page.select_option("#i-role", "operator")
    page.click("dialog button.primary")
    link = page.inner_text("#secret")
    assert "/invitation#" in link
    assert violations(page) == []
    page.click("dialog button.primary")
    page.wait_for_selector("#invitations >> text=nguyen.an")
    assert link not in page.content(), "it is shown once"

    page.click('button[aria-label="Disable: viewer"]')
    page.click("dialog button.danger")
    page.wait_for_selector('tr[data-login="viewer"] .chip.bad')
    page.click('button[aria-label="Enable: viewer"]')
    page.wait_for_selector('tr[data-login="viewer"] .chip.good')
    page.select_option('tr[data-login="viewer"] select', "engineer")
    page.wait_for_selector(".toast")
    expect(page.locator('tr[data-login="viewer"] select')).to_have_value("engineer")
    with own_city.client("administrator") as client:
        roles = {each["login"]: each["role"] for each in client.get("/v1/accounts").json()}
    assert roles["viewer"] == "engineer"

    page.click("#tab-audit")
    page.wait_for_selector("#audit tbody tr")
    page.select_option("#audit-action", "account.change")
    page.click("#audit-filters button")
    expect(page.locator("#audit tbody tr", has_not_text="account.change")).to_have_count(0)
    assert "viewer" in page.locator("#audit del").first.inner_text()
    assert "engineer" in page.locator("#audit ins").first.inner_text()
    assert violations(page) == []


def test_a_token_is_made_used_and_revoked(visit: Visit, own_city: Served) -> None:
    page = visit("administrator", "/administration#tokens", of=own_city, language="en").page
    page.wait_for_selector("#tokens .empty")
    page.click("#make-token")
    page.fill("#t-name", "city data hub")
    page.click("dialog button.primary")
    value = page.inner_text("#secret")
    asked = page.request.get(f"{own_city.address}/v1/sites", headers={"Authorization": f"Bearer {value}"})
    assert asked.ok
    page.click("dialog button.primary")
    page.click('button[aria-label="Revoke: city data hub"]')
    page.click("dialog button.danger")
    page.wait_for_selector("#tokens .chip")
    assert "Revoked" in page.inner_text("#tokens")
    assert violations(page) == []


def test_a_password_that_is_not_repeated_is_not_sent(visit: Visit, city: Served) -> None:
    page = visit("administrator", "/administration", language="en").page
    page.click("#tab-password")
    page.fill("#old", "whatever it was")
    page.fill("#new", "four words without sense")
    page.fill("#again", "four words with sense")
    page.click("#password-form button")
    page.wait_for_selector("#password-form .fault")
    assert "differ" in page.inner_text("#password-form .fault")
    assert violations(page) == []


def test_the_system_is_looked_at(visit: Visit, city: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        Finding("clock", "fault", "clock_no_zone", {"tz": "Asia/Nowhere"}),
        Finding(
            "decoder", "ok", "decoder_ok", {"pyav": "18", "frames": 5, "codec": "h264", "size": "1280x720"}
        ),
    ]
    monkeypatch.setattr(doctor, "_look", lambda _url, _services: found)
    page = visit("administrator", "/administration#system").page
    page.wait_for_selector("#findings .finding")
    first = page.locator("#findings .finding").first
    assert first.get_attribute("data-check") == "clock"
    assert "Việc cần làm" in first.inner_text()
    assert "sqlite" in page.inner_text("#database")
    page.wait_for_selector("#workers tbody tr")
    assert "worker-1" in page.inner_text("#workers")
    assert violations(page) == []


def test_tabs_are_walked_by_keys(visit: Visit, first_day: Served) -> None:
    page = visit("administrator", "/administration", of=first_day).page
    page.wait_for_selector("#accounts table")
    page.focus("#tab-accounts")
    page.keyboard.press("ArrowRight")
    assert page.locator("#part-password").is_visible()
    assert page.evaluate("document.activeElement.id") == "tab-password"
