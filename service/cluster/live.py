"""Live analysis on a Ray cluster: the same workers as actors, one a core, spread over the nodes.

The supervisor stays what it is on one machine; only what it starts and watches is an actor in place of a
process. An actor whose node dies begins again on another one, with the cameras that it has by then.
"""

import logging
import time
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

from service.cluster.executor import connect
from service.live.children import WorkerProcess
from service.live.supervisor import LiveSettings, Supervisor
from service.live.worker import Worker, WorkerSettings
from vision.sources import mask_address

STUCK = 10.0
"""An actor whose analysis has not gone round for so long is started again, s."""

STARTING = 60.0
"""It may take so long to begin, s."""

LONGEST_RETRY = 30.0

log = logging.getLogger(__name__)


class LiveActor:
    """A worker within a process of the cluster; what goes wrong in it is logged and tried again."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._stop = Event()
        self._worker: Worker | None = None
        self._thread = Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def watch(self, cameras: tuple[str, ...]) -> tuple[str, float]:
        """Run these cameras; returns its node and the seconds since its analysis last went round."""
        import ray

        self._settings = replace(self._settings, cameras=cameras)
        silent = 0.0
        if (worker := self._worker) is not None:
            worker.assign(cameras)
            silent = time.monotonic() - worker.beat
        return ray.get_runtime_context().get_node_id(), silent

    def stop(self) -> None:
        """Stop, once all is recorded."""
        self._stop.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                self._worker = Worker(self._settings)
                # A stop of its own: a worker that fails sets it, and must not end what comes after it.
                stop = Event()
                Thread(target=self._pass_on, args=(stop,), daemon=True).start()
                self._worker.run(stop)
            except Exception as error:
                log.error("%s: %s", self._settings.worker, mask_address(str(error)))
            failures = 0 if time.monotonic() - begun > 60 else failures + 1
            self._stop.wait(min(2.0**failures, LONGEST_RETRY))

    def _pass_on(self, stop: Event) -> None:
        self._stop.wait()
        stop.set()


class ActorHandle(WorkerProcess):
    """What the supervisor holds of an actor: started, watched, and started again where it is silent."""

    def __init__(self, settings: WorkerSettings, ray: Any) -> None:
        super().__init__(settings)
        self.node: str | None = None
        self._ray = ray
        self._actor: Any = None
        self._asked: Any = None
        self._heard = 0.0

    def assign(self, cameras: tuple[str, ...]) -> None:
        """Let it run these cameras; it is told with the next watch."""
        self.settings = replace(self.settings, cameras=cameras)

    def watch(self) -> None:
        """Start it where it does not run; start it anew where it is silent. Never waits."""
        now = time.monotonic()
        if self._actor is None:
            if now >= self._next_start and self.settings.cameras:
                self._begin(now)
            return
        if self._asked is not None:
            done, _ = self._ray.wait([self._asked], timeout=0)
            if done:
                self._hear(now)
            elif now - self._heard > STARTING:
                self._restart("does not answer", now)
                return
        if self._actor is not None and self._asked is None:
            self._asked = self._actor.watch.remote(self.settings.cameras)

    def ask_to_stop(self) -> None:
        """Tell it to stop."""
        if self._actor is not None:
            self._asked = self._actor.stop.remote()

    def end(self, until: float) -> None:
        """Wait until a monotonic moment for it to end, then kill it."""
        actor, self._actor = self._actor, None
        if actor is None:
            return
        if self._asked is not None:
            self._ray.wait([self._asked], timeout=max(0.0, until - time.monotonic()))
        self._ray.kill(actor)

    def _begin(self, now: float) -> None:
        kind: Any = self._ray.remote(
            num_cpus=1, max_restarts=-1, max_task_retries=0, scheduling_strategy="SPREAD", max_concurrency=2
        )(LiveActor)
        self._actor = kind.remote(self.settings)
        self._asked, self._heard = None, now
        log.info("%s started with %d cameras", self.settings.worker, len(self.settings.cameras))

    def _hear(self, now: float) -> None:  # type: ignore[override]
        asked, self._asked = self._asked, None
        try:
            node, silent = self._ray.get(asked)
        except self._ray.exceptions.ActorUnavailableError:
            return  # its node has died, or it begins again: asked again, it answers
        except self._ray.exceptions.RayActorError as error:
            if "RESTARTING" in str(error) or "restarting" in str(error):
                return
            log.error("%s has died: %s", self.settings.worker, str(error).strip().splitlines()[0])
            self._restart("has died", now)
            return
        self._heard = now
        if self.node not in (None, node):
            log.warning("%s runs on another node now", self.settings.worker)
        self.node = node
        if silent > STUCK:
            self._restart("is stuck", now)

    def _restart(self, why: str, now: float) -> None:
        log.error("%s %s: started again", self.settings.worker, why)
        self.end(now)
        self._next_start = now + 1.0


class ClusterSupervisor(Supervisor):
    """Keeps actors going on a cluster until it is told to stop; see :class:`Supervisor`.

    Args:
        engine_url: URL of the database, as every node reaches it: PostgreSQL.
        settings: how to run; ``folder`` is made on every node that runs a worker.
        address: of the cluster.

    Raises:
        NgatuError: Ray is not installed, or there is no cluster at this address.
    """

    def __init__(self, engine_url: str | None, settings: LiveSettings, address: str) -> None:
        self.ray = connect(address)
        cores = max(1, int(self.ray.cluster_resources().get("CPU", 1)))
        settings = replace(settings, workers=settings.workers or cores, folder=settings.folder.resolve())
        super().__init__(engine_url, settings)

    def run(self, stop: Event) -> None:
        """Run until told to stop; then the workers have stopped, within some seconds."""
        try:
            super().run(stop)
        finally:
            self.ray.shutdown()

    def _make(self, number: int) -> ActorHandle:
        local = super()._make(number)
        return ActorHandle(replace(local.settings, folder=str(Path(local.settings.folder))), self.ray)

    @property
    def nodes(self) -> dict[str, str | None]:
        """The node of each worker, as it last said."""
        return {each.settings.worker: getattr(each, "node", None) for each in self._workers}
