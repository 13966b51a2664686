"""All receivers of a running service: one sender for each, started and stopped together."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from service.api.hub import LiveHub
from service.feeds.receiver import Receiver
from service.feeds.sender import Sender, SenderState
from service.feeds.settings import feeds_file, load_receivers


class Feeds:
    """The senders of a service.

    Args:
        receivers: who is told.
        engine: of the database.
        hub: the live state.
        folder: of the queues.
        tz: time zone of days and hours.
        clock: the present, seconds since the epoch, UTC.
    """

    def __init__(
        self,
        receivers: list[Receiver[Any]],
        engine: Engine,
        hub: LiveHub,
        folder: Path,
        tz: str = "Asia/Ho_Chi_Minh",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.senders = [
            Sender(each, engine, hub, folder / f"{each.settings.name}.db", tz, clock) for each in receivers
        ]

    @classmethod
    def configured(cls, engine: Engine, hub: LiveHub, folder: Path, tz: str) -> "Feeds":
        """Those of NGATU_FEEDS or ``feeds.yaml`` in a folder, with their queues below it.

        Raises:
            FeedError: the file is not right.
        """
        path = feeds_file(folder)
        return cls(load_receivers(path) if path else [], engine, hub, folder / "feeds", tz)

    @property
    def states(self) -> list[SenderState]:
        """How each receiver is doing."""
        return [each.state for each in self.senders]

    def start(self) -> None:
        """Start telling."""
        for each in self.senders:
            each.start()

    def stop(self) -> None:
        """Stop; what waits stays on disk."""
        for each in self.senders:
            each.stopping()
        for each in self.senders:
            each.stop()
