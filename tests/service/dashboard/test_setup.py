"""Setting up: sites and cameras, and drawing a view as somebody does who has never seen the program."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Dialog, Locator, Page, Route

from service.drawing.archive import TrackArchive
from tests.service.dashboard.conftest import Served, Visit, violations
from tests.service.dashboard.patience import expect
from tests.vision.scenes import SIZE as PICTURE
from tests.vision.scenes import Car, follow, straight

pytestmark = pytest.mark.browser

SITE, CAMERA, NEW = "hoa-ban", "hoa-ban-cam1", "hoa-ban-cam3"
DRAW = f"/setup/cameras/{CAMERA}"


def keep_tracks(city: Served, camera: str, seconds: float = 60.0) -> None:
    """Tracks of a camera in the city's archive, until now: cars that drive down the picture."""
    end = city.clock()
    cars = [Car(straight((300 + 60 * n, 100 - 400 * n), (0, 100)), begin=4 * n) for n in range(12)]
    archive = TrackArchive(city.folder / "tracks", camera, PICTURE, {"model": "exact"})
    for index, (time, tracks) in enumerate(follow(cars, seconds, fps=10)):
        archive.append(index, end - seconds + (time - 1000.0), tracks)
    archive.close()


def drag(page: Page, at: Locator, dx: float, dy: float) -> None:
    box = at.bounding_box()
    for _ in range(100):  # one that is drawn anew at this moment has no place
        if box is not None:
            break
        page.wait_for_timeout(50)
        box = at.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()


def clicks(page: Page, *places: tuple[float, float]) -> None:
    """Press at places of the picture, as shares of its width and height."""
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    for x, y in places:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def end_of(page: Page, gate: str, end: int) -> Locator:
    return page.get_by_role("button", name=f"Gate {gate}, {('first', 'second')[end]} end")


def saved_view(city: Served, camera: str = CAMERA) -> dict[str, Any]:
    with city.client("viewer") as client:
        return client.get(f"/v1/cameras/{camera}/view").json()


@pytest.fixture
def editor(visit: Visit, own_city: Served) -> Callable[..., Page]:
    """The page of a camera, loaded."""

    def open_editor(camera: str = CAMERA, **options: str) -> Page:
        options = {"language": "en", **options}
        page = visit("engineer", f"/setup/cameras/{camera}", of=own_city, **options).page
        expect(page.locator("#editor")).not_to_have_attribute("aria-busy", "true")
        return page

    return open_editor


def test_the_list_says_how_it_stands(visit: Visit) -> None:
    page = visit("engineer", f"/setup#{SITE}", language="en").page
    site = page.locator(f"#{SITE}")
    expect(site).to_contain_text("To be looked at, version")  # its picture is not confirmed by anybody
    expect(site).to_contain_text("Live")
    expect(site.get_by_label("Camera that speaks for Suối Trong, phía tây")).to_have_value("hoa-ban-cam2")
    page.fill("#search", "hùng vương")
    expect(page.locator("#hung-vuong-ly-thai-to")).to_be_visible()
    expect(site).to_have_count(0)


@pytest.mark.parametrize("path", [f"/setup#{SITE}", DRAW])
@pytest.mark.parametrize(("language", "scheme"), [("vi", "light"), ("en", "dark")])
def test_the_pages_are_for_everybody(visit: Visit, path: str, language: str, scheme: str) -> None:
    page = visit("engineer", path, language=language, scheme=scheme).page
    expect(page.locator('[aria-busy="true"]')).to_have_count(0)
    if path == DRAW:
        expect(page.locator("#gates li").first).to_be_visible()
    assert violations(page) == []
    if path != DRAW:
        page.locator(f"#{SITE} .site-actions button").first.click()
        expect(page.locator("dialog")).to_be_visible()
        assert violations(page) == []
        return
    for tab in ("zones", "movements", "metres", "try", "versions"):
        page.click(f"#tab-{tab}")
        assert violations(page) == []


def test_a_viewer_sees_no_set_up(visit: Visit) -> None:
    shown = visit("viewer", "/setup")
    assert shown.page.locator("#add-site").count() == 0
    shown.faults.clear()


def test_the_first_day_says_what_comes_next(visit: Visit, first_day: Served) -> None:
    page = visit("engineer", "/setup", of=first_day, language="en").page
    expect(page.locator("#sites")).to_contain_text("Add the first junction, then a camera to it.")
    assert violations(page) == []


