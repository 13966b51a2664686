"""What all pages share: their frame, who may see which, languages, errors, logging in and out."""

from datetime import UTC, datetime, timedelta

import pytest

from service.auth.accounts import invite
from service.dashboard.pages import PAGES
from service.dashboard.words import WORDS
from service.storage.connect import writing
from tests.service.dashboard.conftest import Served, Visit, until, violations

pytestmark = pytest.mark.browser

PASSWORD = "một câu dài dễ nhớ"  # noqa: S105
EVERY = sorted(page.name for page in PAGES if page.listed)


def test_nobody_is_led_to_the_login_page_and_back(visit: Visit, own_city: Served) -> None:
    now = datetime.now(UTC)
    with writing(own_city.engine) as connection:
        link = invite(connection, "test", "lan", "viewer", now, timedelta(hours=1)).link(own_city.address)
    first = visit(None, link.removeprefix(own_city.address), of=own_city)
    page = first.page
    until(page, "document.querySelector('#invited').textContent.includes('lan')")
    assert violations(page) == []
    page.fill("#new-password", PASSWORD)
    page.fill("#again", "something else 123")
    page.click("#invitation-form button")
    page.wait_for_selector("#fault:not([hidden])")
    page.fill("#again", PASSWORD)
    page.click("#invitation-form button")
    page.wait_for_selector(".wall")

    stranger = visit(None, "/coverage?x=1", of=own_city)
    page = stranger.page
    assert "/login?next=%2Fcoverage%3Fx%3D1" in page.url
    assert violations(page) == []
    page.fill("#login", "lan")
    page.fill("#password", "not the right one")
    page.click("#login-form button")
    page.wait_for_selector("#fault:not([hidden])")
    assert page.input_value("#login") == "lan"
    page.fill("#password", PASSWORD)
    page.click("#login-form button")
    page.wait_for_url("**/coverage?x=1")
    page.click("#log-out")
    page.wait_for_url("**/login")
    stranger.open("/coverage")
    assert "/login" in page.url
    stranger.faults[:] = [fault for fault in stranger.faults if "401" not in fault]


def test_the_login_page_leads_to_no_other_site(visit: Visit, own_city: Served) -> None:
    now = datetime.now(UTC)
    with writing(own_city.engine) as connection:
        link = invite(connection, "test", "lan", "viewer", now, timedelta(hours=1))
    with own_city.client("viewer") as client:
        accepted = {"token": link.link("").partition("#")[2], "password": PASSWORD, "language": "vi"}
        client.post("/v1/invitations/accept", json=accepted).raise_for_status()
    for elsewhere in ("//example.org/", "https://example.org/", "/\\example.org"):
        page = visit(None, f"/login?next={elsewhere}", of=own_city).page
        page.fill("#login", "lan")
        page.fill("#password", PASSWORD)
        page.click("#login-form button")
        page.wait_for_selector(".wall")
        assert page.url == own_city.address + "/"


def test_a_page_is_in_vietnamese_first_and_english_is_a_click_away(visit: Visit, city: Served) -> None:
    shown = visit("viewer", "/coverage", language="")
    page = shown.page
    assert page.get_attribute("html", "lang") == "vi"
    assert page.inner_text("h1") == WORDS["coverage.title"][0]
    page.click("text=English")
    until(page, "document.documentElement?.lang === 'en'")
    assert page.inner_text("h1") == WORDS["coverage.title"][1]
    assert page.inner_text(".top nav [aria-current]") == "Coverage"
    shown.open("/alarms")  # the choice is kept
    assert page.inner_text("h1") == WORDS["alarms.title"][1]


def test_the_menu_holds_what_the_role_may_do(visit: Visit) -> None:
    seen = {}
    for role in ("viewer", "operator", "engineer", "administrator"):
        page = visit(role, "/alarms", language="en").page
        seen[role] = page.locator(".top nav a").all_inner_texts()
    assert seen["viewer"] == ["Wall", "Coverage", "Alarms", "Reports"]
    assert seen["operator"] == [*seen["viewer"], "Recordings"]
    assert seen["engineer"] == [*seen["operator"], "Set-up"]
    assert seen["administrator"] == [*seen["engineer"], "Administration"]


@pytest.mark.parametrize(
    ("role", "path", "status", "kind"),
    [("viewer", "/administration", 403, "not_allowed"), ("viewer", "/nowhere/at/all", 404, "not_found")],
)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_page_that_cannot_be_shown_says_why(
    visit: Visit, role: str, path: str, status: int, kind: str, language: str
) -> None:
    shown = visit(role, path, language=language)
    number = ("vi", "en").index(language)
    assert shown.page.inner_text("h1") == WORDS[f"error.{kind}"][number]
    assert violations(shown.page) == []
    assert any(str(status) in fault for fault in shown.faults)
    shown.faults.clear()
    shown.page.click(".primary")
    shown.page.wait_for_selector(".wall")


def test_programs_get_their_errors_as_before(city: Served) -> None:
    with city.client("viewer") as client:
        for path in ("/v1/sites/nowhere", "/v1/nothing"):
            answer = client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"
        assert client.get("/nothing").headers["content-type"] == "application/problem+json"


def test_assets_are_kept_and_nothing_beside_them_is_given(city: Served) -> None:
    with city.client("viewer") as client:
        text = client.get("/login").text
        style = text.split('rel="stylesheet" href="')[1].split('"')[0]
        answer = client.get(style)
        assert "immutable" in answer.headers["cache-control"]
        folder = style.rpartition("/css/")[0]
        assert client.get(f"{folder}/js/texts.js").text.startswith("export default {")
        for path in ("/../pages.py", "/%2e%2e/pages.py", "/..%2fpages.py", "/css", "/nothing.css"):
            assert client.get(folder + path, follow_redirects=True).status_code == 404, path
        assert client.get("/assets/x/de/js/texts.js").status_code == 404


def test_the_keyboard_reaches_the_content_first(visit: Visit) -> None:
    page = visit("viewer", "/coverage", language="en").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("name", EVERY)
def test_every_page_stands_in_both_languages_without_a_fault(visit: Visit, name: str) -> None:
    path = next(page.path for page in PAGES if page.name == name)
    for number, language in enumerate(("vi", "en")):
        shown = visit("administrator", path, language=language)
        assert WORDS[f"{name}.title"][number] in shown.page.title()
        shown.page.wait_for_load_state("load")


def test_a_phone_s_menu_is_scrolled_to_where_one_is(visit: Visit) -> None:
    page = visit("engineer", "/reports", size="phone").page
    where = "document.querySelector('.top nav [aria-current]').getBoundingClientRect()"
    left, right = page.evaluate(f"(({{left, right}}) => [left, right])({where})")
    assert 0 <= left < right <= page.evaluate("innerWidth")
    assert page.evaluate("document.querySelector('.top nav').scrollLeft") > 0
