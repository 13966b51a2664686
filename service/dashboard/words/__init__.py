"""Every text of the pages in both languages, one file a page; a test finds what is missing or not used."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Literal

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")
Words = dict[str, tuple[str, str]]
"""Vietnamese and English text by key; ``{name}`` in it is filled in."""


def _all() -> Words:
    """Every key with its texts; a key begins with the name of its file, so that none can hide another."""
    found: Words = {}
    for page in sorted(module.name for module in iter_modules(__path__)):
        words: Words = import_module(f"service.dashboard.words.{page}").WORDS
        for key, texts in words.items():
            found[f"{page}.{key}"] = texts
    return found


WORDS = _all()


def say(key: str, language: Language, **values: object) -> str:
    """A text in a language.

    Raises:
        KeyError: nobody has written it.
    """
    text = WORDS[key][LANGUAGES.index(language)]
    return text.format(**values) if values else text


def texts(language: Language) -> dict[str, str]:
    """All texts of a language, for the scripts in the browser."""
    return {key: both[LANGUAGES.index(language)] for key, both in WORDS.items()}
