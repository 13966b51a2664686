"""Checks that ngatu can work here: each finds something, says whether it is well, and what to do if not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["ok", "attention", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        check: what was looked at: model, decoder, database, outbox, disk, clock, view, camera.
        state: ``fault`` where something does not work, ``attention`` where it works but somebody should look.
        code: what was found, a key of the words in :mod:`service.doctor.words`.
        values: what the words are filled with; no secrets.
    """

    check: str
    state: State
    code: str
    values: Mapping[str, object] = field(default_factory=dict)


def size_text(number: float) -> str:
    """Bytes as people read them, such as 3.4 GiB."""
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"
