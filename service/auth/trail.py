"""The audit: who did what, with what it was before and after; only ever added to, secrets masked."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, insert

from service.auth.settings import present
from service.storage.tables import Audit
from vision.sources import mask_address

_SECRET = re.compile(r"pass|secret|token|hash|csrf|sealed|cookie|key$|link$|sha256", re.IGNORECASE)
_LONGEST = 2000


class _Named(Protocol):
    @property
    def login(self) -> str: ...


def audit(
    connection: Connection,
    caller: _Named | str,
    action: str,
    what: str,
    before: Any = None,
    after: Any = None,
    now: datetime | None = None,
) -> None:
    """Add a line to the audit, in the transaction of what it tells of.

    Args:
        connection: a transaction that writes.
        caller: who does it: a caller, or a login.
        action: what kind of deed, such as ``account.change``; at most 64 characters.
        what: to what, such as ``account an``.
        before: what it said; dicts, lists, text and numbers. Secrets in them are masked.
        after: what it says from now on.
        now: the moment; None is the present.
    """
    detail = {
        name: masked(value) for name, value in (("before", before), ("after", after)) if value is not None
    }
    connection.execute(
        insert(Audit).values(
            time=now or present(),
            actor=caller if isinstance(caller, str) else caller.login,
            action=action,
            what=mask_address(what),
            detail=detail,
        )
    )


def masked(value: Any, name: str = "") -> Any:
    """A value as the audit and the log may show it: what has a secret's name is ``***``, addresses masked."""
    if isinstance(value, Mapping):
        return {str(key): masked(each, str(key)) for key, each in value.items()}
    if value is not None and not isinstance(value, bool) and name and _SECRET.search(name):
        return "***"
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(each, name) for each in value]
    if isinstance(value, str):
        text = mask_address(value)
        return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float) else mask_address(str(value))
