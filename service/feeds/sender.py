"""Tells one receiver: a thread that looks what is new, keeps it on disk, and delivers until it is taken."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from service.api.hub import LiveHub
from service.feeds.queue import FeedQueue, QueueState
from service.feeds.receiver import AgainError, Look, Receiver, RefusedError
from service.registry import City, History, city_at
from service.registry.store import load_history, revision
from service.storage.connect import reading
from vision import NgatuError

TURN_S = 1.0
"""How often the present is told to receivers that want it."""
LOOK_S = 2.0
"""How often it is looked whether there is something new."""
FIGURES_S = 60.0
"""The same for intervals and counts, which change once in minutes."""
RECENT = 2 * 3600.0
"""A look reaches so far back, s."""
OLDER = 8 * 86_400.0
"""What is older is gone through bit by bit, so far back, s: a recording may have been analysed again."""
BIT, BIT_S, CATCH_UP_S = 2 * 3600.0, 60.0, 10.0
"""So much of it at once, so often, and so often until all was gone through once after a start, s."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
"""After a failure it is tried again after so long, each time twice as long, s."""
FORGET = 40 * 86_400.0
"""What was told is remembered for so long after a look has met it last, s."""
BATCHES_A_TURN = 20

log = logging.getLogger("ngatu.feeds")


@dataclass(frozen=True, slots=True)
class SenderState:
    """How a receiver is doing.

    Attributes:
        kind, name: which it is.
        queue: what waits; None before the first turn.
        delivered: items told since the service started.
        problem: why nothing can be told now; None if it can.
        since: since when there has been that problem, seconds since the epoch, UTC.
    """

    kind: str
    name: str
    queue: QueueState | None
    delivered: int
    problem: str | None
    since: float | None


