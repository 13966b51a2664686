"""What the workers last said, kept in memory: who asks gets it at once, who subscribed gets each change."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic_core import to_json

from service.api.live_state import CameraNow, WorkerNow, camera_now, moment, worker_now
from service.live.messages import Answer, CrossingLive, WorkerReport

FLUSH_S = 0.1
"""Changes that come within this time go out together, s; it adds to the age of what subscribers see."""
SWEEP_S = 1.0
"""How often it is looked whether somebody fell silent, s."""
WATCH_S = 5.0
"""A picture that was asked for is wanted from its worker for so long after, s."""
FORGET_S = 600.0
"""A worker that says nothing for so long is no longer shown, s; its cameras are, as offline."""
WAITING = 20
"""Events that may wait for a slow subscriber; then it gets everything anew instead."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All cameras and workers at one moment.

    Attributes:
        time: seconds since the Unix epoch, UTC.
        cameras: each camera that the registry or a worker knows, in order of names.
        workers: each worker heard of in the last minutes.
    """

    time: float
    cameras: tuple[CameraNow, ...]
    workers: tuple[WorkerNow, ...]


@dataclass(slots=True, eq=False)
class Subscription:
    """One subscriber's events, ready to be sent; ``wanted`` None means all cameras."""

    wanted: frozenset[str] | None
    events: deque[bytes] = field(default_factory=deque)
    behind: bool = True
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def push(self, event: bytes) -> None:
        """Add an event; one that cannot follow is told everything anew instead."""
        if len(self.events) >= WAITING:
            self.events.clear()
            self.behind = True
        self.events.append(event)
        self.ready.set()


@dataclass(frozen=True, slots=True)
class Picture:
    """The newest picture of a camera; ``number`` grows with each."""

    jpeg: bytes
    time: float
    number: int


