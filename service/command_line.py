"""Keeps passwords off the command line, where every user of the machine can read them with ``ps``."""

import os
import sys
from urllib.parse import urlsplit

OPTION, VARIABLE = "--db", "NGATU_DB"
LASTING = ("serve", "live", "batch")
"""Commands that run for long, and read the variable too."""


def hide_database_url() -> None:
    """Start the same command again with the database's URL in the environment, where it holds a password.

    It stays the same process; until then, a second or two, the password can be seen.
    """
    if len(sys.argv) < 2 or sys.argv[1] not in LASTING:
        return
    after, url = without_url(sys.orig_argv)
    if url and _holds_password(url):
        os.environ[VARIABLE] = url
        os.execv(sys.executable, after)  # noqa: S606 - ourselves, with what we were given


def without_url(arguments: list[str]) -> tuple[list[str], str]:
    """A command line without the database's URL, and that URL; empty where there is none."""
    after: list[str] = []
    url = ""
    rest = iter(arguments)
    for each in rest:
        if each == OPTION:
            url = next(rest, "")
        elif each.startswith(f"{OPTION}="):
            url = each.partition("=")[2]
        else:
            after.append(each)
    return after, url


def _holds_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password) or "password=" in url
    except ValueError:
        return False  # whoever opens it says what is wrong
