"""Ids that come from what a row is about, so that writing it again changes nothing."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from service.storage.base import microseconds


def derived_id(time_us: int, *parts: str | int | None) -> UUID:
    """An id made of a moment and what else tells a row from others.

    Laid out as a UUID of version 8 (RFC 9562, section 5.8): 48 bits of milliseconds since 1970, so that rows
    of one time lie together in an index, then 74 bits of a BLAKE2b hash over the microseconds and the parts.
    """
    text = "\x1f".join(["" if part is None else str(part) for part in (time_us, *parts)])
    digest = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=10).digest())
    milliseconds = (time_us // 1000) & 0xFFFF_FFFF_FFFF
    high, low = digest >> 62 & 0xFFF, digest & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=milliseconds << 80 | 0x8 << 76 | high << 64 | 0b10 << 62 | low)


def crossing_id(segment: UUID, gate: str, direction: str, time_us: int, ordinal: int) -> UUID:
    """The id of a crossing; ``ordinal`` counts those of one gate, direction and microsecond from 0."""
    return derived_id(time_us, segment.hex, gate, direction, ordinal)


def segment_id(
    camera: str,
    started_at: datetime,
    source_sha256: str,
    model_sha256: str,
    view_sha256: str,
    settings: Mapping[str, Any],
) -> UUID:
    """The id of a segment: the same camera, start, source, model, view and settings are the same segment.

    ``settings`` hold what else decides the result: frames a second, tiles, the program's version.
    """
    parts = (camera, source_sha256, model_sha256, view_sha256, content_sha256(settings))
    return derived_id(microseconds(started_at), *parts)


def content_sha256(content: Mapping[str, Any]) -> str:
    """Checksum of some JSON content, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
