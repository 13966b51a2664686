"""A worker: some cameras, one analysis, one outbox; a process of its own or an actor of a cluster."""

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from zoneinfo import ZoneInfo

import cv2
from sqlalchemy import Engine

from service.live.camera import Around, LiveCamera
from service.live.frames import AdaptiveRate, WaitingFrames
from service.live.gathering import GatheringOutbox
from service.live.messages import CameraReport, OutboxLive, Stream, WorkerReport
from service.live.pictures import jpeg_of
from service.live.plan import (
    Plan,
    Reference,
    load_plan,
    load_references,
    mark_confirmed,
    read_revision,
    save_reference,
)
from service.live.publish import Publisher, Service
from service.live.reader import Address, Open
from service.live.settings import WorkerSettings, detector_source
from service.live.substream import Relief
from service.live.timing import Timing
from service.live.waiting import OutboxWatch
from service.storage.connect import StorageError, open_database, reading, writing
from service.storage.drain import drain, keep_draining, waiting_time
from service.storage.learned import learned_occupancy
from service.storage.outbox import Outbox, OutboxFullError
from vision import Detector, Frame, NgatuError, open_source
from vision.density.stretches import stretches_of
from vision.detection.motion import MotionDetector
from vision.sparing import Sparing

__all__ = ["POLL_EVERY", "Worker", "WorkerSettings"]

POLL_EVERY = 2.0
"""Seconds from one look at the registry's revision to the next."""

TICK_EVERY = 0.25
FLUSH_EVERY = 1.0
REPORT_EVERY = 0.5
LAST_DRAIN = 1.5
"""Seconds that the last rows may take into the database when it stops; what does not make it waits."""

log = logging.getLogger(__name__)


