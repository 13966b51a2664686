"""Where work is done: one small interface, and the processes of this machine behind it."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import cv2

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Lost:
    """There is no result: what worked on the item died each time it was tried."""

    reason: str


class Executor(Protocol):
    """Does independent pieces of work, here or elsewhere."""

    @property
    def workers(self) -> int:
        """How many pieces are done at a time."""
        ...

    def map_unordered(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result | Lost]]:
        """The results as they come, each with its item.

        Items are taken as there is room for them, so that ending ``items`` early ends the work soon. A
        worker that dies, or a machine, costs time only: what it had is done again.

        Args:
            function: at the top of a module that workers can import; it should not raise.
            items: what to do; they and the results are sent between processes.
        """
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...


def local_cores() -> int:
    """Cores of this machine that this process may use."""
    return len(os.sched_getaffinity(0))


class LocalExecutor:
    """Processes of this machine; they end with this one, however it ends.

    Args:
        workers: how many; None takes every core that this process may use.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or local_cores()
        self._pool: ProcessPoolExecutor | None = None

    def map_unordered(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result | Lost]]:
        """See :class:`Executor`."""
        waiting = iter(items)
        running: dict[Future[Result], Item] = {}
        suspects: deque[Item] = deque()
        more = True
        while True:
            # After a death nobody knows which item was at fault: each is tried again, alone.
            while suspects and not running:
                item = suspects.popleft()
                try:
                    yield item, self.submit(function, item).result()
                except BrokenProcessPool:
                    self._restart()
                    yield item, Lost("the process that worked on it died twice: too little memory?")
            # One more than there are workers, so that none waits for work.
            while more and len(running) <= self.workers:
                try:
                    item = next(waiting)
                except StopIteration:
                    more = False
                    break
                running[self.submit(function, item)] = item
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                item = running.pop(future)
                try:
                    yield item, future.result()
                except BrokenProcessPool:
                    suspects.append(item)
            if suspects:
                suspects.extend(running.values())
                running.clear()
                self._restart()

    def submit(self, function: Callable[[Item], Result], item: Item) -> Future[Result]:
        """Begin one piece of work."""
        for _ in range(2):
            self._pool = self._pool or self._new_pool()
            try:
                return self._pool.submit(function, item)
            except BrokenProcessPool:
                self._restart()
        raise RuntimeError("processes of this machine die as soon as they start")

    def close(self) -> None:
        """End the processes, once they have done what they are at."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def abandon(self) -> None:
        """End the processes at once, whatever they are at."""
        for process in multiprocessing.active_children():
            process.kill()
        self._restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _restart(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _new_pool(self) -> ProcessPoolExecutor:
        # Spawned, not forked: a fork would copy locks that threads of the network or the terminal hold.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin)


def _begin() -> None:
    """Set a worker up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C asks the parent, which lets work be finished
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