def test_a_site_an_approach_and_their_end(visit: Visit, own_city: Served) -> None:
    page = visit("engineer", "/setup", of=own_city, language="en").page
    page.click("#add-site")
    dialog = page.locator("dialog")
    dialog.get_by_label("Name").fill("Ngã tư Đồng Khởi")
    expect(dialog.get_by_label("Id", exact=True)).to_have_value("nga-tu-dong-khoi")
    dialog.get_by_label("Latitude").fill("21.28")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator('[data-name="lon"] .fault')).to_contain_text("A position has both")
    dialog.get_by_label("Longitude").fill("106.2")
    dialog.get_by_role("button", name="Save").click()
    site = page.locator("#nga-tu-dong-khoi")
    expect(site).to_contain_text("Ngã tư Đồng Khởi")
    site.get_by_role("button", name="Add an approach").click()
    dialog.get_by_label("Street").fill("Đồng Khởi")
    dialog.get_by_label("Entering traffic heads").fill("180")
    dialog.get_by_role("button", name="Save").click()
    expect(site.get_by_role("row", name=re.compile("Đồng Khởi.*180"))).to_be_visible()
    page.on("dialog", lambda asked: asked.accept())
    site.get_by_role("button", name="End the site").click()
    expect(site).to_have_count(0)


def test_the_owner_of_an_approach_is_changed(visit: Visit, own_city: Served) -> None:
    page = visit("engineer", f"/setup#{SITE}", of=own_city, language="en").page
    page.get_by_label("Camera that speaks for Suối Trong, phía tây").select_option("hoa-ban-cam1")
    expect(page.get_by_text("The camera that speaks for it is changed.")).to_be_visible()
    with own_city.client("viewer") as client:
        owner = client.get(f"/v1/sites/{SITE}/approaches/west/owner").json()
    assert owner["camera"] == "hoa-ban-cam1"


def test_a_new_camera_in_five_minutes(visit: Visit, own_city: Served) -> None:
    shown = visit("engineer", f"/setup#{SITE}", of=own_city, language="en")
    page = shown.page
    page.locator(f"#{SITE}").get_by_role("button", name="Add a camera").click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Where it stands and looks").fill("Cột số 3")
    expect(dialog.get_by_label("Id", exact=True)).to_have_value(NEW)
    dialog.get_by_label("Address").fill("rtsp://10.9.9.9:554/1")
    dialog.get_by_label("The camera's user").fill("viewer")
    dialog.get_by_label("The camera's password").fill("se:cret@9")
    dialog.get_by_label("Substream").fill("rtsp://10.9.9.9:554/2")
    dialog.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/setup/cameras/{NEW}")
    with own_city.client("engineer") as client:
        kept = client.get(f"/v1/cameras/{NEW}").json()
    assert "cret" not in str(kept)
    assert kept["address"] == "rtsp://***@10.9.9.9:554/1"
    assert kept["substream"] == "rtsp://***@10.9.9.9:554/2"

    expect(page.locator("#begin")).to_be_visible()
    page.locator("#begin [data-propose]").click()
    expect(page.locator("#problem")).to_contain_text("Too few vehicles have passed")
    shown.faults.clear()
    keep_tracks(own_city, NEW)
    page.locator("#begin [data-propose]").click()
    expect(page.locator("#gates li")).not_to_have_count(0)
    expect(page.locator(".paths polyline")).not_to_have_count(0)
    page.locator("#gates .part-head").first.click()
    page.locator("#gates").get_by_label("Approach").select_option("north")
    expect(page.locator("#save")).to_be_enabled()
    page.click("#save")
    expect(page.locator("#status")).to_have_text("Saved, version 1")
    view = saved_view(own_city, NEW)["view"]
    assert view["proposed"] is False
    assert "north" in {gate["approach"] for gate in view["gates"]}