class Worker:
    """Runs some cameras until it is told to stop.

    Args:
        settings: what to run.
        opens: what opens a camera's address; :func:`vision.open_source` but in tests.
        detector: gives what finds vehicles for one camera; by default loaded as the settings say.

    Attributes:
        beat: monotonic time at which the analysis last went round: whoever watches it sees that it lives.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        opens: Open = open_source,
        detector: Callable[[], Detector] | None = None,
    ) -> None:
        self.settings = settings
        self.beat = time.monotonic()
        self._opens = opens
        self._detector = detector
        self._assigned = settings.cameras
        self._plan: Plan | None = None
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._to_save: SimpleQueue[Reference] = SimpleQueue()
        self._references: dict[str, Reference] = {}
        self._usual: dict[tuple[str, str], list[list[float]] | None] = {}
        self._cameras: dict[str, LiveCamera] = {}
        self._waiting = WaitingFrames(time.time)
        self._reports: list[CameraReport] = []
        self._timing = Timing()
        self._started = time.time()
        self._publisher: Publisher | None = None
        self._outbox_now = OutboxLive()
        self._recording = True
        self._closed = Event()

    def assign(self, cameras: tuple[str, ...]) -> None:
        """Run these cameras from now on; may be called from any thread."""
        self._assigned = cameras

    def run(self, stop: Event) -> None:
        """Run until told to stop; then everything is recorded, and it returns within some seconds.

        Raises:
            NgatuError: the detector or the outbox cannot be opened.
        """
        cv2.setNumThreads(1)
        settings = self.settings
        path = Path(settings.folder) / "outbox.db"
        if self._detector is None:
            self._detector = detector_source(settings.model)
        failed: list[BaseException] = []
        with GatheringOutbox(path) as first:  # made here, so that what is wrong is told at once
            first.flush()
        analysis = Thread(target=self._guarded, args=(path, stop, failed), name="analyse")
        analysis.start()
        try:
            engine = self._open_database(stop)
            if engine is not None:
                self._control(engine, path, stop)
        finally:
            stop.set()
            analysis.join()
        if failed:
            raise failed[0]

    # --- What follows the registry and writes to the database ------------------------------------------

    def _open_database(self, stop: Event) -> Engine | None:
        failures = 0
        while not stop.is_set():
            try:
                return open_database(self.settings.database)
            except StorageError as error:
                failures += 1
                wait = waiting_time(failures)
                log.warning("%s; next try in %.1f s", error, wait)
                stop.wait(wait)
        return None

    def _control(self, engine: Engine, path: Path, stop: Event) -> None:
        draining = self._start_draining(engine, path, stop)
        trouble = False
        with Outbox(path) as outbox:
            watch = OutboxWatch(outbox)
            while not stop.is_set():
                if not draining.is_alive():
                    log.error("the thread that writes to the database has died; starting another")
                    draining = self._start_draining(engine, path, stop)
                if self.settings.service and not (self._publisher and self._publisher.is_alive()):
                    self._publisher = self._start_publishing(stop)
                try:
                    self._follow(engine)
                    trouble = False
                except StorageError as error:
                    if not trouble:
                        log.warning("%s; cameras go on by what the registry said last", error)
                    trouble = True
                self._outbox_now = watch.look(time.time())
                stop.wait(POLL_EVERY)
        draining.join(LAST_DRAIN + 2.5)
        engine.dispose()

    def _start_draining(self, engine: Engine, path: Path, stop: Event) -> Thread:
        thread = Thread(target=self._drain, args=(engine, path, stop), name="drain", daemon=True)
        thread.start()
        return thread

    def _start_publishing(self, stop: Event) -> Publisher:
        service = Service(self.settings.service, self.settings.token)
        publisher = Publisher(service, self._report, self._delivered, self._picture, stop)
        publisher.start()
        return publisher

    def _follow(self, engine: Engine) -> None:
        """Take what changed in the registry, and write what became of the views."""
        while not self._to_save.empty():
            reference = self._to_save.get()
            try:
                with writing(engine) as connection:
                    if reference.picture:
                        save_reference(connection, reference)
                    else:
                        about = (reference.camera, reference.view_sha256)
                        mark_confirmed(connection, *about, reference.confirmed_at, reference.confirmed_by)
            except StorageError:
                self._to_save.put(reference)
                raise
            if known := self._references.get(reference.camera):
                picture = reference.picture or known.picture
                self._references[reference.camera] = replace(reference, picture=picture)
            elif reference.picture:
                self._references[reference.camera] = reference
        now = time.time()
        with reading(engine) as connection:
            plan = self._plan
            if plan is None or now >= plan.until or read_revision(connection) != plan.revision:
                plan = load_plan(connection, now)
            assigned = [plan.entries[name] for name in self._assigned if name in plan.entries]
            wanted = {each.camera: each.view_sha256 for each in assigned if each.view_sha256}
            found = load_references(connection, wanted, self._references) if wanted else []
            for each in assigned:
                if each.view is not None and (each.camera, each.view_sha256) not in self._usual:
                    self._usual[each.camera, each.view_sha256] = learned_occupancy(
                        connection,
                        each.camera,
                        each.view_sha256,
                        [stretch.approach for stretch in stretches_of(each.view, None)],
                        datetime.fromtimestamp(now, UTC),
                    )
        self._references |= {each.camera: each for each in found}
        taken = plan

        def order() -> None:
            self._take_plan(taken, {each.camera for each in assigned})
            for reference in found:
                if reference.camera in self._cameras:
                    self._cameras[reference.camera].refer(reference)

        self._plan = plan
        self._orders.put(order)

    def _drain(self, engine: Engine, path: Path, stop: Event) -> None:
        with Outbox(path) as outbox:
            keep_draining(outbox, engine, stop)
            until = time.monotonic() + LAST_DRAIN
            # The analysis is still closing its segments: what it puts last shall arrive as well.
            while time.monotonic() < until:
                try:
                    drain(outbox, engine)
                except StorageError:
                    return
                if self._closed.wait(0.05):
                    break
            try:
                drain(outbox, engine)
            except StorageError as error:
                log.warning("%s; what is left waits in %s", error, path)

    # --- The analysis: one thread owns the cameras ------------------------------------------------------

    def _guarded(self, path: Path, stop: Event, failed: list[BaseException]) -> None:
        try:
            self._analyse(path, stop)
        except BaseException as error:
            failed.append(error)
        finally:
            self._closed.set()
            stop.set()

    def _analyse(self, path: Path, stop: Event) -> None:
        settings = self.settings
        rate, relief = AdaptiveRate(settings.fps), Relief(settings.fps)
        detector = self._detector or detector_source(settings.model)
        with GatheringOutbox(path) as outbox:
            self._around = Around(
                waiting=self._waiting,
                detector=self._timing.around(detector),
                outbox=outbox,
                zone=ZoneInfo(settings.tz),
                save=self._to_save.put,
                fps=settings.fps,
                # The motion detector must see every picture whole to learn the street.
                sparing=Sparing() if settings.spare and detector is not MotionDetector else None,
                archive=(Path(settings.tracks), settings.tracks_hours) if settings.tracks else None,
                usual=lambda camera, view: self._usual.get((camera, view)),
                opens=self._opens,
            )
            ticked = flushed = reported = 0.0
            busy, dropped = 0.0, 0
            while not stop.is_set():
                self.beat = time.monotonic()
                self._obey()
                taken = self._waiting.take(0.1)
                if taken is not None:
                    began = time.monotonic()
                    self._take(*taken)
                    took = time.monotonic() - began
                    self._waiting.took(took)
                    busy += took
                now = time.monotonic()
                if now - ticked >= TICK_EVERY:
                    ticked = now
                    self._tick()
                if now - reported >= REPORT_EVERY:
                    reported = now
                    moment = time.time()
                    self._reports = [camera.report(moment) for camera in self._cameras.values()]
                if now - flushed >= FLUSH_EVERY:
                    elapsed, flushed = now - flushed, now
                    self._flush(outbox)
                    total = sum(self._waiting.dropped(name) for name in self._cameras)
                    fps = rate.look(busy / elapsed, max(0, total - dropped))
                    for camera in self._cameras.values():
                        camera.choose_rate(fps)
                    relief.look(now, fps, busy / elapsed, self._cameras.values())
                    busy, dropped = 0.0, total
            self._close(outbox)

    def _obey(self) -> None:
        while True:
            try:
                order = self._orders.get_nowait()
            except Empty:
                return
            order()

    def _take_plan(self, plan: Plan, wanted: set[str]) -> None:
        """Start, change and stop cameras so that they are those that are wanted."""
        for name in [name for name in self._cameras if name not in wanted]:
            self._cameras.pop(name).close()
        for name in sorted(wanted):
            entry = plan.entries[name]
            camera = self._cameras.get(name)
            if camera is None:
                self._cameras[name] = LiveCamera(entry, self._address_of(name), self._around)
                if reference := self._references.get(name):
                    self._cameras[name].refer(reference)
            elif camera.entry != entry:
                camera.change(entry)

    def _address_of(self, camera: str) -> Address:
        def address(stream: Stream) -> str:
            plan = self._plan
            if plan is None or camera not in plan.entries:
                raise NgatuError("it is not in the registry any more")
            return plan.address(camera, stream)

        return address

    def _take(self, name: str, frame: Frame) -> None:
        camera = self._cameras.get(name)
        if camera is not None:
            watched = self._publisher is not None and name in self._publisher.watched
            camera.take(frame, recording=self._recording, watched=watched)

    def _tick(self) -> None:
        now = time.time()
        for camera in self._cameras.values():
            camera.tick(now, recording=self._recording)
            if not camera.readers_alive:
                log.error("%s: the thread that reads it has died; starting another", camera.entry.camera)
                camera.reconnect()

    def _flush(self, outbox: GatheringOutbox) -> None:
        now = time.time()
        try:
            for camera in self._cameras.values():
                camera.flush(now)
            outbox.flush()
            self._recording = True
        except OutboxFullError as error:
            if self._recording:
                log.error("%s; nothing is counted until then", error)
            self._recording = False

    def _close(self, outbox: GatheringOutbox) -> None:
        for camera in self._cameras.values():
            camera.close()
        try:
            outbox.flush()
        except StorageError as error:
            log.error("%s", error)
        until = time.monotonic() + 1.0
        for camera in self._cameras.values():
            camera.join(until - time.monotonic())

    # --- What is told to the service ----------------------------------------------------------------------

    def _report(self) -> WorkerReport | None:
        plan = self._plan
        if plan is None:
            return None
        cameras = []
        for each in self._reports:
            camera = self._cameras.get(each.camera)
            fresh = list(camera.tally.fresh) if camera is not None else []
            cameras.append(each.model_copy(update={"crossings": fresh}))
        return WorkerReport(
            worker=self.settings.worker,
            host=socket.gethostname(),
            pid=os.getpid(),
            started=self._started,
            time=time.time(),
            revision=plan.revision,
            cameras=cameras,
            outbox=self._outbox_now,
            inference=self._timing.so_far(),
        )

    def _delivered(self, report: WorkerReport) -> None:
        """Crossings that arrived are not told again."""
        for each in report.cameras:
            camera = self._cameras.get(each.camera)
            told = set(map(id, each.crossings))
            while camera is not None and camera.tally.fresh and id(camera.tally.fresh[0]) in told:
                camera.tally.fresh.popleft()

    def _picture(self, name: str) -> bytes | None:
        camera = self._cameras.get(name)
        newest = camera.newest if camera is not None else None
        return None if newest is None else jpeg_of(newest)
