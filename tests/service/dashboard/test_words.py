"""Every text of the pages: in both languages, used somewhere, with the same blanks; one palette."""

import re
from pathlib import Path

import pytest

from service.dashboard.pages import PAGES
from service.dashboard.render import STATIC
from service.dashboard.words import LANGUAGES, WORDS, say, texts
from vision.overlay import CLASS_COLOURS

FOLDER = STATIC.parent
TEMPLATES = {file.name: file.read_text(encoding="utf-8") for file in (FOLDER / "templates").glob("*.html")}
SCRIPTS = {
    str(file.relative_to(STATIC)): file.read_text(encoding="utf-8") for file in (STATIC / "js").rglob("*.js")
}
SOURCES = {**TEMPLATES, **SCRIPTS, "pages.py": (FOLDER / "pages.py").read_text(encoding="utf-8")}
KEYS = re.compile(r"""["'`]([a-z][a-z_]*\.[a-z][a-z0-9_]*)["'`]""")
"""A whole key, quoted."""
BUILT = re.compile(r"""["'`]([a-z][a-z_]*\.[a-z0-9_]*?)(?:\$\{|["'`] *[~+])""")
"""The beginning of a key that goes on with a value: `common.state_${…}`, or "common." ~ item."""
FILES = re.compile(r"\.(js|css|html|svg|webp|png|json|xlsx|csv|mp4|pdf|zip)$")
BLANK = re.compile(r"\{(\w+)\}")


def used() -> set[str]:
    return {key for text in SOURCES.values() for key in KEYS.findall(text)}


def beginnings() -> set[str]:
    return {begin for text in SOURCES.values() for begin in BUILT.findall(text)}


def test_every_key_that_a_page_uses_is_written() -> None:
    sections = {key.partition(".")[0] for key in WORDS}
    asked = {key for key in used() if key.partition(".")[0] in sections and not FILES.search(key)}
    # "common.state_" in quotes is the beginning of keys, not a key.
    missing = {key for key in asked - WORDS.keys() if not any(each.startswith(key) for each in WORDS)}
    assert sorted(missing) == []
    nothing = {b for b in beginnings() if b.partition(".")[0] in sections and not _found(b)}
    assert sorted(nothing) == []


def test_no_key_is_written_for_nothing() -> None:
    # `common.` with a name behind it is an entry of the menu.
    plain = used() | {f"common.{page.name}" for page in PAGES if page.listed}
    begun = beginnings() - {"common."}
    titles = {f"{key.partition('.')[0]}.title" for key in WORDS}
    unused = {key for key in WORDS.keys() - plain - titles if not any(key.startswith(each) for each in begun)}
    assert sorted(unused) == []


def _found(begin: str) -> bool:
    return any(key.startswith(begin) for key in WORDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language: str) -> None:
    blank = [key for key, both in WORDS.items() if not both[LANGUAGES.index(language)].strip()]  # type: ignore[arg-type]
    assert blank == []


def test_both_languages_have_the_same_blanks() -> None:
    differing = {key: both for key, both in WORDS.items() if _blanks(both[0]) != _blanks(both[1])}
    assert differing == {}


def _blanks(text: str) -> list[str]:
    return sorted(set(BLANK.findall(text)))


def test_what_should_be_translated_is() -> None:
    """Texts that are the same in both languages are names, units and signs, not forgotten ones."""
    same = {key: both[0] for key, both in WORDS.items() if both[0] == both[1]}
    forgotten = {key: text for key, text in same.items() if len(re.findall(r"[a-z]{3,}", text.lower())) > 2}
    assert forgotten == {}


def test_vietnamese_is_written_with_its_signs() -> None:
    joined = " ".join(texts("vi").values())
    assert len(re.findall(r"[ăâđêôơưạ-ỹ]", joined.lower())) > 0.05 * len(joined)


def test_a_text_says_its_values() -> None:
    assert say("wall.since", "vi", time="16:00") == "Xe vào nút từ 16:00"
    assert say("wall.since", "en", time="16:00") == "Vehicles entering since 16:00"


def test_templates_hold_no_text_of_their_own() -> None:
    """What a reader sees comes from the words; in a template stand marks and the name of the product."""
    found = {}
    for name, text in TEMPLATES.items():
        bare = re.sub(r"\{[{%].*?[%}]\}|<!--.*?-->|<code>.*?</code>|<[^>]*>", " ", text, flags=re.S)
        words = re.findall(r"[^\W\d_]{3,}", bare)
        if others := [word for word in words if word not in ("ngatu", "XLSX", "CSV", "Parquet", "JSON")]:
            found[name] = others
    assert found == {}


def test_classes_have_the_colours_of_the_annotated_pictures() -> None:
    css = (STATIC / "css" / "ngatu.css").read_text(encoding="utf-8")
    for vehicle, colour in CLASS_COLOURS.items():
        variable = "unknown-class" if vehicle.label == "unknown" else vehicle.label
        assert re.findall(rf"--{variable}: *(#[0-9a-f]{{6}})", css) == [colour.lower()], vehicle.label


def test_no_script_writes_markup_and_no_template_carries_style_or_script() -> None:
    """The content policy would refuse it; so the page would be broken, not the policy."""
    code = {name: re.sub(r"^\s*//.*$", "", text, flags=re.M) for name, text in SCRIPTS.items()}
    faults = [name for name, text in code.items() if re.search(r"innerHTML|insertAdjacentHTML|eval\(", text)]
    for name, text in TEMPLATES.items():
        if re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text):
            faults.append(name)
    assert faults == []


def test_assets_are_all_there_and_none_comes_from_elsewhere() -> None:
    for name, text in TEMPLATES.items():
        for path in re.findall(r"asset\('([^']+)'\)", text):
            assert (STATIC / path).is_file(), f"{name}: {path}"
        assert not re.search(r"""(src|href)=["']https?://""", text), name
    for file in [*(STATIC / "js").rglob("*.js"), *(STATIC / "css").glob("*.css")]:
        assert not re.search(r"https?://(?!www\.w3\.org)", file.read_text(encoding="utf-8")), Path(file).name
