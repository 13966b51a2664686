"""What the service says of somebody's mistake: Vietnamese on Vietnamese pages, English on English ones."""

from pathlib import Path

import pytest

from tests.service.dashboard.conftest import Served, Visit, violations
from tests.service.dashboard.patience import expect

pytestmark = pytest.mark.browser

SITE, CAMERA = "hoa-ban", "hoa-ban-cam1"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("vi", "loại địa chỉ này không dùng được; hãy ghi rtsp://"),
        ("en", "this kind of address is not opened; write rtsp://"),
    ],
)
def test_a_wrong_address(visit: Visit, language: str, words: str) -> None:
    shown = visit("engineer", f"/setup#{SITE}", language=language)
    page = shown.page
    page.locator(f"#{SITE} .site-actions button").first.click()
    dialog = page.locator("dialog")
    dialog.locator('[data-name="address"] input').fill("http://10.0.0.5/1")
    dialog.locator("button[type=submit]").click()
    expect(dialog.get_by_role("alert").filter(has_text=words)).to_be_visible()
    assert violations(page) == []
    shown.faults.clear()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("vi", "viewer là người xem; hãy đổi vai trò ngay ở tài khoản đó"),
        ("en", "viewer is viewer; change the role of the account"),
    ],
)
def test_an_account_that_has_another_role(visit: Visit, language: str, words: str) -> None:
    shown = visit("administrator", "/administration", language=language)
    page = shown.page
    page.wait_for_selector('#accounts tr[data-login="viewer"]')
    page.click("#invite")
    page.fill("#i-login", "viewer")
    page.select_option("#i-role", "operator")
    page.click("dialog button.primary")
    expect(page.locator("dialog .fault")).to_have_text(words)
    shown.faults.clear()


@pytest.mark.parametrize(
    ("language", "words"),
    [("vi", "hai vạch cùng mã 'north'; hãy đổi mã"), ("en", "two gates are called 'north'; rename one")],
)
def test_two_gates_of_one_name(visit: Visit, language: str, words: str) -> None:
    page = visit("engineer", f"/setup/cameras/{CAMERA}", language=language).page
    expect(page.locator("#editor")).not_to_have_attribute("aria-busy", "true")
    page.locator("#gates .part-head").last.click()
    page.locator('#gates [data-field^="gates."][data-field$=".id"]').fill("north")
    page.keyboard.press("Tab")
    expect(page.locator("#gates .fault")).to_contain_text(words)
    page.click("#undo")
    expect(page.locator("#gates .fault")).to_have_count(0)


@pytest.mark.parametrize(
    ("language", "words"),
    [("vi", "thu.mp4 không phải loại bản ghi nhận được"), ("en", "thu.mp4 is no recording that is taken")],
)
def test_a_file_that_is_no_recording(
    visit: Visit, own_city: Served, tmp_path: Path, language: str, words: str
) -> None:
    letter = tmp_path / "thu.mp4"
    letter.write_bytes(b"Kinh thua quy ong ba" * 100)
    shown = visit("operator", "/recordings", of=own_city, language=language)
    page = shown.page
    page.wait_for_selector("#jobs .empty")
    page.set_input_files("#files", [letter])
    expect(page.locator('#uploads [data-file="thu.mp4"] .fault')).to_contain_text(words)
    shown.faults.clear()


def test_why_a_camera_is_lost(visit: Visit, own_city: Served) -> None:
    own_city.lost.add(CAMERA)
    page = visit("engineer", f"/junctions/{SITE}", of=own_city, language="vi").page
    line = page.locator("#health .line", has_text="Mất tín hiệu")
    expect(line).to_contain_text("không có hình dù kết nối vẫn mở")
    expect(page.locator("#health")).not_to_contain_text("no picture")


@pytest.mark.parametrize(
    ("language", "words"),
    [("vi", "tên đăng nhập hoặc mật khẩu không đúng"), ("en", "name or password is wrong")],
)
def test_a_wrong_password(visit: Visit, language: str, words: str) -> None:
    shown = visit(None, "/login", language=language)
    shown.page.fill("#login", "viewer")
    shown.page.fill("#password", "không phải mật khẩu này")
    shown.page.click("#login-form button")
    expect(shown.page.locator("#fault")).to_have_text(words)
    shown.faults.clear()
