"""What the outbox carries: one kind of message for each thing that is measured, as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from service.storage.base import microseconds, moment
from service.storage.ids import segment_id

Kind = Literal["segment", "crossings", "observed", "intervals", "authority", "end", "rows"]

CROSSING_FIELDS = (
    "time_us",
    "gate",
    "approach",
    "direction",
    "ordinal",
    "class",
    "confidence",
    "x",
    "y",
    "movement",
    "origin",
)
"""Order of the values of each row in a message of kind ``crossings``."""

OBSERVED_FIELDS = ("start_us", "length", "observed_us", "final", "light")
"""Order of the values of each row in a message of kind ``observed``; the last may be missing."""


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the outbox; ``number`` grows, and gives the order."""

    number: int
    kind: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """A stretch of one camera's time and what it is analysed with.

    Attributes:
        camera: id of the camera.
        site: id of its site, if it has one.
        kind: ``live`` or ``recording``.
        started_at: seconds since the Unix epoch, UTC: the first frame.
        source: where the frames come from, secrets masked.
        source_sha256: checksum of a recording; empty for a stream.
        model: name of the detector.
        model_sha256: checksum of its weights.
        view_version: version of the view.
        view_sha256: checksum of the view's content.
        settings: what else decides the result: frames a second, tiles, versions.
    """

    camera: str
    kind: Literal["live", "recording"]
    started_at: float
    site: str | None = None
    source: str = ""
    source_sha256: str = ""
    model: str = ""
    model_sha256: str = ""
    view_version: int | None = None
    view_sha256: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        """Derived from all that decides the result: the same analysis has the same id."""
        return segment_id(
            self.camera,
            moment(seconds_to_us(self.started_at)),
            self.source_sha256,
            self.model_sha256 or self.model,
            self.view_sha256,
            self.settings,
        )

    def content(self) -> dict[str, Any]:
        """The message that announces it."""
        return {
            "id": self.id.hex,
            "camera_id": self.camera,
            "site_id": self.site,
            "kind": self.kind,
            "started_us": seconds_to_us(self.started_at),
            "source": self.source,
            "source_sha256": self.source_sha256,
            "model": self.model,
            "model_sha256": self.model_sha256,
            "view_version": self.view_version,
            "view_sha256": self.view_sha256,
            "settings": dict(self.settings),
        }


def seconds_to_us(seconds: float) -> int:
    """Seconds since the epoch as whole microseconds, as tracks and crossings keep them."""
    return round(seconds * 1e6)


def bin_start(time_us: int, length: int) -> int:
    """Start of the interval of ``length`` seconds that a moment lies in, microseconds.

    All time zones of today are whole quarters of an hour from UTC, so that bins of up to 15 minutes that
    begin with the day in UTC are aligned to every local clock.
    """
    return time_us - time_us % (length * 1_000_000)


def to_us(value: datetime) -> int:
    """A datetime as microseconds since the epoch."""
    return microseconds(value.astimezone(UTC))
