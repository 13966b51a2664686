"""What a receiver is: it says what it wants to know, and how it is told."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import Connection

from service.api.hub import Snapshot
from service.registry import City
from vision import NgatuError


class FeedError(NgatuError):
    """A feed is set up wrongly."""


class AgainError(NgatuError):
    """The receiver cannot be reached or is not ready: what was to be told is told again later."""


class RefusedError(NgatuError):
    """The receiver understood and refused: telling the same again does not help."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a receiver should know.

    Attributes:
        key: what it is about, such as ``approach/hoa-ban/north/900/2026-03-10T02:30:00Z``.
        version: another one with the same key means that it has to be told again.
        content: what is told, as JSON holds it.
    """

    key: str
    version: str
    content: Mapping[str, Any]

    @property
    def id(self) -> str:
        """By it a receiver knows something that it was told twice."""
        return f"{self.key}#{self.version}"

    @property
    def topic(self) -> str:
        """The first part of the key: ``approach``, ``movement``, ``alarm``, ``camera`` …"""
        return self.key.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at what there is to tell.

    Attributes:
        connection: within a transaction that reads.
        city: the registry as it is now.
        snapshot: the live state.
        now: the present, seconds since the epoch, UTC.
        since, until: the period that is looked at, seconds since the epoch, UTC.
        figures: whether it is time for what changes once in minutes: intervals, counts, the registry.
        tz: time zone of days and hours.
    """

    connection: Connection
    city: City
    snapshot: Snapshot
    now: float
    since: float
    until: float
    figures: bool
    tz: str

    @property
    def period(self) -> tuple[datetime, datetime]:
        """The period that is looked at."""
        return datetime.fromtimestamp(self.since, UTC), datetime.fromtimestamp(self.until, UTC)


class ReceiverSettings(BaseModel):
    """What all receivers have in common; each kind adds its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(description="kind of receiver")
    name: str = Field(
        min_length=1,
        max_length=40,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
        description="its name here: of its queue's file, in logs and in figures",
    )
    sites: tuple[str, ...] | None = Field(None, description="tell of these sites only; all if left out")
    backfill_hours: float = Field(
        2.0, ge=0, le=24 * 35, description="a new receiver is told of so many hours before its start"
    )
    queue_mb: int = Field(256, ge=1, le=100_000, description="most megabytes of disk that its queue takes")


S = TypeVar("S", bound=ReceiverSettings)


class Receiver(ABC, Generic[S]):
    """Somebody who is told. One object belongs to the thread of its sender.

    Attributes:
        KIND: as ``kind`` in the settings names it.
        SETTINGS: the model of its settings.
        BATCH: most items that ``deliver`` takes at once.
    """

    KIND: ClassVar[str]
    SETTINGS: ClassVar[type[ReceiverSettings]]
    BATCH: ClassVar[int] = 100

    def __init__(self, settings: S) -> None:
        self.settings = settings

    @abstractmethod
    def collect(self, look: Look) -> Iterable[Item]:
        """All that the receiver should know by now of the period of the look.

        What it was told already is found out by key and version; see ``service.feeds.changes`` for what
        most receivers want.
        """

    @abstractmethod
    def deliver(self, items: Sequence[Item]) -> None:
        """Tell some items, in order; when it returns the receiver has them.

        Raises:
            AgainError: it could not be told; the same items come again later.
            RefusedError: it does not take one of them; they come again one by one.
        """

    def live(self, snapshot: Snapshot, city: City) -> None:
        """Tell the present, about once a second, if the receiver wants it; what is missed is gone.

        Raises:
            AgainError: it could not be told.
        """

    def close(self) -> None:
        """Say good-bye."""


def filled(secret: SecretStr | None, environment: Mapping[str, str], field: str) -> str | None:
    """A secret of the settings, ``${NAME}`` replaced by that variable of the environment.

    Raises:
        FeedError: the variable is not set.
    """
    if secret is None:
        return None
    text = secret.get_secret_value()
    if not (text.startswith("${") and text.endswith("}")):
        return text
    name = text[2:-1]
    if not environment.get(name):
        raise FeedError(f"{field}: the environment variable {name} is not set; set it, or write another name")
    return environment[name]
