"""Keeps Python's garbage collector out of the way of reads."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class _Pause:
    """How many reads are under way, and whether the collector was on before the first of them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._reads = 0
        self._was_on = False

    def begin(self) -> None:
        with self._lock:
            if self._reads == 0:
                self._was_on = gc.isenabled()
                gc.disable()
            self._reads += 1

    def end(self) -> None:
        with self._lock:
            self._reads -= 1
            if self._reads == 0 and self._was_on:
                gc.enable()


_pause = _Pause()


def settle() -> None:
    """Once a service has started: what is there stays, so the collector need not walk through it again."""
    gc.collect()
    gc.freeze()


@contextmanager
def undisturbed() -> Iterator[None]:
    """While this lasts no garbage collection begins by itself; also a decorator.

    A full collection walks through every object of the process, some 70 ms in ours, and reads of some
    thousand rows make enough new ones to start it every tenth time: that was most of what slow reads took.
    Rows hold no cycles, so nothing of them waits for the collector.
    """
    _pause.begin()
    try:
        yield
    finally:
        _pause.end()
