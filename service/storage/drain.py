"""Moves what waits in the outbox into the database; waits while the database is away."""

import logging
import random
from collections.abc import Callable, Sequence
from threading import Event

from sqlalchemy import Engine

from service.storage.connect import RefusedError, StorageError, writing
from service.storage.messages import Message
from service.storage.outbox import Outbox
from service.storage.write import apply

BATCH_BYTES = 2 * 2**20
"""About so much of the outbox goes into one transaction: some ten thousand crossings."""

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 15.0
log = logging.getLogger(__name__)


def drain(outbox: Outbox, engine: Engine, batch_bytes: int = BATCH_BYTES) -> int:
    """Write all that waits, oldest first; returns the number of messages.

    A message is forgotten only after the database has committed it; one that comes again changes nothing.
    One that can never be written is put aside in the outbox, see :class:`OutboxState`, with the reason.

    Raises:
        StorageError: the database cannot be used now; what was not written still waits.
    """
    number = 0
    while messages := outbox.oldest(batch_bytes):
        _write(outbox, engine, messages)
        number += len(messages)
    return number


def keep_draining(
    outbox: Outbox,
    engine: Engine,
    stop: Event,
    pause_s: float = 0.5,
    alarm: Callable[[str], None] = log.warning,
) -> None:
    """Write what comes until told to stop; while the database is away, ask it less and less often.

    Waits double up to ``LONGEST_WAIT_S``, each a random part of it, so that many writers do not come back
    at once.
    """
    failures = 0
    while not stop.is_set():
        try:
            moved = drain(outbox, engine)
            failures = 0
            if moved:
                outbox.shrink()
            stop.wait(pause_s)
        except StorageError as error:
            failures += 1
            wait = waiting_time(failures)
            alarm(f"{error}; what is measured waits in {outbox.path}, next try in {wait:.1f} s")
            stop.wait(wait)


def waiting_time(failures: int) -> float:
    """Seconds to wait after so many failures one after another: half to all of a doubling time."""
    longest: float = min(FIRST_WAIT_S * 2 ** min(failures - 1, 20), LONGEST_WAIT_S)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret


def _write(outbox: Outbox, engine: Engine, messages: Sequence[Message]) -> None:
    try:
        with writing(engine) as connection:
            apply(connection, messages)
    except (RefusedError, ValueError, LookupError, TypeError) as error:
        if len(messages) > 1:
            # One of them is at fault: find it by writing halves, in order.
            middle = len(messages) // 2
            _write(outbox, engine, messages[:middle])
            _write(outbox, engine, messages[middle:])
            return
        log.error("message %d of the outbox was refused: %s", messages[0].number, error)
        outbox.reject(messages[0], f"{type(error).__name__}: {error}")
        return
    outbox.done(messages)
