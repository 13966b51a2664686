"""Reads ``feeds.yaml``: who is told what, with secrets as ``${NAME}`` of the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from service.feeds.receiver import FeedError, Receiver
from service.feeds.registry import RECEIVERS

FILE = "feeds.yaml"


def feeds_file(folder: Path, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file that NGATU_FEEDS names, or ``feeds.yaml`` in a folder; None where there is none."""
    if named := environment.get("NGATU_FEEDS"):
        return Path(named)
    path = folder / FILE
    return path if path.is_file() else None


def load_receivers(path: Path) -> list[Receiver[Any]]:
    """The receivers of a file, not connected yet.

    Raises:
        FeedError: the file cannot be read, or something in it is not right; file and field are named.
    """
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or str(error).replace("\n", " ")
        raise FeedError(f"cannot read {path}: {reason}") from None
    listed = told.get("receivers") if isinstance(told, dict) else None
    if not isinstance(listed, list) or set(told) != {"receivers"}:
        raise FeedError(f"{path}: it has one list, 'receivers', and nothing else; see docs/feeds.md")
    found = [_receiver(path, number, each) for number, each in enumerate(listed)]
    names = [each.settings.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise FeedError(f"{path}: two receivers are called {name!r}; give each its own name")
    return found


def _receiver(path: Path, number: int, told: Any) -> Receiver[Any]:
    where = f"{path}, receivers[{number}]"
    kind = told.get("kind") if isinstance(told, dict) else None
    if kind not in RECEIVERS:
        raise FeedError(f"{where}.kind: {kind!r} is not known; write one of {', '.join(RECEIVERS)}")
    made = RECEIVERS[kind]
    try:
        return made(made.SETTINGS.model_validate(told))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise FeedError(f"{where}{'.' if field else ''}{field}: {reason}") from None
    except FeedError as error:
        raise FeedError(f"{where}.{error}") from None