def test_a_gate_is_moved_by_mouse_and_by_keyboard_and_saved_as_the_next_version(
    editor: Callable[..., Page], own_city: Served
) -> None:
    page = editor()
    before = saved_view(own_city)["view"]
    gates = {gate["id"]: gate["line"] for gate in before["gates"]}
    drag(page, end_of(page, "north", 0).locator(".knob"), -30, 20)
    expect(page.locator("#status")).to_have_text("Not saved")
    end_of(page, "north", 1).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.click("#save")
    expect(page.locator("#status")).to_have_text(f"Saved, version {before['version'] + 1}")
    after = saved_view(own_city)["view"]
    line = next(gate["line"] for gate in after["gates"] if gate["id"] == "north")
    assert line[0][0] < gates["north"][0][0] - 0.01
    assert line[0][1] > gates["north"][0][1] + 0.01
    assert line[1][0] == pytest.approx(gates["north"][1][0] + 0.0045, abs=1e-4)
    assert line[1][1] > gates["north"][1][1] + 0.02
    page.click("#tab-versions")
    expect(page.locator("#versions li")).to_have_count(2)
    page.locator("#versions li").last.get_by_role("button").click()
    expect(page.locator("#status")).to_have_text("Not saved")
    page.click("#save")
    expect(page.locator("#status")).to_have_text(f"Saved, version {before['version'] + 2}")
    assert saved_view(own_city)["view"]["gates"] == before["gates"]


def test_steps_are_undone_and_done_again(editor: Callable[..., Page]) -> None:
    page = editor()
    count = page.locator(".gate").count()
    page.click("[data-tool=gate]")
    clicks(page, (0.2, 0.8), (0.5, 0.85))
    expect(page.locator(".gate")).to_have_count(count + 1)
    page.keyboard.press("Delete")
    expect(page.locator(".gate")).to_have_count(count)
    page.keyboard.press("Control+z")
    expect(page.locator(".gate")).to_have_count(count + 1)
    page.keyboard.press("Control+z")
    expect(page.locator("#status")).to_contain_text("Saved")
    page.keyboard.press("Control+y")
    expect(page.locator(".gate")).to_have_count(count + 1)
    end_of(page, "gate-1", 0).focus()
    page.keyboard.press("Escape")
    expect(page.locator(".gate.chosen")).to_have_count(0)


def test_undoing_in_a_field_is_the_fields_own_only_while_something_is_typed(
    editor: Callable[..., Page],
) -> None:
    page = editor()
    count = page.locator(".gate").count()
    page.click("[data-tool=gate]")
    clicks(page, (0.2, 0.8), (0.5, 0.85))
    expect(page.locator(".gate")).to_have_count(count + 1)
    name = page.locator("#gates").get_by_label("Name", exact=True)
    name.focus()
    page.keyboard.type("ab")
    page.keyboard.press("Control+z")
    expect(page.locator(".gate")).to_have_count(count + 1)
    expect(name).to_have_value("")
    page.keyboard.press("Control+z")
    expect(page.locator(".gate")).to_have_count(count)


def test_with_the_keyboard_alone_a_gate_is_drawn_and_turned(editor: Callable[..., Page]) -> None:
    page = editor()
    page.locator("[data-tool=gate]").focus()
    page.keyboard.press("Enter")
    expect(end_of(page, "gate-1", 0)).to_be_focused()
    page.keyboard.press("ArrowUp")
    arrow = page.locator(".gate.chosen .arrow")
    before = arrow.get_attribute("y2")
    page.get_by_role("button", name="Reverse").click()
    expect(arrow).not_to_have_attribute("y2", before or "")


def test_a_zone_is_drawn_and_its_corners_added_and_removed(
    editor: Callable[..., Page], own_city: Served
) -> None:
    page = editor()
    page.click("[data-tool=zone]")
    clicks(page, (0.1, 0.6), (0.3, 0.6), (0.3, 0.75))
    page.click("#close-zone")
    expect(page.locator(".zone.chosen .handle")).to_have_count(3)
    drag(page, page.locator(".zone.chosen .between .knob").first, 0, -25)
    expect(page.locator(".zone.chosen .handle")).to_have_count(4)
    page.keyboard.press("Delete")
    expect(page.locator(".zone.chosen .handle")).to_have_count(0)
    page.locator("#zones .part-head").last.click()
    expect(page.locator(".zone.chosen .handle")).to_have_count(3)
    page.locator("#zones").get_by_label("Kind").select_option("no_stop")
    page.locator("#zones").get_by_label("Id").fill("cam dung")
    page.keyboard.press("Tab")
    expect(page.locator("#zones .fault")).to_be_visible()
    expect(page.locator("#save")).to_be_disabled()
    page.locator("#zones").get_by_label("Id").fill("cam-dung")
    page.keyboard.press("Tab")
    expect(page.locator("#zones .fault")).to_have_count(0)
    expect(page.locator("#save")).to_be_enabled()
    page.click("#save")
    expect(page.locator("#status")).to_contain_text("Saved")
    assert saved_view(own_city)["view"]["zones"][-1]["kind"] == "no_stop"


