"""Why a site is not covered, and what to do first; and when the target is reached."""

import pytest

from service.coverage import Figures, Gap, Health, Reach, Reason, gaps_of, reach, site_facts, site_statuses
from service.coverage.facts import BAD_PICTURE
from service.coverage.gaps import COST
from service.coverage.words import next_step, outlook, percent, why
from service.registry import Record, Site, Version, city_at
from tests.service.coverage.test_figures import camera, junction

NOW = 1_000_000.0
TZ = "UTC"
DAY = 86_400.0


def gap(records: list[Record], **states: str) -> Gap | None:
    """The gap of the one key site; cameras are in the states given since an hour before."""
    history = {record.ref: (Version(record, 0.0),) for record in records}
    health = {
        name: [Health("ok", 0.0, NOW - 3600), Health(state, NOW - 3600, NOW + 1)]
        for name, state in states.items()
    }
    facts = site_facts(history, health)
    (status,) = site_statuses(facts, city_at(history, NOW), health, NOW)
    return status.gap


AREA = [Site(id="p", kind="public_area", is_key=True)]
CROSS = junction("a", "n", "s")

CASES = [
    pytest.param(CROSS, {}, "no camera", "install a camera", id="no camera"),
    pytest.param(AREA, {}, "no camera", "install a camera", id="area without camera"),
    pytest.param(
        CROSS + camera("c", "a", "n", "s"),
        {"c": "offline"},
        "c: no picture since 1970-01-12 12:46",
        "check power and network of c",
        id="offline",
    ),
    pytest.param(CROSS + camera("c", "a", "n", "s"), {}, "c: no picture yet", "connect c", id="never seen"),
    pytest.param(
        CROSS + camera("c", "a", "n", "s"),
        {"c": "frozen"},
        "c: picture frozen since 1970-01-12 12:46",
        "restart c",
        id="frozen",
    ),
    pytest.param(
        CROSS + camera("c", "a", "n", "s"),
        {"c": "moved"},
        "c: moved since 1970-01-12 12:46",
        "turn c back or draw its view anew",
        id="moved",
    ),
    pytest.param(
        CROSS + camera("c", "a", "n", "s"),
        {"c": "a new word"},
        "c: no picture since 1970-01-12 12:46",
        "check power and network of c",
        id="unknown state",
    ),
    pytest.param(
        CROSS + camera("c", "a"), {"c": "ok"}, "c: no view drawn", "draw a view for c", id="no view"
    ),
    pytest.param(
        CROSS + camera("c", "a", "n"),
        {"c": "ok"},
        "in no view: s",
        "draw s in the view of c, or add a camera",
        id="approach in no view",
    ),
    pytest.param(
        junction("a") + camera("c", "a"),
        {"c": "ok"},
        "no approach is recorded; c: no view drawn",
        "record the approaches to be seen",
        id="no approaches",
    ),
    pytest.param(
        CROSS + camera("c", "a"),
        {"c": "offline"},
        "c: no picture since 1970-01-12 12:46; c: no view drawn",
        "check power and network of c",
        id="nothing can be drawn without a picture",
    ),
    pytest.param(
        CROSS + camera("c", "a", "n") + camera("d", "a", "s"),
        {"c": "offline", "d": "moved"},
        "c: no picture since 1970-01-12 12:46; d: moved since 1970-01-12 12:46",
        "turn d back or draw its view anew",
        id="the cheapest first",
    ),
    pytest.param(
        CROSS + camera("c", "a", "n") + camera("d", "a", "n", "s"),
        {"c": "offline", "d": "dark"},
        "c: no picture since 1970-01-12 12:46; d: too dark since 1970-01-12 12:46",
        "check light and exposure at d",
        id="two that see the same",
    ),
    pytest.param(
        CROSS + camera("c", "a", "n") + camera("d", "a", "n"),
        {"c": "offline", "d": "ok"},
        "in no view: s",
        "draw s in the view of d, or add a camera",
        id="a broken camera whose approach another sees is no reason",
    ),
    pytest.param(
        CROSS + camera("c", "a", "n", "west"),
        {"c": "ok"},
        "in no view: s; c: its view names west, which the junction does not have",
        "correct the name of west in the view of c, or add the approach",
        id="a name that the junction does not have",
    ),
    pytest.param(
        CROSS + camera("c", "a", "n", "s"),
        {"c": "blinded"},
        "c: blinded by light since 1970-01-12 12:46",
        "shade c or check its exposure",
        id="blinded",
    ),
    pytest.param(
        [*AREA, *camera("c", "p")],
        {"c": "dark"},
        "c: too dark since 1970-01-12 12:46",
        "check light and exposure at c",
        id="dark area",
    ),
]


