"""Cursors of pages: the key of the last row, so that rows that come meanwhile shift nothing."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from service.auth.problems import Problem
from service.registry import Ref
from service.storage.base import microseconds, moment

T = TypeVar("T")

LATEST_US = 7_258_118_400 * 10**6
"""The year 2200."""


def encode(*key: Any) -> str:
    """A cursor from numbers and texts."""
    text = json.dumps(key, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> list[Any]:
    """The key in a cursor.

    Raises:
        Problem: it is not one of this route's, 422.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        key = None
    if not isinstance(key, list) or [type(each) for each in key] != list(kinds):
        raise _no_cursor()
    return key


def encode_row(time: datetime, name: UUID | str | int) -> str:
    """The cursor of a row that is ordered by a moment and its id."""
    return encode(microseconds(time), name.hex if isinstance(name, UUID) else str(name))


def decode_row(cursor: str) -> tuple[datetime, UUID]:
    """The moment and id in such a cursor.

    Raises:
        Problem: it is not one of this route's, 422.
    """
    time, name = decode_named_row(cursor)
    try:
        return time, UUID(hex=name)
    except ValueError:
        raise _no_cursor() from None


def decode_named_row(cursor: str) -> tuple[datetime, str]:
    """The same where the id is a text."""
    microsecond, name = decode(cursor, int, str)
    if not 0 <= microsecond < LATEST_US or "\0" in name:
        raise _no_cursor()
    return moment(microsecond), name


def decode_number(cursor: str) -> int:
    """The number in a cursor of rows that the database numbered."""
    (number,) = decode(cursor, int)
    if not 0 <= number < 2**63:
        raise _no_cursor()
    return int(number)


def _no_cursor() -> Problem:
    return Problem(
        422,
        "not valid",
        "query.cursor: it is not one that this route gave; take the value of `next`, or leave it out",
        "query.cursor",
    )


def sliced(records: Mapping[Ref, T], limit: int, cursor: str | None) -> tuple[list[T], str | None]:
    """One page of records in order of their names, and the cursor of the next."""
    refs = sorted(records)
    if cursor is not None and refs:
        after = (refs[0][0], *decode(cursor, *[str] * (len(refs[0]) - 1)))
        refs = [ref for ref in refs if ref > after]
    following = encode(*refs[limit - 1][1:]) if len(refs) > limit else None
    return [records[ref] for ref in refs[:limit]], following
