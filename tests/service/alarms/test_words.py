"""Every alarm has words in both languages, and settings that say what they mean."""

from typing import get_args

import pytest

from service.alarms import KINDS, AlarmRuleError, Severity
from service.alarms.rules import SETTINGS, Rule, Rules, read_settings
from service.alarms.words import LANGUAGES, severity_word, told, why_cleared, words_of


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told_in_both_languages(kind: str) -> None:
    english, vietnamese = (words_of(kind, language) for language in LANGUAGES)  # type: ignore[arg-type]
    assert english.title != vietnamese.title
    for words in (english, vietnamese):
        assert words.meaning.endswith(".")
        assert words.action.endswith((".", "?"))
    assert all(field.description for field in SETTINGS[kind].model_fields.values())  # type: ignore[index]


def test_severities_and_reasons() -> None:
    for severity in get_args(Severity):
        assert severity_word(severity, "vi") != severity_word(severity, "en")
    for why in ("over", "excluded", "rule_disabled", "not_observed"):
        assert why_cleared({"cleared_because": why}, "vi") != why_cleared({"cleared_because": why}, "en")
    assert why_cleared({}, "vi") == ""
    assert told({"place": "middle", "reopened": 2}, "en") == "at middle, came back 2 times"
    assert told({}, "vi") == ""


def test_the_rule_of_a_site_beats_the_citys_and_that_the_default() -> None:
    city = Rule("jam", "", enabled=True, settings=read_settings("jam", {"raise_after_s": 60}))
    own = Rule("jam", "square", enabled=False, settings=read_settings("jam", {}))
    rules = Rules([city, own])
    assert rules.of("jam", "square") is own
    assert rules.of("jam", "other") is city
    assert rules.of("jam", None) is city
    assert rules.of("camera_lost", "square").own is False


def test_an_unknown_kind_is_told_with_those_there_are() -> None:
    with pytest.raises(AlarmRuleError, match=r"there is no alarm 'fire'; it is one of jam, queue_spillback"):
        read_settings("fire", {})