def test_what_is_typed_stays_when_a_check_is_answered_meanwhile(
    editor: Callable[..., Page], own_city: Served
) -> None:
    page = editor()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/view/check", hold, times=1)
    page.locator("#gates .part-head").last.click()
    page.locator("#gates").get_by_label("Name", exact=True).fill("Bến xe")
    page.keyboard.press("Tab")
    ident = page.locator("#gates").get_by_label("Id", exact=True)
    expect(ident).to_be_focused()
    before = ident.input_value()
    page.keyboard.press("Home")
    page.keyboard.type("a")
    for _ in range(400):  # it is asked a moment after the change
        if held:
            break
        page.wait_for_timeout(50)
    drawn = ident.element_handle()
    held.pop().continue_()
    page.wait_for_function("node => !node.isConnected", arg=drawn)
    expect(ident).to_be_focused()
    page.keyboard.type("b")
    expect(ident).to_have_value(f"ab{before}")
    page.keyboard.press("Tab")
    expect(page.locator("#save")).to_be_enabled()
    page.click("#save")
    expect(page.locator("#status")).to_contain_text("Saved")
    assert saved_view(own_city)["view"]["gates"][-1]["id"] == f"ab{before}"


def test_movements_are_filled_in(editor: Callable[..., Page]) -> None:
    page = editor()
    page.click("#tab-movements")
    rows = page.locator("#movements tbody tr")
    count = rows.count()
    page.locator("#movements tbody button").first.click()
    expect(rows).to_have_count(count - 1)
    page.click("#fill")
    expect(rows).to_have_count(16)
    turns = {page.locator(f'[data-field="movements.{n}.turn"]').input_value() for n in range(16)}
    assert turns == {"left", "through", "right", "u_turn"}


def test_a_rectangle_gives_metres_and_a_bad_point_is_told(editor: Callable[..., Page]) -> None:
    page = editor()
    page.click("#tab-metres")
    expect(page.locator("#ground .notice")).to_contain_text("Good: typically")
    expect(page.locator(".ground polyline")).not_to_have_count(0)
    east = page.locator('[data-field="calibration.points.3.ground.0"]')
    east.fill(str(float(east.input_value()) + 30))
    page.keyboard.press("Tab")
    expect(page.locator("#ground .notice.bad")).to_contain_text("contradict each other")
    page.get_by_role("button", name="Remove the measurement").click()
    page.click("[data-tool=rectangle]")
    clicks(page, (0.35, 0.55), (0.6, 0.55), (0.7, 0.75), (0.25, 0.75))
    expect(page.locator("#ground .notice")).to_contain_text("Four points always fit")
    page.get_by_label("Side 1–2 (m)").fill("12")
    page.keyboard.press("Tab")
    expect(page.locator(".measures")).to_contain_text("12 m")
    page.click("#save")
    expect(page.locator("#status")).to_contain_text("Saved")


def test_it_is_confirmed_tried_and_counted_again(editor: Callable[..., Page], own_city: Served) -> None:
    keep_tracks(own_city, CAMERA)
    page = editor()
    expect(page.locator("#doubt")).to_be_visible()
    page.click("#confirm")
    expect(page.locator("#doubt")).to_be_hidden()
    assert saved_view(own_city)["confirmed_by"] == "engineer"
    page.click("[data-tool=gate]")
    clicks(page, (0.1, 0.85), (0.95, 0.85))
    expect(page.locator("#status")).to_have_text("Not saved")
    page.click("#tab-try")
    page.click("#try")
    expect(page.locator("#trial")).to_contain_text("1.0 minutes were watched")
    row = page.locator("#trial tr", has_text="gate-1").first
    expect(row.locator("td").nth(1)).not_to_have_text("0")
    expect(page.locator("#recount")).to_be_disabled()
    page.click("#save")
    page.click("#recount")
    expect(page.locator("#recounted")).to_contain_text(re.compile(r"1 minutes counted again with version \d"))


def test_what_is_not_saved_is_not_lost_silently(editor: Callable[..., Page]) -> None:
    page = editor()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    drag(page, end_of(page, "north", 0).locator(".knob"), -30, 20)
    expect(page.locator("#status")).to_have_text("Not saved")
    page.get_by_role("link", name="All cameras").click()
    expect(page.locator("#status")).to_have_text("Not saved")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("change", ["drawn", "confirmed"])