@pytest.mark.parametrize(("records", "states", "reasons", "step"), CASES)
def test_reason_and_next_step(records: list[Record], states: dict[str, str], reasons: str, step: str) -> None:
    found = gap(records, **states)
    assert found is not None
    assert "; ".join(why(each, "en", TZ) for each in found.reasons) == reasons
    assert next_step(found.next_step, "en", TZ) == step


def test_covered_sites_have_no_gap() -> None:
    assert gap(CROSS + camera("c", "a", "n", "s"), c="ok") is None
    assert gap([*AREA, *camera("c", "p"), *camera("d", "p")], c="ok", d="offline") is None


def test_a_state_written_in_two_rows_began_with_the_first() -> None:
    records = [*AREA, *camera("c", "p")]
    history = {record.ref: (Version(record, 0.0),) for record in records}
    health = {"c": [Health("frozen", 100.0, 200.0), Health("frozen", 200.0, NOW + 1)]}
    (status,) = site_statuses(site_facts(history, health), city_at(history, NOW), health, NOW)
    assert status.gap is not None
    assert status.gap.reasons == (Reason("frozen", "c", 100.0),)


def test_the_list_begins_with_what_is_soonest_put_right() -> None:
    records = [*junction("a", "n"), *junction("b", "n"), *camera("c", "b"), *AREA]
    history = {record.ref: (Version(record, 0.0),) for record in records}
    health = {"c": [Health("ok", 0.0, NOW + 1)]}
    statuses = site_statuses(site_facts(history, health), city_at(history, NOW), health, NOW)
    assert [each.site.id for each in gaps_of(statuses)] == ["b", "a", "p"]


def test_every_reason_has_words_in_both_languages() -> None:
    for code in COST:
        reason = Reason(code, "a-cam1", NOW, ("n", "s"))
        for language in ("en", "vi"):
            for text in (why(reason, language, TZ), next_step(reason, language, TZ)):
                assert text
                assert "{" not in text
        assert why(reason, "en", TZ) != why(reason, "vi", TZ)
    assert why(Reason("no_view", "a-cam1"), "en", TZ, site="a") == "cam1: no view drawn"
    assert set(COST) >= BAD_PICTURE


@pytest.mark.parametrize(
    ("share", "language", "text"),
    [
        (None, "en", "–"),
        (0.9999, "en", "99.9 %"),
        (1.0, "en", "100.0 %"),
        (0.29, "vi", "29,0 %"),
        (0.0, "en", "0.0 %"),
    ],
)
def test_a_share_is_never_rounded_up(share: float | None, language: str, text: str) -> None:
    assert percent(share, language) == text  # type: ignore[arg-type]


def figures(effective: float | None, start: float = NOW, target: float = 1.0) -> Figures:
    return Figures("junction", start, start, 10, 1.0, 1.0, effective, 1.0, target)


def days(*shares: float | None) -> list[Figures]:
    return [figures(share, NOW - (len(shares) - number) * DAY) for number, share in enumerate(shares)]


RISING = [0.5 + 0.01 * day for day in range(20)]

OUTLOOKS = [
    pytest.param(0.7, RISING, None, NOW + 30 * DAY, id="steady rise"),
    pytest.param(0.7, [None] * 5 + RISING[:7], None, NOW + 30 * DAY, id="a week is enough"),
    pytest.param(1.0, RISING, "reached", None, id="reached"),
    pytest.param(None, [None] * 9, "no_sites", None, id="no key site"),
    pytest.param(0.5, RISING[:6], "short_history", None, id="six days"),
    pytest.param(0.5, [0.5] * 20, "no_progress", None, id="pace of zero"),
    pytest.param(0.5, RISING[::-1], "no_progress", None, id="falling"),
    pytest.param(0.5, [0.4, 0.6] * 10, "uncertain", None, id="up and down"),
    pytest.param(0.5, [0.5 + 1e-4 * day for day in range(20)], "too_far", None, id="years away"),
    pytest.param(0.7, [0.9] * 30 + RISING + RISING[:8], "uncertain", None, id="four weeks count alone"),
]


@pytest.mark.parametrize(("now", "shares", "obstacle", "date"), OUTLOOKS)
def test_when_the_target_is_reached(
    now: float | None, shares: list[float | None], obstacle: str | None, date: float | None
) -> None:
    found = reach(figures(now), days(*shares))
    assert found.obstacle == obstacle
    assert found.date == (None if date is None else pytest.approx(date))
    for language in ("en", "vi"):
        assert "None" not in outlook(found, language, TZ)
        assert "{" not in outlook(found, language, TZ)


def test_the_target_may_be_less_than_everything() -> None:
    assert reach(figures(0.7, target=0.7), days(*RISING)).obstacle == "reached"
    assert reach(figures(0.7, target=0.8), days(*RISING)).date == pytest.approx(NOW + 10 * DAY)
    assert reach(figures(0.7), days(*RISING)) == Reach(
        pytest.approx(NOW + 30 * DAY), None, pytest.approx(0.01), 20
    )
