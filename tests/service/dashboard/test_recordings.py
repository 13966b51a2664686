"""The page of recordings: handing files in, following them, the result with its video."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.jobs import store
from service.storage.connect import reading
from tests.service.dashboard.city import CAMERA
from tests.service.dashboard.conftest import Served, Visit, violations
from tests.service.dashboard.patience import expect
from tests.service.dashboard.recorded import BAD, COUNTS, add_jobs

pytestmark = pytest.mark.browser
MakeClip = Callable[..., Path]


def test_files_are_handed_in_and_followed(
    visit: Visit, own_city: Served, make_clip: MakeClip, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "cam1_20260310-093000.mp4", 20, 10.0)
    junk = tmp_path / "letter.mp4"
    junk.write_bytes(b"Dear Sir or Madam" * 100)
    shown = visit("operator", "/recordings", of=own_city, language="en")
    page = shown.page
    page.wait_for_selector("#jobs .empty")
    assert page.locator("#record").is_disabled()
    page.select_option("#camera", CAMERA)
    page.fill("#start", "2026-03-10T09:30:00")
    page.check("#record")
    page.set_input_files("#files", [clip, junk])
    page.wait_for_selector("#jobs .job")
    page.wait_for_selector('#uploads [data-file="letter.mp4"] .fault')
    assert "letter.mp4" in page.inner_text('#uploads [data-file="letter.mp4"] .fault')
    assert len(shown.faults) == 1
    shown.faults.clear()
    with reading(own_city.engine) as connection:
        (row,) = store.listed(connection)
    assert row["name"] == clip.name
    options: dict[str, Any] = row["options"]
    assert (options["camera"], options["record"], options["annotate"], options["fps"]) == (
        CAMERA,
        True,
        True,
        10,
    )
    assert options["start"].startswith("2026-03-10T02:30:00")
    page.click("#jobs .job button")
    page.wait_for_selector('#jobs .job[data-state="cancelled"]')


def test_the_result_is_shown_with_its_video(
    visit: Visit, own_city: Served, make_clip: MakeClip, tmp_path: Path
) -> None:
    video = make_clip(tmp_path / "annotated.mp4", 20, 10.0).read_bytes()
    jobs = add_jobs(own_city, video)
    page = visit("operator", "/recordings", of=own_city, language="en").page
    page.wait_for_selector("#jobs .job")
    assert BAD in page.inner_text(f'[data-job="{jobs["failed"]}"]')
    assert page.locator(f'[data-job="{jobs["running"]}"] progress').get_attribute("value") == "43"
    page.click(f'[data-job="{jobs["done"]}"] button.primary')
    page.wait_for_selector("#result tbody tr")
    whole = sum(count for ways in COUNTS.values() for one in ways.values() for count in one.values())
    assert str(whole) in page.inner_text("#result dl")
    page.wait_for_selector("#result >> text=Hoa Ban (bắc) → Hoa Ban (nam)")
    assert "34" in page.inner_text("#result .span-6:last-child")
    expect(page.locator("#result video")).to_have_js_property("videoWidth", 128)
    with page.expect_download() as waiting:
        page.click('#result a[download="counts.csv"]')
    assert "movement" in waiting.value.path().read_text()
    assert violations(page) == []


def test_the_first_day_says_what_to_do(visit: Visit, first_day: Served) -> None:
    page = visit("operator", "/recordings", of=first_day, size="phone").page
    page.wait_for_selector("#jobs .empty")
    assert violations(page) == []