def test_somebody_elses_version_is_not_overwritten_unseen(
    visit: Visit, own_city: Served, change: str
) -> None:
    shown = visit("engineer", DRAW, of=own_city, language="en")
    page = shown.page
    expect(page.locator("#editor")).not_to_have_attribute("aria-busy", "true")
    drag(page, end_of(page, "north", 0).locator(".knob"), -30, 20)
    expect(page.locator("#save")).to_be_enabled()
    with own_city.client("engineer") as client:
        path = f"/v1/cameras/{CAMERA}/view"
        if change == "drawn":
            seen = client.get(path)
            body = {**seen.json()["view"], "name": "another"}
            assert client.put(path, json=body, headers={"If-Match": seen.headers["ETag"]}).status_code == 200
        else:  # which is no change of the drawing
            assert client.post(f"{path}/confirm").status_code == 200
    page.click("#save")
    if change == "drawn":
        expect(page.locator("#problem")).to_contain_text("Somebody else has saved version")
    else:
        expect(page.locator("#status")).to_contain_text("Saved, version")
    shown.faults.clear()  # the browser tells of the refusal too


def test_on_the_first_touch(visit: Visit, own_city: Served) -> None:
    page = visit("engineer", DRAW, of=own_city, language="en", size="phone").page
    expect(page.locator("#gates li").first).to_be_visible()
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    assert box["width"] > 300
    drag(page, end_of(page, "north", 0).locator(".knob"), -10, 12)
    expect(page.locator("#status")).to_have_text("Not saved")


def test_an_address_is_tried_before_it_is_kept(visit: Visit) -> None:
    page = visit("engineer", f"/setup#{SITE}", language="en").page
    asked: list[Any] = []
    came = {"works": True, "seconds": 1.2, "width": 1920, "height": 1080, "codec": "h264", "fps": 25.0}
    lost = {"works": False, "seconds": 6.0, "problem": "no answer"}

    def answer(route: Route) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(json=came if len(asked) == 1 else lost)

    page.route("**/v1/camera-tests", answer)
    page.locator(f"#{SITE}").get_by_role("button", name="Add a camera").click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Address").fill("rtsp://10.0.0.5:554/1")
    dialog.get_by_label("The camera's user").fill("viewer")
    dialog.get_by_label("The camera's password").fill("a@b:c")
    dialog.get_by_role("button", name="Test it").click()
    expect(dialog.locator(".notice.good")).to_contain_text("within 1.2 s: 1920 × 1080, H264, 25 pictures/s")
    assert asked == [{"address": "rtsp://viewer:a%40b%3Ac@10.0.0.5:554/1"}]
    dialog.get_by_role("button", name="Test it").click()
    expect(dialog.locator("p.notice.bad", has_text="No picture came: no answer")).to_be_visible()


def test_a_substream_of_another_shape_is_told_when_it_is_tried(visit: Visit, own_city: Served) -> None:
    page = visit("engineer", f"/setup#{SITE}", of=own_city, language="en").page
    asked: list[Any] = []
    sizes = [(1920, 1080), (704, 576), (1920, 1080), (640, 360)]

    def answer(route: Route) -> None:
        width, height = sizes[len(asked)]
        asked.append((route.request.url.partition("/v1/")[2], route.request.post_data_json))
        came = {"works": True, "seconds": 0.4, "codec": "h264", "fps": 25.0}
        route.fulfill(json={**came, "width": width, "height": height})

    page.route("**/v1/camera-tests", answer)
    page.route("**/v1/cameras/*/test?*", answer)
    site = page.locator(f"#{SITE}")
    edit = page.get_by_role("button", name="Edit cột phía nam, nhìn về bắc")
    edit.click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Address").fill("rtsp://10.0.0.5:554/1")
    expect(dialog.get_by_text("It is read only while there is too little time")).to_be_visible()
    dialog.get_by_label("Substream").fill("rtsp://10.0.0.5:554/2")
    dialog.get_by_role("button", name="Test it").click()
    shape = "Substream: its pictures of 704 × 576 have another shape than the main stream's 1920 × 1080"
    expect(dialog.locator("p.notice.bad", has_text=shape)).to_be_visible()
    dialog.get_by_role("button", name="Test it").click()
    expect(dialog.locator("p.notice.good", has_text="Substream: A picture came")).to_be_visible()
    trial = {"address": "rtsp://10.0.0.5:554/2", "camera": "hoa-ban-cam1"}
    assert asked[1] == asked[3] == ("camera-tests", trial)
    dialog.get_by_role("button", name="Save").click()
    expect(site.locator("tr", has=edit)).to_contain_text("with a substream")