class Sender(threading.Thread):
    """Serves one receiver until :meth:`stop`; whatever becomes of it, nobody else waits.

    Args:
        receiver: who is told; from then on it belongs to this thread.
        engine: of the database.
        hub: the live state.
        path: file of the queue.
        tz: time zone of days and hours.
        clock: the present, seconds since the epoch, UTC.
    """

    def __init__(
        self,
        receiver: Receiver[Any],
        engine: Engine,
        hub: LiveHub,
        path: Path,
        tz: str = "Asia/Ho_Chi_Minh",
        clock: Callable[[], float] = time.time,
    ) -> None:
        name = receiver.settings.name
        super().__init__(name=f"feed {name}", daemon=True)
        self._receiver, self._engine, self._hub = receiver, engine, hub
        self._path, self._tz, self._clock = path, tz, clock
        self._stopping = threading.Event()
        self._known: tuple[int, History] | None = None
        self._looked = self._looked_figures = self._looked_older = self._retry_at = self._wait = 0.0
        self._city: City = {}
        self._first: float | None = None
        self._older_at = 0.0
        self._caught_up = False
        self._told: str | None = None
        self.state = SenderState(receiver.KIND, name, None, 0, None, None)

    def run(self) -> None:
        """Serve until told to stop."""
        queue: FeedQueue | None = None
        while not self._stopping.wait(TURN_S):
            try:
                queue = queue or self.open_queue()
                self.turn(queue)
            except NgatuError as error:
                self._failed(str(error))
            except Exception as error:  # whatever is wrong with one receiver, it stays with it
                log.exception("feed %s failed; it is tried again", self._receiver.settings.name)
                self._failed(f"{type(error).__name__}")
        self._receiver.close()
        if queue is not None:
            queue.close()

    def stopping(self) -> None:
        """End the thread soon."""
        self._stopping.set()

    def stop(self) -> None:
        """End the thread and wait for it a while; what waits stays on disk."""
        self._stopping.set()
        if self.is_alive():
            self.join(5.0)

    def open_queue(self) -> FeedQueue:
        """The queue; belongs to the thread that opens it."""
        return FeedQueue(self._path, self._receiver.settings.queue_mb * 2**20)

    def turn(self, queue: FeedQueue) -> None:
        """One turn: look, if it is time, then tell."""
        now = self._clock()
        if now - self._looked >= LOOK_S or now < self._looked:
            self._look(queue, now)
        if now >= self._retry_at or self._retry_at - now > LONGEST_WAIT:
            self._tell(queue)
        self._note(queue)

    def _look(self, queue: FeedQueue, now: float) -> None:
        """Queue what is new; the database's trouble is told like the receiver's, and passes."""
        figures = now - self._looked_figures >= FIGURES_S or now < self._looked_figures
        if self._first is None:
            self._begin(queue, now)
        first = self._first or now
        self._collect(queue, now, max(first, now - RECENT), now, figures)
        self._looked = now
        if figures:
            self._looked_figures = now
        since = now - self._looked_older
        if since >= (BIT_S if self._caught_up else CATCH_UP_S) or since < 0:
            self._look_at_older(queue, now, max(first, now - OLDER), now - RECENT)
            self._looked_older = now

    def _begin(self, queue: FeedQueue, now: float) -> None:
        """A new receiver is told what its settings say; one that was away is told what it has missed."""
        first = now - OLDER
        if queue.is_new():
            at = first = now - self._receiver.settings.backfill_hours * 3600.0
            while at < now - RECENT:
                self._collect(queue, now, at, min(at + BIT, now - RECENT), True)
                at += BIT
        self._first = first

    def _look_at_older(self, queue: FeedQueue, now: float, start: float, end: float) -> None:
        """The next bit of what is older, from the oldest on, and again from there."""
        if not start <= self._older_at < end:
            self._caught_up = self._older_at > 0
            self._older_at = start
            queue.forget_before(now - FORGET)
        if self._older_at < end:
            self._collect(queue, now, self._older_at, min(self._older_at + BIT, end), True)
        self._older_at += BIT

    def _collect(self, queue: FeedQueue, now: float, since: float, until: float, figures: bool) -> None:
        with reading(self._engine) as connection:
            current = revision(connection)
            if self._known is None or self._known[0] != current:
                self._known = (current, load_history(connection))
            self._city = city_at(self._known[1], now)
            look = Look(connection, self._city, self._hub.snapshot(), now, since, until, figures, self._tz)
            items = list(self._receiver.collect(look))
        queue.put_new(items, now)

    def _tell(self, queue: FeedQueue) -> None:
        try:
            for _ in range(BATCHES_A_TURN):
                batch = queue.oldest(self._receiver.BATCH)
                if not batch or self._stopping.is_set():
                    break
                try:
                    self._receiver.deliver([each.item for each in batch])
                    queue.done(batch)
                    self._count(len(batch))
                except RefusedError as error:
                    self._one_by_one(queue, batch, error)
            self._receiver.live(self._hub.snapshot(), self._city)
        except AgainError as error:
            self._failed(str(error))
        else:
            self._recovered()

    def _one_by_one(self, queue: FeedQueue, batch: list[Any], error: RefusedError) -> None:
        for each in batch:
            try:
                if len(batch) > 1:
                    self._receiver.deliver([each.item])
                else:
                    raise error
                queue.done([each])
                self._count(1)
            except RefusedError as reason:
                queue.refuse(each, str(reason))
                log.warning("feed %s refused %s: %s", self._receiver.settings.name, each.item.key, reason)

    def _count(self, items: int) -> None:
        old = self.state
        self.state = SenderState(old.kind, old.name, old.queue, old.delivered + items, old.problem, old.since)

    def _failed(self, problem: str) -> None:
        self._wait = min(max(FIRST_WAIT, 2 * self._wait), LONGEST_WAIT)
        self._retry_at = self._clock() + self._wait
        if problem != self._told:
            log.warning("feed %s waits: %s", self._receiver.settings.name, problem)
        self._told = problem
        old = self.state
        since = old.since if old.problem else self._clock()
        self.state = SenderState(old.kind, old.name, old.queue, old.delivered, problem, since)

    def _recovered(self) -> None:
        if self._told is not None:
            log.info("feed %s goes on", self._receiver.settings.name)
        self._wait, self._retry_at, self._told = 0.0, 0.0, None
        old = self.state
        self.state = SenderState(old.kind, old.name, old.queue, old.delivered, None, None)

    def _note(self, queue: FeedQueue) -> None:
        old = self.state
        self.state = SenderState(old.kind, old.name, queue.state(), old.delivered, old.problem, old.since)
