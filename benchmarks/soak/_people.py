"""Those who look on while parts of the service are killed: they follow live events and read figures."""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2 as httpx

LATE_S = 3.0
"""Live state older than this must not be told as live, see :mod:`service.api.live_state`."""
SLACK_S = 1.5
"""How long a sweep and a busy machine may take to say so."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a follower was told of a camera, and when (seconds since the epoch)."""

    time: float
    camera: str
    state: str
    stale: bool
    frame_time: float | None


class Follower(threading.Thread):
    """Follows all live events as a browser does: it connects again whenever the line ends.

    Attributes:
        told: all it was told of cameras; a line that ends is an entry without a camera.
        crossings: camera, moment in ms, gate, direction and class of each crossing: how often it was told.
        lies: what was told as live and was older than it may be, each a sentence.
    """

    def __init__(self, address: str, token: str) -> None:
        super().__init__(name="follower", daemon=True)
        self.told: list[Told] = []
        self.crossings: Counter[tuple[str, int, str, str, str]] = Counter()
        self.lies: list[str] = []
        self._client = httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=httpx.Timeout(12.0)
        )
        self._stopping = threading.Event()

    def run(self) -> None:
        """Follow until :meth:`stop`."""
        while not self._stopping.is_set():
            try:
                with self._client.stream("GET", "/v1/live/events") as answer:
                    if answer.status_code == 200:
                        self._hear(answer)
            except httpx.HTTPError:
                pass
            self.told.append(Told(time.time(), "", "no line", True, None))
            self._stopping.wait(0.25)

    def stop(self) -> None:
        """End it."""
        self._stopping.set()

    def live_since(self, camera: str, moment: float) -> float | None:
        """When a camera was first told as live with a frame of after a moment."""
        for each in self.told:
            if each.camera == camera and not each.stale and (each.frame_time or 0.0) > moment:
                return each.time
        return None

    def seen_down(self, cameras: Mapping[str, float], moment: float) -> bool:
        """Whether, after a moment and until each came back, it was shown as away: no line, or stale."""
        shown = {
            each.camera
            for each in self.told
            if moment < each.time and each.stale and each.time <= cameras.get(each.camera, float("inf"))
        }
        return "" in shown or shown >= set(cameras)

    def _hear(self, answer: httpx.Response) -> None:
        for line in answer.iter_lines():
            if self._stopping.is_set():
                return
            if line.startswith("data: "):
                self._take(json.loads(line[6:]))

    def _take(self, data: Mapping[str, Any]) -> None:
        now = time.time()
        for each in data.get("cameras", []):
            frame = _moment(each["frame_time"])
            self.told.append(Told(now, each["camera"], each["state"], each["stale"], frame))
            said = _moment(data["time"]) or now
            if not each["stale"] and (frame is None or said - frame > LATE_S + SLACK_S):
                self.lies.append(f"{each['camera']} was told as live, its frame of {each['frame_time']}")
            if each["stale"] and each["last_minute"] is not None:
                self.lies.append(f"{each['camera']} was late, but figures of the present were told")
            for one in each["crossings"]:
                at = round((_moment(one["time"]) or 0.0) * 1000)
                key = (each["camera"], at, one["gate"], one["direction"], one["vehicle_class"])
                self.crossings[key] += 1


class Reader(threading.Thread):
    """Reads figures, some a second, and notes what was answered.

    Attributes:
        answers: how often each status; 0 where nobody answered.
        odd: answers that should not be, each a sentence.
        fine: moments at which an answer was right.
    """

    PATHS = (
        "/v1/crossings",
        "/v1/intervals/approaches",
        "/v1/counts",
        "/v1/coverage",
        "/v1/live",
        "/v1/cameras",
    )

    def __init__(self, address: str, token: str, camera: str) -> None:
        super().__init__(name="reader", daemon=True)
        self._camera = camera
        self.answers: Counter[int] = Counter()
        self.odd: list[str] = []
        self.fine: list[float] = []
        self._client = httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=httpx.Timeout(15.0)
        )
        self._stopping = threading.Event()

    def run(self) -> None:
        """Read until :meth:`stop`."""
        number = 0
        while not self._stopping.wait(0.2):
            number += 1
            path = self.PATHS[number % len(self.PATHS)]
            try:
                answer = self._client.get(
                    path, params=self._period() if number % len(self.PATHS) < 3 else None
                )
            except httpx.HTTPError:
                self.answers[0] += 1
                continue
            self.answers[answer.status_code] += 1
            if answer.status_code == 200:
                self.fine.append(time.time())
            elif answer.status_code != 503:
                self.odd.append(f"{path}: {answer.status_code} {answer.text[:200]}")

    def stop(self) -> None:
        """End it."""
        self._stopping.set()

    def _period(self) -> dict[str, str]:
        now = datetime.now(UTC).replace(microsecond=0)
        start = (now - timedelta(minutes=30)).isoformat()
        return {"start": start, "end": now.isoformat(), "camera": self._camera}

    def watched(self) -> dict[str, int]:
        """The process that watches each camera, as the service says now."""
        try:
            workers = self._client.get("/v1/live").json().get("workers", [])
        except httpx.HTTPError:
            return {}
        return {
            camera: each["pid"] for each in workers for camera in each["cameras"] if each["state"] == "live"
        }

    def fine_since(self, moment: float) -> float | None:
        """When an answer was first right after a moment."""
        return next((each for each in self.fine if each > moment), None)


def _moment(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()
