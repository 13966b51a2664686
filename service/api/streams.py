"""Answers that go on: how many there may be, when they end, and that their caller may still have them."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from service.auth.access import Caller, is_still_valid
from service.auth.problems import Problem
from service.storage.connect import StorageError

CHECK_S = 60.0
"""How often it is looked whether the caller of a stream may still have it, s."""


@dataclass(slots=True)
class Places:
    """How many streams of a kind may be open, in all and of one account."""

    all: int
    each: int
    _open: Counter[str] = field(default_factory=Counter)

    def check(self, caller: Caller) -> None:
        """See that there is a place.

        Raises:
            Problem: there is none, 503 or 429.
        """
        later = {"Retry-After": "5"}
        if self._open[caller.login] >= self.each:
            raise Problem(
                429, "too many streams", f"one account may have {self.each} at once; close one", headers=later
            )
        if self._open.total() >= self.all:
            raise Problem(503, "too many streams", f"there are {self.all} already; try later", headers=later)

    @contextmanager
    def taken(self, caller: Caller) -> Iterator[None]:
        """A place while this is open."""
        self._open[caller.login] += 1
        try:
            yield
        finally:
            self._open[caller.login] -= 1
            if not self._open[caller.login]:
                del self._open[caller.login]


async def going_on(request: Request, caller: Caller, seconds: float) -> AsyncIterator[None]:
    """Turns of a stream: until its time is over, its caller may not have it, or the service stops."""
    hub = request.app.state.services.hub
    end = time.monotonic() + seconds
    checked = time.monotonic()
    while (now := time.monotonic()) < end and not hub.closing:
        if now - checked > CHECK_S:
            checked = now
            try:
                if not await run_in_threadpool(is_still_valid, request, caller):
                    return
            except StorageError:
                pass  # the database is away: who was let in stays until it is back
        yield
