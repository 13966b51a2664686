"""The history of a camera's states as rows of camera_health: one a stretch, confirmed while it lasts."""

from collections.abc import Mapping
from typing import Any

from service.live.state import REFRESH_S, CameraMachine, Stretch
from service.storage.messages import seconds_to_us

STATE_OK = "ok"
"""What the table calls a camera that is live."""


class History:
    """Writes the states of one camera."""

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._written: Stretch | None = None
        self._at = float("-inf")

    def rows(self, machine: CameraMachine, now: float, detail: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What is to be written at a moment: stretches that ended, and the one that lasts where it is due."""
        rows = [self._row(each, each.end, detail) for each in machine.finished()]
        current = machine.now_in
        if current != self._written or now - self._at >= REFRESH_S:
            self._written, self._at = current, now
            rows.append(self._row(current, now, detail))
        return rows

    def last_rows(self, machine: CameraMachine, detail: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The stretches that ended, once nobody looks any more."""
        return [self._row(each, each.end, detail) for each in machine.finished()]

    def _row(self, stretch: Stretch, seen: float | None, detail: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "camera_id": self._camera,
            "started_at_us": seconds_to_us(stretch.start),
            "ended_at_us": None if stretch.end is None else seconds_to_us(stretch.end),
            "seen_at_us": None if seen is None else seconds_to_us(seen),
            "state": STATE_OK if stretch.state == "live" else stretch.state,
            "reason": stretch.reason,
            "detail": dict(detail),
        }
