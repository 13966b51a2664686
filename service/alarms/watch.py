"""The service's own watch: a thread that lets the engine look at the live state every other second."""

import logging
import shutil
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from service.alarms.engine import AlarmEngine, Change
from service.alarms.facts import Disk
from service.api.hub import LiveHub
from service.storage.connect import StorageError, writing

EVERY_S = 2.0

log = logging.getLogger("ngatu.alarms")

Publish = Callable[[Change], None]


class AlarmWatch(threading.Thread):
    """Steps the engine until it is stopped; a database that is away is asked again at the next step.

    Args:
        engine: of the database.
        hub: what the workers last said.
        folders: on the disks that the service writes to.
        publish: told of each change once it is in the database; None tells the hub's subscribers.
        clock: the present, seconds since the Unix epoch, UTC.
    """

    def __init__(
        self,
        engine: Engine,
        hub: LiveHub,
        folders: Sequence[Path] = (),
        publish: Publish | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name="alarms", daemon=True)
        self._engine, self._hub, self._folders = engine, hub, folders
        self._publish = publish or (lambda change: hub.publish("alarm", event_of(change)))
        self._clock = clock
        self._alarms = AlarmEngine()
        self._stopping = threading.Event()
        self._reached = True

    def run(self) -> None:
        """Look until :meth:`stop`."""
        while not self._stopping.wait(EVERY_S):
            try:
                self.look()
            except Exception:  # one odd report must not end all watching
                log.exception("a look at the alarms failed; the next one follows")

    def look(self) -> list[Change]:
        """One step; what changed is published."""
        try:
            with writing(self._engine) as connection:
                changes = self._alarms.step(
                    self._clock(), self._hub.snapshot(), connection, disks_of(self._folders)
                )
        except StorageError as error:
            if self._reached:
                log.warning("alarms wait: %s", error)
            self._reached = False
            return []
        self._reached = True
        for change in changes:
            row: Mapping[str, Any] = change.alarm
            log.info("alarm %s: %s (%s)", change.happened, row["subject"], row["severity"])
            self._publish(change)
        return changes

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopping.set()
        if self.is_alive():
            self.join(timeout=10)


def event_of(change: Change) -> dict[str, Any]:
    """What subscribers of live events are told."""
    row = change.alarm
    names = ("kind", "severity", "raised_at", "cleared_at", "acknowledged_at", "acknowledged_by", "revision")
    places = {"site": row["site_id"], "approach": row["approach_id"], "camera": row["camera_id"]}
    about = {"id": str(row["id"]), **places, **{name: row[name] for name in names}}
    return {"happened": change.happened, "alarm": about}


def disks_of(folders: Sequence[Path]) -> list[Disk]:
    """How full the disks of some folders are; a folder that is not there says nothing."""
    found: dict[tuple[int, int], Disk] = {}
    for folder in folders:
        try:
            usage = shutil.disk_usage(folder)
        except OSError:
            continue
        found[usage.total, usage.free] = Disk(socket.gethostname(), usage.free, usage.total)
    return list(found.values())
