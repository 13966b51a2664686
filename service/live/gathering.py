"""An outbox that gathers a second's measurements for one write, so that a slow disk holds nobody up."""

from collections.abc import Iterable, Mapping
from typing import Any

from service.storage.messages import Kind
from service.storage.outbox import Outbox


class GatheringOutbox(Outbox):
    """What is put waits in memory until :meth:`flush`; a killed process loses that second."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._gathered: list[tuple[Kind, Mapping[str, Any]]] = []
        super().__init__(*args, **kwargs)

    def put(self, messages: Iterable[tuple[Kind, Mapping[str, Any]]]) -> None:
        """Take some messages; they are on the disk after the next flush."""
        self._gathered += messages

    def flush(self) -> None:
        """Put all that has gathered on the disk.

        Raises:
            OutboxFullError: it cannot take it; what has gathered is kept, flush again.
        """
        if self._gathered:
            super().put(self._gathered)
            self._gathered = []
