"""Work on a Ray cluster: the same functions as in local processes, as tasks spread over the nodes."""

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar

from service.batch.executors import Lost
from vision.errors import NgatuError

Item = TypeVar("Item")
Result = TypeVar("Result")

RETRIES = 5
"""A task whose node or process dies is tried so often again, elsewhere."""


class RayExecutor:
    """Runs work as Ray tasks of one core each; see :class:`service.batch.executors.Executor`.

    ngatu must be installed on every node, and what the items name (recordings) must lie there under the
    same path. A node that dies costs time only: its tasks run again on others.

    Args:
        address: of the cluster's head, such as ``10.0.0.1:6379``, or ``auto``.
        workers: most tasks at a time; None takes every core of the cluster.

    Raises:
        NgatuError: Ray is not installed, or there is no cluster at this address.
    """

    def __init__(self, address: str, workers: int | None = None) -> None:
        self._ray = connect(address)
        self._most = workers

    @property
    def workers(self) -> int:
        """Cores of the cluster as it is now, or fewer if asked."""
        cores = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        return min(cores, self._most) if self._most else cores

    def map_unordered(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result | Lost]]:
        """See :class:`service.batch.executors.Executor`."""
        ray = self._ray
        remote: Any = ray.remote(num_cpus=1, max_retries=RETRIES, scheduling_strategy="SPREAD")(function)
        waiting, more = iter(items), True
        running: dict[Any, Item] = {}
        while True:
            room = self.workers + 1 - len(running)
            while more and room > 0:
                try:
                    item = next(waiting)
                except StopIteration:
                    more = False
                    break
                running[remote.remote(item)] = item
                room -= 1
            if not running:
                return
            done, _ = ray.wait(list(running), num_returns=1, timeout=5.0)
            for ref in done:
                item = running.pop(ref)
                try:
                    result: Result | Lost = ray.get(ref)
                except ray.exceptions.RayError as error:
                    result = Lost(f"the cluster gave it up: {str(error).strip().splitlines()[0]}")
                yield item, result

    def close(self) -> None:
        """Leave the cluster."""
        self._ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def connect(address: str) -> Any:
    """Join a cluster as a driver; returns the module ``ray``.

    Raises:
        NgatuError: Ray is not installed, or there is no cluster at this address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody outside
    try:
        import ray
    except ImportError:
        raise NgatuError(
            "--cluster needs Ray: install ngatu with the extra 'cluster' on every node"
        ) from None
    _reach(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise NgatuError(f"--cluster {address}: there is no cluster to join ({reason})") from None
    return ray


def _reach(address: str) -> None:
    """Try the head's port first: Ray itself would try for minutes.

    Raises:
        NgatuError: nobody answers there.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10.0).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NgatuError(f"--cluster {address}: there is no cluster to join ({reason})") from None
