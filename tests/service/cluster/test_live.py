"""Live analysis on a cluster: cameras run on after the node that ran them has died."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from service.live.supervisor import LiveSettings
from service.registry import Camera, CameraView, Site
from service.registry.history import Change
from service.registry.store import load_history, save_changes
from service.storage.connect import connect, reading, writing
from service.storage.tables import Segment
from tests.service.batch.recordings import CLIP, VIEW, database
from tests.service.cluster.conftest import NODE
from vision import load_view


def wait_for(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.2)
    return None


def register(engine: Engine) -> None:
    """A junction whose one camera is our sample clip, for ever."""
    records = [
        Site(id="square", kind="junction"),
        Camera(id="cam1", site="square", address=f"loop:{CLIP}"),
        CameraView(camera="cam1", view=load_view(VIEW)),
    ]
    changes = [Change(record.ref, None, record) for record in records]
    now = time.time()
    with writing(engine) as connection:
        history = load_history(connection)
        save_changes(connection, history, changes, now - 60, seen_revision=0, now=now, actor="test")


def segments(engine: Engine, since: float) -> int:
    """Live segments begun since a moment."""
    with reading(engine) as connection:
        begun = Segment.started_at >= datetime.fromtimestamp(since, UTC)
        return connection.scalar(select(func.count()).select_from(Segment).where(begun)) or 0


@pytest.mark.timeout(240)
def test_a_worker_whose_node_dies_goes_on_elsewhere(cluster: Any, tmp_path: Path) -> None:
    from service.cluster.live import ClusterSupervisor

    url = database(tmp_path / "ngatu.db")
    engine = connect(url)
    register(engine)
    settings = LiveSettings(workers=1, folder=tmp_path / "live", model="motion", fps=5.0, spare=False)
    supervisor = ClusterSupervisor(url, settings, cluster.address)
    stop = threading.Event()
    running = threading.Thread(target=supervisor.run, args=(stop,))
    running.start()
    try:
        assert wait_for(lambda: segments(engine, 0)), "it counts"
        before = wait_for(lambda: supervisor.nodes.get("worker-1"))
        victims = [node for node in cluster.list_all_nodes() if node.node_id == before]
        killed_at = time.time()
        cluster.remove_node(victims[0], allow_graceful=False)
        after = wait_for(lambda: supervisor.nodes["worker-1"] not in (None, before), 90.0)
        assert after, "it was started on another node"
        assert wait_for(lambda: segments(engine, killed_at)), "it counts there"
    finally:
        stop.set()
        running.join(30)
        cluster.add_node(**NODE)
    assert not running.is_alive()
    engine.dispose()
