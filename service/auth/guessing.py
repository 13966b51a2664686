"""Slows down whoever guesses passwords: each failure too many doubles the wait, up to 15 minutes."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

LONGEST = 900.0
"""Seconds: at this pace a year has 35,000 guesses, against passwords of at least twelve characters."""

MEMORY = 10_000
"""Keys that are remembered; more must be a flood of made-up names, of which the oldest are forgotten."""

FORGET = 86_400.0
"""Seconds after which failures no longer count."""


def wait_after(failures: int, free: int) -> float:
    """Seconds to wait after so many failures in a row, of which the first ``free`` cost nothing.

    Example:
        >>> [wait_after(n, 5) for n in (4, 5, 6, 9, 100)]
        [0.0, 1.0, 2.0, 16.0, 900.0]
    """
    return 0.0 if failures < free else min(2.0 ** min(failures - free, 20), LONGEST)


@dataclass(slots=True)
class _Count:
    failures: int
    last: float


class Guesses:
    """Failures by key (an address, a made-up login), in memory."""

    def __init__(self, free: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free = free
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until the key may try again; 0 is now."""
        with self._lock:
            count = self._counts.get(key)
            if count is None:
                return 0.0
            passed = max(0.0, self._clock() - count.last)
            if passed > FORGET:
                del self._counts[key]
                return 0.0
            return max(0.0, wait_after(count.failures, self._free) - passed)

    def fail(self, key: str) -> None:
        """One more failure."""
        with self._lock:
            count = self._counts.setdefault(key, _Count(0, 0.0))
            count.failures += 1
            count.last = self._clock()
            self._counts.move_to_end(key)
            while len(self._counts) > MEMORY:
                self._counts.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Forget the failures of a key."""
        with self._lock:
            self._counts.pop(key, None)