@dataclass(slots=True)
class _Watched:
    """One camera's picture and who waits for it."""

    picture: Picture | None = None
    until: float = 0.0
    streams: int = 0
    waiters: set[asyncio.Future[None]] = field(default_factory=set)

    def wake(self) -> None:
        """Let all go on that wait."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.waiters.clear()


class LiveHub:
    """The live state of one service; subscriptions and pictures belong to its event loop.

    Args:
        clock: the present, seconds since the Unix epoch, UTC.

    Attributes:
        closing: whether the service stops, and with it every stream.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._expected: dict[str, str | None] = {}
        self._heard: dict[str, tuple[WorkerReport, float]] = {}
        self._speaker: dict[str, tuple[str, int]] = {}
        self._changed: dict[str, list[CrossingLive]] = {}
        self._published: list[tuple[str, bytes]] = []
        self._shown: dict[str, tuple[str, bool]] = {}
        self._subscriptions: set[Subscription] = set()
        self._pictures: dict[str, _Watched] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closing = False
        self._wake = asyncio.Event()

    def expect(self, cameras: Mapping[str, str | None]) -> None:
        """Say which cameras there are and of which site: one that nobody reports shows as offline."""
        with self._lock:
            self._expected = dict(cameras)

    def take(self, report: WorkerReport, revision: int) -> Answer:
        """Keep a worker's report; the answer tells it the registry's revision and whose picture is wanted."""
        now = self._clock()
        with self._lock:
            self._heard[report.worker] = (report, now)
            for number, camera in enumerate(report.cameras):
                self._speaker[camera.camera] = (report.worker, number)
                self._changed.setdefault(camera.camera, []).extend(camera.crossings)
        self._notify()
        return Answer(revision=revision, pictures=self.wanted_pictures())

    def snapshot(self) -> Snapshot:
        """Everything as it is now; may be called from any thread."""
        now = self._clock()
        with self._lock:
            names = sorted({*self._expected, *self._speaker})
            cameras = tuple(self._camera(name, now) for name in names)
            workers = tuple(
                worker_now(report, heard, now)
                for _, (report, heard) in sorted(self._heard.items())
                if now - heard < FORGET_S
            )
        return Snapshot(now, cameras, workers)

    def publish(self, event: str, data: object) -> None:
        """Send an event of another kind to all subscribers, such as an alarm; from any thread."""
        with self._lock:
            self._published.append((event, to_json(data)))
        self._notify()

    def close(self) -> None:
        """End all streams, as the service stops; from any thread."""
        self.closing = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for subscription in self._subscriptions:
            subscription.ready.set()
        for watched in self._pictures.values():
            watched.wake()

    # Subscriptions

    @property
    def subscribers(self) -> int:
        """How many there are now."""
        return len(self._subscriptions)

    @contextmanager
    def subscribe(self, wanted: frozenset[str] | None = None) -> Iterator[Subscription]:
        """Events of some cameras (None: all); the first is a snapshot."""
        subscription = Subscription(wanted)
        self._subscriptions.add(subscription)
        subscription.ready.set()
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def next_events(self, subscription: Subscription, patience: float) -> bytes:
        """What is to be sent next; empty when nothing came for ``patience`` seconds."""
        try:
            async with asyncio.timeout(patience):
                await subscription.ready.wait()
        except TimeoutError:
            return b""
        subscription.ready.clear()
        if subscription.behind:
            subscription.behind = False
            subscription.events.clear()
            return self._snapshot_event(subscription.wanted)
        events = b"".join(subscription.events)
        subscription.events.clear()
        return events

    async def run(self) -> None:
        """Send changes to subscribers until cancelled."""
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        swept = 0.0
        while True:
            try:
                async with asyncio.timeout(SWEEP_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(FLUSH_S)
            self._wake.clear()
            now = self._clock()
            if now - swept >= SWEEP_S or now < swept:
                swept = now
                self._sweep(now)
            self._flush(now)

    def _notify(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    def _sweep(self, now: float) -> None:
        """Cameras that became late or silent have changed, though nobody said so."""
        with self._lock:
            for name in {*self._expected, *self._speaker}:
                camera = self._camera(name, now)
                if self._shown.get(name) != (camera.state, camera.stale):
                    self._changed.setdefault(name, [])

    def _flush(self, now: float) -> None:
        with self._lock:
            changed, self._changed = self._changed, {}
            published, self._published = self._published, []
            cameras = {name: self._camera(name, now) for name in changed}
        for name, camera in cameras.items():
            self._shown[name] = (camera.state, camera.stale)
        if not self._subscriptions:
            return
        texts = {name: to_json(camera.as_dict(changed[name])) for name, camera in cameras.items()}
        other = b"".join(_event(kind, data) for kind, data in published)
        made: dict[frozenset[str] | None, bytes] = {}
        for subscription in self._subscriptions:
            wanted = subscription.wanted
            if wanted not in made:
                chosen = [text for name, text in texts.items() if wanted is None or name in wanted]
                made[wanted] = (_event("cameras", _state(now, chosen)) if chosen else b"") + other
            if made[wanted]:
                subscription.push(made[wanted])

    def _snapshot_event(self, wanted: frozenset[str] | None) -> bytes:
        now = self.snapshot()
        chosen = [to_json(each.as_dict()) for each in now.cameras if wanted is None or each.camera in wanted]
        return _event("snapshot", _state(now.time, chosen))

    def _camera(self, name: str, now: float) -> CameraNow:
        speaker = self._speaker.get(name)
        if speaker is None:
            return camera_now(name, self._expected.get(name), None, None, now)
        worker, number = speaker
        report, heard = self._heard[worker]
        told = report.cameras[number] if number < len(report.cameras) else None
        if told is None or told.camera != name:
            # Its worker goes on without it: nobody speaks for it any more.
            told = next((each for each in report.cameras if each.camera == name), None)
        if told is None:
            return camera_now(name, self._expected.get(name), None, None, now)
        return camera_now(name, self._expected.get(name, told.site), told, (report, heard), now)

    # Pictures

    def wanted_pictures(self) -> list[str]:
        """Cameras whose picture somebody watches now."""
        now = self._clock()
        return sorted(name for name, each in list(self._pictures.items()) if each.streams or each.until > now)

    def put_picture(self, camera: str, jpeg: bytes) -> None:
        """Keep a camera's newest picture and wake who waits for it; in the event loop."""
        watched = self._pictures.setdefault(camera, _Watched())
        number = watched.picture.number + 1 if watched.picture else 1
        watched.picture = Picture(jpeg, self._clock(), number)
        watched.wake()

    @contextmanager
    def watch(self, camera: str) -> Iterator[None]:
        """While this is open the camera's worker is asked for pictures."""
        watched = self._pictures.setdefault(camera, _Watched())
        watched.streams += 1
        try:
            yield
        finally:
            watched.streams -= 1
            watched.until = self._clock() + WATCH_S

    @property
    def streams(self) -> int:
        """Streams of pictures that are open now."""
        return sum(each.streams for each in self._pictures.values())

    async def picture(self, camera: str, after: int, patience: float) -> Picture | None:
        """The newest picture behind number ``after``, at most ``patience`` seconds old; None if none comes.

        A viewer that takes them slowly misses those in between.
        """
        watched = self._pictures.setdefault(camera, _Watched())
        watched.until = self._clock() + WATCH_S
        newest = watched.picture
        if newest and newest.number > after and self._clock() - newest.time <= patience:
            return newest
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        watched.waiters.add(waiter)
        try:
            async with asyncio.timeout(patience):
                await waiter
        except TimeoutError:
            return None
        finally:
            watched.waiters.discard(waiter)
        return watched.picture


def beat(now: float) -> bytes:
    """The event that says no more than that the line is alive."""
    return _event("beat", _state(now, []))


def _event(kind: str, data: bytes) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


def _state(now: float, cameras: list[bytes]) -> bytes:
    head = to_json({"time": moment(now)})[:-1]
    return head + b',"cameras":[' + b",".join(cameras) + b"]}"
